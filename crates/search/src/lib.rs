//! The search: which faults to try next, what a run teaches, and when to stop.
//!
//! A [`System`] can be run under a set of faults and answers with an [`Observation`]: the outcome
//! and, unless it was bad, the *support* of the outcome, a formula over faults that is true of the
//! faults of that run and sufficient for "not bad". The lineage-driven strategy (Alvaro et al.,
//! SIGMOD 2015, section 4) keeps every support it has seen. Its next hypothesis is a smallest set of
//! faults within the bounds that falsifies them all; when there is none, no counterexample exists.
//!
//! A system that can only be *observed* (processes) states no formula: its runs teach what [`Lessons`]
//! says, its fault space grows ([`FaultSpace::open`]), and it may suggest what to run next.
//!
//! What this crate does **not** do: it knows nothing of specifications, processes or services, it
//! prints nothing, reads no clock (see [`Control`]), and never judges a run by anything but the
//! system's own observation.

mod blind;
mod counter;
mod directed;
mod encoder;
mod enumerate;
mod explore;
mod halt;
mod lessons;
mod likelihood;
mod observed;
mod open;
mod random;
mod resumed;
mod space;
mod symmetry;
mod system;
mod transcript;

pub use explore::{Options, Report, SearchError, Strategy, search};
pub use halt::Halt;
pub use lessons::{Lessons, Retired, Trials};
pub use resumed::Resumed;
pub use space::{Budget, FaultSpace};
pub use system::{Control, Event, Observation, StopReason, Suggestion, System};
