//! Rules made ready, and every way in which a body can be satisfied if negation is ignored.

use linchpin_dedalus::hir::{
    Aggregate, Argument, BodyTerm, ComparisonOperator, Expression, HeadColumn, Literal, Location,
    Program, RelationId, Rule, RuleId, Timing,
};

use crate::possible::{Kind, Possible};
use crate::table::RowNumber;
use crate::value::{ArithmeticError, Term, Valuation, ValueId, Values, compare};

/// Matches of a rule at a time step beyond which a program is given up.
pub(crate) const MATCHES_MAX: usize = 1_000_000;

/// What a column of a body literal must be.
#[derive(Clone, Debug)]
pub(crate) enum Column {
    /// Anything.
    Any,
    /// The value of the variable, which the literal binds if nothing else does.
    Variable(usize),
    /// The value of an expression.
    Term(Term),
}

/// A body literal without its sign.
#[derive(Clone, Debug)]
pub(crate) struct Pattern {
    pub(crate) relation: RelationId,
    /// `Some(N)`: at absolute time N; else now.
    pub(crate) time: Option<u32>,
    pub(crate) columns: Vec<Column>,
}

/// Where a rule fires.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Place {
    /// Nowhere in particular.
    Global,
    /// At the node that is the value of the variable.
    Variable(usize),
    /// At this node.
    Node(ValueId),
}

/// A column of the head.
#[derive(Clone, Debug)]
pub(crate) enum HeadTerm {
    Term(Term),
    Aggregate(Aggregate, usize),
}

/// `left operator right`.
#[derive(Clone, Debug)]
struct Check {
    left: Term,
    operator: ComparisonOperator,
    right: Term,
}

/// A rule made ready.
#[derive(Clone, Debug)]
pub(crate) struct ReadyRule {
    pub(crate) id: RuleId,
    pub(crate) head: RelationId,
    pub(crate) columns: Vec<HeadTerm>,
    pub(crate) timing: Timing,
    pub(crate) look_ahead: bool,
    pub(crate) place: Place,
    pub(crate) positive: Vec<Pattern>,
    pub(crate) negative: Vec<Pattern>,
    /// Comparisons, by the number of positive literals after which they can be decided.
    checks: Vec<Vec<Check>>,
    /// The location, if no positive literal binds it: then it ranges over the nodes.
    free_place: Option<usize>,
    variable_count: usize,
}

/// One way to satisfy the positive literals and the comparisons of a body.
#[derive(Clone, Debug)]
pub(crate) struct Match {
    pub(crate) valuation: Valuation,
    /// The row matched by each positive literal.
    pub(crate) rows: Vec<RowNumber>,
    /// True if a comparison or an argument has no value: the run has no outcome if the rest of the
    /// body is satisfied.
    pub(crate) failed: bool,
}

fn term(expression: &Expression, values: &mut Values) -> Term {
    match expression {
        Expression::Constant(value) => Term::Constant(values.id(value)),
        Expression::Variable(variable) => Term::Variable(variable.index()),
        Expression::Arithmetic(left, operator, right) => {
            Term::Arithmetic(Box::new(term(left, values)), *operator, Box::new(term(right, values)))
        }
    }
}

fn pattern(literal: &Literal, values: &mut Values) -> Pattern {
    let columns = literal
        .arguments
        .iter()
        .map(|argument| match argument {
            Argument::Wildcard => Column::Any,
            Argument::Expression(Expression::Variable(variable)) => {
                Column::Variable(variable.index())
            }
            Argument::Expression(expression) => Column::Term(term(expression, values)),
        })
        .collect();
    Pattern { relation: literal.relation, time: literal.time, columns }
}

