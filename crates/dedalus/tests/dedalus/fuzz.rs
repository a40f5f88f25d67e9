//! Random input: never a panic, spans in range, every diagnostic can be rendered; programs that
//! compile print to themselves and have right strata. `PROPTEST_CASES=100000` tries more.

use linchpin_dedalus::diagnostic::Diagnostic;
use linchpin_dedalus::load::Memory;
use linchpin_dedalus::render::{Style, render_all};
use linchpin_dedalus::source::{SourceMap, Span};
use linchpin_dedalus::{CompileOptions, compile_files, infer_nodes, lint_nodes};
use proptest::prelude::*;
use proptest::sample::{Index, select};

use crate::{print, strata};

const TOKENS: &[&str] = &[
    "p",
    "q",
    "r",
    "crash",
    "include",
    "notin",
    "next",
    "async",
    "count",
    "min",
    "sum",
    "X",
    "Y",
    "Z",
    "_",
    "1",
    "0",
    "2",
    "99999999999999999999",
    "3.5",
    "\"a\"",
    "\"b\"",
    "\"main.ded\"",
    "\"",
    ":-",
    ",",
    ",",
    ";",
    ";",
    "(",
    "(",
    ")",
    ")",
    "@",
    "@1",
    "@next",
    "@async",
    "{",
    "}",
    "1..3",
    "@{1, 2}",
    "==",
    "!=",
    "<",
    "<=",
    ">",
    ">=",
    "+",
    "-",
    "*",
    "/",
    "//",
    "/*",
    "*/",
    "\n",
    " ",
    "\\",
    ".",
    "é",
    "=",
    "!",
    "//! eot = 1\n",
    "//! nodes = [\"a\"]\n",
    "\u{feff}",
    "\r\n",
    "\t",
];

const CLAUSES: &[&str] = &[
    "p(\"a\", 1)@1;",
    "p(\"b\", 2)@2;",
    "q(\"a\", \"b\")@1;",
    "p({\"a\", \"b\"}, {3..5})@{1, 3};",
    "r(X, Y) :- p(X, Y);",
    "r(X, Y + 1)@next :- r(X, Y), Y < 5;",
    "p(Y, N)@async :- q(X, Y), p(X, N);",
    "r(X, count<Y>) :- q(X, Y);",
    "r(X, min<Y>) :- r(X, Y), notin p(X, Y);",
    "p(X, Y) :- r(X, Y), notin s(X, Y);",
    "s(X, Y) :- r(X, Y), notin p(X, Y)@1;",
    "s(X, 1) :- notin q(X, _);",
    "t(X) :- q(X, Y), notin crash(X, Y, _);",
    "t(X) :- p(X, 1)@3;",
    "u(P) :- q(_, P), q(X, P), X != P;",
];

/// 2,000 cases, unless the environment says otherwise.
fn config() -> ProptestConfig {
    let given = std::env::var_os("PROPTEST_CASES").is_some();
    if given { ProptestConfig::default() } else { ProptestConfig::with_cases(2_000) }
}

fn check_spans(diagnostics: &[Diagnostic], sources: &SourceMap) {
    let check = |span: Span| {
        let text = &sources.file(span.file).text;
        assert!(span.start <= span.end && span.end as usize <= text.len(), "{span:?}");
        assert!(text.is_char_boundary(span.start as usize), "{span:?}");
        assert!(text.is_char_boundary(span.end as usize), "{span:?}");
    };
    for diagnostic in diagnostics {
        diagnostic.primary.iter().chain(&diagnostic.secondary).for_each(|label| check(label.span));
    }
}

fn compile_anything(bytes: &[u8]) {
    let loader = Memory::new().with("main.ded", bytes);
    let inputs = ["main.ded".into()];
    let compilation = compile_files(&inputs, &[], &loader, &CompileOptions::default());
    check_spans(&compilation.diagnostics, &compilation.sources);
    let rendered = render_all(&compilation.diagnostics, &compilation.sources, Style::Plain);
    assert_eq!(rendered.is_empty(), compilation.diagnostics.is_empty());
    let has_errors = compilation.diagnostics.iter().any(Diagnostic::is_error);
    assert_eq!(compilation.program.is_none(), has_errors);
    if let Some(program) = compilation.program {
        strata::check(&program);
        print::check_fixpoint(&program);
        let warnings = lint_nodes(&program, &infer_nodes(&program));
        check_spans(&warnings, &compilation.sources);
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        compile_anything(&bytes);
    }

    #[test]
    fn characters(text in any::<String>()) {
        compile_anything(text.as_bytes());
    }

    #[test]
    fn tokens(tokens in prop::collection::vec(select(TOKENS), 0..80)) {
        compile_anything(tokens.concat().as_bytes());
        compile_anything(tokens.join(" ").as_bytes());
    }

    #[test]
    fn clauses(clauses in prop::collection::vec(select(CLAUSES), 1..12)) {
        compile_anything(clauses.join("\n").as_bytes());
    }

    #[test]
    fn mutations(
        clauses in prop::collection::vec(select(CLAUSES), 1..8),
        edits in prop::collection::vec((any::<Index>(), 0..6_usize, select(TOKENS)), 1..4),
    ) {
        let mut characters: Vec<char> = clauses.join("\n").chars().collect();
        for (place, removed, inserted) in edits {
            let start = place.index(characters.len() + 1);
            let end = (start + removed).min(characters.len());
            characters.splice(start..end, inserted.chars());
        }
        compile_anything(characters.into_iter().collect::<String>().as_bytes());
    }
}
