//! The hypotheses in store, and which of them is next.

use std::cmp::{Ordering, Reverse};
use std::collections::{BTreeMap, BTreeSet, BinaryHeap, VecDeque};

use indexmap::IndexSet;
use linchpin_model::Outcome;
use linchpin_search::Lessons;

use crate::fault::{Fault, Kind, Place};
use crate::knowledge::{FaultId, FaultIds, Knowledge};
use crate::options::Options;
use crate::pairs::Pairs;
use crate::prediction::Prediction;
use crate::rank::{self, Beliefs, Class, FaultClass};

/// How many runs each hypothesis of a class takes away from the others of its class, in bits.
const LIKE_IT_TRIED: f64 = 1.0;
/// Runs with a fault of the same kind count so much of what runs with one in all like it do.
const KIND_TRIED: f64 = 0.25;
/// The same of runs with a fault at an event of the same kind.
const EVENT_TRIED: f64 = 0.5;
/// It was tried in vain: its faults did not fire, or the run could not be judged.
const IN_VAIN: f64 = 3.0;
/// For each run in vain with a fault like it, as long as there are more of them than others.
const LIKE_IT_IN_VAIN: f64 = 1.5;
/// So many of a class are tried that would leave an acknowledged value to nobody: a fault that strikes just too
/// late leaves it to somebody, and says nothing of the next.
const UNHELD_TRIES: u32 = 3;
/// A fault's event depends on what another fault cuts: it may not fire.
const MAY_NOT_FIRE: f64 = 2.0;
/// For each of its parts with one fault less that no run has answered: they come first, unless this
/// one is more promising by so much.
const PART_UNKNOWN: f64 = 1.0;
/// For each of its parts under which all runs were vacuous: what was missing will be missing again.
const PART_VACUOUS: f64 = 3.0;
/// Under one of its faults alone the event that another waits for did not happen.
const NOT_SEEN_UNDER_PART: f64 = 5.0;
/// Runs in vain beyond so many make no difference.
const IN_VAIN_MAX: i32 = 4;

/// Every so many experiments it is the turn of what was tried least.
const EXPLORED_EVERY: u64 = 3;
/// As long as there is a group of single faults of which none was tried, it is its turn every other time, after
/// so many experiments.
const PROMISING_FIRST: u64 = 3;
/// Of these turns every so many is one of several faults at once, the others of single ones: most systems that
/// break do so under one fault at the right place, and there are far fewer of these.
const EXPLORED_TOGETHER_EVERY: u64 = 3;
/// Of these, so many of the lightest are looked at closely.
const NEAR_FIRST: usize = 16;

/// So many pairs of a run are predicted at once, and so many more for every hypothesis that is chosen.
const PAIRS_FIRST: usize = 4000;
const PAIRS_MORE: usize = 400;

/// Position of a class among all met.
type ClassId = usize;
type FaultClassId = usize;
type GroupId = usize;

/// A hypothesis and what is expected of it.
#[derive(Clone, Debug)]
pub(crate) struct Proposal {
    /// The run it was predicted on.
    pub(crate) base: usize,
    prediction: Prediction,
    /// What its faults and the prediction weigh, supports apart.
    fault_bits: f64,
    /// Of a single fault the class with its label, of several without: see [`Proposals::next`].
    class: ClassId,
    coarse: ClassId,
    group: GroupId,
    /// Kinds and places of its faults: whether they fire depends on just these nodes.
    places: Vec<(Kind, Place)>,
    /// Its faults up to nodes like them, with their labels.
    faults: Vec<FaultClassId>,
    /// Their kinds, and the kinds of the events they wait for.
    kinds: Vec<usize>,
    events: Vec<usize>,
    /// Per value and node that answered: known supports it leaves, of the first `supports_counted`.
    supports_left: BTreeMap<String, BTreeMap<usize, usize>>,
    supports_counted: usize,
}

