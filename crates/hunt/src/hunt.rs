//! The hunt: baseline, hypotheses, experiments, learning, verdict.

use std::collections::{BTreeMap, BTreeSet};

use linchpin_model::Outcome;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::account::Account;
use crate::candidate::{Durations, candidates};
use crate::fault::{Budgets, Fault};
use crate::knowledge::{FaultId, FaultIds, Knowledge, subsets};
use crate::laboratory::{Evidence, Experiment, Laboratory};
use crate::proposals::Proposals;
use crate::random::Random;
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
    /// At most this many experiments after those without faults.
    pub experiments_max: Option<u64>,
    /// Every hypothesis is run so often (at least once).
    pub repeat: u32,
    /// Every hypothesis is run, not one of each class: of single faults, those of one kind, place and
    /// label; of several, those of the same kinds and places that are predicted to leave the same.
    pub every: bool,
    /// How often a set of faults that broke the system is run again, to tell how often it does.
    pub reproductions: u32,
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
            experiments_max: None,
            repeat: 1,
            every: false,
            reproductions: 0,
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

/// A set of faults that broke the system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counterexample {
    /// The faults, in the order in which they struck. No smaller set that was tried broke it.
    pub faults: Vec<Fault>,
    /// Numbers of the experiments with exactly these faults, in which all of them fired.
    pub experiments: Vec<u64>,
    /// How many of these were bad.
    pub bad: u32,
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

    /// Told of each experiment.
    fn ran(&mut self, _experiment: &Experiment, _evidence: &Evidence, _left: usize) {}
}

/// Watches nothing and never stops.
impl Watch for () {}

/// Why the hunt ends.
enum End<E> {
    Stopped,
    Failed(HuntError<E>),
}

impl<E> From<HuntError<E>> for End<E> {
    fn from(error: HuntError<E>) -> Self {
        Self::Failed(error)
    }
}

/// Every time a set of faults was run and all of them fired.
#[derive(Clone, Debug, Default)]
pub(crate) struct Trials {
    pub(crate) experiments: Vec<u64>,
    pub(crate) bad: u32,
    pub(crate) conclusive: u32,
}

/// Runs that say nothing before a hypothesis is given up.
const VAIN_RUNS_MAX: u32 = 2;

struct Hunt<'a, L: Laboratory> {
    laboratory: &'a mut L,
    watch: &'a mut dyn Watch,
    options: &'a Options,
    knowledge: Knowledge,
    proposals: Proposals,
    trials: BTreeMap<FaultIds, Trials>,
    account: Account,
    number: u64,
    experiments: u64,
    until_bad: Option<u64>,
}

/// Hunts for sets of faults within the budgets that break a system.
///
/// # Errors
/// If an experiment cannot be carried out, or no run without faults is good or bad.
pub fn hunt<L: Laboratory>(
    laboratory: &mut L,
    options: &Options,
    watch: &mut dyn Watch,
) -> Result<Report, HuntError<L::Error>> {
    let mut hunt = Hunt {
        laboratory,
        watch,
        options,
        knowledge: Knowledge::default(),
        proposals: Proposals::default(),
        trials: BTreeMap::new(),
        account: Account::default(),
        number: 0,
        experiments: 0,
        until_bad: None,
    };
    let end = hunt.campaign();
    let is_complete = match end {
        Ok(()) => true,
        Err(End::Stopped) => false,
        Err(End::Failed(error)) => return Err(error),
    };
    Ok(hunt.report(is_complete))
}

