//! The ground program: for every fact that is possible within the bounds, the condition on faults
//! under which it holds.
//!
//! One pass over the time steps evaluates the program for all fault sets at once. A table holds every
//! *possible* row, and beside each row a formula over fault variables that is true of exactly the
//! fault sets under which the row is there (a row that is there under all of them is *certain*, and
//! its formula is simply true). So a positive literal contributes the formula of its row, a negative
//! one the negation of the disjunction over matching rows, a message the condition that its channel
//! is open, an aggregate which members are present.
//!
//! Within a time step recursion can make facts depend on each other in a circle. A circle must not
//! support itself, so each strongly connected component is solved by as many rounds of its rules as
//! it has facts, starting from nothing (every derivation without repetition is no longer than that);
//! a circle through negation by the alternating fixpoint of such rounds.
//!
//! (The paper, \[LDFI\] section 4, extracts lineage from one run at a time; this is the same data
//! lineage, completed by what other runs could do, which is what makes a verdict a proof.)

use std::ops::Range;

use indexmap::IndexMap;
use linchpin_dedalus::hir::{RelationId, RuleId, Timing};
use linchpin_formula::{Graph, Literal, Variable};
use linchpin_model::Fault;
use linchpin_search::Halt;
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::channels::{ChannelConditions, Entry};
use crate::compiled::{Compiled, Tables};
use crate::fixpoint::{Deriver, Window, fixpoint};
use crate::ground_aggregate::outcomes;
use crate::ground_cycle::{Atom, Component, components};
use crate::ground_head::{Derived, Frozen, Groups, Head, Members, Way, add_to_group};
use crate::inputs::{self, Alternative};
use crate::join::{Store, Valuation, candidates, execute, row_agrees, value_of};
use crate::lineage::Absence;
use crate::not_grounded::{NotGrounded, NotGroundedReason};
use crate::plan::{AccessBy, Column, RulePlan, Sender, Step, StratumPlan};
use crate::table::{RowIndex, Table};
use crate::value::{Interner, Symbol};

/// Size of a formula graph, in nodes, beyond which a program is not grounded.
const NODES_MAX: usize = 3_000_000;

/// After so many instances it is asked whether to give up.
const INSTANCES_UNASKED: usize = 256;

/// Valuations beyond which a program is not grounded.
const VALUATIONS_MAX: usize = 20_000_000;

/// Every possible row and its condition.
#[derive(Clone, Debug)]
pub(crate) struct Ground {
    tables: Tables,
    conditions: Conditions,
    /// Conditions under which a run has no result.
    pub(crate) failures: Vec<Literal>,
}

impl Ground {
    /// The possible rows of a relation at a time step, with their conditions.
    pub(crate) fn rows(
        &self,
        relation: RelationId,
        time: u32,
    ) -> impl Iterator<Item = (&[Symbol], Literal)> {
        let table = self.tables.at(time, relation);
        table
            .rows()
            .enumerate()
            .map(move |(row, cells)| (cells, self.conditions.of(time, relation, row as RowIndex)))
    }
}

/// The condition of every row, in the order of the tables.
#[derive(Clone, Debug)]
struct Conditions {
    steps: Vec<Vec<Vec<Literal>>>,
    crash: Option<(RelationId, Vec<Literal>)>,
}

impl Conditions {
    fn of(&self, time: u32, relation: RelationId, row: RowIndex) -> Literal {
        if let Some((crash, conditions)) = &self.crash
            && *crash == relation
        {
            return conditions[row as usize];
        }
        self.steps[time as usize - 1][relation.index()][row as usize]
    }
}

struct View<'a> {
    tables: &'a Tables,
    conditions: &'a Conditions,
    now: u32,
    window: Option<&'a Window>,
    /// The stratum being solved: the conditions of its rows are not known yet.
    open: Option<&'a StratumPlan>,
    node_count: usize,
    halt: &'a Halt,
}

