//! The oracle: a second evaluator, written from the definition of the language and for nothing but
//! clarity.
//!
//! It shares no code with the simulator: no plans, no indexes, no numbered values, nothing kept from
//! one round to the next. A table is a set of rows; a rule is tried on every combination of rows;
//! all rules of a step are applied again and again until nothing changes. Relations that depend on
//! each other within a step always get their well-founded model, by the alternating fixpoint (Van
//! Gelder, 1993), whether or not there is a negation among them: where the program is stratified
//! the two are the same.
//!
//! [`check()`] enumerates every fault set within the bounds. It is what every strategy of the search
//! is compared with, on bounds small enough.
//!
//! What this module does **not** do: it is not fast, and it does not say why anything holds.

mod body;
mod check;
mod model;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use linchpin_dedalus::hir::{
    Fact, Location, Program, RelationId, RelationKind, Rule, Timing, Value,
};
use linchpin_model::{Bounds, CrashModel, Fault, FaultSet, InputValue};
use thiserror::Error;

use crate::error::RunErrorKind;
use crate::fixpoint::ROUNDS_MAX;

pub use check::{CheckError, Checked, check, outcome, vacuous};

/// A row: one value per column.
pub type Row = Vec<Value>;

/// The tables of one time step, by relation.
type Step = Vec<BTreeSet<Row>>;

/// Some of them.
type Part = BTreeMap<RelationId, BTreeSet<Row>>;

/// Every row of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tables {
    /// By time step, from 1.
    steps: Vec<Step>,
    nothing: BTreeSet<Row>,
}

impl Tables {
    /// The rows of a relation at a time step; none before the first step and after the last.
    #[must_use]
    pub fn rows(&self, relation: RelationId, time: u32) -> &BTreeSet<Row> {
        let step = (time as usize).checked_sub(1).and_then(|index| self.steps.get(index));
        step.map_or(&self.nothing, |step| &step[relation.index()])
    }

    fn step_mut(&mut self, time: u32) -> &mut Step {
        &mut self.steps[time as usize - 1]
    }
}

/// How a row comes to a node from an earlier step.
#[derive(Clone, Copy)]
enum Entry {
    /// As a message or a late fact.
    Received,
    /// As what it keeps, or is given at first.
    State,
}

fn is_name(value: &Value, name: &str) -> bool {
    matches!(value, Value::String(value) if **value == *name)
}

/// A run that has no result.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{kind} at time {time}")]
pub struct NaiveError {
    /// What went wrong. Where several things do in one time step, one of them.
    pub kind: RunErrorKind,
    /// The first time step in which something does.
    pub time: u32,
}

/// Runs a program within bounds.
#[derive(Clone, Copy, Debug)]
pub struct Evaluator<'a> {
    program: &'a Program,
    bounds: &'a Bounds,
    rounds_max: usize,
}

impl<'a> Evaluator<'a> {
    /// An evaluator with the limits of the simulator.
    #[must_use]
    pub fn new(program: &'a Program, bounds: &'a Bounds) -> Self {
        Self { program, bounds, rounds_max: ROUNDS_MAX }
    }

    /// Takes a time step not to end after so many rounds. (The simulator's limit takes this
    /// evaluator a minute to reach.)
    #[must_use]
    pub fn with_rounds_max(self, rounds_max: usize) -> Self {
        Self { rounds_max, ..self }
    }

