//! The solver is followed in tests.
//!
//! In builds with debug assertions, which tests are, a [`Checker`] that is not the solver is given every
//! clause that the solver is given, accepts what it learns only if that follows, and accepts "there is
//! none" only if it sees the contradiction. A wrong answer is a panic. Other builds trust the solver;
//! there a certificate gives the same assurance for a verdict.

use std::cell::Cell;

use batsat::{Callbacks, ClauseKind, Lit};
use linchpin_proof::Checker;

use crate::Halt;

/// So often a solver asks whether to go on before the clock is looked at.
const ASKED_MAX: u32 = 16;

/// Listens to the solver, and tells it when to give up.
#[derive(Debug)]
pub(crate) struct Transcript {
    checker: Option<Checker>,
    /// Every "there is none" that was checked.
    checked: u64,
    halt: Halt,
    /// How often the solver asked whether to go on.
    asked: Cell<u32>,
    is_due: Cell<bool>,
}

impl Default for Transcript {
    fn default() -> Self {
        Self::new(Halt::default())
    }
}

impl Transcript {
    pub(crate) fn new(halt: Halt) -> Self {
        Self {
            checker: cfg!(debug_assertions).then(Checker::new),
            checked: 0,
            halt,
            asked: Cell::new(0),
            is_due: Cell::new(false),
        }
    }

    /// The solver is given a clause.
    pub(crate) fn given(&mut self, clause: &[Lit]) {
        if let Some(checker) = &mut self.checker {
            checker.add(&dimacs(clause));
        }
    }

    /// The solver says that nothing satisfies what it was given under these assumptions.
    pub(crate) fn refuted(&mut self, assumptions: &[Lit]) {
        if let Some(checker) = &mut self.checker {
            let contradiction: Vec<Lit> = assumptions.iter().map(|&literal| !literal).collect();
            let shown = checker.follows(&dimacs(&contradiction));
            assert!(shown, "the solver says \"there is none\" and has not shown why");
            self.checked += 1;
        }
    }
}

/// Literals as in DIMACS: a variable's number (from 1), or its negative.
fn dimacs(clause: &[Lit]) -> Vec<i32> {
    let number = |literal: &Lit| {
        let variable = literal.var().idx() as i32 + 1;
        if literal.sign() { variable } else { -variable }
    };
    clause.iter().map(number).collect()
}

impl Callbacks for Transcript {
    /// Asked at every decision. Once it is due, it stays so.
    fn stop(&self) -> bool {
        let asked = self.asked.get().wrapping_add(1);
        self.asked.set(asked);
        if asked.is_multiple_of(ASKED_MAX) && self.halt.is_due() {
            self.is_due.set(true);
        }
        self.is_due.get()
    }

    fn on_new_clause(&mut self, clause: &[Lit], _: ClauseKind) {
        if let Some(checker) = &mut self.checker {
            let clause = dimacs(clause);
            assert!(
                checker.follows(&clause),
                "the solver learned {clause:?}, which does not follow"
            );
            checker.add(&clause);
        }
    }

    fn on_delete_clause(&mut self, clause: &[Lit]) {
        if let Some(checker) = &mut self.checker {
            // One that the solver shortened, by literals surely false, is not found, and stays.
            checker.delete(&dimacs(clause));
        }
    }
}

#[cfg(test)]
mod tests {
    use batsat::{ClauseKind, Solver, SolverInterface, SolverOpts, lbool};

    use super::*;

    /// Without this, tests would trust the solver.
    #[test]
    fn refutations_are_checked_in_tests() {
        assert!(Transcript::default().checker.is_some());
        let mut solver = Solver::new(SolverOpts::default(), Transcript::default());
        let holes = 5;
        let pigeons: Vec<Vec<Lit>> = (0..=holes)
            .map(|_| (0..holes).map(|_| Lit::new(solver.new_var_default(), true)).collect())
            .collect();
        let mut give = |clause: &[Lit]| {
            solver.cb_mut().given(clause);
            solver.add_clause_reuse(&mut clause.to_vec());
        };
        for (index, pigeon) in pigeons.iter().enumerate() {
            give(pigeon);
            for other in &pigeons[..index] {
                for (here, there) in pigeon.iter().zip(other) {
                    give(&[!*here, !*there]);
                }
            }
        }
        assert_eq!(solver.solve_limited(&[]), lbool::FALSE);
        solver.cb_mut().refuted(&[]);
        assert_eq!(solver.cb().checked, 1);
    }

    fn literals(numbers: &[i32]) -> Vec<Lit> {
        let mut solver = Solver::new(SolverOpts::default(), Transcript::default());
        let literal =
            |number: &i32| Lit::new(solver.var_of_int(number.unsigned_abs() - 1), *number > 0);
        numbers.iter().map(literal).collect()
    }

    #[test]
    #[should_panic(expected = "has not shown why")]
    fn a_false_claim_is_noticed() {
        let mut transcript = Transcript::default();
        transcript.given(&literals(&[1, 2]));
        transcript.given(&literals(&[-1, 2]));
        transcript.refuted(&literals(&[1]));
    }

    #[test]
    #[should_panic(expected = "does not follow")]
    fn a_false_conclusion_is_noticed() {
        let mut transcript = Transcript::default();
        transcript.given(&literals(&[1, 2]));
        transcript.on_new_clause(&literals(&[1]), ClauseKind::Learnt);
    }
}
