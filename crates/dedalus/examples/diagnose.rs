//! Prints what the compiler has to say about a program, and the program as it understood it:
//! `cargo run -p linchpin-dedalus --example diagnose -- FILE...`

use std::path::PathBuf;

use linchpin_dedalus::load::FileSystem;
use linchpin_dedalus::render::{Style, render_all};
use linchpin_dedalus::{CompileOptions, compile_files, infer_nodes, lint_nodes};

fn main() {
    let paths: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let compilation = compile_files(&paths, &[], &FileSystem, &CompileOptions::default());
    let mut diagnostics = compilation.diagnostics;
    let scenarios = compilation.front_matter.scenarios;
    if let Some(program) = compilation.program {
        let inferred = infer_nodes(&program);
        let declared = scenarios.first().and_then(|scenario| scenario.nodes.as_ref());
        diagnostics.extend(lint_nodes(&program, declared.unwrap_or(&inferred)));
        println!("// nodes: {}", inferred.join(", "));
        print!("{program}");
    }
    for scenario in scenarios {
        println!("// {scenario:?}");
    }
    eprint!("{}", render_all(&diagnostics, &compilation.sources, Style::Plain));
}