impl Store for View<'_> {
    fn rows(
        &self,
        literal: usize,
        relation: RelationId,
        time: Option<u32>,
    ) -> (&Table, Range<RowIndex>) {
        let at = time.unwrap_or(self.now);
        let table = self.tables.at(at, relation);
        let range = self
            .window
            .filter(|_| at == self.now)
            .and_then(|window| window.range(literal, relation))
            .unwrap_or(0..table.len() as RowIndex);
        (table, range)
    }

    fn rows_for_absence(&self, relation: RelationId, time: Option<u32>) -> &Table {
        self.tables.at(time.unwrap_or(self.now), relation)
    }

    fn refutes(&self, relation: RelationId, time: Option<u32>, row: RowIndex) -> bool {
        // Rows of an open stratum begin with the condition they have from before the stratum.
        self.conditions.of(time.unwrap_or(self.now), relation, row) == Literal::TRUE
    }

    fn node_count(&self) -> usize {
        self.node_count
    }

    fn halt(&self) -> &Halt {
        self.halt
    }
}

impl View<'_> {
    fn is_open(&self, relation: RelationId, at: u32) -> bool {
        at == self.now && self.open.is_some_and(|stratum| stratum.relations.contains(&relation))
    }
}

/// One way in which a row of an open stratum, or an error, comes about.
pub(crate) struct Instance {
    /// `None`: an arithmetic error.
    pub(crate) head: Option<Atom>,
    /// The conjunction of everything outside the stratum.
    pub(crate) outside: Literal,
    /// Rows of the stratum that must be there, and that must not.
    pub(crate) present: Vec<Atom>,
    pub(crate) absent: Vec<Atom>,
}

/// A head of an open stratum before it has a row number.
struct OpenInstance {
    head: Option<(RelationId, Box<[Symbol]>)>,
    outside: Literal,
    present: Vec<Atom>,
    absences: Vec<Absence>,
}

struct Grounder<'a> {
    compiled: &'a Compiled,
    interner: &'a mut Interner,
    graph: &'a mut Graph,
    tables: Tables,
    conditions: Conditions,
    now: u32,
    channels: &'a ChannelConditions,
    /// Every alternative of an input with its condition.
    inputs: Vec<(&'a Alternative, Literal)>,
    /// True if some node may be down at some time.
    any_down: bool,
    /// State of nodes that are down, with the ways in which it is and they are; by step: this one,
    /// and the next.
    frozen: Frozen,
    frozen_next: Frozen,
    /// What becomes known at the next commit.
    derived: Derived,
    open: Option<&'a StratumPlan>,
    open_instances: Vec<OpenInstance>,
    /// How many of them have their heads among the rows.
    committed: usize,
    failures: Vec<Literal>,
    valuations: usize,
    halt: &'a Halt,
}

/// Grounds a program.
///
/// The formulas are added to `graph`, which keeps what it has even if grounding fails.
pub(crate) fn ground(
    compiled: &Compiled,
    interner: &mut Interner,
    graph: &mut Graph,
    channels: &ChannelConditions,
    variable_of: &dyn Fn(&Fault) -> Option<Variable>,
    halt: &Halt,
) -> Result<Ground, NotGrounded> {
    let eot = compiled.bounds.eot;
    let crash = channels.crash_rows(interner);
    let crash_rows = crash.iter().map(|(row, _)| &row[..]);
    let conditions = Conditions {
        steps: vec![vec![Vec::new(); compiled.program.relations.len()]; eot as usize],
        crash: compiled
            .crash
            .map(|relation| (relation, crash.iter().map(|(_, condition)| *condition).collect())),
    };
    let inputs = inputs::conditions(&compiled.inputs, graph, variable_of);
    let grounder = Grounder {
        compiled,
        tables: Tables::new(compiled, crash_rows),
        interner,
        graph,
        conditions,
        now: 1,
        channels,
        inputs,
        any_down: channels.any_down(),
        frozen: Frozen::default(),
        frozen_next: Frozen::default(),
        derived: Derived::default(),
        open: None,
        open_instances: Vec::new(),
        committed: 0,
        failures: Vec::new(),
        valuations: 0,
        halt,
    };
    grounder.run()
}

