//! The `linchpin` command: reads flags, prints, and picks exit codes. Everything else is in the
//! crates below it.

mod again;
mod args;
mod bench;
mod certificate_command;
mod check;
mod cluster_run;
mod collecting;
mod completions;
mod control;
mod counterpart_command;
mod directory;
mod doctor_command;
mod exit;
mod experiment;
mod given;
mod history_command;
mod human;
mod hunt_answer;
mod hunt_record;
mod hunting;
mod input;
mod json;
mod judge;
mod output;
mod progress;
mod recording;
mod replay_command;
mod report_command;
mod resume;
mod run;
mod sweep;
mod terminal;
mod test_command;
mod trace_cluster;
mod trace_command;
mod trace_report;

use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches};

use crate::args::{Arguments, Command};
use crate::exit::Exit;

fn main() -> ExitCode {
    if experiment::is_asked() {
        return ended(experiment::command()).into();
    }
    let matches = Arguments::command().get_matches();
    let mut arguments = Arguments::from_arg_matches(&matches).unwrap_or_else(|error| error.exit());
    if let Command::Check(check) = &mut arguments.command
        && (check.out.is_some() || check.resume.is_some())
    {
        // Only a record needs them, and to find them costs as much as a small search.
        check.given = given::given_to_check(&matches);
    }
    let look = terminal::Look { color: arguments.color, ascii: arguments.ascii };
    let result = match &arguments.command {
        Command::VerifyCertificate(verify) => certificate_command::command(verify, look.color),
        Command::Check(check) => check::command(check, look),
        Command::Run(run) if run.is_cluster() => cluster_run::command(run, look),
        Command::Run(run) => run::command(run, look),
        Command::Replay(replay) => replay_command::command(replay, look),
        Command::History(history) => history_command::command(history, look),
        Command::Report(report) => report_command::command(report, look),
        Command::Test(test) => test_command::command(test, look),
        Command::Trace(trace) => trace_command::command(trace, look),
        Command::Doctor(doctor) => doctor_command::command(doctor),
        Command::Completions { shell } => completions::print(*shell),
        Command::Man { directory } => completions::write_manual(directory),
    };
    ended(result).into()
}

fn ended(result: anyhow::Result<Exit>) -> Exit {
    result.unwrap_or_else(|error| {
        output::errln!("error: {}", output::with_causes(&error));
        Exit::Usage
    })
}
