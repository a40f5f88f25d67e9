//! Searches directed by formulas: lineage and symbolic.

use linchpin_formula::{Literal, Variable};
use linchpin_model::Outcome;

use crate::encoder::{Answer, Encoder, GaveUp};
use crate::explore::{End, Search};
use crate::{SearchError, Strategy, System};

/// Subformulas of supports beyond which [`Strategy::Lineage`] also asserts the system's own failure
/// formula, if it has one: each support is a variant of it, and many of them slow the solver down.
const DEFINITIONS_MAX: usize = 30_000;

impl<S: System> Search<'_, S> {
    /// Falsify all supports seen, smallest first. With `within`, only faults among those.
    pub(crate) fn lineage(
        &mut self,
        first: Option<Literal>,
        within: Option<&[Variable]>,
    ) -> Result<(), End<S::Error>> {
        let mut encoder = self.encoder();
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
                search.forbid_orbit(encoder, &faults);
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
                if let Some(failure) = search.failure()? {
                    encoder.assert(search.system.graph(), failure);
                }
            }
            Ok(())
        })
    }

    /// No later hypothesis may satisfy this support.
    fn learn(&mut self, encoder: &mut Encoder, support: Option<Literal>, faults: &[Variable]) {
        match support {
            Some(support) => encoder.assert(self.system.graph(), !support),
            None => encoder.forbid_exactly(faults),
        }
    }

    /// Satisfy the failure formula.
    pub(crate) fn symbolic(&mut self, failure: Literal) -> Result<(), End<S::Error>> {
        let singles = self.singles(failure)?;
        let mut encoder = self.encoder();
        encoder.assert(self.system.graph(), failure);
        for single in &singles {
            self.forbid_orbit(&mut encoder, single);
        }
        let result = self.satisfy(&mut encoder, failure);
        self.report.solver_calls += encoder.solver_calls();
        result
    }

    /// The single faults that satisfy the formula: all of them by evaluation, which for so few fault
    /// sets is much cheaper than the solver.
    fn singles(&mut self, failure: Literal) -> Result<Vec<Vec<Variable>>, End<S::Error>> {
        let mut singles: Vec<Vec<Variable>> = Vec::new();
        let count = self.system.space().fault_count() as u32;
        for first in (0..count).step_by(64) {
            self.pause()?;
            let bit = |variable: Variable| match variable.0.checked_sub(first) {
                Some(bit @ 0..64) => 1 << bit,
                _ => 0,
            };
            let bad = self.system.graph().evaluate_64(bit).of(failure);
            let bad =
                (first..count.min(first + 64)).filter(|fault| bad >> (fault - first) & 1 == 1);
            singles.extend(bad.map(|fault| vec![Variable(fault)]));
        }
        let space = self.system.space();
        singles.retain(|single| space.is_caused(single) && space.is_canonical(single));
        singles.sort_by(|left, right| space.compare(left, right));
        for single in &singles {
            if self.outcome(single)? != Outcome::Bad {
                return Err(SearchError::Contradiction { faults: single.clone() }.into());
            }
            self.found(single.clone())?;
        }
        self.covered(1);
        Ok(singles)
    }

    /// Each model is reduced to one that is minimal by inclusion; where one is enough, to a smallest
    /// one.
    fn satisfy(&mut self, encoder: &mut Encoder, failure: Literal) -> Result<(), End<S::Error>> {
        loop {
            self.pause()?;
            let Some(mut faults) = self.ask(encoder, |encoder| encoder.solve(None))? else { break };
            // What is excluded contains a model already known, so that nothing minimal is lost.
            loop {
                self.shrink(&mut faults, failure)?;
                encoder.forbid_supersets(&faults);
                // Smaller ones were found by evaluation.
                if faults.len() <= 2 {
                    break;
                }
                self.pause()?;
                let smaller = if self.options.all {
                    self.ask(encoder, |encoder| encoder.solve_within(&faults))?
                } else {
                    let size = faults.len() - 1;
                    self.ask(encoder, |encoder| encoder.solve(Some(size)))?
                };
                match smaller {
                    Some(smaller) => faults = smaller,
                    None => break,
                }
            }
            if !self.options.all
                && let Some(likelier) = self.likelier(encoder, &faults)?
            {
                faults = likelier;
            }
            if self.outcome(&faults)? != Outcome::Bad {
                return Err(SearchError::Contradiction { faults }.into());
            }
            self.forbid_orbit(encoder, &faults);
            self.found(faults)?;
        }
        self.covered(self.system.space().fault_count());
        Ok(())
    }

    /// Asks the solver.
    pub(crate) fn ask(
        &mut self,
        encoder: &mut Encoder,
        question: impl FnOnce(&mut Encoder) -> Answer,
    ) -> Result<Option<Vec<Variable>>, End<S::Error>> {
        question(encoder).map_err(|GaveUp| self.halted())
    }

    pub(crate) fn encoder(&self) -> Encoder {
        Encoder::new(self.system.space(), self.halt.clone())
    }

    /// A likelier model of the same size as a smallest one.
    fn likelier(
        &mut self,
        encoder: &mut Encoder,
        faults: &[Variable],
    ) -> Result<Option<Vec<Variable>>, End<S::Error>> {
        let space = self.system.space();
        let cost = space.cost_of_set(faults);
        let profiles: Vec<Vec<usize>> = space
            .profiles(faults.len())
            .into_iter()
            .take_while(|profile| space.cost_of_profile(profile) < cost)
            .collect();
        for profile in profiles {
            let found = self.ask(encoder, |encoder| encoder.solve_profile(&profile))?;
            if found.is_some() {
                return Ok(found);
            }
        }
        Ok(None)
    }

    fn forbid_orbit(&self, encoder: &mut Encoder, faults: &[Variable]) {
        for faults in self.system.space().orbit(faults) {
            encoder.forbid_supersets(&faults);
        }
    }

    /// Leaves out one fault after the other as long as the formula stays true: no proof that nothing
    /// smaller satisfies it, but much cheaper than the solver.
    fn shrink(
        &mut self,
        faults: &mut Vec<Variable>,
        failure: Literal,
    ) -> Result<(), End<S::Error>> {
        for index in (0..faults.len()).rev() {
            self.pause()?;
            let left_out = faults.remove(index);
            let values =
                self.system.graph().evaluate(|variable| faults.binary_search(&variable).is_ok());
            if !values.of(failure)
                || !self.system.space().is_caused(faults)
                || self.contains_counterexample(faults)
            {
                faults.insert(index, left_out);
            }
        }
        Ok(())
    }

    /// Asks the solver for fault sets, smallest first, of one size the likeliest first, until it has
    /// none; `visit` must exclude the set it is given.
    fn by_size(
        &mut self,
        encoder: &mut Encoder,
        mut visit: impl FnMut(&mut Self, &mut Encoder, Vec<Variable>) -> Result<(), End<S::Error>>,
    ) -> Result<(), End<S::Error>> {
        let result = (|| {
            for size in 1.. {
                self.pause()?;
                if self.ask(encoder, |encoder| encoder.solve(None))?.is_none() {
                    break;
                }
                self.covered_unless_random(size - 1);
                for profile in self.system.space().profiles(size) {
                    while let Some(faults) =
                        self.ask(encoder, |encoder| encoder.solve_profile(&profile))?
                    {
                        visit(self, encoder, faults)?;
                        self.pause()?;
                    }
                }
                // What the profiles left out.
                while let Some(faults) = self.ask(encoder, |encoder| encoder.solve(Some(size)))? {
                    visit(self, encoder, faults)?;
                    self.pause()?;
                }
            }
            self.covered_unless_random(self.system.space().fault_count());
            Ok(())
        })();
        self.report.solver_calls += encoder.solver_calls();
        result
    }

    /// A search within one fault set accounts for nothing beyond it.
    fn covered_unless_random(&mut self, size: usize) {
        if self.options.strategy != Strategy::Random {
            self.covered(size);
        }
    }
}
