//! What the tests share.

use linchpin_dedalus::codes::Code;
use linchpin_dedalus::diagnostic::Diagnostic;
use linchpin_dedalus::hir::{Program, Rule};
use linchpin_dedalus::render::{Style, render_all};
use linchpin_dedalus::{Compilation, compile_text};

pub(crate) fn compile(text: &str) -> Compilation {
    let compilation = compile_text("main.ded", text);
    let has_errors = compilation.diagnostics.iter().any(Diagnostic::is_error);
    assert_eq!(compilation.program.is_none(), has_errors, "no program iff there are errors");
    compilation
}

/// The codes reported, sorted by place.
pub(crate) fn codes(text: &str) -> Vec<Code> {
    compile(text).diagnostics.iter().map(|diagnostic| diagnostic.code).collect()
}

/// The errors reported.
pub(crate) fn errors(text: &str) -> Vec<Code> {
    let errors = |diagnostic: &&Diagnostic| diagnostic.is_error();
    compile(text).diagnostics.iter().filter(errors).map(|diagnostic| diagnostic.code).collect()
}

/// The only diagnostic.
pub(crate) fn only(text: &str) -> Diagnostic {
    let mut diagnostics = compile(text).diagnostics;
    assert_eq!(diagnostics.len(), 1, "{}", shown(text));
    diagnostics.remove(0)
}

/// The diagnostics as a person sees them.
pub(crate) fn shown(text: &str) -> String {
    let compilation = compile(text);
    render_all(&compilation.diagnostics, &compilation.sources, Style::Plain)
}

/// The program, which has no errors.
pub(crate) fn program(text: &str) -> Program {
    compile(text).program.unwrap_or_else(|| panic!("{}", shown(text)))
}

/// The program, which has neither errors nor warnings.
pub(crate) fn clean(text: &str) -> Program {
    assert_eq!(shown(text), "");
    program(text)
}

/// The only rule of a program.
pub(crate) fn rule(text: &str) -> Rule {
    let mut rules = program(text).rules;
    assert_eq!(rules.len(), 1);
    rules.remove(0)
}
