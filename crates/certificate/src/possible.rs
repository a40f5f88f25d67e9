//! Which rows are possible: derived in some run, or at least if negation is ignored.
//!
//! If nodes may be down, two more tables are kept of each relation at each time step: the rows that
//! may come to a node as *state* (by a rule with `@next`, or given at time 1), and those that may
//! *stand still* there, since their node is down.

use indexmap::IndexMap;
use linchpin_dedalus::hir::{Program, RelationId, RelationKind, RuleId, Timing, Value};
use linchpin_model::{Bounds, CrashModel};
use rustc_hash::FxBuildHasher;

use crate::NotCertifiable;
use crate::aggregate::{Group, Members, choices, contribution, functions, head_of, outcomes};
use crate::faults::delay_max;
use crate::inputs::inputs;
use crate::rule::{MATCHES_MAX, Match, Place, ReadyRule};
use crate::table::Table;
use crate::value::{Row, ValueId, Values};

/// Possible rows of one time step beyond which a program is given up.
const ROWS_MAX: usize = 200_000;

/// Rounds of the rules of a time step after which it is taken not to end.
const ROUNDS_MAX: usize = 5_000;

const ENDLESS: &str = "the possible facts of a time step do not end, or are too many";

/// Tables by time - 1, then by relation.
type Steps = Vec<Vec<Table>>;

/// Which of the tables of a relation at a time step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// The rows that are there.
    Fact,
    /// The rows that come to a node as state, whether or not it loses them.
    State,
    /// The rows that are there while their node is down, and will be there at the next step.
    Still,
}

/// How a row comes to be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    /// It is there, whatever its node does.
    Plain,
    /// As a message or a late fact: if its node is not down.
    Received,
    /// As state: unless its node is recovering and loses it.
    State,
    /// As state that does not stand still: derived after the run, by a rule that looks ahead.
    Unsettled,
}

/// Every possible row of every relation at every time step.
#[derive(Clone, Debug)]
pub(crate) struct Possible {
    eot: u32,
    nodes: Vec<ValueId>,
    /// By time - 1: how many steps late a message may be.
    late_max: Vec<u32>,
    /// True if some node may be down at some time.
    any_down: bool,
    /// Per relation: its rows survive a recovery.
    durable: Vec<bool>,
    /// Per relation: its rows may stand still.
    stands: Vec<bool>,
    steps: Steps,
    states: Steps,
    stills: Steps,
    /// The built-in relation, which is the same at every time step.
    crash: Option<(RelationId, Table)>,
    /// What is there before and after the run.
    nothing: Table,
}

impl Possible {
    /// The facts of the program and the rows of `crash`, nothing derived.
    fn given(program: &Program, bounds: &Bounds, values: &mut Values) -> Self {
        let nodes: Vec<ValueId> = bounds
            .nodes
            .iter()
            .map(|node| values.id(&Value::String(node.as_str().into())))
            .collect();
        let nothing = vec![vec![Table::default(); program.relations.len()]; bounds.eot as usize];
        let stops = bounds.crash_model == CrashModel::Stop;
        let any_down = bounds.crashes > 0 && (bounds.recoveries > 0 || stops);
        let durable: Vec<bool> = program
            .relations
            .iter()
            .map(|relation| bounds.durable.contains(&relation.name))
            .collect();
        let stands = durable.iter().map(|durable| any_down && (*durable || stops)).collect();
        let is_crash = |index: &usize| program.relations[*index].kind == RelationKind::Crash;
        let crash = (0..program.relations.len()).find(is_crash).map(|index| {
            let mut table = Table::default();
            for at in (1..=bounds.eot).filter(|_| bounds.crashes > 0) {
                let at = values.id(&Value::Integer(i64::from(at)));
                for &node in &nodes {
                    for &observer in &nodes {
                        table.insert(vec![observer, node, at]);
                    }
                }
            }
            (RelationId(index as u32), table)
        });
        let mut possible = Self {
            eot: bounds.eot,
            nodes,
            late_max: (1..=bounds.eot).map(|at| delay_max(bounds, at)).collect(),
            any_down,
            durable,
            stands,
            steps: nothing.clone(),
            states: nothing.clone(),
            stills: nothing,
            crash,
            nothing: Table::default(),
        };
        let alternatives = inputs(program).into_iter().flatten();
        for fact in program.facts.iter().cloned().chain(alternatives) {
            if (1..=bounds.eot).contains(&fact.time) {
                let row = values.row(&fact.row);
                let entry = possible.entry_of_fact(fact.time, &row);
                possible.insert(fact.relation, fact.time, row, entry);
            }
        }
        possible
    }

