//! `linchpin run CLUSTER.toml --fault` and `linchpin replay`, on the small systems of `systems/`: a
//! hand-placed fault breaks the variant with the bug each time, and not the correct one.

mod command;
mod processes;

use command::{linchpin, stderr, stdout};
use processes::ready;

/// The primary is cut off before it answers the client, and makes no step after: whatever its
/// threads do meanwhile, no backup hears of the write.
const CUT: &str = "partition a | b,c before send a->client written";
const CRASH: &str = "crash a after send a->client written";

#[test]
fn a_hand_placed_crash_breaks_the_early_acknowledgement_each_time() {
    if !ready() {
        return;
    }
    let scratch = tempfile::tempdir().unwrap();
    let folder = scratch.path().join("out");
    let folder = folder.to_str().unwrap();
    let run = linchpin(&[
        "run",
        "systems/primary-backup/cluster-early.toml",
        // A second write, acknowledged by the next primary, would hide that the first is lost.
        "--parameter",
        "writes=1",
        "--fault",
        CUT,
        "--fault",
        CRASH,
        "--out",
        folder,
    ]);
    assert_eq!(run.status.code(), Some(1), "{}{}", stdout(&run), stderr(&run));
    let fired = "fault: crash a after send a->client written: fired after send a->client written port 7000\n";
    assert!(stdout(&run).contains(fired), "{}", stdout(&run));
    assert!(stdout(&run).contains("outcome: bad (lost-write: "), "{}", stdout(&run));

    let replay = linchpin(&["replay", folder, "--times", "3", "--format", "json"]);
    assert_eq!(replay.status.code(), Some(1), "{}{}", stdout(&replay), stderr(&replay));
    let answer: serde_json::Value = serde_json::from_slice(&replay.stdout).unwrap();
    assert_eq!(
        [&answer["times"], &answer["same_events"], &answer["same_outcome"]],
        [3, 3, 3],
        "{answer:#}"
    );
}

#[test]
fn the_same_crash_does_not_break_the_correct_system() {
    if !ready() {
        return;
    }
    let cluster = "systems/primary-backup/cluster.toml";
    let run = linchpin(&["run", cluster, "--fault", CUT, "--fault", CRASH]);
    assert_eq!(run.status.code(), Some(0), "{}{}", stdout(&run), stderr(&run));
    assert!(
        stdout(&run).contains("fired after send a->client written port 7000\n"),
        "{}",
        stdout(&run)
    );
}

#[test]
fn a_fault_that_never_fires_proves_nothing() {
    if !ready() {
        return;
    }
    let cluster = "systems/broadcast/cluster.toml";
    let run = linchpin(&["run", cluster, "--fault", "crash a after send a->b nonsense"]);
    assert_eq!(run.status.code(), Some(3), "{}{}", stdout(&run), stderr(&run));
    assert!(stdout(&run).contains("never fired (seen: send a->"), "{}", stdout(&run));
    assert!(stdout(&run).contains("outcome: good"), "{}", stdout(&run));
}

#[test]
fn every_mistake_is_shown_before_anything_runs() {
    let scratch = tempfile::tempdir().unwrap();
    let file = scratch.path().join("faults");
    std::fs::write(&file, "crash a at 1s\ncrahs a\n").unwrap();
    let file = file.to_str().unwrap();
    let cluster = "systems/broadcast/cluster.toml";
    let run = linchpin(&["run", cluster, "--fault", "crash z @3", "--faults", file]);
    assert_eq!(run.status.code(), Some(2));
    let told = stderr(&run);
    for expected in [
        "time steps are those of specifications",
        "there is no effect `crahs`",
        ":2:1",
        "hint: did you mean `crash`?",
    ] {
        assert!(told.contains(expected), "{told}");
    }
    for wrong in [
        &["run", "specs/broadcast/simple.ded", "--eot", "4", "--seed", "3"][..],
        &["run", cluster, "--eot", "4"],
        &["run", cluster, "--fault", "crash nobody"],
        &["run", "no-such.toml"],
        &["replay", "no-such-folder"],
    ] {
        let output = linchpin(wrong);
        assert_eq!(output.status.code(), Some(2), "{wrong:?}: {}", stderr(&output));
        assert!(!stderr(&output).is_empty(), "{wrong:?}");
    }
}
