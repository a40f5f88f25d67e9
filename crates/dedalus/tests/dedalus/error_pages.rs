//! Every code has a page in `docs/errors`, whose example triggers it with exactly the output
//! shown, and whose fix does not. `UPDATE_PAGES=1` rewrites the outputs.

use std::fs;
use std::path::{Path, PathBuf};

use linchpin_dedalus::codes::Code;
use linchpin_dedalus::diagnostic::{Diagnostic, Severity};
use linchpin_dedalus::load::Memory;
use linchpin_dedalus::render::{Style, render_all};
use linchpin_dedalus::source::SourceMap;
use linchpin_dedalus::{CompileOptions, compile_files, infer_nodes, lint_nodes};

fn directory() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/errors")
}

/// A fenced block: what stands after the fence, and the lines within.
struct Block {
    info: String,
    content: String,
}

fn blocks(section: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut open: Option<Block> = None;
    for line in section.lines() {
        match (line.strip_prefix("```"), &mut open) {
            (Some(info), None) => {
                open = Some(Block { info: info.to_owned(), content: String::new() });
            }
            (Some(_), Some(_)) => blocks.extend(open.take()),
            (None, Some(block)) => {
                block.content.push_str(line);
                block.content.push('\n');
            }
            (None, None) => {}
        }
    }
    assert!(open.is_none(), "a fence is not closed");
    blocks
}

/// `\xNN` to bytes.
fn decode(content: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = content;
    while let Some(index) = rest.find("\\x") {
        bytes.extend_from_slice(&rest.as_bytes()[..index]);
        let digits = &rest[index + 2..index + 4];
        bytes.push(u8::from_str_radix(digits, 16).expect("two hexadecimal digits"));
        rest = &rest[index + 4..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}

/// Compiles the `dedalus` blocks of a section as files, and checks nodes and invariant as the
/// command line does.
fn diagnose(code: Code, section: &str) -> (Vec<Diagnostic>, SourceMap) {
    let mut loader = Memory::new();
    let mut inputs = vec![PathBuf::from("main.ded")];
    for block in blocks(section) {
        let mut words = block.info.split_whitespace();
        match words.next() {
            Some("dedalus") => {
                let word = words.next();
                let bytes = match word {
                    Some("bytes") => decode(&block.content),
                    _ => block.content.into_bytes(),
                };
                let name = word.filter(|word| *word != "bytes").unwrap_or("main.ded");
                loader = loader.with(name, bytes);
            }
            Some("console") => {
                let arguments = block.content.trim().strip_prefix("$ linchpin check ");
                let arguments = arguments.expect("a check");
                inputs = arguments.split_whitespace().map(PathBuf::from).collect();
            }
            _ => {}
        }
    }
    let mut options = CompileOptions::default();
    if matches!(code, Code::TooManyErrors | Code::TooManyWarnings) {
        options.diagnostics_max = 1;
    }
    let compilation = compile_files(&inputs, &[], &loader, &options);
    let mut diagnostics = compilation.diagnostics;
    if let Some(program) = compilation.program {
        let declared = compilation.front_matter.scenarios.first();
        let nodes = declared.and_then(|scenario| scenario.nodes.clone());
        diagnostics.extend(lint_nodes(&program, &nodes.unwrap_or_else(|| infer_nodes(&program))));
        let lacks = |name: &&str| program.relation_named(name).is_none();
        let missing: Vec<&str> = ["pre", "post"].into_iter().filter(lacks).collect();
        if code == Code::InvariantMissing && !missing.is_empty() {
            diagnostics.push(Diagnostic::invariant_missing(&missing, !lacks(&"good")));
        }
        if code == Code::InvariantArity {
            diagnostics.extend(Diagnostic::invariant_arity(&program));
        }
    }
    (diagnostics, compilation.sources)
}

#[test]
fn every_code_has_a_true_page() {
    let update = std::env::var_os("UPDATE_PAGES").is_some();
    for &code in Code::ALL {
        let path = directory().join(format!("{code}.md"));
        let page = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{code}: {error}"));
        let title = format!("# {code}: {}\n\n*{:?}.* ", code.title(), code.severity());
        assert!(page.starts_with(&title), "{code}: the page begins with {title:?}");
        let (before, rest) = page.split_once("\n## Example\n").expect("an example");
        let (example, fix) = rest.split_once("\n## Fix\n").expect("a fix");
        if code.is_of_run() {
            continue;
        }

        let (diagnostics, sources) = diagnose(code, example);
        let severity = diagnostics.iter().find(|found| found.code == code).map(|it| it.severity);
        assert_eq!(severity, Some(code.severity()), "{code}: the example: {diagnostics:#?}");
        let output = render_all(&diagnostics, &sources, Style::Plain);
        let (head, tail) = example.split_once("```text\n").expect("the output of the example");
        let (shown, tail) = tail.split_once("```").expect("the output of the example");
        if update {
            let output = output.trim_end();
            let text =
                format!("{before}\n## Example\n{head}```text\n{output}\n```{tail}\n## Fix\n{fix}");
            fs::write(&path, text).expect("the page can be written");
        } else {
            assert_eq!(shown.trim_end(), output.trim_end(), "{code}: run with UPDATE_PAGES=1");
        }

        let (diagnostics, sources) = diagnose(code, fix);
        let wrong = |found: &Diagnostic| found.code == code || found.severity == Severity::Error;
        assert!(
            !diagnostics.iter().any(wrong),
            "{code}: the fix: {}",
            render_all(&diagnostics, &sources, Style::Plain)
        );
    }
}

#[test]
fn no_page_without_a_code() {
    let index = fs::read_to_string(directory().join("README.md")).expect("an index");
    for entry in fs::read_dir(directory()).expect("docs/errors exists") {
        let name = entry.expect("a directory entry").file_name().into_string().expect("UTF-8");
        let stem = name.strip_suffix(".md").expect("pages are Markdown");
        let known = Code::ALL.iter().any(|code| code.as_str() == stem);
        assert!(known || stem == "README", "{name} is about no code");
    }
    for code in Code::ALL {
        let severity = format!("{:?}", code.severity()).to_lowercase();
        let row = format!("| [{code}]({code}.md) | {severity} | {} |\n", code.title());
        assert!(index.contains(&row), "docs/errors/README.md lacks {row:?}");
    }
}
