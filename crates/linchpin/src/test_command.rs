//! `linchpin test`: the hunt for faults that break a cluster.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use clap::{Args, ValueEnum};
use linchpin_cluster::{
    Cluster, ClusterError, Isolated, Isolation, Workspace, enter_private_namespaces,
};
use linchpin_hunt::{
    Budgets, Durations, HuntError, Kind, Options, Recorded, Report, ResumeError, Resumed, Strategy,
    hunt,
};
use linchpin_record::{Existing, HuntHeader, TraceCampaign, TraceHeader, TraceWriter};

use crate::bench::{Bench, EVIDENCE, NoResult};
use crate::control::Interrupt;
use crate::exit::Exit;
use crate::hunting::Watching;
use crate::output::{errln, outln};
use crate::terminal::Look;
use crate::{hunt_answer, hunt_record, judge, trace_cluster, trace_report};

/// Hunt for faults that break a cluster of real processes
///
/// Watches the cluster succeed, works out what its success hung on, and tries the faults that would
/// take it away, within the budgets of the cluster file (docs/hunt.md).
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes: 0 survived (every class of hypotheses was tried), 1 broken, 2 bad input, 3 unknown (it ended early), 130
interrupted

Examples:
  linchpin test cluster.toml --out out
  linchpin test cluster.toml --strategy random --seed 7 --experiments 100
  linchpin test --resume out
  linchpin replay out --times 10")]
pub(crate) struct TestArguments {
    /// The cluster file (docs/formats/cluster.md)
    #[arg(value_name = "CLUSTER", required_unless_present = "resume")]
    cluster: Option<PathBuf>,

    /// How experiments are chosen
    #[arg(long, value_name = "NAME", default_value = "lineage")]
    strategy: StrategyArgument,

    /// Seed of the random strategy
    #[arg(long, value_name = "N", default_value_t = 0)]
    seed: u64,

    /// How many faults of a kind an experiment may hold, such as crash=2; may be repeated
    /// [default: the cluster file's]
    #[arg(long = "budget", value_name = "KIND=N", value_parser = budget)]
    budgets: Vec<(Kind, u32)>,

    /// How many faults an experiment may hold in all [default: the cluster file's]
    #[arg(long, value_name = "N")]
    total: Option<u32>,

    /// Runs without faults before anything else, at least
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..))]
    baseline: u32,

    /// Runs without faults at most, if much is still unseen
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u32).range(1..))]
    baseline_max: u32,

    /// Run every hypothesis so often
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..))]
    repeat: u32,

    /// Run faults that broke the system so often again
    #[arg(long, value_name = "N", default_value_t = 0)]
    reproduce: u32,

    /// Run so many experiments at once [default: half as many as there are processors]
    ///
    /// The order in which results count is the same. Most of an experiment is waiting, so more may do;
    /// too many make nodes miss each other's timeouts.
    #[arg(short, long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..=64))]
    jobs: Option<u32>,

    /// Run every hypothesis, not one of each class
    #[arg(long)]
    every: bool,

    /// Go on after the first counterexample
    #[arg(long)]
    all: bool,

    /// Stop after this many experiments with faults
    #[arg(long, value_name = "N")]
    experiments: Option<u64>,

    /// Stop after this time, such as 30s or 5m
    #[arg(long, value_name = "DURATION", value_parser = humantime::parse_duration)]
    timeout: Option<Duration>,

    /// What to print on standard output
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: TestFormat,

    /// Record the campaign in this folder, with a report to open in a browser
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,

    /// Go on with the campaign recorded in this folder, without repeating a finished run
    ///
    /// The recorded choices hold; --experiments and --timeout may be given anew.
    #[arg(
        long,
        value_name = "DIR",
        conflicts_with_all = [
            "cluster", "out", "strategy", "seed", "budgets", "total", "baseline", "baseline_max", "repeat",
            "reproduce", "every", "all",
        ]
    )]
    resume: Option<PathBuf>,

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

/// What is printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum TestFormat {
    /// For people
    Human,
    /// One JSON object (docs/formats/hunt.md)
    Json,
}

fn budget(text: &str) -> Result<(Kind, u32), String> {
    let kinds = || {
        let names = Kind::ALL.into_iter().filter(|kind| *kind != Kind::Input).map(Kind::name);
        names.collect::<Vec<_>>().join(", ")
    };
    let (name, count) = text.split_once('=').ok_or("expected KIND=N, such as crash=2")?;
    let kind = Kind::ALL
        .into_iter()
        .find(|kind| kind.name() == name && *kind != Kind::Input)
        .ok_or_else(|| format!("`{name}` is no kind of fault; there are: {}", kinds()))?;
    let count = count.parse().map_err(|_| format!("`{count}` is no number of faults"))?;
    Ok((kind, count))
}

