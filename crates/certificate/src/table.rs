//! The possible rows of one relation at one time step.

use indexmap::IndexSet;
use rustc_hash::{FxBuildHasher, FxHashMap};

use crate::value::{Row, ValueId};

/// The number of a row in its table.
pub(crate) type RowNumber = usize;

/// Rows in order of arrival, each once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    rows: IndexSet<Row, FxBuildHasher>,
    /// The rows that have a value in a column.
    by_cell: FxHashMap<(usize, ValueId), Vec<RowNumber>>,
}

impl Table {
    /// Adds a row; true if it is new.
    pub(crate) fn insert(&mut self, row: Row) -> bool {
        let (number, new) = self.rows.insert_full(row);
        if new {
            for (column, &cell) in self.rows[number].iter().enumerate() {
                self.by_cell.entry((column, cell)).or_default().push(number);
            }
        }
        new
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn row(&self, number: RowNumber) -> &[ValueId] {
        &self.rows[number]
    }

    pub(crate) fn number(&self, row: &[ValueId]) -> Option<RowNumber> {
        self.rows.get_index_of(row)
    }

    /// Rows among which are all that have the values given: those of the rarest of them.
    pub(crate) fn candidates(&self, known: &[(usize, ValueId)]) -> Vec<RowNumber> {
        known
            .iter()
            .map(|cell| self.by_cell.get(cell).map_or(&[][..], |rows| rows))
            .min_by_key(|rows| rows.len())
            .map_or_else(|| (0..self.rows.len()).collect(), <[RowNumber]>::to_vec)
    }
}
