//! The checkers by name.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::operation::History;
use crate::report::Report;
use crate::{linearizability, lock, register, totals};

/// A property that histories are judged by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Checker {
    /// What was acknowledged, the final reads find, unless it may have been overwritten since.
    LostWrite,
    /// Nobody reads what was not written.
    UnwrittenRead,
    /// Nobody reads what was overwritten before the read began.
    StaleRead,
    /// Each register behaves as if every operation took place at one moment between its invocation and its completion
    /// (Herlihy and Wing, TOPLAS 1990).
    LinearizableRegister,
    /// No identifier is given out twice.
    UniqueIds,
    /// Final reads of a set find every acknowledged element, once, and nothing that was not added.
    Set,
    /// What was enqueued and acknowledged is dequeued, at least once, and nothing else is.
    Queue,
    /// The same, exactly once.
    QueueOnce,
    /// No two processes hold a lock at the same time.
    MutualExclusion,
    /// Fencing tokens increase, and no write with an older token is accepted after one with a newer token.
    Fencing,
}

impl Checker {
    /// All of them.
    pub const ALL: [Self; 10] = [
        Self::LostWrite,
        Self::UnwrittenRead,
        Self::StaleRead,
        Self::LinearizableRegister,
        Self::UniqueIds,
        Self::Set,
        Self::Queue,
        Self::QueueOnce,
        Self::MutualExclusion,
        Self::Fencing,
    ];

    /// As it is named on the command line and in files.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::LostWrite => "lost-write",
            Self::UnwrittenRead => "unwritten-read",
            Self::StaleRead => "stale-read",
            Self::LinearizableRegister => "linearizable-register",
            Self::UniqueIds => "unique-ids",
            Self::Set => "set",
            Self::Queue => "queue",
            Self::QueueOnce => "queue-once",
            Self::MutualExclusion => "mutual-exclusion",
            Self::Fencing => "fencing",
        }
    }

    /// The property in one line.
    #[must_use]
    pub fn about(self) -> &'static str {
        match self {
            Self::LostWrite => "final reads find every acknowledged write that nothing overwrote",
            Self::UnwrittenRead => "nobody reads a value that was not written",
            Self::StaleRead => "nobody reads a value that was overwritten before the read began",
            Self::LinearizableRegister => "each key is a linearizable register (write, read, cas)",
            Self::UniqueIds => "no generated identifier is given out twice",
            Self::Set => "final reads of a set hold what was added, all of it, once",
            Self::Queue => "what was enqueued is dequeued, at least once",
            Self::QueueOnce => "what was enqueued is dequeued, exactly once",
            Self::MutualExclusion => "no two processes hold a lock at the same time",
            Self::Fencing => {
                "tokens of a lock increase, and no older token is accepted after a newer one"
            }
        }
    }
}

impl fmt::Display for Checker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Occurs when a name is no checker's.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("there is no checker `{name}`; there are {}", names())]
pub struct UnknownChecker {
    name: String,
}

fn names() -> String {
    Checker::ALL.map(Checker::name).join(", ")
}

impl FromStr for Checker {
    type Err = UnknownChecker;

    fn from_str(name: &str) -> Result<Self, UnknownChecker> {
        let checker = Self::ALL.into_iter().find(|checker| checker.name() == name);
        // Short for the checker most often asked for.
        let checker = checker.or((name == "register").then_some(Self::LinearizableRegister));
        checker.ok_or_else(|| UnknownChecker { name: name.to_owned() })
    }
}

/// When to give up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// How many configurations the search for a linearization may visit per key. A million take about a second.
    pub configurations: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { configurations: 5_000_000 }
    }
}

/// Judges a history by one property.
#[must_use]
pub fn check(history: &History, checker: Checker, limits: &Limits) -> Report {
    match checker {
        Checker::LostWrite => register::lost_writes(history),
        Checker::UnwrittenRead => register::unwritten_reads(history),
        Checker::StaleRead => register::stale_reads(history),
        Checker::LinearizableRegister => linearizability::check(history, limits),
        Checker::UniqueIds => totals::unique_ids(history),
        Checker::Set => totals::set(history),
        Checker::Queue => totals::queue(history, checker),
        Checker::QueueOnce => totals::queue(history, checker),
        Checker::MutualExclusion => lock::mutual_exclusion(history),
        Checker::Fencing => lock::fencing(history),
    }
}
