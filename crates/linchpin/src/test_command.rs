//! `linchpin test`: the hunt for faults that break a cluster.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use anyhow::bail;
use clap::{Args, ValueEnum};
use linchpin_cluster::{ClusterError, enter_private_namespaces};
use linchpin_hunt::{HuntError, Options, Report, Resumed, Strategy, Verdict, hunt};
use linchpin_laboratory::{budgets, durations};
use linchpin_record::{Existing, TraceWriter};

use crate::control::Interrupt;
use crate::exit::Exit;
use crate::hunting::{Bench, NoResult, Watching};
use crate::output::{errln, outln};
use crate::terminal::Look;
use crate::{judge, trace_cluster};

/// Hunt for faults that break a cluster of real processes
#[derive(Debug, Args)]
pub(crate) struct TestArguments {
    /// The cluster file
    #[arg(value_name = "CLUSTER")]
    cluster: Option<PathBuf>,

    /// How experiments are chosen
    #[arg(long, value_name = "NAME", default_value = "lineage")]
    strategy: StrategyArgument,

    /// Seed of the random strategy
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,

    /// Runs without faults, before anything else
    #[arg(long, value_name = "N", default_value_t = 1)]
    baseline: u32,

    /// Stop after this many experiments with faults
    #[arg(long, value_name = "N")]
    experiments: Option<u64>,

    /// Stop after this time, such as 30s or 5m
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    timeout: Option<Duration>,

    /// Record the campaign in this folder, with a report to open in a browser
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// No progress on standard error
    #[arg(short, long)]
    quiet: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum StrategyArgument {
    /// What the success of earlier runs hung on, first
    Lineage,
    /// Sets of faults drawn uniformly (a baseline to compare with)
    Random,
    /// Every single fault, in the order of the run
    Single,
}

pub(crate) fn command(arguments: &TestArguments, look: Look) -> anyhow::Result<Exit> {
    // First of all: the system allows it to processes with one thread.
    let _private = enter_private_namespaces();
    let interrupt = Interrupt::install()?;
    let Some(path) = &arguments.cluster else { bail!("name a cluster file") };
    let cluster = match trace_cluster::load(path, look.color) {
        Ok(cluster) => cluster,
        Err(exit) => return exit,
    };
    judge::check_names(&cluster, path)?;
    let isolated = linchpin_cluster::isolation(cluster.isolation)
        .map_err(|source| trace_cluster::start_error(ClusterError::Namespaces { source }))?;
    let header = trace_cluster::header(&cluster, isolated, arguments.out.is_some());
    let mut writer = match &arguments.out {
        Some(directory) => Some(TraceWriter::create(directory, &header, Existing::Replace)?),
        None => None,
    };
    let (budgets, unknown) = budgets(&cluster);
    for kind in unknown {
        errln!("note: faults of the kind `{kind}` are not tried yet");
    }
    let inputs = cluster
        .workload
        .iter()
        .flat_map(|workload| &workload.parameters)
        .map(|(name, values)| (name.clone(), values[1..].to_vec()))
        .filter(|(_, values)| !values.is_empty())
        .collect();
    let options = Options {
        strategy: match arguments.strategy {
            StrategyArgument::Lineage => Strategy::Lineage,
            StrategyArgument::Random => Strategy::Random,
            StrategyArgument::Single => Strategy::Single,
        },
        budgets,
        durations: durations(&cluster),
        inputs,
        baseline_runs: arguments.baseline,
        experiments_max: arguments.experiments,
        repeat: 1,
        every: false,
        reproductions: 0,
        seed: arguments.seed,
    };
    let deadline = arguments.timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let mut watching = Watching::new(&interrupt, deadline, arguments.quiet, 0);
    let mut bench = Bench {
        cluster: &cluster,
        seed: cluster.seed,
        writer: writer.as_mut(),
        interrupt: &interrupt,
        recorded: Vec::new(),
    };
    let report: Report = match hunt(&mut bench, &options, &mut watching) {
        Ok(report) => report,
        Err(HuntError::Laboratory(NoResult::Interrupted)) => return Ok(Exit::Interrupted),
        Err(error) => bail!("{error}"),
    };
    drop(watching);
    outln!(
        "{:?} after {} experiments, first bad {:?}",
        report.verdict,
        report.experiments,
        report.experiments_until_bad
    );
    for one in &report.counterexamples {
        outln!("{one:?}");
    }
    outln!("{:#?}", report.account);
    let _ = Resumed::<Bench<'_>>::new;
    Ok(match report.verdict {
        Verdict::Broken => Exit::Broken,
        Verdict::Survived => Exit::Holds,
        Verdict::Unknown => Exit::Unknown,
    })
}
