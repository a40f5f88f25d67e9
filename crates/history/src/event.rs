//! One line of a history.

use std::fmt;

use serde_json::{Map, Value};
use thiserror::Error;

/// What a process asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// Set a register.
    Write,
    /// Read a register or a set.
    Read,
    /// Set a register to the second value if it holds the first ("compare and set").
    Cas,
    /// Add an element to a set.
    Add,
    /// Put an element into a queue.
    Enqueue,
    /// Take an element out of a queue.
    Dequeue,
    /// Make an identifier.
    Generate,
    /// Take a lock.
    Acquire,
    /// Give a lock back.
    Release,
}

impl Action {
    /// All of them.
    pub const ALL: [Self; 9] = [
        Self::Write,
        Self::Read,
        Self::Cas,
        Self::Add,
        Self::Enqueue,
        Self::Dequeue,
        Self::Generate,
        Self::Acquire,
        Self::Release,
    ];

    /// As it stands in a history.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Write => "write",
            Self::Read => "read",
            Self::Cas => "cas",
            Self::Add => "add",
            Self::Enqueue => "enqueue",
            Self::Dequeue => "dequeue",
            Self::Generate => "generate",
            Self::Acquire => "acquire",
            Self::Release => "release",
        }
    }

    /// Whether the process names the value when it asks (else the system does when it answers).
    pub(crate) fn takes_value(self) -> bool {
        matches!(self, Self::Write | Self::Cas | Self::Add | Self::Enqueue)
    }

    /// Whether the system's answer is a value.
    pub(crate) fn gives_value(self) -> bool {
        matches!(self, Self::Read | Self::Dequeue | Self::Generate)
    }
}

/// How an operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// It took effect.
    Ok,
    /// It took no effect, for certain.
    Fail,
    /// Nobody knows whether it took effect, or will.
    Info,
}

impl Outcome {
    /// As it stands in a history.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Fail => "fail",
            Self::Info => "info",
        }
    }
}

/// The invocation or the completion of an operation.
#[derive(Clone, Debug)]
pub(crate) struct Event {
    pub(crate) line: usize,
    pub(crate) process: Value,
    /// `None` for an invocation.
    pub(crate) outcome: Option<Outcome>,
    pub(crate) action: Action,
    pub(crate) key: Option<Value>,
    pub(crate) value: Option<Value>,
    pub(crate) time: Option<i64>,
    pub(crate) is_final: bool,
    pub(crate) token: Option<i64>,
    pub(crate) error: Option<String>,
}

/// Why one line of a history cannot be used.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("line {line}: {problem}")]
pub struct MalformedLine {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong with it, and what would be right.
    pub problem: String,
}

/// Why a history cannot be used: every malformed line.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub struct Malformed {
    /// In the order of lines; never empty.
    pub lines: Vec<MalformedLine>,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 10;
        for (index, line) in self.lines.iter().take(SHOWN).enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            write!(f, "{line}")?;
        }
        if self.lines.len() > SHOWN {
            write!(f, "\nand {} more", self.lines.len() - SHOWN)?;
        }
        Ok(())
    }
}

/// What a line of a workload's output is.
#[derive(Debug)]
pub(crate) enum Line {
    Event(Box<Event>),
    /// Anything else a workload prints.
    Log,
}

const REQUIRED: [&str; 3] = ["process", "type", "operation"];

/// Reads a line. `torn` says that no newline ends it: a killed workload's last line may be half an event, which then is no
/// mistake.
pub(crate) fn read(line: usize, text: &str, torn: bool) -> Result<Line, MalformedLine> {
    let malformed = |problem: String| MalformedLine { line, problem };
    if !text.trim_start().starts_with('{') {
        return Ok(Line::Log);
    }
    let object: Map<String, Value> = match serde_json::from_str(text) {
        Ok(object) => object,
        Err(error)
            if !torn && REQUIRED.iter().all(|name| text.contains(&format!("\"{name}\""))) =>
        {
            return Err(malformed(format!(
                "looks like an operation, but is not valid JSON: {error}"
            )));
        }
        Err(_) => return Ok(Line::Log),
    };
    // Structured logs are objects too, and may well have a `type`; two of the three names are no accident.
    if REQUIRED.iter().filter(|name| object.contains_key(**name)).count() < 2 {
        return Ok(Line::Log);
    }
    event(line, &object).map(|event| Line::Event(Box::new(event))).map_err(malformed)
}

