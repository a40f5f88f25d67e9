//! Several hosts (network namespaces) whose sockets listen at every address of theirs: which of
//! them a connection or a datagram reaches.

use linchpin_tracer::{
    Action, Address, CallId, Channel, ChildKind, Event, NodeId, Payload, SocketFacts, Transport,
};
use linchpin_tracker::{Cause, EventId, Tracker};

fn address(text: &str) -> Address {
    Address::Internet(text.parse().unwrap())
}

/// A tracker and the calls made so far. Host N is node N, process N, network N; 10 + N is another
/// process of it.
#[derive(Default)]
struct Hosts {
    tracker: Tracker,
    calls: u64,
}

impl Hosts {
    fn happens(&mut self, host: u32, action: Action) -> EventId {
        let (node, process) = (NodeId(host), host as i32);
        self.tracker.record(Event { node, process, thread: process, time_ns: 0, action })
    }

    fn socket(
        &mut self,
        host: u32,
        number: u64,
        transport: Transport,
        local: &str,
        peer: Option<&str>,
    ) -> Channel {
        let channel = Channel::Socket(number);
        let facts = SocketFacts {
            transport,
            local_family: false,
            local: address(local),
            peer: peer.map(address),
            peer_channel: None,
            network: u64::from(host % 10),
            listening: false,
            passed: false,
        };
        self.happens(host, Action::Socket { channel, facts: Box::new(facts) });
        channel
    }

    fn listens(&mut self, host: u32, number: u64, local: &str) -> (Channel, EventId) {
        let kind = ChildKind::Process;
        self.happens(host, Action::Begin { parent: None, kind, endpoints: Vec::new() });
        let channel = self.socket(host, number, Transport::Stream, local, None);
        (channel, self.happens(host, Action::Listen { channel }))
    }

    /// The exit of a connect.
    fn connects(
        &mut self,
        host: u32,
        number: u64,
        (from, named, reached): (&str, &str, &str),
        error: Option<i32>,
    ) -> EventId {
        self.calls += 1;
        let call = CallId(self.calls);
        let channel = self.socket(host, number, Transport::Stream, "0.0.0.0:0", None);
        self.happens(host, Action::Connect { call, channel, to: address(named) });
        self.socket(host, number, Transport::Stream, from, Some(reached));
        self.happens(host, Action::Connected { call, channel, error })
    }

    fn accepts(&mut self, host: u32, listener: Channel, number: u64, ends: (&str, &str)) {
        let channel = self.socket(host, number, Transport::Stream, ends.0, Some(ends.1));
        self.happens(host, Action::Accept { listener, channel });
    }

    fn listen_of(&self, event: EventId) -> Vec<EventId> {
        let causes = self.tracker.graph().causes(event).iter();
        causes.filter(|edge| edge.cause == Cause::Listen).map(|edge| edge.from).collect()
    }
}

#[test]
fn a_connect_follows_the_listen_of_the_host_it_reached() {
    let mut hosts = Hosts::default();
    let (first, first_listen) = hosts.listens(1, 10, "0.0.0.0:80");
    let (second, second_listen) = hosts.listens(2, 20, "0.0.0.0:80");
    // Whose address it is tells the accept.
    let ends = ("10.0.0.3:1000", "10.0.0.1:80", "10.0.0.1:80");
    let connected = hosts.connects(3, 30, ends, None);
    assert_eq!(hosts.listen_of(connected), []);
    hosts.accepts(1, first, 11, ("10.0.0.1:80", "10.0.0.3:1000"));
    assert_eq!(hosts.listen_of(connected), [first_listen]);
    // It is known from then on.
    let ends = ("10.0.0.3:1001", "10.0.0.1:80", "10.0.0.1:80");
    let again = hosts.connects(3, 31, ends, None);
    assert_eq!(hosts.listen_of(again), [first_listen]);
    // An accept that is seen before the exit of its connect.
    hosts.accepts(2, second, 21, ("10.0.0.2:80", "10.0.0.3:1002"));
    let ends = ("10.0.0.3:1002", "10.0.0.2:80", "10.0.0.2:80");
    let late = hosts.connects(3, 32, ends, None);
    assert_eq!(hosts.listen_of(late), [second_listen]);
}

