//! Clusters from start to stop: isolation, readiness, judgement, restarts, and what is told about
//! what goes wrong.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use linchpin_cluster::{
    Cluster, ClusterError, Control, Director, Isolated, Isolation, Recording, RunOptions,
    RunResult, run,
};
use linchpin_model::Outcome;
use linchpin_tracer::{Action, Decision, Event, Observer, Options};
use linchpin_tracker::Recorder;
use linchpin_tracker::names::fold;

const PYTHON: &str = "/usr/bin/python3";

fn skipped(why: &str) {
    assert!(std::env::var_os("LINCHPIN_REQUIRE_ALL").is_none(), "skipped: {why}");
    eprintln!("skipped: {why}");
}

fn have_python() -> bool {
    let found = Path::new(PYTHON).is_file();
    if !found {
        skipped("no /usr/bin/python3");
    }
    found
}

fn is_root() -> bool {
    // SAFETY: geteuid has no preconditions.
    unsafe { libc::geteuid() == 0 }
}

fn options(logs: &Path) -> RunOptions {
    RunOptions {
        seed: None,
        parameters: BTreeMap::new(),
        isolation: None,
        logs: logs.to_owned(),
        tracer: Options::default(),
        interrupt: Arc::new(AtomicBool::new(false)),
        trace_checks: false,
        stop_at_once: false,
        judge: None,
    }
}

fn broadcast() -> Cluster {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clusters/broadcast/cluster.toml");
    Cluster::load(&path).unwrap_or_else(|error| panic!("{error}"))
}

fn written(text: &str) -> Cluster {
    Cluster::parse(Path::new("test.toml"), text.to_owned()).unwrap_or_else(|(text, found)| {
        let shown: Vec<String> =
            found.iter().map(|each| each.render(Path::new("test.toml"), &text, false)).collect();
        panic!("{}", shown.concat())
    })
}

/// Runs a cluster, recorded.
fn recorded(cluster: &Cluster, options: &RunOptions) -> (RunResult, Arc<Recorder>) {
    let recorder = Arc::new(Recorder::new());
    let result = run(cluster, options, Arc::new(Recording(Arc::clone(&recorder))))
        .unwrap_or_else(|error| panic!("{error}"));
    (result, recorder)
}

/// Kinds of messages between nodes, with their counts.
fn said(cluster: &Cluster, result: &RunResult, recorder: &Recorder) -> Vec<(String, u32)> {
    let names = recorder.tracker().names(&result.roles, &cluster.rules);
    let mut said: Vec<(String, u32)> = fold(names.values())
        .into_iter()
        .filter(|kind| kind.to.as_ref().is_some_and(|to| *to != kind.from))
        .map(|kind| {
            let (to, label) = (kind.to.unwrap_or_default(), kind.label.unwrap_or_default());
            (format!("{}->{to} {label}", kind.from), kind.count)
        })
        .collect();
    said.sort();
    said
}

fn everything_is_explained(recorder: &Recorder) {
    let summary = recorder.tracker().summary();
    let unexplained = (summary.unmatched_bytes, summary.unmatched_datagrams, summary.mismatches);
    assert_eq!(unexplained, (0, 0, 0), "{summary}");
    assert!(summary.denied.is_empty() && summary.not_followed.is_empty(), "{summary}");
}

#[test]
fn nodes_speak_to_each_other_wherever_they_are() {
    if !have_python() {
        return;
    }
    let cluster = broadcast();
    for isolation in [Isolation::Namespaces, Isolation::Loopback] {
        if isolation == Isolation::Namespaces && !is_root() {
            skipped("network namespaces need root, or a process with one thread");
            continue;
        }
        let scratch = tempfile::tempdir().unwrap();
        let options = RunOptions { isolation: Some(isolation), ..options(scratch.path()) };
        let (result, recorder) = recorded(&cluster, &options);
        assert_eq!(result.judgement.outcome, Outcome::Good, "{:?}", result.judgement);
        let expected = match isolation {
            Isolation::Namespaces => Isolated::Namespaces,
            _ => Isolated::Loopback,
        };
        assert_eq!((result.isolated, result.notes), (expected, Vec::<String>::new()));
        everything_is_explained(&recorder);
        let result = RunResult { notes: Vec::new(), ..recorded(&cluster, &options).0 };
        assert_eq!(result.parameters["broadcasters"], "1");
        let names: Vec<&str> = result.steps.iter().map(|step| step.name).collect();
        assert_eq!(
            names,
            ["start", "settle", "workload", "hold", "heal", "quiesce", "check", "stop"]
        );
    }
}