/// All hypotheses generated so far.
#[derive(Debug, Default)]
pub(crate) struct Proposals {
    store: BTreeMap<FaultIds, Proposal>,
    /// Pairs not yet in the store.
    pairs: Vec<Pairs>,
    classes: IndexSet<Class>,
    fault_classes: IndexSet<FaultClass>,
    /// The classes of which one was run, and which.
    tried: BTreeMap<ClassId, FaultIds>,
    class_tried: BTreeMap<ClassId, u32>,
    /// Of these: a value was to be left to nobody, and somebody had it.
    class_missed: BTreeMap<ClassId, u32>,
    coarse_tried: BTreeMap<ClassId, u32>,
    /// Per kind of fault and place: runs in vain, less those that said something.
    vanity: BTreeMap<(Kind, Place), i32>,
    /// Runs that were to be without an answer: all of them, and those that were vacuous.
    /// Apart: those in which some node would have some value, and those in which none would.
    unanswered: [(u32, u32); 2],
    /// Per number of faults, and kind of fault, place and label: runs that said something.
    faults_tried: BTreeMap<(usize, FaultClassId), u32>,
    /// Kinds of faults and of events.
    topics: IndexSet<String>,
    /// Per number of faults, and topic: runs that said something.
    topics_tried: BTreeMap<(usize, usize), u32>,
    /// Runs with faults: all, and by what takes turns: of single faults kind and place, of several the kinds.
    experiments: u64,
    explored: BTreeMap<GroupId, u32>,
    /// Runs of these in vain: each of a group's runs may be made up for once.
    explored_in_vain: BTreeMap<GroupId, u32>,
    groups: IndexSet<Vec<String>>,
}

/// A hypothesis and how surprising it would be if it broke the system.
#[derive(Clone, Debug, PartialEq)]
struct Weighed {
    bits: f64,
    faults: FaultIds,
    /// The bits are all there are; else the least.
    is_whole: bool,
}

impl Eq for Weighed {}

impl PartialOrd for Weighed {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Weighed {
    /// By bits, then the smaller set, then by number.
    fn cmp(&self, other: &Self) -> Ordering {
        let size = self.faults.len().cmp(&other.faults.len());
        let rest = size.then_with(|| self.faults.cmp(&other.faults));
        let rest = rest.then(self.is_whole.cmp(&other.is_whole));
        self.bits.total_cmp(&other.bits).then(rest)
    }
}

/// What became of the hypotheses.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Left {
    /// They were run after all.
    pub(crate) tried: u64,
    /// Runs under a part of their faults answer for them.
    pub(crate) answered: u64,
    /// One of their class was run: by class the first that was, and how many others there are.
    pub(crate) like_another: BTreeMap<FaultIds, u64>,
    /// Not reached.
    pub(crate) waiting: u64,
    /// Of which classes, as far as that is known.
    pub(crate) waiting_classes: BTreeSet<usize>,
}

impl Proposals {
    /// How many there are, those not yet predicted included.
    pub(crate) fn len(&self) -> usize {
        self.store.len() + self.unpredicted()
    }

    fn unpredicted(&self) -> usize {
        self.pairs.iter().map(Pairs::len).sum()
    }

    /// The pairs of these candidates in a run, whose single faults were offered before.
    pub(crate) fn offer_pairs(
        &mut self,
        knowledge: &Knowledge,
        base: usize,
        mut faults: Vec<FaultId>,
        options: &Options,
    ) {
        let beliefs = self.beliefs(options);
        let run = &knowledge.runs()[base];
        let bits = |fault: &FaultId| {
            let mut single = run.faults.clone();
            single.push(*fault);
            single.sort_unstable();
            self.store.get(&single).map_or(f64::INFINITY, |single| single.bits(&beliefs))
        };
        faults.sort_by(|one, other| bits(one).total_cmp(&bits(other)));
        self.pairs.push(Pairs::new(base, faults));
        let last = self.pairs.len() - 1;
        self.predict_pairs(knowledge, last, PAIRS_FIRST);
    }

