//! Runs a command and everything it starts under the tracer, writes the event log, and prints the
//! summary of messages:
//!
//! `cargo run -p linchpin-tracker --example trace -- [--log FILE] CMD ARG...`

use std::fs::File;
use std::io::BufWriter;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::Instant;

use linchpin_tracer::{NodeId, Options, adopt_orphans, launch};
use linchpin_tracker::Recorder;
use linchpin_tracker::dissect::Rules;
use linchpin_tracker::names::{Roles, fold};

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<ExitCode, Box<dyn std::error::Error>> {
    let mut arguments = std::env::args_os().skip(1).peekable();
    let mut log = None;
    if arguments.peek().is_some_and(|argument| argument == "--log") {
        arguments.next();
        log = arguments.next();
    }
    let program = arguments.next().ok_or("usage: trace [--log FILE] CMD ARG...")?;
    let mut command = Command::new(program);
    command.args(arguments);
    adopt_orphans()?;
    let recorder = Arc::new(Recorder::new());
    let observer = Arc::clone(&recorder) as Arc<dyn linchpin_tracer::Observer>;
    let running = launch(NodeId(0), command, Options::default(), observer, Instant::now())?;
    let report = running.wait()?;
    let tracker = recorder.tracker();
    if let Some(path) = log {
        tracker.graph().write_log(BufWriter::new(File::create(path)?))?;
    }
    print!("{}", tracker.summary());
    let names = tracker.names(&Roles::new(), &Rules::default());
    for kind in fold(names.values()) {
        let to = kind.to.as_deref().unwrap_or("nobody");
        let label = kind.label.as_deref().unwrap_or("message");
        println!("  {:>6} x {} -> {to} over {}: {label}", kind.count, kind.from, kind.link);
    }
    eprintln!("{} stops; status {:?}", report.stops, report.status);
    Ok(ExitCode::SUCCESS)
}
