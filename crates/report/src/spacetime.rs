//! The space-time (Lamport) diagram of a run, before it is drawn: nodes are columns, time steps
//! are rows. Every rendering draws this one layout.

use std::collections::BTreeMap;

use linchpin_model::Fault;
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
    /// The time step of sending; they arrive at the next.
    pub at: u32,
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
            let key = (message.at, from, to, message.lost_to.is_some());
            let arrow = groups.entry(key).or_insert_with(|| Arrow {
                at: message.at,
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
        let mut crashes = vec![None; nodes.len()];
        for fault in run.faults.iter() {
            if let Fault::Crash { node, at } = fault
                && let Some(column) = column(node)
            {
                crashes[column] = Some(*at);
            }
        }
        let steps = (1..=header.bounds.eot).map(|time| step(header, run, time)).collect();
        Self { steps, arrows: groups.into_values().collect(), crashes, nodes }
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

    /// Whether a node has crashed at or before a time step.
    #[must_use]
    pub fn is_crashed(&self, column: usize, time: u32) -> bool {
        self.crashes[column].is_some_and(|at| at <= time)
    }
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
