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

use crate::acknowledgement::{self, ClientEvent, Said};
use crate::event::{EventName, MessageName};
use crate::tokens;
use crate::trace::{Node, Trace, TraceEvent};

/// What a run was about.
#[derive(Clone, Debug)]
pub struct Subject<'a> {
    /// The nodes.
    pub nodes: &'a [Node],
    /// Which node the tracer's numbers mean: a node that is started again has another number.
    pub lives: &'a BTreeMap<NodeId, usize>,
    /// How messages get their labels.
    pub rules: &'a Rules,
    /// Addresses that belong to one node alone.
    pub addresses: &'a BTreeMap<IpAddr, NodeId>,
    /// What the values look like that the workload writes.
    pub tokens: &'a [Regex],
    /// What was written to files, in the order in which it happened.
    pub writes: &'a [FileWrite],
    /// How many events there were when faults were healed, if that was reached.
    pub healed: Option<usize>,
}

/// A write to a file, which the tracker does not record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileWrite {
    /// How many events the tracker had when it happened.
    pub position: usize,
    /// Who wrote.
    pub node: NodeId,
    /// The thread.
    pub thread: i32,
    /// The file.
    pub target: Target,
    /// What was written, as far as it is known.
    pub bytes: Vec<u8>,
}

/// What a write went to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// A file in the node's data folder: what a fault counts among the writes of the node.
    Data(String),
    /// The standard output of the workload, where it tells its history.
    Output,
}

/// The trace of a run.
///
/// Acknowledgements are told by the history that the workload prints (`docs/formats/history.md`):
/// an operation's request is the first message that its thread sent after it printed the
/// invocation, its answer the last that it received before it printed `ok`. Of a workload that
/// prints no history, a value counts as acknowledged by the first message that the client received
/// from the node to which it first sent the value, over the same connection.
///
/// What the client received after faults were healed is the outcome; where it then asked nothing any
/// more, all that it received is: the run is judged by what was read as it went.
#[must_use]
pub fn trace_of(tracker: &Tracker, subject: &Subject<'_>) -> Trace {
    let mut conversion = Conversion::new(subject);
    let graph = tracker.graph();
    let mut replayed = Tracker::new();
    let mut writes = subject.writes.iter().peekable();
    for (position, id) in graph.ids().enumerate() {
        while let Some(write) = writes.next_if(|write| write.position <= position) {
            conversion.write(write);
        }
        if subject.healed == Some(position) {
            conversion.end = Some(conversion.events.len());
        }
        replayed.record(graph.event(id).clone());
        conversion.enter(&replayed, id);
    }
    for write in writes {
        conversion.write(write);
    }
    conversion.finish()
}

/// A send whose bytes are on their way.
struct Flying {
    /// Its position in the trace, if it has one.
    event: Option<usize>,
    left: u64,
}

/// Per node and file: the values written and not synced.
type Unsynced = BTreeMap<(usize, String), BTreeSet<String>>;

struct Conversion<'a> {
    subject: &'a Subject<'a>,
    live: Live,
    events: Vec<TraceEvent>,
    /// Sends that took nothing: the program tried again.
    void: BTreeSet<usize>,
    /// What the client sent and received.
    client: Vec<ClientEvent>,
    /// What the client printed about it.
    said: Vec<Said>,
    flying: BTreeMap<EventId, Flying>,
    calls: BTreeMap<(NodeId, CallId), EventId>,
    counts: BTreeMap<EventName, u32>,
    /// The workload has sent something: from then on faults count.
    has_begun: bool,
    /// Per event of the graph: the last event of its node in the trace.
    latest: Vec<Option<usize>>,
    last: BTreeMap<usize, usize>,
    /// What the next event of a node comes after.
    pending: BTreeMap<usize, BTreeSet<usize>>,
    unsynced: Unsynced,
    /// Syncs under way: their position in the trace, and what they would make durable.
    syncing: BTreeMap<(NodeId, CallId), (usize, Unsynced)>,
    end: Option<usize>,
}

