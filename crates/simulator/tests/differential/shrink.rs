//! Makes a failing case smaller while it fails.

use crate::case::{Case, Clause};

/// A case that fails as well, from which nothing more can be left out.
pub(crate) fn shrink(mut case: Case, fails: impl Fn(&Case) -> bool) -> Case {
    loop {
        let smaller = smaller_cases(&case).into_iter().find(|smaller| fails(smaller));
        match smaller {
            Some(smaller) => case = smaller,
            None => return case,
        }
    }
}

/// Every case with one thing less.
fn smaller_cases(case: &Case) -> Vec<Case> {
    let mut cases = Vec::new();
    // Many clauses at once, then one by one.
    for width in [8, 4, 2, 1] {
        for start in (0..case.clauses.len()).step_by(width) {
            let mut smaller = case.clone();
            let end = (start + width).min(case.clauses.len());
            smaller.clauses.drain(start..end);
            cases.push(smaller);
        }
    }
    for (index, clause) in case.clauses.iter().enumerate() {
        let Clause::Rule { head, body } = clause else { continue };
        for term in 0..body.len() {
            let mut smaller = case.clone();
            let mut body = body.clone();
            body.remove(term);
            smaller.clauses[index] = Clause::Rule { head: head.clone(), body };
            cases.push(smaller);
        }
    }
    let mut smaller = case.clone();
    if smaller.bounds.nodes.pop().is_some() {
        cases.push(smaller);
    }
    let bounds = &case.bounds;
    for (eot, eff, crashes) in [
        (bounds.eot.wrapping_sub(1), bounds.eff.min(bounds.eot.wrapping_sub(1)), bounds.crashes),
        (bounds.eot, bounds.eff.wrapping_sub(1), bounds.crashes),
        (bounds.eot, bounds.eff, bounds.crashes.wrapping_sub(1)),
    ] {
        let mut smaller = case.clone();
        smaller.bounds.eot = eot;
        smaller.bounds.eff = eff;
        smaller.bounds.crashes = crashes;
        if eot != u32::MAX && smaller.bounds.check().is_ok() {
            cases.push(smaller);
        }
    }
    cases.retain(|case| case.bounds.check().is_ok());
    cases
}
