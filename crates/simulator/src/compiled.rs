//! A program made ready to run: normalized, interned, planned.

use std::collections::BTreeMap;

use linchpin_dedalus::hir::{
    Aggregate, Argument, BodyTerm, Comparison, ComparisonOperator, Expression, Head, HeadColumn,
    Literal, Location, Program, Relation, RelationId, RelationKind, Rule, RuleId, Timing, Type,
    Variable, VariableId,
};
use linchpin_model::Bounds;

use crate::channels::Entry;
use crate::inputs::{Alternative, alternatives, inputs};
use crate::plan::{Indexes, RulePlan, Schedule, Sender, Step, plan_program};
use crate::table::Table;
use crate::value::{Interner, Symbol};

/// What does not change from run to run.
#[derive(Clone, Debug)]
pub(crate) struct Compiled {
    /// The program, with minima and maxima on cycles rewritten ([`normalize`]).
    pub(crate) program: Program,
    pub(crate) schedule: Schedule,
    pub(crate) indexes: Indexes,
    /// Nodes are the first symbols, in the order of the bounds.
    pub(crate) interner: Interner,
    /// By time step; those after the end of the run are left out.
    pub(crate) facts: BTreeMap<u32, Vec<(RelationId, Box<[Symbol]>)>>,
    /// The alternatives of every input, the default first.
    pub(crate) inputs: Vec<Vec<Alternative>>,
    pub(crate) bounds: Bounds,
    /// Per relation: its rows survive a crash from which their node recovers.
    pub(crate) durable: Vec<bool>,
    /// The built-in relation, if the program reads it.
    pub(crate) crash: Option<RelationId>,
}

impl Compiled {
    pub(crate) fn new(program: &Program, bounds: &Bounds) -> Self {
        let bounds = Bounds { inputs: inputs(program), ..bounds.clone() };
        let program = normalize(program);
        let mut interner = Interner::default();
        for node in &bounds.nodes {
            interner.intern(&linchpin_dedalus::hir::Value::String(node.as_str().into()));
        }
        let (schedule, indexes) = plan_program(&program, bounds.nodes.len(), &mut interner);
        let mut facts: BTreeMap<u32, Vec<(RelationId, Box<[Symbol]>)>> = BTreeMap::new();
        for fact in program.facts.iter().filter(|fact| fact.time <= bounds.eot) {
            let row = fact.row.iter().map(|value| interner.intern(value)).collect();
            facts.entry(fact.time).or_default().push((fact.relation, row));
        }
        let is_durable = |relation: &Relation| bounds.durable.contains(&relation.name);
        let durable = program.relations.iter().map(is_durable).collect();
        let inputs = alternatives(&program, &mut interner);
        let crash = program
            .relations
            .iter()
            .position(|relation| relation.kind == RelationKind::Crash)
            .map(|index| RelationId(index as u32));
        Self { program, schedule, indexes, interner, facts, inputs, bounds, durable, crash }
    }

    pub(crate) fn node_count(&self) -> usize {
        self.bounds.nodes.len()
    }

    pub(crate) fn empty_table(&self, relation: RelationId) -> Table {
        Table::new(self.program.relation(relation).columns.len())
    }

    /// How a row of this relation comes to a node as a fact at this time.
    pub(crate) fn fact_entry(&self, relation: RelationId, time: u32) -> Entry {
        match time {
            1 => Entry::State(self.durable[relation.index()]),
            _ => Entry::Received,
        }
    }

    /// How a row derived by this rule comes to a node at a later step; `None` if the rule belongs
    /// to no node, or the row is there at once.
    pub(crate) fn entry(&self, rule: &RulePlan) -> Option<Entry> {
        match (rule.sender, rule.timing) {
            (Sender::Global, _) | (_, Timing::Now) => None,
            (_, Timing::Next) => Some(Entry::State(self.durable[rule.head.index()])),
            (_, Timing::Async) => Some(Entry::Received),
        }
    }

    /// One empty table per relation.
    pub(crate) fn empty_tables(&self) -> Vec<Table> {
        (0..self.program.relations.len())
            .map(|index| self.empty_table(RelationId(index as u32)))
            .collect()
    }
}

/// Every table of a run.
#[derive(Clone, Debug)]
pub(crate) struct Tables {
    /// Indexed by time step - 1, then by relation.
    steps: Vec<Vec<Table>>,
    /// `crash` holds the same rows at every time step.
    crash: Option<(RelationId, Table)>,
    /// What is read outside 1..=EOT.
    nothing: Vec<Table>,
}

