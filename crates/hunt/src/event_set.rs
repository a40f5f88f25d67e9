//! Sets of events (or nodes) of one trace, by position, as bits.

/// A set of small numbers.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct EventSet(Vec<u64>);

impl EventSet {
    pub(crate) fn insert(&mut self, index: usize) -> bool {
        let (word, bit) = (index / 64, 1 << (index % 64));
        if word >= self.0.len() {
            self.0.resize(word + 1, 0);
        }
        let fresh = self.0[word] & bit == 0;
        self.0[word] |= bit;
        fresh
    }

    pub(crate) fn contains(&self, index: usize) -> bool {
        self.0.get(index / 64).is_some_and(|word| word >> (index % 64) & 1 == 1)
    }

    pub(crate) fn union_with(&mut self, other: &Self) {
        if other.0.len() > self.0.len() {
            self.0.resize(other.0.len(), 0);
        }
        for (word, more) in self.0.iter_mut().zip(&other.0) {
            *word |= more;
        }
    }

    pub(crate) fn intersect_with(&mut self, other: &Self) {
        self.0.truncate(other.0.len());
        for (word, limit) in self.0.iter_mut().zip(&other.0) {
            *word &= limit;
        }
    }

    pub(crate) fn is_disjoint(&self, other: &Self) -> bool {
        self.0.iter().zip(&other.0).all(|(one, two)| one & two == 0)
    }

    #[cfg(test)]
    fn len(&self) -> usize {
        self.0.iter().map(|word| word.count_ones() as usize).sum()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().enumerate().flat_map(|(index, &word)| {
            (0..64).filter(move |bit| word >> bit & 1 == 1).map(move |bit| index * 64 + bit)
        })
    }
}

impl Extend<usize> for EventSet {
    fn extend<I: IntoIterator<Item = usize>>(&mut self, items: I) {
        for item in items {
            self.insert(item);
        }
    }
}

impl FromIterator<usize> for EventSet {
    fn from_iter<I: IntoIterator<Item = usize>>(items: I) -> Self {
        let mut set = Self::default();
        for item in items {
            set.insert(item);
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_behave_as_sets() {
        let mut one: EventSet = [3, 64, 200].into_iter().collect();
        let two: EventSet = [64, 65].into_iter().collect();
        assert!(!one.is_disjoint(&two) && one.contains(200) && !one.contains(201));
        one.union_with(&two);
        assert_eq!(one.iter().collect::<Vec<_>>(), [3, 64, 65, 200]);
        one.intersect_with(&two);
        assert_eq!((one.len(), one.contains(200)), (2, false));
        assert!(!one.insert(64));
    }
}
