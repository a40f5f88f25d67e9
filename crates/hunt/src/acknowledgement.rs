//! What the system acknowledged, as the workload itself tells it.

use std::collections::{BTreeMap, BTreeSet};

use linchpin_tracer::Channel;
use serde::Deserialize;
use serde_json::Value;

use crate::event::EventName;
use crate::trace::{Acknowledgement, TraceEvent};

/// A send or receive of the client.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClientEvent {
    /// Its position in the trace.
    pub(crate) position: usize,
    pub(crate) thread: i32,
    /// The client's end of the connection.
    pub(crate) channel: Option<Channel>,
}

/// Something the client printed.
#[derive(Clone, Debug)]
pub(crate) struct Said {
    /// How many events the trace had.
    pub(crate) position: usize,
    pub(crate) thread: i32,
    pub(crate) bytes: Vec<u8>,
}

/// A line of a history, as far as it matters here.
#[derive(Deserialize)]
struct Line {
    process: Value,
    #[serde(rename = "type")]
    kind: String,
    #[serde(rename = "final", default)]
    is_final: bool,
}

/// When an operation began, and when it was known to have taken effect.
struct Operation {
    begun: (usize, i32),
    done: (usize, i32),
}

/// What was acknowledged before `end`: by the history if the client printed one as it went, else by
/// answers to messages with values.
pub(crate) fn find(
    events: &[TraceEvent],
    client: &[ClientEvent],
    said: &[Said],
    end: usize,
) -> Vec<Acknowledgement> {
    let client: Vec<ClientEvent> =
        client.iter().copied().filter(|event| event.position < end).collect();
    let Some(operations) = told(said, end) else { return by_answers(events, &client) };
    let found: Vec<Acknowledgement> =
        operations.iter().filter_map(|operation| by_history(events, &client, operation)).collect();
    // A workload that prints all of its history at its end does not tell when things happened.
    if found.is_empty() && !operations.is_empty() { by_answers(events, &client) } else { found }
}

/// The operations that ended well; `None` if what was printed is no history.
fn told(said: &[Said], end: usize) -> Option<Vec<Operation>> {
    let mut is_history = false;
    let mut open: BTreeMap<String, (usize, i32)> = BTreeMap::new();
    let mut operations = Vec::new();
    // A line may be printed in pieces; it counts when it ends.
    let mut rest: Vec<u8> = Vec::new();
    for piece in said.iter().filter(|piece| piece.position <= end) {
        rest.extend(&piece.bytes);
        while let Some(length) = rest.iter().position(|byte| *byte == b'\n') {
            let text: Vec<u8> = rest.drain(..=length).collect();
            let Ok(line) = serde_json::from_slice::<Line>(&text) else { continue };
            is_history = true;
            let (process, here) = (line.process.to_string(), (piece.position, piece.thread));
            match line.kind.as_str() {
                "invoke" if !line.is_final => {
                    open.insert(process, here);
                }
                "ok" => operations
                    .extend(open.remove(&process).map(|begun| Operation { begun, done: here })),
                _ => {
                    open.remove(&process);
                }
            }
        }
    }
    is_history.then_some(operations)
}

/// The first message sent after the invocation was printed, and the last received before `ok` was,
/// by the thread that printed them if it did.
fn by_history(
    events: &[TraceEvent],
    client: &[ClientEvent],
    operation: &Operation,
) -> Option<Acknowledgement> {
    let within: Vec<&ClientEvent> = client
        .iter()
        .filter(|event| (operation.begun.0..operation.done.0).contains(&event.position))
        .collect();
    let is_send = |event: &&&ClientEvent| events[event.position].name.is_visible();
    let is_receive = |event: &&&ClientEvent| !events[event.position].name.is_visible();
    let own = |thread: i32| move |event: &&&ClientEvent| event.thread == thread;
    let sends: Vec<&&ClientEvent> = within.iter().filter(is_send).collect();
    let request = sends
        .iter()
        .find(|event| event.thread == operation.begun.1)
        .or(sends.first())
        .map(|event| event.position)?;
    let after = || within.iter().filter(|event| event.position > request).filter(is_receive);
    let answer = after()
        .rfind(own(operation.done.1))
        .or_else(|| after().next_back())
        .map(|event| event.position)?;
    let tokens: BTreeSet<String> = sends
        .iter()
        .filter(|event| (request..answer).contains(&event.position))
        .filter(|event| {
            event.thread == operation.begun.1
                || !sends.iter().any(|event| event.thread == operation.begun.1)
        })
        .flat_map(|event| events[event.position].tokens.iter().cloned())
        .collect();
    Some(Acknowledgement { request, answer, tokens })
}

/// Per value the first answer of the node to which the client first sent it.
fn by_answers(events: &[TraceEvent], client: &[ClientEvent]) -> Vec<Acknowledgement> {
    let mut seen: BTreeSet<&String> = BTreeSet::new();
    let mut found = Vec::new();
    for (index, sent) in client.iter().enumerate() {
        let event = &events[sent.position];
        let EventName::Send(request) = &event.name else { continue };
        let tokens: BTreeSet<String> =
            event.tokens.iter().filter(|token| seen.insert(token)).cloned().collect();
        if tokens.is_empty() {
            continue;
        }
        let answer = client[index + 1..].iter().find(|received| {
            let name = &events[received.position].name;
            received.channel == sent.channel
                && matches!(name, EventName::Receive(message) if message.from == request.to)
        });
        found.extend(answer.map(|answer| Acknowledgement {
            request: sent.position,
            answer: answer.position,
            tokens,
        }));
    }
    found
}
