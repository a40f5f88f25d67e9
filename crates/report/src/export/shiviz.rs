//! A run as a log for ShiViz (<https://bestchai.bitbucket.io/shiviz/>): two lines per event, node
//! and vector clock, then what happened. The default expression of ShiViz reads it:
//! `(?<host>\S*) (?<clock>{.*})\n(?<event>.*)`.

use std::collections::BTreeMap;

use linchpin_record::{Header, Run};

use crate::terminal::visible;
use crate::text;

type Clock = BTreeMap<usize, u64>;

/// The log of a run. A node is an event source: it receives, sends, crashes and recovers. White space in
/// names becomes `_`, since ShiViz ends a name there.
#[must_use]
pub fn log(header: &Header, run: &Run) -> String {
    let nodes = &header.bounds.nodes;
    let mut log = Log {
        names: host_names(nodes),
        clocks: vec![Clock::new(); nodes.len()],
        out: String::new(),
    };
    let column = |name: &str| nodes.iter().position(|node| node == name);
    let mut in_flight: Vec<(usize, &linchpin_record::Message, Clock)> = Vec::new();
    for time in 1..=header.bounds.eot {
        let (here, later): (Vec<_>, Vec<_>) = std::mem::take(&mut in_flight)
            .into_iter()
            .partition(|(_, message, _)| message.arrival() == Some(time));
        in_flight = later;
        for (to, message, clock) in here {
            let row = text::row(header, message.relation, &message.row);
            let from = message.from.as_deref().unwrap_or("outside");
            log.event(to, Some(&clock), &format!("time {time}: receives {row} from {from}"));
        }
        for (node, name) in nodes.iter().enumerate() {
            let crashes = run.faults.iter().any(|fault| {
                matches!(fault, linchpin_model::Fault::Crash { node, at } if node == name && *at == time)
            });
            if crashes {
                log.event(node, None, &format!("time {time}: crashes"));
            }
            let recovers = run.faults.iter().any(|fault| {
                matches!(fault, linchpin_model::Fault::Recovery { node, at } if node == name && *at == time)
            });
            if recovers {
                log.event(node, None, &format!("time {time}: recovers"));
            }
        }
        for message in run.messages.iter().filter(|message| message.at == time) {
            let Some(to) = column(&message.to) else { continue };
            let row = text::row(header, message.relation, &message.row);
            let fate = match message.arrives {
                _ if message.lost_to.is_some() => " (LOST)".to_owned(),
                Some(arrives) => format!(" (LATE, arrives at time {arrives})"),
                None => String::new(),
            };
            let clock = match message.from.as_deref().and_then(column) {
                Some(from) if from != to => log.event(
                    from,
                    None,
                    &format!("time {time}: sends {row} to {}{fate}", message.to),
                ),
                Some(_) => continue,
                None => Clock::new(),
            };
            if message.arrival().is_some_and(|arrives| arrives <= header.bounds.eot) {
                in_flight.push((to, message, clock));
            }
        }
    }
    log.out
}

struct Log {
    names: Vec<String>,
    clocks: Vec<Clock>,
    out: String,
}

impl Log {
    fn event(&mut self, node: usize, received: Option<&Clock>, what: &str) -> Clock {
        let clock = &mut self.clocks[node];
        for (&other, &count) in received.into_iter().flatten() {
            let known = clock.entry(other).or_default();
            *known = (*known).max(count);
        }
        *clock.entry(node).or_default() += 1;
        let entries: Vec<String> = clock
            .iter()
            .map(|(&other, count)| {
                let name = serde_json::to_string(&self.names[other]).expect("strings have a form");
                format!("{name}:{count}")
            })
            .collect();
        let clock = clock.clone();
        self.out.push_str(&format!(
            "{} {{{}}}\n{}\n",
            self.names[node],
            entries.join(", "),
            visible(what)
        ));
        clock
    }
}

/// Names without white space, each different from the others.
pub(crate) fn host_names(nodes: &[String]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for node in nodes {
        let mut name: String =
            visible(node).chars().map(|c| if c.is_whitespace() { '_' } else { c }).collect();
        while names.contains(&name) {
            name.push('_');
        }
        names.push(name);
    }
    names
}