    /// Adds a row, and what follows from the way it came; true if it is new.
    fn insert(&mut self, relation: RelationId, time: u32, row: Row, entry: Entry) -> bool {
        let place = (time as usize - 1, relation.index());
        if entry == Entry::State {
            self.states[place.0][place.1].insert(row.clone());
            if self.stands[place.1] {
                self.stills[place.0][place.1].insert(row.clone());
            }
        }
        self.steps[place.0][place.1].insert(row)
    }

    /// What may stand still now may be there at the next step, and stand still then.
    fn stand_still(&mut self, now: u32) {
        if now == self.eot {
            return;
        }
        let (here, next) = (now as usize - 1, now as usize);
        for relation in 0..self.steps[here].len() {
            let still = self.stills[here][relation].clone();
            for row in 0..still.len() {
                self.steps[next][relation].insert(still.row(row).to_vec());
                self.stills[next][relation].insert(still.row(row).to_vec());
            }
        }
    }

    /// How a fact given at a time comes to be there.
    pub(crate) fn entry_of_fact(&self, time: u32, row: &[ValueId]) -> Entry {
        match time {
            _ if !self.may_be_down(row[0]) => Entry::Plain,
            1 => Entry::State,
            _ => Entry::Received,
        }
    }

    /// How a row that a rule derives comes to be there.
    pub(crate) fn entry_of_rule(&self, rule: &ReadyRule, row: &[ValueId]) -> Entry {
        if matches!(rule.place, Place::Global) || !self.may_be_down(row[0]) {
            return Entry::Plain;
        }
        match rule.timing {
            Timing::Now => Entry::Plain,
            Timing::Next if rule.look_ahead => Entry::Unsettled,
            Timing::Next => Entry::State,
            Timing::Async => Entry::Received,
        }
    }

    /// True if it is a node, and nodes may be down.
    pub(crate) fn may_be_down(&self, value: ValueId) -> bool {
        self.any_down && self.is_node(value)
    }

    /// True if the rows of the relation survive a recovery.
    pub(crate) fn is_durable(&self, relation: RelationId) -> bool {
        self.durable[relation.index()]
    }

    /// True if rows of the relation that come as state may stand still.
    pub(crate) fn stands(&self, relation: RelationId) -> bool {
        self.stands[relation.index()]
    }

    /// Derives everything, time step by time step: all deductive rules in turn until nothing new
    /// comes, then what they send to the next step; and at last the rules that look ahead.
    pub(crate) fn derive(
        program: &Program,
        rules: &[ReadyRule],
        bounds: &Bounds,
        values: &mut Values,
    ) -> Result<Self, NotCertifiable> {
        let mut possible = Self::given(program, bounds, values);
        let is_now = |rule: &&ReadyRule| rule.timing == Timing::Now && !rule.look_ahead;
        let is_later = |rule: &&ReadyRule| rule.timing != Timing::Now && !rule.look_ahead;
        for now in 1..=bounds.eot {
            for round in 0.. {
                let mut grew = None;
                for rule in rules.iter().filter(is_now) {
                    if possible.fire(rule, now, values)? {
                        grew = Some(rule.id);
                    }
                }
                if grew.is_none() {
                    break;
                }
                if round >= ROUNDS_MAX {
                    return Err(NotCertifiable::new(ENDLESS, grew, now));
                }
            }
            for rule in rules.iter().filter(is_later) {
                possible.fire(rule, now, values)?;
            }
            possible.stand_still(now);
        }
        for now in 1..=bounds.eot {
            for rule in rules.iter().filter(|rule| rule.look_ahead) {
                possible.fire(rule, now, values)?;
            }
        }
        Ok(possible)
    }

    /// Adds what a rule derives at a time step; true if something is new.
    fn fire(
        &mut self,
        rule: &ReadyRule,
        now: u32,
        values: &mut Values,
    ) -> Result<bool, NotCertifiable> {
        let mut heads: Vec<(u32, Row)> = Vec::new();
        let mut groups: IndexMap<(u32, Group), Vec<Members>, FxBuildHasher> = IndexMap::default();
        for matched in self.matches(rule, values, now)? {
            if matched.failed {
                continue;
            }
            let Ok((group, members)) = contribution(rule, &matched, values) else { continue };
            for late in self.lateness(rule, &matched, receiver(&group, &members), now) {
                if !rule.is_aggregate() {
                    heads.push((late, head_of(&group, [].into_iter())));
                    continue;
                }
                let sets = groups
                    .entry((late, group.clone()))
                    .or_insert_with(|| vec![Members::default(); members.len()]);
                for (set, member) in sets.iter_mut().zip(&members) {
                    set.insert(*member);
                }
            }
        }
        for ((late, group), sets) in &groups {
            let rows = possible_heads(rule, group, sets, values, now)?;
            heads.extend(rows.into_iter().map(|row| (*late, row)));
        }
        let mut grew = false;
        for (late, row) in heads {
            let Some(then) = self.head_time(rule, now, late) else { continue };
            let entry = self.entry_of_rule(rule, &row);
            grew |= self.insert(rule.head, then, row, entry);
            if self.table(Kind::Fact, rule.head, then).len() > ROWS_MAX {
                return Err(NotCertifiable::new(ENDLESS, Some(rule.id), now));
            }
        }
        Ok(grew)
    }

