//! Fault spaces that are not known beforehand: every run may show new faults.

use std::collections::BTreeSet;

use linchpin_formula::Variable;
use smallvec::SmallVec;

use crate::FaultSpace;
use crate::random::Random;
use crate::space::Group;

/// The bounds of an open space: several budgets, which may overlap.
#[derive(Clone, Debug, Default)]
pub(crate) struct Limits {
    /// Per budget: at most so many faults.
    pub(crate) max: Vec<usize>,
    /// Per fault: the budgets it counts towards.
    of_fault: Vec<SmallVec<[usize; 2]>>,
}

impl Limits {
    /// The budgets a fault counts towards.
    pub(crate) fn of(&self, fault: Variable) -> &[usize] {
        self.of_fault.get(fault.0 as usize).map_or(&[], SmallVec::as_slice)
    }

    /// Per fault: the budgets it counts towards.
    pub(crate) fn of_faults(&self) -> &[SmallVec<[usize; 2]>] {
        &self.of_fault
    }

    /// Can `candidate` join the faults `chosen`?
    pub(crate) fn admit(
        &self,
        chosen: impl Iterator<Item = Variable> + Clone,
        candidate: Variable,
    ) -> bool {
        self.of(candidate).iter().all(|limit| {
            let used = chosen.clone().filter(|other| self.of(*other).contains(limit)).count();
            used < self.max[*limit]
        })
    }
}

impl FaultSpace {
    /// A space that has no faults yet, and whose faults only the system can name. `limits` are its
    /// budgets: at most so many faults that count towards each. See [`FaultSpace::add`].
    #[must_use]
    pub fn open(limits: Vec<usize>) -> Self {
        let mut space = Self::default();
        space.limits.max = limits;
        space
    }

    /// Adds a fault to an open space. It excludes the other faults with the same group (groups are
    /// numbered from 0), and counts towards some of the limits, by position.
    ///
    /// # Panics
    /// If the space was made of bounds, or there is no such limit.
    pub fn add(&mut self, group: usize, limits: &[usize]) -> Variable {
        assert!(self.names_no_fault(), "bounds say beforehand which faults there are");
        assert!(limits.iter().all(|limit| *limit < self.limits.max.len()), "no such limit");
        let fault = Variable(self.group_of.len() as u32);
        self.exclusive.resize(self.exclusive.len().max(group + 1), Vec::new());
        self.exclusive[group].push(fault);
        self.group_of.push(Group::Exclusive(group));
        self.limits.of_fault.push(SmallVec::from_slice(limits));
        fault
    }

    /// True if this set (in ascending order) is within the bounds.
    #[must_use]
    pub fn allows(&self, faults: &[Variable]) -> bool {
        faults.iter().enumerate().all(|(index, &fault)| {
            let before = &faults[..index];
            (fault.0 as usize) < self.fault_count()
                && before.last().is_none_or(|last| *last < fault)
                && self.admits(before.iter().copied(), fault)
        })
    }

    /// At most so many faults are in one set: those in no budget, a group each, and as many others as
    /// the least budget allows that all of them count towards.
    fn size_max(&self) -> usize {
        let groups = self.exclusive.iter().filter(|group| !group.is_empty());
        let is_free = |fault: &Variable| self.limits.of(*fault).is_empty();
        let free = groups.clone().filter(|group| group.iter().any(is_free)).count();
        let covers_all = |limit: usize| {
            self.limits.of_faults().iter().all(|own| own.is_empty() || own.contains(&limit))
        };
        let common = (0..self.limits.max.len()).filter(|limit| covers_all(*limit));
        let common = common.map(|limit| self.limits.max[limit]).min();
        let limited = common.unwrap_or_else(|| self.limits.max.iter().sum());
        groups.count().min(free + limited)
    }

    /// A set of an open space that is within the bounds, not empty, and wanted: uniformly among all
    /// such sets, since what does not fit is drawn again. `None` if many draws in a row met none.
    pub(crate) fn draw(
        &self,
        random: &mut Random,
        is_wanted: impl Fn(&[Variable]) -> bool,
    ) -> Option<Vec<Variable>> {
        // Far more than the draws after which a wanted set would have been met.
        const DRAWS_MAX: u32 = 100_000;
        let count = self.fault_count() as u64;
        let size_max = (self.size_max() as u64).min(count);
        // Sets of each size, relative to those of one fault.
        let ways: Vec<f64> = (1..=size_max)
            .scan(1.0 / count as f64, |ways, size| {
                *ways *= (count - size + 1) as f64 / size as f64;
                Some(*ways)
            })
            .collect();
        let total: f64 = ways.iter().sum();
        for _ in 0..DRAWS_MAX {
            let mut ticket = random.unit() * total;
            let chosen = ways.iter().position(|ways| {
                ticket -= ways;
                ticket < 0.0
            });
            let size = chosen.map_or(ways.len(), |index| index + 1);
            let mut set: BTreeSet<Variable> = BTreeSet::new();
            while set.len() < size {
                set.insert(Variable(random.below(count) as u32));
            }
            let faults: Vec<Variable> = set.into_iter().collect();
            if !faults.is_empty() && self.allows(&faults) && is_wanted(&faults) {
                return Some(faults);
            }
        }
        None
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::enumerate::Enumerator;

    /// Two places with two kinds of faults each, and a free choice: at most one fault of the second
    /// kind, at most two in all.
    pub(crate) fn space() -> FaultSpace {
        let mut space = FaultSpace::open(vec![2, 1]);
        for place in [0, 1] {
            space.add(place, &[0]);
            space.add(place, &[0, 1]);
        }
        space.add(2, &[]);
        space.add(3, &[0]);
        space
    }

    #[test]
    fn sets_are_bounded_by_groups_and_limits() {
        let space = space();
        let allows = |faults: &[u32]| {
            space.allows(&faults.iter().copied().map(Variable).collect::<Vec<_>>())
        };
        assert!(allows(&[]) && allows(&[0, 2]) && allows(&[0, 3]) && allows(&[0, 2, 4]));
        assert!(!allows(&[0, 1]), "one group");
        assert!(!allows(&[1, 3]), "two of the second kind");
        assert!(!allows(&[0, 2, 5]), "three in all");
        assert!(!allows(&[6]) && !allows(&[2, 0]) && !allows(&[0, 0]), "no such set");
    }

    #[test]
    fn every_set_of_an_open_space_is_drawn_equally_often() {
        let space = space();
        let all: Vec<Variable> = (0..space.fault_count() as u32).map(Variable).collect();
        let mut sets = Enumerator::new(&space, &all);
        let count = std::iter::from_fn(|| sets.next_set()).filter(|set| !set.is_empty()).count();
        let mut random = Random::new(11);
        let mut drawn: BTreeMap<Vec<Variable>, usize> = BTreeMap::new();
        for _ in 0..count * 60 {
            let set = space.draw(&mut random, |_| true).expect("there are some");
            *drawn.entry(set).or_default() += 1;
        }
        assert_eq!(drawn.len(), count);
        assert!(drawn.values().all(|times| (30..100).contains(times)), "{:?}", drawn.values());
    }

    #[test]
    fn what_is_not_wanted_is_not_drawn() {
        let space = space();
        let mut random = Random::new(3);
        assert!(space.draw(&mut random, |_| false).is_none());
        let only = |set: &[Variable]| set == [Variable(4)];
        assert_eq!(space.draw(&mut random, only), Some(vec![Variable(4)]));
        assert!(FaultSpace::open(vec![1]).draw(&mut random, |_| true).is_none());
    }
}
