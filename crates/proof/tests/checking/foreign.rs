//! A checker of proofs that is not ours.

use linchpin_proof::{Cnf, Step};

/// A literal as the foreign checker numbers it.
fn foreign(literal: i32) -> dratify::Lit {
    2 * (literal.unsigned_abs() - 1) + u32::from(literal < 0)
}

/// Does a checker that is not ours accept the proof?
pub(crate) fn foreign_accepts(cnf: &Cnf, steps: &[Step]) -> bool {
    let clauses: Vec<Vec<dratify::Lit>> =
        cnf.clauses().map(|clause| clause.iter().copied().map(foreign).collect()).collect();
    let steps: Vec<(bool, Vec<dratify::Lit>)> = steps
        .iter()
        .map(|step| match step {
            Step::Add(clause) => (false, clause.iter().copied().map(foreign).collect()),
            Step::Delete(clause) => (true, clause.iter().copied().map(foreign).collect()),
        })
        .collect();
    dratify::Checker::new(cnf.variable_count() as u32, &clauses, false, true).check(&steps).ok
}