impl<'a> Grounder<'a> {
    fn run(mut self) -> Result<Ground, NotGrounded> {
        let compiled = self.compiled;
        for now in 1..=compiled.bounds.eot {
            self.now = now;
            for (relation, row) in compiled.facts.get(&now).into_iter().flatten() {
                self.give(*relation, row, Literal::TRUE);
            }
            for index in 0..self.inputs.len() {
                let (input, condition) = self.inputs[index];
                if input.time == now {
                    self.give(input.relation, &input.row, condition);
                }
            }
            for stratum in &compiled.schedule.strata {
                if stratum.recursive {
                    self.solve(stratum)?;
                } else {
                    fixpoint(stratum, &mut self)?;
                }
            }
            if now < compiled.bounds.eot {
                for rule in &compiled.schedule.inductive {
                    self.fire(rule, &rule.full, None)?;
                }
                self.commit()?;
                self.stand_still();
            } else {
                // Never seen, but an error in it is an error of the run.
                for rule in compiled.schedule.inductive.iter().filter(|rule| rule.can_fail()) {
                    self.fire(rule, &rule.full, None)?;
                    self.derived.clear();
                }
            }
        }
        for now in 1..=compiled.bounds.eot {
            self.now = now;
            // What is derived for a time after the last is never seen, but may be an error.
            let unseen =
                |rule: &&RulePlan| now == compiled.bounds.eot && rule.timing != Timing::Now;
            for rule in compiled.schedule.look_ahead.iter().filter(unseen) {
                self.fire(rule, &rule.full, None)?;
                self.derived.clear();
            }
            for rule in compiled.schedule.look_ahead.iter().filter(|rule| !unseen(rule)) {
                self.fire(rule, &rule.full, None)?;
            }
            self.commit()?;
        }
        Ok(Ground { tables: self.tables, conditions: self.conditions, failures: self.failures })
    }

    fn too_large(&self, reason: NotGroundedReason, rule: Option<RuleId>) -> NotGrounded {
        NotGrounded { reason, rule, time: self.now }
    }

    /// Adds one more way for a row to be there.
    fn add(
        &mut self,
        time: u32,
        relation: RelationId,
        row: &[Symbol],
        condition: Literal,
    ) -> RowIndex {
        let (index, is_new) = self.tables.at_mut(time, relation).insert(row);
        let conditions = &mut self.conditions.steps[time as usize - 1][relation.index()];
        if is_new {
            conditions.push(condition);
        } else {
            let before = conditions[index as usize];
            conditions[index as usize] = self.graph.or([before, condition]);
        }
        index
    }

    /// Adds a row that the program gives at this step, where its node is not down.
    fn give(&mut self, relation: RelationId, row: &[Symbol], condition: Literal) {
        let (now, node) = (self.now, row[0] as usize);
        let entry = self.compiled.fact_entry(relation, now);
        let taken = self.channels.takes(self.graph, node, now, entry);
        let condition = self.graph.and([condition, taken]);
        if condition == Literal::FALSE {
            return;
        }
        self.add(now, relation, row, condition);
        if let Entry::State(durable) = entry {
            let keeps = self.channels.keeps(self.graph, node, now, durable);
            let frozen = self.graph.and([condition, keeps]);
            if frozen != Literal::FALSE {
                self.frozen.entry((relation, row.into())).or_default().push(frozen);
            }
        }
    }

    /// What came to a node that is down is there at the next step again.
    fn stand_still(&mut self) {
        let next = self.now + 1;
        for ((relation, row), mut ways) in std::mem::take(&mut self.frozen) {
            let condition = self.graph.or_of(&mut ways);
            self.add(next, relation, &row, condition);
            let durable = self.compiled.durable[relation.index()];
            let keeps = self.channels.keeps(self.graph, row[0] as usize, next, durable);
            let frozen = self.graph.and([condition, keeps]);
            if frozen != Literal::FALSE {
                self.frozen_next.entry((relation, row)).or_default().push(frozen);
            }
        }
        self.frozen = std::mem::take(&mut self.frozen_next);
    }

    /// Notes a condition under which a run has no result.
    fn fail(&mut self, condition: Literal) {
        if condition != Literal::FALSE {
            self.failures.push(condition);
        }
    }

