//! `linchpin history`: exit codes, formats, and what it says to bad input.

use std::io::Write;
use std::process::{Command, Output, Stdio};

const WRITE: &str = r#"{"process":0,"type":"invoke","operation":"write","key":"x","value":1}
{"process":0,"type":"ok","operation":"write","key":"x"}
"#;

fn read(value: &str) -> String {
    format!(
        "{WRITE}{}\n{{\"process\":1,\"type\":\"ok\",\"operation\":\"read\",\"key\":\"x\",\"value\":{value}}}\n",
        r#"{"process":1,"type":"invoke","operation":"read","key":"x","final":true}"#
    )
}

fn history(input: &str, arguments: &[&str]) -> Output {
    let mut child = Command::new(env!("CARGO_BIN_EXE_linchpin"))
        .arg("history")
        .args(arguments)
        .env("NO_COLOR", "1")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("started");
    // A command that does not read its input closes it.
    let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
    child.wait_with_output().expect("ended")
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn exit_codes() {
    for (input, checks, code) in [
        (read("1"), "lost-write,register", 0),
        (read("null"), "lost-write,register", 1),
        (read("1"), "unique-ids", 3),
        (WRITE.to_owned(), "lost-write", 3),
        (WRITE.repeat(2).replace("\"ok\"", "\"done\""), "lost-write", 2),
    ] {
        let output = history(&input, &["-", "--check", checks]);
        assert_eq!(output.status.code(), Some(code), "{checks}: {}", stderr(&output));
    }
    let limited = history(&read("1"), &["-", "--check", "register", "--configurations", "0"]);
    assert_eq!(limited.status.code(), Some(3));
}

#[test]
fn json_is_one_object() {
    let output = history(&read("null"), &["-", "--check", "stale-read", "--format", "json"]);
    let json: serde_json::Value = serde_json::from_slice(&output.stdout).expect("JSON");
    assert_eq!(json["schema"], "linchpin.history/1");
    assert_eq!(json["checks"][0]["violations"][0]["rule"], "stale-read");
}

#[test]
fn bad_input_is_told_with_its_place_and_a_fix() {
    let wrong = WRITE.replace("\"ok\"", "\"done\"");
    for (input, arguments, expected) in [
        (WRITE, &["no-such-file", "--check", "set"][..], "cannot read `no-such-file`"),
        (
            wrong.as_str(),
            &["-", "--check", "set"],
            "line 2: `type` is \"done\", and must be \"invoke\"",
        ),
        (WRITE, &["-", "--check", "sets"], "there is no checker `sets`; there are lost-write,"),
        (WRITE, &["-"], "--check"),
        (WRITE, &["-", "--format", "json"], "name properties with --check"),
        (WRITE, &["-", "--format", "edn", "--check", "set"], "an export is not judged"),
        (WRITE, &["-", "--check", "set", "--key", "z"], "no operation has the key `z`"),
    ] {
        let output = history(input, arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&output).contains(expected), "{arguments:?}: {}", stderr(&output));
        assert!(output.stdout.is_empty());
    }
}

#[test]
fn a_key_may_be_a_number() {
    let input = WRITE.replace("\"x\"", "7");
    let output = history(&input, &["-", "--format", "edn", "--key", "7"]);
    assert_eq!(String::from_utf8_lossy(&output.stdout).lines().count(), 2);
}
