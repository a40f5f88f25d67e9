//! Programs as text: facts, then facts with alternatives, then rules, in the order of the program.
//!
//! The text compiles to an equal program (except for spans and the numbers of relations), and
//! printing that gives the same text.

use std::fmt;

use crate::hir::{
    Aggregate, Argument, ArithmeticOperator, BodyTerm, Choice, Comparison, ComparisonOperator,
    Expression, Fact, HeadColumn, Literal, Program, Rule, Timing,
};

impl fmt::Display for Program {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for fact in &self.facts {
            writeln!(f, "{}", self.display_fact(fact))?;
        }
        for choice in &self.choices {
            writeln!(f, "{}", self.display_choice(choice))?;
        }
        for rule in &self.rules {
            writeln!(f, "{}", self.display_rule(rule))?;
        }
        Ok(())
    }
}

impl Program {
    /// A fact of this program as it stands in a source, `;` included.
    pub fn display_fact<'a>(&'a self, fact: &'a Fact) -> impl fmt::Display + 'a {
        DisplayFact { program: self, fact }
    }

    /// A fact with alternatives as it stands in a source, `;` included.
    pub fn display_choice<'a>(&'a self, choice: &'a Choice) -> impl fmt::Display + 'a {
        DisplayChoice { program: self, choice }
    }

    /// A rule of this program as it stands in a source, `;` included.
    pub fn display_rule<'a>(&'a self, rule: &'a Rule) -> impl fmt::Display + 'a {
        DisplayRule { program: self, rule }
    }
}

impl fmt::Display for Aggregate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Count => "count",
            Self::Min => "min",
            Self::Max => "max",
            Self::Sum => "sum",
            Self::Average => "avg",
        })
    }
}

impl fmt::Display for ArithmeticOperator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Add => "+",
            Self::Subtract => "-",
            Self::Multiply => "*",
            Self::Divide => "/",
        })
    }
}

impl fmt::Display for ComparisonOperator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Equal => "==",
            Self::NotEqual => "!=",
            Self::Less => "<",
            Self::LessOrEqual => "<=",
            Self::Greater => ">",
            Self::GreaterOrEqual => ">=",
        })
    }
}

struct DisplayFact<'a> {
    program: &'a Program,
    fact: &'a Fact,
}

impl fmt::Display for DisplayFact<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.program.relation(self.fact.relation).name)?;
        separated(f, &self.fact.row, |f, value| write!(f, "{value}"))?;
        write!(f, ")@{};", self.fact.time)
    }
}

struct DisplayChoice<'a> {
    program: &'a Program,
    choice: &'a Choice,
}

impl fmt::Display for DisplayChoice<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}(", self.program.relation(self.choice.relation).name)?;
        separated(f, &self.choice.columns, |f, column| alternatives(f, column))?;
        f.write_str(")@")?;
        alternatives(f, &self.choice.times)?;
        f.write_str(";")
    }
}

/// One value as it is, several in braces.
fn alternatives<T: fmt::Display>(f: &mut fmt::Formatter<'_>, values: &[T]) -> fmt::Result {
    match values {
        [only] => write!(f, "{only}"),
        _ => {
            f.write_str("{")?;
            separated(f, values, |f, value| write!(f, "{value}"))?;
            f.write_str("}")
        }
    }
}

struct DisplayRule<'a> {
    program: &'a Program,
    rule: &'a Rule,
}

impl fmt::Display for DisplayRule<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let head = &self.rule.head;
        write!(f, "{}(", self.program.relation(head.relation).name)?;
        separated(f, &head.columns, |f, column| match column {
            HeadColumn::Expression(expression) => self.expression(f, expression, 0),
            HeadColumn::Aggregate { function, variable, .. } => {
                write!(f, "{function}<{}>", self.rule.variables[variable.index()].name)
            }
        })?;
        f.write_str(match head.timing {
            Timing::Now => ") :- ",
            Timing::Next => ")@next :- ",
            Timing::Async => ")@async :- ",
        })?;
        separated(f, &self.rule.body, |f, term| match term {
            BodyTerm::Literal(literal) => self.literal(f, literal),
            BodyTerm::Comparison(comparison) => self.comparison(f, comparison),
        })?;
        f.write_str(";")
    }
}

impl DisplayRule<'_> {
    fn literal(&self, f: &mut fmt::Formatter<'_>, literal: &Literal) -> fmt::Result {
        let negation = if literal.negated { "notin " } else { "" };
        write!(f, "{negation}{}(", self.program.relation(literal.relation).name)?;
        separated(f, &literal.arguments, |f, argument| match argument {
            Argument::Wildcard => f.write_str("_"),
            Argument::Expression(expression) => self.expression(f, expression, 0),
        })?;
        match literal.time {
            None => f.write_str(")"),
            Some(time) => write!(f, ")@{time}"),
        }
    }

    fn comparison(&self, f: &mut fmt::Formatter<'_>, comparison: &Comparison) -> fmt::Result {
        self.expression(f, &comparison.left, 0)?;
        write!(f, " {} ", comparison.operator)?;
        self.expression(f, &comparison.right, 0)
    }

    /// In parentheses if the operator binds less than `binding`.
    fn expression(
        &self,
        f: &mut fmt::Formatter<'_>,
        expression: &Expression,
        binding: u8,
    ) -> fmt::Result {
        match expression {
            Expression::Constant(value) => write!(f, "{value}"),
            Expression::Variable(variable) => {
                f.write_str(&self.rule.variables[variable.index()].name)
            }
            Expression::Arithmetic(left, operator, right) => {
                let own = match operator {
                    ArithmeticOperator::Add | ArithmeticOperator::Subtract => 1,
                    ArithmeticOperator::Multiply | ArithmeticOperator::Divide => 2,
                };
                if own < binding {
                    f.write_str("(")?;
                }
                self.expression(f, left, own)?;
                write!(f, " {operator} ")?;
                self.expression(f, right, own + 1)?;
                if own < binding {
                    f.write_str(")")?;
                }
                Ok(())
            }
        }
    }
}

fn separated<T>(
    f: &mut fmt::Formatter<'_>,
    items: &[T],
    mut show: impl FnMut(&mut fmt::Formatter<'_>, &T) -> fmt::Result,
) -> fmt::Result {
    for (index, item) in items.iter().enumerate() {
        if index > 0 {
            f.write_str(", ")?;
        }
        show(f, item)?;
    }
    Ok(())
}
