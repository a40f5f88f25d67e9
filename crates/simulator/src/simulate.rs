//! One run: every time step in turn, under given faults.

use std::ops::Range;

use indexmap::{IndexMap, IndexSet};
use linchpin_dedalus::hir::{RelationId, RuleId, Timing};
use linchpin_model::FaultSet;
use linchpin_search::Halt;
use rustc_hash::FxBuildHasher;
use smallvec::SmallVec;

use crate::aggregate::combine;
use crate::channels::{Channels, Entry, Traffic};
use crate::compiled::{Compiled, Tables};
use crate::error::{RunError, RunErrorKind};
use crate::fixpoint::{Deriver, Window, fixpoint};
use crate::inputs::{Alternative, chosen};
use crate::join::{ArithmeticError, Store, Valuation, execute, value_of};
use crate::lineage::{Absence, Derivation, FactRef, Lineage, Sending};
use crate::plan::{Column, RulePlan, Sender, Step, StratumPlan};
use crate::table::{RowIndex, Table};
use crate::value::{Interner, Symbol};

/// What a run leaves behind.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) tables: Tables,
    pub(crate) traffic: Traffic,
    pub(crate) lineage: Option<Lineage>,
    channels: Channels,
}

/// A run whose beginning another run may share: up to the first time at which a message is lost or
/// late in one of them, and not in the other, nothing differs. (See [`Channels::first_difference`].)
#[derive(Debug)]
pub(crate) struct Past {
    channels: Channels,
    tables: Tables,
}

impl Past {
    /// `None` if some rule looks ahead: then the end of a run shows at its beginning.
    pub(crate) fn of(run: Run, compiled: &Compiled) -> Option<Self> {
        let Run { channels, tables, .. } = run;
        compiled.schedule.look_ahead.is_empty().then_some(Self { channels, tables })
    }
}

/// A head row waiting to become visible.
struct Derived {
    relation: RelationId,
    /// The row starts here in `Machine::cells`.
    start: usize,
    /// How many steps from now it becomes visible.
    after: u32,
    /// It comes to a node as state, in a run in which some node is down at some time.
    is_state: bool,
    /// Index into `Machine::reasons`.
    reason: Option<usize>,
}

/// Why a row was derived.
struct Reason {
    rule: RuleId,
    premises: Vec<FactRef>,
    absences: Vec<Absence>,
}

/// The state of a run.
pub(crate) struct Machine<'a> {
    compiled: &'a Compiled,
    interner: &'a mut Interner,
    channels: Channels,
    /// The alternatives of inputs that hold.
    inputs: Vec<&'a Alternative>,
    /// True if some node is down at some time.
    any_down: bool,
    /// State of nodes that are down, by step: this one, and the next.
    frozen: IndexSet<(RelationId, Box<[Symbol]>), FxBuildHasher>,
    frozen_next: IndexSet<(RelationId, Box<[Symbol]>), FxBuildHasher>,
    traffic: Traffic,
    tables: Tables,
    now: u32,
    derived: Vec<Derived>,
    cells: Vec<Symbol>,
    reasons: Vec<Reason>,
    lineage: Option<Lineage>,
    /// While an unstratified stratum is evaluated: what its negative literals are read against.
    assumed: Option<Assumed>,
    error: Option<RunError>,
    /// The tables up to this time step are those of an earlier run.
    shared: u32,
    halt: Halt,
}

struct Assumed {
    tables: Vec<(RelationId, Table)>,
}

struct View<'a> {
    tables: &'a Tables,
    now: u32,
    window: Option<&'a Window>,
    assumed: Option<&'a Assumed>,
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
        let at = time.unwrap_or(self.now);
        self.assumed
            .filter(|_| at == self.now)
            .and_then(|assumed| assumed.tables.iter().find(|entry| entry.0 == relation))
            .map_or_else(|| self.tables.at(at, relation), |entry| &entry.1)
    }

    fn refutes(&self, _: RelationId, _: Option<u32>, _: RowIndex) -> bool {
        true
    }

    fn node_count(&self) -> usize {
        self.node_count
    }

    fn halt(&self) -> &Halt {
        self.halt
    }
}

/// Per aggregate: its members.
type Group = SmallVec<[IndexSet<Symbol, FxBuildHasher>; 1]>;

