//! The steps from a missing row back to the faults.

use std::collections::{BTreeMap, BTreeSet};

use linchpin_model::Fault;
use linchpin_record::{Absence, Header, Message, Run};

use super::WhyPoint;
use crate::explanation::{Cause, Change, Explanation, Reason};
use crate::text;

/// The reasons reachable from `roots`, each before the ones it refers to where possible.
pub(super) fn order(explanation: &Explanation, roots: impl Iterator<Item = usize>) -> Vec<usize> {
    let mut order = Vec::new();
    let mut seen = BTreeSet::new();
    let mut layer: Vec<usize> = roots.collect();
    while !layer.is_empty() {
        layer.retain(|&reason| seen.insert(reason));
        let mut next = Vec::new();
        for &reason in &layer {
            next.extend(explanation.reasons[reason].causes.iter().filter_map(Cause::reason));
        }
        order.append(&mut layer);
        layer = next;
    }
    order
}

impl Cause {
    /// The reason this cause refers to.
    fn reason(&self) -> Option<usize> {
        match self {
            Self::Needs { reason, .. } | Self::Forbids { reason, .. } => Some(*reason),
            _ => None,
        }
    }

    fn rule(&self, bad: &Run) -> Option<u32> {
        match self {
            Self::Needs { rule, .. } | Self::Forbids { rule, .. } | Self::Otherwise { rule } => {
                Some(*rule)
            }
            Self::Lost(message) | Self::Late(message) | Self::Arrived(message) => {
                Some(bad.messages[*message].rule)
            }
            Self::Crash(_) | Self::Down(_) | Self::Forgotten(_) | Self::Input(_) => None,
        }
    }
}

pub(super) fn point(
    header: &Header,
    bad: &Run,
    explanation: &Explanation,
    index: usize,
) -> WhyPoint {
    let reason = &explanation.reasons[index];
    let name = text::row(header, reason.relation, &reason.row);
    let times: Vec<u32> = reason.times.iter().copied().collect();
    let times = text::times(&times, header.bounds.eot);
    let claim = match reason.change {
        Change::Vanished => format!("{name} is missing {times}"),
        Change::Appeared => format!("{name} is there {times}"),
    };
    if let [Cause::Crash(Fault::Crash { node, at })] = reason.causes.iter().collect::<Vec<_>>()[..]
    {
        let claim = format!("{name} holds: {node} crashes at time {at}");
        return WhyPoint { claim, because: Vec::new(), rules: Vec::new() };
    }
    let mut because = Vec::new();
    because.extend(lost(bad, reason));
    let mut said = BTreeSet::new();
    for cause in &reason.causes {
        let clause = clause(header, bad, explanation, (&name, reason.change), cause);
        because.extend(clause.filter(|clause| said.insert(clause.clone())));
    }
    let mut rules: Vec<u32> = reason.causes.iter().filter_map(|cause| cause.rule(bad)).collect();
    rules.sort_unstable();
    rules.dedup();
    if reason.change == Change::Vanished && because.len() > 1 {
        let ways = because.into_iter().map(|clause| match clause.strip_prefix("it needs") {
            Some(rest) => format!("one needs{rest}"),
            None => clause,
        });
        let because = ways.collect();
        return WhyPoint {
            claim: format!("{claim}, since every way to it is blocked"),
            because,
            rules,
        };
    }
    WhyPoint { claim, because, rules }
}

/// The lost messages that would have brought a row, by sender and fault.
fn lost(bad: &Run, reason: &Reason) -> Vec<String> {
    let mut by_channel: BTreeMap<(String, String, Option<String>), Vec<u32>> = BTreeMap::new();
    for cause in &reason.causes {
        if let Cause::Lost(index) = cause {
            let message = &bad.messages[*index];
            let from = message.from.clone().unwrap_or_else(|| "the outside".to_owned());
            // The sender, or a receiver that does nothing any more.
            let crashed = match &message.lost_to {
                Some(Fault::Crash { node, .. }) => Some(node.clone()),
                _ => None,
            };
            by_channel.entry((from, message.to.clone(), crashed)).or_default().push(message.at);
        }
    }
    by_channel
        .into_iter()
        .map(|((from, to, crashed), at)| {
            let at = text::times(&at, 0);
            let why = crashed.map_or(String::new(), |node| format!(", since {node} has crashed"));
            format!("the message from {from} to {to} that would bring it is lost {at}{why}")
        })
        .collect()
}

