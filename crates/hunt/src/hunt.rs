//! The hunt: a laboratory as a system that the search can search.
//!
//! The search owns the loop: what needs a run, what answers for it, repetitions, what is given up,
//! smallest parts. Here is what only the hunt knows: the candidates a trace shows, whether a fault
//! would have touched what an outcome hung on, and which hypothesis promises most.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use linchpin_formula::{Graph, Literal};
use linchpin_model::Outcome;
use linchpin_search::{
    Control, Event, FaultSpace, Lessons, Observation, SearchError, StopReason, Suggestion, System,
    search,
};

use crate::account::Account;
use crate::candidate::candidates;
use crate::counterexample::Counterexample;
use crate::fault::{Fault, Kind};
use crate::knowledge::{FaultId, FaultIds, Knowledge};
use crate::laboratory::{Evidence, Experiment, Laboratory};
use crate::options::{HuntError, Options, Report, Strategy, Verdict, Watch};
use crate::proposals::Proposals;

/// Hunts for sets of faults within the budgets that break a system.
///
/// # Errors
/// If an experiment cannot be carried out, or no run without faults is good or bad.
pub fn hunt<L: Laboratory>(
    laboratory: &mut L,
    options: &Options,
    watch: &mut dyn Watch,
) -> Result<Report, HuntError<L::Error>> {
    let shared = Shared {
        watch: RefCell::new(watch),
        experiments: Cell::new(0),
        is_baseline: Cell::new(true),
        experiments_max: options.experiments_max,
    };
    let mut hunted = Hunted {
        laboratory,
        shared: &shared,
        options,
        knowledge: Knowledge::new(&options.budgets),
        proposals: Proposals::default(),
        account: Account::default(),
        fired: Vec::new(),
        was_bad: BTreeSet::new(),
        until_bad: None,
        graph: Graph::new(),
    };
    let search_options = linchpin_search::Options {
        strategy: match options.strategy {
            Strategy::Lineage => linchpin_search::Strategy::Lineage,
            Strategy::Random => linchpin_search::Strategy::Random,
            Strategy::Single => linchpin_search::Strategy::Single,
        },
        all: options.all,
        seed: options.seed,
        ..linchpin_search::Options::default()
    };
    let report = match search(&mut hunted, search_options, &mut &shared) {
        Ok(report) => report,
        Err(SearchError::Run { error, .. }) => return Err(error),
        // The other errors are about formulas, of which there are none.
        Err(_) => unreachable!("an observed system states no formula"),
    };
    if report.stopped.is_none() && !hunted.has_baseline() {
        let outcomes = hunted.account.outcomes_in_words();
        return Err(HuntError::NoBaseline { outcomes });
    }
    Ok(hunted.report(&report))
}

/// What the system and whoever stops the search both need.
struct Shared<'a> {
    watch: RefCell<&'a mut dyn Watch>,
    /// Experiments made, but for those without faults.
    experiments: Cell<u64>,
    /// No run with faults was asked for yet.
    is_baseline: Cell<bool>,
    experiments_max: Option<u64>,
}

impl Control for &Shared<'_> {
    fn stop(&mut self) -> Option<StopReason> {
        if self.watch.borrow_mut().stop() {
            return Some(StopReason::Interrupted);
        }
        let is_used_up = self.experiments_max.is_some_and(|max| self.experiments.get() >= max);
        (is_used_up && !self.is_baseline.get()).then_some(StopReason::Runs)
    }

    fn observe(&mut self, _: Event<'_>) {}
}

/// A laboratory, as a system that can only be observed.
struct Hunted<'a, L: Laboratory> {
    laboratory: &'a mut L,
    shared: &'a Shared<'a>,
    options: &'a Options,
    knowledge: Knowledge,
    proposals: Proposals,
    account: Account,
    /// Of the last experiment.
    fired: FaultIds,
    was_bad: BTreeSet<FaultIds>,
    until_bad: Option<u64>,
    /// Empty: no formula is stated.
    graph: Graph,
}

impl<L: Laboratory> System for Hunted<'_, L> {
    type Error = HuntError<L::Error>;

    fn space(&self) -> &FaultSpace {
        self.knowledge.space()
    }

    fn run(&mut self, faults: &[FaultId]) -> Result<Observation, Self::Error> {
        let number = self.knowledge.next_number();
        let experiment = Experiment { number, faults: self.knowledge.faults_of(faults) };
        let evidence = self.laboratory.run(&experiment).map_err(HuntError::Laboratory)?;
        if evidence.fired.len() != faults.len() {
            let (faults, fired) = (faults.len(), evidence.fired.len());
            return Err(HuntError::Fired { number, faults, fired });
        }
        if !faults.is_empty() {
            self.shared.experiments.set(self.shared.experiments.get() + 1);
        }
        self.account.count(&experiment, &evidence);
        self.shared.watch.borrow_mut().ran(&experiment, &evidence, self.proposals.len());
        let outcome = evidence.outcome;
        self.learn(faults, evidence).map_err(|error| HuntError::Trace { number, error })?;
        if self.repeats(&[]) as usize <= self.knowledge.runs_under(&[]) {
            self.shared.is_baseline.set(false);
        }
        Ok(Observation { outcome, support: None })
    }

    fn graph(&mut self) -> &mut Graph {
        &mut self.graph
    }

    fn failure(&mut self) -> Option<Literal> {
        None
    }

    fn is_observed(&self) -> bool {
        true
    }

    fn fired(&self, _: &[FaultId]) -> FaultIds {
        self.fired.clone()
    }

    fn touches(&self, run: u64, fault: FaultId) -> bool {
        self.knowledge.touches(run, fault)
    }

    fn suggest(&mut self, lessons: &Lessons) -> Suggestion {
        if !self.has_baseline() {
            return Suggestion::Enough;
        }
        let ahead = match self.laboratory.capacity() {
            0 | 1 => 0,
            // Those that take long leave the others time for some more.
            capacity => 2 * capacity,
        };
        let mut next = self.proposals.next(&self.knowledge, lessons, self.options, 1 + ahead);
        let first = next.pop_front();
        self.expect(next.make_contiguous());
        match first {
            Some(faults) => Suggestion::Run(faults),
            // What is left is of a class that was tried.
            None if !self.options.every => Suggestion::Enough,
            None => Suggestion::Smallest,
        }
    }

    fn expect(&mut self, next: &[FaultIds]) {
        let faults = next.iter().map(|faults| self.knowledge.faults_of(faults)).collect();
        self.laboratory.expect(faults);
    }

    fn repeats(&self, faults: &[FaultId]) -> u32 {
        if self.was_bad.contains(faults) {
            return self.options.reproductions.saturating_add(1);
        }
        if !faults.is_empty() {
            return self.options.repeat.max(1);
        }
        let made = u32::try_from(self.knowledge.runs_under(&[])).unwrap_or(u32::MAX);
        let is_enough = made >= self.options.baseline_runs_max
            || self.account.unseen_now() <= self.options.baseline_unseen_max;
        let wanted = if is_enough { made } else { made + 1 };
        wanted.max(self.options.baseline_runs).max(1)
    }
}

