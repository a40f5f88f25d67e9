//! Any bytes: the compiler answers with a program or with errors, and shows what it says.

#![no_main]

use std::path::PathBuf;

use libfuzzer_sys::fuzz_target;
use linchpin_dedalus::diagnostic::Severity;
use linchpin_dedalus::load::Memory;
use linchpin_dedalus::render::{Style, render_all};
use linchpin_dedalus::{CompileOptions, compile_files, infer_nodes, lint_nodes};

fuzz_target!(|bytes: &[u8]| {
    let loader = Memory::new().with("main.ded", bytes).with("other.ded", bytes);
    let compilation =
        compile_files(&[PathBuf::from("main.ded")], &[], &loader, &CompileOptions::default());
    let errors = compilation
        .diagnostics
        .iter()
        .filter(|diagnostic| diagnostic.severity == Severity::Error)
        .count();
    assert_eq!(compilation.program.is_none(), errors > 0, "no program if and only if errors");
    let text = render_all(&compilation.diagnostics, &compilation.sources, Style::Plain);
    assert_eq!(text.is_empty(), compilation.diagnostics.is_empty());
    if let Some(program) = &compilation.program {
        let nodes = infer_nodes(program);
        let _ = render_all(&lint_nodes(program, &nodes), &compilation.sources, Style::Colour);
    }
});
