//! From the tracker's graph of one run to a trace.
//!
//! The events are recorded once more into a new tracker, and named as they come, so that a name
//! means here what it means in a fault.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use linchpin_tracer::{Action, CallId, NodeId, Payload};
use linchpin_tracker::dissect::Rules;
use linchpin_tracker::live::{Live, Moment, MomentKind};
use linchpin_tracker::{Cause, EventId, Tracker};
use regex::bytes::Regex;

use crate::event::{EventName, MessageName};
use crate::trace::{Acknowledgement, Node, Trace, TraceEvent};

/// What a run was about.
#[derive(Clone, Debug)]
pub struct Subject<'a> {
    /// The nodes, in the order of their numbers.
    pub nodes: &'a [Node],
    /// How messages get their labels.
    pub rules: &'a Rules,
    /// Addresses that belong to one node alone.
    pub addresses: &'a BTreeMap<IpAddr, NodeId>,
    /// What the values look like that the workload writes.
    pub tokens: &'a [Regex],
    /// The values that were acknowledged.
    pub acknowledged: &'a BTreeSet<String>,
    /// The first event after faults were healed, if that was reached.
    pub healed: Option<EventId>,
}

/// The trace of a run.
///
/// A value counts as acknowledged by the first message that the client received from the node to
/// which it first sent the value, after it had sent it. What the client received after faults were
/// healed is the outcome. Writes to files are not recorded by the tracker, so syncs carry no values
/// here.
#[must_use]
pub fn trace_of(tracker: &Tracker, subject: &Subject<'_>) -> Trace {
    let mut conversion = Conversion::new(subject);
    let graph = tracker.graph();
    let mut replayed = Tracker::new();
    for id in graph.ids() {
        if subject.healed == Some(id) {
            conversion.end = Some(conversion.events.len());
        }
        replayed.record(graph.event(id).clone());
        conversion.enter(&replayed, id);
    }
    conversion.finish()
}

/// A send whose bytes are on their way.
struct Flying {
    /// Its position in the trace, if it has one.
    event: Option<usize>,
    left: u64,
}

struct Conversion<'a> {
    subject: &'a Subject<'a>,
    live: Live,
    events: Vec<TraceEvent>,
    flying: BTreeMap<EventId, Flying>,
    calls: BTreeMap<(NodeId, CallId), EventId>,
    counts: BTreeMap<EventName, u32>,
    /// Per event of the graph: the last event of its node in the trace.
    latest: Vec<Option<usize>>,
    last: BTreeMap<NodeId, usize>,
    /// What the next event of a node comes after.
    pending: BTreeMap<NodeId, BTreeSet<usize>>,
    end: Option<usize>,
}

impl<'a> Conversion<'a> {
    fn new(subject: &'a Subject<'a>) -> Self {
        Self {
            subject,
            live: Live::new(subject.rules.clone(), subject.addresses.clone()),
            events: Vec::new(),
            flying: BTreeMap::new(),
            calls: BTreeMap::new(),
            counts: BTreeMap::new(),
            latest: Vec::new(),
            last: BTreeMap::new(),
            pending: BTreeMap::new(),
            end: None,
        }
    }

    fn enter(&mut self, tracker: &Tracker, id: EventId) {
        let graph = tracker.graph();
        let event = graph.event(id);
        for edge in graph.causes(id) {
            // The end of a killed process is seen after its effects: a cause may come later.
            let from = self.latest.get(edge.from.0 as usize).copied().flatten();
            if !matches!(edge.cause, Cause::Bytes(_) | Cause::Message(_)) {
                self.pending.entry(event.node).or_default().extend(from);
            }
        }
        let moments = self.live.moments(tracker, id);
        match &event.action {
            Action::Send { call, payload, .. } => {
                self.calls.entry((event.node, *call)).or_insert(id);
                let position = moments.first().and_then(|moment| self.send(moment, payload));
                let flying = Flying { event: position, left: payload.length.max(1) };
                self.flying.insert(id, flying);
            }
            Action::Sent { call, bytes, .. } => {
                if let Some(send) = self.calls.remove(&(event.node, *call)) {
                    self.live.taken(send, *bytes);
                    if let Some(flying) = self.flying.get_mut(&send) {
                        flying.left = flying.left.min(*bytes);
                    }
                }
            }
            Action::Receive { peek: false, payload, .. } => {
                let sends = self.complete(tracker, id);
                for (moment, send) in moments.iter().zip(sends) {
                    self.receive(moment, send, payload);
                }
            }
            Action::Sync { .. } => {
                if let Some(node) = self.name(event.node) {
                    let name = EventName::Sync { node, occurrence: 0 };
                    self.push(event.node, name, Vec::new(), BTreeSet::new(), false);
                }
            }
            _ => {}
        }
        self.latest.push(self.last.get(&event.node).copied());
    }