impl<L: Laboratory> Hunted<'_, L> {
    /// Some run without faults is good (or bad).
    fn has_baseline(&self) -> bool {
        let without_faults = self.knowledge.runs().iter().filter(|run| run.faults.is_empty());
        without_faults.clone().any(|run| matches!(run.outcome, Outcome::Good | Outcome::Bad))
    }

    /// What an experiment teaches.
    fn learn(
        &mut self,
        asked: &[FaultId],
        evidence: Evidence,
    ) -> Result<(), crate::trace::TraceError> {
        let fired = asked.iter().zip(&evidence.fired).filter(|(_, fired)| **fired);
        self.fired = fired.map(|(fault, _)| *fault).collect();
        let has_fired = self.fired.len() == asked.len();
        let outcome = evidence.outcome;
        if outcome == Outcome::Inconclusive {
            self.proposals.in_vain(asked);
            self.knowledge.skip();
            return Ok(());
        }
        if outcome == Outcome::Bad {
            self.was_bad.insert(self.fired.clone());
            self.until_bad.get_or_insert(self.shared.experiments.get());
        }
        let run = self.knowledge.add(self.fired.clone(), outcome, evidence.trace)?;
        if has_fired || outcome == Outcome::Bad {
            let left_to_nobody = self.knowledge.leaves_a_value_to_nobody(run);
            self.proposals.conclude(&self.fired, outcome, left_to_nobody);
        } else {
            self.proposals.in_vain(asked);
        }
        if outcome != Outcome::Bad {
            self.extend(run);
        }
        Ok(())
    }

    /// The hypotheses a run suggests: its faults and one more, and of runs without faults each pair.
    fn extend(&mut self, run: usize) {
        let trace = &self.knowledge.runs()[run].trace;
        let mut faults = candidates(trace, &self.options.budgets, self.options.durations);
        for (parameter, values) in &self.options.inputs {
            faults.extend(
                values.iter().map(|value| Fault::Input {
                    parameter: parameter.clone(),
                    value: value.clone(),
                }),
            );
        }
        let ids: Vec<FaultId> = faults.iter().map(|fault| self.knowledge.id(fault)).collect();
        let trace = &self.knowledge.runs()[run].trace;
        for (fault, id) in faults.iter().zip(&ids) {
            self.account.candidate(*id, fault, trace);
        }
        if self.options.strategy != Strategy::Lineage {
            return;
        }
        let base = self.knowledge.runs()[run].faults.clone();
        let is_undisturbed = base.iter().all(|id| self.knowledge.fault(*id).kind() == Kind::Input);
        let ids: Vec<FaultId> = ids
            .into_iter()
            .filter(|id| !base.contains(id) && self.knowledge.is_touched(run, *id))
            .collect();
        let join = |more: &[FaultId]| {
            let mut faults = base.clone();
            faults.extend_from_slice(more);
            faults.sort_unstable();
            faults
        };
        // What another input would change of a run, nothing tells: it comes before all faults.
        let (inputs, ids): (Vec<FaultId>, Vec<FaultId>) =
            ids.into_iter().partition(|id| self.knowledge.fault(*id).kind() == Kind::Input);
        if is_undisturbed {
            for id in inputs {
                self.proposals.offer(&self.knowledge, run, join(&[id]));
            }
        }
        for &id in &ids {
            self.proposals.offer(&self.knowledge, run, join(&[id]));
        }
        if is_undisturbed {
            self.proposals.offer_pairs(&self.knowledge, run, ids, self.options);
        }
    }

    fn report(mut self, found: &linchpin_search::Report) -> Report {
        let lessons = &found.lessons;
        let counterexamples: Vec<Counterexample> = lessons
            .bad()
            .iter()
            .map(|bad| Counterexample::of(bad, &self.knowledge, lessons))
            .collect();
        let verdict = match (counterexamples.is_empty(), found.complete) {
            (false, _) => Verdict::Broken,
            (true, true) => Verdict::Survived,
            (true, false) => Verdict::Unknown,
        };
        self.account.close(&self.knowledge, &self.proposals, lessons);
        Report {
            verdict,
            counterexamples,
            experiments: self.shared.experiments.get(),
            experiments_until_bad: self.until_bad,
            account: self.account,
        }
    }
}
