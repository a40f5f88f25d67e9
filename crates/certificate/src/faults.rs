//! The faults within the bounds, and what they do to channels and nodes.

use std::cell::RefCell;
use std::collections::BTreeMap;

use linchpin_dedalus::hir::Value;
use linchpin_model::{Bounds, CrashModel, Fault};

use crate::circuit::{Circuit, Literal};
use crate::value::{ValueId, Values};

/// A place and a time.
type NodeAt = (ValueId, u32);

/// What a channel does at a time: sender, receiver, time of the sending, steps late.
type Travel = (ValueId, ValueId, u32, u32);

/// A variable per fault, and what follows from faults.
pub(crate) struct Faults {
    /// Every fault, with its variable.
    pub(crate) variables: Vec<(Fault, Literal)>,
    eot: u32,
    crash_model: CrashModel,
    losses: BTreeMap<(ValueId, ValueId, u32), Literal>,
    delays: BTreeMap<Travel, Literal>,
    crashes: BTreeMap<NodeAt, Literal>,
    recoveries: BTreeMap<NodeAt, Literal>,
    /// Per input: its alternatives but for the first.
    others: Vec<Vec<Literal>>,
    /// Names of the nodes.
    names: BTreeMap<ValueId, String>,
    asked: RefCell<Asked>,
}

/// Definitions asked for so far.
#[derive(Default)]
struct Asked {
    travels: BTreeMap<Travel, Literal>,
    crashed: BTreeMap<NodeAt, Literal>,
    recovered: BTreeMap<NodeAt, Literal>,
    off: BTreeMap<NodeAt, Literal>,
    recovering: BTreeMap<NodeAt, Literal>,
}

