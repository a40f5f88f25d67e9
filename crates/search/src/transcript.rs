//! What a solver was given and what it concluded, for those who want to check it.

use batsat::{Callbacks, ClauseKind, Lit};

/// One step of a solver, in clauses of literals as in DIMACS: a variable's number (from 1), or its
/// negative.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SolverStep {
    /// The solver was given a clause.
    Given(Vec<i32>),
    /// The solver concluded a clause from those it has.
    Learned(Vec<i32>),
    /// The solver forgot a clause (it may have dropped literals before that are surely false).
    Forgot(Vec<i32>),
}

/// A claim of the solver: everything it was given and the assumptions contradict each other.
#[derive(Clone, Copy, Debug)]
pub struct Refutation<'a> {
    /// Every step of the solver so far. What was learned, each clause from those before it, makes
    /// the contradiction visible to unit propagation.
    pub steps: &'a [SolverStep],
    /// Literals that were assumed.
    pub assumptions: &'a [i32],
}

/// Keeps the steps of a solver, if anyone wants them.
#[derive(Debug, Default)]
pub(crate) struct Transcript {
    steps: Option<Vec<SolverStep>>,
    assumptions: Vec<i32>,
}

impl Transcript {
    pub(crate) fn new(wanted: bool) -> Self {
        Self { steps: wanted.then(Vec::new), assumptions: Vec::new() }
    }

    pub(crate) fn given(&mut self, clause: &[Lit]) {
        if let Some(steps) = &mut self.steps {
            steps.push(SolverStep::Given(dimacs(clause)));
        }
    }

    pub(crate) fn assumed(&mut self, assumptions: &[Lit]) {
        if self.steps.is_some() {
            self.assumptions = dimacs(assumptions);
        }
    }

    pub(crate) fn refutation(&self) -> Option<Refutation<'_>> {
        let steps = self.steps.as_ref()?;
        Some(Refutation { steps, assumptions: &self.assumptions })
    }
}

fn dimacs(clause: &[Lit]) -> Vec<i32> {
    let number = |literal: &Lit| {
        let variable = literal.var().idx() as i32 + 1;
        if literal.sign() { variable } else { -variable }
    };
    clause.iter().map(number).collect()
}

impl Callbacks for Transcript {
    fn on_new_clause(&mut self, clause: &[Lit], _: ClauseKind) {
        if let Some(steps) = &mut self.steps {
            steps.push(SolverStep::Learned(dimacs(clause)));
        }
    }

    fn on_delete_clause(&mut self, clause: &[Lit]) {
        if let Some(steps) = &mut self.steps {
            steps.push(SolverStep::Forgot(dimacs(clause)));
        }
    }
}
