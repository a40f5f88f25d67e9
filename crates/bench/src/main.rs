//! Measures Linchpin.
//!
//! ```text
//! cargo run --release -p linchpin-bench -- reasons    runs saved by keeping all reasons seen (Markdown)
//! cargo run --release -p linchpin-bench -- scaling    writes docs/scaling.md and its plots
//! ```
//!
//! Both read `specs/` and are run from the root of the repository.

mod plot;
mod point;
mod reasons;
mod scaling;

use std::process::ExitCode;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let result = match arguments[..] {
        ["reasons"] => reasons::command(),
        ["scaling"] => scaling::command(),
        // One measurement in a process of its own, for its memory.
        ["point", file, eot, eff, crashes, nodes] => {
            point::command(file, [eot, eff, crashes, nodes])
        }
        _ => Err("usage: linchpin-bench reasons | scaling".to_owned()),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::from(2)
        }
    }
}
