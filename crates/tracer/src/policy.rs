//! Where an observer decides: at the entry of a call, while its thread stands still.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};

use crate::call::Call;
use crate::descriptor;
use crate::event::{Channel, Event, NodeId};
use crate::memory::{self, Part};
use crate::remote::Remote;

/// What happens to a call after its entry was observed.
#[derive(Clone, Debug, Default)]
pub enum Decision {
    /// The kernel runs it.
    #[default]
    Continue,
    /// The kernel runs it, and its exit is reported when it has happened, also where the result is
    /// known before (see `Sent` in `docs/tracing/system-calls.md`).
    Follow,
    /// The kernel skips it and the program sees this result (a negative errno, or a forged
    /// success). Honoured for Connect, Send, Sync and Shutdown events and for every [`Approach`];
    /// for ReceiveFailed it replaces the error the program sees.
    Answer(i64),
    /// As `Answer`, for a Send whose bytes the observer will deliver itself: it counts as sent, and
    /// `Sent` is reported with this many bytes.
    Deliver(u64),
    /// The kernel runs it, but is asked to write no more than this many bytes (at least 1). Only for
    /// the write family and sendto; anything else runs as it is.
    Shorten(u64),
    /// The thread stands still at the entry of the call until the gate opens. Other threads run.
    Hold(Gate),
}

/// Keeps one thread at the entry of a call until it is opened.
#[derive(Clone, Debug, Default)]
pub struct Gate(Arc<Mutex<Option<Decision>>>);

impl Gate {
    /// A closed gate.
    pub fn new() -> Gate {
        Gate::default()
    }

    /// Lets the thread go on as `decision` says (`Hold` counts as `Follow`). The first opening
    /// counts. The tracer looks about every 0.2 ms.
    pub fn open(&self, decision: Decision) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.is_none() {
            *state = Some(decision);
        }
    }

    pub(crate) fn opened(&self) -> Option<Decision> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// A call that is about to run and has no entry event: a receive, an accept, a change of files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Approach {
    /// The node.
    pub node: NodeId,
    /// The process (thread group).
    pub process: i32,
    /// The thread.
    pub thread: i32,
    /// The call.
    pub call: Call,
    /// The socket or pipe it is made on; for an accept, the listening socket.
    pub channel: Option<Channel>,
    /// The file it is made on, as an absolute path.
    pub path: Option<String>,
    /// The second path of a rename.
    pub target: Option<String>,
    /// Bytes to be read or written, where the call says so.
    pub length: u64,
}

/// The place a decision is about: the thread, its node, and the arguments of the call.
#[derive(Debug)]
pub struct Site<'a> {
    pub(crate) node: &'a Remote,
    pub(crate) process: Option<&'a OwnedFd>,
    pub(crate) thread: i32,
    pub(crate) descriptor: Option<i32>,
    pub(crate) parts: &'a [Part],
    pub(crate) flags: i32,
    /// Where the destination's address is, and its length.
    pub(crate) name: (u64, u32),
    pub(crate) ancillary: bool,
}

impl<'a> Site<'a> {
    pub(crate) fn of(node: &'a Remote, thread: i32) -> Site<'a> {
        Site {
            node,
            process: None,
            thread,
            descriptor: None,
            parts: &[],
            flags: 0,
            name: (0, 0),
            ancillary: false,
        }
    }

    /// The node the thread belongs to.
    pub fn node(&self) -> &Remote {
        self.node
    }

    /// The whole content of what is about to be sent or written; `None` if it is not in the
    /// process's memory (sendfile, splice), cannot be read, or comes with descriptors.
    pub fn content(&self) -> Option<Vec<u8>> {
        let length: u64 = memory::total(self.parts);
        if self.parts.is_empty() || self.ancillary {
            return None;
        }
        let bytes = memory::gather(self.thread, self.parts, usize::try_from(length).ok()?);
        (bytes.len() as u64 == length).then_some(bytes)
    }

    /// The destination of a datagram as the program wrote it (struct sockaddr); empty if none.
    pub fn destination(&self) -> Vec<u8> {
        let (address, length) = self.name;
        if address == 0 {
            return Vec::new();
        }
        memory::read(self.thread, address, (length as usize).min(128)).unwrap_or_default()
    }

    /// A duplicate of the descriptor the call is made on. While it lives, the socket does not close
    /// when the process ends.
    pub fn duplicate(&self) -> io::Result<OwnedFd> {
        let descriptor = self.descriptor.ok_or(io::ErrorKind::Unsupported)?;
        descriptor::duplicate(self.process, self.thread, descriptor)
    }

    /// True if the call waits when it cannot go on at once: neither O_NONBLOCK nor MSG_DONTWAIT.
    pub fn waits(&self) -> bool {
        if self.flags & libc::MSG_DONTWAIT != 0 {
            return false;
        }
        let Ok(copy) = self.duplicate() else { return true };
        // SAFETY: fcntl with plain integers on a live descriptor.
        let flags = unsafe { libc::fcntl(copy.as_raw_fd(), libc::F_GETFL) };
        flags >= 0 && flags & libc::O_NONBLOCK == 0
    }
}

/// Sees the events of one or several nodes. Called by the tracer thread of each node, so an
/// observer of several nodes locks; what it does delays the program.
pub trait Observer: Send + Sync {
    /// The thread that made the event stands still until this returns.
    fn observe(&self, event: Event) -> Decision;

    /// The same, with what is needed to act on the call. The tracer calls this one.
    fn decide(&self, event: Event, _site: &Site<'_>) -> Decision {
        self.observe(event)
    }

    /// A call without an entry event is about to run.
    fn approach(&self, _approach: &Approach, _site: &Site<'_>) -> Decision {
        Decision::Continue
    }
}

impl<F: Fn(Event) -> Decision + Send + Sync> Observer for F {
    fn observe(&self, event: Event) -> Decision {
        self(event)
    }
}
