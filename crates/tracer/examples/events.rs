//! Runs a command under the tracer and prints its events as JSON lines; the counts of stops go to
//! stderr. `cargo run -p linchpin-tracer --example events -- CMD ARG...`

use std::io::Write;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::Instant;

use linchpin_tracer::{Decision, Event, NodeId, Options, adopt_orphans, launch};

fn main() -> ExitCode {
    let mut arguments = std::env::args_os().skip(1);
    let Some(program) = arguments.next() else {
        eprintln!("usage: events CMD ARG...");
        return ExitCode::from(2);
    };
    let mut command = Command::new(program);
    command.args(arguments);
    let observer = |event: Event| {
        let line = serde_json::to_string(&event).expect("events are plain data");
        let _ = writeln!(std::io::stdout(), "{line}");
        Decision::Continue
    };
    let outcome = adopt_orphans().map_err(|error| error.to_string()).and_then(|()| {
        launch(NodeId(0), command, Options::default(), Arc::new(observer), Instant::now())
            .map_err(|error| error.to_string())
    });
    match outcome.and_then(|running| running.wait().map_err(|error| error.to_string())) {
        Ok(report) => {
            eprintln!("{report:#?}");
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("error: {error}\nhint: run `linchpin doctor`");
            ExitCode::from(2)
        }
    }
}
