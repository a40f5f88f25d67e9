//! `linchpin trace CLUSTER.toml`, as a user sees it: as root and not, killed and not.

use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use linchpin_record::TraceCampaign;

const NOBODY: u32 = 65_534;
const MARK: &str = "LINCHPIN_TEST_MARK";
const LIMIT: Duration = Duration::from_secs(30);

fn broadcast() -> PathBuf {
    let path = "../cluster/tests/clusters/broadcast/cluster.toml";
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path).canonicalize().unwrap()
}

fn linchpin(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_linchpin"));
    command.args(arguments).env("NO_COLOR", "1").env("COLUMNS", "120").stdin(Stdio::null());
    command
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn assert_fine(output: &Output) {
    let told = format!("{}{}", text(&output.stdout), text(&output.stderr));
    assert_eq!(output.status.code(), Some(0), "{told}");
}

fn skipped(why: &str) {
    assert!(std::env::var_os("LINCHPIN_REQUIRE_ALL").is_none(), "skipped: {why}");
    eprintln!("skipped: {why}");
}

fn have_python() -> bool {
    let found = Path::new("/usr/bin/python3").is_file();
    if !found {
        skipped("no /usr/bin/python3");
    }
    found
}

fn is_root() -> bool {
    // SAFETY: geteuid has no preconditions.
    unsafe { libc::geteuid() == 0 }
}

#[test]
fn runs_are_counted_resumed_and_compared() {
    if !have_python() {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let out = scratch.path().join("out");
    let (file, out) = (broadcast(), out.to_str().unwrap());
    let trace = |rest: &[&str]| {
        let arguments = [&["trace", file.to_str().unwrap(), "--out", out], rest].concat();
        linchpin(&arguments).output().unwrap()
    };
    assert_fine(&trace(&["--runs", "2"]));
    let output = trace(&["--runs", "4", "--resume"]);
    assert_fine(&output);
    let shown = text(&output.stdout);
    assert!(shown.starts_with("4 runs\n"), "{shown}");
    for rung in ["sequence", "order", "receives", "labels", "messages", "outcome"] {
        assert!(shown.contains(&format!("  {rung}  ")), "{shown}");
    }
    let campaign = TraceCampaign::load(Path::new(out)).unwrap();
    let seeds: Vec<u64> = campaign.runs.iter().map(|run| run.seed).collect();
    assert_eq!(seeds, [1, 2, 3, 4], "each run has a seed of its own, resumed or not");
    assert!(campaign.header.versions["python"].starts_with("Python 3"));
    assert_eq!(campaign.header.nodes, ["a", "b", "c", "client"]);
    assert!(["namespaces", "loopback"].contains(&campaign.header.isolation.as_str()));
    let page = std::fs::read_to_string(Path::new(out).join("report/index.html")).unwrap();
    assert!(page.contains("Distinct runs") && page.contains("unseen mass"));
    for run in &campaign.runs {
        assert_eq!((run.counts.unmatched_datagrams, run.identity.len()), (0, 6));
        let trace = campaign.trace(run.run).unwrap().unwrap();
        assert!(trace.messages.iter().any(|message| message.label.as_deref() == Some("GO")));
    }
    // Coarser rungs never tell more runs apart than finer ones.
    let distinct = |rung: &str| {
        let mut kinds: Vec<&str> =
            campaign.runs.iter().map(|run| run.identity[rung].as_str()).collect();
        kinds.sort_unstable();
        kinds.dedup();
        kinds.len()
    };
    let ladder = ["sequence", "order", "receives", "labels", "messages"].map(distinct);
    assert!(ladder.windows(2).all(|pair| pair[0] >= pair[1]), "{ladder:?}");
    let report = |rest: &[&str]| linchpin(&[&["report", out], rest].concat()).output().unwrap();
    let census = report(&["--format", "svg"]);
    assert_fine(&census);
    assert!(text(&census.stdout).contains("</svg>"));
    for run in ["0", "1", "2", "3"] {
        let compared = report(&["--format", "compare", "--run", run]);
        assert_fine(&compared);
        assert!(
            text(&compared.stdout).starts_with(&format!("run {run} ")),
            "{}",
            text(&compared.stdout)
        );
    }
    // Another cluster file cannot be added to it.
    let copy = file.with_file_name("cluster.toml");
    let changed = std::fs::read_to_string(copy).unwrap().replace("seed = 1", "seed = 2");
    let other = scratch.path().join("other.toml");
    std::fs::write(&other, changed).unwrap();
    let refused =
        linchpin(&["trace", other.to_str().unwrap(), "--out", out, "--resume"]).output().unwrap();
    assert_eq!(refused.status.code(), Some(2));
    assert!(text(&refused.stderr).contains("records another cluster file"));
}

#[test]
fn mistakes_are_shown_with_their_lines() {
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("cluster.toml");
    std::fs::write(&file, "[nodes.a]\ncomand = [\"x\"]\nready = { prot = 1 }\n").unwrap();
    let output = linchpin(&["trace", file.to_str().unwrap()]).output().unwrap();
    let errors = text(&output.stderr);
    assert_eq!(output.status.code(), Some(2));
    assert!(
        errors.contains("did you mean `command`?") && errors.contains("did you mean `port`?"),
        "{errors}"
    );
    assert!(errors.contains("cluster.toml:2:1"), "{errors}");
    let missing = linchpin(&["trace", "/nowhere/cluster.toml"]).output().unwrap();
    assert_eq!(missing.status.code(), Some(2));
    assert!(text(&missing.stderr).contains("cannot read /nowhere/cluster.toml"));
}

/// What an ordinary user can reach: a copy of the cluster and of the binary.
fn for_everybody() -> (tempfile::TempDir, PathBuf) {
    let scratch = tempfile::tempdir().unwrap();
    let open = std::os::unix::fs::PermissionsExt::from_mode(0o777);
    std::fs::set_permissions(scratch.path(), open).unwrap();
    let folder = broadcast();
    for name in ["cluster.toml", "node.py", "client.py"] {
        std::fs::copy(folder.with_file_name(name), scratch.path().join(name)).unwrap();
    }
    let binary = scratch.path().join("linchpin");
    std::fs::copy(env!("CARGO_BIN_EXE_linchpin"), &binary).unwrap();
    (scratch, binary)
}

#[test]
fn an_ordinary_user_has_namespaces_too() {
    if !have_python() {
        return;
    }
    if !is_root() {
        return skipped("only root can become somebody else");
    }
    let (scratch, binary) = for_everybody();
    let place = scratch.path();
    let keep = std::fs::read_to_string(place.join("cluster.toml"))
        .unwrap()
        .replace("[nodes.a]", "[nodes.a]\nuser = \"keep\"")
        .replace("isolation", "unused")
        .replace("seed = 1", "seed = 1\nisolation = \"namespaces\"");
    std::fs::write(place.join("cluster.toml"), keep).unwrap();
    let mut command = Command::new(&binary);
    command.args(["trace", "cluster.toml", "--out", "out"]).env("TMPDIR", place);
    command.current_dir(place).uid(NOBODY).gid(NOBODY).stdin(Stdio::null());
    let output = command.output().unwrap();
    let errors = text(&output.stderr);
    if errors.contains("no network namespace for each node") {
        return skipped("user namespaces are forbidden here");
    }
    assert_fine(&output);
    assert!(text(&output.stdout).contains("isolation: namespaces"));
    let campaign = TraceCampaign::load(&place.join("out")).unwrap();
    assert_eq!(campaign.runs[0].counts.unmatched_datagrams, 0);
    // What it wrote belongs to the caller.
    let metadata = std::fs::metadata(place.join("out/campaign.json")).unwrap();
    assert_eq!(std::os::unix::fs::MetadataExt::uid(&metadata), NOBODY);
}

#[test]
fn a_node_that_keeps_the_users_number_has_it() {
    if !is_root() {
        return skipped("only root can become somebody else");
    }
    let (scratch, binary) = for_everybody();
    let place = scratch.path();
    let file = "isolation = \"auto\"\n\
        [nodes.kept]\ncommand = [\"sh\", \"-c\", \"id -u; touch mine; echo done; sleep 300\"]\nuser = \"keep\"\nready = { log = \"done\" }\n\
        [nodes.root]\ncommand = [\"sh\", \"-c\", \"id -u; echo done; sleep 300\"]\nready = { log = \"done\" }\n";
    std::fs::write(place.join("cluster.toml"), file).unwrap();
    let mut command = Command::new(&binary);
    command.args(["trace", "cluster.toml", "--out", "out"]).env("TMPDIR", place);
    command.current_dir(place).uid(NOBODY).gid(NOBODY).stdin(Stdio::null());
    let output = command.output().unwrap();
    assert_fine(&output);
    let log = |node: &str| {
        let path = place.join("out/runs/0/logs").join(format!("{node}.out"));
        std::fs::read_to_string(path).unwrap()
    };
    assert_eq!(log("kept"), format!("{NOBODY}\ndone\n"));
    if text(&output.stdout).contains("isolation: namespaces") {
        assert_eq!(log("root"), "0\ndone\n");
    }
}

#[test]
fn what_may_not_be_looked_at_is_told() {
    let (scratch, binary) = for_everybody();
    let place = scratch.path();
    let program = "#include <sys/prctl.h>\n#include <unistd.h>\nint main(void) {\n\
        int ends[2]; char byte;\n\
        return prctl(PR_SET_DUMPABLE, 0) || pipe(ends) || write(ends[1], \"x\", 1) != 1\n\
        || read(ends[0], &byte, 1) != 1;\n}\n";
    std::fs::write(place.join("hidden.c"), program).unwrap();
    let made = Command::new("cc").args(["-o", "hidden", "hidden.c"]).current_dir(place).status();
    if !made.is_ok_and(|status| status.success()) {
        return skipped("no cc");
    }
    let mut command = Command::new(&binary);
    command.args(["trace", "--format", "json", "--", "./hidden"]).current_dir(place);
    if is_root() {
        command.uid(NOBODY).gid(NOBODY);
    }
    let output = command.stdin(Stdio::null()).output().unwrap();
    assert_fine(&output);
    let told = text(&output.stdout);
    assert!(told.contains("may not be looked at (not dumpable)\":1"), "{told}");
}

/// Live processes whose environment carries the mark.
fn marked(mark: &str) -> Vec<i32> {
    let wanted = format!("{MARK}={mark}");
    let mut found = Vec::new();
    for entry in std::fs::read_dir("/proc").unwrap().flatten() {
        let name = entry.file_name();
        let Some(process) = name.to_str().and_then(|name| name.parse::<i32>().ok()) else {
            continue;
        };
        let environment = std::fs::read(entry.path().join("environ")).unwrap_or_default();
        if environment.split(|byte| *byte == 0).any(|variable| variable == wanted.as_bytes()) {
            found.push(process);
        }
    }
    found
}

#[test]
fn a_killed_tracer_leaves_the_events_it_saw() {
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("cluster.toml");
    let text = "[nodes.a]\ncommand = [\"sh\", \"-c\", \"echo hello | cat; echo done; sleep 300\"]\n\
        ready = { log = \"done\" }\n[workload]\ncommand = [\"sleep\", \"300\"]\n";
    std::fs::write(&file, text).unwrap();
    for (command, log) in [
        ("trace", "runs/0/events.jsonl"),
        ("run", "runs/0/events.jsonl"),
        ("test", "ahead/0/events.jsonl"),
    ] {
        let out = scratch.path().join(command);
        leaves_the_events_it_saw(command, &file, &out, &out.join(log));
    }
}

fn leaves_the_events_it_saw(command: &str, file: &Path, out: &Path, log: &Path) {
    let mut running = linchpin(&[command, file.to_str().unwrap(), "--out", out.to_str().unwrap()])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let limit = Instant::now() + LIMIT;
    // While the run lasts, what `cat` received stands there already.
    while !std::fs::read_to_string(log).is_ok_and(|text| text.contains("\"receive\"")) {
        assert!(Instant::now() < limit, "{command}: {:?}", std::fs::read_to_string(log));
        std::thread::sleep(Duration::from_millis(10));
    }
    running.kill().unwrap();
    running.wait().unwrap();
    let left = std::io::BufReader::new(std::fs::File::open(log).unwrap());
    let tracker = linchpin_tracker::read_log(left).unwrap();
    let graph = tracker.graph();
    let explained = graph.ids().any(|id| graph.matched(id).any(|matched| matched.bytes == 6));
    assert!(explained, "{command}: the bytes `cat` received are those `echo` sent");
    // The log of a run that did not end is no run of the record.
    assert_eq!(TraceCampaign::load(out).unwrap().runs.len(), 0, "{command}");
}

#[test]
fn nothing_is_left_of_runs_that_were_killed() {
    if !have_python() {
        return;
    }
    let rounds: u64 =
        std::env::var("LINCHPIN_KILL_ROUNDS").ok().and_then(|n| n.parse().ok()).unwrap_or(6);
    let scratch = tempfile::tempdir().unwrap();
    let file = broadcast();
    let out = scratch.path().join("out");
    let temporary = scratch.path().join("tmp");
    std::fs::create_dir(&temporary).unwrap();
    let arguments = ["trace", file.to_str().unwrap(), "--out", out.to_str().unwrap()];
    for round in 0..rounds {
        let mark = format!("{}-{round}", std::process::id());
        let mut running = linchpin(&arguments)
            .env("TMPDIR", &temporary)
            .env(MARK, &mark)
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        // From before the first node to after the last: a run takes some 300 ms.
        std::thread::sleep(Duration::from_millis(round * 389 % 400));
        running.kill().unwrap();
        running.wait().unwrap();
        let limit = Instant::now() + LIMIT;
        while !marked(&mark).is_empty() {
            assert!(Instant::now() < limit, "round {round}: {:?} live on", marked(&mark));
            std::thread::sleep(Duration::from_millis(2));
        }
        // What is there can be read.
        if out.join("campaign.json").exists() {
            TraceCampaign::load(&out).unwrap();
        }
    }
    // The next run removes what the killed ones left on disk.
    assert_fine(&linchpin(&arguments).env("TMPDIR", &temporary).output().unwrap());
    let left: Vec<_> = std::fs::read_dir(&temporary).unwrap().flatten().map(|e| e.path()).collect();
    assert_eq!(left, Vec::<PathBuf>::new());
    let beside: Vec<_> = std::fs::read_dir(scratch.path()).unwrap().flatten().collect();
    assert_eq!(beside.len(), 2, "no half-made folder beside the record: {beside:?}");
}
