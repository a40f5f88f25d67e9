//! What a hypothesis would leave of a run that was seen: which acknowledgements, which holders of
//! which values, and whether the final state would still be learned the same way.
//!
//! Two lineages are used. The *acknowledgement* needs what happened between the request and the
//! answer, in process order. The *value* goes where messages and files carry it. Carrying is not
//! supporting, so a prediction orders hypotheses and excludes none.

use std::collections::{BTreeMap, BTreeSet};

use crate::cut::Cut;
use crate::event::EventName;
use crate::event_set::EventSet;
use crate::fault::Kind;
use crate::trace::Indexed;

/// What becomes of an acknowledgement.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Fate {
    /// Nothing it needed is touched.
    Kept,
    /// Something it needed is cut, but a message like it from another node takes its place.
    Spare,
    /// Something it needed takes place later: so does the answer, and what it promises.
    Late,
    /// A call between request and answer fails: the program may stop, or go on all the same.
    Failed,
    /// Something it needed is cut: the client would not be told, or not in this way.
    Cut,
}

/// What would be left of one acknowledged value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Remains {
    /// Of its acknowledgement.
    pub(crate) acknowledgement: Fate,
    /// Nodes that would still have it, and that the others would not have given up.
    pub(crate) holders: BTreeSet<usize>,
    /// Nodes that would have it, but paused or in a minority.
    pub(crate) doubted: BTreeSet<usize>,
    /// Whether nodes that had it would be there without it.
    pub(crate) lacking: Lacking,
    /// Whether the final state would show it: what is worst for the system, of all who were asked.
    pub(crate) shown: Shown,
    /// The same for each node that was seen to answer with it.
    pub(crate) answers: BTreeMap<usize, Shown>,
}

/// Whether nodes that had a value would be there without it: only such a node can deny it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Lacking {
    /// No node.
    Nobody,
    /// Some, but fewer than would have it.
    Some,
    /// As many as would have it, or more: they may agree that it never was.
    Most,
}

/// Whether a question about the state would be answered with a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Shown {
    /// With the value, through the same messages.
    Same,
    /// By the same node, which would not have the value.
    Stale,
    /// Not by the same node.
    Silent,
    /// No question was seen to be answered with it.
    Never,
}

/// What would be left of a run.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Prediction {
    /// The acknowledgement that would fare best among those without values.
    pub(crate) acknowledgement: Option<Fate>,
    /// Per acknowledged value.
    pub(crate) values: BTreeMap<String, Remains>,
}

impl Prediction {
    /// Some value would be acknowledged, and no node would have it.
    pub(crate) fn is_unheld(&self) -> bool {
        self.values.values().any(|remains| {
            remains.acknowledgement != Fate::Cut
                && remains.holders.is_empty()
                && remains.doubted.is_empty()
        })
    }

    /// Some node would have some value.
    pub(crate) fn is_held(&self) -> bool {
        let mut values = self.values.values();
        values.any(|remains| !remains.holders.is_empty() || !remains.doubted.is_empty())
    }

    /// No answer would reach the client as it did.
    pub(crate) fn is_unanswered(&self) -> bool {
        let values = self.values.values().map(|remains| remains.acknowledgement);
        let mut all = values.chain(self.acknowledgement).peekable();
        all.peek().is_some() && all.all(|fate| fate == Fate::Cut)
    }
}

/// An acknowledgement of a trace, prepared.
#[derive(Clone, Debug)]
struct Need {
    answer: usize,
    tokens: BTreeSet<String>,
    /// What lies between request and answer.
    events: EventSet,
    /// What can depend on the request.
    future: EventSet,
}

