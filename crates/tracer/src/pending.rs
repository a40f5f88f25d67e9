//! What the tracer remembers of a call between its entry and its exit.

use crate::event::{CallId, Channel, Endpoint};
use crate::memory::{self, Part};

/// Where a receive finds the address of the sender.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Source {
    /// Nowhere: read, or no address asked for.
    None,
    /// recvfrom: pointers to the address and to its length.
    Pointers { name: u64, length: u64 },
    /// recvmsg: in the message header at this address.
    Header(u64),
}

/// One message a receive may fill.
#[derive(Clone, Debug)]
pub(crate) struct Slot {
    pub(crate) parts: Vec<Part>,
    pub(crate) source: Source,
}

impl Slot {
    pub(crate) fn size(&self) -> u64 {
        memory::total(&self.parts)
    }
}

/// A call in the kernel.
#[derive(Debug)]
pub(crate) enum Pending {
    Receive {
        channel: Channel,
        slot: Slot,
        flags: i32,
        descriptor: i32,
    },
    ReceiveMany {
        channel: Channel,
        slots: Vec<Slot>,
        headers: u64,
        flags: i32,
        descriptor: i32,
    },
    /// `unbound`: the descriptor of a socket that may get its address by this call. `connect`: the
    /// connect it is too (MSG_FASTOPEN).
    Send {
        call: CallId,
        channel: Channel,
        single: bool,
        unbound: Option<i32>,
        connect: Option<Box<Pending>>,
        /// Of sendmmsg: where its messages are.
        headers: u64,
    },
    /// splice and tee: received from one channel, sent to another, either of which may be absent.
    Relay {
        call: Option<CallId>,
        from: Option<Channel>,
        peek: bool,
    },
    Socket,
    Socketpair {
        descriptors: u64,
    },
    Pipe {
        descriptors: u64,
    },
    Connect {
        call: CallId,
        channel: Channel,
        descriptor: i32,
    },
    Bind {
        channel: Channel,
        descriptor: i32,
    },
    Listen {
        channel: Channel,
        descriptor: i32,
    },
    Accept {
        listener: Channel,
        name: u64,
        length: u64,
    },
    /// dup and its kin.
    Duplicate {
        endpoint: Option<Endpoint>,
    },
    Sync {
        call: CallId,
    },
    /// An open that may give a FIFO.
    Open,
    /// A descriptor of another process (pidfd_getfd).
    Fetched,
    File {
        kind: &'static str,
        path: String,
        target: Option<String>,
    },
    Wait4 {
        status: u64,
    },
    Waitid {
        information: u64,
    },
}

impl Pending {
    /// True if the call is made on a channel, or may be.
    pub(crate) fn concerns(&self, channel: Channel) -> bool {
        match self {
            Pending::Receive { channel: own, .. }
            | Pending::ReceiveMany { channel: own, .. }
            | Pending::Send { channel: own, .. }
            | Pending::Connect { channel: own, .. }
            | Pending::Bind { channel: own, .. }
            | Pending::Listen { channel: own, .. }
            | Pending::Accept { listener: own, .. } => *own == channel,
            Pending::Relay { .. } => true,
            _ => false,
        }
    }
}
