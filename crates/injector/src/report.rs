//! What became of each fault.

use std::fmt;

use linchpin_tracker::EventId;
use serde::{Deserialize, Serialize};

/// One time a fault took effect.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Firing {
    /// The event it took effect at, by a name that means the same in the next run; or the time.
    pub at: String,
    /// The event in this run's record; `None` for a time.
    pub event: Option<EventId>,
    /// Nanoseconds since the start of the session. For people only.
    pub time_ns: u64,
}

/// What became of one fault in one run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaultReport {
    /// The fault, as it is written.
    pub fault: String,
    /// When it took effect: the first hundred times.
    pub firings: Vec<Firing>,
    /// How many times it took effect.
    pub count: u64,
    /// Why it never did, as far as is known.
    pub reason: Option<String>,
    /// What went wrong while it was carried out.
    pub problems: Vec<String>,
}

impl FaultReport {
    /// True if it took effect, as it was meant to.
    pub fn fired(&self) -> bool {
        self.count > 0 && self.problems.is_empty()
    }

    /// The names of the events it took effect at: equal in two runs that did the same.
    pub fn events(&self) -> Vec<&str> {
        self.firings.iter().map(|firing| firing.at.as_str()).collect()
    }
}

impl fmt::Display for FaultReport {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}: ", self.fault)?;
        match (self.firings.first(), self.count) {
            (Some(first), 1) => write!(out, "fired {}", first.at)?,
            (Some(first), count) => write!(out, "fired {count} times, first {}", first.at)?,
            (None, _) => {
                out.write_str("never fired")?;
                if let Some(reason) = &self.reason {
                    write!(out, " ({reason})")?;
                }
            }
        }
        for problem in &self.problems {
            write!(out, "; {problem}")?;
        }
        Ok(())
    }
}