impl ReadyRule {
    /// Makes a rule ready.
    pub(crate) fn new(program: &Program, id: RuleId, values: &mut Values) -> Self {
        let rule: &Rule = &program.rules[id.index()];
        let mut variable_count = rule.variables.len();
        let (mut positive, mut negative, mut checks) = (Vec::new(), Vec::new(), Vec::new());
        for body_term in &rule.body {
            match body_term {
                BodyTerm::Comparison(comparison) => checks.push(Check {
                    left: term(&comparison.left, values),
                    operator: comparison.operator,
                    right: term(&comparison.right, values),
                }),
                BodyTerm::Literal(literal) if literal.negated => {
                    negative.push(pattern(literal, values));
                }
                BodyTerm::Literal(literal) => {
                    // p(X, X+1) is p(X, Y), Y == X+1.
                    let mut pattern = pattern(literal, values);
                    for column in &mut pattern.columns {
                        if let Column::Term(right @ Term::Arithmetic(..)) = column {
                            let left = Term::Variable(variable_count);
                            let right = right.clone();
                            *column = Column::Variable(variable_count);
                            checks.push(Check { left, operator: ComparisonOperator::Equal, right });
                            variable_count += 1;
                        }
                    }
                    positive.push(pattern);
                }
            }
        }
        let place = match &rule.location {
            Location::Global => Place::Global,
            Location::Variable(variable) => Place::Variable(variable.index()),
            Location::Constant(value) => Place::Node(values.id(value)),
        };
        let columns = rule
            .head
            .columns
            .iter()
            .map(|column| match column {
                HeadColumn::Expression(expression) => HeadTerm::Term(term(expression, values)),
                HeadColumn::Aggregate { function, variable, .. } => {
                    HeadTerm::Aggregate(*function, variable.index())
                }
            })
            .collect();
        let mut ready = Self {
            id,
            head: rule.head.relation,
            columns,
            timing: rule.head.timing,
            look_ahead: rule.look_ahead,
            place,
            positive,
            negative,
            checks: Vec::new(),
            free_place: None,
            variable_count,
        };
        ready.schedule(checks);
        ready
    }

    /// Puts every comparison where its variables are bound.
    fn schedule(&mut self, checks: Vec<Check>) {
        let mut bound_after = vec![usize::MAX; self.variable_count];
        for (number, pattern) in self.positive.iter().enumerate() {
            for column in &pattern.columns {
                if let Column::Variable(variable) = column {
                    bound_after[*variable] = bound_after[*variable].min(number + 1);
                }
            }
        }
        if let Place::Variable(variable) = self.place
            && bound_after[variable] == usize::MAX
        {
            self.free_place = Some(variable);
            bound_after[variable] = 0;
        }
        self.checks = vec![Vec::new(); self.positive.len() + 1];
        for check in checks {
            let mut variables = Vec::new();
            check.left.variables(&mut variables);
            check.right.variables(&mut variables);
            let after = variables.iter().map(|&variable| bound_after[variable]).max().unwrap_or(0);
            self.checks[after].push(check);
        }
    }

    /// The node at which a match fires; none for a global rule.
    pub(crate) fn place_of(&self, matched: &Match) -> Option<ValueId> {
        match self.place {
            Place::Global => None,
            Place::Variable(variable) => matched.valuation[variable],
            Place::Node(node) => Some(node),
        }
    }

    pub(crate) fn is_aggregate(&self) -> bool {
        self.columns.iter().any(|column| matches!(column, HeadTerm::Aggregate(..)))
    }

    /// Every way to satisfy the positive literals and the comparisons at a time step, with possible
    /// rows, at a declared node. Gives up soon after [`MATCHES_MAX`].
    pub(crate) fn matches(&self, possible: &Possible, values: &Values, now: u32) -> Vec<Match> {
        if let Place::Node(node) = self.place
            && !possible.is_node(node)
        {
            return Vec::new();
        }
        let mut found = Vec::new();
        let places = match self.free_place {
            Some(_) => possible.nodes().iter().map(|&node| Some(node)).collect(),
            None => vec![None],
        };
        for place in places {
            let mut search = Search {
                rule: self,
                possible,
                values,
                now,
                valuation: vec![None; self.variable_count],
                rows: Vec::new(),
                found: &mut found,
            };
            if let Some(variable) = self.free_place {
                search.valuation[variable] = place;
            }
            search.literal(0, false);
        }
        found
    }
}