/// A trace prepared for predictions.
#[derive(Clone, Debug)]
pub(crate) struct Predictor {
    needs: Vec<Need>,
    /// Per acknowledged value: the events that carry it.
    carriers: BTreeMap<String, Vec<usize>>,
    /// Per acknowledged value: the events of the outcome that showed it.
    shown: BTreeMap<String, Vec<usize>>,
    /// Nodes whose syncs were seen, but no writes: what they wrote is not known.
    only_syncs: BTreeSet<usize>,
    /// Per acknowledged value: the events that carry it, and the syncs of such nodes, which may have
    /// made durable whatever the node had.
    flows: BTreeMap<String, Vec<usize>>,
    /// What the outcome could have depended on.
    pub(crate) support: EventSet,
}

impl Predictor {
    pub(crate) fn new(trace: &Indexed) -> Self {
        let needs: Vec<Need> = trace
            .trace
            .acknowledgements
            .iter()
            .map(|ack| {
                let future = trace.future([ack.request]);
                let mut events = trace.past([ack.answer]);
                events.intersect_with(&future);
                Need { answer: ack.answer, tokens: ack.tokens.clone(), events, future }
            })
            .collect();
        let tokens: BTreeSet<&String> = needs.iter().flat_map(|need| &need.tokens).collect();
        let mut carriers: BTreeMap<String, Vec<usize>> =
            tokens.into_iter().map(|token| (token.clone(), Vec::new())).collect();
        for (index, event) in trace.trace.events.iter().enumerate() {
            for token in &event.tokens {
                if let Some(events) = carriers.get_mut(token) {
                    events.push(index);
                }
            }
        }
        let shown = carriers
            .keys()
            .map(|token| {
                let shows = |event: &&usize| trace.trace.events[**event].tokens.contains(token);
                (token.clone(), trace.trace.outcome.iter().filter(shows).copied().collect())
            })
            .collect();
        let support = if trace.trace.outcome.is_empty() {
            (0..trace.len()).collect()
        } else {
            trace.past(trace.trace.outcome.iter().copied())
        };
        let nodes_with = |is_such: fn(&EventName) -> bool| -> BTreeSet<usize> {
            let events = (0..trace.len()).filter(|event| is_such(trace.name(*event)));
            events.map(|event| trace.node_of[event]).collect()
        };
        let syncers = nodes_with(|name| matches!(name, EventName::Sync { .. }));
        let writers = nodes_with(|name| matches!(name, EventName::Write { .. }));
        let only_syncs: BTreeSet<usize> = syncers.difference(&writers).copied().collect();
        let is_sync = |event: &usize| matches!(trace.name(*event), EventName::Sync { .. });
        let blind_syncs = (0..trace.len()).filter(is_sync);
        let blind_syncs: Vec<usize> =
            blind_syncs.filter(|event| only_syncs.contains(&trace.node_of[*event])).collect();
        let flows = carriers.iter().map(|(token, events)| {
            let all: BTreeSet<usize> = events.iter().chain(&blind_syncs).copied().collect();
            (token.clone(), all.into_iter().collect())
        });
        let flows = flows.collect();
        Self { needs, carriers, shown, only_syncs, flows, support }
    }

    /// Acknowledged values that the outcome showed.
    pub(crate) fn served(&self) -> impl Iterator<Item = &String> {
        self.shown.iter().filter(|(_, events)| !events.is_empty()).map(|(token, _)| token)
    }

