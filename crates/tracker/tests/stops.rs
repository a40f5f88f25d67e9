//! What tracing costs, counted in stops, which do not depend on how busy the machine is.

mod common;

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use linchpin_tracer::{NodeId, Observer, Options, Report, Status, launch};
use linchpin_tracker::Recorder;

fn run(script: &str, options: Options) -> Option<Report> {
    if !common::have("python3") {
        common::skipped("no python3");
        return None;
    }
    // The interpreter itself: a version manager's shim is a shell script with opens of its own.
    let found = Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output();
    let interpreter = String::from_utf8_lossy(&found.unwrap().stdout).trim().to_owned();
    let mut command = Command::new(interpreter);
    command.args(["-S", "-E", "-c", script]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let observer: Arc<dyn Observer> = Arc::new(Recorder::new());
    let running = launch(NodeId(0), command, options, observer, Instant::now()).unwrap();
    assert!(running.finished(common::LIMIT));
    let report = running.wait().unwrap();
    assert_eq!(report.status, Some(Status::Code(0)));
    Some(report)
}

const FILES: &str = r#"
import os, tempfile
with tempfile.TemporaryDirectory() as place:
    for i in range(1000):
        with open(f"{place}/{i % 10}", "wb", 0) as file: file.write(b"x")
        with open(f"{place}/{i % 10}", "rb", 0) as file: file.read()
"#;

#[test]
fn a_program_that_sends_nothing_hardly_stops() {
    let quiet = Options { fifos: false, ..Options::default() };
    if let Some(report) = run(FILES, quiet) {
        assert!(report.stops < 50, "{report:?}");
    }
    // With FIFOs followed by name: one stop per open.
    if let Some(report) = run(FILES, Options::default()) {
        let opens = report.calls["openat"];
        assert!((2000..2500).contains(&opens), "{report:?}");
        assert!(report.stops < opens + 100, "{report:?}");
    }
}

const PING_PONG: &str = r#"
import os, socket
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen()
if os.fork() == 0:
    with socket.create_connection(listener.getsockname()) as client:
        for i in range(1000):
            client.sendall(b"ping")
            assert client.recv(10) == b"pong"
    os._exit(0)
server, _ = listener.accept()
for i in range(1000):
    assert server.recv(10) == b"ping"
    server.sendall(b"pong")
os.wait()
"#;

#[test]
fn an_operation_over_tcp_stops_each_side_two_or_three_times() {
    // One for the send, one for a receive that finds its bytes there, two for one that waits.
    if let Some(report) = run(PING_PONG, Options { fifos: false, ..Options::default() }) {
        assert!((4000..6100).contains(&report.stops), "{report:?}");
        assert_eq!((report.calls["recvfrom"], report.calls["sendto"]), (2000, 2000));
    }
}

/// Stops of a traced redis-server while an untraced client makes so many SETs.
fn redis_stops(operations: u32) -> u64 {
    let scratch = tempfile::tempdir().unwrap();
    let port = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port();
    let port = port.to_string();
    let mut command = Command::new("redis-server");
    command.args(["--port", &port, "--save", "", "--appendonly", "no"]).current_dir(&scratch);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let observer: Arc<dyn Observer> = Arc::new(Recorder::new());
    let running = launch(NodeId(0), command, Options::default(), observer, Instant::now()).unwrap();
    let client = |arguments: &[&str]| {
        let output =
            Command::new("redis-cli").args(["-p", &port]).args(arguments).output().unwrap();
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    let deadline = Instant::now() + common::LIMIT;
    // Tries before it listens do not reach it, so they cost no stops.
    while std::net::TcpStream::connect(format!("127.0.0.1:{port}")).is_err() {
        assert!(Instant::now() < deadline, "redis-server does not listen");
        std::thread::sleep(std::time::Duration::from_millis(10));
    }
    let ping = client(&["-r", &operations.to_string(), "set", "key", "value"]);
    assert_eq!(ping.lines().filter(|line| *line == "OK").count() as u32, operations);
    client(&["shutdown", "nosave"]);
    assert!(running.finished(common::LIMIT));
    running.wait().unwrap().stops
}

#[test]
fn a_redis_operation_stops_the_server_twice() {
    if !common::have("redis-server") || !common::have("redis-cli") {
        return common::skipped("no redis-server");
    }
    let (few, many) = (redis_stops(10), redis_stops(2010));
    let stops = many - few;
    // Two for each of 2000 operations; the server's own work now and then is little, and its start may
    // differ by a few.
    assert!((3950..4200).contains(&stops), "{stops}");
}
