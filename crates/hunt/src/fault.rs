//! Faults as the hunt proposes them: what happens, where, and at which event.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::event::{EventName, MessageName, Word};

/// What can go wrong. Budgets count by kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// The process is killed; its peers see the end of their connections.
    Crash,
    /// The host goes quiet: its peers hear nothing more.
    SilentCrash,
    /// The host goes quiet, what was not synced is gone, and it is started again.
    PowerLoss,
    /// The process is killed and started again with its data.
    Restart,
    /// The process stands still for a while.
    Pause,
    /// Two groups of nodes cannot reach each other until the faults are healed.
    Partition,
    /// What one node sends to another is held until the faults are healed.
    Stall,
    /// One message, and what follows it, arrives late.
    Delay,
    /// One datagram is lost.
    Loss,
    /// One datagram comes twice.
    Duplicate,
    /// A byte of one message is another.
    Corrupt,
    /// Connections from one node to another are refused until the faults are healed.
    Refuse,
    /// The connections of two nodes are reset.
    Reset,
    /// A durable write fails.
    Error,
    /// The workload is given another value of a parameter; not a fault, and in no budget.
    Input,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 15] = [
        Self::Crash,
        Self::SilentCrash,
        Self::PowerLoss,
        Self::Restart,
        Self::Pause,
        Self::Partition,
        Self::Stall,
        Self::Delay,
        Self::Loss,
        Self::Duplicate,
        Self::Corrupt,
        Self::Refuse,
        Self::Reset,
        Self::Error,
        Self::Input,
    ];

    /// Its name in cluster files and reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Crash => "crash",
            Self::SilentCrash => "silent-crash",
            Self::PowerLoss => "power-loss",
            Self::Restart => "restart",
            Self::Pause => "pause",
            Self::Partition => "partition",
            Self::Stall => "stall",
            Self::Delay => "delay",
            Self::Loss => "loss",
            Self::Duplicate => "duplicate",
            Self::Corrupt => "corrupt",
            Self::Refuse => "refuse",
            Self::Reset => "reset",
            Self::Error => "error",
            Self::Input => "input",
        }
    }

    /// It ends the process.
    #[must_use]
    pub fn is_crash(self) -> bool {
        matches!(self, Self::Crash | Self::SilentCrash | Self::PowerLoss | Self::Restart)
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// On which side of an event a fault strikes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Moment {
    /// The event does not take place any more.
    Before,
    /// It has taken place.
    After,
}

/// When a fault strikes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Trigger {
    /// On which side of the event.
    pub moment: Moment,
    /// The event.
    pub event: EventName,
}

/// One fault, or another input.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(tag = "fault", rename_all = "kebab-case")]
pub enum Fault {
    /// Something happens to a node.
    Node {
        /// A crash of some kind, or a pause.
        kind: Kind,
        /// The node.
        node: String,
        /// When.
        at: Trigger,
        /// Milliseconds until it goes on (pause) or is started again (restart, power loss).
        duration_ms: u64,
    },
    /// Nothing passes between two groups of nodes from an event on.
    Partition {
        /// One group.
        one: BTreeSet<String>,
        /// The other.
        other: BTreeSet<String>,
        /// Since when.
        at: Trigger,
    },
    /// Nothing that one node sends reaches another from a message on.
    Stall {
        /// The sender.
        from: String,
        /// The receiver.
        to: String,
        /// Since when.
        at: Trigger,
    },
    /// Connections from one node to another are refused from an event on.
    Refuse {
        /// Who connects.
        from: String,
        /// To whom.
        to: String,
        /// Since when.
        at: Trigger,
    },
    /// The connections of two nodes are reset; they may make new ones.
    Reset {
        /// The one.
        from: String,
        /// The other.
        to: String,
        /// When.
        at: Trigger,
    },
    /// A message arrives late; what follows it in the stream waits behind it.
    Delay {
        /// The message.
        message: MessageName,
        /// Milliseconds.
        duration_ms: u64,
    },
    /// A datagram is lost.
    Loss {
        /// The datagram.
        message: MessageName,
    },
    /// A datagram comes twice.
    Duplicate {
        /// The datagram.
        message: MessageName,
    },
    /// The middle byte of a message is inverted.
    Corrupt {
        /// The message.
        message: MessageName,
    },
    /// A write or a sync fails.
    Error {
        /// The write or sync.
        event: EventName,
        /// The error's name, as `ENOSPC`.
        error: String,
    },
    /// The workload is run with another value of a parameter.
    Input {
        /// The parameter.
        parameter: String,
        /// Its value, as it is put into the command.
        value: String,
    },
}

