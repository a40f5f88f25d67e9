//! Running something small under the tracer, with a limit of time, and writing its graph down in a
//! form that does not depend on numbers the kernel chose or on how threads interleaved.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::common::LIMIT;
use linchpin_tracer::{
    Action, Address, Channel, Decision, Endpoint, Event, NodeId, Observer, Options, Report, Status,
    launch,
};
use linchpin_tracker::{Cause, EventId, Graph, Recorder, Track, Tracker};

/// Runs a command to its end under the tracer.
pub(crate) fn trace(mut command: Command) -> Result<(Tracker, Report), String> {
    let recorder = Arc::new(Recorder::new());
    let observer = Arc::new(Late { recorder: Arc::clone(&recorder), state: seed().into() });
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let running = launch(NodeId(0), command, Options::default(), observer, Instant::now())
        .map_err(|error| error.to_string())?;
    if !running.finished(LIMIT) {
        running.kill();
        let _ = running.wait();
        let graph = render(recorder.tracker().graph());
        return Err(format!("it did not end within {LIMIT:?}; so far:\n{graph}"));
    }
    let report = running.wait().map_err(|error| error.to_string())?;
    let tracker = recorder.tracker().clone();
    Ok((tracker, report))
}

/// `LINCHPIN_LATE=SEED` makes the tracer late at one event in four, by up to two milliseconds: threads
/// interleave then as they seldom do otherwise.
fn seed() -> Option<u64> {
    let seed = std::env::var("LINCHPIN_LATE").ok()?;
    Some(seed.parse::<u64>().expect("LINCHPIN_LATE is a number") | 1 << 40)
}

struct Late {
    recorder: Arc<Recorder>,
    state: Mutex<Option<u64>>,
}

impl Observer for Late {
    fn observe(&self, event: Event) -> Decision {
        if let Some(state) = &mut *self.state.lock().unwrap() {
            *state ^= *state << 13;
            *state ^= *state >> 7;
            *state ^= *state << 17;
            if (*state).is_multiple_of(4) {
                std::thread::sleep(Duration::from_micros((*state >> 8) % 2000));
            }
        }
        self.recorder.observe(event)
    }
}

/// Names for what the kernel numbered.
#[derive(Default)]
struct Names {
    threads: BTreeMap<Track, String>,
    /// The thread a spawn made.
    children: BTreeMap<EventId, String>,
    processes: BTreeMap<i32, String>,
    channels: BTreeMap<Channel, String>,
    ports: BTreeMap<u16, usize>,
    /// What the first program was given by whoever runs the test: not part of the graph.
    outside: Vec<Channel>,
    lines: BTreeMap<EventId, String>,
}

impl Names {
    fn channel(&mut self, channel: Channel) -> String {
        let kind = if matches!(channel, Channel::Socket(_)) { 's' } else { 'p' };
        let count = self.channels.values().filter(|name| name.starts_with(kind)).count();
        self.channels.entry(channel).or_insert_with(|| format!("{kind}{}", count + 1)).clone()
    }

    fn endpoint(&mut self, endpoint: Endpoint) -> String {
        let name = self.channel(endpoint.channel);
        match (endpoint.channel, endpoint.read, endpoint.write) {
            (Channel::Pipe(..), true, false) => format!("{name}.read"),
            (Channel::Pipe(..), false, true) => format!("{name}.write"),
            _ => name,
        }
    }

    fn endpoints(&mut self, verb: &str, endpoints: &[Endpoint]) -> String {
        let mut names: Vec<String> = endpoints
            .iter()
            .filter(|endpoint| !self.outside.contains(&endpoint.channel))
            .copied()
            .collect::<Vec<_>>()
            .into_iter()
            .map(|endpoint| self.endpoint(endpoint))
            .collect();
        names.sort();
        if names.is_empty() { String::new() } else { format!(" {verb} {}", names.join(" ")) }
    }

