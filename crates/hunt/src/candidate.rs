//! The faults worth considering: cut points, read off the events of a run.
//!
//! A crash between two events that others can see is the same wherever between them it happens, so
//! there is one per gap. Events that differ only in their number (retries, polls, heartbeats) fold:
//! the first, the second and the last of a class stand for all.

use std::collections::{BTreeMap, BTreeSet};

use crate::event::{EventName, MessageName};
use crate::fault::{Budgets, Fault, Kind, Moment, Trigger};
use crate::trace::Indexed;

/// Lengths of time a fault may need.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Durations {
    /// How long a pause lasts, in milliseconds: longer than the timeouts of the system.
    pub pause_ms: u64,
    /// How late a message is, in milliseconds.
    pub delay_ms: u64,
    /// Until a node is started again, in milliseconds.
    pub restart_ms: u64,
}

impl Default for Durations {
    fn default() -> Self {
        Self { pause_ms: 3000, delay_ms: 1000, restart_ms: 1000 }
    }
}

/// Nodes up to which every way to split them is considered; of more, single nodes are cut off.
const SPLIT_NODES_MAX: usize = 5;

/// The faults that the budgets allow at the events of a trace, in the order of these events.
pub(crate) fn candidates(trace: &Indexed, budgets: &Budgets, durations: Durations) -> Vec<Fault> {
    let mut found = Finder { trace, budgets, durations, faults: BTreeMap::new() };
    let mut alike: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (node, entry) in trace.trace.nodes.iter().enumerate() {
        if !entry.is_client {
            alike.entry(trace.roles.node(&entry.name)).or_default().push(node);
        }
    }
    for (name, nodes) in alike {
        found.node_faults(&nodes, name);
    }
    found.links();
    found.partitions();
    found.files();
    found.faults.into_values().flatten().collect()
}

/// The kinds of the events before and after a gap.
type GapKind = (Option<EventName>, Option<EventName>);

struct Finder<'a> {
    trace: &'a Indexed,
    budgets: &'a Budgets,
    durations: Durations,
    /// By the position of their event, so that candidates come in the order of the run.
    faults: BTreeMap<usize, Vec<Fault>>,
}

