//! The search of systems that can only be observed, against brute force.
//!
//! The systems here have a list of supports, each a set of faults that would take it away. A run uses
//! one support that its faults leave, and is bad if there is none: a bad set hits them all.

use std::collections::{BTreeMap, BTreeSet};
use std::convert::Infallible;

use linchpin_formula::{Graph, Literal, Variable};
use linchpin_model::{Outcome, Verdict};
use linchpin_search::{
    FaultSpace, Lessons, Observation, Options, Report, Retired, Strategy, Suggestion, System,
    search,
};

/// Numbers that look like chance. (SplitMix64.)
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % bound
    }
}

/// A fault of the system, by its own number.
type Name = u32;

struct Hidden {
    /// Per support: what takes it away.
    supports: Vec<BTreeSet<Name>>,
    /// Takes any support that is left, not the first.
    is_flaky: bool,
    /// Of so many runs with a fault, it strikes in one. (Per fault; 1 is always, 0 never.)
    strikes_in: BTreeMap<Name, u64>,
    chance: Chance,
    suggests: Suggests,
    repeats: u32,
    space: FaultSpace,
    graph: Graph,
    /// Per variable.
    names: Vec<Name>,
    /// Per run: the support it used, and the faults asked for.
    used: Vec<Option<usize>>,
    asked: Vec<Vec<Name>>,
    fired: Vec<Variable>,
}

#[derive(Clone, Copy, PartialEq)]
enum Suggests {
    Nothing,
    /// Sets that may be out of bounds, or answered already.
    Anything,
    /// That it is enough.
    Enough,
}

/// Faults 2k and 2k + 1 exclude each other; at most `SIZE` in all.
const SIZE: usize = 3;
const FAULTS: u32 = 8;

impl Hidden {
    fn new(supports: &[&[Name]]) -> Self {
        Self {
            supports: supports.iter().map(|hits| hits.iter().copied().collect()).collect(),
            is_flaky: false,
            strikes_in: BTreeMap::new(),
            chance: Chance(1),
            suggests: Suggests::Nothing,
            repeats: 1,
            space: FaultSpace::open(vec![SIZE]),
            graph: Graph::new(),
            names: Vec::new(),
            used: Vec::new(),
            asked: Vec::new(),
            fired: Vec::new(),
        }
    }

    fn random(seed: u64) -> Self {
        let mut chance = Chance(seed);
        let mut hidden = Self::new(&[]);
        for _ in 0..=chance.below(4) {
            let count = 1 + chance.below(3);
            let hits = (0..count).map(|_| chance.below(u64::from(FAULTS)) as Name).collect();
            hidden.supports.push(hits);
        }
        hidden.chance = chance;
        hidden
    }

    /// Minimal bad sets within the bounds, by looking at all sets.
    fn truth(&self) -> BTreeSet<BTreeSet<Name>> {
        let sets = (0_u32..1 << FAULTS).map(|bits| -> BTreeSet<Name> {
            (0..FAULTS).filter(|name| bits >> name & 1 == 1).collect()
        });
        let allowed = |set: &BTreeSet<Name>| {
            set.len() <= SIZE
                && (0..FAULTS / 2).all(|k| !(set.contains(&(2 * k)) && set.contains(&(2 * k + 1))))
        };
        let bad = |set: &BTreeSet<Name>| self.supports.iter().all(|hits| !hits.is_disjoint(set));
        let bad: Vec<BTreeSet<Name>> = sets.filter(allowed).filter(bad).collect();
        let is_minimal = |set: &&BTreeSet<Name>| {
            !bad.iter().any(|part| part.len() < set.len() && part.is_subset(set))
        };
        bad.iter().filter(is_minimal).cloned().collect()
    }

    fn found(&self, report: &Report) -> BTreeSet<BTreeSet<Name>> {
        let names =
            |set: &Vec<Variable>| set.iter().map(|fault| self.names[fault.0 as usize]).collect();
        report.counterexamples.iter().map(names).collect()
    }
}

