//! A counterexample placed by hand for every bug that can be switched on in `systems/`: its faults
//! fire at the same events each time and break the variant with the bug each time, and the correct
//! variant holds under them.
//!
//! `LINCHPIN_TIMES=10 cargo test -p linchpin --test counterexamples -- --nocapture` repeats each ten
//! times and prints the table of `systems/README.md`.

mod command;

use std::process::Command;

use serde_json::Value;

use command::{linchpin, root, said};

/// Where the correct variant does what lets a fault have no event, and why.
const NEVER_FIRES: [(&str, &str); 1] =
    [("queue/unchecked", "the correct broker stops when its disk fails: it never answers")];

const TIMES_DEFAULT: u64 = 1;

/// Says why a test does nothing, which is a failure where everything must run.
fn missing(program: &str, arguments: &[&str], why: &str) -> bool {
    let found = Command::new(program).args(arguments).output();
    if found.is_ok_and(|output| output.status.success()) {
        return false;
    }
    assert!(std::env::var_os("LINCHPIN_REQUIRE_ALL").is_none(), "{why}");
    println!("skipped: {why}");
    true
}

/// The switches of `systems/`, as `folder/switch`, in order.
fn switches(before: &str, after: &str) -> Vec<String> {
    let mut found = Vec::new();
    for folder in std::fs::read_dir(root().join("systems")).expect("a folder") {
        let folder = folder.expect("readable").path();
        let Ok(entries) = std::fs::read_dir(&folder) else { continue };
        for entry in entries {
            let name = entry.expect("readable").file_name().to_string_lossy().into_owned();
            let switch = name.strip_prefix(before).and_then(|rest| rest.strip_suffix(after));
            let folder = folder.file_name().expect("a name").to_string_lossy();
            found.extend(switch.map(|switch| format!("{folder}/{switch}")));
        }
    }
    found.sort();
    found
}

/// Runs a cluster under the faults once, then again so many times; what `linchpin replay` says.
fn repeated(cluster: &str, faults: &str, code: i32, times: u64) -> Value {
    let scratch = tempfile::tempdir().expect("a folder");
    let out = scratch.path().join("out");
    let out = out.to_str().expect("UTF-8");
    let run = linchpin(&["run", cluster, "--faults", faults, "--out", out]);
    assert_eq!(run.status.code(), Some(code), "{cluster}: {}", said(&run));
    if times == 0 {
        assert!(said(&run).contains("outcome: good"), "{cluster}: {}", said(&run));
        return Value::Null;
    }
    let times = times.to_string();
    let replay = linchpin(&["replay", out, "--times", &times, "--format", "json"]);
    assert_eq!(replay.status.code(), Some(code), "{cluster}: {}", said(&replay));
    serde_json::from_slice(&replay.stdout).expect("one object")
}

#[test]
fn every_bug_has_a_counterexample_that_breaks_it_and_not_the_correct_variant() {
    if missing("python3", &["-c", "import tomllib"], "python3 is missing or older than 3.11")
        || missing("cc", &["--version"], "no C compiler")
    {
        return;
    }
    let recording = std::env::var("LINCHPIN_TIMES").ok();
    let recording = recording.map(|times| times.parse().expect("LINCHPIN_TIMES is a number"));
    let times = recording.unwrap_or(TIMES_DEFAULT);
    let all = switches("", ".faults");
    assert_eq!(all, switches("cluster-", ".toml"), "each cluster has its faults");
    for name in all {
        let (folder, switch) = name.split_once('/').expect("a folder and a switch");
        let faults = format!("systems/{name}.faults");
        let with_bug = format!("systems/{folder}/cluster-{switch}.toml");
        let broken = repeated(&with_bug, &faults, 1, times);
        assert_eq!(broken["recorded"]["outcome"], "bad", "{name}: {broken:#}");
        for count in ["same_events", "same_outcome"] {
            assert_eq!(broken[count], times, "{name}: {count}: {broken:#}");
        }
        // All faults fire, unless the reason why one cannot is known.
        let held = if NEVER_FIRES.iter().any(|(known, _)| *known == name) { 3 } else { 0 };
        let correct = repeated(
            &format!("systems/{folder}/cluster.toml"),
            &faults,
            held,
            recording.unwrap_or(0),
        );
        if recording.is_none() {
            continue;
        }
        assert_eq!(correct["recorded"]["outcome"], "good", "{name}: {correct:#}");
        assert_eq!(correct["same_outcome"], times, "{name}: {correct:#}");
        println!(
            "| `{name}` | {} of {times} | {} of {times} | {} of {times} |",
            broken["same_events"], broken["same_outcome"], correct["same_outcome"]
        );
    }
}
