//! Clausal proofs of unsatisfiability (DRUP, a part of DRAT), and a checker of them.
//!
//! A solver that says "there is no model" asks to be trusted. A proof is the list of clauses it
//! concluded; [`Checker`] accepts each of them only if it follows from those before by unit
//! propagation. It is not the solver, and shares nothing with it.
//!
//! Two things rest on it. A certificate is verified by it (`linchpin-certificate`). And in builds with
//! debug assertions, which tests are, the search lets it follow its own solver step by step, so that
//! no test passes on an unchecked "there is none".
//!
//! What this crate does **not** do: it solves nothing, and knows nothing of faults.

mod checker;
mod cnf;
mod error;
mod steps;

pub use checker::Checker;
pub use cnf::Cnf;
pub use error::ProofError;
pub use steps::{Step, parse_drat, to_drat};
