//! Who said what to whom, how often.

use std::collections::{BTreeMap, BTreeSet};

use super::Diagram;

/// Messages of one kind from one lane to another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversation {
    /// Lane of the sender.
    pub from: usize,
    /// Lane of the receiver; `None` if no traced process received them.
    pub to: Option<usize>,
    /// What they travelled over.
    pub link: String,
    /// What they say.
    pub label: Option<String>,
    /// Sends.
    pub sends: u64,
    /// Bytes received (of those not received: sent).
    pub bytes: u64,
}

/// The messages of a run by pair of lanes, link and label, in that order.
#[must_use]
pub fn conversations(diagram: &Diagram<'_>) -> Vec<Conversation> {
    type Key<'a> = (usize, Option<usize>, &'a str, Option<&'a str>);
    let mut kinds: BTreeMap<Key<'_>, (BTreeSet<u32>, u64)> = BTreeMap::new();
    for message in &diagram.trace.messages {
        let from = diagram.lane(message.sent);
        let to = message.received.map(|event| diagram.lane(event));
        let key = (from, to, message.link.as_str(), message.label.as_deref());
        let (sends, bytes) = kinds.entry(key).or_default();
        sends.insert(message.sent);
        *bytes += message.bytes;
    }
    kinds
        .into_iter()
        .map(|((from, to, link, label), (sends, bytes))| Conversation {
            from,
            to,
            link: link.to_owned(),
            label: label.map(str::to_owned),
            sends: sends.len() as u64,
            bytes,
        })
        .collect()
}
