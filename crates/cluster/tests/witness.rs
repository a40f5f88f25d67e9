//! An independent witness of the very same run: the kernel's own counters of each network
//! namespace, and of each TCP socket as `ss` (iproute2) reads them, agree with what the tracer saw.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use linchpin_cluster::{
    Cluster, Control, Director, Isolation, Recording, RunOptions, RunResult, run,
};
use linchpin_model::Outcome;
use linchpin_tracer::{Action, Decision, Event, Observer, Options, Transport};
use linchpin_tracker::Recorder;

const PYTHON: &str = "/usr/bin/python3";

/// Reads the counters of every node just before the nodes are stopped.
#[derive(Default)]
struct Counters {
    recording: Recording,
    /// By node: counter, such as `Udp InDatagrams`.
    found: Mutex<BTreeMap<String, BTreeMap<String, u64>>>,
    /// By node: what `ss` says of its TCP connections.
    sockets: Mutex<BTreeMap<String, String>>,
}

impl Observer for Counters {
    fn observe(&self, event: Event) -> Decision {
        self.recording.observe(event)
    }
}

impl Director for Counters {
    fn stopping(&self, control: &Arc<Control>) {
        for node in control.names() {
            let read = || std::fs::read_to_string("/proc/thread-self/net/snmp").unwrap();
            let table = control.in_network(node, read).unwrap();
            self.found.lock().unwrap().insert(node.clone(), counters(&table));
            let ask = || Command::new("ss").arg("-tinH").output();
            if let Ok(Ok(output)) = control.in_network(node, ask) {
                let text = String::from_utf8_lossy(&output.stdout).into_owned();
                self.sockets.lock().unwrap().insert(node.clone(), text);
            }
        }
    }
}

/// /proc/net/snmp: pairs of lines, names and values, that begin with the protocol.
fn counters(table: &str) -> BTreeMap<String, u64> {
    let lines: Vec<&str> = table.lines().collect();
    let mut counters = BTreeMap::new();
    for pair in lines.chunks_exact(2) {
        let (protocol, names) = pair[0].split_once(": ").unwrap();
        let values = pair[1].split_once(": ").unwrap().1;
        for (name, value) in names.split(' ').zip(values.split(' ')) {
            counters.insert(format!("{protocol} {name}"), value.parse().unwrap_or(0));
        }
    }
    counters
}

fn may_run() -> bool {
    // SAFETY: geteuid has no preconditions.
    let fine = unsafe { libc::geteuid() == 0 } && Path::new(PYTHON).is_file();
    if !fine {
        assert!(std::env::var_os("LINCHPIN_REQUIRE_ALL").is_none(), "no root or no python3");
        eprintln!("skipped: needs root and /usr/bin/python3");
    }
    fine
}

/// Per node: datagrams sent and received, connections made and accepted.
type Seen = BTreeMap<String, [u64; 4]>;

fn seen(recorder: &Recorder, control: &BTreeMap<linchpin_tracer::NodeId, String>) -> Seen {
    let tracker = recorder.tracker();
    let graph = tracker.graph();
    let mut datagram_sockets = std::collections::BTreeSet::new();
    let mut seen = Seen::new();
    for id in graph.ids() {
        let event = graph.event(id);
        let counts = seen.entry(control[&event.node].clone()).or_default();
        match &event.action {
            Action::Socket { channel, facts }
                if !facts.local_family && facts.transport == Transport::Datagram =>
            {
                datagram_sockets.insert(*channel);
            }
            Action::Send { channel, .. } if datagram_sockets.contains(channel) => counts[0] += 1,
            Action::Receive { channel, .. } if datagram_sockets.contains(channel) => counts[1] += 1,
            Action::Connect { channel, to, .. } => {
                let internet = matches!(to, linchpin_tracer::Address::Internet(_));
                counts[2] += u64::from(internet && !datagram_sockets.contains(channel));
            }
            Action::Accept { .. } => counts[3] += 1,
            _ => {}
        }
    }
    seen
}

fn watched(cluster: &Cluster) -> (Arc<Counters>, RunResult) {
    let logs = tempfile::tempdir().unwrap();
    let options = RunOptions {
        seed: None,
        parameters: BTreeMap::new(),
        isolation: Some(Isolation::Namespaces),
        logs: logs.path().to_owned(),
        tracer: Options::default(),
        interrupt: Arc::new(AtomicBool::new(false)),
        trace_checks: false,
        stop_at_once: false,
        judge: None,
    };
    let director = Arc::new(Counters::default());
    let watched = Arc::clone(&director);
    let result = run(cluster, &options, director as Arc<dyn Director>).unwrap();
    assert_eq!(result.judgement.outcome, Outcome::Good, "{:?}", result.judgement);
    (watched, result)
}

fn compare(cluster: &Cluster) -> Seen {
    let (watched, result) = watched(cluster);
    let seen = seen(&watched.recording.0, &result.roles);
    for (node, found) in watched.found.lock().unwrap().iter() {
        let kernel = ["Udp OutDatagrams", "Udp InDatagrams", "Tcp ActiveOpens", "Tcp PassiveOpens"]
            .map(|name| found[name]);
        assert_eq!(seen.get(node).copied().unwrap_or_default(), kernel, "{node}: {seen:?}");
    }
    seen
}

