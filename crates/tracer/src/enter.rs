//! Entries of system calls: what is about to happen, reported before the kernel acts.

use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::Arc;

use crate::call::Call;
use crate::descriptor;
use crate::event::{Action, Address, Channel, Endpoint, Payload, SocketFacts, Transport};
use crate::memory::{self, MESSAGE_HEADER_SIZE, MULTI_HEADER_SIZE, MessageHeader, Part};
use crate::node::Node;
use crate::pending::{Pending, Slot, Source};
use crate::ptrace::Stopped;
use crate::still::Held;
use crate::{Approach, CallId, Decision, Site, address, arch};

/// Most bytes read of one datagram, whatever the payload limit: all of it, to compare contents.
const DATAGRAM_SIZE_MAX: usize = 1 << 18;
/// Most messages of one sendmmsg or recvmmsg (UIO_MAXIOV).
const MESSAGES_MAX: u64 = 1024;

impl Node {
    /// What a descriptor of a thread refers to, from the table or the kernel.
    pub(crate) fn endpoint(&mut self, thread: i32, number: u64) -> Option<Endpoint> {
        let descriptor = number as i32;
        let process = self.process_of(thread);
        let table = self.processes.get(&process).map(|known| known.table.clone())?;
        let known = table.borrow().known(descriptor);
        let endpoint = match known {
            Some(slot) => slot,
            None => {
                let found = descriptor::resolve(thread, descriptor).ok()?;
                let first = table.borrow_mut().insert(descriptor, found);
                if let Some(endpoint) = found.filter(|_| first) {
                    self.describe(thread, descriptor, endpoint.channel, false);
                    self.emit(thread, Action::Open { endpoint });
                }
                if let Some(endpoint) = found {
                    self.note_channel(process, descriptor, endpoint.channel);
                }
                found
            }
        };
        // Sockets of families we do not follow carry no messages.
        endpoint.filter(|endpoint| !matches!(self.sockets.get(&endpoint.channel), Some(None)))
    }

    pub(crate) fn handle(&self, thread: i32) -> Option<Arc<OwnedFd>> {
        self.processes.get(&self.process_of(thread))?.handle.clone()
    }

    /// Reports the facts of a socket when it is new, or has changed.
    pub(crate) fn describe(&mut self, thread: i32, descriptor: i32, channel: Channel, again: bool) {
        let Channel::Socket(inode) = channel else { return };
        if !again && self.sockets.contains_key(&channel) {
            return;
        }
        let Ok(copy) = descriptor::duplicate(self.handle(thread).as_deref(), thread, descriptor)
        else {
            return;
        };
        let Ok(facts) = descriptor::facts(&copy, inode) else { return };
        drop(copy);
        if self.sockets.get(&channel) != Some(&facts) {
            if let Some(facts) = facts.clone() {
                self.emit(thread, Action::Socket { channel, facts });
            }
            self.sockets.insert(channel, facts);
        }
    }

    /// Reports sockets a program came by without a call of its own.
    pub(crate) fn discover(&mut self, thread: i32, endpoints: &[Endpoint]) {
        let Some(table) = self.processes.get(&thread).map(|known| known.table.clone()) else {
            return;
        };
        for endpoint in endpoints {
            let descriptor = table
                .borrow()
                .range(0, i32::MAX)
                .into_iter()
                .find(|descriptor| table.borrow().known(*descriptor) == Some(Some(*endpoint)));
            if let Some(descriptor) = descriptor {
                self.describe(thread, descriptor, endpoint.channel, false);
            }
        }
    }

    pub(crate) fn facts_of(&self, channel: Channel) -> Option<&SocketFacts> {
        self.sockets.get(&channel)?.as_ref()
    }

    pub(crate) fn is_stream(&self, channel: Channel) -> bool {
        self.facts_of(channel).is_none_or(|facts| facts.transport == Transport::Stream)
    }