impl Faults {
    /// Losses and delays between different nodes at each time before EFF; if there may be any,
    /// crashes of each node at each time, and recoveries at each time but the first; and the
    /// alternatives of each input but for the first.
    pub(crate) fn new(bounds: &Bounds, values: &mut Values, circuit: &mut Circuit) -> Self {
        let Bounds { eot, eff, crashes, nodes, recoveries, crash_model, inputs, .. } = bounds;
        let ids: Vec<(ValueId, &String)> = nodes
            .iter()
            .map(|node| (values.id(&Value::String(node.as_str().into())), node))
            .collect();
        let mut faults = Self {
            variables: Vec::new(),
            eot: *eot,
            crash_model: *crash_model,
            losses: BTreeMap::new(),
            delays: BTreeMap::new(),
            crashes: BTreeMap::new(),
            recoveries: BTreeMap::new(),
            others: Vec::new(),
            names: ids.iter().map(|(id, name)| (*id, (*name).clone())).collect(),
            asked: RefCell::default(),
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
                    for late in 1..=delay_max(bounds, at) {
                        let literal = variable(Fault::delay(*sender, *receiver, at, late));
                        faults.delays.insert((*from, *to, at, late), literal);
                    }
                }
            }
            for (node, name) in ids.iter().filter(|_| *crashes > 0) {
                let literal = variable(Fault::crash(*name, at));
                faults.crashes.insert((*node, at), literal);
            }
            for (node, name) in ids.iter().filter(|_| *crashes > 0 && *recoveries > 0 && at > 1) {
                let literal = variable(Fault::recovery(*name, at));
                faults.recoveries.insert((*node, at), literal);
            }
        }
        for alternatives in inputs {
            let others = alternatives.iter().skip(1).map(|other| variable(other.clone()));
            let others = others.collect();
            faults.others.push(others);
        }
        faults
    }

    /// True iff the node crashes at this time.
    pub(crate) fn crashes(&self, node: ValueId, at: u32) -> Literal {
        self.crashes[&(node, at)]
    }

    /// True iff this alternative of an input holds: the first iff no other is chosen.
    pub(crate) fn chosen(
        &self,
        circuit: &mut Circuit,
        input: usize,
        alternative: usize,
    ) -> Literal {
        match alternative.checked_sub(1) {
            Some(other) => self.others[input][other],
            None => circuit.and(self.others[input].iter().map(|other| -other).collect()),
        }
    }

    /// True iff the node crashes at this time or before.
    fn crashed(&self, circuit: &mut Circuit, asked: &mut Asked, node: ValueId, at: u32) -> Literal {
        let name = || format!("crashed {} by {at}", self.names[&node]);
        until(&self.crashes, &mut asked.crashed, circuit, node, at, name)
    }

    /// True iff the node recovers at this time or before.
    fn recovered(
        &self,
        circuit: &mut Circuit,
        asked: &mut Asked,
        node: ValueId,
        at: u32,
    ) -> Literal {
        let name = || format!("recovered {} by {at}", self.names[&node]);
        until(&self.recoveries, &mut asked.recovered, circuit, node, at, name)
    }

    /// True iff the node has crashed at this time and not recovered yet.
    fn off(&self, circuit: &mut Circuit, asked: &mut Asked, node: ValueId, at: u32) -> Literal {
        if let Some(&known) = asked.off.get(&(node, at)) {
            return known;
        }
        let crashed = self.crashed(circuit, asked, node, at);
        let literal = if self.recoveries.is_empty() {
            crashed
        } else {
            let recovered = self.recovered(circuit, asked, node, at);
            let name = format!("off {} @{at}", self.names[&node]);
            circuit.named_and(name, vec![crashed, -recovered])
        };
        asked.off.insert((node, at), literal);
        literal
    }

    /// True iff the node has crashed at this time and will recover.
    pub(crate) fn recovering(&self, circuit: &mut Circuit, node: ValueId, at: u32) -> Literal {
        let asked = &mut *self.asked.borrow_mut();
        if let Some(&known) = asked.recovering.get(&(node, at)) {
            return known;
        }
        let off = self.off(circuit, asked, node, at);
        let later = (at + 1..=self.eot).filter_map(|time| self.recoveries.get(&(node, time)));
        let later: Vec<Literal> = later.copied().collect();
        let name = &self.names[&node];
        let recovers = circuit.named_or(format!("recovers {name} after {at}"), later);
        let literal = circuit.named_and(format!("recovering {name} @{at}"), vec![off, recovers]);
        asked.recovering.insert((node, at), literal);
        literal
    }

    /// True iff the node does nothing at this time: it has crashed, and not yet recovered but will,
    /// or crashes stop nodes.
    pub(crate) fn down(&self, circuit: &mut Circuit, node: ValueId, at: u32) -> Literal {
        match self.crash_model {
            CrashModel::Silent => self.recovering(circuit, node, at),
            CrashModel::Stop => self.off(circuit, &mut self.asked.borrow_mut(), node, at),
        }
    }

    /// True iff what one node sends to another at this time arrives so many steps late: it is
    /// neither lost nor late in another way, and the sender is not off.
    pub(crate) fn travels(&self, circuit: &mut Circuit, (from, to, at, late): Travel) -> Literal {
        if from == to {
            return circuit.and(Vec::new());
        }
        let asked = &mut *self.asked.borrow_mut();
        if let Some(&known) = asked.travels.get(&(from, to, at, late)) {
            return known;
        }
        let mut conditions = Vec::new();
        if late > 0 {
            conditions.push(self.delays[&(from, to, at, late)]);
        } else {
            conditions.extend(self.losses.get(&(from, to, at)).map(|lost| -lost));
            let delays = self.delays.range((from, to, at, 0)..=(from, to, at, u32::MAX));
            conditions.extend(delays.map(|(_, delayed)| -delayed));
        }
        if !self.crashes.is_empty() {
            conditions.push(-self.off(circuit, asked, from, at));
        }
        let mut name = format!("open {}->{} @{at}", self.names[&from], self.names[&to]);
        if late > 0 {
            name.push_str(&format!(" by {late}"));
        }
        let literal = circuit.named_and(name, conditions);
        asked.travels.insert((from, to, at, late), literal);
        literal
    }

    /// The clauses that must hold besides definitions: what excludes each other, what a recovery
    /// needs, and no more crashes and recoveries than may be.
    pub(crate) fn budget(&self, bounds: &Bounds, circuit: &mut Circuit) -> Vec<Vec<Literal>> {
        let mut clauses = Vec::new();
        for (&(from, to, at), lost) in &self.losses {
            let late = self.delays.range((from, to, at, 0)..=(from, to, at, u32::MAX));
            let fates: Vec<Literal> =
                std::iter::once(lost).chain(late.map(|entry| entry.1)).copied().collect();
            clauses.extend(at_most_one(&fates));
        }
        for others in &self.others {
            clauses.extend(at_most_one(others));
        }
        let (mut crashed, mut recovered) = (Vec::new(), Vec::new());
        for (node, name) in &self.names {
            let crashes = self.times(&self.crashes, *node);
            clauses.extend(at_most_one(&crashes));
            if !crashes.is_empty() {
                crashed.push(circuit.named_or(format!("crashed {name}"), crashes));
            }
            let recoveries = self.times(&self.recoveries, *node);
            clauses.extend(at_most_one(&recoveries));
            if !recoveries.is_empty() {
                recovered.push(circuit.named_or(format!("recovered {name}"), recoveries));
            }
        }
        for (&(node, at), &recovers) in &self.recoveries {
            let asked = &mut *self.asked.borrow_mut();
            clauses.push(vec![-recovers, self.crashed(circuit, asked, node, at - 1)]);
        }
        for (nodes, most) in [(crashed, bounds.crashes), (recovered, bounds.recoveries)] {
            let at_least = circuit.at_least(&nodes);
            if let Some(&too_many) = at_least.get((most as usize).saturating_add(1)) {
                clauses.push(vec![-too_many]);
            }
        }
        clauses
    }

    /// The faults of a node, by time.
    fn times(&self, faults: &BTreeMap<NodeAt, Literal>, node: ValueId) -> Vec<Literal> {
        faults.range((node, 0)..=(node, u32::MAX)).map(|entry| *entry.1).collect()
    }
}

/// How many steps late what is sent at this time may arrive: 0 from EFF on, and never so late that it
/// arrives after the run.
pub(crate) fn delay_max(bounds: &Bounds, at: u32) -> u32 {
    if at >= bounds.eff || at >= bounds.eot {
        return 0;
    }
    bounds.max_delay.min(bounds.eot - at - 1)
}

/// True iff one of the faults strikes the node at this time or before.
fn until(
    faults: &BTreeMap<NodeAt, Literal>,
    known: &mut BTreeMap<NodeAt, Literal>,
    circuit: &mut Circuit,
    node: ValueId,
    at: u32,
    name: impl Fn() -> String,
) -> Literal {
    if let Some(&literal) = known.get(&(node, at)) {
        return literal;
    }
    let strikes: Vec<Literal> =
        faults.range((node, 0)..=(node, at)).map(|entry| *entry.1).collect();
    let literal = circuit.named_or(name(), strikes);
    known.insert((node, at), literal);
    literal
}

fn at_most_one(literals: &[Literal]) -> Vec<Vec<Literal>> {
    let pairs = literals.iter().enumerate().flat_map(|(index, first)| {
        literals[index + 1..].iter().map(move |second| vec![-first, -second])
    });
    pairs.collect()
}
