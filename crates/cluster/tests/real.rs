//! Real systems, unmodified, three nodes each, installed from packages (`scripts/install-tools.sh`):
//! they run to completion under the tracer, every delivered byte is matched to its sender, and
//! nothing is unexplained. Skipped where they are not installed.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use linchpin_cluster::{Cluster, Recording, RunOptions, RunResult, run};
use linchpin_model::Outcome;
use linchpin_tracer::{Action, Channel, Options};
use linchpin_tracker::{EventId, Order, Recorder, Tracker};

const TOKEN: &[u8] = b"a-unique-token";

/// One large system at a time.
static ONE_AT_A_TIME: std::sync::Mutex<()> = std::sync::Mutex::new(());

fn skipped(why: &str) {
    assert!(std::env::var_os("LINCHPIN_REQUIRE_ALL").is_none(), "skipped: {why}");
    eprintln!("skipped: {why} (scripts/install-tools.sh installs it)");
}

fn runs(program: &str, arguments: &[&str]) -> bool {
    let status = Command::new(program)
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|status| status.success())
}

/// The Python that has a package: that of the tests' own environment, or the system's.
fn python_with(package: &str) -> Option<String> {
    let home = std::env::var("HOME").unwrap_or_default();
    let own = format!("{home}/.cache/linchpin/python/bin/python3");
    let import = format!("import {package}");
    [own.as_str(), "/usr/bin/python3"]
        .into_iter()
        .find(|python| runs(python, &["-c", &import]))
        .map(str::to_owned)
}

/// Runs a system; everything about it must be good.
fn traced(name: &str, parameters: &[(&str, &str)]) -> (RunResult, Arc<Recorder>) {
    let _turn = ONE_AT_A_TIME.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clusters").join(name);
    let cluster = Cluster::load(&folder.join("cluster.toml")).unwrap_or_else(|e| panic!("{e}"));
    let logs = tempfile::tempdir().unwrap();
    let parameters = parameters.iter().map(|(name, value)| ((*name).into(), (*value).into()));
    let options = RunOptions {
        seed: None,
        parameters: parameters.collect::<BTreeMap<String, String>>(),
        isolation: None,
        logs: logs.path().to_owned(),
        tracer: Options::default(),
        interrupt: Arc::new(AtomicBool::new(false)),
        trace_checks: false,
        stop_at_once: false,
        judge: None,
    };
    let recorder = Arc::new(Recorder::new());
    let director = Arc::new(Recording(Arc::clone(&recorder)));
    let result = run(&cluster, &options, director).unwrap_or_else(|error| panic!("{error}"));
    let said = |path: PathBuf| std::fs::read_to_string(path).unwrap_or_default();
    let errors = said(logs.path().join("client.err"));
    assert_eq!(result.judgement.outcome, Outcome::Good, "{result:?}\n{errors}");
    let summary = recorder.tracker().summary();
    let unexplained = (summary.unmatched_bytes, summary.unmatched_datagrams, summary.mismatches);
    assert_eq!(unexplained, (0, 0, 0), "{summary}");
    assert!(summary.denied.is_empty() && summary.not_followed.is_empty(), "{summary}");
    (result, recorder)
}

/// Sends between nodes whose content carries the token, with their nodes.
fn carriers(tracker: &Tracker, result: &RunResult) -> Vec<(String, EventId)> {
    let graph = tracker.graph();
    graph
        .ids()
        .filter_map(|id| {
            let event = graph.event(id);
            let carries = matches!(&event.action, Action::Send { channel: Channel::Socket(_), payload, .. }
                if payload.bytes.windows(TOKEN.len()).any(|window| window == TOKEN));
            carries.then(|| (result.roles[&event.node].clone(), id))
        })
        .collect()
}

