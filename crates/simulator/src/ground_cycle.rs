//! Facts of one time step that depend on each other in a circle.

use linchpin_dedalus::hir::RelationId;
use linchpin_formula::{Graph, Literal};
use linchpin_search::Halt;
use petgraph::algo::tarjan_scc;
use petgraph::graph::{DiGraph, NodeIndex};
use rustc_hash::FxHashMap;

use crate::ground::Instance;
use crate::table::RowIndex;

/// A possible row of a relation at the time step being solved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Atom {
    pub(crate) relation: RelationId,
    pub(crate) row: RowIndex,
}

/// Atoms that depend on each other, or a single one.
pub(crate) struct Component {
    pub(crate) atoms: Vec<Atom>,
    /// Indexes of the instances whose head is among the atoms.
    instances: Vec<usize>,
    cyclic: bool,
    /// A negation lies on a circle.
    negative: bool,
}

/// The strongly connected components, each after those it depends on.
pub(crate) fn components(atoms: &[Atom], instances: &[Instance]) -> Vec<Component> {
    let mut graph: DiGraph<Atom, ()> = DiGraph::new();
    let nodes: FxHashMap<Atom, NodeIndex> =
        atoms.iter().map(|&atom| (atom, graph.add_node(atom))).collect();
    for instance in instances {
        if let Some(head) = &instance.head {
            for body in instance.present.iter().chain(&instance.absent) {
                graph.add_edge(nodes[head], nodes[body], ());
            }
        }
    }
    let sorted = tarjan_scc(&graph);
    let mut place: FxHashMap<Atom, usize> = FxHashMap::default();
    let mut result: Vec<Component> = Vec::with_capacity(sorted.len());
    for (number, members) in sorted.into_iter().enumerate() {
        let mut atoms: Vec<Atom> = members.into_iter().map(|node| graph[node]).collect();
        atoms.sort_unstable();
        for &atom in &atoms {
            place.insert(atom, number);
        }
        let cyclic = atoms.len() > 1;
        result.push(Component { atoms, instances: Vec::new(), cyclic, negative: false });
    }
    for (index, instance) in instances.iter().enumerate() {
        if let Some(head) = &instance.head {
            let number = place[head];
            let component = &mut result[number];
            component.instances.push(index);
            component.cyclic |=
                instance.present.iter().chain(&instance.absent).any(|body| place[body] == number);
            component.negative |= instance.absent.iter().any(|body| place[body] == number);
        }
    }
    result
}

type Conditions = FxHashMap<Atom, Literal>;

impl Component {
    /// Adds the condition of each atom to `solved`. Returns the condition under which some atom is
    /// left undecided (only circles through negation can), or `None` if the graph grows beyond
    /// so many nodes or it is time to give up.
    pub(crate) fn solve(
        &self,
        graph: &mut Graph,
        given: &Conditions,
        instances: &[Instance],
        solved: &mut Conditions,
        limits: (usize, &Halt),
    ) -> Option<Literal> {
        if !self.cyclic {
            let start = self.start(given);
            let result = self.round(graph, given, instances, solved, &start, &start);
            solved.extend(result);
            return Some(Literal::FALSE);
        }
        if !self.negative {
            let start = self.start(given);
            let result = self.least(graph, given, instances, solved, &start, limits)?;
            solved.extend(result);
            return Some(Literal::FALSE);
        }
        let mut below = self.start(given);
        let mut above = self.least(graph, given, instances, solved, &below, limits)?;
        for _ in 0..self.atoms.len() {
            let next = self.least(graph, given, instances, solved, &above, limits)?;
            if next == below {
                break;
            }
            below = next;
            above = self.least(graph, given, instances, solved, &below, limits)?;
        }
        let undecided: Vec<Literal> =
            self.atoms.iter().map(|atom| graph.and([above[atom], !below[atom]])).collect();
        solved.extend(below);
        Some(graph.or(undecided))
    }

    fn start(&self, given: &Conditions) -> Conditions {
        self.atoms.iter().map(|&atom| (atom, given[&atom])).collect()
    }

    /// The least model when negations inside the component are read against `assumed`: as many
    /// rounds as there are atoms.
    fn least(
        &self,
        graph: &mut Graph,
        given: &Conditions,
        instances: &[Instance],
        solved: &Conditions,
        assumed: &Conditions,
        limits: (usize, &Halt),
    ) -> Option<Conditions> {
        let mut current = self.start(given);
        for _ in 0..self.atoms.len() {
            let next = self.round(graph, given, instances, solved, &current, assumed);
            if graph.node_count() > limits.0 || limits.1.is_due() {
                return None;
            }
            if next == current {
                break;
            }
            current = next;
        }
        Some(current)
    }

    /// One application of all rules.
    fn round(
        &self,
        graph: &mut Graph,
        given: &Conditions,
        instances: &[Instance],
        solved: &Conditions,
        present: &Conditions,
        assumed: &Conditions,
    ) -> Conditions {
        let mut ways: FxHashMap<Atom, Vec<Literal>> =
            self.atoms.iter().map(|&atom| (atom, vec![given[&atom]])).collect();
        for &index in &self.instances {
            let instance = &instances[index];
            let Some(head) = &instance.head else { continue };
            let mut body = vec![instance.outside];
            let value = |atom: &Atom, own: &Conditions| {
                own.get(atom)
                    .or_else(|| solved.get(atom))
                    .copied()
                    .expect("components are in order")
            };
            body.extend(instance.present.iter().map(|atom| value(atom, present)));
            body.extend(instance.absent.iter().map(|atom| !value(atom, assumed)));
            let way = graph.and_of(&mut body);
            ways.get_mut(head).expect("the head is in the component").push(way);
        }
        self.atoms
            .iter()
            .map(|&atom| {
                let mut ways = ways.remove(&atom).expect("every atom has an entry");
                (atom, graph.or_of(&mut ways))
            })
            .collect()
    }

    /// The condition of an instance once all atoms are solved.
    pub(crate) fn condition(
        instance: &Instance,
        graph: &mut Graph,
        solved: &Conditions,
    ) -> Literal {
        let mut body = vec![instance.outside];
        body.extend(instance.present.iter().map(|atom| solved[atom]));
        body.extend(instance.absent.iter().map(|atom| !solved[atom]));
        graph.and_of(&mut body)
    }
}