impl System for Hidden {
    type Error = Infallible;

    fn space(&self) -> &FaultSpace {
        &self.space
    }

    fn run(&mut self, faults: &[Variable]) -> Result<Observation, Infallible> {
        let names: Vec<Name> = faults.iter().map(|fault| self.names[fault.0 as usize]).collect();
        let strikes = |name: &Name| self.strikes_in.get(name).copied().unwrap_or(1);
        self.fired = faults
            .iter()
            .copied()
            .filter(|fault| match strikes(&self.names[fault.0 as usize]) {
                0 => false,
                odds => self.chance.below(odds) == 0,
            })
            .collect();
        let struck: BTreeSet<Name> =
            self.fired.iter().map(|fault| self.names[fault.0 as usize]).collect();
        let left: Vec<usize> = (0..self.supports.len())
            .filter(|support| self.supports[*support].is_disjoint(&struck))
            .collect();
        let chosen = if self.is_flaky && !left.is_empty() {
            Some(left[self.chance.below(left.len() as u64) as usize])
        } else {
            left.first().copied()
        };
        // Only what would have touched this run is seen in it.
        for name in chosen.map(|support| self.supports[support].clone()).unwrap_or_default() {
            if !self.names.contains(&name) {
                self.space.add(name as usize / 2, &[0]);
                self.names.push(name);
            }
        }
        self.used.push(chosen);
        self.asked.push(names);
        let outcome = if chosen.is_some() { Outcome::Good } else { Outcome::Bad };
        Ok(Observation { outcome, support: None })
    }

    fn graph(&mut self) -> &mut Graph {
        &mut self.graph
    }

    fn failure(&mut self) -> Option<Literal> {
        None
    }

    fn is_observed(&self) -> bool {
        true
    }

    fn fired(&self, _: &[Variable]) -> Vec<Variable> {
        self.fired.clone()
    }

    fn touches(&self, run: u64, fault: Variable) -> bool {
        self.used[run as usize]
            .is_some_and(|support| self.supports[support].contains(&self.names[fault.0 as usize]))
    }

    fn suggest(&mut self, _: &Lessons) -> Suggestion {
        match self.suggests {
            Suggests::Nothing => Suggestion::Smallest,
            Suggests::Enough => Suggestion::Enough,
            Suggests::Anything => {
                let count = self.chance.below(4);
                let set: BTreeSet<Variable> = (0..count)
                    .map(|_| Variable(self.chance.below(u64::from(FAULTS)) as u32))
                    .collect();
                Suggestion::Run(set.into_iter().collect())
            }
        }
    }

    fn repeats(&self, _: &[Variable]) -> u32 {
        self.repeats
    }
}

fn explore(hidden: &mut Hidden, strategy: Strategy, all: bool) -> Report {
    let options = Options { strategy, all, seed: 3, ..Options::default() };
    search(hidden, options, &mut ()).expect("its runs do not fail")
}

#[test]
fn all_minimal_counterexamples_are_found() {
    for seed in 0..300 {
        for suggests in [Suggests::Nothing, Suggests::Anything] {
            let mut hidden = Hidden::random(seed);
            hidden.suggests = suggests;
            let truth = hidden.truth();
            let report = explore(&mut hidden, Strategy::Lineage, true);
            assert_eq!(hidden.found(&report), truth, "seed {seed}");
            let verdict = if truth.is_empty() { Verdict::Holds } else { Verdict::Broken };
            assert_eq!((report.verdict, report.complete), (verdict, true), "seed {seed}");
            // Nothing is run twice, nor what contains a counterexample.
            let distinct: BTreeSet<&Vec<Name>> = hidden.asked.iter().collect();
            assert_eq!(distinct.len(), hidden.asked.len(), "seed {seed}");
        }
    }
}

