//! From rules to join plans.
//!
//! A plan is a list of steps executed by nested loops ([`crate::join`]): match a positive literal
//! through an index on the columns already bound, check that the location is a node, compare, check
//! that nothing matches a negative literal. Comparisons and negations stand as early as their
//! variables are bound. A rule of a recursive stratum has one more plan for each literal that reads
//! the stratum, with that literal first, for semi-naive evaluation.

use linchpin_dedalus::hir::{
    Aggregate, Argument, ArithmeticOperator, BodyTerm, Comparison, ComparisonOperator, Expression,
    HeadColumn, Literal, Location, Program, RelationId, Rule, RuleId, Timing,
};
use rustc_hash::FxHashMap;

use crate::value::{Interner, Symbol};

/// A variable's place in a valuation.
pub(crate) type Slot = usize;

/// An expression over a valuation.
#[derive(Clone, Debug)]
pub(crate) enum Term {
    Symbol(Symbol),
    Slot(Slot),
    Arithmetic(Box<Term>, ArithmeticOperator, Box<Term>),
}

/// How to find the rows of a relation that agree with what is bound.
#[derive(Clone, Debug)]
pub(crate) struct Access {
    pub(crate) relation: RelationId,
    /// `Some(N)`: at absolute time N; else now.
    pub(crate) time: Option<u32>,
    pub(crate) by: AccessBy,
    /// The columns whose values are known, in ascending order.
    pub(crate) columns: Vec<usize>,
    /// Their values.
    pub(crate) key: Vec<Term>,
    /// Pairs of columns that must be equal (a variable that occurs twice).
    pub(crate) equal: Vec<(usize, usize)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum AccessBy {
    /// Every row.
    Scan,
    /// The index with this number.
    Index(usize),
    /// The one row whose columns are all known.
    Row,
}

#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Extend the valuation by each matching row of a positive literal.
    Match { literal: usize, access: Access, binds: Vec<(usize, Slot)> },
    /// The location must be a declared node.
    IsNode { slot: Slot },
    /// Try each declared node as location.
    EachNode { slot: Slot },
    /// Bind a slot to the value of an expression.
    Let { slot: Slot, term: Term },
    /// A comparison.
    Compare { left: Term, operator: ComparisonOperator, right: Term },
    /// No row matches a negative literal.
    Absent { access: Access },
}

/// Where the head of an asynchronous rule is sent from.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Sender {
    /// Not from a node: cannot be lost.
    Global,
    Slot(Slot),
    Node(Symbol),
}

/// A column of the head.
#[derive(Clone, Debug)]
pub(crate) enum Column {
    Term(Term),
    Aggregate(Aggregate, Slot),
}

/// Everything needed to fire one rule.
#[derive(Clone, Debug)]
pub(crate) struct RulePlan {
    pub(crate) rule: RuleId,
    pub(crate) head: RelationId,
    pub(crate) columns: Vec<Column>,
    pub(crate) timing: Timing,
    pub(crate) sender: Sender,
    pub(crate) slot_count: usize,
    pub(crate) literal_count: usize,
    /// Evaluates the rule over whole tables.
    pub(crate) full: Vec<Step>,
    /// For each positive literal that reads the rule's own recursive stratum: its number and a
    /// plan that starts with it.
    pub(crate) delta: Vec<(usize, Vec<Step>)>,
}

impl RulePlan {
    pub(crate) fn is_aggregate(&self) -> bool {
        self.columns.iter().any(|column| matches!(column, Column::Aggregate(..)))
    }

    /// True if some valuation might make an arithmetic error.
    pub(crate) fn can_fail(&self) -> bool {
        let is_computed = |term: &Term| matches!(term, Term::Arithmetic(..));
        let step_can = |step: &Step| match step {
            Step::Let { .. } => true,
            Step::Compare { left, right, .. } => is_computed(left) || is_computed(right),
            _ => false,
        };
        let column_can = |column: &Column| match column {
            Column::Term(term) => is_computed(term),
            Column::Aggregate(function, _) => *function == Aggregate::Sum,
        };
        self.full.iter().any(step_can) || self.columns.iter().any(column_can)
    }

    /// The accesses of the negative literals, in the order of the full plan.
    pub(crate) fn absences(steps: &[Step]) -> impl Iterator<Item = &Access> {
        steps.iter().filter_map(|step| match step {
            Step::Absent { access } => Some(access),
            _ => None,
        })
    }

    /// Every access of a plan.
    pub(crate) fn accesses(steps: &[Step]) -> impl Iterator<Item = &Access> {
        steps.iter().filter_map(|step| match step {
            Step::Absent { access } | Step::Match { access, .. } => Some(access),
            _ => None,
        })
    }
}

