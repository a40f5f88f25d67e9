//! `linchpin trace`: runs unmodified programs and shows what they said to each other.

use std::fs::File;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Context;
use clap::{Args, ValueEnum};
use linchpin_model::Outcome;
use linchpin_record::{
    Existing, TRACE_CAMPAIGN_SCHEMA, Trace, TraceCampaign, TraceHeader, TraceRun, TraceWriter,
};
use linchpin_report::causal::{Diagram, conversations, terminal};
use linchpin_trace_recorder::Naming;
use linchpin_tracer::{LaunchError, NodeId, Observer, Options, Report, Running, Status};
use linchpin_tracker::{Recorder, Tracker};
use serde_json::json;

use crate::control::Interrupt;
use crate::exit::Exit;
use crate::human::plural;
use crate::output::{errln, outln};
use crate::terminal::Look;
use crate::{trace_cluster, trace_report};

/// Run unmodified programs and show what they said to each other, in order
///
/// Everything the command starts is traced: messages over sockets, pipes and FIFOs, connections,
/// durable writes, and the lives of processes. Nothing it starts outlives the trace.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes: 0 the program succeeded (of a cluster: every run is good), 1 it failed (a run is bad), 2 it could not be traced,
3 it was stopped by --timeout (a run is vacuous or inconclusive), 130 interrupted

Examples:
  linchpin trace -- sh -c 'echo hello | cat'
  linchpin trace --out out cluster.toml
  linchpin trace --runs 200 --out out cluster.toml")]
pub(crate) struct TraceArguments {
    /// A cluster file (docs/formats/cluster.md)
    #[arg(
        value_name = "CLUSTER.toml",
        conflicts_with = "command",
        required_unless_present = "command"
    )]
    cluster: Option<PathBuf>,

    /// The program and its arguments, after `--`
    #[arg(last = true, value_name = "CMD")]
    command: Vec<String>,

    /// Record the run in this folder, with a report to open in a browser
    #[arg(long, value_name = "DIR")]
    pub(crate) out: Option<PathBuf>,

    /// Of a cluster: run it so often, and say how many different runs there are
    #[arg(long, value_name = "N", default_value_t = 1, conflicts_with = "command", value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) runs: u64,

    /// Of a cluster: go on with the runs recorded in the folder of --out
    #[arg(long, conflicts_with = "command")]
    pub(crate) resume: bool,

    /// Of a cluster: the seed of its first run; each further run adds one [default: the file's]
    #[arg(long, value_name = "N", conflicts_with = "command")]
    pub(crate) seed: Option<u64>,

    /// Of a cluster: a parameter of the workload; may be repeated
    #[arg(long = "parameter", value_name = "NAME=VALUE", conflicts_with = "command", value_parser = parameter)]
    pub(crate) parameters: Vec<(String, String)>,

    /// End everything after this time, such as 30s or 5m
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    timeout: Option<Duration>,

    /// What the program leaves running when it ends may go on so long
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration, default_value = "1s")]
    linger: Duration,

    /// Bytes of each message that are kept
    #[arg(long, value_name = "N", default_value_t = 4096)]
    payload: usize,

    /// Also record the files that are opened, renamed and unlinked
    #[arg(long)]
    files: bool,

    /// What to print on standard output once the program has ended; with json the program's own
    /// standard output goes to standard error
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: TraceFormat,

    /// Print nothing
    #[arg(short, long)]
    pub(crate) quiet: bool,
}

pub(crate) fn parameter(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("expected NAME=VALUE".to_owned()),
    }
}

impl TraceArguments {
    /// What the tracer looks at.
    pub(crate) fn options(&self) -> Options {
        Options { payload_limit: self.payload, files: self.files, ..Options::default() }
    }

