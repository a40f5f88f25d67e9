//! The terms of bodies, and the time marks of literals and heads.

use super::{Mark, Parsed, Parser};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::lexer::{TokenKind, excerpt};
use crate::source::Span;
use crate::syntax::{Comparison, Literal, Term};

impl Parser<'_> {
    pub(super) fn term(&mut self) -> Parsed<Term> {
        if self.kind() == TokenKind::Name {
            return self.literal().map(Term::Literal);
        }
        if self.kind() == TokenKind::Variable && self.kind_ahead(1) == TokenKind::ParenthesisOpen {
            return Err(self.unexpected(
                "a relation or a comparison",
                Some("the name of a relation begins with a lower-case letter"),
            ));
        }
        self.comparison().map(Term::Comparison)
    }

    fn literal(&mut self) -> Parsed<Literal> {
        let start = self.span();
        let mut negated = false;
        if self.at_name("notin") && self.kind_ahead(1) != TokenKind::ParenthesisOpen {
            self.bump();
            negated = true;
        } else if self.at_name("notin") {
            self.bump();
            return Err(self.unexpected("a relation", Some("write `notin relation(...)`")));
        }
        let relation = self.relation("a relation")?;
        let arguments = self.columns(&relation, |parser| {
            if parser.kind() == TokenKind::BraceOpen {
                let (_, span) = parser.alternatives()?;
                return Err(parser.choice_misplaced(span));
            }
            if parser.at_aggregate() {
                let span = parser.aggregate()?.span();
                return Err(parser.report(
                    Diagnostic::at(
                        Code::AggregateMisplaced,
                        span,
                        "an aggregate cannot stand in a body",
                        "aggregates stand in the heads of rules",
                    )
                    .with_help("derive a relation with the aggregate in its head and read that"),
                ));
            }
            parser.expression()
        })?;
        let mut time = None;
        let mut time_span = None;
        if let Some((mark, span)) = self.mark()? {
            match mark {
                Mark::At(at) => {
                    time = Some(at);
                    time_span = Some(span);
                }
                Mark::Choice(_) => return Err(self.choice_misplaced(span)),
                Mark::Next | Mark::Async => self.diagnostics.push(
                    Diagnostic::at(
                        Code::TimingOnBodyLiteral,
                        span,
                        "`@next` and `@async` mean nothing in a body",
                        "read as the current time step",
                    )
                    .with_help("remove it; the head of the rule says when its rows hold"),
                ),
            }
        }
        let span = self.span_since(start);
        Ok(Literal { negated, relation, arguments, time, time_span, span })
    }

    fn comparison(&mut self) -> Parsed<Comparison> {
        let start = self.span();
        let left = self.expression()?;
        let Some(operator) = self.comparison_operator() else {
            return Err(self.unexpected(
                "a comparison operator",
                Some("a term of a body is `relation(...)` or `left == right`"),
            ));
        };
        let right = self.expression()?;
        Ok(Comparison { left, operator, right, span: self.span_since(start) })
    }

    /// `@next`, `@async`, `@N`, `@{M, N}`, or nothing.
    pub(super) fn mark(&mut self) -> Parsed<Option<(Mark, Span)>> {
        let start = self.span();
        if !self.eat(TokenKind::At) {
            return Ok(None);
        }
        let help = "after `@` stands `next`, `async`, or a time step such as `1`";
        let mark = match self.kind() {
            TokenKind::BraceOpen => {
                let times = self.times()?;
                return Ok(Some((Mark::Choice(times), self.span_since(start))));
            }
            TokenKind::Name => match self.text_of(self.token()) {
                "next" => Mark::Next,
                "async" => Mark::Async,
                _ => return Err(self.unexpected("a time", Some(help))),
            },
            TokenKind::Integer => {
                let digits = self.text_of(self.token());
                let span = Span { end: self.span().end, ..start };
                Mark::At(self.time(digits.parse().ok(), digits, span))
            }
            TokenKind::Minus if self.kind_ahead(1) == TokenKind::Integer => {
                self.bump();
                let digits = format!("-{}", self.text_of(self.token()));
                let span = Span { end: self.span().end, ..start };
                Mark::At(self.time(None, &digits, span))
            }
            _ => return Err(self.unexpected("a time", Some(help))),
        };
        self.bump();
        Ok(Some((mark, self.span_since(start))))
    }

    /// Checks a time step; an invalid one is reported and read as 1.
    pub(super) fn time(&mut self, value: Option<u32>, digits: &str, span: Span) -> u32 {
        match value {
            Some(time @ 1..) => time,
            _ => {
                self.diagnostics.push(
                    Diagnostic::at(
                        Code::TimeOutOfRange,
                        span,
                        format!("`{}` is not a time step", excerpt(digits)),
                        "out of range",
                    )
                    .with_help(format!("time steps are numbered from 1 (to {})", u32::MAX)),
                );
                1
            }
        }
    }
}
