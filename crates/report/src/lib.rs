//! Reports of a campaign.
//!
//! * [`SpaceTime`]: the space-time diagram of a run, before it is drawn.
//! * [`explain`] and [`Story`]: why a run broke the invariant, as data and in words.
//! * [`terminal`]: diagram and story as text. [`html`]: the report, one self-contained file.
//! * [`causal`]: the same for runs of real processes: diagram, page, and exports.
//! * [`export`]: DOT, SVG, ShiViz, JUnit and SARIF.
//!
//! Architecture invariant: everything here reads run records ([`linchpin_record`]) only, so that it
//! serves whatever kind of system wrote them.
//!
//! What this crate does **not** do: it runs nothing, reads no flags, and prints nothing.

pub mod causal;
mod explanation;
pub mod export;
pub mod html;
mod layered;
mod lineage;
mod spacetime;
mod story;
pub mod terminal;
mod text;

pub use explanation::{
    Cause, Change, Effect, Explanation, MissingRow, Reason, RowEffect, explain, missing_rows,
    times_of,
};
pub use lineage::{LineageGraph, LineageKind, LineageNode, outcome_facts};
pub use spacetime::{Arrow, Input, SpaceTime, Step};
pub use story::{FaultPoint, Story, WhyPoint, invariant_sentence, reference, replay_command};
