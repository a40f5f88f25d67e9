//! What a run records about why its facts hold.

use linchpin_dedalus::hir::{RelationId, RuleId};

use crate::plan::{Access, Term};
use crate::table::RowIndex;
use crate::value::Symbol;

/// A row of a relation at a time step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct FactRef {
    pub(crate) time: u32,
    pub(crate) relation: RelationId,
    pub(crate) row: RowIndex,
}

/// Rows that were not there, and had to be absent: `None` is any value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Absence {
    pub(crate) time: u32,
    pub(crate) relation: RelationId,
    pub(crate) known: Vec<(usize, Symbol)>,
    /// Pairs of columns that had to be equal.
    pub(crate) equal: Vec<(usize, usize)>,
}

impl Absence {
    /// True if the row would be one of those that had to be absent.
    pub(crate) fn matches(&self, row: &[Symbol]) -> bool {
        self.known.iter().all(|&(column, symbol)| row[column] == symbol)
            && self.equal.iter().all(|&(left, right)| row[left] == row[right])
    }

    pub(crate) fn new(access: &Access, slots: &[Symbol], now: u32) -> Self {
        let value = |term: &Term| match term {
            Term::Symbol(symbol) => *symbol,
            Term::Slot(slot) => slots[*slot],
            Term::Arithmetic(..) => unreachable!("expressions are taken out of literals"),
        };
        let known =
            access.columns.iter().zip(&access.key).map(|(&c, term)| (c, value(term))).collect();
        Self {
            time: access.time.unwrap_or(now),
            relation: access.relation,
            known,
            equal: access.equal.clone(),
        }
    }
}

/// One way in which one row was derived. For an aggregate: all its members at once.
#[derive(Clone, Debug)]
pub(crate) struct Derivation {
    pub(crate) head: FactRef,
    pub(crate) rule: RuleId,
    pub(crate) premises: Vec<FactRef>,
    pub(crate) absences: Vec<Absence>,
}

/// A row sent by an asynchronous rule. For an aggregate: what was delivered.
#[derive(Clone, Debug)]
pub(crate) struct Sending {
    pub(crate) rule: RuleId,
    pub(crate) relation: RelationId,
    pub(crate) row: Box<[Symbol]>,
    /// Index of the sending node; `None` if the rule has no place.
    pub(crate) from: Option<usize>,
    pub(crate) to: usize,
    pub(crate) at: u32,
    pub(crate) arrives: bool,
}

/// Everything recorded of a run.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lineage {
    pub(crate) derivations: Vec<Derivation>,
    pub(crate) sendings: Vec<Sending>,
}
