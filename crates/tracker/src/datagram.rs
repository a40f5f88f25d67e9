//! Datagrams in flight: matched by destination, content and order of sending.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::num::NonZeroU64;

use linchpin_tracer::{Address, CallId, Channel, NodeId, Payload};

use crate::graph::{EventId, Matched};
use crate::socket::Sockets;

/// Where a datagram goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Destination {
    /// An address.
    Address(Address),
    /// The other socket of a pair.
    Channel(Channel),
    /// Not known.
    Unknown,
}

#[derive(Clone, Debug)]
struct Datagram {
    event: EventId,
    call: (NodeId, CallId),
    sender: Channel,
    to: Destination,
    payload: Payload,
    /// Multicast and broadcast reach several sockets, each once.
    delivered: BTreeSet<Channel>,
}

/// All datagrams that were sent and may still be received.
#[derive(Clone, Debug, Default)]
pub(crate) struct Datagrams {
    /// By length and digest; `None` where the content could not be read.
    flying: BTreeMap<(u64, Option<NonZeroU64>), VecDeque<Datagram>>,
    /// Datagrams received that nobody was seen to send.
    pub(crate) unexplained: u64,
}

/// A receive, as matching needs it.
pub(crate) struct Received<'a> {
    pub(crate) socket: Channel,
    pub(crate) from: Option<&'a Address>,
    pub(crate) payload: &'a Payload,
    pub(crate) truncated: bool,
    pub(crate) peek: bool,
}

impl Datagrams {
    pub(crate) fn send(
        &mut self,
        event: EventId,
        call: (NodeId, CallId),
        sender: Channel,
        to: Destination,
        payload: Payload,
    ) {
        let key = (payload.length, payload.digest);
        let datagram = Datagram { event, call, sender, to, payload, delivered: BTreeSet::new() };
        self.flying.entry(key).or_default().push_back(datagram);
    }

    /// The kernel refused them: the messages of a call from index `taken` on.
    pub(crate) fn refuse(&mut self, call: (NodeId, CallId), events: &[EventId]) {
        for queue in self.flying.values_mut() {
            queue.retain(|datagram| datagram.call != call || !events.contains(&datagram.event));
        }
    }

    /// Datagrams sent and received by nobody, with their senders.
    pub(crate) fn undelivered(&self) -> impl Iterator<Item = (EventId, u64)> + '_ {
        self.flying
            .values()
            .flatten()
            .filter(|datagram| datagram.delivered.is_empty())
            .map(|datagram| (datagram.event, datagram.payload.length))
    }

    pub(crate) fn receive(
        &mut self,
        received: &Received<'_>,
        sockets: &Sockets,
    ) -> Option<Matched> {
        let exact = (received.payload.length, received.payload.digest);
        let whole = self.flying.get(&exact).filter(|_| !received.truncated);
        let first = |wanted: &dyn Fn(&Datagram) -> bool| {
            let queue = whole?;
            queue.iter().position(|datagram| wanted(datagram) && fits(datagram, received, sockets))
        };
        // One that went to where its destination is known to be, rather than any.
        let index = first(&|datagram| is_at_home(datagram, received, sockets));
        let found = index.or_else(|| first(&|_| true)).map(|index| (exact, index));
        // A receive without a message header does not tell that its buffer was too small.
        let may_be_cut = received.truncated || received.payload.length > 0;
        let found = found.or_else(|| if may_be_cut { self.cut(received, sockets) } else { None });
        let Some((key, index)) = found else {
            self.unexplained += u64::from(!received.peek);
            return None;
        };
        let queue = self.flying.get_mut(&key)?;
        let datagram = queue.get_mut(index)?;
        let matched = Matched { send: datagram.event, bytes: received.payload.length };
        if !received.peek {
            if is_group(&datagram.to) {
                datagram.delivered.insert(received.socket);
            } else {
                queue.remove(index);
                if queue.is_empty() {
                    self.flying.remove(&key);
                }
            }
        }
        Some(matched)
    }
}

/// Where a datagram is: what it is found by, and its place among those.
type Place = ((u64, Option<NonZeroU64>), usize);

impl Datagrams {
    /// The datagram of which a receive returned the beginning: the oldest of those that are at least
    /// as long and begin so.
    fn cut(&self, received: &Received<'_>, sockets: &Sockets) -> Option<Place> {
        let begins = |datagram: &&Datagram| {
            let known = datagram.payload.bytes.len().min(received.payload.bytes.len());
            datagram.payload.length >= received.payload.length
                && datagram.payload.bytes[..known] == received.payload.bytes[..known]
                && fits(datagram, received, sockets)
        };
        let oldest = self.flying.iter().filter_map(|(key, queue)| {
            let (index, datagram) =
                queue.iter().enumerate().find(|(_, datagram)| begins(datagram))?;
            Some((datagram.event, (*key, index)))
        });
        oldest.min_by_key(|(event, _)| *event).map(|(_, place)| place)
    }
}

fn is_group(to: &Destination) -> bool {
    match to {
        Destination::Address(Address::Internet(address)) => match address.ip() {
            // Directed broadcasts cannot be told from host addresses without the netmask.
            std::net::IpAddr::V4(four) => four.is_multicast() || four.octets()[3] == 255,
            std::net::IpAddr::V6(six) => six.is_multicast(),
        },
        _ => false,
    }
}

fn is_at_home(datagram: &Datagram, received: &Received<'_>, sockets: &Sockets) -> bool {
    let Destination::Address(to) = &datagram.to else { return true };
    sockets.facts(received.socket).is_none_or(|receiver| sockets.is_at_home(to, receiver.network))
}

fn fits(datagram: &Datagram, received: &Received<'_>, sockets: &Sockets) -> bool {
    if datagram.delivered.contains(&received.socket) {
        return false;
    }
    let sender = sockets.facts(datagram.sender);
    let receiver = sockets.facts(received.socket);
    let reaches = match &datagram.to {
        Destination::Channel(channel) => *channel == received.socket,
        Destination::Unknown => true,
        Destination::Address(to) => receiver.is_none_or(|receiver| {
            let group = is_group(&datagram.to);
            let port_fits = match (&receiver.local, to) {
                (Address::Internet(own), Address::Internet(target)) => own.port() == target.port(),
                _ => false,
            };
            let own_network =
                sender.is_none_or(|sender| sockets.may_reach(to, sender.network, receiver.network));
            own_network && (receiver.local.accepts(to) || (group && port_fits))
        }),
    };
    // The sender's address, where both are known. A socket bound to every address sends from one.
    let from = match (sender.map(|sender| &sender.local), received.from) {
        (Some(Address::Internet(own)), Some(Address::Internet(from))) => {
            own.port() == 0
                || own.port() == from.port() && (own.ip().is_unspecified() || own.ip() == from.ip())
        }
        (Some(Address::Local(own)), Some(Address::Local(from))) => own == from,
        _ => true,
    };
    reaches && from
}
