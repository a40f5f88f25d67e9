//! From what the hunt proposes to what the injector does, and from a cluster file to the bounds of
//! a hunt.

use std::collections::BTreeMap;
use std::time::Duration;

use linchpin_cluster::Cluster;
use linchpin_hunt::{Budgets, Durations, Kind};
use linchpin_injector::{Fault, parse_fault};
use thiserror::Error;

/// Without a `total`, so many faults at once: nearly all failures in production that were studied
/// need no more than two or three events (Yuan et al., "Simple testing can prevent most critical
/// failures", OSDI 2014, section 3).
const TOTAL: u32 = 2;

/// A fault belongs to the work that is done, not to the start, in which nodes poll and greet each other
/// now more often, now less: its event is counted from the first message of the workload on, as
/// [`trace_of`](linchpin_hunt::trace_of) counts.
const ONCE_AT_WORK: &str = "since send client->*";

/// What is tried if a cluster file does not say.
const DEFAULT: [Kind; 6] =
    [Kind::Crash, Kind::Restart, Kind::Pause, Kind::Partition, Kind::Delay, Kind::Loss];

/// What an experiment means for a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Plan {
    /// The faults of the injector.
    pub faults: Vec<Fault>,
    /// Per fault of the experiment: how many of the injector's it is.
    pub clauses: Vec<usize>,
    /// Parameters of the workload that differ from their defaults.
    pub parameters: BTreeMap<String, String>,
}

/// Why an experiment cannot be carried out.
#[derive(Debug, Error)]
#[error("the fault `{clause}` cannot be injected: {reason}")]
pub struct PlanError {
    /// The fault, as it is written.
    pub clause: String,
    /// What is wrong with it.
    pub reason: String,
}

impl Plan {
    /// The plan for a set of faults.
    ///
    /// # Errors
    /// If a fault has no form in the language of faults: a defect of the hunt.
    pub fn of(faults: &[linchpin_hunt::Fault]) -> Result<Self, PlanError> {
        let mut plan = Self::default();
        for fault in faults {
            if let linchpin_hunt::Fault::Input { parameter, value } = fault {
                plan.parameters.insert(parameter.clone(), value.clone());
            }
            let clauses = fault.clauses();
            plan.clauses.push(clauses.len());
            for (index, clause) in clauses.into_iter().enumerate() {
                // A restart of whichever node it was waits for the same event.
                let guarded = match index == 0 || fault.is_of_whichever() {
                    true => format!("{clause} {ONCE_AT_WORK}"),
                    false => clause.clone(),
                };
                match parse_fault(&guarded) {
                    Ok(parsed) => plan.faults.push(parsed),
                    Err(wrong) => {
                        let reason = wrong.first().map(|first| first.message.clone());
                        return Err(PlanError { clause, reason: reason.unwrap_or_default() });
                    }
                }
            }
        }
        Ok(plan)
    }
}

/// How many faults of each kind an experiment may hold.
#[must_use]
pub fn budgets(cluster: &Cluster) -> Budgets {
    let file = &cluster.faults;
    // The names were checked when the file was read.
    let known = |(name, count): (&String, &u32)| Some((kind(name)?, *count));
    let mut by_kind: BTreeMap<Kind, u32> = file.kinds.iter().filter_map(known).collect();
    if file.kinds.is_empty() {
        by_kind.extend(DEFAULT.map(|kind| (kind, 1)));
    }
    let mut budgets = Budgets { by_kind, total: file.total.unwrap_or(TOTAL) };
    budgets.total = budgets.total.min(budgets.of_all_kinds());
    budgets
}

/// A kind that has a budget, by its name.
fn kind(name: &str) -> Option<Kind> {
    Kind::ALL.into_iter().find(|kind| *kind != Kind::Input && kind.name() == name)
}

/// How long faults last that end by themselves.
#[must_use]
pub fn durations(cluster: &Cluster) -> Durations {
    let known = Durations::default();
    let milliseconds = |given: Option<Duration>, otherwise: u64| {
        given.map_or(otherwise, |duration| duration.as_millis() as u64)
    };
    Durations {
        pause_ms: milliseconds(cluster.faults.pause_for, known.pause_ms),
        delay_ms: milliseconds(cluster.faults.delay_by, known.delay_ms),
        restart_ms: milliseconds(cluster.faults.restart_after, known.restart_ms),
    }
}

#[cfg(test)]
mod tests {
    use linchpin_cluster::FAULT_KINDS;

    use super::*;

    #[test]
    fn every_kind_that_has_a_budget_is_tried() {
        let unknown: Vec<&str> =
            FAULT_KINDS.into_iter().filter(|name| kind(name).is_none()).collect();
        assert!(unknown.is_empty(), "{unknown:?}");
    }
}
