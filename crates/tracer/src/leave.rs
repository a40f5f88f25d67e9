//! Exits of system calls: what has happened, as far as the result tells.

use crate::arch;
use crate::channels::lacks_address;
use crate::enter::sockaddr;
use crate::event::{Action, CallId, Channel};
use crate::memory::{self, MESSAGE_HEADER_SIZE, MULTI_HEADER_SIZE};
use crate::node::Node;
use crate::pending::{Pending, Slot, Source};
use crate::ptrace::Stopped;

/// Results by which a call says that it will run again after a signal (ERESTARTSYS to
/// ERESTART_RESTARTBLOCK). No program sees them.
const RESTARTS: std::ops::RangeInclusive<i64> = -516..=-512;

/// Failures of a receive that say something of the peer or the network.
const FINAL: [i32; 8] = [
    libc::ECONNRESET,
    libc::ETIMEDOUT,
    libc::ECONNREFUSED,
    libc::EPIPE,
    libc::ENETUNREACH,
    libc::EHOSTUNREACH,
    libc::ECONNABORTED,
    libc::ENETDOWN,
];

/// The error in a result; interrupted and restarted calls alike are EINTR.
fn error_of(result: i64) -> Option<i32> {
    match result {
        0.. => None,
        _ if RESTARTS.contains(&result) => Some(libc::EINTR),
        _ => Some(-result as i32),
    }
}

