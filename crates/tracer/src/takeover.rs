//! Receives carried out in place of the thread, at the entry of the call: what a TCP socket holds
//! is copied to the buffer, and the kernel skips the call. Its exit need not be seen then, which
//! saves a stop, most of what tracing costs.
//!
//! Only where the kernel would give the same: plain reads of a connection that this node made and
//! holds alone, with no other thread in a receive on it, and with bytes there (or none, and
//! O_NONBLOCK). Bytes are peeked at, written to the program, and only then taken: if its memory
//! refuses them, the kernel runs the call as if nothing had happened.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::atomic::{AtomicUsize, Ordering};

use rustc_hash::FxHashMap;

use crate::arch;
use crate::descriptor;
use crate::event::{Action, Channel, Payload, Transport};
use crate::memory::{self, Part};
use crate::node::Node;
use crate::pending::Pending;
use crate::ptrace::Stopped;

/// Most bytes received in place of a thread; a call that gets more runs itself.
const SIZE_MAX: usize = 16 << 10;
/// More than a receive can return (MAX_RW_COUNT): the kernel checks such buffers in ways of its own.
const COUNT_MAX: u64 = 0x7fff_f000;
/// Most threads of a node that are looked through for receives under way.
const THREADS_MAX: usize = 64;
/// Most duplicates kept, of one node and of all: each is one of this process's descriptors.
const COPIES_MAX: usize = 64;
const COPIES_OF_ALL_MAX: usize = 256;

/// Duplicates kept by all nodes.
static KEPT: AtomicUsize = AtomicUsize::new(0);

/// A socket this node made and keeps to itself.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Own {
    /// A receive waits for one byte and peeks at the first one, as no option says otherwise.
    pub(crate) plain: bool,
    /// The program has neither shut it down nor set the size of its send buffer.
    pub(crate) like_new: bool,
    /// Room its send buffer is known to have (see `descriptor::room`).
    pub(crate) room: u64,
}

/// Duplicates of sockets. While one lives, its socket does not close: each is given up before the
/// program can close its own.
#[derive(Debug, Default)]
pub(crate) struct Copies {
    kept: FxHashMap<Channel, OwnedFd>,
    /// The last of those for which there was no room.
    spare: Option<(Channel, OwnedFd)>,
    /// Room for what is received.
    buffer: Vec<u8>,
}

