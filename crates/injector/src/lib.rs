//! Faults for traced processes: the language they are written in, the events they wait for, and
//! their effects as the rest of the system would see them.
//!
//! 1. [`parse_fault`] reads a fault; `docs/formats/faults.md` has the grammar.
//! 2. An [`Injector`] is the observer of every node of a run. It feeds the tracker, names what
//!    happens, and counts it against the patterns of every fault.
//! 3. When a trigger comes, the thread that made the event stands still, so the effect is in place
//!    before the kernel acts (*before*), or before the program knows (*after*).
//! 4. [`Injector::finish`] says of every fault at which event it fired, or why it never did.
//!
//! It starts no nodes: a [`Controller`] does. It judges no outcomes.

mod controller;
mod cuts;
mod diagnostic;
mod durable;
mod effects;
mod errno;
mod events;
mod fault;
mod injector;
mod parse;
mod queue;
mod report;
mod schedule;
mod socket;
mod token;
mod watch;

pub use controller::Controller;
pub use diagnostic::Diagnostic;
pub use errno::Errno;
pub use events::is_write_to_file;
pub use fault::{Count, Data, Effect, Fault, Kind, Lateness, Name, Pattern, Side, Trigger, Until};
pub use injector::{Injector, Setup};
pub use parse::{check_nodes, parse_fault, parse_faults};
pub use report::{FaultReport, Firing};
