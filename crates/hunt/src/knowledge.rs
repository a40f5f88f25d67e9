//! What the runs so far have taught.
//!
//! A run under the faults F that was not bad shows one support S: the past of its outcome. S may
//! exist only because F struck (a failover), so it answers only for sets that contain F: "not all of
//! F, or something of S is hit". Requiring every hypothesis to hit S would prune real bugs.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use indexmap::IndexSet;
use linchpin_model::Outcome;

use crate::cut::Cut;
use crate::event::EventName;
use crate::fault::Fault;
use crate::prediction::Predictor;
use crate::trace::{Indexed, Trace, TraceError};

/// Number of a fault among all that were ever candidates.
pub(crate) type FaultId = u32;

/// A set of faults: ascending numbers.
pub(crate) type FaultIds = Vec<FaultId>;

/// One run that said something.
#[derive(Debug)]
pub(crate) struct Run {
    /// The faults that fired.
    pub(crate) faults: FaultIds,
    pub(crate) outcome: Outcome,
    pub(crate) trace: Indexed,
    pub(crate) predictor: Predictor,
    cuts: RefCell<BTreeMap<FaultId, Option<Rc<Cut>>>>,
}

impl Run {
    /// What a fault would cut of this run, if its event is there.
    pub(crate) fn cut(&self, id: FaultId, fault: &Fault) -> Option<Rc<Cut>> {
        let mut cuts = self.cuts.borrow_mut();
        cuts.entry(id).or_insert_with(|| Cut::of(fault, &self.trace).map(Rc::new)).clone()
    }
}

/// One way in which a final state came to show an acknowledged value.
#[derive(Clone, Debug)]
pub(crate) struct Support {
    /// The run it was seen in first.
    pub(crate) run: usize,
    /// The value.
    pub(crate) token: String,
    /// The messages, writes and syncs that carried it.
    pub(crate) path: Vec<EventName>,
    /// In how many runs it was seen.
    pub(crate) seen: u32,
}

/// Everything learned.
#[derive(Debug, Default)]
pub(crate) struct Knowledge {
    faults: IndexSet<Fault>,
    runs: Vec<Run>,
    /// The runs under each set of faults.
    by_faults: BTreeMap<FaultIds, Vec<usize>>,
    supports: BTreeMap<(String, Vec<EventName>), usize>,
    support_list: Vec<Support>,
    /// Minimal sets known to break the system, so far.
    bad: BTreeSet<FaultIds>,
}

impl Knowledge {
    pub(crate) fn id(&mut self, fault: &Fault) -> FaultId {
        let index = match self.faults.get_index_of(fault) {
            Some(index) => index,
            None => self.faults.insert_full(fault.clone()).0,
        };
        u32::try_from(index).expect("fewer than 2^32 faults")
    }

    pub(crate) fn fault(&self, id: FaultId) -> &Fault {
        &self.faults[id as usize]
    }

    pub(crate) fn fault_count(&self) -> usize {
        self.faults.len()
    }

    pub(crate) fn faults_of(&self, ids: &[FaultId]) -> Vec<Fault> {
        ids.iter().map(|id| self.fault(*id).clone()).collect()
    }

    pub(crate) fn runs(&self) -> &[Run] {
        &self.runs
    }

    pub(crate) fn supports(&self) -> &[Support] {
        &self.support_list
    }

    pub(crate) fn bad(&self) -> &BTreeSet<FaultIds> {
        &self.bad
    }

    /// Enters a conclusive run; the position it has now.
    pub(crate) fn add(
        &mut self,
        faults: FaultIds,
        outcome: Outcome,
        trace: Trace,
    ) -> Result<usize, TraceError> {
        let trace = Indexed::new(trace)?;
        let predictor = Predictor::new(&trace);
        let index = self.runs.len();
        if outcome == Outcome::Good {
            let served: Vec<String> = predictor.served().cloned().collect();
            for token in served {
                let path = predictor.serving_path(&trace, &token);
                let path: Vec<EventName> =
                    path.iter().map(|event| trace.name(event).clone()).collect();
                self.learn_support(index, token, path);
            }
        }
        if outcome == Outcome::Bad {
            self.bad.retain(|known| !contains(known, &faults));
            if !self.bad.iter().any(|known| contains(&faults, known)) {
                self.bad.insert(faults.clone());
            }
        }
        self.by_faults.entry(faults.clone()).or_default().push(index);
        self.runs.push(Run { faults, outcome, trace, predictor, cuts: RefCell::default() });
        Ok(index)
    }