    /// The matches of a rule, if they are not too many.
    pub(crate) fn matches(
        &self,
        rule: &ReadyRule,
        values: &Values,
        now: u32,
    ) -> Result<Vec<Match>, NotCertifiable> {
        let matches = rule.matches(self, values, now);
        if matches.len() > MATCHES_MAX {
            return Err(NotCertifiable::new(
                "a rule can fire in too many ways",
                Some(rule.id),
                now,
            ));
        }
        Ok(matches)
    }

    /// The time at which the head of a rule that fires now holds, if that is within the run.
    pub(crate) fn head_time(&self, rule: &ReadyRule, now: u32, late: u32) -> Option<u32> {
        let then = now + u32::from(rule.timing != Timing::Now) + late;
        (then <= self.eot).then_some(then)
    }

    /// How many steps late what a match derives may be there: only messages from one node to another
    /// may be late at all, and those to what is no node never arrive.
    pub(crate) fn lateness(
        &self,
        rule: &ReadyRule,
        matched: &Match,
        to: ValueId,
        now: u32,
    ) -> Vec<u32> {
        if rule.timing != Timing::Async {
            return vec![0];
        }
        if !self.is_node(to) {
            return Vec::new();
        }
        match rule.place_of(matched) {
            Some(from) if from != to => (0..=self.late_max[now as usize - 1]).collect(),
            _ => vec![0],
        }
    }

    pub(crate) fn eot(&self) -> u32 {
        self.eot
    }

    pub(crate) fn nodes(&self) -> &[ValueId] {
        &self.nodes
    }

    pub(crate) fn is_node(&self, value: ValueId) -> bool {
        self.nodes.contains(&value)
    }

    pub(crate) fn crash(&self) -> Option<RelationId> {
        self.crash.as_ref().map(|(relation, _)| *relation)
    }

    /// The possible rows of a relation at a time step, which may lie outside the run.
    pub(crate) fn table(&self, kind: Kind, relation: RelationId, time: u32) -> &Table {
        let steps = match (&self.crash, kind) {
            (Some((crash, table)), Kind::Fact) if *crash == relation => return table,
            (_, Kind::Fact) => &self.steps,
            (_, Kind::State) => &self.states,
            (_, Kind::Still) => &self.stills,
        };
        if (1..=self.eot).contains(&time) {
            &steps[time as usize - 1][relation.index()]
        } else {
            &self.nothing
        }
    }
}

/// Where a match sends its message: the first column, before aggregation.
pub(crate) fn receiver(group: &Group, members: &[ValueId]) -> ValueId {
    group[0].unwrap_or_else(|| members[0])
}

/// Every row that the aggregates of a group can make.
fn possible_heads(
    rule: &ReadyRule,
    group: &Group,
    sets: &[Members],
    values: &mut Values,
    now: u32,
) -> Result<Vec<Row>, NotCertifiable> {
    let mut results: Vec<Vec<ValueId>> = Vec::new();
    for (function, set) in functions(rule).zip(sets) {
        let members: Vec<Value> = set.iter().map(|&id| values.value(id).clone()).collect();
        let found = outcomes(function, &members).ok_or_else(|| too_many_values(rule.id, now))?;
        results.push(found.iter().flatten().map(|value| values.id(value)).collect());
    }
    let lengths: Vec<usize> = results.iter().map(Vec::len).collect();
    Ok(choices(&lengths)
        .ok_or_else(|| too_many_values(rule.id, now))?
        .into_iter()
        .map(|choice| head_of(group, choice.iter().zip(&results).map(|(&index, from)| from[index])))
        .collect())
}

pub(crate) fn too_many_values(rule: RuleId, now: u32) -> NotCertifiable {
    NotCertifiable::new("an aggregate has too many possible values", Some(rule), now)
}
