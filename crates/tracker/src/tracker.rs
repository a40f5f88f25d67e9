//! The tracker: takes events one by one and finds their causes.

use std::collections::BTreeMap;

use linchpin_tracer::{
    Action, Address, CallId, Channel, ChildKind, Event, NodeId, Payload, Transport,
};
use rustc_hash::FxHashMap;

use crate::by_channel::ByChannel;
use crate::datagram::{Datagrams, Destination, Received};
use crate::graph::{Cause, EventId, Graph, Matched, Track};
use crate::link::{Links, Side};
use crate::socket::{Doubt, Joined, Listen, Sockets};
use crate::stream::Stream;

/// Builds the happens-before graph while the system runs.
#[derive(Clone, Debug, Default)]
pub struct Tracker {
    graph: Graph,
    pub(crate) sockets: Sockets,
    links: Links,
    /// What each socket (or pipe) sends.
    pub(crate) streams: ByChannel<Stream>,
    pub(crate) datagrams: Datagrams,
    /// Sends whose exit has not been seen.
    calls: FxHashMap<(NodeId, CallId), Sends>,
    /// connect calls whose exit has not been seen.
    connects: BTreeMap<(NodeId, CallId), (Channel, Address)>,
    /// Spawns whose child has not begun, and ends nobody waited for.
    spawns: BTreeMap<(NodeId, i32), EventId>,
    pub(crate) exits: BTreeMap<(NodeId, i32), EventId>,
    /// The first exec of each process.
    execs: BTreeMap<(NodeId, i32), EventId>,
    /// Parents that went on before the exec or exit of their vfork child was seen.
    vforks: BTreeMap<(NodeId, i32), EventId>,
    /// The last send of each thread that was assumed to succeed.
    assumed: FxHashMap<Track, EventId>,
    /// Releases that may have made such a send fail, for the thread's next event.
    resets: BTreeMap<Track, Vec<EventId>>,
}

/// The messages of one call; most have one.
#[derive(Clone, Debug)]
struct Sends {
    first: EventId,
    others: Vec<EventId>,
}

impl Sends {
    fn iter(&self) -> impl Iterator<Item = EventId> + '_ {
        std::iter::once(self.first).chain(self.others.iter().copied())
    }
}

impl Tracker {
    /// A tracker that has seen nothing.
    pub fn new() -> Tracker {
        Tracker::default()
    }

    /// The graph so far.
    pub fn graph(&self) -> &Graph {
        &self.graph
    }

    pub(crate) fn graph_mut(&mut self) -> &mut Graph {
        &mut self.graph
    }

    /// Enters one event; its causes are known when this returns, but for ends of killed processes.
    pub fn record(&mut self, event: Event) -> EventId {
        let id = self.graph.push(event);
        // Lent out while its causes are found: a copy of each message would cost more than they do.
        let nothing = Action::VforkDone { child: 0 };
        let action = std::mem::replace(&mut self.graph.entries[id.index()].event.action, nothing);
        self.find_causes(id, &action);
        self.graph.entries[id.index()].event.action = action;
        id
    }

