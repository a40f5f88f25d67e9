//! Sockets, which of them are each other's peers, and who listens where.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use linchpin_tracer::{Address, Channel, SocketFacts, Transport};

use crate::by_channel::ByChannel;
use crate::graph::EventId;

/// What is known of one socket.
#[derive(Clone, Debug, Default)]
pub(crate) struct Socket {
    pub(crate) facts: Option<SocketFacts>,
    pub(crate) peer: Option<Channel>,
    /// Entry of its (last) connect.
    pub(crate) connect: Option<EventId>,
    /// The address that connect named.
    pub(crate) target: Option<Address>,
    /// Exit of the accept that returned it.
    pub(crate) accept: Option<EventId>,
    pub(crate) listen: Option<EventId>,
    /// The listen its connection depends on, until an event shows that it succeeded.
    pub(crate) unproven: Option<EventId>,
    /// The socket that accepted it.
    pub(crate) listener: Option<Channel>,
    /// Which of several listens its connection depends on is not known before it is accepted.
    pub(crate) doubt: Option<Doubt>,
}

/// A connection whose listen is not known yet.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Doubt {
    /// Nothing shows that it succeeded.
    Unproven,
    /// This event did.
    Proven(EventId),
}

/// The listen that a connect depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Listen {
    /// Nobody was seen to listen there.
    Unknown,
    Known(EventId),
    /// Hosts that cannot be told apart listen at this port.
    Doubtful,
}

/// Two sockets that were just found to be peers.
pub(crate) type Joined = (Channel, Channel);

/// A connection's addresses; loopback ones with their network namespace.
type Ends = (u64, Address, Address);

#[derive(Clone, Debug, Default)]
pub(crate) struct Sockets {
    all: ByChannel<Socket>,
    /// Connected internet streams without a known peer, by (own, peer) address.
    single: BTreeMap<Ends, Channel>,
    listeners: Vec<Channel>,
    /// The network namespaces in which sockets had an address.
    homes: BTreeMap<IpAddr, BTreeSet<u64>>,
}

impl Sockets {
    pub(crate) fn get(&self, channel: Channel) -> Option<&Socket> {
        self.all.get(channel)
    }

    pub(crate) fn get_mut(&mut self, channel: Channel) -> Option<&mut Socket> {
        self.all.get_mut(channel)
    }

    pub(crate) fn entry(&mut self, channel: Channel) -> &mut Socket {
        self.all.entry(channel)
    }

