//! Strata: which relations are computed together within a time step, and in which order.
//!
//! Only deductive rules count: what `@next` and `@async` derive belongs to a later step.

use std::collections::VecDeque;

use petgraph::algo::kosaraju_scc;
use petgraph::graph::{DiGraph, NodeIndex};

use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::hir::{Aggregate, BodyTerm, HeadColumn, Program, RelationId, RuleId, Stratum, Timing};
use crate::source::Span;

/// The head of a deductive rule depends on one of its body literals.
#[derive(Clone, Copy, Debug)]
struct Dependency {
    rule: RuleId,
    /// The literal.
    span: Span,
    negated: bool,
    aggregate: Option<(Aggregate, Span)>,
    /// The second aggregate of the head.
    other_aggregate: Option<Span>,
}

impl Dependency {
    /// True if more rows of the literal can mean fewer of the head.
    fn is_nonmonotonic(&self) -> bool {
        self.negated || self.aggregate.is_some()
    }
}

/// Writes the strata of a program into it; reports cycles through negation and aggregation.
pub(crate) fn stratify(program: &mut Program, diagnostics: &mut Diagnostics) {
    let graph = dependencies(program);
    // Components come in post-order: what a component depends on stands before it. (Not Tarjan's
    // algorithm: petgraph's recurses as deep as the program has relations.)
    let components = kosaraju_scc(&graph);
    let mut component_of = vec![0_usize; program.relations.len()];
    for (index, component) in components.iter().enumerate() {
        for node in component {
            component_of[node.index()] = index;
        }
    }
    let mut recursive = vec![false; components.len()];
    let mut nonmonotonic: Vec<Vec<(NodeIndex, NodeIndex, Dependency)>> =
        vec![Vec::new(); components.len()];
    for edge in graph.edge_indices() {
        let (from, to) = graph.edge_endpoints(edge).expect("the edge exists");
        let component = component_of[from.index()];
        if component != component_of[to.index()] {
            continue;
        }
        recursive[component] = true;
        if graph[edge].is_nonmonotonic() {
            nonmonotonic[component].push((from, to, graph[edge]));
        }
    }
    for (index, component) in components.iter().enumerate() {
        let mut relations: Vec<RelationId> =
            component.iter().map(|node| RelationId(node.index() as u32)).collect();
        relations.sort_unstable();
        report(program, &graph, &component_of, &nonmonotonic[index], diagnostics);
        program.strata.push(Stratum {
            relations,
            recursive: recursive[index],
            unstratified: !nonmonotonic[index].is_empty(),
        });
    }
}

type Graph = DiGraph<(), Dependency>;

fn dependencies(program: &Program) -> Graph {
    let mut graph = Graph::new();
    for _ in &program.relations {
        graph.add_node(());
    }
    for (index, rule) in program.rules.iter().enumerate() {
        if rule.head.timing != Timing::Now || rule.look_ahead {
            continue;
        }
        let aggregates = || {
            rule.head.columns.iter().filter_map(|column| match column {
                HeadColumn::Aggregate { function, span, .. } => Some((*function, *span)),
                HeadColumn::Expression(_) => None,
            })
        };
        // The least monotonic function of the head decides.
        let aggregate = aggregates().max_by_key(|(function, _)| !is_choice(*function));
        let other_aggregate = aggregates().nth(1).map(|(_, span)| span);
        for term in &rule.body {
            let BodyTerm::Literal(literal) = term else { continue };
            graph.add_edge(
                NodeIndex::new(rule.head.relation.index()),
                NodeIndex::new(literal.relation.index()),
                Dependency {
                    rule: RuleId(index as u32),
                    span: literal.span,
                    negated: literal.negated,
                    aggregate,
                    other_aggregate,
                },
            );
        }
    }
    graph
}

/// True for the functions that choose a member: "a member with no better member".
fn is_choice(function: Aggregate) -> bool {
    matches!(function, Aggregate::Min | Aggregate::Max)
}

