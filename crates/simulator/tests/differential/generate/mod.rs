//! Random small programs that behave enough like protocols to be worth checking: state that lasts,
//! messages, retries, and among them rules of every other kind.

mod invariant;
mod rare;
mod terms;

use linchpin_model::{Bounds, Fault, FaultSet, Invariant};

use crate::case::{Case, Clause};
use crate::random::Random;

/// The type of a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Name,
    Integer,
}

use Kind::{Integer, Name};

#[derive(Clone, Debug)]
struct Relation {
    name: String,
    columns: Vec<Kind>,
    /// Given by facts, not derived within a step.
    given: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Timing {
    Now,
    Next,
    Async,
}

impl Timing {
    fn mark(self) -> &'static str {
        match self {
            Self::Now => "",
            Self::Next => "@next",
            Self::Async => "@async",
        }
    }
}

const NAME_VARIABLES: [&str; 4] = ["X", "Y", "Z", "W"];
const INTEGER_VARIABLES: [&str; 3] = ["A", "B", "C"];
/// Those in the middle may stand in a cycle.
const AGGREGATES: [&str; 5] = ["count", "min", "max", "sum", "avg"];

/// The fault spaces of most cases are no larger.
pub(crate) const FAULT_SETS_MAX: u64 = 700;

/// Nor those of the others.
pub(crate) const FAULT_SETS_MAX_RARELY: u64 = 5_000;

/// A random case.
pub(crate) fn generate(seed: u64) -> Case {
    let mut random = Random::new(seed);
    let bounds = random_bounds(&mut random);
    let invariant = *random.pick(&[
        Invariant::Implication,
        Invariant::Implication,
        Invariant::Baseline,
        Invariant::Good,
    ]);
    let mut generator = Generator {
        random,
        bounds,
        relations: Vec::new(),
        clauses: Vec::new(),
        negatives: 0,
        lasting: Vec::new(),
        sensitive: Vec::new(),
    };
    generator.program();
    generator.invariant(invariant);
    Case { clauses: generator.clauses, bounds: generator.bounds, invariant }
}

fn random_bounds(random: &mut Random) -> Bounds {
    let most = if random.percent(4) { FAULT_SETS_MAX_RARELY } else { FAULT_SETS_MAX };
    loop {
        let node_count = 1 + random.weighted(&[1, 55, 44]);
        let eot = 2 + random.weighted(&[10, 37, 35, 18]) as u32;
        let bounds = Bounds {
            eot,
            eff: (random.weighted(&[7, 4, 30, 39, 20]) as u32).min(eot),
            crashes: (random.weighted(&[40, 45, 15]) as u32).min(node_count as u32),
            nodes: ["a", "b", "c"][..node_count].iter().map(|&name| name.to_owned()).collect(),
            ..Bounds::default()
        };
        if bounds.fault_space() <= most.into() {
            return bounds;
        }
    }
}

/// The variables of a rule being written.
#[derive(Default)]
struct Scope {
    /// Bound by a positive literal, or the location.
    bound: Vec<(&'static str, Kind)>,
}

impl Scope {
    fn of(&self, kind: Kind) -> Vec<&'static str> {
        self.bound.iter().filter(|entry| entry.1 == kind).map(|entry| entry.0).collect()
    }

    fn bind(&mut self, variable: &'static str, kind: Kind) {
        if !self.bound.iter().any(|entry| entry.0 == variable) {
            self.bound.push((variable, kind));
        }
    }
}

struct Generator {
    random: Random,
    bounds: Bounds,
    /// The first is `node`.
    relations: Vec<Relation>,
    clauses: Vec<Clause>,
    /// Negative literals so far.
    negatives: usize,
    /// Relations that hold something at the end of the run without faults.
    lasting: Vec<usize>,
    /// Relations whose rows at the end depend on the faults.
    sensitive: Vec<usize>,
}

impl Generator {
    fn fact(&mut self, relation: usize, row: &[String], time: u32) {
        let name = &self.relations[relation].name;
        self.clauses.push(Clause::Fact(format!("{name}({})@{time}", row.join(", "))));
    }

    fn rule(&mut self, head: String, body: Vec<String>) {
        self.clauses.push(Clause::Rule { head, body });
    }

    fn columns(&mut self) -> Vec<Kind> {
        let more = self.random.weighted(&[25, 50, 25]);
        let mut columns = vec![Name];
        for _ in 0..more {
            columns.push(if self.random.percent(50) { Name } else { Integer });
        }
        columns
    }

