//! Warnings about programs that can be run but hardly mean what was intended.

use std::collections::BTreeSet;

use linchpin_model::closest;

use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::hir::{
    Argument, BodyTerm, Expression, HeadColumn, Literal, Location, Program, RelationId,
    RelationKind, Rule, Timing,
};

/// Reports what is suspicious in a program free of errors.
pub(crate) fn lint(program: &Program, diagnostics: &mut Diagnostics) {
    never_derived(program, diagnostics);
    for rule in &program.rules {
        non_local(program, rule, diagnostics);
    }
}

/// The literals of a body.
pub(crate) fn literals(rule: &Rule) -> impl Iterator<Item = &Literal> {
    rule.body.iter().filter_map(|term| match term {
        BodyTerm::Literal(literal) => Some(literal),
        BodyTerm::Comparison(_) => None,
    })
}

fn never_derived(program: &Program, diagnostics: &mut Diagnostics) {
    let mut derived: BTreeSet<RelationId> =
        program.facts.iter().map(|fact| fact.relation).collect();
    derived.extend(program.choices.iter().map(|choice| choice.relation));
    derived.extend(program.rules.iter().map(|rule| rule.head.relation));
    let names: Vec<&str> =
        derived.iter().map(|relation| program.relation(*relation).name.as_str()).collect();
    for literal in program.rules.iter().flat_map(literals) {
        let relation = program.relation(literal.relation);
        if relation.kind == RelationKind::Crash || !derived.insert(literal.relation) {
            continue;
        }
        let diagnostic = Diagnostic::at(
            Code::NeverDerived,
            literal.span,
            format!("`{}` is read but never derived", relation.name),
            if literal.negated { "always true" } else { "never true" },
        );
        diagnostics.push(match closest(&relation.name, names.iter().copied()) {
            Some(similar) => diagnostic.with_help(format!("did you mean `{similar}`?")),
            None => diagnostic.with_help("add a fact or a rule that derives it"),
        });
    }
}

/// A rule that reads or writes at other nodes than its own within a step. Rules for the whole
/// system (`_`) may: invariants are written so.
fn non_local(program: &Program, rule: &Rule, diagnostics: &mut Diagnostics) {
    let home = match &rule.location {
        Location::Global => return,
        Location::Variable(variable) => Expression::Variable(*variable),
        Location::Constant(value) => Expression::Constant(value.clone()),
    };
    let show = |expression: &Expression| match expression {
        Expression::Variable(variable) => rule.variables[variable.index()].name.clone(),
        Expression::Constant(value) => value.to_string(),
        Expression::Arithmetic(..) => "an expression".to_owned(),
    };
    let away = literals(rule).find_map(|literal| {
        let relation = program.relation(literal.relation);
        let place = match &literal.arguments[0] {
            _ if relation.kind == RelationKind::Crash => return None,
            Argument::Expression(place) if *place == home => return None,
            Argument::Expression(place) => show(place),
            Argument::Wildcard => "_".to_owned(),
        };
        Some((literal.span, format!("reads `{}` at `{place}`", relation.name)))
    });
    let away = away.or_else(|| {
        let place = match &rule.head.columns[0] {
            _ if rule.head.timing == Timing::Async => return None,
            HeadColumn::Expression(place) if *place == home => return None,
            HeadColumn::Expression(place) => show(place),
            HeadColumn::Aggregate { .. } => "an aggregate".to_owned(),
        };
        let relation = program.relation(rule.head.relation);
        Some((rule.head.span, format!("derives `{}` at `{place}`", relation.name)))
    });
    let Some((span, label)) = away else { return };
    let home = show(&home);
    diagnostics.push(
        Diagnostic::at(
            Code::NonLocalRule,
            span,
            format!("non-local rule: it runs at `{home}`, but {label} without a message"),
            label,
        )
        .with_help(
            "no fault can come between: send the rows with an `@async` rule, or let the first \
             literal be at `_` if the rule observes the whole system",
        ),
    );
}
