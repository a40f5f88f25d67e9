//! A laboratory in memory: processes that pass messages, with clocks, disks, streams and faults.
//!
//! Links are streams as TCP gives them: in order, nothing lost but with the connection; what is cut
//! is held back until faults are healed. A crash keeps what was written, a power loss what was
//! synced. One seed gives one run; with `jitter_ms` 0 all runs under one set of faults are the same.

pub(crate) mod engine;
pub(crate) mod protocols;

use std::collections::BTreeSet;
use std::convert::Infallible;

use engine::World;
use linchpin_hunt::{Evidence, Experiment, Laboratory, Node, Spent};
use linchpin_model::Outcome;

/// A program: what a node does.
pub(crate) trait Process {
    /// It starts, or starts again, with what is on its disk.
    fn start(&mut self, context: &mut Context<'_>);
    /// A message arrives.
    fn receive(&mut self, context: &mut Context<'_>, from: &str, label: &str, text: &str);
    /// A timer it set has run out.
    fn timer(&mut self, context: &mut Context<'_>, name: u32);
}

/// What a handler can do.
pub(crate) struct Context<'a> {
    pub(crate) time: u64,
    pub(crate) disk: &'a [String],
    actions: Vec<Action>,
    /// Writes and syncs that shall fail, by number of the next ones.
    fails: Box<dyn FnMut(bool) -> bool + 'a>,
}

pub(crate) enum Action {
    Send {
        to: String,
        label: String,
        text: String,
    },
    Write(String),
    Sync,
    Timer {
        after: u64,
        name: u32,
    },
    /// The client begins an operation about these values.
    Invoke {
        operation: usize,
        tokens: BTreeSet<String>,
    },
    /// The client learned that it succeeded.
    Complete {
        operation: usize,
    },
    /// The client learned something of the state.
    Learned(String),
    /// The workload, or the final reads, are over.
    Finished,
}

impl Context<'_> {
    pub(crate) fn send(&mut self, to: &str, label: &str, text: impl Into<String>) {
        let (to, label, text) = (to.into(), label.into(), text.into());
        self.actions.push(Action::Send { to, label, text });
    }

    /// False if the disk refused it.
    pub(crate) fn write(&mut self, line: impl Into<String>) -> bool {
        if (self.fails)(false) {
            return false;
        }
        self.actions.push(Action::Write(line.into()));
        true
    }

    /// False if the disk failed.
    pub(crate) fn sync(&mut self) -> bool {
        if (self.fails)(true) {
            return false;
        }
        self.actions.push(Action::Sync);
        true
    }

    pub(crate) fn timer(&mut self, after: u64, name: u32) {
        self.actions.push(Action::Timer { after, name });
    }

    pub(crate) fn invoke(&mut self, operation: usize, tokens: &[&str]) {
        let tokens = tokens.iter().map(|token| (*token).to_owned()).collect();
        self.actions.push(Action::Invoke { operation, tokens });
    }

    pub(crate) fn complete(&mut self, operation: usize) {
        self.actions.push(Action::Complete { operation });
    }

    pub(crate) fn learned(&mut self, what: impl Into<String>) {
        self.actions.push(Action::Learned(what.into()));
    }

    pub(crate) fn finished(&mut self) {
        self.actions.push(Action::Finished);
    }
}

/// What the invariant is checked on.
#[derive(Debug, Default)]
pub(crate) struct History {
    /// Values of operations that were acknowledged.
    pub(crate) acknowledged: BTreeSet<String>,
    /// What the client learned of the state, in order.
    pub(crate) learned: Vec<String>,
}

/// The program of a node, given the value of the workload's parameter.
type Program = dyn Fn(&str, Option<&str>) -> Box<dyn Process>;

/// A system to be hunted: its programs and its invariant.
pub(crate) struct Model {
    pub(crate) name: &'static str,
    /// Name and group of each node; the workload is the node `client`.
    pub(crate) nodes: Vec<(&'static str, Option<&'static str>)>,
    /// The program of a node. The second is the value of the workload's parameter, if it has one.
    pub(crate) program: Box<Program>,
    pub(crate) judge: fn(&History) -> Outcome,
}

/// The timer by which the client is told to do its final reads.
pub(crate) const FINAL: u32 = 1000;

pub(crate) struct ModelLaboratory {
    pub(crate) model: Model,
    pub(crate) jitter_ms: u64,
    pub(crate) seed: u64,
}

impl ModelLaboratory {
    pub(crate) fn new(model: Model) -> Self {
        Self { model, jitter_ms: 0, seed: 0 }
    }
}

impl Laboratory for ModelLaboratory {
    type Error = Infallible;

    fn run(&mut self, experiment: &Experiment) -> Result<Evidence, Infallible> {
        // Every run of a nondeterministic system has its own schedule.
        let seed = self.seed.wrapping_mul(1_000_003).wrapping_add(experiment.number);
        let world = World::new(&self.model, &experiment.faults, self.jitter_ms, seed);
        let (history, trace, fired) = world.run();
        let outcome = (self.model.judge)(&history);
        Ok(Evidence { outcome, trace, fired, spent: Spent::default() })
    }
}

pub(crate) fn nodes(model: &Model) -> Vec<Node> {
    let node = |name: &str, group: Option<&str>, is_client| Node {
        name: name.into(),
        group: group.map(Into::into),
        is_client,
    };
    let mut nodes: Vec<Node> =
        model.nodes.iter().map(|(name, group)| node(name, *group, false)).collect();
    nodes.push(node("client", None, true));
    nodes
}

/// The values in a text: its words that say so.
pub(crate) fn tokens(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !c.is_alphanumeric() && c != '-');
    words.filter(|word| word.starts_with("token-")).map(str::to_owned).collect()
}
