//! Why a run broke the invariant: what differs from a run that did not, from the missing row back
//! to the faults.
//!
//! A fact *vanished* if it holds in the good run and not in the bad one; it *appeared* if it is the
//! other way round. A vanished fact had derivations in the good run, and each of them is blocked in
//! the bad one: its message was lost, a premise vanished, or something that had to be absent
//! appeared. An appeared fact has a derivation in the bad run that was blocked in the good one in
//! the same ways. Following blocked derivations ends at the faults.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use linchpin_model::{Fault, InputValue, Invariant};
use linchpin_record::{
    Absence, Derivation, Fact, Header, Message, RelationKind, Run, Timing, Value,
};

/// Why a run broke the invariant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Explanation {
    /// Each fault and what it did, by time.
    pub effects: Vec<Effect>,
    /// The rows that were asked for and not there at the end.
    pub missing: Vec<MissingRow>,
    /// What differs and why; a cause refers to others by index. The first are those of `missing`.
    pub reasons: Vec<Reason>,
}

/// What a fault did.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Effect {
    /// The fault.
    pub fault: Fault,
    /// The messages it took: indexes into [`Run::messages`] of the bad run.
    pub lost: Vec<usize>,
    /// Each row lost with it, and when it holds all the same.
    pub rows: Vec<RowEffect>,
}

/// How a lost row fared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RowEffect {
    /// Its relation.
    pub relation: u32,
    /// The row.
    pub row: Vec<Value>,
    /// When it holds in the good run.
    pub times_good: Vec<u32>,
    /// When it holds in the bad run.
    pub times_bad: Vec<u32>,
}

/// A row that was asked for and not there at the end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MissingRow {
    /// The row of `post` (or `good`) that is missing.
    pub row: Vec<Value>,
    /// Why: index into [`Explanation::reasons`]; `None` if it holds in neither run.
    pub reason: Option<usize>,
}

/// Which way a fact differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// It holds in the good run only.
    Vanished,
    /// It holds in the bad run only.
    Appeared,
}

/// A row that differs at some time steps, and why.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Which way.
    pub change: Change,
    /// Its relation.
    pub relation: u32,
    /// The row.
    pub row: Vec<Value>,
    /// The time steps looked at, in order.
    pub times: BTreeSet<u32>,
    /// Why.
    pub causes: BTreeSet<Cause>,
}

/// Why a row differs.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// The message that would have brought it was lost: index into [`Run::messages`] of the bad
    /// run.
    Lost(usize),
    /// The message that would have brought it arrives later than in the good run: index into
    /// [`Run::messages`] of the bad run.
    Late(usize),
    /// A message brings it at another time, since it was late: index into [`Run::messages`] of the
    /// bad run.
    Arrived(usize),
    /// It says that a node crashed.
    Crash(Fault),
    /// Its node was down, and its state stood still.
    Down(Fault),
    /// Its node recovered without its volatile state.
    Forgotten(Fault),
    /// An input comes otherwise than in the good run.
    Input(Fault),
    /// A rule needs another row, which differs in the same way.
    Needs {
        /// The rule.
        rule: u32,
        /// The other row's entry in [`Explanation::reasons`].
        reason: usize,
    },
    /// A rule needs that there be no such row, and there is one in one of the runs.
    Forbids {
        /// The rule.
        rule: u32,
        /// What must be absent.
        pattern: Vec<Option<Value>>,
        /// The row that is there: its entry in [`Explanation::reasons`].
        reason: usize,
    },
    /// A rule over several rows (an aggregate) that gives something else.
    Otherwise {
        /// The rule.
        rule: u32,
    },
}