/// By when it becomes visible and by its other columns. (Messages of one group that travel for
/// different times meet at different times.)
type Groups = IndexMap<(u32, SmallVec<[Symbol; 6]>), (Group, Option<Reason>), FxBuildHasher>;

impl<'a> Machine<'a> {
    pub(crate) fn new(
        compiled: &'a Compiled,
        interner: &'a mut Interner,
        faults: &FaultSet,
        with_lineage: bool,
    ) -> Self {
        let channels = Channels::new(compiled, faults);
        let crash_rows = channels.crash_rows(interner);
        Self {
            compiled,
            interner,
            any_down: channels.any_down(),
            channels,
            frozen: IndexSet::default(),
            frozen_next: IndexSet::default(),
            inputs: chosen(&compiled.inputs, faults),
            traffic: Traffic::new(compiled),
            tables: Tables::new(compiled, crash_rows.iter().map(|row| &row[..])),
            now: 1,
            derived: Vec::new(),
            cells: Vec::new(),
            reasons: Vec::new(),
            lineage: with_lineage.then(Lineage::default),
            assumed: None,
            error: None,
            shared: 0,
            halt: Halt::default(),
        }
    }

    /// Gives up when told to.
    pub(crate) fn until(mut self, halt: &Halt) -> Self {
        self.halt = halt.clone();
        self
    }

    /// A run that takes over what it shares with an earlier one. Its traffic and lineage are not
    /// complete.
    pub(crate) fn after(
        past: Option<Past>,
        compiled: &'a Compiled,
        interner: &'a mut Interner,
        faults: &FaultSet,
    ) -> Self {
        let mut machine = Self::new(compiled, interner, faults, false);
        let Some(mut past) = past else { return machine };
        let crash_is_read = compiled.crash.is_some();
        let differs = machine.channels.first_difference(&past.channels, crash_is_read);
        // The last step is taken over only if all of it is the same: what is derived then is never
        // seen, but may be an error.
        let last = compiled.bounds.eot;
        machine.shared = if differs == u32::MAX { last } else { differs.min(last - 1) };
        if machine.shared > 0 {
            past.tables.forget_after(machine.shared);
            machine.tables = past.tables;
        }
        machine
    }

