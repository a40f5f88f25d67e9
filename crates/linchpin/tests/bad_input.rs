//! What clusters, records and the machine can have wrong with them, for `linchpin test`, `run`, `replay`,
//! `report` and `trace`: an error that names the place and what to do, exit code 2, and nothing left behind.

mod command;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Output, Stdio};
use std::time::{Duration, Instant};

use command::{command, linchpin, refused, said, stderr, stdout};

/// A cluster of programs that every machine has.
const CLUSTER: &str = r#"
[nodes.a]
command = ["sleep", "100"]
[workload]
command = ["true"]
"#;

/// A folder for the files of one test.
struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    fn name(&self, name: &str) -> String {
        self.path(name).to_str().expect("UTF-8").to_owned()
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        fs::write(self.path(name), bytes).expect("it can be written");
        self.name(name)
    }

    fn cluster(&self, more: &str) -> String {
        self.write("cluster.toml", format!("{CLUSTER}{more}"))
    }

    /// The record of a run of the cluster.
    fn record(&self) -> String {
        let out = self.name("out");
        let run = linchpin(&["run", &self.cluster(""), "--out", &out]);
        assert_eq!(run.status.code(), Some(0), "{}", said(&run));
        out
    }
}

/// Neither a crash nor an answer: it did not end well, and says so.
fn fails(output: &Output, code: i32, words: &str) {
    assert_eq!(output.status.code(), Some(code), "{}", said(output));
    assert!(said(output).contains(words), "no `{words}` in: {}", said(output));
    assert!(!said(output).contains("panicked"), "{}", said(output));
}

#[test]
fn a_missing_or_malformed_cluster_is_refused_once() {
    let files = Files::new();
    let missing = files.name("missing.toml");
    for verb in ["test", "run", "trace"] {
        refused(&[verb, &missing], &["cannot read", "missing.toml"]);
        let told = stderr(&linchpin(&[verb, &missing]));
        assert_eq!(told.matches("No such file").count(), 1, "{told}");
        refused(&[verb, &files.write("x.toml", "nodes = [")], &["not TOML", "x.toml:1:10"]);
        let long =
            files.write("y.toml", CLUSTER.replace("[\"true\"]", "[\"true\"]\ntimeout = \"9e9y\""));
        refused(&[verb, &long], &["a duration", "y.toml:6:11"]);
        let long = files.write("y.toml", format!("{CLUSTER}timeout = \"500000000000y\""));
        refused(&[verb, &long], &["at most one year", "y.toml:6:11"]);
    }
    refused(
        &["test", &files.cluster("[invariant]\nhistory = [\"magic\"]")],
        &["[invariant] history", "magic"],
    );
}

#[test]
fn budgets_may_be_anything_but_nothing() {
    let files = Files::new();
    let cluster = files.cluster("");
    refused(&["test", &cluster, "--total", "0"], &["no fault at all", "--budget"]);
    refused(&["test", &cluster, "--budget", "meteor=1"], &["meteor", "silent-crash"]);
    refused(&["test", &cluster, "--budget", "crash=-1"], &["no number of faults"]);
    let most = u32::MAX.to_string();
    let (crash, pause) = (format!("crash={most}"), format!("pause={most}"));
    let huge = ["test", &cluster, "--budget", &crash, "--budget", &pause, "--quiet"];
    let none = linchpin(&[&huge[..], &["--experiments", "0", "--total", &most]].concat());
    fails(&none, 3, "unknown after 0 experiments");
}

#[test]
fn a_system_that_fails_by_itself_is_not_blamed_on_faults() {
    let files = Files::new();
    let cluster = files.write("cluster.toml", CLUSTER.replace("true", "false"));
    let broken = linchpin(&["test", &cluster, "--quiet"]);
    fails(&broken, 1, "broken without any fault");
    let cluster =
        files.write("cluster.toml", CLUSTER.replace("[\"true\"]", "[\"echo\", \"hello\"]"));
    let cluster = files.write(
        "cluster.toml",
        fs::read_to_string(cluster).expect("written") + "[invariant]\nhistory = [\"lost-write\"]",
    );
    fails(
        &linchpin(&["test", &cluster, "--quiet"]),
        2,
        "the workload printed no operation (1 line",
    );
    let missing = files.cluster("[invariant]\ncommand = [\"no-such-check\"]");
    fails(
        &linchpin(&["test", &missing, "--quiet"]),
        2,
        "[invariant] command: cannot start no-such-check: No such file or directory (os error 2)\nhint: is `no-such-check`",
    );
}

#[test]
fn a_version_that_is_never_told_does_not_hold_up_a_run() {
    let files = Files::new();
    let cluster = files.cluster("[versions]\nslow = [\"sleep\", \"1000\"]");
    let run = linchpin(&["run", &cluster, "--out", &files.name("out")]);
    fails(&run, 0, "outcome: good");
    let header = fs::read_to_string(files.path("out/campaign.json")).expect("written");
    assert!(header.contains("\"slow\":\"unknown\""), "{header}");
}

