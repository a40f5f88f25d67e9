//! What was said between whom, and what is left unexplained.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use linchpin_tracer::{Action, Channel, NodeId, Transport};
use serde::Serialize;

use crate::graph::{Cause, EventId, Graph, Track};
use crate::tracker::Tracker;

/// Messages from one process to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pair {
    /// The sending process.
    pub from: String,
    /// The receiving process.
    pub to: String,
    /// How.
    pub transport: Transport,
    /// True for pipes and FIFOs.
    pub pipe: bool,
    /// Sends of which at least one byte was received.
    pub sends: u64,
    /// Receives that returned such bytes.
    pub receives: u64,
    /// Bytes received.
    pub bytes: u64,
}

/// Sender, receiver, how, and whether by a pipe.
type PairKey = (Track, Track, Transport, bool);

#[derive(Default)]
struct Flow {
    sends: BTreeSet<EventId>,
    receives: BTreeSet<EventId>,
    bytes: u64,
}

/// The summary of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Events recorded.
    pub events: usize,
    /// Processes seen.
    pub processes: u32,
    /// Messages by pair of processes.
    pub pairs: Vec<Pair>,
    /// Bytes received of a traced sender that no send of it explains. Should be 0.
    pub unmatched_bytes: u64,
    /// Datagrams received that nobody was seen to send.
    pub unmatched_datagrams: u64,
    /// Receives whose content differs from the sends they were matched with. Should be 0.
    pub mismatches: u64,
    /// Bytes received from senders that are not traced.
    pub bytes_from_outside: u64,
    /// Bytes sent to traced receivers and not received by the end.
    pub bytes_in_flight: u64,
    /// Bytes sent to receivers that are not traced.
    pub bytes_to_outside: u64,
    /// Datagrams sent and not received by the end.
    pub datagrams_in_flight: u64,
    /// Calls answered in place of the kernel, by name.
    pub denied: BTreeMap<String, u64>,
    /// What the tracer saw and does not follow.
    pub not_followed: BTreeMap<String, u64>,
}

impl Graph {
    /// What to call each process: its last program and its number.
    pub fn process_names(&self) -> BTreeMap<Track, String> {
        let mut names = BTreeMap::new();
        for id in self.ids() {
            let event = self.event(id);
            let track = self.process(id);
            match &event.action {
                Action::Exec { program, arguments, .. } => {
                    // As it was called: many programs are one file under several names.
                    let called = arguments.first().map_or(&**program, String::as_str);
                    let base = called.rsplit('/').next().unwrap_or(called);
                    names.insert(track, format!("{base}[{}]", event.process));
                }
                Action::Begin { .. } if !names.contains_key(&track) => {
                    let spawn = self.causes(id).iter().find(|edge| edge.cause == Cause::Spawn);
                    let inherited = spawn
                        .and_then(|edge| names.get(&self.process(edge.from)).cloned())
                        .unwrap_or_default();
                    let base = inherited.split('[').next().unwrap_or_default();
                    names.insert(track, format!("{base}[{}]", event.process));
                }
                _ => {
                    names.entry(track).or_insert_with(|| format!("[{}]", event.process));
                }
            }
        }
        names
    }

    /// The nodes that have events.
    pub fn nodes(&self) -> Vec<NodeId> {
        let mut nodes: Vec<NodeId> = self.ids().map(|id| self.event(id).node).collect();
        nodes.sort_unstable();
        nodes.dedup();
        nodes
    }
}

impl Tracker {
    /// Summarises the run so far.
    pub fn summary(&self) -> Summary {
        let graph = self.graph();
        let names = graph.process_names();
        let mut summary = Summary {
            events: graph.len(),
            processes: graph.process_count,
            unmatched_datagrams: self.datagrams.unexplained,
            datagrams_in_flight: self.datagrams.undelivered().count() as u64,
            ..Summary::default()
        };
        let mut pairs: BTreeMap<PairKey, Flow> = BTreeMap::new();
        for id in graph.ids() {
            match &graph.event(id).action {
                Action::Receive { channel, peek: false, .. } => {
                    for matched in graph.matched(id) {
                        let key = (
                            graph.process(matched.send),
                            graph.process(id),
                            self.sockets.transport(*channel),
                            matches!(channel, Channel::Pipe(..)),
                        );
                        let flow = pairs.entry(key).or_default();
                        flow.sends.insert(matched.send);
                        flow.receives.insert(id);
                        flow.bytes += matched.bytes;
                    }
                }
                Action::Denied { call, .. } => {
                    *summary.denied.entry(call.clone()).or_default() += 1;
                }
                Action::NotFollowed { what } => {
                    *summary.not_followed.entry(what.clone()).or_default() += 1;
                }
                _ => {}
            }
        }
        let name = |track: &Track| names.get(track).cloned().unwrap_or_default();
        for ((from, to, transport, pipe), flow) in pairs {
            summary.pairs.push(Pair {
                from: name(&from),
                to: name(&to),
                transport,
                pipe,
                sends: flow.sends.len() as u64,
                receives: flow.receives.len() as u64,
                bytes: flow.bytes,
            });
        }
        for (channel, stream) in self.streams.sorted() {
            // Under a socket whose peer is unknown lie both what it sent and what it received.
            let inside = match channel {
                Channel::Pipe(..) => stream.reserved > 0,
                Channel::Socket(_) => self.sender(channel).is_some(),
            };
            if inside {
                summary.unmatched_bytes += stream.unexplained;
                summary.mismatches += stream.mismatches;
                summary.bytes_in_flight = summary.bytes_in_flight.saturating_add(stream.unread());
            } else {
                summary.bytes_from_outside += stream.unexplained;
                summary.bytes_to_outside = summary.bytes_to_outside.saturating_add(stream.unread());
            }
        }
        summary
    }
}

impl fmt::Display for Summary {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(out, "{} events, {} processes", self.events, self.processes)?;
        for pair in &self.pairs {
            let kind = match (pair.transport, pair.pipe) {
                (_, true) => "pipe",
                (Transport::Stream, _) => "stream",
                (Transport::Datagram, _) => "datagrams",
                (Transport::Packet, _) => "packets",
            };
            writeln!(
                out,
                "  {} -> {}  {kind}: {} sends, {} receives, {} bytes",
                pair.from, pair.to, pair.sends, pair.receives, pair.bytes
            )?;
        }
        writeln!(
            out,
            "unmatched: {} bytes, {} datagrams, {} contents that differ",
            self.unmatched_bytes, self.unmatched_datagrams, self.mismatches
        )?;
        writeln!(
            out,
            "in flight at the end: {} bytes, {} datagrams; outside: {} bytes in, {} bytes out",
            self.bytes_in_flight,
            self.datagrams_in_flight,
            self.bytes_from_outside,
            self.bytes_to_outside
        )?;
        for (call, count) in &self.denied {
            writeln!(out, "answered ENOSYS: {call} x{count}")?;
        }
        for (what, count) in &self.not_followed {
            writeln!(out, "not followed: {what} x{count}")?;
        }
        Ok(())
    }
}
