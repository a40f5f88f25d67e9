//! What the runs so far have shown: their traces, the faults that could be put into them, and the ways
//! in which values came to be seen. What follows from it for other sets of faults is for the search
//! to say (`linchpin_search::Lessons`).

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;

use indexmap::IndexSet;
use linchpin_formula::Variable;
use linchpin_model::Outcome;
use linchpin_search::FaultSpace;

use crate::cut::Cut;
use crate::event::EventName;
use crate::fault::{Budgets, Fault, Kind, Place};
use crate::prediction::Predictor;
use crate::trace::{Indexed, Trace, TraceError};

/// Number of a fault among all that were ever candidates.
pub(crate) type FaultId = Variable;

/// A set of faults: ascending numbers.
pub(crate) type FaultIds = Vec<FaultId>;

/// One run that said something.
#[derive(Debug)]
pub(crate) struct Run {
    /// Of the experiment.
    pub(crate) number: u64,
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
    /// The node that answered with it, by position.
    pub(crate) answerer: usize,
    /// The messages, writes and syncs that carried it, as they were called in that run.
    pub(crate) path: Vec<EventName>,
    /// In how many runs it was seen.
    pub(crate) seen: u32,
    /// Runs, and where the path is in their traces: under other names it is the same way.
    pub(crate) witnesses: Vec<(usize, Vec<usize>)>,
}

/// So many witnesses of one support are kept.
const WITNESSES_MAX: usize = 3;

impl Support {
    /// None of these faults keeps the value from going this way.
    pub(crate) fn is_left(&self, faults: &[FaultId], knowledge: &Knowledge) -> bool {
        !self.witnesses.iter().any(|(run, path)| {
            let run = &knowledge.runs[*run];
            faults.iter().any(|id| {
                let cut = run.cut(*id, knowledge.fault(*id)).filter(|cut| !cut.is_input);
                cut.is_some_and(|cut| path.iter().any(|event| cut.holds_back(*event)))
            })
        })
    }
}

/// Everything seen.
#[derive(Debug)]
pub(crate) struct Knowledge {
    /// Parallel to those of the space.
    faults: IndexSet<Fault>,
    /// Where they happen: by position, the groups of the space.
    places: IndexSet<Place>,
    space: FaultSpace,
    runs: Vec<Run>,
    /// By number of the experiment: its position among the runs, if it could be judged.
    by_number: Vec<Option<usize>>,
    /// By value, and what carried it: kinds of events at groups of nodes.
    supports: BTreeMap<(String, Vec<String>), usize>,
    support_list: Vec<Support>,
}

impl Knowledge {
    pub(crate) fn new(budgets: &Budgets) -> Self {
        // The budget of all faults, and one per kind.
        let limits = std::iter::once(budgets.total).chain(Kind::ALL.map(|kind| budgets.of(kind)));
        Self {
            faults: IndexSet::new(),
            places: IndexSet::new(),
            space: FaultSpace::open(limits.map(|limit| limit as usize).collect()),
            runs: Vec::new(),
            by_number: Vec::new(),
            supports: BTreeMap::new(),
            support_list: Vec::new(),
        }
    }

    pub(crate) fn space(&self) -> &FaultSpace {
        &self.space
    }

    pub(crate) fn id(&mut self, fault: &Fault) -> FaultId {
        if let Some(index) = self.faults.get_index_of(fault) {
            return Variable(index as u32);
        }
        let kind = fault.kind();
        let place = self.places.insert_full(fault.place()).0;
        let budget = Kind::ALL.iter().position(|other| *other == kind);
        let budget = 1 + budget.expect("all kinds are listed");
        self.faults.insert(fault.clone());
        // Another input is no fault, and in no budget.
        let budgets: &[usize] = if kind == Kind::Input { &[] } else { &[0, budget] };
        self.space.add(place, budgets)
    }

    pub(crate) fn fault(&self, id: FaultId) -> &Fault {
        &self.faults[id.0 as usize]
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

    /// The number of the next experiment.
    pub(crate) fn next_number(&self) -> u64 {
        self.by_number.len() as u64
    }

    /// An experiment that could be judged, by its number.
    pub(crate) fn run(&self, number: u64) -> Option<&Run> {
        let position = self.by_number.get(usize::try_from(number).ok()?)?;
        position.map(|position| &self.runs[position])
    }

    /// The experiment could not be judged.
    pub(crate) fn skip(&mut self) {
        self.by_number.push(None);
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
                for (answerer, path) in predictor.serving_paths(&trace, &token) {
                    let path = path.iter().collect();
                    self.learn_support((index, &trace), &token, answerer, path);
                }
            }
        }
        let number = self.next_number();
        self.by_number.push(Some(index));
        self.runs.push(Run { number, faults, outcome, trace, predictor, cuts: RefCell::default() });
        Ok(index)
    }

    fn learn_support(
        &mut self,
        (run, trace): (usize, &Indexed),
        token: &str,
        answerer: usize,
        path: Vec<usize>,
    ) {
        let next = self.support_list.len();
        // How many heartbeats came before, and which of some nodes it was, makes no other way.
        let kinds: Vec<String> =
            path.iter().map(|event| trace.kind_by_role(trace.name(*event))).collect();
        let index = *self.supports.entry((token.to_owned(), kinds)).or_insert(next);
        if index == next {
            self.support_list.push(Support {
                run,
                token: token.to_owned(),
                answerer,
                path: path.iter().map(|event| trace.name(*event).clone()).collect(),
                seen: 0,
                witnesses: Vec::new(),
            });
        }
        let support = &mut self.support_list[index];
        support.seen += 1;
        if support.witnesses.len() < WITNESSES_MAX {
            support.witnesses.push((run, path));
        }
    }

    /// How many runs that could be judged were made under exactly these faults.
    pub(crate) fn runs_under(&self, faults: &[FaultId]) -> usize {
        self.runs.iter().filter(|run| run.faults == faults).count()
    }

    /// Whether a fault changes anything of what the outcome of an experiment may have depended on.
    pub(crate) fn touches(&self, number: u64, id: FaultId) -> bool {
        let position = self.by_number.get(number as usize).copied().flatten();
        position.is_some_and(|run| self.is_touched(run, id))
    }

    /// The same of a run by its position.
    pub(crate) fn is_touched(&self, run: usize, id: FaultId) -> bool {
        let run = &self.runs[run];
        let cut = run.cut(id, self.fault(id));
        cut.is_some_and(|cut| cut.touches(&run.predictor.support))
    }

    /// Whether the faults of a run left an acknowledged value to nobody, as far as its own trace tells: what
    /// was predicted of another run need not have come true in this one.
    pub(crate) fn leaves_a_value_to_nobody(&self, run: usize) -> bool {
        let run = &self.runs[run];
        let cuts: Vec<Rc<Cut>> =
            run.faults.iter().filter_map(|id| run.cut(*id, self.fault(*id))).collect();
        let cuts: Vec<&Cut> = cuts.iter().map(|cut| &**cut).filter(|cut| !cut.is_input).collect();
        run.predictor.predict(&run.trace, &cuts).is_unheld()
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

    /// The same of the first run without faults.
    pub(crate) fn may_not_fire_undisturbed(&self, faults: &[FaultId]) -> u32 {
        let Some(first) = self.runs.iter().position(|run| run.faults.is_empty()) else { return 0 };
        let run = &self.runs[first];
        let cuts = faults.iter().filter_map(|id| run.cut(*id, self.fault(*id)));
        let cuts: Vec<Rc<Cut>> = cuts.collect();
        self.may_not_fire(first, &cuts.iter().map(|cut| &**cut).collect::<Vec<_>>())
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
