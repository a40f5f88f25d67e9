//! The table in `docs/tracing/system-calls.md` says what the code does.

use std::collections::BTreeMap;
use std::path::Path;

use linchpin_tracer::{Call, Selected};

#[test]
fn the_table_of_system_calls_is_that_of_the_code() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/tracing/system-calls.md");
    let text = std::fs::read_to_string(path).expect("the document is there");
    let mut documented = BTreeMap::new();
    for line in text.lines() {
        let cells: Vec<&str> = line.split('|').map(str::trim).collect();
        let [_, calls, status, ..] = cells[..] else { continue };
        if !["covered", "observed", "on request", "denied"].contains(&status) {
            continue;
        }
        for call in calls.split(',') {
            documented.insert(call.trim().trim_matches('`').to_owned(), status.to_owned());
        }
    }
    let mut expected = BTreeMap::new();
    for call in Call::ALL {
        let status = match call {
            _ if call.denied() => "denied",
            _ if matches!(call.selected(), Selected::WithFiles | Selected::WithWrites) => {
                "on request"
            }
            Call::Fsync
            | Call::Fdatasync
            | Call::SyncFileRange
            | Call::Msync
            | Call::Sync
            | Call::Syncfs => "observed",
            _ => "covered",
        };
        expected.insert(call.name().to_owned(), status.to_owned());
    }
    assert_eq!(documented, expected);
}