    /// Runs to the end of time.
    pub(crate) fn run(mut self) -> Result<Run, RunError> {
        let compiled = self.compiled;
        let shared = self.shared;
        if (1..compiled.bounds.eot).contains(&shared) {
            self.now = shared;
            for rule in &compiled.schedule.inductive {
                self.fire(rule, &rule.full, None)?;
            }
            self.commit()?;
        }
        for now in shared + 1..=compiled.bounds.eot {
            self.now = now;
            for (relation, row) in compiled.facts.get(&now).into_iter().flatten() {
                self.give(*relation, row);
            }
            let inputs = self.inputs.clone();
            for input in inputs.into_iter().filter(|input| input.time == now) {
                self.give(input.relation, &input.row);
            }
            for stratum in &compiled.schedule.strata {
                if stratum.unstratified {
                    self.well_founded(stratum)?;
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
                self.compute_in_vain()?;
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
                self.cells.clear();
            }
            for rule in compiled.schedule.look_ahead.iter().filter(|rule| !unseen(rule)) {
                self.fire(rule, &rule.full, None)?;
            }
            self.commit()?;
        }
        let Self { tables, traffic, lineage, channels, .. } = self;
        Ok(Run { tables, traffic, lineage, channels })
    }

    /// What rules derive at the last time step for the next is never seen, but an error in it is an
    /// error of the run.
    fn compute_in_vain(&mut self) -> Result<(), RunError> {
        let compiled = self.compiled;
        let lineage = self.lineage.take();
        for rule in compiled.schedule.inductive.iter().filter(|rule| rule.can_fail()) {
            self.fire(rule, &rule.full, None)?;
            self.derived.clear();
            self.cells.clear();
        }
        self.lineage = lineage;
        Ok(())
    }

    /// The well-founded model of a stratum, by the alternating fixpoint (Van Gelder, 1993): from
    /// "nothing is true", read negations against the last result, in turn an overestimate and an
    /// underestimate, until the underestimate stands still.
    fn well_founded(&mut self, stratum: &StratumPlan) -> Result<(), RunError> {
        let given: Vec<(RelationId, Table)> = stratum
            .relations
            .iter()
            .map(|&relation| (relation, self.tables.at(self.now, relation).clone()))
            .collect();
        let recorded = self.lineage.as_ref().map_or(0, |lineage| lineage.derivations.len());
        let mut below = given.clone();
        loop {
            let above = self.least_model(stratum, &given, recorded, below.clone())?;
            let next = self.least_model(stratum, &given, recorded, above.clone())?;
            let stands_still = next.iter().zip(&below).all(|(a, b)| a.1.len() == b.1.len());
            if !stands_still {
                below = next;
                continue;
            }
            if let Some(((relation, _), _)) =
                next.iter().zip(&above).find(|(below, above)| below.1.len() != above.1.len())
            {
                let rule = stratum.rules.iter().find(|rule| rule.head == *relation);
                return Err(
                    self.failure(RunErrorKind::NotTotal, rule.map_or(RuleId(0), |rule| rule.rule))
                );
            }
            return match self.error.take() {
                Some(error) => Err(error),
                None => Ok(()),
            };
        }
    }

    /// The least model when negations of the stratum are read against `assumed`. Derivations after
    /// the first `recorded` are those of an earlier attempt.
    fn least_model(
        &mut self,
        stratum: &StratumPlan,
        given: &[(RelationId, Table)],
        recorded: usize,
        assumed: Vec<(RelationId, Table)>,
    ) -> Result<Vec<(RelationId, Table)>, RunError> {
        for (relation, table) in given {
            *self.tables.at_mut(self.now, *relation) = table.clone();
        }
        if let Some(lineage) = &mut self.lineage {
            lineage.derivations.truncate(recorded);
        }
        self.error = None;
        self.assumed = Some(Assumed { tables: assumed });
        let result = fixpoint(stratum, self);
        self.assumed = None;
        result?;
        Ok(stratum
            .relations
            .iter()
            .map(|&relation| (relation, self.tables.at(self.now, relation).clone()))
            .collect())
    }

    /// Adds a row that the program gives at this step, unless its node is down.
    fn give(&mut self, relation: RelationId, row: &[Symbol]) {
        let (now, node) = (self.now, row[0] as usize);
        if !self.channels.takes(node, now, self.compiled.fact_entry(relation, now)) {
            return;
        }
        self.tables.at_mut(now, relation).insert(row);
        if self.channels.is_down(node, now) {
            self.frozen.insert((relation, row.into()));
        }
    }

    /// What came to a node that is down is there at the next step again.
    fn stand_still(&mut self) {
        let (now, next) = (self.now, self.now + 1);
        for (relation, row) in std::mem::take(&mut self.frozen) {
            let (index, _) = self.tables.at_mut(next, relation).insert(&row);
            if let Some(lineage) = &mut self.lineage {
                let before = self.tables.at(now, relation).find(&row);
                let before = before.expect("what stands still was there before");
                lineage.kept.push((
                    FactRef { time: next, relation, row: index },
                    FactRef { time: now, relation, row: before },
                ));
            }
            if self.channels.is_down(row[0] as usize, next) {
                self.frozen_next.insert((relation, row));
            }
        }
        self.frozen = std::mem::take(&mut self.frozen_next);
    }

    fn failure(&self, kind: RunErrorKind, rule: RuleId) -> RunError {
        RunError { kind, rule, time: self.now }
    }

    /// Errors inside an alternating fixpoint count only in its last round.
    fn fail(&mut self, kind: RunErrorKind, rule: RuleId) -> Result<(), RunError> {
        let error = self.failure(kind, rule);
        if self.assumed.is_some() {
            self.error.get_or_insert(error);
            Ok(())
        } else {
            Err(error)
        }
    }
}

impl Deriver for Machine<'_> {
    type Stop = RunError;

    fn row_count(&self, relation: RelationId) -> usize {
        self.tables.at(self.now, relation).len()
    }

    fn endless(&self, rule: RuleId) -> RunError {
        self.failure(RunErrorKind::Endless, rule)
    }

