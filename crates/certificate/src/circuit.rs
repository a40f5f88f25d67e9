//! Definitions: conjunctions and disjunctions of literals, each with a variable of its own.

use indexmap::IndexSet;
use linchpin_proof::Cnf;
use rustc_hash::{FxBuildHasher, FxHashMap};

/// A variable (numbered from 1) or, if negative, its negation: as in DIMACS.
pub(crate) type Literal = i32;

/// What a variable is.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
enum Definition {
    /// Free: the solver chooses.
    Choice,
    /// True iff all are.
    And(Vec<Literal>),
    /// True iff some is.
    Or(Vec<Literal>),
}

/// Each literal once: not every checker of proofs bears a clause that says something twice. (One of
/// those in use watches the same literal twice then, and never sees that the clause is unit: without
/// this it refuses the right proof of random program 101436.)
fn distinct(literals: Vec<Literal>) -> Vec<Literal> {
    let distinct: IndexSet<Literal, FxBuildHasher> = literals.into_iter().collect();
    distinct.into_iter().collect()
}

/// A list of variables, each a free choice or defined in terms of variables before it.
///
/// So any choice of the free variables determines all others.
#[derive(Clone, Debug, Default)]
pub(crate) struct Circuit {
    definitions: Vec<Definition>,
    /// Conjunctions and disjunctions without a name, each once.
    anonymous: FxHashMap<Definition, Literal>,
    /// What named variables stand for.
    names: FxHashMap<Literal, String>,
    size: usize,
}

impl Circuit {
    /// A free variable.
    pub(crate) fn choice(&mut self, name: String) -> Literal {
        self.add(Definition::Choice, Some(name))
    }

    /// A variable that is true iff all the literals are.
    pub(crate) fn and(&mut self, literals: Vec<Literal>) -> Literal {
        self.shared(Definition::And(distinct(literals)))
    }

    /// A variable that is true iff some literal is.
    pub(crate) fn or(&mut self, literals: Vec<Literal>) -> Literal {
        self.shared(Definition::Or(distinct(literals)))
    }

    /// As [`Circuit::and`], with a variable that has a name.
    pub(crate) fn named_and(&mut self, name: String, literals: Vec<Literal>) -> Literal {
        self.add(Definition::And(distinct(literals)), Some(name))
    }

    /// As [`Circuit::or`], with a variable that has a name.
    pub(crate) fn named_or(&mut self, name: String, literals: Vec<Literal>) -> Literal {
        self.add(Definition::Or(distinct(literals)), Some(name))
    }

    /// The same conjunction or disjunction is not written twice, and that of one literal is that
    /// literal.
    fn shared(&mut self, definition: Definition) -> Literal {
        if let Definition::And(literals) | Definition::Or(literals) = &definition
            && let [literal] = literals[..]
        {
            return literal;
        }
        if let Some(&literal) = self.anonymous.get(&definition) {
            return literal;
        }
        let literal = self.add(definition.clone(), None);
        self.anonymous.insert(definition, literal);
        literal
    }

    fn add(&mut self, definition: Definition, name: Option<String>) -> Literal {
        if let Definition::And(literals) | Definition::Or(literals) = &definition {
            self.size += literals.len();
        }
        self.size += 1;
        self.definitions.push(definition);
        let literal = Literal::try_from(self.definitions.len()).expect("fewer than 2^31 variables");
        if let Some(name) = name {
            self.names.insert(literal, name);
        }
        literal
    }

    /// Entry k is true iff at least k of the literals are; up to their number.
    pub(crate) fn at_least(&mut self, literals: &[Literal]) -> Vec<Literal> {
        // row[k]: at least k of the literals seen so far.
        let mut row = vec![self.and(Vec::new())];
        for &literal in literals {
            let mut next = vec![row[0]];
            for k in 1..=row.len() {
                let one_more = self.and(vec![row[k - 1], literal]);
                next.push(match row.get(k) {
                    Some(&already) => self.or(vec![already, one_more]),
                    None => one_more,
                });
            }
            row = next;
        }
        row
    }

    /// Variables and literals in all definitions.
    pub(crate) fn size(&self) -> usize {
        self.size
    }

    pub(crate) fn variable_count(&self) -> usize {
        self.definitions.len()
    }

    /// What a variable stands for.
    pub(crate) fn name(&self, variable: Literal) -> &str {
        let unnamed = match &self.definitions[variable as usize - 1] {
            Definition::Choice => "choice",
            Definition::And(_) => "and",
            Definition::Or(_) => "or",
        };
        self.names.get(&variable).map_or(unnamed, String::as_str)
    }

    /// The value of every variable, in order, if free ones have the values given.
    pub(crate) fn evaluate(&self, choose: impl Fn(Literal) -> bool) -> Vec<bool> {
        let mut values: Vec<bool> = Vec::with_capacity(self.definitions.len());
        for (index, definition) in self.definitions.iter().enumerate() {
            let value = match definition {
                Definition::Choice => choose(index as Literal + 1),
                Definition::And(literals) => {
                    literals.iter().all(|&literal| holds(&values, literal))
                }
                Definition::Or(literals) => literals.iter().any(|&literal| holds(&values, literal)),
            };
            values.push(value);
        }
        values
    }

    /// The clauses that say what every definition says, in both directions.
    pub(crate) fn clauses(&self) -> Cnf {
        let mut cnf = Cnf::new(self.definitions.len());
        for (index, definition) in self.definitions.iter().enumerate() {
            let itself = index as Literal + 1;
            // A disjunction is the negation of a conjunction of negations.
            let (literals, sign) = match definition {
                Definition::Choice => continue,
                Definition::And(literals) => (literals, 1),
                Definition::Or(literals) => (literals, -1),
            };
            for &literal in literals {
                cnf.add(&[-sign * itself, sign * literal]);
            }
            let mut clause = vec![sign * itself];
            clause.extend(literals.iter().map(|literal| -sign * literal));
            cnf.add(&clause);
        }
        cnf
    }
}

/// The value of a literal.
pub(crate) fn holds(values: &[bool], literal: Literal) -> bool {
    values[literal.unsigned_abs() as usize - 1] == (literal > 0)
}
