//! The search for a linearization of one register.
//!
//! Wing and Gong ("Testing and verifying concurrent objects", JPDC 1993) try the orders that the real-time order allows;
//! Lowe ("Testing for linearizability", CCPE 29(4), 2017) remembers the configurations met, and linearizes an operation only
//! when one returns and must have been ("just-in-time linearization"). A configuration then is the state of the register and
//! the pending operations that have taken effect. What is added here makes use of the object being a register:
//!
//! * A read takes effect as soon as the register holds its value: it changes nothing, so waiting gains nothing.
//! * A write may have taken effect unseen, right before another one. When a write is applied, all pending writes become
//!   *hidden*: they need not take effect any more, but still may. So the orders among unseen writes are never enumerated.
//! * Of two configurations with the same state, one that leaves every choice open that the other does makes it superfluous.
//! * A write of unknown outcome whose value nobody needs is left out; of two that do the same, the earlier is used first.

use rustc_hash::{FxHashMap, FxHashSet};
use smallvec::SmallVec;

/// What an operation does to a register. Values are numbered; the register begins with value 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effect {
    Write(u32),
    Read(u32),
    Cas(u32, u32),
}

/// An operation, from its invocation to its return; `end` is `None` if it may take effect at any time or never.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Interval {
    pub(crate) effect: Effect,
    pub(crate) start: usize,
    pub(crate) end: Option<usize>,
}

/// What the search found.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Found {
    Linearization,
    /// There is none: whatever came before, operation `at` cannot have returned what it did; the register could hold one of
    /// `states`.
    Stuck {
        at: usize,
        states: Vec<u32>,
    },
    /// Too many configurations.
    GaveUp,
}

type Set = SmallVec<[u32; 6]>;

/// Sets are sorted lists of operations that have been invoked and have not returned.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Configuration {
    state: u32,
    /// Have taken effect.
    done: Set,
    /// Writes that may count as done: see the module.
    hidden: Set,
    /// The pending write that made the state, while nobody has seen it.
    unseen: Option<u32>,
}

/// Looks for an order of the operations, each between its start and its end, in which every operation returns what it did.
pub(crate) fn linearize(operations: &[Interval], configurations_max: u64) -> Found {
    let mut search = Search {
        operations,
        pending: Vec::new(),
        twins: FxHashMap::default(),
        budget: configurations_max,
        needed: needed(operations),
    };
    let mut configurations =
        vec![Configuration { state: 0, done: Set::new(), hidden: Set::new(), unseen: None }];
    for (_, operation, returns) in events(operations) {
        if !returns {
            search.invoke(operation, &mut configurations);
            continue;
        }
        let Some(next) = search.complete(operation, &configurations) else { return Found::GaveUp };
        search.pending.retain(|pending| *pending != operation);
        if next.is_empty() {
            let mut states: Vec<u32> = configurations.iter().map(|each| each.state).collect();
            states.sort_unstable();
            states.dedup();
            return Found::Stuck { at: operation as usize, states };
        }
        configurations = search.without_superfluous(next);
    }
    Found::Linearization
}

/// Invocations and returns in order: position, operation, whether it returns.
fn events(operations: &[Interval]) -> Vec<(usize, u32, bool)> {
    let mut events = Vec::with_capacity(2 * operations.len());
    for (index, operation) in (0u32..).zip(operations) {
        events.push((operation.start, index, false));
        events.extend(operation.end.map(|end| (end, index, true)));
    }
    events.sort_unstable();
    events
}

/// The values that some read returned or some compare-and-set expects.
fn needed(operations: &[Interval]) -> FxHashSet<u32> {
    let needs = |operation: &Interval| match operation.effect {
        Effect::Read(value) | Effect::Cas(value, _) => Some(value),
        Effect::Write(_) => None,
    };
    operations.iter().filter_map(needs).collect()
}

struct Search<'a> {
    operations: &'a [Interval],
    pending: Vec<u32>,
    /// Of an operation that may never take effect, the one before it that does the same.
    twins: FxHashMap<u32, u32>,
    budget: u64,
    needed: FxHashSet<u32>,
}