    fn fire(
        &mut self,
        rule: &RulePlan,
        steps: &[Step],
        window: Option<&Window>,
    ) -> Result<(), RunError> {
        let now = self.now;
        if self.tables.is_idle(steps, now) {
            return Ok(());
        }
        if self.halt.is_due() {
            return Err(self.failure(RunErrorKind::Halted, rule.rule));
        }
        for access in RulePlan::accesses(steps) {
            if let crate::plan::AccessBy::Index(index) = access.by {
                let at = access.time.unwrap_or(now);
                self.tables.refresh(at, access.relation, index, &access.columns);
                let assumed = self.assumed.iter_mut().flat_map(|assumed| &mut assumed.tables);
                for (_, table) in assumed.filter(|entry| at == now && entry.0 == access.relation) {
                    table.refresh_index(index, &access.columns);
                }
            }
        }
        let view = View {
            tables: &self.tables,
            now,
            window,
            assumed: self.assumed.as_ref(),
            node_count: self.compiled.node_count(),
            halt: &self.halt,
        };
        let mut groups = Groups::default();
        let mut error: Option<ArithmeticError> = None;
        // An error on the way to a well-founded model must not hide what else is derived.
        let goes_on = self.assumed.is_some();
        let (cells, derived, reasons) = (&mut self.cells, &mut self.derived, &mut self.reasons);
        let (channels, traffic, lineage) = (&self.channels, &mut self.traffic, &mut self.lineage);
        let node_count = self.compiled.node_count();
        let any_down = self.any_down;
        let entry = self.compiled.entry(rule).filter(|_| any_down);
        let finished = execute(
            steps,
            rule.slot_count,
            rule.literal_count,
            &view,
            self.interner,
            &mut |interner, valuation| {
                let sender = match rule.sender {
                    Sender::Slot(slot) => Some(valuation.slots[slot] as usize),
                    Sender::Node(symbol) => Some(symbol as usize),
                    Sender::Global => None,
                };
                let is_down = any_down && sender.is_some_and(|node| channels.is_down(node, now));
                if is_down || (error.is_some() && !goes_on) {
                    return true;
                }
                if valuation.error.is_some() {
                    error = valuation.error;
                    return true;
                }
                let start = cells.len();
                for column in &rule.columns {
                    let value = match column {
                        Column::Term(term) => value_of(term, valuation.slots, interner),
                        Column::Aggregate(_, slot) => Ok(valuation.slots[*slot]),
                    };
                    match value {
                        Ok(symbol) => cells.push(symbol),
                        Err(arithmetic) => {
                            cells.truncate(start);
                            error = Some(arithmetic);
                            return true;
                        }
                    }
                }
                // When the row becomes visible, if ever.
                let mut after = Some(u32::from(rule.timing != Timing::Now));
                let receiver = cells[start] as usize;
                if rule.timing == Timing::Async {
                    after = after.filter(|_| receiver < node_count);
                    if let Some(sender) = sender.filter(|_| after.is_some()) {
                        traffic.note(sender, receiver, now);
                        after = channels.travel(sender, receiver, now);
                    }
                }
                if let Some(entry) = entry
                    && !rule.is_aggregate()
                {
                    let arrives =
                        |after: &u32| channels.takes(receiver, now.saturating_add(*after), entry);
                    after = after.filter(arrives);
                }
                if let Some(lineage) = lineage.as_mut()
                    && rule.timing == Timing::Async
                    && !rule.is_aggregate()
                    && receiver < node_count
                {
                    lineage.sendings.push(Sending {
                        rule: rule.rule,
                        relation: rule.head,
                        row: cells[start..].into(),
                        from: sender,
                        to: receiver,
                        at: now,
                        arrives: after.map(|after| now.saturating_add(after)),
                    });
                }
                let Some(after) = after else {
                    cells.truncate(start);
                    return true;
                };
                let reason = lineage.is_some().then(|| reason_of(rule, steps, valuation, now));
                if rule.is_aggregate() {
                    add_to_group(&mut groups, rule, after, &cells[start..], reason);
                    cells.truncate(start);
                    return true;
                }
                let reason = reason.map(|reason| {
                    reasons.push(reason);
                    reasons.len() - 1
                });
                derived.push(Derived {
                    relation: rule.head,
                    start,
                    after,
                    is_state: matches!(entry, Some(Entry::State(_))),
                    reason,
                });
                true
            },
        );
        if !finished {
            return Err(self.failure(RunErrorKind::Halted, rule.rule));
        }
        if let Some(error) = error {
            self.fail(error.into(), rule.rule)?;
        }
        'groups: for ((after, group), (members, reason)) in groups {
            let start = self.cells.len();
            let (mut group, mut members) = (group.into_iter(), members.into_iter());
            for column in &rule.columns {
                let symbol = match column {
                    Column::Term(_) => group.next().expect("one per group column"),
                    Column::Aggregate(function, _) => {
                        let members = members.next().expect("one set per aggregate");
                        let members: Vec<Symbol> = members.into_iter().collect();
                        match combine(*function, &members, self.interner) {
                            Ok(symbol) => symbol,
                            Err(error) => {
                                self.cells.truncate(start);
                                self.fail(error.into(), rule.rule)?;
                                continue 'groups;
                            }
                        }
                    }
                };
                self.cells.push(symbol);
            }
            let (node, time) = (self.cells[start] as usize, now.saturating_add(after));
            let is_taken = entry.is_none_or(|entry| self.channels.takes(node, time, entry));
            if let Some(lineage) = self.lineage.as_mut()
                && rule.timing == Timing::Async
            {
                lineage.sendings.push(Sending {
                    rule: rule.rule,
                    relation: rule.head,
                    row: self.cells[start..].into(),
                    from: None,
                    to: self.cells[start] as usize,
                    at: now,
                    arrives: Some(time).filter(|_| is_taken),
                });
            }
            if !is_taken {
                self.cells.truncate(start);
                continue;
            }
            let reason = reason.map(|reason| {
                self.reasons.push(reason);
                self.reasons.len() - 1
            });
            self.derived.push(Derived {
                relation: rule.head,
                start,
                after,
                is_state: matches!(entry, Some(Entry::State(_))),
                reason,
            });
        }
        Ok(())
    }

    fn commit(&mut self) -> Result<(), RunError> {
        let mut reasons: Vec<Option<Reason>> = self.reasons.drain(..).map(Some).collect();
        for derived in self.derived.drain(..) {
            let time = self.now.saturating_add(derived.after);
            if time > self.compiled.bounds.eot {
                continue;
            }
            let table = self.tables.at_mut(time, derived.relation);
            let arity = self.compiled.program.relation(derived.relation).columns.len();
            let cells = &self.cells[derived.start..derived.start + arity];
            let (row, _) = table.insert(cells);
            if derived.is_state && self.channels.is_down(cells[0] as usize, time) {
                self.frozen_next.insert((derived.relation, cells.into()));
            }
            if let (Some(lineage), Some(reason)) = (self.lineage.as_mut(), derived.reason) {
                let Reason { rule, premises, absences } =
                    reasons[reason].take().expect("a reason belongs to one row");
                let head = FactRef { time, relation: derived.relation, row };
                lineage.derivations.push(Derivation { head, rule, premises, absences });
            }
        }
        self.cells.clear();
        Ok(())
    }
}

