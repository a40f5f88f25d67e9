//! Orders the events of traced processes: the happens-before graph, online.
//!
//! Feed it the tracer's events in the order they are reported ([`Tracker::record`], or a
//! [`Recorder`] as the tracer's observer). It keeps, for every event, its direct causes:
//!
//! - the event before it in its thread, and in its process (threads share memory unseen, so lineage
//!   must use the second, which over-approximates: [`Order`]);
//! - the spawn of its thread, the end of the child it waited for, the release of its vfork;
//! - *connect-entry before accept-exit*, and *listen-entry before connect-exit*. Not accept before
//!   connect: on Linux the backlog completes handshakes that nobody has accepted yet;
//! - the writes whose bytes a read returned, the datagram a receive returned;
//! - what ended a stream: shutdown, or every release of its write side.
//!
//! What happened before what in the order of processes is indexed as events come in, so that asking
//! is cheap while the system runs; the order of threads is searched. [`names`] gives
//! messages names that mean the same in the next run, with labels from [`dissect`].
//! It does not read memory and injects nothing.

mod amqp;
mod by_channel;
mod datagram;
pub mod dissect;
mod graph;
mod index;
mod link;
pub mod live;
mod log;
pub mod names;
mod order;
mod recorder;
mod socket;
mod stream;
mod summary;
mod tracker;

pub use graph::{Cause, Edge, EventId, Graph, Matched, Track};
pub use log::{LOG_VERSION, LogError, LogHeader, LogLine, read_log};
pub use order::{Clock, Order};
pub use recorder::Recorder;
pub use summary::{Pair, Summary};
pub use tracker::Tracker;