impl Search<'_> {
    fn effect(&self, operation: u32) -> Effect {
        self.operations[operation as usize].effect
    }

    fn is_optional(&self, operation: u32) -> bool {
        self.operations[operation as usize].end.is_none()
    }

    fn invoke(&mut self, operation: u32, configurations: &mut [Configuration]) {
        let effect = self.effect(operation);
        let useless = match effect {
            Effect::Write(value) => !self.needed.contains(&value),
            Effect::Read(_) => true,
            Effect::Cas(..) => false,
        };
        if self.is_optional(operation) && useless {
            return;
        }
        let twin = |each: &&u32| self.is_optional(**each) && self.effect(**each) == effect;
        if self.is_optional(operation)
            && let Some(twin) = self.pending.iter().rev().find(twin).copied()
        {
            self.twins.insert(operation, twin);
        }
        self.pending.push(operation);
        if let Effect::Read(value) = effect {
            for configuration in configurations.iter_mut().filter(|each| each.state == value) {
                insert(&mut configuration.done, operation);
                configuration.unseen = None;
            }
        }
    }

    /// The configurations after `operation` has returned; `None` if there are too many to visit.
    fn complete(
        &mut self,
        operation: u32,
        configurations: &[Configuration],
    ) -> Option<Vec<Configuration>> {
        let mut visited: FxHashSet<Configuration> = FxHashSet::default();
        let mut stack: Vec<Configuration> = configurations.to_vec();
        let mut next = Vec::new();
        while let Some(configuration) = stack.pop() {
            if visited.contains(&configuration) {
                continue;
            }
            self.budget = self.budget.checked_sub(1)?;
            let done = configuration.done.contains(&operation);
            if done || configuration.hidden.contains(&operation) {
                next.push(returned(&configuration, operation));
            }
            if !done {
                let applicable =
                    self.pending.iter().filter_map(|each| self.apply(&configuration, *each));
                stack.extend(applicable);
            }
            visited.insert(configuration);
        }
        Some(next)
    }

    /// The configuration after a pending operation has taken effect, if it can.
    fn apply(&self, before: &Configuration, operation: u32) -> Option<Configuration> {
        let twin_waits = self.twins.get(&operation).is_some_and(|twin| !before.done.contains(twin));
        if twin_waits || before.done.contains(&operation) {
            return None;
        }
        let mut after = before.clone();
        match self.effect(operation) {
            Effect::Write(value) => {
                if let Some(unseen) = before.unseen {
                    after.done.retain(|each| *each != unseen);
                }
                after.state = value;
                after.hidden = self.hidden(&after, operation);
                after.unseen = Some(operation);
            }
            Effect::Cas(expected, new) if expected == before.state => {
                after.state = new;
                after.unseen = None;
            }
            // A read that can take effect has: see `invoke` and `see`.
            Effect::Cas(..) | Effect::Read(_) => return None,
        }
        insert(&mut after.done, operation);
        self.see(&mut after);
        Some(after)
    }

    /// The writes that may have taken effect unseen right before `write`.
    fn hidden(&self, configuration: &Configuration, write: u32) -> Set {
        let hidden = self.pending.iter().copied().filter(|each| {
            let is_write = matches!(self.effect(*each), Effect::Write(_));
            is_write
                && *each != write
                && !self.is_optional(*each)
                && !configuration.done.contains(each)
        });
        let mut hidden: Set = hidden.collect();
        hidden.sort_unstable();
        hidden
    }

    /// Every pending read of the state takes effect.
    fn see(&self, configuration: &mut Configuration) {
        for read in self.pending.iter().copied() {
            if self.effect(read) == Effect::Read(configuration.state)
                && !configuration.done.contains(&read)
            {
                insert(&mut configuration.done, read);
                configuration.unseen = None;
            }
        }
    }

    /// Drops every configuration beside which another one has all its choices.
    fn without_superfluous(&self, mut configurations: Vec<Configuration>) -> Vec<Configuration> {
        // Comparing each with each pays only while they are few.
        const COMPARED_MAX: usize = 512;
        configurations.sort_unstable_by(|a, b| {
            (a.state, a.done.len(), &a.done, &a.hidden, a.unseen).cmp(&(
                b.state,
                b.done.len(),
                &b.done,
                &b.hidden,
                b.unseen,
            ))
        });
        configurations.dedup();
        if configurations.len() > COMPARED_MAX {
            return configurations;
        }
        let mut kept: Vec<Configuration> = Vec::new();
        for candidate in configurations {
            if !kept.iter().any(|each| self.covers(each, &candidate)) {
                kept.retain(|each| !self.covers(&candidate, each));
                kept.push(candidate);
            }
        }
        kept
    }

    /// Whether whatever can follow `b` can follow `a`.
    fn covers(&self, a: &Configuration, b: &Configuration) -> bool {
        if a.state != b.state {
            return false;
        }
        // What `a` has spent, `b` has spent too, unless nobody gains by keeping it (a read).
        let spent = a
            .done
            .iter()
            .all(|each| b.done.contains(each) || matches!(self.effect(*each), Effect::Read(_)));
        // What `b` need not do any more, `a` need not do either.
        let free = |each: &u32| {
            a.done.contains(each) || a.hidden.contains(each) || self.is_optional(*each)
        };
        // What the next write makes available again to `b`, `a` has or gets too.
        let refunds =
            a.unseen == b.unseen || b.unseen.is_none_or(|unseen| !a.done.contains(&unseen));
        spent && refunds && b.done.iter().all(free) && b.hidden.iter().all(free)
    }
}

fn insert(set: &mut Set, operation: u32) {
    if let Err(place) = set.binary_search(&operation) {
        set.insert(place, operation);
    }
}

fn returned(configuration: &Configuration, operation: u32) -> Configuration {
    let mut after = configuration.clone();
    after.done.retain(|each| *each != operation);
    after.hidden.retain(|each| *each != operation);
    after.unseen = after.unseen.filter(|unseen| *unseen != operation);
    after
}