impl Node {
    /// Reports the exit of a call.
    pub(crate) fn leave(&mut self, stopped: &Stopped, pending: Pending, result: i64) {
        let thread = stopped.thread();
        match pending {
            Pending::Receive { channel, slot, flags, descriptor } => match error_of(result) {
                None => self.received(thread, channel, &slot, flags, result as u64, descriptor),
                Some(error) => self.receive_failed(stopped, channel, error),
            },
            Pending::ReceiveMany { channel, slots, headers, flags, descriptor } => {
                if let Some(error) = error_of(result) {
                    return self.receive_failed(stopped, channel, error);
                }
                for (index, slot) in (0_u64..).zip(&slots).take(result as usize) {
                    let at = headers.wrapping_add(index * MULTI_HEADER_SIZE + MESSAGE_HEADER_SIZE);
                    let length = memory::read_u32(thread, at).unwrap_or(0);
                    self.received(thread, channel, slot, flags, u64::from(length), descriptor);
                }
            }
            Pending::Send { call, single, unbound, connect, headers, .. } => {
                let error = error_of(result);
                if let Some(connect) = connect {
                    self.leave(stopped, *connect, result);
                }
                if let (Some(descriptor), None) = (unbound, error)
                    && let Some(endpoint) = self.endpoint(thread, descriptor as u64)
                {
                    self.describe(thread, descriptor, endpoint.channel, true);
                }
                let taken = result.max(0) as u64;
                let (messages, bytes) = match (error, single) {
                    (Some(_), _) => (0, 0),
                    (None, true) => (1, taken),
                    (None, false) => (taken as u32, sent_lengths(thread, headers, taken)),
                };
                self.emit(thread, Action::Sent { call, messages, bytes, error, assumed: false });
            }
            Pending::Relay { call, from, peek } => self.relayed(thread, call, from, peek, result),
            Pending::Socket => {
                self.opened(thread, result, false);
                self.own_socket(thread, result, None);
            }
            Pending::Socketpair { descriptors } if result == 0 => {
                let channels = [0, 4].map(|offset| {
                    let descriptor = self.made(thread, descriptors.wrapping_add(offset))?;
                    self.opened(thread, i64::from(descriptor), false);
                    self.endpoint(thread, descriptor as u64).map(|endpoint| endpoint.channel)
                });
                if let [Some(first), Some(second)] = channels {
                    self.emit(thread, Action::Pair { first, second });
                }
            }
            Pending::Pipe { descriptors } if result == 0 => {
                for offset in [0, 4] {
                    if let Some(descriptor) = self.made(thread, descriptors.wrapping_add(offset)) {
                        self.opened(thread, i64::from(descriptor), false);
                        if let Some(made) = self.endpoint(thread, descriptor as u64) {
                            self.own_pipes.made(made.channel);
                        }
                    }
                }
            }
            Pending::Connect { call, channel, descriptor } => {
                self.describe(thread, descriptor, channel, true);
                self.emit(thread, Action::Connected { call, channel, error: error_of(result) });
            }
            Pending::Bind { channel, descriptor } | Pending::Listen { channel, descriptor } => {
                self.describe(thread, descriptor, channel, true)
            }
            Pending::Accept { listener, name, length } if result >= 0 => {
                self.opened(thread, result, false);
                self.own_socket(thread, result, Some(listener));
                if let Some(endpoint) = self.endpoint(thread, result as u64) {
                    let from = source(thread, Source::Pointers { name, length });
                    self.peer_was(thread, endpoint.channel, from);
                    self.emit(thread, Action::Accept { listener, channel: endpoint.channel });
                }
            }
            Pending::Duplicate { endpoint } if result >= 0 => {
                let process = self.process_of(thread);
                if let Some(known) = self.processes.get(&process) {
                    // Nothing is reported: the process held the endpoint before.
                    let mut table = known.table.borrow_mut();
                    table.remove(result as i32);
                    if endpoint.is_some() {
                        table.insert(result as i32, endpoint);
                    }
                    self.own_pipes.changed();
                }
                if let Some(endpoint) = endpoint {
                    self.note_channel(process, result as i32, endpoint.channel);
                }
            }
            Pending::Sync { call } => {
                self.emit(thread, Action::Synced { call, error: error_of(result) });
            }
            Pending::Open => self.opened(thread, result, true),
            Pending::Fetched => {
                self.opened(thread, result, false);
                self.fetched(thread, result);
            }
            Pending::File { kind, path, target } => {
                let error = error_of(result);
                if kind.contains("open") || kind == "creat" {
                    self.opened(thread, result, true);
                }
                self.emit(
                    thread,
                    Action::File {
                        kind: kind.into(),
                        path: path.into(),
                        target: target.map(Into::into),
                        error,
                    },
                );
            }
            Pending::Wait4 { status } if result > 0 => {
                // A child that was stopped or continued has not ended.
                let status = if status == 0 { Ok(0) } else { memory::read_i32(thread, status) };
                if status
                    .is_ok_and(|status| !libc::WIFSTOPPED(status) && !libc::WIFCONTINUED(status))
                {
                    self.emit(thread, Action::Waited { child: result as i32 });
                }
            }
            Pending::Waitid { information } if result == 0 && information != 0 => {
                // siginfo_t: signal, errno, code, padding, then the process.
                let code = memory::read_i32(thread, information.wrapping_add(8)).unwrap_or(0);
                let child = memory::read_i32(thread, information.wrapping_add(16)).unwrap_or(0);
                let ended = [libc::CLD_EXITED, libc::CLD_KILLED, libc::CLD_DUMPED].contains(&code);
                if child > 0 && ended {
                    self.emit(thread, Action::Waited { child });
                }
            }
            Pending::Socketpair { .. }
            | Pending::Pipe { .. }
            | Pending::Accept { .. }
            | Pending::Duplicate { .. }
            | Pending::Wait4 { .. }
            | Pending::Waitid { .. } => {}
        }
    }

    /// accept told the peer of a connection that has ended since, so the kernel does not any more.
    fn peer_was(&mut self, thread: i32, channel: Channel, peer: Option<crate::Address>) {
        let Some(Some(facts)) = self.sockets.get_mut(&channel) else { return };
        if facts.peer.is_none() && matches!(peer, Some(crate::Address::Internet(_))) {
            facts.peer = peer;
            let facts = facts.clone();
            self.emit(thread, Action::Socket { channel, facts: Box::new(facts) });
        }
    }

    /// A descriptor's number, where a call that makes two wrote it.
    fn made(&mut self, thread: i32, address: u64) -> Option<i32> {
        let read = memory::read_i32(thread, address);
        if read.as_ref().is_err_and(|error| error.raw_os_error() == Some(libc::EPERM)) {
            self.is_hidden(thread);
        }
        read.ok()
    }

    /// A call gave the process a new descriptor.
    fn opened(&mut self, thread: i32, descriptor: i64, by_name: bool) {
        if descriptor < 0 {
            return;
        }
        self.own_pipes.changed();
        // Whatever the number meant before, it means something new now.
        if let Some(known) = self.processes.get(&self.process_of(thread)) {
            known.table.borrow_mut().remove(descriptor as i32);
        }
        if self.endpoint_of(thread, descriptor as u64, by_name).is_none() && self.options.narrow {
            // Its close will not be seen: better not to remember it.
            if let Some(known) = self.processes.get(&self.process_of(thread)) {
                known.table.borrow_mut().remove(descriptor as i32);
            }
        }
    }

