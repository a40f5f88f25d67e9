//! A run as rows of a sequence diagram, top to bottom.
//!
//! A message stands on one row if nothing else shown happens in its sender's lane before it is
//! received; otherwise on two, joined by a number, because one row would tell a wrong order.

use std::collections::BTreeMap;

use super::Diagram;

/// One row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Row {
    /// A message from lane to lane.
    Message { from: usize, to: usize, label: Option<String>, bytes: u64 },
    /// A message leaves; it arrives further down.
    Leaves { from: usize, to: usize, label: Option<String>, bytes: u64, number: usize },
    /// It arrives.
    Arrives { from: usize, to: usize, number: usize },
    /// Something else happens.
    Mark { lane: usize, kind: String, text: String },
}

impl Row {
    /// Whether it begins or ends in a lane.
    pub(crate) fn is_in(&self, wanted: usize) -> bool {
        match self {
            Self::Message { from, to, .. }
            | Self::Leaves { from, to, .. }
            | Self::Arrives { from, to, .. } => [*from, *to].contains(&wanted),
            Self::Mark { lane, .. } => *lane == wanted,
        }
    }

    /// What may be folded with rows alike: numbers tell rows apart.
    fn folds_with(&self, other: &Self) -> bool {
        matches!(self, Self::Message { .. }) && self == other
    }
}

/// A row with the time of its (last) event, or how often the rows above it are repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Line {
    Row { time_ns: u64, row: Row },
    Repeat { rows: usize, times: usize, until_ns: u64 },
}

/// The rows of a run.
pub(crate) fn rows(diagram: &Diagram<'_>) -> Vec<(u64, Row)> {
    let trace = diagram.trace;
    let mut sent: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    let mut received: BTreeMap<u32, Vec<usize>> = BTreeMap::new();
    for (index, message) in trace.messages.iter().enumerate() {
        if let Some(event) = message.received.filter(|_| diagram.crosses(message)) {
            sent.entry(message.sent).or_default().push(index);
            received.entry(event).or_default().push(index);
        }
    }
    // The number of events shown so far in each lane, to see whether anything comes in between.
    let mut counts = vec![0_usize; diagram.lanes.len()];
    let mut count_at: BTreeMap<u32, usize> = BTreeMap::new();
    for event in (0..trace.events.len() as u32).filter(|event| diagram.is_shown(*event)) {
        let lane = diagram.lane(event);
        counts[lane] += 1;
        count_at.insert(event, counts[lane]);
    }
    let mut so_far = vec![0_usize; diagram.lanes.len()];
    let mut numbers: BTreeMap<usize, usize> = BTreeMap::new();
    let mut split = vec![false; trace.messages.len()];
    for event in (0..trace.events.len() as u32).filter(|event| diagram.is_shown(*event)) {
        so_far[diagram.lane(event)] += 1;
        for &message in received.get(&event).into_iter().flatten() {
            let send = trace.messages[message].sent;
            split[message] = so_far[diagram.lane(send)] != count_at[&send] || sent[&send].len() > 1;
        }
    }
    let mut rows = Vec::new();
    for event in (0..trace.events.len() as u32).filter(|event| diagram.is_shown(*event)) {
        let record = diagram.event(event);
        let lane = diagram.lane(event);
        let mut mentioned = false;
        for &index in sent.get(&event).into_iter().flatten() {
            mentioned = true;
            let message = &trace.messages[index];
            if let Some(to) = message.received.filter(|_| split[index]) {
                let number = numbers.len() + 1;
                numbers.insert(index, number);
                let to = diagram.lane(to);
                let (label, bytes) = (message.label.clone(), message.bytes);
                rows.push((record.time_ns, Row::Leaves { from: lane, to, label, bytes, number }));
            }
        }
        for &index in received.get(&event).into_iter().flatten() {
            mentioned = true;
            let message = &trace.messages[index];
            let from = diagram.lane(message.sent);
            let row = match numbers.get(&index) {
                Some(&number) => Row::Arrives { from, to: lane, number },
                None => Row::Message {
                    from,
                    to: lane,
                    label: message.label.clone(),
                    bytes: message.bytes,
                },
            };
            rows.push((record.time_ns, row));
        }
        if !mentioned {
            let (kind, text) = (record.kind.clone(), record.text.clone());
            rows.push((record.time_ns, Row::Mark { lane, kind, text }));
        }
    }
    rows
}

/// Longest sequence of rows whose repetition is folded.
const PERIOD_MAX: usize = 6;

/// Folds repetitions, such as a thousand pings and pongs.
pub(crate) fn fold(rows: Vec<(u64, Row)>) -> Vec<Line> {
    let mut lines = Vec::new();
    let mut at = 0;
    while at < rows.len() {
        let repeats = |period: usize| {
            let alike = (at..)
                .take_while(|&index| {
                    index + period < rows.len() && rows[index].1.folds_with(&rows[index + period].1)
                })
                .count();
            alike / period
        };
        let best = (1..=PERIOD_MAX)
            .map(|period| (repeats(period) * period, period))
            .max_by_key(|(covered, period)| (*covered, std::cmp::Reverse(*period)));
        match best {
            Some((covered, period)) if covered / period >= 2 => {
                let times = covered / period;
                push(&mut lines, &rows[at..at + period]);
                at += period + covered;
                lines.push(Line::Repeat { rows: period, times, until_ns: rows[at - 1].0 });
            }
            _ => {
                push(&mut lines, &rows[at..=at]);
                at += 1;
            }
        }
    }
    lines
}

fn push(lines: &mut Vec<Line>, rows: &[(u64, Row)]) {
    lines.extend(
        rows.iter().map(|(time_ns, row)| Line::Row { time_ns: *time_ns, row: row.clone() }),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    fn message(from: usize, to: usize, label: &str) -> (u64, Row) {
        (0, Row::Message { from, to, label: Some(label.to_owned()), bytes: 1 })
    }

    #[test]
    fn repetitions_are_folded() {
        let mut rows = vec![message(0, 1, "hello")];
        for _ in 0..50 {
            rows.push(message(0, 1, "ping"));
            rows.push(message(1, 0, "pong"));
        }
        rows.push(message(0, 1, "bye"));
        let lines = fold(rows);
        assert_eq!(lines.len(), 5);
        assert_eq!(lines[3], Line::Repeat { rows: 2, times: 49, until_ns: 0 });
    }

    #[test]
    fn what_differs_is_not_folded() {
        let rows: Vec<_> = (0..6).map(|index| message(0, 1, ["a", "b", "c"][index % 3])).collect();
        assert_eq!(fold(rows.clone()).len(), 6);
        let marks = vec![(0, Row::Mark { lane: 0, kind: "sync".into(), text: "fsync".into() }); 9];
        assert_eq!(fold(marks).len(), 9);
    }
}
