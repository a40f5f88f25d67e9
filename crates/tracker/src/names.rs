//! Names of messages that mean the same in the next run: by role, connection and content, never
//! by process number, thread or port chosen by the kernel.
//!
//! 1. Every process has a *role*: its node's name, or its program and which of that program it is,
//!    counted in the order of the tree of processes.
//! 2. A *link* is what connects two roles: the listening address, or the kind of pipe. Its
//!    connections are numbered in the order of their first events.
//! 3. Sends of one direction that follow each other without a receive between them are a *burst*.
//! 4. A *label* comes from the content ([`crate::dissect`]).
//! 5. Messages with the same roles, link, direction and label (retries, polls, heartbeats) fold
//!    into one [`Folded`] with a count; [`Name::occurrence`] says which of them a message is.

use std::collections::BTreeMap;
use std::fmt;

use linchpin_tracer::{Action, Address, Channel, NodeId, Transport};
use serde::Serialize;

use crate::dissect::Rules;
use crate::graph::{Cause, EventId, Graph, Track};
use crate::tracker::Tracker;

/// The name of one send.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Name {
    /// Role of the sender.
    pub from: String,
    /// Role of the receiver; `None` if it was not received by a traced process.
    pub to: Option<String>,
    /// What connects them: `port 6379`, `path /run/x`, `port`, `pair` or `pipe`.
    pub link: String,
    /// Which connection of these roles over this link, from 1.
    pub connection: u32,
    /// Which burst of this direction of the connection, from 1.
    pub burst: u32,
    /// What it says.
    pub label: Option<String>,
    /// Which message with these roles, this link and this label, from 1.
    pub occurrence: u32,
    /// Digest of the content with what differs between runs masked.
    pub digest: u64,
}

/// Messages that differ only in their number.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Folded {
    /// Role of the sender.
    pub from: String,
    /// Role of the receiver.
    pub to: Option<String>,
    /// What connects them.
    pub link: String,
    /// What they say.
    pub label: Option<String>,
    /// How many there are.
    pub count: u32,
}

impl fmt::Display for Name {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let to = self.to.as_deref().unwrap_or("nobody");
        let label = self.label.as_deref().unwrap_or("message");
        write!(
            out,
            "{} -> {to} over {}, connection {}, burst {}: {label} #{}",
            self.from, self.link, self.connection, self.burst, self.occurrence
        )
    }
}

/// Roles given by the user, by node. Processes of other nodes are named after their programs.
pub type Roles = BTreeMap<NodeId, String>;

impl Graph {
    /// The role of every process.
    pub fn roles(&self, given: &Roles) -> BTreeMap<Track, String> {
        let programs = self.programs();
        let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
        let mut roles = BTreeMap::new();
        for (track, node) in self.process_tree() {
            let role = match given.get(&node) {
                Some(role) => role.clone(),
                None => {
                    let program = programs.get(&track).map_or("process", String::as_str);
                    let count = counts.entry(program).or_default();
                    *count += 1;
                    if *count == 1 { program.to_owned() } else { format!("{program}.{count}") }
                }
            };
            roles.insert(track, role);
        }
        roles
    }

    /// The last program of each process, its parent's if it never called exec.
    fn programs(&self) -> BTreeMap<Track, String> {
        let mut programs: BTreeMap<Track, String> = BTreeMap::new();
        for id in self.ids() {
            match &self.event(id).action {
                Action::Exec { program, arguments, .. } => {
                    let called = arguments.first().map_or(&**program, String::as_str);
                    let base = called.rsplit('/').next().unwrap_or(called);
                    programs.insert(self.process(id), base.to_owned());
                }
                Action::Begin { .. } => {
                    let spawn = self.causes(id).iter().find(|edge| edge.cause == Cause::Spawn);
                    let inherited =
                        spawn.and_then(|edge| programs.get(&self.process(edge.from))).cloned();
                    if let Some(inherited) = inherited {
                        programs.entry(self.process(id)).or_insert(inherited);
                    }
                }
                _ => {}
            }
        }
        programs
    }

    /// Processes in the order of the tree: each before its children, these in the order in which
    /// they were spawned. Unlike the order of the record it does not depend on scheduling.
    fn process_tree(&self) -> Vec<(Track, NodeId)> {
        let mut children: BTreeMap<Track, Vec<Track>> = BTreeMap::new();
        let mut nodes: BTreeMap<Track, NodeId> = BTreeMap::new();
        let mut roots = Vec::new();
        for id in self.ids() {
            let track = self.process(id);
            if nodes.contains_key(&track) {
                continue;
            }
            nodes.insert(track, self.event(id).node);
            match self.causes(id).iter().find(|edge| edge.cause == Cause::Spawn) {
                Some(edge) => children.entry(self.process(edge.from)).or_default().push(track),
                None => roots.push(track),
            }
        }
        roots.sort_by_key(|track| nodes[track]);
        let mut open: Vec<Track> = roots.into_iter().rev().collect();
        let mut order = Vec::new();
        while let Some(track) = open.pop() {
            order.push((track, nodes[&track]));
            open.extend(children.remove(&track).unwrap_or_default().into_iter().rev());
        }
        order
    }
}

/// Everything about one send that its name is made of, before numbering.
struct Draft {
    send: EventId,
    from: String,
    to: Option<String>,
    link: String,
    /// What identifies the connection within this run: the smaller of its two sockets.
    connection: Channel,
    sender: Channel,
    port: Option<u16>,
}

