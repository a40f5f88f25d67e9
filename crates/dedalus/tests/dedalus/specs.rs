//! The specifications of this repository, as far as the language is concerned.

use std::path::{Path, PathBuf};

use linchpin_dedalus::diagnostic::Diagnostic;
use linchpin_dedalus::load::FileSystem;
use linchpin_dedalus::render::{Style, render_all};
use linchpin_dedalus::{CompileOptions, compile_files, infer_nodes, lint_nodes};

use crate::{print, strata};

/// Every `.ded` file below a directory, sorted.
fn files(directory: &Path) -> Vec<PathBuf> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(directory).expect("the directory exists") {
        let path = entry.expect("a directory entry").path();
        if path.is_dir() {
            files.extend(self::files(&path));
        } else if path.extension().is_some_and(|extension| extension == "ded") {
            files.push(path);
        }
    }
    files.sort();
    files
}

#[test]
fn specifications_compile_without_a_word() {
    let mut count = 0;
    for file in files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../specs")) {
        let options = CompileOptions::default();
        let compilation = compile_files(std::slice::from_ref(&file), &[], &FileSystem, &options);
        let shown = |diagnostics: &[Diagnostic]| {
            render_all(diagnostics, &compilation.sources, Style::Plain)
        };
        let scenarios = &compilation.front_matter.scenarios;
        let program = compilation.program.as_ref();
        let program = program.unwrap_or_else(|| panic!("{}", shown(&compilation.diagnostics)));
        strata::check(program);
        print::check_fixpoint(program);
        // Without front matter, it is a part of other programs.
        for scenario in scenarios {
            assert_eq!(shown(&compilation.diagnostics), "");
            if let Some(mut nodes) = scenario.nodes.clone() {
                assert_eq!(shown(&lint_nodes(program, &nodes)), "");
                nodes.sort();
                assert_eq!(infer_nodes(program), nodes, "{}", file.display());
            }
            count += 1;
        }
    }
    assert!(count > 0, "there are specifications with front matter");
}
