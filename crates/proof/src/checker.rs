//! An independent checker of clausal proofs.
//!
//! Forward, by reverse unit propagation: a clause follows if assuming all its literals false leads,
//! by unit propagation over the clauses present, to a conflict. Units are found by watching two
//! literals of each clause. What propagation alone derives is kept for good, also if a clause it was
//! derived from is deleted: it follows all the same, since every clause present ever follows from the
//! formula.

use std::collections::BTreeMap;

use crate::cnf::Cnf;
use crate::error::ProofError;
use crate::steps::Step;

/// Clauses, and whether they are known to contradict each other.
#[derive(Clone, Debug, Default)]
pub struct Checker {
    clauses: Vec<Vec<i32>>,
    /// Where each clause is, by its literals in order.
    places: BTreeMap<Vec<i32>, Vec<usize>>,
    deleted: Vec<bool>,
    /// The clauses that watch a literal (by [`index`]), to be visited when it becomes false.
    watches: Vec<Vec<usize>>,
    /// The value of each literal (by [`index`]).
    values: Vec<Option<bool>>,
    /// The literals that are true, in order of assignment.
    trail: Vec<i32>,
    /// How much of the trail was propagated.
    propagated: usize,
    contradiction: bool,
}

/// The place of a literal in a vector: 1, -1, 2, -2, ...
fn index(literal: i32) -> usize {
    2 * (literal.unsigned_abs() as usize - 1) + usize::from(literal < 0)
}

impl Checker {
    /// A checker that knows no clause.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A checker that knows the clauses of a formula.
    #[must_use]
    pub fn of(cnf: &Cnf) -> Self {
        let mut checker = Self::new();
        checker.grow(cnf.variable_count());
        for clause in cnf.clauses() {
            checker.add(clause);
        }
        checker
    }

    /// Makes room for so many variables.
    fn grow(&mut self, variables: usize) {
        if self.values.len() < 2 * variables {
            self.values.resize(2 * variables, None);
            self.watches.resize(2 * variables, Vec::new());
        }
    }

    /// Takes a clause as given.
    pub fn add(&mut self, clause: &[i32]) {
        let mut clause = clause.to_vec();
        clause.sort_unstable();
        clause.dedup();
        if let (Some(first), Some(last)) = (clause.first(), clause.last()) {
            let variables = first.unsigned_abs().max(last.unsigned_abs()) as usize;
            self.grow(variables);
        }
        let place = self.clauses.len();
        self.places.entry(clause.clone()).or_default().push(place);
        // Literals that are not false first: two of them are watched.
        clause.sort_by_key(|&literal| self.value(literal) == Some(false));
        let open = clause.iter().filter(|&&literal| self.value(literal) != Some(false)).count();
        match open {
            0 => self.contradiction = true,
            1 => {
                if self.value(clause[0]).is_none() {
                    self.assign(clause[0]);
                    self.contradiction |= !self.propagate();
                }
            }
            _ => {
                self.watches[index(clause[0])].push(place);
                self.watches[index(clause[1])].push(place);
            }
        }
        self.clauses.push(clause);
        self.deleted.push(false);
    }

    /// Forgets a clause; false if it is not there.
    pub fn delete(&mut self, clause: &[i32]) -> bool {
        let mut clause = clause.to_vec();
        clause.sort_unstable();
        clause.dedup();
        let Some(places) = self.places.get_mut(&clause) else { return false };
        let Some(place) = places.pop() else { return false };
        if places.is_empty() {
            self.places.remove(&clause);
        }
        self.deleted[place] = true;
        self.clauses[place] = Vec::new();
        true
    }

    /// Does the clause follow from those present by unit propagation?
    #[must_use]
    pub fn follows(&mut self, clause: &[i32]) -> bool {
        if self.contradiction {
            return true;
        }
        let kept = self.trail.len();
        let mut conflict = false;
        for &literal in clause {
            if index(literal) >= self.values.len() {
                continue; // No clause speaks of it.
            }
            match self.value(literal) {
                Some(true) => conflict = true,
                Some(false) => {}
                None => self.assign(-literal),
            }
        }
        let conflict = conflict || !self.propagate();
        for literal in self.trail.split_off(kept) {
            self.values[index(literal)] = None;
            self.values[index(-literal)] = None;
        }
        self.propagated = kept;
        conflict
    }

    /// Are the clauses known to contradict each other?
    #[must_use]
    pub fn is_contradiction(&self) -> bool {
        self.contradiction
    }

    /// Checks that the steps of a proof follow one from the other and end in the empty clause.
    ///
    /// # Errors
    /// The first step that is wrong.
    pub fn check(&mut self, steps: &[Step]) -> Result<(), ProofError> {
        let known = self.values.len();
        for (number, step) in steps.iter().enumerate() {
            let step_number = number + 1;
            let (Step::Add(clause) | Step::Delete(clause)) = step;
            if clause.iter().any(|&literal| index(literal) >= known) {
                return Err(ProofError::UnknownVariable { step: step_number });
            }
            match step {
                Step::Add(clause) => {
                    if !self.follows(clause) {
                        return Err(ProofError::DoesNotFollow { step: step_number });
                    }
                    self.add(clause);
                }
                Step::Delete(clause) => {
                    if !self.delete(clause) {
                        return Err(ProofError::NothingToDelete { step: step_number });
                    }
                }
            }
        }
        match steps.last() {
            Some(Step::Add(clause)) if clause.is_empty() => Ok(()),
            _ => Err(ProofError::NoContradiction),
        }
    }

    fn value(&self, literal: i32) -> Option<bool> {
        self.values[index(literal)]
    }

    fn assign(&mut self, literal: i32) {
        self.values[index(literal)] = Some(true);
        self.values[index(-literal)] = Some(false);
        self.trail.push(literal);
    }

    /// Draws every conclusion from single open literals; false at a conflict.
    fn propagate(&mut self) -> bool {
        while let Some(&literal) = self.trail.get(self.propagated) {
            self.propagated += 1;
            let falsified = -literal;
            let watching = std::mem::take(&mut self.watches[index(falsified)]);
            let mut kept = Vec::with_capacity(watching.len());
            let mut conflict = false;
            for (position, &place) in watching.iter().enumerate() {
                if self.deleted[place] {
                    continue;
                }
                match self.visit(place, falsified) {
                    Visit::Moved => {}
                    Visit::Stays => kept.push(place),
                    Visit::Conflict => {
                        kept.extend_from_slice(&watching[position..]);
                        conflict = true;
                        break;
                    }
                }
            }
            self.watches[index(falsified)] = kept;
            if conflict {
                return false;
            }
        }
        true
    }

    /// A watched literal of a clause (one of its first two) became false.
    fn visit(&mut self, place: usize, falsified: i32) -> Visit {
        let clause = &mut self.clauses[place];
        if clause[0] == falsified {
            clause.swap(0, 1);
        }
        let other = clause[0];
        let values = &self.values;
        if values[index(other)] == Some(true) {
            return Visit::Stays;
        }
        let open = (2..clause.len()).find(|&next| values[index(clause[next])] != Some(false));
        if let Some(next) = open {
            clause.swap(1, next);
            self.watches[index(clause[1])].push(place);
            return Visit::Moved;
        }
        if values[index(other)] == Some(false) {
            return Visit::Conflict;
        }
        self.assign(other);
        Visit::Stays
    }
}

enum Visit {
    /// Another literal is watched now.
    Moved,
    /// The literal stays watched.
    Stays,
    /// Every literal of the clause is false.
    Conflict,
}
