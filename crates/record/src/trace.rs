//! The record of runs of real processes: the same campaign directory, with what processes have in
//! place of rows and rules. `docs/formats/trace.md` describes every field.
//!
//! * `campaign.json`: what was run ([`TraceHeader`]);
//! * `runs.jsonl`: one line per finished run, the core facts ([`TraceRun`]);
//! * `runs/N/trace.json`: the happens-before graph of run N ([`Trace`]), all that its pictures
//!   and exports read; beside it `events.jsonl` (the tracer's log) and `logs/`.

use std::collections::BTreeMap;

use linchpin_model::Outcome;
use serde::{Deserialize, Serialize};

use crate::{HuntHeader, SourceFile, wire};

/// The value of [`TraceHeader::schema`].
pub const TRACE_CAMPAIGN_SCHEMA: &str = "linchpin.trace-campaign/1";

/// The value of [`Trace::schema`].
pub const TRACE_SCHEMA: &str = "linchpin.trace/1";

/// The whole of `campaign.json` when processes were run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct TraceHeader {
    /// [`TRACE_CAMPAIGN_SCHEMA`].
    pub schema: String,
    /// Name and version of the program that wrote it.
    pub tool: String,
    /// The command that was traced; empty if a cluster file was.
    pub command: Vec<String>,
    /// The cluster file, as it was named and with its whole text.
    #[serde(default)]
    pub cluster: Option<SourceFile>,
    /// The nodes, in the order of the file, the workload's last.
    pub nodes: Vec<String>,
    /// Release of the kernel, such as `6.1.0`.
    pub kernel: String,
    /// Processor architecture.
    pub machine: String,
    /// How nodes were kept apart: `none`, `namespaces` or `loopback`.
    pub isolation: String,
    /// Versions of the programs, as they tell them themselves.
    #[serde(default)]
    pub versions: BTreeMap<String, String>,
    /// What was hunted for, if the runs are those of `linchpin test`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub hunt: Option<HuntHeader>,
}

/// A fault and what became of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InjectedFault {
    /// As it is written.
    pub fault: String,
    /// The events it fired at, by their names; empty if it never fired.
    pub fired: Vec<String>,
    /// The same in this run, one for each of `fired`.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<FaultPlace>,
}

/// Where in a run a fault fired.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultPlace {
    /// The [`TraceEvent::id`] of the event; absent if it waited for a time.
    #[serde(default)]
    pub event: Option<u32>,
    /// Nanoseconds since the start.
    pub time_ns: u64,
}

/// What was counted in a run.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceCounts {
    /// Events in the log.
    pub events: u64,
    /// Processes.
    pub processes: u64,
    /// Messages received, each piece of a stream counted once per send and receive.
    pub messages: u64,
    /// Bytes received of traced senders.
    pub bytes: u64,
    /// Bytes received that no send explains. Should be 0.
    pub unmatched_bytes: u64,
    /// Datagrams received that nobody was seen to send.
    pub unmatched_datagrams: u64,
    /// Receives whose content differs from what was sent. Should be 0.
    pub mismatches: u64,
    /// Times a thread was stopped.
    pub stops: u64,
    /// Reads and writes of busy pipes within one process, which have no events.
    #[serde(default)]
    pub let_through: u64,
    /// Calls answered in place of the kernel, by name.
    #[serde(default)]
    pub denied: BTreeMap<String, u64>,
    /// What was seen and is not followed.
    #[serde(default)]
    pub not_followed: BTreeMap<String, u64>,
}

/// A line of `runs.jsonl`: the core facts of one run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceRun {
    /// Its number, from 0.
    pub run: u64,
    /// The seed given to the cluster.
    pub seed: u64,
    /// When it started, in nanoseconds since 1970.
    #[serde(default)]
    pub started_unix_ns: u64,
    /// How it was judged.
    #[serde(with = "wire::outcome")]
    pub outcome: Outcome,
    /// Why, in words.
    pub reason: String,
    /// The faults, and what became of each.
    #[serde(default)]
    pub faults: Vec<InjectedFault>,
    /// Parameters of the workload.
    #[serde(default)]
    pub parameters: BTreeMap<String, String>,
    /// What was counted.
    pub counts: TraceCounts,
    /// Digests that tell runs apart, by rung of the identity ladder.
    #[serde(default)]
    pub identity: BTreeMap<String, String>,
}

/// The happens-before graph of one run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trace {
    /// [`TRACE_SCHEMA`].
    pub schema: String,
    /// The number of its run.
    pub run: u64,
    /// The lives of processes.
    pub processes: Vec<TraceProcess>,
    /// Events, each after everything that happens before it. Events of one thread, in this order,
    /// happen one after another.
    pub events: Vec<TraceEvent>,
    /// Messages, by the event that sent them.
    pub messages: Vec<TraceMessage>,
}

/// The life of one process.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceProcess {
    /// Its node.
    pub node: String,
    /// What it is called in names of messages: the node, or its program.
    pub role: String,
    /// Its last program.
    pub program: String,
    /// Its number in the kernel. (Numbers are used again.)
    pub process: i32,
}

/// One event.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceEvent {
    /// Its `id` in the event log.
    pub id: u32,
    /// Index into [`Trace::processes`].
    pub process: u32,
    /// Its thread's number in the kernel.
    pub thread: i32,
    /// Nanoseconds since the start. For people: order is not decided by it.
    pub time_ns: u64,
    /// What kind of event, such as `send` or `process_exit`.
    pub kind: String,
    /// What happened, in words.
    pub text: String,
    /// What it happens after, outside its own thread.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub after: Vec<TraceCause>,
}

/// A direct cause outside the event's own thread.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceCause {
    /// Index into [`Trace::events`].
    pub event: u32,
    /// `message`, `spawn`, `exec`, `exit`, `vfork`, `listen`, `connect`, `end_of_stream`, `reset`.
    pub why: String,
}

/// What one receive returned of one send, or a send that was not received.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TraceMessage {
    /// The event that sent it: index into [`Trace::events`].
    pub sent: u32,
    /// The event that received it; absent if nobody did.
    #[serde(default)]
    pub received: Option<u32>,
    /// Bytes received of it; of one not received, bytes sent.
    pub bytes: u64,
    /// What it travelled over: `port 6379`, `pipe`, ...
    pub link: String,
    /// What it says, as far as its protocol is known.
    #[serde(default)]
    pub label: Option<String>,
    /// Its name in every run.
    pub name: String,
    /// The first bytes of its content, unprintable ones escaped.
    pub content: String,
}

impl Trace {
    /// Whether the indexes in the trace exist and causes come first; says which do not.
    pub(crate) fn check(&self) -> Result<(), String> {
        let events = self.events.len() as u32;
        for (index, event) in (0_u32..).zip(&self.events) {
            if event.process as usize >= self.processes.len() {
                return Err(format!("event {index} is of a process that is not listed"));
            }
            if event.after.iter().any(|cause| cause.event >= index) {
                return Err(format!("event {index} has a cause that does not come before it"));
            }
        }
        let dangling = |message: &TraceMessage| {
            message.sent >= events || message.received.is_some_and(|event| event >= events)
        };
        if self.messages.iter().any(dangling) {
            return Err("a message of an event that is not there".to_owned());
        }
        Ok(())
    }
}
