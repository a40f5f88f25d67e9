//! `linchpin replay --map FILE`: a counterexample of a specification, tried on the processes that
//! implement it.

use std::path::Path;

use anyhow::{Context, anyhow, bail};
use linchpin_cluster::{Cluster, Workspace};
use linchpin_counterpart::{Map, Sent, Translated};
use linchpin_injector::{Fault, FaultReport};
use linchpin_model::{FaultSet, Outcome};
use linchpin_record::Campaign;
use linchpin_search::{Options, Strategy, System, search};
use linchpin_simulator::Specification;
use serde_json::json;

use crate::args::{BoundsArguments, Color};
use crate::cluster_run::{self, Experiment};
use crate::control::{Interrupt, Limits};
use crate::exit::Exit;
use crate::human::{plural, sentence};
use crate::input::{Input, Question, specification};
use crate::output::outln;
use crate::replay_command::{ReplayArguments, ReplayFormat};
use crate::terminal::Look;
use crate::{again, trace_cluster};

/// The counterexamples to try.
struct Counterexamples {
    system: Specification,
    /// In the order in which they are tried.
    faults: Vec<FaultSet>,
}

/// A counterexample that was tried.
struct Tried {
    translated: Vec<Translated>,
    tries: Vec<Try>,
}

pub(crate) fn command(
    arguments: &ReplayArguments,
    map_path: &Path,
    interrupt: &Interrupt,
    look: Look,
) -> anyhow::Result<Exit> {
    let map = Map::load(map_path)?;
    let found = match &arguments.directory {
        Some(directory) => recorded(directory, arguments)?,
        None => match found(&map, arguments.all, interrupt, look.color)? {
            Ok(found) => found,
            Err(exit) => return Ok(exit),
        },
    };
    let path = arguments.on.as_ref().unwrap_or(&map.cluster);
    let cluster = match trace_cluster::load(path, look.color) {
        Ok(cluster) => cluster,
        Err(exit) => return exit,
    };
    crate::judge::check_names(&cluster, path)?;
    let Counterexamples { mut system, faults } = found;
    check_map(&map, map_path, &system, &cluster, path)?;
    let all: Vec<Vec<Translated>> = faults
        .iter()
        .map(|faults| translate(&map, &mut system, faults))
        .collect::<Result<_, _>>()
        .with_context(|| format!("the map `{}`", map_path.display()))?;
    let human = arguments.format == ReplayFormat::Human;
    if human {
        tell_verdict(&map, all.len(), path);
    }
    let mut tried: Vec<Tried> = Vec::new();
    let mut interrupted = false;
    for translated in all {
        if human {
            tell_translation(tried.len() + 1, &translated);
        }
        let experiment = Experiment {
            seed: cluster.seed,
            parameters: map.parameters.clone(),
            cluster: cluster.clone(),
            faults: translated.iter().flat_map(|each| each.by.clone()).collect(),
        };
        let (tries, ended) = repeat(&experiment, arguments, interrupt)?;
        let one = Tried { translated, tries };
        if human {
            one.tell(&map, path);
        }
        let broke = one.bad() > 0;
        tried.push(one);
        interrupted = ended;
        // Once one breaks the processes, the question is answered.
        if broke || interrupted {
            break;
        }
    }
    if !human {
        print_json(&map, path, &tried);
    }
    Ok(if interrupted { Exit::Interrupted } else { exit_of(&tried) })
}

/// Runs the processes so many times; true if the user stopped it.
fn repeat(
    experiment: &Experiment,
    arguments: &ReplayArguments,
    interrupt: &Interrupt,
) -> anyhow::Result<(Vec<Try>, bool)> {
    let mut tries: Vec<Try> = Vec::new();
    for number in 0..arguments.times {
        let scratch = Workspace::new()?;
        let (finished, reports) =
            cluster_run::run(experiment, number, &scratch.path, None, interrupt)?;
        if finished.result.interrupted {
            return Ok((tries, true));
        }
        let one = Try { outcome: finished.record.outcome, reason: finished.record.reason, reports };
        if arguments.format == ReplayFormat::Human {
            one.tell(number + 1);
        }
        tries.push(one);
    }
    Ok((tries, false))
}

