//! Runs a cluster of unmodified processes under the tracer, as a cluster file describes it.
//!
//! 1. [`Cluster::load`] reads the file; mistakes come back together, each with its place.
//! 2. [`run()`] starts every node, waits until it is ready, runs the workload, heals, lets things
//!    settle, checks the invariant, and stops everything. Each step has a timeout and a log.
//! 3. Every node has an address of its own: in a network namespace where the system lets us
//!    ([`enter_private_namespaces`] for callers who are not root), else on the loopback device.
//! 4. A [`Director`] sees every event of every node before it takes effect, and the phases of the
//!    run, and may act through [`Control`]: that is where faults come from.
//!
//! Nothing outlives a run, however it ends: processes die with the tracer, namespaces with their
//! last process, and what a killed run left on disk is removed by the next.
//!
//! What this crate does **not** do: it injects no faults, orders no events, prints nothing.

mod control;
mod diagnostic;
mod director;
mod enter;
mod error;
mod file;
mod launch;
mod netlink;
mod network;
mod parse;
mod ready;
mod run;
mod table;
mod template;
mod workspace;

pub use control::Control;
pub use diagnostic::Diagnostic;
pub use director::{Director, Recording};
pub use enter::enter_private_namespaces;
pub use error::ClusterError;
pub use file::{
    Budgets, Cluster, FAULT_KINDS, Invariant, Isolation, Judge, Node, Ready, ReadyWhen, Steps,
    User, Workload,
};
pub use network::{Isolated, isolation};
pub use run::{HistoryFiles, Judgement, RunOptions, RunResult, Step, run};
pub use workspace::Workspace;

pub use linchpin_model::CLIENT;
