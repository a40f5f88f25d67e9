//! What the hunt keeps of a run: its visible events, their order, and who carried which value.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::alike::alike;
use crate::event::EventName;
use crate::event_set::EventSet;
use crate::roles::{Roles, members};

/// A part of the system, or the workload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Its name in faults.
    pub name: String,
    /// Nodes of one group are interchangeable.
    pub group: Option<String>,
    /// It belongs to the workload: it never fails, and what it knows keeps no value.
    pub is_client: bool,
}

/// One event of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceEvent {
    /// Its name.
    pub name: EventName,
    /// The sends whose bytes a receive returned, as positions in the trace.
    pub causes: Vec<usize>,
    /// Other events that happen before it: connects, ends of streams. Positions in the trace.
    pub after: Vec<usize>,
    /// The values written by the workload that it carries. A sync carries what it made durable.
    pub tokens: BTreeSet<String>,
    /// It is a datagram, which may be lost alone.
    pub is_datagram: bool,
}

/// An operation the system said it had done: what the invariant can hold the system to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Acknowledgement {
    /// The client's event that asked for it.
    pub request: usize,
    /// The client's event that learned of its success.
    pub answer: usize,
    /// The values it is about.
    pub tokens: BTreeSet<String>,
}

/// The happens-before order of one run at the boundaries of its nodes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// The nodes.
    pub nodes: Vec<Node>,
    /// The events; each after its causes.
    pub events: Vec<TraceEvent>,
    /// What the system acknowledged.
    pub acknowledgements: Vec<Acknowledgement>,
    /// The client's events in which it learned the final state. Empty if that was not seen.
    pub outcome: Vec<usize>,
    /// The first event of the workload.
    pub begin: usize,
    /// The first event after faults were healed: the check begins.
    pub end: usize,
}

/// Why a trace makes no sense.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TraceError {
    /// Occurs when an event names a node that is not listed.
    #[error("event {event}, `{name}`, happens at no node of the trace")]
    UnknownNode {
        /// Its position.
        event: usize,
        /// Its name.
        name: EventName,
    },
    /// Occurs when an event comes before its cause, or refers to one that does not exist.
    #[error("event {event} comes before its cause {cause}")]
    CauseLater {
        /// Its position.
        event: usize,
        /// The position of its cause.
        cause: usize,
    },
    /// Occurs when an acknowledgement or the outcome refers to an event that does not exist.
    #[error("the trace has {count} events, but refers to event {event}")]
    NoSuchEvent {
        /// The position.
        event: usize,
        /// The number of events.
        count: usize,
    },
}

impl Trace {
    /// Checks that the trace makes sense.
    ///
    /// # Errors
    /// The first way in which it does not.
    pub fn check(&self) -> Result<(), TraceError> {
        let count = self.events.len();
        for (event, entry) in self.events.iter().enumerate() {
            if !self.nodes.iter().any(|node| node.name == entry.name.node()) {
                return Err(TraceError::UnknownNode { event, name: entry.name.clone() });
            }
            if let Some(&cause) =
                entry.causes.iter().chain(&entry.after).find(|&&cause| cause >= event)
            {
                return Err(TraceError::CauseLater { event, cause });
            }
        }
        let acknowledged = self.acknowledgements.iter().flat_map(|ack| [ack.request, ack.answer]);
        let mut referred = acknowledged.chain(self.outcome.iter().copied());
        match referred.find(|&event| event >= count) {
            Some(event) => Err(TraceError::NoSuchEvent { event, count }),
            None => Ok(()),
        }
    }
}

/// A trace with what is asked of it again and again.
#[derive(Clone, Debug)]
pub(crate) struct Indexed {
    pub(crate) trace: Trace,
    /// Per event: the node it happens at, as a position in the list of nodes.
    pub(crate) node_of: Vec<usize>,
    /// Per event: the event before it at its node.
    pub(crate) before: Vec<Option<usize>>,
    /// Per event that others can see: the last receive before it at its node, which may have
    /// prompted it.
    pub(crate) prompt: Vec<Option<usize>>,
    /// Per node: its events.
    pub(crate) by_node: Vec<Vec<usize>>,
    /// Per event: what faults call it. See [`Roles`].
    pub(crate) called: Vec<EventName>,
    /// Under both names.
    pub(crate) positions: BTreeMap<EventName, usize>,
    pub(crate) roles: Roles,
    /// Per send: the first event that received it.
    pub(crate) received: Vec<Option<usize>>,
    /// Per receive: others that may stand for it. See [`alike`].
    pub(crate) alike: Vec<Vec<usize>>,
    /// How often events of a kind occur, under both names.
    pub(crate) frequency: BTreeMap<EventName, u32>,
}

