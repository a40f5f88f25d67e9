//! `linchpin trace CLUSTER.toml`: runs of a cluster, recorded.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use linchpin_cluster::{
    CLIENT, Cluster, ClusterError, Isolated, Isolation, Recording, RunOptions, RunResult,
    Workspace, enter_private_namespaces,
};
use linchpin_laboratory::LaboratoryError;
use linchpin_model::Outcome;
use linchpin_record::{
    Existing, SourceFile, TRACE_CAMPAIGN_SCHEMA, Trace, TraceCampaign, TraceHeader, TraceRun,
    TraceWriter,
};
use linchpin_report::causal::{Diagram, census, identity, terminal};
use linchpin_trace_recorder::Naming;
use linchpin_tracker::{Recorder, Tracker};

use crate::args::Color;
use crate::control::Interrupt;
use crate::exit::Exit;
use crate::human::plural;
use crate::input::style;
use crate::judge;
use crate::output::{errln, outln, to_stderr};
use crate::terminal::Look;
use crate::trace_command::{DOCTOR, TraceArguments, kernel_release, start_hint, unix_ns};
use crate::trace_report;

/// The event log of a run, in its folder.
pub(crate) const EVENT_LOG: &str = "events.jsonl";

/// Runs whose event log and logs are kept; of further runs only those that are not good keep them.
const LOGS_KEPT_MAX: u64 = 20;

/// A program that has not told its version by then is not asked further.
const VERSION_TIMEOUT: Duration = Duration::from_secs(10);

/// A finished run with all that is known of it.
pub(crate) struct Finished {
    pub(crate) result: RunResult,
    pub(crate) trace: Trace,
    pub(crate) record: TraceRun,
}

pub(crate) fn command(path: &Path, arguments: &TraceArguments, look: Look) -> anyhow::Result<Exit> {
    // First of all: the system allows it to processes with one thread.
    let private = enter_private_namespaces();
    let interrupt = Interrupt::install()?;
    let cluster = match load(path, look.color) {
        Ok(cluster) => cluster,
        Err(exit) => return exit,
    };
    judge::check_names(&cluster, path)?;
    let isolated = linchpin_cluster::isolation(cluster.isolation)
        .map_err(|source| start_error(ClusterError::Namespaces { source }))?;
    if let (Err(error), Isolated::Loopback) = (private, isolated)
        && cluster.isolation == Isolation::Auto
    {
        errln!(
            "note: no network namespace for each node ({error}); `linchpin doctor` says what to do"
        );
    }
    let header = header(&cluster, isolated, arguments.out.is_some());
    let (mut writer, done) = open(arguments, &header)?;
    let mut first: Option<Finished> = None;
    let mut exit = Exit::Holds;
    let mut records = done;
    for number in records.len() as u64..arguments.runs {
        let scratch = Workspace::new()?;
        let folder = match &writer {
            Some(writer) => writer.begin_run()?,
            None => scratch.path.clone(),
        };
        let finished = run_once(&cluster, number, &folder, arguments, &interrupt)?;
        if let Some(writer) = &mut writer {
            keep(writer, &folder, &finished)?;
        }
        if finished.result.interrupted {
            exit = Exit::Interrupted;
        } else {
            exit = worse(exit, finished.record.outcome);
        }
        progress(arguments, number + 1, finished.record.outcome);
        records.push(finished.record.clone());
        if first.is_none() {
            first = Some(finished);
        }
        if exit == Exit::Interrupted {
            break;
        }
    }
    if let (Some(writer), Some(directory)) = (&writer, &arguments.out) {
        let campaign = TraceCampaign::load(directory)?;
        writer.write_report("index.html", trace_report::page(&campaign)?.as_bytes())?;
    }
    if !arguments.quiet {
        print(arguments, &header, first.as_ref(), &records, look);
    }
    Ok(exit)
}

pub(crate) fn load(path: &Path, color: Color) -> Result<Cluster, anyhow::Result<Exit>> {
    use std::io::IsTerminal;
    match Cluster::load(path) {
        Ok(cluster) => Ok(cluster),
        Err(ClusterError::Invalid { path, text, diagnostics }) => {
            let colour = style(color, std::io::stderr().is_terminal())
                == linchpin_dedalus::render::Style::Colour;
            for diagnostic in &diagnostics {
                to_stderr(format_args!("{}\n", diagnostic.render(&path, &text, colour)));
            }
            Err(Ok(Exit::Usage))
        }
        Err(error) => Err(Err(error.into())),
    }
}