    pub(crate) fn is_json(&self) -> bool {
        self.format == TraceFormat::Json
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum TraceFormat {
    /// For people
    Human,
    /// One JSON object
    Json,
}

pub(crate) fn command(arguments: &TraceArguments, look: Look) -> anyhow::Result<Exit> {
    if let Some(path) = &arguments.cluster {
        return trace_cluster::command(path, arguments, look);
    }
    let interrupt = Interrupt::install()?;
    linchpin_tracer::adopt_orphans().context("cannot become the parent of orphans")?;
    let header = header(&arguments.command);
    // Made before the program runs: what cannot be recorded is said at once.
    let writer = match &arguments.out {
        Some(directory) => Some(TraceWriter::create(directory, &header, Existing::Replace)?),
        None => None,
    };
    let log = match &writer {
        Some(writer) => Some(writer.begin_run()?.join("events.jsonl")),
        None => None,
    };
    let traced = run(arguments, &interrupt, log.as_deref())?;
    let naming = Naming::default();
    // The whole graph in the form of a record, where somebody is to see it.
    let shown = !arguments.quiet || writer.is_some();
    let trace = shown.then(|| linchpin_trace_recorder::trace(&traced.tracker, &naming, 0));
    let record = record(&traced);
    if let (Some(mut writer), Some(directory), Some(trace)) = (writer, &arguments.out, &trace) {
        writer.finish_run(&record, Some(trace))?;
        let campaign = TraceCampaign::load(directory)?;
        writer.write_report("index.html", trace_report::page(&campaign)?.as_bytes())?;
    }
    if let Some(trace) = trace.filter(|_| !arguments.quiet) {
        print(arguments, &header, &trace, &record, &traced, look);
    }
    Ok(match traced.ended {
        Ended::Interrupted => Exit::Interrupted,
        Ended::TimedOut => Exit::Unknown,
        Ended::By(Some(Status::Code(0))) => Exit::Holds,
        Ended::By(_) => Exit::Broken,
    })
}

/// How the first process ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ended {
    By(Option<Status>),
    TimedOut,
    Interrupted,
}

struct Traced {
    tracker: Tracker,
    report: Report,
    ended: Ended,
    /// Processes that were killed because they outlived the program.
    left: usize,
    elapsed: Duration,
    started_unix_ns: u64,
}

/// Between looks at whether something ends the trace early.
pub(crate) const TICK: Duration = Duration::from_millis(50);

fn run(
    arguments: &TraceArguments,
    interrupt: &Interrupt,
    log: Option<&Path>,
) -> anyhow::Result<Traced> {
    let mut command = Command::new(&arguments.command[0]);
    command.args(&arguments.command[1..]);
    if arguments.format == TraceFormat::Json {
        command.stdout(stderr()?);
    }
    let options = arguments.options();
    let no_log = || format!("cannot write {}", log.unwrap_or(Path::new("")).display());
    let recorder = Arc::new(match log {
        Some(path) => File::create(path)
            .and_then(|file| Recorder::logging(Box::new(file)))
            .with_context(no_log)?,
        None => Recorder::lean(),
    });
    let observer = Arc::clone(&recorder) as Arc<dyn Observer>;
    let started_unix_ns = unix_ns();
    let start = Instant::now();
    let running =
        linchpin_tracer::launch(NodeId(0), command, options, observer, start).map_err(|error| {
            if let Some(path) = log {
                let _ = std::fs::remove_file(path); // nothing ran
            }
            start_error(&error)
        })?;
    let deadline = arguments.timeout.and_then(|timeout| start.checked_add(timeout));
    let flush = || recorder.flush_log().with_context(no_log);
    let (ended, left) = wait(&running, deadline, arguments.linger, interrupt, flush)?;
    let report = running.wait()?;
    recorder.flush_log().with_context(no_log)?;
    let tracker = Arc::try_unwrap(recorder)
        .map(Recorder::into_tracker)
        .unwrap_or_else(|shared| shared.tracker().clone());
    Ok(Traced { tracker, report, ended, left, elapsed: start.elapsed(), started_unix_ns })
}

/// The time of day, which is told in records of real runs so that logs can be set beside them.
#[allow(clippy::disallowed_methods, reason = "no result depends on it")]
pub(crate) fn unix_ns() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(now.as_nanos()).unwrap_or(u64::MAX)
}

/// A copy of our standard error, for the program's standard output.
fn stderr() -> anyhow::Result<Stdio> {
    use std::os::fd::AsFd;
    let copy = std::io::stderr().as_fd().try_clone_to_owned();
    Ok(copy.context("cannot use standard error")?.into())
}

/// What to do where this machine does not allow what is needed.
pub(crate) const DOCTOR: &str =
    "`linchpin doctor` says what is missing on this machine, and the remedy";

/// A program that cannot be started, and what to do about it.
pub(crate) fn start_error(error: &LaunchError) -> anyhow::Error {
    anyhow::anyhow!("{error}\nhint: {}", start_hint(error))
}

/// What to do about a program that cannot be started.
pub(crate) fn start_hint(error: &LaunchError) -> String {
    let LaunchError::Spawn { program, source } = error else { return DOCTOR.to_owned() };
    match source.kind() {
        ErrorKind::NotFound => format!("is `{program}` installed and in PATH?"),
        ErrorKind::PermissionDenied => {
            format!("is `{program}` executable? If it is, `linchpin doctor` says what is missing")
        }
        _ => DOCTOR.to_owned(),
    }
}

