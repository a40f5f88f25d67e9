//! Each fault in a sentence, and what it took away.

use linchpin_model::Fault;
use linchpin_record::{Header, Message, Run};

use super::{FaultPoint, because};
use crate::explanation::{Change, Effect, Explanation, RowEffect};
use crate::text;

/// At most so many rows are named in a sentence, and consequences told of a fault.
const NAMED_MAX: usize = 3;

/// Each fault, in order.
pub(super) fn points(
    header: &Header,
    bad: &Run,
    explanation: &Explanation,
    compared_with: &str,
) -> Vec<FaultPoint> {
    let effects = &explanation.effects;
    (0..effects.len())
        .map(|index| FaultPoint {
            sentence: sentence(header, bad, &effects[index]),
            consequences: consequences(header, explanation, index, compared_with),
        })
        .collect()
}

fn sentence(header: &Header, bad: &Run, effect: &Effect) -> String {
    match &effect.fault {
        Fault::Omission { from, to, at } => {
            let rows: Vec<String> = effect
                .lost
                .iter()
                .map(|&index| &bad.messages[index])
                .map(|message| text::row(header, message.relation, &message.row))
                .collect();
            match rows.len() {
                0 => format!(
                    "At time {at} whatever {from} sends to {to} is lost, but it sends nothing."
                ),
                1 => format!("At time {at} the message {} from {from} to {to} is lost.", rows[0]),
                2 => format!(
                    "At time {at} both messages from {from} to {to} are lost: {} and {}.",
                    rows[0], rows[1]
                ),
                count => format!(
                    "At time {at} all {count} messages from {from} to {to} are lost: {}.",
                    text::list(&rows, NAMED_MAX)
                ),
            }
        }
        Fault::Delay { from, to, at, by } => {
            let steps = text::count(*by as usize, "step");
            let is_late = |message: &&Message| {
                message.at == *at && message.from.as_ref() == Some(from) && message.to == *to
            };
            let late: Vec<&Message> = bad.messages.iter().filter(is_late).collect();
            let rows: Vec<String> = late
                .iter()
                .map(|message| text::row(header, message.relation, &message.row))
                .collect();
            let when = match late.first().and_then(|message| message.arrival()) {
                Some(arrives) if arrives <= header.bounds.eot => format!("only at time {arrives}"),
                _ => "only after the end".to_owned(),
            };
            match rows.as_slice() {
                [] => format!(
                    "At time {at} whatever {from} sends to {to} is {steps} late, but it sends nothing."
                ),
                [row] => format!(
                    "At time {at} the message {row} from {from} to {to} is {steps} late: it arrives \
                     {when}."
                ),
                rows => format!(
                    "At time {at} all {} messages from {from} to {to} are {steps} late and arrive \
                     {when}: {}.",
                    rows.len(),
                    text::list(rows, NAMED_MAX)
                ),
            }
        }
        Fault::Recovery { node, at } => {
            let durable = &header.bounds.durable;
            let but = match durable.len() {
                0 => "without anything it held".to_owned(),
                _ => format!("with nothing of what it held but {}", text::list(durable, NAMED_MAX)),
            };
            format!("At time {at} {node} runs again, {but}.")
        }
        Fault::Input { at, .. } => {
            let usual = header.bounds.inputs.iter().find(|ways| ways.contains(&effect.fault));
            let instead = usual.and_then(|ways| ways.first()).map_or(String::new(), |usual| {
                let (row, time) = (because::input(usual), usual.at());
                match (row == because::input(&effect.fault), time == *at) {
                    (true, _) => format!(", instead of at time {time}"),
                    (false, true) => format!(", instead of {row}"),
                    (false, false) => format!(", instead of {row} at time {time}"),
                }
            });
            format!("The input {} comes at time {at}{instead}.", because::input(&effect.fault))
        }
        Fault::Crash { node, at } => {
            let lost = match effect.lost.len() {
                0 => "; it would have sent nothing to others anyway".to_owned(),
                count => format!("; {}", lost_messages(header, bad, effect, count)),
            };
            let back = bad.faults.iter().find_map(|fault| match fault {
                Fault::Recovery { node: other, at } if other == node => Some(*at),
                _ => None,
            });
            match back {
                Some(back) => format!("At time {at} {node} crashes, until time {back}{lost}."),
                None if header.bounds.crashes_stop => format!(
                    "At time {at} {node} crashes: from then on it neither receives nor sends \
                     anything{lost}."
                ),
                None => format!(
                    "At time {at} {node} crashes: from then on nothing it sends arrives{lost}."
                ),
            }
        }
    }
}

