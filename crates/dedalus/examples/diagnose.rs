//! Prints the diagnostics of a program: `cargo run -p linchpin-dedalus --example diagnose FILE...`

use std::path::PathBuf;

use linchpin_dedalus::load::FileSystem;
use linchpin_dedalus::render::{Style, render_all};
use linchpin_dedalus::{CompileOptions, compile_files};

fn main() {
    let paths: Vec<PathBuf> = std::env::args_os().skip(1).map(PathBuf::from).collect();
    let compilation = compile_files(&paths, &[], &FileSystem, &CompileOptions::default());
    print!("{}", render_all(&compilation.diagnostics, &compilation.sources, Style::Plain));
    println!("{:?}", compilation.front_matter);
    if let Some(program) = compilation.program {
        println!("{:?} {:?}", program.relations, program.strata);
    }
}
