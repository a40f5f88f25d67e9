//! A specification as a system under test.

mod describe;
mod recall;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, Ordering};

use linchpin_dedalus::hir::{Program, RelationId, Value};
use linchpin_formula::{Graph, Literal, Reasons, Values, Variable};
use linchpin_model::{Bounds, Fault, FaultSet, Invariant, Memo, Outcome};
use linchpin_search::{FaultSpace, Halt, Observation, System};
use thiserror::Error;

use crate::channels::{ChannelConditions, Traffic};
use crate::compiled::{Compiled, Tables};
use crate::error::{RunError, RunErrorKind};
use crate::execution::{Execution, Fact};
use crate::ground::{Ground, ground};
use crate::not_grounded::{NotGrounded, NotGroundedReason};
use crate::simulate::{Machine, Past, Run};
use crate::symmetry::{exchange, interchangeable};
use crate::value::{Interner, Symbol};

type Row = Box<[Symbol]>;

/// A program under bounds and an invariant: can be run under faults, and knows why its outcomes
/// hold.
#[derive(Debug)]
pub struct Specification {
    compiled: Compiled,
    /// The values of the ground program. Runs number theirs on their own (`scratch`), so that
    /// formulas depend neither on which runs were made, nor on how many, nor on threads.
    interner: Interner,
    /// The values of runs.
    scratch: Interner,
    space: FaultSpace,
    invariant: Invariant,
    outcome_relations: OutcomeRelations,
    graph: Graph,
    channels: ChannelConditions,
    ground: Option<Result<Ground, NotGrounded>>,
    /// Rows of the failure-free run that must not go missing (`baseline` and `good`).
    reference: Option<Reference>,
    /// True once a run without faults was vacuous.
    vacuous: Option<bool>,
    /// The latest run that was not recorded: the next one begins where it differs.
    past: Option<Past>,
    /// The run without faults, until it is asked for.
    first_run: Option<Run>,
    /// Where something was sent in the latest run of which that is to be remembered.
    latest_traffic: Option<Traffic>,
    /// The latest run was the one without faults.
    latest_is_first: bool,
    /// Runs begun.
    runs: AtomicU64,
    halt: Halt,
    reasons: Reasons,
}

/// Rows, as they are numbered in runs and in the ground program.
#[derive(Clone, Debug)]
struct Reference {
    in_runs: BTreeSet<Row>,
    in_ground: BTreeSet<Row>,
}

#[derive(Clone, Copy, Debug)]
struct OutcomeRelations {
    /// `pre`, unless the invariant is `good`.
    before: Option<RelationId>,
    /// `post` or `good`.
    after: RelationId,
}

/// Why a specification cannot be checked.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SpecificationError {
    /// Occurs when the program has no relation that the invariant needs.
    #[error("the program has no relation `{relation}`, which the invariant `{invariant}` needs")]
    MissingRelation {
        /// The relation.
        relation: &'static str,
        /// The invariant.
        invariant: Invariant,
    },
}

/// What the ground program says of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Prediction {
    /// Its facts, as in [`Execution::facts`].
    Facts(Vec<Fact>),
    /// It fails.
    NoResult,
}

/// Why a run has no outcome.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum SystemError {
    /// Occurs when the program divides by zero, overflows, does not end a step, or leaves facts
    /// undecided.
    #[error(transparent)]
    Run(#[from] RunError),
    /// Occurs when the simulator and the ground program disagree about a run: a defect of
    /// Linchpin, never of the program.
    #[error("the simulator and the ground program disagree about the run with {faults}")]
    Disagreement {
        /// The faults of the run.
        faults: FaultSet,
    },
    /// Occurs when a recorded outcome is not the one that the program has.
    #[error("the run with {faults} is recorded as {recorded}, but that is not how it ends")]
    Recorded {
        /// The faults of the run.
        faults: FaultSet,
        /// The outcome in the record.
        recorded: Outcome,
    },
}