    pub(crate) fn channels(&self) -> impl Iterator<Item = Channel> + '_ {
        self.all.sorted().map(|(channel, _)| channel)
    }

    /// The socket that what `channel` sends to `target` reaches: the one that listens there, or,
    /// of datagrams, that is bound there. The latest of several.
    pub(crate) fn reached(&self, channel: Channel, target: &Address) -> Option<Channel> {
        let own = self.facts(channel)?;
        let fits = |facts: &SocketFacts| {
            let near = self.may_reach(target, own.network, facts.network)
                && self.is_at_home(target, facts.network);
            let kind = facts.transport == own.transport;
            near && kind && facts.local.accepts(target)
        };
        if own.transport == Transport::Datagram {
            let bound = self.all.iter().map(|(channel, socket)| (channel, socket.facts.as_ref()));
            return bound
                .filter(|(_, facts)| facts.is_some_and(fits))
                .map(|(channel, _)| channel)
                .max();
        }
        self.listeners
            .iter()
            .rev()
            .copied()
            .find(|listener| self.facts(*listener).is_some_and(fits))
    }

    pub(crate) fn facts(&self, channel: Channel) -> Option<&SocketFacts> {
        self.all.get(channel)?.facts.as_ref()
    }

    pub(crate) fn peer(&self, channel: Channel) -> Option<Channel> {
        self.all.get(channel)?.peer
    }

    /// How a channel carries bytes; pipes are streams.
    pub(crate) fn transport(&self, channel: Channel) -> Transport {
        self.facts(channel).map_or(Transport::Stream, |facts| facts.transport)
    }

    /// New facts of a socket; gives the peers they join.
    pub(crate) fn learn(&mut self, channel: Channel, facts: &SocketFacts) -> Option<Joined> {
        let socket = self.entry(channel);
        let had_peer = socket.peer.is_some();
        socket.facts = Some(facts.clone());
        if let Address::Internet(local) = &facts.local
            && facts.network != 0
            && !(local.ip().is_loopback()
                || local.ip().is_unspecified()
                || local.ip().is_multicast())
        {
            self.homes.entry(local.ip()).or_default().insert(facts.network);
        }
        if had_peer || facts.transport == Transport::Datagram && !facts.local_family {
            return None;
        }
        if let Some(peer) = facts.peer_channel {
            // A datagram socket's peer need not have it as its peer.
            return (facts.transport != Transport::Datagram).then(|| self.join(channel, peer));
        }
        let (Address::Internet(_), Some(peer @ Address::Internet(_))) = (&facts.local, &facts.peer)
        else {
            return None;
        };
        let network = if facts.local.is_loopback() { facts.network } else { 0 };
        if *peer == facts.local {
            return Some(self.join(channel, channel)); // connected to itself
        }
        let theirs = (network, peer.clone(), facts.local.clone());
        match self.single.remove(&theirs) {
            Some(other) if other != channel => Some(self.join(channel, other)),
            _ => {
                // A later connection with the same addresses takes the place of a dead one.
                self.single.insert((network, facts.local.clone(), peer.clone()), channel);
                None
            }
        }
    }

    /// Makes two sockets each other's peers.
    pub(crate) fn join(&mut self, one: Channel, other: Channel) -> Joined {
        self.entry(one).peer = Some(other);
        self.entry(other).peer = Some(one);
        (one, other)
    }

    /// The client of an accepted socket whose peer the kernel no longer tells, because the
    /// connection was reset (or, AF_UNIX, closed) before it was accepted: the backlog is first in,
    /// first out, so it is the one that connected first of those nobody has accepted.
    pub(crate) fn oldest_client(
        &self,
        listener: Channel,
        may_be: impl Fn(Channel) -> bool,
    ) -> Option<Channel> {
        let facts = self.facts(listener)?;
        let waiting = self.all.sorted().filter(|(_, socket)| {
            let near = socket.facts.as_ref().is_none_or(|own| own.network == facts.network);
            let reaches = socket.target.as_ref().is_some_and(|target| facts.local.accepts(target));
            socket.peer.is_none() && near && reaches
        });
        let waiting = waiting.filter(|(channel, _)| may_be(*channel));
        waiting.min_by_key(|(_, socket)| socket.connect).map(|(channel, _)| channel)
    }

    pub(crate) fn listen(&mut self, channel: Channel, event: EventId) {
        self.entry(channel).listen = Some(event);
        self.listeners.retain(|listener| *listener != channel);
        self.listeners.push(channel);
    }

    /// True if what is sent to `target` from one network namespace may arrive in another: this
    /// host's own addresses stay there.
    pub(crate) fn may_reach(&self, target: &Address, from: u64, network: u64) -> bool {
        let own = |ip: IpAddr| ip.is_loopback() || ip.is_unspecified();
        !matches!(target, Address::Internet(target) if own(target.ip())) || from == network
    }

    /// False if an address was seen in other network namespaces only. (It may have moved since.)
    pub(crate) fn is_at_home(&self, target: &Address, network: u64) -> bool {
        let Address::Internet(target) = target else { return true };
        let homes = self.homes.get(&target.ip());
        network == 0 || homes.is_none_or(|homes| homes.contains(&network))
    }

    /// The listen that a connect of `channel` to `target` depends on: that of the socket which
    /// accepted it, if it was accepted; else the latest on a socket that accepts this address, where
    /// that address is, unless it may be in several networks.
    pub(crate) fn listener(&self, channel: Channel, target: &Address) -> Listen {
        let of = |listener| self.all.get(listener)?.listen;
        let accepted = self.peer(channel).and_then(|peer| self.all.get(peer)?.listener);
        if let Some(listen) = accepted.and_then(of) {
            return Listen::Known(listen);
        }
        let own = self.facts(channel).map(|facts| facts.network);
        let fitting = self.listeners.iter().rev().filter_map(|listener| {
            let facts = self.facts(*listener)?;
            let near = own.is_none_or(|own| self.may_reach(target, own, facts.network));
            let listen = of(*listener).filter(|_| near && facts.local.accepts(target))?;
            Some((facts.network, listen))
        });
        let (mut found, mut elsewhere) = (None, false);
        for (network, listen) in fitting {
            match found {
                _ if !self.is_at_home(target, network) => elsewhere = true,
                Some((other, _)) if other != network => return Listen::Doubtful,
                Some(_) => {}
                None => found = Some((network, listen)),
            }
        }
        match found {
            Some((_, listen)) => Listen::Known(listen),
            None if elsewhere => Listen::Doubtful,
            None => Listen::Unknown,
        }
    }
}