/// Reports the cycles of a component: one warning, and an error for every rule whose aggregate
/// has no meaning in a cycle.
fn report(
    program: &Program,
    graph: &Graph,
    component_of: &[usize],
    nonmonotonic: &[(NodeIndex, NodeIndex, Dependency)],
    diagnostics: &mut Diagnostics,
) {
    let mut reported: Vec<RuleId> = Vec::new();
    for (from, to, dependency) in nonmonotonic {
        let Some((function, span)) = dependency.aggregate else { continue };
        if reported.contains(&dependency.rule) {
            continue;
        }
        if is_choice(function) {
            // "A member with no better member" says nothing of two minima at once.
            let Some(second) = dependency.other_aggregate else { continue };
            reported.push(dependency.rule);
            let cycle = Cycle::through(graph, component_of, *from, *to, *dependency);
            let message = format!(
                "several aggregates of one head depend on their own result within a time step: {}",
                cycle.describe(program)
            );
            let diagnostic =
                Diagnostic::at(Code::AggregateInCycle, second, message, "the second of them");
            diagnostics.push(cycle.label(program, diagnostic, second).with_help(
                "give each aggregate a relation of its own, or break the cycle: derive one of \
                 these relations with `@next`",
            ));
            continue;
        }
        reported.push(dependency.rule);
        let cycle = Cycle::through(graph, component_of, *from, *to, *dependency);
        let message = format!(
            "`{function}` depends on its own result within a time step: {}",
            cycle.describe(program)
        );
        let diagnostic = Diagnostic::at(Code::AggregateInCycle, span, message, "has no value");
        diagnostics.push(cycle.label(program, diagnostic, span).with_help(
            "break the cycle: derive one of these relations with `@next`, or compute the \
             aggregate from relations that do not depend on it",
        ));
    }
    if !reported.is_empty() {
        return;
    }
    let Some((from, to, dependency)) = nonmonotonic.first() else { return };
    let cycle = Cycle::through(graph, component_of, *from, *to, *dependency);
    let what = if dependency.negated { "a negation" } else { "an aggregate" };
    let message =
        format!("a cycle runs through {what} within a time step: {}", cycle.describe(program));
    let span = dependency.span;
    let diagnostic =
        Diagnostic::at(Code::Unstratified, span, message, format!("{what} in a cycle"));
    diagnostics.push(cycle.label(program, diagnostic, span).with_help(
        "the well-founded model is taken, and a run in which it is not total is an error; derive \
         one of these relations with `@next` to break the cycle",
    ));
}

/// A shortest cycle through a given dependency: relations, each with the dependency that leads on.
struct Cycle {
    steps: Vec<(RelationId, Dependency)>,
}

impl Cycle {
    fn through(
        graph: &Graph,
        component_of: &[usize],
        from: NodeIndex,
        to: NodeIndex,
        dependency: Dependency,
    ) -> Self {
        let relation = |node: NodeIndex| RelationId(node.index() as u32);
        let mut steps = vec![(relation(from), dependency)];
        // Breadth first from `to` back to `from`.
        let mut came_by = vec![None; graph.node_count()];
        let mut queue = VecDeque::from([to]);
        while let Some(node) = queue.pop_front() {
            if node == from {
                break;
            }
            let mut edges: Vec<_> = graph.edges(node).collect();
            edges.reverse(); // petgraph lists the newest edge first
            for edge in edges {
                use petgraph::visit::EdgeRef;
                let next = edge.target();
                let inside = component_of[next.index()] == component_of[from.index()];
                if inside && next != to && came_by[next.index()].is_none() {
                    came_by[next.index()] = Some((node, *edge.weight()));
                    queue.push_back(next);
                }
            }
        }
        let mut path = Vec::new();
        let mut node = from;
        while node != to {
            let (before, dependency) = came_by[node.index()].expect("a component is connected");
            path.push((relation(before), dependency));
            node = before;
        }
        steps.extend(path.into_iter().rev());
        Self { steps }
    }

    /// `p -> notin q -> p`
    fn describe(&self, program: &Program) -> String {
        const SHOWN_MAX: usize = 12;
        let mut text = format!("`{}`", program.relation(self.steps[0].0).name);
        for (index, (_, dependency)) in self.steps.iter().enumerate() {
            let (target, _) = self.steps[(index + 1) % self.steps.len()];
            if index == SHOWN_MAX && index + 1 < self.steps.len() {
                text.push_str(" -> ...");
                break;
            }
            let negation = if dependency.negated { "notin " } else { "" };
            text.push_str(&format!(" -> {negation}`{}`", program.relation(target).name));
        }
        text
    }

    /// Labels the literals of the cycle, except the one at `known`.
    fn label(&self, program: &Program, mut diagnostic: Diagnostic, known: Span) -> Diagnostic {
        const LABELS_MAX: usize = 8;
        for (relation, dependency) in self.steps.iter().take(LABELS_MAX) {
            if dependency.span == known {
                continue;
            }
            let name = &program.relation(*relation).name;
            let negation = if dependency.negated { "the absence of " } else { "" };
            diagnostic = diagnostic
                .with_label(dependency.span, format!("`{name}` depends on {negation}this"));
        }
        diagnostic
    }
}
