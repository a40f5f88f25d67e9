//! Boolean formulas over numbered variables, in one shared graph.
//!
//! A [`Graph`] is an and-inverter graph with conjunctions of any width: a [`Literal`] is a node or
//! its negation, and a disjunction is the negation of a conjunction of negations. Equal
//! subformulas are one node, so the formulas of many runs share what they have in common.
//!
//! What makes it a graph of *lineage* is [`Graph::support`]: given the values of the variables in
//! one run, it keeps of the reasons for something to be there only those seen in that run (Alvaro
//! et al., SIGMOD 2015, section 4.2, generalised to negation): a formula over literals of both
//! polarities that is true in that run and sufficient for the original wherever it is true.
//!
//! This crate does not know what a variable stands for, and does not solve anything.

mod support;

pub use support::Reasons;

use std::fmt;
use std::hash::{BuildHasher, Hasher};

use hashbrown::HashTable;
use hashbrown::hash_table::Entry;
use rustc_hash::FxBuildHasher;
use smallvec::SmallVec;

/// A variable: in Linchpin, the index of a fault in a fault space.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Variable(pub u32);

/// A node of a [`Graph`] or its negation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Literal(u32);

impl Literal {
    /// The formula that is always true.
    pub const TRUE: Self = Self(0);
    /// The formula that is always false.
    pub const FALSE: Self = Self(1);

    fn new(node: NodeIndex, negated: bool) -> Self {
        Self(node.0 << 1 | u32::from(negated))
    }

    /// The node, whatever the sign.
    #[must_use]
    pub fn node(self) -> NodeIndex {
        NodeIndex(self.0 >> 1)
    }

    /// True if the literal is the negation of its node.
    #[must_use]
    pub fn is_negated(self) -> bool {
        self.0 & 1 == 1
    }

    /// True for [`Literal::TRUE`] and [`Literal::FALSE`].
    #[must_use]
    pub fn is_constant(self) -> bool {
        self.0 < 2
    }
}

impl std::ops::Not for Literal {
    type Output = Self;

    fn not(self) -> Self {
        Self(self.0 ^ 1)
    }
}

impl fmt::Debug for Literal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::TRUE => f.write_str("true"),
            Self::FALSE => f.write_str("false"),
            _ => write!(f, "{}{}", if self.is_negated() { "-" } else { "" }, self.node().0),
        }
    }
}

/// Index of a node in its [`Graph`]. A node comes after all the nodes it refers to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeIndex(u32);

impl NodeIndex {
    /// The node as an index into a vector with one entry per node.
    #[must_use]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Node<'a> {
    /// Always true (node 0 only).
    True,
    /// A variable.
    Variable(Variable),
    /// The conjunction of at least two literals, in ascending order, no node twice.
    And(&'a [Literal]),
}

#[derive(Clone, Copy)]
enum Stored {
    True,
    Variable(Variable),
    And { start: u32, end: u32 },
}

/// A growing collection of formulas that share their equal parts.
#[derive(Clone)]
pub struct Graph {
    nodes: Vec<Stored>,
    children: Vec<Literal>,
    /// By variable; [`Literal::TRUE`] where it was not met.
    variables: Vec<Literal>,
    /// The conjunctions, found by their children.
    conjunctions: HashTable<NodeIndex>,
    /// By literal: true if it says that something is absent. As long as needed.
    absences: Vec<bool>,
}

fn hash_of(children: &[Literal]) -> u64 {
    let mut hasher = FxBuildHasher.build_hasher();
    for child in children {
        hasher.write_u32(child.0);
    }
    hasher.finish()
}

impl Default for Graph {
    fn default() -> Self {
        Self {
            nodes: vec![Stored::True],
            children: Vec::new(),
            variables: Vec::new(),
            conjunctions: HashTable::new(),
            absences: Vec::new(),
        }
    }
}

impl fmt::Debug for Graph {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list()
            .entries((0..self.nodes.len() as u32).map(|i| self.node(NodeIndex(i))))
            .finish()
    }
}

