//! Nodes that a program cannot tell apart.

use std::collections::BTreeSet;

use linchpin_dedalus::hir::{
    Aggregate, Argument, BodyTerm, ComparisonOperator, Expression, HeadColumn, Location, Program,
    Rule, Type, Value,
};
use linchpin_formula::Variable;
use linchpin_model::Fault;
use linchpin_search::FaultSpace;

/// Pairs of nodes whose exchange, everywhere in a run, gives a run of the same program: enough of
/// them to reach every order of each set of interchangeable nodes.
///
/// An exchange of two values leaves the meaning of rules alone if the rules name neither (constants
/// in bodies, heads and comparisons) and never ask which of two strings is the greater (order
/// comparisons, minima and maxima; of integers these are harmless: no node is one). The facts must
/// be the same ones after the exchange. (Where inputs have alternatives, no nodes are taken to be
/// interchangeable.)
pub(crate) fn interchangeable(program: &Program, nodes: &[String]) -> Vec<(usize, usize)> {
    if !program.choices.is_empty() || program.rules.iter().any(orders_strings) {
        return Vec::new();
    }
    let mut named = BTreeSet::new();
    for rule in &program.rules {
        constants(rule, &mut |value| {
            if let Value::String(text) = value {
                named.insert(text.to_string());
            }
        });
    }
    let facts: BTreeSet<_> =
        program.facts.iter().map(|fact| (fact.time, fact.relation, fact.row.clone())).collect();
    let same_facts = |left: &str, right: &str| {
        let exchange = |value: &Value| match value {
            Value::String(text) if **text == *left => Value::String(right.into()),
            Value::String(text) if **text == *right => Value::String(left.into()),
            other => other.clone(),
        };
        facts.iter().all(|(time, relation, row)| {
            facts.contains(&(*time, *relation, row.iter().map(exchange).collect()))
        })
    };
    // To be interchangeable is an equivalence: a chain of exchanges per class is enough.
    let mut pairs = Vec::new();
    let mut last_of_class: Vec<usize> = Vec::new();
    for (node, name) in nodes.iter().enumerate().filter(|(_, name)| !named.contains(*name)) {
        match last_of_class.iter_mut().find(|last| same_facts(&nodes[**last], name)) {
            Some(last) => {
                pairs.push((*last, node));
                *last = node;
            }
            None => last_of_class.push(node),
        }
    }
    pairs
}

/// What an exchange of two nodes makes of every fault.
pub(crate) fn exchange(space: &FaultSpace, left: &str, right: &str) -> Vec<Variable> {
    let name = |node: &String| {
        let other = match node {
            node if node == left => right,
            node if node == right => left,
            node => node,
        };
        other.to_owned()
    };
    (0..space.fault_count() as u32)
        .map(|index| {
            let image = match space.fault(Variable(index)) {
                Fault::Omission { from, to, at } => Fault::omission(name(from), name(to), *at),
                Fault::Delay { from, to, at, by } => Fault::delay(name(from), name(to), *at, *by),
                Fault::Crash { node, at } => Fault::crash(name(node), *at),
                Fault::Recovery { node, at } => Fault::recovery(name(node), *at),
                input @ Fault::Input { .. } => input.clone(),
            };
            space.variable(&image).expect("all nodes have the same faults")
        })
        .collect()
}

fn orders_strings(rule: &Rule) -> bool {
    let may_be_string = |expression: &Expression| match expression {
        Expression::Constant(value) => matches!(value, Value::String(_)),
        Expression::Variable(variable) => rule.variables[variable.index()].r#type != Type::Integer,
        Expression::Arithmetic(..) => false,
    };
    rule.body.iter().any(|term| match term {
        BodyTerm::Comparison(comparison) => {
            !matches!(comparison.operator, ComparisonOperator::Equal | ComparisonOperator::NotEqual)
                && (may_be_string(&comparison.left) || may_be_string(&comparison.right))
        }
        BodyTerm::Literal(_) => false,
    }) || rule.head.columns.iter().any(|column| match column {
        HeadColumn::Aggregate { function: Aggregate::Min | Aggregate::Max, variable, .. } => {
            rule.variables[variable.index()].r#type != Type::Integer
        }
        _ => false,
    })
}

/// Visits every constant of a rule.
fn constants(rule: &Rule, visit: &mut impl FnMut(&Value)) {
    fn of_expression(expression: &Expression, visit: &mut impl FnMut(&Value)) {
        match expression {
            Expression::Constant(value) => visit(value),
            Expression::Variable(_) => {}
            Expression::Arithmetic(left, _, right) => {
                of_expression(left, visit);
                of_expression(right, visit);
            }
        }
    }
    if let Location::Constant(value) = &rule.location {
        visit(value);
    }
    for column in &rule.head.columns {
        if let HeadColumn::Expression(expression) = column {
            of_expression(expression, visit);
        }
    }
    for term in &rule.body {
        match term {
            BodyTerm::Comparison(comparison) => {
                of_expression(&comparison.left, visit);
                of_expression(&comparison.right, visit);
            }
            BodyTerm::Literal(literal) => {
                for argument in &literal.arguments {
                    if let Argument::Expression(expression) = argument {
                        of_expression(expression, visit);
                    }
                }
            }
        }
    }
}
