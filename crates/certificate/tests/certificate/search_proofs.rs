//! Every "there is none" of the search's own solver, checked.

use linchpin_certificate::Checker;
use linchpin_search::{Control, Event, Refutation, SolverStep, StopReason};

/// A control that checks every refutation by the checker of this crate.
#[derive(Debug, Default)]
pub(crate) struct Proofs {
    checker: Checker,
    /// The steps the checker has seen.
    seen: Vec<SolverStep>,
    pub(crate) checked: usize,
}

impl Control for Proofs {
    fn stop(&mut self) -> Option<StopReason> {
        None
    }

    fn observe(&mut self, _: Event<'_>) {}

    fn wants_proofs(&self) -> bool {
        true
    }

    fn refuted(&mut self, refutation: Refutation<'_>) {
        if !refutation.steps.starts_with(&self.seen) {
            // Another solver.
            *self = Self { checked: self.checked, ..Self::default() };
        }
        for step in &refutation.steps[self.seen.len()..] {
            match step {
                SolverStep::Given(clause) => self.checker.add(clause),
                SolverStep::Learned(clause) => {
                    assert!(self.checker.follows(clause), "{clause:?} does not follow");
                    self.checker.add(clause);
                }
                SolverStep::Forgot(clause) => {
                    self.checker.delete(clause);
                }
            }
        }
        self.seen = refutation.steps.to_vec();
        let contradiction: Vec<i32> =
            refutation.assumptions.iter().map(|literal| -literal).collect();
        assert!(self.checker.follows(&contradiction), "no contradiction was shown");
        self.checked += 1;
    }
}

#[test]
#[should_panic(expected = "no contradiction was shown")]
fn a_false_claim_is_noticed() {
    let steps = [SolverStep::Given(vec![1, 2]), SolverStep::Given(vec![-1, 2])];
    Proofs::default().refuted(Refutation { steps: &steps, assumptions: &[1] });
}

#[test]
#[should_panic(expected = "does not follow")]
fn a_false_conclusion_is_noticed() {
    let steps = [SolverStep::Given(vec![1, 2]), SolverStep::Learned(vec![1])];
    Proofs::default().refuted(Refutation { steps: &steps, assumptions: &[] });
}
