//! The fault space: which sets of faults are within the bounds.

use std::hash::BuildHasher;
use std::sync::Arc;

use hashbrown::HashTable;
use linchpin_formula::Variable;
use linchpin_model::{Bounds, Fault, FaultSet};
use num_bigint::BigUint;
use rustc_hash::{FxBuildHasher, FxHashMap};

use crate::likelihood::Likelihood;
use crate::open::Limits;
use crate::random::Random;

fn hash_of(fault: &Fault) -> u64 {
    FxBuildHasher.hash_one(fault)
}

/// Alternatives of which a bounded number may occur: in each group at most one fault, and faults
/// in at most `groups_max` groups. (For crashes: a group per node, a fault per time.)
#[derive(Clone, Debug, Default)]
pub struct Budget {
    /// Disjoint groups of mutually exclusive faults.
    pub groups: Vec<Vec<Variable>>,
    /// At most this many groups take part.
    pub groups_max: usize,
}

/// Every fault that may occur, numbered, and the sets of them that are within the bounds.
///
/// A set is within the bounds if it has at most one fault of each group, and if faults of at most
/// [`Budget::groups_max`] groups of each budget are among them, and if every recovery follows a
/// crash of the same node.
#[derive(Clone, Debug, Default)]
pub struct FaultSpace {
    faults: Arc<[Fault]>,
    /// Numbers of the faults, by the hashes of these.
    numbers: Arc<HashTable<Variable>>,
    /// Disjoint groups of mutually exclusive faults, whose number is not bounded. (The ways in
    /// which what is sent over a channel at one time can go wrong; the alternatives of an input.)
    pub(crate) exclusive: Vec<Vec<Variable>>,
    budget: Budget,
    /// A group per node, parallel to those of the crashes; empty if nothing recovers.
    recoveries: Budget,
    /// Per fault: the group it belongs to.
    pub(crate) group_of: Vec<Group>,
    /// Of a space that was not made of bounds.
    pub(crate) limits: Limits,
    pub(crate) likelihood: Likelihood,
    /// See [`FaultSpace::set_symmetries`].
    pub(crate) symmetries: Vec<Vec<Variable>>,
}

/// A group of mutually exclusive faults.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Group {
    /// Number of a group outside the budget.
    Exclusive(usize),
    /// Number of a group of the budget.
    Budget(usize),
    /// Number of a group of the recoveries.
    Recovery(usize),
}

impl FaultSpace {
    /// The fault space of a specification: variables number the faults by time.
    #[must_use]
    pub fn new(bounds: &Bounds) -> Self {
        let faults = bounds.faults();
        let mut channels: FxHashMap<(&str, &str, u32), usize> = FxHashMap::default();
        let mut inputs: FxHashMap<usize, usize> = FxHashMap::default();
        let mut exclusive: Vec<Vec<Variable>> = Vec::new();
        let mut groups: Vec<Vec<Variable>> = vec![Vec::new(); bounds.nodes.len()];
        let mut recoveries: Vec<Vec<Variable>> = Vec::new();
        let mut group_of = Vec::with_capacity(faults.len());
        for (index, fault) in faults.iter().enumerate() {
            let variable = Variable(index as u32);
            let group = match fault {
                Fault::Omission { from, to, at } | Fault::Delay { from, to, at, .. } => {
                    let next = exclusive.len();
                    let group = *channels.entry((from, to, *at)).or_insert(next);
                    exclusive.resize(next.max(group + 1), Vec::new());
                    exclusive[group].push(variable);
                    Group::Exclusive(group)
                }
                Fault::Input { .. } => {
                    let input = bounds.inputs.iter().position(|input| input.contains(fault));
                    let input = input.expect("only alternatives of inputs are chosen");
                    let next = exclusive.len();
                    let group = *inputs.entry(input).or_insert(next);
                    exclusive.resize(next.max(group + 1), Vec::new());
                    exclusive[group].push(variable);
                    Group::Exclusive(group)
                }
                Fault::Recovery { node, .. } => {
                    let group = bounds.nodes.iter().position(|name| name == node);
                    let group = group.expect("only declared nodes recover");
                    recoveries.resize(bounds.nodes.len(), Vec::new());
                    recoveries[group].push(variable);
                    Group::Recovery(group)
                }
                Fault::Crash { node, .. } => {
                    let group = bounds.nodes.iter().position(|name| name == node);
                    let group = group.expect("only declared nodes crash");
                    groups[group].push(variable);
                    Group::Budget(group)
                }
            };
            group_of.push(group);
        }
        let mut numbers: HashTable<Variable> = HashTable::with_capacity(faults.len());
        for (index, fault) in faults.iter().enumerate() {
            let hash = |variable: &Variable| hash_of(&faults[variable.0 as usize]);
            numbers.insert_unique(hash_of(fault), Variable(index as u32), hash);
        }
        let budget = Budget { groups, groups_max: bounds.crashes as usize };
        let recoveries = Budget { groups: recoveries, groups_max: bounds.recoveries as usize };
        Self {
            faults: faults.into(),
            numbers: Arc::new(numbers),
            exclusive,
            budget,
            recoveries,
            group_of,
            limits: Limits::default(),
            likelihood: Likelihood::default(),
            symmetries: Vec::new(),
        }
    }

