//! Outcomes of runs and verdicts of campaigns.

use std::fmt;

use serde::{Deserialize, Serialize};

/// How a run is judged: precondition => postcondition.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Invariant {
    /// Bad iff some row of `pre` at the end has no equal row in `post`.
    #[default]
    Implication,
    /// Bad iff some row of `post` of the failure-free run is missing while it is in `pre` (how the
    /// prototype of 2015 judged).
    Baseline,
    /// Bad iff some row of `good` of the failure-free run is missing.
    Good,
}

impl Invariant {
    /// The name used on the command line and in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Implication => "implication",
            Self::Baseline => "baseline",
            Self::Good => "good",
        }
    }
}

impl fmt::Display for Invariant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// How one run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The invariant held, and its precondition did too.
    Good,
    /// The invariant was violated.
    Bad,
    /// The precondition never held, so nothing was asked of the system.
    Vacuous,
    /// The run says nothing (its faults did not fire, or it was cut short).
    Inconclusive,
}

impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Vacuous => "vacuous",
            Self::Inconclusive => "inconclusive",
        })
    }
}

/// What a campaign concludes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// No fault set within the bounds is a counterexample (proved).
    Holds,
    /// Some fault set within the bounds is a counterexample (and was run).
    Broken,
    /// The search stopped before it could tell.
    Unknown,
}

impl fmt::Display for Verdict {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Holds => "holds",
            Self::Broken => "broken",
            Self::Unknown => "unknown",
        })
    }
}
