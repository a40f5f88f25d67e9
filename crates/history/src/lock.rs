//! Checkers of locks: mutual exclusion and fencing.

use serde_json::Value;

use crate::checker::Checker;
use crate::event::Action;
use crate::operation::{History, Operation};
use crate::report::{Report, Violation};

/// A process that has a lock: from the answer to its acquire to the invocation of its release.
struct Holding {
    acquire: usize,
    release: Option<usize>,
    from: usize,
    to: usize,
}

/// The acquires, releases and fenced writes of one key.
struct Lock<'a> {
    history: &'a History,
    key: Option<Value>,
    indexes: Vec<usize>,
}

fn locks(history: &History) -> Vec<Lock<'_>> {
    let by_key = history.by_key();
    let lock = |indexes: Vec<usize>| Lock {
        history,
        key: history.operations[indexes[0]].key.clone(),
        indexes,
    };
    by_key.into_values().map(lock).collect()
}

impl<'a> Lock<'a> {
    fn all(&self, wanted: impl Fn(&Operation) -> bool) -> Vec<(usize, &'a Operation)> {
        let operations =
            self.indexes.iter().map(|index| (*index, &self.history.operations[*index]));
        operations.filter(|(_, operation)| wanted(operation)).collect()
    }

    fn violation(&self, rule: &'static str, message: String, mut witness: Vec<usize>) -> Violation {
        witness.sort_unstable();
        Violation { rule, key: self.key.clone(), message, witness }
    }

    fn name(&self) -> String {
        self.key.as_ref().map_or_else(|| "the lock".to_owned(), |key| format!("the lock {key}"))
    }

    /// When who certainly held it. A process that never asked to release holds it to the end.
    fn holdings(&self) -> Vec<Holding> {
        let acquires =
            self.all(|operation| operation.action == Action::Acquire && operation.is_ok());
        let releases = self.all(|operation| operation.action == Action::Release);
        let mut holdings: Vec<Holding> = acquires
            .into_iter()
            .map(|(index, acquire)| {
                let from = acquire.end();
                let release = releases.iter().find(|(_, release)| {
                    release.process == acquire.process && release.start() > from
                });
                Holding {
                    acquire: index,
                    release: release.map(|(index, _)| *index),
                    from,
                    to: release.map_or(usize::MAX, |(_, release)| release.start()),
                }
            })
            .collect();
        holdings.sort_by_key(|holding| holding.from);
        holdings
    }
}

/// Two processes that hold a lock at the same time.
pub(crate) fn mutual_exclusion(history: &History) -> Report {
    let mut violations = Vec::new();
    let (mut keys, mut acquired) = (0, 0);
    for lock in locks(history) {
        let holdings = lock.holdings();
        keys += usize::from(!holdings.is_empty());
        acquired += holdings.len();
        let mut longest: Option<&Holding> = None;
        for holding in &holdings {
            if let Some(other) = longest.filter(|other| other.to > holding.from) {
                violations.push(held_twice(&lock, other, holding));
            }
            longest = longest.filter(|other| other.to >= holding.to).or(Some(holding));
        }
    }
    Report::new(Checker::MutualExclusion, vec![("locks", keys), ("acquired", acquired)])
        .with_violations(violations)
        .vacuous_if(acquired == 0, "no lock was acquired")
}

fn held_twice(lock: &Lock<'_>, first: &Holding, second: &Holding) -> Violation {
    let process = |holding: &Holding| {
        crate::timeline::name(&lock.history.operations[holding.acquire].process)
    };
    let message = format!(
        "Process {} acquired {} while process {} held it.",
        process(second),
        lock.name(),
        process(first)
    );
    let witness = [Some(first.acquire), Some(second.acquire), first.release, second.release];
    lock.violation("held-twice", message, witness.into_iter().flatten().collect())
}

/// Fencing tokens that do not increase, and writes accepted after one with a newer token (Kleppmann, "How to do distributed
/// locking", 2016; the sequencers of Burrows, "The Chubby lock service", OSDI 2006, section 2.4).
pub(crate) fn fencing(history: &History) -> Report {
    let mut violations = Vec::new();
    let (mut acquired, mut written) = (0, 0);
    for lock in locks(history) {
        let fenced = |operation: &Operation| operation.is_ok() && operation.token.is_some();
        let acquires =
            lock.all(|operation| fenced(operation) && operation.action == Action::Acquire);
        let changes = [Action::Write, Action::Cas, Action::Add, Action::Enqueue];
        let writes = lock.all(|operation| fenced(operation) && changes.contains(&operation.action));
        acquired += acquires.len();
        written += writes.len();
        if let Some((earlier, later)) = out_of_order(&acquires, true) {
            let (old, new) = (token(&lock, earlier), token(&lock, later));
            let message = format!(
                "{} was acquired with token {new} after it had been acquired with token {old}: tokens must increase.",
                capitalized(&lock.name())
            );
            violations.push(lock.violation("token-not-increasing", message, vec![earlier, later]));
        }
        if let Some((earlier, later)) = out_of_order(&writes, false) {
            let (new, old) = (token(&lock, earlier), token(&lock, later));
            let message = format!(
                "An operation with token {old} was accepted after one with the newer token {new} had been."
            );
            violations.push(lock.violation("old-token-accepted", message, vec![earlier, later]));
        }
    }
    Report::new(
        Checker::Fencing,
        vec![("acquired with a token", acquired), ("accepted with a token", written)],
    )
    .with_violations(violations)
    .vacuous_if(acquired + written < 2, "fewer than two operations that succeeded carry a `token`")
}

fn token(lock: &Lock<'_>, index: usize) -> i64 {
    lock.history.operations[index].token.unwrap_or(0)
}

fn capitalized(text: &str) -> String {
    let mut characters = text.chars();
    characters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

/// The first two operations of which one completed before the other was invoked, and the tokens go down (or, if `strict`, stay).
fn out_of_order(operations: &[(usize, &Operation)], strict: bool) -> Option<(usize, usize)> {
    let mut by_end: Vec<&(usize, &Operation)> = operations.iter().collect();
    by_end.sort_by_key(|(_, operation)| operation.end());
    let mut by_start: Vec<&(usize, &Operation)> = operations.iter().collect();
    by_start.sort_by_key(|(_, operation)| operation.start());
    let mut completed = by_end.into_iter().peekable();
    let mut highest: Option<&(usize, &Operation)> = None;
    for later in by_start {
        while let Some(earlier) =
            completed.next_if(|(_, operation)| operation.end() < later.1.start())
        {
            highest = highest.filter(|(_, high)| high.token >= earlier.1.token).or(Some(earlier));
        }
        let wrong = |(_, high): &&(usize, &Operation)| {
            later.1.token < high.token || (strict && later.1.token == high.token)
        };
        if let Some(earlier) = highest.filter(wrong) {
            return Some((earlier.0, later.0));
        }
    }
    None
}