    fn find_causes(&mut self, id: EventId, action: &Action) {
        let event = self.graph.event(id);
        let (node, process_number, thread) = (event.node, event.process, event.thread);
        let process = self.graph.process(id);
        if !self.resets.is_empty() {
            for release in self.resets.remove(&self.graph.thread(id)).unwrap_or_default() {
                self.graph.add(release, id, Cause::Reset);
            }
        }
        match *action {
            Action::Begin { parent: _, kind, ref endpoints } => {
                if let Some(spawn) = self.spawns.remove(&(node, thread)) {
                    self.graph.add(spawn, id, Cause::Spawn);
                }
                if kind == ChildKind::Process {
                    self.exits.remove(&(node, thread));
                    self.execs.remove(&(node, thread));
                    self.vforks.remove(&(node, thread));
                    for endpoint in endpoints {
                        self.links.open(process, *endpoint);
                    }
                }
            }
            Action::Spawn { child, .. } => {
                self.spawns.insert((node, child), id);
            }
            Action::VforkDone { child } => {
                // The child let go by its first exec, or by its end; the kernel may tell its parent
                // before it tells the tracer.
                let child = (node, child);
                match self.execs.get(&child).or_else(|| self.exits.get(&child)) {
                    Some(release) => self.graph.add(*release, id, Cause::Vfork),
                    None => {
                        self.vforks.insert(child, id);
                    }
                }
            }
            Action::Exec { former, ref closed, ref endpoints, .. } => {
                self.execs.entry((node, process_number)).or_insert(id);
                self.released_parent(node, process_number, id);
                if let Some(before) = self.graph.before_in_thread(id).filter(|_| former != thread) {
                    self.graph.add(before, id, Cause::Exec);
                }
                for endpoint in endpoints {
                    self.links.open(process, *endpoint);
                }
                self.released(process, closed, id);
            }
            Action::ThreadExit { .. } => {}
            Action::ProcessExit { ref closed, .. } => {
                self.exits.insert((node, process_number), id);
                self.released_parent(node, process_number, id);
                self.released(process, closed, id);
            }
            Action::Waited { child } => {
                if let Some(exit) = self.exits.get(&(node, child)) {
                    self.graph.add(*exit, id, Cause::Exit);
                }
            }
            Action::Socket { channel, ref facts } => {
                let joined = self.sockets.learn(channel, facts);
                self.joined(joined);
            }
            Action::Pair { first, second } => {
                self.sockets.join(first, second);
            }
            Action::Open { endpoint, by_name } => {
                if by_name {
                    self.links.revive(endpoint);
                }
                self.links.open(process, endpoint);
            }
            Action::Close { endpoint } => self.released(process, &[endpoint], id),
            Action::Shutdown { channel, read, write } => {
                if write {
                    self.links.shutdown(channel, Side::Writers, id);
                }
                if read {
                    self.links.shutdown(channel, Side::Readers, id);
                }
            }
            Action::Listen { channel } => self.sockets.listen(channel, id),
            Action::Connect { call, channel, ref to } => {
                if self.sockets.transport(channel) != Transport::Datagram {
                    let socket = self.sockets.entry(channel);
                    socket.connect = Some(id);
                    socket.target = Some(to.clone());
                    self.connects.insert((node, call), (channel, to.clone()));
                }
            }
            Action::Connected { call, error, .. } => {
                if let Some((channel, to)) = self.connects.remove(&(node, call)) {
                    self.connected(id, channel, &to, error);
                }
            }
            Action::Accept { listener, channel } => {
                let socket = self.sockets.entry(channel);
                socket.accept = Some(id);
                socket.listener = Some(listener);
                let told = socket.facts.as_ref().and_then(|facts| facts.peer.as_ref());
                let known = matches!(told, Some(Address::Internet(_)));
                let local = told.is_some() && !known;
                let mut peer = self.sockets.peer(channel);
                if peer.is_none() && !known {
                    // Of AF_UNIX the kernel tells the peers that are still there.
                    let gone = |client| self.links.is_released(client, Side::Writers);
                    peer = self.sockets.oldest_client(listener, |client| !local || gone(client));
                    if let Some(client) = peer {
                        self.sockets.join(channel, client);
                    }
                }
                self.joined(peer.map(|peer| (channel, peer)));
            }
            Action::Send { call, channel, ref to, ref payload } => {
                self.send(id, (node, call), channel, to.as_deref(), payload)
            }
            Action::Sent { call, messages, bytes, error, assumed } => {
                self.sent(id, (node, call), messages, bytes, error);
                if assumed {
                    self.assumed.insert(self.graph.thread(id), id);
                }
            }
            Action::Answered { call, .. } => {
                self.settle((node, call), 0, 0);
                // Nobody will accept this one.
                if let Some((channel, _)) = self.connects.remove(&(node, call)) {
                    self.sockets.entry(channel).target = None;
                }
            }
            Action::Receive { channel, ref from, ref payload, peek, truncated, ref relay } => {
                self.prove(id, channel);
                let matched = self.receive(channel, from.as_deref(), payload, peek, truncated);
                let relayed =
                    relay.as_ref().and_then(|call| self.calls.get(&(node, **call)).cloned());
                for Matched { send, bytes } in matched {
                    let cause = match self.sockets.transport(channel) {
                        Transport::Stream => Cause::Bytes(bytes),
                        _ => Cause::Message(bytes),
                    };
                    self.graph.add(send, id, cause);
                    for onward in relayed.iter().flat_map(Sends::iter) {
                        self.graph.add(send, onward, cause);
                    }
                }
            }
            Action::EndOfStream { channel } => {
                self.prove(id, channel);
                let sender = self.sender(channel);
                let stream = sender.and_then(|sender| self.streams.get_mut(sender));
                if let Some(Matched { send, bytes }) = stream.and_then(Stream::empty_message) {
                    return self.graph.add(send, id, Cause::Message(bytes));
                }
                // One's own shutdown of the reading side ends the stream too.
                if !self.links.is_shut(channel, Side::Readers) {
                    self.ended(id, channel, Side::Writers, Cause::EndOfStream);
                }
            }
            Action::ReceiveFailed { channel, .. } => {
                self.ended(id, channel, Side::Readers, Cause::Reset)
            }
            Action::Sync { .. }
            | Action::Synced { .. }
            | Action::File { .. }
            | Action::Denied { .. }
            | Action::NotFollowed { .. } => {}
        }
    }