fn add_to_group(
    groups: &mut Groups,
    rule: &RulePlan,
    after: u32,
    row: &[Symbol],
    reason: Option<Reason>,
) {
    let mut group: SmallVec<[Symbol; 6]> = SmallVec::new();
    let mut members: SmallVec<[Symbol; 2]> = SmallVec::new();
    for (column, &symbol) in rule.columns.iter().zip(row) {
        match column {
            Column::Term(_) => group.push(symbol),
            Column::Aggregate(..) => members.push(symbol),
        }
    }
    let (sets, collected) = groups
        .entry((after, group))
        .or_insert_with(|| (SmallVec::from_elem(IndexSet::default(), members.len()), None));
    for (set, member) in sets.iter_mut().zip(members) {
        set.insert(member);
    }
    match (collected, reason) {
        (Some(collected), Some(reason)) => {
            collected.premises.extend(reason.premises);
            collected.absences.extend(reason.absences);
        }
        (collected @ None, Some(reason)) => *collected = Some(reason),
        (_, None) => {}
    }
}

fn reason_of(rule: &RulePlan, steps: &[Step], valuation: &Valuation<'_>, now: u32) -> Reason {
    let premises = valuation
        .matched
        .iter()
        .map(|matched| FactRef {
            time: matched.time.unwrap_or(now),
            relation: RelationId(matched.relation),
            row: matched.row,
        })
        .collect();
    let absences = RulePlan::absences(steps)
        .map(|access| Absence::new(access, valuation.slots, now))
        .collect();
    Reason { rule: rule.rule, premises, absences }
}
