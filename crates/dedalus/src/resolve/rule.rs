//! One rule: its variables and what binds them.

use rustc_hash::FxHashMap;

use super::Resolver;
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::hir::{
    self, Argument, BodyTerm, Location, RelationKind, Timing, Type, Variable, VariableId,
};
use crate::source::Span;
use crate::syntax::{self, ExpressionKind, HeadTime, Term};

/// A place where a variable stands.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// As a column of the head, or in one.
    Head,
    /// As an argument of a positive literal: this binds it.
    Positive,
    /// As an argument of the negated literal with this index.
    Negative(usize),
    /// In arithmetic in an argument of a literal.
    Arithmetic,
    /// In a comparison (true: one with `==`).
    Comparison(bool),
}

#[derive(Default)]
struct Scope {
    variables: Vec<Variable>,
    ids: FxHashMap<String, VariableId>,
    /// Parallel to the variables.
    places: Vec<Vec<(Place, Span)>>,
    failed: bool,
}

impl Scope {
    fn occur(&mut self, name: &str, span: Span, place: Place) -> VariableId {
        let id = *self.ids.entry(name.to_owned()).or_insert_with(|| {
            self.variables.push(Variable {
                name: name.to_owned(),
                r#type: Type::Unknown,
                existential: false,
                span,
            });
            self.places.push(Vec::new());
            VariableId(self.variables.len() as u32 - 1)
        });
        self.places[id.index()].push((place, span));
        id
    }
}

impl Resolver<'_> {
    pub(super) fn rule(&mut self, rule: &syntax::Rule) -> Option<hir::Rule> {
        let mut scope = Scope::default();
        let head = self.head(&rule.head, &mut scope);
        let mut body = Vec::with_capacity(rule.body.len());
        for (index, term) in rule.body.iter().enumerate() {
            match term {
                Term::Literal(literal) => {
                    let literal = self.literal(literal, index, &mut scope);
                    body.extend(literal.map(BodyTerm::Literal));
                }
                Term::Comparison(comparison) => {
                    let place =
                        Place::Comparison(comparison.operator == hir::ComparisonOperator::Equal);
                    let left = self.value(&comparison.left, place, &mut scope);
                    let right = self.value(&comparison.right, place, &mut scope);
                    if let (Some(left), Some(right)) = (left, right) {
                        body.push(BodyTerm::Comparison(hir::Comparison {
                            left,
                            operator: comparison.operator,
                            right,
                            span: comparison.span,
                        }));
                    }
                }
            }
        }
        let location = self.location(rule, &scope)?;
        self.check_bound(&location, &mut scope);
        if scope.failed || body.len() < rule.body.len() {
            return None;
        }
        Some(hir::Rule {
            head: head?,
            location,
            body,
            variables: scope.variables,
            look_ahead: false,
            span: rule.span,
        })
    }

    fn head(&mut self, head: &syntax::Head, scope: &mut Scope) -> Option<hir::Head> {
        let relation = self.derived(&head.relation, head.columns.len());
        let mut columns = Vec::with_capacity(head.columns.len());
        for column in &head.columns {
            match column {
                syntax::HeadColumn::Expression(expression) => {
                    let value = self.value(expression, Place::Head, scope);
                    columns.extend(value.map(hir::HeadColumn::Expression));
                }
                syntax::HeadColumn::Aggregate { function, variable, span } => {
                    if variable.text == "_" {
                        self.wildcard(variable.span);
                        continue;
                    }
                    columns.push(hir::HeadColumn::Aggregate {
                        function: *function,
                        variable: scope.occur(&variable.text, variable.span, Place::Head),
                        span: *span,
                    });
                }
            }
        }
        let timing = match head.time {
            HeadTime::Now => Timing::Now,
            HeadTime::Next => Timing::Next,
            HeadTime::Async => Timing::Async,
        };
        let complete = columns.len() == head.columns.len();
        let relation = relation.filter(|_| complete)?;
        Some(hir::Head { relation, columns, timing, span: head.span })
    }

    fn literal(
        &mut self,
        literal: &syntax::Literal,
        index: usize,
        scope: &mut Scope,
    ) -> Option<hir::Literal> {
        let relation = self.relation(&literal.relation, literal.arguments.len());
        let direct = if literal.negated { Place::Negative(index) } else { Place::Positive };
        let mut arguments = Vec::with_capacity(literal.arguments.len());
        for argument in &literal.arguments {
            match &argument.kind {
                ExpressionKind::Wildcard => arguments.push(Argument::Wildcard),
                ExpressionKind::Arithmetic(..) => {
                    let value = self.value(argument, Place::Arithmetic, scope);
                    arguments.extend(value.map(Argument::Expression));
                }
                ExpressionKind::Constant(_) | ExpressionKind::Variable(_) => {
                    let value = self.value(argument, direct, scope);
                    arguments.extend(value.map(Argument::Expression));
                }
            }
        }
        let complete = arguments.len() == literal.arguments.len();
        let relation = relation.filter(|_| complete)?;
        // `crash` holds at all steps or none.
        let timeless = self.program.relation(relation).kind == RelationKind::Crash;
        Some(hir::Literal {
            negated: literal.negated,
            relation,
            arguments,
            time: literal.time.filter(|_| !timeless),
            span: literal.span,
        })
    }

    /// An expression whose value is needed; `None` if a `_` stands in it.
    fn value(
        &mut self,
        expression: &syntax::Expression,
        place: Place,
        scope: &mut Scope,
    ) -> Option<hir::Expression> {
        match &expression.kind {
            ExpressionKind::Constant(value) => Some(hir::Expression::Constant(value.clone())),
            ExpressionKind::Variable(name) => {
                Some(hir::Expression::Variable(scope.occur(name, expression.span, place)))
            }
            ExpressionKind::Wildcard => {
                self.wildcard(expression.span);
                None
            }
            ExpressionKind::Arithmetic(left, operator, right) => {
                let left = self.value(left, place, scope);
                let right = self.value(right, place, scope);
                Some(hir::Expression::Arithmetic(Box::new(left?), *operator, Box::new(right?)))
            }
        }
    }

    fn wildcard(&mut self, span: Span) {
        self.diagnostics.push(
            Diagnostic::at(
                Code::WildcardAsValue,
                span,
                "`_` has no value that could be used here",
                "a value is needed",
            )
            .with_help("name the variable, and bind it in a literal of the body"),
        );
    }

    /// Where the rule fires: the first column of its first literal.
    fn location(&mut self, rule: &syntax::Rule, scope: &Scope) -> Option<Location> {
        let first = rule.body.iter().find_map(|term| match term {
            Term::Literal(literal) => literal.arguments.first(),
            Term::Comparison(_) => None,
        });
        let Some(first) = first else {
            self.diagnostics.push(
                Diagnostic::at(
                    Code::NoLiteral,
                    rule.span,
                    "the body of this rule reads no relation",
                    "where and when would it hold?",
                )
                .with_help("read a relation: the first column of the first one is the node where the rule fires"),
            );
            return None;
        };
        Some(match &first.kind {
            ExpressionKind::Variable(name) => Location::Variable(*scope.ids.get(name)?),
            ExpressionKind::Constant(value) => Location::Constant(value.clone()),
            // Arithmetic is a type error there, reported later.
            ExpressionKind::Wildcard | ExpressionKind::Arithmetic(..) => Location::Global,
        })
    }

    /// Reports unbound variables and marks existential ones.
    fn check_bound(&mut self, location: &Location, scope: &mut Scope) {
        for (index, places) in scope.places.iter().enumerate() {
            let bound = places.iter().any(|(place, _)| *place == Place::Positive);
            if bound || *location == Location::Variable(VariableId(index as u32)) {
                continue;
            }
            let variable = &mut scope.variables[index];
            let name = &variable.name;
            let (first, span) = places[0];
            if matches!(first, Place::Negative(_))
                && places.iter().all(|(place, _)| *place == first)
            {
                variable.existential = true;
                // `_` at each place would not ask for equal values.
                let (label, help) = if places.len() == 1 {
                    (
                        "means any value here",
                        format!(
                            "write `_` if any value is meant; else bind `{name}` in a literal \
                             without `notin`"
                        ),
                    )
                } else {
                    (
                        "means any value that stands at each of its places",
                        format!(
                            "if a certain value is meant, bind `{name}` in a literal without \
                             `notin`"
                        ),
                    )
                };
                self.diagnostics.push(
                    Diagnostic::at(
                        Code::ExistentialVariable,
                        span,
                        format!("`{name}` occurs only under this `notin`"),
                        label,
                    )
                    .with_help(help),
                );
                continue;
            }
            scope.failed = true;
            self.diagnostics.push(unbound(name, places));
        }
    }
}

