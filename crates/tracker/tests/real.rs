//! Real programs, unmodified: every byte that is delivered between traced processes is matched to
//! its sender, and known messages come out in known numbers. Skipped where they are not installed
//! (`apt-get install redis-server nginx-light curl`).

mod common;

use std::fs;
use std::net::TcpListener;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use linchpin_tracer::{
    Action, Channel, NodeId, Observer, Options, Running, Status, Transport, launch,
};
use linchpin_tracker::{EventId, Order, Recorder, Tracker};

fn port() -> u16 {
    TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap().port()
}

fn start(recorder: &Arc<Recorder>, node: u32, mut command: Command) -> Running {
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let observer = Arc::clone(recorder) as Arc<dyn Observer>;
    launch(NodeId(node), command, Options::default(), observer, Instant::now()).unwrap()
}

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", script]);
    command
}

fn everything_is_explained(tracker: &Tracker) {
    let summary = tracker.summary();
    assert_eq!(
        (summary.unmatched_bytes, summary.unmatched_datagrams, summary.mismatches),
        (0, 0, 0),
        "{summary}"
    );
    assert!(summary.denied.is_empty() && summary.not_followed.is_empty(), "{summary}");
}

fn contains(bytes: &[u8], token: &str) -> bool {
    bytes.windows(token.len()).any(|window| window == token.as_bytes())
}

/// Sends of a node over sockets whose content carries a token.
fn sends(tracker: &Tracker, node: u32, token: &str) -> Vec<EventId> {
    let graph = tracker.graph();
    graph
        .ids()
        .filter(|id| {
            let event = graph.event(*id);
            event.node == NodeId(node)
                && matches!(&event.action, Action::Send { channel: Channel::Socket(_), payload, .. } if contains(&payload.bytes, token))
        })
        .collect()
}