    /// Predicts more pairs; false if there are none left.
    fn predict_pairs(&mut self, knowledge: &Knowledge, from: usize, count: usize) -> bool {
        let mut pairs = std::mem::take(&mut self.pairs);
        let mut has_more = false;
        for pairs in &mut pairs[from..] {
            let base = pairs.base;
            for pair in pairs.by_ref().take(count) {
                has_more = true;
                let mut faults = knowledge.runs()[base].faults.clone();
                faults.extend(pair);
                faults.sort_unstable();
                self.offer(knowledge, base, faults);
            }
        }
        self.pairs = pairs;
        has_more
    }

    /// Predicts a hypothesis on a run made under a part of its faults, and stores it. A prediction
    /// on a run that had more of the faults replaces one on a run that had fewer.
    pub(crate) fn offer(&mut self, knowledge: &Knowledge, base: usize, faults: FaultIds) {
        let run = &knowledge.runs()[base];
        let better =
            |known: &Proposal| knowledge.runs()[known.base].faults.len() < run.faults.len();
        let known = self.store.get(&faults);
        if !known.is_none_or(better) || !knowledge.space().allows(&faults) {
            return;
        }
        let all: Vec<&Fault> = faults.iter().map(|id| knowledge.fault(*id)).collect();
        let new: Vec<FaultId> =
            faults.iter().copied().filter(|id| !run.faults.contains(id)).collect();
        let Some(cuts) = knowledge.cuts(base, &new) else { return };
        let cut_references: Vec<&crate::cut::Cut> = cuts.iter().map(|cut| &**cut).collect();
        let own: Vec<_> = run.faults.iter().map(|id| run.cut(*id, knowledge.fault(*id))).collect();
        // What strikes before the faults of the run may change what they did: then the trace tells less than one
        // without them, and what comes after them happens otherwise.
        let struck: Vec<&crate::cut::Cut> =
            own.iter().flatten().map(|cut| &**cut).filter(|cut| !cut.is_input).collect();
        let first_new = cuts.iter().filter(|cut| !cut.is_input).map(|cut| cut.trigger).min();
        let is_before = struck.iter().any(|cut| first_new.is_some_and(|new| new < cut.trigger));
        if is_before && known.is_some() {
            return;
        }
        let mut all_cuts = cut_references.clone();
        if is_before {
            all_cuts.extend(struck);
        }
        let prediction = run.predictor.predict(&run.trace, &all_cuts);
        let mut weighed: Vec<(&Fault, &crate::cut::Cut)> =
            new.iter().map(|id| knowledge.fault(*id)).zip(cut_references.iter().copied()).collect();
        for (id, cut) in run.faults.iter().zip(&own) {
            weighed.extend(cut.as_ref().map(|cut| (knowledge.fault(*id), &**cut)));
        }
        let blocked = knowledge
            .may_not_fire(base, &cut_references)
            .max(knowledge.may_not_fire_undisturbed(&faults));
        let coarse = rank::class(&all, &prediction, &run.trace, false);
        let count = all.iter().filter(|fault| fault.kind() != Kind::Input).count();
        let class = if count < 2 {
            rank::class(&all, &prediction, &run.trace, true)
        } else {
            coarse.clone()
        };
        let fine = all.iter().map(|fault| FaultClass::of_experience(fault, &run.trace));
        let fine = fine.map(|class| self.fault_classes.insert_full(class).0).collect();
        let places = all.iter().map(|fault| (fault.kind(), fault.place())).collect();
        let mut topic = |name: String| self.topics.insert_full(name).0;
        let kinds = all.iter().map(|fault| topic(fault.kind().to_string()));
        let mut kinds: Vec<usize> = kinds.collect();
        kinds.sort_unstable();
        let events = all.iter().filter_map(|fault| fault.trigger());
        let events = events.map(|event| topic(run.trace.kind_by_role(&event))).collect();
        let group = match &all[..] {
            [fault] => vec![rank::group(fault, &run.trace)],
            _ => {
                let mut kinds: Vec<Kind> = all.iter().map(|fault| fault.kind()).collect();
                kinds.sort_unstable();
                kinds.iter().map(ToString::to_string).collect()
            }
        };
        let proposal = Proposal {
            base,
            group: self.groups.insert_full(group).0,
            kinds,
            events,
            fault_bits: rank::fault_bits(&weighed, &run.trace) + MAY_NOT_FIRE * f64::from(blocked),
            places,
            faults: fine,
            class: self.classes.insert_full(class).0,
            coarse: self.classes.insert_full(coarse).0,
            prediction,
            supports_left: BTreeMap::new(),
            supports_counted: 0,
        };
        self.store.insert(faults, proposal);
    }

