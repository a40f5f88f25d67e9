//! `linchpin run CLUSTER.toml`: one run of real processes, under faults.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::Context;
use clap::Args;
use linchpin_cluster::{Cluster, ClusterError, Workspace, enter_private_namespaces};
use linchpin_injector::{Diagnostic, Fault, FaultReport, check_nodes, parse_fault, parse_faults};
use linchpin_laboratory::{Conditions, carry_out};
use linchpin_model::Outcome;
use linchpin_record::{Existing, FaultPlace, InjectedFault, TraceCampaign, TraceWriter};
use linchpin_report::causal::{Diagram, terminal};

use crate::args::RunArguments;
use crate::control::Interrupt;
use crate::exit::Exit;
use crate::output::{errln, outln};
use crate::terminal::Look;
use crate::trace_cluster::{self, Finished};
use crate::trace_command::unix_ns;
use crate::trace_report;

/// What concerns clusters only.
#[derive(Debug, Args)]
#[command(next_help_heading = "Clusters")]
pub(crate) struct ClusterRunArguments {
    /// A file of faults, one on each line (docs/formats/faults.md); may be repeated
    #[arg(long = "faults", value_name = "FILE")]
    fault_files: Vec<PathBuf>,

    /// Seed of the run [default: the file's]
    #[arg(long, value_name = "N")]
    seed: Option<u64>,

    /// A parameter of the workload; may be repeated
    #[arg(long = "parameter", value_name = "NAME=VALUE", value_parser = crate::trace_command::parameter)]
    parameters: Vec<(String, String)>,

    /// Record the run in this folder, with a report to open in a browser; replaces a record that is there
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

impl ClusterRunArguments {
    /// A flag that was given.
    pub(crate) fn given(&self) -> Option<&'static str> {
        [
            (!self.fault_files.is_empty(), "--faults"),
            (self.seed.is_some(), "--seed"),
            (!self.parameters.is_empty(), "--parameter"),
            (self.out.is_some(), "--out"),
        ]
        .into_iter()
        .find_map(|(given, flag)| given.then_some(flag))
    }
}

impl RunArguments {
    /// True if a cluster is to be run, not a specification.
    pub(crate) fn is_cluster(&self) -> bool {
        self.program.files.iter().any(|file| file.extension().is_some_and(|end| end == "toml"))
    }
}

/// A run that is asked for.
#[derive(Clone, Debug)]
pub(crate) struct Experiment {
    pub(crate) cluster: Cluster,
    pub(crate) faults: Vec<Fault>,
    pub(crate) seed: u64,
    pub(crate) parameters: BTreeMap<String, String>,
}

pub(crate) fn command(arguments: &RunArguments, look: Look) -> anyhow::Result<Exit> {
    // First of all: the system allows it to processes with one thread.
    let private = enter_private_namespaces();
    let interrupt = Interrupt::install()?;
    let [path] = &arguments.program.files[..] else {
        anyhow::bail!("one cluster file at a time");
    };
    let flags = &arguments.cluster;
    if arguments.bounds.any_given() || !arguments.tables.is_empty() || arguments.tables_all {
        anyhow::bail!("bounds and tables are those of specifications: this is a cluster");
    }
    let cluster = match trace_cluster::load(path, look.color) {
        Ok(cluster) => cluster,
        Err(exit) => return exit,
    };
    let Some(faults) = read_faults(&cluster, &arguments.faults, &flags.fault_files)? else {
        return Ok(Exit::Usage);
    };
    let experiment = Experiment {
        seed: flags.seed.unwrap_or(cluster.seed),
        parameters: flags.parameters.iter().cloned().collect(),
        cluster,
        faults,
    };
    crate::judge::check_names(&experiment.cluster, path)?;
    let isolated = linchpin_cluster::isolation(experiment.cluster.isolation)
        .map_err(|source| trace_cluster::start_error(ClusterError::Namespaces { source }))?;
    let header = trace_cluster::header(&experiment.cluster, isolated, flags.out.is_some());
    let mut writer = match &flags.out {
        Some(directory) => Some(TraceWriter::create(directory, &header, Existing::Replace)?),
        None => None,
    };
    let scratch = Workspace::new()?;
    let folder = match &writer {
        Some(writer) => writer.begin_run()?,
        None => scratch.path.clone(),
    };
    let events = flags.out.is_some().then(|| folder.join(trace_cluster::EVENT_LOG));
    let (finished, reports) = run(&experiment, 0, &folder, events, &interrupt)?;
    if let Some(writer) = &mut writer {
        trace_cluster::keep(writer, &folder, &finished)?;
    }
    if let (Some(writer), Some(directory)) = (&writer, &flags.out) {
        let campaign = TraceCampaign::load(directory)?;
        writer.write_report("index.html", trace_report::page(&campaign)?.as_bytes())?;
    }
    if let Err(error) = private
        && finished.result.isolated == linchpin_cluster::Isolated::Loopback
    {
        errln!(
            "note: no network namespace for each node ({error}); `linchpin doctor` says what to do"
        );
    }
    let diagram = Diagram::new(&header, &finished.trace);
    outln!("{}", terminal::diagram(&diagram, look.style()));
    print_outcome(&finished, &reports);
    if let Some(directory) = &flags.out {
        outln!("report: {}", directory.join("report/index.html").display());
        outln!("again:  linchpin replay {}", directory.display());
    }
    Ok(exit_of(&finished, &reports))
}

