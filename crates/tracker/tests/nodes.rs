//! Several nodes, each with its own tracer thread, one tracker: messages between nodes over TCP,
//! a FIFO and an AF_UNIX socket, and what a node knows at an event.

mod common;

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use linchpin_tracer::{Action, LaunchError, NodeId, Observer, Options, Running, Status, launch};
use linchpin_tracker::{Cause, EventId, Graph, Order, Recorder};

fn start(recorder: &Arc<Recorder>, node: u32, script: &str, argument: &str) -> Running {
    let mut command = Command::new(python());
    command.args(["-S", "-E", "-c", script, argument]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit());
    let observer = Arc::clone(recorder) as Arc<dyn Observer>;
    launch(NodeId(node), command, Options::default(), observer, Instant::now()).unwrap()
}

fn python() -> String {
    let found = Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output();
    String::from_utf8_lossy(&found.expect("python3 runs").stdout).trim().to_owned()
}

fn end(running: Running) {
    assert_eq!(running.root_status(common::LIMIT), Some(Status::Code(0)));
    assert!(running.finished(common::LIMIT));
    running.wait().unwrap();
}

fn find(graph: &Graph, node: u32, wanted: impl Fn(&Action) -> bool) -> EventId {
    graph
        .ids()
        .find(|id| graph.event(*id).node == NodeId(node) && wanted(&graph.event(*id).action))
        .expect("the event happened")
}

fn is_text(action: &Action, text: &str) -> bool {
    match action {
        Action::Send { payload, .. } | Action::Receive { payload, .. } => {
            payload.bytes == text.as_bytes()
        }
        _ => false,
    }
}

const RELAY: &str = r#"
import os, socket, sys
place = sys.argv[1]
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen()
with open(place + "/port.new", "w") as file: file.write(str(listener.getsockname()[1]))
os.rename(place + "/port.new", place + "/port")
connection, _ = listener.accept()
data = connection.recv(100)
fifo = os.open(place + "/fifo", os.O_WRONLY)
os.write(fifo, data + b" relayed")
os.close(fifo)
"#;

const CLIENT: &str = r#"
import socket, sys, time
place = sys.argv[1]
while True:
    try:
        port = int(open(place + "/port").read())
        break
    except OSError: time.sleep(0.01)
socket.create_connection(("127.0.0.1", port)).sendall(b"token")
"#;

const SINK: &str = r#"
import os, sys
fifo = os.open(sys.argv[1] + "/fifo", os.O_RDONLY)
assert os.read(fifo, 100) == b"token relayed"
assert os.read(fifo, 100) == b""
"#;

#[test]
fn a_message_travels_over_three_nodes() {
    if !common::have("python3") {
        common::skipped("no python3");
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let place = scratch.path().to_str().unwrap();
    let fifo = scratch.path().join("fifo");
    assert!(Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    let recorder = Arc::new(Recorder::new());
    let sink = start(&recorder, 2, SINK, place);
    let relay = start(&recorder, 1, RELAY, place);
    let client = start(&recorder, 0, CLIENT, place);
    for node in [client, relay, sink] {
        end(node);
    }
    let tracker = recorder.tracker();
    let graph = tracker.graph();
    let sent = find(graph, 0, |action| is_text(action, "token"));
    let got = find(graph, 1, |action| is_text(action, "token"));
    let relayed = find(graph, 1, |action| is_text(action, "token relayed"));
    let arrived = find(graph, 2, |action| is_text(action, "token relayed"));
    let listen = find(graph, 1, |action| matches!(action, Action::Listen { .. }));
    let connect = find(graph, 0, |action| matches!(action, Action::Connect { .. }));
    let connected = find(graph, 0, |action| matches!(action, Action::Connected { .. }));
    let accept = find(graph, 1, |action| matches!(action, Action::Accept { .. }));
    let causes =
        |id| graph.causes(id).iter().map(|edge| (edge.from, edge.cause)).collect::<Vec<_>>();
    assert_eq!(causes(accept), [(connect, Cause::Connect)]);
    assert_eq!(causes(connected), [(listen, Cause::Listen)]);
    assert_eq!(causes(got), [(sent, Cause::Bytes(5))]);
    assert_eq!(causes(arrived), [(relayed, Cause::Bytes(13))]);
    for order in [Order::Thread, Order::Process] {
        assert!(graph.happens_before(sent, arrived, order));
        assert!(!graph.happens_before(arrived, sent, order));
        // No edge from accept to connect.
        assert!(graph.concurrent(accept, connected, order));
    }
    // What the sink knew when the message arrived; before it, the relay knew nothing of the client.
    let known = graph.known(NodeId(2), arrived);
    assert_eq!(known[&NodeId(1)], relayed);
    assert_eq!(known[&NodeId(0)], sent);
    assert!(!graph.known(NodeId(1), listen).contains_key(&NodeId(0)));
    let clock = graph.clock(arrived, Order::Thread);
    assert_eq!(clock.len(), 3);
    let summary = tracker.summary();
    assert_eq!((summary.unmatched_bytes, summary.mismatches), (0, 0));
}

#[test]
fn killing_a_node_ends_everything_it_started() {
    let recorder = Arc::new(Recorder::new());
    let mut command = Command::new("sh");
    // Children that ignore signals, leave the session and outlive their parent.
    command.args([
        "-c",
        "for i in 1 2 3; do (trap '' TERM HUP; setsid sleep 300 &) ; done; sleep 300",
    ]);
    command.stdin(Stdio::null()).stdout(Stdio::null());
    let observer = Arc::clone(&recorder) as Arc<dyn Observer>;
    let running = launch(NodeId(0), command, Options::default(), observer, Instant::now()).unwrap();
    let limit = Instant::now() + common::LIMIT;
    let sleeping = || {
        let tracker = recorder.tracker();
        let graph = tracker.graph();
        graph
            .ids()
            .filter(|id| matches!(&graph.event(*id).action, Action::Exec { program, .. } if program.ends_with("sleep")))
            .count()
    };
    while sleeping() < 4 {
        assert!(Instant::now() < limit, "the children did not start");
        std::thread::sleep(Duration::from_millis(5));
    }
    let processes = running.processes();
    assert!(processes.len() >= 5, "{processes:?}");
    running.kill();
    assert!(running.finished(common::LIMIT));
    let report = running.wait().unwrap();
    assert_eq!(report.status, Some(Status::Signal(9)));
    let tracker = recorder.tracker();
    let ended = tracker
        .graph()
        .ids()
        .filter(|id| matches!(tracker.graph().event(*id).action, Action::ProcessExit { .. }))
        .count() as u32;
    assert_eq!(ended, tracker.summary().processes);
}

#[test]
fn what_cannot_run_is_an_error_that_names_it() {
    for program in ["/nonexistent/program", "/"] {
        let observer: Arc<dyn Observer> = Arc::new(Recorder::new());
        let result =
            launch(NodeId(0), Command::new(program), Options::default(), observer, Instant::now());
        match result {
            Err(LaunchError::Spawn { program: named, source }) => {
                assert_eq!(named, program);
                assert!(source.raw_os_error().is_some(), "{source}");
            }
            other => panic!("{other:?}"),
        }
    }
}
