//! Tables of rows: one relation at one time step.

use std::hash::{BuildHasher, Hasher};
use std::ops::Range;

use hashbrown::HashTable;
use rustc_hash::FxBuildHasher;
use smallvec::SmallVec;

use crate::value::Symbol;

/// Position of a row in its table.
pub(crate) type RowIndex = u32;

fn hash_of(symbols: impl IntoIterator<Item = Symbol>) -> u64 {
    let mut hasher = FxBuildHasher.build_hasher();
    for symbol in symbols {
        hasher.write_u32(symbol);
    }
    hasher.finish()
}

/// A set of rows in order of insertion, with indexes on columns.
#[derive(Clone, Debug)]
pub(crate) struct Table {
    arity: usize,
    cells: Vec<Symbol>,
    rows: HashTable<RowIndex>,
    indexes: Vec<Index>,
}

/// The rows that share a key, in ascending order.
#[derive(Clone, Debug)]
struct Bucket {
    rows: SmallVec<[RowIndex; 4]>,
}

#[derive(Clone, Debug)]
struct Index {
    columns: Box<[usize]>,
    buckets: HashTable<Bucket>,
    /// Rows before this one are in the index.
    indexed: usize,
}

impl Table {
    /// An empty table with these indexes (each a list of columns).
    pub(crate) fn new(arity: usize, indexes: &[Box<[usize]>]) -> Self {
        let indexes = indexes
            .iter()
            .map(|columns| Index {
                columns: columns.clone(),
                buckets: HashTable::new(),
                indexed: 0,
            })
            .collect();
        Self { arity, cells: Vec::new(), rows: HashTable::new(), indexes }
    }

    pub(crate) fn len(&self) -> usize {
        self.rows.len()
    }

    pub(crate) fn row(&self, index: RowIndex) -> &[Symbol] {
        let start = index as usize * self.arity;
        &self.cells[start..start + self.arity]
    }

    pub(crate) fn rows(&self) -> impl ExactSizeIterator<Item = &[Symbol]> {
        self.cells.chunks_exact(self.arity)
    }

    pub(crate) fn find(&self, row: &[Symbol]) -> Option<RowIndex> {
        let hash = hash_of(row.iter().copied());
        self.rows.find(hash, |&index| self.row(index) == row).copied()
    }

    /// Adds a row; returns its place and whether it is new.
    pub(crate) fn insert(&mut self, row: &[Symbol]) -> (RowIndex, bool) {
        debug_assert_eq!(row.len(), self.arity);
        let hash = hash_of(row.iter().copied());
        let (cells, arity) = (&self.cells, self.arity);
        let row_at = |index: RowIndex| {
            let start = index as usize * arity;
            &cells[start..start + arity]
        };
        let entry = self.rows.entry(
            hash,
            |&index| row_at(index) == row,
            |&index| hash_of(row_at(index).iter().copied()),
        );
        match entry {
            hashbrown::hash_table::Entry::Occupied(found) => (*found.get(), false),
            hashbrown::hash_table::Entry::Vacant(place) => {
                let index = (self.cells.len() / self.arity) as RowIndex;
                place.insert(index);
                self.cells.extend_from_slice(row);
                (index, true)
            }
        }
    }

    /// Brings an index up to date. Must be called before [`Table::probe`] after insertions.
    pub(crate) fn refresh_index(&mut self, index: usize) {
        let (cells, arity) = (&self.cells, self.arity);
        let row_count = cells.len() / arity;
        let Index { columns, buckets, indexed } = &mut self.indexes[index];
        let key = |row: RowIndex| {
            let start = row as usize * arity;
            columns.iter().map(move |column| cells[start + column])
        };
        for row in *indexed as RowIndex..row_count as RowIndex {
            let entry = buckets.entry(
                hash_of(key(row)),
                |bucket| key(bucket.rows[0]).eq(key(row)),
                |bucket| hash_of(key(bucket.rows[0])),
            );
            match entry {
                hashbrown::hash_table::Entry::Occupied(mut found) => found.get_mut().rows.push(row),
                hashbrown::hash_table::Entry::Vacant(place) => {
                    place.insert(Bucket { rows: SmallVec::from_slice(&[row]) });
                }
            }
        }
        *indexed = row_count;
    }

    /// The rows in `range` whose indexed columns have these values, in ascending order.
    pub(crate) fn probe(
        &self,
        index: usize,
        key: &[Symbol],
        range: &Range<RowIndex>,
    ) -> &[RowIndex] {
        let index = &self.indexes[index];
        debug_assert_eq!(index.indexed, self.len(), "index out of date");
        let found = index.buckets.find(hash_of(key.iter().copied()), |bucket| {
            let row = self.row(bucket.rows[0]);
            index.columns.iter().map(|&column| row[column]).eq(key.iter().copied())
        });
        let Some(bucket) = found else { return &[] };
        let rows = &bucket.rows[..];
        let start = rows.partition_point(|&row| row < range.start);
        let end = rows.partition_point(|&row| row < range.end);
        &rows[start..end]
    }
}
