//! Entries of calls that send: what is about to leave, and whether its result is known before.

use std::num::NonZeroU64;

use crate::arch;
use crate::channels::lacks_address;
use crate::descriptor;
use crate::enter::sockaddr;
use crate::event::{Action, Channel, Endpoint, Payload, Transport};
use crate::memory::{self, MULTI_HEADER_SIZE, Part};
use crate::node::Node;
use crate::pending::Pending;
use crate::ptrace::Stopped;
use crate::{CallId, Decision, Site};

/// Most bytes read of one datagram, whatever the payload limit: all of it, to compare contents.
const DATAGRAM_SIZE_MAX: usize = 1 << 18;
/// Most messages of one sendmmsg or recvmmsg (UIO_MAXIOV).
pub(crate) const MESSAGES_MAX: u64 = 1024;

/// What one call is about to send.
#[derive(Debug, Default)]
pub(crate) struct Outgoing<'a> {
    pub(crate) parts: &'a [Part],
    pub(crate) flags: i32,
    /// The destination's address in the process's memory, and its length.
    pub(crate) name: (u64, u32),
    /// Descriptors or credentials come with it.
    pub(crate) ancillary: bool,
}

impl Node {
    pub(crate) fn payload(
        &self,
        thread: i32,
        channel: Channel,
        parts: &[Part],
        length: u64,
    ) -> Payload {
        let whole = !self.is_stream(channel);
        let limit = if whole { DATAGRAM_SIZE_MAX } else { self.options.payload_limit };
        let wanted = limit.min(usize::try_from(length).unwrap_or(usize::MAX));
        let mut bytes = memory::gather(thread, parts, wanted);
        let digest = (whole && bytes.len() as u64 == length).then(|| digest(&bytes));
        if bytes.len() > self.options.payload_limit {
            bytes.truncate(self.options.payload_limit);
            bytes.shrink_to_fit();
        }
        Payload { length, bytes, digest }
    }

    pub(crate) fn enter_send(
        &mut self,
        stopped: &Stopped,
        (number, endpoint): (u64, Endpoint),
        outgoing: &Outgoing<'_>,
    ) -> Option<Pending> {
        let thread = stopped.thread();
        if !endpoint.write {
            return None;
        }
        let channel = endpoint.channel;
        let Outgoing { parts, flags, .. } = outgoing;
        let room = self.take_room(channel);
        self.note_urgent(thread, *flags);
        let mut connect = None;
        if flags & libc::MSG_FASTOPEN != 0
            && self.facts_of(channel).is_some_and(|facts| facts.peer.is_none())
        {
            connect = Some(Box::new(self.enter_connect(stopped, number, outgoing.name)?));
        }
        let call = self.next_call();
        let length = memory::total(parts);
        let (decision, readable) = self.ask_send(thread, call, channel, number, outgoing);
        if self.holding.is_some() {
            // The gate that holds the connect decides of the whole call.
            let unbound = self.unbound(channel, number);
            return Some(Pending::Send {
                call,
                channel,
                single: true,
                unbound,
                connect,
                headers: 0,
            });
        }
        let follow =
            matches!(decision, Decision::Follow | Decision::Hold(_) | Decision::Shorten(_));
        if self.carried_out(stopped, Some(call), decision) {
            return None;
        }
        if !follow
            && readable
            && self.taken_at_once(thread, number as i32, channel, length, (*flags, room))
        {
            let (messages, error, assumed) = (1, None, true);
            self.emit(thread, Action::Sent { call, messages, bytes: length, error, assumed });
            return None;
        }
        let unbound = self.unbound(channel, number);
        Some(Pending::Send { call, channel, single: true, unbound, connect, headers: 0 })
    }

    /// Reports one message that is about to be sent. Gives the decision, and whether its first
    /// bytes could be read.
    fn ask_send(
        &mut self,
        thread: i32,
        call: CallId,
        channel: Channel,
        number: u64,
        outgoing: &Outgoing<'_>,
    ) -> (Decision, bool) {
        let Outgoing { parts, flags, name, ancillary } = outgoing;
        let length = memory::total(parts);
        let payload = self.payload(thread, channel, parts, length);
        let readable = payload.bytes.len() as u64 == length.min(self.options.payload_limit as u64);
        let to = sockaddr(thread, name.0, name.1).map(Box::new);
        let site = Site {
            process: self.handle(thread),
            descriptor: Some(number as i32),
            parts,
            flags: *flags,
            name: *name,
            ancillary: *ancillary,
            ..Site::of(&self.remote, thread)
        };
        (self.ask(Action::Send { call, channel, to, payload }, &site), readable)
    }

