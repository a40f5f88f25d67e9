//! Facts with alternatives: `{"x", "y"}` in a column, `@{1..4, 7}` as time.

use super::{Parsed, Parser, Reported};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::hir::Value;
use crate::lexer::{TokenKind, excerpt};
use crate::source::Span;
use crate::syntax::{Expression, ExpressionKind};

/// How many alternatives an input may have.
pub(crate) const ALTERNATIVES_MAX: usize = 1_000;

impl Parser<'_> {
    /// `{item, ...}` where each item may stand for several; the current token is the `{`.
    fn braces<T>(
        &mut self,
        mut item: impl FnMut(&mut Self, &mut Vec<T>) -> Parsed<()>,
    ) -> Parsed<(Vec<T>, Span)> {
        let start = self.span();
        self.bump();
        let mut items = Vec::new();
        if self.kind() == TokenKind::BraceClose {
            self.bump();
            return Err(self.report(
                Diagnostic::at(
                    Code::ChoiceInvalid,
                    self.span_since(start),
                    "this choice has no alternatives",
                    "empty",
                )
                .with_help("write the alternatives, the usual one first: `{1, 2}`, `{1..4}`"),
            ));
        }
        item(self, &mut items)?;
        while self.eat(TokenKind::Comma) {
            item(self, &mut items)?;
        }
        if !self.eat(TokenKind::BraceClose) {
            return Err(self.unexpected("`,` or `}`", None));
        }
        Ok((items, self.span_since(start)))
    }

    /// `{constant, 1..4, ...}`: the alternatives of a column.
    pub(super) fn alternatives(&mut self) -> Parsed<(Vec<Expression>, Span)> {
        self.braces(|parser, alternatives| {
            if parser.kind() != TokenKind::Range {
                alternatives.push(parser.expression()?);
                return Ok(());
            }
            let span = parser.span();
            let constant = |integer| ExpressionKind::Constant(Value::Integer(integer));
            let range = parser.range()?;
            alternatives.extend(range.map(|integer| Expression { kind: constant(integer), span }));
            Ok(())
        })
    }

    /// `{1, 3..5, ...}`: the alternatives of a time.
    pub(super) fn times(&mut self) -> Parsed<Vec<u32>> {
        let alternatives = self.braces(|parser, times| {
            let span = parser.span();
            match parser.kind() {
                TokenKind::Integer => {
                    let token = parser.bump();
                    let digits = parser.text_of(token);
                    times.push(parser.time(digits.parse().ok(), digits, span));
                }
                TokenKind::Range => {
                    for integer in parser.range()? {
                        let time = u32::try_from(integer).ok();
                        times.push(parser.time(time, &integer.to_string(), span));
                    }
                }
                _ => {
                    let help = "times are written `@{1, 3}` or `@{1..4}`";
                    return Err(parser.unexpected("a time step", Some(help)));
                }
            }
            Ok(())
        })?;
        Ok(alternatives.0)
    }

    /// The integers of the current token, `FROM..TO`.
    fn range(&mut self) -> Parsed<std::ops::RangeInclusive<i64>> {
        let span = self.span();
        let token = self.bump();
        let text = self.text_of(token);
        let (from, to) = text.split_once("..").expect("a range has two ends");
        let (message, label, help) = match (from.parse::<i64>(), to.parse::<i64>()) {
            (Ok(from), Ok(to)) if from > to => (
                format!("the range `{}` is empty", excerpt(text)),
                "ends before it begins",
                "the smaller end stands first",
            ),
            (Ok(from), Ok(to)) if to - from >= ALTERNATIVES_MAX as i64 => (
                format!("the range `{}` is too long", excerpt(text)),
                "too many alternatives",
                "an input has at most 1000 alternatives",
            ),
            (Ok(from), Ok(to)) => return Ok(from..=to),
            _ => (
                format!("the range `{}` does not fit 64 bits", excerpt(text)),
                "out of range",
                "an input has at most 1000 alternatives",
            ),
        };
        Err(self.report(Diagnostic::at(Code::ChoiceInvalid, span, message, label).with_help(help)))
    }

    /// Reports a choice that is not part of a fact.
    pub(super) fn choice_misplaced(&mut self, span: Span) -> Reported {
        self.report(
            Diagnostic::at(
                Code::ChoiceMisplaced,
                span,
                "only a fact can have alternatives",
                "a choice in a rule",
            )
            .with_help("give a fact the alternatives, and read its relation here"),
        )
    }
}