#[test]
fn records_that_are_missing_foreign_or_damaged_are_refused() {
    let files = Files::new();
    let record = files.record();
    let absent = files.name("absent");
    for verb in ["replay", "report"] {
        refused(&[verb, &absent], &["there is no directory"]);
        refused(&[verb, &record, "--run", "7"], &["no run 7"]);
    }
    refused(&["test", "--resume", &record], &["records no hunt", "linchpin test --out"]);
    let own = files.path("own");
    fs::create_dir_all(own.join("runs")).expect("a folder");
    fs::write(own.join("campaign.json"), "{}").expect("written");
    let cluster = files.cluster("");
    refused(&["run", &cluster, "--out", own.to_str().expect("UTF-8")], &["no campaign directory"]);
    assert!(own.join("runs").is_dir());
    let file = format!("{cluster}/out");
    for verb in ["run", "test", "trace"] {
        refused(&[verb, &cluster, "--out", &file], &["Not a directory"]);
    }

    let header = Path::new(&record).join("campaign.json");
    let whole = fs::read(&header).expect("it was recorded");
    fs::write(&header, &whole[..whole.len() / 2]).expect("written");
    for verb in ["replay", "report"] {
        refused(&[verb, &record], &["campaign.json` is damaged"]);
    }
    fs::write(&header, whole).expect("written");
    let trace = Path::new(&record).join("runs/0/trace.json");
    fs::write(trace, "{").expect("written");
    refused(&["report", &record], &["runs/0/trace.json` is damaged"]);
}

#[test]
fn a_hunt_whose_record_was_tampered_with_is_told_without_a_panic() {
    let files = Files::new();
    let out = files.name("out");
    let broken = files.write("cluster.toml", CLUSTER.replace("true", "false"));
    fails(&linchpin(&["test", &broken, "--quiet", "--out", &out]), 1, "broken");
    let path = Path::new(&out).join("campaign.json");
    let mut header: serde_json::Value =
        serde_json::from_slice(&fs::read(&path).expect("recorded")).expect("JSON");
    let found = &mut header["hunt"]["conclusion"]["counterexamples"][0];
    found["nearest"] = serde_json::json!({
        "run": 0,
        "lacking": [{ "name": "send a->b X #1", "event": u32::MAX }],
        "new": [{ "name": "send a->b X #1", "event": 99_999 }],
    });
    found["expected"] =
        serde_json::json!([{ "value": "1", "path": [], "runs": 1, "cuts": [[99, "x"]] }]);
    fs::write(&path, header.to_string()).expect("written");
    for format in ["html", "human"] {
        fails(&linchpin(&["report", &out, "--format", format]), 0, "");
    }
    // What a run showed is gone: the hunt cannot go on, and says what to do.
    fs::remove_file(Path::new(&out).join("runs/0/evidence.json")).expect("it was there");
    refused(&["test", "--resume", &out], &["cannot go on (start anew", "runs/0/evidence.json"]);
    fs::rename(files.path("cluster.toml"), files.path("moved.toml")).expect("moved");
    refused(&["test", "--resume", &out], &["the cluster of", "where the hunt began"]);
    refused(&["replay", &out], &["the cluster of", "where the run was made"]);
}

/// Starts `linchpin test`, and waits until its workload, which never ends, has begun.
fn hunting(arguments: &[&str], scratch: &Path, out: &Path) -> std::process::Child {
    let child = command(arguments)
        .arg("--quiet")
        .env("TMPDIR", scratch)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let deadline = Instant::now() + Duration::from_secs(60);
    let begun = out.join("ahead/0/logs/client.out");
    while !begun.is_file() && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(begun.is_file(), "no run began");
    child
}

#[test]
fn asked_to_end_a_hunt_concludes_and_leaves_nothing() {
    let files = Files::new();
    let scratch = files.path("scratch");
    fs::create_dir(&scratch).expect("a folder");
    let never = CLUSTER.replace("[\"true\"]", "[\"sleep\", \"100\"]");
    let cluster = files.write("cluster.toml", never);
    let (out, name) = (files.path("out"), files.name("out"));
    let child = hunting(&["test", &cluster, "--out", &name], &scratch, &out);
    // SAFETY: kill with plain integers; the process is ours and not reaped.
    unsafe { libc::kill(child.id() as i32, libc::SIGTERM) };
    let output = child.wait_with_output().expect("it ends");
    fails(&output, 130, "it was interrupted");
    let left: Vec<_> = fs::read_dir(&scratch).expect("a folder").flatten().collect();
    assert!(left.is_empty(), "{left:?}");
    assert!(stdout(&linchpin(&["report", &name])).contains("index.html"));
    // Once it goes on, how it ended before is no longer how it ended.
    assert!(!out.join("ahead").exists());
    let mut child = hunting(&["test", "--resume", &name], &scratch, &out);
    child.kill().expect("it runs");
    child.wait().expect("it ends");
    let shown = linchpin(&["report", &name, "--format", "human"]);
    fails(&shown, 0, "The hunt has not ended");
}
