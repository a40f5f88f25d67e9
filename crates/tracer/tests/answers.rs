//! An observer that answers calls in place of the kernel: a refused connection, a lost datagram,
//! a disk that fails. The program sees the answer and the kernel sees nothing.

use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use linchpin_tracer::{Action, Decision, Event, NodeId, Options, Status, launch};

const PROGRAM: &str = r#"
import os, socket, tempfile
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen()
client = socket.socket()
try:
    client.connect(listener.getsockname())
    raise SystemExit(3)
except ConnectionRefusedError: pass
receiver = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
receiver.bind(("127.0.0.1", 0))
receiver.setblocking(False)
sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
assert sender.sendto(b"lost", receiver.getsockname()) == 4
try:
    receiver.recv(10)
    raise SystemExit(4)
except BlockingIOError: pass
assert sender.sendto(b"kept", receiver.getsockname()) == 4
assert receiver.recv(10) == b"kept"
with tempfile.TemporaryFile() as file:
    try:
        os.fsync(file.fileno())
        raise SystemExit(5)
    except OSError as error: assert error.errno == 5
"#;

#[test]
fn the_program_sees_the_answer_and_the_kernel_nothing() {
    if Command::new("python3").arg("--version").stdout(Stdio::null()).status().is_err() {
        skipped("no python3");
        return;
    }
    let found = Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output();
    let interpreter = String::from_utf8_lossy(&found.unwrap().stdout).trim().to_owned();
    let mut command = Command::new(interpreter);
    command.args(["-S", "-E", "-c", PROGRAM]).stdin(Stdio::null()).stdout(Stdio::null());
    let seen = Arc::new(Mutex::new(Vec::new()));
    let log = Arc::clone(&seen);
    let observer = move |event: Event| {
        let decision = match &event.action {
            Action::Connect { .. } => Decision::Answer(-111),
            Action::Send { payload, .. } if payload.bytes == b"lost" => Decision::Answer(4),
            Action::Sync { .. } => Decision::Answer(-5),
            _ => Decision::Continue,
        };
        log.lock().unwrap().push(event.action);
        decision
    };
    let running =
        launch(NodeId(0), command, Options::default(), Arc::new(observer), Instant::now()).unwrap();
    assert!(running.finished(Duration::from_secs(60)));
    assert_eq!(running.wait().unwrap().status, Some(Status::Code(0)));
    let seen = seen.lock().unwrap();
    let answers: Vec<i64> = seen
        .iter()
        .filter_map(|action| match action {
            Action::Answered { result, .. } => Some(*result),
            _ => None,
        })
        .collect();
    assert_eq!(answers, [-111, 4, -5]);
    // A call that was answered has no exit.
    assert!(
        !seen
            .iter()
            .any(|action| matches!(action, Action::Connected { .. } | Action::Synced { .. }))
    );
}

/// Says why a test does nothing, which is a failure where everything must run.
fn skipped(why: &str) {
    assert!(std::env::var_os("LINCHPIN_REQUIRE_ALL").is_none(), "skipped: {why}");
    eprintln!("skipped: {why}");
}