impl Indexed {
    pub(crate) fn new(trace: Trace) -> Result<Self, TraceError> {
        trace.check()?;
        let names: BTreeMap<&str, usize> =
            trace.nodes.iter().enumerate().map(|(index, node)| (&*node.name, index)).collect();
        let mut node_of = Vec::with_capacity(trace.events.len());
        let mut before = Vec::with_capacity(trace.events.len());
        let mut by_node: Vec<Vec<usize>> = vec![Vec::new(); trace.nodes.len()];
        let mut positions = BTreeMap::new();
        let mut received = vec![None; trace.events.len()];
        let mut frequency: BTreeMap<EventName, u32> = BTreeMap::new();
        let mut prompt = Vec::with_capacity(trace.events.len());
        let mut heard: Vec<Option<usize>> = vec![None; trace.nodes.len()];
        let roles = Roles::of(&trace.nodes);
        let mut called = Vec::with_capacity(trace.events.len());
        let mut counts: BTreeMap<EventName, u32> = BTreeMap::new();
        for (index, event) in trace.events.iter().enumerate() {
            let node = names[event.name.node()];
            node_of.push(node);
            // Whoever checks asks one after the other, whether or not they answer.
            let is_check = trace.nodes[node].is_client && index >= trace.end;
            prompt.push(heard[node].filter(|_| event.name.is_visible() && !is_check));
            if !event.name.is_visible() {
                heard[node] = Some(index);
            }
            before.push(by_node[node].last().copied());
            by_node[node].push(index);
            let name = called_so(&roles, &event.name, &mut counts);
            positions.entry(event.name.clone()).or_insert(index);
            positions.entry(name.clone()).or_insert(index);
            for kind in BTreeSet::from([event.name.kind(), name.kind()]) {
                *frequency.entry(kind).or_default() += 1;
            }
            called.push(name);
            for &cause in &event.causes {
                received[cause].get_or_insert(index);
            }
        }
        let alike = alike(&trace, &node_of);
        Ok(Self {
            alike,
            node_of,
            before,
            prompt,
            by_node,
            called,
            positions,
            roles,
            received,
            frequency,
            trace,
        })
    }

    pub(crate) fn len(&self) -> usize {
        self.trace.events.len()
    }

    pub(crate) fn name(&self, event: usize) -> &EventName {
        &self.trace.events[event].name
    }

    /// The group of a node that has others like it, else its name.
    pub(crate) fn role(&self, name: &str) -> String {
        let name = members(name).and_then(|mut members| members.next()).unwrap_or(name);
        let node = self.trace.nodes.iter().find(|node| node.name == name);
        match node.and_then(|node| node.group.as_ref()) {
            Some(group) => format!("*{group}"),
            None => name.to_owned(),
        }
    }

    /// What kind of event this is, at nodes up to those like them.
    pub(crate) fn kind_by_role(&self, name: &EventName) -> String {
        match name {
            EventName::Send(message) => {
                let (from, to) = (self.role(&message.from), self.role(&message.to));
                format!("send {from}->{to} {}", message.label)
            }
            EventName::Receive(message) => {
                let (from, to) = (self.role(&message.from), self.role(&message.to));
                format!("recv {to}<-{from} {}", message.label)
            }
            EventName::Write { node, .. } => format!("write {}", self.role(node)),
            EventName::Sync { node, .. } => format!("fsync {}", self.role(node)),
        }
    }

    /// Who sent what the client received in this event.
    pub(crate) fn answerer(&self, event: usize) -> Option<usize> {
        match self.name(event) {
            EventName::Receive(message) => self.node_index(&message.from),
            _ => None,
        }
    }

    pub(crate) fn node_index(&self, name: &str) -> Option<usize> {
        self.trace.nodes.iter().position(|node| node.name == name)
    }

    fn direct_past(&self, event: usize) -> impl Iterator<Item = usize> + '_ {
        let entry = &self.trace.events[event];
        entry.causes.iter().chain(&entry.after).copied().chain(self.before[event])
    }

    /// Everything that happens before these events, themselves included, where all earlier events
    /// of a node come before the later ones. A process has memory we do not see into, so this
    /// leaves out nothing that mattered.
    pub(crate) fn past(&self, events: impl IntoIterator<Item = usize>) -> EventSet {
        let mut past: EventSet = events.into_iter().collect();
        for event in (0..self.len()).rev() {
            if past.contains(event) {
                for cause in self.direct_past(event) {
                    past.insert(cause);
                }
            }
        }
        past
    }

    /// Everything that these events happen before, themselves included.
    pub(crate) fn future(&self, events: impl IntoIterator<Item = usize>) -> EventSet {
        let mut future: EventSet = events.into_iter().collect();
        for event in 0..self.len() {
            let mut causes = self.direct_past(event);
            if causes.any(|cause| future.contains(cause)) {
                future.insert(event);
            }
        }
        future
    }
}

/// What faults call an event: if one of its nodes is one of several alike, it is counted among those of
/// all of them. What has no number (0) has none then either.
fn called_so(roles: &Roles, name: &EventName, counts: &mut BTreeMap<EventName, u32>) -> EventName {
    let mut called = roles.event(name);
    if called == *name || name.occurrence() == 0 {
        return called;
    }
    for kind in called.counted_as() {
        *counts.entry(kind).or_default() += 1;
    }
    called.set_occurrence(counts[&called.kind()]);
    called
}