    /// The hypotheses that would surprise least if they broke the system, at most `count` of them:
    /// the next one, and those that would probably come then. Without `every`, only one of each class.
    pub(crate) fn next(
        &mut self,
        knowledge: &Knowledge,
        lessons: &Lessons,
        options: &Options,
        count: usize,
    ) -> VecDeque<FaultIds> {
        self.predict_pairs(knowledge, 0, PAIRS_MORE);
        loop {
            let best = self.best(knowledge, lessons, options, count);
            if !best.is_empty() || !self.predict_pairs(knowledge, 0, PAIRS_FIRST) {
                return best;
            }
        }
    }

    /// The same of those predicted.
    fn best(
        &mut self,
        knowledge: &Knowledge,
        lessons: &Lessons,
        options: &Options,
        count: usize,
    ) -> VecDeque<FaultIds> {
        let every = options.every;
        let touches = |run, fault| knowledge.touches(run, fault);
        let alone = Alone::new(knowledge);
        let mut weighed = self.weighed(knowledge, lessons, options);
        let mut novel: BTreeMap<GroupId, Vec<Weighed>> = BTreeMap::new();
        for Reverse(one) in &weighed {
            novel.entry(self.store[&one.faults].group).or_default().push(one.clone());
        }
        let whole = |least: Weighed| {
            let base = self.store[&least.faults].base;
            let vacuous = alone.vacuous(&least.faults, knowledge);
            let not_seen = alone.not_seen(&least.faults, base, knowledge);
            let bits = least.bits
                + PART_UNKNOWN * unknown_parts(&least.faults, lessons) as f64
                + PART_VACUOUS * f64::from(vacuous)
                + NOT_SEEN_UNDER_PART * f64::from(not_seen);
            Weighed { bits, is_whole: true, ..least }
        };
        let mut explored = self.explored.clone();
        let mut best: VecDeque<FaultIds> = VecDeque::new();
        let mut classes: BTreeSet<ClassId> = BTreeSet::new();
        while best.len() < count {
            let is_left = |one: &Weighed| {
                (every || !classes.contains(&self.store[&one.faults].class))
                    && !best.contains(&one.faults)
            };
            let number = self.experiments + best.len() as u64;
            let is_turn = number % EXPLORED_EVERY == EXPLORED_EVERY - 1;
            let is_turn_of_new = number >= PROMISING_FIRST && number % 2 == 1;
            let chosen = if is_turn || is_turn_of_new {
                let turn = number / EXPLORED_EVERY;
                let is_together = turn % EXPLORED_TOGETHER_EVERY == EXPLORED_TOGETHER_EVERY - 1;
                let mut groups: Vec<((bool, bool), GroupId, Weighed)> = novel
                    .iter_mut()
                    .filter_map(|(group_id, group)| {
                        group.sort_unstable();
                        let open = group.iter().filter(|one| {
                            is_left(one) && !lessons.is_answered(&one.faults, &touches)
                        });
                        let first = open.take(NEAR_FIRST).cloned().map(whole).min()?;
                        let is_single = first.faults.len() == 1;
                        // No group of single faults is left out.
                        let is_new = is_single && !explored.contains_key(group_id);
                        let is_wanted = is_new || is_single != is_together;
                        Some(((!is_new, !is_wanted), *group_id, first))
                    })
                    .collect();
                let count = |group: &GroupId| explored.get(group).copied().unwrap_or(0);
                groups.sort_by(|(unwanted, one, first), (other_unwanted, other, second)| {
                    let order = unwanted.cmp(other_unwanted).then(count(one).cmp(&count(other)));
                    order.then_with(|| first.cmp(second))
                });
                let first = groups.into_iter().next();
                first.filter(|((old, _), ..)| is_turn || !old).map(|(_, _, first)| first)
            } else {
                None
            };
            if let Some(chosen) = chosen {
                let proposal = &self.store[&chosen.faults];
                *explored.entry(proposal.group).or_default() += 1;
                classes.insert(proposal.class);
                best.push_back(chosen.faults);
                continue;
            }
            // What the rest adds costs more to find out: it is found out where it can matter.
            let Some(Reverse(least)) = weighed.pop() else { break };
            if !is_left(&least) || !least.is_whole && lessons.is_answered(&least.faults, &touches) {
                continue;
            }
            if !least.is_whole {
                weighed.push(Reverse(whole(least)));
                continue;
            }
            let proposal = &self.store[&least.faults];
            *explored.entry(proposal.group).or_default() += 1;
            classes.insert(proposal.class);
            best.push_back(least.faults);
        }
        best
    }