/// The rows that violate the invariant at the end of a run, as rows of `post` or `good`.
/// `failure_free` is the run without faults, which two of the invariants compare with.
#[must_use]
pub fn missing_rows(header: &Header, bad: &Run, failure_free: Option<&Run>) -> Vec<Vec<Value>> {
    let eot = header.bounds.eot;
    let rows = |run: &Run, relation: Option<u32>| -> BTreeSet<Vec<Value>> {
        relation.map_or_else(BTreeSet::new, |relation| {
            run.rows(relation, eot).map(<[Value]>::to_vec).collect()
        })
    };
    let asked = rows(bad, header.vocabulary.asked);
    let answered = rows(bad, header.vocabulary.answered);
    let expected = match (header.invariant, failure_free) {
        (Invariant::Implication, _) | (_, None) => asked,
        (Invariant::Baseline, Some(run)) => {
            rows(run, header.vocabulary.answered).intersection(&asked).cloned().collect()
        }
        (Invariant::Good, Some(run)) => rows(run, header.vocabulary.answered),
    };
    expected.difference(&answered).cloned().collect()
}

/// Explains a bad run by comparison with a good one (or whichever there is; usually the run
/// without faults).
#[must_use]
pub fn explain(header: &Header, bad: &Run, good: &Run, failure_free: Option<&Run>) -> Explanation {
    let mut builder = Builder {
        header,
        good,
        bad,
        reasons: Vec::new(),
        groups: BTreeMap::new(),
        seen: BTreeSet::new(),
        queue: VecDeque::new(),
    };
    let eot = header.bounds.eot;
    let answered = header.vocabulary.answered.unwrap_or(0);
    let mut missing: Vec<MissingRow> = missing_rows(header, bad, failure_free)
        .into_iter()
        .map(|row| {
            let fact = good.find(eot, answered, &row);
            let reason = fact.map(|fact| builder.reason(Change::Vanished, fact));
            MissingRow { row, reason }
        })
        .collect();
    // Where the row asked for is itself new, what made it appear is the story.
    if let Some(asked) = header.vocabulary.asked {
        for row in missing.iter_mut().filter(|row| row.reason.is_none()) {
            if good.find(eot, asked, &row.row).is_none()
                && let Some(fact) = bad.find(eot, asked, &row.row)
            {
                row.reason = Some(builder.reason(Change::Appeared, fact));
            }
        }
    }
    builder.run();
    let effects = bad.faults.iter().map(|fault| effect(good, bad, fault)).collect();
    Explanation { effects, missing, reasons: builder.reasons }
}

fn effect(good: &Run, bad: &Run, fault: &Fault) -> Effect {
    let lost: Vec<usize> = (0..bad.messages.len())
        .filter(|&index| bad.messages[index].lost_to.as_ref() == Some(fault))
        .collect();
    let rows: BTreeSet<(u32, &[Value])> = lost
        .iter()
        .map(|&index| (bad.messages[index].relation, bad.messages[index].row.as_slice()))
        .collect();
    let rows = rows
        .into_iter()
        .map(|(relation, row)| RowEffect {
            relation,
            row: row.to_vec(),
            times_good: times_of(good, relation, row),
            times_bad: times_of(bad, relation, row),
        })
        .collect();
    Effect { fault: fault.clone(), lost, rows }
}

/// The time steps at which a row holds.
#[must_use]
pub fn times_of(run: &Run, relation: u32, row: &[Value]) -> Vec<u32> {
    run.facts
        .iter()
        .filter(|fact| fact.relation == relation && fact.row == row)
        .map(|fact| fact.time)
        .collect()
}

struct Builder<'a> {
    header: &'a Header,
    good: &'a Run,
    bad: &'a Run,
    reasons: Vec<Reason>,
    groups: BTreeMap<(Change, u32, &'a [Value]), usize>,
    seen: BTreeSet<(Change, u32)>,
    queue: VecDeque<(Change, u32)>,
}

impl<'a> Builder<'a> {
    /// The run in which facts of this change hold, and the other.
    fn sides(&self, change: Change) -> (&'a Run, &'a Run) {
        match change {
            Change::Vanished => (self.good, self.bad),
            Change::Appeared => (self.bad, self.good),
        }
    }

