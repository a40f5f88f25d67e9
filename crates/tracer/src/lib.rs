//! Runs unmodified programs under ptrace and reports what matters between nodes: messages,
//! connections, durable writes and process life, as typed [`Event`]s.
//!
//! Mechanism only. The tracer does not order events (the tracker does), names nothing, decides
//! nothing: an [`Observer`] sees every event while the thread that made it stands still, and may
//! answer the call in place of the kernel, hold it, or deliver its bytes itself ([`Decision`]). A
//! [`Remote`] lets a whole node stand still and reaches its sockets.
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
mod channels;
mod decide;
mod descriptor;
pub mod doctor;
mod enter;
mod event;
mod files;
mod filter;
mod inject;
mod launch;
mod leave;
mod memory;
mod node;
mod own;
mod pending;
mod policy;
mod ptrace;
mod remote;
mod sends;
mod still;
mod takeover;

pub use call::{Call, Selected};
pub use event::{
    Action, Address, CallId, Channel, ChildKind, Endpoint, Event, NodeId, Payload, SocketFacts,
    Status, Transport,
};
pub use launch::{LaunchError, Running, adopt_orphans, launch};
pub use node::{Report, TracerError};
pub use policy::{Approach, Decision, Gate, Observer, Site};
pub use ptrace::{PtraceError, Stopped};
pub use remote::Remote;

/// What to look at, and how closely.
#[derive(Clone, Debug)]
pub struct Options {
    /// Bytes of each message that are copied into its event.
    pub payload_limit: usize,
    /// Also report opened, renamed and unlinked files.
    pub files: bool,
    /// Also report what changes files: writes, truncations, new names. Every write stops then.
    pub writes: bool,
    /// Let a sendmmsg send its first message only, so that each is decided on by itself. (The call
    /// says so; programs send the rest with the next.)
    pub single_messages: bool,
    /// Follow FIFOs that are opened by name, at the price of a stop at every open.
    pub fifos: bool,
    /// Stop read, write and close only on descriptors that carry messages, by filters added to
    /// the program as it makes them. Without, every read, write and close stops.
    pub narrow: bool,
}

impl Default for Options {
    fn default() -> Options {
        Options {
            payload_limit: 4096,
            files: false,
            writes: false,
            single_messages: false,
            fifos: true,
            narrow: true,
        }
    }
}