    fn released_parent(&mut self, node: NodeId, child: i32, event: EventId) {
        if let Some(done) = self.vforks.remove(&(node, child)) {
            self.graph.add(event, done, Cause::Vfork);
        }
    }

    fn released(
        &mut self,
        process: Track,
        endpoints: &[linchpin_tracer::Endpoint],
        event: EventId,
    ) {
        for endpoint in endpoints {
            for (effect, cause) in self.links.release(process, *endpoint, event) {
                self.graph.add(event, effect, cause);
            }
            if self.links.is_released(endpoint.channel, Side::Readers) {
                self.reset_by(endpoint.channel, event);
            }
        }
    }

    /// A send that was assumed to succeed may fail yet, if its receiver went away before the kernel
    /// acted. The sender knows at its next event, so that happens after the release. (What was sent
    /// in a message is not gone when nobody seems to hold it.)
    fn reset_by(&mut self, receiver: Channel, release: EventId) {
        if self.sockets.facts(receiver).is_some_and(|facts| facts.passed) {
            return;
        }
        let Some(stream) = self.sockets.peer(receiver).and_then(|peer| self.streams.get(peer))
        else {
            return;
        };
        for send in stream.unread_sends() {
            let thread = self.graph.thread(send);
            let last = self.graph.last_of_thread(send);
            if last.is_some() && self.assumed.get(&thread).copied() == last {
                self.resets.entry(thread).or_default().push(release);
            }
        }
    }

    /// True if the receiver of a send is gone already, so that the send may fail: its exit is worth
    /// seeing.
    pub fn may_fail(&self, send: EventId) -> bool {
        let Action::Send { channel, .. } = self.graph.event(send).action else { return false };
        let peer = self.sockets.peer(channel);
        peer.is_some_and(|peer| self.links.is_released(peer, Side::Readers))
    }

    /// Two sockets are known to be peers: the connect of one comes before the accept of the other.
    fn joined(&mut self, joined: Option<Joined>) {
        let Some((one, other)) = joined else { return };
        for (client, server) in [(one, other), (other, one)] {
            let connect = self.sockets.get(client).and_then(|socket| socket.connect);
            let accept = self.sockets.get(server).and_then(|socket| socket.accept);
            if let (Some(connect), Some(accept)) = (connect, accept) {
                self.graph.add(connect, accept, Cause::Connect);
            }
            self.settle_doubt(client, server);
        }
    }

