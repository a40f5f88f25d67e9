//! The ground program: every instance of every rule over possible rows, nothing left out.

use indexmap::IndexMap;
use linchpin_dedalus::hir::{Aggregate, Program, RelationId, RuleId, Timing, Value};
use linchpin_model::Bounds;
use rustc_hash::FxBuildHasher;

use crate::NotCertifiable;
use crate::aggregate::{Group, Outcome, choices, contribution, functions, head_of, outcomes};
use crate::possible::{Possible, too_many_values};
use crate::rule::{Match, Place, ReadyRule};
use crate::table::RowNumber;
use crate::value::{ValueId, Values};

/// Instances beyond which a program is given up.
const INSTANCES_MAX: usize = 2_000_000;

/// Something that is true or false in a run: a possible row at a time step, or a value being among
/// those that an aggregate is taken over.
pub(crate) type Atom = usize;

/// One condition of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    /// The atom is true.
    Present(Atom),
    /// The atom is false.
    Absent(Atom),
    /// What the first node sends to the second at this time arrives.
    Open { from: ValueId, to: ValueId, at: u32 },
    /// The node crashes at this time.
    Crashes { node: ValueId, at: u32 },
    /// The aggregate takes its outcome with this number.
    Takes { aggregate: usize, outcome: usize },
}

/// If all conditions hold, so does the head.
#[derive(Clone, Debug)]
pub(crate) struct Instance {
    /// `None`: the run has no outcome.
    pub(crate) head: Option<Atom>,
    /// `None`: given.
    pub(crate) rule: Option<RuleId>,
    pub(crate) time: u32,
    pub(crate) conditions: Vec<Condition>,
}

/// One aggregate of one group of a rule at a time step.
#[derive(Clone, Debug)]
pub(crate) struct AggregateGroup {
    pub(crate) function: Aggregate,
    /// Each value, with the atom that says it is among those to be aggregated.
    pub(crate) members: Vec<(Value, Atom)>,
    pub(crate) outcomes: Vec<Outcome>,
}

/// A program without variables.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ground {
    /// What each atom is, in words.
    pub(crate) names: Vec<String>,
    pub(crate) instances: Vec<Instance>,
    pub(crate) aggregates: Vec<AggregateGroup>,
    /// The atom of the first row of each table, by time (0 for `crash`), then by relation.
    first_atoms: Vec<Vec<Atom>>,
}

struct Grounder<'a> {
    program: &'a Program,
    possible: &'a Possible,
    values: &'a mut Values,
    ground: Ground,
}

impl Ground {
    /// Grounds a program.
    pub(crate) fn new(
        program: &Program,
        rules: &[ReadyRule],
        bounds: &Bounds,
        possible: &Possible,
        values: &mut Values,
    ) -> Result<Self, NotCertifiable> {
        let mut grounder = Grounder { program, possible, values, ground: Self::default() };
        grounder.atoms();
        grounder.given(bounds);
        for now in 1..=bounds.eot {
            for rule in rules {
                grounder.rule(rule, now)?;
            }
        }
        Ok(grounder.ground)
    }

    /// The atom of a possible row.
    pub(crate) fn atom(
        &self,
        possible: &Possible,
        relation: RelationId,
        time: u32,
        row: RowNumber,
    ) -> Atom {
        let time = if possible.crash() == Some(relation) { 0 } else { time };
        self.first_atoms[time as usize][relation.index()] + row
    }
}

