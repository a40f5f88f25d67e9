//! Values as numbers, rows, and arithmetic.

use std::cmp::Ordering;

use indexmap::IndexSet;
use linchpin_dedalus::hir::{ArithmeticOperator, ComparisonOperator, Value};
use rustc_hash::FxBuildHasher;

/// The number of a value in [`Values`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct ValueId(u32);

/// One value per column; the first is the location.
pub(crate) type Row = Vec<ValueId>;

/// Every value met, each once.
#[derive(Clone, Debug, Default)]
pub(crate) struct Values(IndexSet<Value, FxBuildHasher>);

impl Values {
    pub(crate) fn id(&mut self, value: &Value) -> ValueId {
        if let Some(index) = self.0.get_index_of(value) {
            return ValueId(index as u32);
        }
        ValueId(self.0.insert_full(value.clone()).0 as u32)
    }

    pub(crate) fn known(&self, value: &Value) -> Option<ValueId> {
        self.0.get_index_of(value).map(|index| ValueId(index as u32))
    }

    pub(crate) fn value(&self, id: ValueId) -> &Value {
        &self.0[id.0 as usize]
    }

    pub(crate) fn row(&mut self, row: &[Value]) -> Row {
        row.iter().map(|value| self.id(value)).collect()
    }
}

/// Why an expression has no value: the result leaves 64 bits, or a divisor is zero.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct ArithmeticError;

/// An expression over the variables of a rule.
#[derive(Clone, Debug)]
pub(crate) enum Term {
    Constant(ValueId),
    Variable(usize),
    Arithmetic(Box<Term>, ArithmeticOperator, Box<Term>),
}

/// The values of a rule's variables; `None` where nothing is bound yet.
pub(crate) type Valuation = Vec<Option<ValueId>>;

impl Term {
    /// The value under a valuation that binds every variable of the term.
    pub(crate) fn evaluate(
        &self,
        valuation: &[Option<ValueId>],
        values: &Values,
    ) -> Result<Value, ArithmeticError> {
        match self {
            Self::Constant(id) => Ok(values.value(*id).clone()),
            Self::Variable(variable) => {
                let id = valuation[*variable].expect("terms are evaluated once they are bound");
                Ok(values.value(id).clone())
            }
            Self::Arithmetic(left, operator, right) => {
                let left = integer(&left.evaluate(valuation, values)?);
                let right = integer(&right.evaluate(valuation, values)?);
                let result = match operator {
                    ArithmeticOperator::Add => left.checked_add(right),
                    ArithmeticOperator::Subtract => left.checked_sub(right),
                    ArithmeticOperator::Multiply => left.checked_mul(right),
                    ArithmeticOperator::Divide => left.checked_div(right),
                };
                result.map(Value::Integer).ok_or(ArithmeticError)
            }
        }
    }

    /// Adds the variables of the term.
    pub(crate) fn variables(&self, found: &mut Vec<usize>) {
        match self {
            Self::Constant(_) => {}
            Self::Variable(variable) => found.push(*variable),
            Self::Arithmetic(left, _, right) => {
                left.variables(found);
                right.variables(found);
            }
        }
    }
}

pub(crate) fn integer(value: &Value) -> i64 {
    match value {
        Value::Integer(integer) => *integer,
        Value::String(_) => unreachable!("the types of a program were checked"),
    }
}

/// Integers by value, strings by bytes.
pub(crate) fn compare(left: &Value, operator: ComparisonOperator, right: &Value) -> bool {
    let ordering = left.cmp(right);
    match operator {
        ComparisonOperator::Equal => ordering == Ordering::Equal,
        ComparisonOperator::NotEqual => ordering != Ordering::Equal,
        ComparisonOperator::Less => ordering == Ordering::Less,
        ComparisonOperator::LessOrEqual => ordering != Ordering::Greater,
        ComparisonOperator::Greater => ordering == Ordering::Greater,
        ComparisonOperator::GreaterOrEqual => ordering != Ordering::Less,
    }
}