/// What became of each fault, and of the run.
pub(crate) fn print_outcome(finished: &Finished, reports: &[FaultReport]) {
    for report in reports {
        outln!("fault: {report}");
    }
    outln!("outcome: {} ({})", finished.record.outcome, finished.record.reason);
}

/// A run whose faults did not all fire says nothing of them, unless it is bad.
pub(crate) fn exit_of(finished: &Finished, reports: &[FaultReport]) -> Exit {
    if finished.result.interrupted {
        return Exit::Interrupted;
    }
    match finished.record.outcome {
        Outcome::Bad => Exit::Broken,
        Outcome::Good if reports.iter().all(FaultReport::fired) => Exit::Holds,
        _ => Exit::Unknown,
    }
}

/// Reads the faults of the command line and of files, and shows every mistake in them.
pub(crate) fn read_faults(
    cluster: &Cluster,
    texts: &[String],
    files: &[PathBuf],
) -> anyhow::Result<Option<Vec<Fault>>> {
    let nodes: Vec<String> = cluster
        .nodes
        .iter()
        .map(|node| node.name.clone())
        .chain([linchpin_cluster::CLIENT.to_owned()])
        .collect();
    let mut faults = Vec::new();
    let mut wrong = false;
    let mut take = |parsed: Result<Vec<Fault>, Vec<Diagnostic>>, text: &str, origin: &str| {
        let diagnostics = match parsed {
            Ok(read) => {
                let diagnostics: Vec<Diagnostic> =
                    read.iter().flat_map(|fault| check_nodes(fault, &nodes)).collect();
                faults.extend(read);
                diagnostics
            }
            Err(diagnostics) => diagnostics,
        };
        for diagnostic in diagnostics {
            wrong = true;
            errln!("{}\n", diagnostic.render(text, origin));
        }
    };
    for text in texts {
        take(parse_fault(text).map(|fault| vec![fault]), text, "--fault");
    }
    for file in files {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("cannot read `{}`", file.display()))?;
        take(parse_faults(&text), &text, &file.display().to_string());
    }
    Ok((!wrong).then_some(faults))
}

/// Runs a cluster once under faults. Its event log goes to `events`, if anywhere.
pub(crate) fn run(
    experiment: &Experiment,
    number: u64,
    folder: &Path,
    events: Option<PathBuf>,
    interrupt: &Interrupt,
) -> anyhow::Result<(Finished, Vec<FaultReport>)> {
    let Experiment { cluster, faults, seed, parameters } = experiment;
    let started_unix_ns = unix_ns();
    let conditions = Conditions {
        faults: faults.clone(),
        seed: *seed,
        parameters: parameters.clone(),
        is_experiment: false,
        logs: folder.join("logs"),
        events,
        interrupt: interrupt.flag(),
        judge: Some(crate::judge::judge),
    };
    let carried = carry_out(cluster, &conditions).map_err(trace_cluster::laboratory_error)?;
    let mut finished =
        trace_cluster::finished(cluster, number, carried.result, carried.tracker, started_unix_ns);
    finished.record.faults = injected(&carried.reports);
    Ok((finished, carried.reports))
}

/// What became of faults, for the record.
pub(crate) fn injected(reports: &[FaultReport]) -> Vec<InjectedFault> {
    reports
        .iter()
        .map(|report| InjectedFault {
            fault: report.fault.clone(),
            fired: report.events().into_iter().map(str::to_owned).collect(),
            places: report
                .firings
                .iter()
                .map(|firing| FaultPlace {
                    event: firing.event.map(|event| event.0),
                    time_ns: firing.time_ns,
                })
                .collect(),
        })
        .collect()
}
