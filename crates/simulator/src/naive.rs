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

use std::collections::BTreeSet;
use std::sync::Arc;

use linchpin_dedalus::hir::{Program, RelationId, RelationKind, Rule, Timing, Value};
use linchpin_model::{Bounds, Fault, FaultSet};
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
                let rows = self.apply(rule, &tables, now, faults).map_err(error)?;
                // What a rule derives at the last step is never seen, but computed.
                if now < eot {
                    tables.step_mut(now + 1)[rule.head.relation.index()].extend(rows);
                }
            }
        }
        for now in 1..=eot {
            for rule in rules(&[Timing::Now, Timing::Next, Timing::Async], true) {
                let rows = self
                    .apply(rule, &tables, now, faults)
                    .map_err(|kind| NaiveError { kind, time: now })?;
                let at = now + u32::from(rule.head.timing != Timing::Now);
                if at <= eot {
                    tables.step_mut(at)[rule.head.relation.index()].extend(rows);
                }
            }
        }
        Ok(tables)
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

    /// What a rule derives from complete tables.
    fn apply(
        &self,
        rule: &Rule,
        tables: &Tables,
        now: u32,
        faults: &FaultSet,
    ) -> Result<BTreeSet<Row>, RunErrorKind> {
        let step = tables.step(now);
        let sight = body::Sight { now, tables, present: step, absent: step };
        let found = body::instances(rule, &sight, &self.bounds.nodes);
        if let Some(kind) = found.error {
            return Err(kind);
        }
        let arrived = found
            .instances
            .into_iter()
            .filter(|instance| {
                rule.head.timing != Timing::Async || self.arrives(instance, now, faults)
            })
            .map(|instance| instance.row)
            .collect();
        body::aggregate(rule, arrived)
    }

    /// Whether a message sent now reaches the node in its first column.
    fn arrives(&self, message: &body::Instance, now: u32, faults: &FaultSet) -> bool {
        let name = |value: &Value| match value {
            Value::String(name) => Some(name.to_string()),
            Value::Integer(_) => None,
        };
        let to = message.row.first().and_then(name);
        let Some(to) = to.filter(|to| self.bounds.nodes.contains(to)) else { return false };
        let Some(from) = message.location.as_ref().and_then(name) else { return true };
        let crashed = faults
            .iter()
            .any(|fault| matches!(fault, Fault::Crash { node, at } if *node == from && *at <= now));
        from == to || !(crashed || faults.contains(&Fault::omission(from, to, now)))
    }
}