impl Tables {
    pub(crate) fn new<'a>(
        compiled: &Compiled,
        crash_rows: impl Iterator<Item = &'a [Symbol]>,
    ) -> Self {
        let nothing = compiled.empty_tables();
        let crash = compiled.crash.map(|relation| {
            let mut table = compiled.empty_table(relation);
            for row in crash_rows {
                table.insert(row);
            }
            for (index, columns) in compiled.indexes.of(relation).iter().enumerate() {
                table.refresh_index(index, columns);
            }
            (relation, table)
        });
        let steps = (0..compiled.bounds.eot).map(|_| nothing.clone()).collect();
        Self { steps, crash, nothing }
    }

    pub(crate) fn at(&self, time: u32, relation: RelationId) -> &Table {
        if let Some((crash, table)) = &self.crash
            && *crash == relation
        {
            return table;
        }
        let step = (time as usize).checked_sub(1).and_then(|step| self.steps.get(step));
        &step.unwrap_or(&self.nothing)[relation.index()]
    }

    /// Empties every table after a time step.
    pub(crate) fn forget_after(&mut self, time: u32) {
        for step in &mut self.steps[time as usize..] {
            step.clone_from(&self.nothing);
        }
    }

    /// The table to insert into; `time` must be in 1..=EOT and the relation not `crash`.
    pub(crate) fn at_mut(&mut self, time: u32, relation: RelationId) -> &mut Table {
        &mut self.steps[time as usize - 1][relation.index()]
    }

    /// True if some positive literal finds nothing, whatever the valuation.
    pub(crate) fn is_idle(&self, steps: &[Step], now: u32) -> bool {
        steps.iter().any(|step| match step {
            Step::Match { access, .. } => {
                self.at(access.time.unwrap_or(now), access.relation).is_empty()
            }
            _ => false,
        })
    }

    /// Brings an index up to date.
    pub(crate) fn refresh(
        &mut self,
        time: u32,
        relation: RelationId,
        index: usize,
        columns: &[usize],
    ) {
        if self.crash.as_ref().is_some_and(|(crash, _)| *crash == relation) {
            return;
        }
        let step = (time as usize).checked_sub(1).and_then(|step| self.steps.get_mut(step));
        if let Some(step) = step {
            step[relation.index()].refresh_index(index, columns);
        }
    }
}

/// Rewrites a minimum or maximum inside a cycle as "a member with no better member".
///
/// `p(G, min<X>) :- body` becomes, with a new relation,
/// ```text
/// member(G, X) :- body;
/// p(G, X)      :- member(G, X), notin member(G, Y), Y < X;
/// ```
/// where the comparison belongs to the negative literal ("no `member(G, Y)` such that Y < X"), so
/// that a cycle contains nothing but negation. Several aggregates choose independently: each has
/// its own two literals.
fn normalize(program: &Program) -> Program {
    let mut normalized = program.clone();
    for number in 0..normalized.strata.len() {
        if !normalized.strata[number].unstratified {
            continue;
        }
        let own = normalized.strata[number].relations.clone();
        for index in 0..normalized.rules.len() {
            let rule = &normalized.rules[index];
            let on_cycle = rule.head.timing == Timing::Now
                && !rule.look_ahead
                && own.contains(&rule.head.relation)
                && rule.head.is_aggregate()
                && rule.body.iter().any(
                    |term| matches!(term, BodyTerm::Literal(literal) if own.contains(&literal.relation)),
                );
            if on_cycle {
                let added = split_aggregate(&mut normalized, RuleId(index as u32));
                normalized.strata[number].relations.push(added);
            }
        }
    }
    normalized
}

fn split_aggregate(program: &mut Program, id: RuleId) -> RelationId {
    let rule = program.rules[id.index()].clone();
    let target = program.relation(rule.head.relation).clone();
    let member = RelationId(program.relations.len() as u32);
    let mut columns = target.columns.clone();
    let mut collected = rule.clone();
    collected.head.relation = member;
    for (column, head) in collected.head.columns.iter_mut().enumerate() {
        if let HeadColumn::Aggregate { variable, .. } = head {
            columns[column] = rule.variables[variable.index()].r#type;
            *head = HeadColumn::Expression(Expression::Variable(*variable));
        }
    }
    program.relations.push(Relation {
        name: format!("{}#member{}", target.name, id.0),
        columns,
        ..target
    });
    program.rules.push(collected);
    // In place, so that the rule keeps its id.
    program.rules[id.index()] = choice(&rule, member, &program.relations[member.index()].columns);
    member
}

/// The rule that chooses among the members.
fn choice(rule: &Rule, member: RelationId, columns: &[Type]) -> Rule {
    let span = rule.span;
    let arity = columns.len();
    let variable = |index: usize| Expression::Variable(VariableId(index as u32));
    // One variable per column, then one for the rival of each aggregate.
    let mut variables: Vec<Variable> = columns
        .iter()
        .enumerate()
        .map(|(index, r#type)| Variable {
            name: format!("V{index}"),
            r#type: *r#type,
            existential: false,
            span,
        })
        .collect();
    let is_aggregate =
        |column: usize| matches!(rule.head.columns[column], HeadColumn::Aggregate { .. });
    // The other aggregates may have any value.
    let literal = |negated: bool, own: usize, as_variable: usize| {
        let argument = |column: usize| match column {
            column if column == own => Argument::Expression(variable(as_variable)),
            column if is_aggregate(column) => Argument::Wildcard,
            column => Argument::Expression(variable(column)),
        };
        let arguments = (0..arity).map(argument).collect();
        BodyTerm::Literal(Literal { negated, relation: member, arguments, time: None, span })
    };
    let mut body = Vec::new();
    for (column, head) in rule.head.columns.iter().enumerate() {
        let HeadColumn::Aggregate { function, .. } = head else { continue };
        let operator = match function {
            Aggregate::Min => ComparisonOperator::Less,
            _ => ComparisonOperator::Greater,
        };
        let rival = variables.len();
        variables.push(Variable {
            name: format!("R{column}"),
            existential: true,
            ..variables[column].clone()
        });
        body.push(literal(false, column, column));
        body.push(literal(true, column, rival));
        body.push(BodyTerm::Comparison(Comparison {
            left: variable(rival),
            operator,
            right: variable(column),
            span,
        }));
    }
    Rule {
        head: Head {
            relation: rule.head.relation,
            columns: (0..arity).map(|column| HeadColumn::Expression(variable(column))).collect(),
            timing: Timing::Now,
            span,
        },
        location: Location::Global,
        body,
        variables,
        look_ahead: false,
        span,
    }
}