    /// The hypotheses not run yet, by what they weigh at least.
    fn weighed(
        &mut self,
        knowledge: &Knowledge,
        lessons: &Lessons,
        options: &Options,
    ) -> BinaryHeap<Reverse<Weighed>> {
        let beliefs = self.beliefs(options);
        let mut weighed = Vec::new();
        for (faults, proposal) in &mut self.store {
            let same = self.class_tried.get(&proposal.class).copied().unwrap_or(0);
            let is_unheld = proposal.prediction.is_unheld();
            let same_max = if is_unheld { UNHELD_TRIES } else { 1 };
            if lessons.is_done(faults) || !options.every && same >= same_max {
                continue;
            }
            proposal.count_supports(faults, knowledge);
            let coarse = self.coarse_tried.get(&proposal.coarse).copied().unwrap_or(0);
            let missed = self.class_missed.get(&proposal.class).copied().unwrap_or(0);
            let like_it = if is_unheld { same - missed } else { coarse };
            let own = lessons.in_vain(faults);
            let vanity = proposal.places.iter().map(|class| self.vanity.get(class));
            let vanity: i32 =
                vanity.map(|count| count.copied().unwrap_or(0).clamp(0, IN_VAIN_MAX)).sum();
            let size = faults.len();
            let mean = |counts: Vec<Option<&u32>>| -> f64 {
                let bits = counts.iter().map(|count| succession_bits(count.copied().unwrap_or(0)));
                bits.sum::<f64>() / counts.len().max(1) as f64
            };
            let tried = |class: &FaultClassId| self.faults_tried.get(&(size, *class));
            let topic = |topic: &usize| self.topics_tried.get(&(size, *topic));
            let bits = proposal.bits(&beliefs)
                + mean(proposal.faults.iter().map(tried).collect())
                + KIND_TRIED * mean(proposal.kinds.iter().map(topic).collect())
                + EVENT_TRIED * mean(proposal.events.iter().map(topic).collect())
                + LIKE_IT_TRIED * f64::from(like_it)
                + IN_VAIN * f64::from(own)
                + LIKE_IT_IN_VAIN * f64::from(vanity);
            weighed.push(Reverse(Weighed { bits, faults: faults.clone(), is_whole: false }));
        }
        weighed.into()
    }

