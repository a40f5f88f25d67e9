//! `linchpin replay`: runs a recorded run again, and says how alike the runs are.

use std::path::PathBuf;

use anyhow::{Context, anyhow, bail};
use clap::{Args, ValueEnum};
use linchpin_cluster::{Workspace, enter_private_namespaces};
use linchpin_injector::FaultReport;
use linchpin_model::Outcome;
use linchpin_record::{TraceCampaign, TraceRun};
use serde_json::json;

use crate::cluster_run::{self, Experiment};
use crate::control::Interrupt;
use crate::exit::Exit;
use crate::output::{errln, outln};
use crate::terminal::Look;
use crate::{counterpart_command, trace_cluster};

/// Run a recorded run again, or a counterexample of a specification on processes
///
/// Says how often the faults fired at the same events as in the record, and how often the outcome
/// was the same. With --map, a counterexample of a specification is rewritten as faults of the
/// processes that implement it (docs/formats/map.md), and tried.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes: 0 every outcome is good, 1 at least one is bad, 2 bad input, 3 none is bad, but not all are good or some
faults did not fire, 130 interrupted

Example:
  linchpin run cluster.toml --fault 'crash a after send a->b REPL #2' --out out
  linchpin replay out --times 10
  linchpin replay --map map.toml --on cluster.toml --times 3")]
pub(crate) struct ReplayArguments {
    /// The folder that `linchpin run CLUSTER.toml --out` wrote; with --map, one that `linchpin check
    /// --out` wrote [default with --map: the map's specification is checked]
    #[arg(value_name = "RUN", required_unless_present = "map")]
    pub(crate) directory: Option<PathBuf>,

    /// Which run of the folder [default: the first that is bad, or the first]
    #[arg(long, value_name = "N")]
    pub(crate) run: Option<u64>,

    /// What is what in the specification and in the cluster
    #[arg(long, value_name = "FILE")]
    map: Option<PathBuf>,

    /// The cluster to try it on [default: the map's]
    #[arg(long, value_name = "CLUSTER.toml", requires = "map")]
    pub(crate) on: Option<PathBuf>,

    /// Try every minimal counterexample of the specification, until one breaks the processes
    #[arg(long, requires = "map", conflicts_with = "run")]
    pub(crate) all: bool,

    /// How often
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u64).range(1..))]
    pub(crate) times: u64,

    /// What to print on standard output
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    pub(crate) format: ReplayFormat,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ReplayFormat {
    /// For people
    Human,
    /// One JSON object
    Json,
}

/// How one repetition compares with the record.
struct Repetition {
    outcome: Outcome,
    reason: String,
    reports: Vec<FaultReport>,
    same_events: bool,
}

pub(crate) fn command(arguments: &ReplayArguments, look: Look) -> anyhow::Result<Exit> {
    let _ = enter_private_namespaces();
    let interrupt = Interrupt::install()?;
    let directory = match (&arguments.map, &arguments.directory) {
        (Some(map), _) => return counterpart_command::command(arguments, map, &interrupt, look),
        (None, Some(directory)) => directory,
        (None, None) => bail!("what is to be replayed? name a folder, or a map: --map FILE"),
    };
    let campaign = TraceCampaign::load(directory)?;
    let recorded = choose(&campaign, arguments.run)?;
    let source = campaign
        .header
        .cluster
        .as_ref()
        .ok_or_else(|| anyhow!("{} records a command, not a cluster", directory.display()))?;
    let path = PathBuf::from(&source.path);
    let cluster = match trace_cluster::load(&path, look.color) {
        Ok(cluster) => cluster,
        Err(exit) => {
            return exit.with_context(|| {
                let directory = directory.display();
                format!("the cluster of {directory}, named as it was where the run was made")
            });
        }
    };
    if cluster.text != source.text {
        errln!("note: {} has changed since the run was recorded", path.display());
    }
    let texts: Vec<String> = recorded.faults.iter().map(|fault| fault.fault.clone()).collect();
    let Some(faults) = cluster_run::read_faults(&cluster, &texts, &[])? else {
        return Ok(Exit::Usage);
    };
    let experiment = Experiment {
        cluster,
        faults,
        seed: recorded.seed,
        parameters: recorded.parameters.clone(),
    };
    let mut repetitions: Vec<Repetition> = Vec::new();
    for number in 0..arguments.times {
        let scratch = Workspace::new()?;
        let (finished, reports) =
            cluster_run::run(&experiment, number, &scratch.path, None, &interrupt)?;
        if finished.result.interrupted {
            print(arguments, recorded, &repetitions);
            return Ok(Exit::Interrupted);
        }
        let same_events = reports.len() == recorded.faults.len()
            && reports.iter().zip(&recorded.faults).all(|(report, before)| {
                report.problems.is_empty() && report.events() == before.fired
            });
        let repetition = Repetition {
            outcome: finished.record.outcome,
            reason: finished.record.reason.clone(),
            reports,
            same_events,
        };
        if arguments.format == ReplayFormat::Human {
            tell(number + 1, &repetition);
        }
        repetitions.push(repetition);
    }
    print(arguments, recorded, &repetitions);
    Ok(exit_of(&repetitions))
}

fn choose(campaign: &TraceCampaign, wanted: Option<u64>) -> anyhow::Result<&TraceRun> {
    let runs = &campaign.runs;
    let found = match wanted {
        Some(number) => runs.iter().find(|run| run.run == number),
        None => runs.iter().find(|run| run.outcome == Outcome::Bad).or(runs.first()),
    };
    match (found, wanted) {
        (Some(run), _) => Ok(run),
        (None, Some(number)) => {
            bail!("{} has no run {number}: it has {}", campaign.directory.display(), runs.len())
        }
        (None, None) => bail!("{} has no finished run", campaign.directory.display()),
    }
}

fn tell(number: u64, repetition: &Repetition) {
    let events = if repetition.same_events { "same events" } else { "other events" };
    outln!("{number}: {} ({}); {events}", repetition.outcome, repetition.reason);
    if !repetition.same_events {
        for report in &repetition.reports {
            outln!("   {report}");
        }
    }
}

fn print(arguments: &ReplayArguments, recorded: &TraceRun, repetitions: &[Repetition]) {
    let count = repetitions.len();
    let same_events = repetitions.iter().filter(|one| one.same_events).count();
    let same_outcome = repetitions.iter().filter(|one| one.outcome == recorded.outcome).count();
    if arguments.format == ReplayFormat::Json {
        let runs: Vec<_> = repetitions
            .iter()
            .map(|one| {
                json!({
                    "outcome": one.outcome,
                    "reason": one.reason,
                    "same_events": one.same_events,
                    "faults": one.reports,
                })
            })
            .collect();
        let answer = json!({
            "schema": "linchpin.replay/1",
            "recorded": { "run": recorded.run, "outcome": recorded.outcome, "faults": recorded.faults },
            "times": count,
            "same_events": same_events,
            "same_outcome": same_outcome,
            "runs": runs,
        });
        outln!("{answer:#}");
        return;
    }
    outln!(
        "{count} times: the faults fired at the recorded events {same_events} times, the outcome was {} {same_outcome} times",
        recorded.outcome
    );
}

fn exit_of(repetitions: &[Repetition]) -> Exit {
    let all = |is: &dyn Fn(&Repetition) -> bool| repetitions.iter().all(is);
    if !all(&|one| one.outcome != Outcome::Bad) {
        Exit::Broken
    } else if all(&|one| one.outcome == Outcome::Good && one.reports.iter().all(FaultReport::fired))
    {
        Exit::Holds
    } else {
        Exit::Unknown
    }
}
