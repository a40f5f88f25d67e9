//! The faults within the bounds, and what they do to channels.

use std::cell::RefCell;
use std::collections::BTreeMap;

use linchpin_dedalus::hir::Value;
use linchpin_model::{Bounds, Fault};

use crate::circuit::{Circuit, Literal};
use crate::value::{ValueId, Values};

/// A variable per fault, and what follows from faults.
pub(crate) struct Faults {
    /// Every fault, with its variable.
    pub(crate) variables: Vec<(Fault, Literal)>,
    losses: BTreeMap<(ValueId, ValueId, u32), Literal>,
    crashes: BTreeMap<(ValueId, u32), Literal>,
    /// Names of the nodes.
    names: BTreeMap<ValueId, String>,
    /// Channels asked for so far.
    open: RefCell<BTreeMap<(ValueId, ValueId, u32), Literal>>,
}

impl Faults {
    /// Losses between different nodes at each time before EFF, and, if there may be any, crashes of
    /// each node at each time.
    pub(crate) fn new(bounds: &Bounds, values: &mut Values, circuit: &mut Circuit) -> Self {
        let Bounds { eot, eff, crashes, nodes } = bounds;
        let ids: Vec<(ValueId, &String)> = nodes
            .iter()
            .map(|node| (values.id(&Value::String(node.as_str().into())), node))
            .collect();
        let mut faults = Self {
            variables: Vec::new(),
            losses: BTreeMap::new(),
            crashes: BTreeMap::new(),
            names: ids.iter().map(|(id, name)| (*id, (*name).clone())).collect(),
            open: RefCell::default(),
        };
        let mut variable = |fault: Fault| {
            let literal = circuit.choice(fault.to_string());
            faults.variables.push((fault, literal));
            literal
        };
        for at in 1..=*eot {
            for (from, sender) in ids.iter().filter(|_| at < *eff) {
                for (to, receiver) in ids.iter().filter(|(to, _)| to != from) {
                    let literal = variable(Fault::omission(*sender, *receiver, at));
                    faults.losses.insert((*from, *to, at), literal);
                }
            }
            for (node, name) in ids.iter().filter(|_| *crashes > 0) {
                let literal = variable(Fault::crash(*name, at));
                faults.crashes.insert((*node, at), literal);
            }
        }
        faults
    }

    /// True iff the node crashes at this time.
    pub(crate) fn crashes(&self, node: ValueId, at: u32) -> Literal {
        self.crashes[&(node, at)]
    }

    /// True iff what one node sends to another at this time arrives: it is not lost, and the sender
    /// has not crashed by then.
    pub(crate) fn open(
        &self,
        circuit: &mut Circuit,
        from: ValueId,
        to: ValueId,
        at: u32,
    ) -> Literal {
        if from == to {
            return circuit.and(Vec::new());
        }
        let mut known = self.open.borrow_mut();
        *known.entry((from, to, at)).or_insert_with(|| {
            let lost = self.losses.get(&(from, to, at));
            let crashed = (1..=at).filter_map(|time| self.crashes.get(&(from, time)));
            let obstacles = lost.into_iter().chain(crashed).map(|literal| -literal).collect();
            let channel = format!("open {}->{} @{at}", self.names[&from], self.names[&to]);
            circuit.named_and(channel, obstacles)
        })
    }

    /// The clauses that must hold besides definitions: no node crashes twice, and no more nodes crash
    /// than may.
    pub(crate) fn budget(&self, bounds: &Bounds, circuit: &mut Circuit) -> Vec<Vec<Literal>> {
        let mut clauses = Vec::new();
        let mut crashed = Vec::new();
        for (node, name) in &self.names {
            let times: Vec<Literal> =
                (1..=bounds.eot).filter_map(|at| self.crashes.get(&(*node, at))).copied().collect();
            for (index, first) in times.iter().enumerate() {
                for second in &times[index + 1..] {
                    clauses.push(vec![-first, -second]);
                }
            }
            if !times.is_empty() {
                crashed.push(circuit.named_or(format!("crashed {name}"), times));
            }
        }
        let at_least = circuit.at_least(&crashed);
        if let Some(&too_many) = at_least.get(bounds.crashes as usize + 1) {
            clauses.push(vec![-too_many]);
        }
        clauses
    }
}