#[test]
fn a_redis_write_reaches_two_replicas() {
    if !common::have("redis-server") || !common::have("redis-cli") {
        common::skipped("no redis-server");
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let ports = [port(), port(), port()];
    let recorder = Arc::new(Recorder::new());
    let mut nodes = Vec::new();
    for (index, own) in ports.iter().enumerate() {
        let mut command = Command::new("redis-server");
        command.args(["--port", &own.to_string(), "--save", "", "--appendonly", "no"]);
        command.args(["--repl-diskless-sync-delay", "0", "--dir"]).arg(scratch.path());
        // Whatever it dumps must not land in the source tree.
        command.current_dir(scratch.path());
        if index > 0 {
            command.args(["--replicaof", "127.0.0.1", &ports[0].to_string()]);
        }
        nodes.push(start(&recorder, index as u32, command));
    }
    let [primary, first, second] = ports;
    let client = start(
        &recorder,
        3,
        shell(&format!(
            "until redis-cli -p {primary} info replication | grep -c state=online | grep -q 2; do sleep 0.1; done
             redis-cli -p {primary} set key a-unique-token
             for port in {first} {second}; do
               until redis-cli -p $port get key | grep -q a-unique-token; do sleep 0.05; done
             done
             for port in {first} {second} {primary}; do redis-cli -p $port shutdown nosave; done; exit 0"
        )),
    );
    assert_eq!(client.root_status(common::LIMIT), Some(Status::Code(0)));
    client.wait().unwrap();
    for node in nodes {
        assert!(node.finished(common::LIMIT));
        node.wait().unwrap();
    }
    let tracker = recorder.tracker();
    everything_is_explained(&tracker);

    // Command in, two replica writes, reply out.
    let graph = tracker.graph();
    let [command] = sends(&tracker, 3, "a-unique-token")[..] else { panic!("one SET is sent") };
    let replicated = sends(&tracker, 0, "a-unique-token");
    assert_eq!(replicated.len(), 2);
    for send in &replicated {
        assert!(graph.happens_before(command, *send, Order::Thread));
        let receivers: Vec<NodeId> = graph
            .ids()
            .filter(|id| graph.matched(*id).any(|matched| matched.send == *send))
            .map(|id| graph.event(id).node)
            .collect();
        assert_eq!(receivers.len(), 1);
        assert!(receivers[0] == NodeId(1) || receivers[0] == NodeId(2));
    }
    // The one GET is answered from the first replica's copy.
    let [answer] = sends(&tracker, 1, "a-unique-token")[..] else { panic!("one GET is answered") };
    assert!(replicated.iter().any(|send| graph.happens_before(*send, answer, Order::Thread)));
}

#[test]
fn nginx_serves_a_file_with_sendfile() {
    if !common::have("nginx") || !common::have("curl") {
        common::skipped("no nginx or no curl");
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let place = scratch.path().display();
    let port = port();
    let body = "0123456789abcdef".repeat(20_000);
    fs::write(scratch.path().join("file"), &body).unwrap();
    fs::set_permissions(scratch.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .unwrap();
    let temporary = ["client_body", "proxy", "fastcgi", "uwsgi", "scgi"]
        .map(|kind| format!("{kind}_temp_path {place}/{kind};"))
        .join(" ");
    fs::write(
        scratch.path().join("conf"),
        format!(
            "pid {place}/pid; error_log {place}/log; daemon off; worker_processes 2;
             events {{ worker_connections 64; }}
             http {{ access_log off; sendfile on; {temporary}
               server {{ listen 127.0.0.1:{port}; root {place}; }} }}"
        ),
    )
    .unwrap();
    let recorder = Arc::new(Recorder::new());
    let mut command = Command::new("nginx");
    command.arg("-c").arg(scratch.path().join("conf")).arg("-p").arg(scratch.path());
    let server = start(&recorder, 0, command);
    let client = start(
        &recorder,
        1,
        shell(&format!(
            "for i in $(seq 200); do
               curl -sf -o {place}/got http://127.0.0.1:{port}/file && break; sleep 0.05; done
             cmp {place}/file {place}/got || exit 3
             kill -QUIT $(cat {place}/pid)"
        )),
    );
    let status = client.root_status(common::LIMIT);
    let log = || fs::read_to_string(scratch.path().join("log")).unwrap_or_default();
    assert_eq!(status, Some(Status::Code(0)), "{}", log());
    client.wait().unwrap();
    assert!(server.finished(common::LIMIT));
    server.wait().unwrap();
    let tracker = recorder.tracker();
    everything_is_explained(&tracker);
    let graph = tracker.graph();
    let [request] = sends(&tracker, 1, "GET /file")[..] else { panic!("one request is sent") };
    let [header] = sends(&tracker, 0, "HTTP/1.1 200 OK")[..] else { panic!("one answer is sent") };
    assert!(graph.happens_before(request, header, Order::Thread));
    // The header and the whole file arrive.
    let Action::Send { payload, .. } = &graph.event(header).action else { unreachable!() };
    let delivered: u64 = graph
        .ids()
        .filter(|id| graph.event(*id).node == NodeId(1))
        .flat_map(|id| graph.matched(id).collect::<Vec<_>>())
        .filter(|matched| graph.event(matched.send).node == NodeId(0))
        .map(|matched| matched.bytes)
        .sum();
    assert_eq!(delivered, payload.length + body.len() as u64);
}

/// Runs one program of the guests directory under its interpreter.
fn interpreted(program: &str, file: &str) -> Option<(Arc<Recorder>, linchpin_tracer::Report)> {
    if !common::have(program) {
        common::skipped(&format!("no {program}"));
        return None;
    }
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guests").join(file);
    let mut command = Command::new(program);
    command.arg(path);
    let recorder = Arc::new(Recorder::new());
    let running = start(&recorder, 0, command);
    assert!(running.finished(common::LIMIT), "{}", recorder.tracker().summary());
    let report = running.wait().unwrap();
    assert_eq!(report.status, Some(Status::Code(0)));
    everything_is_explained(&recorder.tracker());
    Some((recorder, report))
}

/// Messages and bytes received over TCP.
fn received_over_tcp(tracker: &Tracker) -> (u64, u64) {
    let pairs = tracker.summary().pairs;
    let tcp = pairs.iter().filter(|pair| !pair.pipe && pair.transport == Transport::Stream);
    tcp.fold((0, 0), |(sends, bytes), pair| (sends + pair.sends, bytes + pair.bytes))
}

#[test]
fn a_node_server_and_client() {
    if let Some((recorder, _)) = interpreted("node", "echo.js") {
        assert_eq!(received_over_tcp(&recorder.tracker()), (2, 12));
    }
}

#[test]
fn a_node_server_handed_to_a_child() {
    if let Some((recorder, _)) = interpreted("node", "handoff.js") {
        let tracker = recorder.tracker();
        let graph = tracker.graph();
        // Asked by the parent, whose socket listened; accepted and answered by the child.
        let [asked, answered] = sends(&tracker, 0, "hello")[..] else { panic!("asked, answered") };
        assert_ne!(graph.process(asked), graph.process(answered));
        assert!(graph.happens_before(asked, answered, Order::Thread));
        let find = |wanted: fn(&Action) -> bool| {
            graph.ids().find(|id| wanted(&graph.event(*id).action)).unwrap()
        };
        let listen = find(|action| matches!(action, Action::Listen { .. }));
        let accept = find(|action| matches!(action, Action::Accept { .. }));
        assert_eq!(graph.process(listen), graph.process(asked));
        assert_eq!(graph.process(accept), graph.process(answered));
    }
}

#[test]
fn a_proxy_in_go_that_splices() {
    if !common::have("go") {
        return common::skipped("no go");
    }
    let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/guests/proxy.go");
    let scratch = tempfile::tempdir().unwrap();
    let binary = scratch.path().join("proxy");
    let mut build = Command::new("go");
    build.args(["build", "-o"]).arg(&binary).arg(source).current_dir(scratch.path());
    let built = build.output().unwrap();
    assert!(built.status.success(), "{}", String::from_utf8_lossy(&built.stderr));
    let recorder = Arc::new(Recorder::new());
    let running = start(&recorder, 0, Command::new(binary));
    assert!(running.finished(common::LIMIT), "{}", recorder.tracker().summary());
    let report = running.wait().unwrap();
    assert_eq!(report.status, Some(Status::Code(0)));
    let tracker = recorder.tracker();
    everything_is_explained(&tracker);
    // Of twenty clients, eight bytes there by way of the proxy, seventeen back by way of it.
    assert_eq!(received_over_tcp(&tracker).1, 20 * 2 * (8 + 17));
    assert!(report.calls.contains_key("splice"), "{report:?}");
    let graph = tracker.graph();
    // What arrived leads back, through what nobody saw, to who said it.
    let mut followed = 0;
    for id in graph.ids() {
        let Action::Receive { payload, .. } = &graph.event(id).action else { continue };
        if !contains(&payload.bytes, "hello") {
            continue;
        }
        let mut origin = id;
        while let Some(matched) = graph.matched(origin).next() {
            origin = matched.send;
        }
        let Action::Send { payload: said, .. } = &graph.event(origin).action else { panic!() };
        let said = said.bytes.strip_prefix(b"you said ").unwrap_or(&said.bytes);
        assert!(payload.bytes.ends_with(said), "{said:?} became {payload:?}");
        followed += 1;
    }
    assert!(followed >= 40, "twenty questions, twenty answers: {followed}");
}

#[test]
fn a_jvm_that_selects_scatters_and_sends_files() {
    if let Some((recorder, report)) = interpreted("java", "Nio.java") {
        // Ten questions of 3 bytes, ten answers of 1000.
        assert_eq!(received_over_tcp(&recorder.tracker()).1, 10 * 1003);
        assert!(report.calls.contains_key("sendfile"), "{report:?}");
    }
}

#[test]
fn a_jvm_with_more_than_a_hundred_threads() {
    if let Some((recorder, _)) = interpreted("java", "Echo.java") {
        let tracker = recorder.tracker();
        assert_eq!(received_over_tcp(&tracker), (120, 600));
        let count = |wanted: fn(&Action) -> bool| {
            tracker.graph().ids().filter(|id| wanted(&tracker.graph().event(*id).action)).count()
        };
        let begun = count(|action| matches!(action, Action::Begin { .. }));
        assert!(begun >= 120);
        assert_eq!(begun, count(|action| matches!(action, Action::Spawn { .. })));
        assert_eq!(begun, count(|action| matches!(action, Action::ThreadExit { .. })));
        assert_eq!(count(|action| matches!(action, Action::Accept { .. })), 60);
        assert_eq!(count(|action| matches!(action, Action::ProcessExit { .. })), 1);
    }
}
