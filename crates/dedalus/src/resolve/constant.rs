//! The columns of facts: expressions without variables, evaluated at once.

use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::hir::{ArithmeticOperator, Value};
use crate::syntax::{Expression, ExpressionKind};

/// The value of an expression without variables; `None` after an error.
pub(super) fn evaluate(expression: &Expression, diagnostics: &mut Diagnostics) -> Option<Value> {
    match &expression.kind {
        ExpressionKind::Constant(value) => Some(value.clone()),
        ExpressionKind::Variable(name) => {
            diagnostics.push(
                Diagnostic::at(
                    Code::VariableInFact,
                    expression.span,
                    format!("the variable `{name}` stands in a fact"),
                    "facts hold constants only",
                )
                .with_help(format!(
                    "write a string as `\"{name}\"`, or make it a rule with a body"
                )),
            );
            None
        }
        ExpressionKind::Wildcard => {
            diagnostics.push(
                Diagnostic::at(
                    Code::VariableInFact,
                    expression.span,
                    "`_` stands in a fact",
                    "facts hold constants only",
                )
                .with_help("write one fact for every value"),
            );
            None
        }
        ExpressionKind::Arithmetic(left, operator, right) => {
            let left = integer(left, diagnostics);
            let right = integer(right, diagnostics);
            let (left, right) = (left?, right?);
            let result = match operator {
                ArithmeticOperator::Add => left.checked_add(right),
                ArithmeticOperator::Subtract => left.checked_sub(right),
                ArithmeticOperator::Multiply => left.checked_mul(right),
                ArithmeticOperator::Divide => left.checked_div(right),
            };
            if result.is_none() {
                let (message, label) = if right == 0 {
                    ("this divides by zero", "division by zero")
                } else {
                    ("the result does not fit 64 bits", "overflow")
                };
                diagnostics.push(
                    Diagnostic::at(Code::ConstantArithmetic, expression.span, message, label)
                        .with_help("write the value that is meant"),
                );
            }
            result.map(Value::Integer)
        }
    }
}

fn integer(expression: &Expression, diagnostics: &mut Diagnostics) -> Option<i64> {
    match evaluate(expression, diagnostics)? {
        Value::Integer(integer) => Some(integer),
        Value::String(_) => {
            diagnostics.push(
                Diagnostic::at(
                    Code::TypeConflict,
                    expression.span,
                    "arithmetic needs integers, and this is a string",
                    "a string",
                )
                .with_help("strings cannot be computed with"),
            );
            None
        }
    }
}
