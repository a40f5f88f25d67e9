//! Names of events that mean the same in the next run.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A message by who sends it to whom, what it says, and which of its kind it is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct MessageName {
    /// The sending node.
    pub from: String,
    /// The receiving node.
    pub to: String,
    /// What it says, without values; empty if that is not known.
    pub label: String,
    /// Which message of this sender, receiver and label, from 1. Without a label: which of all
    /// messages of this sender and receiver.
    pub occurrence: u32,
}

/// An event at the boundary of a node: what others, or its disk, can see of it.
///
/// Written as in a fault: `send a->b REPL #2`, `recv b<-a REPL #2`, `write a #1`, `fsync a #1`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventName {
    /// A node sends a message.
    Send(MessageName),
    /// A node receives it.
    Receive(MessageName),
    /// A node writes to a file.
    Write {
        /// The node.
        node: String,
        /// Which of its writes, from 1.
        occurrence: u32,
    },
    /// A node waits until what it wrote is on disk.
    Sync {
        /// The node.
        node: String,
        /// Which of its syncs, from 1.
        occurrence: u32,
    },
}

impl EventName {
    /// Reads a name as it is written; `None` if it is none.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (what, occurrence) = text.rsplit_once(" #")?;
        let occurrence = occurrence.parse().ok()?;
        let (kind, what) = what.split_once(' ')?;
        let (link, label) = what.split_once(' ').unwrap_or((what, ""));
        let message = |from: &str, to: &str| {
            let (from, to) = (from.to_owned(), to.to_owned());
            Some(MessageName { from, to, label: unquoted(label)?, occurrence })
        };
        let node = link.to_owned();
        match kind {
            "send" => {
                link.split_once("->").and_then(|(from, to)| message(from, to)).map(Self::Send)
            }
            "recv" => {
                link.split_once("<-").and_then(|(to, from)| message(from, to)).map(Self::Receive)
            }
            "write" => Some(Self::Write { node, occurrence }),
            "fsync" => Some(Self::Sync { node, occurrence }),
            _ => None,
        }
    }

    /// The node it happens at.
    #[must_use]
    pub fn node(&self) -> &str {
        match self {
            Self::Send(message) => &message.from,
            Self::Receive(message) => &message.to,
            Self::Write { node, .. } | Self::Sync { node, .. } => node,
        }
    }

    /// The message sent or received.
    #[must_use]
    pub fn message(&self) -> Option<&MessageName> {
        match self {
            Self::Send(message) | Self::Receive(message) => Some(message),
            Self::Write { .. } | Self::Sync { .. } => None,
        }
    }

    /// Which of its kind it is, from 1; 0 if it came before the workload sent anything.
    #[must_use]
    pub fn occurrence(&self) -> u32 {
        match self {
            Self::Send(message) | Self::Receive(message) => message.occurrence,
            Self::Write { occurrence, .. } | Self::Sync { occurrence, .. } => *occurrence,
        }
    }

    /// True if others can see it, or if it survives the process: what a crash can come before or
    /// after. What a node receives and does nothing with, nobody can tell from not receiving it.
    #[must_use]
    pub fn is_visible(&self) -> bool {
        !matches!(self, Self::Receive(_))
    }

    /// The same for all events that differ only in their number: retries, polls, heartbeats.
    #[must_use]
    pub fn kind(&self) -> Self {
        let mut kind = self.clone();
        kind.set_occurrence(0);
        kind
    }

    /// The names under which an event is counted. A message without a label counts among all of its link, as
    /// it does for a fault.
    pub(crate) fn counted_as(&self) -> Vec<Self> {
        let own = self.kind();
        let mut all = own.clone();
        if let Self::Send(message) | Self::Receive(message) = &mut all {
            message.label.clear();
        }
        if own == all { vec![own] } else { vec![own, all] }
    }

    pub(crate) fn set_occurrence(&mut self, number: u32) {
        match self {
            Self::Send(message) | Self::Receive(message) => message.occurrence = number,
            Self::Write { occurrence, .. } | Self::Sync { occurrence, .. } => *occurrence = number,
        }
    }
}

impl fmt::Display for EventName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Send(MessageName { from, to, label, occurrence }) => {
                write!(f, "send {from}->{to}{} #{occurrence}", Word(label))
            }
            Self::Receive(MessageName { from, to, label, occurrence }) => {
                write!(f, "recv {to}<-{from}{} #{occurrence}", Word(label))
            }
            Self::Write { node, occurrence } => write!(f, "write {node} #{occurrence}"),
            Self::Sync { node, occurrence } => write!(f, "fsync {node} #{occurrence}"),
        }
    }
}

/// What [`Word`] wrote.
fn unquoted(label: &str) -> Option<String> {
    let Some(inside) = label.strip_prefix('"') else { return Some(label.to_owned()) };
    let mut rest = inside.strip_suffix('"')?.chars();
    let mut text = String::new();
    while let Some(next) = rest.next() {
        text.push(if next == '\\' { rest.next()? } else { next });
    }
    Some(text)
}

/// A label behind a space, in quotes where it would not read as one word; nothing if there is none.
pub(crate) struct Word<'a>(pub(crate) &'a str);

impl fmt::Display for Word<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Words of the language of faults.
        const RESERVED: [&str; 14] = [
            "before",
            "after",
            "at",
            "from",
            "since",
            "until",
            "for",
            "by",
            "to",
            "byte",
            "port",
            "connection",
            "keep",
            "lose",
        ];
        let plain = |c: char| c.is_alphanumeric() || "_-".contains(c);
        if self.0.is_empty() {
            Ok(())
        } else if self.0.chars().all(plain) && !RESERVED.contains(&self.0) {
            write!(f, " {}", self.0)
        } else {
            // The language of faults knows these two escapes only.
            write!(f, " \"{}\"", self.0.replace('\\', "\\\\").replace('"', "\\\""))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_as_they_are_written() {
        for label in ["", "REPL", "GET /x y", "before", "a \"b\" \\ #3", "\u{202e}\n\0é"] {
            let name = |occurrence| MessageName {
                from: "node-1".to_owned(),
                to: "client".to_owned(),
                label: label.to_owned(),
                occurrence,
            };
            for event in [EventName::Send(name(1)), EventName::Receive(name(12))] {
                assert_eq!(EventName::parse(&event.to_string()), Some(event));
            }
        }
        for text in ["write a #3", "fsync b #1"] {
            assert_eq!(
                EventName::parse(text).map(|event| event.to_string()),
                Some(text.to_owned())
            );
        }
        for text in
            ["", "send", "send a->b", "send ab X #1", "recv a<-b \"X #1", "open a #1", "fsync a #x"]
        {
            assert_eq!(EventName::parse(text), None, "{text}");
        }
    }
}
