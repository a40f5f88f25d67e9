//! If the tracer dies, nothing it started lives on. The test runs itself as the tracer (a child
//! process with an environment variable), kills it with SIGKILL at various moments, and looks for
//! survivors by a mark in their environment.

mod common;

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use linchpin_tracer::{NodeId, Observer, Options, launch};
use linchpin_tracker::Recorder;

const ROLE: &str = "LINCHPIN_TEST_TRACER";
const MARK: &str = "LINCHPIN_TEST_MARK";
const ROUNDS: u64 = 12;

/// Not a test of its own: the tracer that the test below kills.
#[test]
fn tracer_role() {
    if std::env::var_os(ROLE).is_none() {
        return;
    }
    let mut command = Command::new("sh");
    command.args(["-c", "while :; do (setsid sleep 300 &); (sleep 0.01 | cat); sh -c 'sleep 300 & sleep 0.01'; done"]);
    command.env_remove(ROLE).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let observer: Arc<dyn Observer> = Arc::new(Recorder::new());
    let running = launch(NodeId(0), command, Options::default(), observer, Instant::now()).unwrap();
    running.finished(common::LIMIT);
}

/// Live processes whose environment carries the mark.
fn marked(mark: &str) -> Vec<i32> {
    let wanted = format!("{MARK}={mark}");
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let Some(process) = entry.file_name().to_str().and_then(|name| name.parse::<i32>().ok())
        else {
            continue;
        };
        let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
        if environment.split(|byte| *byte == 0).any(|variable| variable == wanted.as_bytes()) {
            found.push(process);
        }
    }
    found
}

#[test]
fn nothing_outlives_a_killed_tracer() {
    for round in 0..ROUNDS {
        let mark = format!("{}-{round}", std::process::id());
        let mut tracer = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "tracer_role"])
            .env(ROLE, "1")
            .env(MARK, &mark)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // From before the first program runs to well into the loop.
        std::thread::sleep(Duration::from_millis(round * round));
        tracer.kill().unwrap();
        tracer.wait().unwrap();
        let limit = Instant::now() + common::LIMIT;
        loop {
            let alive = marked(&mark);
            if alive.is_empty() {
                break;
            }
            assert!(Instant::now() < limit, "round {round}: {alive:?} live on");
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}

/// Descriptors and threads of this process.
fn own() -> (usize, usize) {
    let count = |folder: &str| std::fs::read_dir(folder).unwrap().count();
    (count("/proc/self/fd"), count("/proc/self/task"))
}

#[test]
fn traces_leave_no_descriptor_and_no_thread() {
    let rounds = std::env::var("LINCHPIN_TRACES").ok().and_then(|count| count.parse().ok());
    let run = |round: u64| {
        let mut command = Command::new("sh");
        command.args(["-c", "echo x | cat > /dev/null; sleep 0.01 & wait"]);
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        let observer: Arc<dyn Observer> = Arc::new(Recorder::new());
        let running =
            launch(NodeId(0), command, Options::default(), observer, Instant::now()).unwrap();
        if round.is_multiple_of(3) {
            std::thread::sleep(Duration::from_millis(round % 20));
            running.kill();
        }
        assert!(running.finished(common::LIMIT));
        running.wait().unwrap();
    };
    if std::env::var_os(ROLE).is_none() {
        // Alone in a process of its own.
        let status = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "traces_leave_no_descriptor_and_no_thread"])
            .env(ROLE, "1")
            .stdout(Stdio::null())
            .status()
            .unwrap();
        assert!(status.success());
        return;
    }
    run(1);
    let before = own();
    for round in 0..rounds.unwrap_or(20) {
        run(round);
    }
    // A thread that was joined may be listed for a moment.
    let limit = Instant::now() + Duration::from_secs(5);
    while own() != before && Instant::now() < limit {
        std::thread::sleep(Duration::from_millis(2));
    }
    assert_eq!(own(), before);
}