/// Where a campaign is kept.
pub(crate) struct Campaign {
    pub(crate) cluster: Cluster,
    pub(crate) header: TraceHeader,
    pub(crate) options: Options,
    pub(crate) writer: TraceWriter,
    pub(crate) directory: PathBuf,
    /// What earlier sittings showed.
    recorded: Vec<Recorded>,
}

pub(crate) fn command(arguments: &TestArguments, look: Look) -> anyhow::Result<Exit> {
    // First of all: the system allows it to processes with one thread.
    let private = enter_private_namespaces();
    let interrupt = Interrupt::install()?;
    // Without a folder the record lives as long as this process: what is told of runs is read from it.
    let scratch = Workspace::new()?;
    let begun = match &arguments.resume {
        Some(directory) => resume(directory, look)?,
        None => begin(arguments, &scratch, look)?,
    };
    let mut campaign = match begun {
        Ok(campaign) => campaign,
        Err(exit) => return Ok(exit),
    };
    campaign.options.experiments_max = arguments.experiments;
    if let (Err(error), "loopback", Isolation::Auto) =
        (private, campaign.header.isolation.as_str(), campaign.cluster.isolation)
    {
        errln!(
            "note: no network namespace for each node ({error}); `linchpin doctor` says what to do"
        );
    }
    let started = Instant::now();
    let (report, stopped) = search(arguments, &mut campaign, &interrupt)?;
    let elapsed = started.elapsed();
    let loaded = TraceCampaign::load(&campaign.directory)?;
    let conclusion = hunt_record::conclusion(&report, stopped, &loaded, elapsed)?;
    if let Some(hunt) = &mut campaign.header.hunt {
        hunt.conclusion = Some(conclusion);
    }
    campaign.writer.conclude(&campaign.header)?;
    let loaded = TraceCampaign::load(&campaign.directory)?;
    let is_kept = arguments.out.is_some() || arguments.resume.is_some();
    if is_kept {
        campaign.writer.write_report("index.html", trace_report::page(&loaded)?.as_bytes())?;
    }
    match arguments.format {
        TestFormat::Human => hunt_answer::print(&loaded, is_kept, look)?,
        TestFormat::Json => outln!("{}", hunt_record::json(&loaded, elapsed)),
    }
    Ok(hunt_answer::exit(&loaded))
}

/// A new campaign; or an exit whose reason was shown.
fn begin(
    arguments: &TestArguments,
    scratch: &Workspace,
    look: Look,
) -> anyhow::Result<Result<Campaign, Exit>> {
    let Some(path) = &arguments.cluster else { bail!("name a cluster file") };
    let cluster = match load(path, look)? {
        Ok(cluster) => cluster,
        Err(exit) => return Ok(Err(exit)),
    };
    let options = options(arguments, &cluster)?;
    let isolated = isolated(&cluster)?;
    let mut header = trace_cluster::header(&cluster, isolated, arguments.out.is_some());
    header.hunt = Some(hunt_header(&options));
    let directory = match &arguments.out {
        Some(directory) => directory.clone(),
        None => scratch.path.join("campaign"),
    };
    let writer = TraceWriter::create(&directory, &header, Existing::Replace)?;
    Ok(Ok(Campaign { cluster, header, options, writer, directory, recorded: Vec::new() }))
}

fn load(path: &Path, look: Look) -> anyhow::Result<Result<Cluster, Exit>> {
    let cluster = match trace_cluster::load(path, look.color) {
        Ok(cluster) => cluster,
        Err(exit) => return exit.map(Err),
    };
    judge::check_names(&cluster, path)?;
    if cluster.workload.is_none() {
        bail!(
            "{} has no [workload]: nothing would be asked of the system, so nothing could go wrong",
            path.display()
        );
    }
    Ok(Ok(cluster))
}

fn isolated(cluster: &Cluster) -> anyhow::Result<Isolated> {
    linchpin_cluster::isolation(cluster.isolation)
        .map_err(|source| trace_cluster::start_error(ClusterError::Namespaces { source }))
}

