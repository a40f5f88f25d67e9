//! Few operations that already have no linearization.
//!
//! Leaving operations out must not make a linearizable history look wrong. Two steps are safe: leaving out a read; and
//! leaving out everything that has to do with a value (its writes and its reads, and those of every value tied to it by a
//! compare-and-set): what is left of a linearization without them is a linearization of what is left. So is a third:
//! forgetting what happens after a moment. Units are left out in ever smaller groups while no linearization appears
//! (Zeller and Hildebrandt, "Simplifying and isolating failure-inducing input", TSE 28(2), 2002).

use std::collections::BTreeMap;

use crate::order::{Effect, Found, Interval, linearize};

/// Indexes of operations, in order, that have no linearization, and of which no unit can be left out; `at` is the operation
/// at whose return the search of all got stuck.
pub(crate) fn shrink(operations: &[Interval], at: usize, configurations_max: u64) -> Vec<usize> {
    let stop = operations[at].end.unwrap_or(usize::MAX);
    // An operation that has not returned by then may take effect later or never.
    let cut = |place: &usize| {
        let operation = operations[*place];
        Interval { end: operation.end.filter(|end| *end <= stop), ..operation }
    };
    let is_wrong = |places: &[usize]| {
        let small: Vec<Interval> = places.iter().map(cut).collect();
        matches!(linearize(&small, configurations_max), Found::Stuck { .. })
    };
    let mut kept: Vec<usize> =
        (0..operations.len()).filter(|place| operations[*place].start < stop).collect();
    loop {
        let before = kept.len();
        kept = reduced(by_value(operations, &kept), &[], &is_wrong);
        let is_read = |place: &&usize| matches!(operations[**place].effect, Effect::Read(_));
        let (reads, rest): (Vec<&usize>, Vec<&usize>) = kept.iter().partition(is_read);
        let rest: Vec<usize> = rest.into_iter().copied().collect();
        kept = reduced(reads.into_iter().map(|read| vec![*read]).collect(), &rest, &is_wrong);
        if kept.len() == before {
            return kept;
        }
    }
}

/// Leaves out groups of units, half of them at once, then a quarter, and so on, as long as the rest with `fixed` stays wrong.
fn reduced(
    mut units: Vec<Vec<usize>>,
    fixed: &[usize],
    is_wrong: &impl Fn(&[usize]) -> bool,
) -> Vec<usize> {
    let together = |units: &[Vec<usize>]| {
        let mut places: Vec<usize> = units.iter().flatten().chain(fixed).copied().collect();
        places.sort_unstable();
        places
    };
    let mut size = units.len().div_ceil(2);
    while size > 0 {
        let mut from = 0;
        while from < units.len() {
            let to = (from + size).min(units.len());
            let rest: Vec<Vec<usize>> = units[..from].iter().chain(&units[to..]).cloned().collect();
            if is_wrong(&together(&rest)) {
                units = rest;
            } else {
                from = to;
            }
        }
        size /= 2;
    }
    together(&units)
}

/// For each group of values tied together, its writes with all its reads.
fn by_value(operations: &[Interval], places: &[usize]) -> Vec<Vec<usize>> {
    let mut ties = Ties::default();
    for place in places {
        if let Effect::Cas(expected, new) = operations[*place].effect {
            ties.tie(expected, new);
        }
    }
    let mut groups: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for place in places {
        let (Effect::Write(value) | Effect::Read(value) | Effect::Cas(value, _)) =
            operations[*place].effect;
        groups.entry(ties.representative(value)).or_default().push(*place);
    }
    groups.into_values().collect()
}

/// Values that compare-and-sets lead from and to.
#[derive(Default)]
struct Ties {
    parents: BTreeMap<u32, u32>,
}

impl Ties {
    fn representative(&self, value: u32) -> u32 {
        let mut value = value;
        while let Some(parent) = self.parents.get(&value) {
            value = *parent;
        }
        value
    }

    fn tie(&mut self, a: u32, b: u32) {
        let (a, b) = (self.representative(a), self.representative(b));
        if a != b {
            self.parents.insert(a, b);
        }
    }
}
