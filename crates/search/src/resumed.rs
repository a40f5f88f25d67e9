//! A search that goes on where an earlier one was cut off.

use std::collections::BTreeMap;

use linchpin_formula::{Graph, Literal, Variable};
use linchpin_model::{Memo, Outcome};

use crate::{FaultSpace, Halt, Lessons, Observation, Suggestion, System};

/// A system some of whose runs were made in an earlier search: those are not made again.
///
/// A search chooses the same runs whenever it learns the same from them. So a search of this system
/// retraces the earlier one from what was recorded, and goes on where that one ended. A run is made
/// in spite of its record only if the record lacks what the system needs of it ([`Memo`]).
#[derive(Debug)]
pub struct Resumed<'a, S> {
    system: &'a mut S,
    known: BTreeMap<Vec<Variable>, (Outcome, Memo)>,
    /// What is recorded of the latest run, if it was not made.
    recalled: Option<Memo>,
}

impl<'a, S: System> Resumed<'a, S> {
    /// The system, and what is recorded of each run that was made (faults in ascending order).
    #[must_use]
    pub fn new(system: &'a mut S, mut known: BTreeMap<Vec<Variable>, (Outcome, Memo)>) -> Self {
        if let Some((outcome, memo)) = known.get(&[][..])
            && !system.restore(*outcome, memo)
        {
            known.remove(&[][..]);
        }
        Self { system, known, recalled: None }
    }

    fn known(&self, faults: &[Variable]) -> Option<Outcome> {
        self.known.get(faults).map(|(outcome, _)| *outcome)
    }
}

impl<S: System> System for Resumed<'_, S> {
    type Error = S::Error;

    fn space(&self) -> &FaultSpace {
        self.system.space()
    }

    fn run(&mut self, faults: &[Variable]) -> Result<Observation, S::Error> {
        self.recalled = None;
        if let Some((outcome, memo)) = self.known.get(faults)
            && let Some(observation) = self.system.recall(faults, *outcome, memo)?
        {
            self.recalled = Some(memo.clone());
            return Ok(observation);
        }
        self.system.run(faults)
    }

    fn memo(&mut self) -> Memo {
        match &self.recalled {
            Some(memo) => memo.clone(),
            None => self.system.memo(),
        }
    }

    fn outcome(&mut self, faults: &[Variable]) -> Result<Outcome, S::Error> {
        self.recalled = None;
        match self.known.get(faults) {
            Some((outcome, memo)) => {
                self.recalled = Some(memo.clone());
                Ok(*outcome)
            }
            None => self.system.outcome(faults),
        }
    }

    fn outcomes(
        &mut self,
        runs: &[Vec<Variable>],
        threads: usize,
    ) -> Vec<Result<Outcome, S::Error>> {
        let known: Vec<Option<Outcome>> = runs.iter().map(|faults| self.known(faults)).collect();
        let fresh = runs.iter().zip(&known).filter(|(_, known)| known.is_none());
        let fresh: Vec<Vec<Variable>> = fresh.map(|(faults, _)| faults.clone()).collect();
        let mut made = self.system.outcomes(&fresh, threads).into_iter();
        let one = |known: Option<Outcome>| match known {
            Some(outcome) => Ok(outcome),
            None => made.next().expect("a system answers for every run"),
        };
        known.into_iter().map(one).collect()
    }

    fn halt_when(&mut self, halt: Halt) {
        self.system.halt_when(halt);
    }

    fn is_halted(error: &S::Error) -> bool {
        S::is_halted(error)
    }

    fn graph(&mut self) -> &mut Graph {
        self.system.graph()
    }

    fn failure(&mut self) -> Option<Literal> {
        self.system.failure()
    }

    fn is_observed(&self) -> bool {
        self.system.is_observed()
    }

    fn fired(&self, faults: &[Variable]) -> Vec<Variable> {
        self.system.fired(faults)
    }

    fn touches(&self, run: u64, fault: Variable) -> bool {
        self.system.touches(run, fault)
    }

    fn suggest(&mut self, lessons: &Lessons) -> Suggestion {
        self.system.suggest(lessons)
    }

    fn repeats(&self, faults: &[Variable]) -> u32 {
        self.system.repeats(faults)
    }
}