/// Waits for the end of the program, then for what it left running; kills the rest.
fn wait(
    running: &Running,
    deadline: Option<Instant>,
    linger: Duration,
    interrupt: &Interrupt,
    flush: impl Fn() -> anyhow::Result<()>,
) -> anyhow::Result<(Ended, usize)> {
    let mut root_ended: Option<(Option<Status>, Instant)> = None;
    loop {
        if running.finished(TICK) {
            let status = root_ended.map(|(status, _)| status);
            return Ok((Ended::By(status.unwrap_or_else(|| running.root_status(TICK))), 0));
        }
        flush()?;
        let now = Instant::now();
        if root_ended.is_none() {
            root_ended = running.root_status(Duration::ZERO).map(|status| (Some(status), now));
        }
        let early = if interrupt.is_set() {
            Some(Ended::Interrupted)
        } else if deadline.is_some_and(|deadline| now >= deadline) {
            Some(Ended::TimedOut)
        } else {
            root_ended
                .filter(|(_, ended)| now.duration_since(*ended) >= linger)
                .map(|(status, _)| Ended::By(status))
        };
        if let Some(ended) = early {
            let left = running.processes().len();
            running.kill();
            return Ok((ended, left));
        }
    }
}

pub(crate) fn kernel_release() -> String {
    std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default().trim().to_owned()
}

fn header(command: &[String]) -> TraceHeader {
    TraceHeader {
        schema: TRACE_CAMPAIGN_SCHEMA.to_owned(),
        tool: concat!("linchpin ", env!("CARGO_PKG_VERSION")).to_owned(),
        command: command.to_vec(),
        cluster: None,
        nodes: Vec::new(),
        kernel: kernel_release(),
        machine: std::env::consts::ARCH.to_owned(),
        isolation: "none".to_owned(),
        hunt: None,
        versions: std::collections::BTreeMap::new(),
    }
}

fn reason(traced: &Traced) -> String {
    let ended = match traced.ended {
        Ended::By(Some(Status::Code(code))) => format!("the program exited with code {code}"),
        Ended::By(Some(Status::Signal(signal))) => {
            format!("the program was killed by signal {signal}")
        }
        Ended::By(None) => "the program ended".to_owned(),
        Ended::TimedOut => "stopped by --timeout".to_owned(),
        Ended::Interrupted => "interrupted".to_owned(),
    };
    match (traced.ended, traced.left) {
        (Ended::By(_), left) if left > 0 => {
            let left = plural(left as u64, "process").replace("processs", "processes");
            format!("{ended}; {left} that it left running were killed")
        }
        _ => ended,
    }
}

fn record(traced: &Traced) -> TraceRun {
    let outcome = match traced.ended {
        Ended::By(Some(Status::Code(0))) => Outcome::Good,
        Ended::By(_) => Outcome::Bad,
        Ended::TimedOut | Ended::Interrupted => Outcome::Inconclusive,
    };
    TraceRun {
        run: 0,
        seed: 0,
        started_unix_ns: traced.started_unix_ns,
        outcome,
        reason: reason(traced),
        faults: Vec::new(),
        parameters: std::collections::BTreeMap::new(),
        counts: linchpin_trace_recorder::counts(
            &traced.tracker,
            std::slice::from_ref(&traced.report),
        ),
        identity: std::collections::BTreeMap::new(),
    }
}

fn print(
    arguments: &TraceArguments,
    header: &TraceHeader,
    trace: &Trace,
    run: &TraceRun,
    traced: &Traced,
    look: Look,
) {
    let diagram = Diagram::new(header, trace);
    let held_ms = traced.report.held.as_secs_f64() * 1e3;
    if arguments.format == TraceFormat::Json {
        let kinds: Vec<_> = conversations(&diagram)
            .into_iter()
            .map(|kind| {
                json!({
                    "from": diagram.lanes[kind.from].name,
                    "to": kind.to.map(|to| &diagram.lanes[to].name),
                    "link": kind.link,
                    "label": kind.label,
                    "sends": kind.sends,
                    "bytes": kind.bytes,
                })
            })
            .collect();
        let json = json!({
            "schema": "linchpin.trace-summary/1",
            "run": run,
            "messages": kinds,
            "elapsed_ms": traced.elapsed.as_secs_f64() * 1e3,
            "held_ms": held_ms,
        });
        outln!("{json}");
        return;
    }
    let style = look.style();
    outln!("{}", terminal::diagram(&diagram, style));
    let summary = terminal::summary(&diagram, run, style);
    outln!("{}", summary.trim_end());
    outln!(
        "{}: the tracer held threads for {held_ms:.1} ms of {:.1} ms",
        plural(run.counts.stops, "stop"),
        traced.elapsed.as_secs_f64() * 1e3
    );
    if run.outcome != Outcome::Good || traced.left > 0 {
        errln!("note: {}", run.reason);
    }
    if let Some(directory) = &arguments.out {
        outln!("report: {}", directory.join("report/index.html").display());
    }
}
