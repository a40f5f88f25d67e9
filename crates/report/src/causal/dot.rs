//! The happens-before graph of a run of processes for Graphviz.

use std::collections::BTreeMap;

use super::Diagram;
use crate::export::dot::quoted;

/// The graph: a cluster per lane, the order within each thread, and every direct cause.
#[must_use]
pub fn graph(diagram: &Diagram<'_>) -> String {
    let mut out = String::from(
        "digraph run {\n  graph [rankdir=TB, newrank=true];\n  \
         node [shape=box, style=rounded, fontname=monospace, fontsize=10];\n",
    );
    let mut members: Vec<Vec<u32>> = vec![Vec::new(); diagram.lanes.len()];
    for event in 0..diagram.trace.events.len() as u32 {
        members[diagram.lane(event)].push(event);
    }
    for (lane, events) in members.iter().enumerate().filter(|(_, events)| !events.is_empty()) {
        let name = quoted(&diagram.lanes[lane].name);
        out.push_str(&format!("  subgraph cluster_{lane} {{\n    label={name};\n"));
        for &event in events {
            let label = quoted(&diagram.event(event).text);
            out.push_str(&format!("    e{event} [label={label}];\n"));
        }
        out.push_str("  }\n");
    }
    let mut last: BTreeMap<(u32, i32), u32> = BTreeMap::new();
    for (index, event) in (0_u32..).zip(&diagram.trace.events) {
        if let Some(before) = last.insert((event.process, event.thread), index) {
            out.push_str(&format!("  e{before} -> e{index};\n"));
        }
        for cause in &event.after {
            let colour = if cause.why == "message" { "blue" } else { "gray40" };
            out.push_str(&format!(
                "  e{} -> e{index} [color={colour}, fontcolor={colour}, label={}];\n",
                cause.event,
                quoted(if cause.why == "message" { "" } else { &cause.why })
            ));
        }
    }
    out.push_str("}\n");
    out
}