/// The record to write to, and the runs it holds already.
fn open(
    arguments: &TraceArguments,
    header: &TraceHeader,
) -> anyhow::Result<(Option<TraceWriter>, Vec<TraceRun>)> {
    let Some(directory) = &arguments.out else {
        if arguments.resume {
            bail!("--resume needs the folder that was recorded in: --out DIR");
        }
        return Ok((None, Vec::new()));
    };
    if !(arguments.resume && directory.join("campaign.json").is_file()) {
        let writer = TraceWriter::create(directory, header, Existing::Replace)?;
        return Ok((Some(writer), Vec::new()));
    }
    let (campaign, writer) = TraceWriter::resume(directory)?;
    let text = |header: &TraceHeader| header.cluster.as_ref().map(|file| file.text.clone());
    if text(&campaign.header) != text(header) {
        bail!(
            "{} records another cluster file: its runs cannot be added to; name another folder",
            directory.display()
        );
    }
    Ok((Some(writer), campaign.runs))
}

fn run_once(
    cluster: &Cluster,
    number: u64,
    folder: &Path,
    arguments: &TraceArguments,
    interrupt: &Interrupt,
) -> anyhow::Result<Finished> {
    let log = folder.join(EVENT_LOG);
    let no_log = || format!("cannot write {}", log.display());
    // Written as events come: a tracer that is killed leaves what it saw.
    let recorder = match arguments.out {
        Some(_) => File::create(&log)
            .and_then(|file| Recorder::new().with_log(Box::new(file)))
            .with_context(no_log)?,
        None => Recorder::new(),
    };
    let recorder = Arc::new(recorder);
    let started_unix_ns = unix_ns();
    let options = RunOptions {
        seed: Some(arguments.seed.unwrap_or(cluster.seed).wrapping_add(number)),
        parameters: arguments.parameters.iter().cloned().collect(),
        isolation: None,
        logs: folder.join("logs"),
        tracer: arguments.options(),
        interrupt: interrupt.flag(),
        trace_checks: false,
        stop_at_once: false,
        judge: Some(judge::judge),
    };
    let director = Arc::new(Recording(Arc::clone(&recorder)));
    let (result, logged) = recorder.flushing(|| linchpin_cluster::run(cluster, &options, director));
    let result = result.map_err(start_error)?;
    logged.with_context(no_log)?;
    let tracker = Arc::try_unwrap(recorder)
        .map(Recorder::into_tracker)
        .unwrap_or_else(|shared| shared.tracker().clone());
    Ok(finished(cluster, number, result, tracker, started_unix_ns))
}

/// What is kept of a run.
pub(crate) fn finished(
    cluster: &Cluster,
    number: u64,
    result: RunResult,
    tracker: Tracker,
    started_unix_ns: u64,
) -> Finished {
    let naming = Naming { roles: result.roles.clone(), rules: cluster.rules.clone() };
    let trace = linchpin_trace_recorder::trace(&tracker, &naming, number);
    let mut reason = result.judgement.reason.clone();
    for note in &result.notes {
        reason.push_str("; ");
        reason.push_str(note);
    }
    let outcome = result.judgement.outcome;
    let record = TraceRun {
        run: number,
        seed: result.seed,
        started_unix_ns,
        outcome,
        reason,
        faults: Vec::new(),
        parameters: result.parameters.clone(),
        counts: linchpin_trace_recorder::counts(&tracker, &result.reports),
        identity: identity::digests(&trace, outcome),
    };
    Finished { result, trace, record }
}

pub(crate) fn start_error(error: ClusterError) -> anyhow::Error {
    let hint = match &error {
        ClusterError::Launch { source, .. } | ClusterError::Look { source, .. } => {
            start_hint(source)
        }
        ClusterError::Namespaces { .. } => DOCTOR.to_owned(),
        _ => return error.into(),
    };
    anyhow::anyhow!("{error}\nhint: {hint}")
}

pub(crate) fn laboratory_error(error: LaboratoryError) -> anyhow::Error {
    match error {
        LaboratoryError::Cluster(error) => start_error(error),
        other => other.into(),
    }
}

/// Of runs past the first, only those that are not good keep their logs.
pub(crate) fn keeps_logs(record: &TraceRun) -> bool {
    record.run < LOGS_KEPT_MAX || record.outcome != Outcome::Good
}

