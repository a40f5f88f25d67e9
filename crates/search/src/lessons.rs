//! What the runs of an observed system taught.
//!
//! Nobody reads a formula off a run of unknown processes. A run under the faults F that was not bad
//! shows what its outcome hung on, and the system can tell whether another fault would have touched
//! any of that. It may have ended well only *because* F struck (a failover), so the lesson is
//! conditional: a set that contains F, and whose other faults touch nothing, needs no run. And it can
//! be taken back: if one of several runs under F says otherwise, F answers for less.

use std::collections::{BTreeMap, BTreeSet};

use linchpin_formula::Variable;
use linchpin_model::Outcome;

/// Runs that teach nothing before a set of faults is given up.
const VAIN_RUNS_MAX: u32 = 2;

/// Every run in which exactly these faults struck and that could be judged.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trials {
    /// Their numbers, in order.
    pub runs: Vec<u64>,
    /// How many of them were bad.
    pub bad: u32,
}

/// Why a set of faults is not run any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Retired {
    /// Not all of its faults strike.
    NeverFired,
    /// Its runs cannot be judged.
    NotJudged,
}

/// What the runs of an observed system have taught so far.
#[derive(Clone, Debug, Default)]
pub struct Lessons {
    /// By the faults that struck.
    trials: BTreeMap<Vec<Variable>, Trials>,
    /// Minimal sets whose runs were bad, so far.
    bad: BTreeSet<Vec<Variable>>,
    /// By the faults that were asked for: runs that taught nothing about them.
    in_vain: BTreeMap<Vec<Variable>, u32>,
    retired: BTreeMap<Vec<Variable>, Retired>,
}

impl Lessons {
    /// The runs in which exactly these faults struck.
    #[must_use]
    pub fn trials(&self, faults: &[Variable]) -> Option<&Trials> {
        self.trials.get(faults)
    }

    /// All sets of faults that struck, with their runs.
    pub fn all_trials(&self) -> impl Iterator<Item = (&[Variable], &Trials)> {
        self.trials.iter().map(|(faults, trials)| (&faults[..], trials))
    }

    /// How many runs with exactly these faults could be judged.
    #[must_use]
    pub fn trial_count(&self, faults: &[Variable]) -> usize {
        self.trials.get(faults).map_or(0, |trials| trials.runs.len())
    }

    /// The sets of faults whose runs were bad, but for those that contain another.
    #[must_use]
    pub fn bad(&self) -> &BTreeSet<Vec<Variable>> {
        &self.bad
    }

    /// The sets of faults given up, and why.
    #[must_use]
    pub fn retired(&self) -> &BTreeMap<Vec<Variable>, Retired> {
        &self.retired
    }

    /// Sets that were run and taught nothing about themselves, some of them given up.
    pub(crate) fn all_in_vain(&self) -> impl Iterator<Item = &[Variable]> {
        self.in_vain.keys().map(Vec::as_slice)
    }

    /// How often this set was run and taught nothing about it.
    #[must_use]
    pub fn in_vain(&self, faults: &[Variable]) -> u32 {
        self.in_vain.get(faults).copied().unwrap_or(0)
    }

    /// True if this set needs a run: it had none, is not given up, and no other answers for it.
    /// `touches` is [`System::touches`](crate::System::touches).
    pub fn is_open(&self, faults: &[Variable], touches: &impl Fn(u64, Variable) -> bool) -> bool {
        !self.is_done(faults) && !self.is_answered(faults, touches)
    }

    /// True if this set was run, or is given up.
    #[must_use]
    pub fn is_done(&self, faults: &[Variable]) -> bool {
        self.trials.contains_key(faults) || self.retired.contains_key(faults)
    }

    /// True if other runs answer for this set: it contains one that was bad, or all the runs under a
    /// part of it were not, and the rest touches nothing that mattered in them.
    pub fn is_answered(
        &self,
        faults: &[Variable],
        touches: &impl Fn(u64, Variable) -> bool,
    ) -> bool {
        self.holds_bad(faults)
            || parts(faults).iter().any(|part| self.answers(part, faults, touches))
    }

    /// True if this set contains one that was bad.
    pub(crate) fn holds_bad(&self, faults: &[Variable]) -> bool {
        self.bad.iter().any(|bad| contains(faults, bad))
    }

    /// All the runs under a part of a set say that its other faults change nothing.
    fn answers(
        &self,
        part: &[Variable],
        faults: &[Variable],
        touches: &impl Fn(u64, Variable) -> bool,
    ) -> bool {
        let Some(trials) = self.trials.get(part).filter(|trials| trials.bad == 0) else {
            return false;
        };
        let mut rest = faults.iter().filter(|fault| part.binary_search(fault).is_err());
        rest.all(|fault| !trials.runs.iter().any(|run| touches(*run, *fault)))
    }

    /// Enters a run: its number, the faults asked for, and those that struck.
    pub(crate) fn learn(
        &mut self,
        number: u64,
        asked: &[Variable],
        fired: &[Variable],
        outcome: Outcome,
    ) {
        let is_judged = outcome != Outcome::Inconclusive;
        if !is_judged || fired != asked && outcome != Outcome::Bad {
            let count = self.in_vain.entry(asked.to_vec()).or_default();
            *count += 1;
            if *count >= VAIN_RUNS_MAX && !self.trials.contains_key(asked) {
                let why = if fired == asked { Retired::NotJudged } else { Retired::NeverFired };
                self.retired.insert(asked.to_vec(), why);
            }
        }
        if !is_judged {
            return;
        }
        let trials = self.trials.entry(fired.to_vec()).or_default();
        trials.runs.push(number);
        if outcome != Outcome::Bad {
            return;
        }
        trials.bad += 1;
        if !self.bad.iter().any(|known| contains(fired, known)) {
            self.bad.retain(|known| !contains(known, fired));
            self.bad.insert(fired.to_vec());
        }
    }
}

/// Whether the ascending `set` contains all of `part`.
pub(crate) fn contains(set: &[Variable], part: &[Variable]) -> bool {
    part.iter().all(|fault| set.binary_search(fault).is_ok())
}

/// All proper subsets, by size.
pub(crate) fn parts(faults: &[Variable]) -> Vec<Vec<Variable>> {
    // Budgets are small; of a larger set only parts of its first faults are looked at.
    const FAULTS_MAX: usize = 12;
    let mut parts: Vec<Vec<Variable>> = (0_u32..1 << faults.len().min(FAULTS_MAX))
        .map(|bits| {
            let inside = faults.iter().enumerate();
            let inside = inside.filter(|(index, _)| *index < 32 && bits >> index & 1 == 1);
            inside.map(|(_, fault)| *fault).collect()
        })
        .filter(|part: &Vec<Variable>| part.len() < faults.len())
        .collect();
    parts.sort_by_key(Vec::len);
    parts
}
