//! What faults call nodes: those that are alike by one name, whichever of them it is.
//!
//! Which of two workers is the first to ask, which of three members leads, is another matter in each
//! run. So a fault of one of them says `{a,b}`, the one at which its event happens, and counts the
//! events of all: `crash {a,b} before send {a,b}->store PUT #1` means the same in the next run.

use std::collections::BTreeMap;

use crate::event::{EventName, MessageName};
use crate::fault::Fault;
use crate::trace::Node;

/// The names by which faults call nodes and events.
#[derive(Clone, Debug, Default)]
pub struct Roles {
    /// Of the nodes of groups with several.
    names: BTreeMap<String, String>,
}

impl Roles {
    /// The names for these nodes: `{a,b}` for those of a group, their own for others.
    #[must_use]
    pub fn of(nodes: &[Node]) -> Self {
        let mut groups: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for node in nodes.iter().filter(|node| !node.is_client) {
            if let Some(group) = &node.group {
                groups.entry(group).or_default().push(&node.name);
            }
        }
        let several = groups.into_values().filter(|members| members.len() > 1);
        let names = several.flat_map(|members| {
            let name = format!("{{{}}}", members.join(","));
            members.into_iter().map(move |member| (member.to_owned(), name.clone()))
        });
        Self { names: names.collect() }
    }

    /// What a node is called.
    #[must_use]
    pub fn node<'a>(&'a self, name: &'a str) -> &'a str {
        self.names.get(name).map_or(name, String::as_str)
    }

    /// What an event is called, with the number it has among those of its own nodes.
    #[must_use]
    pub fn event(&self, event: &EventName) -> EventName {
        let message = |message: &MessageName| MessageName {
            from: self.node(&message.from).to_owned(),
            to: self.node(&message.to).to_owned(),
            ..message.clone()
        };
        match event {
            EventName::Send(sent) => EventName::Send(message(sent)),
            EventName::Receive(received) => EventName::Receive(message(received)),
            EventName::Write { node, occurrence } => {
                EventName::Write { node: self.node(node).to_owned(), occurrence: *occurrence }
            }
            EventName::Sync { node, occurrence } => {
                EventName::Sync { node: self.node(node).to_owned(), occurrence: *occurrence }
            }
        }
    }
}

impl Fault {
    /// The same fault with the nodes it means if it strikes at this event.
    #[must_use]
    pub fn at(&self, event: &EventName) -> Self {
        let mut fault = self.clone();
        let (sender, receiver) = match event.message() {
            Some(message) => (&*message.from, &*message.to),
            None => (event.node(), event.node()),
        };
        let other = if event.node() == sender { receiver } else { sender };
        match &mut fault {
            Self::Node { node, .. } => settle(node, [event.node(), other]),
            Self::Stall { from, to, .. } | Self::Reset { from, to, .. } => {
                settle(from, [sender, receiver]);
                settle(to, [receiver, sender]);
            }
            _ => {}
        }
        fault
    }

    /// It happens to whichever of several nodes its event is about.
    #[must_use]
    pub fn is_of_whichever(&self) -> bool {
        matches!(self, Self::Node { node, .. } if members(node).is_some())
    }
}

/// Replaces `{a,b}` by the first of these that is one of them.
fn settle(name: &mut String, about: [&str; 2]) {
    let found = about.into_iter().find(|node| members(name).is_some() && is_one(name, node));
    if let Some(node) = found {
        *name = node.to_owned();
    }
}

/// The nodes of `{a,b}`; `None` if it is the name of one node.
pub(crate) fn members(name: &str) -> Option<impl Iterator<Item = &str>> {
    let inside = name.strip_prefix('{')?.strip_suffix('}')?;
    Some(inside.split(','))
}

/// Whether a name means this node.
pub(crate) fn is_one(name: &str, node: &str) -> bool {
    match members(name) {
        Some(mut members) => members.any(|member| member == node),
        None => name == node,
    }
}

/// A name in a sentence.
pub(crate) fn in_words(name: &str) -> String {
    match members(name) {
        Some(members) => format!("one of {}", members.collect::<Vec<_>>().join(", ")),
        None => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::{Kind, Moment, Trigger};

    fn node(name: &str, group: Option<&str>) -> Node {
        Node { name: name.into(), group: group.map(Into::into), is_client: name == "client" }
    }

    fn event(text: &str) -> EventName {
        EventName::parse(text).expect(text)
    }

    #[test]
    fn nodes_of_a_group_with_several_have_one_name() {
        let nodes = [
            node("a", Some("g")),
            node("b", Some("g")),
            node("c", Some("h")),
            node("client", None),
        ];
        let roles = Roles::of(&nodes);
        assert_eq!(
            ["a", "b", "c", "client"].map(|name| roles.node(name)),
            ["{a,b}", "{a,b}", "c", "client"]
        );
        for (text, called) in [
            ("send a->c X #2", "send {a,b}->c X #2"),
            ("recv b<-a X #1", "recv {a,b}<-{a,b} X #1"),
            ("write b #3", "write {a,b} #3"),
            ("fsync c #1", "fsync c #1"),
        ] {
            assert_eq!(roles.event(&event(text)).to_string(), called);
            assert_eq!(event(called).to_string(), called);
        }
    }

    #[test]
    fn a_fault_strikes_whoever_its_event_is_about() {
        let trigger = |text: &str| Trigger { moment: Moment::Before, event: event(text) };
        let (kind, duration_ms) = (Kind::Crash, 0);
        let any = || "{a,b}".to_owned();
        let crash =
            Fault::Node { kind, node: any(), at: trigger("send {a,b}->c X #1"), duration_ms };
        let stall = Fault::Stall { from: any(), to: any(), at: trigger("send {a,b}->{a,b} X #1") };
        for (fault, at, expected) in [
            (&crash, "send b->c X #1", "crash b before"),
            (&crash, "send c->a X #1", "crash a before"),
            (&crash, "recv b<-a X #1", "crash b before"),
            (&crash, "fsync a #1", "crash a before"),
            (&stall, "send b->a X #1", "stall b->a from"),
            (&stall, "recv a<-b X #1", "stall b->a from"),
        ] {
            let settled = fault.at(&event(at)).to_string();
            assert!(settled.starts_with(expected), "{at}: {settled}");
        }
    }
}