impl Finder<'_> {
    fn allows(&self, kind: Kind) -> bool {
        self.budgets.of(kind) > 0 && self.budgets.total > 0
    }

    fn add(&mut self, at: usize, fault: Fault) {
        self.faults.entry(at).or_default().push(fault);
    }

    fn in_window(&self, event: usize) -> bool {
        (self.trace.trace.begin..self.trace.trace.end).contains(&event)
    }

    fn frequency(&self, event: usize) -> u32 {
        self.trace.frequency[&self.trace.called[event].kind()]
    }

    fn trigger(&self, moment: Moment, event: usize) -> Trigger {
        Trigger { moment, event: self.trace.called[event].clone() }
    }

    /// The gaps between visible events of a node, each named by the end that says more; with the kinds of
    /// both ends.
    fn gaps(&self, node: usize) -> Vec<(GapKind, (usize, Trigger))> {
        let visible: Vec<usize> = self.trace.by_node[node]
            .iter()
            .copied()
            .filter(|&event| self.trace.name(event).is_visible())
            .collect();
        let mut gaps = Vec::new();
        let mut last = None;
        for &event in visible.iter().filter(|event| **event < self.trace.trace.end) {
            if event >= self.trace.trace.begin {
                // A rare event names its neighbourhood better than one of many heartbeats. Of two that are equally
                // rare the earlier one does, if the node was told something in between: who else is told what
                // before the later one is another matter in each run.
                let is_told = |last| self.trace.prompt[event].is_some_and(|told| told > last);
                let named_by = last.filter(|&last: &usize| {
                    let (one, other) = (self.frequency(last), self.frequency(event));
                    self.in_window(last) && (one < other || one == other && is_told(last))
                });
                let kinds = (
                    last.map(|last| self.trace.called[last].kind()),
                    Some(self.trace.called[event].kind()),
                );
                let trigger = match named_by {
                    Some(last) => self.trigger(Moment::After, last),
                    None => self.trigger(Moment::Before, event),
                };
                gaps.push((kinds, (named_by.unwrap_or(event), trigger)));
            }
            last = Some(event);
        }
        if let Some(last) = last.filter(|&last| self.in_window(last)) {
            let kinds = (Some(self.trace.called[last].kind()), None);
            gaps.push((kinds, (last, self.trigger(Moment::After, last))));
        }
        gaps
    }

    /// Faults of a node, or of whichever of several.
    fn node_faults(&mut self, nodes: &[usize], name: &str) {
        let kinds = [Kind::Crash, Kind::SilentCrash, Kind::PowerLoss, Kind::Restart, Kind::Pause];
        let kinds = kinds.into_iter().filter(|kind| self.allows(*kind)).collect::<Vec<_>>();
        if kinds.is_empty() {
            return;
        }
        let mut gaps: Vec<_> = nodes.iter().flat_map(|node| self.gaps(*node)).collect();
        gaps.sort_by_key(|(_, (event, _))| *event);
        for (event, at) in representatives(gaps) {
            for &kind in &kinds {
                let duration_ms = match kind {
                    Kind::Pause => self.durations.pause_ms,
                    Kind::Restart | Kind::PowerLoss => self.durations.restart_ms,
                    _ => 0,
                };
                let fault = Fault::Node { kind, node: name.into(), at: at.clone(), duration_ms };
                self.add(event, fault);
            }
        }
    }

    /// Sends between two nodes, or a node and the workload, within the run proper.
    fn sends(&self, is_wanted: impl Fn(&str, &str) -> bool) -> Vec<(EventName, usize)> {
        let sends = (0..self.trace.len()).filter(|&event| self.in_window(event));
        let sends = sends.filter(|&event| match self.trace.name(event) {
            EventName::Send(message) => is_wanted(&message.from, &message.to),
            _ => false,
        });
        representatives(sends.map(|event| (self.trace.called[event].kind(), event)).collect())
            .into_iter()
            .map(|event| (self.trace.called[event].clone(), event))
            .collect()
    }

    fn links(&mut self) {
        // What the client cannot hear, the system cannot be held to; so links between nodes only,
        // and from the client to a node, but not back.
        let clients: BTreeSet<String> = self.clients();
        for (name, event) in self.sends(|_, to| !clients.contains(to)) {
            let Some(message) = name.message().cloned() else { continue };
            if self.allows(Kind::Stall) {
                let at = self.trigger(Moment::Before, event);
                let (from, to) = (message.from.clone(), message.to.clone());
                self.add(event, Fault::Stall { from, to, at });
            }
            let is_datagram = self.trace.trace.events[event].is_datagram;
            if self.allows(Kind::Loss) && is_datagram {
                self.add(event, Fault::Loss { message: message.clone() });
            }
            if self.allows(Kind::Duplicate) && is_datagram {
                self.add(event, Fault::Duplicate { message: message.clone() });
            }
            if self.allows(Kind::Corrupt) {
                self.add(event, Fault::Corrupt { message: message.clone() });
            }
            if !is_datagram {
                self.connections(event, &message);
            }
            if self.allows(Kind::Delay) {
                let duration_ms = self.durations.delay_ms;
                self.add(event, Fault::Delay { message, duration_ms });
            }
        }
    }

    /// Faults of the connection over which a message goes.
    fn connections(&mut self, event: usize, message: &MessageName) {
        let (from, to) = (message.from.clone(), message.to.clone());
        if self.allows(Kind::Reset) {
            let at = self.trigger(Moment::Before, event);
            self.add(event, Fault::Reset { from: from.clone(), to: to.clone(), at });
        }
        // Refused is what connects after it: the next message, if each has a connection of its own.
        if self.allows(Kind::Refuse) {
            let at = self.trigger(Moment::After, event);
            self.add(event, Fault::Refuse { from, to, at });
        }
    }

    fn clients(&self) -> BTreeSet<String> {
        let clients = self.trace.trace.nodes.iter().filter(|node| node.is_client);
        clients.map(|node| node.name.clone()).collect()
    }

    fn partitions(&mut self) {
        if !self.allows(Kind::Partition) {
            return;
        }
        let nodes: Vec<String> = self
            .trace
            .trace
            .nodes
            .iter()
            .filter(|node| !node.is_client)
            .map(|node| node.name.clone())
            .collect();
        for one in splits(&nodes) {
            let other: BTreeSet<String> =
                nodes.iter().filter(|node| !one.contains(*node)).cloned().collect();
            let crossing = self.sends(|from, to| {
                one.contains(from) && other.contains(to) || other.contains(from) && one.contains(to)
            });
            for (_, event) in crossing {
                let at = self.trigger(Moment::Before, event);
                self.add(event, Fault::Partition { one: one.clone(), other: other.clone(), at });
            }
        }
    }

    fn files(&mut self) {
        if !self.allows(Kind::Error) {
            return;
        }
        let events: Vec<(EventName, usize)> = (0..self.trace.len())
            .filter(|&event| self.in_window(event))
            .filter(|&event| {
                matches!(self.trace.name(event), EventName::Write { .. } | EventName::Sync { .. })
            })
            .map(|event| (self.trace.called[event].kind(), event))
            .collect();
        for event in representatives(events) {
            let name = self.trace.called[event].clone();
            let error = if matches!(name, EventName::Sync { .. }) { "EIO" } else { "ENOSPC" };
            self.add(event, Fault::Error { event: name, error: error.into() });
        }
    }
}

