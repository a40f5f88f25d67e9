//! A search that goes on where an earlier one was cut off.

use std::collections::BTreeMap;

use linchpin_formula::{Graph, Literal, Variable};
use linchpin_model::Outcome;

use crate::{FaultSpace, Halt, Lessons, Observation, Suggestion, System};

/// A system some of whose runs were made in an earlier search: those are not made again.
///
/// A search chooses the same runs whenever it learns the same from them. So a search of this system
/// retraces the earlier one from the outcomes recorded, and goes on where that one ended. Only the
/// run without faults is made in any case: from it a system derives everything else.
#[derive(Debug)]
pub struct Resumed<'a, S> {
    system: &'a mut S,
    known: BTreeMap<Vec<Variable>, Outcome>,
}

impl<'a, S: System> Resumed<'a, S> {
    /// The system, and the outcome of each run that was made (faults in ascending order).
    #[must_use]
    pub fn new(system: &'a mut S, known: BTreeMap<Vec<Variable>, Outcome>) -> Self {
        Self { system, known }
    }

    fn known(&self, faults: &[Variable]) -> Option<Outcome> {
        self.known.get(faults).copied().filter(|_| !faults.is_empty())
    }
}

impl<S: System> System for Resumed<'_, S> {
    type Error = S::Error;

    fn space(&self) -> &FaultSpace {
        self.system.space()
    }

    fn run(&mut self, faults: &[Variable]) -> Result<Observation, S::Error> {
        if let Some(outcome) = self.known(faults)
            && let Some(observation) = self.system.recall(faults, outcome)?
        {
            return Ok(observation);
        }
        self.system.run(faults)
    }

    fn outcome(&mut self, faults: &[Variable]) -> Result<Outcome, S::Error> {
        match self.known(faults) {
            Some(outcome) => Ok(outcome),
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
