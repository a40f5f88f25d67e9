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
        let chosen = positions.iter().map(|&position| self.candidates[position]);
        self.space.admits(chosen, self.candidates[candidate])
    }

    /// Fills `positions` up to `size` with the least positions from `from` on that fit, going back
    /// where there are none. False if no set of that size is left.
    fn complete(&mut self, size: usize, mut from: usize) -> bool {
        while self.positions.len() < size {
            let next = (from..self.candidates.len()).find(|&next| self.fits(&self.positions, next));
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
        true
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
    use crate::space::tests::inputs;

    #[test]
    fn everything_is_enumerated_once_by_size() {
        for (eot, eff, crashes, names, max_delay, recoveries) in [
            (1, 1, 1, "ab", 0, 1),
            (2, 2, 1, "ab", 0, 0),
            (3, 2, 2, "abc", 0, 0),
            (2, 0, 3, "abc", 0, 2),
            (4, 4, 1, "ab", 3, 0),
            (4, 2, 1, "abc", 1, 1),
            (4, 0, 2, "ab", 0, 2),
        ] {
            let nodes = names.chars().map(String::from).collect();
            let bounds = Bounds {
                eot,
                eff,
                crashes,
                nodes,
                max_delay,
                recoveries,
                inputs: inputs(2),
                ..Bounds::default()
            };
            let space = FaultSpace::new(&bounds);
            let all: Vec<Variable> = (0..space.fault_count() as u32).map(Variable).collect();
            let mut enumerator = Enumerator::new(&space, &all);
            let mut seen = Vec::new();
            while let Some(set) = enumerator.next_set() {
                assert!(bounds.allow(&space.fault_set(&set)));
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