    fn name(&self, node: NodeId) -> Option<String> {
        self.subject.nodes.get(node.0 as usize).map(|node| node.name.clone())
    }

    /// The sends whose last byte a receive returned.
    fn complete(&mut self, tracker: &Tracker, id: EventId) -> Vec<Option<usize>> {
        let mut sends = Vec::new();
        for matched in tracker.graph().matched(id) {
            let Some(flying) = self.flying.get_mut(&matched.send) else { continue };
            flying.left = flying.left.saturating_sub(matched.bytes.max(1));
            if flying.left == 0 {
                sends.push(self.flying.remove(&matched.send).and_then(|flying| flying.event));
            }
        }
        sends
    }

    fn tokens(&self, payload: &Payload) -> BTreeSet<String> {
        let found = self.subject.tokens.iter().flat_map(|token| token.find_iter(&payload.bytes));
        found.map(|found| String::from_utf8_lossy(found.as_bytes()).into_owned()).collect()
    }

    fn send(&mut self, moment: &Moment, payload: &Payload) -> Option<usize> {
        // What goes to nobody traced cannot be cut, nor heard of.
        let (from, to) = (self.name(moment.node)?, self.name(moment.peer?)?);
        debug_assert_eq!(moment.kind, MomentKind::Send);
        let label = moment.label.clone().unwrap_or_default();
        let name = EventName::Send(MessageName { from, to, label, occurrence: 0 });
        let is_datagram = moment.connection == 0;
        let tokens = self.tokens(payload);
        Some(self.push(moment.node, name, Vec::new(), tokens, is_datagram))
    }

    fn receive(&mut self, moment: &Moment, send: Option<usize>, payload: &Payload) {
        let (Some(send), Some(to)) = (send, self.name(moment.node)) else { return };
        let EventName::Send(message) = self.events[send].name.clone() else { return };
        let name = EventName::Receive(MessageName { to, ..message });
        let mut tokens = self.tokens(payload);
        tokens.extend(self.events[send].tokens.iter().cloned());
        let is_datagram = self.events[send].is_datagram;
        self.push(moment.node, name, vec![send], tokens, is_datagram);
    }

    fn push(
        &mut self,
        node: NodeId,
        name: EventName,
        causes: Vec<usize>,
        tokens: BTreeSet<String>,
        is_datagram: bool,
    ) -> usize {
        let name = self.number(name);
        let position = self.events.len();
        let after = self.pending.remove(&node).unwrap_or_default();
        let after = after.into_iter().filter(|before| *before < position).collect();
        self.events.push(TraceEvent { name, causes, after, tokens, is_datagram });
        self.last.insert(node, position);
        position
    }

    /// Counts an event among those of its kind. One without a label counts among all of its link, as
    /// it does for a fault.
    fn number(&mut self, name: EventName) -> EventName {
        let own = name.kind();
        let mut all = own.clone();
        if let EventName::Send(message) | EventName::Receive(message) = &mut all {
            message.label.clear();
        }
        let kinds = if own == all { vec![own.clone()] } else { vec![own.clone(), all] };
        for kind in kinds {
            *self.counts.entry(kind).or_default() += 1;
        }
        let number = self.counts[&own];
        let mut name = own;
        match &mut name {
            EventName::Send(message) | EventName::Receive(message) => message.occurrence = number,
            EventName::Write { occurrence, .. } | EventName::Sync { occurrence, .. } => {
                *occurrence = number;
            }
        }
        name
    }

    fn finish(self) -> Trace {
        let count = self.events.len();
        let end = self.end.unwrap_or(count);
        let is_client = |event: &TraceEvent| {
            let node = self.subject.nodes.iter().find(|node| node.name == event.name.node());
            node.is_some_and(|node| node.is_client)
        };
        let clients: Vec<usize> =
            (0..count).filter(|event| is_client(&self.events[*event])).collect();
        let begin = clients.first().copied().unwrap_or(0);
        let acknowledgements = self
            .subject
            .acknowledged
            .iter()
            .filter_map(|token| self.acknowledgement(token, &clients, end))
            .collect();
        let outcome = clients
            .iter()
            .copied()
            .filter(|event| {
                *event >= end && matches!(self.events[*event].name, EventName::Receive(_))
            })
            .collect();
        let nodes = self.subject.nodes.to_vec();
        Trace { nodes, events: self.events, acknowledgements, outcome, begin, end }
    }

