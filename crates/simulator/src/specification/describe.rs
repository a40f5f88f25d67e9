//! A run in full: from numbered rows to an [`Execution`].

use std::collections::BTreeMap;

use linchpin_dedalus::hir::{RelationId, Value};
use linchpin_model::{Fault, FaultSet, Outcome};

use super::Specification;
use crate::channels::Channels;
use crate::execution::{Absence, Derivation, Execution, Fact, FactId, Message};
use crate::lineage::{self, FactRef, Lineage, Sending};
use crate::simulate::Run;
use crate::value::Symbol;

impl Specification {
    /// A recorded run, in the values of the program.
    pub(super) fn describe(&self, faults: &FaultSet, outcome: Outcome, run: &Run) -> Execution {
        let lineage = run.lineage.as_ref().expect("the run was recorded");
        let facts = self.facts(run);
        let ids = facts.iter().enumerate().map(|(id, entry)| (entry.1, FactId(id as u32)));
        let ids = Ids { crash: self.compiled.crash, ids: ids.collect() };
        let kept = lineage.kept.iter().map(|(fact, before)| (ids.of(fact), ids.of(before)));
        Execution {
            faults: faults.clone(),
            outcome,
            derivations: self.derivations(lineage, &ids),
            kept: sorted(kept.collect()),
            messages: self.messages(faults, lineage),
            facts: facts.into_iter().map(|entry| entry.0).collect(),
        }
    }

    /// Every row of every step, in order. What is known of crashes is the same at every step, and
    /// stands at the first.
    fn facts(&self, run: &Run) -> Vec<(Fact, FactRef)> {
        let mut facts: Vec<(Fact, FactRef)> = Vec::new();
        for time in 1..=self.compiled.bounds.eot {
            for index in 0..self.compiled.program.relations.len() {
                let relation = RelationId(index as u32);
                if Some(relation) == self.compiled.crash && time > 1 {
                    continue;
                }
                for (row, cells) in run.tables.at(time, relation).rows().enumerate() {
                    let fact = Fact { time, relation, row: self.values(cells) };
                    facts.push((fact, FactRef { time, relation, row: row as u32 }));
                }
            }
        }
        sorted(facts)
    }

    fn derivations(&self, lineage: &Lineage, ids: &Ids) -> Vec<Derivation> {
        let derivation = |derivation: &lineage::Derivation| Derivation {
            fact: ids.of(&derivation.head),
            rule: derivation.rule,
            premises: derivation.premises.iter().map(|premise| ids.of(premise)).collect(),
            absences: derivation.absences.iter().map(|absence| self.absence(absence)).collect(),
        };
        let mut derivations = sorted(lineage.derivations.iter().map(derivation).collect());
        derivations.dedup();
        derivations
    }

    fn absence(&self, absence: &lineage::Absence) -> Absence {
        let arity = self.compiled.program.relation(absence.relation).columns.len();
        let mut row = vec![None; arity];
        for &(column, symbol) in &absence.known {
            row[column] = Some(self.value(symbol));
        }
        Absence { time: absence.time, relation: absence.relation, row }
    }

    fn messages(&self, faults: &FaultSet, lineage: &Lineage) -> Vec<Message> {
        let channels = Channels::new(&self.compiled, faults);
        let message = |sending: &Sending| Message {
            at: sending.at,
            from: sending.from.map(|from| self.node(from)),
            to: self.node(sending.to),
            relation: sending.relation,
            row: self.values(&sending.row),
            rule: sending.rule,
            lost_to: self.lost_to(sending, faults, &channels),
            arrives: sending.arrives,
        };
        let mut messages = sorted(lineage.sendings.iter().map(message).collect());
        messages.dedup();
        messages
    }

    /// The fault that kept a message from its receiver.
    fn lost_to(&self, sending: &Sending, faults: &FaultSet, channels: &Channels) -> Option<Fault> {
        let crash_of = |lost: usize| {
            let name = self.node(lost);
            let is_crash =
                |fault: &&Fault| matches!(fault, Fault::Crash { node, .. } if *node == name);
            faults.iter().find(is_crash).cloned()
        };
        match (sending.arrives, sending.from) {
            (Some(_), _) => None,
            (None, Some(from)) if channels.is_crashed(from, sending.at) => crash_of(from),
            // Else the receiver is down.
            (None, from) => from
                .map(|from| Fault::omission(self.node(from), self.node(sending.to), sending.at))
                .filter(|omission| faults.contains(omission))
                .or_else(|| crash_of(sending.to)),
        }
    }

    fn node(&self, index: usize) -> String {
        self.compiled.bounds.nodes[index].clone()
    }

    fn value(&self, symbol: Symbol) -> Value {
        self.scratch.value(symbol).clone()
    }

    fn values(&self, row: &[Symbol]) -> Vec<Value> {
        row.iter().map(|&symbol| self.value(symbol)).collect()
    }
}

/// Which fact of the execution each row of the run became.
struct Ids {
    crash: Option<RelationId>,
    ids: BTreeMap<FactRef, FactId>,
}

impl Ids {
    fn of(&self, fact: &FactRef) -> FactId {
        let time = if Some(fact.relation) == self.crash { 1 } else { fact.time };
        self.ids[&FactRef { time, ..*fact }]
    }
}

fn sorted<T: Ord>(mut items: Vec<T>) -> Vec<T> {
    items.sort();
    items
}