    fn address(&mut self, address: &Address) -> String {
        match address {
            Address::Internet(socket) => {
                let next = self.ports.len() + 1;
                let port = self.ports.entry(socket.port()).or_insert(next);
                format!("{}:port{port}", socket.ip())
            }
            Address::Local(name) if name.starts_with('@') => "abstract".into(),
            Address::Local(name) => format!("path {}", name.rsplit('/').next().unwrap_or(name)),
            other => other.to_string(),
        }
    }
}

fn content(bytes: &[u8]) -> String {
    let shown = &bytes[..bytes.len().min(24)];
    let more = if bytes.len() > 24 { "..." } else { "" };
    if shown.iter().all(|byte| (32..127).contains(byte) || *byte == b'\n') {
        format!("\"{}\"{more}", shown.escape_ascii())
    } else {
        "(binary)".to_owned()
    }
}

/// The whole graph as text: threads in the order in which they were spawned, their events in
/// order, and for each its causes elsewhere.
pub(crate) fn render(graph: &Graph) -> String {
    let mut names = Names::default();
    if let Some(Action::Exec { endpoints, .. }) =
        graph.ids().next().map(|id| &graph.event(id).action)
    {
        names.outside = endpoints.iter().map(|endpoint| endpoint.channel).collect();
    }
    let mut by_thread: BTreeMap<Track, Vec<EventId>> = BTreeMap::new();
    for id in graph.ids() {
        by_thread.entry(graph.thread(id)).or_default().push(id);
    }
    // Threads by their place in the tree of spawns.
    let mut spawned: BTreeMap<EventId, Track> = BTreeMap::new();
    let mut order = Vec::new();
    for (track, events) in &by_thread {
        let spawn = graph.causes(events[0]).iter().find(|edge| edge.cause == Cause::Spawn);
        match spawn {
            Some(edge) => {
                spawned.insert(edge.from, *track);
            }
            None => order.push((*track, if order.is_empty() { "A" } else { "?" }.to_owned())),
        }
    }
    let mut at = 0;
    while at < order.len() {
        let (track, name) = order[at].clone();
        let children = by_thread[&track].iter().filter_map(|id| Some((id, spawned.get(id)?)));
        for (index, (spawn, child)) in children.enumerate() {
            let child_name = format!("{name}.{}", index + 1);
            names.children.insert(*spawn, child_name.clone());
            order.insert(at + 1 + index, (*child, child_name));
        }
        names.processes.insert(graph.event(by_thread[&track][0]).process, name.clone());
        names.threads.insert(track, name);
        at += 1;
    }
    order.sort_by_key(|(_, name)| {
        name.split('.').map(|part| part.parse().unwrap_or(0)).collect::<Vec<u32>>()
    });
    // A process is named after its first thread.
    for (track, name) in order.iter().rev() {
        let first = graph.event(by_thread[track][0]);
        if first.process == first.thread {
            names.processes.insert(first.process, name.clone());
        }
    }
    let mut texts = Vec::new();
    for (track, name) in &order {
        let mut number = 0;
        for id in &by_thread[track] {
            let Some(text) = action(&graph.event(*id).action, *id, &mut names) else { continue };
            number += 1;
            names.lines.insert(*id, format!("{name}:{number}"));
            texts.push((*id, text));
        }
    }
    let mut out = String::new();
    let mut last = None;
    for (id, text) in texts {
        if last.replace(graph.thread(id)).is_some_and(|thread| thread != graph.thread(id)) {
            out.push('\n');
        }
        let _ = write!(out, "{} {text}", names.lines[&id]);
        let mut causes: Vec<String> = graph
            .causes(id)
            .iter()
            .map(|edge| {
                let from = names.lines.get(&edge.from).cloned().unwrap_or("?".into());
                let why = match edge.cause {
                    Cause::Bytes(count) => format!("{count} bytes"),
                    Cause::Message(_) => "message".into(),
                    other => format!("{other:?}").to_lowercase(),
                };
                format!("{from} {why}")
            })
            .collect();
        causes.sort();
        if !causes.is_empty() {
            let _ = write!(out, "  <- {}", causes.join(", "));
        }
        out.push('\n');
    }
    out
}

