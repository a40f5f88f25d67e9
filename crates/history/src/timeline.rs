//! Operations in words and as a picture.

use serde_json::Value;

use crate::event::{Action, Outcome};
use crate::operation::{History, Operation};

/// A process or a key: strings without quotes.
pub(crate) fn name(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// An operation in a few words: `write of 1`.
pub(crate) fn short(operation: &Operation) -> String {
    let of = |value: Option<&Value>| value.map_or_else(String::new, |value| format!(" of {value}"));
    let action = operation.action.name();
    match operation.action {
        Action::Cas => {
            let pair = operation.input.as_ref();
            let part = |at: usize| pair.and_then(|pair| pair.get(at)).unwrap_or(&Value::Null);
            format!("cas from {} to {}", part(0), part(1))
        }
        _ => format!("{action}{}", of(operation.input.as_ref().or(operation.output.as_ref()))),
    }
}

fn described(operation: &Operation) -> String {
    let key = operation.key.as_ref().map_or_else(String::new, |key| format!(" [{}]", name(key)));
    let token = operation.token.map_or_else(String::new, |token| format!(", token {token}"));
    let outcome = match operation.outcome {
        Outcome::Ok => "",
        Outcome::Fail => ", failed",
        Outcome::Info => ", outcome unknown",
    };
    let last = if operation.is_final { ", final" } else { "" };
    format!("{}{key}{token}{last}{outcome}", short(operation))
}

fn lines(operation: &Operation) -> String {
    let from = operation.invoked.line;
    operation.completed.map_or_else(
        || format!("line {from}, never completed"),
        |moment| format!("lines {from} and {}", moment.line),
    )
}

/// Some operations of a history, one per line, each with a bar from its invocation to its completion. The bars share one
/// axis, on which only the order counts.
///
/// `ascii` draws with ASCII characters only.
#[must_use]
pub fn timeline(history: &History, operations: &[usize], ascii: bool) -> Vec<String> {
    let chosen: Vec<&Operation> =
        operations.iter().map(|index| &history.operations[*index]).collect();
    let mut positions: Vec<usize> = chosen
        .iter()
        .flat_map(|operation| [Some(operation.invoked), operation.completed])
        .flatten()
        .map(|moment| moment.position)
        .collect();
    positions.sort_unstable();
    let width = positions.len() * COLUMN + 1;
    let at = |position: usize| positions.partition_point(|other| *other < position) * COLUMN;
    let heads: Vec<String> = chosen
        .iter()
        .map(|operation| format!("process {}: {}", name(&operation.process), described(operation)))
        .collect();
    let head_width = heads.iter().map(|head| head.chars().count()).max().unwrap_or(0);
    chosen
        .iter()
        .zip(&heads)
        .map(|(operation, head)| {
            let open = operation.outcome == Outcome::Info;
            let to =
                if open { None } else { operation.completed.map(|moment| at(moment.position)) };
            let bar = bar(at(operation.invoked.position), to, width, ascii);
            format!("{head:head_width$}  {bar}  {}", lines(operation))
        })
        .collect()
}

/// Columns per event.
const COLUMN: usize = 3;

/// A bar that ends at `to`, or nowhere.
fn bar(from: usize, to: Option<usize>, width: usize, ascii: bool) -> String {
    let [begin, middle, end, open] =
        if ascii { ['|', '-', '|', '>'] } else { ['├', '─', '┤', '▶'] };
    let last = to.unwrap_or(width - 1);
    (0..width)
        .map(|column| match column {
            column if column < from || column > last => ' ',
            column if column == from => begin,
            column if column == last => {
                if to.is_some() {
                    end
                } else {
                    open
                }
            }
            _ => middle,
        })
        .collect()
}