/// One run of the processes.
struct Try {
    outcome: Outcome,
    reason: String,
    reports: Vec<FaultReport>,
}

impl Try {
    fn fired(&self) -> bool {
        self.reports.iter().all(FaultReport::fired)
    }

    fn tell(&self, number: u64) {
        outln!("{number}: {} ({})", self.outcome, self.reason);
        for report in &self.reports {
            outln!("   {report}");
        }
    }
}

impl Tried {
    fn bad(&self) -> usize {
        self.tries.iter().filter(|one| one.outcome == Outcome::Bad).count()
    }

    fn fired(&self) -> usize {
        self.tries.iter().filter(|one| one.fired()).count()
    }

    fn tell(&self, map: &Map, cluster: &Path) {
        outln!(
            "of {}, every fault fired in {}, {} bad",
            plural(self.tries.len() as u64, "run"),
            self.fired(),
            self.bad()
        );
        let faults = self.translated.iter().flat_map(|each| &each.by);
        let mut by_hand: String = faults
            .map(|fault| format!(" --fault '{}'", fault.to_string().replace('\'', "'\\''")))
            .collect();
        for (name, value) in &map.parameters {
            by_hand.push_str(&format!(" --parameter {name}={value}"));
        }
        outln!("by hand: linchpin run {}{by_hand}", cluster.display());
    }
}

fn exit_of(tried: &[Tried]) -> Exit {
    let all = |is: &dyn Fn(&Try) -> bool| tried.iter().all(|each| each.tries.iter().all(is));
    if tried.iter().any(|each| each.bad() > 0) {
        Exit::Broken
    } else if all(&|one| one.outcome == Outcome::Good && one.fired()) {
        Exit::Holds
    } else {
        Exit::Unknown
    }
}

/// The counterexamples of a record of `linchpin check`: of the run wanted, the first, or all.
fn recorded(directory: &Path, arguments: &ReplayArguments) -> anyhow::Result<Counterexamples> {
    let campaign = Campaign::load(directory).with_context(|| {
        "with --map, the folder is one that `linchpin check --out` wrote; without a folder, the \
         specification of the map is checked"
    })?;
    let faults = match arguments.run {
        Some(number) => {
            let run = campaign.runs.iter().find(|run| run.run == number).ok_or_else(|| {
                let count = campaign.runs.len();
                anyhow!("{} has no run {number}: it has {count}", directory.display())
            })?;
            vec![run.faults.clone()]
        }
        None => {
            let found = campaign.header.conclusion.iter().flat_map(|each| &each.counterexamples);
            let count = if arguments.all { usize::MAX } else { 1 };
            found.take(count).map(|each| each.faults.clone()).collect()
        }
    };
    let system = again::specification(&campaign.header)
        .with_context(|| format!("`{}` cannot be replayed", directory.display()))?;
    Ok(Counterexamples { system, faults })
}

/// The counterexamples of the map's specification. The inner error is an exit whose message was
/// shown.
fn found(
    map: &Map,
    all: bool,
    interrupt: &Interrupt,
    color: Color,
) -> anyhow::Result<Result<Counterexamples, Exit>> {
    let files = std::slice::from_ref(&map.specification);
    let Some(input) = Input::read(files, &[], color) else {
        return Ok(Err(Exit::Usage));
    };
    let flags = BoundsArguments { scenario: map.scenario.clone(), ..BoundsArguments::default() };
    let questions = Question::all(&input, &flags)?;
    let [question] = &questions[..] else {
        let names: Vec<&str> =
            questions.iter().filter_map(|question| question.scenario.as_deref()).collect();
        bail!(
            "{} has several scenarios: add `scenario` to the map, one of {}",
            input.name(),
            names.join(", ")
        );
    };
    let eot = question.eot.ok_or_else(|| anyhow!("{} names no `eot`", input.name()))?;
    let bounds = question.bounds(eot, question.eff.unwrap_or(0))?;
    let mut system = match specification(&input, &bounds, question.invariant) {
        Ok(system) => system,
        Err(exit) => return Ok(Err(exit)),
    };
    let options = Options { strategy: Strategy::Auto, all, ..Options::default() };
    let report = search(&mut system, options, &mut Limits::new(interrupt, None))
        .map_err(|_| anyhow!("{} cannot be checked: `linchpin check` says why", input.name()))?;
    if !report.complete {
        return Ok(Err(Exit::Interrupted));
    }
    let faults = report.counterexamples.iter().map(|found| system.space().fault_set(found));
    Ok(Ok(Counterexamples { faults: faults.collect(), system }))
}

