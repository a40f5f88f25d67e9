//! Evaluates Dedalus programs under faults, with lineage.
//!
//! Two evaluations share the join plans of a program:
//! * the **simulator** runs it under one fault set, time step by time step ([`Specification::execute`]);
//! * the **grounder** runs it for all fault sets within the bounds at once, and finds for every
//!   possible fact the condition on faults under which it holds.
//!
//! A [`Specification`] joins the two into a [`linchpin_search::System`]: the simulator says how a run
//! ended, and the ground program says why. Every run compares the two.
//!
//! What this crate does **not** do: it reads no files, prints nothing, and does not choose faults.

mod aggregate;
mod channels;
mod compiled;
mod error;
mod execution;
mod fixpoint;
mod ground;
mod ground_aggregate;
mod ground_cycle;
mod ground_head;
mod inputs;
mod join;
mod lineage;
pub mod naive;
mod not_grounded;
mod plan;
mod simulate;
mod specification;
mod symmetry;
mod table;
mod value;

pub use error::{RunError, RunErrorKind};
pub use execution::{Absence, Derivation, Execution, Fact, FactId, Message};
pub use inputs::inputs;
pub use not_grounded::{NotGrounded, NotGroundedReason};
pub use specification::{Prediction, Specification, SpecificationError, SystemError};
