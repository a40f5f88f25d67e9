//! The search loop.

use linchpin_formula::{Literal, Variable};
use linchpin_model::{Outcome, Verdict};

use crate::encoder::Encoder;
use crate::enumerate::Enumerator;
use crate::random::Random;
use crate::{Control, Event, Observation, StopReason, System};

/// How the next run is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// Lineage-driven: a smallest fault set that falsifies every support seen. Complete.
    #[default]
    Lineage,
    /// A minimal fault set that satisfies the system's own failure formula. Complete.
    Symbolic,
    /// Every fault set, smallest first. Complete, and hopeless but for small bounds: the oracle.
    Exhaustive,
    /// Fault sets drawn uniformly: the baseline. What it finds is reduced to a minimal part.
    Random,
}

/// What to search for, and how.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// How runs are chosen.
    pub strategy: Strategy,
    /// Find every minimal counterexample, not just one.
    pub all: bool,
    /// At most this many runs.
    pub runs_max: Option<u64>,
    /// Seed of [`Strategy::Random`].
    pub seed: u64,
}

/// The result of a search.
#[derive(Clone, Debug)]
pub struct Report {
    /// What is known.
    pub verdict: Verdict,
    /// Minimal counterexamples, by size. Each in ascending order.
    pub counterexamples: Vec<Vec<Variable>>,
    /// Runs executed, the one without faults included.
    pub runs: u64,
    /// Runs executed until the first bad one, inclusive.
    pub runs_until_bad: Option<u64>,
    /// Why the search ended early, if it did.
    pub stopped: Option<StopReason>,
    /// True if every counterexample asked for was found (all of them, with [`Options::all`]).
    pub complete: bool,
    /// Calls of the solver.
    pub solver_calls: u64,
    /// Every fault set with at most this many faults was accounted for.
    pub size_covered: Option<usize>,
}

/// Why a search has no result.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SearchError<E> {
    /// Occurs when a run fails.
    Run {
        /// The system's error.
        error: E,
        /// The faults of the run.
        faults: Vec<Variable>,
    },
    /// Occurs when [`Strategy::Symbolic`] is asked of a system that cannot state its failures.
    NoFailureFormula,
    /// Occurs when a formula of the system contradicts a run: a defect of the system's lineage.
    Contradiction {
        /// The faults of the run.
        faults: Vec<Variable>,
    },
}

/// Subformulas of supports beyond which [`Strategy::Lineage`] also asserts the system's own failure
/// formula, if it has one: each support is a variant of it, and many of them slow the solver down.
const DEFINITIONS_MAX: usize = 30_000;

/// A random search gives up when so many draws in a row contain a known counterexample.
const KNOWN_IN_A_ROW_MAX: u32 = 10_000;

/// Why the loop ends.
enum End<E> {
    Stopped(StopReason),
    Failed(SearchError<E>),
    /// One counterexample was asked for and found.
    Found,
}

impl<E> From<SearchError<E>> for End<E> {
    fn from(error: SearchError<E>) -> Self {
        Self::Failed(error)
    }
}

struct Search<'a, S: System> {
    system: &'a mut S,
    control: &'a mut dyn Control,
    options: Options,
    report: Report,
}

/// Searches the fault space of a system for counterexamples.
///
/// # Errors
/// If a run fails, or the system's formulas contradict its runs.
pub fn search<S: System>(
    system: &mut S,
    options: Options,
    control: &mut dyn Control,
) -> Result<Report, SearchError<S::Error>> {
    let report = Report {
        verdict: Verdict::Unknown,
        counterexamples: Vec::new(),
        runs: 0,
        runs_until_bad: None,
        stopped: None,
        complete: false,
        solver_calls: 0,
        size_covered: None,
    };
    let mut search = Search { system, control, options, report };
    let end = search.explore();
    let mut report = search.report;
    match end {
        Ok(()) | Err(End::Found) => report.complete = true,
        Err(End::Stopped(reason)) => report.stopped = Some(reason),
        Err(End::Failed(error)) => return Err(error),
    }
    report.counterexamples.sort_by(|left, right| (left.len(), left).cmp(&(right.len(), right)));
    report.verdict = match (report.counterexamples.is_empty(), report.complete) {
        (false, _) => Verdict::Broken,
        (true, true) => Verdict::Holds,
        (true, false) => Verdict::Unknown,
    };
    Ok(report)
}

