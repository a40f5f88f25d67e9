//! What the diagram of a run points at: where faults fired, where it parts from the run it is compared
//! with, and the events that carried a value.

use std::collections::BTreeMap;

use linchpin_record::{FaultPlace, HuntCounterexample, Parting, TraceCampaign};
use serde::Serialize;

use super::Diagram;

/// Marks of one run. Events are indexes into its trace.
#[derive(Clone, Debug, Default, Serialize)]
pub(crate) struct Marks<'a> {
    /// What fired, at or after which event, at what time.
    faults: Vec<(&'a str, u32, u64)>,
    /// The first events that the other run has not, with their names.
    parted: Vec<(u32, &'a str)>,
    /// The events that carried values to the final state, per way.
    support: Vec<Vec<u32>>,
}

impl<'a> Marks<'a> {
    /// What there is to mark in a run.
    pub(crate) fn of(campaign: &'a TraceCampaign, diagram: &Diagram<'_>) -> Self {
        let number = diagram.trace.run;
        let mut marks = Self::default();
        let by_id: BTreeMap<u32, u32> =
            diagram.trace.events.iter().zip(0..).map(|(event, index)| (event.id, index)).collect();
        let run = campaign.runs.iter().find(|run| run.run == number);
        for fault in run.iter().flat_map(|run| &run.faults) {
            let placed = fault.places.iter().filter_map(|place| {
                Some((fault.fault.as_str(), event_at(diagram, &by_id, place)?, place.time_ns))
            });
            marks.faults.extend(placed);
        }
        for found in counterexamples(campaign) {
            marks.compare(found, diagram);
        }
        marks
    }

    fn compare(&mut self, found: &'a HuntCounterexample, diagram: &Diagram<'_>) {
        let Some(nearest) = &found.nearest else { return };
        let exists = |event: &u32| (*event as usize) < diagram.trace.events.len();
        let placed =
            |parting: &'a Parting| Some((parting.event.filter(exists)?, parting.name.as_str()));
        if found.run == diagram.trace.run {
            self.parted.extend(nearest.new.iter().filter_map(placed));
        }
        if nearest.run == diagram.trace.run {
            self.parted.extend(nearest.lacking.iter().filter_map(placed));
            let ways = found.expected.iter().map(|expected| {
                expected.events.iter().flatten().copied().filter(exists).collect::<Vec<u32>>()
            });
            self.support.extend(ways.filter(|way| !way.is_empty()));
        }
    }
}

fn counterexamples(campaign: &TraceCampaign) -> impl Iterator<Item = &HuntCounterexample> {
    let conclusion = campaign.header.hunt.as_ref().and_then(|hunt| hunt.conclusion.as_ref());
    conclusion.into_iter().flat_map(|conclusion| &conclusion.counterexamples)
}

/// The event a fault fired at; if it is not drawn, or there is none, the last one before that time.
fn event_at(diagram: &Diagram<'_>, by_id: &BTreeMap<u32, u32>, place: &FaultPlace) -> Option<u32> {
    let exactly = place.event.and_then(|id| by_id.get(&id).copied());
    exactly.or_else(|| {
        let before = (0..).zip(&diagram.trace.events).filter(|(_, e)| e.time_ns <= place.time_ns);
        before.max_by_key(|(_, event)| event.time_ns).map(|(index, _)| index)
    })
}
