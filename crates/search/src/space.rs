//! The fault space: which sets of faults are within the bounds.

use linchpin_formula::Variable;
use linchpin_model::{Bounds, Fault, FaultSet};
use num_bigint::BigUint;
use rustc_hash::FxHashMap;

use crate::likelihood::Likelihood;
use crate::random::Random;

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
#[derive(Clone, Debug, Default)]
pub struct FaultSpace {
    faults: Vec<Fault>,
    numbers: FxHashMap<Fault, Variable>,
    /// Faults that may occur in any combination.
    free: Vec<Variable>,
    budget: Budget,
    /// Per fault: the group of the budget it belongs to.
    group_of: Vec<Option<usize>>,
    pub(crate) likelihood: Likelihood,
    /// See [`FaultSpace::set_symmetries`].
    pub(crate) symmetries: Vec<Vec<Variable>>,
}

impl FaultSpace {
    /// The fault space of a specification: variables number the faults by time.
    #[must_use]
    pub fn new(bounds: &Bounds) -> Self {
        let faults = bounds.faults();
        let mut free = Vec::new();
        let mut groups: Vec<Vec<Variable>> = vec![Vec::new(); bounds.nodes.len()];
        let mut group_of = Vec::with_capacity(faults.len());
        for (index, fault) in faults.iter().enumerate() {
            let variable = Variable(index as u32);
            match fault {
                Fault::Omission { .. } => {
                    free.push(variable);
                    group_of.push(None);
                }
                Fault::Crash { node, .. } => {
                    let group = bounds.nodes.iter().position(|name| name == node);
                    let group = group.expect("only declared nodes crash");
                    groups[group].push(variable);
                    group_of.push(Some(group));
                }
            }
        }
        let numbers = faults
            .iter()
            .enumerate()
            .map(|(index, fault)| (fault.clone(), Variable(index as u32)))
            .collect();
        let budget = Budget { groups, groups_max: bounds.crashes as usize };
        Self {
            faults,
            numbers,
            free,
            budget,
            group_of,
            likelihood: Likelihood::default(),
            symmetries: Vec::new(),
        }
    }

    /// How many different faults there are.
    #[must_use]
    pub fn fault_count(&self) -> usize {
        self.faults.len()
    }

    /// The fault a variable stands for.
    #[must_use]
    pub fn fault(&self, variable: Variable) -> &Fault {
        &self.faults[variable.0 as usize]
    }

    /// The variable of a fault, if the fault may occur.
    #[must_use]
    pub fn variable(&self, fault: &Fault) -> Option<Variable> {
        self.numbers.get(fault).copied()
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

    /// The group of the budget a fault belongs to.
    pub(crate) fn group(&self, variable: Variable) -> Option<usize> {
        self.group_of[variable.0 as usize]
    }

    /// A fault set chosen uniformly among all within the bounds.
    pub(crate) fn sample(&self, random: &mut Random) -> Vec<Variable> {
        let mut chosen: Vec<Variable> =
            self.free.iter().copied().filter(|_| random.below(2) == 1).collect();
        chosen.extend(self.sample_budget(random));
        chosen.sort_unstable();
        chosen
    }

    /// Chooses how many groups take part in proportion to the number of ways, then which, then one
    /// fault of each. All groups have equally many faults.
    fn sample_budget(&self, random: &mut Random) -> Vec<Variable> {
        let groups = &self.budget.groups;
        let width = groups.first().map_or(0, Vec::len);
        if width == 0 {
            return Vec::new();
        }
        debug_assert!(groups.iter().all(|group| group.len() == width));
        let mut ways = vec![BigUint::from(1u8)];
        for count in 1..=self.budget.groups_max.min(groups.len()) {
            let previous = &ways[count - 1];
            ways.push(previous * (groups.len() - count + 1) * width / count);
        }
        let total: BigUint = ways.iter().sum();
        let mut ticket = random.below_big(&total);
        let mut count = 0;
        while ticket >= ways[count] {
            ticket -= &ways[count];
            count += 1;
        }
        let mut order: Vec<usize> = (0..groups.len()).collect();
        (0..count)
            .map(|index| {
                let other = index + random.below((order.len() - index) as u64) as usize;
                order.swap(index, other);
                groups[order[index]][random.below(width as u64) as usize]
            })
            .collect()
    }
}