/// 4 matters only once 0 or 2 has struck: what was learned before says nothing about it then.
#[test]
fn a_lesson_is_conditional_on_the_faults_it_was_seen_under() {
    let mut hidden = Hidden::new(&[&[0, 2], &[4]]);
    let report = explore(&mut hidden, Strategy::Lineage, true);
    let expected = [[0, 4], [2, 4]].map(BTreeSet::from).into_iter().collect();
    assert_eq!(hidden.found(&report), expected);
    // 4 alone touches nothing of the first run, so it is never run alone.
    assert!(!hidden.asked.contains(&vec![4]), "{:?}", hidden.asked);
}

#[test]
fn what_runs_disagree_about_is_not_excluded() {
    for seed in 0..100 {
        let mut hidden = Hidden::random(seed);
        hidden.is_flaky = true;
        hidden.repeats = 24;
        let truth = hidden.truth();
        let report = explore(&mut hidden, Strategy::Lineage, true);
        assert_eq!(hidden.found(&report), truth, "seed {seed}");
        let least = report.lessons.all_trials().map(|(_, trials)| trials.runs.len()).min();
        assert!(least >= Some(24) || !truth.is_empty(), "seed {seed}: {least:?}");
    }
}

#[test]
fn faults_that_never_strike_are_given_up_and_others_tried_again() {
    let mut hidden = Hidden::new(&[&[0, 2, 4]]);
    hidden.strikes_in = [(0, 0), (2, 0)].into();
    let report = explore(&mut hidden, Strategy::Lineage, true);
    assert_eq!(hidden.found(&report), [BTreeSet::from([4])].into());
    let retired: Vec<_> = report.lessons.retired().iter().collect();
    assert!(retired.iter().all(|(_, why)| **why == Retired::NeverFired));
    let asked = |names: &[Name]| hidden.asked.iter().filter(|asked| *asked == names).count();
    assert_eq!((asked(&[0]), asked(&[2]), asked(&[4])), (2, 2, 1));
}

#[test]
fn what_is_enough_for_the_system_ends_the_search() {
    let mut hidden = Hidden::new(&[&[0]]);
    hidden.suggests = Suggests::Enough;
    let report = explore(&mut hidden, Strategy::Lineage, false);
    assert_eq!((report.verdict, report.runs), (Verdict::Holds, 1));
}

#[test]
fn baselines_find_what_they_can_and_claim_no_more() {
    let mut single = Hidden::new(&[&[0, 2], &[2, 4]]);
    let report = explore(&mut single, Strategy::Single, false);
    assert_eq!(single.found(&report), [BTreeSet::from([2])].into());
    let mut pair = Hidden::new(&[&[0], &[2]]);
    let report = explore(&mut pair, Strategy::Single, false);
    assert_eq!((report.verdict, report.complete), (Verdict::Unknown, false));
    for strategy in [Strategy::Random, Strategy::Exhaustive] {
        let mut pair = Hidden::new(&[&[0], &[2]]);
        let report = explore(&mut pair, strategy, false);
        assert_eq!(pair.found(&report), [BTreeSet::from([0, 2])].into(), "{strategy:?}");
        let mut none = Hidden::new(&[&[0], &[1]]);
        let report = explore(&mut none, strategy, false);
        let is_all = strategy == Strategy::Exhaustive;
        let verdict = if is_all { Verdict::Holds } else { Verdict::Unknown };
        assert_eq!((report.verdict, report.complete), (verdict, is_all), "{strategy:?}");
    }
}

/// A counterexample is run again, as often as the system wants, to see how often it is bad.
#[test]
fn a_counterexample_is_run_again() {
    let mut hidden = Hidden::new(&[&[0]]);
    hidden.repeats = 4;
    let report = explore(&mut hidden, Strategy::Lineage, false);
    let trials = report.lessons.trials(&report.counterexamples[0]).cloned().unwrap_or_default();
    assert_eq!((trials.bad, trials.runs.len()), (4, 4));
}
