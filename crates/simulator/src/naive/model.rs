//! The model of one time step.

use std::collections::{BTreeMap, BTreeSet};

use linchpin_dedalus::hir::{
    Aggregate, BodyTerm, Program, RelationId, Rule, RuleId, Timing, Value,
};

use super::body::{Sight, aggregate, by_group, functions, instances, join_group};
use super::{Evaluator, Row, Step, Tables};
use crate::error::RunErrorKind;
use crate::fixpoint::ROWS_MAX;

/// Relations that depend on each other within a time step.
pub(super) type Group = BTreeSet<RelationId>;

/// The groups of a program, each after those it depends on.
pub(super) fn groups(program: &Program) -> Vec<Group> {
    let relations: BTreeSet<RelationId> =
        (0..program.relations.len() as u32).map(RelationId).collect();
    let mut needs: BTreeSet<(RelationId, RelationId)> = BTreeSet::new();
    for rule in program.rules.iter().filter(|rule| is_deductive(rule)) {
        for relation in relations_read(rule) {
            needs.insert((rule.head.relation, relation));
        }
    }
    loop {
        let mut closed = needs.clone();
        for (first, second) in &needs {
            for (third, fourth) in &needs {
                if second == third {
                    closed.insert((*first, *fourth));
                }
            }
        }
        if closed == needs {
            break;
        }
        needs = closed;
    }
    let group_of = |relation: RelationId| -> Group {
        let mutual = |other: &RelationId| {
            needs.contains(&(relation, *other)) && needs.contains(&(*other, relation))
        };
        relations.iter().copied().filter(|other| *other == relation || mutual(other)).collect()
    };
    let mut groups: Vec<Group> = Vec::new();
    let mut done: BTreeSet<RelationId> = BTreeSet::new();
    while let Some(group) = relations
        .iter()
        .filter(|relation| !done.contains(relation))
        .map(|relation| group_of(*relation))
        .find(|group| {
            let ready = |other: &RelationId| group.contains(other) || done.contains(other);
            needs.iter().filter(|need| group.contains(&need.0)).all(|need| ready(&need.1))
        })
    {
        done.extend(&group);
        groups.push(group);
    }
    assert_eq!(done, relations, "groups do not depend on each other in a circle");
    groups
}

fn is_deductive(rule: &Rule) -> bool {
    rule.head.timing == Timing::Now && !rule.look_ahead
}

fn relations_read(rule: &Rule) -> impl Iterator<Item = RelationId> {
    rule.body.iter().filter_map(|term| match term {
        BodyTerm::Literal(literal) => Some(literal.relation),
        BodyTerm::Comparison(_) => None,
    })
}

/// What is taken to hold in a time step.
#[derive(Clone, PartialEq, Eq)]
struct Interpretation {
    step: Step,
    /// For each rule with a minimum or maximum inside a cycle: who competes.
    members: BTreeMap<RuleId, BTreeSet<Row>>,
}

impl Evaluator<'_> {
    /// The tables of this time step once the relations of the group are complete.
    ///
    /// Alternating fixpoint: start with what is surely true (what was given) and read negations
    /// against it, which gives all that is possible; read negations against that, which gives more
    /// that is surely true; and so on. If in the end all that is possible is sure, that is the model.
    pub(super) fn well_founded(
        &self,
        tables: &Tables,
        now: u32,
        group: &Group,
    ) -> Result<Step, RunErrorKind> {
        let mut sure = Interpretation { step: tables.step(now).clone(), members: BTreeMap::new() };
        loop {
            let possible = self.least(tables, now, group, &sure)?;
            let surer = self.least(tables, now, group, &possible)?;
            if surer != sure {
                sure = surer;
            } else if possible != sure {
                return Err(RunErrorKind::NotTotal);
            } else {
                self.look_for_errors(tables, now, group, &sure.step)?;
                return Ok(sure.step);
            }
        }
    }

    fn deductive_rules(&self, group: &Group) -> impl Iterator<Item = (RuleId, &Rule)> {
        let ids = (0..).map(RuleId);
        ids.zip(&self.program.rules)
            .filter(|(_, rule)| is_deductive(rule) && group.contains(&rule.head.relation))
    }

    /// The least model of a group when negations are read against `assumed`: all rules, again and
    /// again. What cannot be computed derives nothing.
    fn least(
        &self,
        tables: &Tables,
        now: u32,
        group: &Group,
        assumed: &Interpretation,
    ) -> Result<Interpretation, RunErrorKind> {
        let given = Interpretation { step: tables.step(now).clone(), members: BTreeMap::new() };
        let mut current = given.clone();
        for _ in 0..=self.rounds_max {
            let mut next = given.clone();
            for (id, rule) in self.deductive_rules(group) {
                let sight = Sight { now, tables, present: &current.step, absent: &assumed.step };
                let found = instances(rule, &sight, &self.bounds.nodes).instances;
                let rows: BTreeSet<Row> = found.into_iter().map(|instance| instance.row).collect();
                let inside = relations_read(rule).any(|relation| group.contains(&relation));
                let derived = if rule.head.is_aggregate() && inside {
                    let none = BTreeSet::new();
                    let rivals = assumed.members.get(&id).unwrap_or(&none);
                    let chosen = choose(rule, &rows, rivals);
                    next.members.insert(id, rows);
                    chosen
                } else {
                    aggregate(rule, rows).unwrap_or_default()
                };
                next.step[rule.head.relation.index()].extend(derived);
            }
            if next == current {
                return Ok(current);
            }
            if next.step.iter().any(|rows| rows.len() > ROWS_MAX) {
                return Err(RunErrorKind::Endless);
            }
            current = next;
        }
        Err(RunErrorKind::Endless)
    }

    /// An error in the model itself (not on the way to it) is an error of the run.
    fn look_for_errors(
        &self,
        tables: &Tables,
        now: u32,
        group: &Group,
        step: &Step,
    ) -> Result<(), RunErrorKind> {
        for (_, rule) in self.deductive_rules(group) {
            let sight = Sight { now, tables, present: step, absent: step };
            let found = instances(rule, &sight, &self.bounds.nodes);
            if let Some(error) = found.error {
                return Err(error);
            }
            aggregate(rule, found.instances.into_iter().map(|instance| instance.row).collect())?;
        }
        Ok(())
    }
}

/// A minimum or maximum inside a cycle: the members that no rival beats.
fn choose(rule: &Rule, members: &BTreeSet<Row>, rivals: &BTreeSet<Row>) -> BTreeSet<Row> {
    let rivals = by_group(rule, rivals.iter().cloned());
    let mut result = BTreeSet::new();
    for (group, sets) in by_group(rule, members.iter().cloned()) {
        // One list of values for each way to choose one value per aggregate.
        let mut choices: Vec<Vec<Value>> = vec![Vec::new()];
        for (index, (function, set)) in functions(rule).into_iter().zip(&sets).enumerate() {
            let beaten = |value: &Value| {
                rivals.get(&group).is_some_and(|rivals| {
                    rivals[index].iter().any(|rival| match function {
                        Aggregate::Min => rival < value,
                        Aggregate::Max => rival > value,
                        _ => unreachable!("only a minimum or maximum may stand inside a cycle"),
                    })
                })
            };
            choices = choices
                .iter()
                .flat_map(|choice| {
                    let extend = move |value: &Value| {
                        let mut choice = choice.clone();
                        choice.push(value.clone());
                        choice
                    };
                    set.iter().filter(|value| !beaten(value)).map(extend)
                })
                .collect();
        }
        result.extend(choices.iter().map(|choice| join_group(rule, &group, choice)));
    }
    result
}
