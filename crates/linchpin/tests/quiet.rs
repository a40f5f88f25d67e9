//! What the rest of a cluster sees of a host that went quiet: no answer at all, whether it asks where
//! the dead program listened or where nobody ever did, and nothing that the host had still to send.

use std::fs;
use std::path::Path;
use std::process::Command;

const NODE: &str = r#"
import socket, sys
server = socket.create_server((sys.argv[1], 7000))
while True:
    connection, _ = server.accept()
    connection.recv(100)
    connection.sendall(b"first\n")
    connection.recv(100)
    connection.sendall(b"last\n")
    connection.recv(100)
"#;

/// Asks, is told something, is told nothing more; then tries to connect.
const CLIENT: &str = r#"
import errno, socket, sys, time
host = sys.argv[1]
connection = socket.create_connection((host, 7000), timeout=5)
connection.sendall(b"go\n")
print("told", connection.recv(100).decode().strip(), flush=True)
connection.sendall(b"go on\n")
connection.settimeout(2.5)
try:
    print("told", connection.recv(100).decode().strip() or "the end", flush=True)
except TimeoutError:
    print("told nothing", flush=True)
# The kernel closes what a dead program had in no order that is promised.
time.sleep(0.3)
for port in (7000, 7001):
    try:
        socket.create_connection((host, port), timeout=0.5)
        print(port, "connected", flush=True)
    except OSError as error:
        print(port, errno.errorcode.get(error.errno, "no answer"), flush=True)
"#;

fn seen(folder: &Path, isolation: &str, faults: &[&str]) -> String {
    let cluster = format!(
        r#"
name = "quiet"
isolation = "{isolation}"
[nodes.a]
command = ["python3", "{{dir}}/node.py", "{{address}}"]
ready = {{ port = 7000 }}
[workload]
command = ["python3", "{{dir}}/client.py", "{{node.a.address}}"]
[[labels]]
dissector = "line"
"#
    );
    fs::write(folder.join("node.py"), NODE).unwrap();
    fs::write(folder.join("client.py"), CLIENT).unwrap();
    fs::write(folder.join("cluster.toml"), cluster).unwrap();
    let out = folder.join("out");
    let mut command = Command::new(env!("CARGO_BIN_EXE_linchpin"));
    command.arg("run").arg(folder.join("cluster.toml")).arg("--out").arg(&out);
    for fault in faults {
        command.args(["--fault", fault]);
    }
    let output = command.output().unwrap();
    let told = [&output.stdout[..], &output.stderr].concat();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&told));
    fs::read_to_string(out.join("runs/0/logs/client.out")).unwrap()
}

#[test]
fn a_quiet_host_answers_nobody_and_sends_nothing_more() {
    if !Command::new("python3").arg("--version").output().is_ok_and(|out| out.status.success()) {
        assert!(std::env::var_os("LINCHPIN_REQUIRE_ALL").is_none(), "no python3");
        println!("skipped: no python3");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for isolation in ["auto", "loopback"] {
        // What it sends last is under way when it goes, and would arrive after the stall.
        let stall = "stall a->client before send a->client last for 300ms";
        let crash = "silent-crash a after send a->client last";
        assert_eq!(
            seen(folder.path(), isolation, &[stall, crash]),
            "told first\ntold nothing\n7000 no answer\n7001 no answer\n",
            "{isolation}"
        );
        let crash = "crash a before send a->client last";
        let loud = seen(folder.path(), isolation, &[crash]);
        assert!(loud.ends_with("\n7000 ECONNREFUSED\n7001 ECONNREFUSED\n"), "{isolation}: {loud}");
    }
}