/// Records a run, whose event log was written as it went.
pub(crate) fn keep(
    writer: &mut TraceWriter,
    folder: &Path,
    finished: &Finished,
) -> anyhow::Result<()> {
    if !keeps_logs(&finished.record) {
        let _ = std::fs::remove_dir_all(folder.join("logs"));
        let _ = std::fs::remove_file(folder.join(EVENT_LOG));
    }
    writer.finish_run(&finished.record, Some(&finished.trace))?;
    Ok(())
}

fn worse(exit: Exit, outcome: Outcome) -> Exit {
    match (exit, outcome) {
        (Exit::Broken, _) | (_, Outcome::Bad) => Exit::Broken,
        (Exit::Unknown, _) | (_, Outcome::Vacuous | Outcome::Inconclusive) => Exit::Unknown,
        _ => exit,
    }
}

fn progress(arguments: &TraceArguments, done: u64, outcome: Outcome) {
    if arguments.runs > 1 && !arguments.quiet {
        use std::io::IsTerminal;
        if std::io::stderr().is_terminal() {
            let end = if done == arguments.runs { "\n" } else { "" };
            to_stderr(format_args!("\r\u{1b}[2Krun {done} of {}: {outcome}{end}", arguments.runs));
        } else if done.is_multiple_of(20) || done == arguments.runs || outcome != Outcome::Good {
            errln!("run {done} of {}: {outcome}", arguments.runs);
        }
    }
}

pub(crate) fn header(cluster: &Cluster, isolated: Isolated, with_versions: bool) -> TraceHeader {
    let nodes = cluster.nodes.iter().map(|node| node.name.clone());
    TraceHeader {
        schema: TRACE_CAMPAIGN_SCHEMA.to_owned(),
        tool: concat!("linchpin ", env!("CARGO_PKG_VERSION")).to_owned(),
        command: Vec::new(),
        cluster: Some(SourceFile {
            path: cluster.path.display().to_string(),
            text: cluster.text.clone(),
        }),
        nodes: nodes.chain([CLIENT.to_owned()]).collect(),
        kernel: kernel_release(),
        machine: std::env::consts::ARCH.to_owned(),
        isolation: isolated.name().to_owned(),
        hunt: None,
        versions: if with_versions { versions(cluster) } else { BTreeMap::new() },
    }
}

/// What the programs say their versions are: the first line they print.
fn versions(cluster: &Cluster) -> BTreeMap<String, String> {
    let told = |words: &Vec<String>| {
        let mut command = Command::new(&words[0]);
        command.args(&words[1..]).stdin(Stdio::null());
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().ok()?;
        let deadline = Instant::now() + VERSION_TIMEOUT;
        while child.try_wait().ok()?.is_none() {
            if Instant::now() >= deadline {
                child.kill().ok()?;
                child.wait().ok()?;
                return None;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        let output = child.wait_with_output().ok()?;
        let text = if output.stdout.is_empty() { output.stderr } else { output.stdout };
        String::from_utf8_lossy(&text).lines().next().map(|line| line.trim().to_owned())
    };
    cluster
        .versions
        .iter()
        .map(|(name, words)| (name.clone(), told(words).unwrap_or_else(|| "unknown".to_owned())))
        .collect()
}

fn print(
    arguments: &TraceArguments,
    header: &TraceHeader,
    first: Option<&Finished>,
    records: &[TraceRun],
    look: Look,
) {
    if arguments.is_json() {
        for record in records {
            outln!("{}", serde_json::to_string(record).expect("records have a JSON form"));
        }
        return;
    }
    let style = look.style();
    if let (Some(finished), 1) = (first, records.len()) {
        let diagram = Diagram::new(header, &finished.trace);
        outln!("{}", terminal::diagram(&diagram, style));
        outln!("{}", terminal::summary(&diagram, &finished.record, style).trim_end());
        let held: f64 =
            finished.result.reports.iter().map(|report| report.held.as_secs_f64()).sum();
        outln!(
            "{}: the tracers held threads for {:.1} ms of {:.1} s; isolation: {}",
            plural(finished.record.counts.stops, "stop"),
            held * 1e3,
            finished.result.elapsed.as_secs_f64(),
            finished.result.isolated.name()
        );
        outln!("outcome: {} ({})", finished.record.outcome, finished.record.reason);
    } else {
        outln!("{}", census::Census::new(records).text(style.ascii).trim_end());
    }
    if let Some(directory) = &arguments.out {
        outln!("report: {}", directory.join("report/index.html").display());
    }
}