    /// Decodes the entry of a call and reports it. Gives what its exit is needed for, if anything.
    pub(crate) fn enter(
        &mut self,
        stopped: &Stopped,
        call: Call,
        arguments: &[u64; 6],
    ) -> Option<Pending> {
        let thread = stopped.thread();
        let [first, second, third, fourth, fifth, sixth] = *arguments;
        if self.let_through(thread, call, first) {
            return None;
        }
        match call {
            Call::Read => {
                let parts = vec![part(second, third)];
                self.enter_receive(stopped, call, first, parts, 0, Source::None)
            }
            Call::Readv | Call::Preadv2 => {
                // preadv2 on a socket is accepted with offset -1 only: then it is a readv.
                let parts = memory::read_parts(thread, second, third).unwrap_or_default();
                self.enter_receive(stopped, call, first, parts, 0, Source::None)
            }
            Call::Recvfrom => {
                let source = if fifth == 0 {
                    Source::None
                } else {
                    Source::Pointers { name: fifth, length: sixth }
                };
                let parts = vec![part(second, third)];
                self.enter_receive(stopped, call, first, parts, fourth as i32, source)
            }
            Call::Recvmsg => {
                let slot = header_slot(thread, second)?;
                self.enter_receive(stopped, call, first, slot.parts, third as i32, slot.source)
            }
            Call::Recvmmsg => self.enter_receive_many(stopped, first, second, third, fourth as i32),
            Call::Write => self.enter_write(stopped, call, first, &[part(second, third)])?,
            Call::Writev | Call::Pwritev2 | Call::Pwritev => {
                let parts = memory::read_parts(thread, second, third).unwrap_or_default();
                self.enter_write(stopped, call, first, &parts)?
            }
            Call::Pwrite64 => self.enter_write(stopped, call, first, &[part(second, third)])?,
            Call::Sendto => {
                let outgoing = Outgoing {
                    parts: vec![part(second, third)],
                    flags: fourth as i32,
                    name: (fifth, sixth as u32),
                    ..Outgoing::default()
                };
                self.enter_send(stopped, first, &outgoing)
            }
            Call::Sendmsg => {
                let header = memory::read_header(thread, second).ok()?;
                self.passing(thread, &header);
                let outgoing = Outgoing {
                    parts: memory::read_parts(thread, header.parts, header.part_count).ok()?,
                    flags: third as i32,
                    name: (header.name, header.name_length),
                    ancillary: header.control != 0 && header.control_length > 0,
                };
                self.enter_send(stopped, first, &outgoing)
            }
            Call::Sendmmsg => self.enter_send_many(stopped, first, second, third),
            Call::Sendfile => {
                let to = self.endpoint(thread, first).filter(|endpoint| endpoint.write)?;
                self.not_plain(thread, to.channel);
                self.enter_relay(stopped, None, Some((to.channel, first)), fourth, false)
            }
            Call::Splice | Call::Tee => {
                let (from, to, length) = match call {
                    Call::Splice => (first, third, fifth),
                    _ => (first, second, third),
                };
                let source = self.endpoint(thread, from).filter(|endpoint| endpoint.read);
                let target = self.endpoint(thread, to).filter(|endpoint| endpoint.write);
                for endpoint in [source, target].into_iter().flatten() {
                    self.not_plain(thread, endpoint.channel);
                }
                self.enter_relay(
                    stopped,
                    source.map(|endpoint| endpoint.channel),
                    target.map(|endpoint| (endpoint.channel, to)),
                    length,
                    call == Call::Tee,
                )
            }
            Call::Vmsplice => {
                let parts = memory::read_parts(thread, second, third).unwrap_or_default();
                let endpoint = self.endpoint(thread, first)?;
                self.not_plain(thread, endpoint.channel);
                match endpoint {
                    endpoint if endpoint.write => {
                        let outgoing = Outgoing { parts, ..Outgoing::default() };
                        self.enter_send(stopped, first, &outgoing)
                    }
                    _ => self.enter_receive(stopped, call, first, parts, 0, Source::None),
                }
            }
            Call::Socket => Some(Pending::Socket),
            Call::Socketpair => Some(Pending::Socketpair { descriptors: fourth }),
            Call::Pipe | Call::Pipe2 => Some(Pending::Pipe { descriptors: first }),
            Call::Bind => {
                let channel = self.endpoint(thread, first)?.channel;
                Some(Pending::Bind { channel, descriptor: first as i32 })
            }
            Call::Connect => self.enter_connect(stopped, first, second, third as u32),
            Call::Listen => {
                let channel = self.endpoint(thread, first)?.channel;
                // Its address, before anyone can reach it (but for a bind by listen itself).
                self.describe(thread, first as i32, channel, true);
                self.emit(thread, Action::Listen { channel });
                Some(Pending::Listen { channel, descriptor: first as i32 })
            }
            Call::Accept | Call::Accept4 => {
                let listener = self.endpoint(thread, first)?.channel;
                let approach = self.approach(thread, call, Some(listener), None);
                if self.refused(stopped, &approach, first, &[], 0) {
                    return None;
                }
                Some(Pending::Accept { listener, name: second, length: third })
            }
            Call::Shutdown => {
                let channel = self.endpoint(thread, first)?.channel;
                let how = second as i32;
                let (read, write) = (how != libc::SHUT_WR, how != libc::SHUT_RD);
                let handle = self.handle(thread);
                let id = self.next_call();
                let decision = self.ask(
                    Action::Shutdown { channel, read, write },
                    &Site {
                        process: handle.as_deref(),
                        descriptor: Some(first as i32),
                        ..Site::of(&self.remote, thread)
                    },
                );
                self.carried_out(stopped, Some(id), decision);
                None
            }
            Call::Close => {
                self.release(thread, first as i32);
                None
            }
            Call::CloseRange => {
                self.close_range(thread, first, second, third as u32);
                None
            }
            Call::Dup | Call::Fcntl => {
                Some(Pending::Duplicate { endpoint: self.endpoint(thread, first) })
            }
            Call::Dup2 | Call::Dup3 => {
                let endpoint = self.endpoint(thread, first);
                if first as i32 != second as i32 {
                    self.release(thread, second as i32);
                }
                Some(Pending::Duplicate { endpoint })
            }
            Call::Fsync | Call::Fdatasync | Call::SyncFileRange | Call::Syncfs => {
                let path = descriptor::path(thread, first as i32);
                self.enter_sync(stopped, call, first, path)
            }
            Call::Sync => self.enter_sync(stopped, call, u64::MAX, None),
            Call::Msync => {
                let path = mapped_file(thread, first);
                self.enter_sync(stopped, call, u64::MAX, path)
            }
            Call::Wait4 => Some(Pending::Wait4 { status: second }),
            Call::Waitid => Some(Pending::Waitid { information: third }),
            Call::Open | Call::Openat | Call::Openat2 | Call::Creat
                if !self.options.files && !self.options.writes =>
            {
                may_open_fifo(thread, call, arguments).then_some(Pending::Open)
            }
            Call::Open
            | Call::Openat
            | Call::Openat2
            | Call::Creat
            | Call::Rename
            | Call::Renameat
            | Call::Renameat2
            | Call::Unlink
            | Call::Unlinkat
            | Call::Link
            | Call::Linkat
            | Call::Symlink
            | Call::Symlinkat
            | Call::Mkdir
            | Call::Mkdirat
            | Call::Rmdir
            | Call::Truncate => self.enter_named(stopped, call, arguments),
            Call::Ftruncate | Call::Fallocate => {
                self.enter_change(stopped, call, first, &[], second)
            }
            Call::Clone
            | Call::Clone3
            | Call::IoUringSetup
            | Call::IoUringEnter
            | Call::IoUringRegister
            | Call::IoSetup
            | Call::IoSubmit => None,
        }
    }