    /// A recursive stratum: collect the instances of its rules over all possible rows, then solve
    /// them component by component.
    fn solve(&mut self, stratum: &'a StratumPlan) -> Result<(), NotGrounded> {
        self.open = Some(stratum);
        let result = fixpoint(stratum, self);
        self.open = None;
        result?;
        let instances = self.close_instances()?;
        if instances.is_empty() {
            return Ok(());
        }
        let mut atoms: Vec<Atom> = Vec::new();
        for &relation in &stratum.relations {
            let rows = self.tables.at(self.now, relation).len() as RowIndex;
            atoms.extend((0..rows).map(|row| Atom { relation, row }));
        }
        let given: FxHashMap<Atom, Literal> = atoms
            .iter()
            .map(|&atom| (atom, self.conditions.of(self.now, atom.relation, atom.row)))
            .collect();
        let mut solved: FxHashMap<Atom, Literal> = FxHashMap::default();
        for component in components(&atoms, &instances) {
            let undecided = component
                .solve(self.graph, &given, &instances, &mut solved, (NODES_MAX, self.halt))
                .ok_or_else(|| {
                    let head = component.atoms[0].relation;
                    let rule = stratum.rules.iter().find(|rule| rule.head == head);
                    let halted = self.halt.is_due();
                    self.too_large(
                        if halted { NotGroundedReason::Halted } else { NotGroundedReason::Circle },
                        rule.map(|rule| rule.rule),
                    )
                })?;
            self.fail(undecided);
        }
        for (&atom, &condition) in &solved {
            self.conditions.steps[self.now as usize - 1][atom.relation.index()]
                [atom.row as usize] = condition;
        }
        for instance in &instances {
            if instance.head.is_none() {
                let condition = Component::condition(instance, self.graph, &solved);
                self.fail(condition);
            }
        }
        Ok(())
    }

    /// Resolves the heads and absences of the instances collected, now that all rows are known.
    fn close_instances(&mut self) -> Result<Vec<Instance>, NotGrounded> {
        let open_instances = std::mem::take(&mut self.open_instances);
        self.committed = 0;
        open_instances
            .into_iter()
            .enumerate()
            .map(|(index, open)| {
                if index.is_multiple_of(INSTANCES_UNASKED) && self.halt.is_due() {
                    return Err(self.too_large(NotGroundedReason::Halted, None));
                }
                let head = open.head.map(|(relation, cells)| {
                    let row = self.tables.at(self.now, relation).find(&cells);
                    Atom { relation, row: row.expect("heads were inserted") }
                });
                let mut absent = Vec::new();
                for absence in &open.absences {
                    let table = self.tables.at(self.now, absence.relation);
                    absent.extend(
                        table
                            .rows()
                            .enumerate()
                            .filter(|(_, cells)| absence.matches(cells, self.interner))
                            .map(|(row, _)| Atom {
                                relation: absence.relation,
                                row: row as RowIndex,
                            }),
                    );
                }
                Ok(Instance { head, outside: open.outside, present: open.present, absent })
            })
            .collect()
    }

    /// The conditions of a valuation: what is known (added to `known`), and what belongs to the open
    /// stratum.
    fn body(
        view: &View<'_>,
        graph: &mut Graph,
        interner: &Interner,
        steps: &[Step],
        valuation: &Valuation<'_>,
        known: &mut Vec<Literal>,
    ) -> (Vec<Atom>, Vec<Absence>) {
        let mut present = Vec::new();
        let mut absences = Vec::new();
        for matched in valuation.matched {
            let relation = RelationId(matched.relation);
            let at = matched.time.unwrap_or(view.now);
            if view.is_open(relation, at) {
                present.push(Atom { relation, row: matched.row });
            } else {
                known.push(view.conditions.of(at, relation, matched.row));
            }
        }
        for access in RulePlan::absences(steps) {
            if valuation.is_undefined(access) {
                continue;
            }
            let at = access.time.unwrap_or(view.now);
            if view.is_open(access.relation, at) {
                absences.push(Absence::new(access, valuation.slots, view.now));
                continue;
            }
            let table = view.rows_for_absence(access.relation, access.time);
            let all = 0..table.len() as RowIndex;
            let matching = candidates(access, table, &all, valuation.slots)
                .filter(|&row| row_agrees(access, table.row(row), valuation.slots, interner))
                .map(|row| view.conditions.of(at, access.relation, row));
            let absent = !graph.or(matching);
            graph.declare_absence(absent);
            known.push(absent);
        }
        (present, absences)
    }
}

