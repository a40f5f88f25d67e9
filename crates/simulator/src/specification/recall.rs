//! What is remembered of a run that was recorded, and what it teaches without being made again.

use linchpin_dedalus::hir::Value;
use linchpin_formula::{Literal, Variable};
use linchpin_model::{FaultSet, InputValue, Invariant, Memo, Outcome};
use linchpin_search::Observation;

use super::{Reference, Specification, SystemError};
use crate::channels::Channels;
use crate::inputs::input_value;
use crate::value::Symbol;

impl Specification {
    /// What is to be remembered of the latest run.
    pub(super) fn memo_of_latest(&mut self) -> Memo {
        let name = |node: usize| self.compiled.bounds.nodes[node].clone();
        let channel = |(from, to, time): (usize, usize, u32)| (name(from), name(to), time);
        let traffic = self.latest_traffic.take();
        let value = |&cell: &Symbol| input_value(self.scratch.value(cell));
        let rows = |reference: &Reference| {
            let mut rows: Vec<Vec<InputValue>> = Vec::new();
            rows.extend(reference.in_runs.iter().map(|row| row.iter().map(value).collect()));
            rows.sort();
            rows
        };
        Memo {
            channels: traffic.map(|traffic| traffic.iter().map(channel).collect()),
            achieved: self.reference.as_ref().filter(|_| self.latest_is_first).map(rows),
        }
    }

    /// Judges runs as a run without faults that is recorded says, if the record says enough.
    pub(super) fn restore_reference(&mut self, outcome: Outcome, memo: &Memo) -> bool {
        if self.invariant == Invariant::Implication {
            self.vacuous = Some(outcome == Outcome::Vacuous);
            return true;
        }
        let Some(rows) = &memo.achieved else { return false };
        let columns = self.compiled.program.relation(self.outcome_relations.after).columns.len();
        if rows.iter().any(|row| row.len() != columns) {
            return false;
        }
        let value = |value: &InputValue| match value {
            InputValue::Integer(integer) => Value::Integer(*integer),
            InputValue::String(string) => Value::String(string.as_str().into()),
        };
        self.vacuous = Some(rows.is_empty());
        self.judge_by(rows.iter().map(|row| row.iter().map(value).collect()).collect());
        true
    }

    /// What the ground program says of the run is all that the run would have shown; without one,
    /// where something was sent.
    pub(super) fn recall_run(
        &mut self,
        faults: &[Variable],
        outcome: Outcome,
        memo: &Memo,
    ) -> Result<Option<Observation>, SystemError> {
        self.learn_reference()?;
        self.prepare();
        let faults = self.space.fault_set(faults);
        let Some(Ok(ground)) = &self.ground else {
            return Ok(self.recall_traffic(&faults, outcome, memo));
        };
        let space = &self.space;
        let values = self.graph.evaluate(|variable| faults.contains(space.fault(variable)));
        if self.predicted_outcome(ground, &values) != Some(outcome) {
            return Err(SystemError::Recorded { faults, recorded: outcome });
        }
        let support = (outcome != Outcome::Bad).then(|| self.ground_support(&values));
        Ok(Some(Observation { outcome, support }))
    }

    /// What a run teaches of which it is recorded where something was sent.
    fn recall_traffic(
        &mut self,
        faults: &FaultSet,
        outcome: Outcome,
        memo: &Memo,
    ) -> Option<Observation> {
        if outcome == Outcome::Bad {
            return Some(Observation { outcome, support: None });
        }
        let nodes = &self.compiled.bounds.nodes;
        let node = |name: &String| nodes.iter().position(|node| node == name);
        let eot = self.compiled.bounds.eot;
        let place = |(from, to, time): &(String, String, u32)| {
            let is_within = (1..=eot).contains(time);
            is_within.then_some(()).and(Some((node(from)?, node(to)?, *time)))
        };
        let traffic: Vec<_> = memo.channels.as_ref()?.iter().map(place).collect::<Option<_>>()?;
        let support = self.same_traffic(faults, traffic.into_iter());
        Some(Observation { outcome, support: Some(support) })
    }

    /// The support that needs no ground program: whenever the same messages arrive, and the same
    /// nodes crash and recover if that makes a difference at the node itself or the program can see
    /// it, and the same inputs come, the run is the same.
    pub(super) fn same_traffic(
        &mut self,
        faults: &FaultSet,
        traffic: impl Iterator<Item = (usize, usize, u32)>,
    ) -> Literal {
        let channels = Channels::new(&self.compiled, faults);
        let mut parts: Vec<Literal> = traffic
            .flat_map(|(from, to, time)| {
                let travel = channels.travel(from, to, time);
                self.channels.travels(from, to, time).iter().map(move |&(steps, condition)| {
                    if travel == Some(steps) { condition } else { !condition }
                })
            })
            .collect();
        let space = &self.space;
        if self.compiled.crash.is_some() || self.channels.any_down() {
            let values = self.graph.evaluate(|variable| faults.contains(space.fault(variable)));
            parts.extend(
                self.channels
                    .crashes()
                    .map(|crashes| if values.of(crashes) { crashes } else { !crashes }),
            );
        }
        for fault in self.compiled.bounds.inputs.iter().flatten() {
            if let Some(variable) = space.variable(fault) {
                let chosen = self.graph.variable(variable);
                parts.push(if faults.contains(fault) { chosen } else { !chosen });
            }
        }
        self.graph.and(parts)
    }
}
