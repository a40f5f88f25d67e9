//! Which values an aggregate can take, and when.

use std::cmp::Ordering;

use indexmap::IndexMap;
use linchpin_dedalus::hir::{Aggregate, Value};
use linchpin_formula::{Graph, Literal};
use rustc_hash::FxBuildHasher;

use crate::join::ArithmeticError;
use crate::value::{Interner, Symbol};

/// Partial sums beyond which a sum is not grounded.
const SUMS_MAX: usize = 4096;

type Outcome = (Result<Symbol, ArithmeticError>, Literal);

/// Every value that the aggregate of a non-empty subset of the members can take, with the condition
/// under which it does; `members` are distinct, each with the condition under which it is there.
/// `None` if there are too many.
pub(crate) fn outcomes(
    function: Aggregate,
    mut members: Vec<(Symbol, Literal)>,
    interner: &mut Interner,
    graph: &mut Graph,
) -> Option<Vec<Outcome>> {
    members.retain(|member| member.1 != Literal::FALSE);
    match function {
        Aggregate::Count => Some(counts(&members, interner, graph)),
        Aggregate::Min => Some(extremes(members, interner, graph, Ordering::Less)),
        Aggregate::Max => Some(extremes(members, interner, graph, Ordering::Greater)),
        Aggregate::Sum | Aggregate::Average => {
            sums(&members, interner, graph, function == Aggregate::Average)
        }
    }
}

fn counts(
    members: &[(Symbol, Literal)],
    interner: &mut Interner,
    graph: &mut Graph,
) -> Vec<Outcome> {
    let certain = members.iter().filter(|member| member.1 == Literal::TRUE).count();
    let open: Vec<Literal> =
        members.iter().map(|member| member.1).filter(|&literal| literal != Literal::TRUE).collect();
    // at_least[k]: at least k of the open members are there.
    let at_least: Vec<Literal> =
        (0..=open.len() + 1).map(|count| graph.at_least(count, &open)).collect();
    (0..=open.len())
        .filter(|more| certain + more > 0)
        .map(|more| {
            let condition = graph.and([at_least[more], !at_least[more + 1]]);
            (Ok(interner.integer((certain + more) as i64)), condition)
        })
        .collect()
}

/// A member is the extreme if it is there and none that is better is.
fn extremes(
    mut members: Vec<(Symbol, Literal)>,
    interner: &Interner,
    graph: &mut Graph,
    better: Ordering,
) -> Vec<Outcome> {
    members.sort_by(|left, right| {
        let ordering = interner.compare(left.0, right.0);
        if better == Ordering::Less { ordering } else { ordering.reverse() }
    });
    let mut result = Vec::new();
    let mut none_better = Literal::TRUE;
    for (symbol, condition) in members {
        result.push((Ok(symbol), graph.and([condition, none_better])));
        none_better = graph.and([none_better, !condition]);
        if none_better == Literal::FALSE {
            break;
        }
    }
    result
}

/// Partial sums, member by member.
fn sums(
    members: &[(Symbol, Literal)],
    interner: &mut Interner,
    graph: &mut Graph,
    average: bool,
) -> Option<Vec<Outcome>> {
    // (sum, how many members: only whether any, unless they are needed) -> condition
    let mut partial: IndexMap<(i128, i128), Literal, FxBuildHasher> = IndexMap::default();
    partial.insert((0, 0), Literal::TRUE);
    for &(symbol, condition) in members {
        let Value::Integer(value) = *interner.value(symbol) else {
            unreachable!("types were checked")
        };
        let mut next: IndexMap<(i128, i128), Literal, FxBuildHasher> = IndexMap::default();
        for (&(sum, count), &reached) in &partial {
            let more = if average { count + 1 } else { 1 };
            let with = ((sum + i128::from(value), more), graph.and([reached, condition]));
            let without = ((sum, count), graph.and([reached, !condition]));
            for (key, literal) in [with, without] {
                if literal != Literal::FALSE {
                    let entry = next.entry(key).or_insert(Literal::FALSE);
                    *entry = graph.or([*entry, literal]);
                }
            }
        }
        if next.len() > SUMS_MAX {
            return None;
        }
        partial = next;
    }
    let mut result: IndexMap<Result<i64, ArithmeticError>, Literal, FxBuildHasher> =
        IndexMap::default();
    for ((sum, count), condition) in partial.into_iter().filter(|((_, count), _)| *count > 0) {
        let value = if average { sum / count } else { sum };
        let value = i64::try_from(value).map_err(|_| ArithmeticError::Overflow);
        let entry = result.entry(value).or_insert(Literal::FALSE);
        *entry = graph.or([*entry, condition]);
    }
    Some(
        result
            .into_iter()
            .map(|(value, condition)| (value.map(|integer| interner.integer(integer)), condition))
            .collect(),
    )
}