impl Specification {
    /// Prepares a program for runs within the bounds (which must have been checked).
    ///
    /// # Errors
    /// If the program lacks a relation that the invariant needs.
    pub fn new(
        program: &Program,
        bounds: &Bounds,
        invariant: Invariant,
    ) -> Result<Self, SpecificationError> {
        let find = |relation: &'static str| {
            program
                .relation_named(relation)
                .ok_or(SpecificationError::MissingRelation { relation, invariant })
        };
        let outcome_relations = match invariant {
            Invariant::Implication | Invariant::Baseline => {
                OutcomeRelations { before: Some(find("pre")?), after: find("post")? }
            }
            Invariant::Good => OutcomeRelations { before: None, after: find("good")? },
        };
        let compiled = Compiled::new(program, bounds);
        let interner = compiled.interner.clone();
        let space = FaultSpace::new(&compiled.bounds);
        let mut graph = Graph::new();
        let channels =
            ChannelConditions::new(&compiled, &mut graph, &|fault| space.variable(fault));
        Ok(Self {
            compiled,
            scratch: interner.clone(),
            interner,
            space,
            invariant,
            outcome_relations,
            graph,
            channels,
            ground: None,
            reference: None,
            vacuous: None,
            first_run: None,
            past: None,
            latest_traffic: None,
            latest_is_first: false,
            runs: AtomicU64::new(0),
            halt: Halt::default(),
            reasons: Reasons::default(),
        })
    }

    /// The program that runs: as given, but for cycles through a minimum or maximum, which are
    /// spelled out with one relation more. The ids in an [`Execution`] are those of this program.
    #[must_use]
    pub fn program(&self) -> &Program {
        &self.compiled.program
    }

    /// The bounds, with the inputs of the program.
    #[must_use]
    pub fn bounds(&self) -> &Bounds {
        &self.compiled.bounds
    }

    /// Whether the failure-free run asks nothing of the system; known once it was run.
    #[must_use]
    pub fn vacuous(&self) -> Option<bool> {
        self.vacuous
    }

    /// How many runs were made so far, whatever for.
    #[must_use]
    pub fn runs(&self) -> u64 {
        self.runs.load(Ordering::Relaxed)
    }

    /// Why the program could not be grounded, if it could not: then every run teaches only about
    /// runs in which the same messages arrive.
    #[must_use]
    pub fn not_grounded(&self) -> Option<&NotGrounded> {
        self.ground.as_ref()?.as_ref().err()
    }

    /// Orders hypotheses of the same size by likelihood: the cost of a fault is - log of its
    /// probability.
    #[must_use]
    pub fn with_costs(mut self, cost: impl Fn(&Fault) -> f64) -> Self {
        self.space.set_costs(cost);
        self
    }

    /// Tries only one of several fault sets that differ in which of several interchangeable nodes
    /// they strike.
    #[must_use]
    pub fn with_symmetry(mut self) -> Self {
        let nodes = &self.compiled.bounds.nodes;
        let pairs = interchangeable(&self.compiled.program, nodes);
        let exchange =
            |(left, right): (usize, usize)| exchange(&self.space, &nodes[left], &nodes[right]);
        let exchanges = pairs.into_iter().map(exchange).collect();
        self.space.set_symmetries(exchanges);
        self
    }

    /// Keeps fewer reasons for an outcome than were seen: to measure what the others are good for.
    #[must_use]
    pub fn with_reasons(mut self, reasons: Reasons) -> Self {
        self.reasons = reasons;
        self
    }

    /// Never grounds the program. (What happens anyway to a program too large for it.)
    #[must_use]
    pub fn without_grounding(mut self) -> Self {
        self.ground =
            Some(Err(NotGrounded { reason: NotGroundedReason::Off, rule: None, time: 1 }));
        self
    }

    /// What the ground program says of a run within the bounds; `None` if the program could not be
    /// grounded.
    pub fn predict(&mut self, faults: &FaultSet) -> Option<Prediction> {
        self.prepare();
        let Some(Ok(ground)) = &self.ground else { return None };
        let space = &self.space;
        let values = self.graph.evaluate(|variable| faults.contains(space.fault(variable)));
        if ground.failures.iter().any(|&failure| values.of(failure)) {
            return Some(Prediction::NoResult);
        }
        let mut facts = Vec::new();
        for time in 1..=self.compiled.bounds.eot {
            for index in 0..self.compiled.program.relations.len() {
                let relation = RelationId(index as u32);
                if Some(relation) == self.compiled.crash && time > 1 {
                    continue;
                }
                let present =
                    ground.rows(relation, time).filter(|(_, condition)| values.of(*condition));
                facts.extend(present.map(|(cells, _)| {
                    let row = cells.iter().map(|&symbol| self.interner.value(symbol).clone());
                    Fact { time, relation, row: row.collect() }
                }));
            }
        }
        facts.sort();
        Some(Prediction::Facts(facts))
    }

    /// The relation that holds what is asked at the end of a run (`pre`), and the one that holds
    /// what is answered (`post` or `good`).
    #[must_use]
    pub fn outcome_relations(&self) -> (Option<RelationId>, RelationId) {
        (self.outcome_relations.before, self.outcome_relations.after)
    }

    /// One run in full. Faults may exceed the bounds in number, but must be possible in them
    /// ([`Bounds::check_faults`]).
    ///
    /// # Errors
    /// If the run has no outcome, or the run without faults that it is judged by has none.
    pub fn execute(&mut self, faults: &FaultSet) -> Result<Execution, RunError> {
        if self.invariant != Invariant::Implication {
            self.learn_reference()?;
        }
        self.count_run();
        let run = Machine::new(&self.compiled, &mut self.scratch, faults, true).run()?;
        let outcome = self.judge(&run.tables);
        Ok(self.describe(faults, outcome, &run))
    }

    fn count_run(&self) {
        self.runs.fetch_add(1, Ordering::Relaxed);
    }

    fn rows_at_end(&self, tables: &Tables, relation: RelationId) -> BTreeSet<Row> {
        tables.at(self.compiled.bounds.eot, relation).rows().map(Row::from).collect()
    }

    /// Runs without faults once, for the invariants that compare with that run.
    fn learn_reference(&mut self) -> Result<(), RunError> {
        if self.vacuous.is_some() {
            return Ok(());
        }
        let run = self.simulate(&FaultSet::none())?;
        let after = self.rows_at_end(&run.tables, self.outcome_relations.after);
        self.vacuous = Some(match self.invariant {
            Invariant::Implication => {
                let before = self.outcome_relations.before.expect("implication has one");
                self.rows_at_end(&run.tables, before).is_empty()
            }
            Invariant::Baseline | Invariant::Good => after.is_empty(),
        });
        if self.invariant != Invariant::Implication {
            let values =
                |row: &Row| row.iter().map(|&cell| self.scratch.value(cell).clone()).collect();
            let rows = after.iter().map(values).collect();
            self.judge_by(rows);
        }
        self.first_run = Some(run);
        Ok(())
    }

    /// Judges runs by these rows of the run without faults.
    fn judge_by(&mut self, rows: BTreeSet<Vec<Value>>) {
        let number = |interner: &mut Interner| {
            let cells = |row: &Vec<Value>| row.iter().map(|value| interner.intern(value)).collect();
            rows.iter().map(cells).collect()
        };
        self.reference = Some(Reference {
            in_runs: number(&mut self.scratch),
            in_ground: number(&mut self.interner),
        });
    }

    /// A run that is not recorded.
    fn simulate(&mut self, faults: &FaultSet) -> Result<Run, RunError> {
        if faults.is_empty()
            && let Some(run) = self.first_run.take()
        {
            return Ok(run);
        }
        self.count_run();
        Machine::new(&self.compiled, &mut self.scratch, faults, false).until(&self.halt).run()
    }

    /// The outcome of a run that shares its beginning with `past`, and the past of the next one.
    fn outcome_after(
        &self,
        interner: &mut Interner,
        past: &mut Option<Past>,
        faults: &[Variable],
    ) -> Result<Outcome, SystemError> {
        let faults = self.space.fault_set(faults);
        self.count_run();
        let machine = Machine::after(past.take(), &self.compiled, interner, &faults);
        let run = machine.until(&self.halt).run()?;
        let outcome = self.judge(&run.tables);
        *past = Past::of(run, &self.compiled);
        Ok(outcome)
    }

    fn judge(&self, tables: &Tables) -> Outcome {
        let eot = self.compiled.bounds.eot;
        let after = tables.at(eot, self.outcome_relations.after);
        let before = self.outcome_relations.before.map(|before| tables.at(eot, before));
        let judge = |asked: &mut dyn Iterator<Item = &[Symbol]>| {
            let mut outcome = Outcome::Vacuous;
            for row in asked {
                if after.find(row).is_none() {
                    return Outcome::Bad;
                }
                outcome = Outcome::Good;
            }
            outcome
        };
        match (&self.reference, before) {
            (None, Some(before)) => judge(&mut before.rows()),
            (Some(reference), Some(before)) => judge(
                &mut reference
                    .in_runs
                    .iter()
                    .map(|row| &row[..])
                    .filter(|row| before.find(row).is_some()),
            ),
            (Some(reference), None) => judge(&mut reference.in_runs.iter().map(|row| &row[..])),
            (None, None) => unreachable!("`good` compares with the failure-free run"),
        }
    }

    /// The rows that can be asked for: each with the condition that it is, and that it is answered.
    fn obligations(&self, ground: &Ground) -> BTreeMap<Row, (Literal, Literal)> {
        let eot = self.compiled.bounds.eot;
        let after: BTreeMap<&[Symbol], Literal> =
            ground.rows(self.outcome_relations.after, eot).collect();
        let answered = |row: &[Symbol]| after.get(row).copied().unwrap_or(Literal::FALSE);
        let before: Option<BTreeMap<&[Symbol], Literal>> =
            self.outcome_relations.before.map(|before| ground.rows(before, eot).collect());
        match (&self.reference, before) {
            (None, Some(before)) => before
                .into_iter()
                .map(|(row, asked)| (row.into(), (asked, answered(row))))
                .collect(),
            (Some(reference), before) => reference
                .in_ground
                .iter()
                .map(|row| {
                    let asked = before.as_ref().map_or(Literal::TRUE, |before| {
                        before.get(&row[..]).copied().unwrap_or(Literal::FALSE)
                    });
                    (row.clone(), (asked, answered(row)))
                })
                .collect(),
            (None, None) => unreachable!("`good` compares with the failure-free run"),
        }
    }

    /// Grounds the program if that was not tried yet, or given up when it was.
    fn prepare(&mut self) {
        let given_up = self.not_grounded().is_some_and(|because| {
            because.reason == NotGroundedReason::Halted && !self.halt.is_due()
        });
        if self.ground.is_none() || given_up {
            let space = &self.space;
            let result = ground(
                &self.compiled,
                &mut self.interner,
                &mut self.graph,
                &self.channels,
                &|fault| space.variable(fault),
                &self.halt,
            );
            self.ground = Some(result);
        }
    }

    /// The support of an outcome that is not bad: every row asked for is answered for a reason seen
    /// in this run, or is not asked for at all.
    fn support(&mut self, faults: &FaultSet, run: &Run) -> Result<Literal, SystemError> {
        self.prepare();
        let space = &self.space;
        let values = self.graph.evaluate(|variable| faults.contains(space.fault(variable)));
        let Some(Ok(ground)) = &self.ground else {
            return Ok(self.same_traffic(faults, run.traffic.iter()));
        };
        self.compare(ground, &values, run)
            .map_err(|()| SystemError::Disagreement { faults: faults.clone() })?;
        Ok(self.ground_support(&values))
    }

    /// As [`Specification::support`], from the ground program alone.
    fn ground_support(&mut self, values: &Values) -> Literal {
        let Some(Ok(ground)) = &self.ground else { return Literal::FALSE };
        let obligations = self.obligations(ground);
        let mut parts: Vec<Literal> = ground.failures.iter().map(|&failure| !failure).collect();
        for (asked, answered) in obligations.into_values() {
            let reason = if values.of(answered) {
                self.graph.support_by(answered, values, self.reasons)
            } else {
                Literal::FALSE
            };
            parts.push(self.graph.or([!asked, reason]));
        }
        self.graph.and(parts)
    }

    /// The outcome that the ground program predicts; `None` if the run fails.
    fn predicted_outcome(&self, ground: &Ground, values: &Values) -> Option<Outcome> {
        if ground.failures.iter().any(|&failure| values.of(failure)) {
            return None;
        }
        let obligations = self.obligations(ground);
        let mut asked = obligations.values().filter(|(asked, _)| values.of(*asked)).peekable();
        Some(if asked.peek().is_none() {
            Outcome::Vacuous
        } else if asked.all(|(_, answered)| values.of(*answered)) {
            Outcome::Good
        } else {
            Outcome::Bad
        })
    }

    /// Every row at the end is there in the ground program under these faults, and no other.
    fn compare(&self, ground: &Ground, values: &Values, run: &Run) -> Result<(), ()> {
        let relations = [self.outcome_relations.before, Some(self.outcome_relations.after)];
        for relation in relations.into_iter().flatten() {
            let predicted: BTreeSet<Row> = ground
                .rows(relation, self.compiled.bounds.eot)
                .filter(|(_, condition)| values.of(*condition))
                .map(|(row, _)| row.into())
                .collect();
            let simulated = run.tables.at(self.compiled.bounds.eot, relation);
            let is_predicted = |row: &[Symbol]| {
                let row: Option<Row> = row.iter().map(|&cell| self.grounded(cell)).collect();
                row.is_some_and(|row| predicted.contains(&row))
            };
            if simulated.len() != predicted.len() || !simulated.rows().all(is_predicted) {
                return Err(());
            }
        }
        Ok(())
    }

    /// The number that a value of a run has in the ground program.
    fn grounded(&self, symbol: Symbol) -> Option<Symbol> {
        self.interner.lookup(self.scratch.value(symbol))
    }
}

