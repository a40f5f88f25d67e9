//! At most so many of a growing list of literals.

use batsat::Lit;

use crate::encoder::Clauses;

/// A sequential counter (Sinz, 2005) that grows in both directions: more literals, and larger
/// bounds.
///
/// Register (j, i) is implied when more than j of the first i + 1 literals are true.
#[derive(Debug, Default)]
pub(crate) struct Counter {
    inputs: Vec<Lit>,
    /// Row j begins at register (j, j).
    rows: Vec<Vec<Lit>>,
}

impl Counter {
    /// Counts one more literal.
    pub(crate) fn push(&mut self, literal: Lit) {
        self.inputs.push(literal);
    }

    /// What to assume so that at most `bound` of the literals are true; `None` if that is so anyway.
    pub(crate) fn at_most(&mut self, bound: usize, clauses: &mut Clauses<'_>) -> Option<Lit> {
        if bound >= self.inputs.len() {
            return None;
        }
        self.rows.resize(self.rows.len().max(bound + 1), Vec::new());
        for j in 0..=bound {
            for i in j + self.rows[j].len()..self.inputs.len() {
                let register = clauses.implied();
                if i > j {
                    clauses.add(&[!self.rows[j][i - j - 1], register]);
                }
                match j.checked_sub(1) {
                    None => clauses.add(&[!self.inputs[i], register]),
                    Some(below) => {
                        clauses.add(&[!self.inputs[i], !self.rows[below][i - 1 - below], register])
                    }
                }
                self.rows[j].push(register);
            }
        }
        self.rows[bound].last().map(|&register| !register)
    }
}

#[cfg(test)]
mod tests {
    use batsat::{Solver, SolverInterface, SolverOpts, lbool};

    use super::*;
    use crate::transcript::Transcript;

    #[test]
    fn bounds_and_literals_may_grow_in_any_order() {
        let mut solver = Solver::new(SolverOpts::default(), Transcript::default());
        let mut clause = Vec::new();
        let mut counter = Counter::default();
        let mut inputs: Vec<Lit> = Vec::new();
        for bound in [0, 2, 1, 4, 3, 0, 5] {
            let input = Lit::new(solver.new_var_default(), true);
            counter.push(input);
            inputs.push(input);
            let mut clauses = Clauses::new(&mut solver, &mut clause);
            let limit = counter.at_most(bound, &mut clauses);
            for mask in 0u32..1 << inputs.len() {
                let value = |(index, &input): (usize, &Lit)| {
                    if mask >> index & 1 == 1 { input } else { !input }
                };
                let mut assumptions: Vec<Lit> = inputs.iter().enumerate().map(value).collect();
                assumptions.extend(limit);
                let fits = solver.solve_limited(&assumptions) == lbool::TRUE;
                if !fits {
                    solver.cb_mut().refuted(&assumptions);
                }
                assert_eq!(fits, mask.count_ones() as usize <= bound, "{mask:b} {bound}");
            }
        }
    }
}
