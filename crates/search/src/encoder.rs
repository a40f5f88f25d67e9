//! From formulas and bounds to clauses.

use batsat::{BasicSolver, Lit, SolverInterface, Var, lbool};
use linchpin_formula::{Graph, Literal, Node, Variable};

use crate::FaultSpace;
use crate::counter::Counter;

/// An incremental solver over the faults of a space.
///
/// A formula is asserted by one-sided definitions (Plaisted and Greenbaum, 1986): a literal of the
/// solver implies the formula it stands for. That is enough, since formulas are only ever asserted.
///
/// The solver decides about faults only, and always tries "does not occur" first. Two things follow.
/// * When all faults are decided, everything else is implied or harmless: an undecided definition can
///   be taken to be true (its formula is), an undecided register of a [`Counter`] to be false.
/// * A fault occurs in a model only where "does not occur" was refuted by those assumed not to, so
///   no other model has a proper subset of its faults: every model is minimal by inclusion (Di Rosa,
///   Giunchiglia and Maratea, "Solving satisfiability problems with preferences", 2010).
pub(crate) struct Encoder {
    solver: BasicSolver,
    /// By fault: its literal, if it was met.
    faults: Vec<Lit>,
    /// Faults in order of appearance. Those that never appear need not occur.
    appeared: Vec<Variable>,
    /// By fault: its group of the budget.
    group_of: Vec<Option<usize>>,
    groups: Vec<Group>,
    /// At most so many groups take part, unless that is all of them.
    groups_max: Option<usize>,
    /// Counts the groups of the budget that take part.
    active: Counter,
    /// By formula: the solver's literal that implies it.
    defined: Vec<Lit>,
    definition_count: usize,
    /// Counts the faults that occur.
    count: Counter,
    counted: usize,
    unsatisfiable: bool,
    solver_calls: u64,
    /// Working space.
    clause: Vec<Lit>,
}

/// What the solver knows of a group of the budget.
#[derive(Clone, Copy, Default)]
struct Group {
    /// Implied by each fault of the group that appeared.
    before: Option<Lit>,
    /// The same, and stands for the group among those that are counted.
    active: Option<Lit>,
}

/// Clauses are added, and variables made, through this.
pub(crate) struct Clauses<'a> {
    solver: &'a mut BasicSolver,
    clause: &'a mut Vec<Lit>,
}

impl<'a> Clauses<'a> {
    pub(crate) fn new(solver: &'a mut BasicSolver, clause: &'a mut Vec<Lit>) -> Self {
        Self { solver, clause }
    }

    pub(crate) fn add(&mut self, literals: &[Lit]) {
        self.clause.clear();
        self.clause.extend_from_slice(literals);
        self.solver.add_clause_reuse(self.clause);
    }

    /// A literal that is never decided, only implied.
    pub(crate) fn implied(&mut self) -> Lit {
        positive(self.solver.new_var(lbool::FALSE, false))
    }
}

fn positive(variable: Var) -> Lit {
    Lit::new(variable, true)
}

impl Encoder {
    /// A solver that knows the budget of the space.
    pub(crate) fn new(space: &FaultSpace) -> Self {
        let budget = space.budget();
        let faults = (0..space.fault_count() as u32).map(Variable);
        Self {
            solver: BasicSolver::default(),
            faults: vec![Lit::UNDEF; space.fault_count()],
            appeared: Vec::new(),
            group_of: faults.map(|fault| space.group(fault)).collect(),
            groups: vec![Group::default(); budget.groups.len()],
            groups_max: (budget.groups_max < budget.groups.len()).then_some(budget.groups_max),
            active: Counter::default(),
            defined: Vec::new(),
            definition_count: 0,
            count: Counter::default(),
            counted: 0,
            unsatisfiable: false,
            solver_calls: 0,
            clause: Vec::new(),
        }
    }

    /// How often the solver was asked.
    pub(crate) fn solver_calls(&self) -> u64 {
        self.solver_calls
    }

    /// How many subformulas have a literal of the solver.
    pub(crate) fn definition_count(&self) -> usize {
        self.definition_count
    }