    /// True for reads and writes of a pipe that the process holds alone.
    fn let_through(&mut self, thread: i32, call: Call, number: u64) -> bool {
        let plain = matches!(call, Call::Read | Call::Readv | Call::Write | Call::Writev);
        plain
            && match self.endpoint(thread, number) {
                Some(Endpoint { channel: channel @ Channel::Pipe(..), .. }) => {
                    self.quiet(thread, channel)
                }
                _ => false,
            }
    }

    /// A pipe is used by a call that moves bytes the process does not see.
    fn not_plain(&mut self, thread: i32, channel: Channel) {
        if matches!(channel, Channel::Pipe(..)) {
            self.share_for_good(thread, channel);
        }
    }

    fn enter_receive(
        &mut self,
        stopped: &Stopped,
        call: Call,
        number: u64,
        parts: Vec<Part>,
        flags: i32,
        source: Source,
    ) -> Option<Pending> {
        let thread = stopped.thread();
        let endpoint = self.endpoint(thread, number).filter(|endpoint| endpoint.read)?;
        if flags & libc::MSG_ERRQUEUE != 0 {
            return None;
        }
        let mut approach = self.approach(thread, call, Some(endpoint.channel), None);
        approach.length = parts.iter().map(|part| part.length).sum();
        if self.refused(stopped, &approach, number, &[], flags) {
            return None;
        }
        self.note_urgent(thread, flags);
        let slot = Slot { parts, source };
        let plain = matches!(call, Call::Read | Call::Recvfrom) && self.holding.is_none();
        if plain && self.taken_over(stopped, endpoint.channel, &slot, flags, number as i32) {
            return None;
        }
        Some(Pending::Receive { channel: endpoint.channel, slot, flags, descriptor: number as i32 })
    }