    /// The entry for a fact that differs; its causes follow later.
    fn reason(&mut self, change: Change, fact: u32) -> usize {
        let (here, _) = self.sides(change);
        let entry = &here.facts[fact as usize];
        let next = self.reasons.len();
        let index =
            *self.groups.entry((change, entry.relation, entry.row.as_slice())).or_insert(next);
        if index == next {
            self.reasons.push(Reason {
                change,
                relation: entry.relation,
                row: entry.row.clone(),
                times: BTreeSet::new(),
                causes: BTreeSet::new(),
            });
        }
        self.reasons[index].times.insert(entry.time);
        if self.seen.insert((change, fact)) {
            self.queue.push_back((change, fact));
        }
        index
    }

    fn run(&mut self) {
        while let Some((change, fact)) = self.queue.pop_front() {
            let subject = self.reason(change, fact);
            let (here, _) = self.sides(change);
            let entry = &here.facts[fact as usize];
            let crash = self.header.vocabulary.relations[entry.relation as usize].kind
                == RelationKind::Crash;
            if crash {
                let fault = here.faults.iter().find(|fault| {
                    matches!(fault, Fault::Crash { node, .. }
                        if entry.row.get(1).and_then(Value::as_text) == Some(node))
                });
                self.reasons[subject].causes.extend(fault.cloned().map(Cause::Crash));
                continue;
            }
            if here.derivations_of(fact).is_empty() && here.kept_from(fact).is_none() {
                let input = self.input(fact, change);
                self.reasons[subject].causes.extend(input.map(Cause::Input));
                continue;
            }
            let mut derivations: Vec<Vec<Block>> = here
                .derivations_of(fact)
                .iter()
                .map(|derivation| self.blocks(change, derivation))
                .collect();
            derivations.extend(here.kept_from(fact).map(|before| vec![self.kept(change, before)]));
            // A vanished fact has every derivation blocked; an appeared one needs but one.
            if change == Change::Appeared {
                derivations.truncate(1);
            }
            for block in cover(derivations) {
                let cause = self.cause(change, block, subject);
                self.reasons[subject].causes.extend(cause);
            }
        }
    }

    /// Every reason why a derivation of one run does not exist in the other.
    fn blocks(&self, change: Change, derivation: &'a Derivation) -> Vec<Block<'a>> {
        let (here, there) = self.sides(change);
        let fact = &here.facts[derivation.fact as usize];
        let rule = derivation.rule;
        let mut blocks = Vec::new();
        let timing = self.header.vocabulary.rules[rule as usize].timing;
        if timing == Timing::Async
            && let Some(block) = self.travel(change, rule, fact)
        {
            return vec![block];
        }
        for absence in &derivation.absences {
            if let Some(intruder) = self.first_match(there, absence) {
                blocks.push(Block::Intruder { fact: intruder, rule, pattern: &absence.row });
            }
        }
        for &premise in &derivation.premises {
            let entry = &here.facts[premise as usize];
            if there.find(entry.time, entry.relation, &entry.row).is_none() {
                blocks.push(Block::Premise { fact: premise, rule });
            }
        }
        if blocks.is_empty() {
            blocks.push(self.standstill(there, fact).unwrap_or(Block::Other { rule }));
        }
        blocks
    }

    /// What became of the message that brings a fact in one run and not in the other.
    fn travel(&self, change: Change, rule: u32, fact: &Fact) -> Option<Block<'a>> {
        let is_same = |message: &Message| {
            message.rule == rule && message.relation == fact.relation && message.row == fact.row
        };
        let find = |run: &Run, wanted: &dyn Fn(&Message) -> bool| {
            run.messages.iter().position(|each| is_same(each) && wanted(each))
        };
        match change {
            Change::Vanished => {
                let sent = |message: &Message| message.at + 1 == fact.time;
                let index = find(self.bad, &|message| {
                    sent(message) && message.arrival() != Some(fact.time)
                })?;
                let lost = self.bad.messages[index].lost_to.is_some();
                Some(if lost { Block::Lost(index) } else { Block::Late(index) })
            }
            Change::Appeared => {
                let late = |message: &Message| message.arrives == Some(fact.time);
                find(self.bad, &late).map(Block::Arrived)
            }
        }
    }