    pub(crate) fn receive_failed(&mut self, stopped: &Stopped, channel: Channel, error: i32) {
        if FINAL.contains(&error) {
            let decision = self.emit(stopped.thread(), Action::ReceiveFailed { channel, error });
            if let crate::Decision::Answer(result) = decision {
                // It fails only if the thread was killed.
                let _ = arch::set_result(stopped, result);
            }
        }
    }

    fn received(
        &mut self,
        thread: i32,
        channel: Channel,
        slot: &Slot,
        flags: i32,
        length: u64,
        descriptor: i32,
    ) {
        let size = slot.size();
        let stream = self.is_stream(channel);
        let connected = self
            .facts_of(channel)
            .is_none_or(|facts| facts.transport != crate::Transport::Datagram);
        if let Source::Header(address) = slot.source {
            self.passed(thread, address);
        }
        if length == 0 && connected {
            if size > 0 {
                self.emit(thread, Action::EndOfStream { channel });
            }
            return;
        }
        if self.facts_of(channel).is_some_and(|facts| !connected && lacks_address(facts)) {
            self.describe(thread, descriptor, channel, true);
        }
        let from = if connected { None } else { source(thread, slot.source).map(Box::new) };
        // With MSG_TRUNC a stream discards the bytes, and a datagram tells its true length.
        let mut payload = self.payload(thread, channel, &slot.parts, length);
        if stream && flags & libc::MSG_TRUNC != 0 {
            payload.bytes.clear();
        }
        let truncated = !stream
            && (length > size
                || size == 0
                || header_flags(thread, slot.source) & libc::MSG_TRUNC != 0);
        if truncated {
            payload.digest = None;
        }
        let peek = flags & libc::MSG_PEEK != 0;
        self.emit(thread, Action::Receive { channel, from, payload, peek, truncated, relay: None });
    }

    /// Descriptors that came with a message (SCM_RIGHTS).
    fn passed(&mut self, thread: i32, header: u64) {
        let Ok(header) = memory::read_header(thread, header) else { return };
        for descriptor in memory::passed_descriptors(thread, &header) {
            self.opened(thread, i64::from(descriptor), false);
        }
    }

    fn relayed(
        &mut self,
        thread: i32,
        call: Option<CallId>,
        from: Option<Channel>,
        peek: bool,
        result: i64,
    ) {
        let error = error_of(result);
        let length = result.max(0) as u64;
        if let (Some(channel), None) = (from, error) {
            if length == 0 {
                self.emit(thread, Action::EndOfStream { channel });
            } else {
                let payload = crate::Payload { length, bytes: Vec::new(), digest: None };
                let truncated = false;
                self.emit(
                    thread,
                    Action::Receive {
                        channel,
                        from: None,
                        payload,
                        peek,
                        truncated,
                        relay: call.map(Box::new),
                    },
                );
            }
        }
        if let Some(call) = call {
            // At the end of what it is to send, such a call sends nothing.
            let messages = u32::from(length > 0);
            self.emit(
                thread,
                Action::Sent { call, messages, bytes: length, error, assumed: false },
            );
        }
    }
}

/// The bytes that sendmmsg took of its first `count` messages, of which the last may be cut.
fn sent_lengths(thread: i32, headers: u64, count: u64) -> u64 {
    let length = |index| {
        let at = headers.wrapping_add(index * MULTI_HEADER_SIZE + MESSAGE_HEADER_SIZE);
        u64::from(memory::read_u32(thread, at).unwrap_or(0))
    };
    (0..count).map(length).sum()
}

fn source(thread: i32, source: Source) -> Option<crate::Address> {
    match source {
        Source::None => None,
        Source::Pointers { name, length } => {
            sockaddr(thread, name, memory::read_u32(thread, length).ok()?)
        }
        Source::Header(address) => {
            let header = memory::read_header(thread, address).ok()?;
            sockaddr(thread, header.name, header.name_length)
        }
    }
}

fn header_flags(thread: i32, source: Source) -> i32 {
    match source {
        Source::Header(address) => {
            memory::read_header(thread, address).map_or(0, |header| header.flags)
        }
        _ => 0,
    }
}
