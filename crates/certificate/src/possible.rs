//! Which rows are possible: derived in some run, or at least if negation is ignored.

use indexmap::IndexMap;
use linchpin_dedalus::hir::{Program, RelationId, RelationKind, RuleId, Timing, Value};
use linchpin_model::Bounds;
use rustc_hash::FxBuildHasher;

use crate::NotCertifiable;
use crate::aggregate::{Group, Members, choices, contribution, functions, head_of, outcomes};
use crate::rule::{HeadTerm, MATCHES_MAX, Match, ReadyRule};
use crate::table::Table;
use crate::value::{Row, ValueId, Values};

/// Possible rows of one time step beyond which a program is given up.
const ROWS_MAX: usize = 200_000;

/// Rounds of the rules of a time step after which it is taken not to end.
const ROUNDS_MAX: usize = 5_000;

const ENDLESS: &str = "the possible facts of a time step do not end, or are too many";

/// Every possible row of every relation at every time step.
#[derive(Clone, Debug)]
pub(crate) struct Possible {
    eot: u32,
    nodes: Vec<ValueId>,
    /// Indexed by time - 1, then by relation.
    steps: Vec<Vec<Table>>,
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
        let mut steps = vec![vec![Table::default(); program.relations.len()]; bounds.eot as usize];
        for fact in &program.facts {
            if (1..=bounds.eot).contains(&fact.time) {
                let row = values.row(&fact.row);
                steps[fact.time as usize - 1][fact.relation.index()].insert(row);
            }
        }
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
        Self { eot: bounds.eot, nodes, steps, crash, nothing: Table::default() }
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
        let Some(then) = self.head_time(rule, now) else { return Ok(false) };
        let mut heads: Vec<Row> = Vec::new();
        let mut groups: IndexMap<Group, Vec<Members>, FxBuildHasher> = IndexMap::default();
        for matched in self.matches(rule, values, now)? {
            if matched.failed {
                continue;
            }
            let Ok((group, members)) = contribution(rule, &matched, values) else { continue };
            if !self.arrives_somewhere(rule, &group) {
                continue;
            }
            if !rule.is_aggregate() {
                heads.push(head_of(&group, [].into_iter()));
                continue;
            }
            let sets =
                groups.entry(group).or_insert_with(|| vec![Members::default(); members.len()]);
            for (set, member) in sets.iter_mut().zip(members) {
                set.insert(member);
            }
        }
        for (group, sets) in &groups {
            heads.extend(possible_heads(rule, group, sets, values, now)?);
        }
        let table = &mut self.steps[then as usize - 1][rule.head.index()];
        let mut grew = false;
        for head in heads {
            grew |= table.insert(head);
        }
        if table.len() > ROWS_MAX {
            return Err(NotCertifiable::new(ENDLESS, Some(rule.id), now));
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
        const REASON: &str = "an aggregate decides who receives a message";
        if rule.timing == Timing::Async && matches!(rule.columns[0], HeadTerm::Aggregate(..)) {
            return Err(NotCertifiable::new(REASON, Some(rule.id), now));
        }
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
    pub(crate) fn head_time(&self, rule: &ReadyRule, now: u32) -> Option<u32> {
        let then = now + u32::from(rule.timing != Timing::Now);
        (then <= self.eot).then_some(then)
    }

    /// False for a message to what is no node.
    pub(crate) fn arrives_somewhere(&self, rule: &ReadyRule, group: &Group) -> bool {
        rule.timing != Timing::Async || group[0].is_some_and(|receiver| self.is_node(receiver))
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
    pub(crate) fn table(&self, relation: RelationId, time: u32) -> &Table {
        match &self.crash {
            Some((crash, table)) if *crash == relation => table,
            _ if (1..=self.eot).contains(&time) => &self.steps[time as usize - 1][relation.index()],
            _ => &self.nothing,
        }
    }
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
