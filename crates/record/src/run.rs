//! `runs.jsonl` and `runs/N.json`: what happened in each run.

use linchpin_model::{Fault, FaultSet, InputValue, Memo, Outcome};
use serde::{Deserialize, Serialize};

use crate::{Value, wire};

/// The value of [`Run::schema`].
pub const RUN_SCHEMA: &str = "linchpin.run/1";

/// A line of `runs.jsonl`: a run that ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RunSummary {
    /// Its number: 0 is the failure-free run.
    pub run: u64,
    /// Its faults, by time.
    #[serde(with = "wire::faults")]
    pub faults: FaultSet,
    /// How it ended.
    #[serde(with = "wire::outcome")]
    pub outcome: Outcome,
    /// Where something was sent: sender, receiver, time. Only if the search needs it to go on without
    /// making the run again.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub channels: Option<Vec<(String, String, u32)>>,
    /// The rows achieved by the run without faults, if other runs are judged by them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub achieved: Option<Vec<Vec<Value>>>,
}

impl RunSummary {
    /// A run of which only the outcome is known.
    #[must_use]
    pub fn new(run: u64, faults: FaultSet, outcome: Outcome) -> Self {
        Self { run, faults, outcome, channels: None, achieved: None }
    }

    /// The same with what a search needs to go on without making the run again.
    #[must_use]
    pub fn with_memo(self, memo: &Memo) -> Self {
        let value = |value: &InputValue| match value {
            InputValue::Integer(integer) => Value::Integer(*integer),
            InputValue::String(text) => Value::Text(text.clone()),
        };
        let row = |row: &Vec<InputValue>| row.iter().map(value).collect();
        let achieved = memo.achieved.as_ref().map(|rows| rows.iter().map(row).collect());
        Self { channels: memo.channels.clone(), achieved, ..self }
    }

    /// What a search needs to go on without making the run again.
    #[must_use]
    pub fn memo(&self) -> Memo {
        let value = |value: &Value| match value {
            Value::Integer(integer) => InputValue::Integer(*integer),
            Value::Text(text) => InputValue::String(text.clone()),
        };
        let row = |row: &Vec<Value>| row.iter().map(value).collect();
        let achieved = self.achieved.as_ref().map(|rows| rows.iter().map(row).collect());
        Memo { channels: self.channels.clone(), achieved }
    }
}

/// `runs/N.json`: a run with what is needed to redraw it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// [`RUN_SCHEMA`].
    pub schema: String,
    /// Its number.
    pub run: u64,
    /// Its faults, by time.
    #[serde(with = "wire::faults")]
    pub faults: FaultSet,
    /// How it ended.
    #[serde(with = "wire::outcome")]
    pub outcome: Outcome,
    /// How much of the run is here.
    pub detail: Detail,
    /// Rows and when they held, ordered by time, relation and row.
    pub facts: Vec<Fact>,
    /// Every way in which a fact came about, ordered by fact. A fact without one was given by the
    /// specification.
    pub derivations: Vec<Derivation>,
    /// Every fact that holds because its node was down at the step before and its state stood
    /// still, ordered by fact.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub kept: Vec<Kept>,
    /// Every message sent, ordered by time.
    pub messages: Vec<Message>,
}

/// How much of a run is recorded.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Detail {
    /// Every fact, derivation and message.
    Full,
    /// Every message, and the facts of the relations the invariant is made of; no derivation.
    Diagram,
}

/// A row of a relation at a time step.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Fact {
    /// The time step (from 1).
    pub time: u32,
    /// The relation.
    pub relation: u32,
    /// One value per column.
    pub row: Vec<Value>,
}

/// One way in which a fact came about.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Derivation {
    /// Index into [`Run::facts`].
    pub fact: u32,
    /// The rule.
    pub rule: u32,
    /// The facts it came from: indexes into [`Run::facts`].
    pub premises: Vec<u32>,
    /// What had to be absent, and was.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub absences: Vec<Absence>,
}

/// A fact that holds because its node was down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Kept {
    /// Index into [`Run::facts`].
    pub fact: u32,
    /// The same row one step earlier: index into [`Run::facts`].
    pub before: u32,
}

/// Rows that had to be absent.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Absence {
    /// The time step.
    pub time: u32,
    /// The relation.
    pub relation: u32,
    /// One entry per column; `null` is any value.
    pub row: Vec<Option<Value>>,
}