/// Everything that does not fit together, at once.
fn check_map(
    map: &Map,
    map_path: &Path,
    system: &Specification,
    cluster: &Cluster,
    cluster_path: &Path,
) -> anyhow::Result<()> {
    let mut wrong = Vec::new();
    let nodes = &system.bounds().nodes;
    for node in nodes.iter().filter(|node| !map.nodes.contains_key(*node)) {
        wrong.push(format!("[nodes] does not say which node `{node}` is"));
    }
    for (node, name) in &map.nodes {
        if !nodes.contains(node) {
            wrong.push(format!(
                "the specification has no node `{node}`; it has: {}",
                nodes.join(", ")
            ));
        }
        let is_known = |node: &linchpin_cluster::Node| node.name == *name;
        if !cluster.nodes.iter().any(is_known) && name != linchpin_cluster::CLIENT {
            wrong.push(format!("{} has no node `{name}`", cluster_path.display()));
        }
    }
    for relation in map.messages.keys().chain(map.inputs.keys()) {
        if system.program().relation_named(relation).is_none() {
            wrong.push(format!("the specification has no relation `{relation}`"));
        }
    }
    if wrong.is_empty() {
        return Ok(());
    }
    bail!("the map `{}`:\n  {}", map_path.display(), wrong.join("\n  "))
}

fn translate(
    map: &Map,
    system: &mut Specification,
    faults: &FaultSet,
) -> anyhow::Result<Vec<Translated>> {
    map.translate(faults, |faults| {
        let execution = system.execute(faults).context("the specification does not run")?;
        let program = system.program();
        let sent = execution.messages.into_iter().map(|message| Sent {
            at: message.at,
            from: message.from,
            to: message.to,
            relation: program.relation(message.relation).name.clone(),
            row: message.row.iter().map(|value| format!("{value},")).collect(),
            arrives: message.arrives,
        });
        Ok(sent.collect())
    })
}

fn tell_verdict(map: &Map, count: usize, cluster: &Path) {
    let scenario = map.scenario.as_ref().map(|name| format!(", scenario {name}"));
    let name = format!("{}{}", map.specification.display(), scenario.unwrap_or_default());
    if count == 0 {
        outln!("HOLDS  {name}");
        outln!("  No fault set within its bounds breaks it, so there is nothing to try.");
    } else {
        outln!("BROKEN {name}");
        outln!("{} to try on {}", plural(count as u64, "counterexample"), cluster.display());
    }
}

fn tell_translation(number: usize, translated: &[Translated]) {
    outln!("\ncounterexample {number}: {}", plural(translated.len() as u64, "fault"));
    for each in translated {
        outln!("  {}", sentence(&each.fault));
        for fault in &each.by {
            outln!("    = {fault}");
        }
        if each.by.is_empty() {
            outln!("    = as above: it lasts");
        }
    }
}

fn print_json(map: &Map, cluster: &Path, tried: &[Tried]) {
    let texts = |faults: &[Fault]| faults.iter().map(ToString::to_string).collect::<Vec<_>>();
    let counterexamples = tried.iter().map(|one| {
        let faults = one
            .translated
            .iter()
            .map(|each| json!({ "fault": each.fault.to_string(), "by": texts(&each.by) }));
        let runs = one.tries.iter().map(
            |one| json!({ "outcome": one.outcome, "reason": one.reason, "faults": one.reports }),
        );
        json!({
            "faults": faults.collect::<Vec<_>>(),
            "times": one.tries.len(),
            "fired": one.fired(),
            "bad": one.bad(),
            "runs": runs.collect::<Vec<_>>(),
        })
    });
    let answer = json!({
        "schema": "linchpin.counterpart/1",
        "specification": map.specification,
        "scenario": map.scenario,
        "cluster": cluster,
        "counterexamples": counterexamples.collect::<Vec<_>>(),
    });
    outln!("{answer:#}");
}
