//! Reports as JSON (docs/formats/history.md).

use serde_json::{Map, Value, json as object};

use crate::operation::{History, Moment, Operation};
use crate::report::{Report, Violation, overall};

/// The version of [`json`].
pub const SCHEMA: &str = "linchpin.history/1";

/// What checkers found in a history, as one JSON object.
#[must_use]
pub fn json(history: &History, reports: &[Report]) -> Value {
    let reports_json: Vec<Value> =
        reports.iter().map(|report| self::report(history, report)).collect();
    object!({
        "schema": SCHEMA,
        "verdict": overall(reports).name(),
        "operations": history.operations.len(),
        "log_lines": history.logs,
        "checks": reports_json,
    })
}

fn report(history: &History, report: &Report) -> Value {
    let totals: Map<String, Value> = report
        .totals
        .iter()
        .map(|(name, count)| (name.replace(' ', "_"), Value::from(*count)))
        .collect();
    let violations: Vec<Value> =
        report.violations.iter().map(|violation| self::violation(history, violation)).collect();
    object!({
        "check": report.checker.name(),
        "verdict": report.verdict.name(),
        "note": report.note,
        "totals": totals,
        "violations": violations,
    })
}

fn violation(history: &History, violation: &Violation) -> Value {
    let witness: Vec<Value> = violation
        .witness
        .iter()
        .map(|index| operation(*index, &history.operations[*index]))
        .collect();
    object!({
        "rule": violation.rule,
        "key": violation.key,
        "message": violation.message,
        "witness": witness,
    })
}

fn operation(index: usize, operation: &Operation) -> Value {
    let moment = |moment: Moment| object!({ "line": moment.line, "time": moment.time });
    object!({
        "index": index,
        "process": operation.process,
        "operation": operation.action.name(),
        "key": operation.key,
        "input": operation.input,
        "output": operation.output,
        "outcome": operation.outcome.name(),
        "final": operation.is_final,
        "token": operation.token,
        "invoked": moment(operation.invoked),
        "completed": operation.completed.map(moment),
    })
}