#[test]
fn the_kernel_counts_the_same_datagrams() {
    if !may_run() {
        return;
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clusters/broadcast/cluster.toml");
    let seen = compare(&Cluster::load(&path).unwrap());
    assert!(seen["a"][0] >= 4 && seen["a"][1] >= 2, "{seen:?}");
}

#[test]
fn the_kernel_counts_the_same_connections() {
    if !may_run() {
        return;
    }
    let server = r#"
import socket, sys
listener = socket.socket()
listener.bind((sys.argv[1], 7000))
listener.listen()
while True:
    connection, _ = listener.accept()
    while data := connection.recv(100): connection.sendall(data)
"#;
    let client = r#"
import socket, sys
for _ in range(5):
    with socket.create_connection((sys.argv[1], 7000)) as connection:
        connection.sendall(b"x")
        assert connection.recv(10) == b"x"
"#;
    let text = format!(
        "[nodes.a]\ncommand = [\"{PYTHON}\", \"-S\", \"-E\", \"-c\", '''{server}''', \"{{address}}\"]\nready = {{ port = 7000 }}\n\
         [workload]\ncommand = [\"{PYTHON}\", \"-S\", \"-E\", \"-c\", '''{client}''', \"{{node.a.address}}\"]\n"
    );
    let cluster = Cluster::parse(Path::new("test.toml"), text).unwrap();
    let seen = compare(&cluster);
    assert_eq!((seen["client"], seen["a"]), ([0, 0, 5, 0], [0, 0, 0, 5]));
}

/// Two nodes that say much to each other, in pieces of all sizes, and then fall silent with the
/// connection open.
const TALKER: &str = r#"
import random, socket, sys, threading, time
own, peer = sys.argv[1:3]
if peer == "none":
    listener = socket.create_server((own, 7000))
    connection, _ = listener.accept()
else:
    while True:
        try:
            connection = socket.create_connection((peer, 7000))
            break
        except OSError: time.sleep(0.02)
chance = random.Random(own)
sizes = [chance.randrange(1, 40000) for _ in range(60)]
def say():
    for size in sizes:
        connection.sendall(b"x" * size)
        time.sleep(chance.random() / 500)
    connection.sendall(b"!")
speaker = threading.Thread(target=say)
speaker.start()
while not connection.recv(chance.randrange(1, 70000)).endswith(b"!"): pass
speaker.join()
# The last acknowledgements arrive.
time.sleep(0.3)
print("done", flush=True)
time.sleep(60)
"#;

/// Bytes sent (without what was sent again) and received, over all sockets `ss` lists.
fn by_ss(text: &str) -> [u64; 2] {
    let value = |name: &str| -> u64 {
        let found = text.split_whitespace().filter_map(|word| word.strip_prefix(name));
        found.map(|number| number.parse::<u64>().unwrap()).sum()
    };
    [value("bytes_sent:") - value("bytes_retrans:"), value("bytes_received:")]
}

fn by_tracker(recorder: &Recorder, node: linchpin_tracer::NodeId) -> [u64; 2] {
    let tracker = recorder.tracker();
    let graph = tracker.graph();
    let mut bytes = [0, 0];
    for id in graph.ids().filter(|id| graph.event(*id).node == node) {
        match &graph.event(id).action {
            Action::Sent { bytes: taken, .. } => bytes[0] += taken,
            Action::Receive { payload, .. } => bytes[1] += payload.length,
            _ => {}
        }
    }
    bytes
}

#[test]
fn the_kernel_counts_the_same_bytes() {
    if !may_run() {
        return;
    }
    if Command::new("ss").arg("-V").output().is_err() {
        assert!(std::env::var_os("LINCHPIN_REQUIRE_ALL").is_none(), "no ss");
        return eprintln!("skipped: no ss (iproute2)");
    }
    let node = |name: &str, peer: &str| {
        format!(
            "[nodes.{name}]\ncommand = [\"{PYTHON}\", \"-S\", \"-E\", \"-c\", '''{TALKER}''', \"{{address}}\", \"{peer}\"]\n\
             ready = {{ log = \"^done\" }}\n"
        )
    };
    let text = format!(
        "{}{}[workload]\ncommand = [\"true\"]\n",
        node("a", "none"),
        node("b", "{node.a.address}")
    );
    let cluster = Cluster::parse(Path::new("test.toml"), text).unwrap();
    let (watched, result) = watched(&cluster);
    let sockets = watched.sockets.lock().unwrap();
    for (id, name) in result.roles.iter().filter(|(_, name)| *name != "client") {
        let text = &sockets[name];
        let [sent, received] = by_ss(text);
        assert!(sent > 1_000_000 && received > 1_000_000, "{name}: {text}");
        assert_eq!(by_tracker(&watched.recording.0, *id), [sent, received], "{name}: {text}");
    }
}
