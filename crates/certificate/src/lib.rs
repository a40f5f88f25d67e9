//! Certificates: evidence that no fault set within given bounds breaks a specification, which can be
//! checked without trusting whoever found it.
//!
//! A certificate holds a formula, a map from its variables to faults and facts, and a clausal proof
//! that the formula has no solution. The formula is satisfiable iff some fault set within the bounds
//! is bad or has no outcome. [`verify`] compiles the specification, derives the formula again and
//! compares, and checks the proof; `docs/certificates.md` says what is thereby proved and what must
//! be trusted.
//!
//! The formula is derived in stages, each a module, in this order:
//! 1. `rule`: rules made ready, and the ways to satisfy a body over given rows;
//! 2. `possible`: the rows that are possible at each time step, by a naive fixpoint that ignores
//!    negation;
//! 3. `ground`: every instance of every rule over possible rows;
//! 4. `solve`: every fact as a disjunction over its instances, circles spelled out in rounds;
//! 5. `formula`: the bounds and the goal, "some row asked for is not answered"; clauses.
//!
//! Then `prove` asks a SAT solver, and [`linchpin_proof::Checker`] checks what it wrote down.
//!
//! What this crate does **not** do: it shares nothing with the search and the simulator, and it is in
//! no hurry. No fact is simplified away as certain, nothing is evaluated incrementally: it is the
//! second opinion, and written to be read. Nothing here reads files or prints.

mod aggregate;
mod certificate;
mod certify;
mod circuit;
mod components;
mod digest;
mod error;
mod faults;
mod formula;
mod ground;
mod inputs;
mod possible;
mod prove;
mod rule;
mod solve;
mod table;
mod value;

pub use certificate::{Certificate, SourceDigest, Statement};
pub use certify::{certify, verify};
pub use error::{CertifyError, NotCertifiable, Refusal};
pub use formula::Formula;