impl Fault {
    /// Its kind.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Node { kind, .. } => *kind,
            Self::Partition { .. } => Kind::Partition,
            Self::Stall { .. } => Kind::Stall,
            Self::Delay { .. } => Kind::Delay,
            Self::Loss { .. } => Kind::Loss,
            Self::Duplicate { .. } => Kind::Duplicate,
            Self::Corrupt { .. } => Kind::Corrupt,
            Self::Refuse { .. } => Kind::Refuse,
            Self::Reset { .. } => Kind::Reset,
            Self::Error { .. } => Kind::Error,
            Self::Input { .. } => Kind::Input,
        }
    }

    /// The event it waits for; `None` for an input.
    #[must_use]
    pub fn trigger(&self) -> Option<EventName> {
        match self {
            Self::Node { at, .. }
            | Self::Partition { at, .. }
            | Self::Stall { at, .. }
            | Self::Refuse { at, .. }
            | Self::Reset { at, .. } => Some(at.event.clone()),
            Self::Delay { message, .. }
            | Self::Loss { message }
            | Self::Duplicate { message }
            | Self::Corrupt { message } => Some(EventName::Send(message.clone())),
            Self::Error { event, .. } => Some(event.clone()),
            Self::Input { .. } => None,
        }
    }

    /// The fault in the language of faults, one clause per line of a fault file: a crash from which
    /// the node comes back is two. None for an input.
    #[must_use]
    pub fn clauses(&self) -> Vec<String> {
        match self {
            Self::Input { .. } => Vec::new(),
            Self::Node {
                kind: kind @ (Kind::Restart | Kind::PowerLoss),
                node,
                at,
                duration_ms,
            } => {
                let kind = if *kind == Kind::Restart { Kind::Crash } else { *kind };
                // Whichever node it is, its event tells.
                let event = if self.is_of_whichever() { format!(" {at}") } else { String::new() };
                let after = Milliseconds(*duration_ms);
                vec![
                    format!("{kind} {node} {at}"),
                    format!("restart {node} keep{event} after {after}"),
                ]
            }
            _ => vec![self.to_string()],
        }
    }

    /// Two faults with the same place exclude each other: the crashes of one node, the stalls of
    /// one link, the values of one parameter.
    #[must_use]
    pub fn place(&self) -> Place {
        match self {
            // At another event it may be another node.
            Self::Node { at, .. } if self.is_of_whichever() => Place::Whichever(at.event.clone()),
            Self::Node { kind, node, .. } if kind.is_crash() => Place::Life(node.clone()),
            Self::Node { node, .. } => Place::Pause(node.clone()),
            Self::Partition { one, other, .. } => Place::Cut(one.clone(), other.clone()),
            Self::Stall { from, to, .. } => Place::Link(from.clone(), to.clone()),
            Self::Refuse { from, to, .. } => Place::Connects(from.clone(), to.clone()),
            Self::Reset { from, to, at } => {
                let (one, two) = if from < to { (from, to) } else { (to, from) };
                Place::Connections(one.clone(), two.clone(), at.event.clone())
            }
            Self::Delay { message, .. }
            | Self::Loss { message }
            | Self::Duplicate { message }
            | Self::Corrupt { message } => Place::Event(EventName::Send(message.clone())),
            Self::Error { event, .. } => Place::Event(event.clone()),
            Self::Input { parameter, .. } => Place::Parameter(parameter.clone()),
        }
    }
}