    fn acknowledgement(
        &self,
        token: &str,
        clients: &[usize],
        end: usize,
    ) -> Option<Acknowledgement> {
        let request = clients.iter().copied().find(|event| {
            let event = &self.events[*event];
            event.name.is_visible() && event.tokens.contains(token)
        })?;
        let asked = &self.events[request].name.message()?.to;
        let answer = clients.iter().copied().find(|event| {
            let name = &self.events[*event].name;
            let answers = matches!(name, EventName::Receive(message) if message.from == *asked);
            (request + 1..end).contains(event) && answers
        })?;
        Some(Acknowledgement { request, answer, tokens: BTreeSet::from([token.to_owned()]) })
    }
}

#[cfg(test)]
mod tests {
    use linchpin_tracer::{Address, Channel, Event, SocketFacts, Transport};

    use super::*;

    /// Two processes over one TCP connection, as the tracer would report them.
    struct Script {
        tracker: Tracker,
        calls: u64,
    }

    impl Script {
        fn new() -> Self {
            let mut script = Self { tracker: Tracker::new(), calls: 0 };
            for (node, channel, local, peer) in [
                (0, 1, "10.0.0.9:40000", "10.0.0.1:7000"),
                (1, 2, "10.0.0.1:7000", "10.0.0.9:40000"),
            ] {
                let address = |text: &str| Address::Internet(text.parse().expect("an address"));
                let facts = SocketFacts {
                    transport: Transport::Stream,
                    local_family: false,
                    local: address(local),
                    peer: Some(address(peer)),
                    peer_channel: None,
                    network: 1,
                    listening: false,
                };
                script.add(node, Action::Socket { channel: Channel::Socket(channel), facts });
            }
            script
        }

        fn add(&mut self, node: u32, action: Action) -> EventId {
            let process = 100 + node as i32;
            let event = Event { node: NodeId(node), process, thread: process, time_ns: 0, action };
            self.tracker.record(event)
        }

        fn say(&mut self, from: u32, to: u32, text: &str) {
            self.calls += 1;
            let call = CallId(self.calls);
            let payload = Payload { length: text.len() as u64, bytes: text.into(), digest: None };
            let channel = Channel::Socket(u64::from(from) + 1);
            self.add(from, Action::Send { call, channel, to: None, payload: payload.clone() });
            let bytes = payload.length;
            self.add(from, Action::Sent { call, messages: 1, bytes, error: None, assumed: false });
            let channel = Channel::Socket(u64::from(to) + 1);
            let (peek, truncated) = (false, false);
            self.add(
                to,
                Action::Receive { channel, from: None, payload, peek, truncated, relay: None },
            );
        }
    }

    #[test]
    fn a_traced_run_becomes_a_trace() {
        let mut script = Script::new();
        script.say(0, 1, "SET token-1\n");
        script.add(1, Action::Sync { call: CallId(90), kind: "fsync".into(), path: None });
        script.say(1, 0, "OK\n");
        let healed = script.add(1, Action::NotFollowed { what: "a mark".into() });
        script.say(0, 1, "GET\n");
        script.say(1, 0, "VALUE token-1\n");
        let dissector = linchpin_tracker::dissect::Dissector::Lines;
        let rule = linchpin_tracker::dissect::Rule { port: None, dissector };
        let node = |name: &str, is_client| Node { name: name.into(), group: None, is_client };
        let subject = Subject {
            nodes: &[node("client", true), node("a", false)],
            rules: &Rules::new(vec![rule], Vec::new()),
            addresses: &BTreeMap::new(),
            tokens: &[Regex::new("token-[0-9]+").expect("an expression")],
            acknowledged: &BTreeSet::from(["token-1".to_owned()]),
            healed: Some(healed),
        };
        let trace = trace_of(&script.tracker, &subject);
        trace.check().expect("it makes sense");
        let names: Vec<String> = trace.events.iter().map(|event| event.name.to_string()).collect();
        assert_eq!(
            names,
            [
                "send client->a SET #1",
                "recv a<-client SET #1",
                "fsync a #1",
                "send a->client OK #1",
                "recv client<-a OK #1",
                "send client->a GET #1",
                "recv a<-client GET #1",
                "send a->client VALUE #1",
                "recv client<-a VALUE #1",
            ]
        );
        assert_eq!((trace.begin, trace.end, trace.outcome.clone()), (0, 5, vec![8]));
        let ack = &trace.acknowledgements[0];
        assert_eq!((ack.request, ack.answer), (0, 4));
        assert_eq!(trace.events[8].causes, [7]);
        assert!(trace.events[7].tokens.contains("token-1"));
    }
}
