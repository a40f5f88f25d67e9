//! Checkers of registers that need no search: lost writes, reads from nowhere, stale reads.
//!
//! Each is a necessary condition of linearizability that a system may promise without promising the whole.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::checker::Checker;
use crate::event::Action;
use crate::operation::{History, Operation};
use crate::report::{Report, Violation};

/// The writes and reads of one key that is no set.
pub(crate) struct Register<'a> {
    pub(crate) history: &'a History,
    pub(crate) key: Option<Value>,
    /// Writes and compare-and-sets, whatever their outcome.
    pub(crate) writes: Vec<usize>,
    /// Reads that returned.
    pub(crate) reads: Vec<usize>,
    /// Value -> the writes of it that took effect, or may have.
    writers: BTreeMap<String, Vec<usize>>,
}

/// The registers of a history, by key.
pub(crate) fn registers(history: &History) -> Vec<Register<'_>> {
    let mut registers = Vec::new();
    for indexes in history.by_key().into_values() {
        let operations = || indexes.iter().map(|index| (*index, &history.operations[*index]));
        if operations().any(|(_, operation)| operation.action == Action::Add) {
            continue;
        }
        let is_write =
            |operation: &Operation| matches!(operation.action, Action::Write | Action::Cas);
        let is_read = |operation: &Operation| operation.action == Action::Read && operation.is_ok();
        let select = |wanted: &dyn Fn(&Operation) -> bool| -> Vec<usize> {
            operations()
                .filter(|(_, operation)| wanted(operation))
                .map(|(index, _)| index)
                .collect()
        };
        let (writes, reads) = (select(&is_write), select(&is_read));
        if writes.is_empty() && reads.is_empty() {
            continue;
        }
        let mut writers: BTreeMap<String, Vec<usize>> = BTreeMap::new();
        for index in &writes {
            let write = &history.operations[*index];
            if write.may_count() {
                writers.entry(written(write).to_string()).or_default().push(*index);
            }
        }
        let key = history.operations[indexes[0]].key.clone();
        registers.push(Register { history, key, writes, reads, writers });
    }
    registers
}

/// What a write or compare-and-set leaves in the register.
pub(crate) fn written(write: &Operation) -> &Value {
    let input = write.input.as_ref().unwrap_or(&Value::Null);
    match write.action {
        Action::Cas => input.get(1).unwrap_or(&Value::Null),
        _ => input,
    }
}

impl<'a> Register<'a> {
    pub(crate) fn operation(&self, index: usize) -> &'a Operation {
        &self.history.operations[index]
    }

    /// ` of KEY`, or nothing where there is one object only.
    pub(crate) fn of_key(&self) -> String {
        self.key.as_ref().map_or_else(String::new, |key| format!(" of {key}"))
    }

    fn output(&self, read: usize) -> &'a Value {
        self.operation(read).output.as_ref().unwrap_or(&Value::Null)
    }

    /// The writes whose value the read may have seen.
    fn sources(&self, read: usize) -> Vec<usize> {
        let end = self.operation(read).end();
        let writers = self.writers.get(&self.output(read).to_string());
        let before = |write: &&usize| self.operation(**write).start() < end;
        writers.into_iter().flatten().filter(before).copied().collect()
    }

    /// The first position at which the value that the read returned is certainly old, unless written again: right after the
    /// latest end of its sources. `None` if it came from nowhere. The register begins with null.
    fn old_from(&self, read: usize) -> Option<usize> {
        let ends = self
            .sources(read)
            .into_iter()
            .map(|write| self.operation(write).end().saturating_add(1));
        ends.max().or(self.output(read).is_null().then_some(0))
    }

    fn violation(&self, rule: &'static str, message: String, mut witness: Vec<usize>) -> Violation {
        witness.sort_unstable();
        witness.dedup();
        Violation { rule, key: self.key.clone(), message, witness }
    }
}

fn totals(registers: &[Register<'_>]) -> Vec<(&'static str, usize)> {
    let acknowledged = |register: &Register<'_>| {
        register.writes.iter().filter(|write| register.operation(**write).is_ok()).count()
    };
    vec![
        ("keys", registers.len()),
        ("writes", registers.iter().map(|register| register.writes.len()).sum()),
        ("acknowledged writes", registers.iter().map(acknowledged).sum()),
        ("reads", registers.iter().map(|register| register.reads.len()).sum()),
    ]
}

/// Final reads that do not find an acknowledged write, nor anything that may have overwritten it.
pub(crate) fn lost_writes(history: &History) -> Report {
    let registers = registers(history);
    let finals = |register: &Register<'_>| -> Vec<usize> {
        let is_final = |read: &&usize| register.operation(**read).is_final;
        register.reads.iter().filter(is_final).copied().collect()
    };
    let mut violations = Vec::new();
    let (mut judged, mut unread) = (0, 0);
    for register in &registers {
        let acknowledged = register.writes.iter().any(|write| register.operation(*write).is_ok());
        let finals = finals(register);
        judged += usize::from(acknowledged && !finals.is_empty());
        unread += usize::from(acknowledged && finals.is_empty());
        violations.extend(finals.into_iter().filter_map(|read| lost_write(register, read)));
    }
    Report::new(Checker::LostWrite, totals(&registers))
        .with_violations(violations)
        .vacuous_if(
            judged == 0,
            "no key has both an acknowledged write and a final read that succeeded: read each key once more after the \
             faults, with \"final\": true (elements of a set are judged by the checker `set`)",
        )
        .unknown_if(unread > 0, "some keys with acknowledged writes have no final read that succeeded")
}