/// What a fault happens to; see [`Fault::place`].
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Place {
    /// Whether a node lives.
    Life(String),
    /// Whether a node moves.
    Pause(String),
    /// Whether two groups of nodes reach each other.
    Cut(BTreeSet<String>, BTreeSet<String>),
    /// One direction of a link.
    Link(String, String),
    /// The connects of one node to another.
    Connects(String, String),
    /// The connections of two nodes, at an event.
    Connections(String, String, EventName),
    /// Whether the node lives and moves that an event is about, of several.
    Whichever(EventName),
    /// One message, write or sync.
    Event(EventName),
    /// A parameter of the workload.
    Parameter(String),
}

fn list(names: &BTreeSet<String>) -> String {
    names.iter().map(String::as_str).collect::<Vec<_>>().join(",")
}

/// As it is written in a fault.
struct Milliseconds(u64);

impl fmt::Display for Milliseconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_multiple_of(1000) {
            write!(f, "{}s", self.0 / 1000)
        } else {
            write!(f, "{}ms", self.0)
        }
    }
}

impl fmt::Display for Trigger {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let moment = match self.moment {
            Moment::Before => "before",
            Moment::After => "after",
        };
        write!(f, "{moment} {}", self.event)
    }
}

/// Since when a link is cut: `from` an event on, that event included, or `after` it.
fn since(f: &mut fmt::Formatter<'_>, at: &Trigger) -> fmt::Result {
    match at.moment {
        Moment::Before => write!(f, " from {}", at.event),
        Moment::After => write!(f, " after {}", at.event),
    }
}

fn one_message(f: &mut fmt::Formatter<'_>, verb: &str, message: &MessageName) -> fmt::Result {
    let MessageName { from, to, label, occurrence } = message;
    write!(f, "{verb} {from}->{to}{} #{occurrence}", Word(label))
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Node { kind: Kind::Pause, node, at, duration_ms } => {
                write!(f, "pause {node} for {} {at}", Milliseconds(*duration_ms))
            }
            Self::Node { kind: Kind::Restart | Kind::PowerLoss, .. } => {
                f.write_str(&self.clauses().join("; "))
            }
            Self::Node { kind, node, at, .. } => write!(f, "{kind} {node} {at}"),
            Self::Partition { one, other, at } => {
                write!(f, "partition {} | {}", list(one), list(other))?;
                since(f, at)
            }
            Self::Stall { from, to, at } => {
                write!(f, "stall {from}->{to}")?;
                since(f, at)
            }
            Self::Delay { message, duration_ms } => {
                one_message(f, "delay", message)?;
                write!(f, " by {}", Milliseconds(*duration_ms))
            }
            Self::Loss { message } => one_message(f, "omit", message),
            Self::Duplicate { message } => one_message(f, "duplicate", message),
            Self::Corrupt { message } => one_message(f, "corrupt", message),
            Self::Refuse { from, to, at } => write!(f, "refuse {from}->{to} #every {at}"),
            Self::Reset { from, to, at } => write!(f, "reset {from}->{to} {at}"),
            Self::Error { event: EventName::Write { node, occurrence }, error } => {
                write!(f, "error {error} {node} write #{occurrence}")
            }
            Self::Error { event, error } => {
                write!(f, "error {error} {} fsync #{}", event.node(), event.occurrence())
            }
            Self::Input { parameter, value } => write!(f, "input {parameter}={value}"),
        }
    }
}

/// How many faults one experiment may hold. (The failure specification, for processes.)
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Budgets {
    /// At most this many of a kind; none of a kind that is not listed.
    pub by_kind: BTreeMap<Kind, u32>,
    /// At most this many in all.
    pub total: u32,
}

