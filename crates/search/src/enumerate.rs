//! Every fault set within the bounds, smallest first.

use linchpin_formula::Variable;

use crate::FaultSpace;

/// Enumerates the subsets of `candidates` within the bounds by size, then lexicographically.
pub(crate) struct Enumerator<'a> {
    space: &'a FaultSpace,
    candidates: &'a [Variable],
    /// Positions in `candidates`, ascending: the set last returned.
    positions: Vec<usize>,
    started: bool,
}

impl<'a> Enumerator<'a> {
    pub(crate) fn new(space: &'a FaultSpace, candidates: &'a [Variable]) -> Self {
        Self { space, candidates, positions: Vec::new(), started: false }
    }

    /// Can `candidate` join the faults at these positions?
    fn fits(&self, positions: &[usize], candidate: usize) -> bool {
        let Some(group) = self.space.group(self.candidates[candidate]) else { return true };
        let mut taken = 0;
        for &position in positions {
            match self.space.group(self.candidates[position]) {
                Some(other) if other == group => return false,
                Some(_) => taken += 1,
                None => {}
            }
        }
        taken < self.space.budget().groups_max
    }

    /// Fills `positions` up to `size` with the least positions from `from` on that fit, going back
    /// where there are none. False if no set of that size is left.
    fn complete(&mut self, size: usize, mut from: usize) -> bool {
        loop {
            while self.positions.len() < size {
                let next =
                    (from..self.candidates.len()).find(|&next| self.fits(&self.positions, next));
                match next {
                    Some(next) => {
                        self.positions.push(next);
                        from = next + 1;
                    }
                    None => match self.positions.pop() {
                        Some(last) => from = last + 1,
                        None => return false,
                    },
                }
            }
            return true;
        }
    }

    /// The next set, in ascending order of variables.
    pub(crate) fn next_set(&mut self) -> Option<Vec<Variable>> {
        if self.started {
            let size = self.positions.len();
            let found = match self.positions.pop() {
                Some(last) => self.complete(size, last + 1),
                None => false,
            };
            if !found {
                self.positions.clear();
                if size >= self.candidates.len() || !self.complete(size + 1, 0) {
                    return None;
                }
            }
        }
        self.started = true;
        Some(self.positions.iter().map(|&position| self.candidates[position]).collect())
    }
}

#[cfg(test)]
mod tests {
    use linchpin_model::Bounds;

    use super::*;

    #[test]
    fn everything_is_enumerated_once_by_size() {
        for (eot, eff, crashes, names) in [(2, 2, 1, "ab"), (3, 2, 2, "abc"), (2, 0, 3, "abc")] {
            let nodes = names.chars().map(String::from).collect();
            let bounds = Bounds { eot, eff, crashes, nodes };
            let space = FaultSpace::new(&bounds);
            let all: Vec<Variable> = (0..space.fault_count() as u32).map(Variable).collect();
            let mut enumerator = Enumerator::new(&space, &all);
            let mut seen = Vec::new();
            while let Some(set) = enumerator.next_set() {
                assert!(bounds.check_faults(&space.fault_set(&set)).is_ok());
                seen.push(set);
            }
            assert!(
                seen.windows(2)
                    .all(|pair| { (pair[0].len(), &pair[0]) < (pair[1].len(), &pair[1]) })
            );
            assert_eq!(bounds.fault_space(), seen.len().into());
        }
    }
}
