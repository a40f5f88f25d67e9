//! A search that goes on from recorded outcomes takes the same course, and makes no run twice.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use linchpin_dedalus::front_matter::{self, Scenario};
use linchpin_dedalus::load::FileSystem;
use linchpin_dedalus::{CompileOptions, compile_files};
use linchpin_formula::{Graph, Literal, Variable};
use linchpin_model::{Bounds, CrashModel, Invariant, Memo, Outcome};
use linchpin_search::{
    Control, Event, FaultSpace, Observation, Options, Report, Resumed, SearchError, StopReason,
    Strategy, System, search,
};
use linchpin_simulator::{Specification, SystemError};

/// A specification that counts its runs.
struct Counted {
    specification: Specification,
    runs: Vec<Vec<Variable>>,
}

impl System for Counted {
    type Error = SystemError;

    fn space(&self) -> &FaultSpace {
        self.specification.space()
    }

    fn run(&mut self, faults: &[Variable]) -> Result<Observation, SystemError> {
        self.runs.push(faults.to_vec());
        self.specification.run(faults)
    }

    fn outcome(&mut self, faults: &[Variable]) -> Result<Outcome, SystemError> {
        self.runs.push(faults.to_vec());
        self.specification.outcome(faults)
    }

    fn outcomes(
        &mut self,
        runs: &[Vec<Variable>],
        threads: usize,
    ) -> Vec<Result<Outcome, SystemError>> {
        self.runs.extend_from_slice(runs);
        self.specification.outcomes(runs, threads)
    }

    fn memo(&mut self) -> Memo {
        self.specification.memo()
    }

    fn restore(&mut self, outcome: Outcome, memo: &Memo) -> bool {
        self.specification.restore(outcome, memo)
    }

    fn recall(
        &mut self,
        faults: &[Variable],
        outcome: Outcome,
        memo: &Memo,
    ) -> Result<Option<Observation>, SystemError> {
        self.specification.recall(faults, outcome, memo)
    }

    fn graph(&mut self) -> &mut Graph {
        self.specification.graph()
    }

    fn failure(&mut self) -> Option<Literal> {
        self.specification.failure()
    }
}

/// Writes down the course of a search.
#[derive(Default)]
struct Course(Vec<Step>);

/// The faults of a run, and what is recorded of it.
type Step = (Vec<Variable>, (Outcome, Memo));

impl Control for Course {
    fn stop(&mut self) -> Option<StopReason> {
        None
    }

    fn records(&self) -> bool {
        true
    }

    fn observe(&mut self, event: Event<'_>) {
        if let Event::Run { faults, outcome, memo, .. } = event {
            self.0.push((faults.to_vec(), (outcome, memo.cloned().unwrap_or_default())));
        }
    }
}

/// Every scenario of the library of specifications.
fn scenarios() -> Vec<(PathBuf, Scenario)> {
    fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                collect(&path, files);
            } else if path.extension().is_some_and(|extension| extension == "ded") {
                files.push(path);
            }
        }
    }
    let mut files = Vec::new();
    collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../specs"), &mut files);
    files.sort();
    let scenarios = |file: &PathBuf| {
        let compilation = compile(file);
        compilation.front_matter.scenarios.into_iter().map(|each| (file.clone(), each)).collect()
    };
    files.iter().flat_map(|file| -> Vec<_> { scenarios(file) }).collect()
}

fn compile(file: &Path) -> linchpin_dedalus::Compilation {
    compile_files(&[file.to_owned()], &[], &FileSystem, &CompileOptions::default())
}

fn counted(file: &Path, scenario: &Scenario) -> Option<Counted> {
    let invariant = match scenario.invariant {
        Some(front_matter::Invariant::Baseline) => Invariant::Baseline,
        Some(front_matter::Invariant::Good) => Invariant::Good,
        _ => Invariant::Implication,
    };
    judged(file, scenario, invariant)
}

fn judged(file: &Path, scenario: &Scenario, invariant: Invariant) -> Option<Counted> {
    let program = compile(file).program?;
    let bounds = Bounds {
        eot: scenario.eot?,
        eff: scenario.eff.unwrap_or(0),
        crashes: scenario.crashes.unwrap_or(0),
        nodes: scenario.nodes.clone().unwrap_or_else(|| linchpin_dedalus::infer_nodes(&program)),
        max_delay: scenario.max_delay.unwrap_or(0),
        recoveries: scenario.recoveries.unwrap_or(0),
        durable: scenario.durable.clone().unwrap_or_default(),
        crash_model: match scenario.crash_model {
            Some(front_matter::CrashModel::Stop) => CrashModel::Stop,
            _ => CrashModel::Silent,
        },
        inputs: linchpin_simulator::inputs(&program),
    };
    let specification = Specification::new(&program, &bounds, invariant).ok()?;
    Some(Counted { specification, runs: Vec::new() })
}

