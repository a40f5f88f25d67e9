//! Runs a command under the tracer with an observer that does nothing, and prints the stops: what
//! tracing alone costs. `overhead [--wide] [--no-fifos] CMD ARG...`

use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::Instant;

use linchpin_tracer::{Decision, Event, NodeId, Options, launch};

fn main() -> ExitCode {
    let mut options = Options::default();
    let mut arguments = std::env::args().skip(1).peekable();
    while let Some(flag) = arguments.next_if(|argument| argument.starts_with("--")) {
        match flag.as_str() {
            "--wide" => options.narrow = false,
            "--no-fifos" => options.fifos = false,
            other => {
                eprintln!("unknown flag {other}");
                return ExitCode::from(2);
            }
        }
    }
    let Some(program) = arguments.next() else {
        eprintln!("usage: overhead [--wide] [--no-fifos] CMD ARG...");
        return ExitCode::from(2);
    };
    let mut command = Command::new(program);
    command.args(arguments);
    let start = Instant::now();
    let observer = Arc::new(|_: Event| Decision::Continue);
    let running = launch(NodeId(0), command, options, observer, start);
    match running
        .map_err(|error| error.to_string())
        .and_then(|running| running.wait().map_err(|error| error.to_string()))
    {
        Ok(report) => {
            eprintln!(
                "{} stops in {:?}; entries {:?}",
                report.stops,
                start.elapsed(),
                report.calls
            );
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}
