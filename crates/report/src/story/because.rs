//! The steps from a missing row back to the faults.

use std::collections::{BTreeMap, BTreeSet};

use linchpin_model::Fault;
use linchpin_record::{Absence, Header, Run};

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
            Self::Lost(_) | Self::Crash(_) | Self::Otherwise { .. } => None,
        }
    }

    fn rule(&self, bad: &Run) -> Option<u32> {
        match self {
            Self::Needs { rule, .. } | Self::Forbids { rule, .. } | Self::Otherwise { rule } => {
                Some(*rule)
            }
            Self::Lost(message) => Some(bad.messages[*message].rule),
            Self::Crash(_) => None,
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
        let clause = clause(header, explanation, reason.change, cause);
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
    let mut by_channel: BTreeMap<(String, String, bool), Vec<u32>> = BTreeMap::new();
    for cause in &reason.causes {
        if let Cause::Lost(index) = cause {
            let message = &bad.messages[*index];
            let from = message.from.clone().unwrap_or_else(|| "the outside".to_owned());
            let crashed = matches!(message.lost_to, Some(Fault::Crash { .. }));
            by_channel.entry((from, message.to.clone(), crashed)).or_default().push(message.at);
        }
    }
    by_channel
        .into_iter()
        .map(|((from, to, crashed), at)| {
            let at = text::times(&at, 0);
            let why = if crashed { format!(", since {from} has crashed") } else { String::new() };
            format!("the message from {from} to {to} that would bring it is lost {at}{why}")
        })
        .collect()
}

fn clause(
    header: &Header,
    explanation: &Explanation,
    change: Change,
    cause: &Cause,
) -> Option<String> {
    let named = |reason: usize| {
        let reason = &explanation.reasons[reason];
        text::row(header, reason.relation, &reason.row)
    };
    Some(match (change, cause) {
        (_, Cause::Lost(_)) => return None,
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
        (_, Cause::Otherwise { .. }) => {
            "a rule that counts or compares several rows now gives another result".to_owned()
        }
    })
}
