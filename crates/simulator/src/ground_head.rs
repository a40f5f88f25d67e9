//! What the head of a ground rule derives, and when it is there.

use std::ops::Range;

use indexmap::IndexMap;
use linchpin_dedalus::hir::RelationId;
use linchpin_formula::{Graph, Literal};
use rustc_hash::FxBuildHasher;
use smallvec::SmallVec;

use crate::channels::{ChannelConditions, Entry};
use crate::plan::{Column, RulePlan};
use crate::value::Symbol;

/// Per time of becoming visible and group: for each aggregate, the ways in which each member is
/// there.
pub(crate) type Groups =
    IndexMap<(u32, SmallVec<[Symbol; 6]>), SmallVec<[Members; 1]>, FxBuildHasher>;

pub(crate) type Members = IndexMap<Symbol, Vec<Literal>, FxBuildHasher>;

/// Rows, each with conditions one of which holds.
pub(crate) type Frozen = IndexMap<(RelationId, Box<[Symbol]>), Vec<Literal>, FxBuildHasher>;

/// What becomes known at the next commit.
#[derive(Debug, Default)]
pub(crate) struct Derived {
    pub(crate) ways: Vec<Way>,
    /// The rows of what was derived.
    pub(crate) cells: Vec<Symbol>,
}

/// One way for a row to be there.
#[derive(Debug)]
pub(crate) struct Way {
    /// How many steps from now.
    pub(crate) after: u32,
    pub(crate) relation: RelationId,
    /// Its cells in [`Derived::cells`].
    pub(crate) row: Range<usize>,
    pub(crate) condition: Literal,
}

impl Derived {
    fn push(&mut self, after: u32, relation: RelationId, row: &[Symbol], condition: Literal) {
        let start = self.cells.len();
        self.cells.extend_from_slice(row);
        let row = start..self.cells.len();
        self.ways.push(Way { after, relation, row, condition });
    }

    pub(crate) fn clear(&mut self) {
        self.ways.clear();
        self.cells.clear();
    }
}

/// The head of a rule that fires now.
pub(crate) struct Head<'a> {
    pub(crate) rule: &'a RulePlan,
    /// How many steps from now its row becomes visible.
    pub(crate) after: u32,
    /// How the row comes to its node, in a program in which nodes may be down.
    pub(crate) entry: Option<Entry>,
    pub(crate) durable: bool,
    pub(crate) now: u32,
}

impl Head<'_> {
    /// Notes one way for a row to be there.
    pub(crate) fn derive(
        &self,
        graph: &mut Graph,
        channels: &ChannelConditions,
        derived: &mut Derived,
        frozen_next: &mut Frozen,
        row: &[Symbol],
        condition: Literal,
    ) {
        let (node, time) = (row[0] as usize, self.now + self.after);
        let mut condition = condition;
        if let Some(entry) = self.entry {
            let taken = channels.takes(graph, node, time, entry);
            condition = graph.and([condition, taken]);
            if let Entry::State(_) = entry {
                let keeps = channels.keeps(graph, node, time, self.durable);
                let frozen = graph.and([condition, keeps]);
                if frozen != Literal::FALSE {
                    let ways = frozen_next.entry((self.rule.head, row.into())).or_default();
                    ways.push(frozen);
                }
            }
        }
        if condition != Literal::FALSE {
            derived.push(self.after, self.rule.head, row, condition);
        }
    }
}

/// Notes one way for the members of a row to be there.
pub(crate) fn add_to_group(
    groups: &mut Groups,
    rule: &RulePlan,
    after: u32,
    row: &[Symbol],
    condition: Literal,
) {
    let mut group: SmallVec<[Symbol; 6]> = SmallVec::new();
    let mut members: SmallVec<[Symbol; 2]> = SmallVec::new();
    for (column, &symbol) in rule.columns.iter().zip(row) {
        match column {
            Column::Term(_) => group.push(symbol),
            Column::Aggregate(..) => members.push(symbol),
        }
    }
    let sets = groups
        .entry((after, group))
        .or_insert_with(|| SmallVec::from_elem(IndexMap::default(), members.len()));
    for (set, member) in sets.iter_mut().zip(members) {
        set.entry(member).or_default().push(condition);
    }
}