/// The indexes the plans of a program need, per relation.
#[derive(Clone, Debug, Default)]
pub(crate) struct Indexes {
    by_relation: Vec<Vec<Box<[usize]>>>,
}

impl Indexes {
    pub(crate) fn new(relation_count: usize) -> Self {
        Self { by_relation: vec![Vec::new(); relation_count] }
    }

    pub(crate) fn of(&self, relation: RelationId) -> &[Box<[usize]>] {
        &self.by_relation[relation.index()]
    }

    fn number(&mut self, relation: RelationId, columns: &[usize]) -> usize {
        let indexes = &mut self.by_relation[relation.index()];
        indexes.iter().position(|index| **index == *columns).unwrap_or_else(|| {
            indexes.push(columns.into());
            indexes.len() - 1
        })
    }
}

/// Plans one rule. `None` if it can never fire (its location is a constant that is no node).
pub(crate) fn plan_rule(
    program: &Program,
    id: RuleId,
    stratum: &[RelationId],
    node_count: usize,
    interner: &mut Interner,
    indexes: &mut Indexes,
) -> Option<RulePlan> {
    let rule = &program.rules[id.index()];
    let planner = Planner::new(rule, interner, node_count)?;
    let full = planner.order(None, indexes);
    let delta = planner
        .positives
        .iter()
        .enumerate()
        .filter(|(_, literal)| stratum.contains(&literal.relation))
        .map(|(number, _)| number)
        .collect::<Vec<usize>>();
    let delta =
        delta.into_iter().map(|number| (number, planner.order(Some(number), indexes))).collect();
    let columns = rule
        .head
        .columns
        .iter()
        .map(|column| match column {
            HeadColumn::Expression(expression) => Column::Term(term(expression, interner)),
            HeadColumn::Aggregate { function, variable, .. } => {
                Column::Aggregate(*function, variable.index())
            }
        })
        .collect();
    Some(RulePlan {
        rule: id,
        head: rule.head.relation,
        columns,
        timing: rule.head.timing,
        sender: planner.sender,
        slot_count: planner.slot_count,
        literal_count: planner.positives.len(),
        full,
        delta,
    })
}

fn term(expression: &Expression, interner: &mut Interner) -> Term {
    match expression {
        Expression::Constant(value) => Term::Symbol(interner.intern(value)),
        Expression::Variable(variable) => Term::Slot(variable.index()),
        Expression::Arithmetic(left, operator, right) => Term::Arithmetic(
            Box::new(term(left, interner)),
            *operator,
            Box::new(term(right, interner)),
        ),
    }
}

fn slots_of(term: &Term, slots: &mut Vec<Slot>) {
    match term {
        Term::Symbol(_) => {}
        Term::Slot(slot) => slots.push(*slot),
        Term::Arithmetic(left, _, right) => {
            slots_of(left, slots);
            slots_of(right, slots);
        }
    }
}

/// An argument once expressions are taken out of literals.
#[derive(Clone, Copy, Debug)]
enum Simple {
    Any,
    Symbol(Symbol),
    Slot(Slot),
}

struct SimpleLiteral {
    relation: RelationId,
    time: Option<u32>,
    arguments: Vec<Simple>,
}

/// Something to do as soon as its slots are bound.
enum Pending {
    IsNode(Slot),
    Let(Slot, Term),
    Compare(Term, ComparisonOperator, Term),
    Absent(SimpleLiteral),
}

struct Planner {
    positives: Vec<SimpleLiteral>,
    pending: Vec<Pending>,
    sender: Sender,
    slot_count: usize,
    /// The location, if no positive literal binds it.
    free_location: Option<Slot>,
    existential: Vec<bool>,
}