    fn program(&mut self) {
        let relation =
            |name: String, columns: Vec<Kind>, given: bool| Relation { name, columns, given };
        self.relations.push(relation("node".into(), vec![Name, Name], true));
        for index in 0..1 + self.random.below(2) {
            let columns = self.columns();
            self.relations.push(relation(format!("e{index}"), columns, true));
        }
        for index in 0..2 + self.random.weighted(&[2, 4, 3, 1]) {
            // Equal columns make relations that can be compared.
            let columns = if self.random.percent(55) {
                let other = self.random.below(self.relations.len());
                self.relations[other].columns.clone()
            } else {
                self.columns()
            };
            self.relations.push(relation(format!("r{index}"), columns, false));
        }
        self.membership();
        let first = self.relations.iter().position(|relation| !relation.given);
        let protocol = first.filter(|_| self.random.percent(35));
        for index in 1..self.relations.len() {
            if protocol == Some(index) {
                self.broadcast(index);
            } else {
                self.define(index);
            }
        }
        if self.random.percent(8) {
            self.cycle();
        }
    }

    /// Everybody knows everybody, mostly.
    fn membership(&mut self) {
        let names: Vec<String> = self.bounds.nodes.iter().map(|node| quoted(node)).collect();
        for from in &names {
            for to in &names {
                if self.random.percent(92) {
                    let time = if self.random.percent(95) { 1 } else { 2 };
                    self.fact(0, &[from.clone(), to.clone()], time);
                }
            }
        }
        self.rule("node(X, Y)@next".into(), vec!["node(X, Y)".into()]);
    }

    fn constant(&mut self, kind: Kind) -> String {
        match kind {
            Name if self.random.percent(88) => {
                quoted(&self.bounds.nodes[self.random.below(self.bounds.nodes.len())])
            }
            Name => quoted(["z", "m", "k, 1"][self.random.below(3)]),
            Integer if self.random.below(250) == 0 => i64::MAX.to_string(),
            Integer => (self.random.below(5) as i64 - 1).to_string(),
        }
    }

    /// The rules and facts of one relation.
    fn define(&mut self, index: usize) {
        let Relation { columns, given, .. } = self.relations[index].clone();
        if given || self.random.percent(20) {
            for _ in 0..1 + self.random.below(3) {
                let mut row: Vec<String> =
                    columns.iter().map(|kind| self.constant(*kind)).collect();
                if self.random.percent(90) {
                    let node = self.random.below(self.bounds.nodes.len());
                    row[0] = quoted(&self.bounds.nodes[node]);
                }
                let time = match self.random.weighted(&[70, 20, 10]) {
                    0 => 1,
                    1 => 2,
                    _ => 1 + self.random.below(self.bounds.eot as usize + 1) as u32,
                };
                self.fact(index, &row, time);
            }
        }
        if self.random.percent(if given { 60 } else { 75 }) {
            self.keep(index);
        }
        if given {
            return;
        }
        self.pass_on(index);
        for _ in 0..self.random.weighted(&[25, 45, 25, 5]) {
            match self.random.weighted(&[25, 75]) {
                0 => self.pass_on(index),
                _ => {
                    let timing = *self.random.pick(&[
                        Timing::Now,
                        Timing::Now,
                        Timing::Now,
                        Timing::Next,
                        Timing::Async,
                    ]);
                    self.random_rule(index, timing);
                }
            }
        }
    }

    /// What one node has is told to all, with more or less redundancy: it takes several faults to
    /// keep it from a node.
    fn broadcast(&mut self, index: usize) {
        let Relation { name, columns, .. } = self.relations[index].clone();
        let mut row: Vec<String> = columns.iter().map(|kind| self.constant(*kind)).collect();
        row[0] = "\"a\"".into();
        self.fact(index, &row, 1);
        let variables = self.variables(&columns);
        let held = format!("{name}({})", variables.join(", "));
        self.rule(format!("{held}@next"), vec![held.clone()]);
        let mut told = variables.clone();
        told[0] = "W";
        let mut body = vec![held.clone(), "node(X, W)".into()];
        match self.random.below(6) {
            // Everybody, at every step.
            0 | 1 => {}
            // The first, at every step.
            2 => body.push("X == \"a\"".into()),
            // Until it is acknowledged.
            3 => {
                body.push("notin ack(X, W)".into());
                let acknowledged = vec![held.clone(), "node(X, W)".into()];
                self.rule("ack(W, X)@async".into(), acknowledged);
                self.rule("ack(X, W)@next".into(), vec!["ack(X, W)".into()]);
            }
            // Everybody, once.
            4 => {
                let old = format!("old_{held}");
                self.rule(format!("{old}@next"), vec![held]);
                body.push(format!("notin {old}"));
            }
            // Whoever sees no crash.
            _ => body.push("notin crash(X, _, _)".into()),
        }
        self.rule(format!("{name}({})@async", told.join(", ")), body);
        if self.random.percent(30) {
            self.pass_on(index);
        }
    }

