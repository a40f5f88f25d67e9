//! The small systems in `systems/`: good without faults, and under the faults that break their bugs the correct variants stay
//! good. The experiments are Python (`systems/tests`), and judge histories with the binary under test.

mod processes;

use std::path::Path;
use std::process::Command;

use processes::ready;

fn experiments(system: &str) {
    let tests = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../systems/tests");
    if !ready() {
        return;
    }
    let output = Command::new("python3")
        .args(["-B", "-m", "unittest", &format!("test_systems.{system}")])
        .current_dir(tests)
        .env("LINCHPIN", env!("CARGO_BIN_EXE_linchpin"))
        .output()
        .expect("python3 starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn broadcast() {
    experiments("Broadcast");
}

#[test]
fn primary_backup() {
    experiments("PrimaryBackup");
}

#[test]
fn two_phase_commit() {
    experiments("TwoPhaseCommit");
}

#[test]
fn lease_lock() {
    experiments("LeaseLock");
}

#[test]
fn queue() {
    experiments("Queue");
}
