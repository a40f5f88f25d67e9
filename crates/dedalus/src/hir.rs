//! The resolved program: what remains of the source once names, types, places and strata are known.
//!
//! Everything an evaluator needs stands here in plain vectors indexed by typed ids; nothing refers
//! back to the syntax tree except through [`Span`]s. Both evaluators (the fast one and the naive
//! oracle) start from this form.

use std::fmt;
use std::sync::Arc;

use crate::source::Span;

/// A constant of the language.
///
/// Integers order before strings; strings order by bytes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Value {
    /// A 64-bit signed integer.
    Integer(i64),
    /// A string, also the name of a node.
    String(Arc<str>),
}

impl fmt::Display for Value {
    /// Writes the value as it stands in a program: strings quoted and escaped.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(integer) => write!(f, "{integer}"),
            Self::String(string) => write!(f, "{string:?}"),
        }
    }
}

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(pub u32);

        impl $name {
            /// The id as an index into the vector it belongs to.
            #[must_use]
            pub fn index(self) -> usize {
                self.0 as usize
            }
        }
    };
}

id! {
    /// Index into [`Program::relations`].
    RelationId
}
id! {
    /// Index into [`Program::rules`].
    RuleId
}
id! {
    /// Index into [`Rule::variables`].
    VariableId
}

/// The type of a column or a variable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Type {
    /// 64-bit signed integers.
    Integer,
    /// Strings, node names among them.
    String,
    /// Nothing in the program determines the type (the column never meets a constant).
    Unknown,
}

/// What a relation is to the evaluator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RelationKind {
    /// Declared by its use in the program.
    User,
    /// The built-in `crash(Observer, Node, CrashTime)`: holds at every time step and every declared
    /// observer when `Node` crashes at `CrashTime` at any time in the run.
    Crash,
}

/// A relation. Its first column is the location of the row.
#[derive(Clone, Debug)]
pub struct Relation {
    /// The name as written.
    pub name: String,
    /// One type per column; the length is the arity (at least one).
    pub columns: Vec<Type>,
    /// User relation or built-in.
    pub kind: RelationKind,
    /// Where the relation is first mentioned.
    pub span: Span,
}

/// A row given by the program, which holds at one time step only.
#[derive(Clone, Debug)]
pub struct Fact {
    /// The relation it belongs to.
    pub relation: RelationId,
    /// One value per column.
    pub row: Vec<Value>,
    /// The time step (1-based); may lie beyond the end of the run, where it has no effect.
    pub time: u32,
    /// The clause.
    pub span: Span,
}

/// An input of which the search picks the columns or the time: in each run exactly one alternative
/// holds, for one time step. Without a fault of kind `input` it is the first one.
#[derive(Clone, Debug)]
pub struct Choice {
    /// The relation it belongs to.
    pub relation: RelationId,
    /// The alternatives of each column, at least one.
    pub columns: Vec<Vec<Value>>,
    /// The alternatives of the time step (1-based), at least one; those beyond the end of the run
    /// mean that the input never comes.
    pub times: Vec<u32>,
    /// The clause.
    pub span: Span,
}

impl Choice {
    /// Every alternative, the default first.
    #[must_use]
    pub fn alternatives(&self) -> Vec<Fact> {
        let mut rows: Vec<Vec<Value>> = vec![Vec::new()];
        for column in &self.columns {
            rows = rows
                .iter()
                .flat_map(|row| {
                    column.iter().map(|value| [&row[..], std::slice::from_ref(value)].concat())
                })
                .collect();
        }
        let fact = |row: &Vec<Value>, time: u32| Fact {
            relation: self.relation,
            row: row.clone(),
            time,
            span: self.span,
        };
        rows.iter().flat_map(|row| self.times.iter().map(move |time| fact(row, *time))).collect()
    }
}

/// When and where the head of a rule holds, relative to its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Timing {
    /// At the same time step (a deductive rule).
    Now,
    /// At the next time step on the same node (`@next`).
    Next,
    /// At the next time step at the node in the head's first column, if the channel is open
    /// (`@async`).
    Async,
}

/// Where a rule fires: the first column of its first body literal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Location {
    /// `_`: the rule is evaluated once per time step, for the whole system; its messages cannot be
    /// lost.
    Global,
    /// The variable must name a declared node. If no positive literal binds it (the literal is a
    /// `notin`), it ranges over the declared nodes.
    Variable(VariableId),
    /// A constant: the rule fires iff it names a declared node.
    Constant(Value),
}

/// A variable of one rule.
#[derive(Clone, Debug)]
pub struct Variable {
    /// The name as written.
    pub name: String,
    /// Its inferred type.
    pub r#type: Type,
    /// True if the variable occurs only under one `notin`, where it means "any value". (The
    /// location variable is never existential.)
    pub existential: bool,
    /// First occurrence.
    pub span: Span,
}

/// A rule.
#[derive(Clone, Debug)]
pub struct Rule {
    /// What it derives.
    pub head: Head,
    /// Where it fires.
    pub location: Location,
    /// Literals and comparisons in source order.
    pub body: Vec<BodyTerm>,
    /// Every variable of the rule, each once.
    pub variables: Vec<Variable>,
    /// True if some body literal reads an absolute time later than the rule's own (`p(..)@N` with
    /// N >= 2): nothing depends on the head, and the rule is evaluated after the run is complete,
    /// for every time step. Such rules belong to no stratum.
    pub look_ahead: bool,
    /// The whole clause.
    pub span: Span,
}

