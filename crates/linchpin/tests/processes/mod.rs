//! What tests of real processes share.

use std::process::Command;

/// Whether the programs of `systems/` run here. Says why a test does nothing, which is a failure
/// where everything must run.
pub(crate) fn ready() -> bool {
    let new_enough = Command::new("python3").args(["-c", "import tomllib"]).output();
    if new_enough.is_ok_and(|output| output.status.success()) {
        return true;
    }
    let why = "python3 is missing or older than 3.11";
    assert!(std::env::var_os("LINCHPIN_REQUIRE_ALL").is_none(), "{why}");
    println!("skipped: {why}");
    false
}