    /// What these cuts would leave of the run.
    pub(crate) fn predict(&self, trace: &Indexed, cuts: &[&Cut]) -> Prediction {
        let removed = removed_by(trace, cuts);
        let surely: Vec<&Cut> = cuts.iter().copied().filter(|cut| !cut.is_error).collect();
        let gone_for_sure = removed_by(trace, &surely);
        // What is late may be too late: until then it is as if it were not there.
        let mut held_back = removed.clone();
        for cut in cuts {
            held_back.union_with(&cut.late);
        }
        let unprompted = unprompted(trace, &held_back);
        let mut acknowledgement = None;
        let mut values: BTreeMap<String, Remains> = BTreeMap::new();
        for need in &self.needs {
            let fate = match self.fate(trace, need, &gone_for_sure) {
                Fate::Cut => Fate::Cut,
                fate if self.fate(trace, need, &removed) == Fate::Cut => fate.max(Fate::Failed),
                fate if self.fate(trace, need, &held_back) == Fate::Cut => fate.max(Fate::Late),
                fate => fate,
            };
            if need.tokens.is_empty() {
                acknowledgement = Some(acknowledgement.map_or(fate, |known: Fate| known.min(fate)));
            }
            for token in &need.tokens {
                let known = values.get(token).map(|remains| remains.acknowledgement);
                let fate = known.map_or(fate, |known| known.min(fate));
                match values.get_mut(token) {
                    Some(remains) => remains.acknowledgement = fate,
                    None => {
                        let is_late = need.answer >= trace.trace.end;
                        let gone = (&held_back, &unprompted);
                        let remains = self.remains(trace, (token, is_late), fate, gone, cuts);
                        values.insert(token.clone(), remains);
                    }
                }
            }
        }
        Prediction { acknowledgement, values }
    }

    /// Follows what depends on the request: what is cut takes along what depends on it, unless the
    /// receiver hears the same from another node. Spares that turn out to depend on what is cut
    /// are given up, until nothing changes.
    fn fate(&self, trace: &Indexed, need: &Need, removed: &EventSet) -> Fate {
        if removed.is_disjoint(&need.events) {
            return Fate::Kept;
        }
        let mut gone = EventSet::default();
        loop {
            let (now, has_spare) = self.spread(trace, need, removed, &gone);
            if now.contains(need.answer) {
                return Fate::Cut;
            }
            if now == gone {
                return if has_spare { Fate::Spare } else { Fate::Kept };
            }
            gone = now;
        }
    }

    /// One round of [`Self::fate`], with the spares that do not depend on what was `lost` before.
    fn spread(
        &self,
        trace: &Indexed,
        need: &Need,
        removed: &EventSet,
        lost: &EventSet,
    ) -> (EventSet, bool) {
        let mut gone = EventSet::default();
        let mut has_spare = false;
        for event in need.future.iter() {
            let causes = &trace.trace.events[event].causes;
            let own = trace.before[event].is_some_and(|before| gone.contains(before));
            let unheard = removed.contains(event)
                || !causes.is_empty() && causes.iter().all(|&cause| gone.contains(cause));
            if !own && unheard && self.spare(trace, need, event, removed, lost) {
                has_spare |= need.events.contains(event);
            } else if own || unheard {
                gone.insert(event);
            }
        }
        (gone, has_spare)
    }

    /// Another node told the receiver the same, and the answer did not wait for it.
    fn spare(
        &self,
        trace: &Indexed,
        need: &Need,
        event: usize,
        removed: &EventSet,
        lost: &EventSet,
    ) -> bool {
        trace.alike[event].iter().any(|&other| {
            need.future.contains(other)
                && !need.events.contains(other)
                && !removed.contains(other)
                && !trace.trace.events[other].causes.iter().any(|&cause| lost.contains(cause))
        })
    }

