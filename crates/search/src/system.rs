//! What the search asks of a system, and of whoever started it.

use linchpin_formula::{Graph, Literal, Variable};
use linchpin_model::{Memo, Outcome};

use crate::{FaultSpace, Halt, Lessons};

/// Something that can be run under faults.
pub trait System {
    /// Why a run has no outcome at all.
    type Error;

    /// The faults that may occur and their bounds. Does not change during a search, but for an open
    /// space, which every run may add to.
    fn space(&self) -> &FaultSpace;

    /// Runs the system under these faults (in ascending order, within the bounds). The search
    /// always begins with the run without faults.
    ///
    /// # Errors
    /// If the run cannot be carried out or has no outcome; the search ends with that error.
    fn run(&mut self, faults: &[Variable]) -> Result<Observation, Self::Error>;

    /// What of the latest [`System::run`] (or of the run without faults, however it was made) a
    /// later search needs to know besides the outcome, to go on without that run.
    fn memo(&mut self) -> Memo {
        Memo::default()
    }

    /// Takes the run without faults as made in an earlier search. False if it must be made.
    fn restore(&mut self, outcome: Outcome, memo: &Memo) -> bool {
        let _ = (outcome, memo);
        false
    }

    /// What a run teaches whose outcome is known from an earlier search, without running it: the
    /// observation that [`System::run`] would have made. `None` if only the run itself can tell.
    ///
    /// # Errors
    /// If the system knows that the run has another outcome.
    fn recall(
        &mut self,
        faults: &[Variable],
        outcome: Outcome,
        memo: &Memo,
    ) -> Result<Option<Observation>, Self::Error> {
        let _ = (faults, outcome, memo);
        Ok(None)
    }

    /// As [`System::run`] where nothing is to be learned but the outcome.
    ///
    /// # Errors
    /// As [`System::run`].
    fn outcome(&mut self, faults: &[Variable]) -> Result<Outcome, Self::Error> {
        self.run(faults).map(|observation| observation.outcome)
    }

    /// The outcomes of several runs, in their order, found with up to so many threads.
    ///
    /// # Errors
    /// Per run as [`System::run`].
    fn outcomes(
        &mut self,
        runs: &[Vec<Variable>],
        threads: usize,
    ) -> Vec<Result<Outcome, Self::Error>> {
        let _ = threads;
        runs.iter().map(|faults| self.outcome(faults)).collect()
    }

    /// Tells the system when to give up in the midst of a run, or of [`System::failure`].
    fn halt_when(&mut self, _: Halt) {}

    /// True if a run has no outcome only because it was given up.
    fn is_halted(_: &Self::Error) -> bool {
        false
    }

    /// The graph in which supports are written. Its variables are those of the space.
    fn graph(&mut self) -> &mut Graph;

    /// The formula that is true of exactly the fault sets whose run is bad (or has no outcome), if
    /// the system can state it. Asked for after the run without faults.
    fn failure(&mut self) -> Option<Literal>;

    /// True if only runs tell anything of the system: [`Observation::support`] and
    /// [`System::failure`] are not asked for, but what follows here.
    fn is_observed(&self) -> bool {
        false
    }

    /// Of an observed system: which of the faults of the last run happened. (In ascending order.)
    fn fired(&self, faults: &[Variable]) -> Vec<Variable> {
        faults.to_vec()
    }

    /// Of an observed system: whether a fault would have changed anything of what the outcome of a
    /// run that was judged, and not bad, can have depended on. Runs are numbered from 0.
    fn touches(&self, run: u64, fault: Variable) -> bool {
        let _ = (run, fault);
        true
    }

    /// Of an observed system: which hypothesis it would run next. The search sees to it that it is
    /// within the bounds, and that no earlier run answers for it ([`Lessons::is_open`]).
    fn suggest(&mut self, lessons: &Lessons) -> Suggestion {
        let _ = lessons;
        Suggestion::Smallest
    }

    /// Of an observed system: these sets will probably be run after the next one, in this order. It
    /// may begin to run them; the search asks for them in its own time, or not at all.
    fn expect(&mut self, next: &[Vec<Variable>]) {
        let _ = next;
    }

    /// Of an observed system: how many runs in which exactly these faults strike are wanted, as far as
    /// is known by now.
    fn repeats(&self, faults: &[Variable]) -> u32 {
        let _ = faults;
        1
    }
}

/// What an observed system would run next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Suggestion {
    /// These faults.
    Run(Vec<Variable>),
    /// A smallest set that no run answers for.
    Smallest,
    /// Nothing: what is left is taken to end like something that was run.
    Enough,
}

/// What a run showed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Observation {
    /// How the run ended.
    pub outcome: Outcome,
    /// Unless the outcome is bad: a formula that is true of the faults of this run, and of no
    /// fault set within the bounds whose run is bad. `None` if nothing was learned but this run.
    pub support: Option<Literal>,
}

/// Why a search ended before it could tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StopReason {
    /// The number of runs allowed is used up.
    Runs,
    /// The time allowed is used up.
    Time,
    /// The user asked.
    Interrupted,
}

/// Something that happened in a search.
#[derive(Clone, Copy, Debug)]
pub enum Event<'a> {
    /// A run ended.
    Run {
        /// The run's number, from 0 (without faults) upwards.
        number: u64,
        /// Its faults.
        faults: &'a [Variable],
        /// Its outcome.
        outcome: Outcome,
        /// What else is to be recorded of it, if [`Control::records`].
        memo: Option<&'a Memo>,
    },
    /// No fault set of this size or smaller is left to try.
    Exhausted {
        /// The number of faults.
        size: usize,
    },
    /// A minimal counterexample was found.
    Counterexample {
        /// Its faults.
        faults: &'a [Variable],
    },
}

/// Whoever started the search: watches it and may stop it.
pub trait Control {
    /// Asked before each run and each call of the solver.
    fn stop(&mut self) -> Option<StopReason>;

    /// The same question for those who do something long in between; asked for once.
    fn halt(&self) -> Halt {
        Halt::default()
    }

    /// True if runs are recorded, so that a later search can go on from them.
    fn records(&self) -> bool {
        false
    }

    /// Told of everything that happens.
    fn observe(&mut self, event: Event<'_>);
}

/// Watches nothing and never stops.
impl Control for () {
    fn stop(&mut self) -> Option<StopReason> {
        None
    }

    fn observe(&mut self, _: Event<'_>) {}
}