impl Tracker {
    /// Names every send that left its process.
    pub fn names(&self, roles: &Roles, rules: &Rules) -> BTreeMap<EventId, Name> {
        let graph = self.graph();
        let roles = graph.roles(roles);
        let receivers = self.receivers();
        let mut connections: BTreeMap<(String, String, String), BTreeMap<Channel, u32>> =
            BTreeMap::new();
        let mut bursts: BTreeMap<Channel, u32> = BTreeMap::new();
        let mut speaking: BTreeMap<Channel, bool> = BTreeMap::new();
        let mut occurrences = BTreeMap::new();
        let mut names = BTreeMap::new();
        for id in graph.ids() {
            match &graph.event(id).action {
                Action::Receive { channel, peek: false, .. } => {
                    speaking.insert(*channel, false);
                }
                Action::Send { channel, payload, .. } => {
                    let draft = self.draft(id, *channel, &roles, &receivers);
                    // A burst ends when its speaker listens; pipes are never listened to.
                    if !speaking.insert(draft.sender, true).unwrap_or(false) {
                        *bursts.entry(draft.sender).or_default() += 1;
                    }
                    let mut ends = [draft.from.clone(), draft.to.clone().unwrap_or_default()];
                    // Sockets of datagrams need not be connected: each direction counts its own.
                    if self.sockets.transport(*channel) != Transport::Datagram {
                        ends.sort();
                    }
                    let [one, other] = ends;
                    let known = connections.entry((one, other, draft.link.clone())).or_default();
                    let next = known.len() as u32 + 1;
                    let connection = *known.entry(draft.connection).or_insert(next);
                    let label = rules.label(draft.port, &payload.bytes);
                    let key =
                        (draft.from.clone(), draft.to.clone(), draft.link.clone(), label.clone());
                    let occurrence: &mut u32 = occurrences.entry(key).or_default();
                    *occurrence += 1;
                    let name = Name {
                        from: draft.from,
                        to: draft.to,
                        link: draft.link,
                        connection,
                        burst: bursts[&draft.sender],
                        label,
                        occurrence: *occurrence,
                        digest: rules.digest(&payload.bytes),
                    };
                    names.insert(draft.send, name);
                }
                _ => {}
            }
        }
        names
    }

    /// The first process that received bytes of each send.
    fn receivers(&self) -> BTreeMap<EventId, Track> {
        let graph = self.graph();
        let mut receivers = BTreeMap::new();
        for id in graph.ids() {
            for matched in graph.matched(id) {
                receivers.entry(matched.send).or_insert_with(|| graph.process(id));
            }
        }
        receivers
    }

    fn draft(
        &self,
        send: EventId,
        channel: Channel,
        roles: &BTreeMap<Track, String>,
        receivers: &BTreeMap<EventId, Track>,
    ) -> Draft {
        let graph = self.graph();
        let role = |track: &Track| roles.get(track).cloned().unwrap_or_default();
        let (link, port) = self.link(send, channel);
        let peer = self.sockets.peer(channel);
        Draft {
            send,
            from: role(&graph.process(send)),
            to: receivers.get(&send).map(role),
            link,
            connection: peer.map_or(channel, |peer| peer.min(channel)),
            sender: channel,
            port,
        }
    }

    /// What connects the two ends, by what the user chose (a listening port), not the kernel.
    fn link(&self, send: EventId, channel: Channel) -> (String, Option<u16>) {
        if matches!(channel, Channel::Pipe(..)) {
            return ("pipe".into(), None);
        }
        if self.sockets.get(channel).is_none() {
            return ("socket".into(), None);
        }
        let to = match &self.graph().event(send).action {
            Action::Send { to, .. } => to.as_deref(),
            _ => None,
        };
        match self.meeting(channel, to) {
            // Ports the kernel chose differ between runs.
            Some(Address::Internet(address)) if self.is_ephemeral(address.port()) => {
                ("port".into(), Some(address.port()))
            }
            Some(Address::Internet(address)) => {
                (format!("port {}", address.port()), Some(address.port()))
            }
            Some(Address::Local(path)) => (format!("path {path}"), None),
            _ => ("pair".into(), None),
        }
    }

    /// The address of the side that was connected to (or sent to): where the datagram or the
    /// connect goes, or the accepting side's own.
    fn meeting(&self, channel: Channel, to: Option<&Address>) -> Option<Address> {
        let socket = self.sockets.get(channel)?;
        let facts = socket.facts.as_ref();
        match (to, &socket.target) {
            (Some(to), _) => Some(to.clone()),
            (_, Some(target)) => Some(target.clone()),
            _ if facts.is_some_and(|facts| facts.transport == Transport::Datagram) => {
                facts.and_then(|facts| facts.peer.clone())
            }
            _ => facts.map(|facts| facts.local.clone()),
        }
    }

    /// The port of the side that listens.
    pub(crate) fn port(&self, channel: Channel, to: Option<&Address>) -> Option<u16> {
        match self.meeting(channel, to) {
            Some(Address::Internet(address)) => Some(address.port()),
            _ => None,
        }
    }

    fn is_ephemeral(&self, port: u16) -> bool {
        // The kernel's default range (ip_local_port_range).
        (32_768..=60_999).contains(&port)
    }
}

/// Folds names into kinds of messages with counts, the most frequent first.
pub fn fold<'a>(names: impl IntoIterator<Item = &'a Name>) -> Vec<Folded> {
    let mut counts: BTreeMap<Folded, u32> = BTreeMap::new();
    for name in names {
        let kind = Folded {
            from: name.from.clone(),
            to: name.to.clone(),
            link: name.link.clone(),
            label: name.label.clone(),
            count: 0,
        };
        *counts.entry(kind).or_default() += 1;
    }
    let mut folded: Vec<Folded> =
        counts.into_iter().map(|(kind, count)| Folded { count, ..kind }).collect();
    folded.sort_by_key(|folded| std::cmp::Reverse(folded.count));
    folded
}