/// The campaign in a folder, with what it showed.
fn resume(directory: &Path, look: Look) -> anyhow::Result<Result<Campaign, Exit>> {
    let loaded = TraceCampaign::load(directory)?;
    let (Some(source), Some(recorded)) = (&loaded.header.cluster, &loaded.header.hunt) else {
        bail!(
            "{} records no hunt: only what `linchpin test --out` wrote goes on",
            directory.display()
        );
    };
    let cluster = load(Path::new(&source.path), look).with_context(|| {
        format!("the cluster of {}, named as it was where the hunt began", directory.display())
    })?;
    let cluster = match cluster {
        Ok(cluster) => cluster,
        Err(exit) => return Ok(Err(exit)),
    };
    if cluster.text != source.text {
        bail!(
            "{} has changed since {} was recorded: what was learned need not hold; start anew with --out",
            source.path,
            directory.display()
        );
    }
    let options = recorded_options(recorded, &cluster)
        .with_context(|| format!("{} cannot go on", directory.display()))?;
    let (loaded, writer) = TraceWriter::resume(directory)?;
    let mut header = loaded.header.clone();
    if let Some(hunt) = &mut header.hunt {
        hunt.conclusion = None;
    }
    let evidence = |run: u64| -> anyhow::Result<Recorded> {
        let path = directory.join("runs").join(run.to_string()).join(EVIDENCE);
        let bytes =
            std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        serde_json::from_slice(&bytes).with_context(|| format!("{} is damaged", path.display()))
    };
    let recorded = loaded.runs.iter().map(|run| evidence(run.run));
    let recorded = recorded
        .collect::<anyhow::Result<_>>()
        .with_context(|| format!("{} cannot go on (start anew with --out)", directory.display()))?;
    let directory = directory.to_owned();
    Ok(Ok(Campaign { cluster, header, options, writer, directory, recorded }))
}

/// Hunts until there is a verdict, or it must end; says why it ended early.
fn search(
    arguments: &TestArguments,
    campaign: &mut Campaign,
    interrupt: &Interrupt,
) -> anyhow::Result<(Report, Option<&'static str>)> {
    let deadline = arguments.timeout.and_then(|timeout| Instant::now().checked_add(timeout));
    let earlier = campaign.recorded.clone();
    let mut watching = Watching::new(interrupt, deadline, arguments.quiet, earlier.len() as u64);
    let jobs = arguments.jobs.map_or_else(jobs, |jobs| jobs as usize);
    let bench = Bench::new(
        &campaign.cluster,
        jobs,
        &mut campaign.writer,
        arguments.resume.is_some().then_some(&campaign.header),
        interrupt,
        &mut campaign.recorded,
    );
    let found = hunt(&mut Resumed::new(bench, earlier), &campaign.options, &mut watching);
    let (found, stopped) = match found {
        Err(HuntError::Laboratory(ResumeError::Laboratory(NoResult::Interrupted))) => {
            (concluded(campaign), Some("interrupted"))
        }
        found => (found.map_err(|error| told(&error, &campaign.directory)), watching.stopped),
    };
    let report = found?;
    let is_used_up = arguments.experiments.is_some_and(|max| report.experiments >= max);
    let is_open = report.verdict == linchpin_hunt::Verdict::Unknown;
    Ok((report, stopped.or((is_used_up && is_open).then_some("experiments"))))
}

/// Experiments at once, if nobody says.
fn jobs() -> usize {
    std::thread::available_parallelism().map_or(1, |processors| (processors.get() / 2).max(1))
}

/// Why there is no result; of runs that could not be judged, why the last one could not.
fn told(error: &HuntError<ResumeError<NoResult>>, directory: &Path) -> anyhow::Error {
    let HuntError::NoBaseline { .. } = error else { return anyhow!("{error}") };
    let loaded = TraceCampaign::load(directory).ok();
    match loaded.as_ref().and_then(|loaded| loaded.runs.last()) {
        Some(run) => anyhow!("{error}\nthe last run: {}", run.reason),
        None => anyhow!("{error}"),
    }
}

/// The report of a hunt that ends after what was run so far.
fn concluded(campaign: &Campaign) -> anyhow::Result<Report> {
    /// Runs nothing.
    struct Closed;
    impl linchpin_hunt::Laboratory for Closed {
        type Error = NoResult;
        fn run(
            &mut self,
            _: &linchpin_hunt::Experiment,
        ) -> Result<linchpin_hunt::Evidence, NoResult> {
            Err(NoResult::Interrupted)
        }
    }
    /// Stops after so many runs.
    struct After(usize);
    impl linchpin_hunt::Watch for After {
        fn stop(&mut self) -> bool {
            self.0 == 0
        }
        fn ran(&mut self, _: &linchpin_hunt::Experiment, _: &linchpin_hunt::Evidence, _: usize) {
            self.0 = self.0.saturating_sub(1);
        }
    }
    let mut laboratory = Resumed::new(Closed, campaign.recorded.clone());
    let mut watch = After(campaign.recorded.len());
    hunt(&mut laboratory, &campaign.options, &mut watch).map_err(|error| anyhow!("{error}"))
}

