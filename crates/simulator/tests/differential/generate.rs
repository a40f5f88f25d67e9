//! Random small programs that behave enough like protocols to be worth checking: state that lasts,
//! messages, retries, and among them rules of every other kind.

use linchpin_model::{Bounds, FaultSet, Invariant, Outcome};
use linchpin_simulator::naive::{Evaluator, Row, Tables};

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
const FAULT_SETS_MAX: u64 = 700;

/// Nor those of the others.
const FAULT_SETS_MAX_RARELY: u64 = 5_000;

/// Candidates for the invariant among which the most interesting is taken.
const CANDIDATES: usize = 8;

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
        let eot = 2 + random.weighted(&[10, 35, 35, 20]) as u32;
        let bounds = Bounds {
            eot,
            eff: (random.weighted(&[8, 4, 38, 50]) as u32).min(eot),
            crashes: (random.weighted(&[40, 45, 15]) as u32).min(node_count as u32),
            nodes: ["a", "b", "c"][..node_count].iter().map(|&name| name.to_owned()).collect(),
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
        for index in 1..self.relations.len() {
            self.define(index);
        }
        if self.random.percent(12) {
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
            Name => quoted(*self.random.pick(&["z", "m", "k, 1"])),
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

    fn crash_term(&mut self, body: &mut Vec<String>, scope: &Scope, percent: usize) {
        if !self.random.percent(percent) {
            return;
        }
        let names = scope.of(Name);
        let place = names.first().copied().unwrap_or("_");
        let who = if names.is_empty() { "_" } else { *self.random.pick(&names) };
        let integers = scope.of(Integer);
        let when = match self.random.below(6) {
            0 if !integers.is_empty() => (*self.random.pick(&integers)).to_owned(),
            1 => (1 + self.random.below(3)).to_string(),
            _ => "_".to_owned(),
        };
        let negation = if self.random.percent(70) { "notin " } else { "" };
        body.push(format!("{negation}crash({place}, {who}, {when})"));
    }

    /// `notin p(...)` over what is bound.
    fn negative(&mut self, index: usize, scope: &Scope) -> String {
        let Relation { name, columns, .. } = self.relations[index].clone();
        let mut arguments = Vec::new();
        self.negatives += 1;
        let number = self.negatives;
        for (column, kind) in columns.iter().enumerate() {
            let bound = scope.of(*kind);
            if column == 0 && !bound.is_empty() && self.random.percent(80) {
                arguments.push(bound[0].to_owned());
                continue;
            }
            arguments.push(match self.random.weighted(&[55, 20, 12, 8, 5]) {
                0 if !bound.is_empty() => (*self.random.pick(&bound)).to_owned(),
                // The same variable twice means equal values, of one type.
                1 => match kind {
                    Name => format!("E{number}"),
                    Integer => format!("F{number}"),
                },
                2 => self.constant(*kind),
                3 if *kind == Integer && !bound.is_empty() => self.arithmetic(&bound),
                _ => "_".to_owned(),
            });
        }
        let time = if self.random.percent(6) { "@1" } else { "" };
        format!("notin {name}({}){time}", arguments.join(", "))
    }

    fn arithmetic(&mut self, bound: &[&str]) -> String {
        let left = *self.random.pick(bound);
        let right = if self.random.percent(35) {
            (*self.random.pick(bound)).to_owned()
        } else {
            (1 + self.random.below(3)).to_string()
        };
        match self.random.weighted(&[35, 20, 15, 25, 5]) {
            0 => format!("{left} + {right}"),
            1 => format!("{left} - {right}"),
            2 => format!("{left} * {right}"),
            3 => format!("{left} / {right}"),
            _ => format!("({left} + 1) * ({right} - {left})"),
        }
    }

    /// An argument of a positive literal.
    fn positive_argument(&mut self, kind: Kind, scope: &mut Scope) -> String {
        let bound = scope.of(kind);
        match self.random.weighted(&[40, 42, 7, 7, 4]) {
            0 if !bound.is_empty() => (*self.random.pick(&bound)).to_owned(),
            2 => self.constant(kind),
            3 => "_".to_owned(),
            4 if kind == Integer && !bound.is_empty() => self.arithmetic(&bound),
            _ => {
                let variable = match kind {
                    Name => *self.random.pick(&NAME_VARIABLES),
                    Integer => *self.random.pick(&INTEGER_VARIABLES),
                };
                scope.bind(variable, kind);
                variable.to_owned()
            }
        }
    }

    /// The body of a rule for the relation: literals within a step mostly from before it, so that
    /// most programs are stratified.
    /// (`any`: or from anywhere.)
    fn body(&mut self, index: usize, any: bool, aggregate: bool) -> (Vec<String>, Scope) {
        let mut scope = Scope::default();
        let mut first = Vec::new();
        let mut rest = Vec::new();
        let location = match self.random.weighted(&[86, 7, 7]) {
            0 => {
                scope.bind("X", Name);
                "X".to_owned()
            }
            1 => "_".to_owned(),
            _ => self.constant(Name),
        };
        let free_location = location == "X" && self.random.percent(5);
        let positives = 1 + self.random.weighted(&[50, 35, 15]);
        for number in 0..positives {
            let limit = if any {
                self.relations.len()
            } else if aggregate {
                index
            } else {
                index + 1
            };
            let read = self.random.below(limit);
            let Relation { name, columns, .. } = self.relations[read].clone();
            let mut arguments = Vec::new();
            for (column, kind) in columns.iter().enumerate() {
                arguments.push(if column > 0 {
                    self.positive_argument(*kind, &mut scope)
                } else if number == 0 || self.random.percent(85) {
                    location.clone()
                } else {
                    self.positive_argument(Name, &mut scope)
                });
            }
            let time = if self.random.percent(5) { "@1" } else { "" };
            let literal = format!("{name}({}){time}", arguments.join(", "));
            if number == 0 && !free_location {
                first.push(literal);
            } else {
                rest.push(literal);
            }
        }
        let limit = if any { self.relations.len() } else { index.max(1) };
        if free_location {
            let read = self.random.below(limit);
            let wildcards = ", _".repeat(self.relations[read].columns.len() - 1);
            first.push(format!("notin {}(X{wildcards})", self.relations[read].name));
        }
        for _ in 0..self.random.weighted(&[55, 38, 7]) {
            let read = self.random.below(limit);
            rest.push(self.negative(read, &scope));
        }
        self.crash_term(&mut rest, &scope, 12);
        if self.random.percent(25) {
            rest.extend(self.comparison(&scope));
        }
        self.random.shuffle(&mut rest);
        first.extend(rest);
        (first, scope)
    }

    fn comparison(&mut self, scope: &Scope) -> Option<String> {
        let kind = if self.random.percent(70) { Integer } else { Name };
        let bound = scope.of(kind);
        if bound.is_empty() {
            return None;
        }
        let left = if kind == Integer && self.random.percent(25) {
            self.arithmetic(&bound)
        } else {
            (*self.random.pick(&bound)).to_owned()
        };
        let right = if self.random.percent(50) {
            (*self.random.pick(&bound)).to_owned()
        } else {
            self.constant(kind)
        };
        let operator = *self.random.pick(&["==", "!=", "<", ">", "<=", ">="]);
        Some(format!("{left} {operator} {right}"))
    }

    fn random_rule(&mut self, index: usize, timing: Timing) {
        let Relation { name, columns, .. } = self.relations[index].clone();
        let aggregate = self.random.percent(22);
        // Within a step this makes cycles through negation and aggregates.
        let loose = timing == Timing::Now && self.random.percent(10);
        let any = loose || timing != Timing::Now;
        let (mut body, scope) = self.body(index, any, aggregate);
        let functions = if loose { &AGGREGATES[1..3] } else { &AGGREGATES[..] };
        let functions = if aggregate { functions } else { &[] };
        let (head, guard) = self.head(&columns, timing, functions, &scope);
        body.extend(guard);
        self.rule(format!("{name}({}){}", head.join(", "), timing.mark()), body);
    }

    /// The columns of a head, and a comparison that keeps what it computes small.
    fn head(
        &mut self,
        columns: &[Kind],
        timing: Timing,
        functions: &[&str],
        scope: &Scope,
    ) -> (Vec<String>, Option<String>) {
        let mut head = Vec::new();
        let mut guard = None;
        let mut more = !functions.is_empty();
        for (column, kind) in columns.iter().enumerate() {
            let bound = scope.of(*kind);
            let may_aggregate = column > 0 || self.random.percent(5);
            if more && may_aggregate && !scope.bound.is_empty() {
                let function = match kind {
                    Name => *self.random.pick(&AGGREGATES[1..3]),
                    Integer => *self.random.pick(functions),
                };
                let of = if function == "count" {
                    self.random.pick(&scope.bound).0
                } else if bound.is_empty() {
                    head.push(self.constant(*kind));
                    continue;
                } else {
                    *self.random.pick(&bound)
                };
                head.push(format!("{function}<{of}>"));
                more = self.random.percent(25);
                continue;
            }
            if column == 0 && timing != Timing::Async && self.random.percent(90) {
                head.push(bound.first().map_or_else(|| self.constant(*kind), |x| (*x).to_owned()));
                continue;
            }
            head.push(match self.random.weighted(&[80, 10, 10]) {
                1 => self.constant(*kind),
                2 if *kind == Integer && !bound.is_empty() => {
                    let variable = *self.random.pick(&bound);
                    if timing == Timing::Now || self.random.percent(30) {
                        let most = 2 + self.random.below(4);
                        guard = Some(format!("{variable} < {most}"));
                    }
                    match self.random.weighted(&[60, 30, 10]) {
                        0 => format!("{variable} + 1"),
                        1 => self.arithmetic(&[variable]),
                        _ => self.arithmetic(&bound),
                    }
                }
                _ if bound.is_empty() => self.constant(*kind),
                _ => (*self.random.pick(&bound)).to_owned(),
            });
        }
        (head, guard)
    }

    /// Adds the relations the invariant needs: several candidates are tried in the run without
    /// faults, and the most interesting is taken.
    fn invariant(&mut self, invariant: Invariant) {
        self.look();
        if self.random.percent(10) {
            self.hazard();
        }
        let before = self.clauses.len();
        let mut candidates: Vec<Vec<Clause>> = Vec::new();
        for number in 0..CANDIDATES {
            let prefix = format!("c{number}_");
            candidates.push(self.candidate(invariant, &prefix));
        }
        let mut all = self.clauses.clone();
        all.extend(candidates.iter().flatten().cloned());
        let scores = self.scores(&all, invariant);
        // Now and then whatever comes.
        let best = if self.random.percent(8) {
            0
        } else {
            (0..CANDIDATES).max_by_key(|&number| scores[number]).expect("there are candidates")
        };
        let prefix = format!("c{best}_");
        self.clauses.truncate(before);
        for clause in &candidates[best] {
            let plain = |text: &String| text.replace(&prefix, "");
            self.clauses.push(match clause {
                Clause::Fact(fact) => Clause::Fact(plain(fact)),
                Clause::Rule { head, body } => {
                    Clause::Rule { head: plain(head), body: body.iter().map(plain).collect() }
                }
            });
        }
    }

    /// Finds out which relations hold something at the end, and which differ between runs.
    fn look(&mut self) {
        let text: String = self.clauses.iter().map(|clause| format!("{clause}\n")).collect();
        let Some(program) = linchpin_dedalus::compile_text("base.ded", &text).program else {
            return;
        };
        let evaluator = Evaluator::new(&program, &self.bounds).with_rounds_max(100);
        let Ok(reference) = evaluator.run(&FaultSet::none()) else { return };
        let faulty: Vec<Tables> = [1, 1, 2, 4, 8]
            .iter()
            .map(|count| random_faults(&self.bounds, *count, &mut self.random))
            .filter_map(|faults| evaluator.run(&faults).ok())
            .collect();
        for index in 1..self.relations.len() {
            let Some(id) = program.relation_named(&self.relations[index].name) else { continue };
            let rows = reference.rows(id, self.bounds.eot);
            if !rows.is_empty() {
                self.lasting.push(index);
            }
            if faulty.iter().any(|tables| tables.rows(id, self.bounds.eot) != rows) {
                self.sensitive.push(index);
            }
        }
    }

    /// How interesting each candidate is: asks for something, and is broken by several faults
    /// rather than by one, or is not broken (as the dice fall).
    fn scores(&mut self, clauses: &[Clause], invariant: Invariant) -> Vec<usize> {
        let text: String = clauses.iter().map(|clause| format!("{clause}\n")).collect();
        let compilation = linchpin_dedalus::compile_text("candidates.ded", &text);
        let Some(program) = compilation.program else { return vec![0; CANDIDATES] };
        let evaluator = Evaluator::new(&program, &self.bounds).with_rounds_max(100);
        let Ok(reference) = evaluator.run(&FaultSet::none()) else { return vec![0; CANDIDATES] };
        let mut faulty: Vec<(bool, Tables)> = Vec::new();
        for count in [1, 1, 1, 2, 3, 4, 6] {
            let faults = random_faults(&self.bounds, count, &mut self.random);
            if let Ok(tables) = evaluator.run(&faults) {
                faulty.push((count == 1, tables));
            }
        }
        let wanted_broken = self.random.percent(75);
        (0..CANDIDATES)
            .map(|number| {
                let rows = |tables: &Tables, name: &str| -> Vec<Row> {
                    let id = program.relation_named(&format!("c{number}_{name}"));
                    id.map_or_else(Vec::new, |id| {
                        tables.rows(id, self.bounds.eot).iter().cloned().collect()
                    })
                };
                let judge = |tables: &Tables| judge(invariant, tables, &reference, &rows);
                let is_broken = |single: bool| {
                    faulty
                        .iter()
                        .any(|(one, tables)| *one == single && judge(tables) == Outcome::Bad)
                };
                let broken = match (is_broken(true), is_broken(false)) {
                    (false, true) => 3,
                    (true, true) => 2,
                    (true, false) => 1,
                    (false, false) => 0,
                };
                let interest = if wanted_broken { broken } else { 3 - broken };
                match judge(&reference) {
                    Outcome::Bad => 1,
                    Outcome::Vacuous => 2 + broken,
                    _ => 10 + interest,
                }
            })
            .collect()
    }

    /// Relations that depend on each other's absence within a step, or on who is least. Where the
    /// comparisons order them the model is total.
    fn cycle(&mut self) {
        let relation = 1 + self.random.below(self.relations.len() - 1);
        let Relation { name, columns, .. } = self.relations[relation].clone();
        let kind = if columns.contains(&Integer) { Integer } else { Name };
        let (base, mine, other) = {
            let variables = self.variables(&columns);
            let (mine, other) = match kind {
                Integer => ("A", "B"),
                Name => ("X", "Y"),
            };
            let mut arguments: Vec<&str> = vec!["_"; columns.len()];
            arguments[0] = "X";
            if let Some(column) = variables.iter().position(|variable| *variable == mine) {
                arguments[column] = mine;
            }
            (format!("{name}({})", arguments.join(", ")), mine, other)
        };
        let count = 2 + self.random.below(2);
        for index in 0..count {
            let columns = vec![Name, kind];
            self.relations.push(Relation { name: format!("w{index}"), columns, given: false });
            for _ in 0..1 + self.random.below(2) {
                let mut body = vec![base.clone()];
                for _ in 0..1 + self.random.below(2) {
                    let read = self.random.below(count);
                    body.push(match self.random.below(5) {
                        0 | 1 => format!("notin w{read}(X, {mine})"),
                        2 => format!("w{read}(X, {mine})"),
                        3 => format!("notin w{read}(X, _)"),
                        _ => format!("w{read}(X, {other})"),
                    });
                }
                let has_other = body.iter().any(|term| term.contains(&format!(", {other})")));
                if has_other && self.random.percent(85) {
                    let operator = self.random.pick(&["<", ">", "<=", "!="]);
                    body.push(format!("{mine} {operator} {other}"));
                }
                let head = if self.random.percent(35) {
                    format!("{}<{mine}>", self.random.pick(&AGGREGATES[1..3]))
                } else {
                    mine.to_owned()
                };
                self.rule(format!("w{index}(X, {head})"), body);
            }
        }
    }

    /// A rule that fails under some faults, if all goes well.
    fn hazard(&mut self) {
        let relation = self.source(&(1..self.relations.len()).collect::<Vec<usize>>());
        let Relation { name, columns, .. } = self.relations[relation].clone();
        let variables = self.variables(&columns);
        let mut scope = Scope::default();
        for (variable, kind) in variables.iter().zip(&columns) {
            scope.bind(variable, *kind);
        }
        let mut body = vec![format!("{name}({})", variables.join(", "))];
        if self.random.percent(60) {
            let other = self.source(&(1..self.relations.len()).collect::<Vec<usize>>());
            body.push(self.negative(other, &scope));
        }
        let integer = scope.of(Integer).first().map_or("1", |variable| variable);
        let computed = match self.random.weighted(&[40, 15, 15, 20, 3]) {
            0 => format!("6 / ({integer} - {})", self.random.below(3)),
            1 => format!("{} * {integer}", i64::MAX),
            2 => {
                body.push("big(X, N)".into());
                let constants = [i64::MAX.to_string(), "3".to_owned()];
                for constant in constants {
                    let place = self.constant(Name);
                    self.clauses.push(Clause::Fact(format!("big({place}, {constant})@1")));
                }
                self.rule("big(W, N)@async".into(), vec!["big(X, N)".into(), "node(X, W)".into()]);
                "sum<N>".to_owned()
            }
            3 => {
                body.push("notin hazard(X, 0)".into());
                "0".to_owned()
            }
            _ => {
                self.rule("hazard(X, A + 1)".into(), vec!["hazard(X, A)".into()]);
                "0".to_owned()
            }
        };
        let (mark, arguments) = match self.random.below(6) {
            0 if !computed.starts_with('0') => ("@next", "X"),
            1 if !computed.starts_with('0') => ("@async", "\"a\""),
            _ => ("", "X"),
        };
        self.rule(format!("hazard({arguments}, {computed}){mark}"), body);
    }

    /// Rules for `pre` and `post`, or for `good`.
    fn candidate(&mut self, invariant: Invariant, prefix: &str) -> Vec<Clause> {
        let before = self.clauses.len();
        let relation = self.source(&(1..self.relations.len()).collect::<Vec<usize>>());
        let columns = self.relations[relation].columns.clone();
        if invariant == Invariant::Good {
            self.claim(&format!("{prefix}good"), &columns, prefix);
        } else if self.random.percent(35) {
            self.agreement(relation, prefix);
        } else {
            self.claim(&format!("{prefix}pre"), &columns, prefix);
            self.claim(&format!("{prefix}post"), &columns, prefix);
        }
        self.clauses.split_off(before)
    }

    /// What one has, all have.
    fn agreement(&mut self, relation: usize, prefix: &str) {
        let Relation { name, columns, .. } = self.relations[relation].clone();
        let variables = self.variables(&columns).join(", ");
        let mut elsewhere = self.variables(&columns);
        elsewhere[0] = "W";
        let elsewhere = elsewhere.join(", ");
        let literal = format!("{name}({variables})");
        let mut scope = Scope::default();
        scope.bind("X", Name);
        let mut before = vec![literal.clone()];
        self.crash_term(&mut before, &scope, 60);
        let mut missing =
            vec![literal.clone(), "node(X, W)".into(), format!("notin {name}({elsewhere})")];
        if self.random.percent(60) {
            missing.push("notin crash(W, W, _)".into());
        }
        self.rule(format!("{prefix}pre({variables})"), before);
        self.rule(format!("{prefix}missing({variables})"), missing);
        self.rule(
            format!("{prefix}post({variables})"),
            vec![literal, format!("notin {prefix}missing({variables})")],
        );
    }

    /// One of these relations, preferably one whose rows at the end depend on the faults.
    fn source(&mut self, relations: &[usize]) -> usize {
        let among = |some: &[usize]| -> Vec<usize> {
            relations.iter().copied().filter(|relation| some.contains(relation)).collect()
        };
        let lasting = among(&self.lasting);
        let sensitive: Vec<usize> =
            lasting.iter().copied().filter(|other| self.sensitive.contains(other)).collect();
        let preferred = match self.random.weighted(&[70, 20, 10]) {
            0 if !sensitive.is_empty() => &sensitive[..],
            0 | 1 if !lasting.is_empty() => &lasting[..],
            _ => relations,
        };
        *self.random.pick(preferred)
    }

    /// A rule that reads what holds at the end.
    fn claim(&mut self, name: &str, columns: &[Kind], prefix: &str) {
        let variables = self.variables(columns);
        let mut scope = Scope::default();
        for (variable, kind) in variables.iter().zip(columns) {
            scope.bind(variable, *kind);
        }
        let head = format!("{name}({})", variables.join(", "));
        let same: Vec<usize> = (1..self.relations.len())
            .filter(|&other| self.relations[other].columns == columns)
            .collect();
        let source = self.source(&same);
        let source = self.relations[source].name.clone();
        let literal = format!("{source}({})", variables.join(", "));
        match self.random.weighted(&[50, 25, 25]) {
            0 => {
                let mut body = vec![literal];
                self.crash_term(&mut body, &scope, 45);
                if self.random.percent(15) {
                    let other = self.random.below(self.relations.len());
                    body.push(self.negative(other, &scope));
                }
                if self.random.percent(6) {
                    // Looks ahead.
                    let other = self.random.below(self.relations.len());
                    let negative = self.negative(other, &scope);
                    let time = 2 + self.random.below(4);
                    body.push(format!("{}@{time}", negative.trim_end_matches("@1")));
                }
                self.rule(head, body);
            }
            1 => {
                // Nobody lacks it.
                let missing = format!("{prefix}missing_{}", name.trim_start_matches(prefix));
                let mut body = vec![literal.clone(), "node(X, W)".to_owned()];
                let mut elsewhere = variables.clone();
                elsewhere[0] = "W";
                body.push(format!("notin {source}({})", elsewhere.join(", ")));
                self.crash_term(&mut body, &scope, 30);
                self.rule(format!("{missing}({})", elsewhere.join(", ")), body);
                let mut anywhere = variables.clone();
                anywhere[0] = "_";
                self.rule(head, vec![literal, format!("notin {missing}({})", anywhere.join(", "))]);
            }
            _ => {
                let (mut body, scope) = self.body(self.relations.len() - 1, false, false);
                let head = columns
                    .iter()
                    .map(|kind| {
                        let bound = scope.of(*kind);
                        if bound.is_empty() {
                            self.constant(*kind)
                        } else {
                            (*self.random.pick(&bound)).to_owned()
                        }
                    })
                    .collect::<Vec<String>>();
                self.crash_term(&mut body, &scope, 30);
                self.rule(format!("{name}({})", head.join(", ")), body);
            }
        }
    }
}

/// How a run ended, with the relations of a candidate.
fn judge(
    invariant: Invariant,
    tables: &Tables,
    reference: &Tables,
    rows: &dyn Fn(&Tables, &str) -> Vec<Row>,
) -> Outcome {
    let (mut asked, answered) = match invariant {
        Invariant::Implication => (rows(tables, "pre"), rows(tables, "post")),
        Invariant::Baseline => (rows(reference, "post"), rows(tables, "post")),
        Invariant::Good => (rows(reference, "good"), rows(tables, "good")),
    };
    if invariant == Invariant::Baseline {
        let before = rows(tables, "pre");
        asked.retain(|row| before.contains(row));
    }
    if asked.iter().any(|row| !answered.contains(row)) {
        Outcome::Bad
    } else if asked.is_empty() {
        Outcome::Vacuous
    } else {
        Outcome::Good
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
        larger.insert(random.pick(&all).clone());
        let crashes = larger
            .iter()
            .filter(|fault| matches!(fault, linchpin_model::Fault::Crash { .. }))
            .count();
        if bounds.check_faults(&larger).is_ok() && crashes <= bounds.crashes as usize {
            set = larger;
        }
    }
    set
}
