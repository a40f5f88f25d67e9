//! Names that survive reruns: the same cluster traced twice, with other processes, ports and
//! times, has the same names.

mod common;

use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use linchpin_tracer::{NodeId, Observer, Options, Running, Status, launch};
use linchpin_tracker::Recorder;
use linchpin_tracker::dissect::Rules;
use linchpin_tracker::names::{Folded, Name, Roles, fold};

const SERVER: &str = r#"
import os, socket, sys, time
place = sys.argv[1]
listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen()
with open(place + "/port.new", "w") as file: file.write(str(listener.getsockname()[1]))
os.rename(place + "/port.new", place + "/port")
for connection in range(2):
    client, _ = listener.accept()
    while request := client.recv(1000):
        path = request.split()[1]
        status = "503 Busy" if path == b"/poll" else "200 OK"
        client.sendall(f"HTTP/1.1 {status}\r\nDate: {time.time()}\r\n\r\n".encode())
"#;

const CLIENT: &str = r#"
import os, socket, sys, time
place = sys.argv[1]
while True:
    try:
        port = int(open(place + "/port").read())
        break
    except OSError: time.sleep(0.01)
for paths in [["/poll", "/poll", "/poll", "/items/%d" % os.getpid()], ["/bye"]]:
    server = socket.create_connection(("127.0.0.1", port))
    for path in paths:
        server.sendall(f"GET {path} HTTP/1.1\r\n\r\n".encode())
        server.recv(1000)
    server.close()
"#;

fn start(recorder: &Arc<Recorder>, node: u32, script: &str, place: &str) -> Running {
    let mut command = Command::new("python3");
    command.args(["-S", "-E", "-c", script, place]);
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::inherit());
    let observer = Arc::clone(recorder) as Arc<dyn Observer>;
    launch(NodeId(node), command, Options::default(), observer, Instant::now()).unwrap()
}

/// The names of one run, in order, without those within a node (a version manager's shell).
fn run() -> Vec<Name> {
    let scratch = tempfile::tempdir().unwrap();
    let place = scratch.path().to_str().unwrap();
    let recorder = Arc::new(Recorder::new());
    let nodes = [start(&recorder, 0, SERVER, place), start(&recorder, 1, CLIENT, place)];
    for node in nodes {
        assert_eq!(node.root_status(common::LIMIT), Some(Status::Code(0)));
        assert!(node.finished(common::LIMIT));
        node.wait().unwrap();
    }
    let roles = Roles::from([(NodeId(0), "server".into()), (NodeId(1), "client".into())]);
    let names = recorder.tracker().names(&roles, &Rules::default());
    names.into_values().filter(|name| name.link == "port").collect()
}

#[test]
fn two_runs_have_the_same_names() {
    if !common::have("python3") {
        common::skipped("no python3");
        return;
    }
    let names = run();
    assert_eq!(names, run());
    let shown: Vec<String> = names.iter().map(Name::to_string).collect();
    assert_eq!(
        shown,
        [
            "client -> server over port, connection 1, burst 1: GET /poll #1",
            "server -> client over port, connection 1, burst 1: HTTP server error #1",
            "client -> server over port, connection 1, burst 2: GET /poll #2",
            "server -> client over port, connection 1, burst 2: HTTP server error #2",
            "client -> server over port, connection 1, burst 3: GET /poll #3",
            "server -> client over port, connection 1, burst 3: HTTP server error #3",
            "client -> server over port, connection 1, burst 4: GET /items/# #1",
            "server -> client over port, connection 1, burst 4: HTTP success #1",
            "client -> server over port, connection 2, burst 1: GET /bye #1",
            "server -> client over port, connection 2, burst 1: HTTP success #2",
        ]
    );
    let polls = Folded {
        from: "client".into(),
        to: Some("server".into()),
        link: "port".into(),
        label: Some("GET /poll".into()),
        count: 3,
    };
    assert_eq!(fold(&names).iter().find(|folded| folded.label == polls.label), Some(&polls));
}
