//! The search of observed systems: processes, of which only runs tell anything.
//!
//! The loop is that of the lineage-driven search: run, learn, next hypothesis. What differs is what
//! may be assumed of a run. Its faults may not strike, it may end otherwise the next time, and it may
//! show faults that nobody knew of. See [`crate::Lessons`].

use std::collections::VecDeque;

use linchpin_formula::Variable;

use crate::encoder::Encoder;
use crate::enumerate::Enumerator;
use crate::explore::{End, Search};
use crate::lessons::parts;
use crate::random::Random;
use crate::{SearchError, Strategy, Suggestion, System};

/// So many sets after the next are told to the system.
const LOOKED_AHEAD: usize = 8;

/// So many sets are drawn at once: a system may run several at a time, and each run can add faults,
/// after which other sets would be drawn.
const DRAWN_AT_ONCE: usize = 8;

impl<S: System> Search<'_, S> {
    pub(crate) fn observed(&mut self) -> Result<(), End<S::Error>> {
        let result = self.observe_all();
        if matches!(result, Ok(()) | Err(End::Stopped(_) | End::Partial | End::Found)) {
            // What was bad is a counterexample, even if there was no time to look for a smaller one.
            for bad in self.lessons.bad().clone() {
                if !self.report.counterexamples.contains(&bad) {
                    self.report.counterexamples.push(bad);
                }
            }
        }
        result
    }

    fn observe_all(&mut self) -> Result<(), End<S::Error>> {
        while self.lessons.trial_count(&[]) < self.system.repeats(&[]) as usize
            && !self.lessons.retired().contains_key(&[][..])
        {
            self.again(&[])?;
            self.settle()?;
        }
        let mut random = Random::new(self.options.seed);
        let mut drawn = VecDeque::new();
        loop {
            let next = match self.options.strategy {
                Strategy::Auto | Strategy::Lineage => self.hypothesis()?,
                Strategy::Random => self.drawn(&mut random, &mut drawn)?,
                Strategy::Single => self.first_open(Some(1))?,
                Strategy::Exhaustive => self.first_open(None)?,
                Strategy::Symbolic => return Err(SearchError::NoFailureFormula.into()),
            };
            let Some(faults) = next else { return Ok(()) };
            self.trial(&faults)?;
            self.settle()?;
        }
    }

    /// One of the runs still wanted under these faults.
    fn again(&mut self, faults: &[Variable]) -> Result<(), End<S::Error>> {
        let wanted = self.system.repeats(faults) as usize;
        let more = wanted.saturating_sub(self.lessons.trial_count(faults) + 1);
        self.system.expect(&vec![faults.to_vec(); more]);
        self.trial(faults)
    }

    /// One run under these faults, and what it teaches.
    fn trial(&mut self, faults: &[Variable]) -> Result<(), End<S::Error>> {
        let number = self.report.runs;
        let observation = self.run(faults)?;
        let fired = self.system.fired(faults);
        self.lessons.learn(number, faults, &fired, observation.outcome);
        Ok(())
    }

    /// What the system suggests, if it needs a run; else the smallest set that does; else one that
    /// shall be run again.
    fn hypothesis(&mut self) -> Result<Option<Vec<Variable>>, End<S::Error>> {
        self.pause()?;
        let next = match self.system.suggest(&self.lessons) {
            Suggestion::Run(faults)
                if self.system.space().allows(&faults) && self.is_open(&faults) =>
            {
                Some(faults)
            }
            Suggestion::Enough => None,
            Suggestion::Run(_) | Suggestion::Smallest => self.smallest_open()?,
        };
        Ok(next.or_else(|| self.unrepeated()))
    }

    /// Whether this set needs a run; see [`Lessons::is_open`](crate::Lessons::is_open).
    fn is_open(&self, faults: &[Variable]) -> bool {
        self.lessons.is_open(faults, &|run, fault| self.system.touches(run, fault))
    }

    /// The set run least often of those that shall be run more often.
    fn unrepeated(&self) -> Option<Vec<Variable>> {
        let wants_more = |(faults, trials): &(&[Variable], &crate::Trials)| {
            trials.bad == 0
                && !faults.is_empty()
                && trials.runs.len() < self.system.repeats(faults) as usize
                // Where its faults sometimes do not strike, it has had its chances.
                && self.lessons.in_vain(faults) <= self.system.repeats(faults)
        };
        let again = self.lessons.all_trials().filter(wants_more);
        again.min_by_key(|(_, trials)| trials.runs.len()).map(|(faults, _)| faults.to_vec())
    }

    /// A smallest set that needs a run; one that was run in vain only if there is no other.
    fn smallest_open(&mut self) -> Result<Option<Vec<Variable>>, End<S::Error>> {
        for with_vain in [false, true] {
            let mut encoder = self.encoder_of_lessons(with_vain);
            let mut found = None;
            let mut size = None;
            while let Some(faults) = self.ask(&mut encoder, |encoder| encoder.solve(size))? {
                size = Some(faults.len().saturating_sub(1));
                found = Some(faults);
            }
            self.report.solver_calls += encoder.solver_calls();
            if found.is_some() {
                return Ok(found);
            }
        }
        self.covered(self.system.space().fault_count());
        Ok(None)
    }

    /// A solver that knows what was learned. It is made anew since lessons may be taken back.
    fn encoder_of_lessons(&self, with_vain: bool) -> Encoder {
        let mut encoder = self.encoder();
        let all = (0..self.system.space().fault_count() as u32).map(Variable);
        for (faults, trials) in self.lessons.all_trials() {
            let touches =
                |fault: &Variable| trials.runs.iter().any(|run| self.system.touches(*run, *fault));
            let is_other = |fault: &Variable| faults.binary_search(fault).is_err();
            let others = all.clone().filter(is_other).filter(touches);
            if trials.bad == 0 {
                encoder.require_other(faults, others);
            }
        }
        for bad in self.lessons.bad() {
            encoder.forbid_supersets(bad);
        }
        for faults in self.lessons.retired().keys() {
            encoder.forbid_exactly(faults);
        }
        if !with_vain {
            for faults in self.lessons.all_in_vain() {
                encoder.forbid_exactly(faults);
            }
        }
        encoder
    }

    /// A set that was not run yet, drawn uniformly; `drawn` keeps those drawn with it.
    fn drawn(
        &mut self,
        random: &mut Random,
        drawn: &mut VecDeque<Vec<Variable>>,
    ) -> Result<Option<Vec<Variable>>, End<S::Error>> {
        let lessons = &self.lessons;
        let is_new = |faults: &[Variable]| !lessons.is_done(faults) && !lessons.holds_bad(faults);
        drawn.retain(|faults| is_new(faults));
        if drawn.is_empty() {
            while drawn.len() < DRAWN_AT_ONCE {
                let is_wanted = |faults: &[Variable]| {
                    is_new(faults) && drawn.iter().all(|other| other != faults)
                };
                let Some(faults) = self.system.space().draw(random, is_wanted) else { break };
                drawn.push_back(faults);
            }
        }
        let next = drawn.pop_front().ok_or(End::Partial)?;
        self.system.expect(drawn.make_contiguous());
        Ok(Some(next))
    }

    /// The first set by size and number that was not run yet.
    fn first_open(
        &mut self,
        size_max: Option<usize>,
    ) -> Result<Option<Vec<Variable>>, End<S::Error>> {
        let space = self.system.space();
        let all: Vec<Variable> = (0..space.fault_count() as u32).map(Variable).collect();
        let mut enumerator = Enumerator::new(space, &all);
        let mut found = Vec::new();
        while let Some(faults) = enumerator.next_set() {
            if size_max.is_some_and(|max| faults.len() > max) {
                if found.is_empty() {
                    return Err(End::Partial);
                }
                break;
            }
            let is_known = self.lessons.is_done(&faults) || self.lessons.holds_bad(&faults);
            if !faults.is_empty() && !is_known {
                found.push(faults);
            }
            if found.len() > LOOKED_AHEAD {
                break;
            }
        }
        if found.is_empty() {
            return Ok(None);
        }
        let next = found.remove(0);
        self.system.expect(&found);
        Ok(Some(next))
    }

    /// Reduces what was bad to its smallest parts that are, among all parts; runs these again to see
    /// how often they are.
    fn settle(&mut self) -> Result<(), End<S::Error>> {
        while let Some(bad) = self.unsettled() {
            let parts = parts(&bad);
            for (index, part) in parts.iter().enumerate() {
                let is_new = |part: &&Vec<Variable>| !part.is_empty() && self.is_open(part);
                let next: Vec<_> = parts[index + 1..].iter().filter(is_new).cloned().collect();
                self.system.expect(&next);
                self.try_part(part)?;
            }
            if !self.lessons.bad().contains(&bad) {
                continue;
            }
            while self.lessons.trial_count(&bad) < self.system.repeats(&bad) as usize
                && self.lessons.in_vain(&bad) < self.system.repeats(&bad)
            {
                self.again(&bad)?;
            }
            self.found(bad)?;
        }
        Ok(())
    }

    fn unsettled(&self) -> Option<Vec<Variable>> {
        let known = &self.report.counterexamples;
        self.lessons.bad().iter().find(|bad| !known.contains(bad)).cloned()
    }

    /// Runs a part of a bad set as often as any set shall be run, unless others answer for it.
    fn try_part(&mut self, part: &[Variable]) -> Result<(), End<S::Error>> {
        while self.lessons.trial_count(part) < self.system.repeats(part) as usize
            && !self.lessons.retired().contains_key(part)
            && self.lessons.in_vain(part) <= self.system.repeats(part)
            && !self.lessons.is_answered(part, &|run, fault| self.system.touches(run, fault))
        {
            self.trial(part)?;
        }
        Ok(())
    }
}
