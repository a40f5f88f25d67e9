//! What there is to say about a set of faults that broke the system.

use linchpin_model::Outcome;
use linchpin_search::Lessons;
use serde::{Deserialize, Serialize};

use crate::confidence::{break_rate_at_least, break_rate_at_most};
use crate::divergence::{Divergence, likeness};
use crate::fault::Fault;
use crate::knowledge::{FaultId, Knowledge, Run};

/// Supports told of one value.
const SUPPORTS_MAX: usize = 3;

/// A set of faults that broke the system.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Counterexample {
    /// The faults, in the order in which they struck. No smaller set that was tried broke it.
    pub faults: Vec<Fault>,
    /// The same in words, one sentence each.
    pub sentences: Vec<String>,
    /// Numbers of the experiments with exactly these faults, in which all of them fired.
    pub experiments: Vec<u64>,
    /// How many of these were bad.
    pub bad: u32,
    /// The first bad one of them.
    pub first_bad: Option<u64>,
    /// Of the good runs that had none but some of its faults the one most like it, by the number of
    /// its experiment.
    pub nearest_good: Option<u64>,
    /// Where the bad run parts from that one.
    pub divergence: Option<Divergence>,
    /// The ways in which the values were seen to reach the final state before, those seen most often
    /// first; and what each fault took away of them.
    pub supports: Vec<Expected>,
}

/// A support that could have saved the outcome, and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Expected {
    /// The value.
    pub value: String,
    /// What carried it to the final state, in order.
    pub path: Vec<String>,
    /// In how many runs it was seen.
    pub runs: u32,
    /// What the faults take away of it. If nothing, it was expected to hold, and did not.
    pub cuts: Vec<Taken>,
}

/// What one fault takes away of a support.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Taken {
    /// Position of the fault in [`Counterexample::faults`].
    pub fault: usize,
    /// The first event of the support that cannot take place as it did.
    pub event: String,
}

impl Counterexample {
    /// It was run more than once, and broke the system only once.
    #[must_use]
    pub fn is_once_only(&self) -> bool {
        self.bad == 1 && self.experiments.len() > 1
    }

    /// Bounds on the share of its runs in which it breaks the system, each at this confidence. (See
    /// [`break_rate_at_least`].)
    #[must_use]
    pub fn break_rate(&self, confidence: f64) -> (f64, f64) {
        let runs = u32::try_from(self.experiments.len()).unwrap_or(u32::MAX);
        let least = break_rate_at_least(self.bad, runs, confidence);
        (least, break_rate_at_most(self.bad, runs, confidence))
    }

    pub(crate) fn of(bad: &[FaultId], knowledge: &Knowledge, lessons: &Lessons) -> Self {
        let trials = lessons.trials(bad).cloned().unwrap_or_default();
        let is_bad =
            |number: &&u64| knowledge.run(**number).is_some_and(|run| run.outcome == Outcome::Bad);
        let first_bad = trials.runs.iter().find(is_bad).copied();
        let run = first_bad.and_then(|number| knowledge.run(number));
        let mut ids = bad.to_vec();
        // Inputs first, then in the order in which their events came in the bad run.
        ids.sort_by_key(|id| {
            knowledge.fault(*id).trigger().map(|name| {
                let position = run.and_then(|run| run.trace.positions.get(&name));
                position.copied().unwrap_or(usize::MAX)
            })
        });
        let faults = knowledge.faults_of(&ids);
        let nearest = run.and_then(|run| nearest_good(run, knowledge));
        let divergence =
            run.zip(nearest).map(|(run, nearest)| Divergence::of(&nearest.trace, &run.trace));
        Self {
            sentences: faults.iter().map(Fault::sentence).collect(),
            faults,
            experiments: trials.runs,
            bad: trials.bad,
            first_bad,
            nearest_good: nearest.map(|run| run.number),
            divergence,
            supports: expected(&ids, knowledge),
        }
    }
}

/// Of the good runs that had none but some of the faults the one most like this; of several, that
/// with the fewest faults, and the first.
fn nearest_good<'a>(bad: &Run, knowledge: &'a Knowledge) -> Option<&'a Run> {
    let is_part = |run: &&Run| run.faults.iter().all(|fault| bad.faults.contains(fault));
    let good = knowledge.runs().iter().filter(|run| run.outcome == Outcome::Good).filter(is_part);
    let weighed = good.map(|run| (likeness(&run.trace, &bad.trace), run));
    let nearer = |one: &(f64, &Run), other: &(f64, &Run)| {
        let fewer = other.1.faults.len().cmp(&one.1.faults.len());
        one.0.total_cmp(&other.0).then(fewer).then(other.1.number.cmp(&one.1.number))
    };
    weighed.max_by(nearer).map(|(_, run)| run)
}

/// The supports seen under none but some of these faults, and what the faults take away of them.
fn expected(faults: &[FaultId], knowledge: &Knowledge) -> Vec<Expected> {
    let mut all: Vec<Expected> = knowledge
        .supports()
        .iter()
        .filter(|support| {
            knowledge.runs()[support.run].faults.iter().all(|fault| faults.contains(fault))
        })
        .map(|support| {
            let run = &knowledge.runs()[support.run];
            let taken = |(position, id): (usize, &FaultId)| {
                let cut = run.cut(*id, knowledge.fault(*id)).filter(|cut| !cut.is_input)?;
                let first = support.path.iter().find(|name| {
                    let event = run.trace.positions.get(*name);
                    event.is_some_and(|event| cut.removed.contains(*event))
                })?;
                Some(Taken { fault: position, event: first.to_string() })
            };
            Expected {
                value: support.token.clone(),
                path: support.path.iter().map(ToString::to_string).collect(),
                runs: support.seen,
                cuts: faults.iter().enumerate().filter_map(taken).collect(),
            }
        })
        .collect();
    all.sort_by(|one, other| {
        one.value.cmp(&other.value).then(other.runs.cmp(&one.runs)).then(one.path.cmp(&other.path))
    });
    let mut kept: Vec<Expected> = Vec::new();
    for support in all {
        if kept.iter().filter(|other| other.value == support.value).count() < SUPPORTS_MAX {
            kept.push(support);
        }
    }
    kept
}