/// What a fault took away: the rows that matter for the outcome if there are any. What is lost
/// again by a later fault is told there.
fn consequences(
    header: &Header,
    explanation: &Explanation,
    index: usize,
    compared_with: &str,
) -> Vec<String> {
    let effect = &explanation.effects[index];
    let same = |a: &RowEffect, b: &RowEffect| (a.relation, &a.row) == (b.relation, &b.row);
    let matters = |row: &RowEffect| {
        explanation.reasons.iter().any(|reason| {
            reason.change == Change::Vanished
                && (reason.relation, &reason.row) == (row.relation, &row.row)
        })
    };
    let changed: Vec<&RowEffect> =
        effect.rows.iter().filter(|row| row.times_good != row.times_bad).collect();
    if changed.is_empty() {
        let nothing = "By itself that changes nothing: what it carried is there at the same times \
                       all the same.";
        return effect.rows.first().map(|_| nothing.to_owned()).into_iter().collect();
    }
    let relevant: Vec<&RowEffect> = changed.iter().copied().filter(|row| matters(row)).collect();
    let told = if relevant.is_empty() { changed } else { relevant };
    let again = |row: &RowEffect| {
        explanation.effects[index + 1..].iter().any(|later| later.rows.iter().any(|r| same(r, row)))
    };
    let (repeated, last): (Vec<&RowEffect>, Vec<&RowEffect>) =
        told.into_iter().partition(|row| again(row));
    let mut consequences: Vec<String> =
        last.iter().take(NAMED_MAX).map(|row| consequence(header, row, compared_with)).collect();
    if last.len() > NAMED_MAX {
        consequences.push(format!("Likewise {}.", text::count(last.len() - NAMED_MAX, "more row")));
    }
    if consequences.is_empty() && !repeated.is_empty() {
        let names: Vec<String> =
            repeated.iter().map(|row| text::row(header, row.relation, &row.row)).collect();
        let verb = if names.len() == 1 { "is" } else { "are" };
        consequences.push(format!(
            "{} {verb} sent again later, and lost again.",
            text::list(&names, NAMED_MAX)
        ));
    }
    consequences
}

fn lost_messages(header: &Header, bad: &Run, effect: &Effect, count: usize) -> String {
    let mut rows: Vec<String> = effect
        .lost
        .iter()
        .map(|&index| {
            let message = &bad.messages[index];
            format!("{} to {}", text::row(header, message.relation, &message.row), message.to)
        })
        .collect();
    let verb = if count == 1 { "is" } else { "are" };
    rows.sort();
    rows.dedup();
    format!("{} {verb} lost: {}", text::count(count, "message"), text::list(&rows, NAMED_MAX))
}

fn consequence(header: &Header, row: &RowEffect, compared_with: &str) -> String {
    let eot = header.bounds.eot;
    let name = text::row(header, row.relation, &row.row);
    let good = text::times(&row.times_good, eot);
    match (row.times_good.as_slice(), row.times_bad.as_slice()) {
        ([], _) => format!("{name} is not there {compared_with} either."),
        (_, []) => format!("So {name} never holds ({compared_with} it holds {good})."),
        (_, bad) => {
            format!("So {name} holds {} ({compared_with} {good}).", text::times(bad, eot))
        }
    }
}