    /// What a crash of a fact's node does to it in a run, although its rule could bring it.
    fn standstill(&self, run: &Run, fact: &Fact) -> Option<Block<'a>> {
        let name = &self.header.vocabulary.relations[fact.relation as usize].name;
        let back = recovery(run, fact);
        match back.filter(|_| !self.header.bounds.durable.contains(name)) {
            Some(back) => Some(Block::Forgotten(back)),
            None => self.down(run, fact).map(Block::Down),
        }
    }

    /// The crash because of which a fact's node does nothing in a run at its time.
    fn down(&self, run: &Run, fact: &Fact) -> Option<Fault> {
        let place = fact.row.first().and_then(Value::as_text)?;
        let back = run.faults.iter().find_map(|fault| match fault {
            Fault::Recovery { node, at } if node == place => Some(*at),
            _ => None,
        });
        if back.is_none_or(|back| back < fact.time) && !self.header.bounds.crashes_stop {
            return None;
        }
        let is_it = |fault: &&Fault| matches!(fault, Fault::Crash { node, at } if node == place && *at <= fact.time);
        run.faults.iter().find(is_it).cloned()
    }

    /// A fact that is there because its node was down: the same row one step earlier is not there
    /// in the other run, or its node was not down there.
    fn kept(&self, change: Change, before: u32) -> Block<'a> {
        let (here, there) = self.sides(change);
        let entry = &here.facts[before as usize];
        if there.find(entry.time, entry.relation, &entry.row).is_none() {
            return Block::Premise { fact: before, rule: 0 };
        }
        let node = entry.row.first().and_then(Value::as_text);
        let is_crash = |fault: &&Fault| matches!(fault, Fault::Crash { node: down, .. } if Some(down.as_str()) == node);
        let crash = here.faults.iter().find(is_crash).cloned();
        crash.map_or(Block::Premise { fact: before, rule: 0 }, Block::Down)
    }

    /// The way in which an input comes in the bad run, if a fact that was given by one differs.
    fn input(&self, fact: u32, change: Change) -> Option<Fault> {
        let (here, _) = self.sides(change);
        let entry = &here.facts[fact as usize];
        let name = &self.header.vocabulary.relations[entry.relation as usize].name;
        let is_it = |way: &Fault| match way {
            Fault::Input { relation, row, at } => {
                relation == name && *at == entry.time && same_row(row, &entry.row)
            }
            _ => false,
        };
        let ways = self.header.bounds.inputs.iter().find(|ways| ways.iter().any(is_it))?;
        ways.iter().find(|way| self.bad.faults.contains(way)).cloned()
    }

    /// The cause a block amounts to. A row blocked by its own absence one step earlier has no
    /// cause of its own there: those of the earlier step are added to the same entry.
    fn cause(&mut self, change: Change, block: Block<'a>, subject: usize) -> Option<Cause> {
        match block {
            Block::Lost(message) => Some(Cause::Lost(message)),
            Block::Late(message) => Some(Cause::Late(message)),
            Block::Arrived(message) => Some(Cause::Arrived(message)),
            Block::Down(fault) => Some(Cause::Down(fault)),
            Block::Forgotten(fault) => Some(Cause::Forgotten(fault)),
            Block::Other { rule } => Some(Cause::Otherwise { rule }),
            Block::Premise { fact, rule } => {
                let reason = self.reason(change, fact);
                (reason != subject).then_some(Cause::Needs { rule, reason })
            }
            Block::Intruder { fact, rule, pattern } => {
                let opposite = match change {
                    Change::Vanished => Change::Appeared,
                    Change::Appeared => Change::Vanished,
                };
                let reason = self.reason(opposite, fact);
                Some(Cause::Forbids { rule, pattern: pattern.to_vec(), reason })
            }
        }
    }

    fn first_match(&self, run: &Run, absence: &Absence) -> Option<u32> {
        let crash =
            self.header.vocabulary.relations[absence.relation as usize].kind == RelationKind::Crash;
        let time = if crash { 1 } else { absence.time };
        let start = run.facts.partition_point(|f| (f.time, f.relation) < (time, absence.relation));
        run.facts[start..]
            .iter()
            .take_while(|fact| (fact.time, fact.relation) == (time, absence.relation))
            .position(|fact| matches(&absence.row, &fact.row))
            .map(|offset| (start + offset) as u32)
    }
}

