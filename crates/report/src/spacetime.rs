//! The space-time (Lamport) diagram of a run, before it is drawn: nodes are columns, time steps
//! are rows. Every rendering draws this one layout.

use std::collections::BTreeMap;

use linchpin_model::{Fault, InputValue};
use linchpin_record::{Header, Run, Value};

/// A run as a diagram.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SpaceTime {
    /// One column each, in the order of the bounds.
    pub nodes: Vec<String>,
    /// One per time step, from 1.
    pub steps: Vec<Step>,
    /// Everything sent, by time, sender, receiver; lost ones after those that arrive.
    pub arrows: Vec<Arrow>,
    /// Per node: when it crashes, if it does.
    pub crashes: Vec<Option<u32>>,
    /// Per node: when it recovers, if it does.
    pub recoveries: Vec<Option<u32>>,
    /// The inputs that can come in several ways, as they come in this run, by time.
    pub inputs: Vec<Input>,
}

/// An input, of which the system under test does not say when or how it comes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// The time step at which it comes.
    pub at: u32,
    /// The column of the node at which it comes, if it is one.
    pub column: Option<usize>,
    /// The row, as it stands in a program.
    pub label: String,
    /// True if it comes otherwise than it does without faults.
    pub chosen: bool,
}

/// What the invariant says at a time step.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Step {
    /// How many rows are asked for (`pre`).
    pub asked: usize,
    /// How many rows are there (`post` or `good`).
    pub answered: usize,
    /// How many rows are asked for and not there.
    pub unanswered: usize,
}

/// Messages sent from one node to another at one time step that fared alike.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arrow {
    /// The time step of sending.
    pub at: u32,
    /// The time step at which they arrive, perhaps after the end; `None` if they were lost.
    pub arrives: Option<u32>,
    /// The column of the sender; `None` if no single node sent them.
    pub from: Option<usize>,
    /// The column of the receiver.
    pub to: usize,
    /// The fault that took them, if they were lost.
    pub lost_to: Option<Fault>,
    /// Indexes into [`Run::messages`].
    pub messages: Vec<usize>,
    /// The relations of the messages, each once, in order of name.
    pub relations: Vec<String>,
}

impl Arrow {
    /// Whether sender and receiver are the same.
    #[must_use]
    pub fn is_to_itself(&self) -> bool {
        self.from == Some(self.to)
    }

    /// Whether it arrives later than at the next time step.
    #[must_use]
    pub fn is_late(&self) -> bool {
        self.arrives.is_some_and(|arrives| arrives > self.at + 1)
    }
}

impl SpaceTime {
    /// Lays out a run. Messages to nodes that do not exist vanish and are not drawn.
    #[must_use]
    pub fn new(header: &Header, run: &Run) -> Self {
        let nodes = header.bounds.nodes.clone();
        let column = |name: &str| nodes.iter().position(|node| node == name);
        let mut groups: BTreeMap<_, Arrow> = BTreeMap::new();
        for (index, message) in run.messages.iter().enumerate() {
            let Some(to) = column(&message.to) else { continue };
            let from = message.from.as_deref().and_then(column);
            let arrives = message.arrival();
            let key = (message.at, from, to, arrives.is_none(), arrives);
            let arrow = groups.entry(key).or_insert_with(|| Arrow {
                at: message.at,
                arrives,
                from,
                to,
                lost_to: message.lost_to.clone(),
                messages: Vec::new(),
                relations: Vec::new(),
            });
            arrow.messages.push(index);
            let relation = &header.vocabulary.relations[message.relation as usize].name;
            if let Err(place) = arrow.relations.binary_search(relation) {
                arrow.relations.insert(place, relation.clone());
            }
        }
        let (mut crashes, mut recoveries) = (vec![None; nodes.len()], vec![None; nodes.len()]);
        for fault in run.faults.iter() {
            let (times, node, at) = match fault {
                Fault::Crash { node, at } => (&mut crashes, node, at),
                Fault::Recovery { node, at } => (&mut recoveries, node, at),
                Fault::Omission { .. } | Fault::Delay { .. } | Fault::Input { .. } => continue,
            };
            if let Some(column) = column(node) {
                times[column] = Some(*at);
            }
        }
        let steps = (1..=header.bounds.eot).map(|time| step(header, run, time)).collect();
        let inputs = inputs(header, run);
        let arrows = groups.into_values().collect();
        Self { steps, arrows, crashes, recoveries, inputs, nodes }
    }

    /// The last time step.
    #[must_use]
    pub fn eot(&self) -> u32 {
        self.steps.len() as u32
    }

    /// The arrows that start at a time step.
    pub fn arrows_at(&self, at: u32) -> impl Iterator<Item = &Arrow> {
        self.arrows.iter().filter(move |arrow| arrow.at == at)
    }

    /// Whether a node has crashed at or before a time step and not recovered since.
    #[must_use]
    pub fn is_crashed(&self, column: usize, time: u32) -> bool {
        self.crashes[column].is_some_and(|at| at <= time)
            && self.recoveries[column].is_none_or(|at| at > time)
    }

    /// The inputs that come at a time step.
    pub fn inputs_at(&self, at: u32) -> impl Iterator<Item = &Input> {
        self.inputs.iter().filter(move |input| input.at == at)
    }
}

/// Each input with several ways to come, as it comes.
fn inputs(header: &Header, run: &Run) -> Vec<Input> {
    let mut inputs: Vec<Input> = header
        .bounds
        .inputs
        .iter()
        .filter_map(|ways| {
            let chosen = ways.iter().find(|way| run.faults.contains(way));
            let Fault::Input { relation, row, at } = chosen.or(ways.first())? else { return None };
            let node = match row.first() {
                Some(InputValue::String(name)) => {
                    header.bounds.nodes.iter().position(|n| n == name)
                }
                Some(InputValue::Integer(_)) | None => None,
            };
            let row: Vec<String> = row.iter().map(ToString::to_string).collect();
            let label = format!("{relation}({})", row.join(", "));
            Some(Input { at: *at, column: node, label, chosen: chosen.is_some() })
        })
        .collect();
    inputs.sort_by_key(|input| input.at);
    inputs
}

fn step(header: &Header, run: &Run, time: u32) -> Step {
    let rows = |relation: Option<u32>| -> Vec<&[Value]> {
        relation.map_or_else(Vec::new, |relation| run.rows(relation, time).collect())
    };
    let asked = rows(header.vocabulary.asked);
    let answered = rows(header.vocabulary.answered);
    let unanswered = asked.iter().filter(|row| !answered.contains(row)).count();
    Step { asked: asked.len(), answered: answered.len(), unanswered }
}
