//! `linchpin trace -- CMD` and `linchpin doctor`, as a user sees them.

use std::path::Path;
use std::process::{Command, Output, Stdio};

use linchpin_record::TraceCampaign;
use serde_json::Value;

fn linchpin(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_linchpin"))
        .args(arguments)
        .env("NO_COLOR", "1")
        .env("COLUMNS", "100")
        .stdin(Stdio::null())
        .output()
        .expect("the binary runs")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The interpreter itself: a version manager's shim is a shell script with pipes of its own.
fn python() -> Option<String> {
    let found = Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output();
    match found {
        Ok(output) if output.status.success() => Some(text(&output.stdout).trim().to_owned()),
        _ => {
            assert!(std::env::var_os("LINCHPIN_REQUIRE_ALL").is_none(), "no python3");
            eprintln!("skipped: no python3");
            None
        }
    }
}

const PING_PONG: &str = r#"
import os, socket
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen()
if os.fork() == 0:
    with socket.create_connection(listener.getsockname()) as client:
        for i in range(20):
            client.sendall(b"ping")
            assert client.recv(10) == b"pong"
    os._exit(0)
server, _ = listener.accept()
for i in range(20):
    assert server.recv(10) == b"ping"
    server.sendall(b"pong")
os.wait()
print("done")
"#;

#[test]
fn a_program_is_traced_and_shown() {
    let Some(python) = python() else { return };
    let output = linchpin(&["trace", "--", &python, "-S", "-E", "-c", PING_PONG]);
    let shown = text(&output.stdout);
    assert_eq!(output.status.code(), Some(0), "{shown}{}", text(&output.stderr));
    assert!(shown.starts_with("done\n"), "{shown}");
    assert!(shown.contains("message, 4 B"), "{shown}");
    // Twenty questions and answers are two rows and a line that says so.
    assert!(shown.contains("these 2 rows 19 times more"), "{shown}");
    assert_eq!(shown.lines().filter(|line| line.ends_with("20 x, 80 B")).count(), 2, "{shown}");
    assert!(shown.contains("every byte received is matched to its sender"), "{shown}");
}

#[test]
fn the_record_of_a_run_reads_back() {
    let Some(python) = python() else { return };
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("out");
    let arguments = ["trace", "--format", "json", "--out", out.to_str().unwrap(), "--"];
    let program = [python.as_str(), "-S", "-E", "-c", PING_PONG];
    let output = linchpin(&[&arguments[..], &program[..]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(text(&output.stderr), "done\n");
    let summary: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(summary["schema"], "linchpin.trace-summary/1");
    assert_eq!(summary["run"]["counts"]["messages"], 40);
    assert_eq!(summary["run"]["counts"]["bytes"], 160);
    assert_eq!(summary["run"]["counts"]["unmatched_bytes"], 0);

    let campaign = TraceCampaign::load(&out).unwrap();
    let trace = campaign.trace(0).unwrap().unwrap();
    // What it printed went into a pipe that nobody traced reads.
    let (inside, outside): (Vec<_>, Vec<_>) =
        trace.messages.iter().partition(|message| message.received.is_some());
    assert_eq!((inside.len(), outside.len(), outside[0].bytes), (40, 1, 5));
    // The log tells the same events, and the causes found anew from it are the same.
    let log = std::fs::File::open(out.join("runs/0/events.jsonl")).unwrap();
    let tracker = linchpin_tracker::read_log(std::io::BufReader::new(log)).unwrap();
    assert_eq!(tracker.graph().len() as u64, campaign.runs[0].counts.events);
    let again = linchpin_trace_recorder::trace(&tracker, &Default::default(), 0);
    assert_eq!(again, trace);

    for format in ["dot", "shiviz", "perfetto", "otlp", "human", "html"] {
        let output = linchpin(&["report", out.to_str().unwrap(), "--format", format]);
        assert_eq!(output.status.code(), Some(0), "{format}: {}", text(&output.stderr));
        assert!(!output.stdout.is_empty(), "{format}");
    }
    let refused = linchpin(&["report", out.to_str().unwrap(), "--run", "7", "--format", "dot"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("there is no run 7: the last one is 0"));
    // Traced again into the same folder: one run, not two.
    let output = linchpin(&[&arguments[..], &["true"]].concat());
    assert_eq!(output.status.code(), Some(0), "{}", text(&output.stderr));
    assert_eq!(TraceCampaign::load(&out).unwrap().runs.len(), 1);
}

#[test]
fn what_happens_to_the_program_is_told() {
    for (arguments, code, told) in [
        (&["trace", "--", "false"][..], 1, "the program exited with code 1"),
        (&["trace", "--", "sh", "-c", "kill -9 $$"], 1, "killed by signal 9"),
        (&["trace", "--timeout", "200ms", "--", "sleep", "300"], 3, "stopped by --timeout"),
        (
            &["trace", "--linger", "100ms", "--", "sh", "-c", "sleep 300 & exit 0"],
            0,
            "1 process that it left running were killed",
        ),
        (&["trace", "--", "/nonexistent/program"], 2, "installed and in PATH?"),
        (&["trace", "--", "/"], 2, "linchpin doctor"),
        (&["trace", "--out", "/proc/nowhere", "--", "true"], 2, "/proc"),
        (&["trace"], 2, "Usage"),
    ] {
        let output = linchpin(arguments);
        let errors = text(&output.stderr);
        assert_eq!(output.status.code(), Some(code), "{arguments:?}: {errors}");
        assert!(errors.contains(told), "{arguments:?}: {errors}");
    }
}

#[test]
fn a_folder_of_somebody_else_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("mine"), "text").unwrap();
    let marker = directory.path().join("ran");
    let folder = directory.path().to_str().unwrap();
    let output = linchpin(&["trace", "--out", folder, "--", "touch", marker.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(2));
    assert!(text(&output.stderr).contains("name a new or empty directory"));
    assert!(!Path::new(&marker).exists(), "refused before anything ran");
}

#[test]
fn the_doctor_says_what_works() {
    let output = linchpin(&["doctor", "--format", "json"]);
    let found: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(found["schema"], "linchpin.doctor/1");
    let checks = found["checks"].as_array().unwrap();
    assert_eq!(found["traces"] == true, output.status.code() == Some(0));
    let human = text(&linchpin(&["doctor"]).stdout);
    for check in checks {
        assert!(human.contains(check["name"].as_str().unwrap()), "{human}");
        if let Some(remedy) = check["remedy"].as_str() {
            assert!(human.contains(remedy), "{human}");
        }
    }
}
