//! One run in full: its tables, messages and lineage, in terms of the program.

use linchpin_dedalus::hir::{RelationId, RuleId, Value};
use linchpin_model::{Fault, FaultSet, Outcome};

/// Index into [`Execution::facts`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FactId(pub u32);

/// Everything about one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Execution {
    /// The faults of the run.
    pub faults: FaultSet,
    /// How it ended.
    pub outcome: Outcome,
    /// Every row at every time step, ordered by time, relation, row. The built-in `crash` stands
    /// at time 1 only, though it holds throughout.
    pub facts: Vec<Fact>,
    /// Every way in which a fact was derived, ordered by fact. A fact without one was given.
    pub derivations: Vec<Derivation>,
    /// Every fact that is there because its node was down at the step before, when its state stood
    /// still; each with the same fact at that step. Ordered by fact.
    pub kept: Vec<(FactId, FactId)>,
    /// Every message sent from one node to another or to itself, ordered by time.
    pub messages: Vec<Message>,
}

/// A row of a relation at a time step.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fact {
    /// The time step (1-based).
    pub time: u32,
    /// The relation.
    pub relation: RelationId,
    /// One value per column; the first is the location.
    pub row: Vec<Value>,
}

/// One way in which a fact came about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Derivation {
    /// The fact derived.
    pub fact: FactId,
    /// By which rule.
    pub rule: RuleId,
    /// The facts it was derived from. For an aggregate: those of all members.
    pub premises: Vec<FactId>,
    /// What had to be absent.
    pub absences: Vec<Absence>,
}

/// Rows that had to be absent, and were.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Absence {
    /// The time step.
    pub time: u32,
    /// The relation.
    pub relation: RelationId,
    /// One entry per column; `None` is any value.
    pub row: Vec<Option<Value>>,
}

/// A row sent over a channel.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Message {
    /// Time step of sending.
    pub at: u32,
    /// The sending node; `None` if the rule is global.
    pub from: Option<String>,
    /// The receiving node.
    pub to: String,
    /// The relation.
    pub relation: RelationId,
    /// The row.
    pub row: Vec<Value>,
    /// The rule that sent it.
    pub rule: RuleId,
    /// The fault that took it, if it was lost.
    pub lost_to: Option<Fault>,
    /// When it arrives, if it was not lost: at the next step, or later because of a delay; perhaps
    /// after the end of the run.
    pub arrives: Option<u32>,
}

impl Execution {
    /// The fact with this id.
    #[must_use]
    pub fn fact(&self, id: FactId) -> &Fact {
        &self.facts[id.0 as usize]
    }

    /// The rows of a relation at a time step, in order.
    pub fn rows(&self, relation: RelationId, time: u32) -> impl Iterator<Item = &[Value]> {
        let start =
            self.facts.partition_point(|fact| (fact.time, fact.relation) < (time, relation));
        self.facts[start..]
            .iter()
            .take_while(move |fact| (fact.time, fact.relation) == (time, relation))
            .map(|fact| fact.row.as_slice())
    }

    /// The ways in which a fact was derived.
    #[must_use]
    pub fn derivations_of(&self, fact: FactId) -> &[Derivation] {
        let start = self.derivations.partition_point(|derivation| derivation.fact < fact);
        let end = self.derivations.partition_point(|derivation| derivation.fact <= fact);
        &self.derivations[start..end]
    }
}
