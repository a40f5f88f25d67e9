//! A campaign that was interrupted goes on without repeating a run: a hunt is determined by its
//! options and what its experiments showed, so what was recorded is shown again first.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::fault::Fault;
use crate::laboratory::{Evidence, Experiment, Laboratory};

/// An experiment and what it showed: one line of a campaign's record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recorded {
    /// What was run.
    pub experiment: Experiment,
    /// What it showed.
    pub evidence: Evidence,
}

/// A laboratory that shows what was recorded, and runs what was not.
#[derive(Debug)]
pub struct Resumed<L> {
    laboratory: L,
    recorded: VecDeque<Recorded>,
}

/// Why a campaign cannot go on.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum ResumeError<E> {
    /// Occurs when the laboratory cannot carry out an experiment.
    #[error(transparent)]
    Laboratory(E),
    /// Occurs when the record was made with other options, or by another version.
    #[error(
        "experiment {number} of the record has other faults than the hunt wants now; resume with \
         the options and the version that made it"
    )]
    Differs {
        /// The experiment.
        number: u64,
    },
}

impl<L> Resumed<L> {
    /// Shows `recorded`, in the order in which it was recorded, before it runs anything.
    #[must_use]
    pub fn new(laboratory: L, recorded: Vec<Recorded>) -> Self {
        Self { laboratory, recorded: recorded.into() }
    }
}

impl<L: Laboratory> Laboratory for Resumed<L> {
    type Error = ResumeError<L::Error>;

    fn run(&mut self, experiment: &Experiment) -> Result<Evidence, Self::Error> {
        match self.recorded.pop_front() {
            Some(recorded) if recorded.experiment == *experiment => Ok(recorded.evidence),
            Some(_) => Err(ResumeError::Differs { number: experiment.number }),
            None => self.laboratory.run(experiment).map_err(ResumeError::Laboratory),
        }
    }

    fn capacity(&self) -> usize {
        self.laboratory.capacity()
    }

    fn expect(&mut self, next: Vec<Vec<Fault>>) {
        if self.recorded.is_empty() {
            self.laboratory.expect(next);
        }
    }
}
