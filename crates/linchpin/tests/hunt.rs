//! `linchpin test` on the small systems of `systems/`: from the plain cluster files, with no hint of
//! the bug in them.

mod processes;

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use processes::ready;

fn command(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_linchpin"));
    command.args(arguments).current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."));
    command
}

fn linchpin(arguments: &[&str]) -> Output {
    command(arguments).output().expect("linchpin starts")
}

fn told(output: &Output) -> String {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    text(&output.stdout) + &text(&output.stderr)
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", told(output)))
}

fn lines(folder: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(folder.join("runs.jsonl")).unwrap_or_default();
    text.lines().map(str::to_owned).collect()
}

/// A hypothesis after which the primary must have lost what it acknowledged.
const EARLY: &str = "systems/primary-backup/cluster-early.toml";

#[test]
fn a_bug_is_found_told_and_replayed() {
    if !ready() {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path().join("out");
    let out = folder.to_str().unwrap();
    let found = linchpin(&["test", EARLY, "--experiments", "15", "--out", out, "--format", "json"]);
    assert_eq!(found.status.code(), Some(1), "{}", told(&found));
    let answer = json(&found);
    let conclusion = &answer["hunt"]["conclusion"];
    assert_eq!(answer["schema"], "linchpin.hunt/1");
    assert_eq!(conclusion["verdict"], "broken", "{answer:#}");
    let until = conclusion["experiments_until_bad"].as_u64().unwrap();
    assert!((1..=15).contains(&until), "{until}");
    let counterexample = &conclusion["counterexamples"][0];
    assert!(counterexample["reason"].as_str().unwrap().starts_with("lost-write: "));
    let fault = &counterexample["faults"][0];
    assert!(fault["sentence"].as_str().unwrap().ends_with('.'), "{fault}");
    // It is the run that the record calls bad, under just these faults.
    let bad = counterexample["run"].as_u64().unwrap() as usize;
    let line: Value = serde_json::from_str(&lines(&folder)[bad]).unwrap();
    assert_eq!(line["outcome"], "bad");
    assert!(counterexample["nearest"]["run"].as_u64().is_some(), "{counterexample:#}");

    let page = std::fs::read_to_string(folder.join("report/index.html")).unwrap();
    assert!(page.contains("broken") && page.contains(fault["sentence"].as_str().unwrap()));
    std::fs::remove_dir_all(folder.join("report")).unwrap();
    let again = linchpin(&["report", out]);
    assert_eq!(again.status.code(), Some(0), "{}", told(&again));
    assert_eq!(std::fs::read_to_string(folder.join("report/index.html")).unwrap(), page);
    let shown = linchpin(&["report", out, "--format", "human"]);
    assert!(told(&shown).contains("again:  linchpin replay"), "{}", told(&shown));

    // It is run again under the same faults. How often it is bad depends on the machine's moods.
    let replay = linchpin(&["replay", out, "--times", "2", "--format", "json"]);
    let replayed = json(&replay);
    assert_eq!(replayed["recorded"]["run"], counterexample["run"]);
    assert_eq!(replayed["times"], 2);
}

#[test]
fn a_campaign_that_was_killed_goes_on_without_repeating_a_run() {
    if !ready() {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path().join("out");
    let out = folder.to_str().unwrap();
    let correct = "systems/broadcast/cluster.toml";
    let mut killed = command(&["test", correct, "--out", out, "--quiet"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("it starts");
    let deadline = Instant::now() + Duration::from_secs(120);
    while lines(&folder).len() < 4 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
    killed.kill().unwrap();
    killed.wait().unwrap();
    let before = lines(&folder);
    assert!(before.len() >= 4, "it made no runs");
    let header: Value =
        serde_json::from_slice(&std::fs::read(folder.join("campaign.json")).unwrap()).unwrap();
    assert!(header["hunt"]["conclusion"].is_null());

    let more = (before.len() + 2).to_string();
    let resumed =
        linchpin(&["test", "--resume", out, "--experiments", &more, "--quiet", "--format", "json"]);
    assert_eq!(resumed.status.code(), Some(3), "{}", told(&resumed));
    let after = lines(&folder);
    assert!(after.len() > before.len());
    assert_eq!(after[..before.len()], before[..], "a finished run was made again");
    let conclusion = &json(&resumed)["hunt"]["conclusion"];
    assert_eq!(
        (&conclusion["verdict"], &conclusion["stopped"]),
        (&"unknown".into(), &"experiments".into())
    );

    // What is learned from the record alone is the same once more.
    let once_more =
        linchpin(&["test", "--resume", out, "--experiments", &more, "--quiet", "--format", "json"]);
    assert_eq!(lines(&folder), after);
    let mut counted = [conclusion.clone(), json(&once_more)["hunt"]["conclusion"].clone()];
    for one in &mut counted {
        one["account"]["search_ms"] = Value::Null;
    }
    assert_eq!(counted[0], counted[1]);
}

#[test]
fn two_campaigns_side_by_side_do_not_disturb_each_other() {
    if !ready() {
        return;
    }
    let start = || {
        command(&[
            "test",
            "systems/broadcast/cluster-simple.toml",
            "--experiments",
            "15",
            "--quiet",
        ])
        .args(["--format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts")
    };
    for campaign in [start(), start()] {
        let output = campaign.wait_with_output().unwrap();
        assert_eq!(output.status.code(), Some(1), "{}", told(&output));
        assert_eq!(json(&output)["hunt"]["conclusion"]["verdict"], "broken");
    }
}

#[test]
fn an_interrupted_campaign_ends_with_a_report() {
    if !ready() {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path().join("out");
    let out = folder.to_str().unwrap();
    let campaign = command(&["test", "systems/queue/cluster.toml", "--out", out, "--quiet"])
        .args(["--format", "json"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("it starts");
    let deadline = Instant::now() + Duration::from_secs(120);
    while lines(&folder).len() < 2 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
    // SAFETY: kill with plain integers; the process is ours and not reaped.
    unsafe { libc::kill(campaign.id() as i32, libc::SIGINT) };
    let output = campaign.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", told(&output));
    let answer = json(&output);
    assert_eq!(answer["hunt"]["conclusion"]["stopped"], "interrupted");
    assert_eq!(answer["runs"].as_u64().unwrap() as usize, lines(&folder).len());
    assert!(folder.join("report/index.html").is_file());
}

#[test]
fn mistakes_are_told_before_anything_runs() {
    let scratch = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = scratch.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.to_str().unwrap().to_owned()
    };
    const NODE: &str = "[nodes.a]\ncommand = [\"true\"]\n";
    let idle = write("idle.toml", NODE);
    let workload = "[workload]\ncommand = [\"true\"]\n";
    let none = write("none.toml", &format!("{NODE}{workload}[faults]\ncrash = 0\n"));
    let wrong =
        write("wrong.toml", &format!("{NODE}{workload}[faults]\ncrsh = 1\npause_for = 3\n"));
    let trace = scratch.path().join("trace");
    let trace = trace.to_str().unwrap();
    let recorded = linchpin(&["trace", "--out", trace, "--", "true"]);
    assert_eq!(recorded.status.code(), Some(0), "{}", told(&recorded));
    let cases: [(&[&str], &str); 9] = [
        (&["test"], "required arguments"),
        (&["test", "absent.toml"], "absent.toml"),
        (&["test", &idle], "has no [workload]"),
        (&["test", &none], "the budgets allow no fault at all"),
        (&["test", &wrong], "did you mean `crash`?"),
        (&["test", &wrong], "a duration in quotes"),
        (&["test", &none, "--budget", "melt=1"], "`melt` is no kind of fault; there are: crash,"),
        (&["test", "--resume", trace], "records no hunt"),
        (&["test", &none, "--resume", trace], "cannot be used with"),
    ];
    for (arguments, expected) in cases {
        let output = linchpin(arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}: {}", told(&output));
        assert!(output.stdout.is_empty(), "{arguments:?}: {}", told(&output));
        assert!(told(&output).contains(expected), "{arguments:?}: {}", told(&output));
    }
}

#[test]
fn without_a_good_run_there_is_nothing_to_learn() {
    let scratch = tempfile::tempdir().unwrap();
    let path = scratch.path().join("cluster.toml");
    let text = "[nodes.a]\ncommand = [\"sleep\", \"60\"]\n[workload]\ncommand = [\"true\"]\n\
                [invariant]\ncommand = [\"sh\", \"-c\", \"echo nothing was asked; exit 2\"]\n";
    std::fs::write(&path, text).unwrap();
    let output = linchpin(&["test", path.to_str().unwrap(), "--quiet"]);
    assert_eq!(output.status.code(), Some(2), "{}", told(&output));
    assert!(
        told(&output).contains("no run without faults was good (2 vacuous)"),
        "{}",
        told(&output)
    );
    assert!(told(&output).contains("nothing was asked"), "{}", told(&output));
}
