//! One measurement.

use std::collections::BTreeSet;
use std::path::Path;
use std::time::{Duration, Instant};

use linchpin_dedalus::hir::{Fact, Program, Value};
use linchpin_dedalus::load::FileSystem;
use linchpin_dedalus::{CompileOptions, compile_files};
use linchpin_formula::{Graph, Literal, Variable};
use linchpin_model::{Bounds, Invariant, Outcome};
use linchpin_search::{FaultSpace, Observation, Options, Strategy, System, search};
use linchpin_simulator::{Specification, SystemError};

/// Compiles a specification.
pub(crate) fn program(file: &Path) -> Result<Program, String> {
    let files = [file.to_path_buf()];
    let compilation = compile_files(&files, &[], &FileSystem, &CompileOptions::default());
    compilation.program.ok_or_else(|| format!("{} does not compile", file.display()))
}

/// A system whose runs and whose failure formula are timed.
struct Timed {
    system: Specification,
    runs: Duration,
    grounding: Duration,
}

impl System for Timed {
    type Error = SystemError;

    fn space(&self) -> &FaultSpace {
        self.system.space()
    }

    fn run(&mut self, faults: &[Variable]) -> Result<Observation, SystemError> {
        let started = Instant::now();
        let result = self.system.run(faults);
        self.runs += started.elapsed();
        result
    }

    fn outcome(&mut self, faults: &[Variable]) -> Result<Outcome, SystemError> {
        let started = Instant::now();
        let result = self.system.outcome(faults);
        self.runs += started.elapsed();
        result
    }

    fn graph(&mut self) -> &mut Graph {
        self.system.graph()
    }

    fn failure(&mut self) -> Option<Literal> {
        let started = Instant::now();
        let result = self.system.failure();
        self.grounding += started.elapsed();
        result
    }
}

/// What one measurement says. Times in milliseconds, memory in MiB.
#[derive(Clone, Debug, Default)]
pub(crate) struct Point {
    pub(crate) verdict: String,
    pub(crate) runs: f64,
    pub(crate) total: f64,
    pub(crate) evaluation: f64,
    pub(crate) solver: f64,
    pub(crate) memory: f64,
    pub(crate) formula: f64,
}

fn milliseconds(duration: Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// Peak memory of this process.
fn memory_mib() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.split_whitespace().next()?.parse::<f64>().ok());
    kib.unwrap_or(f64::NAN) / 1024.0
}

/// All minimal counterexamples, or the proof that there is none.
pub(crate) fn measure(program: &Program, bounds: &Bounds) -> Result<Point, String> {
    let started = Instant::now();
    let system = Specification::new(program, bounds, Invariant::Implication)
        .map_err(|error| error.to_string())?;
    let mut timed = Timed { system, runs: Duration::ZERO, grounding: Duration::ZERO };
    let options = Options { strategy: Strategy::Auto, all: true, ..Options::default() };
    let report = search(&mut timed, options, &mut ()).map_err(|error| format!("{error:?}"))?;
    let total = started.elapsed();
    let evaluation = timed.runs + timed.grounding;
    Ok(Point {
        verdict: report.verdict.to_string(),
        runs: report.runs as f64,
        total: milliseconds(total),
        evaluation: milliseconds(evaluation),
        solver: milliseconds(total.saturating_sub(evaluation)),
        memory: memory_mib(),
        formula: timed.system.graph().node_count() as f64,
    })
}

/// Gives a program more nodes: wherever its facts name some of `followers`, they also name others
/// in their place, different ones for different ones.
fn extend(program: &mut Program, followers: &[String], all: &[String]) {
    let mut facts: BTreeSet<_> =
        program.facts.iter().map(|fact| (fact.time, fact.relation, fact.row.clone())).collect();
    for (time, relation, row) in facts.clone() {
        let named: Vec<&String> = followers
            .iter()
            .filter(|name| row.contains(&Value::String(name.as_str().into())))
            .collect();
        let mut images: Vec<Vec<&String>> = vec![Vec::new()];
        for _ in &named {
            images = images
                .into_iter()
                .flat_map(|image| {
                    all.iter()
                        .filter(|name| !image.contains(name))
                        .map(|name| [&image[..], &[name]].concat())
                        .collect::<Vec<_>>()
                })
                .collect();
        }
        for image in images {
            let replaced = row.iter().map(|value| {
                let place =
                    named.iter().position(|name| *value == Value::String(name.as_str().into()));
                place.map_or_else(|| value.clone(), |at| Value::String(image[at].as_str().into()))
            });
            facts.insert((time, relation, replaced.collect()));
        }
    }
    let span = program.facts.first().map_or_else(Default::default, |fact| fact.span);
    program.facts =
        facts.into_iter().map(|(time, relation, row)| Fact { relation, row, time, span }).collect();
}

/// `point FILE EOT EFF CRASHES NODES`: prints the numbers of one measurement. Nodes after a `+` are
/// added to those named after a `:`, as in `a,b,c:b,c+n1,n2`.
pub(crate) fn command(file: &str, bounds: [&str; 4]) -> Result<(), String> {
    let [eot, eff, crashes, nodes] = bounds;
    let number = |text: &str| text.parse::<u32>().map_err(|error| error.to_string());
    let names = |text: &str| -> Vec<String> {
        text.split(',').filter(|name| !name.is_empty()).map(String::from).collect()
    };
    let mut program = program(Path::new(file))?;
    let (base, growth) = nodes.split_once(':').unwrap_or((nodes, ""));
    let mut nodes = names(base);
    if let Some((followers, added)) = growth.split_once('+') {
        let followers = names(followers);
        extend(&mut program, &followers, &[&followers[..], &names(added)].concat());
        nodes.extend(names(added));
    }
    let bounds = Bounds {
        eot: number(eot)?,
        eff: number(eff)?,
        crashes: number(crashes)?,
        nodes,
        ..Bounds::default()
    };
    let point = measure(&program, &bounds)?;
    let Point { verdict, runs, total, evaluation, solver, memory, formula } = point;
    println!("{verdict} {runs} {total} {evaluation} {solver} {memory} {formula}");
    Ok(())
}