/// What is known of an event that goes into the trace, beside its name.
#[derive(Default)]
struct About {
    causes: Vec<usize>,
    tokens: BTreeSet<String>,
    is_datagram: bool,
}

/// Errors after which a program makes the same call again: such a send is not counted.
const TRANSIENT: [i32; 2] = [libc::EAGAIN, libc::EINTR];

impl<'a> Conversion<'a> {
    fn new(subject: &'a Subject<'a>) -> Self {
        Self {
            subject,
            live: Live::new(subject.rules.clone(), subject.addresses.clone()),
            events: Vec::new(),
            void: BTreeSet::new(),
            client: Vec::new(),
            said: Vec::new(),
            flying: BTreeMap::new(),
            calls: BTreeMap::new(),
            counts: BTreeMap::new(),
            has_begun: false,
            latest: Vec::new(),
            last: BTreeMap::new(),
            pending: BTreeMap::new(),
            unsynced: BTreeMap::new(),
            syncing: BTreeMap::new(),
            end: None,
        }
    }

    fn enter(&mut self, tracker: &Tracker, id: EventId) {
        let graph = tracker.graph();
        let event = graph.event(id);
        let node = self.subject.lives.get(&event.node).copied();
        for edge in graph.causes(id) {
            // The end of a killed process is seen after its effects: a cause may come later.
            let from = self.latest.get(edge.from.0 as usize).copied().flatten();
            if let Some(node) = node
                && !matches!(edge.cause, Cause::Bytes(_) | Cause::Message(_))
            {
                self.pending.entry(node).or_default().extend(from);
            }
        }
        let moments = self.live.moments(tracker, id);
        let is_send = matches!(event.action, Action::Send { .. });
        let node_entry = node.and_then(|node| self.subject.nodes.get(node));
        self.has_begun |= is_send && node_entry.is_some_and(|node| node.is_client);
        match &event.action {
            Action::Send { call, payload, .. } => {
                self.calls.entry((event.node, *call)).or_insert(id);
                let sent = moments.first().and_then(|moment| {
                    let position = self.send(moment, payload)?;
                    self.note_client(position, event.thread, moment);
                    Some(position)
                });
                let flying = Flying { event: sent, left: payload.length.max(1) };
                self.flying.insert(id, flying);
            }
            Action::Sent { call, bytes, error, .. } => {
                if let Some(send) = self.calls.remove(&(event.node, *call)) {
                    self.live.taken(send, *bytes);
                    self.sent(send, *bytes, *error);
                }
            }
            Action::Receive { peek: false, payload, .. } => {
                let sends = self.complete(tracker, id);
                for (moment, send) in moments.iter().zip(sends) {
                    if let Some(position) = self.receive(moment, send, payload) {
                        self.note_client(position, event.thread, moment);
                    }
                }
            }
            Action::Sync { call, kind, path } => {
                if let Some(node) = node {
                    self.sync((event.node, *call), node, kind, path.as_deref());
                }
            }
            Action::Synced { call, error } => self.synced((event.node, *call), error.is_some()),
            Action::Answered { call, result } => self.synced((event.node, *call), *result < 0),
            _ => {}
        }
        self.latest.push(node.and_then(|node| self.last.get(&node).copied()));
    }

    fn name(&self, node: NodeId) -> Option<String> {
        let node = self.subject.lives.get(&node)?;
        self.subject.nodes.get(*node).map(|node| node.name.clone())
    }

