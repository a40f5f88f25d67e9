//! What the head of a ground rule derives, and when it is there.

use indexmap::IndexMap;
use linchpin_dedalus::hir::RelationId;
use linchpin_formula::{Graph, Literal};
use rustc_hash::FxBuildHasher;

use crate::channels::{ChannelConditions, Entry};
use crate::plan::{Column, RulePlan};
use crate::value::Symbol;

/// Per time of becoming visible and group: for each aggregate, the ways in which each member is
/// there.
pub(crate) type Groups =
    IndexMap<(u32, Vec<Symbol>), Vec<IndexMap<Symbol, Vec<Literal>, FxBuildHasher>>, FxBuildHasher>;

/// Rows, each with conditions one of which holds.
pub(crate) type Frozen = IndexMap<(RelationId, Box<[Symbol]>), Vec<Literal>, FxBuildHasher>;

/// By how many steps from now a row is there, and the row: the ways in which it is.
pub(crate) type Derived = IndexMap<(u32, RelationId, Box<[Symbol]>), Vec<Literal>, FxBuildHasher>;

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
        derived.entry((self.after, self.rule.head, row.into())).or_default().push(condition);
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
    let mut group = Vec::new();
    let mut members = Vec::new();
    for (column, &symbol) in rule.columns.iter().zip(row) {
        match column {
            Column::Term(_) => group.push(symbol),
            Column::Aggregate(..) => members.push(symbol),
        }
    }
    let sets =
        groups.entry((after, group)).or_insert_with(|| vec![IndexMap::default(); members.len()]);
    for (set, member) in sets.iter_mut().zip(members) {
        set.entry(member).or_default().push(condition);
    }
}
