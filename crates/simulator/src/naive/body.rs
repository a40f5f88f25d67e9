//! The body of one rule: every valuation that satisfies it, and what the head makes of it.

use std::collections::{BTreeMap, BTreeSet};

use linchpin_dedalus::hir::{
    Aggregate, Argument, ArithmeticOperator, BodyTerm, Comparison, ComparisonOperator, Expression,
    HeadColumn, Literal, Location, Rule, Value, VariableId,
};

use super::{Row, Step, Tables};
use crate::error::RunErrorKind;

/// What the literals of a body see.
#[derive(Clone, Copy)]
pub(super) struct Sight<'a> {
    pub(super) now: u32,
    /// Every time step but now.
    pub(super) tables: &'a Tables,
    /// Now, for positive literals.
    pub(super) present: &'a Step,
    /// Now, for negative literals.
    pub(super) absent: &'a Step,
}

impl<'a> Sight<'a> {
    fn rows(&self, literal: &Literal) -> &'a BTreeSet<Row> {
        match literal.time {
            Some(time) if time != self.now => self.tables.rows(literal.relation, time),
            _ if literal.negated => &self.absent[literal.relation.index()],
            _ => &self.present[literal.relation.index()],
        }
    }
}

/// What a rule makes of one valuation.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Instance {
    /// The node where the rule fires; `None` for a global rule.
    pub(super) location: Option<Value>,
    /// The columns of the head; for an aggregate, the value of its variable.
    pub(super) row: Row,
}

/// Everything a rule makes of a body.
#[derive(Default)]
pub(super) struct Found {
    pub(super) instances: BTreeSet<Instance>,
    /// Something that could not be computed.
    pub(super) error: Option<RunErrorKind>,
}

/// The values of the variables; `None` while unbound.
type Valuation = Vec<Option<Value>>;

/// Tries the rule on every combination of rows.
pub(super) fn instances(rule: &Rule, sight: &Sight<'_>, nodes: &[String]) -> Found {
    let mut found = Found::default();
    let positives: Vec<&Literal> = literals(rule).filter(|literal| !literal.negated).collect();
    let mut valuations: Vec<(Valuation, Vec<&Row>)> =
        vec![(vec![None; rule.variables.len()], Vec::new())];
    if let Location::Variable(location) = rule.location
        && !positives.iter().any(|literal| binds(literal, location))
    {
        valuations = nodes
            .iter()
            .map(|node| {
                let mut valuation = vec![None; rule.variables.len()];
                valuation[location.index()] = Some(Value::String(node.as_str().into()));
                (valuation, Vec::new())
            })
            .collect();
    }
    for literal in &positives {
        let mut extended = Vec::new();
        for (valuation, matched) in &valuations {
            for row in sight.rows(literal) {
                let mut valuation = valuation.clone();
                if matches_row(literal, row, &mut valuation) {
                    let mut matched = matched.clone();
                    matched.push(row);
                    extended.push((valuation, matched));
                }
            }
        }
        valuations = extended;
    }
    for (valuation, matched) in valuations {
        let location = match &rule.location {
            Location::Global => None,
            Location::Variable(variable) => valuation[variable.index()].clone(),
            Location::Constant(value) => Some(value.clone()),
        };
        let is_node = |value: &Value| match value {
            Value::String(name) => nodes.iter().any(|node| **node == **name),
            Value::Integer(_) => false,
        };
        if !location.as_ref().is_none_or(is_node) {
            continue;
        }
        match satisfies(rule, &valuation, &positives, &matched, sight) {
            Ok(false) => {}
            Ok(true) => match head_row(rule, &valuation) {
                Ok(row) => {
                    found.instances.insert(Instance { location, row });
                }
                Err(error) => found.error = Some(error),
            },
            Err(error) => found.error = Some(error),
        }
    }
    found
}

fn literals(rule: &Rule) -> impl Iterator<Item = &Literal> {
    rule.body.iter().filter_map(|term| match term {
        BodyTerm::Literal(literal) => Some(literal),
        BodyTerm::Comparison(_) => None,
    })
}