/// Whether the run has faults that do more than take messages away.
fn beyond_losses(header: &Header, explanation: &Explanation) -> bool {
    let is_beyond = |fault: &Fault| {
        matches!(fault, Fault::Delay { .. } | Fault::Recovery { .. } | Fault::Input { .. })
    };
    header.bounds.crashes_stop || explanation.effects.iter().any(|effect| is_beyond(&effect.fault))
}

/// A message that arrives later than it would.
fn late(header: &Header, message: &Message) -> String {
    let from = message.from.as_deref().unwrap_or("the outside");
    let (to, at, eot) = (&message.to, message.at, header.bounds.eot);
    match message.arrival() {
        Some(arrives) if arrives <= eot => format!(
            "the message from {from} to {to} that brings it, sent at time {at}, arrives only at time \
             {arrives}"
        ),
        _ => format!(
            "the message from {from} to {to} that would bring it, sent at time {at}, is still on its \
             way at the end"
        ),
    }
}

/// The node that a fault strikes.
fn place(fault: &Fault) -> &str {
    match fault {
        Fault::Crash { node, .. } | Fault::Recovery { node, .. } => node,
        Fault::Omission { to, .. } | Fault::Delay { to, .. } => to,
        Fault::Input { relation, .. } => relation,
    }
}

/// The row of an input.
pub(super) fn input(fault: &Fault) -> String {
    let Fault::Input { relation, row, .. } = fault else { return fault.to_string() };
    let row: Vec<String> = row.iter().map(ToString::to_string).collect();
    format!("{relation}({})", row.join(", "))
}

fn clause(
    header: &Header,
    bad: &Run,
    explanation: &Explanation,
    (subject, change): (&str, Change),
    cause: &Cause,
) -> Option<String> {
    let named = |reason: usize| {
        let reason = &explanation.reasons[reason];
        text::row(header, reason.relation, &reason.row)
    };
    Some(match (change, cause) {
        (_, Cause::Lost(_)) => return None,
        (_, Cause::Late(message)) => late(header, &bad.messages[*message]),
        (_, Cause::Arrived(message)) => {
            let message = &bad.messages[*message];
            let at = message.at;
            format!("that is when the late message arrives, sent at time {at}")
        }
        (_, Cause::Down(fault)) => {
            let (node, at) = (place(fault), fault.at());
            format!("{node} is down from time {at} on, and what it holds stands still")
        }
        (_, Cause::Forgotten(fault)) => {
            let (node, at) = (place(fault), fault.at());
            let relation = subject.split('(').next().unwrap_or(subject);
            let crash = bad.faults.iter().find_map(|fault| match fault {
                Fault::Crash { node: crashed, at } if crashed == node => Some(*at),
                _ => None,
            });
            let crash = crash.map_or(String::new(), |at| format!(" at time {at}"));
            format!(
                "{node} loses it in its crash{crash} and comes back without it at time {at} \
                 ({relation} does not survive a crash)"
            )
        }
        (_, Cause::Input(fault)) => {
            format!("the input comes at time {} as {}", fault.at(), input(fault))
        }
        (_, Cause::Crash(fault)) => match fault {
            Fault::Crash { node, at } => format!("{node} crashes at time {at}"),
            other => format!("of {other}"),
        },
        (Change::Vanished, Cause::Needs { reason, .. }) => {
            format!("it needs {}, which is missing", named(*reason))
        }
        (Change::Appeared, Cause::Needs { reason, .. }) => {
            format!("{} is there too", named(*reason))
        }
        (Change::Vanished, Cause::Forbids { pattern, reason, .. }) => {
            let relation = explanation.reasons[*reason].relation;
            let absence = Absence { time: 0, relation, row: pattern.clone() };
            let forbidden = text::pattern(header, &absence);
            let intruder = named(*reason);
            if forbidden == intruder {
                format!("it needs that there be no {forbidden}, but there is")
            } else {
                format!("it needs that there be no {forbidden}, but there is {intruder}")
            }
        }
        (Change::Appeared, Cause::Forbids { reason, .. }) => {
            format!("there is no {} to prevent it", named(*reason))
        }
        (_, Cause::Otherwise { .. }) if beyond_losses(header, explanation) => {
            "what is late, a node that was down, or another input makes the difference".to_owned()
        }
        (_, Cause::Otherwise { .. }) => {
            "a rule that counts or compares several rows now gives another result".to_owned()
        }
    })
}