impl<S: System> Search<'_, S> {
    fn explore(&mut self) -> Result<(), End<S::Error>> {
        if self.options.strategy == Strategy::Lineage {
            let observation = self.run(&[])?;
            if observation.outcome == Outcome::Bad {
                return self.found(Vec::new());
            }
            return self.lineage(observation.support, None);
        }
        if self.outcome(&[])? == Outcome::Bad {
            return self.found(Vec::new());
        }
        match self.options.strategy {
            Strategy::Lineage => unreachable!("see above"),
            Strategy::Symbolic => self.symbolic(),
            Strategy::Exhaustive => {
                let all: Vec<Variable> =
                    (0..self.system.space().fault_count() as u32).map(Variable).collect();
                self.exhaustive(&all)
            }
            Strategy::Random => self.random(),
        }
    }

    fn pause(&mut self) -> Result<(), End<S::Error>> {
        match self.control.stop() {
            Some(reason) => Err(End::Stopped(reason)),
            None => Ok(()),
        }
    }

    /// May there be one more run?
    fn admit_run(&mut self) -> Result<(), End<S::Error>> {
        self.pause()?;
        if self.options.runs_max.is_some_and(|max| self.report.runs >= max) {
            return Err(End::Stopped(StopReason::Runs));
        }
        Ok(())
    }

    fn count_run(&mut self, faults: &[Variable], outcome: Outcome) {
        self.control.observe(Event::Run { number: self.report.runs, faults, outcome });
        self.report.runs += 1;
        if outcome == Outcome::Bad {
            self.report.runs_until_bad.get_or_insert(self.report.runs);
        }
    }

    /// One run, and what it teaches.
    fn run(&mut self, faults: &[Variable]) -> Result<Observation, End<S::Error>> {
        self.admit_run()?;
        let observation = self
            .system
            .run(faults)
            .map_err(|error| SearchError::Run { error, faults: faults.to_vec() })?;
        self.count_run(faults, observation.outcome);
        Ok(observation)
    }

    /// One run of which only the outcome matters.
    fn outcome(&mut self, faults: &[Variable]) -> Result<Outcome, End<S::Error>> {
        self.admit_run()?;
        let outcome = self
            .system
            .outcome(faults)
            .map_err(|error| SearchError::Run { error, faults: faults.to_vec() })?;
        self.count_run(faults, outcome);
        Ok(outcome)
    }

    /// Records a minimal counterexample; ends the search if one is enough.
    fn found(&mut self, faults: Vec<Variable>) -> Result<(), End<S::Error>> {
        self.control.observe(Event::Counterexample { faults: &faults });
        self.report.counterexamples.push(faults);
        if self.options.all { Ok(()) } else { Err(End::Found) }
    }

    fn covered(&mut self, size: usize) {
        self.report.size_covered = Some(size);
        self.control.observe(Event::Exhausted { size });
    }

    /// Falsify all supports seen, smallest first. With `within`, only faults among those.
    fn lineage(
        &mut self,
        first: Option<Literal>,
        within: Option<&[Variable]>,
    ) -> Result<(), End<S::Error>> {
        let mut encoder = Encoder::new(self.system.space());
        if let Some(within) = within {
            for fault in (0..self.system.space().fault_count() as u32).map(Variable) {
                if within.binary_search(&fault).is_err() {
                    encoder.forbid_supersets(&[fault]);
                }
            }
        }
        self.learn(&mut encoder, first, &[]);
        let mut whole = false;
        self.by_size(&mut encoder, |search, encoder, faults| {
            let observation = search.run(&faults)?;
            if observation.outcome == Outcome::Bad {
                encoder.forbid_supersets(&faults);
                return search.found(faults);
            }
            if let Some(support) = observation.support {
                let values = search
                    .system
                    .graph()
                    .evaluate(|variable| faults.binary_search(&variable).is_ok());
                if !values.of(support) {
                    return Err(SearchError::Contradiction { faults }.into());
                }
            }
            search.learn(encoder, observation.support, &faults);
            if !whole && encoder.definition_count() > DEFINITIONS_MAX {
                // What was seen, run by run, outweighs what can be known at once.
                whole = true;
                if let Some(failure) = search.system.failure() {
                    encoder.assert(search.system.graph(), failure);
                }
            }
            Ok(())
        })
    }

    /// No later hypothesis may satisfy this support.
    fn learn(
        &mut self,
        encoder: &mut Encoder,
        support: Option<Literal>,
        faults: &[Variable],
    ) {
        match support {
            Some(support) => encoder.assert(self.system.graph(), !support),
            None => encoder.forbid_exactly(faults),
        }
    }

    /// Satisfy the failure formula.
    fn symbolic(&mut self) -> Result<(), End<S::Error>> {
        let failure = self.system.failure().ok_or(SearchError::NoFailureFormula)?;
        let mut encoder = Encoder::new(self.system.space());
        encoder.assert(self.system.graph(), failure);
        let result = self.satisfy(&mut encoder, failure);
        self.report.solver_calls += encoder.solver_calls();
        result
    }

    /// Each model is reduced to one that is minimal by inclusion; where one is enough, to a smallest
    /// one.
    fn satisfy(
        &mut self,
        encoder: &mut Encoder,
        failure: Literal,
    ) -> Result<(), End<S::Error>> {
        loop {
            self.pause()?;
            let Some(mut faults) = encoder.solve(None) else { break };
            // What is excluded contains a model already known, so that nothing minimal is lost.
            loop {
                self.shrink(&mut faults, failure);
                encoder.forbid_supersets(&faults);
                if faults.len() < 2 {
                    break;
                }
                self.pause()?;
                let smaller = encoder.solve_within(&faults).or_else(|| {
                    (!self.options.all).then(|| encoder.solve(Some(faults.len() - 1)))?
                });
                match smaller {
                    Some(smaller) => faults = smaller,
                    None => break,
                }
            }
            if self.outcome(&faults)? != Outcome::Bad {
                return Err(SearchError::Contradiction { faults }.into());
            }
            self.found(faults)?;
        }
        self.covered(self.system.space().fault_count());
        Ok(())
    }

    /// Leaves out one fault after the other as long as the formula stays true: no proof that nothing
    /// smaller satisfies it, but much cheaper than the solver.
    fn shrink(&mut self, faults: &mut Vec<Variable>, failure: Literal) {
        for index in (0..faults.len()).rev() {
            let left_out = faults.remove(index);
            let values = self
                .system
                .graph()
                .evaluate(|variable| faults.binary_search(&variable).is_ok());
            if !values.of(failure) || self.contains_counterexample(faults) {
                faults.insert(index, left_out);
            }
        }
    }

    /// Asks the solver for fault sets, smallest first, until it has none; `visit` must exclude the
    /// set it is given.
    fn by_size(
        &mut self,
        encoder: &mut Encoder,
        mut visit: impl FnMut(&mut Self, &mut Encoder, Vec<Variable>) -> Result<(), End<S::Error>>,
    ) -> Result<(), End<S::Error>> {
        let result = (|| {
            for size in 1.. {
                self.pause()?;
                if encoder.solve(None).is_none() {
                    break;
                }
                self.covered(size - 1);
                while let Some(faults) = encoder.solve(Some(size)) {
                    visit(self, encoder, faults)?;
                    self.pause()?;
                }
            }
            self.covered(self.system.space().fault_count());
            Ok(())
        })();
        self.report.solver_calls += encoder.solver_calls();
        result
    }

    /// Every subset of `candidates`, smallest first, but for supersets of counterexamples.
    fn exhaustive(&mut self, candidates: &[Variable]) -> Result<(), End<S::Error>> {
        let space = self.system.space().clone();
        let mut enumerator = Enumerator::new(&space, candidates);
        let mut size = 0;
        while let Some(faults) = enumerator.next_set() {
            if enumerator.size() > size {
                self.covered(size);
                size = enumerator.size();
            }
            if faults.is_empty() || self.contains_counterexample(&faults) {
                continue;
            }
            if self.outcome(&faults)? == Outcome::Bad {
                self.found(faults)?;
            }
        }
        Ok(())
    }

    fn contains_counterexample(&self, faults: &[Variable]) -> bool {
        self.report
            .counterexamples
            .iter()
            .any(|known| known.iter().all(|fault| faults.binary_search(fault).is_ok()))
    }

    /// Draws until a bad run is found, then looks for minimal counterexamples within it.
    fn random(&mut self) -> Result<(), End<S::Error>> {
        let mut random = Random::new(self.options.seed);
        if self.system.space().fault_count() == 0 {
            return Ok(());
        }
        let mut known_in_a_row = 0;
        loop {
            let faults = self.system.space().sample(&mut random);
            if self.contains_counterexample(&faults) {
                known_in_a_row += 1;
                if known_in_a_row == KNOWN_IN_A_ROW_MAX {
                    return Err(End::Stopped(StopReason::Runs));
                }
                continue;
            }
            known_in_a_row = 0;
            if self.outcome(&faults)? == Outcome::Bad {
                let before = self.report.counterexamples.len();
                self.lineage(None, Some(&faults))?;
                debug_assert!(self.report.counterexamples.len() > before);
            }
        }
    }
}
