//! The `linchpin` command: reads flags, prints, and picks exit codes. Everything else is in the
//! crates below it.

mod again;
mod args;
mod certificate_command;
mod check;
mod collecting;
mod completions;
mod control;
mod directory;
mod exit;
mod given;
mod human;
mod input;
mod json;
mod output;
mod progress;
mod recording;
mod report_command;
mod resume;
mod run;
mod sweep;
mod terminal;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};

use crate::args::{Arguments, Command};
use crate::exit::Exit;

fn main() -> ExitCode {
    let matches = Arguments::command().get_matches();
    let mut arguments = Arguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    if let Command::Check(check) = &mut arguments.command {
        check.given = given::given_to_check(&matches);
    }
    let look = terminal::Look { color: arguments.color, ascii: arguments.ascii };
    let result = match &arguments.command {
        Command::VerifyCertificate(verify) => certificate_command::command(verify, look.color),
        Command::Check(check) => check::command(check, look),
        Command::Run(run) => run::command(run, look),
        Command::Report(report) => report_command::command(report, look),
        Command::Completions { shell } => completions::print(*shell),
        Command::Man { directory } => completions::write_manual(directory),
    };
    let exit = result.unwrap_or_else(|error| {
        output::errln!("error: {error:#}");
        Exit::Usage
    });
    exit.into()
}
