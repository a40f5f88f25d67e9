//! Which hypothesis first: how surprising it would be if it broke the system, in bits.
//!
//! Each feature is a likelihood ratio, as a logarithm to base 2: smaller is more promising. What
//! was tried and did nothing makes what is like it less promising. The order excludes nothing.

use std::collections::BTreeSet;
use std::fmt;

use crate::cut::Cut;
use crate::event::EventName;
use crate::fault::{Fault, Kind, Moment, Trigger};
use crate::prediction::{Fate, Lacking, Prediction, Remains, Shown};
use crate::roles::is_one;
use crate::trace::Indexed;

/// The answer would come by another way.
const ANSWER_SPARE: f64 = 0.5;
/// The answer would come as late as what it waits for.
const ANSWER_LATE: f64 = 1.5;
/// The program would have to go on after an error. Most catastrophic failures come of errors that were
/// seen and not handled (Yuan et al., "Simple testing can prevent most critical failures", OSDI 2014,
/// section 4).
const ANSWER_FAILED: f64 = 1.0;
/// Somebody would still hold the value; half of it if only nodes would that are in doubt, or no more of them
/// than would be there without it.
const HELD: f64 = 1.5;
/// Per node that would still hold the value and be trusted.
const HOLDER: f64 = 0.5;
/// Per node that would hold it in a minority, or paused.
const DOUBTED_HOLDER: f64 = 0.25;
/// Holders weigh so much if the invariant may be about something else than values kept.
const HOLDING_IF_NOT_TOLD: f64 = 0.4;
/// All who are there and had it still have it: nobody can deny it.
const NOBODY_LACKS: f64 = 1.5;
/// Per known way to show the value that would be left.
const SUPPORT_LEFT: f64 = 1.5;
/// Somebody would still answer with the value as in the run.
const SHOWN_SAME: f64 = 2.0;
/// Nobody was seen to answer with it: something has taken its place, perhaps.
const SHOWN_NEVER: f64 = 1.0;
/// The node that answered would not: another must, or the run cannot be judged.
const SHOWN_SILENT: f64 = 0.5;
/// Nothing is known of values.
const NO_VALUE: f64 = 2.5;
/// The k-th event of its kind is another one in the next run the sooner the larger k is: times log2(k).
const LATER_OF_MANY: f64 = 0.5;
/// Another input as well: what breaks the system mostly breaks it under the first one, too.
const INPUT_TOO: f64 = 1.5;
/// It strikes between two sends of one message to several nodes.
const SPLITS: f64 = -1.0;
/// It strikes next to an answer, or to a durable write.
const NEXT_TO_PROMISE: f64 = -0.75;
/// The first thing it holds back carries a value.
const VALUE_HELD_BACK: f64 = -0.75;
/// It holds back what the client asks for: nothing is promised yet.
const REQUEST_HELD_BACK: f64 = 1.5;
/// Holders and supports beyond so many make no difference.
const COUNT_MAX: usize = 4;

/// Prior of a kind of fault, in bits: -log2 of how likely it is in production, against a crash at 1.
fn prior(kind: Kind) -> f64 {
    match kind {
        Kind::Input => 0.0,
        Kind::Crash | Kind::Restart | Kind::Partition | Kind::Stall | Kind::Loss => 1.0,
        Kind::SilentCrash | Kind::Pause | Kind::Delay | Kind::Duplicate | Kind::Reset => 1.5,
        Kind::PowerLoss | Kind::Error | Kind::Refuse => 2.0,
        // Checksums keep nearly all of it from programs.
        Kind::Corrupt => 3.0,
    }
}

/// What is believed of the invariant.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Beliefs {
    /// Bits of an answer that does not reach the client: the run would probably be vacuous.
    pub(crate) answer_cut: f64,
    /// The same if nobody has the value either: it may never have got into the system.
    pub(crate) nothing_left: f64,
    /// It is about values that were acknowledged, as the workload tells them.
    pub(crate) is_about_values: bool,
}

impl Beliefs {
    /// Before anything is known.
    const NEUTRAL: Self = Self { answer_cut: 4.0, nothing_left: 4.0, is_about_values: true };
}