#[test]
fn a_connect_under_way_follows_it_where_it_shows() {
    const EINPROGRESS: i32 = 115;
    for accepted_first in [true, false] {
        let mut hosts = Hosts::default();
        let (_, first_listen) = hosts.listens(1, 10, "0.0.0.0:80");
        let (second, second_listen) = hosts.listens(2, 20, "0.0.0.0:80");
        let ends = ("10.0.0.3:1000", "10.0.0.2:80", "10.0.0.2:80");
        let connected = hosts.connects(3, 30, ends, Some(EINPROGRESS));
        let accept = ("10.0.0.2:80", "10.0.0.3:1000");
        if accepted_first {
            hosts.accepts(2, second, 21, accept);
        }
        let end = Action::EndOfStream { channel: Channel::Socket(30) };
        let shows = hosts.happens(3, end);
        if !accepted_first {
            hosts.accepts(2, second, 21, accept);
        }
        assert_eq!(hosts.listen_of(connected), []);
        assert_eq!(hosts.listen_of(shows), [second_listen], "not {first_listen:?}");
    }
}

#[test]
fn every_address_of_this_host_is_of_this_host() {
    let mut hosts = Hosts::default();
    let (_, own) = hosts.listens(1, 10, "0.0.0.0:80");
    hosts.listens(2, 20, "0.0.0.0:80");
    let ends = ("127.0.0.1:1000", "0.0.0.0:80", "127.0.0.1:80");
    let connected = hosts.connects(11, 30, ends, None);
    assert_eq!(hosts.listen_of(connected), [own]);
}

#[test]
fn a_datagram_is_received_where_it_went() {
    let mut hosts = Hosts::default();
    for host in [1, 2] {
        let kind = ChildKind::Process;
        hosts.happens(host, Action::Begin { parent: None, kind, endpoints: Vec::new() });
        let own = format!("10.0.0.{host}:22");
        hosts.socket(host, 100 + u64::from(host), Transport::Stream, &own, None);
        hosts.socket(host, host.into(), Transport::Datagram, "0.0.0.0:53", None);
    }
    let channel = hosts.socket(3, 3, Transport::Datagram, "10.0.0.3:1000", None);
    let payload = || Payload { length: 4, bytes: b"ping".to_vec(), digest: None };
    let sends = [1, 2].map(|host| {
        let to = Some(Box::new(address(&format!("10.0.0.{host}:53"))));
        hosts.happens(3, Action::Send { call: CallId(host), channel, to, payload: payload() })
    });
    for host in [2, 1] {
        let channel = Channel::Socket(host);
        let from = Some(Box::new(address("10.0.0.3:1000")));
        let (peek, truncated, relay) = (false, false, None);
        let receive = Action::Receive { channel, from, payload: payload(), peek, truncated, relay };
        let received = hosts.happens(host as u32, receive);
        let graph = hosts.tracker.graph();
        let matched: Vec<EventId> = graph.matched(received).map(|matched| matched.send).collect();
        assert_eq!(matched, [sends[host as usize - 1]]);
    }
}

#[test]
fn an_address_can_move() {
    let mut hosts = Hosts::default();
    let (first, first_listen) = hosts.listens(1, 10, "0.0.0.0:80");
    let ends = ("10.0.0.3:1000", "10.0.0.9:80", "10.0.0.9:80");
    let connected = hosts.connects(3, 30, ends, None);
    hosts.accepts(1, first, 11, ("10.0.0.9:80", "10.0.0.3:1000"));
    assert_eq!(hosts.listen_of(connected), [first_listen]);
    // Another host, which was not seen with this address, has it now.
    let (second, second_listen) = hosts.listens(2, 20, "0.0.0.0:81");
    let ends = ("10.0.0.3:1001", "10.0.0.9:81", "10.0.0.9:81");
    let connected = hosts.connects(3, 31, ends, None);
    assert_eq!(hosts.listen_of(connected), []);
    hosts.accepts(2, second, 21, ("10.0.0.9:81", "10.0.0.3:1001"));
    assert_eq!(hosts.listen_of(connected), [second_listen]);
}
