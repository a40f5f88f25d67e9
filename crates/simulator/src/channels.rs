//! Which messages arrive: under given faults, and as a condition on faults.

use linchpin_formula::{Graph, Literal, Variable};
use linchpin_model::{CrashModel, Fault, FaultSet};

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
    /// How many steps late.
    late: Vec<u32>,
    /// Per node: the time of its crash, or `u32::MAX`.
    crash: Vec<u32>,
    /// Per node: the time of its recovery, or `u32::MAX`.
    recovery: Vec<u32>,
    /// The alternatives of inputs that are chosen.
    inputs: Vec<Fault>,
    model: CrashModel,
}

/// How a row comes to a node from an earlier step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// As a message, or as an input after the first step: lost on a node that is down.
    Received,
    /// As state, by a rule with `@next` or because it is there in the first step. True if the
    /// relation is durable.
    State(bool),
}

impl Channels {
    pub(crate) fn new(compiled: &Compiled, faults: &FaultSet) -> Self {
        let shape = Shape::of(compiled);
        let mut lost = vec![false; shape.size()];
        let mut late = vec![0; shape.size()];
        let mut crash = vec![u32::MAX; shape.node_count];
        let mut recovery = vec![u32::MAX; shape.node_count];
        let mut inputs = Vec::new();
        let node = |name: &str| {
            compiled.bounds.nodes.iter().position(|node| node == name).expect("faults were checked")
        };
        for fault in faults.iter() {
            match fault {
                Fault::Omission { from, to, at } => {
                    lost[shape.place(node(from), node(to), *at)] = true;
                }
                Fault::Delay { from, to, at, by } => {
                    late[shape.place(node(from), node(to), *at)] = *by;
                }
                Fault::Crash { node: name, at } => crash[node(name)] = *at,
                Fault::Recovery { node: name, at } => recovery[node(name)] = *at,
                Fault::Input { .. } => inputs.push(fault.clone()),
            }
        }
        Self { shape, lost, late, crash, recovery, inputs, model: compiled.bounds.crash_model }
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

    /// A time up to which the run is the same under both (that time included, but for what is
    /// derived then for later times): before it nothing is sent that may be lost or late under one
    /// and not under the other, and nothing that is still under way after it. 0 if the program can
    /// see from the start that they differ, or if some node is down at some time; `u32::MAX` if they
    /// do not differ.
    pub(crate) fn first_difference(&self, other: &Self, crash_is_read: bool) -> u32 {
        if (crash_is_read && self.crash != other.crash)
            || self.recovery != other.recovery
            || self.inputs != other.inputs
            || self.any_down()
            || other.any_down()
        {
            return 0;
        }
        let channels = self.shape.node_count * self.shape.node_count;
        let time_of =
            |place: Option<usize>| place.map_or(u32::MAX, |place| (place / channels) as u32 + 1);
        let lost = self.lost.iter().zip(&other.lost).position(|(left, right)| left != right);
        let late = self.late.iter().zip(&other.late).position(|(left, right)| left.max(right) > &0);
        let crashes = self.crash.iter().zip(&other.crash).filter(|(left, right)| left != right);
        let first = time_of(lost).min(time_of(late));
        crashes.map(|(&left, &right)| left.min(right)).fold(first, u32::min)
    }

    /// How many steps what `from` sends to `to` at `time` travels, if it arrives (1 if it is not
    /// late); perhaps beyond the end of the run.
    pub(crate) fn travel(&self, from: usize, to: usize, time: u32) -> Option<u32> {
        if from == to {
            return Some(1);
        }
        let place = self.shape.place(from, to, time);
        let sent = !self.is_crashed(from, time) && !self.lost[place];
        sent.then(|| self.late[place].saturating_add(1))
    }

    /// True if nothing sent by the node at this time arrives because it crashed.
    pub(crate) fn is_crashed(&self, node: usize, time: u32) -> bool {
        self.crash[node] <= time && time < self.recovery[node]
    }

    /// True if the node does nothing at this time: it has crashed and will recover, or crashes are
    /// taken to stop nodes. False for what is no node.
    pub(crate) fn is_down(&self, node: usize, time: u32) -> bool {
        let does_nothing = |&recovery: &u32| {
            self.is_crashed(node, time) && (recovery != u32::MAX || self.model == CrashModel::Stop)
        };
        self.recovery.get(node).is_some_and(does_nothing)
    }

    /// True if a row that comes to the node is there at this time, whether or not it is down.
    pub(crate) fn takes(&self, node: usize, time: u32, entry: Entry) -> bool {
        !self.is_down(node, time)
            || match entry {
                Entry::Received => false,
                Entry::State(durable) => durable || self.recovery[node] == u32::MAX,
            }
    }

    /// True if some node is down at some time.
    pub(crate) fn any_down(&self) -> bool {
        (0..self.shape.node_count).any(|node| self.is_down(node, self.crash[node]))
    }
}

/// The same for all fault sets at once.
#[derive(Clone, Debug)]
pub(crate) struct ChannelConditions {
    shape: Shape,
    /// Per place: how many steps what is sent may travel, each with its condition. Conditions of
    /// one place exclude each other within the bounds.
    travels: Vec<Vec<(u32, Literal)>>,
    /// Per time - 1, then node: the crash at exactly that time.
    crash: Vec<Vec<Literal>>,
    /// Every recovery.
    recoveries: Vec<Literal>,
    /// Per time - 1, then node: it has crashed and will recover, or it has stopped for good.
    down: Vec<Vec<Down>>,
}

/// When a node does nothing at a time. The two exclude each other.
#[derive(Clone, Copy, Debug)]
struct Down {
    /// It has crashed and will recover.
    recovering: Literal,
    /// It has stopped for good.
    stopped: Literal,
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
        let mut travels = vec![vec![(1, Literal::TRUE)]; shape.size()];
        let mut crash = Vec::new();
        let mut crashed = vec![Literal::FALSE; shape.node_count];
        let mut recovered = vec![Literal::FALSE; shape.node_count];
        // By node: the recoveries at each time, and whether there is one after it.
        let mut recovery: Vec<Vec<Literal>> = Vec::new();
        let mut later: Vec<Vec<Literal>> = Vec::new();
        for name in nodes {
            let at: Vec<Literal> = (1..=shape.eot)
                .map(|time| match compiled.bounds.recoveries {
                    0 => Literal::FALSE,
                    _ => condition(graph, &Fault::recovery(name, time)),
                })
                .collect();
            let mut after = vec![Literal::FALSE; at.len()];
            for index in (1..at.len()).rev() {
                after[index - 1] = graph.or([after[index], at[index]]);
            }
            recovery.push(at);
            later.push(after);
        }
        let mut down = Vec::new();
        for now in 1..=shape.eot {
            let mut crash_now = Vec::new();
            let mut down_now = Vec::new();
            for (from, name) in nodes.iter().enumerate() {
                let crashes = condition(graph, &Fault::crash(name, now));
                crash_now.push(crashes);
                crashed[from] = graph.or([crashed[from], crashes]);
                recovered[from] = graph.or([recovered[from], recovery[from][now as usize - 1]]);
                let recovers = later[from][now as usize - 1];
                let recovering = graph.and([crashed[from], recovers]);
                let stopped = match compiled.bounds.crash_model {
                    CrashModel::Silent => Literal::FALSE,
                    CrashModel::Stop => graph.and([crashed[from], !recovers, !recovered[from]]),
                };
                down_now.push(Down { recovering, stopped });
                let silent = graph.and([crashed[from], !recovered[from]]);
                for (to, receiver) in nodes.iter().enumerate().filter(|(to, _)| *to != from) {
                    let sent = !silent;
                    // None is lost from EFF on.
                    let lost = match now < compiled.bounds.eff {
                        true => condition(graph, &Fault::omission(name, receiver, now)),
                        false => Literal::FALSE,
                    };
                    let mut on_time = vec![sent, !lost];
                    let mut ways = vec![(1, Literal::FALSE)];
                    for by in 1..=compiled.bounds.delay_max(now) {
                        let late = condition(graph, &Fault::delay(name, receiver, now, by));
                        on_time.push(!late);
                        ways.push((1 + by, graph.and([sent, late])));
                    }
                    ways[0].1 = graph.and(on_time);
                    travels[shape.place(from, to, now)] = ways;
                }
            }
            crash.push(crash_now);
            down.push(down_now);
        }
        let recoveries = recovery.into_iter().flatten();
        let recoveries = recoveries.filter(|&literal| literal != Literal::FALSE).collect();
        Self { shape, travels, crash, recoveries, down }
    }

