//! The syntax tree: what stands in the source, before names mean anything.
//!
//! Trees are shallow by construction (the parser refuses to nest deeper than
//! [`crate::parser::EXPRESSION_DEPTH_MAX`]), so recursion over them, dropping included, is safe.

use crate::hir::{Aggregate, ArithmeticOperator, ComparisonOperator, Value};
use crate::source::Span;

/// A name or variable as written.
#[derive(Clone, Debug)]
pub struct Name {
    /// The text.
    pub text: String,
    /// Where.
    pub span: Span,
}

/// What ends with a `;`.
#[derive(Clone, Debug)]
pub enum Clause {
    /// `include "path";`
    Include(Include),
    /// `relation(constant, ...)@N;`
    Fact(Fact),
    /// A fact with alternatives, such as `relation(constant, {constant, ...})@{M, N};`
    Choice(Choice),
    /// `head :- body;`
    Rule(Rule),
}

/// `include "path";`
#[derive(Clone, Debug)]
pub struct Include {
    /// The path as written, escapes resolved.
    pub path: String,
    /// The string token.
    pub span: Span,
}

/// `relation(constant, ...)@N;`
#[derive(Clone, Debug)]
pub struct Fact {
    /// The relation.
    pub relation: Name,
    /// Its columns; the resolver insists on constants.
    pub columns: Vec<Expression>,
    /// N.
    pub time: u32,
    /// The clause without the `;`.
    pub span: Span,
}

/// A fact of which some columns, or the time, have several alternatives.
#[derive(Clone, Debug)]
pub struct Choice {
    /// The relation.
    pub relation: Name,
    /// The alternatives of each column, at least one; the resolver insists on constants.
    pub columns: Vec<Vec<Expression>>,
    /// The alternatives of the time, at least one.
    pub times: Vec<u32>,
    /// The clause without the `;`.
    pub span: Span,
}

/// `head :- body;`
#[derive(Clone, Debug)]
pub struct Rule {
    /// What is derived.
    pub head: Head,
    /// From what.
    pub body: Vec<Term>,
    /// The clause without the `;`.
    pub span: Span,
}

/// When the head of a rule holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadTime {
    /// No mark.
    Now,
    /// `@next`
    Next,
    /// `@async`
    Async,
}

/// The head of a rule.
#[derive(Clone, Debug)]
pub struct Head {
    /// The relation.
    pub relation: Name,
    /// At least one.
    pub columns: Vec<HeadColumn>,
    /// The mark after it.
    pub time: HeadTime,
    /// The head with its mark.
    pub span: Span,
}

/// A column of a head.
#[derive(Clone, Debug)]
pub enum HeadColumn {
    /// An expression.
    Expression(Expression),
    /// `function<Variable>`
    Aggregate {
        /// Which.
        function: Aggregate,
        /// Over what.
        variable: Name,
        /// The whole.
        span: Span,
    },
}

impl HeadColumn {
    /// Where it stands.
    #[must_use]
    pub fn span(&self) -> Span {
        match self {
            Self::Expression(expression) => expression.span,
            Self::Aggregate { span, .. } => *span,
        }
    }
}

/// A term of a body.
#[derive(Clone, Debug)]
pub enum Term {
    /// `[notin] relation(...)[@N]`
    Literal(Literal),
    /// `left operator right`
    Comparison(Comparison),
}

/// `[notin] relation(...)[@N]`
#[derive(Clone, Debug)]
pub struct Literal {
    /// `notin`
    pub negated: bool,
    /// The relation.
    pub relation: Name,
    /// At least one.
    pub arguments: Vec<Expression>,
    /// N.
    pub time: Option<u32>,
    /// The time mark, if there is one.
    pub time_span: Option<Span>,
    /// The whole.
    pub span: Span,
}

/// `left operator right`
#[derive(Clone, Debug)]
pub struct Comparison {
    /// Left operand.
    pub left: Expression,
    /// Which.
    pub operator: ComparisonOperator,
    /// Right operand.
    pub right: Expression,
    /// The whole.
    pub span: Span,
}

/// An expression and where it stands.
#[derive(Clone, Debug)]
pub struct Expression {
    /// What it is.
    pub kind: ExpressionKind,
    /// Where, parentheses included.
    pub span: Span,
}

/// What an expression is.
#[derive(Clone, Debug)]
pub enum ExpressionKind {
    /// An integer or a string.
    Constant(Value),
    /// A variable.
    Variable(String),
    /// `_`
    Wildcard,
    /// Arithmetic. The parser writes `-X` as `0 - X`.
    Arithmetic(Box<Expression>, ArithmeticOperator, Box<Expression>),
}
