//! A run of processes in the Trace Event Format, which Perfetto (<https://ui.perfetto.dev>) and
//! Chrome open: a track per thread, a slice per event, a flow arrow per message.

use std::collections::{BTreeMap, BTreeSet};

use linchpin_record::Trace;
use serde_json::{Value, json};

/// Longest slice drawn for an event, which has no length of its own, in nanoseconds.
const SLICE_NS_MAX: u64 = 20_000;

/// The trace as JSON. Times are microseconds since the start. Process numbers are those of the
/// record, from 1, since the kernel's are used again.
#[must_use]
pub fn json(trace: &Trace) -> String {
    let mut events: Vec<Value> = Vec::new();
    for (index, process) in trace.processes.iter().enumerate() {
        let name = format!("{} ({} {})", process.role, process.program, process.process);
        let pid = index + 1;
        events.push(json!({"ph": "M", "name": "process_name", "pid": pid, "args": {"name": name}}));
        events.push(
            json!({"ph": "M", "name": "process_sort_index", "pid": pid, "args": {"sort_index": index}}),
        );
    }
    let threads: BTreeSet<(u32, i32)> =
        trace.events.iter().map(|event| (event.process, event.thread)).collect();
    for (process, thread) in threads {
        let name = format!("thread {thread}");
        events.push(json!({"ph": "M", "name": "thread_name", "pid": process + 1, "tid": thread, "args": {"name": name}}));
    }
    let starts = starts(trace);
    let lengths = lengths(trace, &starts);
    for (index, event) in trace.events.iter().enumerate() {
        events.push(json!({
            "ph": "X",
            "name": event.text,
            "cat": event.kind,
            "pid": event.process + 1,
            "tid": event.thread,
            "ts": microseconds(starts[index]),
            "dur": microseconds(lengths[index]),
            "args": {"event": event.id},
        }));
    }
    for (number, message) in trace.messages.iter().enumerate() {
        let Some(received) = message.received else { continue };
        let name = message.label.as_deref().unwrap_or("message");
        for (phase, event) in [("s", message.sent), ("f", received)] {
            let place = &trace.events[event as usize];
            let mut flow = json!({
                "ph": phase,
                "name": name,
                "cat": "message",
                "id": number + 1,
                "pid": place.process + 1,
                "tid": place.thread,
                "ts": microseconds(starts[event as usize]),
                "args": {"bytes": message.bytes, "name": message.name},
            });
            if phase == "f" {
                flow["bp"] = "e".into();
            }
            events.push(flow);
        }
    }
    json!({"traceEvents": events, "displayTimeUnit": "ns"}).to_string()
}

fn microseconds(ns: u64) -> f64 {
    ns as f64 / 1e3
}

/// When each event is drawn: at its time, but never before one that happens before it. (Clocks are
/// read when an event is reported, which may be after its effect was.)
fn starts(trace: &Trace) -> Vec<u64> {
    let mut starts: Vec<u64> = Vec::with_capacity(trace.events.len());
    let mut last: BTreeMap<(u32, i32), u64> = BTreeMap::new();
    for event in &trace.events {
        let own = last.get(&(event.process, event.thread)).map_or(0, |before| before + 1);
        let causes = event.after.iter().map(|cause| starts[cause.event as usize] + 1);
        let start = causes.chain([own, event.time_ns]).max().unwrap_or(0);
        last.insert((event.process, event.thread), start);
        starts.push(start);
    }
    starts
}

/// How long each slice is: until the next of its thread, at most [`SLICE_NS_MAX`].
fn lengths(trace: &Trace, starts: &[u64]) -> Vec<u64> {
    let mut next: BTreeMap<(u32, i32), u64> = BTreeMap::new();
    let mut lengths = vec![0; starts.len()];
    for (index, event) in trace.events.iter().enumerate().rev() {
        let after = next.insert((event.process, event.thread), starts[index]);
        let room = after.map_or(SLICE_NS_MAX, |after| after.saturating_sub(starts[index]));
        lengths[index] = room.clamp(1, SLICE_NS_MAX);
    }
    lengths
}