/// A row sent from one node to another, or to itself.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Message {
    /// The time step of sending.
    pub at: u32,
    /// The sender; absent if no single node sent it.
    #[serde(default)]
    pub from: Option<String>,
    /// The receiver.
    pub to: String,
    /// The relation of the row when it arrives.
    pub relation: u32,
    /// The row.
    pub row: Vec<Value>,
    /// The rule that sent it.
    pub rule: u32,
    /// The fault that took it; absent if it arrived.
    #[serde(default, with = "wire::optional_fault", skip_serializing_if = "Option::is_none")]
    pub lost_to: Option<Fault>,
    /// When it arrives, if that is later than the next time step (perhaps after the end of the
    /// run); absent if it arrives at the next one, or is lost.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrives: Option<u32>,
}

impl Message {
    /// The time step at which it arrives, unless it is lost.
    #[must_use]
    pub fn arrival(&self) -> Option<u32> {
        match self.lost_to {
            Some(_) => None,
            None => Some(self.arrives.unwrap_or(self.at + 1)),
        }
    }
}

impl Run {
    /// The rows of a relation at a time step, in order.
    pub fn rows(&self, relation: u32, time: u32) -> impl Iterator<Item = &[Value]> {
        let start =
            self.facts.partition_point(|fact| (fact.time, fact.relation) < (time, relation));
        self.facts[start..]
            .iter()
            .take_while(move |fact| (fact.time, fact.relation) == (time, relation))
            .map(|fact| fact.row.as_slice())
    }

    /// The index of a fact, if it held.
    #[must_use]
    pub fn find(&self, time: u32, relation: u32, row: &[Value]) -> Option<u32> {
        self.facts
            .binary_search_by(|fact| {
                (fact.time, fact.relation, fact.row.as_slice()).cmp(&(time, relation, row))
            })
            .ok()
            .map(|index| index as u32)
    }

    /// The ways in which a fact came about.
    #[must_use]
    pub fn derivations_of(&self, fact: u32) -> &[Derivation] {
        let start = self.derivations.partition_point(|derivation| derivation.fact < fact);
        let end = self.derivations.partition_point(|derivation| derivation.fact <= fact);
        &self.derivations[start..end]
    }

    /// The same fact one step earlier, if that is why it holds: its node was down.
    #[must_use]
    pub fn kept_from(&self, fact: u32) -> Option<u32> {
        let place = self.kept.binary_search_by_key(&fact, |kept| kept.fact).ok()?;
        Some(self.kept[place].before)
    }

    /// Reduces the run to [`Detail::Diagram`]; `relations` are those the invariant is made of.
    #[must_use]
    pub fn to_diagram(mut self, relations: &[u32]) -> Self {
        self.detail = Detail::Diagram;
        self.facts.retain(|fact| relations.contains(&fact.relation));
        self.derivations.clear();
        self.kept.clear();
        self
    }

    /// Whether the indexes in the run exist and its lists are in order; says which do not.
    pub(crate) fn check(&self, relations: u32, rules: u32) -> Result<(), String> {
        let facts = self.facts.len() as u32;
        let bad_relation = |relation: u32| relation >= relations;
        if self.facts.iter().any(|fact| bad_relation(fact.relation))
            || self.messages.iter().any(|message| bad_relation(message.relation))
        {
            return Err("a relation that campaign.json does not list".to_owned());
        }
        if self.messages.iter().any(|message| message.rule >= rules)
            || self.derivations.iter().any(|derivation| derivation.rule >= rules)
        {
            return Err("a rule that campaign.json does not list".to_owned());
        }
        for derivation in &self.derivations {
            if derivation.fact >= facts || derivation.premises.iter().any(|&fact| fact >= facts) {
                return Err("a derivation of a fact that is not there".to_owned());
            }
            if derivation.absences.iter().any(|absence| bad_relation(absence.relation)) {
                return Err("a relation that campaign.json does not list".to_owned());
            }
        }
        if self.kept.iter().any(|kept| kept.fact >= facts || kept.before >= facts) {
            return Err("a fact kept that is not there".to_owned());
        }
        if self.messages.iter().any(|message| message.arrives.is_some_and(|at| at <= message.at)) {
            return Err("a message that arrives before it was sent".to_owned());
        }
        if !self.facts.is_sorted()
            || !self.derivations.is_sorted_by_key(|each| each.fact)
            || !self.kept.is_sorted()
        {
            return Err("facts or derivations out of order".to_owned());
        }
        Ok(())
    }
}
