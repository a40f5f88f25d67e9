//! What a fault takes away from a run that was seen.

use std::cell::OnceCell;
use std::collections::BTreeSet;

use crate::event_set::EventSet;
use crate::fault::{Fault, Kind, Moment, Trigger};
use crate::prediction::unprompted;
use crate::roles::is_one;
use crate::trace::Indexed;

/// The effect of one fault on a trace, as far as it follows from the trace alone.
#[derive(Clone, Debug, Default)]
pub(crate) struct Cut {
    /// The event it waits for.
    pub(crate) trigger: usize,
    /// Events that cannot take place as they did.
    pub(crate) removed: EventSet,
    /// What it removes is a call that fails: the program may go on as if it had not.
    pub(crate) is_error: bool,
    /// Events that take place later.
    pub(crate) late: EventSet,
    /// Events that take place otherwise: their message comes twice.
    pub(crate) changed: EventSet,
    /// The node that loses its memory, and how.
    pub(crate) dead: Option<(usize, Kind)>,
    /// Nodes that the others may have given up, though they live: paused or in a minority.
    pub(crate) doubted: BTreeSet<usize>,
    /// It changes the run from the beginning.
    pub(crate) is_input: bool,
    lost: OnceCell<EventSet>,
}

impl Cut {
    /// The cut of a fault; `None` if the trace does not have the event it waits for,
    /// or only when faults were healed.
    pub(crate) fn of(fault: &Fault, trace: &Indexed) -> Option<Self> {
        let Some(name) = fault.trigger() else {
            let removed = (0..trace.len()).collect();
            return Some(Self { removed, is_input: true, ..Self::default() });
        };
        // When faults are healed, it is too late to strike.
        let trigger = *trace.positions.get(&name).filter(|event| **event < trace.trace.end)?;
        let mut cut = Self { trigger, ..Self::default() };
        match &fault.at(trace.name(trigger)) {
            Fault::Node { kind: Kind::Pause, node, at, .. } => {
                let node = trace.node_index(node)?;
                cut.late = events_from(trace, node, first(trigger, at)).collect();
                cut.doubted.insert(node);
            }
            Fault::Node { kind, node, at, .. } => {
                let node = trace.node_index(node)?;
                cut.removed = events_from(trace, node, first(trigger, at)).collect();
                cut.dead = Some((node, *kind));
            }
            Fault::Partition { one, other, at } => {
                let crosses = |from: &str, to: &str| {
                    one.contains(from) && other.contains(to)
                        || other.contains(from) && one.contains(to)
                };
                cut.removed = lost(trace, first(trigger, at), crosses);
                let minority = if one.len() <= other.len() { one } else { other };
                cut.doubted.extend(minority.iter().filter_map(|name| trace.node_index(name)));
            }
            Fault::Stall { from, to, at } | Fault::Refuse { from, to, at } => {
                let crosses = |one: &str, two: &str| is_one(from, one) && is_one(to, two);
                cut.removed = lost(trace, first(trigger, at), crosses);
            }
            Fault::Delay { .. } => cut.late.extend(trace.received[trigger]),
            // What is not understood is as good as lost.
            Fault::Loss { .. } | Fault::Corrupt { .. } => {
                cut.removed.extend(trace.received[trigger]);
            }
            Fault::Duplicate { .. } => cut.changed.extend(trace.received[trigger]),
            // It may send it again, over a new connection.
            Fault::Reset { .. } => cut.late.extend(trace.received[trigger]),
            Fault::Error { .. } => {
                cut.removed.insert(trigger);
                cut.is_error = true;
            }
            Fault::Input { .. } => {}
        }
        Some(cut)
    }

    /// What would probably not happen without what it removes.
    pub(crate) fn lost(&self, trace: &Indexed) -> &EventSet {
        self.lost.get_or_init(|| unprompted(trace, &self.removed))
    }

    /// This event would not take place, or only later.
    pub(crate) fn holds_back(&self, event: usize) -> bool {
        self.removed.contains(event) || self.late.contains(event)
    }

    /// It changes something of these events.
    pub(crate) fn touches(&self, events: &EventSet) -> bool {
        [&self.removed, &self.late, &self.changed].iter().any(|own| !own.is_disjoint(events))
    }
}

/// The first position in the trace at which the fault is in force.
fn first(trigger: usize, at: &Trigger) -> usize {
    match at.moment {
        Moment::Before => trigger,
        Moment::After => trigger + 1,
    }
}

fn events_from(trace: &Indexed, node: usize, first: usize) -> impl Iterator<Item = usize> + '_ {
    trace.by_node[node].iter().copied().filter(move |&event| event >= first)
}

/// Receives of what was sent over a link from a position on, until faults are healed.
fn lost(trace: &Indexed, first: usize, is_cut: impl Fn(&str, &str) -> bool) -> EventSet {
    (first..trace.trace.end.min(trace.len()))
        .filter(|&event| {
            let name = trace.name(event);
            let message = name.message().filter(|_| name.is_visible());
            message.is_some_and(|message| is_cut(&message.from, &message.to))
        })
        .filter_map(|send| trace.received[send])
        .collect()
}
