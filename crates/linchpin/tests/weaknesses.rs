//! Weaknesses that systems in wide use are known for, as `examples/` has them: faults placed by hand bring
//! each out, and the controls hold under the same faults. (Mirrored queues of RabbitMQ are not here:
//! they lose messages in most runs, and answer nobody any more in others.) Skipped where a system is not installed
//! (`scripts/install-tools.sh`).
//!
//! `LINCHPIN_TIMES=10 cargo test -p linchpin --test weaknesses -- --nocapture` repeats each ten times and
//! prints the table of `examples/README.md`.

mod command;

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use command::{linchpin, root, said};

struct Row {
    /// The cluster file, in `examples`.
    cluster: &'static str,
    faults: &'static str,
    parameters: &'static [&'static str],
    outcome: &'static str,
    /// What the reason begins with.
    because: &'static str,
}

/// Each with the reason why.
const ROWS: [Row; 9] = [
    // Redis replicates asynchronously; the replica that is promoted has not heard of the write.
    Row {
        cluster: "redis-sentinel/cluster.toml",
        faults: "redis-sentinel/failover.faults",
        parameters: &["writes=30"],
        outcome: "bad",
        because: "lost-write: ",
    },
    // Two primaries; what the older one acknowledged is gone when it becomes a replica.
    Row {
        cluster: "redis-sentinel/cluster-push.toml",
        faults: "redis-sentinel/split-brain.faults",
        parameters: &["writes=60"],
        outcome: "bad",
        because: "set: Acknowledged, but not in the final read",
    },
    // The member answers from what it has.
    Row {
        cluster: "etcd/cluster-serializable.toml",
        faults: "etcd/cut-off.faults",
        parameters: &[],
        outcome: "bad",
        because: "linearizable-register: A read of \"x\" returned ",
    },
    // The member asks a majority, and has none.
    Row {
        cluster: "etcd/cluster.toml",
        faults: "etcd/cut-off.faults",
        parameters: &[],
        outcome: "good",
        because: "linearizable-register: ",
    },
    // The server answers from what it has.
    Row {
        cluster: "zookeeper/cluster-unsynced.toml",
        faults: "zookeeper/cut-off.faults",
        parameters: &[],
        outcome: "bad",
        because: "linearizable-register: A read of \"/x\" returned ",
    },
    // A sync goes through the leader, which the server does not reach.
    Row {
        cluster: "zookeeper/cluster.toml",
        faults: "zookeeper/cut-off.faults",
        parameters: &[],
        outcome: "good",
        because: "linearizable-register: ",
    },
    // The queue goes with the node it was on.
    Row {
        cluster: "rabbitmq/cluster-transient.toml",
        faults: "rabbitmq/leader-crash.faults",
        parameters: &["messages=30"],
        outcome: "bad",
        because: "queue: Enqueued and acknowledged, but never dequeued: 1, 2, 3.",
    },
    // What was confirmed, a majority has.
    Row {
        cluster: "rabbitmq/cluster.toml",
        faults: "rabbitmq/leader-crash.faults",
        parameters: &["messages=30"],
        outcome: "good",
        because: "queue: 30 enqueued, ",
    },
    Row {
        cluster: "rabbitmq/cluster.toml",
        faults: "rabbitmq/cut-off.faults",
        parameters: &["messages=30"],
        outcome: "good",
        because: "queue: 30 enqueued, ",
    },
];

/// What a system needs that is not here.
fn missing(system: &str) -> Option<&'static str> {
    let runs = |program: &str, argument: &str| {
        Command::new(program).arg(argument).output().is_ok_and(|output| output.status.success())
    };
    match system {
        _ if !runs("python3", "--version") => Some("python3"),
        "redis-sentinel" if !runs("redis-server", "--version") => Some("redis-server"),
        "etcd" if !runs("etcd", "--version") => Some("etcd"),
        "etcd" if !runs("etcdctl", "--help") => Some("etcdctl"),
        "zookeeper" if !runs("java", "-version") => Some("java"),
        "zookeeper" if !Path::new("/usr/share/java/zookeeper.jar").is_file() => {
            Some("/usr/share/java/zookeeper.jar")
        }
        "rabbitmq" if !Path::new("/usr/lib/rabbitmq/bin/rabbitmq-server").is_file() => {
            Some("rabbitmq-server")
        }
        _ => None,
    }
}

