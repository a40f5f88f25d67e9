//! The vocabulary every other crate shares: faults, bounds, outcomes, verdicts.
//!
//! Nothing here runs anything. A *fault* is one thing that goes wrong; *bounds* say which faults
//! may occur (the failure specification of Alvaro et al., SIGMOD 2015, section 2.1.1); a run under
//! a set of faults has an *outcome*; a whole campaign has a *verdict*.

mod bounds;
mod fault;
mod memo;
mod outcome;
mod prior;
mod suggest;

pub use bounds::{Bounds, BoundsError, CrashModel};
pub use fault::{Fault, FaultParseError, FaultSet, InputValue};
pub use memo::Memo;
pub use outcome::{Invariant, Outcome, Verdict};
pub use prior::{Prior, PriorParseError};
pub use suggest::closest;

/// The name of the node that the workload of a cluster runs as: no other node has it.
pub const CLIENT: &str = "client";
