//! Aggregates: the groups of a rule, and the values they can take.

use std::collections::BTreeSet;

use indexmap::{IndexMap, IndexSet};
use linchpin_dedalus::hir::{Aggregate, Value};
use rustc_hash::FxBuildHasher;

use crate::circuit::{Circuit, Literal};
use crate::rule::{HeadTerm, Match, ReadyRule};
use crate::value::{ArithmeticError, ValueId, Values, integer};

/// Partial results beyond which a sum is given up.
const SUMS_MAX: usize = 4096;

/// Values of several aggregates in one head beyond which they are given up.
const CHOICES_MAX: usize = 100_000;

/// A value an aggregate can take, or an overflow.
pub(crate) type Outcome = Result<Value, ArithmeticError>;

/// A head with `None` in the columns that are aggregated.
pub(crate) type Group = Vec<Option<ValueId>>;

/// The distinct values that one aggregate of a group may be taken over.
pub(crate) type Members = IndexSet<ValueId, FxBuildHasher>;

/// What one match contributes: its group, and one member per aggregate of the head. An error if a
/// column has no value.
pub(crate) fn contribution(
    rule: &ReadyRule,
    matched: &Match,
    values: &mut Values,
) -> Result<(Group, Vec<ValueId>), ArithmeticError> {
    let mut group = Vec::new();
    let mut members = Vec::new();
    for column in &rule.columns {
        match column {
            HeadTerm::Term(term) => {
                let value = term.evaluate(&matched.valuation, values)?;
                group.push(Some(values.id(&value)));
            }
            HeadTerm::Aggregate(_, variable) => {
                group.push(None);
                members.push(matched.valuation[*variable].expect("heads are bound"));
            }
        }
    }
    Ok((group, members))
}

/// The head of a group whose aggregates took these values.
pub(crate) fn head_of(
    group: &Group,
    mut aggregates: impl Iterator<Item = ValueId>,
) -> Vec<ValueId> {
    let column = |cell: &Option<ValueId>| {
        cell.unwrap_or_else(|| aggregates.next().expect("one value per aggregate"))
    };
    group.iter().map(column).collect()
}

/// The functions of a head, in order.
pub(crate) fn functions(rule: &ReadyRule) -> impl Iterator<Item = Aggregate> {
    rule.columns.iter().filter_map(|column| match column {
        HeadTerm::Aggregate(function, _) => Some(*function),
        HeadTerm::Term(_) => None,
    })
}

/// Every choice of one element from each list, the last list fastest. `None` if there are too many.
pub(crate) fn choices(lengths: &[usize]) -> Option<Vec<Vec<usize>>> {
    let count = lengths.iter().try_fold(1_usize, |count, &length| count.checked_mul(length));
    count.filter(|&count| count <= CHOICES_MAX)?;
    let mut result = vec![Vec::new()];
    for &length in lengths {
        result = result
            .into_iter()
            .flat_map(|choice: Vec<usize>| {
                (0..length).map(move |next| choice.iter().copied().chain([next]).collect())
            })
            .collect();
    }
    Some(result)
}

/// Sum and number of every subset of the members (for a sum, of the number only whether it is 0).
fn partial_sums(function: Aggregate, members: &[Value]) -> Option<BTreeSet<(i128, i128)>> {
    let mut sums = BTreeSet::from([(0, 0)]);
    for member in members {
        let with: Vec<(i128, i128)> =
            sums.iter().map(|&partial| extended(function, partial, member)).collect();
        sums.extend(with);
        if sums.len() > SUMS_MAX {
            return None;
        }
    }
    Some(sums)
}

fn extended(function: Aggregate, (sum, count): (i128, i128), member: &Value) -> (i128, i128) {
    let count = if function == Aggregate::Average { count + 1 } else { 1 };
    (sum + i128::from(integer(member)), count)
}

fn result_of(function: Aggregate, (sum, count): (i128, i128)) -> Outcome {
    let result = if function == Aggregate::Average { sum / count } else { sum };
    i64::try_from(result).map(Value::Integer).map_err(|_| ArithmeticError)
}