    /// How many different faults there are.
    #[must_use]
    pub fn fault_count(&self) -> usize {
        self.group_of.len()
    }

    /// True if only the system can name the faults (or there are none).
    pub(crate) fn names_no_fault(&self) -> bool {
        self.faults.is_empty()
    }

    /// The fault a variable stands for.
    ///
    /// # Panics
    /// If there is no such fault, or if the space is open: then only the system can name its faults.
    #[must_use]
    pub fn fault(&self, variable: Variable) -> &Fault {
        &self.faults[variable.0 as usize]
    }

    /// The variable of a fault, if the fault may occur.
    #[must_use]
    pub fn variable(&self, fault: &Fault) -> Option<Variable> {
        let same = |variable: &Variable| self.fault(*variable) == fault;
        self.numbers.find(hash_of(fault), same).copied()
    }

    /// The faults behind variables.
    #[must_use]
    pub fn fault_set(&self, variables: &[Variable]) -> FaultSet {
        variables.iter().map(|&variable| self.fault(variable).clone()).collect()
    }

    /// The faults whose number is bounded.
    #[must_use]
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// The recoveries, whose number is bounded too.
    #[must_use]
    pub fn recoveries(&self) -> &Budget {
        &self.recoveries
    }

    /// The group a fault belongs to.
    pub(crate) fn group(&self, variable: Variable) -> Group {
        self.group_of[variable.0 as usize]
    }

    /// True if every recovery among these faults follows a crash of the same node.
    pub(crate) fn is_caused(&self, faults: &[Variable]) -> bool {
        faults.iter().all(|&fault| {
            self.needs(fault).is_none_or(|mut crashes| crashes.any(|crash| faults.contains(&crash)))
        })
    }

    /// The faults of which a recovery needs one: the earlier crashes of the same node. `None` if
    /// the fault is no recovery.
    pub(crate) fn needs(&self, variable: Variable) -> Option<impl Iterator<Item = Variable>> {
        let Group::Recovery(group) = self.group_of[variable.0 as usize] else { return None };
        let at = self.fault(variable).at();
        let crashes = self.budget.groups[group].iter().copied();
        Some(crashes.filter(move |crash| self.fault(*crash).at() < at))
    }

    /// Can `candidate` join the faults `chosen`, which are within the bounds and before it?
    pub(crate) fn admits(
        &self,
        chosen: impl Iterator<Item = Variable> + Clone,
        candidate: Variable,
    ) -> bool {
        if !self.limits.admit(chosen.clone(), candidate) {
            return false;
        }
        let own = self.group_of[candidate.0 as usize];
        let (mut crashes, mut recoveries, mut has_crashed) = (0, 0, false);
        for other in chosen {
            let group = self.group_of[other.0 as usize];
            if group == own {
                return false;
            }
            match group {
                Group::Exclusive(_) => {}
                Group::Budget(node) => {
                    crashes += 1;
                    has_crashed |= own == Group::Recovery(node)
                        && self.fault(other).at() < self.fault(candidate).at();
                }
                Group::Recovery(_) => recoveries += 1,
            }
        }
        match own {
            Group::Exclusive(_) => true,
            Group::Budget(_) => crashes < self.budget.groups_max,
            Group::Recovery(_) => has_crashed && recoveries < self.recoveries.groups_max,
        }
    }

