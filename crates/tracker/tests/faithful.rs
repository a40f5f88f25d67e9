//! Programs that print what every call of theirs gave them: under the tracer, which carries out
//! receives in place of the kernel, they print the same as without it.

mod common;

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use linchpin_tracer::{NodeId, Observer, Options, Status, launch};
use linchpin_tracker::Recorder;

/// Compiles a guest; `None` (and a word why) if this machine cannot.
fn compiled(name: &str, scratch: &Path) -> Option<PathBuf> {
    if !common::have("cc") {
        common::skipped("no cc");
        return None;
    }
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/faithful").join(name);
    let binary = scratch.join("guest");
    let made = Command::new("cc")
        .args(["-O1", "-Wall", "-pthread", "-o"])
        .args([&binary, &source])
        .output()
        .unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    Some(binary)
}

#[test]
fn receives_give_what_they_give_untraced() {
    let scratch = tempfile::tempdir().unwrap();
    let Some(guest) = compiled("receives.c", scratch.path()) else { return };
    let untraced = Command::new(&guest).stdin(Stdio::null()).output().unwrap();
    assert!(untraced.status.success(), "{untraced:?}");
    let untraced = String::from_utf8(untraced.stdout).unwrap();
    for narrow in [true, false] {
        let out = scratch.path().join("out");
        let mut command = Command::new(&guest);
        command.stdin(Stdio::null()).stdout(std::fs::File::create(&out).unwrap());
        let observer: Arc<dyn Observer> = Arc::new(Recorder::new());
        let options = Options { narrow, ..Options::default() };
        let running = launch(NodeId(0), command, options, observer, Instant::now()).unwrap();
        assert!(running.finished(common::LIMIT), "{}", std::fs::read_to_string(&out).unwrap());
        let report = running.wait().unwrap();
        let traced = std::fs::read_to_string(&out).unwrap();
        similar(&untraced, &traced);
        assert_eq!(report.status, Some(Status::Code(0)));
    }
}

/// Shows the first line that differs.
fn similar(untraced: &str, traced: &str) {
    let lines = untraced.lines().zip(traced.lines()).enumerate();
    for (number, (expected, found)) in lines {
        assert_eq!(expected, found, "line {} of\n{traced}", number + 1);
    }
    assert_eq!(untraced.lines().count(), traced.lines().count(), "{traced}");
}
