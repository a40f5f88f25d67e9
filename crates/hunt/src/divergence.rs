//! Where two runs part: what still happened in both, and the first things that happened in one only.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::event::EventName;
use crate::trace::{Indexed, Trace, TraceError};

/// Events of a kind that occur more often than this are folded: retries, polls, heartbeats. How many
/// there are depends on time, so their number alone makes no difference.
const FOLDED_FROM: u32 = 3;

/// The first difference between two runs, in causal order. (The frontier of differential lineage:
/// Oldenburg et al., "Nemo", CIDR 2019, here over happens-before and names of events.)
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Divergence {
    /// Events of the good run that the bad one lacks, though it has everything that happened before
    /// them; at most one per node, in the order of the good run.
    pub lacking: Vec<Parting>,
    /// The same the other way round: events of the bad run only, in its order.
    pub new: Vec<Parting>,
}

/// An event at which a run parts from another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parting {
    /// Its position in the trace of its run.
    pub position: usize,
    /// Its name.
    pub event: EventName,
    /// The event before it at its node, which both runs have, as a position in the same trace.
    pub after: Option<usize>,
}

impl Divergence {
    /// Compares two runs.
    ///
    /// # Errors
    /// If a trace makes no sense.
    pub fn between(good: &Trace, bad: &Trace) -> Result<Self, TraceError> {
        let (good, bad) = (Indexed::new(good.clone())?, Indexed::new(bad.clone())?);
        Ok(Self::of(&good, &bad))
    }

    pub(crate) fn of(good: &Indexed, bad: &Indexed) -> Self {
        let compared = |is_folded| Self {
            lacking: frontier(good, bad, is_folded),
            new: frontier(bad, good, is_folded),
        };
        // Numbers of folded events are no news where there is other news.
        let folded = compared(true);
        if folded.is_empty() { compared(false) } else { folded }
    }

    /// True if both runs have the same events.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.lacking.is_empty() && self.new.is_empty()
    }
}

/// The first events of a trace, in causal order, that another trace lacks.
fn frontier(trace: &Indexed, other: &Indexed, is_folded: bool) -> Vec<Parting> {
    let lacks = |event: usize| {
        let name = trace.name(event);
        let kind = name.kind();
        let is_fold = is_folded
            && trace.frequency[&kind] >= FOLDED_FROM
            && other.frequency.contains_key(&kind);
        !is_fold && !other.positions.contains_key(name)
    };
    let mut parted: BTreeSet<usize> = BTreeSet::new();
    let mut frontier = Vec::new();
    for event in 0..trace.len() {
        let entry = &trace.trace.events[event];
        let before = trace.before[event];
        let mut past = entry.causes.iter().chain(&entry.after).copied().chain(before);
        if past.any(|past| parted.contains(&past)) {
            parted.insert(event);
        } else if lacks(event) {
            parted.insert(event);
            frontier.push(Parting {
                position: event,
                event: trace.name(event).clone(),
                after: before,
            });
        }
    }
    frontier
}

/// How much two runs have in common: the share of names that both have among those that either has,
/// folded events by their kind. 1 if they are the same.
pub(crate) fn likeness(one: &Indexed, other: &Indexed) -> f64 {
    let names = |trace: &Indexed| -> BTreeMap<EventName, u32> {
        let mut names: BTreeMap<EventName, u32> = BTreeMap::new();
        for event in &trace.trace.events {
            let kind = event.name.kind();
            let is_fold = trace.frequency[&kind] >= FOLDED_FROM;
            *names.entry(if is_fold { kind } else { event.name.clone() }).or_default() += 1;
        }
        names
    };
    let (one, other) = (names(one), names(other));
    let both = one.keys().filter(|name| other.contains_key(*name)).count();
    let either = one.len() + other.len() - both;
    if either == 0 { 1.0 } else { both as f64 / either as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::MessageName;
    use crate::trace::{Node, TraceEvent};

    /// A trace from words: `a>b X` is sent and `b<a X` received.
    fn trace(events: &[&str]) -> Trace {
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        let mut sent: BTreeMap<MessageName, usize> = BTreeMap::new();
        let mut made: Vec<TraceEvent> = Vec::new();
        for text in events {
            let count = counts.entry((*text).to_owned()).or_default();
            *count += 1;
            let (link, label) = text.split_once(' ').expect("a link and a label");
            let is_send = link.contains('>');
            let (one, two) = link.split_once(['>', '<']).expect("a link");
            let (from, to) = if is_send { (one, two) } else { (two, one) };
            let (from, to) = (from.to_owned(), to.to_owned());
            let name = MessageName { from, to, label: label.into(), occurrence: *count };
            let causes = if is_send { Vec::new() } else { vec![sent[&name]] };
            let (name, position) = (name, made.len());
            let event = if is_send {
                sent.insert(name.clone(), position);
                EventName::Send(name)
            } else {
                EventName::Receive(name)
            };
            let (tokens, after) = (BTreeSet::new(), Vec::new());
            made.push(TraceEvent { name: event, causes, after, tokens, is_datagram: false });
        }
        let node = |name: &str| Node { name: name.into(), group: None, is_client: false };
        Trace {
            nodes: ["a", "b", "c"].map(node).to_vec(),
            end: made.len(),
            events: made,
            acknowledgements: Vec::new(),
            outcome: Vec::new(),
            begin: 0,
        }
    }

    fn shown(partings: &[Parting]) -> Vec<String> {
        partings.iter().map(|parting| parting.event.to_string()).collect()
    }

    #[test]
    fn runs_part_at_the_first_event_that_one_of_them_lacks() {
        let good = trace(&["a>b PUT", "b<a PUT", "b>c COPY", "c<b COPY", "c>a DONE", "a<c DONE"]);
        let bad = trace(&["a>b PUT", "b<a PUT", "c>a ELECT", "a<c ELECT"]);
        let divergence = Divergence::between(&good, &bad).expect("they make sense");
        // What follows from it is not listed.
        assert_eq!(shown(&divergence.lacking), ["send b->c COPY #1"]);
        assert_eq!(shown(&divergence.new), ["send c->a ELECT #1"]);
        assert_eq!(divergence.lacking[0].after, Some(1));
        assert!(Divergence::between(&good, &good).is_ok_and(|same| same.is_empty()));
    }

    #[test]
    fn the_number_of_heartbeats_is_no_news_unless_it_is_all_there_is() {
        let beats = ["a>b BEAT"; 5];
        let good = trace(&[&beats[..], &["a>b PUT", "b<a PUT"]].concat());
        let bad = trace(&[&beats[..3], &["a>b PUT"]].concat());
        let divergence = Divergence::between(&good, &bad).expect("they make sense");
        assert_eq!(shown(&divergence.lacking), ["recv b<-a PUT #1"]);
        let fewer = trace(&beats[..3]);
        let divergence = Divergence::between(&trace(&beats), &fewer).expect("they make sense");
        assert_eq!(shown(&divergence.lacking), ["send a->b BEAT #4"]);
    }

    #[test]
    fn likeness_counts_names() {
        let index = |events: &[&str]| Indexed::new(trace(events)).expect("it makes sense");
        let one = index(&["a>b X", "b<a X"]);
        assert!((likeness(&one, &one) - 1.0).abs() < 1e-9);
        assert!((likeness(&one, &index(&["a>b X", "a>b Y"])) - 1.0 / 3.0).abs() < 1e-9);
    }
}