/// Every value that the aggregate takes over some non-empty set of the members, in order. `None` if
/// there are too many.
pub(crate) fn outcomes(function: Aggregate, members: &[Value]) -> Option<Vec<Outcome>> {
    let outcomes: BTreeSet<Outcome> = match function {
        Aggregate::Count => {
            (1..=members.len()).map(|count| Ok(Value::Integer(count as i64))).collect()
        }
        Aggregate::Min | Aggregate::Max => members.iter().cloned().map(Ok).collect(),
        Aggregate::Sum | Aggregate::Average => partial_sums(function, members)?
            .into_iter()
            .filter(|(_, count)| *count > 0)
            .map(|partial| result_of(function, partial))
            .collect(),
    };
    Some(outcomes.into_iter().collect())
}

/// For each outcome, a literal that is true iff the aggregate over the members that are there takes
/// it. (For a minimum or maximum see [`choice`].)
pub(crate) fn encode(
    function: Aggregate,
    members: &[(Value, Literal)],
    outcomes: &[Outcome],
    circuit: &mut Circuit,
) -> Vec<Literal> {
    match function {
        Aggregate::Count => {
            let literals: Vec<Literal> = members.iter().map(|member| member.1).collect();
            let at_least = circuit.at_least(&literals);
            outcomes
                .iter()
                .map(|outcome| {
                    let Ok(Value::Integer(count)) = outcome else {
                        unreachable!("a count is a number")
                    };
                    let count = *count as usize;
                    match at_least.get(count + 1) {
                        Some(&more) => circuit.and(vec![at_least[count], -more]),
                        None => at_least[count],
                    }
                })
                .collect()
        }
        Aggregate::Min | Aggregate::Max => {
            outcomes.iter().map(|outcome| choice(function, members, outcome, circuit)).collect()
        }
        Aggregate::Sum | Aggregate::Average => encode_sum(function, members, outcomes, circuit),
    }
}

/// True iff the member that is the outcome is there, and no better member is.
fn choice(
    function: Aggregate,
    members: &[(Value, Literal)],
    outcome: &Outcome,
    circuit: &mut Circuit,
) -> Literal {
    let Ok(chosen) = outcome else { unreachable!("a choice does not overflow") };
    let literals = members
        .iter()
        .filter_map(|(member, literal)| {
            if member == chosen {
                Some(*literal)
            } else {
                is_better(function, member, chosen).then_some(-literal)
            }
        })
        .collect();
    circuit.and(literals)
}

/// Would the minimum or maximum prefer `member` to `chosen`?
pub(crate) fn is_better(function: Aggregate, member: &Value, chosen: &Value) -> bool {
    if function == Aggregate::Min { member < chosen } else { member > chosen }
}

/// Member by member: which partial sums are reached.
fn encode_sum(
    function: Aggregate,
    members: &[(Value, Literal)],
    outcomes: &[Outcome],
    circuit: &mut Circuit,
) -> Vec<Literal> {
    let truth = circuit.and(Vec::new());
    let mut reached: IndexMap<(i128, i128), Literal, FxBuildHasher> = IndexMap::default();
    reached.insert((0, 0), truth);
    for (member, literal) in members {
        let mut ways: IndexMap<(i128, i128), Vec<Literal>, FxBuildHasher> = IndexMap::default();
        for (&partial, &before) in &reached {
            let without = circuit.and(vec![before, -literal]);
            ways.entry(partial).or_default().push(without);
            let with = circuit.and(vec![before, *literal]);
            ways.entry(extended(function, partial, member)).or_default().push(with);
        }
        reached = ways.into_iter().map(|(partial, ways)| (partial, circuit.or(ways))).collect();
    }
    outcomes
        .iter()
        .map(|outcome| {
            let ways = reached
                .iter()
                .filter(|((_, count), _)| *count > 0)
                .filter(|(partial, _)| result_of(function, **partial) == *outcome)
                .map(|(_, literal)| *literal)
                .collect();
            circuit.or(ways)
        })
        .collect()
}