impl System for Specification {
    type Error = SystemError;

    fn space(&self) -> &FaultSpace {
        &self.space
    }

    fn run(&mut self, faults: &[Variable]) -> Result<Observation, SystemError> {
        self.learn_reference()?;
        self.latest_is_first = faults.is_empty();
        let faults = self.space.fault_set(faults);
        let run = self.simulate(&faults)?;
        let outcome = self.judge(&run.tables);
        let support = match outcome {
            Outcome::Bad => None,
            _ => Some(self.support(&faults, &run)?),
        };
        let is_grounded = matches!(self.ground, Some(Ok(_)));
        self.latest_traffic = (support.is_some() && !is_grounded).then_some(run.traffic);
        Ok(Observation { outcome, support })
    }

    fn memo(&mut self) -> Memo {
        self.memo_of_latest()
    }

    fn restore(&mut self, outcome: Outcome, memo: &Memo) -> bool {
        self.restore_reference(outcome, memo)
    }

    fn recall(
        &mut self,
        faults: &[Variable],
        outcome: Outcome,
        memo: &Memo,
    ) -> Result<Option<Observation>, SystemError> {
        self.recall_run(faults, outcome, memo)
    }

    fn outcome(&mut self, faults: &[Variable]) -> Result<Outcome, SystemError> {
        self.learn_reference()?;
        self.latest_is_first = faults.is_empty();
        if faults.is_empty()
            && let Some(run) = self.first_run.take()
        {
            let outcome = self.judge(&run.tables);
            self.latest_traffic = (outcome != Outcome::Bad).then_some(run.traffic);
            return Ok(outcome);
        }
        let mut scratch = std::mem::take(&mut self.scratch);
        let mut past = self.past.take();
        let outcome = self.outcome_after(&mut scratch, &mut past, faults);
        (self.scratch, self.past) = (scratch, past);
        outcome
    }

