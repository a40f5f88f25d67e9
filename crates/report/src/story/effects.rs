//! Each fault in a sentence, and what it took away.

use linchpin_model::Fault;
use linchpin_record::{Header, Run};

use super::FaultPoint;
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
        Fault::Crash { node, at } => {
            let lost = match effect.lost.len() {
                0 => "; it would have sent nothing to others anyway".to_owned(),
                count => format!("; {} lost", lost_messages(bad, effect, count)),
            };
            format!("At time {at} {node} crashes: from then on nothing it sends arrives{lost}.")
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

fn lost_messages(bad: &Run, effect: &Effect, count: usize) -> String {
    let mut receivers: Vec<String> =
        effect.lost.iter().map(|&index| bad.messages[index].to.clone()).collect();
    receivers.sort();
    receivers.dedup();
    let verb = if count == 1 { "is" } else { "are" };
    format!("{} to {} {verb}", text::count(count, "message"), text::list(&receivers, NAMED_MAX))
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
