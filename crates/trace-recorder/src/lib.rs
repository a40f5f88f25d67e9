//! Turns what the tracker knows of a run of processes into a record.
//!
//! Records are plain data, read by reports; the tracker is the machine. Only this crate knows both.
//! Calls that only tell facts (addresses of sockets, exits of sends that took every byte) are left
//! out of the record; what they happen after is carried to the next event of their thread. The
//! event log has them all.
//!
//! What this crate does **not** do: it runs nothing and writes no files.

mod words;

use std::collections::BTreeMap;

use linchpin_record as record;
use linchpin_tracer::{Action, Report};
use linchpin_tracker::dissect::Rules;
use linchpin_tracker::names::{Name, Roles};
use linchpin_tracker::{Cause, Edge, EventId, Graph, Order, Track, Tracker};

/// How the nodes are called and how labels are read.
#[derive(Clone, Debug, Default)]
pub struct Naming {
    /// Names of nodes given by the user.
    pub roles: Roles,
    /// How labels are read off messages.
    pub rules: Rules,
}

/// The happens-before graph of a run.
#[must_use]
pub fn trace(tracker: &Tracker, naming: &Naming, run: u64) -> record::Trace {
    let graph = tracker.graph();
    let names = tracker.names(&naming.roles, &naming.rules);
    let (processes, columns) = processes(graph, naming);
    let mut places: BTreeMap<EventId, u32> = BTreeMap::new();
    let mut carried: BTreeMap<Track, Vec<Edge>> = BTreeMap::new();
    let mut events: Vec<record::TraceEvent> = Vec::new();
    for id in graph.sorted(Order::Process) {
        let event = graph.event(id);
        let mut causes = carried.remove(&graph.thread(id)).unwrap_or_default();
        causes.extend_from_slice(graph.causes(id));
        if is_detail(&event.action) {
            if !causes.is_empty() {
                carried.insert(graph.thread(id), causes);
            }
            continue;
        }
        let mut after: Vec<record::TraceCause> = causes
            .iter()
            .filter_map(|edge| {
                let event = *places.get(&edge.from)?;
                Some(record::TraceCause { event, why: why(edge.cause).to_owned() })
            })
            .collect();
        after.dedup();
        places.insert(id, events.len() as u32);
        events.push(record::TraceEvent {
            id: id.0,
            process: columns[&graph.process(id)],
            thread: event.thread,
            time_ns: event.time_ns,
            kind: words::kind(&event.action).to_owned(),
            text: words::text(&event.action, names.get(&id)),
            after,
        });
    }
    let messages = messages(graph, &names, &places);
    record::Trace { schema: record::TRACE_SCHEMA.to_owned(), run, processes, events, messages }
}

/// What was counted in a run; `reports` are those of its nodes.
#[must_use]
pub fn counts(tracker: &Tracker, reports: &[Report]) -> record::TraceCounts {
    let summary = tracker.summary();
    let graph = tracker.graph();
    let messages = graph.ids().map(|id| graph.matched(id).count() as u64).sum();
    record::TraceCounts {
        events: summary.events as u64,
        processes: u64::from(summary.processes),
        messages,
        bytes: summary.pairs.iter().map(|pair| pair.bytes).sum(),
        unmatched_bytes: summary.unmatched_bytes,
        unmatched_datagrams: summary.unmatched_datagrams,
        mismatches: summary.mismatches,
        stops: reports.iter().map(|report| report.stops).sum(),
        let_through: reports.iter().map(|report| report.let_through).sum(),
        denied: summary.denied,
        not_followed: summary.not_followed,
    }
}

/// The lives of processes in the order of their first events, and where each stands.
fn processes(graph: &Graph, naming: &Naming) -> (Vec<record::TraceProcess>, BTreeMap<Track, u32>) {
    let roles = graph.roles(&naming.roles);
    let programs = graph.process_names();
    let mut processes = Vec::new();
    let mut columns = BTreeMap::new();
    for id in graph.ids() {
        let track = graph.process(id);
        if columns.contains_key(&track) {
            continue;
        }
        columns.insert(track, processes.len() as u32);
        let event = graph.event(id);
        let program = programs.get(&track).map_or("", |name| name.split('[').next().unwrap_or(""));
        processes.push(record::TraceProcess {
            node: naming
                .roles
                .get(&event.node)
                .cloned()
                .unwrap_or_else(|| format!("node {}", event.node.0)),
            role: roles.get(&track).cloned().unwrap_or_default(),
            program: program.to_owned(),
            process: event.process,
        });
    }
    (processes, columns)
}

/// True for events that say nothing of the order by themselves.
fn is_detail(action: &Action) -> bool {
    match action {
        Action::Socket { .. } | Action::Pair { .. } | Action::Open { .. } => true,
        Action::Sent { error, .. } | Action::Synced { error, .. } => error.is_none(),
        _ => false,
    }
}

fn why(cause: Cause) -> &'static str {
    match cause {
        Cause::Spawn => "spawn",
        Cause::Exec => "exec",
        Cause::Exit => "exit",
        Cause::Vfork => "vfork",
        Cause::Listen => "listen",
        Cause::Connect => "connect",
        Cause::Bytes(_) | Cause::Message(_) => "message",
        Cause::EndOfStream => "end_of_stream",
        Cause::Reset => "reset",
    }
}

fn messages(
    graph: &Graph,
    names: &BTreeMap<EventId, Name>,
    places: &BTreeMap<EventId, u32>,
) -> Vec<record::TraceMessage> {
    let mut received: BTreeMap<EventId, Vec<(EventId, u64)>> = BTreeMap::new();
    for id in graph.ids() {
        if matches!(graph.event(id).action, Action::Receive { peek: true, .. }) {
            continue;
        }
        for matched in graph.matched(id) {
            received.entry(matched.send).or_default().push((id, matched.bytes));
        }
    }
    let mut messages = Vec::new();
    for (id, name) in names {
        let Action::Send { payload, .. } = &graph.event(*id).action else { continue };
        let message = |received: Option<u32>, bytes: u64| record::TraceMessage {
            sent: places[id],
            received,
            bytes,
            link: name.link.clone(),
            label: name.label.clone(),
            name: name.to_string(),
            content: words::content(&payload.bytes),
        };
        match received.get(id) {
            None => messages.push(message(None, payload.length)),
            Some(pieces) => messages.extend(
                pieces.iter().map(|(receive, bytes)| message(Some(places[receive]), *bytes)),
            ),
        }
    }
    messages.sort_by_key(|message| (message.sent, message.received));
    messages
}