    fn enter_receive_many(
        &mut self,
        stopped: &Stopped,
        number: u64,
        headers: u64,
        count: u64,
        flags: i32,
    ) -> Option<Pending> {
        let thread = stopped.thread();
        let endpoint = self.endpoint(thread, number).filter(|endpoint| endpoint.read)?;
        if flags & libc::MSG_ERRQUEUE != 0 {
            return None;
        }
        let approach = self.approach(thread, Call::Recvmmsg, Some(endpoint.channel), None);
        if self.refused(stopped, &approach, number, &[], flags) {
            return None;
        }
        let slots = (0..count.min(MESSAGES_MAX))
            .map_while(|index| header_slot(thread, headers + index * MULTI_HEADER_SIZE))
            .collect();
        let descriptor = number as i32;
        Some(Pending::ReceiveMany { channel: endpoint.channel, slots, headers, flags, descriptor })
    }

    /// Urgent bytes travel outside the stream's order.
    fn note_urgent(&self, thread: i32, flags: i32) {
        if flags & libc::MSG_OOB != 0 {
            self.emit(thread, Action::NotFollowed { what: "urgent data (MSG_OOB)".into() });
        }
    }

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
        bytes.truncate(self.options.payload_limit);
        Payload { length, bytes, digest }
    }

    fn enter_send(
        &mut self,
        stopped: &Stopped,
        number: u64,
        outgoing: &Outgoing,
    ) -> Option<Pending> {
        let thread = stopped.thread();
        let channel = self.endpoint(thread, number).filter(|endpoint| endpoint.write)?.channel;
        let Outgoing { parts, flags, .. } = outgoing;
        self.note_urgent(thread, *flags);
        let call = self.next_call();
        if flags & libc::MSG_FASTOPEN != 0 {
            let what = "a connection made by its first send (MSG_FASTOPEN)".into();
            self.emit(thread, Action::NotFollowed { what });
        }
        let length = parts.iter().map(|part| part.length).sum();
        let (decision, readable) = self.ask_send(thread, call, channel, number, outgoing);
        let follow =
            matches!(decision, Decision::Follow | Decision::Hold(_) | Decision::Shorten(_));
        if self.carried_out(stopped, Some(call), decision) {
            return None;
        }
        if !follow && readable && self.taken_at_once(thread, number as i32, channel, length, *flags)
        {
            let (messages, error, assumed) = (1, None, true);
            self.emit(thread, Action::Sent { call, messages, bytes: length, error, assumed });
            return None;
        }
        Some(Pending::Send { call, channel, single: true, unbound: self.unbound(channel, number) })
    }

    /// Reports one message that is about to be sent. Gives the decision, and whether its first
    /// bytes could be read.
    fn ask_send(
        &mut self,
        thread: i32,
        call: CallId,
        channel: Channel,
        number: u64,
        outgoing: &Outgoing,
    ) -> (Decision, bool) {
        let Outgoing { parts, flags, name, ancillary } = outgoing;
        let length = parts.iter().map(|part| part.length).sum();
        let payload = self.payload(thread, channel, parts, length);
        let readable = payload.bytes.len() as u64 == length.min(self.options.payload_limit as u64);
        let to = sockaddr(thread, name.0, name.1);
        let handle = self.handle(thread);
        let site = Site {
            process: handle.as_deref(),
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
        flags: i32,
    ) -> bool {
        const HARMLESS: i32 =
            libc::MSG_NOSIGNAL | libc::MSG_DONTWAIT | libc::MSG_MORE | libc::MSG_EOR;
        let tcp = self.facts_of(channel).is_some_and(|facts| {
            facts.transport == Transport::Stream && !facts.local_family && facts.peer.is_some()
        });
        tcp && length > 0
            && flags & !HARMLESS == 0
            && self
                .copy_of(thread, descriptor, channel)
                .is_some_and(|copy| descriptor::has_room(copy, length))
    }

    fn enter_send_many(
        &mut self,
        stopped: &Stopped,
        number: u64,
        headers: u64,
        count: u64,
    ) -> Option<Pending> {
        let thread = stopped.thread();
        let channel = self.endpoint(thread, number).filter(|endpoint| endpoint.write)?.channel;
        let call = self.next_call();
        let mut count = count.min(MESSAGES_MAX);
        if self.options.single_messages && count > 1 && arch::set_argument(stopped, 2, 1).is_ok() {
            count = 1;
        }
        let mut decision = Decision::Continue;
        for index in 0..count {
            let Ok(header) = memory::read_header(thread, headers + index * MULTI_HEADER_SIZE)
            else {
                break;
            };
            self.passing(thread, &header);
            let outgoing = Outgoing {
                parts: memory::read_parts(thread, header.parts, header.part_count)
                    .unwrap_or_default(),
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
        let pending = Pending::Send { call, channel, single: false, unbound };
        if let Some(known) = self.threads.get_mut(&thread) {
            known.pending = Some(Pending::Send { call, channel, single: false, unbound: None });
        }
        if self.carried_out(stopped, Some(call), decision) {
            return None;
        }
        Some(pending)
    }

    /// The descriptor, if its socket has no address yet and a send may give it one.
    fn unbound(&self, channel: Channel, number: u64) -> Option<i32> {
        self.facts_of(channel)
            .is_some_and(|facts| facts.transport == Transport::Datagram && lacks_address(facts))
            .then_some(number as i32)
    }

    /// Sends bytes the process never sees: their number is all that is known.
    fn enter_relay(
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
                let call = self.next_call();
                let payload = Payload { length, bytes: Vec::new(), digest: None };
                let handle = self.handle(thread);
                let site = Site {
                    process: handle.as_deref(),
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

    fn enter_connect(
        &mut self,
        stopped: &Stopped,
        number: u64,
        name: u64,
        length: u32,
    ) -> Option<Pending> {
        let thread = stopped.thread();
        let channel = self.endpoint(thread, number)?.channel;
        let to = sockaddr(thread, name, length)?;
        let call = self.next_call();
        let handle = self.handle(thread);
        let site = Site {
            process: handle.as_deref(),
            descriptor: Some(number as i32),
            name: (name, length),
            ..Site::of(&self.remote, thread)
        };
        let decision = self.ask(Action::Connect { call, channel, to }, &site);
        if self.carried_out(stopped, Some(call), decision) {
            return None;
        }
        Some(Pending::Connect { call, channel, descriptor: number as i32 })
    }

    fn enter_sync(
        &mut self,
        stopped: &Stopped,
        call: Call,
        number: u64,
        path: Option<String>,
    ) -> Option<Pending> {
        let id = self.next_call();
        let kind = call.name().to_owned();
        let handle = self.handle(stopped.thread());
        let site = Site {
            process: handle.as_deref(),
            descriptor: (number != u64::MAX).then_some(number as i32),
            ..Site::of(&self.remote, stopped.thread())
        };
        let decision = self.ask(Action::Sync { call: id, kind, path }, &site);
        if self.carried_out(stopped, Some(id), decision) {
            return None;
        }
        Some(Pending::Sync { call: id })
    }

    /// A write: of a message, or (where asked for) to a file.
    fn enter_write(
        &mut self,
        stopped: &Stopped,
        call: Call,
        number: u64,
        parts: &[Part],
    ) -> Option<Option<Pending>> {
        if self.endpoint(stopped.thread(), number).is_some() {
            let outgoing = Outgoing { parts: parts.to_vec(), ..Outgoing::default() };
            return Some(self.enter_send(stopped, number, &outgoing));
        }
        if !self.options.writes {
            return None;
        }
        let length = parts.iter().map(|part| part.length).sum();
        Some(self.enter_change(stopped, call, number, parts, length))
    }

    /// A change of a file through a descriptor.
    fn enter_change(
        &mut self,
        stopped: &Stopped,
        call: Call,
        number: u64,
        parts: &[Part],
        length: u64,
    ) -> Option<Pending> {
        let thread = stopped.thread();
        let path = descriptor::path(thread, number as i32)?;
        let mut approach = self.approach(thread, call, None, Some(path.clone()));
        approach.length = length;
        if self.refused(stopped, &approach, number, parts, 0) {
            return None;
        }
        Some(Pending::File { kind: call.name(), path, target: None })
    }

    /// A change of a file by name.
    fn enter_named(
        &mut self,
        stopped: &Stopped,
        call: Call,
        arguments: &[u64; 6],
    ) -> Option<Pending> {
        let thread = stopped.thread();
        let (pending, path, target) = enter_file(thread, call, arguments);
        let mut approach = self.approach(thread, call, None, Some(path));
        approach.target = target;
        if self.refused(stopped, &approach, u64::MAX, &[], 0) {
            return None;
        }
        Some(pending)
    }

    fn approach(
        &self,
        thread: i32,
        call: Call,
        channel: Option<Channel>,
        path: Option<String>,
    ) -> Approach {
        let process = self.process_of(thread);
        Approach { node: self.id, process, thread, call, channel, path, target: None, length: 0 }
    }

    /// Asks about a call without entry event. True if the kernel will not run it, or not yet.
    fn refused(
        &mut self,
        stopped: &Stopped,
        approach: &Approach,
        number: u64,
        parts: &[Part],
        flags: i32,
    ) -> bool {
        let handle = self.handle(approach.thread);
        let site = Site {
            process: handle.as_deref(),
            descriptor: (number != u64::MAX).then_some(number as i32),
            parts,
            flags,
            ..Site::of(&self.remote, approach.thread)
        };
        let decision = self.observer.approach(approach, &site);
        self.carried_out(stopped, None, decision)
    }

    /// Carries out the observer's decision. True if the kernel will not run the call.
    fn carried_out(&mut self, stopped: &Stopped, call: Option<CallId>, decision: Decision) -> bool {
        let (result, delivered) = match decision {
            Decision::Continue | Decision::Follow => return false,
            Decision::Hold(gate) => {
                self.holding = Some(Held { gate, call });
                return false;
            }
            Decision::Shorten(bytes) => {
                self.shorten = Some(bytes.max(1));
                return false;
            }
            Decision::Answer(result) => (result, false),
            Decision::Deliver(bytes) => (bytes as i64, true),
        };
        // It fails only if the thread was killed: then the call does not run either.
        let _ = self.skip(stopped, call, result, delivered);
        true
    }

    /// Descriptors that are about to go to another process (SCM_RIGHTS).
    fn passing(&mut self, thread: i32, header: &MessageHeader) {
        for descriptor in memory::passed_descriptors(thread, header) {
            match self.endpoint(thread, descriptor as u64).map(|endpoint| endpoint.channel) {
                Some(channel @ Channel::Pipe(..)) => self.share_for_good(thread, channel),
                Some(channel) => {
                    self.own_sockets.remove(&channel);
                    self.copies.give_up(channel);
                }
                None => {}
            }
        }
    }

    /// The process gives up a descriptor.
    fn release(&mut self, thread: i32, descriptor: i32) {
        // Resolved first: a descriptor never used (a FIFO just opened) counts too.
        if self.endpoint(thread, descriptor as u32 as u64).is_none() {
            if let Some(known) = self.processes.get(&self.process_of(thread)) {
                known.table.borrow_mut().remove(descriptor);
            }
            return;
        }
        let Some(known) = self.processes.get(&self.process_of(thread)) else { return };
        let table = Rc::clone(&known.table);
        let last = table.borrow().last(descriptor);
        if let Some(endpoint) = last {
            self.copies.give_up(endpoint.channel);
            // What lies in a pipe remains to be read after its writer is gone.
            self.share(thread, endpoint.channel);
        }
        table.borrow_mut().remove(descriptor);
        self.own_pipes.changed();
        if let Some(endpoint) = last {
            self.forget_socket(endpoint.channel);
            self.emit(thread, Action::Close { endpoint });
        }
    }

    /// Nothing need be known of a socket that no process holds and no call is made on.
    fn forget_socket(&mut self, channel: Channel) {
        let held = self.processes.values().any(|own| own.table.borrow().holds_any_end(channel));
        let in_use = self
            .threads
            .values()
            .any(|known| known.pending.as_ref().is_some_and(|call| call.concerns(channel)));
        if !held && !in_use {
            self.sockets.remove(&channel);
            self.own_sockets.remove(&channel);
        }
    }

    fn close_range(&mut self, thread: i32, first: u64, last: u64, flags: u32) {
        if flags & libc::CLOSE_RANGE_CLOEXEC != 0 {
            return;
        }
        let bound = |number: u64| i32::try_from(number as u32).unwrap_or(i32::MAX);
        let present = descriptor::scan(thread).range(bound(first), bound(last));
        let known = self
            .processes
            .get(&self.process_of(thread))
            .map(|known| known.table.borrow().range(bound(first), bound(last)))
            .unwrap_or_default();
        let mut all = [present, known].concat();
        all.sort_unstable();
        all.dedup();
        for descriptor in all {
            self.release(thread, descriptor);
        }
    }
}

/// What one call is about to send.
#[derive(Debug, Default)]
struct Outgoing {
    parts: Vec<Part>,
    flags: i32,
    /// The destination's address in the process's memory, and its length.
    name: (u64, u32),
    /// Descriptors or credentials come with it.
    ancillary: bool,
}

fn part(address: u64, length: u64) -> Part {
    Part { address, length }
}

pub(crate) fn lacks_address(facts: &SocketFacts) -> bool {
    match &facts.local {
        Address::Internet(address) => address.port() == 0,
        Address::Unnamed => facts.peer_channel.is_none(),
        _ => false,
    }
}

fn header_slot(thread: i32, address: u64) -> Option<Slot> {
    let header = memory::read_header(thread, address).ok()?;
    let parts = memory::read_parts(thread, header.parts, header.part_count).ok()?;
    Some(Slot { parts, source: Source::Header(address) })
}

/// The address at `name`, `None` if there is none.
pub(crate) fn sockaddr(thread: i32, name: u64, length: u32) -> Option<Address> {
    if name == 0 || length == 0 {
        return None;
    }
    memory::read(thread, name, (length as usize).min(128)).ok().map(|bytes| address::parse(&bytes))
}

/// FNV-1a, 64 bits.
fn digest(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// False if what is about to be opened is surely no FIFO, so that the exit need not be seen.
fn may_open_fifo(thread: i32, call: Call, arguments: &[u64; 6]) -> bool {
    let (directory, name) = match call {
        Call::Open | Call::Creat => (libc::AT_FDCWD, arguments[0]),
        _ => (arguments[0] as i32, arguments[1]),
    };
    let Ok(path) = memory::read_string(thread, name, 4096) else { return true };
    let path = String::from_utf8_lossy(&path);
    // These mean something else seen from here.
    if path.is_empty()
        || ["/proc", "/dev/fd", "/dev/std"].iter().any(|start| path.starts_with(start))
    {
        return true;
    }
    let place = match path.strip_prefix('/') {
        Some(rest) => format!("/proc/{thread}/root/{rest}"),
        None if directory == libc::AT_FDCWD => format!("/proc/{thread}/cwd/{path}"),
        None => format!("/proc/{thread}/fd/{directory}/{path}"),
    };
    match std::fs::metadata(place) {
        Ok(metadata) => std::os::unix::fs::FileTypeExt::is_fifo(&metadata.file_type()),
        Err(error) => error.kind() != std::io::ErrorKind::NotFound,
    }
}

/// What is remembered of a call that names files, and the absolute paths it names.
fn enter_file(thread: i32, call: Call, arguments: &[u64; 6]) -> (Pending, String, Option<String>) {
    let string = |index: usize| {
        let bytes = memory::read_string(thread, arguments[index], 4096).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    const HERE: i32 = libc::AT_FDCWD;
    let folder = |index: usize| arguments[index] as i32;
    let ((path, at), target) = match call {
        Call::Open | Call::Creat | Call::Unlink | Call::Mkdir | Call::Rmdir | Call::Truncate => {
            ((string(0), HERE), None)
        }
        Call::Rename | Call::Link => ((string(0), HERE), Some((string(1), HERE))),
        Call::Renameat | Call::Renameat2 | Call::Linkat => {
            ((string(1), folder(0)), Some((string(3), folder(2))))
        }
        // The text of a symbolic link is no path of its own: the new name is what changes.
        Call::Symlink => ((string(1), HERE), None),
        Call::Symlinkat => ((string(2), folder(1)), None),
        _ => ((string(1), folder(0)), None),
    };
    let whole = absolute(thread, at, &path);
    let whole_target = target.as_ref().map(|(target, at)| absolute(thread, *at, target));
    let target = target.map(|(target, _)| target);
    (Pending::File { kind: call.name(), path, target }, whole, whole_target)
}

/// A path as an absolute one, as far as its text tells.
fn absolute(thread: i32, folder: i32, path: &str) -> String {
    if path.starts_with('/') {
        return path.to_owned();
    }
    let link = match folder {
        libc::AT_FDCWD => format!("/proc/{thread}/cwd"),
        _ => format!("/proc/{thread}/fd/{folder}"),
    };
    let base = std::fs::read_link(link).unwrap_or_default();
    base.join(path).to_string_lossy().into_owned()
}

/// The file mapped at an address.
fn mapped_file(thread: i32, address: u64) -> Option<String> {
    let maps = std::fs::read_to_string(format!("/proc/{thread}/maps")).ok()?;
    maps.lines().find_map(|line| {
        let (range, rest) = line.split_once(' ')?;
        let (first, end) = range.split_once('-')?;
        let bound = |text| u64::from_str_radix(text, 16).ok();
        let inside = (bound(first)?..bound(end)?).contains(&address);
        let path = rest.find('/').map(|start| rest[start..].to_owned())?;
        inside.then_some(path)
    })
}

const _: () = assert!(MESSAGE_HEADER_SIZE < MULTI_HEADER_SIZE);
