//! Pairs of faults that wait to be predicted.
//!
//! A run with many events has so many pairs of candidates that to predict them all would take longer
//! than the runs. So they are predicted a few at a time, those of promising parts first.

use crate::knowledge::FaultId;

/// The pairs of some candidates, the most promising first.
#[derive(Clone, Debug)]
pub(crate) struct Pairs {
    /// The run they are predicted on.
    pub(crate) base: usize,
    /// The candidates, the most promising first.
    faults: Vec<FaultId>,
    /// The next pair: the sum of its positions, and the first of them.
    sum: usize,
    first: usize,
}

impl Pairs {
    pub(crate) fn new(base: usize, faults: Vec<FaultId>) -> Self {
        Self { base, faults, sum: 1, first: 0 }
    }

    /// How many are left.
    pub(crate) fn len(&self) -> usize {
        let count = self.faults.len();
        if count < 2 {
            return 0;
        }
        // Of those with smaller sums all are gone, and of this one the first few.
        let of_sum =
            |sum: usize| sum.div_ceil(2) - (sum + 1).saturating_sub(count).min(sum.div_ceil(2));
        let last = (2 * count).saturating_sub(3);
        let all: usize = (self.sum..=last).map(of_sum).sum();
        all - (self.first - self.least()).min(all)
    }

    /// The least first position of a pair with this sum.
    fn least(&self) -> usize {
        (self.sum + 1).saturating_sub(self.faults.len())
    }
}

impl Iterator for Pairs {
    type Item = [FaultId; 2];

    fn next(&mut self) -> Option<[FaultId; 2]> {
        let count = self.faults.len();
        if count < 2 || self.sum > 2 * count - 3 {
            return None;
        }
        let second = self.sum - self.first;
        let pair = [self.faults[self.first], self.faults[second]];
        self.first += 1;
        // The first position is the smaller one.
        if 2 * self.first >= self.sum {
            self.sum += 1;
            self.first = self.least();
        }
        Some(pair)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use linchpin_formula::Variable;

    use super::*;

    #[test]
    fn few_candidates_have_no_pairs() {
        for count in 0..2 {
            let mut pairs = Pairs::new(0, (0..count).map(Variable).collect());
            assert_eq!((pairs.len(), pairs.next()), (0, None));
        }
    }

    #[test]
    fn every_pair_comes_once_those_of_first_parts_first() {
        for count in 0..9_u32 {
            let mut pairs = Pairs::new(0, (0..count).map(Variable).collect());
            let mut seen: BTreeSet<[u32; 2]> = BTreeSet::new();
            let mut sum = 0;
            let all = (count * count.saturating_sub(1) / 2) as usize;
            while let Some([one, two]) = pairs.next() {
                assert!(one < two && one.0 + two.0 >= sum);
                sum = one.0 + two.0;
                assert!(seen.insert([one.0, two.0]), "{count}: {one:?} {two:?}");
                assert_eq!(pairs.len(), all - seen.len(), "{count}: after {seen:?}");
            }
            assert_eq!(seen.len(), all, "{count}");
        }
    }
}