impl<L: Laboratory> Hunt<'_, L> {
    fn campaign(&mut self) -> Result<(), End<L::Error>> {
        self.baseline()?;
        if self.is_broken() {
            return self.settle();
        }
        let inputs: Vec<Fault> = self
            .options
            .inputs
            .iter()
            .flat_map(|(parameter, values)| values.iter().map(move |value| (parameter, value)))
            .map(|(parameter, value)| Fault::Input {
                parameter: parameter.clone(),
                value: value.clone(),
            })
            .collect();
        for input in inputs {
            let id = self.knowledge.id(&input);
            self.experiment(&[id])?;
        }
        while !self.is_broken() {
            let next = match self.options.strategy {
                Strategy::Lineage => self.proposals.next(&self.knowledge, self.options.every),
                Strategy::Random => self.draw(),
                Strategy::Single => self.single(),
            };
            let Some(faults) = next else { break };
            self.experiment(&faults)?;
        }
        self.repeat()?;
        self.settle()
    }

    fn is_broken(&self) -> bool {
        !self.knowledge.bad().is_empty()
    }

    fn baseline(&mut self) -> Result<(), End<L::Error>> {
        for _ in 0..self.options.baseline_runs.max(1) {
            self.experiment(&[])?;
        }
        let runs = self.knowledge.runs_under(&[]);
        let is_useful = runs
            .iter()
            .any(|run| matches!(self.knowledge.runs()[*run].outcome, Outcome::Good | Outcome::Bad));
        if is_useful {
            return Ok(());
        }
        let outcomes: Vec<String> = self
            .account
            .outcomes
            .iter()
            .map(|(outcome, count)| format!("{count} {outcome}"))
            .collect();
        Err(HuntError::NoBaseline { outcomes: outcomes.join(", ") }.into())
    }

    /// Runs every hypothesis that had an answer until it has as many as asked for.
    fn repeat(&mut self) -> Result<(), End<L::Error>> {
        for round in 2..=self.options.repeat {
            let again: Vec<FaultIds> = self
                .trials
                .iter()
                .filter(|(faults, trials)| {
                    !faults.is_empty() && trials.bad == 0 && trials.conclusive < round
                })
                .map(|(faults, _)| faults.clone())
                .collect();
            for faults in again {
                if self.is_broken() {
                    return Ok(());
                }
                self.experiment(&faults)?;
            }
        }
        Ok(())
    }

    /// Reduces what broke the system to a smallest part that does, and runs that again to see how
    /// often it does.
    fn settle(&mut self) -> Result<(), End<L::Error>> {
        let mut settled: BTreeSet<FaultIds> = BTreeSet::new();
        while let Some(bad) =
            self.knowledge.bad().iter().find(|bad| !settled.contains(*bad)).cloned()
        {
            for part in subsets(&bad) {
                let is_known = part.len() == bad.len()
                    || self.trials.get(&part).is_some_and(|trials| trials.conclusive > 0)
                    || self.knowledge.is_answered(&part);
                if !is_known {
                    self.experiment(&part)?;
                }
            }
            if self.knowledge.bad().contains(&bad) {
                for _ in 0..self.options.reproductions {
                    self.experiment(&bad)?;
                }
                settled.insert(bad);
            }
        }
        Ok(())
    }

    /// One run, and what it teaches.
    fn experiment(&mut self, ids: &[FaultId]) -> Result<(), End<L::Error>> {
        let is_used_up = self.options.experiments_max.is_some_and(|max| self.experiments >= max);
        if self.watch.stop() || !ids.is_empty() && is_used_up {
            return Err(End::Stopped);
        }
        let number = self.number;
        let experiment = Experiment { number, faults: self.knowledge.faults_of(ids) };
        let evidence = self.laboratory.run(&experiment).map_err(HuntError::Laboratory)?;
        if evidence.fired.len() != ids.len() {
            let (faults, fired) = (ids.len(), evidence.fired.len());
            return Err(HuntError::Fired { number, faults, fired }.into());
        }
        self.number += 1;
        self.experiments += u64::from(!ids.is_empty());
        self.account.count(&experiment, &evidence);
        self.watch.ran(&experiment, &evidence, self.proposals.len());
        self.learn(ids, evidence).map_err(|error| HuntError::Trace { number, error })?;
        Ok(())
    }

    fn learn(&mut self, ids: &[FaultId], evidence: Evidence) -> Result<(), TraceError> {
        let fired: FaultIds = ids
            .iter()
            .zip(&evidence.fired)
            .filter(|(_, fired)| **fired)
            .map(|(id, _)| *id)
            .collect();
        let has_fired = fired.len() == ids.len();
        if evidence.outcome == Outcome::Inconclusive
            || !has_fired && evidence.outcome != Outcome::Bad
        {
            if self.proposals.in_vain(ids) >= VAIN_RUNS_MAX {
                self.proposals.retire(ids);
                self.account.retire(has_fired);
            }
            if evidence.outcome == Outcome::Inconclusive {
                return Ok(());
            }
        } else {
            self.proposals.conclude(&fired);
            if !has_fired {
                self.proposals.retire(ids);
            }
        }
        let trials = self.trials.entry(fired.clone()).or_default();
        trials.experiments.push(self.number - 1);
        trials.conclusive += 1;
        if evidence.outcome == Outcome::Bad {
            trials.bad += 1;
            self.until_bad.get_or_insert(self.experiments);
        }
        let run = self.knowledge.add(fired, evidence.outcome, evidence.trace)?;
        if evidence.outcome != Outcome::Bad {
            self.extend(run);
        }
        Ok(())
    }

    /// The hypotheses a run suggests: its faults and one more, and of runs without faults each pair.
    fn extend(&mut self, run: usize) {
        let trace = &self.knowledge.runs()[run].trace;
        let faults = candidates(trace, &self.options.budgets, self.options.durations);
        let ids: Vec<FaultId> = faults.iter().map(|fault| self.knowledge.id(fault)).collect();
        for (fault, id) in faults.iter().zip(&ids) {
            let trace = &self.knowledge.runs()[run].trace;
            self.account.candidate(*id, fault, trace);
        }
        let base = self.knowledge.runs()[run].faults.clone();
        let is_undisturbed =
            base.iter().all(|id| matches!(self.knowledge.fault(*id), Fault::Input { .. }));
        let ids: Vec<FaultId> = ids
            .into_iter()
            .filter(|id| !base.contains(id) && self.knowledge.touches(run, *id))
            .collect();
        let budgets = &self.options.budgets;
        let join = |more: &[FaultId]| {
            let mut faults = base.clone();
            faults.extend_from_slice(more);
            faults.sort_unstable();
            faults
        };
        for (index, &id) in ids.iter().enumerate() {
            self.proposals.offer(&self.knowledge, budgets, run, join(&[id]));
            if is_undisturbed {
                for &other in &ids[index + 1..] {
                    self.proposals.offer(&self.knowledge, budgets, run, join(&[id, other]));
                }
            }
        }
    }

    /// The first single fault of a run without faults that was not run.
    fn single(&mut self) -> Option<FaultIds> {
        (0..self.knowledge.fault_count() as FaultId)
            .map(|id| vec![id])
            .find(|faults| !self.proposals.is_done(faults) && self.proposals.get(faults).is_some())
    }

    /// A set of faults within the budgets, uniformly among those not yet run.
    fn draw(&mut self) -> Option<FaultIds> {
        // Far beyond the number of draws after which a set not yet run would have been met.
        const DRAWS_MAX: u32 = 100_000;
        let count = self.knowledge.fault_count() as u64;
        let mut random = Random::new(self.options.seed ^ (self.number << 32));
        // Inputs are in no budget, so one of each parameter may join.
        let size_max = u64::from(self.options.budgets.total) + self.options.inputs.len() as u64;
        let weights: Vec<f64> = (1..=size_max.min(count))
            .scan(1.0, |ways, size| {
                *ways *= (count - size + 1) as f64 / size as f64;
                Some(*ways)
            })
            .collect();
        let total: f64 = weights.iter().sum();
        for _ in 0..DRAWS_MAX {
            // 53 bits: what a float holds.
            let mut ticket = (random.next() >> 11) as f64 / (1_u64 << 53) as f64 * total;
            let chosen = weights.iter().position(|weight| {
                ticket -= weight;
                ticket < 0.0
            });
            let size = chosen.map_or(weights.len(), |index| index + 1);
            let mut set: BTreeSet<FaultId> = BTreeSet::new();
            while set.len() < size {
                set.insert(random.below(count) as FaultId);
            }
            let faults: FaultIds = set.into_iter().collect();
            let is_new = !faults.is_empty() && !self.proposals.is_done(&faults);
            let all = self.knowledge.faults_of(&faults);
            if is_new && self.options.budgets.allow(&all) {
                return Some(faults);
            }
        }
        None
    }

    fn report(mut self, is_complete: bool) -> Report {
        let counterexamples: Vec<Counterexample> =
            self.knowledge.bad().iter().map(|bad| self.counterexample(bad)).collect();
        let verdict = match (counterexamples.is_empty(), is_complete, self.options.strategy) {
            (false, _, _) => Verdict::Broken,
            (true, true, Strategy::Lineage) => Verdict::Survived,
            // The others cover what they cover by chance, or single faults only.
            (true, _, _) => Verdict::Unknown,
        };
        let conclusive = self.trials.iter().filter(|(faults, _)| !faults.is_empty());
        self.account.least_trials =
            conclusive.map(|(_, trials)| trials.conclusive).min().unwrap_or(0);
        self.account.close(&self.knowledge, &self.proposals);
        Report {
            verdict,
            counterexamples,
            experiments: self.experiments,
            experiments_until_bad: self.until_bad,
            account: self.account,
        }
    }

    fn counterexample(&self, bad: &FaultIds) -> Counterexample {
        let trials = self.trials.get(bad).cloned().unwrap_or_default();
        let mut faults = self.knowledge.faults_of(bad);
        let run = self.knowledge.runs_under(bad).first().map(|run| &self.knowledge.runs()[*run]);
        // Inputs first, then in the order in which their events came in the bad run.
        faults.sort_by_key(|fault| {
            fault.trigger().map(|name| {
                let position = run.and_then(|run| run.trace.positions.get(&name));
                position.copied().unwrap_or(usize::MAX)
            })
        });
        Counterexample { faults, experiments: trials.experiments, bad: trials.bad }
    }
}
