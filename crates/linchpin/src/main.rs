//! The `linchpin` command: reads flags, prints, and picks exit codes. Everything else is in the
//! crates below it.

mod args;
mod certificate_command;
mod check;
mod control;
mod directory;
mod exit;
mod human;
mod input;
mod json;
mod output;
mod run;
mod sweep;

use std::process::ExitCode;

use clap::Parser;

use crate::args::{Arguments, Command};
use crate::exit::Exit;

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let result = match &arguments.command {
        Command::Check(check) => check::command(check, arguments.color),
        Command::Run(run) => run::command(run, arguments.color),
        Command::VerifyCertificate(verify) => certificate_command::command(verify, arguments.color),
    };
    let exit = result.unwrap_or_else(|error| {
        output::errln!("error: {error:#}");
        Exit::Usage
    });
    exit.into()
}
