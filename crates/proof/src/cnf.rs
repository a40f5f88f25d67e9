//! Formulas in conjunctive normal form, and their text.

use std::fmt::Write;

/// A formula: the conjunction of its clauses, each a disjunction of literals.
///
/// Variables are numbered from 1; a literal is a variable's number, or its negative.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Cnf {
    variable_count: usize,
    literals: Vec<i32>,
    /// Where each clause ends in `literals`.
    ends: Vec<usize>,
}

impl Cnf {
    /// A formula without clauses over the variables 1..=`variable_count`.
    #[must_use]
    pub fn new(variable_count: usize) -> Self {
        Self { variable_count, ..Self::default() }
    }

    /// Adds a clause. A variable that exceeds all before it adds to their number.
    pub fn add(&mut self, clause: &[i32]) {
        for literal in clause {
            self.variable_count = self.variable_count.max(literal.unsigned_abs() as usize);
        }
        self.literals.extend_from_slice(clause);
        self.ends.push(self.literals.len());
    }

    /// The number of variables.
    #[must_use]
    pub fn variable_count(&self) -> usize {
        self.variable_count
    }

    /// The number of clauses.
    #[must_use]
    pub fn clause_count(&self) -> usize {
        self.ends.len()
    }

    /// The clauses, in order.
    pub fn clauses(&self) -> impl Iterator<Item = &[i32]> {
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).map(|(start, &end)| &self.literals[start..end])
    }

    /// The formula as a DIMACS file.
    #[must_use]
    pub fn to_dimacs(&self) -> String {
        let mut text = format!("p cnf {} {}\n", self.variable_count, self.ends.len());
        for clause in self.clauses() {
            push_clause(&mut text, clause);
        }
        text
    }
}

/// Writes literals, a zero, and the end of the line.
pub(crate) fn push_clause(text: &mut String, clause: &[i32]) {
    for literal in clause {
        write!(text, "{literal} ").expect("strings can be written to");
    }
    text.push_str("0\n");
}
