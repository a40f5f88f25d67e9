//! Programs whose calls make no sense: the tracer outlives them, and they end as they would.
//!
//! `LINCHPIN_HOSTILE=200 cargo test -p linchpin-tracker --test hostile` makes as many.
//! So do processes that are killed while the tracer makes one of their threads run calls of its own.

mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use linchpin_tracer::{NodeId, Observer, Options, Report, Status, launch};
use linchpin_tracker::Recorder;

/// The program of that name.
fn compiled(folder: &Path, name: &str) -> PathBuf {
    let binary = folder.join(name);
    let sources = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile");
    let mut compile = Command::new("cc");
    compile.args(["-O1", "-w", "-pthread", "-o"]).arg(&binary);
    compile.arg(sources.join(name).with_extension("c"));
    assert!(compile.status().unwrap().success());
    binary
}

/// Runs a program to its end, which must be a good one.
fn traced(mut command: Command, options: Options, seed: u64) -> (Report, Arc<Recorder>) {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let recorder = Arc::new(Recorder::new());
    let observer = Arc::clone(&recorder) as Arc<dyn Observer>;
    let running = launch(NodeId(0), command, options, observer, Instant::now()).unwrap();
    assert!(running.finished(common::LIMIT), "seed {seed} does not end");
    let report = running.wait().unwrap_or_else(|error| panic!("seed {seed}: {error}"));
    assert_eq!(report.status, Some(Status::Code(0)), "seed {seed}");
    (report, recorder)
}

#[test]
fn no_argument_of_a_call_harms_the_tracer() {
    if !common::have("cc") {
        return common::skipped("no cc");
    }
    let programs: u64 = std::env::var("LINCHPIN_HOSTILE")
        .map_or(4, |count| count.parse().expect("LINCHPIN_HOSTILE is a number"));
    let scratch = tempfile::tempdir().unwrap();
    let binary = compiled(scratch.path(), "arguments");
    for seed in 1..=programs {
        // Files changed and written are of interest in every second.
        let options = if seed % 2 == 0 {
            Options::default()
        } else {
            Options { files: true, writes: true, ..Options::default() }
        };
        let mut command = Command::new(&binary);
        // Where it makes files.
        let folder = tempfile::tempdir().unwrap();
        command.arg(seed.to_string()).current_dir(folder.path());
        let (report, recorder) = traced(command, options, seed);
        assert!(report.stops > 500, "seed {seed}: {} stops", report.stops);
        let tracker = recorder.tracker();
        assert!(tracker.summary().events > 100);
        let mut log = Vec::new();
        tracker.graph().write_log(&mut log).unwrap();
        linchpin_tracker::read_log(log.as_slice()).unwrap();
    }
}

/// The end of the first thread of a process is told only when all others have ended, which wait for the
/// tracer: it must not wait for the first one alone.
#[test]
fn a_process_may_be_killed_at_any_moment() {
    if !common::have("cc") {
        return common::skipped("no cc");
    }
    let programs: u64 = std::env::var("LINCHPIN_HOSTILE")
        .map_or(4, |count| count.parse().expect("LINCHPIN_HOSTILE is a number"));
    let scratch = tempfile::tempdir().unwrap();
    let binary = compiled(scratch.path(), "killed");
    for seed in 1..=programs {
        let mut command = Command::new(&binary);
        command.args([seed.to_string().as_str(), "150"]);
        traced(command, Options::default(), seed);
    }
}
