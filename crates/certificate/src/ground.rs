//! The ground program: every instance of every rule over possible rows, nothing left out.

use indexmap::IndexMap;
use linchpin_dedalus::hir::{Aggregate, Fact, Program, RelationId, RuleId, Timing, Value};
use linchpin_model::Bounds;
use rustc_hash::FxBuildHasher;

use crate::NotCertifiable;
use crate::aggregate::{Group, Outcome, choices, contribution, functions, head_of, outcomes};
use crate::inputs::inputs;
use crate::possible::{Entry, Kind, Possible, receiver, too_many_values};
use crate::rule::{Match, ReadyRule};
use crate::table::RowNumber;
use crate::value::{ValueId, Values};

/// Instances beyond which a program is given up.
const INSTANCES_MAX: usize = 2_000_000;

/// Something that is true or false in a run: a possible row at a time step, that it comes as state
/// or stands still, or a value being among those that an aggregate is taken over.
pub(crate) type Atom = usize;

/// One condition of an instance.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Condition {
    /// The atom is true.
    Present(Atom),
    /// The atom is false.
    Absent(Atom),
    /// What the first node sends to the second at this time arrives so many steps late.
    Travels { from: ValueId, to: ValueId, at: u32, late: u32 },
    /// The node is down at this time.
    Down { node: ValueId, at: u32 },
    /// The node is not down at this time.
    Up { node: ValueId, at: u32 },
    /// The node is not one at this time that has crashed and will recover.
    Remembers { node: ValueId, at: u32 },
    /// Of an input, this alternative holds.
    Chosen { input: usize, alternative: usize },
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
    /// The atom of the first row of each table, by time (0 for `crash`), then by relation and kind.
    first_atoms: Vec<Vec<[Atom; 3]>>,
}

const KINDS: [Kind; 3] = [Kind::Fact, Kind::State, Kind::Still];

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
        grounder.state();
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
        kind: Kind,
        relation: RelationId,
        time: u32,
        row: RowNumber,
    ) -> Atom {
        let time = if possible.crash() == Some(relation) { 0 } else { time };
        self.first_atoms[time as usize][relation.index()][kind as usize] + row
    }
}

