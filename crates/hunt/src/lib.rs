//! The hunt: faults for real processes, chosen by the lineage of the runs they should break.
//!
//! A [`Laboratory`] runs a system under [`Fault`]s and answers with [`Evidence`]: the outcome, and a
//! [`Trace`], the happens-before order of what happened at the boundaries of the nodes. From a run
//! without faults [`hunt()`] reads
//!
//! 1. *candidates*: the points at which a crash, a stall, a delay would change something;
//! 2. *supports*: what the good outcome can have depended on, the causal past of its events. It is
//!    an over-approximation, since a process has memory we do not see into;
//! 3. *payload lineage*: which nodes came to hold the values that the system acknowledged, and
//!    through which messages and files.
//!
//! A hypothesis is a set of candidates within the budgets that no run answers for. Hypotheses that
//! would leave the acknowledgement but no holder of the value come first. Every run that is not bad
//! teaches a support, conditional on the faults under which it was seen, and new candidates. The loop
//! is that of `linchpin-search`, for which a laboratory is a system that can only be observed.
//!
//! What this crate does **not** do: it starts no process, reads no clock, prints nothing, and knows
//! no system, protocol or message by name.

mod account;
mod acknowledgement;
mod alike;
mod candidate;
pub mod confidence;
mod convert;
mod counterexample;
mod cut;
mod divergence;
mod event;
mod event_set;
mod fault;
mod hunt;
mod knowledge;
mod laboratory;
mod options;
mod pairs;
mod prediction;
mod proposals;
mod rank;
mod resume;
mod roles;
mod sentence;
mod tokens;
mod trace;

pub use account::{Account, Coverage, SupportSeen};
pub use candidate::Durations;
pub use convert::{FileWrite, Subject, Target, trace_of};
pub use counterexample::{Counterexample, Expected, Taken};
pub use divergence::{Divergence, Parting};
pub use event::{EventName, MessageName};
pub use fault::{Budgets, Fault, Kind, Moment, Place, Trigger};
pub use hunt::hunt;
pub use laboratory::{Evidence, Experiment, Laboratory, Spent};
pub use options::{HuntError, Options, Report, Strategy, Verdict, Watch};
pub use resume::{Recorded, ResumeError, Resumed};
pub use roles::Roles;
pub use trace::{Acknowledgement, Node, Trace, TraceError, TraceEvent};