impl Planner {
    fn new(rule: &Rule, interner: &mut Interner, node_count: usize) -> Option<Self> {
        let mut existential: Vec<bool> =
            rule.variables.iter().map(|variable| variable.existential).collect();
        let mut slot_count = rule.variables.len();
        let mut positives = Vec::new();
        let mut pending = Vec::new();
        let sender = match &rule.location {
            Location::Global => Sender::Global,
            Location::Variable(variable) => {
                pending.push(Pending::IsNode(variable.index()));
                Sender::Slot(variable.index())
            }
            Location::Constant(value) => {
                let symbol =
                    interner.lookup(value).filter(|symbol| (*symbol as usize) < node_count)?;
                Sender::Node(symbol)
            }
        };
        for term_of_body in &rule.body {
            match term_of_body {
                BodyTerm::Literal(literal) => {
                    let (simple, computed) = simplify(literal, &mut slot_count, interner);
                    if literal.negated {
                        pending.extend(
                            computed.into_iter().map(|(slot, term)| Pending::Let(slot, term)),
                        );
                        pending.push(Pending::Absent(simple));
                    } else {
                        pending.extend(computed.into_iter().map(|(slot, term)| {
                            Pending::Compare(Term::Slot(slot), ComparisonOperator::Equal, term)
                        }));
                        positives.push(simple);
                    }
                }
                BodyTerm::Comparison(Comparison { left, operator, right, .. }) => {
                    pending.push(Pending::Compare(
                        term(left, interner),
                        *operator,
                        term(right, interner),
                    ));
                }
            }
        }
        existential.resize(slot_count, false);
        let free_location = match sender {
            Sender::Slot(slot)
                if !positives.iter().any(|literal| {
                    literal.arguments.iter().any(|a| matches!(a, Simple::Slot(s) if *s == slot))
                }) =>
            {
                Some(slot)
            }
            _ => None,
        };
        Some(Self { positives, pending, sender, slot_count, free_location, existential })
    }

    /// Orders the body: `first` (if any), then greedily the literal with the fewest unbound
    /// columns, ties in source order; everything else as soon as it can be decided.
    fn order(&self, first: Option<usize>, indexes: &mut Indexes) -> Vec<Step> {
        let mut bound = vec![false; self.slot_count];
        let mut done = vec![false; self.pending.len()];
        let mut steps = Vec::new();
        let mut left: Vec<usize> = (0..self.positives.len()).collect();
        if let Some(slot) = self.free_location {
            steps.push(Step::EachNode { slot });
            bound[slot] = true;
        }
        self.settle(&mut bound, &mut done, &mut steps, indexes);
        let mut next = first;
        while !left.is_empty() {
            let chosen = next.take().unwrap_or_else(|| {
                *left
                    .iter()
                    .min_by_key(|&&number| {
                        let arguments = &self.positives[number].arguments;
                        let known = arguments.iter().filter(|a| is_known(a, &bound)).count();
                        (known == 0, arguments.len() - known)
                    })
                    .expect("some literal is left")
            });
            left.retain(|&number| number != chosen);
            let literal = &self.positives[chosen];
            let (access, binds) = self.access(literal, &bound, indexes);
            for &(_, slot) in &binds {
                bound[slot] = true;
            }
            steps.push(Step::Match { literal: chosen, access, binds });
            self.settle(&mut bound, &mut done, &mut steps, indexes);
        }
        debug_assert!(done.iter().all(|done| *done), "every variable of the rule is bound");
        steps
    }

    /// Adds every pending term whose slots are all bound.
    fn settle(
        &self,
        bound: &mut [bool],
        done: &mut [bool],
        steps: &mut Vec<Step>,
        indexes: &mut Indexes,
    ) {
        loop {
            let mut progress = false;
            for (pending, done) in self.pending.iter().zip(done.iter_mut()) {
                if *done || !self.is_ready(pending, bound) {
                    continue;
                }
                *done = true;
                progress = true;
                match pending {
                    // Already among the nodes.
                    Pending::IsNode(slot) if self.free_location == Some(*slot) => {}
                    Pending::IsNode(slot) => steps.push(Step::IsNode { slot: *slot }),
                    Pending::Let(slot, term) => {
                        bound[*slot] = true;
                        steps.push(Step::Let { slot: *slot, term: term.clone() });
                    }
                    Pending::Compare(left, operator, right) => steps.push(Step::Compare {
                        left: left.clone(),
                        operator: *operator,
                        right: right.clone(),
                    }),
                    Pending::Absent(literal) => {
                        let (access, _) = self.access(literal, bound, indexes);
                        steps.push(Step::Absent { access });
                    }
                }
            }
            if !progress {
                return;
            }
        }
    }

    fn is_ready(&self, pending: &Pending, bound: &[bool]) -> bool {
        let mut slots = Vec::new();
        match pending {
            Pending::IsNode(slot) => slots.push(*slot),
            Pending::Let(_, term) => slots_of(term, &mut slots),
            Pending::Compare(left, _, right) => {
                slots_of(left, &mut slots);
                slots_of(right, &mut slots);
            }
            Pending::Absent(literal) => {
                slots.extend(literal.arguments.iter().filter_map(|argument| match argument {
                    Simple::Slot(slot) if !self.existential[*slot] => Some(*slot),
                    _ => None,
                }));
            }
        }
        slots.iter().all(|&slot| bound[slot])
    }

