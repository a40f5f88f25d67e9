//! Aggregates over distinct values.

use linchpin_dedalus::hir::{Aggregate, Value};

use crate::join::ArithmeticError;
use crate::value::{Interner, Symbol};

/// The aggregate of at least one distinct value.
pub(crate) fn combine(
    function: Aggregate,
    members: &[Symbol],
    interner: &mut Interner,
) -> Result<Symbol, ArithmeticError> {
    debug_assert!(!members.is_empty(), "an empty group has no row");
    match function {
        Aggregate::Count => Ok(interner.integer(members.len() as i64)),
        Aggregate::Min => Ok(extreme(members, interner, false)),
        Aggregate::Max => Ok(extreme(members, interner, true)),
        Aggregate::Sum | Aggregate::Average => {
            let mut sum: i128 = 0;
            for &member in members {
                match interner.value(member) {
                    Value::Integer(integer) => sum += i128::from(*integer),
                    Value::String(_) => unreachable!("types were checked"),
                }
            }
            if function == Aggregate::Average {
                sum /= members.len() as i128;
            }
            let result = i64::try_from(sum).map_err(|_| ArithmeticError::Overflow)?;
            Ok(interner.integer(result))
        }
    }
}

fn extreme(members: &[Symbol], interner: &Interner, greatest: bool) -> Symbol {
    let mut best = members[0];
    for &member in &members[1..] {
        let ordering = interner.compare(member, best);
        if if greatest { ordering.is_gt() } else { ordering.is_lt() } {
            best = member;
        }
    }
    best
}