fn binds(literal: &Literal, variable: VariableId) -> bool {
    literal.arguments.iter().any(|argument| {
        matches!(argument, Argument::Expression(Expression::Variable(found)) if *found == variable)
    })
}

/// Whether the row agrees with the constants and variables of the literal; binds those unbound.
/// Arithmetic is left for later.
fn matches_row(literal: &Literal, row: &Row, valuation: &mut Valuation) -> bool {
    literal.arguments.iter().zip(row).all(|(argument, value)| match argument {
        Argument::Wildcard | Argument::Expression(Expression::Arithmetic(..)) => true,
        Argument::Expression(Expression::Constant(constant)) => constant == value,
        Argument::Expression(Expression::Variable(variable)) => {
            *valuation[variable.index()].get_or_insert_with(|| value.clone()) == *value
        }
    })
}

/// Whether a valuation of the positive literals satisfies the rest of the body. An error if some
/// term cannot be computed and all others are satisfied.
fn satisfies(
    rule: &Rule,
    valuation: &Valuation,
    positives: &[&Literal],
    matched: &[&Row],
    sight: &Sight<'_>,
) -> Result<bool, RunErrorKind> {
    let mut terms: Vec<Result<bool, RunErrorKind>> = Vec::new();
    for (literal, row) in positives.iter().zip(matched) {
        for (argument, value) in literal.arguments.iter().zip(*row) {
            if let Argument::Expression(arithmetic @ Expression::Arithmetic(..)) = argument {
                terms.push(evaluate(arithmetic, valuation).map(|result| result == *value));
            }
        }
    }
    for literal in literals(rule).filter(|literal| literal.negated) {
        terms.push(is_absent(literal, valuation, sight));
    }
    for term in &rule.body {
        if let BodyTerm::Comparison(comparison) = term {
            terms.push(compare(comparison, valuation));
        }
    }
    if terms.contains(&Ok(false)) {
        return Ok(false);
    }
    terms.into_iter().find(Result::is_err).unwrap_or(Ok(true))
}

/// Whether no row matches a negative literal.
fn is_absent(
    literal: &Literal,
    valuation: &Valuation,
    sight: &Sight<'_>,
) -> Result<bool, RunErrorKind> {
    let mut computed = Vec::new();
    for argument in &literal.arguments {
        computed.push(match argument {
            Argument::Expression(arithmetic @ Expression::Arithmetic(..)) => {
                Some(evaluate(arithmetic, valuation)?)
            }
            _ => None,
        });
    }
    Ok(!sight.rows(literal).iter().any(|row| {
        let agrees =
            computed.iter().zip(row).all(|(c, value)| c.as_ref().is_none_or(|c| c == value));
        // Variables that are still unbound are existential: any value, but the same one.
        agrees && matches_row(literal, row, &mut valuation.clone())
    }))
}

fn compare(comparison: &Comparison, valuation: &Valuation) -> Result<bool, RunErrorKind> {
    let left = evaluate(&comparison.left, valuation)?;
    let right = evaluate(&comparison.right, valuation)?;
    Ok(match comparison.operator {
        ComparisonOperator::Equal => left == right,
        ComparisonOperator::NotEqual => left != right,
        ComparisonOperator::Less => left < right,
        ComparisonOperator::LessOrEqual => left <= right,
        ComparisonOperator::Greater => left > right,
        ComparisonOperator::GreaterOrEqual => left >= right,
    })
}

fn evaluate(expression: &Expression, valuation: &Valuation) -> Result<Value, RunErrorKind> {
    match expression {
        Expression::Constant(value) => Ok(value.clone()),
        Expression::Variable(variable) => {
            Ok(valuation[variable.index()].clone().expect("every variable of a rule is bound"))
        }
        Expression::Arithmetic(left, operator, right) => {
            let left = integer(&evaluate(left, valuation)?);
            let right = integer(&evaluate(right, valuation)?);
            let result = match operator {
                ArithmeticOperator::Add => i128::from(left) + i128::from(right),
                ArithmeticOperator::Subtract => i128::from(left) - i128::from(right),
                ArithmeticOperator::Multiply => i128::from(left) * i128::from(right),
                ArithmeticOperator::Divide if right == 0 => {
                    return Err(RunErrorKind::DivisionByZero);
                }
                ArithmeticOperator::Divide => i128::from(left) / i128::from(right),
            };
            in_range(result)
        }
    }
}

