//! Names while the system runs: what is happening, between which nodes, before the kernel acts.
//!
//! [`crate::names`] names messages afterwards, when it is known who received them. A fault must be
//! decided on while the sender stands still, so the receiver is found by the connection: the node
//! that holds the socket at the other end, or that listens (or is bound) where it goes.

use std::collections::BTreeMap;
use std::net::IpAddr;

use linchpin_tracer::{Action, Address, CallId, Channel, Event, NodeId, Transport};

use crate::dissect::Rules;
use crate::graph::EventId;
use crate::tracker::Tracker;

/// What a moment is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MomentKind {
    /// A message leaves.
    Send,
    /// The last byte of a message was received.
    Receive,
    /// A connection is asked for.
    Connect,
    /// A connection was accepted.
    Accept,
    /// A connection is given up by its last holder in a process.
    Close,
    /// A call of the fsync family.
    Sync,
    /// The node's first program runs.
    Start,
    /// A process of the node has ended.
    Exit,
}

/// Something that happens, named as it will be in the next run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Moment {
    /// What happens.
    pub kind: MomentKind,
    /// Where.
    pub node: NodeId,
    /// The node at the other end; `None` if it is not traced.
    pub peer: Option<NodeId>,
    /// What a message says; of a sync, the file.
    pub label: Option<String>,
    /// The port of the side that listens.
    pub port: Option<u16>,
    /// Which connection of the two nodes to this port, from 1; 0 for datagrams.
    pub connection: u32,
    /// The call it is about, whose exit will be reported.
    pub call: Option<CallId>,
    /// The socket or pipe.
    pub channel: Option<Channel>,
}

/// A send whose bytes are on their way.
#[derive(Clone, Debug)]
struct Flying {
    moment: Moment,
    left: u64,
}

/// Names moments as they come.
#[derive(Clone, Debug, Default)]
pub struct Live {
    rules: Rules,
    owners: BTreeMap<Channel, NodeId>,
    addresses: BTreeMap<IpAddr, NodeId>,
    connections: BTreeMap<Channel, u32>,
    counts: BTreeMap<(NodeId, Option<NodeId>, Option<u16>), u32>,
    flying: BTreeMap<EventId, Flying>,
    roots: BTreeMap<NodeId, i32>,
}

impl Live {
    /// Labels messages by `rules`; `addresses` are those that belong to one node alone.
    pub fn new(rules: Rules, addresses: BTreeMap<IpAddr, NodeId>) -> Live {
        Live { rules, addresses, ..Live::default() }
    }

    /// The node that holds a channel.
    pub fn owner(&self, channel: Channel) -> Option<NodeId> {
        self.owners.get(&channel).copied()
    }

    /// The rules for labels.
    pub fn rules(&self) -> &Rules {
        &self.rules
    }

    /// Names what an event is; `id` is the event as `tracker` recorded it. A receive can end
    /// several messages.
    pub fn moments(&mut self, tracker: &Tracker, id: EventId) -> Vec<Moment> {
        let graph = tracker.graph();
        let event = graph.event(id);
        self.own(event);
        let node = event.node;
        let of = |kind| Moment {
            kind,
            node,
            peer: None,
            label: None,
            port: None,
            connection: 0,
            call: None,
            channel: None,
        };
        match &event.action {
            Action::Send { call, channel, to, payload } => {
                let mut moment =
                    self.on_link(tracker, of(MomentKind::Send), *channel, to.as_deref());
                moment.call = Some(*call);
                moment.label = self.rules.label(moment.port, &payload.bytes);
                self.flying
                    .insert(id, Flying { moment: moment.clone(), left: payload.length.max(1) });
                vec![moment]
            }
            Action::Receive { channel, peek: false, payload, .. } => {
                self.received(tracker, id, of(MomentKind::Receive), *channel, &payload.bytes)
            }
            Action::Connect { call, channel, to } => {
                let kind = of(MomentKind::Connect);
                let mut moment = self.on_link(tracker, kind, *channel, Some(to));
                moment.call = Some(*call);
                vec![moment]
            }
            Action::Accept { channel, .. } => {
                vec![self.on_link(tracker, of(MomentKind::Accept), *channel, None)]
            }
            Action::Close { endpoint } => {
                vec![self.on_link(tracker, of(MomentKind::Close), endpoint.channel, None)]
            }
            Action::Sync { call, path, .. } => {
                vec![Moment { call: Some(*call), label: path.clone(), ..of(MomentKind::Sync) }]
            }
            Action::Exec { .. } => {
                // A node's first process; a restart has another.
                let known = self.roots.get(&node);
                if known.is_some_and(|root| !self.ended(tracker, node, *root)) {
                    return Vec::new();
                }
                self.roots.insert(node, event.process);
                vec![of(MomentKind::Start)]
            }
            Action::ProcessExit { .. } if self.roots.get(&node) == Some(&event.process) => {
                vec![of(MomentKind::Exit)]
            }
            _ => Vec::new(),
        }
    }