    /// What is left of a value when the faults are healed; of one that is acknowledged later
    /// (`is_late`), at the end.
    fn remains(
        &self,
        trace: &Indexed,
        (token, is_late): (&str, bool),
        acknowledgement: Fate,
        (removed, unprompted): (&EventSet, &EventSet),
        cuts: &[&Cut],
    ) -> Remains {
        let flow = self.flow(trace, token, removed);
        let death: BTreeMap<usize, Kind> = cuts.iter().filter_map(|cut| cut.dead).collect();
        let doubted: BTreeSet<usize> =
            cuts.iter().flat_map(|cut| cut.doubted.iter().copied()).collect();
        let end = flow.healed.as_ref().filter(|_| !is_late).unwrap_or(&flow.now);
        let holds = |node: usize| match death.get(&node) {
            None | Some(Kind::Pause) => end.memory.contains(node) || end.written.contains(node),
            Some(Kind::Restart) => {
                end.written.contains(node)
                    || end.memory.contains(node) && self.only_syncs.contains(&node)
            }
            Some(Kind::PowerLoss) => end.synced.contains(node),
            Some(_) => false,
        };
        let nodes = trace.trace.nodes.iter().enumerate().filter(|(_, node)| !node.is_client);
        let (mut doubted, holders): (BTreeSet<usize>, BTreeSet<usize>) = nodes
            .map(|(index, _)| index)
            .filter(|&index| holds(index))
            .partition(|index| doubted.contains(index));
        if !holders.is_empty() {
            // Who comes back can get it from those who have it.
            let back = |kind: &Kind| matches!(kind, Kind::Restart | Kind::PowerLoss);
            doubted.extend(death.iter().filter(|(_, kind)| back(kind)).map(|(node, _)| *node));
        }
        let doubted: BTreeSet<usize> = doubted.difference(&holders).copied().collect();
        let is_gone = |node: &usize| {
            death.get(node).is_some_and(|kind| !matches!(kind, Kind::Restart | Kind::PowerLoss))
        };
        let carried = self.carriers.get(token).into_iter().flatten();
        let had: BTreeSet<usize> = carried
            .map(|event| trace.node_of[*event])
            .filter(|node| !trace.trace.nodes[*node].is_client)
            .collect();
        let lacking = had.iter().filter(|node| !holds(**node) && !is_gone(node)).count();
        let lacking = match lacking {
            0 => Lacking::Nobody,
            count if count >= holders.len() => Lacking::Most,
            _ => Lacking::Some,
        };
        let answers = self.shown.get(token).map_or(&[][..], Vec::as_slice);
        let how = |event: &usize| match () {
            () if flow.effective.contains(*event) => Shown::Same,
            () if !unprompted.contains(*event) => Shown::Stale,
            () => Shown::Silent,
        };
        // What is worst for the system: an answer without the value.
        let worst = |one: Shown, other: Shown| {
            std::cmp::max_by_key(one, other, |shown| match shown {
                Shown::Stale => 2,
                Shown::Silent => 1,
                Shown::Same | Shown::Never => 0,
            })
        };
        let mut by_node: BTreeMap<usize, Shown> = BTreeMap::new();
        for event in answers {
            let Some(node) = trace.answerer(*event) else { continue };
            let shown = by_node.entry(node).or_insert(Shown::Same);
            *shown = worst(*shown, how(event));
        }
        let shown = answers.iter().map(how).reduce(worst).unwrap_or(Shown::Never);
        let answers = by_node;
        Remains { acknowledgement, holders, doubted, lacking, shown, answers }
    }

    /// Where a value still gets to.
    fn flow(&self, trace: &Indexed, token: &str, removed: &EventSet) -> Flow {
        let mut flow = Flow::default();
        let mut met = EventSet::default();
        for &event in self.flows.get(token).map_or(&[][..], Vec::as_slice) {
            let node = trace.node_of[event];
            let carries = trace.trace.events[event].tokens.contains(token);
            // Whoever has it without having received it made it.
            let is_origin = carries && met.insert(node) && trace.name(event).is_visible()
                || trace.trace.nodes[node].is_client;
            if event >= trace.trace.end {
                flow.healed.get_or_insert_with(|| flow.now.clone());
            }
            if removed.contains(event) {
                continue;
            }
            let has = is_origin || flow.now.memory.contains(node);
            // Where syncs are seen but no writes, the writes were not seen.
            let is_written =
                flow.now.written.contains(node) || has && self.only_syncs.contains(&node);
            let takes_place = match trace.name(event) {
                EventName::Receive(_) => trace.trace.events[event]
                    .causes
                    .iter()
                    .any(|&send| flow.effective.contains(send)),
                EventName::Send(_) => has,
                EventName::Write { .. } => has && flow.now.written.insert(node) | true,
                EventName::Sync { .. } => is_written && flow.now.synced.insert(node) | true,
            };
            if takes_place {
                flow.effective.insert(event);
                flow.now.memory.insert(node);
            }
        }
        flow
    }

