//! Questions about the order of events, answered from the graph on demand.

use std::collections::BTreeMap;

use linchpin_tracer::NodeId;
use serde::{Deserialize, Serialize};

use crate::graph::{EventId, Graph, Track};

/// What counts as ordered within a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Order {
    /// Each thread alone: for pictures. Misses what threads tell each other through memory.
    Thread,
    /// All earlier events of the process: for lineage. Over-approximates.
    Process,
}

/// A vector clock: for each thread (or process, by the order asked for) how many of its events are
/// known. Absent: none.
pub type Clock = BTreeMap<Track, u32>;

impl Graph {
    /// Direct predecessors under an order.
    pub fn before(&self, id: EventId, order: Order) -> impl Iterator<Item = EventId> + '_ {
        let own = match order {
            Order::Thread => [self.before_in_thread(id), None],
            // An exec continues the thread that called it; the process order has both already.
            Order::Process => [self.before_in_process(id), self.before_in_thread(id)],
        };
        own.into_iter().flatten().chain(self.causes(id).iter().map(|edge| edge.from))
    }

    /// Every event that happens before `id`, itself included, ascending.
    pub fn past(&self, id: EventId, order: Order) -> Vec<EventId> {
        let mut seen = vec![false; self.len()];
        let mut open = vec![id];
        seen[id.index()] = true;
        while let Some(at) = open.pop() {
            for before in self.before(at, order) {
                if !std::mem::replace(&mut seen[before.index()], true) {
                    open.push(before);
                }
            }
        }
        self.ids().filter(|event| seen[event.index()]).collect()
    }

    /// True if `first` happens before `second` (and is not it). In the order of processes two
    /// numbers are compared; in that of threads, which says less, the past is searched.
    pub fn happens_before(&self, first: EventId, second: EventId, order: Order) -> bool {
        if first == second {
            return false;
        }
        let known = self.index.count(self.process(first), self.process(second), second);
        known > self.index.position(first)
            && (order == Order::Process || self.past(second, order).binary_search(&first).is_ok())
    }

    /// True if neither event can have influenced the other.
    pub fn concurrent(&self, one: EventId, other: EventId, order: Order) -> bool {
        one != other
            && !self.happens_before(one, other, order)
            && !self.happens_before(other, one, order)
    }

    /// The vector clock of one event.
    pub fn clock(&self, id: EventId, order: Order) -> Clock {
        if order == Order::Process {
            let own = self.process(id);
            let counts = (0..self.index.processes())
                .map(|process| (Track(process), self.index.count(Track(process), own, id)));
            return counts.filter(|(_, count)| *count > 0).collect();
        }
        let mut clock = Clock::new();
        for event in self.past(id, order) {
            *clock.entry(self.thread(event)).or_insert(0) += 1;
        }
        clock
    }

    /// What node `node` knew when `event` (an event of any node) happened: the latest event of
    /// every other node that can have influenced `node`'s latest event in `event`'s past.
    pub fn known(&self, node: NodeId, event: EventId) -> BTreeMap<NodeId, EventId> {
        let latest = |event: EventId| {
            let clock = self.clock(event, Order::Process).into_iter();
            clock.filter_map(|(process, count)| self.index.latest(process, count))
        };
        let last = latest(event).filter(|id| self.event(*id).node == node).max();
        let mut known: BTreeMap<NodeId, EventId> = BTreeMap::new();
        for id in last.into_iter().flat_map(latest) {
            let newest = known.entry(self.event(id).node).or_insert(id);
            *newest = id.max(*newest);
        }
        known
    }

    /// The events in an order in which every cause comes before its effects: that of the record,
    /// but for events whose end was seen late.
    pub fn sorted(&self, order: Order) -> Vec<EventId> {
        let mut sorted = Vec::with_capacity(self.len());
        // 0 untouched, 1 open, 2 done; depth first, so that the record's order is kept where it can.
        let mut state = vec![0_u8; self.len()];
        for root in self.ids() {
            let mut open = vec![root];
            while let Some(at) = open.last().copied() {
                match state[at.index()] {
                    0 => {
                        state[at.index()] = 1;
                        let mut before: Vec<EventId> = self.before(at, order).collect();
                        before.sort_unstable_by(|one, other| other.cmp(one));
                        open.extend(before.into_iter().filter(|id| state[id.index()] == 0));
                    }
                    1 => {
                        state[at.index()] = 2;
                        sorted.push(at);
                        open.pop();
                    }
                    _ => {
                        open.pop();
                    }
                }
            }
        }
        sorted
    }
}
