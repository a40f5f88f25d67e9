//! Checkers that count: identifiers, sets, queues.

use std::collections::BTreeMap;

use serde_json::Value;

use crate::checker::Checker;
use crate::event::Action;
use crate::operation::{History, Operation};
use crate::report::{Report, Violation};

/// Identifiers given out twice.
pub(crate) fn unique_ids(history: &History) -> Report {
    let mut given: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    let mut count = 0;
    for (index, operation) in history.operations.iter().enumerate() {
        if operation.action == Action::Generate && operation.is_ok() {
            let identifier = operation.output.as_ref().unwrap_or(&Value::Null).to_string();
            given.entry(identifier).or_default().push(index);
            count += 1;
        }
    }
    let totals = vec![("generated", count), ("different", given.len())];
    let twice = given.into_iter().filter(|(_, indexes)| indexes.len() > 1);
    let violations = twice.map(|(identifier, indexes)| Violation {
        rule: "duplicate-id",
        key: None,
        message: format!("The identifier {identifier} was given out {} times.", indexes.len()),
        witness: indexes[..2].to_vec(),
    });
    Report::new(Checker::UniqueIds, totals)
        .with_violations(violations.collect())
        .vacuous_if(count == 0, "no identifier was generated")
}

/// A named number of occurrences.
fn at_most(names: &[&Value]) -> String {
    const SHOWN: usize = 5;
    let shown: Vec<String> = names.iter().take(SHOWN).map(|name| name.to_string()).collect();
    let more = names.len().saturating_sub(SHOWN);
    if more > 0 { format!("{} and {more} more", shown.join(", ")) } else { shown.join(", ") }
}

/// Elements of one object, by value.
#[derive(Default)]
struct Elements<'a> {
    key: Option<Value>,
    /// Value -> the operations that put it in, whatever their outcome.
    put: BTreeMap<String, Vec<(usize, &'a Operation)>>,
}

fn elements(history: &History, put: Action) -> BTreeMap<String, Elements<'_>> {
    let mut objects: BTreeMap<String, Elements<'_>> = BTreeMap::new();
    for (index, operation) in
        history.operations.iter().enumerate().filter(|(_, each)| each.action == put)
    {
        let name = operation.key.as_ref().map_or_else(String::new, Value::to_string);
        let object = objects.entry(name).or_default();
        object.key = operation.key.clone();
        let value = operation.input.as_ref().unwrap_or(&Value::Null).to_string();
        object.put.entry(value).or_default().push((index, operation));
    }
    objects
}

fn of_key(key: Option<&Value>) -> String {
    key.map_or_else(String::new, |key| format!(" of {key}"))
}

/// Sets: what final reads lack, hold in vain, or hold twice.
pub(crate) fn set(history: &History) -> Report {
    let objects = elements(history, Action::Add);
    let mut violations = Vec::new();
    let (mut added, mut acknowledged, mut finals, mut unread) = (0, 0, 0, 0);
    for object in objects.values() {
        let puts = || object.put.values().flatten();
        added += puts().count();
        acknowledged += puts().filter(|(_, operation)| operation.is_ok()).count();
        let reads = history.operations.iter().enumerate().filter(|(_, operation)| {
            let reads = operation.action == Action::Read && operation.is_ok() && operation.is_final;
            reads && operation.key == object.key
        });
        let before = finals;
        for (index, read) in reads {
            finals += 1;
            violations.extend(judge_set(object, index, read));
        }
        unread += usize::from(finals == before);
    }
    let totals = vec![("added", added), ("acknowledged", acknowledged), ("final reads", finals)];
    Report::new(Checker::Set, totals)
        .with_violations(violations)
        .vacuous_if(
            acknowledged == 0 || finals == 0,
            "there is no acknowledged add, or no final read that succeeded: read each set once more after the faults, with \
             \"final\": true",
        )
        .unknown_if(unread > 0, "some sets have no final read that succeeded")
}