/// The bits of what is predicted for one value.
fn value_bits(
    remains: &Remains,
    supports_left: impl Fn(Option<usize>) -> usize,
    beliefs: &Beliefs,
) -> f64 {
    let is_held = !remains.holders.is_empty() || !remains.doubted.is_empty();
    let answer_cut = if is_held { beliefs.answer_cut } else { beliefs.nothing_left };
    let holding = if beliefs.is_about_values { 1.0 } else { HOLDING_IF_NOT_TOLD };
    let answer = match remains.acknowledgement {
        Fate::Kept => 0.0,
        Fate::Spare => ANSWER_SPARE.min(answer_cut),
        Fate::Late => ANSWER_LATE.min(answer_cut),
        Fate::Failed => ANSWER_FAILED.min(answer_cut),
        Fate::Cut => answer_cut,
    };
    let lacking = if remains.lacking == Lacking::Nobody { NOBODY_LACKS } else { 0.0 };
    let left = |answerer| SUPPORT_LEFT * supports_left(answerer).min(COUNT_MAX) as f64;
    // Whoever is asked must not have it; or, if several were seen to answer, one of them.
    let all_lack = remains.answers.values().all(|shown| *shown != Shown::Same);
    let all = left(None)
        + match remains.shown {
            Shown::Never => SHOWN_NEVER,
            _ if !all_lack => SHOWN_SAME,
            Shown::Silent => SHOWN_SILENT,
            Shown::Same | Shown::Stale => 0.0,
        };
    let several = remains.answers.len() > 1;
    let one = remains.answers.iter().filter(|(_, shown)| several && **shown == Shown::Stale);
    let shown = one.map(|(node, _)| left(Some(*node))).fold(all, f64::min);
    let held = match (remains.holders.is_empty(), remains.doubted.is_empty()) {
        (false, _) if remains.lacking == Lacking::Most => HELD / 2.0,
        (false, _) => HELD,
        (true, false) => HELD / 2.0,
        (true, true) => 0.0,
    };
    answer
        + shown
        + holding * held
        + holding * lacking
        + holding * HOLDER * remains.holders.len().min(COUNT_MAX) as f64
        + holding * DOUBTED_HOLDER * remains.doubted.len().min(COUNT_MAX) as f64
}

/// The bits of a prediction: those of the value most in danger. `supports_left` tells how many
/// known supports of a value the hypothesis leaves, in all or those by which one node answered.
pub(crate) fn prediction_bits(
    prediction: &Prediction,
    supports_left: impl Fn(&str, Option<usize>) -> usize,
    beliefs: &Beliefs,
) -> f64 {
    let values = prediction.values.iter().map(|(token, remains)| {
        value_bits(remains, |answerer| supports_left(token, answerer), beliefs)
    });
    let without = prediction
        .acknowledgement
        .map(|fate| NO_VALUE + if fate == Fate::Cut { beliefs.answer_cut } else { 0.0 });
    // Where nothing was acknowledged, the system can hardly be held to anything.
    values.chain(without).min_by(f64::total_cmp).unwrap_or(NO_VALUE + beliefs.answer_cut)
}

/// The bits of the faults themselves: how likely they are, and where they strike.
pub(crate) fn fault_bits(faults: &[(&Fault, &Cut)], trace: &Indexed) -> f64 {
    faults
        .iter()
        .map(|(fault, cut)| {
            // Of whichever node it is: of the one that this trace has there.
            let event = trace.trace.events.get(cut.trigger);
            let settled = event.map_or_else(|| (*fault).clone(), |event| fault.at(&event.name));
            let place = match &settled {
                Fault::Node { node, .. } => node_bits(node, cut, trace),
                Fault::Error { .. } => NEXT_TO_PROMISE,
                Fault::Stall { .. }
                | Fault::Delay { .. }
                | Fault::Loss { .. }
                | Fault::Corrupt { .. }
                | Fault::Refuse { .. }
                    if trace.trace.nodes[trace.node_of[cut.trigger]].is_client =>
                {
                    REQUEST_HELD_BACK
                }
                Fault::Partition { .. } | Fault::Stall { .. } | Fault::Delay { .. }
                    if !trace.trace.events[cut.trigger].tokens.is_empty() =>
                {
                    VALUE_HELD_BACK
                }
                Fault::Input { .. } if faults.len() > 1 => INPUT_TOO,
                _ => 0.0,
            };
            let number = fault.trigger().map_or(1, |event| event.occurrence().max(1));
            prior(fault.kind()) + LATER_OF_MANY * f64::from(number).log2() + place
        })
        .sum()
}

