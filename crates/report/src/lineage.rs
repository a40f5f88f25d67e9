//! The lineage of facts as a graph, before it is drawn.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use linchpin_record::{Header, Run};

use crate::text;

/// Why some facts of a run hold: the facts they follow from, and through which derivations.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineageGraph {
    /// The goals first, then what they follow from, nearest first.
    pub nodes: Vec<LineageNode>,
    /// From a node to one it follows from: indexes into `nodes`.
    pub edges: Vec<(usize, usize)>,
}

/// A node of a lineage.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LineageNode {
    /// What it is.
    pub kind: LineageKind,
    /// In words: a row, a rule, or what had to be absent.
    pub label: String,
    /// When it holds: first and last time step.
    pub times: (u32, u32),
}

/// What a node of a lineage is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LineageKind {
    /// A fact that was derived.
    Fact,
    /// A fact that was given.
    Given,
    /// One of several ways to derive a fact.
    Way,
    /// Rows that had to be absent.
    Absence,
}

/// The facts that stand for the outcome of a run at its end: what was achieved, or, if nothing
/// was, what was asked for.
#[must_use]
pub fn outcome_facts(header: &Header, run: &Run) -> Vec<u32> {
    let eot = header.bounds.eot;
    let at_end = |relation: Option<u32>| -> Vec<u32> {
        relation.map_or_else(Vec::new, |relation| {
            run.rows(relation, eot).filter_map(|row| run.find(eot, relation, row)).collect()
        })
    };
    let answered = at_end(header.vocabulary.answered);
    if answered.is_empty() { at_end(header.vocabulary.asked) } else { answered }
}

impl LineageGraph {
    /// The lineage of `goals` (indexes into [`Run::facts`]). With `fold`, a row that merely
    /// persists is one node with a span of time.
    #[must_use]
    pub fn new(header: &Header, run: &Run, goals: &[u32], fold: bool) -> Self {
        let mut builder = Builder {
            header,
            run,
            fold,
            graph: Self { nodes: Vec::new(), edges: Vec::new() },
            facts: BTreeMap::new(),
            queue: VecDeque::new(),
        };
        for &goal in goals {
            builder.fact(goal);
        }
        builder.run();
        builder.graph
    }
}

struct Builder<'a> {
    header: &'a Header,
    run: &'a Run,
    fold: bool,
    graph: LineageGraph,
    /// By the fact from which a folded row persists.
    facts: BTreeMap<u32, usize>,
    queue: VecDeque<(u32, usize)>,
}

impl Builder<'_> {
    fn node(&mut self, kind: LineageKind, label: String, times: (u32, u32)) -> usize {
        self.graph.nodes.push(LineageNode { kind, label, times });
        self.graph.nodes.len() - 1
    }

    /// The fact from which this one merely persists; itself if it does not.
    fn source(&self, fact: u32) -> u32 {
        let mut first = fact;
        if !self.fold {
            return first;
        }
        loop {
            // On a node that is down, a row persists whatever the rules say.
            if let Some(before) = self.run.kept_from(first) {
                first = before;
                continue;
            }
            let [only] = self.run.derivations_of(first) else { break };
            let ([premise], []) = (only.premises.as_slice(), only.absences.as_slice()) else {
                break;
            };
            let (here, before) =
                (&self.run.facts[first as usize], &self.run.facts[*premise as usize]);
            let persists = (before.relation, &before.row, before.time + 1)
                == (here.relation, &here.row, here.time);
            if !persists {
                break;
            }
            first = *premise;
        }
        first
    }

    fn fact(&mut self, fact: u32) -> usize {
        let source = self.source(fact);
        let entry = &self.run.facts[fact as usize];
        if let Some(&node) = self.facts.get(&source) {
            let times = &mut self.graph.nodes[node].times;
            times.1 = times.1.max(entry.time);
            return node;
        }
        let given =
            self.run.derivations_of(source).is_empty() && self.run.kept_from(source).is_none();
        let kind = if given { LineageKind::Given } else { LineageKind::Fact };
        let label = text::row(self.header, entry.relation, &entry.row);
        let times = (self.run.facts[source as usize].time, entry.time);
        let node = self.node(kind, label, times);
        self.facts.insert(source, node);
        self.queue.push_back((source, node));
        node
    }

    fn run(&mut self) {
        while let Some((source, node)) = self.queue.pop_front() {
            let time = self.run.facts[source as usize].time;
            if let Some(before) = self.run.kept_from(source) {
                let to = self.fact(before);
                self.graph.edges.push((node, to));
            }
            let derivations = self.run.derivations_of(source);
            for derivation in derivations {
                let from = if derivations.len() > 1 {
                    let label = text::rule(self.header, derivation.rule);
                    let way = self.node(LineageKind::Way, label, (time, time));
                    self.graph.edges.push((node, way));
                    way
                } else {
                    node
                };
                let premises: BTreeSet<u32> = derivation.premises.iter().copied().collect();
                for premise in premises {
                    let to = self.fact(premise);
                    self.graph.edges.push((from, to));
                }
                for absence in &derivation.absences {
                    let label = format!("no {}", text::pattern(self.header, absence));
                    let to = self.node(LineageKind::Absence, label, (absence.time, absence.time));
                    self.graph.edges.push((from, to));
                }
            }
        }
    }
}