impl Grounder<'_> {
    /// Numbers the possible rows.
    fn atoms(&mut self) {
        for time in 0..=self.possible.eot() {
            let mut first = Vec::new();
            for index in 0..self.program.relations.len() {
                first.push(self.ground.names.len());
                let relation = RelationId(index as u32);
                if (self.possible.crash() == Some(relation)) != (time == 0) {
                    continue;
                }
                let table = self.possible.table(relation, time);
                for row in 0..table.len() {
                    let fact = self.fact(relation, table.row(row));
                    let at = if time == 0 { String::new() } else { format!(" @{time}") };
                    self.ground.names.push(format!("fact {fact}{at}"));
                }
            }
            self.ground.first_atoms.push(first);
        }
    }

    fn fact(&self, relation: RelationId, row: &[ValueId]) -> String {
        let cells: Vec<String> = row.iter().map(|&id| self.values.value(id).to_string()).collect();
        format!("{}({})", self.program.relation(relation).name, cells.join(","))
    }

    /// Facts hold without condition, and the rows of `crash` when the node crashes.
    fn given(&mut self, bounds: &Bounds) {
        for fact in self.program.facts.iter().filter(|fact| (1..=bounds.eot).contains(&fact.time)) {
            let row = self.values.row(&fact.row);
            let row = self.possible.table(fact.relation, fact.time).number(&row);
            let row = row.expect("facts are possible");
            let head = self.ground.atom(self.possible, fact.relation, fact.time, row);
            let conditions = Vec::new();
            let instance = Instance { head: Some(head), rule: None, time: fact.time, conditions };
            self.ground.instances.push(instance);
        }
        let Some(crash) = self.possible.crash() else { return };
        let table = self.possible.table(crash, 1);
        for row in 0..table.len() {
            let [_, node, at] = table.row(row)[..] else { unreachable!("crash has three columns") };
            let Value::Integer(at) = *self.values.value(at) else {
                unreachable!("the last is a time")
            };
            let conditions = vec![Condition::Crashes { node, at: at as u32 }];
            let head = Some(self.ground.atom(self.possible, crash, 0, row));
            self.ground.instances.push(Instance { head, rule: None, time: 1, conditions });
        }
    }

    /// The instances of a rule at a time step. What it derives for after the run is left out, but not
    /// its failures: an error is one whether or not the result is needed.
    fn rule(&mut self, rule: &ReadyRule, now: u32) -> Result<(), NotCertifiable> {
        let then = self.possible.head_time(rule, now);
        // Per group, and per aggregate of the head: the atom of each member.
        type Members = IndexMap<ValueId, Atom, FxBuildHasher>;
        let mut groups: IndexMap<Group, Vec<Members>, FxBuildHasher> = IndexMap::default();
        for matched in self.possible.matches(rule, self.values, now)? {
            let (mut conditions, mut failed) = self.conditions(rule, &matched, now);
            let contributed = contribution(rule, &matched, self.values);
            failed |= contributed.is_err();
            let (Ok((group, members)), false) = (contributed, failed) else {
                self.instance(rule, now, None, conditions)?;
                continue;
            };
            if !self.possible.arrives_somewhere(rule, &group) {
                continue;
            }
            if let (Timing::Async, Some(from)) = (rule.timing, place(rule, &matched)) {
                let to = group[0].expect("no aggregate decides who receives");
                conditions.push(Condition::Open { from, to, at: now });
            }
            if !rule.is_aggregate() {
                if let Some(then) = then {
                    let head = self.head(rule, then, &head_of(&group, [].into_iter()));
                    self.instance(rule, now, Some(head), conditions)?;
                }
                continue;
            }
            let sets =
                groups.entry(group).or_insert_with(|| vec![Members::default(); members.len()]);
            for (set, member) in sets.iter_mut().zip(members) {
                let names = &mut self.ground.names;
                let value = self.values.value(member);
                let atom = *set.entry(member).or_insert_with(|| {
                    names.push(format!("member {value} rule {} @{now}", rule.id.0 + 1));
                    names.len() - 1
                });
                self.instance(rule, now, Some(atom), conditions.clone())?;
            }
        }
        for (group, sets) in groups {
            let sets = sets.into_iter().map(|set| set.into_iter().collect()).collect();
            self.aggregate(rule, now, then, &group, sets)?;
        }
        Ok(())
    }

    /// What a match requires beside its channel; and whether the run has no outcome then.
    fn conditions(&self, rule: &ReadyRule, matched: &Match, now: u32) -> (Vec<Condition>, bool) {
        let atom = |relation: RelationId, time: Option<u32>, row: RowNumber| {
            self.ground.atom(self.possible, relation, time.unwrap_or(now), row)
        };
        let mut failed = matched.failed;
        let mut conditions: Vec<Condition> = rule
            .positive
            .iter()
            .zip(&matched.rows)
            .map(|(pattern, &row)| Condition::Present(atom(pattern.relation, pattern.time, row)))
            .collect();
        for pattern in &rule.negative {
            match pattern.denied(&matched.valuation, self.possible, self.values, now) {
                Ok(rows) => conditions.extend(
                    rows.into_iter()
                        .map(|row| Condition::Absent(atom(pattern.relation, pattern.time, row))),
                ),
                Err(_) => failed = true,
            }
        }
        (conditions, failed)
    }

    fn head(&self, rule: &ReadyRule, then: u32, row: &[ValueId]) -> Atom {
        let row = self.possible.table(rule.head, then).number(row).expect("heads are possible");
        self.ground.atom(self.possible, rule.head, then, row)
    }

    fn instance(
        &mut self,
        rule: &ReadyRule,
        now: u32,
        head: Option<Atom>,
        conditions: Vec<Condition>,
    ) -> Result<(), NotCertifiable> {
        let rule = Some(rule.id);
        if self.ground.instances.len() >= INSTANCES_MAX {
            return Err(NotCertifiable::new("its rules have too many instances", rule, now));
        }
        self.ground.instances.push(Instance { head, rule, time: now, conditions });
        Ok(())
    }

    /// One instance for every choice of outcomes of the aggregates of a group.
    fn aggregate(
        &mut self,
        rule: &ReadyRule,
        now: u32,
        then: Option<u32>,
        group: &Group,
        sets: Vec<Vec<(ValueId, Atom)>>,
    ) -> Result<(), NotCertifiable> {
        let first = self.ground.aggregates.len();
        let mut lengths = Vec::new();
        for (function, set) in functions(rule).zip(sets) {
            let members: Vec<(Value, Atom)> =
                set.into_iter().map(|(id, atom)| (self.values.value(id).clone(), atom)).collect();
            let alone: Vec<Value> = members.iter().map(|member| member.0.clone()).collect();
            let outcomes =
                outcomes(function, &alone).ok_or_else(|| too_many_values(rule.id, now))?;
            lengths.push(outcomes.len());
            self.ground.aggregates.push(AggregateGroup { function, members, outcomes });
        }
        let choices = choices(&lengths).ok_or_else(|| too_many_values(rule.id, now))?;
        for choice in choices {
            let conditions = (first..)
                .zip(&choice)
                .map(|(aggregate, &outcome)| Condition::Takes { aggregate, outcome })
                .collect();
            let chosen = choice.iter().zip(&self.ground.aggregates[first..]);
            let taken: Result<Vec<ValueId>, _> = chosen
                .map(|(&outcome, aggregate)| {
                    aggregate.outcomes[outcome].as_ref().map(|value| self.values.id(value))
                })
                .collect();
            let head = match (taken, then) {
                (Ok(taken), Some(then)) => {
                    Some(self.head(rule, then, &head_of(group, taken.into_iter())))
                }
                (Ok(_), None) => continue,
                (Err(_), _) => None,
            };
            self.instance(rule, now, head, conditions)?;
        }
        Ok(())
    }
}

/// The node at which a match fires; none for a global rule.
fn place(rule: &ReadyRule, matched: &Match) -> Option<ValueId> {
    match rule.place {
        Place::Global => None,
        Place::Variable(variable) => matched.valuation[variable],
        Place::Node(node) => Some(node),
    }
}