    /// The messages through which the outcome came to show a value, back to the workload: per node
    /// that answered with it one support, as positions in the trace.
    pub(crate) fn serving_paths(&self, trace: &Indexed, token: &str) -> BTreeMap<usize, EventSet> {
        let mut paths = BTreeMap::new();
        for event in self.shown.get(token).into_iter().flatten() {
            if let Some(node) = trace.answerer(*event) {
                paths.entry(node).or_insert_with(|| self.serving_path(trace, token, *event));
            }
        }
        paths
    }

    fn serving_path(&self, trace: &Indexed, token: &str, answer: usize) -> EventSet {
        let mut path = EventSet::default();
        let carriers = self.carriers.get(token).map_or(&[][..], Vec::as_slice);
        let mut open = vec![answer];
        while let Some(event) = open.pop() {
            if !path.insert(event) {
                continue;
            }
            let node = trace.node_of[event];
            if let EventName::Receive(_) = trace.name(event) {
                open.extend(trace.trace.events[event].causes.iter().copied());
            } else if !trace.trace.nodes[node].is_client {
                // How this node came to have it.
                let first = carriers.iter().copied().find(|&other| trace.node_of[other] == node);
                open.extend(first.filter(|first| *first < event));
            }
        }
        path
    }
}

#[derive(Default)]
struct Flow {
    effective: EventSet,
    now: Holders,
    /// When the faults were healed, after which everybody may learn from everybody; if that was seen.
    healed: Option<Holders>,
}

/// The nodes that have a value, in which way. (Sets of nodes, by position.)
#[derive(Clone, Default)]
struct Holders {
    memory: EventSet,
    written: EventSet,
    synced: EventSet,
}

/// What the cuts remove together, and the receives of what is not sent any more.
pub(crate) fn removed_by(trace: &Indexed, cuts: &[&Cut]) -> EventSet {
    let mut removed = EventSet::default();
    for cut in cuts {
        removed.union_with(&cut.removed);
    }
    for event in 0..trace.len() {
        let causes = &trace.trace.events[event].causes;
        if !causes.is_empty() && causes.iter().all(|&cause| removed.contains(cause)) {
            removed.insert(event);
        }
    }
    removed
}

/// What nothing would prompt any more: an event whose prompt is gone, unless its node is prompted in
/// the same way later by another.
pub(crate) fn unprompted(trace: &Indexed, removed: &EventSet) -> EventSet {
    /// Spares that depend on what is gone are given up round by round; more rounds change little.
    const ROUNDS_MAX: usize = 4;
    let mut gone = EventSet::default();
    for _ in 0..ROUNDS_MAX {
        let now = unprompted_round(trace, removed, &gone);
        if now == gone {
            break;
        }
        gone = now;
    }
    gone
}

fn unprompted_round(trace: &Indexed, removed: &EventSet, lost: &EventSet) -> EventSet {
    let mut gone = removed.clone();
    for event in 0..trace.len() {
        let causes = &trace.trace.events[event].causes;
        let unheard = !causes.is_empty() && causes.iter().all(|&cause| gone.contains(cause));
        let unasked = trace.prompt[event].is_some_and(|prompt| {
            gone.contains(prompt) && !has_later_spare(trace, prompt, removed, lost)
        });
        if unheard || unasked {
            gone.insert(event);
        }
    }
    gone
}

/// Another node tells the receiver the same, later.
fn has_later_spare(trace: &Indexed, event: usize, removed: &EventSet, lost: &EventSet) -> bool {
    let is_left = |other: &&usize| !removed.contains(**other) && !lost.contains(**other);
    trace.alike[event].iter().filter(|other| **other > event).any(|other| is_left(&other))
}
