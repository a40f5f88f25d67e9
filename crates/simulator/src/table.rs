//! Tables of rows: one relation at one time step.

use std::hash::{BuildHasher, Hasher};
use std::ops::Range;

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use rustc_hash::FxBuildHasher;
use smallvec::SmallVec;

use crate::value::Symbol;

/// Position of a row in its table.
pub(crate) type RowIndex = u32;

/// Tables of at most so many rows have no indexes: looking at every row is faster.
const SMALL: usize = 8;

fn hash_of(symbols: impl IntoIterator<Item = Symbol>) -> u64 {
    let mut hasher = FxBuildHasher.build_hasher();
    for symbol in symbols {
        hasher.write_u32(symbol);
    }
    hasher.finish()
}

/// A set of rows in order of insertion, with indexes on columns.
///
/// An empty table owns no memory: most relations are empty at most time steps.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    arity: u32,
    length: u32,
    cells: Vec<Symbol>,
    /// Unless the table is small.
    lookup: Option<Box<Lookup>>,
}

/// How the rows of a table that is not small are found.
#[derive(Clone, Debug, Default)]
struct Lookup {
    rows: HashTable<RowIndex>,
    indexes: Vec<Index>,
}

/// The rows that share a key, in ascending order.
#[derive(Clone, Debug)]
struct Bucket {
    rows: SmallVec<[RowIndex; 4]>,
}

#[derive(Clone, Debug, Default)]
struct Index {
    buckets: HashTable<Bucket>,
    /// Rows before this one are in the index.
    indexed: usize,
}

impl Table {
    pub(crate) fn new(arity: usize) -> Self {
        Self { arity: arity as u32, length: 0, cells: Vec::new(), lookup: None }
    }

    pub(crate) fn len(&self) -> usize {
        self.length as usize
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.length == 0
    }

    /// True if the table has no indexes.
    pub(crate) fn is_small(&self) -> bool {
        self.lookup.is_none()
    }

    pub(crate) fn row(&self, index: RowIndex) -> &[Symbol] {
        let arity = self.arity as usize;
        let start = index as usize * arity;
        &self.cells[start..start + arity]
    }

    pub(crate) fn rows(&self) -> impl ExactSizeIterator<Item = &[Symbol]> {
        self.cells.chunks_exact(self.arity as usize)
    }

    pub(crate) fn find(&self, row: &[Symbol]) -> Option<RowIndex> {
        match &self.lookup {
            None => self.rows().position(|known| known == row).map(|index| index as RowIndex),
            Some(lookup) => {
                let hash = hash_of(row.iter().copied());
                lookup.rows.find(hash, |&index| self.row(index) == row).copied()
            }
        }
    }

    /// Adds a row; returns its place and whether it is new.
    pub(crate) fn insert(&mut self, row: &[Symbol]) -> (RowIndex, bool) {
        debug_assert_eq!(row.len(), self.arity as usize);
        let next = self.length;
        match &mut self.lookup {
            None => {
                if let Some(known) = self.find(row) {
                    return (known, false);
                }
            }
            Some(lookup) => {
                let (cells, arity) = (&self.cells, self.arity as usize);
                let row_at = |index: RowIndex| {
                    let start = index as usize * arity;
                    &cells[start..start + arity]
                };
                let entry = lookup.rows.entry(
                    hash_of(row.iter().copied()),
                    |&index| row_at(index) == row,
                    |&index| hash_of(row_at(index).iter().copied()),
                );
                match entry {
                    Entry::Occupied(found) => return (*found.get(), false),
                    Entry::Vacant(place) => place.insert(next),
                };
            }
        }
        self.cells.extend_from_slice(row);
        self.length += 1;
        if self.lookup.is_none() && self.len() > SMALL {
            self.outgrow();
        }
        (next, true)
    }

    /// The table is no longer small.
    fn outgrow(&mut self) {
        let mut lookup = Box::new(Lookup::default());
        let hash = |index: RowIndex| hash_of(self.row(index).iter().copied());
        for index in 0..self.length {
            lookup.rows.insert_unique(hash(index), index, |&index| hash(index));
        }
        self.lookup = Some(lookup);
    }

    /// Brings the index with this number, on these columns, up to date. Must be called before
    /// [`Table::probe`] after insertions.
    pub(crate) fn refresh_index(&mut self, index: usize, columns: &[usize]) {
        let Some(lookup) = &mut self.lookup else { return };
        let (cells, arity) = (&self.cells, self.arity as usize);
        if index >= lookup.indexes.len() {
            lookup.indexes.resize(index + 1, Index::default());
        }
        let Index { buckets, indexed } = &mut lookup.indexes[index];
        let key = |row: RowIndex| {
            let start = row as usize * arity;
            columns.iter().map(move |column| cells[start + column])
        };
        for row in *indexed as RowIndex..self.length {
            let entry = buckets.entry(
                hash_of(key(row)),
                |bucket| key(bucket.rows[0]).eq(key(row)),
                |bucket| hash_of(key(bucket.rows[0])),
            );
            match entry {
                Entry::Occupied(mut found) => found.get_mut().rows.push(row),
                Entry::Vacant(place) => {
                    place.insert(Bucket { rows: SmallVec::from_slice(&[row]) });
                }
            }
        }
        *indexed = self.length as usize;
    }

    /// The rows in `range` whose `columns` (those of the index) have these values, in ascending
    /// order. The table must not be small.
    pub(crate) fn probe(
        &self,
        index: usize,
        columns: &[usize],
        key: &[Symbol],
        range: &Range<RowIndex>,
    ) -> &[RowIndex] {
        let lookup = self.lookup.as_ref().expect("the table is not small");
        let index = &lookup.indexes[index];
        debug_assert_eq!(index.indexed, self.len(), "index out of date");
        let found = index.buckets.find(hash_of(key.iter().copied()), |bucket| {
            let row = self.row(bucket.rows[0]);
            columns.iter().map(|&column| row[column]).eq(key.iter().copied())
        });
        let Some(bucket) = found else { return &[] };
        let rows = &bucket.rows[..];
        let start = rows.partition_point(|&row| row < range.start);
        let end = rows.partition_point(|&row| row < range.end);
        &rows[start..end]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_and_large_tables_find_the_same() {
        let mut table = Table::new(2);
        for value in 0..40u32 {
            let row = [value % 3, value];
            assert_eq!(table.find(&row), None);
            assert_eq!(table.insert(&row), (value, true));
            assert_eq!(table.insert(&row), (value, false));
            assert_eq!(table.is_small(), table.len() <= SMALL);
            table.refresh_index(0, &[0]);
            let all = 0..table.len() as RowIndex;
            if !table.is_small() {
                let found = table.probe(0, &[0], &[1], &all);
                assert!(found.iter().copied().eq(all.clone().filter(|row| row % 3 == 1)));
            }
            assert!(all.clone().all(|index| table.find(table.row(index)) == Some(index)));
        }
    }
}
