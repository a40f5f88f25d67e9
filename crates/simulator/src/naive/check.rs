//! Every fault set within the bounds, one after the other.

use std::collections::BTreeSet;

use linchpin_dedalus::hir::{Program, RelationId};
use linchpin_model::{Bounds, Fault, FaultSet, Invariant, Outcome, Verdict};
use thiserror::Error;

use super::{Evaluator, NaiveError, Row, Tables};

/// What there is to know about a program within bounds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checked {
    /// Whether some fault set is a counterexample. Never unknown.
    pub verdict: Verdict,
    /// Whether the failure-free run asks nothing of the system.
    pub vacuous: bool,
    /// Every minimal counterexample.
    pub counterexamples: BTreeSet<FaultSet>,
    /// Fault sets run.
    pub runs: u64,
}

/// A run within the bounds that has no result.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("under {faults}: {error}")]
pub struct CheckError {
    /// The faults of the run.
    pub faults: FaultSet,
    /// Why.
    pub error: NaiveError,
}

/// Runs the program under every fault set within the bounds, by size, but for those that contain a
/// counterexample.
///
/// # Errors
/// With the smallest fault set (one of them) whose run has no result, unless it contains a
/// counterexample.
///
/// # Panics
/// If the program lacks a relation that the invariant needs.
pub fn check(evaluator: &Evaluator<'_>, invariant: Invariant) -> Result<Checked, CheckError> {
    let Evaluator { program, bounds, .. } = *evaluator;
    let run = |faults: &FaultSet| {
        evaluator.run(faults).map_err(|error| CheckError { faults: faults.clone(), error })
    };
    let reference = run(&FaultSet::none())?;
    let mut counterexamples: BTreeSet<FaultSet> = BTreeSet::new();
    let mut runs = 0;
    for faults in fault_sets(bounds) {
        if counterexamples.iter().any(|known| known.is_subset(&faults)) {
            continue;
        }
        runs += 1;
        let tables = run(&faults)?;
        if outcome(program, bounds, invariant, &tables, &reference) == Outcome::Bad {
            counterexamples.insert(faults);
        }
    }
    let verdict = if counterexamples.is_empty() { Verdict::Holds } else { Verdict::Broken };
    let vacuous = vacuous(program, bounds, invariant, &reference);
    Ok(Checked { verdict, vacuous, counterexamples, runs })
}

/// Every fault set within the bounds, by size.
fn fault_sets(bounds: &Bounds) -> Vec<FaultSet> {
    let mut sets = vec![FaultSet::none()];
    for fault in bounds.faults() {
        for index in 0..sets.len() {
            let mut set = sets[index].clone();
            set.insert(fault.clone());
            let crashes = set.iter().filter(|fault| matches!(fault, Fault::Crash { .. })).count();
            if crashes <= bounds.crashes as usize && bounds.check_faults(&set).is_ok() {
                sets.push(set);
            }
        }
    }
    sets.sort_by_key(FaultSet::len);
    sets
}

fn relation(program: &Program, name: &str) -> RelationId {
    program.relation_named(name).expect("the program has the relations of the invariant")
}

/// How a run ended, given the tables of the run without faults.
///
/// # Panics
/// If the program lacks a relation that the invariant needs.
#[must_use]
pub fn outcome(
    program: &Program,
    bounds: &Bounds,
    invariant: Invariant,
    tables: &Tables,
    reference: &Tables,
) -> Outcome {
    let rows = |tables: &'_ Tables, name: &str| -> BTreeSet<Row> {
        tables.rows(relation(program, name), bounds.eot).clone()
    };
    let (asked, answered) = match invariant {
        Invariant::Implication => (rows(tables, "pre"), rows(tables, "post")),
        Invariant::Baseline => {
            (&rows(reference, "post") & &rows(tables, "pre"), rows(tables, "post"))
        }
        Invariant::Good => (rows(reference, "good"), rows(tables, "good")),
    };
    if asked.iter().any(|row| !answered.contains(row)) {
        Outcome::Bad
    } else if asked.is_empty() {
        Outcome::Vacuous
    } else {
        Outcome::Good
    }
}

/// Whether the run without faults asks nothing of the system.
///
/// # Panics
/// If the program lacks a relation that the invariant needs.
#[must_use]
pub fn vacuous(
    program: &Program,
    bounds: &Bounds,
    invariant: Invariant,
    reference: &Tables,
) -> bool {
    let name = match invariant {
        Invariant::Implication => "pre",
        Invariant::Baseline => "post",
        Invariant::Good => "good",
    };
    reference.rows(relation(program, name), bounds.eot).is_empty()
}