    fn sent(&mut self, send: EventId, bytes: u64, error: Option<i32>) {
        let Some(flying) = self.flying.get_mut(&send) else { return };
        flying.left = flying.left.min(bytes);
        if error.is_some_and(|error| TRANSIENT.contains(&error))
            && let Some(event) = flying.event
            && self.void.insert(event)
        {
            let name = self.events[event].name.clone();
            if name.occurrence() > 0 {
                self.count_again(&name);
            }
        }
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

    fn tokens(&self, bytes: &[u8]) -> BTreeSet<String> {
        tokens::find(self.subject.tokens, bytes)
    }

    fn send(&mut self, moment: &Moment, payload: &Payload) -> Option<usize> {
        // What goes to nobody traced cannot be cut, nor heard of.
        let (from, to) = (self.name(moment.node)?, self.name(moment.peer?)?);
        debug_assert_eq!(moment.kind, MomentKind::Send);
        let label = moment.label.clone().unwrap_or_default();
        let name = EventName::Send(MessageName { from, to, label, occurrence: 0 });
        let tokens = self.tokens(&payload.bytes);
        let is_datagram = moment.connection == 0;
        let node = *self.subject.lives.get(&moment.node)?;
        Some(self.push(node, name, About { tokens, is_datagram, ..About::default() }))
    }

    fn receive(
        &mut self,
        moment: &Moment,
        send: Option<usize>,
        payload: &Payload,
    ) -> Option<usize> {
        let (send, to) = (send?, self.name(moment.node)?);
        let EventName::Send(message) = self.events[send].name.clone() else { return None };
        let name = EventName::Receive(MessageName { to, ..message });
        let mut tokens = self.tokens(&payload.bytes);
        tokens.extend(self.events[send].tokens.iter().cloned());
        let is_datagram = self.events[send].is_datagram;
        let node = *self.subject.lives.get(&moment.node)?;
        Some(self.push(node, name, About { causes: vec![send], tokens, is_datagram }))
    }

    fn write(&mut self, write: &FileWrite) {
        let Some(&node) = self.subject.lives.get(&write.node) else { return };
        match &write.target {
            Target::Output => self.said.push(Said {
                position: self.events.len(),
                thread: write.thread,
                bytes: write.bytes.clone(),
            }),
            Target::Data(path) => {
                let tokens = self.tokens(&write.bytes);
                self.unsynced
                    .entry((node, path.clone()))
                    .or_default()
                    .extend(tokens.iter().cloned());
                let Some(entry) = self.subject.nodes.get(node) else { return };
                let name = EventName::Write { node: entry.name.clone(), occurrence: 0 };
                self.push(node, name, About { tokens, ..About::default() });
            }
        }
    }

    /// A sync carries what it makes durable: what was written to the file since the last.
    fn sync(&mut self, call: (NodeId, CallId), node: usize, kind: &str, path: Option<&str>) {
        let Some(entry) = self.subject.nodes.get(node) else { return };
        let name = EventName::Sync { node: entry.name.clone(), occurrence: 0 };
        let whole = matches!(kind, "sync" | "syncfs");
        let is_covered =
            |(own, file): &(usize, String)| *own == node && (whole || path == Some(file));
        let files: Vec<(usize, String)> =
            self.unsynced.keys().filter(|file| is_covered(file)).cloned().collect();
        let covered: Unsynced =
            files.iter().filter_map(|file| self.unsynced.remove_entry(file)).collect();
        let tokens = covered.values().flatten().cloned().collect();
        let position = self.push(node, name, About { tokens, ..About::default() });
        self.syncing.insert(call, (position, covered));
    }

    /// A sync that failed made nothing durable.
    fn synced(&mut self, call: (NodeId, CallId), has_failed: bool) {
        let Some((position, covered)) = self.syncing.remove(&call) else { return };
        if has_failed {
            self.events[position].tokens.clear();
            for (file, tokens) in covered {
                self.unsynced.entry(file).or_default().extend(tokens);
            }
        }
    }

    fn push(&mut self, node: usize, name: EventName, about: About) -> usize {
        let name = self.number(name);
        let position = self.events.len();
        let after = self.pending.remove(&node).unwrap_or_default();
        let after = after.into_iter().filter(|before| *before < position).collect();
        let About { causes, tokens, is_datagram } = about;
        self.events.push(TraceEvent { name, causes, after, tokens, is_datagram });
        self.last.insert(node, position);
        position
    }

    fn note_client(&mut self, position: usize, thread: i32, moment: &Moment) {
        let name = &self.events[position].name;
        let is_client =
            self.subject.nodes.iter().any(|node| node.is_client && node.name == name.node());
        if is_client {
            let channel = moment.channel;
            self.client.push(ClientEvent { position, thread, channel });
        }
    }

    /// Counts an event among those of its kind, from the first message of the workload on, as faults
    /// do. What comes before has no number (0).
    fn number(&mut self, name: EventName) -> EventName {
        if !self.has_begun {
            return name.kind();
        }
        for kind in name.counted_as() {
            *self.counts.entry(kind).or_default() += 1;
        }
        let mut name = name.kind();
        let number = self.counts[&name];
        match &mut name {
            EventName::Send(message) | EventName::Receive(message) => message.occurrence = number,
            EventName::Write { occurrence, .. } | EventName::Sync { occurrence, .. } => {
                *occurrence = number;
            }
        }
        name
    }

    fn count_again(&mut self, name: &EventName) {
        for kind in name.counted_as() {
            if let Some(count) = self.counts.get_mut(&kind) {
                *count -= 1;
            }
        }
    }

    fn finish(self) -> Trace {
        let count = self.events.len();
        let end = self.end.unwrap_or(count);
        let begin = self.client.first().map_or(0, |event| event.position);
        let acknowledgements = acknowledgement::find(&self.events, &self.client, &self.said, end);
        let received = self.client.iter().map(|event| event.position);
        let received: Vec<usize> = received
            .filter(|event| matches!(self.events[*event].name, EventName::Receive(_)))
            .collect();
        let last: Vec<usize> = received.iter().copied().filter(|event| *event >= end).collect();
        let outcome = if last.is_empty() { received } else { last };
        let nodes = self.subject.nodes.to_vec();
        let trace = Trace { nodes, events: self.events, acknowledgements, outcome, begin, end };
        without(trace, &self.void)
    }
}

/// A trace without some of its events, on which nothing depends but by mistake.
fn without(mut trace: Trace, void: &BTreeSet<usize>) -> Trace {
    if void.is_empty() {
        return trace;
    }
    let moved = |event: usize| event - void.range(..event).count();
    let keep = |events: &mut Vec<usize>| {
        events.retain(|event| !void.contains(event));
        for event in events {
            *event = moved(*event);
        }
    };
    let mut index = 0;
    trace.events.retain(|_| {
        index += 1;
        !void.contains(&(index - 1))
    });
    for event in &mut trace.events {
        keep(&mut event.causes);
        keep(&mut event.after);
    }
    keep(&mut trace.outcome);
    trace.acknowledgements.retain(|ack| !void.contains(&ack.request));
    for ack in &mut trace.acknowledgements {
        (ack.request, ack.answer) = (moved(ack.request), moved(ack.answer));
    }
    (trace.begin, trace.end) = (moved(trace.begin), moved(trace.end));
    trace
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
                    passed: false,
                };
                script.add(
                    node,
                    Action::Socket { channel: Channel::Socket(channel), facts: Box::new(facts) },
                );
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

