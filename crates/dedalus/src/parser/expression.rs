//! Expressions and aggregates.

use super::{Parsed, Parser};
use linchpin_model::closest;

use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::hir::{Aggregate, ArithmeticOperator, ComparisonOperator, Value};
use crate::lexer::{TokenKind, excerpt};
use crate::source::Span;
use crate::syntax::{Expression, ExpressionKind, HeadColumn, Name};

/// How deep an expression may nest: neither the parentheses in the source nor the tree made of
/// them is ever deeper.
pub const EXPRESSION_DEPTH_MAX: usize = 200;

/// The names of the aggregate functions.
const AGGREGATES: [(&str, Aggregate); 5] = [
    ("count", Aggregate::Count),
    ("min", Aggregate::Min),
    ("max", Aggregate::Max),
    ("sum", Aggregate::Sum),
    ("avg", Aggregate::Average),
];

/// An expression and the height of its tree (0 for a leaf).
type Measured = (Expression, usize);

impl Parser<'_> {
    /// `product { (+|-) product }`, inside `depth` parentheses.
    pub(super) fn sum(&mut self, depth: usize) -> Parsed<Measured> {
        let mut left = self.product(depth)?;
        loop {
            let operator = match self.kind() {
                TokenKind::Plus => ArithmeticOperator::Add,
                TokenKind::Minus => ArithmeticOperator::Subtract,
                _ => return Ok(left),
            };
            self.bump();
            let right = self.product(depth)?;
            left = self.arithmetic(left, operator, right)?;
        }
    }

    /// `factor { (*|/) factor }`
    fn product(&mut self, depth: usize) -> Parsed<Measured> {
        let mut left = self.factor(depth)?;
        loop {
            let operator = match self.kind() {
                TokenKind::Star => ArithmeticOperator::Multiply,
                TokenKind::Slash => ArithmeticOperator::Divide,
                _ => return Ok(left),
            };
            self.bump();
            let right = self.factor(depth)?;
            left = self.arithmetic(left, operator, right)?;
        }
    }

    fn arithmetic(
        &mut self,
        (left, left_height): Measured,
        operator: ArithmeticOperator,
        (right, right_height): Measured,
    ) -> Parsed<Measured> {
        let height = 1 + left_height.max(right_height);
        let span = Span { end: right.span.end, ..left.span };
        self.check_depth(height, right.span)?;
        let kind = ExpressionKind::Arithmetic(Box::new(left), operator, Box::new(right));
        Ok((Expression { kind, span }, height))
    }

    fn check_depth(&mut self, depth: usize, span: Span) -> Parsed<()> {
        if depth <= EXPRESSION_DEPTH_MAX {
            return Ok(());
        }
        Err(self.report(
            Diagnostic::at(
                Code::TooDeep,
                span,
                format!("this expression nests deeper than {EXPRESSION_DEPTH_MAX} levels"),
                "too deep from here on",
            )
            .with_help("compute parts of it in relations of their own"),
        ))
    }

    fn factor(&mut self, depth: usize) -> Parsed<Measured> {
        let start = self.span();
        let token = self.token();
        let kind = match token.kind {
            TokenKind::Variable => {
                self.bump();
                match self.text_of(token) {
                    "_" => ExpressionKind::Wildcard,
                    name => ExpressionKind::Variable(name.to_owned()),
                }
            }
            TokenKind::Integer => {
                self.bump();
                ExpressionKind::Constant(Value::Integer(self.integer(token, start, false)))
            }
            TokenKind::MalformedNumber => {
                self.bump();
                ExpressionKind::Constant(Value::Integer(0))
            }
            TokenKind::String | TokenKind::UnterminatedString => {
                let (text, _) = self.string();
                ExpressionKind::Constant(Value::String(text.into()))
            }
            TokenKind::Minus => {
                self.bump();
                return self.negation(start, depth);
            }
            TokenKind::ParenthesisOpen => {
                self.bump();
                self.check_depth(depth + 1, start)?;
                let (inner, height) = self.sum(depth + 1)?;
                if !self.eat(TokenKind::ParenthesisClose) {
                    return Err(self.unexpected("an operator or `)`", None));
                }
                let span = self.span_since(start);
                return Ok((Expression { span, ..inner }, height));
            }
            TokenKind::Name => {
                let name = self.text_of(token);
                let help = if self.kind_ahead(1) == TokenKind::ParenthesisOpen {
                    "relations do not nest: read this one in a term of its own".to_owned()
                } else {
                    format!(
                        "a string is written `\"{name}\"`; a variable begins with an upper-case letter"
                    )
                };
                return Err(self.unexpected("a value or a variable", Some(&help)));
            }
            _ => return Err(self.unexpected("a value or a variable", None)),
        };
        Ok((Expression { kind, span: start }, 0))
    }

    /// What follows a `-` that stands before a value: a negative integer, or `0 - factor`.
    fn negation(&mut self, start: Span, depth: usize) -> Parsed<Measured> {
        let token = self.token();
        if token.kind == TokenKind::Integer {
            self.bump();
            let span = self.span_since(start);
            let value = Value::Integer(self.integer(token, span, true));
            return Ok((Expression { kind: ExpressionKind::Constant(value), span }, 0));
        }
        self.check_depth(depth + 1, start)?;
        let operand = self.factor(depth + 1)?;
        let zero = ExpressionKind::Constant(Value::Integer(0));
        let zero = Expression { kind: zero, span: start };
        self.arithmetic((zero, 0), ArithmeticOperator::Subtract, operand)
    }

    /// The value of a token of digits; one out of range is reported and read as 0.
    fn integer(&mut self, token: crate::lexer::Token, span: Span, negative: bool) -> i64 {
        let digits = self.text_of(token);
        let magnitude = digits.parse::<i128>().ok();
        let value = magnitude.map(|magnitude| if negative { -magnitude } else { magnitude });
        if let Some(value) = value.and_then(|value| i64::try_from(value).ok()) {
            return value;
        }
        self.diagnostics.push(
            Diagnostic::at(
                Code::IntegerOutOfRange,
                span,
                format!(
                    "the integer `{}{}` does not fit 64 bits",
                    if negative { "-" } else { "" },
                    excerpt(digits)
                ),
                "out of range",
            )
            .with_help(format!("integers lie between {} and {}", i64::MIN, i64::MAX)),
        );
        0
    }

    pub(super) fn comparison_operator(&mut self) -> Option<ComparisonOperator> {
        let operator = match self.kind() {
            TokenKind::Equal => ComparisonOperator::Equal,
            TokenKind::NotEqual => ComparisonOperator::NotEqual,
            TokenKind::Less => ComparisonOperator::Less,
            TokenKind::LessOrEqual => ComparisonOperator::LessOrEqual,
            TokenKind::Greater => ComparisonOperator::Greater,
            TokenKind::GreaterOrEqual => ComparisonOperator::GreaterOrEqual,
            _ => return None,
        };
        self.bump();
        Some(operator)
    }

    /// `name<` begins an aggregate.
    pub(super) fn at_aggregate(&self) -> bool {
        self.kind() == TokenKind::Name && self.kind_ahead(1) == TokenKind::Less
    }

    /// `function<Variable>`
    pub(super) fn aggregate(&mut self) -> Parsed<HeadColumn> {
        let token = self.bump();
        let start = self.span_of(token);
        let name = self.text_of(token);
        self.bump();
        let variable = self.token();
        if variable.kind != TokenKind::Variable {
            return Err(self.unexpected("a variable", Some("an aggregate is written `count<X>`")));
        }
        self.bump();
        let variable =
            Name { text: self.text_of(variable).to_owned(), span: self.span_of(variable) };
        if !self.eat(TokenKind::Greater) {
            return Err(self.unexpected("`>`", Some("an aggregate is written `count<X>`")));
        }
        let span = self.span_since(start);
        let known = AGGREGATES.iter().find(|(known, _)| *known == name);
        let Some(&(_, function)) = known else {
            let names = AGGREGATES.map(|(name, _)| name);
            let help = match closest(name, names) {
                Some(similar) => format!("did you mean `{similar}`?"),
                None => "the aggregate functions are `count`, `min`, `max`, `sum` and `avg`".into(),
            };
            return Err(self.report(
                Diagnostic::at(
                    Code::AggregateMisplaced,
                    start,
                    format!("`{}` is not an aggregate function", excerpt(name)),
                    "unknown function",
                )
                .with_help(help),
            ));
        };
        Ok(HeadColumn::Aggregate { function, variable, span })
    }
}
