//! `linchpin replay --map`: counterexamples of specifications, tried on the processes in `systems/`
//! that implement them.

mod command;
mod processes;

use std::fs;
use std::path::Path;

use command::{json, linchpin, stderr};
use processes::ready;

/// What breaks the specification breaks the variant with the bug, and not the correct one.
fn pair(system: &str, switch: &str, times: &str) {
    if !ready() {
        return;
    }
    let map = format!("systems/{system}/map-{switch}.toml");
    let arguments = ["replay", "--map", &map, "--all", "--times", times, "--format", "json"];
    let broken = linchpin(&arguments);
    let answer = json(&broken);
    assert_eq!(broken.status.code(), Some(1), "{answer:#}\n{}", stderr(&broken));
    assert_eq!(answer["schema"], "linchpin.counterpart/1");
    let last = answer["counterexamples"].as_array().expect("a list").last().expect("one broke it");
    assert!(last["bad"].as_u64() > Some(0) && last["fired"].as_u64() >= last["bad"].as_u64());

    let cluster = format!("systems/{system}/cluster.toml");
    let correct = linchpin(&["replay", "--map", &map, "--on", &cluster, "--format", "json"]);
    let answer = json(&correct);
    assert_eq!(answer["counterexamples"][0]["bad"], 0, "{answer:#}");
    assert_ne!(correct.status.code(), Some(1));
}

macro_rules! pairs {
    ($($name:ident: $system:literal, $switch:literal, $times:literal;)*) => {
        $(#[test] fn $name() { pair($system, $switch, $times); })*
    };
}

pairs! {
    broadcast_once: "broadcast", "simple", "1";
    broadcast_relayed: "broadcast", "classic", "1";
    broadcast_repeated: "broadcast", "retry", "1";
    lease_without_fencing: "lease-lock", "unfenced", "1";
    backup_promoted_whatever_it_has: "primary-backup", "any", "1";
    write_acknowledged_early: "primary-backup", "early", "1";
    // Which consumer gets the message that the specification gives the first is left to the system.
    message_acknowledged_early: "queue", "early", "5";
    participant_decides_alone: "two-phase-commit", "abort", "3";
    message_acknowledged_before_its_sync: "queue", "unsynced", "8";
    failed_sync_ignored: "queue", "unchecked", "8";
    broadcast_once_in_c: "broadcast-c", "simple", "1";
    broadcast_relayed_in_c: "broadcast-c", "classic", "1";
    broadcast_repeated_in_c: "broadcast-c", "retry", "1";
    commit_logged_late: "two-phase-commit", "late", "3";
    participant_waits_forever: "two-phase-commit", "wait", "3";
}

#[test]
fn a_specification_that_holds_leaves_nothing_to_try() {
    let output = linchpin(&["replay", "--map", "systems/broadcast/map.toml"]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        said.starts_with("HOLDS  specs/broadcast/acknowledged.ded, scenario paper\n"),
        "{said}"
    );
}

#[test]
fn a_recorded_counterexample_is_tried() {
    if !ready() {
        return;
    }
    let scratch = tempfile::tempdir().expect("a folder");
    let out = scratch.path().join("out");
    let out = out.to_str().expect("UTF-8");
    let check =
        ["check", "specs/broadcast/simple.ded", "--scenario", "losses", "--all", "--out", out];
    assert_eq!(linchpin(&check).status.code(), Some(1));
    let replay = ["replay", out, "--map", "systems/broadcast/map-simple.toml", "--format", "json"];
    let tried = linchpin(&[&replay[..], &["--run", "2"]].concat());
    assert_eq!(tried.status.code(), Some(1), "{}", stderr(&tried));
    let fault = &json(&tried)["counterexamples"][0]["faults"][0];
    assert_eq!(
        (&fault["fault"], &fault["by"][0]),
        (&"omit a->c @1".into(), &"omit a->c copy".into())
    );
    let missing = linchpin(&[&replay[..], &["--run", "9"]].concat());
    assert_eq!(missing.status.code(), Some(2));
    assert!(stderr(&missing).contains("has no run 9"), "{}", stderr(&missing));
}

#[test]
fn what_does_not_fit_together_is_said_at_once() {
    let scratch = tempfile::tempdir().expect("a folder");
    let root =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("it is there");
    let map = scratch.path().join("map.toml");
    let write = |text: &str| {
        let root = root.display();
        let head = format!(
            "specification = \"{root}/specs/broadcast/simple.ded\"\nscenario = \"losses\"\n\
             cluster = \"{root}/systems/broadcast/cluster-simple.toml\"\n"
        );
        fs::write(&map, head + text).expect("written");
    };
    let refused = |words: &[&str]| {
        let output = linchpin(&["replay", "--map", map.to_str().expect("UTF-8")]);
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(output.stdout.is_empty());
        for word in words {
            assert!(said.contains(word), "`{word}` should be said:\n{said}");
        }
    };
    write("[nodes]\na = \"a\"\nb = \"x\"\nz = \"c\"\n[messages]\nsaid = \"copy\"\n");
    refused(&[
        "[nodes] does not say which node `c` is",
        "the specification has no node `z`",
        "cluster-simple.toml has no node `x`",
        "the specification has no relation `said`",
    ]);
    let nodes = "[nodes]\na = \"a\"\nb = \"b\"\nc = \"c\"\n";
    write(&format!("{nodes}[messages]\ndelivered = \"copy\"\n"));
    refused(&["the map does not say what stands for `omit a->b @1`: add `omit` to [faults]"]);
    write(&format!("{nodes}[faults]\nomit = \"omit\"\n"));
    refused(&["concerns no message that has a counterpart", "sends `delivered`"]);
    write(&format!("{nodes}[faults]\nomit = \"lost\"\n"));
    refused(&["`lost` stands for no loss", "line 9"]);
}