#[test]
fn every_message_of_a_broadcast_is_seen() {
    if !have_python() {
        return;
    }
    let cluster = broadcast();
    let scratch = tempfile::tempdir().unwrap();
    let (result, recorder) = recorded(&cluster, &options(scratch.path()));
    let said = said(&cluster, &result, &recorder);
    let count = |what: &str| {
        said.iter().filter(|(kind, _)| kind.contains(what)).map(|(_, n)| n).sum::<u32>()
    };
    assert_eq!(count("client->"), 4, "three HELLO, one GO: {said:?}");
    assert_eq!((count(" WELCOME"), count(" DELIVERED a")), (3, 3), "{said:?}");
    // The broadcaster reaches both; each of them passes it on to the other, unless it had it from there.
    assert_eq!((count("a->b DATA a"), count("a->c DATA a")), (1, 1), "{said:?}");
    assert!((1..=2).contains(&(count("b->c DATA a") + count("c->b DATA a"))), "{said:?}");
    // What the client printed is there to be checked.
    let output = std::fs::read_to_string(scratch.path().join("client.out")).unwrap();
    assert_eq!(output, "DELIVERED a\n".repeat(3));
}

const ECHO: &str = r#"
import socket, sys
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind((sys.argv[1], 7000))
listener.listen()
print("ready to serve", flush=True)
while True:
    connection, _ = listener.accept()
    while data := connection.recv(100):
        connection.sendall(data)
"#;

/// One server, and a client that asks it and says what came back.
fn echo(ready: &str, client: &str, rest: &str) -> String {
    format!(
        r#"
[nodes.server]
command = ["{PYTHON}", "-S", "-E", "-c", '''{ECHO}''', "{{address}}"]
environment = {{ LEVEL = "{{seed}}" }}
{ready}

[workload]
command = ["{PYTHON}", "-S", "-E", "-c", '''
import socket, sys, time
address = ("{{node.server.address}}", 7000)
{client}
''']
timeout = "20s"

{rest}
"#
    )
}

const ASK: &str = r#"
connection = socket.create_connection(address)
connection.sendall(b"hello")
print(connection.recv(100).decode())
"#;

#[test]
fn nodes_are_ready_by_port_log_or_command() {
    if !have_python() {
        return;
    }
    for ready in [
        "ready = { port = 7000 }".to_owned(),
        "ready = { log = '^ready to \\w+$' }".to_owned(),
        format!(
            r#"ready = {{ command = ["{PYTHON}", "-c", "import socket; socket.create_connection(('{{address}}', 7000))"] }}"#
        ),
    ] {
        let cluster = written(&echo(&ready, ASK, ""));
        let scratch = tempfile::tempdir().unwrap();
        let (result, recorder) = recorded(&cluster, &options(scratch.path()));
        assert_eq!(result.judgement.outcome, Outcome::Good, "{ready}: {:?}", result.judgement);
        everything_is_explained(&recorder);
        let output = std::fs::read_to_string(scratch.path().join("client.out")).unwrap();
        assert_eq!(output, "hello\n");
    }
}

#[test]
fn checks_judge_by_their_status() {
    for (script, outcome, reason) in [
        ("exit 0", Outcome::Good, "exited with code 0"),
        ("echo lost x; exit 1", Outcome::Bad, "exited with code 1: lost x"),
        ("exit 2", Outcome::Vacuous, "exited with code 2"),
        ("exit 7", Outcome::Inconclusive, "exited with code 7"),
        ("kill -9 $$", Outcome::Inconclusive, "killed by signal 9"),
        ("sleep 300", Outcome::Inconclusive, "did not end within 300ms"),
    ] {
        let cluster = written(&format!(
            "[nodes.a]\ncommand = [\"sleep\", \"300\"]\n\
             [invariant]\ncommand = [\"sh\", \"-c\", \"{script}\"]\ntimeout = \"300ms\""
        ));
        let scratch = tempfile::tempdir().unwrap();
        let (result, _) = recorded(&cluster, &options(scratch.path()));
        assert_eq!(result.judgement.outcome, outcome, "{script}: {:?}", result.judgement);
        assert!(result.judgement.reason.contains(reason), "{script}: {:?}", result.judgement);
    }
}