impl Deriver for Grounder<'_> {
    type Stop = NotGrounded;

    fn row_count(&self, relation: RelationId) -> usize {
        self.tables.at(self.now, relation).len()
    }

    fn endless(&self, rule: RuleId) -> NotGrounded {
        self.too_large(NotGroundedReason::Endless, Some(rule))
    }

    fn fire(
        &mut self,
        rule: &RulePlan,
        steps: &[Step],
        window: Option<&Window>,
    ) -> Result<(), NotGrounded> {
        let now = self.now;
        if self.tables.is_idle(steps, now) {
            return Ok(());
        }
        if self.halt.is_due() {
            return Err(self.too_large(NotGroundedReason::Halted, Some(rule.rule)));
        }
        for access in RulePlan::accesses(steps) {
            if let AccessBy::Index(index) = access.by {
                let at = access.time.unwrap_or(now);
                self.tables.refresh(at, access.relation, index, &access.columns);
            }
        }
        let node_count = self.compiled.node_count();
        let view = View {
            tables: &self.tables,
            conditions: &self.conditions,
            now,
            window,
            open: self.open,
            node_count,
            halt: self.halt,
        };
        let mut groups: Groups = IndexMap::default();
        let mut failed: Vec<Literal> = Vec::new();
        let (mut known, mut conditions): (Vec<Literal>, Vec<Literal>) = (Vec::new(), Vec::new());
        let (graph, derived) = (&mut *self.graph, &mut self.derived);
        let (channels, open_instances) = (self.channels, &mut self.open_instances);
        let valuations = &mut self.valuations;
        let any_down = self.any_down;
        let entry = self.compiled.entry(rule).filter(|_| any_down);
        let durable = self.compiled.durable[rule.head.index()];
        let frozen_next = &mut self.frozen_next;
        let finished = execute(
            steps,
            rule.slot_count,
            rule.literal_count,
            &view,
            self.interner,
            &mut |interner, valuation| {
                *valuations += 1;
                if *valuations > VALUATIONS_MAX || graph.node_count() > NODES_MAX {
                    return false;
                }
                known.clear();
                let (present, absences) =
                    Self::body(&view, graph, interner, steps, valuation, &mut known);
                let sender = match rule.sender {
                    Sender::Slot(slot) => Some(valuation.slots[slot] as usize),
                    Sender::Node(symbol) => Some(symbol as usize),
                    Sender::Global => None,
                };
                if let Some(sender) = sender.filter(|_| any_down) {
                    known.push(channels.up(graph, sender, now));
                }
                let mut row: SmallVec<[Symbol; 8]> = SmallVec::new();
                let mut error = valuation.error;
                for column in &rule.columns {
                    match column {
                        Column::Term(term) => match value_of(term, valuation.slots, interner) {
                            Ok(symbol) => row.push(symbol),
                            Err(arithmetic) => error = error.or(Some(arithmetic)),
                        },
                        Column::Aggregate(_, slot) => row.push(valuation.slots[*slot]),
                    }
                }
                let mut ways: &[(u32, Literal)] = match rule.timing {
                    Timing::Now => &[(0, Literal::TRUE)],
                    Timing::Next | Timing::Async => &[(1, Literal::TRUE)],
                };
                if rule.timing == Timing::Async && error.is_none() {
                    let receiver = row[0] as usize;
                    if receiver >= node_count {
                        return true;
                    }
                    if let Some(sender) = sender {
                        ways = channels.travels(sender, receiver, now);
                    }
                }
                for &(after, travels) in ways {
                    conditions.clear();
                    conditions.extend_from_slice(&known);
                    conditions.push(travels);
                    let condition = graph.and_of(&mut conditions);
                    if condition == Literal::FALSE {
                        continue;
                    }
                    if !present.is_empty() || !absences.is_empty() {
                        let head = error.is_none().then(|| (rule.head, row[..].into()));
                        open_instances.push(OpenInstance {
                            head,
                            outside: condition,
                            present: present.clone(),
                            absences: absences.clone(),
                        });
                    } else if error.is_some() {
                        failed.push(condition);
                    } else if rule.is_aggregate() {
                        add_to_group(&mut groups, rule, after, &row, condition);
                    } else {
                        let head = Head { rule, after, entry, durable, now };
                        head.derive(graph, channels, derived, frozen_next, &row, condition);
                    }
                }
                true
            },
        );
        if self.valuations > VALUATIONS_MAX {
            return Err(self.too_large(NotGroundedReason::Valuations, Some(rule.rule)));
        }
        if self.graph.node_count() > NODES_MAX {
            return Err(self.too_large(NotGroundedReason::Conditions, Some(rule.rule)));
        }
        if !finished {
            return Err(self.too_large(NotGroundedReason::Halted, Some(rule.rule)));
        }
        for condition in failed {
            self.fail(condition);
        }
        for ((after, group), sets) in groups {
            self.aggregate(rule, after, &group, sets)?;
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<(), NotGrounded> {
        // Heads of an open stratum: their conditions are found when it is complete.
        for index in self.committed..self.open_instances.len() {
            if let Some((relation, row)) = &self.open_instances[index].head {
                let (relation, row) = (*relation, row.clone());
                self.add(self.now, relation, &row, Literal::FALSE);
            }
        }
        self.committed = self.open_instances.len();
        // Rows are numbered in the order in which they were first derived.
        let mut derived = std::mem::take(&mut self.derived);
        let mut places: Vec<(u32, RelationId, RowIndex, Literal)> = Vec::new();
        for Way { after, relation, row, condition } in derived.ways.drain(..) {
            let step = (self.now + after) as usize - 1;
            let table = self.tables.at_mut(self.now + after, relation);
            let (index, is_new) = table.insert(&derived.cells[row]);
            if is_new {
                self.conditions.steps[step][relation.index()].push(Literal::FALSE);
            }
            places.push((after, relation, index, condition));
        }
        derived.cells.clear();
        self.derived = derived;
        places.sort_unstable();
        let mut ways: Vec<Literal> = Vec::new();
        for same in places.chunk_by(|a, b| (a.0, a.1, a.2) == (b.0, b.1, b.2)) {
            let (after, relation, row, first) = same[0];
            let step = (self.now + after) as usize - 1;
            let place = &mut self.conditions.steps[step][relation.index()][row as usize];
            if same.len() == 1 && *place == Literal::FALSE {
                *place = first;
                continue;
            }
            ways.clear();
            ways.push(*place);
            ways.extend(same.iter().map(|entry| entry.3));
            *place = self.graph.or_of(&mut ways);
        }
        Ok(())
    }
}

impl Grounder<'_> {
    /// Every value the aggregates of a group can take, with its condition.
    fn aggregate(
        &mut self,
        rule: &RulePlan,
        after: u32,
        group: &[Symbol],
        sets: SmallVec<[Members; 1]>,
    ) -> Result<(), NotGrounded> {
        let functions = rule.columns.iter().filter_map(|column| match column {
            Column::Aggregate(function, _) => Some(*function),
            Column::Term(_) => None,
        });
        // (values of the aggregates so far, condition)
        let mut combined: Vec<(Vec<Symbol>, Literal)> = vec![(Vec::new(), Literal::TRUE)];
        for (function, members) in functions.zip(sets) {
            let members: Vec<(Symbol, Literal)> = members
                .into_iter()
                .map(|(symbol, mut ways)| (symbol, self.graph.or_of(&mut ways)))
                .collect();
            let values = outcomes(function, members, self.interner, self.graph)
                .ok_or_else(|| self.too_large(NotGroundedReason::Aggregate, Some(rule.rule)))?;
            let mut next = Vec::new();
            for (symbols, condition) in &combined {
                for (value, when) in &values {
                    let both = self.graph.and([*condition, *when]);
                    match value {
                        _ if both == Literal::FALSE => {}
                        Ok(symbol) => {
                            let mut symbols = symbols.clone();
                            symbols.push(*symbol);
                            next.push((symbols, both));
                        }
                        Err(_) => self.fail(both),
                    }
                }
            }
            combined = next;
        }
        let mut row: SmallVec<[Symbol; 8]> = SmallVec::new();
        for (symbols, condition) in combined {
            let (mut group, mut symbols) = (group.iter(), symbols.iter());
            row.clear();
            row.extend(rule.columns.iter().map(|column| match column {
                Column::Term(_) => *group.next().expect("one per group column"),
                Column::Aggregate(..) => *symbols.next().expect("one per aggregate"),
            }));
            let now = self.now;
            let entry = self.compiled.entry(rule).filter(|_| self.any_down);
            let durable = self.compiled.durable[rule.head.index()];
            let head = Head { rule, after, entry, durable, now };
            let (graph, derived) = (&mut *self.graph, &mut self.derived);
            let frozen_next = &mut self.frozen_next;
            head.derive(graph, self.channels, derived, frozen_next, &row, condition);
        }
        Ok(())
    }
}