    /// A fault set chosen uniformly among all within the bounds.
    pub(crate) fn sample(&self, random: &mut Random) -> Vec<Variable> {
        let mut chosen: Vec<Variable> = self
            .exclusive
            .iter()
            .filter_map(|group| {
                let drawn = random.below(group.len() as u64 + 1) as usize;
                Some(group[drawn.checked_sub(1)?])
            })
            .collect();
        chosen.extend(self.sample_budget(random));
        chosen.sort_unstable();
        chosen
    }

    /// Chooses how many nodes crash and how many of them recover in proportion to the number of
    /// ways, then which, then when. All groups have equally many faults: one per time step, but
    /// for the first step at which nothing recovers.
    fn sample_budget(&self, random: &mut Random) -> Vec<Variable> {
        let groups = &self.budget.groups;
        let width = groups.first().map_or(0, Vec::len);
        if width == 0 {
            return Vec::new();
        }
        debug_assert!(groups.iter().all(|group| group.len() == width));
        let recoveries_max =
            if self.recoveries.groups.is_empty() { 0 } else { self.recoveries.groups_max };
        // Ways to crash at a time, and to crash at a time and recover at a later one.
        let pairs = width * (width - 1) / 2;
        let mut ways: Vec<((usize, usize), BigUint)> = Vec::new();
        let mut which = BigUint::from(1u8);
        for count in 0..=self.budget.groups_max.min(groups.len()) {
            if count > 0 {
                which = which * (groups.len() - count + 1) / count;
            }
            let mut some = BigUint::from(1u8);
            for recovering in 0..=count.min(recoveries_max) {
                if recovering > 0 {
                    some = some * (count - recovering + 1) / recovering;
                }
                let times = BigUint::from(width).pow((count - recovering) as u32)
                    * BigUint::from(pairs).pow(recovering as u32);
                ways.push(((count, recovering), &which * &some * times));
            }
        }
        let total: BigUint = ways.iter().map(|way| &way.1).sum();
        let mut ticket = random.below_big(&total);
        let mut chosen = 0;
        while ticket >= ways[chosen].1 {
            ticket -= &ways[chosen].1;
            chosen += 1;
        }
        let (count, recovering) = ways[chosen].0;
        let mut order: Vec<usize> = (0..groups.len()).collect();
        let mut faults = Vec::new();
        for index in 0..count {
            let other = index + random.below((order.len() - index) as u64) as usize;
            order.swap(index, other);
            let node = order[index];
            if index >= recovering {
                faults.push(groups[node][random.below(width as u64) as usize]);
                continue;
            }
            // Two different times: the earlier is that of the crash.
            let first = random.below(width as u64) as usize;
            let second = (first + 1 + random.below(width as u64 - 1) as usize) % width;
            let (crash, recovery) = (first.min(second), first.max(second));
            faults.push(groups[node][crash]);
            faults.push(self.recoveries.groups[node][recovery - 1]);
        }
        faults
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeMap;

    use super::*;

    /// One input that comes at one of these times.
    pub(crate) fn inputs(times: u32) -> Vec<Vec<Fault>> {
        let input = |at: u32| format!("input w(\"a\") @{at}").parse().expect("an input");
        vec![(1..=times).map(input).collect()]
    }

    #[test]
    fn every_fault_set_is_drawn_equally_often() {
        let bounds = Bounds {
            eot: 3,
            eff: 2,
            crashes: 2,
            nodes: vec!["a".into(), "b".into()],
            recoveries: 1,
            inputs: inputs(2),
            ..Bounds::default()
        };
        let space = FaultSpace::new(&bounds);
        let count: usize = bounds.fault_space().try_into().expect("a small space");
        let mut random = Random::new(5);
        let mut drawn: BTreeMap<Vec<Variable>, usize> = BTreeMap::new();
        for _ in 0..count * 60 {
            let set = space.sample(&mut random);
            assert!(bounds.allow(&space.fault_set(&set)));
            *drawn.entry(set).or_default() += 1;
        }
        assert_eq!(drawn.len(), count);
        assert!(drawn.values().all(|times| (20..130).contains(times)), "{:?}", drawn.values());
    }
}