fn unbound(name: &str, places: &[(Place, Span)]) -> Diagnostic {
    let (_, span) = places[0];
    let diagnostic =
        Diagnostic::at(Code::UnboundVariable, span, format!("`{name}` is unbound"), "has no value");
    let negative = |place: &Place| matches!(place, Place::Negative(_));
    if places.iter().all(|(place, _)| negative(place)) {
        let mut diagnostic = diagnostic;
        for (_, other) in places.iter().filter(|(place, _)| *place != places[0].0).take(3) {
            diagnostic = diagnostic.with_label(*other, "and another `notin` needs the same value");
        }
        return diagnostic.with_help(format!(
            "bind `{name}` in a literal without `notin`, or write `_` if each means any value"
        ));
    }
    if let Some((_, other)) = places.iter().find(|(place, _)| negative(place))
        && *other != span
    {
        return diagnostic.with_label(*other, "`notin` does not bind it").with_help(format!(
            "read a relation that holds `{name}` in a literal without `notin`"
        ));
    }
    if places.iter().any(|(place, _)| *place == Place::Comparison(true)) {
        return diagnostic.with_help(format!(
            "`==` compares, it does not bind: read a relation that holds `{name}`, or write the \
             expression in its place"
        ));
    }
    if places.iter().any(|(place, _)| *place == Place::Arithmetic) {
        return diagnostic.with_help(format!(
            "arithmetic in an argument is compared with the column, it does not bind `{name}`: \
             read a relation that holds it"
        ));
    }
    diagnostic.with_help(format!(
        "read a relation that holds `{name}` in the body, in a literal without `notin`"
    ))
}