/// The value travels from the client through the node written to, before the one read from says
/// it: the causal past of the last answer holds the first send.
fn the_value_travels(result: &RunResult, recorder: &Recorder, written: &str, read: &str) {
    let tracker = recorder.tracker();
    let carriers = carriers(&tracker, result);
    let first = carriers.iter().find(|(node, _)| node == "client").map(|(_, id)| *id).unwrap();
    let passed = carriers.iter().find(|(node, _)| node == written).map(|(_, id)| *id).unwrap();
    let answer = carriers.iter().rfind(|(node, _)| node == read).map(|(_, id)| *id).unwrap();
    let graph = tracker.graph();
    assert!(graph.happens_before(first, passed, Order::Process));
    assert!(graph.happens_before(passed, answer, Order::Process));
    assert!(!graph.happens_before(answer, first, Order::Process));
}

#[test]
fn three_etcd_members() {
    if !runs("etcd", &["--version"]) || !Path::new("/usr/bin/python3").is_file() {
        return skipped("no etcd");
    }
    let (_, recorder) = traced("etcd", &[]);
    // Raft streams between members, in both directions of each pair, are HTTP.
    let tracker = recorder.tracker();
    let pairs: Vec<_> = tracker
        .summary()
        .pairs
        .into_iter()
        .filter(|pair| !pair.pipe && pair.from != pair.to && pair.from.starts_with("etcd"))
        .filter(|pair| pair.to.starts_with("etcd"))
        .collect();
    assert_eq!(pairs.len(), 6, "{pairs:#?}");
}

#[test]
fn three_pysyncobj_nodes() {
    let Some(python) = python_with("pysyncobj") else {
        return skipped("no pysyncobj for Python");
    };
    let (result, recorder) = traced("pysyncobj", &[("python", &python)]);
    let tracker = recorder.tracker();
    // The client's question and the answer at the other node.
    let carriers = carriers(&tracker, &result);
    let count = |node: &str| carriers.iter().filter(|(own, _)| own == node).count();
    assert!(count("client") == 1 && count("p2") >= 1, "{carriers:?}");
    drop(tracker);
    let nodes: Vec<&str> = result.roles.values().map(String::as_str).collect();
    assert_eq!(nodes, ["p1", "p2", "p3", "client"]);
}

#[test]
fn three_zookeeper_servers() {
    let Some(python) = python_with("kazoo") else { return skipped("no kazoo for Python") };
    let jar = Path::new("/usr/share/java/zookeeper.jar");
    if !jar.is_file() || !runs("java", &["-version"]) {
        return skipped("no ZooKeeper");
    }
    let (result, recorder) = traced("zookeeper", &[("python", &python)]);
    the_value_travels(&result, &recorder, "z1", "z2");
}

#[test]
fn three_rabbitmq_nodes() {
    let Some(python) = python_with("pika") else { return skipped("no pika for Python") };
    if !Path::new("/usr/lib/rabbitmq/bin/rabbitmq-server").is_file() {
        return skipped("no RabbitMQ");
    }
    let (result, recorder) = traced("rabbitmq", &[("python", &python)]);
    the_value_travels(&result, &recorder, "r1", "r2");
    // The runtime wakes its threads through a pipe of its own, too often to record each time.
    let let_through: u64 = result.reports.iter().map(|report| report.let_through).sum();
    assert!(let_through > 10_000, "{let_through}");
    let to_itself = |pair: &linchpin_tracker::Pair| pair.pipe && pair.from == pair.to;
    let wakes = recorder.tracker().summary().pairs.into_iter().filter(to_itself);
    let wakes: u64 = wakes.map(|pair| pair.sends).sum();
    assert!(wakes < 20_000, "{wakes}");
}

#[test]
fn a_server_on_tokio() {
    let Some(python) = python_with("granian") else { return skipped("no granian for Python") };
    if !runs("curl", &["--version"]) {
        return skipped("no curl");
    }
    let (result, recorder) = traced("tokio", &[("python", &python)]);
    let names = recorder.tracker().names(&result.roles, &Default::default());
    let said: Vec<String> = names
        .values()
        .filter(|name| name.to.as_ref().is_some_and(|to| *to != name.from))
        .map(|name| format!("{} {}", name.from, name.label.clone().unwrap_or_default()))
        .collect();
    assert_eq!(
        said,
        ["client GET /one", "server HTTP success", "client GET /two", "server HTTP success"]
    );
}
