//! Inputs with alternatives, of which one holds in each run.

use linchpin_dedalus::hir::{Fact, Program, Value};
use linchpin_model::{Fault, InputValue};

/// The alternatives of every input of a program, the one that holds without faults first.
pub(crate) fn inputs(program: &Program) -> Vec<Vec<Fact>> {
    program.choices.iter().map(|choice| choice.alternatives()).collect()
}

/// The same, as bounds list them.
pub(crate) fn as_faults(program: &Program) -> Vec<Vec<Fault>> {
    let fault = |fact: Fact| Fault::Input {
        relation: program.relation(fact.relation).name.clone(),
        row: fact.row.iter().map(input_value).collect(),
        at: fact.time,
    };
    inputs(program).into_iter().map(|facts| facts.into_iter().map(fault).collect()).collect()
}

fn input_value(value: &Value) -> InputValue {
    match value {
        Value::Integer(integer) => InputValue::Integer(*integer),
        Value::String(string) => InputValue::String(string.to_string()),
    }
}