    /// True if the process has ended before the latest event.
    fn ended(&self, tracker: &Tracker, node: NodeId, process: i32) -> bool {
        tracker.exits.contains_key(&(node, process))
    }

    /// A send took fewer bytes than it was asked to.
    pub fn taken(&mut self, send: EventId, bytes: u64) {
        if bytes == 0 {
            self.flying.remove(&send);
        } else if let Some(flying) = self.flying.get_mut(&send) {
            flying.left = flying.left.min(bytes);
        }
    }

    fn own(&mut self, event: &Event) {
        let channel = match &event.action {
            Action::Open { endpoint, .. } => endpoint.channel,
            Action::Socket { channel, .. }
            | Action::Send { channel, .. }
            | Action::Receive { channel, .. }
            | Action::Connect { channel, .. }
            | Action::Listen { channel } => *channel,
            Action::Accept { channel, .. } => *channel,
            _ => return,
        };
        self.owners.entry(channel).or_insert(event.node);
    }

    fn on_link(
        &mut self,
        tracker: &Tracker,
        moment: Moment,
        channel: Channel,
        to: Option<&Address>,
    ) -> Moment {
        let port = tracker.port(channel, to);
        let peer = self.peer(tracker, channel, to);
        let connection = if tracker.sockets.transport(channel) == Transport::Datagram {
            0
        } else {
            self.connection(tracker, channel, (moment.node, peer, port))
        };
        Moment { peer, port, connection, channel: Some(channel), ..moment }
    }

    /// The node at the other end of a channel, or where a datagram or a connect goes.
    pub fn peer(
        &self,
        tracker: &Tracker,
        channel: Channel,
        to: Option<&Address>,
    ) -> Option<NodeId> {
        if let Some(peer) = tracker.sockets.peer(channel) {
            return self.owner(peer);
        }
        let socket = tracker.sockets.get(channel)?;
        let facts = socket.facts.as_ref();
        let address = to
            .cloned()
            .or_else(|| socket.target.clone())
            .or_else(|| facts.and_then(|facts| facts.peer.clone()))?;
        if let Address::Internet(internet) = &address
            && let Some(node) = self.addresses.get(&internet.ip())
        {
            return Some(*node);
        }
        tracker.sockets.reached(channel, &address).and_then(|found| self.owner(found))
    }

    /// Both ends of a connection have one number: that of the pair's first event on it.
    fn connection(
        &mut self,
        tracker: &Tracker,
        channel: Channel,
        (node, peer, port): (NodeId, Option<NodeId>, Option<u16>),
    ) -> u32 {
        let other = tracker.sockets.peer(channel);
        let known = [Some(channel), other]
            .into_iter()
            .flatten()
            .find_map(|channel| self.connections.get(&channel).copied());
        let number = known.unwrap_or_else(|| {
            let (one, two) = match peer {
                Some(peer) if peer < node => (peer, Some(node)),
                peer => (node, peer),
            };
            let count = self.counts.entry((one, two, port)).or_default();
            *count += 1;
            *count
        });
        for channel in [Some(channel), other].into_iter().flatten() {
            self.connections.entry(channel).or_insert(number);
        }
        number
    }

    fn received(
        &mut self,
        tracker: &Tracker,
        id: EventId,
        moment: Moment,
        channel: Channel,
        bytes: &[u8],
    ) -> Vec<Moment> {
        let mut moments = Vec::new();
        let mut explained = false;
        for matched in tracker.graph().matched(id) {
            explained = true;
            let Some(flying) = self.flying.get_mut(&matched.send) else { continue };
            flying.left = flying.left.saturating_sub(matched.bytes.max(1));
            if flying.left > 0 {
                continue;
            }
            if let Some(Flying { moment: sent, .. }) = self.flying.remove(&matched.send) {
                moments.push(Moment {
                    peer: Some(sent.node),
                    label: sent.label,
                    port: sent.port,
                    connection: sent.connection,
                    channel: Some(channel),
                    ..moment.clone()
                });
            }
        }
        if !explained {
            // The sender is not traced.
            let mut named = self.on_link(tracker, moment, channel, None);
            named.label = self.rules.label(named.port, bytes);
            moments.push(named);
        }
        moments
    }
}
