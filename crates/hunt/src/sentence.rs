//! Faults in words.

use crate::event::{EventName, MessageName};
use crate::fault::{Fault, Kind, Moment, Trigger};
use crate::roles::in_words;

impl Fault {
    /// What happens, in one sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        let sentence = self.sentence_of();
        // It may begin with several nodes, in our words; the name of one stays as it is.
        match sentence.strip_prefix("one of ") {
            Some(rest) => format!("One of {rest}"),
            None => sentence,
        }
    }

    fn sentence_of(&self) -> String {
        match self {
            Self::Node { kind, node, at, duration_ms } => {
                let when = if self.is_of_whichever() { when_it(node, at) } else { when(at) };
                let node = in_words(node);
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
                let (from, to, when) = (in_words(from), in_words(to), when(at));
                format!("What {from} sends to {to} is held back from just {when} on.")
            }
            Self::Delay { message, duration_ms } => {
                let late = duration(*duration_ms);
                let (from, to) = ends(message);
                format!(
                    "{} from {from} to {to}, and what follows it, arrives {late} late.",
                    named(message)
                )
            }
            Self::Loss { message } => {
                let (from, to) = ends(message);
                format!("{} from {from} to {to} is lost.", named(message))
            }
            Self::Duplicate { message } => {
                let (from, to) = ends(message);
                format!("{} from {from} to {to} comes twice.", named(message))
            }
            Self::Corrupt { message } => {
                let (from, to) = ends(message);
                format!("{} from {from} to {to} arrives with a byte inverted.", named(message))
            }
            Self::Refuse { from, to, at } => {
                let (from, to, when) = (in_words(from), in_words(to), when(at));
                format!("Connections from {from} to {to} are refused from just {when} on.")
            }
            Self::Reset { from, to, at } => {
                let (from, to, when) = (in_words(from), in_words(to), when(at));
                format!("The connections between {from} and {to} are reset just {when}.")
            }
            Self::Error { event, error } => {
                let (node, number) = (in_words(event.node()), event.occurrence());
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
            let (from, to) = ends(message);
            format!("{from} sends {} to {to}", named(message))
        }
        EventName::Receive(message) => {
            let (from, to) = ends(message);
            format!("{to} receives {} from {from}", named(message))
        }
        EventName::Write { node, occurrence } => {
            format!("write {occurrence} of {}", in_words(node))
        }
        EventName::Sync { node, occurrence } => format!("sync {occurrence} of {}", in_words(node)),
    };
    format!("{moment} {what}")
}

/// The same of whichever node it is: "it".
fn when_it(node: &str, at: &Trigger) -> String {
    let mut at = at.clone();
    match &mut at.event {
        EventName::Send(message) if message.from == node => message.from = "it".into(),
        EventName::Receive(message) if message.to == node => message.to = "it".into(),
        EventName::Send(MessageName { to: it, .. })
        | EventName::Receive(MessageName { from: it, .. })
            if it == node =>
        {
            *it = "it".into();
        }
        EventName::Write { node: writer, .. } | EventName::Sync { node: writer, .. } => {
            *writer = "it".into();
        }
        _ => {}
    }
    when(&at)
}

fn ends(message: &MessageName) -> (String, String) {
    (in_words(&message.from), in_words(&message.to))
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
        let named_at = |text: &str| Trigger {
            moment: Moment::Before,
            event: EventName::parse(text).expect(text),
        };
        let either = |kind, text: &str| Fault::Node {
            kind,
            node: "{a,b}".into(),
            at: named_at(text),
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
            either(Kind::Restart, "send {a,b}->c PUT #1"),
            either(Kind::Crash, "send c->{a,b} PUT #2"),
            either(Kind::Pause, "fsync {a,b} #2"),
            Fault::Stall {
                from: "{a,b}".into(),
                to: "c".into(),
                at: named_at("send {a,b}->c PUT #1"),
            },
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
                "One of a, b is killed before it sends PUT 1 to c, and started again 1500 ms later.",
                "One of a, b is killed before c sends PUT 2 to it.",
                "One of a, b stands still for 1500 ms before sync 2 of it.",
                "What one of a, b sends to c is held back from just before one of a, b sends PUT 1 \
                 to c on.",
            ]
        );
    }
}