fn event(line: usize, object: &Map<String, Value>) -> Result<Event, String> {
    let outcome = match required(object, "type")?.as_str() {
        Some("invoke") => None,
        Some("ok") => Some(Outcome::Ok),
        Some("fail") => Some(Outcome::Fail),
        Some("info") => Some(Outcome::Info),
        _ => return Err(wrong(object, "type", "\"invoke\", \"ok\", \"fail\" or \"info\"")),
    };
    let action = required(object, "operation")?
        .as_str()
        .and_then(|name| Action::ALL.into_iter().find(|action| action.name() == name))
        .ok_or_else(|| {
            let names = Action::ALL.map(|action| format!("\"{}\"", action.name()));
            wrong(object, "operation", &format!("one of {}", names.join(", ")))
        })?;
    let event = Event {
        line,
        process: process(object)?,
        outcome,
        action,
        key: key(object)?,
        value: object.get("value").cloned(),
        time: optional(object, "time", "a whole number of nanoseconds", Value::as_i64)?,
        is_final: optional(object, "final", "true or false", Value::as_bool)?.unwrap_or(false),
        token: optional(object, "token", "a whole number (a fencing token)", Value::as_i64)?,
        error: optional(object, "error", "a string", |value| value.as_str().map(str::to_owned))?,
    };
    check_value(&event)?;
    Ok(event)
}

fn required<'a>(object: &'a Map<String, Value>, name: &str) -> Result<&'a Value, String> {
    object.get(name).ok_or_else(|| {
        format!("an operation needs `process`, `type` and `operation`; `{name}` is missing")
    })
}

fn wrong(object: &Map<String, Value>, name: &str, expected: &str) -> String {
    format!("`{name}` is {}, and must be {expected}", object.get(name).unwrap_or(&Value::Null))
}

fn optional<T>(
    object: &Map<String, Value>,
    name: &str,
    expected: &str,
    read: impl Fn(&Value) -> Option<T>,
) -> Result<Option<T>, String> {
    match object.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(value) => read(value).map(Some).ok_or_else(|| wrong(object, name, expected)),
    }
}

fn process(object: &Map<String, Value>) -> Result<Value, String> {
    let value = required(object, "process")?;
    match value {
        Value::String(_) => Ok(value.clone()),
        Value::Number(number) if number.as_u64().is_some() => Ok(value.clone()),
        _ => Err(wrong(object, "process", "a number (0, 1, ...) or a name in quotes")),
    }
}

fn key(object: &Map<String, Value>) -> Result<Option<Value>, String> {
    match object.get("key") {
        None | Some(Value::Null) => Ok(None),
        Some(value @ (Value::String(_) | Value::Number(_))) => Ok(Some(value.clone())),
        Some(_) => Err(wrong(object, "key", "a string or a number")),
    }
}

/// Each operation says its value exactly once, where it is known.
fn check_value(event: &Event) -> Result<(), String> {
    let name = event.action.name();
    let invocation = event.outcome.is_none();
    let value = event.value.as_ref();
    if invocation && event.action.takes_value() && value.is_none() {
        return Err(format!("the invocation of a {name} needs a `value`"));
    }
    if invocation && event.action.gives_value() && value.is_some_and(|value| !value.is_null()) {
        return Err(format!(
            "the invocation of a {name} has no value yet: leave `value` out, or null"
        ));
    }
    if event.outcome == Some(Outcome::Ok) && event.action.gives_value() && value.is_none() {
        return Err(format!(
            "a {name} that is ok needs a `value`: what it returned, null for nothing"
        ));
    }
    if event.action == Action::Cas && !value.is_none_or(is_pair) {
        return Err("the `value` of a cas must be a list of two: [expected, new]".to_owned());
    }
    Ok(())
}

fn is_pair(value: &Value) -> bool {
    value.as_array().is_some_and(|list| list.len() == 2)
}
