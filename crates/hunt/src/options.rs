//! What to hunt for, and what a hunt concludes.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::account::Account;
use crate::candidate::Durations;
use crate::counterexample::Counterexample;
use crate::fault::Budgets;
use crate::laboratory::{Evidence, Experiment};
use crate::trace::TraceError;

/// How the next experiment is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Strategy {
    /// By lineage: the most promising of the hypotheses that no run answers for.
    #[default]
    Lineage,
    /// The baseline to compare with: sets of faults drawn uniformly from the same candidates within
    /// the same budgets, none twice.
    Random,
    /// Every single fault, in the order of the run.
    Single,
}

/// What to hunt for, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// How experiments are chosen.
    pub strategy: Strategy,
    /// How many faults one experiment may hold.
    pub budgets: Budgets,
    /// How long faults last that end by themselves.
    pub durations: Durations,
    /// Per parameter of the workload the values to try beside its default.
    pub inputs: BTreeMap<String, Vec<String>>,
    /// Runs without faults, before anything else. At least one is made.
    pub baseline_runs: u32,
    /// More runs without faults are made, up to so many, as long as much is unseen: see
    /// [`Options::baseline_unseen_max`].
    pub baseline_runs_max: u32,
    /// The baseline ends when the estimated share of kinds of runs not yet seen
    /// ([`Account::unseen_mass`]) is at most this.
    pub baseline_unseen_max: f64,
    /// At most this many experiments after those without faults.
    pub experiments_max: Option<u64>,
    /// Every hypothesis is run so often (at least once).
    pub repeat: u32,
    /// Every hypothesis is run, not one of each class: those of the same kinds and places (up to
    /// interchangeable nodes), single faults of the same moment and label too, that are predicted to
    /// leave the same.
    pub every: bool,
    /// The hunt goes on after a set of faults that broke the system, for those that do not contain it.
    pub all: bool,
    /// How often a set of faults that broke the system is run again, to tell how often it does.
    pub reproductions: u32,
    /// The workload tells what was acknowledged, and the invariant is about that: without an answer
    /// there is nothing to judge. Otherwise nobody knows beforehand what the invariant hangs on.
    pub answers_are_told: bool,
    /// Seed of [`Strategy::Random`].
    pub seed: u64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            strategy: Strategy::Lineage,
            budgets: Budgets::default(),
            durations: Durations::default(),
            inputs: BTreeMap::new(),
            baseline_runs: 1,
            baseline_runs_max: 1,
            baseline_unseen_max: 0.2,
            experiments_max: None,
            repeat: 1,
            every: false,
            all: false,
            reproductions: 0,
            answers_are_told: true,
            seed: 0,
        }
    }
}

/// What a hunt concludes. It tries; it proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// A set of faults within the budgets broke the system.
    Broken,
    /// Every hypothesis (or one of each class) was tried, and nothing broke.
    Survived,
    /// The hunt stopped before it could tell.
    Unknown,
}

/// The result of a hunt.
#[derive(Clone, Debug)]
pub struct Report {
    /// What is known.
    pub verdict: Verdict,
    /// Sets of faults that broke the system, minimal among those tried.
    pub counterexamples: Vec<Counterexample>,
    /// Experiments with faults or other inputs.
    pub experiments: u64,
    /// Of these, how many until the first bad one, inclusive.
    pub experiments_until_bad: Option<u64>,
    /// The account of the whole campaign.
    pub account: Account,
}

/// Why a hunt has no result.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum HuntError<E> {
    /// Occurs when the laboratory cannot carry out an experiment.
    #[error(transparent)]
    Laboratory(E),
    /// Occurs when a trace makes no sense: a defect of the laboratory.
    #[error("the trace of experiment {number} makes no sense: {error}")]
    Trace {
        /// The experiment.
        number: u64,
        /// What is wrong with it.
        error: TraceError,
    },
    /// Occurs when a laboratory does not say of every fault whether it fired.
    #[error("experiment {number} has {faults} faults, but {fired} answers whether they fired")]
    Fired {
        /// The experiment.
        number: u64,
        /// Its faults.
        faults: usize,
        /// The answers.
        fired: usize,
    },
    /// Occurs when runs without faults end neither good nor bad: there is nothing to learn from.
    #[error(
        "no run without faults was good ({outcomes}): the workload must run, and the invariant \
         hold, before faults can be looked for"
    )]
    NoBaseline {
        /// What the runs were.
        outcomes: String,
    },
}

/// Watches a hunt and may stop it.
pub trait Watch {
    /// Asked before each experiment.
    fn stop(&mut self) -> bool {
        false
    }

    /// Told of each experiment, and how many hypotheses there are.
    fn ran(&mut self, _experiment: &Experiment, _evidence: &Evidence, _hypotheses: usize) {}
}

/// Watches nothing and never stops.
impl Watch for () {}
