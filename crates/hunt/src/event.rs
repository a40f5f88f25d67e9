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

    /// Which of its kind it is, from 1.
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
        match &mut kind {
            Self::Send(message) | Self::Receive(message) => message.occurrence = 0,
            Self::Write { occurrence, .. } | Self::Sync { occurrence, .. } => *occurrence = 0,
        }
        kind
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

/// A label behind a space, in quotes where it would not read as one word; nothing if there is none.
pub(crate) struct Word<'a>(pub(crate) &'a str);

impl fmt::Display for Word<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Words of the language of faults.
        const RESERVED: [&str; 13] = [
            "before",
            "after",
            "at",
            "from",
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
            write!(f, " {:?}", self.0)
        }
    }
}