#[test]
fn what_goes_wrong_is_told() {
    for (text, reason) in [
        (
            "[nodes.a]\ncommand = [\"sh\", \"-c\", \"echo no disk >&2; exit 3\"]\nready = { port = 7000 }",
            "node a exited with code 3; its last error line: no disk (before it was ready)",
        ),
        (
            "[nodes.a]\ncommand = [\"sleep\", \"300\"]\nready = { port = 7000, timeout = \"200ms\" }",
            "node a was not ready after 200ms",
        ),
        (
            "[nodes.a]\ncommand = [\"sleep\", \"300\"]\n[workload]\ncommand = [\"sleep\", \"300\"]\ntimeout = \"200ms\"",
            "the workload did not end within 200ms",
        ),
        (
            "[nodes.a]\ncommand = [\"sleep\", \"300\"]\n[workload]\ncommand = [\"sleep\", \"300\"]\n[steps]\ntimeout = \"300ms\"",
            "the run took longer than 300ms",
        ),
    ] {
        let scratch = tempfile::tempdir().unwrap();
        let (result, _) = recorded(&written(text), &options(scratch.path()));
        assert_eq!(result.judgement.outcome, Outcome::Inconclusive, "{text}");
        assert_eq!(result.judgement.reason, reason);
    }
    // A node that ends by itself is no judgement, but it is told.
    let text = "[nodes.a]\ncommand = [\"true\"]\n[workload]\ncommand = [\"sleep\", \"0.2\"]";
    let scratch = tempfile::tempdir().unwrap();
    let (result, _) = recorded(&written(text), &options(scratch.path()));
    assert_eq!(result.judgement.outcome, Outcome::Good);
    assert_eq!(result.notes, ["node a exited with code 0"]);
}

#[test]
fn a_workload_that_failed_is_told_where_there_was_nothing_to_judge() {
    let workload = "command = [\"sh\", \"-c\", \"echo no route >&2; exit 3\"]";
    let text = |code: u32| {
        format!(
            "[nodes.a]\ncommand = [\"sleep\", \"10\"]\n[workload]\n{workload}\n[invariant]\n\
             command = [\"sh\", \"-c\", \"exit {code}\"]"
        )
    };
    let told = ["the workload exited with code 3; its last error line: no route".to_owned()];
    for (code, notes) in [(0, &[][..]), (1, &[]), (2, &told), (7, &told)] {
        let scratch = tempfile::tempdir().unwrap();
        let (result, _) = recorded(&written(&text(code)), &options(scratch.path()));
        assert_eq!(result.notes, notes, "code {code}");
    }
}

#[test]
fn nodes_have_no_way_around_links_that_are_cut() {
    if !is_root() {
        return skipped("network namespaces need root, or a process with one thread");
    }
    let scratch = tempfile::tempdir().unwrap();
    let text = "[nodes.a]\ncommand = [\"sh\", \"-c\", \"cat /proc/net/if_inet6; exec sleep 10\"]\n\
                ready = { log = \"lo$\" }";
    let options = RunOptions { isolation: Some(Isolation::Namespaces), ..options(scratch.path()) };
    let (result, _) = recorded(&written(text), &options);
    assert_eq!(result.judgement.outcome, Outcome::Good, "{:?}", result.judgement);
    let addresses = std::fs::read_to_string(scratch.path().join("a.out")).unwrap();
    assert!(!addresses.contains("eth0"), "{addresses}");
}

