//! What is an operation, what is a log line, and what is a mistake.

mod common;

use linchpin_history::{History, Outcome};

#[test]
fn everything_else_is_a_log_line() {
    let text = "starting up\n\n{\"level\":\"info\",\"type\":\"access\"}\n{half a\n[1,2]\n\
        {\"process\":0,\"type\":\"invoke\",\"operation\":\"read\",\"extra\":[1]}\n\
        {\"process\":0,\"type\":\"ok\",\"operation\":\"read\",\"value\":{\"a\":1.50}}\n";
    let history = History::parse(text).expect("well-formed");
    assert_eq!((history.operations.len(), history.logs), (1, 4));
    assert_eq!(history.operations[0].output.as_ref().expect("a value").to_string(), "{\"a\":1.50}");
}

#[test]
fn a_killed_workload_may_leave_half_a_line_and_an_open_operation() {
    let text =
        common::lines("0 invoke write x 1") + "{\"process\":0,\"type\":\"ok\",\"operation\":\"wri";
    let history = History::parse(&text).expect("well-formed");
    assert_eq!(history.operations[0].outcome, Outcome::Info);
    assert_eq!(history.logs, 1);
}

#[test]
fn every_mistake_is_named_with_its_line() {
    for (text, expected) in [
        (
            r#"{"process":0,"type":"invoke"}"#,
            "line 1: an operation needs `process`, `type` and `operation`; `operation` is missing",
        ),
        (
            r#"{"type":"invoke","operation":"read"}"#,
            "line 1: an operation needs `process`, `type` and `operation`; `process` is missing",
        ),
        (
            r#"{"process":0,"type":"begin","operation":"read"}"#,
            r#"line 1: `type` is "begin", and must be "invoke", "ok", "fail" or "info""#,
        ),
        (
            r#"{"process":0,"type":"invoke","operation":"wirte","value":1}"#,
            r#"line 1: `operation` is "wirte", and must be one of "write", "read", "cas", "add", "enqueue", "dequeue", "generate", "acquire", "release""#,
        ),
        (
            r#"{"process":-1,"type":"invoke","operation":"read"}"#,
            "line 1: `process` is -1, and must be a number (0, 1, ...) or a name in quotes",
        ),
        (
            r#"{"process":0,"type":"invoke","operation":"read","key":["x"]}"#,
            r#"line 1: `key` is ["x"], and must be a string or a number"#,
        ),
        (
            r#"{"process":0,"type":"invoke","operation":"write"}"#,
            "line 1: the invocation of a write needs a `value`",
        ),
        (
            r#"{"process":0,"type":"invoke","operation":"read","value":1}"#,
            "line 1: the invocation of a read has no value yet: leave `value` out, or null",
        ),
        (
            r#"{"process":0,"type":"invoke","operation":"cas","value":1}"#,
            "line 1: the `value` of a cas must be a list of two: [expected, new]",
        ),
        (
            r#"{"process":0,"type":"invoke","operation":"read","final":1}"#,
            "line 1: `final` is 1, and must be true or false",
        ),
        (
            r#"{"process":0,"type":"invoke","operation":"read","time":1.5}"#,
            "line 1: `time` is 1.5, and must be a whole number of nanoseconds",
        ),
        (
            r#"{"process":0,"type":"invoke","operation":"read","token":"a"}"#,
            r#"line 1: `token` is "a", and must be a whole number (a fencing token)"#,
        ),
        (
            r#"{"process":0,"type":"ok","operation":"read","value":1}"#,
            "line 1: process 0 completes a read that it has not invoked: print a line of type \"invoke\" before",
        ),
        (
            "{\"process\":0,\"type\":\"invoke\",\"operation\":\"read\"}\n{\"process\":0,\"type\":\"ok\",\"operation\":\"read\"}",
            "line 2: a read that is ok needs a `value`: what it returned, null for nothing",
        ),
        (
            "{\"process\":\"a\",\"type\":\"invoke\",\"operation\":\"read\"}\n\n{\"process\":\"a\",\"type\":\"invoke\",\"operation\":\"write\",\"value\":2}",
            "line 3: process \"a\" invokes a write while its read of line 1 has not completed: complete that first (type \"info\" if its outcome is unknown), or use another process",
        ),
        (
            "{\"process\":0,\"type\":\"invoke\",\"operation\":\"read\"}\n{\"process\":0,\"type\":\"ok\",\"operation\":\"write\"}",
            "line 2: completes a write, but line 1 of the same process invoked a read",
        ),
        (
            "{\"process\":0,\"type\":\"invoke\",\"operation\":\"read\",\"key\":1}\n{\"process\":0,\"type\":\"ok\",\"operation\":\"read\",\"key\":2,\"value\":0}",
            "line 2: completes a read with another `key` than it was invoked with at line 1",
        ),
        (
            "{\"process\":0,\"type\":\"invoke\",\"operation\":\"write\",\"value\":1}\n{\"process\":0,\"type\":\"ok\",\"operation\":\"write\",\"value\":2}",
            "line 2: completes a write with another `value` than it was invoked with at line 1",
        ),
        (
            "{\"process\":0,\"type\":\"invoke\",\"operation\":\"write\",\"value\":}\n",
            "line 1: looks like an operation, but is not valid JSON: expected value at line 1 column 58",
        ),
    ] {
        let error = History::parse(text).expect_err(text);
        assert_eq!(error.to_string(), expected);
    }
}

#[test]
fn all_mistakes_are_told_at_once() {
    let text = "{\"process\":0,\"type\":\"x\",\"operation\":\"read\"}\n".repeat(12);
    let error = History::parse(&text).expect_err("malformed");
    assert_eq!(error.lines.len(), 12);
    assert!(error.to_string().ends_with("\nand 2 more"));
}
