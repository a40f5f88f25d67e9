//! Bounds and expectations that stand in the specification itself.
//!
//! The comment lines that begin with `//!`, before the first clause of a file, form a TOML
//! document; to older tools they are comments. Its keys describe one scenario; tables
//! `[scenario.NAME]` describe several, for which the keys above them are the defaults.
//!
//! ```text
//! //! eot = 6
//! //! eff = 3
//! //! nodes = ["a", "b", "c"]
//! //!
//! //! [scenario.no-crash]
//! //! crashes = 0
//! //! expect = "holds"
//! //! reason = "every loss is repaired by a later retry"
//! //!
//! //! [scenario.one-crash]
//! //! crashes = 1
//! //! expect = "broken"
//! //! reason = "the only sender crashes after it has reached one node"
//! ```

mod check;
mod document;

use linchpin_model::Prior;

use crate::diagnostic::Diagnostics;
use crate::source::{SourceMap, Span};

/// What the front matter of a program says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FrontMatter {
    /// In source order; empty if there is no front matter.
    pub scenarios: Vec<Scenario>,
}

/// One set of bounds, and what is expected of the program within them. What is not given is
/// `None`.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Scenario {
    /// NAME of `[scenario.NAME]`; `None` if the file describes a single scenario.
    pub name: Option<String>,
    /// `eot`: the last time step.
    pub eot: Option<u32>,
    /// `eff`: no message is lost at or after this time step.
    pub eff: Option<u32>,
    /// `crashes`: at most so many nodes crash.
    pub crashes: Option<u32>,
    /// `max-delay`: what is sent before `eff` may arrive up to so many steps late.
    pub max_delay: Option<u32>,
    /// `recoveries`: at most so many of the nodes that crash recover.
    pub recoveries: Option<u32>,
    /// `durable`: the relations that survive a crash and recovery.
    pub durable: Option<Vec<String>>,
    /// `crash-model`: `"silent"` or `"stop"`.
    pub crash_model: Option<CrashModel>,
    /// `nodes`: the declared nodes.
    pub nodes: Option<Vec<String>>,
    /// `invariant`: `"implication"`, `"baseline"` or `"good"`.
    pub invariant: Option<Invariant>,
    /// `expect`: the verdict expected, `"holds"` or `"broken"`.
    pub expect: Option<Expectation>,
    /// `reason`: why that verdict, for people.
    pub reason: Option<String>,
    /// `allow-vacuous`: whether a vacuous failure-free run is acceptable.
    pub allow_vacuous: Option<bool>,
    /// `priors`: how likely faults are, such as `["omit=0.01", "crash:c=0.1"]`.
    pub priors: Option<Vec<Prior>>,
    /// Where the scenario is described: the header of its table, or the first line.
    pub span: Span,
}

/// Which invariant is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Invariant {
    /// Every row of `pre` needs an equal row of `post`.
    Implication,
    /// Every row of `post` in the failure-free run must stay while it is in `pre`.
    Baseline,
    /// Every row of `good` in the failure-free run must stay.
    Good,
}

impl Invariant {
    /// The names in front matter and on the command line.
    pub const NAMES: [(&'static str, Self); 3] =
        [("implication", Self::Implication), ("baseline", Self::Baseline), ("good", Self::Good)];
}

/// What a node still does that has crashed and does not recover.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CrashModel {
    /// It goes on by itself, but sends nothing to others.
    Silent,
    /// Nothing.
    Stop,
}

impl CrashModel {
    /// The names in front matter and on the command line.
    pub const NAMES: [(&'static str, Self); 2] = [("silent", Self::Silent), ("stop", Self::Stop)];
}

/// The verdict a scenario expects.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Expectation {
    /// No counterexample exists within the bounds.
    Holds,
    /// A counterexample exists.
    Broken,
}

impl Expectation {
    /// The names in front matter.
    pub const NAMES: [(&'static str, Self); 2] = [("holds", Self::Holds), ("broken", Self::Broken)];
}

/// Parses the lines of a front matter.
pub(crate) fn parse(
    sources: &SourceMap,
    lines: &[Span],
    diagnostics: &mut Diagnostics,
) -> FrontMatter {
    let Some(document) = document::Document::new(sources, lines) else {
        return FrontMatter::default();
    };
    document.read(diagnostics)
}