fn judge_set(object: &Elements<'_>, index: usize, read: &Operation) -> Vec<Violation> {
    let of_key = of_key(object.key.as_ref());
    let violation =
        |rule, message, witness| Violation { rule, key: object.key.clone(), message, witness };
    let empty = Vec::new();
    let found = match read.output.as_ref() {
        Some(Value::Array(found)) => found,
        None | Some(Value::Null) => &empty,
        Some(other) => {
            let message =
                format!("The final read{of_key} returned {other}, which is no list of elements.");
            return vec![violation("unexpected-element", message, vec![index])];
        }
    };
    let mut times: BTreeMap<String, (usize, &Value)> = BTreeMap::new();
    for element in found {
        times.entry(element.to_string()).or_insert((0, element)).0 += 1;
    }
    let mut violations = Vec::new();
    let lost: Vec<&(usize, &Operation)> = object
        .put
        .iter()
        .filter(|(value, _)| !times.contains_key(*value))
        .filter_map(|(_, puts)| {
            puts.iter().find(|(_, put)| put.is_ok() && put.end() < read.start())
        })
        .collect();
    if let Some((first, _)) = lost.iter().min_by_key(|(put, _)| *put) {
        let names: Vec<&Value> = lost.iter().filter_map(|(_, put)| put.input.as_ref()).collect();
        let message =
            format!("Acknowledged, but not in the final read{of_key}: {}.", at_most(&names));
        violations.push(violation("lost-element", message, vec![*first, index]));
    }
    let may_be_there = |value: &String| {
        let puts = object.put.get(value).into_iter().flatten();
        puts.into_iter().any(|(_, put)| put.may_count() && put.start() < read.end())
    };
    let unexpected: Vec<&Value> = times
        .iter()
        .filter(|(value, _)| !may_be_there(value))
        .map(|(_, (_, element))| *element)
        .collect();
    if !unexpected.is_empty() {
        let message =
            format!("In the final read{of_key}, but never added: {}.", at_most(&unexpected));
        violations.push(violation("unexpected-element", message, vec![index]));
    }
    let twice: Vec<&Value> =
        times.values().filter(|(times, _)| *times > 1).map(|(_, element)| *element).collect();
    if !twice.is_empty() {
        let message = format!("More than once in the final read{of_key}: {}.", at_most(&twice));
        violations.push(violation("duplicate-element", message, vec![index]));
    }
    violations
}

/// What came out of one queue.
struct Taken<'a> {
    /// Value -> the dequeues that returned it.
    by_value: BTreeMap<String, Vec<(usize, &'a Operation)>>,
    /// Whether some dequeue found the queue empty after the last element had gone in.
    drained: bool,
    /// Dequeues that may have taken an element without saying which.
    uncertain: usize,
}

fn taken<'a>(history: &'a History, object: &Elements<'_>) -> Taken<'a> {
    let puts = object.put.values().flatten().filter(|(_, put)| put.may_count());
    // Of an enqueue of unknown outcome, only the beginning is known.
    let last_put =
        puts.map(|(_, put)| if put.is_ok() { put.end() } else { put.start() }).max().unwrap_or(0);
    let mut taken = Taken { by_value: BTreeMap::new(), drained: false, uncertain: 0 };
    let dequeues = history.operations.iter().enumerate().filter(|(_, operation)| {
        operation.action == Action::Dequeue && operation.may_count() && operation.key == object.key
    });
    for (index, dequeue) in dequeues {
        match dequeue.output.as_ref() {
            None => taken.uncertain += 1,
            Some(Value::Null) => taken.drained |= dequeue.start() > last_put,
            Some(value) => {
                taken.by_value.entry(value.to_string()).or_default().push((index, dequeue))
            }
        }
    }
    taken
}

