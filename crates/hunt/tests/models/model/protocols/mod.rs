//! Small protocols, each with the mistakes people make in it.

pub(crate) mod commit;
pub(crate) mod lock;
pub(crate) mod queue;
pub(crate) mod quorum;
pub(crate) mod replicated;
pub(crate) mod retry;

use std::collections::BTreeSet;

use linchpin_model::Outcome;

use super::History;

/// Bad if an acknowledged value is missing in what was learned last.
pub(crate) fn lost_write(history: &History) -> Outcome {
    let Some(last) = history.learned.last() else { return Outcome::Inconclusive };
    if history.acknowledged.is_empty() {
        return Outcome::Vacuous;
    }
    let present: BTreeSet<String> = super::tokens(last);
    if history.acknowledged.is_subset(&present) { Outcome::Good } else { Outcome::Bad }
}
