//! The runs, packed for the browser: rows are numbered once for all runs, facts are spans of time,
//! and messages and derivations are flat lists of numbers.

use std::collections::{BTreeMap, BTreeSet};

use linchpin_model::{Fault, FaultSet, InputValue, Outcome};
use linchpin_record::{Absence, Campaign, Detail, Header, RelationKind, Run, Value};
use serde::Serialize;

use super::RUNS_FULL_MAX;
use crate::story::reference;
use crate::text;

/// Everything the script reads.
#[derive(Serialize)]
struct Data<'a> {
    nodes: &'a [String],
    eot: u32,
    asked: Option<u32>,
    answered: u32,
    relations: Vec<&'a str>,
    rules: Vec<RuleData>,
    /// Per input that can come in several ways: each way as row and time; first the usual one.
    inputs: Vec<Vec<[i64; 2]>>,
    /// Relation, then values.
    rows: Vec<Vec<Cell>>,
    runs: Vec<RunData>,
    kept: BTreeMap<u64, Kept>,
    /// The numbers of the runs of the counterexamples.
    counterexamples: Vec<u64>,
    /// Per bad run that is kept: the run to compare it with.
    nearest: BTreeMap<u64, u64>,
    /// The run to show first, if not that of the first counterexample.
    open: Option<u64>,
}

/// A number, a string after `s`, an integer too large for JavaScript after `i`, or any value.
#[derive(Serialize, Clone, PartialEq, Eq, PartialOrd, Ord)]
#[serde(untagged)]
enum Cell {
    Number(i64),
    Text(String),
    Any,
}

/// Text, place, anchor.
#[derive(Serialize)]
struct RuleData {
    t: String,
    p: String,
    a: String,
}

/// Faults and outcome.
#[derive(Serialize)]
struct RunData {
    /// Kind (0 omission, 1 crash, 2 delay, 3 recovery, 4 input), sender or node (for an input: its
    /// row), receiver, time, steps late.
    f: Vec<[i64; 5]>,
    o: Outcome,
}

/// A run in detail.
#[derive(Serialize)]
struct Kept {
    full: u8,
    /// Messages, six numbers each: time, sender, receiver, row, rule, and when it arrives; 0 if it
    /// is lost.
    m: Vec<i64>,
    /// Facts, three numbers each: row, first and last time.
    f: Vec<u32>,
    /// Derivations: fact, rule, number of premises, premises, number of absences, absences.
    d: Vec<u32>,
}

/// The time steps at which a row holds, each with the number of the fact.
type TimesHeld = Vec<(u32, u32)>;

/// The data as JSON that may stand inside a script element.
pub(super) fn embed(campaign: &Campaign, open: Option<u64>) -> String {
    let json = serde_json::to_string(&Packer::new(&campaign.header).pack(campaign, open))
        .expect("the data has a JSON form");
    json.replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029")
}

/// The anchor of a line of the specification.
pub(super) fn anchor(file: u32, line: u32) -> String {
    format!("source-{file}-{line}")
}

struct Packer<'a> {
    header: &'a Header,
    rows: Vec<Vec<Cell>>,
    numbers: BTreeMap<Vec<Cell>, u32>,
}

impl<'a> Packer<'a> {
    fn new(header: &'a Header) -> Self {
        Self { header, rows: Vec::new(), numbers: BTreeMap::new() }
    }