impl Copies {
    /// The program gives up a descriptor of this channel.
    pub(crate) fn give_up(&mut self, channel: Channel) {
        self.spare.take_if(|(of, _)| *of == channel);
        if self.kept.remove(&channel).is_some() {
            KEPT.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Programs give up descriptors that are not known.
    pub(crate) fn give_up_all(&mut self) {
        KEPT.fetch_sub(self.kept.len(), Ordering::Relaxed);
        self.kept.clear();
        self.spare = None;
    }

    fn get(&self, channel: Channel) -> Option<&OwnedFd> {
        let spare = self.spare.as_ref().filter(|(of, _)| *of == channel);
        self.kept.get(&channel).or(spare.map(|(_, copy)| copy))
    }

    fn keep(&mut self, channel: Channel, copy: OwnedFd) {
        if self.kept.len() < COPIES_MAX && KEPT.load(Ordering::Relaxed) < COPIES_OF_ALL_MAX {
            KEPT.fetch_add(1, Ordering::Relaxed);
            self.kept.insert(channel, copy);
        } else {
            self.spare = Some((channel, copy));
        }
    }
}

impl Drop for Copies {
    fn drop(&mut self) {
        self.give_up_all();
    }
}

impl Node {
    /// A duplicate of the socket behind a descriptor.
    pub(crate) fn copy_of(
        &mut self,
        thread: i32,
        number: i32,
        channel: Channel,
    ) -> Option<&OwnedFd> {
        if self.copies.get(channel).is_none() {
            let copy = descriptor::duplicate(self.handle(thread), thread, number).ok()?;
            self.copies.keep(channel, copy);
        }
        self.copies.get(channel)
    }

    /// Carries out a receive, if that can be done. True if the kernel is to skip the call.
    pub(crate) fn taken_over(
        &mut self,
        stopped: &Stopped,
        channel: Channel,
        parts: &[Part],
        flags: i32,
        number: i32,
    ) -> bool {
        const HARMLESS: i32 = libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL;
        let [part] = *parts else { return false };
        if flags & !HARMLESS != 0
            || !(1..=COUNT_MAX).contains(&part.length)
            || part.address.saturating_add(part.length) > arch::MEMORY_END
            || !self.is_own_connection(channel)
            || self.threads.len() > THREADS_MAX
            || self.in_receive(channel)
        {
            return false;
        }
        let thread = stopped.thread();
        let mut buffer = std::mem::take(&mut self.copies.buffer);
        buffer.resize(SIZE_MAX, 0);
        let done = self.receive_for(stopped, channel, (number, part), flags, &mut buffer);
        self.copies.buffer = buffer;
        let Some(received) = done else { return false };
        match received {
            Received::Nothing => {}
            Received::Failed(error) => self.receive_failed(stopped, channel, error),
            Received::Bytes(length, bytes) => {
                let payload = Payload { length, bytes, digest: None };
                let (peek, truncated) = (false, false);
                self.emit(
                    thread,
                    Action::Receive { channel, from: None, payload, peek, truncated, relay: None },
                );
            }
        }
        true
    }

    /// `None` if the kernel is to run the call.
    fn receive_for(
        &mut self,
        stopped: &Stopped,
        channel: Channel,
        (number, part): (i32, Part),
        flags: i32,
        buffer: &mut [u8],
    ) -> Option<Received> {
        let thread = stopped.thread();
        let limit = self.options.payload_limit;
        let copy = self.copy_of(thread, number, channel)?;
        let wanted = usize::try_from(part.length).unwrap_or(usize::MAX).min(buffer.len());
        let count = match receive(copy, &mut buffer[..wanted], libc::MSG_PEEK) {
            Ok(0) => return None, // the end: what it follows from is found at the exit
            Ok(count) if count == buffer.len() && part.length > count as u64 => return None,
            Ok(count) => count,
            Err(error) => {
                let number = error.raw_os_error().unwrap_or(libc::EIO);
                let waits =
                    || flags & libc::MSG_DONTWAIT == 0 && !descriptor::is_non_blocking(copy);
                if number == libc::EAGAIN && waits() {
                    return None;
                }
                // An error is told once, and now it was told to us.
                arch::answer(stopped, -i64::from(number)).ok()?;
                let again = number == libc::EAGAIN;
                return Some(if again { Received::Nothing } else { Received::Failed(number) });
            }
        };
        memory::write(thread, part.address, &buffer[..count]).ok()?;
        arch::answer(stopped, count as i64).ok()?;
        let bytes = buffer[..count.min(limit)].to_vec();
        // Nobody else receives, so these are the bytes peeked at. Only a fault that resets the
        // connection this instant throws them away first, and then nobody can receive them again.
        let _ = receive(copy, &mut buffer[..count], libc::MSG_TRUNC);
        Some(Received::Bytes(count as u64, bytes))
    }

    /// True for a TCP connection that no process outside the node can receive from.
    fn is_own_connection(&self, channel: Channel) -> bool {
        self.own_sockets.get(&channel).is_some_and(|own| own.plain)
            && self.facts_of(channel).is_some_and(|facts| {
                facts.transport == Transport::Stream
                    && !facts.local_family
                    && !facts.listening
                    && facts.peer.is_some()
            })
    }

    /// The process made a socket, which nobody outside the node can have; accepted ones have the
    /// options of their listener.
    pub(crate) fn own_socket(&mut self, thread: i32, descriptor: i64, listener: Option<Channel>) {
        let Ok(number) = u64::try_from(descriptor) else { return };
        let Some(channel) = self.endpoint(thread, number).map(|endpoint| endpoint.channel) else {
            return;
        };
        let plain = match listener.map(|listener| self.own_sockets.get(&listener)) {
            None => true,
            Some(Some(own)) => own.plain,
            // It came from outside: who knows how.
            Some(None) => self.copy_of(thread, number as i32, channel).is_some_and(|copy| {
                descriptor::low_water(copy) == Some(1) && descriptor::peeks_at_the_start(copy)
            }),
        };
        self.own_sockets.insert(channel, Own { plain, like_new: true, room: 0 });
    }

    /// The program is about to set an option of a socket.
    pub(crate) fn option_set(&mut self, thread: i32, number: u64, level: i32, name: i32) {
        if level != libc::SOL_SOCKET {
            return;
        }
        let Some(channel) = self.endpoint(thread, number).map(|endpoint| endpoint.channel) else {
            return;
        };
        if matches!(name, libc::SO_SNDBUF | libc::SO_SNDBUFFORCE) {
            self.unlike_new(channel);
        } else if let Some(own) = self.own_sockets.get_mut(&channel) {
            own.plain = false;
        }
    }

    /// What was known of the room for sends is so no more.
    pub(crate) fn unlike_new(&mut self, channel: Channel) {
        if let Some(own) = self.own_sockets.get_mut(&channel) {
            *own = Own { like_new: false, room: 0, ..*own };
        }
    }

    /// True if some thread is in a call that may receive from a channel.
    fn in_receive(&self, channel: Channel) -> bool {
        self.threads.values().any(|known| match &known.pending {
            Some(
                Pending::Receive { channel: other, .. }
                | Pending::ReceiveMany { channel: other, .. },
            ) => *other == channel,
            Some(Pending::Relay { from, .. }) => *from == Some(channel),
            _ => false,
        })
    }
}

/// What a receive gave.
enum Received {
    /// So many bytes, and the first of them.
    Bytes(u64, Vec<u8>),
    Failed(i32),
    /// EAGAIN.
    Nothing,
}

fn receive(socket: &OwnedFd, buffer: &mut [u8], flags: i32) -> io::Result<usize> {
    let flags = flags | libc::MSG_DONTWAIT;
    // SAFETY: the kernel writes at most the stated length to the buffer.
    let count =
        unsafe { libc::recv(socket.as_raw_fd(), buffer.as_mut_ptr().cast(), buffer.len(), flags) };
    usize::try_from(count).map_err(|_| io::Error::last_os_error())
}