    fn learn_support(&mut self, run: usize, token: String, path: Vec<EventName>) {
        let next = self.support_list.len();
        let index = *self.supports.entry((token.clone(), path.clone())).or_insert(next);
        match self.support_list.get_mut(index) {
            Some(support) => support.seen += 1,
            None => self.support_list.push(Support { run, token, path, seen: 1 }),
        }
    }

    /// The conclusive runs under exactly these faults.
    pub(crate) fn runs_under(&self, faults: &[FaultId]) -> &[usize] {
        self.by_faults.get(faults).map_or(&[], Vec::as_slice)
    }

    /// Whether a fault changes anything of what the outcome of a run may have depended on.
    pub(crate) fn touches(&self, run: usize, id: FaultId) -> bool {
        let run = &self.runs[run];
        let cut = run.cut(id, self.fault(id));
        cut.is_some_and(|cut| cut.touches(&run.predictor.support))
    }

    /// Some runs answer for this set: all that were made under a part of it, and the rest touches
    /// nothing that mattered in them. Or it contains a set known to be bad.
    pub(crate) fn is_answered(&self, faults: &[FaultId]) -> bool {
        if self.bad.iter().any(|bad| contains(faults, bad)) {
            return true;
        }
        subsets(faults).iter().filter(|part| part.len() < faults.len()).any(|part| {
            let runs = self.runs_under(part);
            let rest: Vec<FaultId> =
                faults.iter().copied().filter(|id| !part.contains(id)).collect();
            !runs.is_empty()
                && runs.iter().all(|run| {
                    self.runs[*run].outcome != Outcome::Bad
                        && rest.iter().all(|id| !self.touches(*run, *id))
                })
        })
    }

    /// How many of these faults wait for events that depend on what others of them cut.
    pub(crate) fn may_not_fire(&self, run: usize, cuts: &[&Cut]) -> u32 {
        let run = &self.runs[run];
        let depends = |cut: &&&Cut| {
            !cut.is_input
                && cuts.iter().any(|other| {
                    !other.is_input
                        && !std::ptr::eq(**cut, *other)
                        && other.lost(&run.trace).contains(cut.trigger)
                })
        };
        cuts.iter().filter(depends).count() as u32
    }

    /// The cuts of these faults in a run, if it has all their events, and none of the faults keeps
    /// another from firing.
    pub(crate) fn cuts(&self, run: usize, faults: &[FaultId]) -> Option<Vec<Rc<Cut>>> {
        let run = &self.runs[run];
        let cuts: Option<Vec<Rc<Cut>>> =
            faults.iter().map(|id| run.cut(*id, self.fault(*id))).collect();
        let cuts = cuts?;
        let blocked = cuts.iter().enumerate().any(|(index, cut)| {
            !cut.is_input
                && cuts.iter().enumerate().any(|(other, by)| {
                    other != index && !by.is_input && by.removed.contains(cut.trigger)
                })
        });
        (!blocked).then_some(cuts)
    }
}

/// Whether the ascending `set` contains all of `part`.
pub(crate) fn contains(set: &[FaultId], part: &[FaultId]) -> bool {
    part.iter().all(|id| set.binary_search(id).is_ok())
}

/// All subsets, itself included, by size.
pub(crate) fn subsets(faults: &[FaultId]) -> Vec<FaultIds> {
    let mut all: Vec<FaultIds> = (0_u32..1 << faults.len().min(16))
        .map(|bits| {
            let inside = faults.iter().enumerate().filter(|(index, _)| bits >> index & 1 == 1);
            inside.map(|(_, id)| *id).collect()
        })
        .collect();
    all.sort_by_key(Vec::len);
    all
}
