//! When are two runs the same run? The answer depends on how closely one looks: a ladder, from the
//! exact sequence of events to the bare outcome.
//!
//! Only messages between different roles count: what a node says to itself through pipes says
//! nothing of the system. Messages are called by the names that survive reruns.

use std::collections::{BTreeMap, BTreeSet};

use linchpin_model::Outcome;
use linchpin_record::Trace;

/// The rungs, finest first: a name as it stands in records, and what it tells apart.
pub const RUNGS: [(&str, &str); 6] = [
    ("sequence", "the order of all sends and receives"),
    ("order", "what each node sends and receives, in its order (the happens-before order)"),
    ("receives", "what each node receives, in its order"),
    ("labels", "of each label, from whom each node receives it, in its order"),
    ("messages", "which messages there are: sender, receiver, label"),
    ("outcome", "how the run was judged"),
];

/// One send or receive of a message between roles.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Step {
    /// Who sends or receives.
    pub role: String,
    /// True for a receive.
    pub receives: bool,
    /// The other role; absent if nobody traced received it.
    pub peer: Option<String>,
    /// What it says.
    pub label: String,
    /// The name of the message.
    pub name: String,
    /// The event: index into [`Trace::events`].
    pub event: u32,
}

impl Step {
    /// In words.
    #[must_use]
    pub fn text(&self) -> String {
        let verb = if self.receives { "receives" } else { "sends" };
        format!("{} {verb} {}", self.role, self.name)
    }

    /// What counts when steps are compared: not the event's place.
    fn key(&self) -> (bool, &str) {
        (self.receives, self.name.as_str())
    }
}

/// The sends and receives between roles, in the order of the record.
#[must_use]
pub fn steps(trace: &Trace) -> Vec<Step> {
    let role = |event: u32| {
        let process = trace.events[event as usize].process;
        trace.processes[process as usize].role.clone()
    };
    let mut steps: BTreeMap<(u32, bool, usize), Step> = BTreeMap::new();
    let mut sent: BTreeSet<u32> = BTreeSet::new();
    for (index, message) in trace.messages.iter().enumerate() {
        let from = role(message.sent);
        let to = message.received.map(role);
        if to.as_ref() == Some(&from) {
            continue;
        }
        if to.is_none() && message.link == "pipe" {
            continue; // what a program prints is no message of the system
        }
        let step = |own: &str, receives: bool, peer: Option<String>, event: u32| Step {
            role: own.to_owned(),
            receives,
            peer,
            label: message.label.clone().unwrap_or_default(),
            name: message.name.clone(),
            event,
        };
        if sent.insert(message.sent) {
            steps
                .insert((message.sent, false, index), step(&from, false, to.clone(), message.sent));
        }
        if let (Some(event), Some(to)) = (message.received, to) {
            steps.insert((event, true, index), step(&to, true, Some(from), event));
        }
    }
    steps.into_values().collect()
}

/// FNV-1a, 64 bits, over parts that cannot run into each other.
#[derive(Clone, Copy)]
struct Fingerprint(u64);

impl Fingerprint {
    fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, part: &str) {
        for byte in part.bytes().chain([0xff]) {
            self.0 = (self.0 ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }
}

fn digest<'a>(parts: impl IntoIterator<Item = &'a str>) -> String {
    let mut fingerprint = Fingerprint::new();
    for part in parts {
        fingerprint.add(part);
    }
    format!("{:016x}", fingerprint.0)
}

/// The digest of a run at each rung.
#[must_use]
pub fn digests(trace: &Trace, outcome: Outcome) -> BTreeMap<String, String> {
    let steps = steps(trace);
    let verb = |step: &Step| if step.receives { "receives" } else { "sends" };
    let sequence = digest(steps.iter().flat_map(|step| [&step.role, verb(step), &step.name]));
    // Sorted by role; within a role the order of the record is kept.
    let mut by_role: Vec<&Step> = steps.iter().collect();
    by_role.sort_by(|one, other| one.role.cmp(&other.role));
    let order = digest(by_role.iter().flat_map(|step| [&step.role, verb(step), &step.name]));
    let received = || by_role.iter().filter(|step| step.receives);
    let receives = digest(received().flat_map(|step| [step.role.as_str(), &step.name]));
    let mut by_label: Vec<&&Step> = received().collect();
    by_label.sort_by(|one, other| (&one.role, &one.label).cmp(&(&other.role, &other.label)));
    let labels = digest(by_label.iter().flat_map(|step| {
        [step.role.as_str(), &step.label, step.peer.as_deref().unwrap_or_default()]
    }));
    let kinds: BTreeSet<[&str; 3]> = received()
        .map(|step| {
            [step.peer.as_deref().unwrap_or_default(), step.role.as_str(), step.label.as_str()]
        })
        .collect();
    let messages = digest(kinds.into_iter().flatten());
    let outcome = outcome.to_string();
    RUNGS
        .iter()
        .map(|(name, _)| (*name).to_owned())
        .zip([sequence, order, receives, labels, messages, outcome])
        .collect()
}

/// Where two runs differ first, by the order of what each node does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Difference {
    /// The role whose steps differ.
    pub role: String,
    /// How many of its steps are alike before.
    pub alike: usize,
    /// What it does next here; absent if nothing.
    pub here: Option<Step>,
    /// What it does next there.
    pub there: Option<Step>,
}

/// What differs first, in the order of the record of `here`: the first step that the same role
/// does not do at the same place of its own order `there`. Absent if the runs are the same at the
/// rung `order`.
#[must_use]
pub fn first_difference(here: &Trace, there: &Trace) -> Option<Difference> {
    let group = |trace: &Trace| {
        let mut by_role: BTreeMap<String, Vec<Step>> = BTreeMap::new();
        for step in steps(trace) {
            by_role.entry(step.role.clone()).or_default().push(step);
        }
        by_role
    };
    let (ours, theirs) = (group(here), group(there));
    let none = Vec::new();
    let roles: BTreeSet<&String> = ours.keys().chain(theirs.keys()).collect();
    roles
        .into_iter()
        .filter_map(|role| {
            let (own, other) = (ours.get(role).unwrap_or(&none), theirs.get(role).unwrap_or(&none));
            let alike = own.iter().zip(other).take_while(|(a, b)| a.key() == b.key()).count();
            let difference = Difference {
                role: role.clone(),
                alike,
                here: own.get(alike).cloned(),
                there: other.get(alike).cloned(),
            };
            (difference.here.is_some() || difference.there.is_some()).then_some(difference)
        })
        .min_by_key(|difference| difference.here.as_ref().map_or(u32::MAX, |step| step.event))
}