/// The head of a rule.
#[derive(Clone, Debug)]
pub struct Head {
    /// The relation derived.
    pub relation: RelationId,
    /// One per column. The first column is where the row is stored.
    pub columns: Vec<HeadColumn>,
    /// Same step, next step, or by message.
    pub timing: Timing,
    /// The head alone.
    pub span: Span,
}

impl Head {
    /// True if some column is an aggregate.
    #[must_use]
    pub fn is_aggregate(&self) -> bool {
        self.columns.iter().any(|column| matches!(column, HeadColumn::Aggregate { .. }))
    }
}

/// A column of a head.
#[derive(Clone, Debug)]
pub enum HeadColumn {
    /// Computed from the variables of one valuation of the body; in a rule with aggregates, part
    /// of the group.
    Expression(Expression),
    /// Computed from the distinct (group, value) pairs of all valuations of the body.
    Aggregate {
        /// Which aggregate.
        function: Aggregate,
        /// The variable aggregated.
        variable: VariableId,
        /// `count<X>`.
        span: Span,
    },
}

/// The aggregate functions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Aggregate {
    /// How many distinct values.
    Count,
    /// The least value (integers, or strings by bytes).
    Min,
    /// The greatest value.
    Max,
    /// The sum of the distinct values (integers).
    Sum,
    /// The sum divided by the count, truncated (integers).
    Average,
}

/// One term of a body.
#[derive(Clone, Debug)]
pub enum BodyTerm {
    /// A possibly negated relation.
    Literal(Literal),
    /// A comparison between two expressions, all of whose variables are bound by literals.
    Comparison(Comparison),
}

/// `[notin] relation(argument, ...) [@N]`.
#[derive(Clone, Debug)]
pub struct Literal {
    /// True for `notin`.
    pub negated: bool,
    /// The relation read.
    pub relation: RelationId,
    /// One per column.
    pub arguments: Vec<Argument>,
    /// `Some(N)`: read at absolute time N instead of now.
    pub time: Option<u32>,
    /// The literal.
    pub span: Span,
}

/// An argument of a body literal.
#[derive(Clone, Debug)]
pub enum Argument {
    /// `_`.
    Wildcard,
    /// A variable (which a positive literal binds), a constant, or an expression over variables
    /// bound elsewhere (which the column must equal).
    Expression(Expression),
}

/// An expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expression {
    /// A constant.
    Constant(Value),
    /// A variable of the rule.
    Variable(VariableId),
    /// Integer arithmetic; overflow and division by zero are errors of the run.
    Arithmetic(Box<Expression>, ArithmeticOperator, Box<Expression>),
}

/// Integer operators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ArithmeticOperator {
    /// `+`
    Add,
    /// `-`
    Subtract,
    /// `*`
    Multiply,
    /// `/`, truncating towards zero.
    Divide,
}

/// `left operator right`.
#[derive(Clone, Debug)]
pub struct Comparison {
    /// Left operand.
    pub left: Expression,
    /// Which comparison.
    pub operator: ComparisonOperator,
    /// Right operand.
    pub right: Expression,
    /// The comparison.
    pub span: Span,
}

/// Comparison operators: integers by value, strings by bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ComparisonOperator {
    /// `==`
    Equal,
    /// `!=`
    NotEqual,
    /// `<`
    Less,
    /// `<=`
    LessOrEqual,
    /// `>`
    Greater,
    /// `>=`
    GreaterOrEqual,
}

/// Relations that depend on one another within a time step, or a single one.
///
/// Dependencies counted: from the head of a deductive rule that is not `look_ahead` to each of its
/// body literals (one that reads `@N` included, since N may be now).
#[derive(Clone, Debug)]
pub struct Stratum {
    /// In ascending order.
    pub relations: Vec<RelationId>,
    /// True if some relation depends on itself through the stratum.
    pub recursive: bool,
    /// True if a negation or an aggregate stands on a cycle: the stratum is evaluated by its
    /// well-founded model, which must be total.
    pub unstratified: bool,
}

/// A resolved, typed, stratified program.
#[derive(Clone, Debug, Default)]
pub struct Program {
    /// Every relation mentioned, `crash` included if it is.
    pub relations: Vec<Relation>,
    /// Every fact, in source order.
    pub facts: Vec<Fact>,
    /// Every fact with alternatives, in source order.
    pub choices: Vec<Choice>,
    /// Every rule, in source order.
    pub rules: Vec<Rule>,
    /// Every relation stands in exactly one stratum; in evaluation order: a stratum depends only
    /// on those before it, and on itself.
    pub strata: Vec<Stratum>,
}

impl Program {
    /// The relation of that name, if the program mentions it.
    #[must_use]
    pub fn relation_named(&self, name: &str) -> Option<RelationId> {
        let index = self.relations.iter().position(|relation| relation.name == name)?;
        Some(RelationId(index as u32))
    }

    /// The relation with this id.
    #[must_use]
    pub fn relation(&self, id: RelationId) -> &Relation {
        &self.relations[id.index()]
    }
}
