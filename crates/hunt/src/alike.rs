//! Messages that say the same to one receiver: what one of them tells, another may tell instead.

use std::collections::BTreeMap;

use crate::event::EventName;
use crate::trace::Trace;

/// Of each other sender so many messages before, and as many after a receive are looked at. Further
/// ones are cut by what cuts these, and this orders hypotheses only.
const NEAREST: usize = 4;

/// Per event: if it is a receive, others at its node before faults were healed, from other nodes, with
/// the same label and all of its values.
///
/// What says no value to the client may answer anything, so it stands for nothing else.
pub(crate) fn alike(trace: &Trace, node_of: &[usize]) -> Vec<Vec<usize>> {
    let mut by_label: BTreeMap<(usize, &str), BTreeMap<&str, Vec<usize>>> = BTreeMap::new();
    for (event, entry) in trace.events.iter().enumerate().take(trace.end) {
        if let EventName::Receive(message) = &entry.name {
            let senders = by_label.entry((node_of[event], &message.label)).or_default();
            senders.entry(&message.from).or_default().push(event);
        }
    }
    let of = |event: usize| -> Vec<usize> {
        let EventName::Receive(message) = &trace.events[event].name else { return Vec::new() };
        let node = node_of[event];
        let tokens = &trace.events[event].tokens;
        let Some(senders) = by_label.get(&(node, &*message.label)) else { return Vec::new() };
        if trace.nodes[node].is_client && tokens.is_empty() {
            return Vec::new();
        }
        let others = senders.iter().filter(|(sender, _)| **sender != message.from);
        let mut alike: Vec<usize> = others
            .flat_map(|(_, events)| {
                let middle = events.partition_point(|other| *other < event);
                let near = middle.saturating_sub(NEAREST)..events.len().min(middle + NEAREST);
                events[near].iter().copied()
            })
            .filter(|other| tokens.is_subset(&trace.events[*other].tokens))
            .collect();
        alike.sort_unstable();
        alike
    };
    (0..trace.events.len()).map(of).collect()
}