    /// How many steps what `from` sends to `to` at `time` may travel, each with its condition.
    pub(crate) fn travels(&self, from: usize, to: usize, time: u32) -> &[(u32, Literal)] {
        &self.travels[self.shape.place(from, to, time)]
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

    /// Every condition of a crash or a recovery.
    pub(crate) fn crashes(&self) -> impl Iterator<Item = Literal> {
        let crashes = self.crash.iter().flatten().copied();
        let crashes = crashes.filter(|&literal| literal != Literal::FALSE);
        crashes.chain(self.recoveries.iter().copied())
    }

    fn down_at(&self, node: usize, time: u32) -> Down {
        let down = self.down.get(time as usize - 1).and_then(|nodes| nodes.get(node));
        down.copied().unwrap_or(Down { recovering: Literal::FALSE, stopped: Literal::FALSE })
    }

    /// The condition that the node does something at this time; true for what is no node.
    pub(crate) fn up(&self, graph: &mut Graph, node: usize, time: u32) -> Literal {
        let Down { recovering, stopped } = self.down_at(node, time);
        graph.and([!recovering, !stopped])
    }

    /// The condition that a row that comes to the node is there at this time.
    pub(crate) fn takes(&self, graph: &mut Graph, node: usize, time: u32, entry: Entry) -> Literal {
        match entry {
            Entry::Received => self.up(graph, node, time),
            Entry::State(true) => Literal::TRUE,
            Entry::State(false) => !self.down_at(node, time).recovering,
        }
    }

    /// The condition that the node is down at this time and state that came to it stands still.
    pub(crate) fn keeps(
        &self,
        graph: &mut Graph,
        node: usize,
        time: u32,
        durable: bool,
    ) -> Literal {
        let Down { recovering, stopped } = self.down_at(node, time);
        if durable { graph.or([recovering, stopped]) } else { stopped }
    }

    /// True if some node may be down at some time.
    pub(crate) fn any_down(&self) -> bool {
        let is_possible =
            |down: &Down| down.recovering != Literal::FALSE || down.stopped != Literal::FALSE;
        self.down.iter().flatten().any(is_possible)
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
