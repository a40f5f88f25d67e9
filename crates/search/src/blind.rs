//! Searches that learn nothing from their runs but the outcomes: exhaustive and random.

use std::collections::VecDeque;

use linchpin_formula::Variable;
use linchpin_model::Outcome;

use crate::enumerate::Enumerator;
use crate::explore::{End, Search};
use crate::random::Random;
use crate::{StopReason, System};

/// A random search gives up when so many draws in a row contain a known counterexample.
const KNOWN_IN_A_ROW_MAX: u32 = 10_000;

/// So many runs are made before their outcomes are looked at: nothing that is reported depends on
/// it.
const BATCH: usize = 256;

/// Outcomes of runs not yet looked at, in the order in which they were chosen.
type Ahead<E> = VecDeque<(Vec<Variable>, Result<Outcome, E>)>;

impl<S: System> Search<'_, S> {
    /// The next of the sets chosen by `choose`, with its outcome, once it may be run.
    fn next_outcome(
        &mut self,
        ahead: &mut Ahead<S::Error>,
        mut choose: impl FnMut(&Self) -> Option<Vec<Variable>>,
    ) -> Option<(Vec<Variable>, Result<Outcome, S::Error>)> {
        if ahead.is_empty() {
            let batch_max = if self.options.threads > 1 { BATCH } else { 1 };
            let left = self.options.runs_max.map(|max| max.saturating_sub(self.report.runs));
            let left = left.and_then(|left| usize::try_from(left).ok()).unwrap_or(usize::MAX);
            let batch_max = batch_max.min(left.max(1));
            let mut batch = Vec::new();
            while batch.len() < batch_max
                && let Some(faults) = choose(self)
            {
                batch.push(faults);
            }
            let outcomes = self.system.outcomes(&batch, self.options.threads);
            ahead.extend(batch.into_iter().zip(outcomes));
        }
        ahead.pop_front()
    }

    /// Every subset of `candidates`, smallest first, but for supersets of counterexamples.
    pub(crate) fn exhaustive(&mut self, candidates: &[Variable]) -> Result<(), End<S::Error>> {
        let space = self.system.space().clone();
        let mut enumerator = Enumerator::new(&space, candidates);
        // An enumerator that has ended would begin again.
        let mut sets = std::iter::from_fn(|| enumerator.next_set()).fuse();
        let mut ahead = Ahead::new();
        let mut size = 0;
        loop {
            let next = self.next_outcome(&mut ahead, |search| {
                loop {
                    let faults = sets.next()?;
                    if !faults.is_empty()
                        && space.is_canonical(&faults)
                        && !search.contains_counterexample(&faults)
                    {
                        return Some(faults);
                    }
                }
            });
            let Some((faults, outcome)) = next else { break };
            if faults.len() > size {
                // Of one size the likeliest is reported, so all of them are run.
                if !self.options.all && !self.report.counterexamples.is_empty() {
                    return Err(End::Found);
                }
                for covered in size..faults.len() {
                    self.covered(covered);
                }
                size = faults.len();
            }
            if self.contains_counterexample(&faults) {
                continue;
            }
            self.admit_run()?;
            let outcome = outcome.map_err(|error| self.failed(error, &faults))?;
            self.count_run(&faults, outcome, None);
            if outcome == Outcome::Bad {
                if self.options.all || space.is_uniform() {
                    self.found(faults)?;
                } else {
                    self.record(faults)?;
                }
            }
        }
        self.covered(space.fault_count());
        Ok(())
    }

    /// Every single fault, in order.
    pub(crate) fn single(&mut self) -> Result<(), End<S::Error>> {
        for fault in (0..self.system.space().fault_count() as u32).map(Variable) {
            let faults = [fault];
            let is_wanted = self.system.space().allows(&faults);
            if is_wanted && self.outcome(&faults)? == Outcome::Bad {
                self.found(faults.to_vec())?;
            }
        }
        self.covered(1);
        Err(End::Partial)
    }

    /// Draws until a bad run is found, then looks for minimal counterexamples within it.
    pub(crate) fn random(&mut self) -> Result<(), End<S::Error>> {
        let mut random = Random::new(self.options.seed);
        if self.system.space().fault_count() == 0 {
            return Ok(());
        }
        let mut ahead = Ahead::new();
        let mut known_in_a_row = 0;
        loop {
            let next = self.next_outcome(&mut ahead, |search| {
                for _ in 0..KNOWN_IN_A_ROW_MAX {
                    let faults = search.system.space().sample(&mut random);
                    if !search.contains_counterexample(&faults) {
                        return Some(faults);
                    }
                }
                None
            });
            let Some((faults, outcome)) = next else {
                return Err(End::Stopped(StopReason::Runs));
            };
            if self.contains_counterexample(&faults) {
                known_in_a_row += 1;
                if known_in_a_row == KNOWN_IN_A_ROW_MAX {
                    return Err(End::Stopped(StopReason::Runs));
                }
                continue;
            }
            known_in_a_row = 0;
            self.admit_run()?;
            let outcome = outcome.map_err(|error| self.failed(error, &faults))?;
            self.count_run(&faults, outcome, None);
            if outcome == Outcome::Bad {
                let before = self.report.counterexamples.len();
                self.lineage(None, Some(&faults))?;
                debug_assert!(self.report.counterexamples.len() > before);
            }
        }
    }
}