fn explore(
    system: &mut impl System<Error = SystemError>,
    strategy: Strategy,
    threads: usize,
) -> (Report, Vec<Step>) {
    let runs_max = Some(40);
    let options = Options { strategy, seed: 7, ..Options::default() };
    let options = Options { all: true, runs_max, threads, ..options };
    let mut course = Course::default();
    match search(system, options, &mut course) {
        Ok(report) => (report, course.0),
        Err(error) => panic!("{strategy:?}: {error:?}"),
    }
}

#[test]
fn a_resumed_search_takes_the_same_course_and_repeats_nothing() {
    let (mut resumed_runs, mut searches) = (0, 0);
    for (file, scenario) in scenarios() {
        let Some(mut whole) = counted(&file, &scenario) else { continue };
        for strategy in [
            Strategy::Auto,
            Strategy::Lineage,
            Strategy::Symbolic,
            Strategy::Exhaustive,
            Strategy::Random,
        ] {
            if strategy == Strategy::Symbolic && whole.specification.failure().is_none() {
                continue;
            }
            let mut whole = counted(&file, &scenario).expect("as before");
            let (report, course) = explore(&mut whole, strategy, 1);
            let cuts = [1, course.len() / 2, course.len() - 1, course.len()];
            for cut in cuts.into_iter().filter(|&cut| cut > 0) {
                let system = counted(&file, &scenario).expect("as before");
                let name = format!("{} {strategy:?} cut at {cut}", file.display());
                assert_resumed(system, strategy, (&report, &course), cut, &name);
                resumed_runs += cut;
                searches += 1;
            }
        }
    }
    eprintln!("{searches} searches resumed; {resumed_runs} runs not repeated");
    assert!(searches > 400 && resumed_runs > 2000, "{searches} searches, {resumed_runs} runs");
}

/// Cuts a search after so many runs: it goes on to the same end, and makes none of those runs.
fn assert_resumed(
    mut system: Counted,
    strategy: Strategy,
    (report, course): (&Report, &[Step]),
    cut: usize,
    name: &str,
) {
    // A random search may draw a set twice: the first run of it is the one to go by.
    let known: BTreeMap<_, _> = course[..cut].iter().rev().cloned().collect();
    let (again, same) = explore(&mut Resumed::new(&mut system, known.clone()), strategy, 2);
    assert_eq!(same, course, "{name}");
    assert_eq!(again.counterexamples, report.counterexamples, "{name}");
    assert_eq!(
        (again.verdict, again.runs, again.stopped, again.size_covered),
        (report.verdict, report.runs, report.stopped, report.size_covered),
        "{name}"
    );
    let repeated = |faults: &&Vec<Variable>| known.contains_key(*faults);
    assert_eq!(system.runs.iter().find(repeated), None, "{name}");
    // Nor does the specification make any on the quiet.
    assert_eq!(system.specification.runs(), system.runs.len() as u64, "{name}");
}

/// What is recorded is enough for other ways to judge runs, and where a program is not grounded.
#[test]
fn a_resumed_search_that_learns_from_runs_alone_repeats_nothing() {
    let mut searches = 0;
    for (file, scenario) in scenarios() {
        for invariant in [Invariant::Implication, Invariant::Baseline, Invariant::Good] {
            for is_grounded in [true, false] {
                let make = || {
                    let mut system = judged(&file, &scenario, invariant)?;
                    if !is_grounded {
                        system.specification = system.specification.without_grounding();
                    }
                    Some(system)
                };
                for strategy in [Strategy::Auto, Strategy::Lineage, Strategy::Exhaustive] {
                    let Some(mut whole) = make() else { continue };
                    let (report, course) = explore(&mut whole, strategy, 1);
                    for cut in [1, course.len()] {
                        let system = make().expect("as before");
                        let name = format!("{} {strategy:?} {invariant} {cut}", file.display());
                        assert_resumed(system, strategy, (&report, &course), cut, &name);
                        searches += 1;
                    }
                }
            }
        }
    }
    assert!(searches > 500, "{searches} searches");
}

#[test]
fn a_record_that_is_not_true_is_noticed() {
    let (file, scenario) = scenarios()
        .into_iter()
        .find(|(file, _)| file.ends_with("broadcast/retry.ded"))
        .expect("it is in the library");
    let mut whole = counted(&file, &scenario).expect("it compiles");
    let (_, course) = explore(&mut whole, Strategy::Lineage, 1);
    for index in 1..course.len() {
        let mut known: BTreeMap<_, _> = course.iter().cloned().collect();
        let (faults, (outcome, memo)) = &course[index];
        let other = if *outcome == Outcome::Bad { Outcome::Good } else { Outcome::Bad };
        known.insert(faults.clone(), (other, memo.clone()));
        let mut system = counted(&file, &scenario).expect("as before");
        let options = Options { strategy: Strategy::Lineage, all: true, ..Options::default() };
        let result = search(&mut Resumed::new(&mut system, known), options, &mut ());
        let Err(SearchError::Run { error: SystemError::Recorded { recorded, .. }, faults: at }) =
            result
        else {
            panic!("run {index} is recorded as {other}, and nobody noticed")
        };
        assert_eq!((recorded, &at), (other, faults));
    }
}