/// A reason why a derivation of one run does not exist in the other.
#[derive(Clone, Debug)]
enum Block<'a> {
    /// Its message was lost: index of the message.
    Lost(usize),
    /// Its message arrives later.
    Late(usize),
    /// Its message was late.
    Arrived(usize),
    /// Its node is down there.
    Down(Fault),
    /// Its node recovers there.
    Forgotten(Fault),
    /// A premise does not hold there.
    Premise { fact: u32, rule: u32 },
    /// Something forbidden holds there.
    Intruder { fact: u32, rule: u32, pattern: &'a [Option<Value>] },
    /// Nothing that can be named.
    Other { rule: u32 },
}

impl Block<'_> {
    /// Blocks with the same key are the same; the order is that of preference.
    fn key(&self) -> (u8, u32) {
        match self {
            Self::Lost(message) => (0, *message as u32),
            Self::Late(message) | Self::Arrived(message) => (1, *message as u32),
            Self::Forgotten(fault) | Self::Down(fault) => (2, fault.at()),
            Self::Intruder { fact, .. } => (3, *fact),
            Self::Premise { fact, .. } => (4, *fact),
            Self::Other { rule } => (5, *rule),
        }
    }
}

/// Few blocks that together block every derivation (greedily): what is told to the reader.
fn cover(mut derivations: Vec<Vec<Block<'_>>>) -> Vec<Block<'_>> {
    let mut chosen = Vec::new();
    while !derivations.is_empty() {
        let mut counts: BTreeMap<(u8, u32), usize> = BTreeMap::new();
        for block in derivations.iter().flatten() {
            *counts.entry(block.key()).or_default() += 1;
        }
        let most = counts.values().copied().max().unwrap_or(0);
        let Some((&key, _)) = counts.iter().find(|(_, count)| **count == most) else { break };
        let block = derivations.iter().flatten().find(|block| block.key() == key).cloned();
        chosen.extend(block);
        derivations.retain(|blocks| blocks.iter().all(|block| block.key() != key));
    }
    chosen
}

/// The recovery of a fact's node in a run, if the node is down at the fact's time or recovers then.
fn recovery(run: &Run, fact: &Fact) -> Option<Fault> {
    let place = fact.row.first().and_then(Value::as_text)?;
    let is_down = run.faults.iter().any(
        |fault| matches!(fault, Fault::Crash { node, at } if node == place && *at <= fact.time),
    );
    let is_it = |fault: &&Fault| matches!(fault, Fault::Recovery { node, at } if node == place && *at >= fact.time);
    run.faults.iter().find(is_it).filter(|_| is_down).cloned()
}

fn same_row(input: &[InputValue], row: &[Value]) -> bool {
    let same = |(input, value): (&InputValue, &Value)| match (input, value) {
        (InputValue::Integer(one), Value::Integer(other)) => one == other,
        (InputValue::String(one), Value::Text(other)) => one == other,
        _ => false,
    };
    input.len() == row.len() && input.iter().zip(row).all(same)
}

fn matches(pattern: &[Option<Value>], row: &[Value]) -> bool {
    pattern.iter().zip(row).all(|(wanted, value)| wanted.as_ref().is_none_or(|w| w == value))
}