    fn clauses(&mut self) -> Clauses<'_> {
        Clauses::new(&mut self.solver, &mut self.clause)
    }

    fn fault(&mut self, variable: Variable) -> Lit {
        let known = self.faults[variable.0 as usize];
        if known != Lit::UNDEF {
            return known;
        }
        let literal = positive(self.solver.new_var(lbool::FALSE, true));
        self.faults[variable.0 as usize] = literal;
        self.appeared.push(variable);
        if let Some(group) = self.group_of[variable.0 as usize] {
            self.join_group(literal, group);
        }
        literal
    }

    /// Of a group at most one fault occurs, and of the groups at most the budget take part.
    fn join_group(&mut self, literal: Lit, group: usize) {
        let mut clauses = Clauses::new(&mut self.solver, &mut self.clause);
        let Group { before, active } = &mut self.groups[group];
        let some = clauses.implied();
        clauses.add(&[!literal, some]);
        if let Some(before) = before.replace(some) {
            clauses.add(&[!before, some]);
            clauses.add(&[!before, !literal]);
        }
        let Some(groups_max) = self.groups_max else { return };
        if let Some(active) = *active {
            clauses.add(&[!literal, active]);
        } else {
            let first = *active.insert(clauses.implied());
            clauses.add(&[!literal, first]);
            self.active.push(first);
            if let Some(enough) = self.active.at_most(groups_max, &mut clauses) {
                clauses.add(&[enough]);
            }
        }
    }

    /// Requires the formula to be true.
    pub(crate) fn assert(&mut self, graph: &Graph, formula: Literal) {
        match formula {
            Literal::TRUE => {}
            Literal::FALSE => self.unsatisfiable = true,
            _ => {
                let literal = self.define(graph, formula);
                self.clauses().add(&[literal]);
            }
        }
    }

    /// A literal that implies the formula.
    fn define(&mut self, graph: &Graph, formula: Literal) -> Lit {
        self.defined.resize(2 * graph.node_count(), Lit::UNDEF);
        // Parents are defined before their children get their clauses: no recursion.
        let (root, fresh) = self.literal_of(graph, formula);
        let mut open: Vec<(Literal, Lit)> = Vec::new();
        if fresh {
            open.push((formula, root));
        }
        let mut clause = Vec::new();
        while let Some((formula, literal)) = open.pop() {
            let Node::And(children) = graph.node(formula.node()) else {
                unreachable!("only conjunctions are defined")
            };
            let negated = formula.is_negated();
            clause.clear();
            clause.push(!literal);
            for &child in children {
                let child = if negated { !child } else { child };
                let (part, fresh) = self.literal_of(graph, child);
                if fresh {
                    open.push((child, part));
                }
                if negated {
                    clause.push(part);
                } else {
                    self.clauses().add(&[!literal, part]);
                }
            }
            if negated {
                self.solver.add_clause_reuse(&mut clause);
            }
        }
        root
    }

    /// The solver's literal for a formula, and whether it still has to be defined.
    fn literal_of(&mut self, graph: &Graph, formula: Literal) -> (Lit, bool) {
        let place = 2 * formula.node().index() + usize::from(formula.is_negated());
        let known = self.defined[place];
        if known != Lit::UNDEF {
            return (known, false);
        }
        if let Node::Variable(variable) = graph.node(formula.node()) {
            let literal = self.fault(variable);
            let literal = if formula.is_negated() { !literal } else { literal };
            self.defined[place] = literal;
            return (literal, false);
        }
        let literal = self.clauses().implied();
        self.defined[place] = literal;
        self.definition_count += 1;
        (literal, true)
    }

    /// Forbids every superset of these faults.
    pub(crate) fn forbid_supersets(&mut self, faults: &[Variable]) {
        let clause: Vec<Lit> = faults.iter().map(|&fault| !self.fault(fault)).collect();
        if clause.is_empty() {
            self.unsatisfiable = true;
        } else {
            self.clauses().add(&clause);
        }
    }

    /// Forbids exactly this set of faults among all of the space.
    pub(crate) fn forbid_exactly(&mut self, faults: &[Variable]) {
        let clause: Vec<Lit> = (0..self.faults.len() as u32)
            .map(Variable)
            .map(|fault| {
                let literal = self.fault(fault);
                if faults.binary_search(&fault).is_ok() { !literal } else { literal }
            })
            .collect();
        self.clauses().add(&clause);
    }

    /// A fault set of at most `size` faults (any number if `None`) that satisfies everything
    /// asserted, in ascending order. No proper subset of it does.
    pub(crate) fn solve(&mut self, size: Option<usize>) -> Option<Vec<Variable>> {
        if self.unsatisfiable {
            return None;
        }
        let assumption = size.and_then(|size| self.at_most_faults(size));
        self.solver_calls += 1;
        let result = self.solver.solve_limited(assumption.as_slice());
        if result != lbool::TRUE {
            return None;
        }
        let occurs = |&&fault: &&Variable| {
            self.solver.value_lit(self.faults[fault.0 as usize]) == lbool::TRUE
        };
        let mut chosen: Vec<Variable> = self.appeared.iter().filter(occurs).copied().collect();
        chosen.sort_unstable();
        Some(chosen)
    }

    fn at_most_faults(&mut self, size: usize) -> Option<Lit> {
        for fault in &self.appeared[self.counted..] {
            self.count.push(self.faults[fault.0 as usize]);
        }
        self.counted = self.appeared.len();
        let mut clauses = Clauses::new(&mut self.solver, &mut self.clause);
        self.count.at_most(size, &mut clauses)
    }
}
