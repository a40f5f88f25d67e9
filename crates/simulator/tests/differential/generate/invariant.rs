//! What is asked of a random program: candidates, and which of them is worth checking.

use linchpin_model::{FaultSet, Invariant, Outcome};
use linchpin_simulator::naive::{Evaluator, Row, Tables};

use super::Kind::{self, Name};
use super::{Generator, Relation, Scope, random_faults};
use crate::case::Clause;

/// Candidates among which the most interesting is taken.
const CANDIDATES: usize = 8;

impl Generator {
    /// Adds the relations the invariant needs: several candidates are tried in the run without
    /// faults, and the most interesting is taken.
    pub(super) fn invariant(&mut self, invariant: Invariant) {
        self.look();
        if self.random.percent(7) {
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
    pub(super) fn source(&mut self, relations: &[usize]) -> usize {
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
