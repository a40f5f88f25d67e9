//! Errors of a run.

use std::fmt;

use linchpin_dedalus::hir::RuleId;
use thiserror::Error;

use crate::join::ArithmeticError;

/// A run that has no result.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{kind} at time {time}")]
pub struct RunError {
    /// What went wrong.
    pub kind: RunErrorKind,
    /// The rule at fault.
    pub rule: RuleId,
    /// The time step.
    pub time: u32,
}

/// What goes wrong in a run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub enum RunErrorKind {
    /// Occurs when an integer leaves the range of 64 bits.
    Overflow,
    /// Occurs when an integer is divided by zero.
    DivisionByZero,
    /// Occurs when the rules of a stratum derive ever new rows within one time step.
    Endless,
    /// Occurs when a cycle through negation has no total well-founded model.
    NotTotal,
    /// Occurs when the run was told to end.
    Halted,
}

impl fmt::Display for RunErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Overflow => "integer overflow",
            Self::DivisionByZero => "division by zero",
            Self::Endless => "the time step does not end",
            Self::NotTotal => "a cycle through negation leaves facts undecided",
            Self::Halted => "the run was given up",
        })
    }
}

impl From<ArithmeticError> for RunErrorKind {
    fn from(error: ArithmeticError) -> Self {
        match error {
            ArithmeticError::Overflow => Self::Overflow,
            ArithmeticError::DivisionByZero => Self::DivisionByZero,
        }
    }
}
