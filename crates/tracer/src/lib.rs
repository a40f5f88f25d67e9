//! Runs unmodified programs under ptrace and reports what matters between nodes: messages,
//! connections, durable writes and process life, as typed [`Event`]s.
//!
//! Mechanism only. The tracer does not order events (the tracker does), names nothing, decides
//! nothing: an [`Observer`] sees every event while the thread that made it stands still, and may
//! answer the call in place of the kernel.
//!
//! 1. [`launch()`] starts a program under a seccomp filter that stops it only at the calls of
//!    [`Call`]; everything it starts is followed, and is killed if the tracer dies.
//! 2. One tracer thread per node waits for stops, decodes the call (`enter`, `leave`), and hands
//!    events to the observer before the thread goes on.
//! 3. [`Running::wait`] gives a [`Report`] when the last process of the node is gone.
//!
//! What is invisible to a tracer of system calls (shared memory between processes, vDSO clocks)
//! is listed in `docs/tracing/system-calls.md`.

mod address;
mod arch;
mod call;
mod descriptor;
pub mod doctor;
mod enter;
mod event;
mod filter;
mod inject;
mod launch;
mod leave;
mod memory;
mod node;
mod pending;
mod ptrace;

pub use call::{Call, Selected};
pub use event::{
    Action, Address, CallId, Channel, ChildKind, Endpoint, Event, NodeId, Payload, SocketFacts,
    Status, Transport,
};
pub use launch::{LaunchError, Running, adopt_orphans, launch};
pub use node::{Report, TracerError};
pub use ptrace::{PtraceError, Stopped};

/// What to look at, and how closely.
#[derive(Clone, Debug)]
pub struct Options {
    /// Bytes of each message that are copied into its event.
    pub payload_limit: usize,
    /// Also report opened, renamed and unlinked files.
    pub files: bool,
    /// Follow FIFOs that are opened by name, at the price of a stop at every open.
    pub fifos: bool,
    /// Stop read, write and close only on descriptors that carry messages, by filters added to
    /// the program as it makes them. Without, every read, write and close stops.
    pub narrow: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options { payload_limit: 4096, files: false, fifos: true, narrow: true }
    }
}

/// What happens to a call after its entry event was observed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Decision {
    /// The kernel runs it.
    Continue,
    /// The kernel skips it and the program sees this result (a negative errno, or a forged
    /// success). Honoured for Connect, Send and Sync events only.
    Answer(i64),
}

/// Sees the events of one or several nodes. Called by the tracer thread of each node, so an
/// observer of several nodes locks; what it does delays the program.
pub trait Observer: Send + Sync {
    /// The thread that made the event stands still until this returns.
    fn observe(&self, event: Event) -> Decision;
}

impl<F: Fn(Event) -> Decision + Send + Sync> Observer for F {
    fn observe(&self, event: Event) -> Decision {
        self(event)
    }
}
