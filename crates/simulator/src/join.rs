//! Executes a plan: every valuation of a body, once each.

use std::cmp::Ordering;
use std::ops::Range;

use linchpin_dedalus::hir::{ArithmeticOperator, ComparisonOperator, RelationId, Value};
use linchpin_search::Halt;
use smallvec::SmallVec;

use crate::plan::{Access, AccessBy, Slot, Step, Term};
use crate::table::{RowIndex, Table};
use crate::value::{Interner, Symbol};

/// After so many steps of a join it is asked whether to give up.
const STEPS_UNASKED: u32 = 1 << 14;

/// Why an expression has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum ArithmeticError {
    Overflow,
    DivisionByZero,
}

/// What a plan is executed against.
pub(crate) trait Store {
    /// The rows of a relation for a positive literal, and which of them to use.
    fn rows(
        &self,
        literal: usize,
        relation: RelationId,
        time: Option<u32>,
    ) -> (&Table, Range<RowIndex>);

    /// The rows of a relation for a negative literal.
    fn rows_for_absence(&self, relation: RelationId, time: Option<u32>) -> &Table;

    /// True if a matching row surely refutes a negative literal.
    fn refutes(&self, relation: RelationId, time: Option<u32>, row: RowIndex) -> bool;

    /// How many symbols (from 0) are nodes.
    fn node_count(&self) -> usize;

    /// When to give up.
    fn halt(&self) -> &Halt;
}

/// A row matched by a positive literal.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Matched {
    pub(crate) relation: u32,
    /// `None`: now.
    pub(crate) time: Option<u32>,
    pub(crate) row: RowIndex,
}

/// One valuation that satisfies a body.
pub(crate) struct Valuation<'a> {
    pub(crate) slots: &'a [Symbol],
    /// One per positive literal, in source order.
    pub(crate) matched: &'a [Matched],
    /// Set if the body could not be evaluated: the valuation satisfies all of it that could.
    pub(crate) error: Option<ArithmeticError>,
    /// Slots that have no value, because of the error.
    pub(crate) undefined: &'a [bool],
}

impl Valuation<'_> {
    /// True if the error leaves the access without a key.
    pub(crate) fn is_undefined(&self, access: &Access) -> bool {
        access.key.iter().any(|term| matches!(term, Term::Slot(slot) if self.undefined[*slot]))
    }
}

/// The rows an access finds.
pub(crate) enum Candidates<'a> {
    Range(Range<RowIndex>),
    Listed(&'a [RowIndex]),
    /// Rows of a small table whose columns have the values of the key.
    Few {
        table: &'a Table,
        columns: &'a [usize],
        key: SmallVec<[Symbol; 8]>,
        range: Range<RowIndex>,
    },
    Row(Option<RowIndex>),
}

impl Iterator for Candidates<'_> {
    type Item = RowIndex;

    fn next(&mut self) -> Option<RowIndex> {
        match self {
            Self::Range(range) => range.next(),
            Self::Listed(rows) => {
                let (&first, rest) = rows.split_first()?;
                *rows = rest;
                Some(first)
            }
            Self::Few { table, columns, key, range } => range.find(|&index| {
                let row = table.row(index);
                columns.iter().zip(key.iter()).all(|(&column, &symbol)| row[column] == symbol)
            }),
            Self::Row(row) => row.take(),
        }
    }
}

/// The rows of `table` that agree with the valuation on the columns of the access ([`row_agrees`]
/// checks the rest).
pub(crate) fn candidates<'t>(
    access: &'t Access,
    table: &'t Table,
    range: &Range<RowIndex>,
    slots: &[Symbol],
) -> Candidates<'t> {
    if range.is_empty() {
        return Candidates::Row(None);
    }
    let key: SmallVec<[Symbol; 8]> = access
        .key
        .iter()
        .map(|term| match term {
            Term::Symbol(symbol) => *symbol,
            Term::Slot(slot) => slots[*slot],
            Term::Arithmetic(..) => unreachable!("expressions are taken out of literals"),
        })
        .collect();
    match access.by {
        AccessBy::Scan => Candidates::Range(range.clone()),
        AccessBy::Index(_) if table.is_small() => {
            Candidates::Few { table, columns: &access.columns, key, range: range.clone() }
        }
        AccessBy::Index(index) => {
            Candidates::Listed(table.probe(index, &access.columns, &key, range))
        }
        AccessBy::Row => Candidates::Row(table.find(&key).filter(|row| range.contains(row))),
    }
}

/// Whether the row has equal values where it must, and compares as it must.
pub(crate) fn row_agrees(
    access: &Access,
    row: &[Symbol],
    slots: &[Symbol],
    interner: &Interner,
) -> bool {
    access.equal.iter().all(|&(left, right)| row[left] == row[right])
        && access.beyond.is_none_or(|beyond| {
            compare(beyond.operator, interner.compare(row[beyond.column], slots[beyond.slot]))
        })
}

/// The value of a term.
pub(crate) fn value_of(
    term: &Term,
    slots: &[Symbol],
    interner: &mut Interner,
) -> Result<Symbol, ArithmeticError> {
    match term {
        Term::Symbol(symbol) => Ok(*symbol),
        Term::Slot(slot) => Ok(slots[*slot]),
        Term::Arithmetic(..) => Ok(arithmetic(term, slots, interner).map(|i| interner.integer(i))?),
    }
}

