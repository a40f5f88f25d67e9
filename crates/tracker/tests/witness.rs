//! An independent witness: what `strace` says a guest sent, received, connected and accepted is
//! what the tracer says. (Two runs of the same program, since a process has one tracer; the guests
//! say the same in each.)

mod common;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use linchpin_tracer::{Action, NodeId, Observer, Options, Status, launch};
use linchpin_tracker::{Recorder, Tracker};
use regex::Regex;

/// Guests whose every byte goes through the plain calls that are counted here.
const GUESTS: [&str; 8] =
    ["backlog", "fork_pipe", "nonblocking", "partial", "tcp", "threads", "udp", "unix_sockets"];

/// What went through sockets and pipes.
#[derive(Debug, Default, PartialEq, Eq)]
struct Totals {
    sent: u64,
    received: u64,
    connected: u64,
    accepted: u64,
}

fn compiled(guest: &str, folder: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/guests/{guest}.c"));
    let text = fs::read_to_string(&source).unwrap();
    let flags = text.lines().find_map(|line| line.strip_prefix("// cc: ")).unwrap_or_default();
    let binary = folder.join(guest);
    let made = Command::new("cc")
        .args(["-O1", "-pthread", "-o"])
        .arg(&binary)
        .arg(&source)
        .args(flags.split_whitespace())
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    binary
}

/// Adds up what strace wrote, a file per thread (so that no call is torn in two).
fn by_strace(program: &Path, folder: &Path) -> Totals {
    let prefix = folder.join("strace");
    let calls = "read,readv,recvfrom,recvmsg,write,writev,sendto,sendmsg,connect,accept,accept4";
    let status = Command::new("strace")
        .args(["-ff", "-yy", "-e", &format!("trace={calls}"), "-e", "signal=none", "-o"])
        .arg(&prefix)
        .arg(program)
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .unwrap();
    assert!(status.success(), "{status}");
    // call(NUMBER<KIND...>, ...) = RESULT
    let line = Regex::new(
        r"^(\w+)\(\d+<(?:(?:TCP|UDP|UNIX)\S*?:?\[|pipe:|socket:).* = (-?\d+)(?:<.*>)?(?: (E\w+).*)?$",
    )
    .unwrap();
    let mut totals = Totals::default();
    for entry in fs::read_dir(folder).unwrap().flatten() {
        if !entry.file_name().to_string_lossy().starts_with("strace.") {
            continue;
        }
        for text in fs::read_to_string(entry.path()).unwrap().lines() {
            let Some(found) = line.captures(text) else { continue };
            let result: i64 = found[2].parse().unwrap();
            let bytes = result.max(0) as u64;
            match &found[1] {
                "connect" => {
                    let begun = found.get(3).is_some_and(|error| error.as_str() == "EINPROGRESS");
                    totals.connected += u64::from(result == 0 || begun);
                }
                "accept" | "accept4" => totals.accepted += u64::from(result >= 0),
                "write" | "writev" | "sendto" | "sendmsg" => totals.sent += bytes,
                // What is peeked at is received again.
                _ if text.contains("MSG_PEEK") => {}
                _ => totals.received += bytes,
            }
        }
    }
    totals
}

fn by_tracker(tracker: &Tracker) -> Totals {
    let mut totals = Totals::default();
    let graph = tracker.graph();
    for id in graph.ids() {
        match &graph.event(id).action {
            Action::Sent { bytes, error: None, .. } => totals.sent += bytes,
            Action::Receive { payload, peek: false, .. } => totals.received += payload.length,
            Action::Connected { error: None | Some(115), .. } => totals.connected += 1,
            Action::Accept { .. } => totals.accepted += 1,
            _ => {}
        }
    }
    totals
}

#[test]
fn strace_counts_the_same_bytes_and_connections() {
    for program in ["strace", "cc"] {
        if !common::have(program) {
            return common::skipped(&format!("no {program}"));
        }
    }
    for guest in GUESTS {
        let scratch = tempfile::tempdir().unwrap();
        let program = compiled(guest, scratch.path());
        let witness = by_strace(&program, scratch.path());
        assert!(witness.sent > 0 && witness.received > 0, "{guest}: {witness:?}");
        let recorder = Arc::new(Recorder::new());
        let observer = Arc::clone(&recorder) as Arc<dyn Observer>;
        let mut command = Command::new(&program);
        command.current_dir(scratch.path());
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let running =
            launch(NodeId(0), command, Options::default(), observer, Instant::now()).unwrap();
        assert!(running.finished(common::LIMIT), "{guest}");
        assert_eq!(running.wait().unwrap().status, Some(Status::Code(0)), "{guest}");
        assert_eq!(by_tracker(&recorder.tracker()), witness, "{guest}");
    }
}