    /// Runs the program under these faults.
    ///
    /// # Errors
    /// If the run has no result.
    pub fn run(&self, faults: &FaultSet) -> Result<Tables, NaiveError> {
        let eot = self.bounds.eot;
        let relations = &self.program.relations;
        let nothing: Step = vec![BTreeSet::new(); relations.len()];
        let mut tables = Tables { steps: vec![nothing; eot as usize], nothing: BTreeSet::new() };
        let crash = relations.iter().position(|relation| relation.kind == RelationKind::Crash);
        for now in 1..=eot {
            if let Some(crash) = crash {
                tables.step_mut(now)[crash] = self.crash_rows(faults);
            }
            for fact in self.facts(faults).filter(|fact| fact.time == now) {
                let entry = if now == 1 { Entry::State } else { Entry::Received };
                if self.takes(&fact.row, fact.relation, now, entry, faults) {
                    tables.step_mut(now)[fact.relation.index()].insert(fact.row.clone());
                }
            }
        }
        // What stands still at a step on nodes that are down.
        let mut frozen: BTreeSet<(RelationId, Row)> = self
            .facts(faults)
            .filter(|fact| fact.time == 1)
            .filter(|fact| tables.rows(fact.relation, 1).contains(&fact.row))
            .filter(|fact| self.is_down(&fact.row[0], 1, faults))
            .map(|fact| (fact.relation, fact.row))
            .collect();
        let rules = |timings: &'static [Timing], look_ahead: bool| {
            self.program.rules.iter().filter(move |rule| {
                timings.contains(&rule.head.timing) && rule.look_ahead == look_ahead
            })
        };
        let groups = model::groups(self.program);
        for now in 1..=eot {
            let error = |kind| NaiveError { kind, time: now };
            for group in &groups {
                let part = self.well_founded(&tables, now, group, faults).map_err(error)?;
                for (relation, rows) in part {
                    tables.step_mut(now)[relation.index()] = rows;
                }
            }
            let mut standing = BTreeSet::new();
            for rule in rules(&[Timing::Next, Timing::Async], false) {
                // What a rule derives for a step after the last is never seen, but computed.
                let derived = self.apply(rule, &tables, now, faults).map_err(error)?;
                for (after, rows) in derived.into_iter().filter(|(after, _)| *after <= eot - now) {
                    let is_state =
                        rule.head.timing == Timing::Next && rule.location != Location::Global;
                    for row in rows {
                        if is_state && self.is_down(&row[0], now + after, faults) {
                            standing.insert((rule.head.relation, row.clone()));
                        }
                        tables.step_mut(now + after)[rule.head.relation.index()].insert(row);
                    }
                }
            }
            if now < eot {
                for (relation, row) in frozen {
                    tables.step_mut(now + 1)[relation.index()].insert(row.clone());
                    if self.is_down(&row[0], now + 1, faults) {
                        standing.insert((relation, row));
                    }
                }
            }
            frozen = standing;
        }
        for now in 1..=eot {
            for rule in rules(&[Timing::Now, Timing::Next, Timing::Async], true) {
                let derived = self
                    .apply(rule, &tables, now, faults)
                    .map_err(|kind| NaiveError { kind, time: now })?;
                for (after, rows) in derived.into_iter().filter(|(after, _)| *after <= eot - now) {
                    tables.step_mut(now + after)[rule.head.relation.index()].extend(rows);
                }
            }
        }
        Ok(tables)
    }

    fn chooses(&self, fault: &Fault, fact: &Fact) -> bool {
        let Fault::Input { relation, row, at } = fault else { return false };
        let same = |(value, chosen): (&Value, &InputValue)| match (value, chosen) {
            (Value::Integer(value), InputValue::Integer(chosen)) => value == chosen,
            (Value::String(value), InputValue::String(chosen)) => **value == **chosen,
            _ => false,
        };
        *relation == self.program.relation(fact.relation).name
            && *at == fact.time
            && row.len() == fact.row.len()
            && fact.row.iter().zip(row).all(same)
    }

    /// `crash(Observer, Node, Time)`: the same at every time step.
    fn crash_rows(&self, faults: &FaultSet) -> BTreeSet<Row> {
        let string = |name: &String| Value::String(Arc::from(name.as_str()));
        let mut rows = BTreeSet::new();
        for fault in faults.iter() {
            if let Fault::Crash { node, at } = fault {
                for observer in &self.bounds.nodes {
                    rows.insert(vec![
                        string(observer),
                        string(node),
                        Value::Integer(i64::from(*at)),
                    ]);
                }
            }
        }
        rows
    }

    /// What a rule derives from complete tables, by how many steps later it is there.
    fn apply(
        &self,
        rule: &Rule,
        tables: &Tables,
        now: u32,
        faults: &FaultSet,
    ) -> Result<BTreeMap<u32, BTreeSet<Row>>, RunErrorKind> {
        let nothing = Part::new();
        let sight = body::Sight { now, tables, present: &nothing, absent: &nothing };
        let found = body::instances(rule, &sight, &self.nodes_up(now, faults));
        if let Some(kind) = found.error {
            return Err(kind);
        }
        let mut arrived: BTreeMap<u32, BTreeSet<Row>> = BTreeMap::new();
        for instance in found.instances {
            let after = match rule.head.timing {
                Timing::Now => Some(0),
                Timing::Next => Some(1),
                Timing::Async => self.travel(&instance, now, faults),
            };
            if let Some(after) = after {
                arrived.entry(after).or_default().insert(instance.row);
            }
        }
        // Messages that arrive at different times are aggregated apart.
        let mut derived = BTreeMap::new();
        for (after, rows) in arrived {
            let mut rows = body::aggregate(rule, rows)?;
            let entry = match rule.head.timing {
                Timing::Now => None,
                Timing::Next => Some(Entry::State),
                Timing::Async => Some(Entry::Received),
            };
            if let Some(entry) = entry.filter(|_| rule.location != Location::Global) {
                let relation = rule.head.relation;
                rows.retain(|row| self.takes(row, relation, now + after, entry, faults));
            }
            derived.insert(after, rows);
        }
        Ok(derived)
    }

    /// The facts of a run: those given, and one alternative of each input.
    fn facts(&self, faults: &FaultSet) -> impl Iterator<Item = Fact> {
        let chosen = self.program.choices.iter().map(|choice| {
            let alternatives = choice.alternatives();
            let other = alternatives
                .iter()
                .find(|fact| faults.iter().any(|fault| self.chooses(fault, fact)));
            other.unwrap_or(&alternatives[0]).clone()
        });
        self.program.facts.iter().cloned().chain(chosen)
    }

    /// The time of the node's recovery, if it recovers.
    fn recovery(node: &Value, faults: &FaultSet) -> Option<u32> {
        faults.iter().find_map(|fault| match fault {
            Fault::Recovery { node: name, at } if is_name(node, name) => Some(*at),
            _ => None,
        })
    }

    /// Whether the node does nothing at this time: it has crashed, and has yet to recover, or is
    /// stopped by a crash for good.
    fn is_down(&self, node: &Value, time: u32, faults: &FaultSet) -> bool {
        let crashed = faults.iter().any(
            |fault| matches!(fault, Fault::Crash { node: name, at } if is_name(node, name) && *at <= time),
        );
        crashed
            && match Self::recovery(node, faults) {
                Some(recovery) => time < recovery,
                None => self.bounds.crash_model == CrashModel::Stop,
            }
    }

    /// The nodes that do something at this time.
    fn nodes_up(&self, time: u32, faults: &FaultSet) -> Vec<String> {
        let is_up =
            |node: &&String| !self.is_down(&Value::String(Arc::from(node.as_str())), time, faults);
        self.bounds.nodes.iter().filter(is_up).cloned().collect()
    }

    /// Whether a row that comes to its node from an earlier step is there.
    fn takes(
        &self,
        row: &Row,
        relation: RelationId,
        time: u32,
        entry: Entry,
        faults: &FaultSet,
    ) -> bool {
        let durable = self.bounds.durable.contains(&self.program.relation(relation).name);
        !self.is_down(&row[0], time, faults)
            || match entry {
                Entry::Received => false,
                Entry::State => durable || Self::recovery(&row[0], faults).is_none(),
            }
    }

    /// How many steps a message sent now takes to the node in its first column, if it gets there.
    fn travel(&self, message: &body::Instance, now: u32, faults: &FaultSet) -> Option<u32> {
        let name = |value: &Value| match value {
            Value::String(name) => Some(name.to_string()),
            Value::Integer(_) => None,
        };
        let to = message.row.first().and_then(name)?;
        if !self.bounds.nodes.contains(&to) {
            return None;
        }
        let Some(from) = message.location.as_ref().and_then(name) else { return Some(1) };
        if from == to {
            return Some(1);
        }
        let mut after = 1;
        for fault in faults.iter() {
            match fault {
                Fault::Crash { node, at } if *node == from && *at <= now => {
                    let recovery = message.location.as_ref();
                    let recovery = recovery.and_then(|node| Self::recovery(node, faults));
                    if recovery.is_none_or(|recovery| now < recovery) {
                        return None;
                    }
                }
                Fault::Omission { from: sender, to: receiver, at }
                    if (sender, receiver, *at) == (&from, &to, now) =>
                {
                    return None;
                }
                Fault::Delay { from: sender, to: receiver, at, by }
                    if (sender, receiver, *at) == (&from, &to, now) =>
                {
                    after += by;
                }
                _ => {}
            }
        }
        Some(after)
    }
}