/// Queues: what was lost, came from nowhere, or (if `checker` asks for exactly once) came twice.
pub(crate) fn queue(history: &History, checker: Checker) -> Report {
    let objects = elements(history, Action::Enqueue);
    let mut violations = Vec::new();
    let mut notes = Vec::new();
    let (mut enqueued, mut acknowledged, mut dequeued, mut again) = (0, 0, 0, 0);
    for object in objects.values() {
        let taken = taken(history, object);
        enqueued += object.put.values().flatten().count();
        acknowledged += object.put.values().flatten().filter(|(_, put)| put.is_ok()).count();
        dequeued += taken.by_value.values().flatten().count();
        violations.extend(from_nowhere(object, &taken));
        let twice = delivered_again(object, &taken);
        again += twice.len();
        violations.extend(twice.into_iter().filter(|_| checker == Checker::QueueOnce));
        match lost_from_queue(object, &taken) {
            Ok(lost) => violations.extend(lost),
            Err(note) => notes.push(note),
        }
    }
    let totals = vec![
        ("enqueued", enqueued),
        ("acknowledged", acknowledged),
        ("dequeued", dequeued),
        ("delivered again", again),
    ];
    Report::new(checker, totals)
        .with_violations(violations)
        .vacuous_if(acknowledged == 0, "no enqueue was acknowledged")
        .unknown_if(!notes.is_empty(), &notes.join("; "))
}

fn from_nowhere(object: &Elements<'_>, taken: &Taken<'_>) -> Option<Violation> {
    let mut values = Vec::new();
    let mut witness = None;
    for (value, dequeues) in &taken.by_value {
        let puts = || object.put.get(value).into_iter().flatten();
        let possible = |end: usize| puts().any(|(_, put)| put.may_count() && put.start() < end);
        if let Some((index, dequeue)) =
            dequeues.iter().find(|(_, dequeue)| !possible(dequeue.end()))
        {
            values.extend(dequeue.output.as_ref());
            witness.get_or_insert(*index);
        }
    }
    let message = format!(
        "Dequeued{}, but never enqueued before: {}.",
        of_key(object.key.as_ref()),
        at_most(&values)
    );
    let rule = "unexpected-element";
    witness.map(|index| Violation { rule, key: object.key.clone(), message, witness: vec![index] })
}

fn delivered_again(object: &Elements<'_>, taken: &Taken<'_>) -> Vec<Violation> {
    let again = taken.by_value.iter().filter_map(|(value, dequeues)| {
        let puts =
            object.put.get(value).into_iter().flatten().filter(|(_, put)| put.may_count()).count();
        (puts > 0 && dequeues.len() > puts).then(|| Violation {
            rule: "duplicate-element",
            key: object.key.clone(),
            message: format!(
                "Enqueued {puts} times, but dequeued {} times: {value}.",
                dequeues.len()
            ),
            witness: dequeues.iter().take(puts + 1).map(|(index, _)| *index).collect(),
        })
    });
    again.collect()
}

/// The acknowledged elements that never came out; an error says why that cannot be known.
fn lost_from_queue(object: &Elements<'_>, taken: &Taken<'_>) -> Result<Option<Violation>, String> {
    let missing: Vec<&(usize, &Operation)> = object
        .put
        .iter()
        .filter(|(value, _)| !taken.by_value.contains_key(*value))
        .filter_map(|(_, puts)| puts.iter().find(|(_, put)| put.is_ok()))
        .collect();
    let Some((first, _)) = missing.iter().min_by_key(|(put, _)| *put) else { return Ok(None) };
    let of_key = of_key(object.key.as_ref());
    let count = missing.len();
    if !taken.drained {
        return Err(format!(
            "{count} acknowledged elements{of_key} did not come out, but the queue may still hold them: dequeue until it is \
             empty (an ok dequeue of null) after the last enqueue"
        ));
    }
    if count <= taken.uncertain {
        return Err(format!(
            "{count} acknowledged elements{of_key} did not come out, but {} dequeues of unknown outcome may have taken them",
            taken.uncertain
        ));
    }
    let names: Vec<&Value> = missing.iter().filter_map(|(_, put)| put.input.as_ref()).collect();
    let message =
        format!("Enqueued{of_key} and acknowledged, but never dequeued: {}.", at_most(&names));
    Ok(Some(Violation {
        rule: "lost-element",
        key: object.key.clone(),
        message,
        witness: vec![*first],
    }))
}