    /// A connection whose listen was not known was accepted.
    fn settle_doubt(&mut self, client: Channel, server: Channel) {
        let listener = self.sockets.get(server).and_then(|socket| socket.listener);
        let listen = listener.and_then(|listener| self.sockets.get(listener)?.listen);
        let Some(listen) = listen else { return };
        let Some(socket) = self.sockets.get_mut(client) else { return };
        match socket.doubt.take() {
            Some(Doubt::Unproven) => socket.unproven = Some(listen),
            Some(Doubt::Proven(event)) => self.graph.add(listen, event, Cause::Listen),
            None => {}
        }
    }

    fn connected(&mut self, id: EventId, channel: Channel, to: &Address, error: Option<i32>) {
        const EINPROGRESS: i32 = 115;
        const EALREADY: i32 = 114;
        const EISCONN: i32 = 106;
        const EINTR: i32 = 4;
        if *to == Address::Unspecified {
            return;
        }
        let found = self.sockets.listener(channel, to);
        let listen = if let Listen::Known(listen) = found { Some(listen) } else { None };
        let doubtful = found == Listen::Doubtful;
        let socket = self.sockets.entry(channel);
        (socket.unproven, socket.doubt) = (None, None);
        match error {
            None | Some(EISCONN) => {
                socket.doubt = doubtful.then_some(Doubt::Proven(id));
                if let Some(listen) = listen {
                    self.graph.add(listen, id, Cause::Listen);
                }
            }
            Some(EINPROGRESS | EALREADY | EINTR) => {
                socket.unproven = listen;
                socket.doubt = doubtful.then_some(Doubt::Unproven);
            }
            Some(_) => socket.target = None,
        }
    }

    /// An event that shows that a connection under way was made.
    fn prove(&mut self, id: EventId, channel: Channel) {
        let Some(socket) = self.sockets.get_mut(channel) else { return };
        if let Some(Doubt::Unproven) = socket.doubt {
            socket.doubt = Some(Doubt::Proven(id));
        }
        if let Some(listen) = socket.unproven.take() {
            self.graph.add(listen, id, Cause::Listen);
        }
    }

    fn send(
        &mut self,
        id: EventId,
        call: (NodeId, CallId),
        channel: Channel,
        to: Option<&Address>,
        payload: &Payload,
    ) {
        self.calls
            .entry(call)
            .and_modify(|sends| sends.others.push(id))
            .or_insert(Sends { first: id, others: Vec::new() });
        let transport = self.sockets.transport(channel);
        if transport != Transport::Datagram {
            let stream = self.streams.entry(channel);
            match transport {
                Transport::Packet => stream.reserve_message(id, payload.length),
                _ => stream.reserve(id, payload.length),
            }
            return;
        }
        let socket = self.sockets.get(channel);
        let facts = socket.and_then(|socket| socket.facts.as_ref());
        let destination = match to.cloned().or_else(|| facts.and_then(|facts| facts.peer.clone())) {
            Some(to @ (Address::Internet(_) | Address::Local(_))) => Destination::Address(to),
            _ => socket
                .and_then(|socket| socket.peer)
                .or_else(|| facts.and_then(|facts| facts.peer_channel))
                .map_or(Destination::Unknown, Destination::Channel),
        };
        self.datagrams.send(id, call, channel, destination, payload.clone());
    }