/// The last acknowledged write that a final read should have found, if it did not.
fn lost_write(register: &Register<'_>, read: usize) -> Option<Violation> {
    let begin = register.operation(read).start();
    let old_from = register.old_from(read).unwrap_or(0);
    let output = register.output(read);
    let lost = register.writes.iter().copied().filter(|write| {
        let write = register.operation(*write);
        let found = written(write) == output;
        write.is_ok() && write.end() < begin && old_from <= write.start() && !found
    });
    // The first of them is lost whatever the others did, but the last one has the shortest story.
    let lost = lost.max_by_key(|write| register.operation(*write).end())?;
    let to_key = register.key.as_ref().map_or_else(String::new, |key| format!(" to {key}"));
    let value = written(register.operation(lost));
    let source =
        register.sources(read).into_iter().max_by_key(|write| register.operation(*write).end());
    let why = match source {
        Some(_) => format!("{output}, which was written before {value}"),
        None if output.is_null() => "nothing".to_owned(),
        None => format!("{output}, which nobody wrote"),
    };
    let message =
        format!("The write of {value}{to_key} was acknowledged, but the final read found {why}.");
    let witness = source.into_iter().chain([lost, read]).collect();
    Some(register.violation("lost-write", message, witness))
}

/// Reads of what was never written, was written in vain, or was written only later.
pub(crate) fn unwritten_reads(history: &History) -> Report {
    let registers = registers(history);
    let judged = registers.iter().any(|register| !register.reads.is_empty());
    let violations = registers.iter().flat_map(|register| {
        let unwritten = register.reads.iter().filter(|read| register.old_from(**read).is_none());
        unwritten.map(|read| unwritten_read(register, *read))
    });
    let violations = violations.collect();
    Report::new(Checker::UnwrittenRead, totals(&registers))
        .with_violations(violations)
        .vacuous_if(!judged, "no read succeeded")
}

fn unwritten_read(register: &Register<'_>, read: usize) -> Violation {
    let output = register.output(read);
    let of_key = register.of_key();
    let same = |write: &&usize| written(register.operation(**write)) == output;
    let later =
        register.writes.iter().filter(same).find(|write| register.operation(**write).may_count());
    let failed = register.writes.iter().find(same);
    let why = match (later, failed) {
        (Some(_), _) => "which was written only after the read had returned",
        (None, Some(_)) => "of which the only write failed",
        (None, None) => "which nobody wrote",
    };
    let message = format!("A read{of_key} returned {output}, {why}.");
    register.violation(
        "unwritten-read",
        message,
        later.or(failed).into_iter().copied().chain([read]).collect(),
    )
}

/// A write that took effect by a certain moment.
#[derive(Clone, Copy)]
struct Established {
    by: usize,
    write: usize,
    /// The read that shows it, where the write was not acknowledged in time.
    seen_by: Option<usize>,
}

/// Reads of a value that was overwritten before the read began.
pub(crate) fn stale_reads(history: &History) -> Report {
    let registers = registers(history);
    let judged =
        registers.iter().any(|register| !register.reads.is_empty() && !register.writes.is_empty());
    let mut violations = Vec::new();
    for register in &registers {
        let latest = latest(register);
        violations
            .extend(register.reads.iter().filter_map(|read| stale_read(register, &latest, *read)));
    }
    Report::new(Checker::StaleRead, totals(&registers))
        .with_violations(violations)
        .vacuous_if(!judged, "no key has both a write and a read that succeeded")
}

/// The writes known to have taken effect, by when they were known to, each with the latest invocation so far.
fn latest(register: &Register<'_>) -> Vec<Established> {
    let acknowledged = register.writes.iter().filter(|write| register.operation(**write).is_ok());
    let mut established: Vec<Established> = acknowledged
        .map(|write| Established {
            by: register.operation(*write).end(),
            write: *write,
            seen_by: None,
        })
        .collect();
    for read in &register.reads {
        let writers = register.writers.get(&register.output(*read).to_string());
        // Of two writes of the same value nobody knows which one was read.
        if let Some([write]) = writers.map(Vec::as_slice) {
            let by = register.operation(*read).end();
            established.push(Established { by, write: *write, seen_by: Some(*read) });
        }
    }
    established.sort_by_key(|entry| entry.by);
    let mut best: Option<Established> = None;
    for entry in &mut established {
        let start = |entry: &Established| register.operation(entry.write).start();
        match best {
            Some(best) if start(&best) >= start(entry) => {
                *entry = Established { by: entry.by, ..best }
            }
            _ => best = Some(*entry),
        }
    }
    established
}

fn stale_read(register: &Register<'_>, latest: &[Established], read: usize) -> Option<Violation> {
    let begin = register.operation(read).start();
    let old_from = register.old_from(read)?;
    let known =
        latest.partition_point(|entry| entry.by < begin).checked_sub(1).map(|at| latest[at])?;
    let newer = register.operation(known.write);
    if old_from > newer.start() || written(newer) == register.output(read) {
        return None;
    }
    let (output, value, of_key) = (register.output(read), written(newer), register.of_key());
    let how = match known.seen_by {
        None => "had been acknowledged",
        Some(_) => "had been read",
    };
    let message =
        format!("A read{of_key} returned {output} after the later write of {value} {how}.");
    let source =
        register.sources(read).into_iter().max_by_key(|write| register.operation(*write).end());
    let witness = source.into_iter().chain(known.seen_by).chain([known.write, read]).collect();
    Some(register.violation("stale-read", message, witness))
}