    fn variables(&mut self, columns: &[Kind]) -> Vec<&'static str> {
        let (mut names, mut integers) = (NAME_VARIABLES.iter(), INTEGER_VARIABLES.iter());
        columns
            .iter()
            .map(|kind| match kind {
                Name => *names.next().expect("few columns"),
                Integer => *integers.next().expect("few columns"),
            })
            .collect()
    }

    /// What is known stays known.
    fn keep(&mut self, index: usize) {
        let Relation { name, columns, .. } = self.relations[index].clone();
        let variables = self.variables(&columns).join(", ");
        let mut body = vec![format!("{name}({variables})")];
        if self.random.percent(12) {
            let mut scope = Scope::default();
            for (variable, kind) in self.variables(&columns).into_iter().zip(&columns) {
                scope.bind(variable, *kind);
            }
            let other = self.random.below(self.relations.len());
            body.push(self.negative(other, &scope));
        }
        self.rule(format!("{name}({variables})@next"), body);
    }

    /// Passes on what another relation holds, mostly one defined before.
    fn pass_on(&mut self, index: usize) {
        let Relation { name, columns, .. } = self.relations[index].clone();
        let source = match self.random.weighted(&[70, 15, 15]) {
            0 => 1 + self.random.below(index - 1),
            1 => index,
            _ => 1 + self.random.below(self.relations.len() - 1),
        };
        let Relation { name: source, columns: read, .. } = self.relations[source].clone();
        let variables = self.variables(&read);
        let mut body = vec![format!("{source}({})", variables.join(", "))];
        let mut scope = Scope::default();
        for (variable, kind) in variables.iter().zip(&read) {
            scope.bind(variable, *kind);
        }
        let timing = match self.random.weighted(&[60, 12, 28]) {
            0 => Timing::Async,
            1 => Timing::Next,
            _ => Timing::Now,
        };
        let mut place = "X";
        if timing == Timing::Async {
            // The receiver: a node known, or one that the row names.
            let named: Vec<&'static str> = scope.of(Name).into_iter().skip(1).collect();
            if named.is_empty() || self.random.percent(65) {
                body.push("node(X, W)".into());
                scope.bind("W", Name);
                place = "W";
            } else {
                place = *self.random.pick(&named);
            }
        }
        // The columns keep their values where their types allow.
        let mut head = vec![place.to_owned()];
        for (column, kind) in columns.iter().enumerate().skip(1) {
            let bound = scope.of(*kind);
            head.push(if read.get(column) == Some(kind) && self.random.percent(80) {
                variables[column].to_owned()
            } else if bound.is_empty() {
                self.constant(*kind)
            } else {
                (*self.random.pick(&bound)).to_owned()
            });
        }
        if self.random.percent(20) {
            let limit = if timing == Timing::Now { index } else { self.relations.len() };
            let other = self.random.below(limit);
            body.push(self.negative(other, &scope));
        }
        self.crash_term(&mut body, &scope, 8);
        self.rule(format!("{name}({}){}", head.join(", "), timing.mark()), body);
    }
}

fn quoted(text: &str) -> String {
    format!("{text:?}")
}

/// At most so many faults within the bounds.
pub(crate) fn random_faults(bounds: &Bounds, count: usize, random: &mut Random) -> FaultSet {
    let all = bounds.faults();
    let mut set = FaultSet::none();
    if all.is_empty() {
        return set;
    }
    for _ in 0..count {
        let mut larger = set.clone();
        let fault = random.pick(&all).clone();
        if let Fault::Crash { node, at } = &fault
            && bounds.recoveries > 0
            && *at < bounds.eot
            && random.percent(60)
        {
            let later = at + 1 + random.below((bounds.eot - at) as usize) as u32;
            larger.insert(Fault::recovery(node, later));
        }
        larger.insert(fault);
        if bounds.check_faults(&larger).is_ok() && bounds.allow(&larger) {
            set = larger;
        }
    }
    set
}
