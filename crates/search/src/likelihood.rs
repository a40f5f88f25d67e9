//! How likely faults are: orders the hypotheses of one size, and nothing else.

use std::cmp::Ordering;

use linchpin_formula::Variable;

use crate::FaultSpace;

/// Ways to draw hypotheses of one size from the classes of equally likely faults beyond which their
/// order is no longer exact.
const PROFILES_MAX: usize = 4096;

/// The cost of every fault: - log of its probability.
#[derive(Clone, Debug, Default)]
pub(crate) struct Likelihood {
    /// The different costs, in ascending order; empty if all faults cost the same.
    costs: Vec<f64>,
    /// By fault: its cost as an index.
    class_of: Vec<usize>,
}

impl FaultSpace {
    /// Gives every fault its cost (- log of its probability; the cost of a set is the sum). Among
    /// hypotheses of the same size the cheapest comes first, up to a few thousand ways of mixing
    /// faults of different cost. Never changes a verdict.
    pub fn set_costs(&mut self, cost: impl Fn(&linchpin_model::Fault) -> f64) {
        let of_fault: Vec<f64> =
            (0..self.fault_count() as u32).map(|index| cost(self.fault(Variable(index)))).collect();
        let mut costs = of_fault.clone();
        costs.sort_by(f64::total_cmp);
        costs.dedup();
        if costs.len() < 2 {
            self.likelihood = Likelihood::default();
            return;
        }
        let class = |cost: &f64| costs.partition_point(|other| other.total_cmp(cost).is_lt());
        self.likelihood = Likelihood { class_of: of_fault.iter().map(class).collect(), costs };
    }

    /// True if all faults are equally likely.
    pub(crate) fn is_uniform(&self) -> bool {
        self.likelihood.costs.is_empty()
    }

    /// By fault: which of the classes of equally likely faults it is in.
    pub(crate) fn class(&self, fault: Variable) -> usize {
        self.likelihood.class_of.get(fault.0 as usize).copied().unwrap_or(0)
    }

    pub(crate) fn class_count(&self) -> usize {
        self.likelihood.costs.len().max(1)
    }

    pub(crate) fn cost_of_profile(&self, profile: &[usize]) -> f64 {
        profile.iter().zip(&self.likelihood.costs).map(|(&count, cost)| count as f64 * cost).sum()
    }

    /// How many faults of each class a set has.
    fn profile_of(&self, faults: &[Variable]) -> Vec<usize> {
        let mut profile = vec![0; self.class_count()];
        for &fault in faults {
            profile[self.class(fault)] += 1;
        }
        profile
    }

    pub(crate) fn cost_of_set(&self, faults: &[Variable]) -> f64 {
        self.cost_of_profile(&self.profile_of(faults))
    }

    /// By size, then by cost, then by fault.
    pub(crate) fn compare(&self, left: &[Variable], right: &[Variable]) -> Ordering {
        let cost = |faults: &[Variable]| self.cost_of_set(faults);
        (left.len().cmp(&right.len()))
            .then_with(|| cost(left).total_cmp(&cost(right)))
            .then_with(|| left.cmp(right))
    }

    /// The ways to take `size` faults from the classes, the likeliest first; the first few thousand
    /// only, and none if all faults are equally likely.
    pub(crate) fn profiles(&self, size: usize) -> Vec<Vec<usize>> {
        let mut complete: Vec<Vec<usize>> = Vec::new();
        if self.is_uniform() {
            return complete;
        }
        let classes = self.class_count();
        let mut open: Vec<(Vec<usize>, usize)> = vec![(Vec::new(), size)];
        while let Some((profile, left)) = open.pop() {
            if complete.len() == PROFILES_MAX {
                break;
            }
            if profile.len() + 1 == classes {
                complete.push([&profile[..], &[left]].concat());
                continue;
            }
            // The cheapest classes are filled first.
            open.extend((0..=left).map(|count| ([&profile[..], &[count]].concat(), left - count)));
        }
        complete.sort_by(|left, right| {
            self.cost_of_profile(left).total_cmp(&self.cost_of_profile(right))
        });
        complete
    }
}

#[cfg(test)]
mod tests {
    use linchpin_model::{Bounds, Fault};

    use super::*;

    #[test]
    fn profiles_are_all_ways_the_likeliest_first() {
        let nodes = ["a", "b", "c"].map(String::from).to_vec();
        let bounds = Bounds { eot: 3, eff: 3, crashes: 1, nodes, ..Bounds::default() };
        let mut space = FaultSpace::new(&bounds);
        assert!(space.profiles(3).is_empty());
        space.set_costs(|fault| match fault {
            Fault::Crash { node, .. } if node == "c" => 1.0,
            Fault::Crash { .. } => 7.0,
            _ => 2.0,
        });
        let profiles = space.profiles(3);
        assert_eq!(profiles.len(), 10);
        assert_eq!(profiles[0], [3, 0, 0]);
        assert_eq!(profiles[9], [0, 0, 3]);
        assert!(profiles.is_sorted_by(|a, b| space.cost_of_profile(a) <= space.cost_of_profile(b)));
    }
}
