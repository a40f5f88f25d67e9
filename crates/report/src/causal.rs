//! The space-time diagram of a run of processes: lanes are columns, causes stand above effects,
//! arrows are messages. Every rendering reads [`Diagram`], and that reads run records only.

pub mod census;
mod conversation;
pub mod dot;
pub mod html;
mod hunted;
pub mod identity;
mod marks;
pub mod otlp;
pub mod perfetto;
mod rows;
pub mod shiviz;
pub mod terminal;

use std::collections::BTreeMap;

use linchpin_record::{Trace, TraceEvent, TraceHeader, TraceMessage};

pub use conversation::{Conversation, conversations};

/// A run with its processes put into lanes: one per node if there are several nodes, else one per
/// process.
#[derive(Debug)]
pub struct Diagram<'a> {
    /// The run.
    pub trace: &'a Trace,
    /// The columns, in the order of nodes or of first events.
    pub lanes: Vec<Lane>,
    /// Per process: its lane.
    lane_of_process: Vec<usize>,
    /// Per event: whether it is worth a mark of its own.
    shown: Vec<bool>,
}

/// A column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lane {
    /// The node, or the role of the process.
    pub name: String,
    /// Processes in it: indexes into [`Trace::processes`].
    pub processes: Vec<u32>,
}

impl<'a> Diagram<'a> {
    /// Puts the processes of a run into lanes.
    #[must_use]
    pub fn new(header: &TraceHeader, trace: &'a Trace) -> Self {
        let mut lanes: Vec<Lane> = Vec::new();
        if header.nodes.len() > 1 {
            lanes.extend(
                header.nodes.iter().map(|name| Lane { name: name.clone(), processes: Vec::new() }),
            );
        }
        let by_node = !lanes.is_empty();
        let mut places: BTreeMap<String, usize> =
            lanes.iter().enumerate().map(|(index, lane)| (lane.name.clone(), index)).collect();
        let mut lane_of_process = Vec::with_capacity(trace.processes.len());
        for (index, process) in (0_u32..).zip(&trace.processes) {
            let name = if by_node { &process.node } else { &process.role };
            let lane = *places.entry(name.clone()).or_insert_with(|| {
                lanes.push(Lane { name: name.clone(), processes: Vec::new() });
                lanes.len() - 1
            });
            lanes[lane].processes.push(index);
            lane_of_process.push(lane);
        }
        let mut diagram = Self { trace, lanes, lane_of_process, shown: Vec::new() };
        diagram.shown = diagram.worth_showing();
        diagram
    }

    /// The lane of an event.
    #[must_use]
    pub fn lane(&self, event: u32) -> usize {
        self.lane_of_process[self.event(event).process as usize]
    }

    /// An event.
    #[must_use]
    pub fn event(&self, event: u32) -> &'a TraceEvent {
        &self.trace.events[event as usize]
    }

    /// Whether an event is shown: messages between lanes, ends by signals, durable writes, faults,
    /// and what could not be followed.
    #[must_use]
    pub fn is_shown(&self, event: u32) -> bool {
        self.shown[event as usize]
    }

    /// Whether a message goes from one lane to another.
    #[must_use]
    pub fn crosses(&self, message: &TraceMessage) -> bool {
        message.received.is_some_and(|to| self.lane(to) != self.lane(message.sent))
    }

    fn worth_showing(&self) -> Vec<bool> {
        let mut shown: Vec<bool> = self
            .trace
            .events
            .iter()
            .map(|event| match event.kind.as_str() {
                "sync" | "denied" | "answered" | "not_followed" | "receive_failed" => true,
                "process_exit" => event.text.contains("signal"),
                _ => false,
            })
            .collect();
        for message in &self.trace.messages {
            if self.crosses(message) {
                shown[message.sent as usize] = true;
                if let Some(received) = message.received {
                    shown[received as usize] = true;
                }
            }
        }
        shown
    }
}

/// A time for people: `950us`, `12.3ms`, `1.25s`.
pub(crate) fn time_text(time_ns: u64) -> String {
    let seconds = time_ns as f64 / 1e9;
    match time_ns {
        0..1_000_000 => format!("{}us", time_ns / 1000),
        1_000_000..1_000_000_000 => format!("{:.1}ms", seconds * 1e3),
        1_000_000_000..100_000_000_000 => format!("{seconds:.2}s"),
        _ => format!("{seconds:.0}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::time_text;

    #[test]
    fn times_are_short() {
        let shown = [0, 999_999, 1_000_000, 12_345_678, 1_250_000_000, 123_000_000_000];
        assert_eq!(shown.map(time_text), ["0us", "999us", "1.0ms", "12.3ms", "1.25s", "123s"]);
    }
}
