//! Events in words.

use linchpin_tracer::{Action, ChildKind, Endpoint, Status};
use linchpin_tracker::names::Name;

/// Bytes of a message's content that are shown.
const CONTENT_SHOWN_MAX: usize = 120;

/// What kind of event it is, as in the event log.
pub(crate) fn kind(action: &Action) -> &'static str {
    match action {
        Action::Begin { .. } => "begin",
        Action::Spawn { .. } => "spawn",
        Action::VforkDone { .. } => "vfork_done",
        Action::Exec { .. } => "exec",
        Action::ThreadExit { .. } => "thread_exit",
        Action::ProcessExit { .. } => "process_exit",
        Action::Waited { .. } => "waited",
        Action::Socket { .. } => "socket",
        Action::Pair { .. } => "pair",
        Action::Open { .. } => "open",
        Action::Close { .. } => "close",
        Action::Shutdown { .. } => "shutdown",
        Action::Listen { .. } => "listen",
        Action::Connect { .. } => "connect",
        Action::Connected { .. } => "connected",
        Action::Accept { .. } => "accept",
        Action::Send { .. } => "send",
        Action::Sent { .. } => "sent",
        Action::Receive { .. } => "receive",
        Action::EndOfStream { .. } => "end_of_stream",
        Action::ReceiveFailed { .. } => "receive_failed",
        Action::Sync { .. } => "sync",
        Action::Synced { .. } => "synced",
        Action::File { .. } => "file",
        Action::Answered { .. } => "answered",
        Action::Denied { .. } => "denied",
        Action::NotFollowed { .. } => "not_followed",
    }
}

/// The first bytes of a message, unprintable ones escaped.
pub(crate) fn content(bytes: &[u8]) -> String {
    let mut text = bytes[..bytes.len().min(CONTENT_SHOWN_MAX)].escape_ascii().to_string();
    if bytes.len() > CONTENT_SHOWN_MAX {
        text.push('…');
    }
    text
}

fn error_text(error: i32) -> String {
    std::io::Error::from_raw_os_error(error).to_string()
}

fn outcome(error: Option<i32>) -> String {
    error.map_or_else(String::new, |error| format!(": {}", error_text(error)))
}

fn status_text(status: Status) -> String {
    match status {
        Status::Code(code) => format!("exits with code {code}"),
        Status::Signal(signal) => format!("is killed by signal {signal}"),
    }
}

fn direction(endpoint: Endpoint) -> &'static str {
    match (endpoint.read, endpoint.write) {
        (true, false) => "the read end of ",
        (false, true) => "the write end of ",
        _ => "",
    }
}

/// What happened, in words.
pub(crate) fn text(action: &Action, name: Option<&Name>) -> String {
    match action {
        Action::Begin { kind: ChildKind::Process, .. } => "process begins".into(),
        Action::Begin { kind: ChildKind::Thread, .. } => "thread begins".into(),
        Action::Spawn { child, kind: ChildKind::Process } => format!("starts process {child}"),
        Action::Spawn { child, kind: ChildKind::Thread } => format!("starts thread {child}"),
        Action::VforkDone { child } => format!("process {child} lets its parent go on"),
        Action::Exec { program, arguments, .. } => {
            let arguments: Vec<&str> = arguments.iter().skip(1).map(String::as_str).collect();
            format!("runs {program} {}", arguments.join(" ")).trim_end().to_owned()
        }
        Action::ThreadExit { status } => format!("thread {}", status_text(*status)),
        Action::ProcessExit { status, .. } => status_text(*status),
        Action::Waited { child } => format!("sees the end of process {child}"),
        Action::Socket { channel, .. } => format!("learns of {channel}"),
        Action::Pair { first, second } => format!("{first} and {second} are a pair"),
        Action::Open { endpoint, .. } => {
            format!("opens {}{}", direction(*endpoint), endpoint.channel)
        }
        Action::Close { endpoint } => {
            format!("closes {}{}", direction(*endpoint), endpoint.channel)
        }
        Action::Shutdown { channel, .. } => format!("shuts down {channel}"),
        Action::Listen { .. } => "listens".into(),
        Action::Connect { to, .. } => format!("connects to {to}"),
        Action::Connected { error, .. } => format!("connected{}", outcome(*error)),
        Action::Accept { .. } => "accepts a connection".into(),
        Action::Send { payload, .. } => {
            let label = name.and_then(|name| name.label.as_deref()).unwrap_or("message");
            let over = name.map_or_else(String::new, |name| match &name.to {
                Some(to) => format!(" to {to} over {}", name.link),
                None => format!(" over {}, not received", name.link),
            });
            format!("sends {label} ({} bytes){over}", payload.length)
        }
        Action::Sent { error, .. } => format!("send ends{}", outcome(*error)),
        Action::Receive { payload, peek, .. } => {
            let how = if *peek { "peeks at" } else { "receives" };
            format!("{how} {} bytes", payload.length)
        }
        Action::EndOfStream { .. } => "finds the end of the stream".into(),
        Action::ReceiveFailed { error, .. } => format!("receive fails: {}", error_text(*error)),
        Action::Sync { kind, path, .. } => match path {
            Some(path) => format!("{kind} of {path}"),
            None => kind.clone(),
        },
        Action::Synced { error, .. } => format!("sync ends{}", outcome(*error)),
        Action::File { kind, path, target, error } => {
            let target = target.as_ref().map_or_else(String::new, |target| format!(" to {target}"));
            format!("{kind} {path}{target}{}", outcome(*error))
        }
        Action::Answered { result, .. } => format!("the call is answered in its place: {result}"),
        Action::Denied { call, error } => format!("{call} is denied: {}", error_text(*error)),
        Action::NotFollowed { what } => format!("not followed: {what}"),
    }
}
