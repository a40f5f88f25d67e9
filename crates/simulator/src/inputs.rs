//! Inputs with alternatives: which one a run takes, and the condition of each.

use linchpin_dedalus::hir::{Fact, Program, RelationId, Value};
use linchpin_formula::{Graph, Literal, Variable};
use linchpin_model::{Fault, FaultSet, InputValue};

use crate::value::{Interner, Symbol};

/// The inputs with alternatives of a program, as the bounds list them.
#[must_use]
pub fn inputs(program: &Program) -> Vec<Vec<Fault>> {
    let choices = program.choices.iter();
    choices
        .map(|choice| choice.alternatives().iter().map(|fact| input(program, fact)).collect())
        .collect()
}

fn input(program: &Program, fact: &Fact) -> Fault {
    Fault::Input {
        relation: program.relation(fact.relation).name.clone(),
        row: fact.row.iter().map(input_value).collect(),
        at: fact.time,
    }
}

/// A value in the vocabulary of faults.
pub(crate) fn input_value(value: &Value) -> InputValue {
    match value {
        Value::Integer(integer) => InputValue::Integer(*integer),
        Value::String(string) => InputValue::String(string.to_string()),
    }
}

/// One alternative of an input.
#[derive(Clone, Debug)]
pub(crate) struct Alternative {
    pub(crate) relation: RelationId,
    pub(crate) row: Box<[Symbol]>,
    pub(crate) time: u32,
    fault: Fault,
}

/// The alternatives of every input, the default first.
pub(crate) fn alternatives(program: &Program, interner: &mut Interner) -> Vec<Vec<Alternative>> {
    let choices = program.choices.iter();
    choices
        .map(|choice| {
            let facts = choice.alternatives().into_iter();
            facts
                .map(|fact| Alternative {
                    relation: fact.relation,
                    row: fact.row.iter().map(|value| interner.intern(value)).collect(),
                    time: fact.time,
                    fault: input(program, &fact),
                })
                .collect()
        })
        .collect()
}

/// The alternatives that hold under these faults: one of each input.
pub(crate) fn chosen<'a>(
    inputs: &'a [Vec<Alternative>],
    faults: &FaultSet,
) -> Vec<&'a Alternative> {
    inputs
        .iter()
        .map(|alternatives| {
            let other = alternatives[1..].iter().find(|other| faults.contains(&other.fault));
            other.unwrap_or(&alternatives[0])
        })
        .collect()
}

/// Every alternative with the condition that it holds.
pub(crate) fn conditions<'a>(
    inputs: &'a [Vec<Alternative>],
    graph: &mut Graph,
    variable_of: &dyn Fn(&Fault) -> Option<Variable>,
) -> Vec<(&'a Alternative, Literal)> {
    let mut conditions = Vec::new();
    for alternatives in inputs {
        let others: Vec<Literal> = alternatives[1..]
            .iter()
            .map(|other| {
                variable_of(&other.fault)
                    .map_or(Literal::FALSE, |variable| graph.variable(variable))
            })
            .collect();
        let usual = graph.and(others.iter().map(|&other| !other));
        conditions.extend(alternatives.iter().zip([usual].into_iter().chain(others)));
    }
    conditions
}
