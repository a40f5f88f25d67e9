//! Why a program is not grounded, and what helps.

use std::fmt;

use linchpin_dedalus::hir::RuleId;
use thiserror::Error;

/// Why the formula for all runs of a program at once could not be written down. Then every run
/// teaches only about runs in which the same messages arrive: still complete, but slow.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{reason} (at time {time})")]
pub struct NotGrounded {
    /// What went beyond a limit.
    pub reason: NotGroundedReason,
    /// The rule at which that became apparent, if it was one rule.
    pub rule: Option<RuleId>,
    /// The time step.
    pub time: u32,
}

/// What goes beyond a limit in grounding.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NotGroundedReason {
    /// Occurs when the rows that are possible under some fault set are infinitely many, or too many
    /// to tell.
    Endless,
    /// Occurs when rules can fire in more than twenty million ways.
    Valuations,
    /// Occurs when the conditions under which rows are there have more than three million parts.
    Conditions,
    /// Occurs when so many rows of one time step depend on each other in a circle that their
    /// conditions have too many parts.
    Circle,
    /// Occurs when a sum or an average can take more than 4096 values.
    Aggregate,
    /// Occurs when the search was told to end in the meantime.
    Halted,
    /// Occurs when grounding was not wanted.
    Off,
}

impl NotGroundedReason {
    /// Which bound to lower or what to write instead, as a sentence without its capital and stop.
    #[must_use]
    pub fn hint(self) -> &'static str {
        match self {
            Self::Endless => {
                "bound what that rule computes: compare its result with a largest value, or let it \
                 count by one per time step (`@next`) instead of within one"
            }
            Self::Valuations => {
                "lower --eot or the number of nodes, or let the literals of that rule share more \
                 variables, so that fewer combinations match"
            }
            Self::Conditions => {
                "lower --eot, --eff or the number of nodes: every time step and channel adds \
                 conditions"
            }
            Self::Circle => {
                "let that recursion take a time step per round (`@next` or `@async`), or lower the \
                 number of nodes it ranges over"
            }
            Self::Aggregate => {
                "lower --eff or the number of nodes, so that fewer of the values summed up may be \
                 missing, or use count, min or max, which have few results"
            }
            Self::Halted => "raise --timeout, or lower --eot, --eff or the number of nodes",
            Self::Off => "do not turn grounding off",
        }
    }
}

impl fmt::Display for NotGroundedReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Endless => "the possible facts of a time step do not end",
            Self::Valuations => "its rules can fire in too many ways",
            Self::Conditions => "the conditions of its facts are too large",
            Self::Circle => "too many facts depend on each other in a circle",
            Self::Aggregate => "an aggregate has too many possible values",
            Self::Halted => "it was given up before all runs were written down",
            Self::Off => "grounding is off",
        })
    }
}