    /// True if the result of a send is known before it runs, so that its exit need not be seen: a
    /// TCP connection with room in its buffer takes all bytes, unless it is reset this instant,
    /// and then nobody receives them.
    fn taken_at_once(
        &mut self,
        thread: i32,
        descriptor: i32,
        channel: Channel,
        length: u64,
        (flags, room): (i32, u64),
    ) -> bool {
        const HARMLESS: i32 =
            libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT | libc::MSG_MORE | libc::MSG_EOR;
        /// Sends before room is asked for again: memory may grow short meanwhile.
        const TRUSTED: u64 = 32;
        let tcp = self.facts_of(channel).is_some_and(|facts| {
            facts.transport == Transport::Stream && !facts.local_family && facts.peer.is_some()
        });
        if !tcp || length == 0 || flags & !HARMLESS != 0 {
            return false;
        }
        // Bytes are counted with their overhead, which is less than that of a page per write.
        let need = length.saturating_add(4096).saturating_mul(2);
        let like_new = self.own_sockets.get(&channel).is_some_and(|own| own.like_new);
        let Some(copy) = self.copy_of(thread, descriptor, channel) else { return false };
        let stands =
            if like_new { descriptor::has_peer(copy) } else { descriptor::is_established(copy) };
        if !stands {
            return false;
        }
        let room = if room >= need { room } else { descriptor::room(copy) };
        if room < need {
            return false;
        }
        if let Some(own) = self.own_sockets.get_mut(&channel).filter(|own| own.like_new) {
            own.room = (room - need).min(TRUSTED.saturating_mul(need));
        }
        true
    }

    /// The room a connection is known to have; whatever is sent without being counted takes an
    /// unknown part of it.
    fn take_room(&mut self, channel: Channel) -> u64 {
        self.own_sockets.get_mut(&channel).map_or(0, |own| std::mem::take(&mut own.room))
    }

    pub(crate) fn enter_send_many(
        &mut self,
        stopped: &Stopped,
        number: u64,
        headers: u64,
        count: u64,
    ) -> Option<Pending> {
        let thread = stopped.thread();
        let channel = self.endpoint(thread, number).filter(|endpoint| endpoint.write)?.channel;
        self.take_room(channel);
        let call = self.next_call();
        let mut count = count.min(MESSAGES_MAX);
        if self.options.single_messages && count > 1 && arch::set_argument(stopped, 2, 1).is_ok() {
            count = 1;
        }
        let mut decision = Decision::Continue;
        for index in 0..count {
            let Ok(header) =
                memory::read_header(thread, headers.wrapping_add(index * MULTI_HEADER_SIZE))
            else {
                break;
            };
            self.passing(thread, &header);
            let parts =
                memory::read_parts(thread, header.parts, header.part_count).unwrap_or_default();
            let outgoing = Outgoing {
                parts: &parts,
                flags: 0,
                name: (header.name, header.name_length),
                ancillary: header.control != 0 && header.control_length > 0,
            };
            // One call, one decision: that on the first message.
            let (now, _) = self.ask_send(thread, call, channel, number, &outgoing);
            if index == 0 {
                // The call gives the number of messages sent, not of bytes.
                decision = match now {
                    Decision::Answer(0..) => Decision::Answer(1),
                    Decision::Deliver(_) => Decision::Deliver(1),
                    other => other,
                };
            }
        }
        let unbound = self.unbound(channel, number);
        let pending = |unbound| {
            let (single, connect) = (false, None);
            Some(Pending::Send { call, channel, single, unbound, connect, headers })
        };
        if let Some(known) = self.threads.get_mut(&thread) {
            known.pending = pending(None);
        }
        if self.carried_out(stopped, Some(call), decision) {
            return None;
        }
        pending(unbound)
    }

    /// The descriptor, if its socket has no address yet and a send may give it one.
    fn unbound(&self, channel: Channel, number: u64) -> Option<i32> {
        self.facts_of(channel)
            .is_some_and(|facts| facts.transport == Transport::Datagram && lacks_address(facts))
            .then_some(number as i32)
    }

    /// Sends bytes the process never sees: their number is all that is known.
    pub(crate) fn enter_relay(
        &mut self,
        stopped: &Stopped,
        from: Option<Channel>,
        to: Option<(Channel, u64)>,
        length: u64,
        peek: bool,
    ) -> Option<Pending> {
        let call = match to {
            None if from.is_none() => return None,
            None => None,
            Some((channel, number)) => {
                let thread = stopped.thread();
                self.take_room(channel);
                let call = self.next_call();
                let payload = Payload { length, bytes: Vec::new(), digest: None };
                let site = Site {
                    process: self.handle(thread),
                    descriptor: Some(number as i32),
                    ..Site::of(&self.remote, thread)
                };
                let decision = self.ask(Action::Send { call, channel, to: None, payload }, &site);
                if self.carried_out(stopped, Some(call), decision) {
                    return None;
                }
                Some(call)
            }
        };
        Some(Pending::Relay { call, from, peek })
    }
}

/// FNV-1a, 64 bits.
fn digest(bytes: &[u8]) -> NonZeroU64 {
    let digest = bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    });
    NonZeroU64::new(digest).unwrap_or(NonZeroU64::MAX)
}
