//! The search loop.

use linchpin_formula::{Literal, Variable};
use linchpin_model::{Memo, Outcome, Verdict};

use crate::{Control, Event, Halt, Lessons, Observation, StopReason, System};

/// How the next run is chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Strategy {
    /// [`Strategy::Symbolic`] if the system can state its failures, else [`Strategy::Lineage`].
    #[default]
    Auto,
    /// Lineage-driven: a smallest fault set that falsifies every support seen. Complete.
    Lineage,
    /// A minimal fault set that satisfies the system's own failure formula. Complete.
    Symbolic,
    /// Every fault set, smallest first. Complete, and hopeless but for small bounds: the oracle.
    Exhaustive,
    /// Fault sets drawn uniformly: the baseline. What it finds is reduced to a minimal part.
    Random,
    /// Every single fault, in the order of their numbers: the baseline of those who test by hand.
    Single,
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
    /// Where runs do not depend on each other's results ([`Strategy::Exhaustive`] and
    /// [`Strategy::Random`]), so many at a time; 0 is 1. The report does not depend on it.
    pub threads: usize,
}

/// The result of a search.
#[derive(Clone, Debug)]
pub struct Report {
    /// What is known.
    pub verdict: Verdict,
    /// How runs were chosen: never [`Strategy::Auto`].
    pub method: Strategy,
    /// Minimal counterexamples, by size, then by likelihood. Each in ascending order.
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
    /// Of an observed system: what its runs taught.
    pub lessons: Lessons,
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

/// Why the loop ends.
pub(crate) enum End<E> {
    Stopped(StopReason),
    Failed(SearchError<E>),
    /// One counterexample was asked for and found.
    Found,
    /// The strategy has nothing left to try, though it does not cover all there is.
    Partial,
}

impl<E> From<SearchError<E>> for End<E> {
    fn from(error: SearchError<E>) -> Self {
        Self::Failed(error)
    }
}

pub(crate) struct Search<'a, S: System> {
    pub(crate) system: &'a mut S,
    pub(crate) control: &'a mut dyn Control,
    pub(crate) options: Options,
    pub(crate) report: Report,
    pub(crate) halt: Halt,
    pub(crate) lessons: Lessons,
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
        method: options.strategy,
        counterexamples: Vec::new(),
        runs: 0,
        runs_until_bad: None,
        stopped: None,
        complete: false,
        solver_calls: 0,
        size_covered: None,
        lessons: Lessons::default(),
    };
    let halt = control.halt();
    system.halt_when(halt.clone());
    let mut search = Search { system, control, options, report, halt, lessons: Lessons::default() };
    let end = search.explore();
    let mut report = search.report;
    report.lessons = search.lessons;
    system.halt_when(Halt::default());
    match end {
        Ok(()) | Err(End::Found) => report.complete = true,
        Err(End::Stopped(reason)) => report.stopped = Some(reason),
        Err(End::Partial) => {}
        Err(End::Failed(error)) => return Err(error),
    }
    let space = system.space();
    report.counterexamples.sort_by(|left, right| space.compare(left, right));
    if !options.all {
        report.counterexamples.truncate(1);
    }
    report.verdict = match (report.counterexamples.is_empty(), report.complete) {
        (false, _) => Verdict::Broken,
        (true, true) => Verdict::Holds,
        (true, false) => Verdict::Unknown,
    };
    Ok(report)
}