impl Budgets {
    /// At most how many faults of a kind.
    #[must_use]
    pub fn of(&self, kind: Kind) -> u32 {
        self.by_kind.get(&kind).copied().unwrap_or(0)
    }

    /// How many faults the kinds allow together.
    #[must_use]
    pub fn of_all_kinds(&self) -> u32 {
        self.by_kind.values().fold(0, |sum, count| sum.saturating_add(*count))
    }

    /// Whether these faults may happen in one experiment.
    #[must_use]
    pub fn allow<'a>(&self, faults: impl IntoIterator<Item = &'a Fault>) -> bool {
        let mut counts: BTreeMap<Kind, u32> = BTreeMap::new();
        let mut places: BTreeSet<Place> = BTreeSet::new();
        for fault in faults {
            if !places.insert(fault.place()) {
                return false;
            }
            *counts.entry(fault.kind()).or_default() += 1;
        }
        counts.remove(&Kind::Input);
        counts.values().sum::<u32>() <= self.total
            && counts.iter().all(|(kind, count)| *count <= self.of(*kind))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::MessageName;

    fn message(label: &str) -> MessageName {
        MessageName { from: "a".into(), to: "b".into(), label: label.into(), occurrence: 2 }
    }

    fn send(label: &str) -> EventName {
        EventName::Send(message(label))
    }

    fn crash(node: &str, kind: Kind) -> Fault {
        let at = Trigger { moment: Moment::Before, event: send("REPL") };
        Fault::Node { kind, node: node.into(), at, duration_ms: 1500 }
    }

    #[test]
    fn faults_are_written_in_the_shared_grammar() {
        let at = Trigger { moment: Moment::After, event: send("two words") };
        let shown = [
            crash("a", Kind::SilentCrash).to_string(),
            crash("a", Kind::Restart).to_string(),
            crash("a", Kind::Pause).to_string(),
            Fault::Delay { message: message("REPL"), duration_ms: 300 }.to_string(),
            Fault::Stall { from: "a".into(), to: "b".into(), at }.to_string(),
            Fault::Error {
                event: EventName::Write { node: "a".into(), occurrence: 3 },
                error: "ENOSPC".into(),
            }
            .to_string(),
        ];
        assert_eq!(
            shown,
            [
                "silent-crash a before send a->b REPL #2",
                "crash a before send a->b REPL #2; restart a keep after 1500ms",
                "pause a for 1500ms before send a->b REPL #2",
                "delay a->b REPL #2 by 300ms",
                "stall a->b after send a->b \"two words\" #2",
                "error ENOSPC a write #3",
            ]
        );
    }

    #[test]
    fn budgets_count_by_kind_and_in_all_and_by_place() {
        let by_kind = [(Kind::Crash, 2), (Kind::Pause, 1)].into_iter().collect();
        let budgets = Budgets { by_kind, total: 2 };
        let (a, b, c) = (crash("a", Kind::Crash), crash("b", Kind::Crash), crash("b", Kind::Pause));
        let input = Fault::Input { parameter: "writes".into(), value: "2".into() };
        assert_eq!(budgets.of_all_kinds(), 3);
        assert!(budgets.allow([&a, &b, &input]));
        assert!(budgets.allow([&b, &c]));
        assert!(!budgets.allow([&a, &b, &c]), "three in all");
        assert!(!budgets.allow([&a, &a]), "a node dies once");
        assert!(!budgets.allow([&crash("a", Kind::PowerLoss)]), "no budget for it");
        let (one, two) = (crash("{a,b}", Kind::Crash), crash("{a,b}", Kind::Pause));
        assert!(!budgets.allow([&one, &two]), "the same node at the same event");
        let mut later = two.clone();
        if let Fault::Node { at, .. } = &mut later {
            at.event = send("COMMIT");
        }
        assert!(budgets.allow([&one, &later]), "at another event it may be another node");
    }
}
