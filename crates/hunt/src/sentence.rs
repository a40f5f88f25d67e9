//! Faults in words.

use crate::event::{EventName, MessageName};
use crate::fault::{Fault, Kind, Moment, Trigger};

impl Fault {
    /// What happens, in one sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::Node { kind, node, at, duration_ms } => {
                let when = when(at);
                let after = duration(*duration_ms);
                match kind {
                    Kind::Restart => {
                        format!("{node} is killed {when}, and started again {after} later.")
                    }
                    Kind::PowerLoss => format!(
                        "{node} loses power {when}, and with it all it did not sync; it is started \
                         again {after} later."
                    ),
                    Kind::Pause => format!("{node} stands still for {after} {when}."),
                    Kind::SilentCrash => {
                        format!("The host of {node} goes quiet {when}, and stays so.")
                    }
                    _ => format!("{node} is killed {when}."),
                }
            }
            Self::Partition { one, other, at } => {
                let list = |names: &std::collections::BTreeSet<String>| {
                    names.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
                };
                let (one, other, when) = (list(one), list(other), when(at));
                format!("{one} and {other} cannot reach each other from just {when} on.")
            }
            Self::Stall { from, to, at } => {
                let when = when(at);
                format!("What {from} sends to {to} is held back from just {when} on.")
            }
            Self::Delay { message, duration_ms } => {
                let late = duration(*duration_ms);
                let MessageName { from, to, .. } = message;
                format!(
                    "{} from {from} to {to}, and what follows it, arrives {late} late.",
                    named(message)
                )
            }
            Self::Loss { message } => {
                let MessageName { from, to, .. } = message;
                format!("{} from {from} to {to} is lost.", named(message))
            }
            Self::Duplicate { message } => {
                let MessageName { from, to, .. } = message;
                format!("{} from {from} to {to} comes twice.", named(message))
            }
            Self::Corrupt { message } => {
                let MessageName { from, to, .. } = message;
                format!("{} from {from} to {to} arrives with a byte inverted.", named(message))
            }
            Self::Refuse { from, to, at } => {
                let when = when(at);
                format!("Connections from {from} to {to} are refused from just {when} on.")
            }
            Self::Reset { from, to, at } => {
                let when = when(at);
                format!("The connections between {from} and {to} are reset just {when}.")
            }
            Self::Error { event, error } => {
                let (node, number) = (event.node(), event.occurrence());
                let what = if matches!(event, EventName::Sync { .. }) { "sync" } else { "write" };
                format!("{what} {number} of {node} fails with {error}.")
            }
            Self::Input { parameter, value } => {
                format!("The workload runs with {parameter} = {value}.")
            }
        }
    }
}

fn when(at: &Trigger) -> String {
    let moment = match at.moment {
        Moment::Before => "before",
        Moment::After => "after",
    };
    let what = match &at.event {
        EventName::Send(message) => {
            format!("{} sends {} to {}", message.from, named(message), message.to)
        }
        EventName::Receive(message) => {
            format!("{} receives {} from {}", message.to, named(message), message.from)
        }
        EventName::Write { node, occurrence } => format!("write {occurrence} of {node}"),
        EventName::Sync { node, occurrence } => format!("sync {occurrence} of {node}"),
    };
    format!("{moment} {what}")
}

/// A message by its label and number.
fn named(message: &MessageName) -> String {
    if message.label.is_empty() {
        format!("message {}", message.occurrence)
    } else {
        format!("{} {}", message.label, message.occurrence)
    }
}

fn duration(milliseconds: u64) -> String {
    if milliseconds.is_multiple_of(1000) {
        format!("{} s", milliseconds / 1000)
    } else {
        format!("{milliseconds} ms")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_are_told_in_one_sentence_each() {
        let message = |label: &str| MessageName {
            from: "a".into(),
            to: "b".into(),
            label: label.into(),
            occurrence: 2,
        };
        let at = |moment| Trigger { moment, event: EventName::Send(message("REPL")) };
        let node = |kind| Fault::Node {
            kind,
            node: "a".into(),
            at: at(Moment::Before),
            duration_ms: 1500,
        };
        let set = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
        let event = EventName::Sync { node: "a".into(), occurrence: 3 };
        let told = [
            node(Kind::Crash),
            node(Kind::PowerLoss),
            node(Kind::Pause),
            Fault::Partition { one: set(&["a"]), other: set(&["b", "c"]), at: at(Moment::After) },
            Fault::Delay { message: message(""), duration_ms: 2000 },
            Fault::Error { event, error: "EIO".into() },
            Fault::Duplicate { message: message("REPL") },
            Fault::Corrupt { message: message("REPL") },
            Fault::Refuse { from: "a".into(), to: "b".into(), at: at(Moment::After) },
            Fault::Reset { from: "a".into(), to: "b".into(), at: at(Moment::Before) },
        ]
        .map(|fault| fault.sentence());
        assert_eq!(
            told,
            [
                "a is killed before a sends REPL 2 to b.",
                "a loses power before a sends REPL 2 to b, and with it all it did not sync; it is \
                 started again 1500 ms later.",
                "a stands still for 1500 ms before a sends REPL 2 to b.",
                "a and b, c cannot reach each other from just after a sends REPL 2 to b on.",
                "message 2 from a to b, and what follows it, arrives 2 s late.",
                "sync 3 of a fails with EIO.",
                "REPL 2 from a to b comes twice.",
                "REPL 2 from a to b arrives with a byte inverted.",
                "Connections from a to b are refused from just after a sends REPL 2 to b on.",
                "The connections between a and b are reset just before a sends REPL 2 to b.",
            ]
        );
    }
}
