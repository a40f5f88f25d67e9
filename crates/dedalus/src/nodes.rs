//! What a program says about nodes: which there are, and where it disagrees with the declared ones.

mod flow;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use linchpin_model::closest;

use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::hir::{
    Argument, Expression, HeadColumn, Location, Program, RelationKind, Rule, Timing, Type, Value,
};
use crate::lints::literals;
use crate::source::Span;
use flow::{Flow, Strings};

/// Facts later than this are taken for declarations of types and name no nodes.
const FACT_TIME_MAX: u32 = 100;

/// How many diagnostics [`lint_nodes`] gives at most.
const DIAGNOSTICS_MAX: usize = 100;

/// The nodes a program seems to be about, sorted: the strings that facts are stored at, messages
/// are sent to, rules read at, or whose crash is asked for. A string that only gets into a first
/// column within a step (`acked(Payload) :- ...`) does not count.
#[must_use]
pub fn infer_nodes(program: &Program) -> Vec<String> {
    let flow = Flow::new(program, FACT_TIME_MAX);
    let mut nodes = Strings::default();
    for fact in &program.facts {
        if fact.time <= FACT_TIME_MAX {
            nodes.insert(&fact.row[0]);
        }
    }
    for choice in &program.choices {
        if choice.times.iter().any(|time| *time <= FACT_TIME_MAX) {
            for node in &choice.columns[0] {
                nodes.insert(node);
            }
        }
    }
    for rule in &program.rules {
        if let Location::Constant(value) = &rule.location {
            nodes.insert(value);
        }
        if rule.head.timing == Timing::Async {
            nodes.extend(flow.head_column(rule, &rule.head.columns[0]));
        }
        for literal in literals(rule) {
            if program.relation(literal.relation).kind == RelationKind::Crash {
                for argument in &literal.arguments[..2] {
                    nodes.extend(flow.argument(rule, argument));
                }
            }
        }
    }
    // Relations stored at nodes are asked about at nodes.
    let known = nodes.clone();
    for rule in &program.rules {
        for literal in literals(rule) {
            if flow.column(literal.relation, 0).may_meet(&known) {
                nodes.extend(flow.argument(rule, &literal.arguments[0]));
            }
        }
    }
    nodes.set.iter().filter(|node| !node.is_empty()).map(|node| node.to_string()).collect()
}

/// Warnings about facts and rules at nodes that are not declared, and about rules that can never
/// fire because no declared node gets into their location.
#[must_use]
pub fn lint_nodes(program: &Program, nodes: &[String]) -> Vec<Diagnostic> {
    let mut diagnostics = Diagnostics::new(DIAGNOSTICS_MAX);
    let declared: BTreeSet<&str> = nodes.iter().map(String::as_str).collect();
    facts_at_undeclared(program, &declared, &mut diagnostics);
    let flow = Flow::new(program, u32::MAX);
    locations_undeclared(program, &flow, &declared, &mut diagnostics);
    let mut strings = Strings::default();
    strings.set.extend(nodes.iter().map(|node| Arc::<str>::from(node.as_str())));
    for rule in &program.rules {
        never_fires(rule, &flow, &strings, &mut diagnostics);
    }
    diagnostics.finish()
}

fn undeclared(
    code: Code,
    span: Span,
    message: String,
    node: &str,
    declared: &BTreeSet<&str>,
) -> Diagnostic {
    let diagnostic = Diagnostic::at(code, span, message, "not a declared node");
    let names: Vec<String> = declared.iter().take(8).map(|name| format!("`{name}`")).collect();
    let more = if declared.len() > 8 { ", ..." } else { "" };
    match closest(node, declared.iter().copied()) {
        Some(similar) => diagnostic.with_help(format!("did you mean `{similar}`?")),
        None => diagnostic.with_help(format!("the declared nodes are {}{more}", names.join(", "))),
    }
}

