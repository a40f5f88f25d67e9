//! What a hunt adds to the record of runs of processes. `docs/formats/hunt.md` describes every field.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What was hunted for, and how it ended: `hunt` in `campaign.json`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HuntHeader {
    /// How experiments were chosen: `lineage`, `random` or `single`.
    pub strategy: String,
    /// Seed of `random`.
    pub seed: u64,
    /// At most so many faults in one experiment.
    pub total: u32,
    /// At most so many of a kind; none of a kind that is not listed.
    pub budgets: BTreeMap<String, u32>,
    /// How long a pause lasts.
    pub pause_ms: u64,
    /// How late a delayed message is.
    pub delay_ms: u64,
    /// Until a node is started again.
    pub restart_ms: u64,
    /// Per parameter of the workload the values tried beside its default.
    pub inputs: BTreeMap<String, Vec<String>>,
    /// Runs without faults: at least, and at most if much is unseen.
    pub baseline_runs: (u32, u32),
    /// How often every hypothesis was run.
    pub repeat: u32,
    /// How often faults that broke the system were run again.
    pub reproductions: u32,
    /// Every hypothesis was to be run, not one of each class.
    pub every: bool,
    /// The hunt went on after the first counterexample.
    pub all: bool,
    /// How it ended; absent as long as it goes on, or if it was killed.
    #[serde(default)]
    pub conclusion: Option<HuntConclusion>,
}

/// How a hunt ended.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HuntConclusion {
    /// `broken`, `survived` or `unknown`.
    pub verdict: String,
    /// Why it ended early: `experiments`, `time` or `interrupted`.
    #[serde(default)]
    pub stopped: Option<String>,
    /// Runs with faults or other inputs.
    pub experiments: u64,
    /// Of these, until the first bad one, that included.
    #[serde(default)]
    pub experiments_until_bad: Option<u64>,
    /// Sets of faults that broke the system, minimal among those tried.
    pub counterexamples: Vec<HuntCounterexample>,
    /// What was seen, tried and left out.
    pub account: HuntAccount,
}

/// A set of faults that broke the system.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HuntCounterexample {
    /// The faults, in the order in which they struck.
    pub faults: Vec<HuntFault>,
    /// The first bad run under these faults.
    pub run: u64,
    /// Why it was judged bad.
    pub reason: String,
    /// The runs in which all of them fired.
    pub runs: Vec<u64>,
    /// How many of these were bad.
    pub bad: u32,
    /// Bounds on the share of runs that these faults break, at 95 % each (Clopper and Pearson, 1934).
    pub break_rate: (f64, f64),
    /// The run that is most like it, of those that are good.
    #[serde(default)]
    pub nearest: Option<Nearest>,
    /// How the final state was to show what it does not, as seen in other runs.
    #[serde(default)]
    pub expected: Vec<Expected>,
}

/// A fault in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HuntFault {
    /// As it is written.
    pub fault: String,
    /// One sentence.
    pub sentence: String,
}

/// The good run nearest to a bad one, and where the two part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Nearest {
    /// Its number.
    pub run: u64,
    /// The first events of the good run that the bad one lacks; at most one per node.
    pub lacking: Vec<Parting>,
    /// The first events of the bad run that the good one lacks.
    pub new: Vec<Parting>,
}

/// An event at which two runs part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parting {
    /// Its name.
    pub name: String,
    /// Where it is in the trace of its run, if it is there: writes to files are not.
    #[serde(default)]
    pub event: Option<u32>,
}

/// A way in which a value came to be shown in other runs, and what the faults took away of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    /// The value.
    pub value: String,
    /// The events that carried it to the final state.
    pub path: Vec<String>,
    /// In how many runs it was seen.
    pub runs: u32,
    /// Which of the faults (from 0) took away which event of it first. If empty, it was expected to
    /// hold, and did not.
    pub cuts: Vec<(usize, String)>,
    /// Where the events of `path` are in the trace of the nearest good run, one for each, as far as
    /// they are there.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<Option<u32>>,
}

/// The account of a hunt.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct HuntAccount {
    /// Runs by outcome.
    pub outcomes: BTreeMap<String, u64>,
    /// Candidate faults by kind: how many there are, and how many were in an experiment.
    pub candidates: BTreeMap<String, HuntCoverage>,
    /// Ways in which the final state came to show an acknowledged value.
    pub supports: Vec<HuntSupport>,
    /// Classes of candidates: how many there are, and of how many one was in an experiment.
    pub classes: HuntCoverage,
    /// Hypotheses generated.
    pub hypotheses: u64,
    /// Of these: run and judged.
    pub tried: u64,
    /// Of these: earlier runs answer for them.
    pub answered: u64,
    /// Of these: assumed to do as another of their class did, which was run.
    pub like_another: u64,
    /// Of these: not reached.
    pub waiting: u64,
    /// So many classes those not reached are of, as far as that was worked out.
    #[serde(default)]
    pub waiting_classes: u64,
    /// Given up because a fault did not fire.
    pub never_fired: u64,
    /// Given up because their runs could not be judged.
    pub not_judged: u64,
    /// Every hypothesis that was tried was run so often at least.
    pub least_trials: u32,
    /// A hypothesis that was tried and did not break the system breaks it in at most this share of
    /// runs, at 95 %.
    pub break_rate_at_most: f64,
    /// What was run for others that are assumed to do the same, and how many those are.
    pub assumed: Vec<(String, u64)>,
    /// Groups of nodes that were taken to be interchangeable.
    pub interchangeable: BTreeMap<String, Vec<String>>,
    /// All of this in words.
    pub in_words: Vec<String>,
    /// Kinds of messages seen: sender, receiver and label.
    pub message_kinds: u64,
    /// Good-Turing estimate of the share of kinds of runs not seen.
    pub unseen_mass: f64,
    /// Milliseconds until nodes were ready, over all runs.
    pub start_ms: u64,
    /// Milliseconds of workloads, healing and waiting.
    pub workload_ms: u64,
    /// Milliseconds of final reads, checks and stopping.
    pub check_ms: u64,
    /// Milliseconds of choosing and recording, in the last sitting.
    pub search_ms: u64,
}

/// How much of something was tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HuntCoverage {
    /// How many there are.
    pub known: u64,
    /// How many were in an experiment.
    pub tried: u64,
}

/// One way in which the final state came to show a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HuntSupport {
    /// The value.
    pub value: String,
    /// What carried it, in order.
    pub path: Vec<String>,
    /// In how many runs.
    pub runs: u32,
}