#[test]
fn a_port_of_somebody_else_does_not_pass_for_a_node_that_is_ready() {
    let listener = std::net::TcpListener::bind(("0.0.0.0", 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let text = format!("[nodes.a]\ncommand = [\"sleep\", \"10\"]\nready = {{ port = {port} }}");
    let scratch = tempfile::tempdir().unwrap();
    let options = RunOptions { isolation: Some(Isolation::Loopback), ..options(scratch.path()) };
    let (result, _) = recorded(&written(&text), &options);
    assert_eq!(result.judgement.outcome, Outcome::Inconclusive);
    let reason = &result.judgement.reason;
    assert!(reason.contains("is in use before node a starts"), "{reason}");
}

#[test]
fn what_cannot_run_is_an_error() {
    let scratch = tempfile::tempdir().unwrap();
    let director = || Arc::new(Recording::default());
    let cluster = written("[nodes.a]\ncommand = [\"/nonexistent/program\"]");
    match run(&cluster, &options(scratch.path()), director()) {
        Err(ClusterError::Launch { node, .. }) => assert_eq!(node, "a"),
        other => panic!("{other:?}"),
    }
    // A command that looks at the system is named by its place.
    let nodes = "[nodes.a]\ncommand = [\"sleep\", \"10\"]\n";
    for (rest, expected) in [
        ("ready = { command = [\"/nonexistent\"] }", "[nodes.a] ready"),
        ("[invariant]\ncommand = [\"/nonexistent\"]", "[invariant] command"),
        (
            "[invariant]\nhistory = [\"set\"]\nfinal = { command = [\"/nonexistent\"] }",
            "[invariant] final",
        ),
    ] {
        for trace_checks in [false, true] {
            let options = RunOptions { trace_checks, ..options(scratch.path()) };
            match run(&written(&format!("{nodes}{rest}")), &options, director()) {
                Err(ClusterError::Look { place, .. }) => assert_eq!(place, expected),
                other => panic!("{other:?}"),
            }
        }
    }
    let cluster = written("[nodes.a]\ncommand = [\"true\"]");
    let parameters = BTreeMap::from([("writes".to_owned(), "3".to_owned())]);
    match run(&cluster, &RunOptions { parameters, ..options(scratch.path()) }, director()) {
        Err(ClusterError::Parameter { name, .. }) => assert_eq!(name, "writes"),
        other => panic!("{other:?}"),
    }
}

#[test]
fn an_interrupt_ends_a_run_at_once() {
    let cluster = written(
        "[nodes.a]\ncommand = [\"sh\", \"-c\", \"trap '' TERM; sleep 300\"]\nstop_grace = \"100s\"\n[workload]\ncommand = [\"sleep\", \"300\"]",
    );
    let scratch = tempfile::tempdir().unwrap();
    let options = options(scratch.path());
    let interrupt = Arc::clone(&options.interrupt);
    let interrupter = std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(300));
        interrupt.store(true, Ordering::SeqCst);
    });
    let (result, _) = recorded(&cluster, &options);
    interrupter.join().unwrap();
    assert!(result.interrupted);
    assert_eq!(result.judgement.reason, "interrupted");
}

/// Kills the server when it is about to send its first answer, and starts it again.
struct CrashAndRestart {
    recorder: Recorder,
    control: Mutex<Option<Arc<Control>>>,
    fired: AtomicBool,
    keep_data: bool,
}

impl Observer for CrashAndRestart {
    fn observe(&self, event: Event) -> Decision {
        let control = self.control.lock().unwrap().clone().expect("prepared comes first");
        let is_answer = matches!(&event.action, Action::Send { payload, .. } if payload.bytes == b"hello")
            && control.node_of(event.node) == Some("server");
        if is_answer && !self.fired.swap(true, Ordering::SeqCst) {
            control.kill("server");
            assert_eq!(control.down(), ["server"]);
            control.restart("server", Duration::from_millis(50), self.keep_data);
            assert_eq!(control.down(), Vec::<String>::new());
        }
        self.recorder.observe(event)
    }
}

impl Director for CrashAndRestart {
    fn prepared(&self, control: &Arc<Control>) {
        *self.control.lock().unwrap() = Some(Arc::clone(control));
    }
}

const ASK_UNTIL_ANSWERED: &str = r#"
while True:
    try:
        connection = socket.create_connection(address, 1)
        connection.sendall(b"hello")
        if connection.recv(100): break
        print("end of stream")
    except OSError as error: print(type(error).__name__)
    time.sleep(0.02)
print("answered")
"#;