/// One warning per node, at its first fact.
fn facts_at_undeclared(
    program: &Program,
    declared: &BTreeSet<&str>,
    diagnostics: &mut Diagnostics,
) {
    let mut places: BTreeMap<&str, (Span, usize)> = BTreeMap::new();
    let facts = program.facts.iter().map(|fact| (&fact.row[0], fact.span));
    let choices = program.choices.iter();
    let alternatives =
        choices.flat_map(|choice| choice.columns[0].iter().map(|node| (node, choice.span)));
    for (node, span) in facts.chain(alternatives) {
        if let Value::String(node) = node
            && !declared.contains(&**node)
        {
            places.entry(node).or_insert((span, 0)).1 += 1;
        }
    }
    for (node, (span, count)) in places {
        let more = match count - 1 {
            0 => String::new(),
            1 => " (and 1 more)".to_owned(),
            more => format!(" (and {more} more)"),
        };
        let message = format!(
            "this fact{more} is stored at `{}`, which is not a declared node: no rule fires there",
            node.escape_debug()
        );
        diagnostics.push(undeclared(Code::FactAtUndeclaredNode, span, message, node, declared));
    }
}

/// One warning per constant, at the first place where it cannot do what it seems to: a rule fires
/// there, reads there what is never stored there, or sends there.
fn locations_undeclared(
    program: &Program,
    flow: &Flow<'_>,
    declared: &BTreeSet<&str>,
    diagnostics: &mut Diagnostics,
) {
    let mut reported: BTreeSet<&str> = BTreeSet::new();
    for rule in &program.rules {
        let in_body = literals(rule).enumerate().filter_map(|(index, literal)| {
            let Argument::Expression(Expression::Constant(Value::String(node))) =
                &literal.arguments[0]
            else {
                return None;
            };
            let stored = flow.column(literal.relation, 0).set.contains(node);
            (index == 0 || !stored).then_some((node, literal.span))
        });
        let in_head = match &rule.head.columns[0] {
            HeadColumn::Expression(Expression::Constant(Value::String(node))) => {
                (rule.head.timing == Timing::Async).then_some((node, rule.head.span))
            }
            _ => None,
        };
        for (node, span) in in_body.chain(in_head) {
            if declared.contains(&**node) || !reported.insert(node) {
                continue;
            }
            let message = format!("`{}` is not a declared node", node.escape_debug());
            diagnostics.push(undeclared(Code::LocationUndeclared, span, message, node, declared));
        }
    }
}

fn never_fires(rule: &Rule, flow: &Flow<'_>, nodes: &Strings, diagnostics: &mut Diagnostics) {
    const SHOWN_MAX: usize = 3;
    let Location::Variable(variable) = rule.location else { return };
    if rule.variables[variable.index()].r#type == Type::Integer {
        return integer_location(rule, &rule.variables[variable.index()].name, diagnostics);
    }
    let values = flow.variable(rule, variable);
    if values.set.is_empty() || values.may_meet(nodes) {
        return;
    }
    let name = &rule.variables[variable.index()].name;
    let Some(first) = literals(rule).next() else { return };
    let shown: Vec<String> =
        values.set.iter().take(SHOWN_MAX).map(|value| format!("{value:?}")).collect();
    let more = if values.set.len() > SHOWN_MAX { ", ..." } else { "" };
    diagnostics.push(
        Diagnostic::at(
            Code::NeverFires,
            first.span,
            format!("this rule never fires: its location `{name}` is never a declared node"),
            format!("`{name}` can only be {}{more}", shown.join(", ")),
        )
        .with_help(
            "a rule fires at the node in the first column of its first literal: put a literal at \
             a node first, or make the first column a node",
        ),
    );
}

/// The first column of the first literal is a payload.
fn integer_location(rule: &Rule, name: &str, diagnostics: &mut Diagnostics) {
    let Some(first) = literals(rule).next() else { return };
    diagnostics.push(
        Diagnostic::at(
            Code::NeverFires,
            first.span,
            format!("this rule never fires: its location `{name}` is an integer, not a node"),
            format!("`{name}` is an integer"),
        )
        .with_help(
            "the first column of every relation is the node where the row lives: put a literal at \
             a node first, or begin the literal with `_` for a rule about the whole system",
        ),
    );
}