    fn beliefs(&self, options: &Options) -> Beliefs {
        Beliefs {
            answer_cut: self.answer_cut_bits(options.answers_are_told, true),
            nothing_left: self.answer_cut_bits(options.answers_are_told, false),
            is_about_values: options.answers_are_told,
        }
    }

    /// How surprising it would be if a run without an answer broke the system: it must not be
    /// vacuous, and how many of those seen were not says how likely that is.
    fn answer_cut_bits(&self, is_told: bool, is_held: bool) -> f64 {
        /// So many runs seen weigh as much as what is assumed before any was.
        const ASSUMED_RUNS: f64 = 4.0;
        let assumed = if is_told { 1.0 / 16.0 } else { 1.0 / 2.0 };
        let (all, vacuous) = self.unanswered[usize::from(is_held)];
        let judged = ASSUMED_RUNS * assumed + f64::from(all - vacuous);
        -(judged / (ASSUMED_RUNS + f64::from(all))).log2()
    }

    /// The hypothesis has its answer. `left_to_nobody`: some acknowledged value was, in this run.
    pub(crate) fn conclude(&mut self, faults: &[FaultId], outcome: Outcome, left_to_nobody: bool) {
        self.experiments += u64::from(!faults.is_empty());
        if let Some(proposal) = self.store.get(faults) {
            *self.explored.entry(proposal.group).or_default() += 1;
            let is_vacuous = outcome == Outcome::Vacuous;
            if proposal.prediction.is_unanswered() {
                let counts = &mut self.unanswered[usize::from(proposal.prediction.is_held())];
                counts.0 += 1;
                counts.1 += u32::from(is_vacuous);
            }
            self.tried.entry(proposal.class).or_insert_with(|| faults.to_vec());
            *self.class_tried.entry(proposal.class).or_default() += 1;
            let is_missed = proposal.prediction.is_unheld() && !left_to_nobody;
            if is_missed {
                // It struck too early or too late: that says nothing of what it was to show.
                *self.class_missed.entry(proposal.class).or_default() += 1;
                return;
            }
            for class in &proposal.faults {
                *self.faults_tried.entry((faults.len(), *class)).or_default() += 1;
            }
            for topic in proposal.kinds.iter().chain(&proposal.events) {
                *self.topics_tried.entry((faults.len(), *topic)).or_default() += 1;
            }
            *self.coarse_tried.entry(proposal.coarse).or_default() += 1;
            // Where no answer was expected, the lack of one says nothing of other places.
            let vain = match (is_vacuous, proposal.prediction.is_unanswered()) {
                (true, true) => 0,
                (true, false) => 1,
                (false, _) => -1,
            };
            for class in &proposal.places {
                *self.vanity.entry(class.clone()).or_default() += vain;
            }
        }
    }

    /// The hypothesis was run in vain.
    pub(crate) fn in_vain(&mut self, faults: &[FaultId]) {
        self.experiments += u64::from(!faults.is_empty());
        if let Some(proposal) = self.store.get(faults) {
            // What did not strike was not explored; a group that never does waits all the same.
            let in_vain = self.explored_in_vain.entry(proposal.group).or_default();
            *in_vain += 1;
            if in_vain.is_multiple_of(2) {
                *self.explored.entry(proposal.group).or_default() += 1;
            }
            for class in &proposal.places {
                *self.vanity.entry(class.clone()).or_default() += 1;
            }
        }
    }

    /// What became of the hypotheses.
    pub(crate) fn left(&self, knowledge: &Knowledge, lessons: &Lessons) -> Left {
        let touches = |run, fault| knowledge.touches(run, fault);
        let mut left = Left { waiting: self.unpredicted() as u64, ..Left::default() };
        for (faults, proposal) in &self.store {
            if lessons.is_done(faults) {
                left.tried += u64::from(lessons.trial_count(faults) > 0);
            } else if lessons.is_answered(faults, &touches) {
                left.answered += 1;
            } else if let Some(tried) = self.tried.get(&proposal.class) {
                *left.like_another.entry(tried.clone()).or_default() += 1;
            } else {
                left.waiting += 1;
                left.waiting_classes.insert(proposal.class);
            }
        }
        left
    }
}

