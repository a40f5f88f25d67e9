//! Input that is no program: a clear error, no panic, no stack overflow, in bounded time.

use std::path::PathBuf;

use linchpin_dedalus::codes::Code;
use linchpin_dedalus::diagnostic::Diagnostic;
use linchpin_dedalus::load::Memory;
use linchpin_dedalus::{CompileOptions, compile_files};

use crate::support::{codes, compile, only};

const DEPTH: usize = 200_000;

fn compile_bytes(bytes: &[u8]) -> Vec<Code> {
    let loader = Memory::new().with("x.ded", bytes);
    let inputs = [PathBuf::from("x.ded")];
    let compilation = compile_files(&inputs, &[], &loader, &CompileOptions::default());
    assert!(compilation.program.is_none());
    compilation.diagnostics.iter().map(|diagnostic| diagnostic.code).collect()
}

#[test]
fn nothing_at_all() {
    for text in ["", " \n", "// comment\n", "/* */", "\u{feff}", "//! eot = 1\n"] {
        let diagnostic = only(text);
        assert_eq!(diagnostic.code, Code::NoClauses);
        assert_eq!(diagnostic.message, "`main.ded` has no clauses");
    }
    let compilation = compile_files(&[], &[], &Memory::new(), &CompileOptions::default());
    assert_eq!(compilation.diagnostics[0].code, Code::NoClauses);
}

#[test]
fn a_missing_file() {
    let inputs = [PathBuf::from("none.ded")];
    let compilation = compile_files(&inputs, &[], &Memory::new(), &CompileOptions::default());
    assert_eq!(compilation.diagnostics.len(), 1);
    assert_eq!(compilation.diagnostics[0].code, Code::FileUnreadable);
}

#[test]
fn binary_files() {
    assert_eq!(compile_bytes(b"\x7fELF\x02\x01\x01\0\0\0"), [Code::NotText]);
    assert_eq!(compile_bytes(b"p(\"a\")@1;\0"), [Code::NotText]);
    assert_eq!(compile_bytes(b"p(\"\xff\")@1;"), [Code::NotText]);
    assert_eq!(compile_bytes(b"p(\"a\")@1; // \xe9"), [Code::NotText]);
    let everything: Vec<u8> = (0..=255).cycle().take(1_000_000).collect();
    assert_eq!(compile_bytes(&everything), [Code::NotText]);
}

#[test]
fn deep_nesting() {
    let open = "(".repeat(DEPTH);
    let close = ")".repeat(DEPTH);
    for text in [
        format!("p(\"a\", {open}1{close})@1;"),
        format!("p(\"a\", {open}1"),
        format!("p(\"a\", {}1)@1;", "-".repeat(DEPTH)),
        format!("p(\"a\", {}1)@1;", "1+".repeat(DEPTH)),
        format!("p(\"a\", {}1)@1;", "1*".repeat(DEPTH)),
        format!("q(\"a\")@1; p(X) :- q(X), {open}1{close} == 1;"),
        format!("p(\"a\", {}1{close})@1;", "(1+".repeat(DEPTH)),
    ] {
        assert_eq!(codes(&text)[0], Code::TooDeep, "{}", &text[..40]);
    }
    for text in [
        open.clone(),
        close.clone(),
        format!("p{open}"),
        format!("p(X) :- {}", "p(".repeat(DEPTH)),
        "/*".repeat(DEPTH),
        "p(X) :- ".repeat(DEPTH),
    ] {
        assert!(!codes(&text).is_empty());
    }
}

#[test]
fn as_deep_as_allowed() {
    let deep = |depth: usize| {
        let (open, close) = ("(".repeat(depth), ")".repeat(depth));
        format!("q(\"a\", 1)@1; p(X, {open}-1{close}) :- q(X, Y), {}1 < Y;", "1-".repeat(depth))
    };
    assert!(compile(&deep(200)).program.is_some());
    assert_eq!(codes(&deep(201)), [Code::TooDeep]);
}

#[test]
fn ten_megabytes_on_one_line() {
    const SIZE: usize = 10_000_000;
    for text in [
        "x".repeat(SIZE),
        ";".repeat(SIZE),
        "\"".repeat(SIZE),
        "é".repeat(SIZE / 2),
        "1".repeat(SIZE),
        "@".repeat(SIZE),
        " ".repeat(SIZE),
        format!("//{}", "x".repeat(SIZE)),
        format!("//! {}", "x".repeat(SIZE)),
        format!("/*{}", "*".repeat(SIZE)),
        format!("p(\"{}\")@1", "\\n".repeat(SIZE / 2)),
        format!("p(X) :- {};", "q(X), ".repeat(SIZE / 6)),
        "p(\"a\") ".repeat(SIZE / 7),
    ] {
        let compilation = compile(&text);
        assert!(compilation.program.is_none(), "{}", &text[..20]);
        let total: usize = compilation
            .diagnostics
            .iter()
            .map(|it| it.message.len() + it.help.as_ref().map_or(0, String::len))
            .sum();
        assert!(total < 100_000, "{} writes {total} bytes", &text[..20]);
    }
}

#[test]
fn a_large_program_is_no_problem() {
    let facts: String =
        (0..200_000).map(|index| format!("p(\"n{}\", {index})@1;", index % 7)).collect();
    assert_eq!(compile(&facts).program.expect("a program").facts.len(), 200_000);
    let rule = |terms: u32| {
        let variables: String = (1..terms).map(|index| format!(", p(X, V{index})")).collect();
        format!("p(\"a\", 1)@1; q(X) :- p(X, _){variables};")
    };
    assert_eq!(compile(&rule(5_000)).program.expect("a program").rules[0].variables.len(), 5_000);
    // Whoever evaluates a body may do so by recursion: its length is bounded.
    let diagnostics = compile(&rule(100_000)).diagnostics;
    assert_eq!(diagnostics.len(), 1);
    assert_eq!(diagnostics[0].code, Code::TooDeep);
}

#[test]
fn errors_are_capped() {
    let text = "p(\"a\");\n".repeat(1_000);
    let diagnostics = compile(&text).diagnostics;
    assert_eq!(diagnostics.len(), 101);
    assert!(diagnostics.iter().all(Diagnostic::is_error));
    assert_eq!(diagnostics[100].code, Code::TooManyErrors);
    assert_eq!(diagnostics[100].message, "900 more errors not shown");
    let text = format!("q(\"a\")@1; {}", "p(X) :- q(X)@next;\n".repeat(1_000));
    let diagnostics = compile(&text).diagnostics;
    assert_eq!(diagnostics.len(), 101);
    assert_eq!(diagnostics[100].code, Code::TooManyWarnings);
}

#[test]
fn missing_invariants() {
    let text = |missing: &[&str], has_good| {
        let diagnostic = Diagnostic::invariant_missing(missing, has_good);
        assert_eq!(diagnostic.code, Code::InvariantMissing);
        format!("{}: {}", diagnostic.message, diagnostic.help.expect("help"))
    };
    assert!(text(&["pre", "post"], false).contains("`pre` and `post`"));
    assert!(text(&["post"], true).contains("--invariant good"));
    assert!(text(&["pre"], false).contains("--invariant good"));
    assert!(text(&["good"], false).contains("--invariant good"));
}