    fn subject<'a>(
        nodes: &'a [Node],
        lives: &'a BTreeMap<NodeId, usize>,
        rules: &'a Rules,
        tokens: &'a [Regex],
        writes: &'a [FileWrite],
    ) -> Subject<'a> {
        const NOWHERE: &BTreeMap<IpAddr, NodeId> = &BTreeMap::new();
        Subject { nodes, lives, rules, addresses: NOWHERE, tokens, writes, healed: None }
    }

    fn nodes() -> [Node; 2] {
        let node = |name: &str, is_client| Node { name: name.into(), group: None, is_client };
        [node("client", true), node("a", false)]
    }

    fn lines() -> Rules {
        let dissector = linchpin_tracker::dissect::Dissector::Lines;
        Rules::new(vec![linchpin_tracker::dissect::Rule { port: None, dissector }], Vec::new())
    }

    fn token() -> Regex {
        Regex::new("token-[0-9]+").expect("an expression")
    }

    fn lives() -> BTreeMap<NodeId, usize> {
        [(NodeId(0), 0), (NodeId(1), 1)].into_iter().collect()
    }

    #[test]
    fn a_traced_run_becomes_a_trace() {
        let mut script = Script::new();
        script.say(0, 1, "SET token-1\n");
        let position = script.tracker.graph().len();
        let target = Target::Data("/data/log".into());
        let bytes = b"token-1".to_vec();
        let write = FileWrite { position, node: NodeId(1), thread: 101, target, bytes };
        let path = Some("/data/log".into());
        script.add(1, Action::Sync { call: CallId(90), kind: "fsync".into(), path });
        script.say(1, 0, "OK\n");
        let healed = Some(script.tracker.graph().len());
        script.say(0, 1, "GET\n");
        script.say(1, 0, "VALUE token-1\n");
        let (nodes, lives, rules, tokens) = (nodes(), lives(), lines(), [token()]);
        let writes = [write];
        let subject = Subject { healed, ..subject(&nodes, &lives, &rules, &tokens, &writes) };
        let trace = trace_of(&script.tracker, &subject);
        trace.check().expect("it makes sense");
        let names: Vec<String> = trace.events.iter().map(|event| event.name.to_string()).collect();
        assert_eq!(
            names,
            [
                "send client->a SET #1",
                "recv a<-client SET #1",
                "write a #1",
                "fsync a #1",
                "send a->client OK #1",
                "recv client<-a OK #1",
                "send client->a GET #1",
                "recv a<-client GET #1",
                "send a->client VALUE #1",
                "recv client<-a VALUE #1",
            ]
        );
        assert_eq!((trace.begin, trace.end, trace.outcome.clone()), (0, 6, vec![9]));
        let ack = &trace.acknowledgements[0];
        assert_eq!((ack.request, ack.answer), (0, 5));
        assert_eq!(trace.events[9].causes, [8]);
        for carrier in [2, 3, 8] {
            assert!(trace.events[carrier].tokens.contains("token-1"), "{carrier}");
        }
    }

    /// As faults count: see `since` in the language of faults.
    #[test]
    fn events_are_counted_from_the_first_message_of_the_workload_on() {
        let mut script = Script::new();
        script.say(1, 0, "HELLO\n");
        script.say(0, 1, "GET\n");
        script.say(1, 0, "HELLO\n");
        let (nodes, lives, rules) = (nodes(), lives(), lines());
        let trace = trace_of(&script.tracker, &subject(&nodes, &lives, &rules, &[], &[]));
        let names: Vec<String> = trace.events.iter().map(|event| event.name.to_string()).collect();
        assert_eq!(
            names,
            [
                "send a->client HELLO #0",
                "recv client<-a HELLO #0",
                "send client->a GET #1",
                "recv a<-client GET #1",
                "send a->client HELLO #1",
                "recv client<-a HELLO #1",
            ]
        );
    }

    #[test]
    fn a_sync_that_failed_makes_nothing_durable() {
        let mut script = Script::new();
        script.say(0, 1, "SET token-1\n");
        let position = script.tracker.graph().len();
        let (node, target) = (NodeId(1), Target::Data("/data/log".into()));
        let write = FileWrite { position, node, thread: 101, target, bytes: b"token-1".to_vec() };
        let results = [
            |call| Action::Synced { call, error: Some(libc::EIO) },
            |call| Action::Answered { call, result: -i64::from(libc::EIO) },
            |call| Action::Synced { call, error: None },
        ];
        for (call, result) in (90..).map(CallId).zip(results) {
            let path = Some("/data/log".into());
            script.add(1, Action::Sync { call, kind: "fsync".into(), path });
            script.add(1, result(call));
        }
        let (nodes, lives, rules, tokens) = (nodes(), lives(), lines(), [token()]);
        let writes = [write];
        let subject = subject(&nodes, &lives, &rules, &tokens, &writes);
        let trace = trace_of(&script.tracker, &subject);
        let syncs =
            trace.events.iter().filter(|event| matches!(event.name, EventName::Sync { .. }));
        let durable: Vec<usize> = syncs.map(|event| event.tokens.len()).collect();
        assert_eq!(durable, [0, 0, 1]);
    }

    #[test]
    fn the_history_tells_what_was_acknowledged() {
        let mut script = Script::new();
        let mut writes = Vec::new();
        let mut say = |script: &Script, text: &str| {
            let position = script.tracker.graph().len();
            let (target, bytes) = (Target::Output, format!("{text}\n").into_bytes());
            writes.push(FileWrite { position, node: NodeId(0), thread: 100, target, bytes });
        };
        // Refused at first, then done; then one of which nobody knows.
        say(&script, r#"{"process":0,"type":"invoke","operation":"write","value":1}"#);
        script.say(0, 1, "SET token-1\n");
        script.say(1, 0, "AGAIN\n");
        script.say(0, 1, "SET token-1\n");
        script.say(1, 0, "OK\n");
        say(&script, r#"{"process":0,"type":"ok","operation":"write"}"#);
        say(&script, r#"{"process":0,"type":"invoke","operation":"write","value":2}"#);
        script.say(0, 1, "SET token-2\n");
        script.say(1, 0, "OK\n");
        say(&script, r#"{"process":0,"type":"info","operation":"write"}"#);
        let (nodes, lives, rules, tokens) = (nodes(), lives(), lines(), [token()]);
        let trace = trace_of(&script.tracker, &subject(&nodes, &lives, &rules, &tokens, &writes));
        let found: Vec<(usize, usize)> =
            trace.acknowledgements.iter().map(|ack| (ack.request, ack.answer)).collect();
        assert_eq!(found, [(0, 7)]);
        assert_eq!(trace.acknowledgements[0].tokens, BTreeSet::from(["token-1".to_owned()]));
        // Printed all at once, when it is over: the answers must do.
        for write in &mut writes {
            write.position = script.tracker.graph().len();
        }
        let trace = trace_of(&script.tracker, &subject(&nodes, &lives, &rules, &tokens, &writes));
        assert_eq!(trace.acknowledgements.len(), 2);
    }

    #[test]
    fn where_nothing_is_asked_at_the_end_all_answers_are_the_outcome() {
        let mut script = Script::new();
        script.say(0, 1, "SET token-1\n");
        script.say(1, 0, "OK\n");
        script.say(0, 1, "GET\n");
        script.say(1, 0, "VALUE token-1\n");
        let (nodes, lives, rules, tokens) = (nodes(), lives(), lines(), [token()]);
        let healed = Some(script.tracker.graph().len());
        let subject = Subject { healed, ..subject(&nodes, &lives, &rules, &tokens, &[]) };
        assert_eq!(trace_of(&script.tracker, &subject).outcome, [3, 7]);
        script.say(0, 1, "GET\n");
        script.say(1, 0, "VALUE token-1\n");
        assert_eq!(trace_of(&script.tracker, &subject).outcome, [11]);
    }

    #[test]
    fn a_send_that_took_nothing_is_not_counted() {
        let mut script = Script::new();
        let payload = Payload { length: 4, bytes: b"SET\n".to_vec(), digest: None };
        let channel = Channel::Socket(1);
        let call = CallId(77);
        script.add(0, Action::Send { call, channel, to: None, payload });
        let error = Some(libc::EAGAIN);
        script.add(0, Action::Sent { call, messages: 0, bytes: 0, error, assumed: false });
        script.say(0, 1, "SET\n");
        let (nodes, lives, rules) = (nodes(), lives(), lines());
        let trace = trace_of(&script.tracker, &subject(&nodes, &lives, &rules, &[], &[]));
        trace.check().expect("it makes sense");
        let names: Vec<String> = trace.events.iter().map(|event| event.name.to_string()).collect();
        assert_eq!(names, ["send client->a SET #1", "recv a<-client SET #1"]);
        assert_eq!(trace.events[1].causes, [0]);
    }
}
