//! Why a proof is none.

use thiserror::Error;

/// Why a proof does not show that a formula is unsatisfiable.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum ProofError {
    /// Occurs when a line of a proof cannot be read.
    #[error("line {line} of the proof is not a step: `{text}`")]
    Unreadable {
        /// The line, from 1.
        line: usize,
        /// What stands there.
        text: String,
    },
    /// Occurs when a clause does not follow by unit propagation.
    #[error("step {step} of the proof does not follow from what stands before it")]
    DoesNotFollow {
        /// The step, from 1.
        step: usize,
    },
    /// Occurs when a step speaks of a variable that the formula does not have.
    #[error("step {step} of the proof speaks of a variable that the formula does not have")]
    UnknownVariable {
        /// The step, from 1.
        step: usize,
    },
    /// Occurs when a clause is deleted that is not there.
    #[error("step {step} of the proof deletes a clause that is not there")]
    NothingToDelete {
        /// The step, from 1.
        step: usize,
    },
    /// Occurs when a proof does not end with the empty clause.
    #[error("the proof does not end in a contradiction")]
    NoContradiction,
}
