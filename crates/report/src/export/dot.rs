//! Graphviz DOT. `dot -Tsvg` draws both; the space-time diagram has fixed places, so that
//! `neato -n2` draws it as well.

use linchpin_record::{Header, Run};

use crate::lineage::{LineageGraph, LineageKind};
use crate::spacetime::SpaceTime;

/// The space-time diagram of a run: a column per node, time downwards.
#[must_use]
pub fn spacetime(header: &Header, run: &Run) -> String {
    let layout = SpaceTime::new(header, run);
    let mut out = String::from(
        "digraph run {\n  graph [splines=line, rankdir=TB, nodesep=1.2];\n  \
         node [shape=circle, width=0.16, fixedsize=true, label=\"\"];\n  edge [arrowsize=0.7];\n",
    );
    for (column, name) in layout.nodes.iter().enumerate() {
        out.push_str(&format!(
            "  n{column}_0 [shape=plaintext, fixedsize=false, label={}, pos=\"{},0!\"];\n",
            quoted(name),
            column * 144
        ));
        for time in 1..=layout.eot() {
            let (shape, label) = if layout.crashes[column] == Some(time) {
                (", shape=doublecircle, color=red, fontcolor=red", "✗")
            } else if layout.recoveries[column] == Some(time) {
                (", shape=doublecircle, color=darkgreen", "")
            } else {
                ("", "")
            };
            out.push_str(&format!(
                "  n{column}_{time} [label=\"{label}\", xlabel=\"{}\", pos=\"{},{}!\"{shape}];\n",
                if column == 0 { time.to_string() } else { String::new() },
                column * 144,
                -i64::from(time) * 60
            ));
            let style = if layout.is_crashed(column, time - 1) { "dotted" } else { "solid" };
            out.push_str(&format!(
                "  n{column}_{} -> n{column}_{time} [style={style}, arrowhead=none, weight=100];\n",
                time - 1
            ));
        }
    }
    for (index, arrow) in layout.arrows.iter().enumerate().filter(|(_, a)| !a.is_to_itself()) {
        let label = quoted(&arrow.relations.join(", "));
        let from = match arrow.from {
            Some(column) => format!("n{column}_{}", arrow.at),
            None => {
                out.push_str(&format!("  outside{index} [shape=point];\n"));
                format!("outside{index}")
            }
        };
        if arrow.lost_to.is_some() {
            out.push_str(&format!(
                "  lost{index} [shape=plaintext, fixedsize=false, fontcolor=red, label=\"✗\"];\n  \
                 {from} -> lost{index} [color=red, fontcolor=red, style=dashed, arrowhead=none, label={label}, comment={}];\n",
                quoted(&format!("lost on the way to {}", layout.nodes[arrow.to]))
            ));
        } else if let Some(arrives) = arrow.arrives.filter(|&arrives| arrives <= layout.eot()) {
            let to = format!("n{}_{arrives}", arrow.to);
            let late = if arrow.is_late() { ", style=dashed, color=orange4" } else { "" };
            out.push_str(&format!("  {from} -> {to} [constraint=false, label={label}{late}];\n"));
        }
    }
    for time in 0..=layout.eot() {
        let names: Vec<String> =
            (0..layout.nodes.len()).map(|column| format!("n{column}_{time}")).collect();
        out.push_str(&format!("  {{ rank=same; {}; }}\n", names.join("; ")));
    }
    out.push_str("}\n");
    out
}

/// A lineage: what holds above what it follows from.
#[must_use]
pub fn lineage(graph: &LineageGraph) -> String {
    let mut out = String::from(
        "digraph lineage {\n  node [shape=box, style=rounded, fontname=monospace, fontsize=11];\n",
    );
    for (index, node) in graph.nodes.iter().enumerate() {
        let (first, last) = node.times;
        let times = if first == last { format!("@{last}") } else { format!("@{first}-{last}") };
        let label = quoted(&format!("{} {times}", node.label));
        let attributes = match node.kind {
            LineageKind::Fact => format!("label={label}"),
            LineageKind::Given => format!("label={label}, style=\"rounded,bold\""),
            LineageKind::Way => {
                format!("label=\"\", shape=circle, width=0.12, tooltip={}", quoted(&node.label))
            }
            LineageKind::Absence => {
                format!("label={}, style=\"rounded,dashed\", fontcolor=gray40", quoted(&node.label))
            }
        };
        out.push_str(&format!("  f{index} [{attributes}];\n"));
    }
    for (from, to) in &graph.edges {
        out.push_str(&format!("  f{from} -> f{to} [arrowhead=none];\n"));
    }
    out.push_str("}\n");
    out
}

/// A quoted string of DOT. A backslash would begin an escape of Graphviz's own.
pub(crate) fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for character in crate::terminal::visible(text).chars() {
        if matches!(character, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(character);
    }
    quoted.push('"');
    quoted
}
