//! Names: which relation, which variable, bound by what, and where a rule fires.
//!
//! A clause with an error is reported and left out; types are still unknown afterwards.

mod constant;
mod rule;

use std::collections::BTreeSet;

use rustc_hash::FxHashMap;

use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::hir::{self, BodyTerm, Program, RelationId, RelationKind, Type};
use crate::source::Span;
use crate::syntax::{self, Clause, Name};

/// The name of the built-in relation.
pub(crate) const CRASH: &str = "crash";

/// A program whose names are resolved, and the clauses it came from.
#[derive(Debug)]
pub(crate) struct Resolved {
    pub(crate) program: Program,
    /// Parallel to the facts of the program.
    pub(crate) facts: Vec<syntax::Fact>,
    /// Parallel to the rules of the program; bodies and expressions have the same shape.
    pub(crate) rules: Vec<syntax::Rule>,
}

struct Resolver<'a> {
    program: Program,
    names: FxHashMap<String, RelationId>,
    /// Arity conflicts reported.
    arities: BTreeSet<(RelationId, usize)>,
    diagnostics: &'a mut Diagnostics,
}

/// Resolves facts and rules (includes have been replaced by what they include).
pub(crate) fn resolve(clauses: Vec<Clause>, diagnostics: &mut Diagnostics) -> Resolved {
    let mut resolver = Resolver {
        program: Program::default(),
        names: FxHashMap::default(),
        arities: BTreeSet::new(),
        diagnostics,
    };
    let mut facts = Vec::new();
    let mut rules = Vec::new();
    for clause in clauses {
        match clause {
            Clause::Include(_) => {}
            Clause::Fact(fact) => {
                if let Some(resolved) = resolver.fact(&fact) {
                    resolver.program.facts.push(resolved);
                    facts.push(fact);
                }
            }
            Clause::Rule(rule) => {
                if let Some(resolved) = resolver.rule(&rule) {
                    resolver.program.rules.push(resolved);
                    rules.push(rule);
                }
            }
        }
    }
    resolver.look_ahead(&rules);
    Resolved { program: resolver.program, facts, rules }
}

impl Resolver<'_> {
    /// The id of a relation used with so many columns; `None` if that is an error.
    fn relation(&mut self, name: &Name, arity: usize) -> Option<RelationId> {
        let kind = if name.text == CRASH { RelationKind::Crash } else { RelationKind::User };
        if let Some(&id) = self.names.get(&name.text) {
            let relation = self.program.relation(id);
            let expected = relation.columns.len();
            if expected == arity {
                return Some(id);
            }
            if kind == RelationKind::User && self.arities.insert((id, arity)) {
                self.diagnostics.push(
                    Diagnostic::at(
                        Code::Arity,
                        name.span,
                        format!(
                            "`{}` has {} here and {} elsewhere",
                            name.text,
                            columns(arity),
                            columns(expected)
                        ),
                        columns(arity),
                    )
                    .with_label(relation.span, format!("first used with {}", columns(expected)))
                    .with_help("use a relation with the same number of columns everywhere"),
                );
                return None;
            }
        }
        if kind == RelationKind::Crash && arity != 3 {
            self.diagnostics.push(
                Diagnostic::at(
                    Code::Arity,
                    name.span,
                    format!("the built-in `crash` has 3 columns, not {arity}"),
                    columns(arity),
                )
                .with_help("it is `crash(Observer, Node, CrashTime)`"),
            );
        }
        if self.names.contains_key(&name.text) || (kind == RelationKind::Crash && arity != 3) {
            return None;
        }
        let id = RelationId(self.program.relations.len() as u32);
        self.names.insert(name.text.clone(), id);
        self.program.relations.push(hir::Relation {
            name: name.text.clone(),
            columns: vec![Type::Unknown; arity],
            kind,
            span: name.span,
        });
        Some(id)
    }

    /// The id of a relation that a clause derives.
    fn derived(&mut self, name: &Name, arity: usize) -> Option<RelationId> {
        if name.text != CRASH {
            return self.relation(name, arity);
        }
        self.diagnostics.push(
            Diagnostic::at(
                Code::CrashDerived,
                name.span,
                "`crash` is built in and cannot be derived",
                "holds when the run has a crash fault",
            )
            .with_help("give the relation another name; crashes are given as faults"),
        );
        None
    }

    fn fact(&mut self, fact: &syntax::Fact) -> Option<hir::Fact> {
        let relation = self.derived(&fact.relation, fact.columns.len());
        let mut row = Vec::with_capacity(fact.columns.len());
        for column in &fact.columns {
            row.push(constant::evaluate(column, self.diagnostics)?);
        }
        Some(hir::Fact { relation: relation?, row, time: fact.time, span: fact.span })
    }

    /// Marks the rules that read a later time, where that is allowed.
    fn look_ahead(&mut self, trees: &[syntax::Rule]) {
        let mut readers: FxHashMap<RelationId, Span> = FxHashMap::default();
        for rule in &self.program.rules {
            for term in &rule.body {
                if let BodyTerm::Literal(literal) = term {
                    readers.entry(literal.relation).or_insert(literal.span);
                }
            }
        }
        for (rule, tree) in self.program.rules.iter_mut().zip(trees) {
            let ahead = rule.body.iter().zip(&tree.body).find_map(|terms| match terms {
                (BodyTerm::Literal(literal), syntax::Term::Literal(tree)) => {
                    literal.time.filter(|time| *time >= 2).zip(tree.time_span)
                }
                _ => None,
            });
            let Some((time, span)) = ahead else { continue };
            let reader = readers.get(&rule.head.relation);
            let Some(reader) = reader else {
                rule.look_ahead = true;
                continue;
            };
            let name = &self.program.relations[rule.head.relation.index()].name;
            let message =
                format!("`{name}` depends on what holds at step {time}, before it is known");
            self.diagnostics.push(
                Diagnostic::at(Code::LookAhead, span, message, "a later step, until then")
                    .with_label(*reader, format!("`{name}` is read here"))
                    .with_help("only a rule whose head is read by no rule may look ahead"),
            );
        }
    }
}

/// `1 column`, `2 columns`.
fn columns(count: usize) -> String {
    if count == 1 { "1 column".to_owned() } else { format!("{count} columns") }
}