    /// Each thread takes a row of consecutive runs, which mostly begin alike. (What a run finds does
    /// not depend on the numbers its values have.)
    fn outcomes(
        &mut self,
        runs: &[Vec<Variable>],
        threads: usize,
    ) -> Vec<Result<Outcome, SystemError>> {
        if threads < 2 || runs.len() < 2 * threads || self.learn_reference().is_err() {
            return runs.iter().map(|faults| self.outcome(faults)).collect();
        }
        let this = &*self;
        std::thread::scope(|scope| {
            let workers: Vec<_> = runs
                .chunks(runs.len().div_ceil(threads))
                .map(|runs| {
                    scope.spawn(move || {
                        let mut interner = this.scratch.clone();
                        let mut past = None;
                        let outcome =
                            |faults: &Vec<_>| this.outcome_after(&mut interner, &mut past, faults);
                        runs.iter().map(outcome).collect::<Vec<_>>()
                    })
                })
                .collect();
            let join = |worker: std::thread::ScopedJoinHandle<'_, Vec<_>>| match worker.join() {
                Ok(outcomes) => outcomes,
                Err(panic) => std::panic::resume_unwind(panic),
            };
            workers.into_iter().flat_map(join).collect()
        })
    }

    fn halt_when(&mut self, halt: Halt) {
        self.halt = halt;
    }

    fn is_halted(error: &SystemError) -> bool {
        matches!(error, SystemError::Run(error) if error.kind == RunErrorKind::Halted)
    }

    fn graph(&mut self) -> &mut Graph {
        &mut self.graph
    }

    fn failure(&mut self) -> Option<Literal> {
        self.prepare();
        let Some(Ok(ground)) = &self.ground else { return None };
        let mut ways: Vec<Literal> = ground.failures.clone();
        for (asked, answered) in self.obligations(ground).into_values() {
            ways.push(self.graph.and([asked, !answered]));
        }
        Some(self.graph.or(ways))
    }
}