impl Grounder<'_> {
    /// Numbers the possible rows.
    fn atoms(&mut self) {
        for time in 0..=self.possible.eot() {
            let mut first = Vec::new();
            for index in 0..self.program.relations.len() {
                let relation = RelationId(index as u32);
                let here = (self.possible.crash() == Some(relation)) == (time == 0);
                first.push(KINDS.map(|kind| {
                    let start = self.ground.names.len();
                    if here {
                        self.name_rows(kind, relation, time);
                    }
                    start
                }));
            }
            self.ground.first_atoms.push(first);
        }
    }

    fn name_rows(&mut self, kind: Kind, relation: RelationId, time: u32) {
        let what = match kind {
            Kind::Fact => "fact",
            Kind::State => "state",
            Kind::Still => "still",
        };
        let at = if time == 0 { String::new() } else { format!(" @{time}") };
        let table = self.possible.table(kind, relation, time);
        for row in 0..table.len() {
            let fact = self.fact(relation, table.row(row));
            self.ground.names.push(format!("{what} {fact}{at}"));
        }
    }

    fn fact(&self, relation: RelationId, row: &[ValueId]) -> String {
        let cells: Vec<String> = row.iter().map(|&id| self.values.value(id).to_string()).collect();
        format!("{}({})", self.program.relation(relation).name, cells.join(","))
    }

    /// Facts hold if their node takes them, alternatives of inputs if they are chosen besides, and
    /// the rows of `crash` when the node crashes.
    fn given(&mut self, bounds: &Bounds) {
        let facts = self.program.facts.iter().cloned().map(|fact| (fact, None));
        let mut given: Vec<(Fact, Option<Condition>)> = facts.collect();
        for (input, alternatives) in inputs(self.program).into_iter().enumerate() {
            for (alternative, fact) in alternatives.into_iter().enumerate() {
                given.push((fact, Some(Condition::Chosen { input, alternative })));
            }
        }
        for (fact, condition) in given {
            if !(1..=bounds.eot).contains(&fact.time) {
                continue;
            }
            let row = self.values.row(&fact.row);
            let entry = self.possible.entry_of_fact(fact.time, &row);
            let (head, mut conditions) = self.enter(entry, fact.relation, fact.time, &row);
            conditions.extend(condition);
            self.given_instance(head, fact.time, conditions);
        }
        let Some(crash) = self.possible.crash() else { return };
        let table = self.possible.table(Kind::Fact, crash, 1);
        for row in 0..table.len() {
            let [_, node, at] = table.row(row)[..] else { unreachable!("crash has three columns") };
            let Value::Integer(at) = *self.values.value(at) else {
                unreachable!("the last is a time")
            };
            let conditions = vec![Condition::Crashes { node, at: at as u32 }];
            let head = self.ground.atom(self.possible, Kind::Fact, crash, 0, row);
            self.given_instance(head, 1, conditions);
        }
    }

    fn given_instance(&mut self, head: Atom, time: u32, conditions: Vec<Condition>) {
        let head = Some(head);
        self.ground.instances.push(Instance { head, rule: None, time, conditions });
    }

    /// What becomes of rows that come to a node as state: each is there unless the node will recover
    /// without it; if it is down, the row stands still, and is there at the next step.
    fn state(&mut self) {
        for time in 1..=self.possible.eot() {
            for index in 0..self.program.relations.len() {
                let relation = RelationId(index as u32);
                let states = self.possible.table(Kind::State, relation, time);
                for row in 0..states.len() {
                    self.state_row(relation, time, states.row(row));
                }
                let stills = self.possible.table(Kind::Still, relation, time);
                for row in 0..stills.len() {
                    self.still_row(relation, time, stills.row(row));
                }
            }
        }
    }

    fn state_row(&mut self, relation: RelationId, at: u32, row: &[ValueId]) {
        let node = row[0];
        let mut conditions = vec![Condition::Present(self.row(Kind::State, relation, at, row))];
        if !self.possible.is_durable(relation) {
            conditions.push(Condition::Remembers { node, at });
        }
        let fact = self.row(Kind::Fact, relation, at, row);
        self.given_instance(fact, at, conditions.clone());
        if self.possible.stands(relation) {
            conditions.push(Condition::Down { node, at });
            let still = self.row(Kind::Still, relation, at, row);
            self.given_instance(still, at, conditions);
        }
    }

    fn still_row(&mut self, relation: RelationId, at: u32, row: &[ValueId]) {
        let next = at + 1;
        if next > self.possible.eot() {
            return;
        }
        let here = Condition::Present(self.row(Kind::Still, relation, at, row));
        let fact = self.row(Kind::Fact, relation, next, row);
        self.given_instance(fact, next, vec![here]);
        let still = self.row(Kind::Still, relation, next, row);
        self.given_instance(still, next, vec![here, Condition::Down { node: row[0], at: next }]);
    }

    /// The atom of a row that is possible.
    fn row(&self, kind: Kind, relation: RelationId, time: u32, row: &[ValueId]) -> Atom {
        let number = self.possible.table(kind, relation, time).number(row);
        let number = number.expect("what is derived is possible");
        self.ground.atom(self.possible, kind, relation, time, number)
    }

    /// What a row derives that comes in some way to its node, and on what conditions.
    fn enter(
        &self,
        entry: Entry,
        relation: RelationId,
        at: u32,
        row: &[ValueId],
    ) -> (Atom, Vec<Condition>) {
        let node = row[0];
        let (kind, condition) = match entry {
            Entry::Plain => (Kind::Fact, None),
            Entry::Received => (Kind::Fact, Some(Condition::Up { node, at })),
            Entry::State => (Kind::State, None),
            Entry::Unsettled if self.possible.is_durable(relation) => (Kind::Fact, None),
            Entry::Unsettled => (Kind::Fact, Some(Condition::Remembers { node, at })),
        };
        (self.row(kind, relation, at, row), condition.into_iter().collect())
    }

    /// The instances of a rule at a time step. What it derives for after the run is left out, but not
    /// its failures: an error is one whether or not the result is needed.
    fn rule(&mut self, rule: &ReadyRule, now: u32) -> Result<(), NotCertifiable> {
        // Per steps late and group, and per aggregate of the head: the atom of each member.
        type Members = IndexMap<ValueId, Atom, FxBuildHasher>;
        let mut groups: IndexMap<(u32, Group), Vec<Members>, FxBuildHasher> = IndexMap::default();
        for matched in self.possible.matches(rule, self.values, now)? {
            let (conditions, mut failed) = self.conditions(rule, &matched, now);
            let contributed = contribution(rule, &matched, self.values);
            failed |= contributed.is_err();
            let (Ok((group, members)), false) = (contributed, failed) else {
                self.instance(rule, now, None, conditions)?;
                continue;
            };
            let to = receiver(&group, &members);
            for late in self.possible.lateness(rule, &matched, to, now) {
                let mut conditions = conditions.clone();
                if let (Timing::Async, Some(from)) = (rule.timing, rule.place_of(&matched)) {
                    conditions.push(Condition::Travels { from, to, at: now, late });
                }
                if !rule.is_aggregate() {
                    self.derive(rule, now, late, &head_of(&group, [].into_iter()), conditions)?;
                    continue;
                }
                let sets = groups
                    .entry((late, group.clone()))
                    .or_insert_with(|| vec![Members::default(); members.len()]);
                for (set, &member) in sets.iter_mut().zip(&members) {
                    let names = &mut self.ground.names;
                    let value = self.values.value(member);
                    let atom = *set.entry(member).or_insert_with(|| {
                        let late = if late > 0 { format!(" by {late}") } else { String::new() };
                        names.push(format!("member {value} rule {} @{now}{late}", rule.id.0 + 1));
                        names.len() - 1
                    });
                    self.instance(rule, now, Some(atom), conditions.clone())?;
                }
            }
        }
        for ((late, group), sets) in groups {
            let sets = sets.into_iter().map(|set| set.into_iter().collect()).collect();
            self.aggregate(rule, now, late, &group, sets)?;
        }
        Ok(())
    }

    /// What a match requires beside its channel; and whether the run has no outcome then.
    fn conditions(&self, rule: &ReadyRule, matched: &Match, now: u32) -> (Vec<Condition>, bool) {
        let atom = |relation: RelationId, time: Option<u32>, row: RowNumber| {
            self.ground.atom(self.possible, Kind::Fact, relation, time.unwrap_or(now), row)
        };
        let mut failed = matched.failed;
        let mut conditions: Vec<Condition> = rule
            .positive
            .iter()
            .zip(&matched.rows)
            .map(|(pattern, &row)| Condition::Present(atom(pattern.relation, pattern.time, row)))
            .collect();
        if let Some(node) = rule.place_of(matched).filter(|&node| self.possible.may_be_down(node)) {
            conditions.push(Condition::Up { node, at: now });
        }
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

    /// The instance that derives a row, unless that is for after the run.
    fn derive(
        &mut self,
        rule: &ReadyRule,
        now: u32,
        late: u32,
        row: &[ValueId],
        mut conditions: Vec<Condition>,
    ) -> Result<(), NotCertifiable> {
        let Some(then) = self.possible.head_time(rule, now, late) else { return Ok(()) };
        let entry = self.possible.entry_of_rule(rule, row);
        let (head, taken) = self.enter(entry, rule.head, then, row);
        conditions.extend(taken);
        self.instance(rule, now, Some(head), conditions)
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
        late: u32,
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
            match taken {
                Ok(taken) => {
                    let row = head_of(group, taken.into_iter());
                    self.derive(rule, now, late, &row, conditions)?;
                }
                Err(_) => self.instance(rule, now, None, conditions)?,
            }
        }
        Ok(())
    }
}