impl Graph {
    /// A graph with only the constants.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The number of nodes.
    #[must_use]
    pub fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// What the node is.
    #[must_use]
    pub fn node(&self, node: NodeIndex) -> Node<'_> {
        match self.nodes[node.index()] {
            Stored::True => Node::True,
            Stored::Variable(variable) => Node::Variable(variable),
            Stored::And { start, end } => Node::And(&self.children[start as usize..end as usize]),
        }
    }

    fn push(&mut self, stored: Stored) -> Literal {
        let index = u32::try_from(self.nodes.len()).expect("fewer than 2^31 nodes fit in memory");
        assert!(index < 1 << 31, "formula graph overflow");
        self.nodes.push(stored);
        Literal::new(NodeIndex(index), false)
    }

    /// The formula that is one variable.
    pub fn variable(&mut self, variable: Variable) -> Literal {
        let place = variable.0 as usize;
        if place >= self.variables.len() {
            self.variables.resize(place + 1, Literal::TRUE);
        }
        if self.variables[place] == Literal::TRUE {
            self.variables[place] = self.push(Stored::Variable(variable));
        }
        self.variables[place]
    }

    /// The conjunction (true if there is nothing to conjoin).
    pub fn and(&mut self, literals: impl IntoIterator<Item = Literal>) -> Literal {
        let mut children: SmallVec<[Literal; 8]> = literals.into_iter().collect();
        self.conjoin(&mut children)
    }

    /// As [`Graph::and`]; uses the vector as working space.
    pub fn and_of(&mut self, children: &mut [Literal]) -> Literal {
        self.conjoin(children)
    }

    fn conjoin(&mut self, children: &mut [Literal]) -> Literal {
        // Constants sort first.
        children.sort_unstable();
        let mut kept = 0;
        for index in 0..children.len() {
            let child = children[index];
            if child == Literal::FALSE {
                return Literal::FALSE;
            }
            if child == Literal::TRUE || (kept > 0 && children[kept - 1] == child) {
                continue;
            }
            // A literal and its negation are neighbours: they differ in the last bit only.
            if kept > 0 && children[kept - 1] == !child {
                return Literal::FALSE;
            }
            children[kept] = child;
            kept += 1;
        }
        let children = &children[..kept];
        match *children {
            [] => return Literal::TRUE,
            [only] => return only,
            _ => {}
        }
        let (nodes, all) = (&self.nodes, &self.children);
        let stored = |node: &NodeIndex| match nodes[node.index()] {
            Stored::And { start, end } => &all[start as usize..end as usize],
            Stored::True | Stored::Variable(_) => unreachable!("only conjunctions are listed"),
        };
        let entry = self.conjunctions.entry(
            hash_of(children),
            |node| stored(node) == children,
            |node| hash_of(stored(node)),
        );
        match entry {
            Entry::Occupied(found) => Literal::new(*found.get(), false),
            Entry::Vacant(place) => {
                place.insert(NodeIndex(nodes.len() as u32));
                let start = self.children.len() as u32;
                self.children.extend_from_slice(children);
                self.push(Stored::And { start, end: self.children.len() as u32 })
            }
        }
    }

    /// The disjunction (false if there is nothing to disjoin).
    pub fn or(&mut self, literals: impl IntoIterator<Item = Literal>) -> Literal {
        !self.and(literals.into_iter().map(|literal| !literal))
    }

    /// As [`Graph::or`]; uses the vector as working space.
    pub fn or_of(&mut self, children: &mut [Literal]) -> Literal {
        for child in children.iter_mut() {
            *child = !*child;
        }
        !self.and_of(children)
    }

    /// True iff at least `count` of the literals are.
    ///
    /// Built as a table of about `count` times `literals.len()` nodes, which refer to the literals
    /// positively only.
    pub fn at_least(&mut self, count: usize, literals: &[Literal]) -> Literal {
        if count > literals.len() {
            return Literal::FALSE;
        }
        // row[k]: at least k of the literals seen so far.
        let mut row = vec![Literal::FALSE; count + 1];
        row[0] = Literal::TRUE;
        for &literal in literals {
            for k in (1..=count).rev() {
                let with = self.and([literal, row[k - 1]]);
                row[k] = self.or([row[k], with]);
            }
        }
        row[count]
    }

    /// The value of every node when the variables have the values given.
    #[must_use]
    pub fn evaluate(&self, value_of: impl Fn(Variable) -> bool) -> Values {
        let mut values: Vec<bool> = Vec::with_capacity(self.nodes.len());
        for index in 0..self.nodes.len() {
            let value = match self.node(NodeIndex(index as u32)) {
                Node::True => true,
                Node::Variable(variable) => value_of(variable),
                Node::And(children) => {
                    children.iter().all(|child| values[child.node().index()] != child.is_negated())
                }
            };
            values.push(value);
        }
        Values(values)
    }

    /// As [`Graph::evaluate`] under 64 assignments at once.
    #[must_use]
    pub fn evaluate_64(&self, value_of: impl Fn(Variable) -> u64) -> Values64 {
        let mut values = Values64(Vec::with_capacity(self.nodes.len()));
        for index in 0..self.nodes.len() {
            let value = match self.node(NodeIndex(index as u32)) {
                Node::True => u64::MAX,
                Node::Variable(variable) => value_of(variable),
                Node::And(children) => {
                    children.iter().fold(u64::MAX, |all, child| all & values.of(*child))
                }
            };
            values.0.push(value);
        }
        values
    }
}

/// The value of every node of a graph under 64 assignments of its variables, a bit each.
#[derive(Clone, Debug)]
pub struct Values64(Vec<u64>);

impl Values64 {
    /// Under which assignments the formula is true.
    #[must_use]
    pub fn of(&self, literal: Literal) -> u64 {
        let value = self.0[literal.node().index()];
        if literal.is_negated() { !value } else { value }
    }
}

/// The value of every node of a graph under one assignment of its variables.
#[derive(Clone, Debug)]
pub struct Values(Vec<bool>);

impl Values {
    /// The value of a formula. The graph may have grown since; the formula may not be newer.
    #[must_use]
    pub fn of(&self, literal: Literal) -> bool {
        self.0[literal.node().index()] != literal.is_negated()
    }
}

#[cfg(test)]
mod tests;