#[test]
fn known_weaknesses_come_out_and_the_controls_hold() {
    let times: u64 = std::env::var("LINCHPIN_TIMES")
        .map_or(0, |times| times.parse().expect("LINCHPIN_TIMES is a number"));
    for row in ROWS {
        let system = row.cluster.split('/').next().expect("a folder");
        if let Some(program) = missing(system) {
            let why = format!("skipped: {}: no {program}", row.cluster);
            assert!(std::env::var_os("LINCHPIN_REQUIRE_ALL").is_none(), "{why}");
            println!("{why}");
            continue;
        }
        let scratch = tempfile::tempdir().expect("a folder");
        let out = scratch.path().join("out");
        let out = out.to_str().expect("UTF-8");
        let (cluster, faults) =
            (format!("examples/{}", row.cluster), format!("examples/{}", row.faults));
        let mut arguments = vec!["run", &cluster, "--faults", &faults, "--out", out];
        arguments.extend(row.parameters.iter().flat_map(|each| ["--parameter", each]));
        let run = linchpin(&arguments);
        let told = said(&run);
        let expected = format!("outcome: {} ({}", row.outcome, row.because);
        assert!(told.contains(&expected), "{cluster}: no `{expected}` in\n{told}");
        assert!(!told.contains(": never fired"), "{cluster}: {told}");
        let code = if row.outcome == "bad" { 1 } else { 0 };
        assert_eq!(run.status.code(), Some(code), "{cluster}: {told}");
        if times > 0 {
            let count = times.to_string();
            let replay = linchpin(&["replay", out, "--times", &count, "--format", "json"]);
            let answer: Value = serde_json::from_slice(&replay.stdout).expect("one object");
            println!(
                "| `{}` | `{}` | {} | {} of {times} | {} of {times} |",
                row.cluster, row.faults, row.outcome, answer["same_events"], answer["same_outcome"]
            );
        }
    }
}

/// The files that a reader of the guide writes, from its blocks.
fn files_of_the_guide(folder: &Path) {
    let guide = std::fs::read_to_string(root().join("docs/guide/hunting.md")).expect("the guide");
    let (_, redis) = guide.split_once("## Redis, from nothing").expect("the section");
    let mut blocks = redis.split("```").skip(1).step_by(2);
    for (language, name) in
        [("toml\n", "cluster.toml"), ("text\n", "sentinel.conf"), ("python\n", "client.py")]
    {
        let text = blocks.next().and_then(|block| block.strip_prefix(language));
        std::fs::write(folder.join(name), text.expect("a file")).expect("written");
    }
}

#[test]
fn the_cluster_file_of_the_guide_works_as_it_stands() {
    if let Some(program) = missing("redis-sentinel") {
        let why = format!("skipped: the guide's Redis: no {program}");
        assert!(std::env::var_os("LINCHPIN_REQUIRE_ALL").is_none(), "{why}");
        return println!("{why}");
    }
    let scratch = tempfile::tempdir().expect("a folder");
    files_of_the_guide(scratch.path());
    let cluster = scratch.path().join("cluster.toml");
    let cluster = cluster.to_str().expect("UTF-8");
    let good = said(&linchpin(&["trace", cluster]));
    assert!(good.contains("outcome: good (lost-write: 3 keys, 3 writes, 3 acknowledged"), "{good}");
    let partition = "partition r1 | r2,r3,s1,s2,s3 from send r1->r3 SET";
    let bad = said(&linchpin(&["run", cluster, "--fault", partition]));
    assert!(bad.contains("outcome: bad (lost-write: The write of \"value-"), "{bad}");
}
