//! What goes beyond the published fault model, from the command line.

mod command;

use serde_json::{Value, json};

use command::{linchpin, refused, stdout};

const REGISTER: &str = "specs/extensions/register_arrival.ded";
const COUNTER: &str = "specs/extensions/counter_read_then_write.ded";
const LOG: &str = "specs/extensions/log.ded";

fn check(file: &str, more: &[&str]) -> Value {
    let arguments = [&["check", file, "--format", "json", "--all"], more].concat();
    let output = linchpin(&arguments);
    serde_json::from_str(&stdout(&output)).unwrap_or_else(|_| panic!("{output:?}"))
}

#[test]
fn faults_that_cannot_be_are_refused() {
    let run = |file: &'static str, faults: &[&'static str], words: &[&str]| {
        let mut arguments = vec!["run", file];
        faults.iter().for_each(|fault| arguments.extend(["--fault", fault]));
        refused(&arguments, words);
    };
    run(REGISTER, &["delay client->server @1"], &["how many steps late"]);
    run(REGISTER, &["delay client->client @1 by 1"], &["sends to itself"]);
    run(
        REGISTER,
        &["delay client->server @1 by 1", "omit client->server @1"],
        &["exclude each other"],
    );
    run(COUNTER, &["input add(\"second\", \"server\") @4"], &["first alternative"]);
    run(COUNTER, &["input add(\"second\", \"server\") @7"], &["no alternative", "@2", "@3"]);
    run(
        COUNTER,
        &["input add(\"second\", \"server\") @2", "input add(\"second\", \"server\") @3"],
        &["alternatives of one input"],
    );
    run(LOG, &["recover server @3"], &["has not crashed before"]);
    run(LOG, &["crash server @3", "recover server @3"], &["has not crashed before"]);
    run(LOG, &["crash server @1", "recover server @3", "recover server @4"], &["recovers twice"]);
    run(LOG, &["crash server @1", "recover server @9"], &["after the end"]);
}

#[test]
fn flags_that_make_no_sense_are_refused() {
    refused(&["check", LOG, "--durable", "logs"], &["`logs` cannot be durable", "log"]);
    refused(&["check", LOG, "--crash-model", "loud"], &["silent", "stop"]);
    refused(&["check", LOG, "--max-delay", "-1"], &["--max-delay"]);
    refused(&["check", LOG, "--recoveries", "-1"], &["--recoveries"]);
}

#[test]
fn bounds_are_in_the_answer_only_where_used() {
    let keys = |answer: &Value| -> Vec<String> {
        answer["bounds"].as_object().expect("bounds").keys().cloned().collect()
    };
    let plain = check(LOG, &["--scenario", "crash"]);
    assert_eq!(keys(&plain), ["crashes", "eff", "eot", "nodes"]);
    let durable = check(LOG, &["--scenario", "durable"]);
    assert_eq!(keys(&durable), ["crashes", "durable", "eff", "eot", "nodes", "recoveries"]);
    let late = check(REGISTER, &["--scenario", "delays"]);
    assert_eq!(keys(&late), ["crashes", "eff", "eot", "max_delay", "nodes"]);
    let stopped = check("specs/extensions/deposit.ded", &["--scenario", "stop"]);
    assert_eq!(stopped["bounds"]["crash_model"], "stop");
}

#[test]
fn an_input_is_named_in_the_counterexample() {
    let answer = check(COUNTER, &[]);
    let input = json!({"kind": "input", "relation": "add", "row": ["second", "server"], "at": 2});
    assert_eq!(answer["counterexamples"], json!([{"faults": [input]}]));
    assert_eq!(answer["fault_space"]["exact"], 3);
}

#[test]
fn a_late_message_is_shown_with_its_arrival() {
    let output = linchpin(&["run", REGISTER, "--fault", "delay client->server @1 by 2"]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).contains("LATE (arrives at time 4)"), "{}", stdout(&output));
}

#[test]
fn a_recovery_keeps_what_is_durable() {
    let run = |more: &[&str]| {
        let row = "  log(\"server\", \"x\")";
        let faults = ["--fault", "crash server @3", "--fault", "recover server @5"];
        let table = ["--scenario", "crash", "--table", "log"];
        let output = linchpin(&[&["run", LOG][..], &faults, &table, more].concat());
        let rows = stdout(&output).lines().filter(|line| *line == row).count();
        (output.status.code(), rows)
    };
    // Without it, the acknowledgement has left and the log is gone.
    assert_eq!(run(&[]), (Some(1), 0));
    // Steps 3 to 7.
    assert_eq!(run(&["--durable", "log"]), (Some(0), 5));
}

#[test]
fn a_replay_has_the_flags_it_needs() {
    let output = linchpin(&["check", "specs/extensions/deposit.ded", "--scenario", "stop"]);
    let text = stdout(&output);
    let command = text.lines().find(|line| line.trim().starts_with("linchpin run "));
    assert!(command.is_some_and(|command| command.contains("--crash-model stop")), "{text}");
}