fn node_bits(node: &str, cut: &Cut, trace: &Indexed) -> f64 {
    let Some(node) = trace.node_index(node) else { return 0.0 };
    let first = cut.removed.iter().chain(cut.late.iter()).next();
    let events = &trace.by_node[node];
    // The first event that is cut, and what lies on both sides of the cut.
    let position = first.and_then(|first| events.iter().position(|event| *event == first));
    let position = position.unwrap_or(events.len());
    let visible = |event: &&usize| trace.name(**event).is_visible();
    let before = events[..position].iter().rfind(visible);
    let after = events[position..].iter().find(visible);
    let splits =
        match (before.map(|event| trace.name(*event)), after.map(|event| trace.name(*event))) {
            (Some(EventName::Send(one)), Some(EventName::Send(two))) => {
                one.label == two.label && one.to != two.to
            }
            _ => false,
        };
    let mut near =
        before.into_iter().chain(after).chain(position.checked_sub(1).map(|at| &events[at]));
    let is_promise = near.any(|&event| is_promise(event, trace));
    let carries = after.is_some_and(|after| !trace.trace.events[*after].tokens.is_empty());
    let splits = if splits { SPLITS } else { 0.0 };
    let carries = if carries { VALUE_HELD_BACK } else { 0.0 };
    splits + carries + if is_promise { NEXT_TO_PROMISE } else { 0.0 }
}

/// A promise to others or to oneself: an answer to the client, a durable write.
fn is_promise(event: usize, trace: &Indexed) -> bool {
    match trace.name(event) {
        EventName::Sync { .. } | EventName::Write { .. } => true,
        EventName::Send(_) => trace.received[event].is_some_and(|receive| {
            trace.trace.acknowledgements.iter().any(|ack| ack.answer == receive)
        }),
        EventName::Receive(_) => false,
    }
}

/// What makes two hypotheses alike: kinds of faults, nodes up to their group, and what is predicted.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Class {
    faults: Vec<FaultClass>,
    prediction: BTreeSet<RemainsClass>,
    acknowledgement: Option<Fate>,
}

/// A fault up to interchangeable nodes and the number of its event.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct FaultClass {
    pub(crate) kind: Kind,
    nodes: Vec<String>,
    /// The label, for a fine class.
    event: Option<String>,
}

impl fmt::Display for FaultClass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let between = if matches!(self.kind, Kind::Partition) { "," } else { "->" };
        write!(f, "{} {}", self.kind, self.nodes.join(between))?;
        self.event.iter().try_for_each(|event| write!(f, " {event}"))
    }
}

