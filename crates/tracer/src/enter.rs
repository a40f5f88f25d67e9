//! Entries of system calls: what is about to happen, reported before the kernel acts.

use crate::call::Call;
use crate::descriptor;
use crate::event::{Action, Address, Channel, Endpoint};
use crate::files::{mapped_file, may_open_fifo};
use crate::memory::{self, MESSAGE_HEADER_SIZE, MULTI_HEADER_SIZE, Part};
use crate::node::Node;
use crate::pending::{Pending, Slot, Source};
use crate::ptrace::Stopped;
use crate::sends::{MESSAGES_MAX, Outgoing};
use crate::{Site, address};

impl Node {
    /// Decodes the entry of a call and reports it. Gives what its exit is needed for, if anything.
    pub(crate) fn enter(
        &mut self,
        stopped: &Stopped,
        call: Call,
        arguments: &[u64; 6],
    ) -> Option<Pending> {
        let thread = stopped.thread();
        let [first, second, third, fourth, fifth, sixth] = *arguments;
        match call {
            Call::Read => {
                let at = (first, self.end(thread, call, first)??);
                self.enter_receive(stopped, call, at, &[part(second, third)], 0, Source::None)
            }
            Call::Readv | Call::Preadv2 => {
                // preadv2 on a socket is accepted with offset -1 only: then it is a readv.
                let at = (first, self.end(thread, call, first)??);
                let parts = memory::read_parts(thread, second, third).unwrap_or_default();
                self.enter_receive(stopped, call, at, &parts, 0, Source::None)
            }
            Call::Recvfrom => {
                let source = if fifth == 0 {
                    Source::None
                } else {
                    Source::Pointers { name: fifth, length: sixth }
                };
                let at = (first, self.endpoint(thread, first)?);
                let parts = [part(second, third)];
                self.enter_receive(stopped, call, at, &parts, fourth as i32, source)
            }
            Call::Recvmsg => {
                let at = (first, self.endpoint(thread, first)?);
                let Slot { parts, source } = header_slot(thread, second)?;
                self.enter_receive(stopped, call, at, &parts, third as i32, source)
            }
            Call::Recvmmsg => self.enter_receive_many(stopped, first, second, third, fourth as i32),
            Call::Write | Call::Pwrite64 => {
                let at = (first, self.end(thread, call, first)?);
                self.enter_write(stopped, call, at, &[part(second, third)])?
            }
            Call::Writev | Call::Pwritev2 | Call::Pwritev => {
                let at = (first, self.end(thread, call, first)?);
                let parts = memory::read_parts(thread, second, third).unwrap_or_default();
                self.enter_write(stopped, call, at, &parts)?
            }
            Call::Sendto => {
                let at = (first, self.endpoint(thread, first)?);
                let outgoing = Outgoing {
                    parts: &[part(second, third)],
                    flags: fourth as i32,
                    name: (fifth, sixth as u32),
                    ..Outgoing::default()
                };
                self.enter_send(stopped, at, &outgoing)
            }
            Call::Sendmsg => {
                let at = (first, self.endpoint(thread, first)?);
                let header = memory::read_header(thread, second).ok()?;
                self.passing(thread, &header);
                let parts = memory::read_parts(thread, header.parts, header.part_count).ok()?;
                let outgoing = Outgoing {
                    parts: &parts,
                    flags: third as i32,
                    name: (header.name, header.name_length),
                    ancillary: header.control != 0 && header.control_length > 0,
                };
                self.enter_send(stopped, at, &outgoing)
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
                        let outgoing = Outgoing { parts: &parts, ..Outgoing::default() };
                        self.enter_send(stopped, (first, endpoint), &outgoing)
                    }
                    _ => {
                        let at = (first, endpoint);
                        self.enter_receive(stopped, call, at, &parts, 0, Source::None)
                    }
                }
            }
            Call::Socket => Some(Pending::Socket),
            Call::Socketpair => Some(Pending::Socketpair { descriptors: fourth }),
            Call::Pipe | Call::Pipe2 => Some(Pending::Pipe { descriptors: first }),
            Call::Bind => {
                let channel = self.endpoint(thread, first)?.channel;
                Some(Pending::Bind { channel, descriptor: first as i32 })
            }
            Call::Connect => self.enter_connect(stopped, first, (second, third as u32)),
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
                self.unlike_new(channel);
                let (read, write) = (how != libc::SHUT_WR, how != libc::SHUT_RD);
                let id = self.next_call();
                let decision = self.ask(
                    Action::Shutdown { channel, read, write },
                    &Site {
                        process: self.handle(thread),
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
            Call::Setsockopt => {
                self.option_set(thread, first, second as i32, third as i32);
                None
            }
            Call::PidfdGetfd => Some(Pending::Fetched),
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

    /// The channel a read or write is made on, `Some(None)` if there is none. `None` if the call is
    /// let through: it is made on a pipe that the process holds alone.
    fn end(&mut self, thread: i32, call: Call, number: u64) -> Option<Option<Endpoint>> {
        let endpoint = self.endpoint(thread, number);
        let plain = matches!(call, Call::Read | Call::Readv | Call::Write | Call::Writev);
        match endpoint {
            Some(Endpoint { channel: channel @ Channel::Pipe(..), .. })
                if plain && self.quiet(thread, channel) =>
            {
                None
            }
            endpoint => Some(endpoint),
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
        (number, endpoint): (u64, Endpoint),
        parts: &[Part],
        flags: i32,
        source: Source,
    ) -> Option<Pending> {
        let thread = stopped.thread();
        if !endpoint.read || flags & libc::MSG_ERRQUEUE != 0 {
            return None;
        }
        let mut approach = self.approach(thread, call, Some(endpoint.channel), None);
        approach.length = memory::total(parts);
        if self.refused(stopped, &approach, number, &[], flags) {
            return None;
        }
        self.note_urgent(thread, flags);
        let plain = matches!(call, Call::Read | Call::Recvfrom)
            && matches!(source, Source::None)
            && self.holding.is_none();
        if plain && self.taken_over(stopped, endpoint.channel, parts, flags, number as i32) {
            return None;
        }
        let slot = Slot { parts: parts.to_vec(), source };
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
            .map_while(|index| header_slot(thread, headers.wrapping_add(index * MULTI_HEADER_SIZE)))
            .collect();
        let descriptor = number as i32;
        Some(Pending::ReceiveMany { channel: endpoint.channel, slots, headers, flags, descriptor })
    }

    /// Urgent bytes travel outside the stream's order.
    pub(crate) fn note_urgent(&self, thread: i32, flags: i32) {
        if flags & libc::MSG_OOB != 0 {
            self.emit(thread, Action::NotFollowed { what: "urgent data (MSG_OOB)".into() });
        }
    }

    /// A connect to the address at `name`, or a send that connects.
    pub(crate) fn enter_connect(
        &mut self,
        stopped: &Stopped,
        number: u64,
        (name, length): (u64, u32),
    ) -> Option<Pending> {
        let thread = stopped.thread();
        let channel = self.endpoint(thread, number)?.channel;
        let to = sockaddr(thread, name, length)?;
        let call = self.next_call();
        let site = Site {
            process: self.handle(thread),
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
}

fn part(address: u64, length: u64) -> Part {
    Part { address, length }
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

const _: () = assert!(MESSAGE_HEADER_SIZE < MULTI_HEADER_SIZE);
