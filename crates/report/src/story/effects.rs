//! Each fault in a sentence, and what it took away.

use linchpin_model::Fault;
use linchpin_record::{Header, Run};

use super::FaultPoint;
use crate::explanation::{Effect, RowEffect};
use crate::text;

/// At most so many rows are named in a sentence, and consequences told of a fault.
const NAMED_MAX: usize = 3;

pub(super) fn point(
    header: &Header,
    bad: &Run,
    effect: &Effect,
    compared_with: &str,
) -> FaultPoint {
    let sentence = match &effect.fault {
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
    };
    let mut consequences: Vec<String> = Vec::new();
    let (changed, unchanged): (Vec<&RowEffect>, Vec<&RowEffect>) =
        effect.rows.iter().partition(|row| row.times_good != row.times_bad);
    for row in changed.iter().take(NAMED_MAX) {
        consequences.push(consequence(header, row, compared_with));
    }
    if changed.len() > NAMED_MAX {
        let more = text::count(changed.len() - NAMED_MAX, "more row");
        consequences.push(format!("Likewise {more}."));
    }
    if changed.is_empty() && !unchanged.is_empty() {
        consequences.push(
            "By itself that changes nothing: what it carried is there at the same times all the \
             same."
                .to_owned(),
        );
    }
    FaultPoint { sentence, consequences }
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