impl FaultClass {
    /// What experience with a fault says something about: partitions at one event are alike, whoever
    /// is on which side.
    pub(crate) fn of_experience(fault: &Fault, trace: &Indexed) -> Self {
        let mut class = fault_class(fault, trace);
        if class.kind == Kind::Partition {
            class.nodes.clear();
        }
        class
    }
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
struct RemainsClass {
    acknowledgement: Fate,
    holders: Vec<String>,
    doubted: Vec<String>,
    lacking: Lacking,
    shown: Shown,
}

/// The class of a fault, with its event's label.
pub(crate) fn fault_class(fault: &Fault, trace: &Indexed) -> FaultClass {
    let nodes = match fault {
        Fault::Node { node, .. } => vec![trace.role(node)],
        Fault::Partition { one, .. } => {
            let mut roles: Vec<String> = one.iter().map(|node| trace.role(node)).collect();
            roles.sort();
            roles
        }
        Fault::Stall { from, to, .. }
        | Fault::Refuse { from, to, .. }
        | Fault::Reset { from, to, .. } => vec![trace.role(from), trace.role(to)],
        Fault::Delay { message, .. }
        | Fault::Loss { message }
        | Fault::Duplicate { message }
        | Fault::Corrupt { message } => {
            vec![trace.role(&message.from), trace.role(&message.to)]
        }
        Fault::Error { event, .. } => vec![trace.role(event.node())],
        Fault::Input { parameter, value } => vec![format!("{parameter}={value}")],
    };
    let event = fault.trigger().map(|event| {
        let moment = match fault {
            Fault::Node { at: Trigger { moment: Moment::Before, .. }, .. } => "before ",
            Fault::Node { at: Trigger { moment: Moment::After, .. }, .. } => "after ",
            _ => "at ",
        };
        format!("{moment}{}", trace.kind_by_role(&event))
    });
    FaultClass { kind: fault.kind(), nodes, event }
}

/// Which faults take turns as one: those of a kind that happen to one node (or one like it), or to messages
/// with a value, or to others; all partitions. Where a node writes nothing, its power failing is its restart.
pub(crate) fn group(fault: &Fault, trace: &Indexed) -> String {
    let kind = fault.kind();
    match fault {
        Fault::Node { node, .. } => {
            let is_file = |event: &EventName| match event {
                EventName::Write { node: writer, .. } | EventName::Sync { node: writer, .. } => {
                    is_one(node, writer)
                }
                _ => false,
            };
            let mut events = trace.trace.events.iter();
            let is_restart = kind == Kind::PowerLoss && !events.any(|event| is_file(&event.name));
            let kind = if is_restart { Kind::Restart } else { kind };
            format!("{kind} {}", trace.role(node))
        }
        Fault::Partition { .. } => kind.to_string(),
        Fault::Stall { .. }
        | Fault::Delay { .. }
        | Fault::Loss { .. }
        | Fault::Duplicate { .. }
        | Fault::Corrupt { .. }
        | Fault::Refuse { .. }
        | Fault::Reset { .. } => {
            let event = fault.trigger().and_then(|name| trace.positions.get(&name).copied());
            let carries = event.is_some_and(|event| !trace.trace.events[event].tokens.is_empty());
            format!("{kind} {}", if carries { "of a value" } else { "of none" })
        }
        Fault::Error { event, .. } => format!("{kind} {}", trace.kind_by_role(event)),
        Fault::Input { parameter, .. } => format!("{kind} {parameter}"),
    }
}

/// The class of a hypothesis.
pub(crate) fn class(
    faults: &[&Fault],
    prediction: &Prediction,
    trace: &Indexed,
    is_fine: bool,
) -> Class {
    let roles = |nodes: &BTreeSet<usize>| {
        if !is_fine {
            // Of several faults the places say which nodes are left; that there are any matters more.
            return if nodes.is_empty() { Vec::new() } else { vec!["*".to_owned()] };
        }
        let mut roles: Vec<String> =
            nodes.iter().map(|node| trace.role(&trace.trace.nodes[*node].name)).collect();
        roles.sort();
        roles
    };
    // What several faults do under one input, they are assumed to do under another.
    let is_counted = |fault: &&&Fault| is_fine || fault.kind() != Kind::Input;
    // Which link it was, or who was on which side, shows in what is left.
    let class_of = |fault: &&Fault| match is_fine {
        true => fault_class(fault, trace),
        false => FaultClass { kind: fault.kind(), nodes: vec![group(fault, trace)], event: None },
    };
    let mut classes: Vec<FaultClass> = faults.iter().filter(is_counted).map(class_of).collect();
    classes.sort();
    // Of several faults it is the value most in danger that counts.
    let danger = |remains: &&Remains| value_bits(remains, |_| 0, &Beliefs::NEUTRAL);
    let values: Vec<&Remains> = if is_fine {
        prediction.values.values().collect()
    } else {
        let by_danger = |one: &&Remains, other: &&Remains| danger(one).total_cmp(&danger(other));
        prediction.values.values().min_by(by_danger).into_iter().collect()
    };
    let prediction_classes = values
        .into_iter()
        .map(|remains| RemainsClass {
            acknowledgement: remains.acknowledgement,
            holders: roles(&remains.holders),
            doubted: roles(&remains.doubted),
            lacking: remains.lacking,
            shown: remains.shown,
        })
        .collect();
    Class {
        faults: classes,
        prediction: prediction_classes,
        acknowledgement: prediction.acknowledgement,
    }
}
