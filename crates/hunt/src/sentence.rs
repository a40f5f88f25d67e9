//! Faults in words, one sentence each.

use crate::event::{EventName, MessageName};
use crate::fault::{Fault, Kind, Moment, Trigger};

impl Fault {
    /// What happens, in one sentence.
    #[must_use]
    pub fn sentence(&self) -> String {
        match self {
            Self::Node { kind, node, at, duration_ms } => {
                let when = when(at);
                let span = span(*duration_ms);
                match kind {
                    Kind::Crash => format!("{node} crashes {when}."),
                    Kind::SilentCrash => {
                        format!(
                            "The host of {node} goes silent {when}: its peers are told nothing."
                        )
                    }
                    Kind::PowerLoss => format!(
                        "{node} loses its power {when}, and what it had not synced with it; it is \
                         started again after {span}."
                    ),
                    Kind::Restart => {
                        format!("{node} crashes {when}; it is started again after {span}.")
                    }
                    Kind::Pause => format!("{node} stands still for {span}, {when}."),
                    other => format!("{other} of {node} {when}."),
                }
            }
            Self::Partition { one, other, at } => {
                let join = |nodes: &std::collections::BTreeSet<String>| {
                    nodes.iter().map(String::as_str).collect::<Vec<_>>().join(", ")
                };
                format!("{} and {} cannot reach each other {}.", join(one), join(other), since(at))
            }
            Self::Stall { from, to, at } => {
                format!("Nothing that {from} sends reaches {to}, {}.", since(at))
            }
            Self::Delay { message, duration_ms } => {
                let late = span(*duration_ms);
                format!("{} arrives {late} late, and what follows it.", upper(&named(message)))
            }
            Self::Loss { message } => format!("{} is lost.", upper(&named(message))),
            Self::Error { event, error } => {
                format!("{} fails with {error}.", upper(&noun(event)))
            }
            Self::Input { parameter, value } => {
                format!("The workload runs with {parameter} = {value}.")
            }
        }
    }
}

fn upper(text: &str) -> String {
    let mut characters = text.chars();
    characters
        .next()
        .map_or_else(String::new, |first| first.to_uppercase().chain(characters).collect())
}

fn span(milliseconds: u64) -> String {
    if milliseconds.is_multiple_of(1000) {
        format!("{} s", milliseconds / 1000)
    } else {
        format!("{milliseconds} ms")
    }
}

fn ordinal(number: u32) -> String {
    let ending = match (number % 10, number % 100) {
        (1, hundred) if hundred != 11 => "st",
        (2, hundred) if hundred != 12 => "nd",
        (3, hundred) if hundred != 13 => "rd",
        _ => "th",
    };
    format!("{number}{ending}")
}

fn label(message: &MessageName) -> String {
    if message.label.is_empty() { "message".to_owned() } else { format!("`{}`", message.label) }
}

/// "the 2nd `write` from client to a".
fn named(message: &MessageName) -> String {
    let MessageName { from, to, occurrence, .. } = message;
    format!("the {} {} from {from} to {to}", ordinal(*occurrence), label(message))
}

fn noun(event: &EventName) -> String {
    match event {
        EventName::Send(message) | EventName::Receive(message) => named(message),
        EventName::Write { node, occurrence } => {
            format!("the {} write of {node} to its files", ordinal(*occurrence))
        }
        EventName::Sync { node, occurrence } => {
            format!("the {} fsync of {node}", ordinal(*occurrence))
        }
    }
}

fn when(at: &Trigger) -> String {
    let side = match at.moment {
        Moment::Before => "just before",
        Moment::After => "just after",
    };
    let event = noun(&at.event);
    match &at.event {
        EventName::Send(_) => {
            format!("{side} it sends {event}").replace("after it sends", "after it has sent")
        }
        EventName::Receive(_) => format!("{side} it receives {event}")
            .replace("after it receives", "after it has received"),
        EventName::Write { .. } | EventName::Sync { .. } => format!("{side} {event}"),
    }
}

fn since(at: &Trigger) -> String {
    let word = match at.moment {
        Moment::Before => "from",
        Moment::After => "after",
    };
    format!("{word} {} on", noun(&at.event))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_read_as_sentences() {
        let message = |occurrence| MessageName {
            from: "a".into(),
            to: "b".into(),
            label: "REPL".into(),
            occurrence,
        };
        let at = |moment| Trigger { moment, event: EventName::Send(message(2)) };
        let node = |kind, moment| Fault::Node {
            kind,
            node: "a".into(),
            at: at(moment),
            duration_ms: 1500,
        };
        let sentences = [
            node(Kind::Crash, Moment::After).sentence(),
            node(Kind::Restart, Moment::Before).sentence(),
            Fault::Delay { message: message(11), duration_ms: 1000 }.sentence(),
            Fault::Error {
                event: EventName::Sync { node: "a".into(), occurrence: 3 },
                error: "EIO".into(),
            }
            .sentence(),
        ];
        assert_eq!(
            sentences,
            [
                "a crashes just after it has sent the 2nd `REPL` from a to b.",
                "a crashes just before it sends the 2nd `REPL` from a to b; it is started again after 1500 ms.",
                "The 11th `REPL` from a to b arrives 1 s late, and what follows it.",
                "The 3rd fsync of a fails with EIO.",
            ]
        );
    }
}