    fn pack(mut self, campaign: &'a Campaign, open: Option<u64>) -> Data<'a> {
        let header = self.header;
        let counterexamples: Vec<u64> = header
            .conclusion
            .iter()
            .flat_map(|conclusion| conclusion.counterexamples.iter().map(|each| each.run))
            .filter(|run| *run < campaign.runs.len() as u64)
            .collect();
        let nearest: BTreeMap<u64, u64> = campaign
            .runs
            .iter()
            .filter(|run| run.outcome == Outcome::Bad)
            .filter_map(|run| {
                let bad = campaign.kept.get(&run.run)?;
                Some((run.run, reference(campaign, bad)?.run))
            })
            .collect();
        let full = full_runs(campaign, &counterexamples, &nearest, open);
        let kept = campaign
            .kept
            .iter()
            .map(|(&number, run)| (number, self.run(run, full.contains(&number))))
            .collect();
        let vocabulary = &header.vocabulary;
        let mut rules: Vec<RuleData> = (0..vocabulary.rules.len() as u32)
            .map(|rule| {
                let place = vocabulary.rules[rule as usize].place;
                RuleData {
                    t: text::rule(header, rule),
                    p: text::place(header, rule),
                    a: anchor(place.file, place.line),
                }
            })
            .collect();
        // What stands for a rule where state stands still.
        rules.push(RuleData {
            t: "its node was down: what it holds stands still".to_owned(),
            p: String::new(),
            a: String::new(),
        });
        let inputs = header.bounds.inputs.iter();
        let inputs = inputs.map(|ways| ways.iter().map(|way| self.way(way)).collect()).collect();
        Data {
            nodes: &header.bounds.nodes,
            eot: header.bounds.eot,
            asked: vocabulary.asked,
            answered: vocabulary.answered.unwrap_or(0),
            relations: vocabulary.relations.iter().map(|each| each.name.as_str()).collect(),
            rules,
            inputs,
            runs: campaign
                .runs
                .iter()
                .map(|run| RunData { f: self.faults(&run.faults), o: run.outcome })
                .collect(),
            rows: self.rows,
            kept,
            counterexamples,
            nearest,
            open,
        }
    }

    fn node(&self, name: &str) -> i64 {
        let index = self.header.bounds.nodes.iter().position(|node| node == name);
        index.map_or(-1, |index| index as i64)
    }

    /// Row and time of a way in which an input comes.
    fn way(&mut self, way: &Fault) -> [i64; 2] {
        let Fault::Input { relation, row, at } = way else { return [-1, i64::from(way.at())] };
        let relations = &self.header.vocabulary.relations;
        let relation = relations.iter().position(|each| each.name == *relation);
        let value = |value: &InputValue| match value {
            InputValue::Integer(integer) => Value::Integer(*integer),
            InputValue::String(text) => Value::Text(text.clone()),
        };
        let row: Vec<Value> = row.iter().map(value).collect();
        let row = relation.map_or(-1, |relation| i64::from(self.row(relation as u32, &row)));
        [row, i64::from(*at)]
    }

    fn faults(&mut self, faults: &FaultSet) -> Vec<[i64; 5]> {
        faults
            .iter()
            .map(|fault| match fault {
                Fault::Omission { from, to, at } => {
                    [0, self.node(from), self.node(to), i64::from(*at), 0]
                }
                Fault::Crash { node, at } => [1, self.node(node), -1, i64::from(*at), 0],
                Fault::Delay { from, to, at, by } => {
                    [2, self.node(from), self.node(to), i64::from(*at), i64::from(*by)]
                }
                Fault::Recovery { node, at } => [3, self.node(node), -1, i64::from(*at), 0],
                Fault::Input { .. } => {
                    let [row, at] = self.way(fault);
                    [4, row, -1, at, 0]
                }
            })
            .collect()
    }

    fn number(&mut self, cells: Vec<Cell>) -> u32 {
        if let Some(&number) = self.numbers.get(&cells) {
            return number;
        }
        let number = self.rows.len() as u32;
        self.rows.push(cells.clone());
        self.numbers.insert(cells, number);
        number
    }

    fn row(&mut self, relation: u32, row: &[Value]) -> u32 {
        let head = std::iter::once(Cell::Number(i64::from(relation)));
        self.number(head.chain(row.iter().map(cell)).collect())
    }

    fn absence(&mut self, absence: &Absence) -> u32 {
        let head = std::iter::once(Cell::Number(i64::from(absence.relation)));
        let cells = absence.row.iter().map(|column| column.as_ref().map_or(Cell::Any, cell));
        self.number(head.chain(cells).collect())
    }

    fn run(&mut self, run: &Run, full: bool) -> Kept {
        let outcome = [self.header.vocabulary.asked, self.header.vocabulary.answered];
        let mut messages = Vec::with_capacity(run.messages.len() * 6);
        for message in &run.messages {
            let to = self.node(&message.to);
            if to < 0 {
                continue;
            }
            let from = message.from.as_deref().map_or(-1, |from| self.node(from));
            let row = self.row(message.relation, &message.row);
            let arrives = i64::from(message.arrival().unwrap_or(0));
            messages.extend([
                i64::from(message.at),
                from,
                to,
                i64::from(row),
                i64::from(message.rule),
                arrives,
            ]);
        }
        // Rows in order of relation and values, each with its facts in order of time.
        let mut times: BTreeMap<(u32, &[Value]), TimesHeld> = BTreeMap::new();
        for (index, fact) in run.facts.iter().enumerate() {
            if full || outcome.contains(&Some(fact.relation)) {
                let entry = times.entry((fact.relation, fact.row.as_slice())).or_default();
                entry.push((fact.time, index as u32));
            }
        }
        let mut facts = Vec::new();
        let mut places = vec![u32::MAX; run.facts.len()];
        let mut next = 0;
        for ((relation, row), held) in times {
            let number = self.row(relation, row);
            if self.header.vocabulary.relations[relation as usize].kind == RelationKind::Crash {
                // Recorded at the first time step, but it holds at all of them.
                facts.extend([number, 1, self.header.bounds.eot]);
                for (_, index) in held {
                    places[index as usize] = next;
                }
                next += self.header.bounds.eot;
                continue;
            }
            let steps: Vec<u32> = held.iter().map(|(time, _)| *time).collect();
            for (first, last) in text::ranges(&steps) {
                facts.extend([number, first, last]);
            }
            for (_, index) in held {
                places[index as usize] = next;
                next += 1;
            }
        }
        let mut derivations = Vec::new();
        let still = self.header.vocabulary.rules.len() as u32;
        for kept in run.kept.iter().filter(|_| full) {
            let [fact, before] = [kept.fact, kept.before].map(|fact| places[fact as usize]);
            derivations.extend([fact, still, 1, before, 0]);
        }
        for derivation in run.derivations.iter().filter(|_| full) {
            derivations.extend([
                places[derivation.fact as usize],
                derivation.rule,
                derivation.premises.len() as u32,
            ]);
            derivations.extend(derivation.premises.iter().map(|fact| places[*fact as usize]));
            derivations.push(derivation.absences.len() as u32);
            for absence in &derivation.absences {
                let number = self.absence(absence);
                derivations.push(number);
            }
        }
        Kept { full: u8::from(full), m: messages, f: facts, d: derivations }
    }
}

fn cell(value: &Value) -> Cell {
    const EXACT: i64 = 1 << 53;
    match value {
        Value::Integer(integer) if integer.abs_diff(0) <= EXACT as u64 => Cell::Number(*integer),
        Value::Integer(integer) => Cell::Text(format!("i{integer}")),
        Value::Text(text) => Cell::Text(format!("s{text}")),
    }
}

/// The runs embedded in full: the one without faults, the one to open, the counterexamples and what they are
/// compared with, then the first others, as many as are allowed.
fn full_runs(
    campaign: &Campaign,
    counterexamples: &[u64],
    nearest: &BTreeMap<u64, u64>,
    open: Option<u64>,
) -> BTreeSet<u64> {
    let is_full =
        |number: &u64| campaign.kept.get(number).is_some_and(|run| run.detail == Detail::Full);
    let wanted = counterexamples.iter().flat_map(|run| [Some(*run), nearest.get(run).copied()]);
    let mut full = BTreeSet::new();
    for number in
        [Some(0), open].into_iter().chain(wanted).flatten().chain(campaign.kept.keys().copied())
    {
        if full.len() < RUNS_FULL_MAX && is_full(&number) {
            full.insert(number);
        }
    }
    full
}