/// What runs under single faults showed.
struct Alone(BTreeMap<FaultId, Vec<usize>>);

impl Alone {
    fn new(knowledge: &Knowledge) -> Self {
        let mut alone: BTreeMap<FaultId, Vec<usize>> = BTreeMap::new();
        for (index, run) in knowledge.runs().iter().enumerate() {
            if let [fault] = run.faults[..] {
                alone.entry(fault).or_default().push(index);
            }
        }
        Self(alone)
    }

    /// How many of these faults made every run under them alone vacuous.
    fn vacuous(&self, faults: &[FaultId], knowledge: &Knowledge) -> u32 {
        if faults.len() < 2 {
            return 0;
        }
        let is_vacuous = |fault: &&FaultId| {
            self.0.get(fault).is_some_and(|runs| {
                runs.iter().all(|run| knowledge.runs()[*run].outcome == Outcome::Vacuous)
            })
        };
        faults.iter().filter(is_vacuous).count() as u32
    }

    /// How many of these faults wait for an event that comes after another of them strikes, and that
    /// no run under the other alone had.
    fn not_seen(&self, faults: &[FaultId], base: usize, knowledge: &Knowledge) -> u32 {
        if faults.len() < 2 {
            return 0;
        }
        let base = &knowledge.runs()[base].trace.positions;
        let not_seen = |fault: &&FaultId| {
            let Some(event) = knowledge.fault(**fault).trigger() else { return false };
            let own = base.get(&event);
            faults.iter().any(|other| {
                let earlier = match knowledge.fault(*other).trigger() {
                    Some(trigger) => base.get(&trigger) < own,
                    None => true,
                };
                other != *fault
                    && earlier
                    && self.0.get(other).is_some_and(|runs| {
                        let has = |run: &usize| {
                            let run = &knowledge.runs()[*run];
                            run.cut(**fault, knowledge.fault(**fault)).is_some()
                        };
                        !runs.iter().any(has)
                    })
            })
        };
        faults.iter().filter(not_seen).count() as u32
    }
}

/// What a number of runs that did not break the system takes from what they have in common, in bits
/// against no run: Laplace's rule of succession, by which the next one breaks it with probability
/// 1 / (runs + 2).
fn succession_bits(runs: u32) -> f64 {
    (f64::from(runs + 2) / 2.0).log2()
}

/// How many of the parts with one fault less no run was made under. (That without any fault was run.)
fn unknown_parts(faults: &[FaultId], lessons: &Lessons) -> usize {
    let is_unknown = |without: &FaultId| {
        let part: FaultIds = faults.iter().copied().filter(|id| id != without).collect();
        lessons.trial_count(&part) == 0
    };
    faults.iter().filter(|id| is_unknown(id)).count()
}

impl Proposal {
    /// Counts how many of the supports met since are left by these faults.
    fn count_supports(&mut self, faults: &[FaultId], knowledge: &Knowledge) {
        for support in &knowledge.supports()[self.supports_counted..] {
            if support.is_left(faults, knowledge) {
                let left = self.supports_left.entry(support.token.clone()).or_default();
                *left.entry(support.answerer).or_default() += 1;
            }
        }
        self.supports_counted = knowledge.supports().len();
    }

    fn bits(&self, beliefs: &Beliefs) -> f64 {
        let left = |token: &str, answerer: Option<usize>| {
            let left = self.supports_left.get(token);
            left.map_or(0, |left| match answerer {
                Some(node) => left.get(&node).copied().unwrap_or(0),
                None => left.values().sum(),
            })
        };
        self.fault_bits + rank::prediction_bits(&self.prediction, left, beliefs)
    }
}
