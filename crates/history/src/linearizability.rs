//! Linearizability of registers, key by key: a history is linearizable iff its restriction to each object is (locality;
//! Herlihy and Wing, TOPLAS 1990, Theorem 1).

use std::collections::BTreeMap;

use serde_json::Value;

use crate::checker::{Checker, Limits};
use crate::event::Action;
use crate::operation::{History, Operation};
use crate::order::{Effect, Found, Interval, linearize};
use crate::register::{Register, registers, stale_reads, unwritten_reads};
use crate::report::{Report, Violation};
use crate::witness::shrink;

/// The operations of one register as the search takes them.
struct Problem<'a> {
    /// Index in the history, and interval.
    operations: Vec<(usize, Interval)>,
    /// Value of each number.
    values: Vec<&'a Value>,
}

pub(crate) fn check(history: &History, limits: &Limits) -> Report {
    let registers = registers(history);
    let mut violations = Vec::new();
    let mut given_up = Vec::new();
    let mut judged = 0;
    for register in &registers {
        judged += usize::from(!register.reads.is_empty());
        let problem = problem(register);
        let intervals: Vec<Interval> =
            problem.operations.iter().map(|(_, interval)| *interval).collect();
        match linearize(&intervals, limits.configurations) {
            Found::Linearization => {}
            Found::GaveUp => given_up
                .push(register.key.as_ref().map_or("the register".to_owned(), Value::to_string)),
            Found::Stuck { at, .. } => violations.push(violation(register, &problem, at, limits)),
        }
    }
    let operations =
        registers.iter().map(|register| register.writes.len() + register.reads.len()).sum();
    let note = format!(
        "gave up on {} after {} configurations: fewer processes, fewer operations of unknown outcome, or more keys make \
         the search shorter",
        given_up.join(", "),
        limits.configurations
    );
    Report::new(
        Checker::LinearizableRegister,
        vec![
            ("keys", registers.len()),
            ("operations", operations),
            ("keys not decided", given_up.len()),
        ],
    )
    .with_violations(violations)
    .unknown_if(!given_up.is_empty(), &note)
    .vacuous_if(judged == 0, "no read succeeded: writes alone are always linearizable")
}

fn problem<'a>(register: &Register<'a>) -> Problem<'a> {
    let mut numbers: BTreeMap<String, u32> = BTreeMap::new();
    let mut values: Vec<&'a Value> = vec![&Value::Null];
    numbers.insert(Value::Null.to_string(), 0);
    let mut number = |value: &'a Value| -> u32 {
        *numbers.entry(value.to_string()).or_insert_with(|| {
            values.push(value);
            u32::try_from(values.len() - 1).unwrap_or(u32::MAX)
        })
    };
    let mut indexes: Vec<usize> = register.writes.iter().chain(&register.reads).copied().collect();
    indexes.sort_unstable();
    let mut operations = Vec::with_capacity(indexes.len());
    for index in indexes {
        let operation = register.operation(index);
        if !operation.may_count() {
            continue;
        }
        let input = operation.input.as_ref().unwrap_or(&Value::Null);
        let effect = match operation.action {
            Action::Cas => Effect::Cas(
                number(input.get(0).unwrap_or(&Value::Null)),
                number(input.get(1).unwrap_or(&Value::Null)),
            ),
            Action::Write => Effect::Write(number(input)),
            _ => Effect::Read(number(operation.output.as_ref().unwrap_or(&Value::Null))),
        };
        let end = operation.is_ok().then(|| operation.end());
        operations.push((index, Interval { effect, start: operation.start(), end }));
    }
    Problem { operations, values }
}

/// The violation that the search met at the return of operation `at` of the problem.
fn violation(
    register: &Register<'_>,
    problem: &Problem<'_>,
    at: usize,
    limits: &Limits,
) -> Violation {
    let intervals: Vec<Interval> =
        problem.operations.iter().map(|(_, interval)| *interval).collect();
    let chosen = shrink(&intervals, at, limits.configurations);
    let witness: Vec<usize> = chosen.iter().map(|place| problem.operations[*place].0).collect();
    let small: Vec<Interval> = chosen.iter().map(|place| intervals[*place]).collect();
    let message = explain(register, problem, &witness, linearize(&small, limits.configurations));
    Violation { rule: "not-linearizable", key: register.key.clone(), message, witness }
}

/// In the words of a simpler property if that is what is violated, else by where the order gets stuck.
fn explain(
    register: &Register<'_>,
    problem: &Problem<'_>,
    witness: &[usize],
    found: Found,
) -> String {
    let operations: Vec<Operation> =
        witness.iter().map(|index| register.operation(*index).clone()).collect();
    let alone = History { operations, logs: 0 };
    for simpler in [unwritten_reads(&alone), stale_reads(&alone)] {
        if let Some(violation) = simpler.violations.first() {
            return violation.message.clone();
        }
    }
    let of_key = register.of_key();
    let count = witness.len();
    let order = format!(
        "No order of these {count} operations{of_key}, each at one moment between its invocation and its completion, gives \
         every one of them the result it had."
    );
    let Found::Stuck { at, states } = found else { return order };
    let stuck = register.operation(witness[at]);
    let states: Vec<String> =
        states.iter().map(|state| problem.values[*state as usize].to_string()).collect();
    format!(
        "{order} When the {} of process {} completed (line {}), the register could hold only {}.",
        crate::timeline::short(stuck),
        crate::timeline::name(&stuck.process),
        stuck.completed.map_or(0, |moment| moment.line),
        states.join(" or ")
    )
}