    fn sent(
        &mut self,
        id: EventId,
        call: (NodeId, CallId),
        messages: u32,
        bytes: u64,
        error: Option<i32>,
    ) {
        const EPIPE: i32 = 32;
        const ECONNRESET: i32 = 104;
        let Some(sends) = self.calls.get(&call) else { return };
        let (first, single) = (sends.first, sends.others.is_empty());
        let Action::Send { channel, .. } = self.graph.event(first).action else { return };
        if error.is_none() {
            self.prove(id, channel);
        }
        if matches!(error, Some(EPIPE | ECONNRESET)) {
            self.ended(id, channel, Side::Readers, Cause::Reset);
        }
        if single && error.is_none() && self.sockets.transport(channel) != Transport::Datagram {
            // sendmmsg of one message says nothing of its bytes.
            let taken = if bytes == 0 && messages > 0 { self.asked(first) } else { bytes };
            if let Some(stream) = self.streams.get_mut(channel) {
                stream.settle(first, taken);
            }
            self.calls.remove(&call);
        } else {
            self.settle(call, messages as usize, bytes);
        }
    }

    fn asked(&self, send: EventId) -> u64 {
        match &self.graph.event(send).action {
            Action::Send { payload, .. } => payload.length,
            _ => 0,
        }
    }

    /// Of the messages of a call, all but the first `taken` did not leave. Those have `bytes` together,
    /// of which the last may have got less than it asked for; 0 if that is not known.
    fn settle(&mut self, call: (NodeId, CallId), taken: usize, bytes: u64) {
        let Some(sends) = self.calls.remove(&call) else { return };
        let Action::Send { channel, .. } = self.graph.event(sends.first).action else { return };
        let events: Vec<EventId> = sends.iter().collect();
        if self.sockets.transport(channel) == Transport::Datagram {
            self.datagrams.refuse(call, events.get(taken..).unwrap_or_default());
            return;
        }
        let is_packet = self.sockets.transport(channel) == Transport::Packet;
        let mut left = if bytes == 0 { u64::MAX } else { bytes };
        for (index, event) in events.into_iter().enumerate() {
            let length = if index < taken { self.asked(event).min(left) } else { 0 };
            left -= length;
            match self.streams.get_mut(channel) {
                Some(stream) if is_packet && index >= taken => stream.refuse(event),
                Some(stream) => stream.settle(event, length),
                None => {}
            }
        }
    }

    /// The socket at the other end of a connection, where it is known.
    pub fn peer(&self, channel: Channel) -> Option<Channel> {
        self.sockets.peer(channel)
    }

    /// What is known of a socket.
    pub fn facts(&self, channel: Channel) -> Option<&linchpin_tracer::SocketFacts> {
        self.sockets.facts(channel)
    }

    /// Every socket met so far.
    pub fn channels(&self) -> impl Iterator<Item = Channel> + '_ {
        self.sockets.channels()
    }

    /// The socket (or pipe) whose sends are received through `channel`.
    pub(crate) fn sender(&self, channel: Channel) -> Option<Channel> {
        match channel {
            Channel::Pipe(..) => Some(channel),
            Channel::Socket(_) => self.sockets.peer(channel),
        }
    }

    fn receive(
        &mut self,
        channel: Channel,
        from: Option<&Address>,
        payload: &Payload,
        peek: bool,
        truncated: bool,
    ) -> Vec<Matched> {
        let transport = self.sockets.transport(channel);
        if transport == Transport::Datagram {
            let received = Received { socket: channel, from, payload, truncated, peek };
            return self.datagrams.receive(&received, &self.sockets).into_iter().collect();
        }
        // A stream whose peer is unknown comes from outside; its bytes are counted under it.
        let sender = self.sender(channel);
        let stream = match sender {
            Some(sender) => self.streams.entry(sender),
            None => {
                self.streams.entry(channel).unexplained += if peek { 0 } else { payload.length };
                return Vec::new();
            }
        };
        match transport {
            Transport::Packet => stream.message(payload.length, peek),
            _ => stream.read(payload.length, &payload.bytes, peek, &self.graph),
        }
    }

    fn ended(&mut self, id: EventId, channel: Channel, side: Side, cause: Cause) {
        let Some(sender) = self.sender(channel) else { return };
        for release in self.links.causes(sender, side, id, cause) {
            self.graph.add(release, id, cause);
        }
    }
}
