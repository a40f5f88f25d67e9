//! Events paired to operations.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::event::{self, Action, Event, Line, Malformed, MalformedLine, Outcome};

/// Where an event stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// Its place among the events of the history, from 0. The order of lines is the order of events.
    pub position: usize,
    /// Its line in the input, from 1.
    pub line: usize,
    /// Nanoseconds since a moment of the workload's choice. Shown and exported, never used to judge.
    pub time: Option<i64>,
}

/// What one process asked for once, and how it ended.
#[derive(Clone, Debug, PartialEq)]
pub struct Operation {
    /// Who asked: a number or a string.
    pub process: Value,
    /// For what.
    pub action: Action,
    /// Of which object; `None` where there is one only.
    pub key: Option<Value>,
    /// What was written, added, enqueued; `[expected, new]` of a cas.
    pub input: Option<Value>,
    /// What was read, dequeued, generated; present iff the operation is [`Outcome::Ok`] and gives a value.
    pub output: Option<Value>,
    /// How it ended. An operation that was never answered has [`Outcome::Info`].
    pub outcome: Outcome,
    /// When it was asked for.
    pub invoked: Moment,
    /// When it was answered, if it was.
    pub completed: Option<Moment>,
    /// Whether it belongs to the last look at the system, after faults were healed.
    pub is_final: bool,
    /// The fencing token that came with a lock, or with which a write was made.
    pub token: Option<i64>,
    /// Why it failed, in the words of the workload.
    pub error: Option<String>,
}

impl Operation {
    /// The position at which its effect is certain to be over with; `usize::MAX` if never.
    pub(crate) fn end(&self) -> usize {
        match (self.outcome, self.completed) {
            (Outcome::Info, _) | (_, None) => usize::MAX,
            (_, Some(moment)) => moment.position,
        }
    }

    pub(crate) fn start(&self) -> usize {
        self.invoked.position
    }

    pub(crate) fn is_ok(&self) -> bool {
        self.outcome == Outcome::Ok
    }

    /// Whether it took effect or may have.
    pub(crate) fn may_count(&self) -> bool {
        self.outcome != Outcome::Fail
    }
}

/// The operations of a workload, in the order in which they were invoked.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// In the order of their invocations; a witness refers to them by their index.
    pub operations: Vec<Operation>,
    /// How many lines were no operations.
    pub logs: usize,
}

impl History {
    /// Reads the standard output of a workload. Lines that are no operations are skipped and counted.
    ///
    /// # Errors
    /// Occurs when a line is meant as an operation and is malformed, or when the invocations and completions of a process do
    /// not alternate: every such line, with what would be right.
    pub fn parse(text: &str) -> Result<Self, Malformed> {
        let mut pairing = Pairing::default();
        let mut malformed = Vec::new();
        for (index, line) in text.split_inclusive('\n').enumerate() {
            let result = match event::read(index + 1, line, !line.ends_with('\n')) {
                Ok(Line::Event(event)) => pairing.add(*event),
                Ok(Line::Log) => {
                    pairing.logs += usize::from(!line.trim().is_empty());
                    Ok(())
                }
                Err(error) => Err(error),
            };
            malformed.extend(result.err());
        }
        if !malformed.is_empty() {
            return Err(Malformed { lines: malformed });
        }
        Ok(Self { operations: pairing.operations, logs: pairing.logs })
    }

    /// The operations of each object, by their index, in the order of invocation.
    pub(crate) fn by_key(&self) -> BTreeMap<String, Vec<usize>> {
        let mut keys: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for (index, operation) in self.operations.iter().enumerate() {
            let key = operation.key.as_ref().map_or_else(String::new, Value::to_string);
            keys.entry(key).or_default().push(index);
        }
        keys
    }

    /// The operations on one object alone.
    #[must_use]
    pub fn restricted_to(&self, key: &Value) -> Self {
        let operations =
            self.operations.iter().filter(|operation| operation.key.as_ref() == Some(key)).cloned();
        Self { operations: operations.collect(), logs: self.logs }
    }
}

/// Pairs completions with invocations: a process does one thing at a time.
#[derive(Default)]
struct Pairing {
    operations: Vec<Operation>,
    /// Process -> the operation it waits for.
    open: BTreeMap<String, usize>,
    events: usize,
    logs: usize,
}

impl Pairing {
    fn add(&mut self, event: Event) -> Result<(), MalformedLine> {
        let line = event.line;
        let moment = Moment { position: self.events, line, time: event.time };
        self.events += 1;
        let result = match event.outcome {
            None => self.invoke(event, moment),
            Some(outcome) => self.complete(event, outcome, moment),
        };
        result.map_err(|problem| MalformedLine { line, problem })
    }

    fn invoke(&mut self, event: Event, moment: Moment) -> Result<(), String> {
        let process = event.process.to_string();
        if let Some(open) = self.open.get(&process) {
            let open = &self.operations[*open];
            return Err(format!(
                "process {process} invokes a {} while its {} of line {} has not completed: complete that first (type \
                 \"info\" if its outcome is unknown), or use another process",
                event.action.name(),
                open.action.name(),
                open.invoked.line
            ));
        }
        self.open.insert(process, self.operations.len());
        self.operations.push(Operation {
            process: event.process,
            action: event.action,
            key: event.key,
            input: event.value.filter(|_| event.action.takes_value()),
            output: None,
            outcome: Outcome::Info,
            invoked: moment,
            completed: None,
            is_final: event.is_final,
            token: event.token,
            error: event.error,
        });
        Ok(())
    }

    fn complete(&mut self, event: Event, outcome: Outcome, moment: Moment) -> Result<(), String> {
        let process = event.process.to_string();
        let Some(open) = self.open.remove(&process) else {
            return Err(format!(
                "process {process} completes a {} that it has not invoked: print a line of type \"invoke\" before",
                event.action.name()
            ));
        };
        let operation = &mut self.operations[open];
        agree(operation, &event)?;
        operation.outcome = outcome;
        operation.completed = Some(moment);
        operation.is_final |= event.is_final;
        operation.token = event.token.or(operation.token);
        operation.error = event.error.or(operation.error.take());
        if outcome == Outcome::Ok && operation.action.gives_value() {
            operation.output = event.value;
        }
        Ok(())
    }
}

/// A completion repeats what it repeats truly.
fn agree(operation: &Operation, event: &Event) -> Result<(), String> {
    let line = operation.invoked.line;
    let asked = operation.action.name();
    if operation.action != event.action {
        let completed = event.action.name();
        return Err(format!(
            "completes a {completed}, but line {line} of the same process invoked a {asked}"
        ));
    }
    if event.key.is_some() && event.key != operation.key {
        return Err(format!(
            "completes a {asked} with another `key` than it was invoked with at line {line}"
        ));
    }
    let repeats = operation.action.takes_value()
        && event.value.as_ref().is_some_and(|value| !value.is_null());
    if repeats && event.value != operation.input {
        return Err(format!(
            "completes a {asked} with another `value` than it was invoked with at line {line}"
        ));
    }
    Ok(())
}