impl<S: System> Search<'_, S> {
    fn explore(&mut self) -> Result<(), End<S::Error>> {
        if self.system.is_observed() {
            return self.observed();
        }
        if self.options.strategy == Strategy::Lineage {
            let observation = self.run(&[])?;
            if observation.outcome == Outcome::Bad {
                return self.found(Vec::new());
            }
            return self.lineage(observation.support, None);
        }
        let first = self.outcome(&[])?;
        if self.options.strategy == Strategy::Auto {
            self.report.method = Strategy::Symbolic;
        }
        if first == Outcome::Bad {
            return self.found(Vec::new());
        }
        match self.options.strategy {
            Strategy::Lineage => unreachable!("see above"),
            Strategy::Auto => match self.failure()? {
                Some(failure) => self.symbolic(failure),
                None => {
                    self.report.method = Strategy::Lineage;
                    // The same run again, now to learn from it.
                    let result = self.system.run(&[]);
                    let observation = result.map_err(|error| self.failed(error, &[]))?;
                    self.lineage(observation.support, None)
                }
            },
            Strategy::Symbolic => {
                let failure = self.failure()?.ok_or(SearchError::NoFailureFormula)?;
                self.symbolic(failure)
            }
            Strategy::Exhaustive => {
                let all: Vec<Variable> =
                    (0..self.system.space().fault_count() as u32).map(Variable).collect();
                self.exhaustive(&all)
            }
            Strategy::Random => self.random(),
            Strategy::Single => self.single(),
        }
    }

    /// The system's failure formula, unless it was given up.
    pub(crate) fn failure(&mut self) -> Result<Option<Literal>, End<S::Error>> {
        let failure = self.system.failure();
        if failure.is_none() {
            self.pause()?;
        }
        Ok(failure)
    }

    /// Why a run has no outcome.
    pub(crate) fn failed(&mut self, error: S::Error, faults: &[Variable]) -> End<S::Error> {
        if S::is_halted(&error) {
            return self.halted();
        }
        SearchError::Run { error, faults: faults.to_vec() }.into()
    }

    /// The end when something was given up.
    pub(crate) fn halted(&mut self) -> End<S::Error> {
        let reason = self.control.stop().or_else(|| self.halt.reason());
        End::Stopped(reason.unwrap_or(StopReason::Interrupted))
    }

    pub(crate) fn pause(&mut self) -> Result<(), End<S::Error>> {
        match self.control.stop() {
            Some(reason) => Err(End::Stopped(reason)),
            None => Ok(()),
        }
    }

    /// May there be one more run?
    pub(crate) fn admit_run(&mut self) -> Result<(), End<S::Error>> {
        self.pause()?;
        if self.options.runs_max.is_some_and(|max| self.report.runs >= max) {
            return Err(End::Stopped(StopReason::Runs));
        }
        Ok(())
    }

    pub(crate) fn count_run(&mut self, faults: &[Variable], outcome: Outcome, memo: Option<&Memo>) {
        self.control.observe(Event::Run { number: self.report.runs, faults, outcome, memo });
        self.report.runs += 1;
        if outcome == Outcome::Bad {
            self.report.runs_until_bad.get_or_insert(self.report.runs);
        }
    }

    /// What else to record of the latest run.
    fn memo(&mut self) -> Option<Memo> {
        self.control.records().then(|| self.system.memo()).filter(|memo| !memo.is_empty())
    }

    /// One run, and what it teaches.
    pub(crate) fn run(&mut self, faults: &[Variable]) -> Result<Observation, End<S::Error>> {
        self.admit_run()?;
        let result = self.system.run(faults);
        let observation = result.map_err(|error| self.failed(error, faults))?;
        let memo = self.memo();
        self.count_run(faults, observation.outcome, memo.as_ref());
        Ok(observation)
    }

    /// One run of which only the outcome matters.
    pub(crate) fn outcome(&mut self, faults: &[Variable]) -> Result<Outcome, End<S::Error>> {
        self.admit_run()?;
        let result = self.system.outcome(faults);
        let outcome = result.map_err(|error| self.failed(error, faults))?;
        let memo = if faults.is_empty() { self.memo() } else { None };
        self.count_run(faults, outcome, memo.as_ref());
        Ok(outcome)
    }

    /// Records a minimal counterexample; ends the search if one is enough.
    pub(crate) fn found(&mut self, faults: Vec<Variable>) -> Result<(), End<S::Error>> {
        self.record(faults)?;
        if self.options.all { Ok(()) } else { Err(End::Found) }
    }

    /// Records a minimal counterexample and, if all are wanted, those that equal it but for symmetry:
    /// they are run as well.
    pub(crate) fn record(&mut self, faults: Vec<Variable>) -> Result<(), End<S::Error>> {
        let mut others = self.system.space().orbit(&faults);
        others.remove(&faults);
        self.control.observe(Event::Counterexample { faults: &faults });
        self.report.counterexamples.push(faults);
        if self.options.all {
            for other in others {
                if self.outcome(&other)? != Outcome::Bad {
                    return Err(SearchError::Contradiction { faults: other }.into());
                }
                self.control.observe(Event::Counterexample { faults: &other });
                self.report.counterexamples.push(other);
            }
        }
        Ok(())
    }

    /// Every fault set of this size or smaller is accounted for.
    pub(crate) fn covered(&mut self, size: usize) {
        self.report.size_covered = Some(size);
        self.control.observe(Event::Exhausted { size });
    }

    pub(crate) fn contains_counterexample(&self, faults: &[Variable]) -> bool {
        self.report
            .counterexamples
            .iter()
            .any(|known| known.iter().all(|fault| faults.binary_search(fault).is_ok()))
    }
}
