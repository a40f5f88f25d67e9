//! From files to a program: all stages in order.

use std::path::PathBuf;

use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::front_matter::{self, FrontMatter};
use crate::hir::Program;
use crate::lints;
use crate::load::{Loader, Memory, load};
use crate::resolve::resolve;
use crate::source::SourceMap;
use crate::stratify::stratify;
use crate::types;

/// How to compile.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct CompileOptions {
    /// How many errors, and how many warnings, to report before the rest is only counted.
    pub diagnostics_max: usize,
}

impl Default for CompileOptions {
    fn default() -> Self {
        Self { diagnostics_max: 100 }
    }
}

/// What the compiler makes of its input.
#[derive(Clone, Debug)]
pub struct Compilation {
    /// The program; `None` iff some diagnostic is an error.
    pub program: Option<Program>,
    /// Every file read.
    pub sources: SourceMap,
    /// Errors and warnings, sorted by place.
    pub diagnostics: Vec<Diagnostic>,
    /// Bounds and expectations given in the files; present as far as it is valid.
    pub front_matter: FrontMatter,
}

/// Compiles the program that the input files make together.
#[must_use]
pub fn compile_files(
    paths: &[PathBuf],
    include_dirs: &[PathBuf],
    loader: &dyn Loader,
    options: &CompileOptions,
) -> Compilation {
    let mut diagnostics = Diagnostics::new(options.diagnostics_max);
    let loaded = load(paths, include_dirs, loader, &mut diagnostics);
    let front_matter =
        front_matter::parse(&loaded.sources, &loaded.front_matter_lines, &mut diagnostics);
    let mut resolved = resolve(loaded.clauses, &mut diagnostics);
    types::infer(&mut resolved, &mut diagnostics);
    let mut program = resolved.program;
    stratify(&mut program, &mut diagnostics);
    // Missing clauses would make the lints cry wolf.
    if !diagnostics.has_errors() {
        lints::lint(&program, &mut diagnostics);
    }
    let program = (!diagnostics.has_errors()).then_some(program);
    Compilation {
        program,
        sources: loaded.sources,
        diagnostics: diagnostics.finish(),
        front_matter,
    }
}

/// Compiles a single text, which is called `name` in messages. Nothing can be included.
#[must_use]
pub fn compile_text(name: &str, text: &str) -> Compilation {
    let loader = Memory::new().with(name, text);
    compile_files(&[PathBuf::from(name)], &[], &loader, &CompileOptions::default())
}