    fn access(
        &self,
        literal: &SimpleLiteral,
        bound: &[bool],
        indexes: &mut Indexes,
    ) -> (Access, Vec<(usize, Slot)>) {
        let mut columns = Vec::new();
        let mut key = Vec::new();
        let mut binds: Vec<(usize, Slot)> = Vec::new();
        let mut equal = Vec::new();
        for (column, argument) in literal.arguments.iter().enumerate() {
            match *argument {
                Simple::Any => {}
                Simple::Symbol(symbol) => {
                    columns.push(column);
                    key.push(Term::Symbol(symbol));
                }
                Simple::Slot(slot) if bound[slot] => {
                    columns.push(column);
                    key.push(Term::Slot(slot));
                }
                Simple::Slot(slot) => match binds.iter().find(|bind| bind.1 == slot) {
                    Some(&(earlier, _)) => equal.push((earlier, column)),
                    None => binds.push((column, slot)),
                },
            }
        }
        let by = if columns.is_empty() {
            AccessBy::Scan
        } else if columns.len() == literal.arguments.len() {
            AccessBy::Row
        } else {
            AccessBy::Index(indexes.number(literal.relation, &columns))
        };
        (Access { relation: literal.relation, time: literal.time, by, columns, key, equal }, binds)
    }
}

fn is_known(argument: &Simple, bound: &[bool]) -> bool {
    match argument {
        Simple::Any => false,
        Simple::Symbol(_) => true,
        Simple::Slot(slot) => bound[*slot],
    }
}

/// Takes expressions out of a literal: each becomes a new slot and what it must equal.
fn simplify(
    literal: &Literal,
    slot_count: &mut usize,
    interner: &mut Interner,
) -> (SimpleLiteral, Vec<(Slot, Term)>) {
    let mut computed = Vec::new();
    let arguments = literal
        .arguments
        .iter()
        .map(|argument| match argument {
            Argument::Wildcard => Simple::Any,
            Argument::Expression(Expression::Constant(value)) => {
                Simple::Symbol(interner.intern(value))
            }
            Argument::Expression(Expression::Variable(variable)) => Simple::Slot(variable.index()),
            Argument::Expression(arithmetic) => {
                let slot = *slot_count;
                *slot_count += 1;
                computed.push((slot, term(arithmetic, interner)));
                Simple::Slot(slot)
            }
        })
        .collect();
    (SimpleLiteral { relation: literal.relation, time: literal.time, arguments }, computed)
}

/// Rules grouped by when they are evaluated.
#[derive(Clone, Debug, Default)]
pub(crate) struct Schedule {
    /// Deductive rules, per stratum.
    pub(crate) strata: Vec<StratumPlan>,
    /// `@next` and `@async` rules.
    pub(crate) inductive: Vec<RulePlan>,
    /// Rules evaluated after the run.
    pub(crate) look_ahead: Vec<RulePlan>,
}

#[derive(Clone, Debug)]
pub(crate) struct StratumPlan {
    pub(crate) relations: Vec<RelationId>,
    pub(crate) recursive: bool,
    pub(crate) unstratified: bool,
    pub(crate) rules: Vec<RulePlan>,
}

/// Plans a whole program.
pub(crate) fn plan_program(
    program: &Program,
    node_count: usize,
    interner: &mut Interner,
) -> (Schedule, Indexes) {
    let mut indexes = Indexes::new(program.relations.len());
    let mut stratum_of: FxHashMap<RelationId, usize> = FxHashMap::default();
    for (number, stratum) in program.strata.iter().enumerate() {
        for &relation in &stratum.relations {
            stratum_of.insert(relation, number);
        }
    }
    let mut schedule = Schedule {
        strata: program
            .strata
            .iter()
            .map(|stratum| StratumPlan {
                relations: stratum.relations.clone(),
                recursive: stratum.recursive,
                unstratified: stratum.unstratified,
                rules: Vec::new(),
            })
            .collect(),
        ..Schedule::default()
    };
    for (index, rule) in program.rules.iter().enumerate() {
        let id = RuleId(index as u32);
        let number = stratum_of[&rule.head.relation];
        let deductive = rule.head.timing == Timing::Now && !rule.look_ahead;
        let stratum = &program.strata[number];
        let own: &[RelationId] =
            if deductive && stratum.recursive { &stratum.relations } else { &[] };
        let Some(plan) = plan_rule(program, id, own, node_count, interner, &mut indexes) else {
            continue;
        };
        if rule.look_ahead {
            schedule.look_ahead.push(plan);
        } else if deductive {
            schedule.strata[number].rules.push(plan);
        } else {
            schedule.inductive.push(plan);
        }
    }
    (schedule, indexes)
}