/// Of each class the first, the second and the last.
fn representatives<K: Ord, T>(items: Vec<(K, T)>) -> Vec<T> {
    let mut counts: BTreeMap<&K, usize> = BTreeMap::new();
    let numbers: Vec<usize> = items
        .iter()
        .map(|(class, _)| {
            let count = counts.entry(class).or_default();
            *count += 1;
            *count
        })
        .collect();
    let keep: Vec<bool> = items
        .iter()
        .zip(&numbers)
        .map(|((class, _), &number)| number <= 2 || number == counts[class])
        .collect();
    items.into_iter().zip(keep).filter(|(_, keep)| *keep).map(|((_, item), _)| item).collect()
}

/// The smaller sides of the ways to split nodes in two; of two equal sides that with the first node.
fn splits(nodes: &[String]) -> Vec<BTreeSet<String>> {
    if nodes.len() < 2 {
        return Vec::new();
    }
    if nodes.len() > SPLIT_NODES_MAX {
        return nodes.iter().map(|node| BTreeSet::from([node.clone()])).collect();
    }
    let mut sides: Vec<BTreeSet<String>> = (1_u32..1 << nodes.len())
        .filter(|bits| {
            let size = bits.count_ones() as usize;
            2 * size < nodes.len() || 2 * size == nodes.len() && bits & 1 == 1
        })
        .map(|bits| {
            let inside = nodes.iter().enumerate().filter(|(index, _)| bits >> index & 1 == 1);
            inside.map(|(_, node)| node.clone()).collect()
        })
        .collect();
    sides.sort_by_key(BTreeSet::len);
    sides
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_the_second_and_the_last_of_a_class_stand_for_all() {
        let items = vec![("x", 1), ("x", 2), ("y", 3), ("x", 4), ("x", 5), ("x", 6)];
        assert_eq!(representatives(items), [1, 2, 3, 6]);
    }

    #[test]
    fn nodes_are_split_once_each_way() {
        let names = |count: usize| (0..count).map(|n| n.to_string()).collect::<Vec<_>>();
        let counts: Vec<usize> = (0..8).map(|count| splits(&names(count)).len()).collect();
        // Halves of 2^n - 2 subsets; from six nodes on one by one.
        assert_eq!(counts, [0, 0, 1, 3, 7, 15, 6, 7]);
    }
}