fn options(arguments: &TestArguments, cluster: &Cluster) -> anyhow::Result<Options> {
    let mut budgets = linchpin_laboratory::budgets(cluster);
    for (kind, count) in &arguments.budgets {
        budgets.by_kind.insert(*kind, *count);
    }
    let all = budgets.of_all_kinds();
    budgets.total = arguments.total.unwrap_or(budgets.total.max(u32::from(all > 0))).min(all);
    if budgets.total == 0 {
        bail!(
            "the budgets allow no fault at all: give some, such as --budget crash=1, or [faults] in {}",
            cluster.path.display()
        );
    }
    let parameters = cluster.workload.iter().flat_map(|workload| &workload.parameters);
    let inputs = parameters
        .map(|(name, values)| (name.clone(), values.iter().skip(1).cloned().collect()))
        .filter(|(_, values): &(String, Vec<String>)| !values.is_empty())
        .collect();
    Ok(Options {
        strategy: match arguments.strategy {
            StrategyArgument::Lineage => Strategy::Lineage,
            StrategyArgument::Random => Strategy::Random,
            StrategyArgument::Single => Strategy::Single,
        },
        budgets,
        durations: linchpin_laboratory::durations(cluster),
        inputs,
        baseline_runs: arguments.baseline,
        baseline_runs_max: arguments.baseline.max(arguments.baseline_max),
        repeat: arguments.repeat,
        every: arguments.every,
        all: arguments.all,
        reproductions: arguments.reproduce,
        answers_are_told: answers_are_told(cluster),
        seed: arguments.seed,
        ..Options::default()
    })
}

/// A history says what was acknowledged; what the invariant of a command hangs on, nobody knows.
fn answers_are_told(cluster: &Cluster) -> bool {
    matches!(
        cluster.invariant.as_ref().map(|invariant| &invariant.judge),
        Some(linchpin_cluster::Judge::History { .. })
    )
}

/// The choices of a hunt, for the record.
fn hunt_header(options: &Options) -> HuntHeader {
    let budgets = options.budgets.by_kind.iter();
    HuntHeader {
        strategy: hunt_record::strategy_name(options.strategy).to_owned(),
        seed: options.seed,
        total: options.budgets.total,
        budgets: budgets.map(|(kind, count)| (kind.name().to_owned(), *count)).collect(),
        pause_ms: options.durations.pause_ms,
        delay_ms: options.durations.delay_ms,
        restart_ms: options.durations.restart_ms,
        inputs: options.inputs.clone(),
        baseline_runs: (options.baseline_runs, options.baseline_runs_max),
        repeat: options.repeat,
        reproductions: options.reproductions,
        every: options.every,
        all: options.all,
        conclusion: None,
    }
}

/// The choices of a recorded hunt.
fn recorded_options(recorded: &HuntHeader, cluster: &Cluster) -> anyhow::Result<Options> {
    let mut by_kind = BTreeMap::new();
    for (name, count) in &recorded.budgets {
        let kind = Kind::ALL.into_iter().find(|kind| kind.name() == name);
        by_kind.insert(kind.ok_or_else(|| anyhow!("`{name}` is no kind of fault"))?, *count);
    }
    let strategies = [Strategy::Lineage, Strategy::Random, Strategy::Single];
    let strategy = strategies
        .into_iter()
        .find(|strategy| hunt_record::strategy_name(*strategy) == recorded.strategy)
        .ok_or_else(|| anyhow!("`{}` is no strategy", recorded.strategy))?;
    Ok(Options {
        strategy,
        budgets: Budgets { by_kind, total: recorded.total },
        durations: Durations {
            pause_ms: recorded.pause_ms,
            delay_ms: recorded.delay_ms,
            restart_ms: recorded.restart_ms,
        },
        inputs: recorded.inputs.clone(),
        baseline_runs: recorded.baseline_runs.0,
        baseline_runs_max: recorded.baseline_runs.1,
        repeat: recorded.repeat,
        every: recorded.every,
        all: recorded.all,
        reproductions: recorded.reproductions,
        answers_are_told: answers_are_told(cluster),
        seed: recorded.seed,
        ..Options::default()
    })
}