struct Search<'a> {
    rule: &'a ReadyRule,
    possible: &'a Possible,
    values: &'a Values,
    now: u32,
    valuation: Valuation,
    rows: Vec<RowNumber>,
    found: &'a mut Vec<Match>,
}

impl Search<'_> {
    /// The first `number` positive literals are matched: decides what can be decided, and matches
    /// the next.
    fn literal(&mut self, number: usize, mut failed: bool) {
        if self.found.len() > MATCHES_MAX {
            return;
        }
        if let Place::Variable(variable) = self.rule.place
            && let Some(place) = self.valuation[variable]
            && !self.possible.is_node(place)
        {
            return;
        }
        for check in &self.rule.checks[number] {
            match self.decide(check) {
                Ok(true) => {}
                Ok(false) => return,
                Err(ArithmeticError) => failed = true,
            }
        }
        let Some(pattern) = self.rule.positive.get(number) else {
            self.found.push(Match {
                valuation: self.valuation.clone(),
                rows: self.rows.clone(),
                failed,
            });
            return;
        };
        let table =
            self.possible.table(Kind::Fact, pattern.relation, pattern.time.unwrap_or(self.now));
        let before = self.valuation.clone();
        for row in table.candidates(&pattern.known(&self.valuation)) {
            if pattern.matches(table.row(row), &mut self.valuation) {
                self.rows.push(row);
                self.literal(number + 1, failed);
                self.rows.pop();
            }
            self.valuation.clone_from(&before);
        }
    }

    fn decide(&self, check: &Check) -> Result<bool, ArithmeticError> {
        let left = check.left.evaluate(&self.valuation, self.values)?;
        let right = check.right.evaluate(&self.valuation, self.values)?;
        Ok(compare(&left, check.operator, &right))
    }
}

impl Pattern {
    /// The columns whose value is known already.
    fn known(&self, valuation: &[Option<ValueId>]) -> Vec<(usize, ValueId)> {
        let columns = self.columns.iter().enumerate();
        columns
            .filter_map(|(index, column)| match column {
                Column::Variable(variable) => Some((index, valuation[*variable]?)),
                Column::Term(Term::Constant(value)) => Some((index, *value)),
                Column::Any | Column::Term(_) => None,
            })
            .collect()
    }

    /// Does a row match, once unbound variables are bound to its cells? (On failure, some may have
    /// been.)
    fn matches(&self, row: &[ValueId], valuation: &mut Valuation) -> bool {
        self.columns.iter().zip(row).all(|(column, &cell)| match column {
            Column::Any => true,
            Column::Variable(variable) => *valuation[*variable].get_or_insert(cell) == cell,
            Column::Term(Term::Constant(value)) => *value == cell,
            Column::Term(_) => unreachable!("other expressions were replaced"),
        })
    }

    /// The possible rows that a `notin` literal denies; an error if an argument has no value.
    pub(crate) fn denied(
        &self,
        valuation: &Valuation,
        possible: &Possible,
        values: &Values,
        now: u32,
    ) -> Result<Vec<RowNumber>, ArithmeticError> {
        let mut pattern = self.clone();
        for column in &mut pattern.columns {
            if let Column::Term(term) = column {
                let value = term.evaluate(valuation, values)?;
                let Some(id) = values.known(&value) else { return Ok(Vec::new()) };
                *column = Column::Term(Term::Constant(id));
            }
        }
        let table = possible.table(Kind::Fact, pattern.relation, pattern.time.unwrap_or(now));
        let candidates = table.candidates(&pattern.known(valuation));
        Ok(candidates
            .into_iter()
            .filter(|&row| pattern.matches(table.row(row), &mut valuation.clone()))
            .collect())
    }
}
