//! A run of processes as spans in the JSON form of OTLP (OpenTelemetry protocol 1), for any tracing
//! backend: a span per process, below it a span per send and per receive; a receive links to the
//! sends whose bytes it returned.

use std::collections::BTreeMap;

use linchpin_record::{Trace, TraceHeader, TraceRun};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

const INTERNAL: u32 = 1;
const PRODUCER: u32 = 4;
const CONSUMER: u32 = 5;

/// The run as an `ExportTraceServiceRequest`. All spans have one trace id, which other runs do not
/// share.
#[must_use]
pub fn json(header: &TraceHeader, run: &TraceRun, trace: &Trace) -> String {
    let spans = Spans { trace, trace_id: trace_id(header, run), start: run.started_unix_ns };
    let mut resources: Vec<Value> = Vec::new();
    for process in 0..trace.processes.len() as u32 {
        let record = &trace.processes[process as usize];
        let attributes = json!([
            text("service.name", &record.role),
            text("service.instance.id", &record.process.to_string()),
            text("process.executable.name", &record.program),
            text("linchpin.node", &record.node),
        ]);
        resources.push(json!({
            "resource": {"attributes": attributes},
            "scopeSpans": [{"scope": {"name": "linchpin"}, "spans": spans.of(process)}],
        }));
    }
    json!({"resourceSpans": resources}).to_string()
}

struct Spans<'a> {
    trace: &'a Trace,
    trace_id: String,
    start: u64,
}

fn text(key: &str, value: &str) -> Value {
    json!({"key": key, "value": {"stringValue": value}})
}

/// 64-bit numbers are strings in the JSON form of Protocol Buffers.
fn number(key: &str, value: u64) -> Value {
    json!({"key": key, "value": {"intValue": value.to_string()}})
}

fn trace_id(header: &TraceHeader, run: &TraceRun) -> String {
    let mut digest = Sha256::new();
    for part in &header.command {
        digest.update(part.as_bytes());
        digest.update([0]);
    }
    for number in [run.started_unix_ns, run.run, run.seed] {
        digest.update(number.to_be_bytes());
    }
    digest.finalize()[..16].iter().map(|byte| format!("{byte:02x}")).collect()
}

fn process_span(process: u32) -> String {
    format!("{:016x}", (1_u64 << 63) | u64::from(process))
}

fn event_span(event: u32) -> String {
    format!("{:016x}", u64::from(event) + 1)
}

impl Spans<'_> {
    fn time(&self, event: u32) -> String {
        (self.start + self.trace.events[event as usize].time_ns).to_string()
    }

    fn of(&self, process: u32) -> Vec<Value> {
        let own: Vec<u32> = (0..self.trace.events.len() as u32)
            .filter(|event| self.trace.events[*event as usize].process == process)
            .collect();
        let (Some(&first), Some(&last)) = (own.first(), own.last()) else { return Vec::new() };
        let record = &self.trace.processes[process as usize];
        let begun = &self.trace.events[first as usize];
        let spawned = begun.after.iter().find(|cause| cause.why == "spawn");
        let parent = spawned.map(|cause| self.trace.events[cause.event as usize].process);
        let mut spans = vec![json!({
            "traceId": self.trace_id,
            "spanId": process_span(process),
            "parentSpanId": parent.map_or_else(String::new, process_span),
            "name": record.program,
            "kind": INTERNAL,
            "startTimeUnixNano": self.time(first),
            "endTimeUnixNano": self.time(last),
            "attributes": [number("process.pid", record.process.unsigned_abs().into())],
        })];
        let mut sent: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        let mut received: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
        for (index, message) in self.trace.messages.iter().enumerate() {
            sent.entry(message.sent).or_default().push(index);
            if let Some(event) = message.received {
                received.entry(event).or_default().push(index);
            }
        }
        for event in own {
            if let Some(messages) = sent.get(&event) {
                spans.push(self.message_span(event, PRODUCER, messages, Vec::new()));
            } else if let Some(messages) = received.get(&event) {
                let links = messages.iter().map(|&index| {
                    let span = event_span(self.trace.messages[index].sent);
                    json!({"traceId": self.trace_id, "spanId": span})
                });
                spans.push(self.message_span(event, CONSUMER, messages, links.collect()));
            }
        }
        spans
    }

    fn message_span(&self, event: u32, kind: u32, messages: &[usize], links: Vec<Value>) -> Value {
        let first = &self.trace.messages[messages[0]];
        let bytes = messages.iter().map(|&index| self.trace.messages[index].bytes).sum();
        let record = &self.trace.events[event as usize];
        json!({
            "traceId": self.trace_id,
            "spanId": event_span(event),
            "parentSpanId": process_span(record.process),
            "name": first.label.as_deref().unwrap_or("message"),
            "kind": kind,
            "startTimeUnixNano": self.time(event),
            "endTimeUnixNano": self.time(event),
            "attributes": [
                text("linchpin.message", &first.name),
                text("linchpin.link", &first.link),
                number("messaging.message.body.size", bytes),
                number("linchpin.event", u64::from(record.id)),
                number("thread.id", record.thread.unsigned_abs().into()),
            ],
            "links": links,
        })
    }
}