fn integer(value: &Value) -> i64 {
    match value {
        Value::Integer(integer) => *integer,
        Value::String(_) => unreachable!("the program is well typed"),
    }
}

fn in_range(result: i128) -> Result<Value, RunErrorKind> {
    i64::try_from(result).map(Value::Integer).map_err(|_| RunErrorKind::Overflow)
}

fn head_row(rule: &Rule, valuation: &Valuation) -> Result<Row, RunErrorKind> {
    let mut row = Vec::new();
    for column in &rule.head.columns {
        row.push(match column {
            HeadColumn::Expression(expression) => evaluate(expression, valuation)?,
            HeadColumn::Aggregate { variable, .. } => {
                evaluate(&Expression::Variable(*variable), valuation)?
            }
        });
    }
    Ok(row)
}

/// Rows with the same values outside the aggregates: per aggregate, its distinct values.
pub(super) fn by_group(
    rule: &Rule,
    rows: impl IntoIterator<Item = Row>,
) -> BTreeMap<Row, Vec<BTreeSet<Value>>> {
    let mut groups: BTreeMap<Row, Vec<BTreeSet<Value>>> = BTreeMap::new();
    for row in rows {
        let (aggregated, group): (Vec<_>, Vec<_>) = rule
            .head
            .columns
            .iter()
            .zip(row)
            .partition(|(column, _)| matches!(column, HeadColumn::Aggregate { .. }));
        let group: Row = group.into_iter().map(|(_, value)| value).collect();
        let sets = groups.entry(group).or_insert_with(|| vec![BTreeSet::new(); aggregated.len()]);
        for (set, (_, value)) in sets.iter_mut().zip(aggregated) {
            set.insert(value);
        }
    }
    groups
}

/// The row of a group, given the value of each aggregate.
pub(super) fn join_group(rule: &Rule, group: &Row, aggregated: &[Value]) -> Row {
    let (mut group, mut aggregated) = (group.iter(), aggregated.iter());
    let column = |column: &HeadColumn| match column {
        HeadColumn::Expression(_) => group.next().cloned(),
        HeadColumn::Aggregate { .. } => aggregated.next().cloned(),
    };
    rule.head.columns.iter().filter_map(column).collect()
}

/// The functions of the aggregates in a head.
pub(super) fn functions(rule: &Rule) -> Vec<Aggregate> {
    let function = |column: &HeadColumn| match column {
        HeadColumn::Expression(_) => None,
        HeadColumn::Aggregate { function, .. } => Some(*function),
    };
    rule.head.columns.iter().filter_map(function).collect()
}

/// Rows as the head has them, aggregates computed.
pub(super) fn aggregate(rule: &Rule, rows: BTreeSet<Row>) -> Result<BTreeSet<Row>, RunErrorKind> {
    if !rule.head.is_aggregate() {
        return Ok(rows);
    }
    let mut result = BTreeSet::new();
    for (group, sets) in by_group(rule, rows) {
        let mut values = Vec::new();
        for (function, set) in functions(rule).into_iter().zip(&sets) {
            values.push(combine(function, set)?);
        }
        result.insert(join_group(rule, &group, &values));
    }
    Ok(result)
}

fn combine(function: Aggregate, values: &BTreeSet<Value>) -> Result<Value, RunErrorKind> {
    let sum = || values.iter().map(|value| i128::from(integer(value))).sum::<i128>();
    let count = values.len() as i128;
    match function {
        Aggregate::Count => in_range(count),
        Aggregate::Min => Ok(values.first().expect("a group has a member").clone()),
        Aggregate::Max => Ok(values.last().expect("a group has a member").clone()),
        Aggregate::Sum => in_range(sum()),
        Aggregate::Average => in_range(sum() / count),
    }
}
