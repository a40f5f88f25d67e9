//! Sends whose success was assumed at their entry, and receivers that go away.

use linchpin_tracer::{
    Action, Address, CallId, Channel, ChildKind, Endpoint, Event, NodeId, Payload, SocketFacts,
    Transport,
};
use linchpin_tracker::{Cause, EventId, Tracker};

const SENDER: Channel = Channel::Socket(1);
const RECEIVER: Channel = Channel::Socket(2);

/// Two processes with a TCP connection: 10 holds `SENDER`, 20 holds `RECEIVER`.
fn connected() -> Tracker {
    let mut tracker = Tracker::new();
    let addresses: [Address; 2] = ["127.0.0.1:1000", "127.0.0.1:2000"]
        .map(|address| Address::Internet(address.parse().unwrap()));
    for (process, channel, own) in [(10, SENDER, 0), (20, RECEIVER, 1)] {
        let kind = ChildKind::Process;
        happens(&mut tracker, process, Action::Begin { parent: None, kind, endpoints: Vec::new() });
        let facts = SocketFacts {
            transport: Transport::Stream,
            local_family: false,
            local: addresses[own].clone(),
            peer: Some(addresses[1 - own].clone()),
            peer_channel: None,
            network: 1,
            listening: false,
            passed: false,
        };
        happens(&mut tracker, process, Action::Socket { channel, facts: Box::new(facts) });
        happens(
            &mut tracker,
            process,
            Action::Open { endpoint: both_ways(channel), by_name: false },
        );
    }
    tracker
}

fn both_ways(channel: Channel) -> Endpoint {
    Endpoint { channel, read: true, write: true }
}

fn happens(tracker: &mut Tracker, process: i32, action: Action) -> EventId {
    tracker.record(Event { node: NodeId(0), process, thread: process, time_ns: 0, action })
}

fn send(tracker: &mut Tracker, call: u64) -> EventId {
    let payload = Payload { length: 3, bytes: b"abc".to_vec(), digest: None };
    let call = CallId(call);
    happens(tracker, 10, Action::Send { call, channel: SENDER, to: None, payload })
}

fn sent(tracker: &mut Tracker, call: u64, assumed: bool) {
    let call = CallId(call);
    happens(tracker, 10, Action::Sent { call, messages: 1, bytes: 3, error: None, assumed });
}

fn received(tracker: &mut Tracker) {
    let payload = Payload { length: 3, bytes: b"abc".to_vec(), digest: None };
    let (channel, from, peek, truncated, relay) = (RECEIVER, None, false, false, None);
    happens(tracker, 20, Action::Receive { channel, from, payload, peek, truncated, relay });
}

fn close(tracker: &mut Tracker) -> EventId {
    happens(tracker, 20, Action::Close { endpoint: both_ways(RECEIVER) })
}

/// The causes of the sender's next event.
fn next(tracker: &mut Tracker) -> Vec<(EventId, Cause)> {
    let sync = Action::Sync { call: CallId(99), kind: "fsync".into(), path: None };
    let id = happens(tracker, 10, sync);
    tracker.graph().causes(id).iter().map(|edge| (edge.from, edge.cause)).collect()
}

#[test]
fn a_reset_that_overtakes_a_send_is_known_at_the_senders_next_event() {
    let mut tracker = connected();
    send(&mut tracker, 1);
    sent(&mut tracker, 1, true);
    let closed = close(&mut tracker);
    assert_eq!(next(&mut tracker), [(closed, Cause::Reset)]);
    assert_eq!(next(&mut tracker), [], "once");
}

#[test]
fn a_send_that_was_received_or_seen_to_succeed_was_not_overtaken() {
    for (read, assumed) in [(true, true), (false, false)] {
        let mut tracker = connected();
        send(&mut tracker, 1);
        sent(&mut tracker, 1, assumed);
        if read {
            received(&mut tracker);
        }
        close(&mut tracker);
        assert_eq!(next(&mut tracker), [], "read: {read}, assumed: {assumed}");
    }
}

#[test]
fn a_send_to_a_receiver_that_is_gone_may_fail() {
    let mut tracker = connected();
    let early = send(&mut tracker, 1);
    assert!(!tracker.may_fail(early));
    sent(&mut tracker, 1, true);
    close(&mut tracker);
    let late = send(&mut tracker, 2);
    assert!(tracker.may_fail(late));
}
