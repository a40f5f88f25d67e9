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
//! [`check`] enumerates every fault set within the bounds. It is what every strategy of the search
//! is compared with, on bounds small enough.
//!
//! What this module does **not** do: it is not fast, and it does not say why anything holds.

mod body;
mod check;
mod model;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use linchpin_dedalus::hir::{Fact, Program, RelationId, RelationKind, Rule, Timing, Value};
use linchpin_model::{Bounds, Fault, FaultSet, InputValue};
use thiserror::Error;

use crate::error::RunErrorKind;
use crate::fixpoint::ROUNDS_MAX;

pub use check::{CheckError, Checked, check, outcome, vacuous};

/// A row: one value per column.
pub type Row = Vec<Value>;

/// The tables of one time step, by relation.
type Step = Vec<BTreeSet<Row>>;

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

    fn step(&self, time: u32) -> &Step {
        &self.steps[time as usize - 1]
    }

    fn step_mut(&mut self, time: u32) -> &mut Step {
        &mut self.steps[time as usize - 1]
    }
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
            for fact in self.program.facts.iter().filter(|fact| fact.time == now) {
                tables.step_mut(now)[fact.relation.index()].insert(fact.row.clone());
            }
            for choice in &self.program.choices {
                let alternatives = choice.alternatives();
                let fact = alternatives
                    .iter()
                    .find(|fact| faults.iter().any(|fault| self.chooses(fault, fact)))
                    .unwrap_or(&alternatives[0]);
                if fact.time == now {
                    tables.step_mut(now)[fact.relation.index()].insert(fact.row.clone());
                }
            }
        }
        let rules = |timings: &'static [Timing], look_ahead: bool| {
            self.program.rules.iter().filter(move |rule| {
                timings.contains(&rule.head.timing) && rule.look_ahead == look_ahead
            })
        };
        let groups = model::groups(self.program);
        for now in 1..=eot {
            let error = |kind| NaiveError { kind, time: now };
            for group in &groups {
                let step = self.well_founded(&tables, now, group).map_err(error)?;
                *tables.step_mut(now) = step;
            }
            for rule in rules(&[Timing::Next, Timing::Async], false) {
                // What a rule derives for a step after the last is never seen, but computed.
                for (after, rows) in self.apply(rule, &tables, now, faults).map_err(error)? {
                    if after <= eot - now {
                        tables.step_mut(now + after)[rule.head.relation.index()].extend(rows);
                    }
                }
            }
        }
        for now in 1..=eot {
            for rule in rules(&[Timing::Now], true) {
                let derived = self
                    .apply(rule, &tables, now, faults)
                    .map_err(|kind| NaiveError { kind, time: now })?;
                for rows in derived.into_values() {
                    tables.step_mut(now)[rule.head.relation.index()].extend(rows);
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
        let step = tables.step(now);
        let sight = body::Sight { now, tables, present: step, absent: step };
        let found = body::instances(rule, &sight, &self.bounds.nodes);
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
        arrived
            .into_iter()
            .map(|(after, rows)| Ok((after, body::aggregate(rule, rows)?)))
            .collect()
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
                Fault::Crash { node, at } if *node == from && *at <= now => return None,
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
