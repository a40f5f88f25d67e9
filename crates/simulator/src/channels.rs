//! Which messages arrive: under given faults, and as a condition on faults.

use linchpin_formula::{Graph, Literal, Variable};
use linchpin_model::{Fault, FaultSet};

use crate::compiled::Compiled;
use crate::value::{Interner, Symbol};

/// A place for each time step, sender and receiver.
#[derive(Clone, Copy, Debug)]
struct Shape {
    node_count: usize,
    eot: u32,
}

impl Shape {
    fn of(compiled: &Compiled) -> Self {
        Self { node_count: compiled.node_count(), eot: compiled.bounds.eot }
    }

    fn size(self) -> usize {
        self.node_count * self.node_count * self.eot as usize
    }

    fn place(self, from: usize, to: usize, time: u32) -> usize {
        ((time as usize - 1) * self.node_count + from) * self.node_count + to
    }
}

/// The faults of one run, ready to be asked.
#[derive(Clone, Debug)]
pub(crate) struct Channels {
    shape: Shape,
    lost: Vec<bool>,
    /// Per node: the time of its crash, or `u32::MAX`.
    crash: Vec<u32>,
}

impl Channels {
    pub(crate) fn new(compiled: &Compiled, faults: &FaultSet) -> Self {
        let shape = Shape::of(compiled);
        let mut lost = vec![false; shape.size()];
        let mut crash = vec![u32::MAX; shape.node_count];
        let node = |name: &str| {
            compiled.bounds.nodes.iter().position(|node| node == name).expect("faults were checked")
        };
        for fault in faults.iter() {
            match fault {
                Fault::Omission { from, to, at } => {
                    lost[shape.place(node(from), node(to), *at)] = true;
                }
                Fault::Crash { node: name, at } => crash[node(name)] = *at,
            }
        }
        Self { shape, lost, crash }
    }

    /// The rows of the relation `crash`: observer, node, time.
    pub(crate) fn crash_rows(&self, interner: &mut Interner) -> Vec<[Symbol; 3]> {
        let mut rows = Vec::new();
        for observer in 0..self.shape.node_count {
            for (node, &at) in self.crash.iter().enumerate().filter(|(_, at)| **at != u32::MAX) {
                rows.push([observer as Symbol, node as Symbol, interner.integer(i64::from(at))]);
            }
        }
        rows
    }

    /// The first time at which some channel may be open under one and not under the other; 0 if
    /// the program can see from the start that they differ, `u32::MAX` if they do not.
    pub(crate) fn first_difference(&self, other: &Self, crash_is_read: bool) -> u32 {
        if crash_is_read && self.crash != other.crash {
            return 0;
        }
        let channels = self.shape.node_count * self.shape.node_count;
        let lost = self.lost.iter().zip(&other.lost).position(|(left, right)| left != right);
        let lost = lost.map_or(u32::MAX, |place| (place / channels) as u32 + 1);
        let crashes = self.crash.iter().zip(&other.crash).filter(|(left, right)| left != right);
        crashes.map(|(&left, &right)| left.min(right)).fold(lost, u32::min)
    }

    /// True if what `from` sends to `to` at `time` arrives.
    pub(crate) fn is_open(&self, from: usize, to: usize, time: u32) -> bool {
        from == to || (self.crash[from] > time && !self.lost[self.shape.place(from, to, time)])
    }

    /// True if nothing sent by the node at this time arrives because it crashed.
    pub(crate) fn is_crashed(&self, node: usize, time: u32) -> bool {
        self.crash[node] <= time
    }
}

/// The same for all fault sets at once.
#[derive(Clone, Debug)]
pub(crate) struct ChannelConditions {
    shape: Shape,
    open: Vec<Literal>,
    /// Per time - 1, then node: the crash at exactly that time.
    crash: Vec<Vec<Literal>>,
}

impl ChannelConditions {
    pub(crate) fn new(
        compiled: &Compiled,
        graph: &mut Graph,
        variable_of: &dyn Fn(&Fault) -> Option<Variable>,
    ) -> Self {
        let shape = Shape::of(compiled);
        let condition = |graph: &mut Graph, fault: &Fault| {
            variable_of(fault).map_or(Literal::FALSE, |variable| graph.variable(variable))
        };
        let nodes = &compiled.bounds.nodes;
        let mut open = vec![Literal::TRUE; shape.size()];
        let mut crash = Vec::new();
        let mut crashed = vec![Literal::FALSE; shape.node_count];
        for now in 1..=shape.eot {
            let mut crash_now = Vec::new();
            for (from, name) in nodes.iter().enumerate() {
                let crashes = condition(graph, &Fault::crash(name, now));
                crash_now.push(crashes);
                crashed[from] = graph.or([crashed[from], crashes]);
                for (to, receiver) in nodes.iter().enumerate().filter(|(to, _)| *to != from) {
                    let lost = condition(graph, &Fault::omission(name, receiver, now));
                    open[shape.place(from, to, now)] = graph.and([!lost, !crashed[from]]);
                }
            }
            crash.push(crash_now);
        }
        Self { shape, open, crash }
    }

    /// The condition that what `from` sends to `to` at `time` arrives.
    pub(crate) fn open(&self, from: usize, to: usize, time: u32) -> Literal {
        self.open[self.shape.place(from, to, time)]
    }

    /// The possible rows of the relation `crash`, with their conditions.
    pub(crate) fn crash_rows(&self, interner: &mut Interner) -> Vec<([Symbol; 3], Literal)> {
        let mut rows = Vec::new();
        for (step, crash_now) in self.crash.iter().enumerate() {
            let at = interner.integer(step as i64 + 1);
            for (node, &crashes) in
                crash_now.iter().enumerate().filter(|(_, crashes)| **crashes != Literal::FALSE)
            {
                for observer in 0..self.shape.node_count {
                    rows.push(([observer as Symbol, node as Symbol, at], crashes));
                }
            }
        }
        rows
    }

    /// Every condition of a crash.
    pub(crate) fn crashes(&self) -> impl Iterator<Item = Literal> {
        self.crash.iter().flatten().copied().filter(|&literal| literal != Literal::FALSE)
    }
}

/// The channels over which something was sent in a run.
#[derive(Clone, Debug)]
pub(crate) struct Traffic {
    shape: Shape,
    used: Vec<bool>,
}

impl Traffic {
    pub(crate) fn new(compiled: &Compiled) -> Self {
        let shape = Shape::of(compiled);
        Self { shape, used: vec![false; shape.size()] }
    }

    pub(crate) fn note(&mut self, from: usize, to: usize, time: u32) {
        self.used[self.shape.place(from, to, time)] = true;
    }

    /// Sender, receiver and time of every channel used between two nodes.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (usize, usize, u32)> {
        let Shape { node_count, eot } = self.shape;
        (1..=eot)
            .flat_map(move |time| (0..node_count).map(move |from| (time, from)))
            .flat_map(move |(time, from)| (0..node_count).map(move |to| (from, to, time)))
            .filter(|&(from, to, time)| from != to && self.used[self.shape.place(from, to, time)])
    }
}