fn action(action: &Action, id: EventId, names: &mut Names) -> Option<String> {
    let failed =
        |error: &Option<i32>| error.map(|error| format!(" error {error}")).unwrap_or_default();
    let status = |status: &Status| match status {
        Status::Code(code) => format!("{code}"),
        Status::Signal(number) => format!("signal {number}"),
    };
    Some(match action {
        Action::Socket { .. } => return None,
        Action::Begin { kind, .. } => format!("begin {kind:?}").to_lowercase(),
        Action::Spawn { .. } => {
            format!("spawn {}", names.children.get(&id).cloned().unwrap_or("?".into()))
        }
        Action::VforkDone { .. } => "vfork done".into(),
        Action::Exec { arguments, closed, .. } => {
            let program =
                arguments.first().map_or("", |first| first.rsplit('/').next().unwrap_or(first));
            format!("exec {program}{}", names.endpoints("closed", closed))
        }
        Action::ThreadExit { status: end } => format!("thread exit {}", status(end)),
        Action::ProcessExit { status: end, closed } => {
            format!("exit {}{}", status(end), names.endpoints("closed", closed))
        }
        Action::Waited { child } => {
            format!("waited {}", names.processes.get(child).cloned().unwrap_or("?".into()))
        }
        Action::Pair { first, second } => {
            format!("pair {} {}", names.channel(*first), names.channel(*second))
        }
        Action::Open { endpoint, .. } | Action::Close { endpoint }
            if names.outside.contains(&endpoint.channel) =>
        {
            return None;
        }
        Action::Open { endpoint, .. } => format!("open {}", names.endpoint(*endpoint)),
        Action::Close { endpoint } => format!("close {}", names.endpoint(*endpoint)),
        Action::Shutdown { channel, read, write } => {
            let how = [(*read, " read"), (*write, " write")];
            let how: String = how.iter().filter(|(is, _)| *is).map(|(_, name)| *name).collect();
            format!("shutdown {}{how}", names.channel(*channel))
        }
        Action::Listen { channel } => format!("listen {}", names.channel(*channel)),
        Action::Connect { channel, to, .. } => {
            format!("connect {} to {}", names.channel(*channel), names.address(to))
        }
        Action::Connected { channel, error, .. } => {
            format!("connected {}{}", names.channel(*channel), failed(error))
        }
        Action::Accept { listener, channel } => {
            format!("accept {} on {}", names.channel(*channel), names.channel(*listener))
        }
        Action::Send { channel, to, payload, .. } => {
            let to = to.as_ref().map(|to| format!(" to {}", names.address(to))).unwrap_or_default();
            let channel = names.channel(*channel);
            format!("send {channel}{to} {} {}", payload.length, content(&payload.bytes))
        }
        Action::Sent { messages, bytes, error, .. } => {
            format!("sent {messages} of {bytes}{}", failed(error))
        }
        Action::Receive { channel, from, payload, peek, truncated, .. } => {
            let from = from
                .as_ref()
                .map(|from| format!(" from {}", names.address(from)))
                .unwrap_or_default();
            let peek = if *peek { " peek" } else { "" };
            let cut = if *truncated { " truncated" } else { "" };
            let channel = names.channel(*channel);
            format!(
                "receive {channel}{from}{peek}{cut} {} {}",
                payload.length,
                content(&payload.bytes)
            )
        }
        Action::EndOfStream { channel } => format!("end {}", names.channel(*channel)),
        Action::ReceiveFailed { channel, error } => {
            format!("receive failed {} error {error}", names.channel(*channel))
        }
        Action::Sync { kind, path, .. } => {
            let path = path.as_ref().map(|path| path.rsplit('/').next().unwrap_or(path));
            format!("{kind} {}", path.unwrap_or("nothing"))
        }
        Action::Synced { error, .. } => format!("synced{}", failed(error)),
        Action::File { kind, path, .. } => format!("{kind} {path}"),
        Action::Answered { result, .. } => format!("answered {result}"),
        Action::Denied { call, error } => format!("denied {call} error {error}"),
        Action::NotFollowed { what } => format!("not followed {what}"),
    })
}
