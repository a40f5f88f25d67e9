//! Histories for Jepsen's checkers, in EDN (<https://github.com/edn-format/edn>).

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::Value;
use thiserror::Error;

use crate::event::{Action, Outcome};
use crate::operation::{History, Operation};

/// Which of Jepsen's checkers is to read it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EdnForm {
    /// One map per operation's invocation and completion, as Jepsen writes `history.edn` and Knossos reads it.
    Jepsen,
    /// The same, each operation being a transaction of one step (`:f :txn`), as Elle reads it.
    Elle,
}

/// Why a history cannot be written in a form.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum EdnError {
    /// Occurs when an operation has no counterpart among Elle's transactions, which read, write and append.
    #[error(
        "line {line}: Elle's transactions have no {action}: use the form for Knossos, or histories of write, read and add"
    )]
    NotATransaction {
        /// The line of its invocation.
        line: usize,
        /// The operation.
        action: &'static str,
    },
}

/// A history as Jepsen writes it: one map per line, in the order of events.
///
/// # Errors
/// Occurs when the form has no word for an operation.
pub fn edn(history: &History, form: EdnForm) -> Result<String, EdnError> {
    let mut events: Vec<(usize, &Operation, bool)> = Vec::new();
    for operation in &history.operations {
        events.push((operation.invoked.position, operation, false));
        events.extend(operation.completed.map(|moment| (moment.position, operation, true)));
    }
    events.sort_by_key(|(position, ..)| *position);
    let mut processes = Processes::new(history);
    let mut text = String::new();
    for (index, (_, operation, completes)) in events.into_iter().enumerate() {
        let process = processes.number(operation, completes);
        line(&mut text, index, process, operation, completes, form)?;
    }
    Ok(text)
}

/// Jepsen numbers processes, and lets one whose operation has an unknown outcome go on under a new number, larger by the
/// number of processes.
struct Processes {
    numbers: BTreeMap<String, usize>,
    step: usize,
}

impl Processes {
    fn new(history: &History) -> Self {
        let mut numbers = BTreeMap::new();
        for operation in &history.operations {
            let next = numbers.len();
            numbers.entry(operation.process.to_string()).or_insert(next);
        }
        let step = numbers.len();
        Self { numbers, step }
    }

    fn number(&mut self, operation: &Operation, completes: bool) -> usize {
        let entry = self.numbers.entry(operation.process.to_string()).or_default();
        let number = *entry;
        if completes && operation.outcome == Outcome::Info {
            *entry += self.step;
        }
        number
    }
}

fn line(
    text: &mut String,
    index: usize,
    process: usize,
    operation: &Operation,
    completes: bool,
    form: EdnForm,
) -> Result<(), EdnError> {
    let kind = if completes { operation.outcome.name() } else { "invoke" };
    let moment = if completes { operation.completed } else { Some(operation.invoked) };
    let returned = completes && operation.is_ok();
    let null = Value::Null;
    let value = operation
        .input
        .as_ref()
        .or(operation.output.as_ref().filter(|_| returned))
        .unwrap_or(&null);
    let function = if form == EdnForm::Elle { "txn" } else { operation.action.name() };
    let _ = write!(
        text,
        "{{:index {index}, :type :{kind}, :process {process}, :f :{function}, :value "
    );
    match form {
        EdnForm::Jepsen => element(text, value),
        EdnForm::Elle => transaction(text, operation, value)?,
    }
    if let (Some(key), EdnForm::Jepsen) = (&operation.key, form) {
        text.push_str(", :key ");
        element(text, key);
    }
    if let Some(time) = moment.and_then(|moment| moment.time) {
        let _ = write!(text, ", :time {time}");
    }
    if operation.is_final {
        text.push_str(", :final? true");
    }
    if let Some(token) =
        operation.token.filter(|_| completes || operation.action != Action::Acquire)
    {
        let _ = write!(text, ", :token {token}");
    }
    if let Some(error) = operation.error.as_ref().filter(|_| completes) {
        text.push_str(", :error ");
        string(text, error);
    }
    text.push_str("}\n");
    Ok(())
}

/// `[[:w "x" 1]]`
fn transaction(text: &mut String, operation: &Operation, value: &Value) -> Result<(), EdnError> {
    let step = match operation.action {
        Action::Write => "w",
        Action::Read => "r",
        Action::Add => "append",
        other => {
            return Err(EdnError::NotATransaction {
                line: operation.invoked.line,
                action: other.name(),
            });
        }
    };
    let _ = write!(text, "[[:{step} ");
    element(text, operation.key.as_ref().unwrap_or(&Value::Null));
    text.push(' ');
    element(text, value);
    text.push_str("]]");
    Ok(())
}

fn element(text: &mut String, value: &Value) {
    match value {
        Value::Null => text.push_str("nil"),
        Value::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => self::number(text, &number.to_string()),
        Value::String(value) => string(text, value),
        Value::Array(values) => {
            text.push('[');
            for (index, value) in values.iter().enumerate() {
                text.push_str(if index > 0 { " " } else { "" });
                element(text, value);
            }
            text.push(']');
        }
        Value::Object(members) => {
            text.push('{');
            for (index, (name, value)) in members.iter().enumerate() {
                text.push_str(if index > 0 { ", " } else { "" });
                string(text, name);
                text.push(' ');
                element(text, value);
            }
            text.push('}');
        }
    }
}

/// Integers beyond 64 bits carry an `N`; other numbers are floating-point in both languages.
fn number(text: &mut String, digits: &str) {
    text.push_str(digits);
    let is_integer = digits.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
    if is_integer && digits.parse::<i64>().is_err() {
        text.push('N');
    }
}

fn string(text: &mut String, value: &str) {
    text.push('"');
    for character in value.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\n' => text.push_str("\\n"),
            '\r' => text.push_str("\\r"),
            '\t' => text.push_str("\\t"),
            control if control.is_control() => {
                let _ = write!(text, "\\u{:04x}", u32::from(control));
            }
            other => text.push(other),
        }
    }
    text.push('"');
}
