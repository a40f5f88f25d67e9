//! A program as a list of clauses that can be taken apart, with its bounds.

use std::fmt;

use linchpin_model::{Bounds, Invariant};

/// A clause of a program, as text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Clause {
    Fact(String),
    Rule { head: String, body: Vec<String> },
}

impl fmt::Display for Clause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Fact(fact) => write!(f, "{fact};"),
            Self::Rule { head, body } => write!(f, "{head} :- {};", body.join(", ")),
        }
    }
}

/// A program, bounds and an invariant.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    pub(crate) clauses: Vec<Clause>,
    pub(crate) bounds: Bounds,
    pub(crate) invariant: Invariant,
}

impl Case {
    pub(crate) fn program(&self) -> String {
        self.clauses.iter().map(|clause| format!("{clause}\n")).collect()
    }
}

/// As a file of the corpus.
impl fmt::Display for Case {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Bounds { eot, eff, crashes, nodes } = &self.bounds;
        writeln!(f, "//! eot = {eot}\n//! eff = {eff}\n//! crashes = {crashes}")?;
        writeln!(f, "//! nodes = {nodes:?}\n//! invariant = \"{}\"\n", self.invariant)?;
        f.write_str(&self.program())
    }
}
