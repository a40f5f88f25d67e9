//! Which strings can get into which column.
//!
//! Programs copy strings and never compute them, so the strings of the program text, pushed
//! through the rules to a fixpoint, bound the strings of every run. The bound is not exact: it
//! ignores negation, comparisons, time, and how the columns of a row go together.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use crate::hir::{
    Aggregate, Argument, Expression, HeadColumn, Location, Program, RelationId, RelationKind, Rule,
    Value, VariableId,
};
use crate::lints::literals;

/// A set of strings, perhaps with all nodes, whichever are declared.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Strings {
    pub(super) set: BTreeSet<Arc<str>>,
    pub(super) all_nodes: bool,
}

impl Strings {
    /// Adds a value if it is a string.
    pub(super) fn insert(&mut self, value: &Value) {
        if let Value::String(string) = value {
            self.set.insert(Arc::clone(string));
        }
    }

    /// Adds all of another set; says whether that was new.
    pub(super) fn extend(&mut self, other: Self) -> bool {
        let before = (self.set.len(), self.all_nodes);
        self.set.extend(other.set);
        self.all_nodes |= other.all_nodes;
        before != (self.set.len(), self.all_nodes)
    }

    /// What both can be. Any string may turn out to be a node.
    fn meet(&self, other: &Self) -> Self {
        let mut set: BTreeSet<Arc<str>> = self.set.intersection(&other.set).cloned().collect();
        if other.all_nodes {
            set.extend(self.set.iter().cloned());
        }
        if self.all_nodes {
            set.extend(other.set.iter().cloned());
        }
        Self { set, all_nodes: self.all_nodes && other.all_nodes }
    }

    /// True unless no string of one is in the other.
    pub(super) fn may_meet(&self, other: &Self) -> bool {
        self.all_nodes || other.all_nodes || !self.set.is_disjoint(&other.set)
    }
}

/// The strings of every column of a program.
#[derive(Debug)]
pub(super) struct Flow<'a> {
    program: &'a Program,
    columns: Vec<Vec<Strings>>,
}

impl<'a> Flow<'a> {
    /// Considers facts up to a time only.
    pub(super) fn new(program: &'a Program, fact_time_max: u32) -> Self {
        let columns = program
            .relations
            .iter()
            .map(|relation| {
                let mut columns = vec![Strings::default(); relation.columns.len()];
                if relation.kind == RelationKind::Crash {
                    columns[0].all_nodes = true;
                    columns[1].all_nodes = true;
                }
                columns
            })
            .collect();
        let mut flow = Self { program, columns };
        for fact in program.facts.iter().filter(|fact| fact.time <= fact_time_max) {
            for (column, value) in flow.columns[fact.relation.index()].iter_mut().zip(&fact.row) {
                column.insert(value);
            }
        }
        for choice in &program.choices {
            if !choice.times.iter().any(|time| *time <= fact_time_max) {
                continue;
            }
            let columns = &mut flow.columns[choice.relation.index()];
            for (column, alternatives) in columns.iter_mut().zip(&choice.columns) {
                for value in alternatives {
                    column.insert(value);
                }
            }
        }
        flow.run();
        flow
    }

    /// Pushes strings from bodies to heads until nothing changes.
    fn run(&mut self) {
        let program = self.program;
        let mut readers: Vec<Vec<usize>> = vec![Vec::new(); program.relations.len()];
        for (index, rule) in program.rules.iter().enumerate() {
            for literal in literals(rule).filter(|literal| !literal.negated) {
                readers[literal.relation.index()].push(index);
            }
        }
        let mut waiting = vec![true; program.rules.len()];
        let mut queue: VecDeque<usize> = (0..program.rules.len()).collect();
        while let Some(index) = queue.pop_front() {
            waiting[index] = false;
            let rule = &program.rules[index];
            let mut changed = false;
            for (column, source) in rule.head.columns.iter().enumerate() {
                let strings = self.head_column(rule, source);
                changed |= self.columns[rule.head.relation.index()][column].extend(strings);
            }
            if changed {
                for &reader in &readers[rule.head.relation.index()] {
                    if !std::mem::replace(&mut waiting[reader], true) {
                        queue.push_back(reader);
                    }
                }
            }
        }
    }

    /// The strings of a column.
    pub(super) fn column(&self, relation: RelationId, column: usize) -> &Strings {
        &self.columns[relation.index()][column]
    }

    /// The strings a variable of a rule can be.
    pub(super) fn variable(&self, rule: &Rule, variable: VariableId) -> Strings {
        let mut strings: Option<Strings> = None;
        for literal in literals(rule).filter(|literal| !literal.negated) {
            for (column, argument) in literal.arguments.iter().enumerate() {
                if let Argument::Expression(Expression::Variable(argument)) = argument
                    && *argument == variable
                {
                    let column = self.column(literal.relation, column);
                    strings = Some(match strings {
                        None => column.clone(),
                        Some(strings) => strings.meet(column),
                    });
                }
            }
        }
        strings.unwrap_or_else(|| Strings {
            set: BTreeSet::new(),
            all_nodes: rule.location == Location::Variable(variable),
        })
    }

    /// The strings an expression in a rule can be.
    pub(super) fn expression(&self, rule: &Rule, expression: &Expression) -> Strings {
        match expression {
            Expression::Variable(variable) => self.variable(rule, *variable),
            Expression::Constant(value) => {
                let mut strings = Strings::default();
                strings.insert(value);
                strings
            }
            Expression::Arithmetic(..) => Strings::default(),
        }
    }

    /// The strings that get into a column of the head.
    pub(super) fn head_column(&self, rule: &Rule, column: &HeadColumn) -> Strings {
        match column {
            HeadColumn::Expression(expression) => self.expression(rule, expression),
            // `min` and `max` choose a member; the others are integers.
            HeadColumn::Aggregate {
                function: Aggregate::Min | Aggregate::Max, variable, ..
            } => self.variable(rule, *variable),
            HeadColumn::Aggregate { .. } => Strings::default(),
        }
    }

    /// The strings an argument of a literal can be, other literals considered.
    pub(super) fn argument(&self, rule: &Rule, argument: &Argument) -> Strings {
        match argument {
            Argument::Expression(expression) => self.expression(rule, expression),
            Argument::Wildcard => Strings::default(),
        }
    }
}
