//! Why there is no certificate, and why one is refused.

use linchpin_dedalus::hir::RuleId;
use linchpin_model::FaultSet;
use linchpin_proof::ProofError;
use thiserror::Error;

/// Why the formula of a program cannot be written down.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum NotCertifiable {
    /// Occurs when the program has no relation that the invariant needs.
    #[error("the program has no relation `{relation}`, which the invariant needs")]
    MissingRelation {
        /// The relation.
        relation: &'static str,
    },
    /// Occurs when the bounds declare a relation durable that the program does not have.
    #[error("the program has no relation `{relation}`, which the bounds declare durable")]
    UnknownDurable {
        /// The relation.
        relation: String,
    },
    /// Occurs when what the program can do within the bounds cannot be written down, or is too much.
    #[error("{reason} ({}time {time})", rule.map_or(String::new(), |rule| format!("rule {}, ", rule.0 + 1)))]
    TooMuch {
        /// What is too much.
        reason: &'static str,
        /// The rule at fault, if there is one.
        rule: Option<RuleId>,
        /// The time step.
        time: u32,
    },
}

impl NotCertifiable {
    pub(crate) fn new(reason: &'static str, rule: Option<RuleId>, time: u32) -> Self {
        Self::TooMuch { reason, rule, time }
    }
}

/// Why no certificate can be made.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum CertifyError {
    /// Occurs when the formula of the program cannot be written down.
    #[error("no certificate: {0}")]
    NotCertifiable(#[from] NotCertifiable),
    /// Occurs when there is nothing to certify: with these faults the run is bad or has no outcome.
    #[error("no certificate: with {faults}, the run is bad or has no outcome")]
    Broken {
        /// The faults.
        faults: FaultSet,
    },
    /// Occurs when the solver was told to stop.
    #[error("no certificate: interrupted")]
    Interrupted,
    /// Occurs when the proof that the solver wrote is not one: a defect of the solver.
    #[error("no certificate: the solver's proof is wrong: {0}")]
    WrongProof(ProofError),
}

/// Why a certificate is refused.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Occurs when the file is not a certificate, or not one of this version.
    #[error("not a certificate: {reason} (line {line})")]
    Unreadable {
        /// What is wrong.
        reason: String,
        /// The line of the file, from 1.
        line: usize,
    },
    /// Occurs when a part of the file is not what the header says, by its digest.
    #[error("the {part} was changed: its digest is not the one in the header")]
    Changed {
        /// `header`, `formula`, `map` or `proof`.
        part: &'static str,
    },
    /// Occurs when the specification does not compile any more.
    #[error("the specification does not compile")]
    SpecificationInvalid,
    /// Occurs when the specification has other files than the one certified.
    #[error("the specification differs: {reason}")]
    SpecificationDiffers {
        /// Which file.
        reason: String,
    },
    /// Occurs when the bounds in the header make no sense.
    #[error("the bounds make no sense: {reason}")]
    BoundsInvalid {
        /// What is wrong.
        reason: String,
    },
    /// Occurs when the inputs of the program and their alternatives are not those in the header.
    #[error("the inputs of this specification are not those of the certificate")]
    InputsDiffer,
    /// Occurs when the formula of the specification cannot be derived.
    #[error("the formula cannot be derived: {0}")]
    NotCertifiable(#[from] NotCertifiable),
    /// Occurs when the specification, within these bounds and under this invariant, gives another
    /// formula or map.
    #[error(
        "the {part} is not that of this specification with these bounds and this invariant: it \
         differs from line {line} on"
    )]
    DerivationDiffers {
        /// `formula` or `map`.
        part: &'static str,
        /// The first line of the section that differs, from 1.
        line: usize,
    },
    /// Occurs when the proof does not prove the formula unsatisfiable.
    #[error(transparent)]
    Proof(#[from] ProofError),
}
