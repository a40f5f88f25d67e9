//! What all tests of traced programs share.

use std::process::{Command, Stdio};
use std::time::Duration;

/// Longest a traced program may run.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// True if a program can be run.
#[allow(dead_code, reason = "not every test file asks")]
pub(crate) fn have(program: &str) -> bool {
    Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok()
}

/// Says why a test does nothing, which is a failure where everything must run.
#[allow(dead_code, reason = "not every test binary skips")]
pub(crate) fn skipped(why: &str) {
    assert!(std::env::var_os("LINCHPIN_REQUIRE_ALL").is_none(), "skipped: {why}");
    eprintln!("skipped: {why}");
}
