//! A run of processes as a log for ShiViz, with vector clocks: two lines per event, as
//! `export::shiviz` writes them for specifications.

use std::collections::BTreeMap;

use super::Diagram;
use crate::export::shiviz::host_names;
use crate::terminal::visible;

/// The log of a run. A host is a lane; its events follow each other in the order of the record.
#[must_use]
pub fn log(diagram: &Diagram<'_>) -> String {
    let names: Vec<String> = diagram.lanes.iter().map(|lane| lane.name.clone()).collect();
    let names = host_names(&names);
    let mut now: Vec<BTreeMap<usize, u64>> = vec![BTreeMap::new(); names.len()];
    let mut clocks: Vec<BTreeMap<usize, u64>> = Vec::with_capacity(diagram.trace.events.len());
    let mut out = String::new();
    for (index, event) in (0_u32..).zip(&diagram.trace.events) {
        let lane = diagram.lane(index);
        let clock = &mut now[lane];
        for cause in &event.after {
            for (&other, &count) in &clocks[cause.event as usize] {
                let known = clock.entry(other).or_default();
                *known = (*known).max(count);
            }
        }
        *clock.entry(lane).or_default() += 1;
        clocks.push(clock.clone());
        let entries: Vec<String> = clock
            .iter()
            .map(|(&other, count)| {
                let name = serde_json::to_string(&names[other]).expect("strings have a form");
                format!("{name}:{count}")
            })
            .collect();
        out.push_str(&format!(
            "{} {{{}}}\n{}\n",
            names[lane],
            entries.join(", "),
            visible(&event.text)
        ));
    }
    out
}