#[test]
fn a_node_is_crashed_at_an_event_and_started_again() {
    if !have_python() {
        return;
    }
    for keep_data in [true, false] {
        let ready = "ready = { port = 7000 }";
        let cluster = written(&echo(ready, ASK_UNTIL_ANSWERED, ""));
        let scratch = tempfile::tempdir().unwrap();
        let director = Arc::new(CrashAndRestart {
            recorder: Recorder::new(),
            control: Mutex::new(None),
            fired: AtomicBool::new(false),
            keep_data,
        });
        let seen = Arc::clone(&director);
        let mut options = options(scratch.path());
        if !is_root() {
            options.isolation = Some(Isolation::Loopback);
        }
        let result = run(&cluster, &options, director as Arc<dyn Director>).unwrap();
        assert_eq!(result.judgement.outcome, Outcome::Good, "{:?}", result.judgement);
        assert!(seen.fired.load(Ordering::SeqCst));
        let output = std::fs::read_to_string(scratch.path().join("client.out")).unwrap();
        let lines: Vec<&str> = output.lines().collect();
        assert_eq!(lines.last(), Some(&"answered"));
        // The answer was never sent: the client saw the crash first.
        let first = lines[0];
        assert!(first == "end of stream" || first == "ConnectionResetError", "{output}");
        // Both lives of the server are one node; each has its own report.
        let lives = result.roles.values().filter(|role| *role == "server").count();
        assert_eq!((lives, result.reports.len()), (2, 3));
        assert_eq!(result.notes, Vec::<String>::new(), "it was killed on purpose");
        everything_is_explained(&seen.recorder);
        let log = std::fs::read_to_string(scratch.path().join("server.out")).unwrap();
        assert_eq!(log, "ready to serve\n".repeat(2), "both lives print to one log");
    }
}

#[test]
fn nodes_are_given_files_addresses_and_names() {
    let scratch = tempfile::tempdir().unwrap();
    let path: PathBuf = scratch.path().join("cluster.toml");
    std::fs::write(scratch.path().join("conf.in"), "bind {address}\npeer {node.b.address} {{}}\n")
        .unwrap();
    let text = r#"
seed = 41
[nodes.a]
command = ["sh", "-c", "pwd; cat conf/a.conf; echo $LEVEL; hostname; grep -w b /etc/hosts; echo done; sleep 300"]
ready = { log = "^done$" }
files = { "conf/a.conf" = "conf.in" }
environment = { LEVEL = "level {seed}" }
after = ["b"]
[nodes.b]
command = ["sleep", "300"]
"#;
    std::fs::write(&path, text).unwrap();
    let cluster = Cluster::load(&path).unwrap();
    let logs = scratch.path().join("logs");
    let (result, _) = recorded(&cluster, &options(&logs));
    let printed = std::fs::read_to_string(logs.join("a.out")).unwrap();
    let lines: Vec<&str> = printed.lines().collect();
    assert!(lines[0].ends_with("/data/a"), "{printed}");
    assert!(
        lines[1].starts_with("bind ") && lines[2].starts_with("peer ") && lines[2].ends_with(" {}")
    );
    assert_eq!(lines[3], "level 41");
    if result.isolated == Isolated::Namespaces {
        assert_eq!((lines[1], lines[4]), ("bind 10.77.0.1", "a"), "{printed}");
        assert_eq!(lines[5], "10.77.0.2 b");
    }
}

const UNIX_SOCKETS: &str = r#"
import os, socket
path = os.getcwd() + "/socket"
listener = socket.socket(socket.AF_UNIX)
listener.bind(path)
listener.listen()
if os.fork() == 0:
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(path)
        client.sendall(b"question")
        assert client.recv(10) == b"answer"
    os._exit(0)
connection, _ = listener.accept()
assert connection.recv(10) == b"question"
connection.sendall(b"answer")
os.wait()
"#;

#[test]
fn unix_sockets_are_matched_in_every_namespace() {
    if !have_python() {
        return;
    }
    let text = format!(
        "[nodes.idle]\ncommand = [\"sleep\", \"300\"]\n\
         [workload]\ncommand = [\"{PYTHON}\", \"-S\", \"-E\", \"-c\", \'\'\'{UNIX_SOCKETS}\'\'\']"
    );
    let cluster = written(&text);
    let scratch = tempfile::tempdir().unwrap();
    let (result, recorder) = recorded(&cluster, &options(scratch.path()));
    assert_eq!(result.judgement.outcome, Outcome::Good, "{:?}", result.judgement);
    everything_is_explained(&recorder);
    let summary = recorder.tracker().summary();
    let matched: u64 = summary.pairs.iter().filter(|pair| !pair.pipe).map(|pair| pair.bytes).sum();
    assert_eq!((matched, summary.bytes_from_outside), (14, 0), "{summary}");
}
