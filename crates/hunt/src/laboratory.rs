//! What the hunt asks of whatever can carry out an experiment.

use linchpin_model::Outcome;
use serde::{Deserialize, Serialize};

use crate::fault::Fault;
use crate::trace::Trace;

/// A place where the system can be run under faults.
pub trait Laboratory {
    /// Why an experiment has no result at all.
    type Error;

    /// Runs the system once, from the start, under these faults.
    ///
    /// # Errors
    /// If the run cannot be carried out; the hunt ends with that error.
    fn run(&mut self, experiment: &Experiment) -> Result<Evidence, Self::Error>;

    /// How many runs can be under way at once.
    fn capacity(&self) -> usize {
        1
    }

    /// These sets of faults will probably be asked for next, in this order: a laboratory that has
    /// room may begin to run them. What it does not begin before the next call is forgotten.
    ///
    /// The hunt is the same whether it does or not, only later: it asks in the same order.
    fn expect(&mut self, next: Vec<Vec<Fault>>) {
        let _ = next;
    }
}

impl<L: Laboratory> Laboratory for &mut L {
    type Error = L::Error;

    fn run(&mut self, experiment: &Experiment) -> Result<Evidence, Self::Error> {
        (**self).run(experiment)
    }

    fn capacity(&self) -> usize {
        (**self).capacity()
    }

    fn expect(&mut self, next: Vec<Vec<Fault>>) {
        (**self).expect(next);
    }
}

/// One run to be made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Experiment {
    /// Its number in the campaign, from 0.
    pub number: u64,
    /// Its faults; none in a baseline run.
    pub faults: Vec<Fault>,
}

/// What one run showed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Evidence {
    /// How it ended.
    pub outcome: Outcome,
    /// What happened.
    pub trace: Trace,
    /// Per fault of the experiment: whether it fired. (Another input always does.)
    pub fired: Vec<bool>,
    /// Where the time went.
    pub spent: Spent,
}

/// Wall time of one run, in milliseconds. For people only: nothing is decided by it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    /// Until the nodes were ready.
    pub start_ms: u64,
    /// The workload, healing and waiting.
    pub workload_ms: u64,
    /// The invariant's check.
    pub check_ms: u64,
}

impl std::ops::AddAssign for Spent {
    fn add_assign(&mut self, other: Self) {
        self.start_ms += other.start_ms;
        self.workload_ms += other.workload_ms;
        self.check_ms += other.check_ms;
    }
}
