//! The checker of proofs: against known formulas, and against a checker that is not ours.

mod foreign;
#[allow(dead_code)]
#[path = "../../../simulator/tests/differential/random.rs"]
mod random;

use linchpin_proof::{Checker, Cnf, ProofError, Step, parse_drat, to_drat};

use crate::foreign::foreign_accepts;
use crate::random::Random;

fn cnf(clauses: &[&[i32]]) -> Cnf {
    let mut cnf = Cnf::default();
    for clause in clauses {
        cnf.add(clause);
    }
    cnf
}

fn add(clause: &[i32]) -> Step {
    Step::Add(clause.to_vec())
}

#[test]
fn a_proof_by_hand() {
    let square = cnf(&[&[1, 2], &[1, -2], &[-1, 2], &[-1, -2]]);
    assert_eq!(Checker::of(&square).check(&[add(&[1]), add(&[])]), Ok(()));
    // Without the unit, propagation finds nothing.
    let error = Checker::of(&square).check(&[add(&[])]);
    assert_eq!(error, Err(ProofError::DoesNotFollow { step: 1 }));
    let error = Checker::of(&square).check(&[add(&[1])]);
    assert_eq!(error, Err(ProofError::NoContradiction));
    let error = Checker::of(&square).check(&[]);
    assert_eq!(error, Err(ProofError::NoContradiction));
    let error = Checker::of(&square).check(&[add(&[3]), add(&[])]);
    assert_eq!(error, Err(ProofError::UnknownVariable { step: 1 }));
    let error = Checker::of(&square).check(&[Step::Delete(vec![1, 3 - 1, 2]), add(&[])]);
    assert_eq!(error, Err(ProofError::DoesNotFollow { step: 2 }));
    let error = Checker::of(&square).check(&[Step::Delete(vec![1]), add(&[])]);
    assert_eq!(error, Err(ProofError::NothingToDelete { step: 1 }));
    // What is deleted is gone.
    let steps = [Step::Delete(vec![2, 1]), add(&[1])];
    assert_eq!(Checker::of(&square).check(&steps), Err(ProofError::DoesNotFollow { step: 2 }));
}

/// A clause is a set, also one of the formula.
#[test]
fn a_literal_may_be_repeated() {
    let square = cnf(&[&[1, 1, 2], &[1, -2, -2], &[-1, 2, -1], &[-2, -1, -2]]);
    assert_eq!(Checker::of(&square).check(&[add(&[1, 1]), add(&[])]), Ok(()));
    assert_eq!(Checker::of(&cnf(&[&[1, 1], &[-1, -1]])).check(&[add(&[])]), Ok(()));
    let steps = [Step::Delete(vec![2, 1]), add(&[1])];
    assert_eq!(Checker::of(&square).check(&steps), Err(ProofError::DoesNotFollow { step: 2 }));
}

#[test]
fn satisfiable_formulas_have_no_proof() {
    // No sequence of clauses that follow ends in the empty one.
    let formula = cnf(&[&[1, 2], &[-1, 2], &[1, -2]]);
    let mut checker = Checker::of(&formula);
    for clause in [&[1][..], &[2], &[1, 2], &[2, -1]] {
        assert!(checker.follows(clause));
        checker.add(clause);
    }
    for clause in [&[][..], &[-1], &[-2], &[-1, -2]] {
        assert!(!checker.follows(clause), "{clause:?}");
    }
}

#[test]
fn empty_and_contradictory_formulas() {
    assert!(Checker::of(&cnf(&[])).check(&[add(&[])]).is_err());
    assert_eq!(Checker::of(&cnf(&[&[]])).check(&[add(&[])]), Ok(()));
    assert_eq!(Checker::of(&cnf(&[&[1], &[-1]])).check(&[add(&[])]), Ok(()));
    assert!(Checker::of(&cnf(&[&[1, -1]])).check(&[add(&[])]).is_err());
}

#[test]
fn proofs_are_read_as_they_are_written() {
    let steps = [add(&[1, -2]), Step::Delete(vec![3]), add(&[])];
    let text = to_drat(&steps);
    assert_eq!(text, "1 -2 0\nd 3 0\n0\n");
    assert_eq!(parse_drat(&text).as_deref(), Ok(&steps[..]));
    for wrong in ["1 2\n", "1 0 2 0\n", "x 0\n", "1  0\n", " 1 0\n", "-2147483648 0\n", "1 0\r\n"] {
        assert!(parse_drat(wrong).is_err(), "{wrong:?}");
    }
}

fn random_clause(random: &mut Random, variables: usize, longest: usize) -> Vec<i32> {
    let mut clause: Vec<i32> = (0..1 + random.below(longest))
        .map(|_| {
            let variable = 1 + random.below(variables) as i32;
            if random.percent(50) { variable } else { -variable }
        })
        .collect();
    clause.sort_unstable();
    clause.dedup();
    clause
}

/// Whatever one checker lets follow, the other does too.
#[test]
fn random_steps_are_judged_alike() {
    let mut accepted = 0;
    for seed in 0..20_000 {
        let random = &mut Random::new(seed);
        let variables = 2 + random.below(5);
        let mut formula = Cnf::new(variables);
        while formula.clause_count() < 3 + 4 * variables {
            let clause = random_clause(random, variables, 3);
            if clause.len() > 1 {
                formula.add(&clause);
            }
        }
        let mut present: Vec<Vec<i32>> = formula.clauses().map(<[i32]>::to_vec).collect();
        let mut steps = Vec::new();
        let mut guide = Checker::of(&formula);
        for _ in 0..random.below(8) {
            let index = random.below(present.len());
            if random.percent(25) && present[index].len() > 1 {
                steps.push(Step::Delete(present.swap_remove(index)));
                continue;
            }
            // Mostly clauses that follow if nothing was deleted.
            let mut clause = random_clause(random, variables, 2);
            for _ in 0..if random.percent(90) { 20 } else { 0 } {
                if guide.follows(&clause) {
                    break;
                }
                clause = random_clause(random, variables, 2);
            }
            guide.add(&clause);
            present.push(clause.clone());
            steps.push(Step::Add(clause));
        }
        steps.push(add(&[]));
        let ours = Checker::of(&formula).check(&steps);
        let theirs = foreign_accepts(&formula, &steps);
        assert_eq!(ours.is_ok(), theirs, "{formula:?} {steps:?} {ours:?}");
        accepted += u64::from(ours.is_ok());
        if ours.is_ok() {
            assert!(!is_satisfiable(&formula), "{formula:?}");
        }
    }
    assert!(accepted > 500, "{accepted}");
}

fn is_satisfiable(formula: &Cnf) -> bool {
    (0u32..1 << formula.variable_count()).any(|model| {
        formula.clauses().all(|clause| {
            clause
                .iter()
                .any(|&literal| (model >> (literal.unsigned_abs() - 1) & 1 == 1) == (literal > 0))
        })
    })
}