fn arithmetic(term: &Term, slots: &[Symbol], interner: &Interner) -> Result<i64, ArithmeticError> {
    let integer = |symbol: Symbol| match interner.value(symbol) {
        Value::Integer(integer) => *integer,
        Value::String(_) => unreachable!("types were checked"),
    };
    match term {
        Term::Symbol(symbol) => Ok(integer(*symbol)),
        Term::Slot(slot) => Ok(integer(slots[*slot])),
        Term::Arithmetic(left, operator, right) => {
            let left = arithmetic(left, slots, interner)?;
            let right = arithmetic(right, slots, interner)?;
            let result = match operator {
                ArithmeticOperator::Add => left.checked_add(right),
                ArithmeticOperator::Subtract => left.checked_sub(right),
                ArithmeticOperator::Multiply => left.checked_mul(right),
                ArithmeticOperator::Divide if right == 0 => {
                    return Err(ArithmeticError::DivisionByZero);
                }
                ArithmeticOperator::Divide => left.checked_div(right),
            };
            result.ok_or(ArithmeticError::Overflow)
        }
    }
}

pub(crate) fn compare(operator: ComparisonOperator, ordering: Ordering) -> bool {
    match operator {
        ComparisonOperator::Equal => ordering.is_eq(),
        ComparisonOperator::NotEqual => ordering.is_ne(),
        ComparisonOperator::Less => ordering.is_lt(),
        ComparisonOperator::LessOrEqual => ordering.is_le(),
        ComparisonOperator::Greater => ordering.is_gt(),
        ComparisonOperator::GreaterOrEqual => ordering.is_ge(),
    }
}

/// Calls `found` for every valuation that satisfies the steps, in a fixed order, until it returns
/// false. True unless that happened, or it was time to give up.
pub(crate) fn execute<S: Store>(
    steps: &[Step],
    slot_count: usize,
    literal_count: usize,
    store: &S,
    interner: &mut Interner,
    found: &mut dyn FnMut(&mut Interner, &Valuation<'_>) -> bool,
) -> bool {
    let mut join = Join {
        store,
        interner,
        found,
        slots: SmallVec::from_elem(0, slot_count),
        undefined: SmallVec::from_elem(false, slot_count),
        matched: SmallVec::from_elem(Matched::default(), literal_count),
        error: None,
        steps: 0,
    };
    join.run(steps)
}

struct Join<'a, S> {
    store: &'a S,
    interner: &'a mut Interner,
    found: &'a mut dyn FnMut(&mut Interner, &Valuation<'_>) -> bool,
    slots: SmallVec<[Symbol; 16]>,
    /// Slots whose expression has no value.
    undefined: SmallVec<[bool; 16]>,
    matched: SmallVec<[Matched; 8]>,
    error: Option<ArithmeticError>,
    /// Steps taken.
    steps: u32,
}

impl<S: Store> Join<'_, S> {
    /// False if the rest is not wanted.
    fn run(&mut self, steps: &[Step]) -> bool {
        self.steps += 1;
        if self.steps == STEPS_UNASKED {
            self.steps = 0;
            if self.store.halt().is_due() {
                return false;
            }
        }
        let Some((step, rest)) = steps.split_first() else {
            return (self.found)(
                self.interner,
                &Valuation {
                    slots: &self.slots,
                    matched: &self.matched,
                    error: self.error,
                    undefined: &self.undefined,
                },
            );
        };
        let store = self.store;
        match step {
            Step::Match { literal, access, binds } => {
                let (table, range) = store.rows(*literal, access.relation, access.time);
                for row_index in candidates(access, table, &range, &self.slots) {
                    let row = table.row(row_index);
                    if !row_agrees(access, row, &self.slots, self.interner) {
                        continue;
                    }
                    for &(column, slot) in binds {
                        self.slots[slot] = row[column];
                    }
                    self.matched[*literal] =
                        Matched { relation: access.relation.0, time: access.time, row: row_index };
                    if !self.run(rest) {
                        return false;
                    }
                }
                true
            }
            Step::IsNode { slot } => {
                (self.slots[*slot] as usize) >= store.node_count() || self.run(rest)
            }
            Step::EachNode { slot } => {
                for node in 0..store.node_count() {
                    self.slots[*slot] = node as Symbol;
                    if !self.run(rest) {
                        return false;
                    }
                }
                true
            }
            Step::Let { slot, term } => match value_of(term, &self.slots, self.interner) {
                Ok(symbol) => {
                    self.slots[*slot] = symbol;
                    self.run(rest)
                }
                Err(error) => self.with_error(error, Some(*slot), rest),
            },
            Step::Compare { left, operator, right } => {
                let ordering = value_of(left, &self.slots, self.interner).and_then(|left| {
                    let right = value_of(right, &self.slots, self.interner)?;
                    Ok(self.interner.compare(left, right))
                });
                match ordering {
                    Ok(ordering) => !compare(*operator, ordering) || self.run(rest),
                    Err(error) => self.with_error(error, None, rest),
                }
            }
            Step::Absent { access } => {
                let undefined = access
                    .key
                    .iter()
                    .any(|term| matches!(term, Term::Slot(slot) if self.undefined[*slot]));
                let table = store.rows_for_absence(access.relation, access.time);
                let all = 0..table.len() as RowIndex;
                let refuted = !undefined
                    && candidates(access, table, &all, &self.slots).any(|row| {
                        row_agrees(access, table.row(row), &self.slots, self.interner)
                            && store.refutes(access.relation, access.time, row)
                    });
                refuted || self.run(rest)
            }
        }
    }

    fn with_error(&mut self, error: ArithmeticError, slot: Option<Slot>, rest: &[Step]) -> bool {
        let outer = self.error.replace(self.error.unwrap_or(error));
        if let Some(slot) = slot {
            self.undefined[slot] = true;
        }
        let goes_on = self.run(rest);
        if let Some(slot) = slot {
            self.undefined[slot] = false;
        }
        self.error = outer;
        goes_on
    }
}
