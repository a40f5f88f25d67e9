//! From formulas and bounds to clauses.

use linchpin_formula::{Graph, Literal, Node, Variable};
use rustc_hash::FxHashMap;
use rustsat::encodings::card::{BoundUpper, BoundUpperIncremental, Encode, Totalizer};
use rustsat::instances::{BasicVarManager, Cnf, ManageVars};
use rustsat::solvers::{Solve, SolveIncremental, SolverResult};
use rustsat::types::{Clause, Lit, TernaryVal};
use rustsat_batsat::Solver;

use crate::transcript::{Refutation, Transcript};
use crate::{Budget, FaultSpace};

/// An incremental solver over the faults of a space.
///
/// A formula is asserted by one-sided definitions (Plaisted and Greenbaum, 1986): a literal of the
/// solver implies the formula it stands for. That is enough, since formulas are only ever asserted.
pub(crate) struct Encoder {
    solver: Solver<Transcript>,
    variables: BasicVarManager,
    /// The solver's literal of each fault met so far.
    faults: FxHashMap<Variable, Lit>,
    /// Faults in order of appearance.
    appeared: Vec<Variable>,
    /// Faults outside the budget that exclude each other, if there are any.
    rivals: FxHashMap<Variable, Vec<Variable>>,
    /// The solver's literal that implies a formula.
    defined: FxHashMap<Literal, Lit>,
    /// Counts the faults that occur.
    count: Totalizer,
    counted: usize,
    unsatisfiable: bool,
    solver_calls: u64,
}

impl Encoder {
    /// A solver that knows the budget of the space, and keeps a transcript if that is wanted.
    pub(crate) fn new(space: &FaultSpace, wants_proofs: bool) -> Self {
        let mut solver = Solver::default();
        *solver.batsat_mut().cb_mut() = Transcript::new(wants_proofs);
        let mut encoder = Self {
            solver,
            variables: BasicVarManager::default(),
            faults: FxHashMap::default(),
            appeared: Vec::new(),
            rivals: FxHashMap::default(),
            defined: FxHashMap::default(),
            count: Totalizer::default(),
            counted: 0,
            unsatisfiable: false,
            solver_calls: 0,
        };
        for fault in (0..space.fault_count() as u32).map(Variable) {
            let rivals: Vec<Variable> = space.rivals(fault).collect();
            if !rivals.is_empty() {
                encoder.rivals.insert(fault, rivals);
            }
        }
        encoder.limit(space.budget());
        encoder.limit(space.recoveries());
        for fault in (0..space.fault_count() as u32).map(Variable) {
            let Some(needs) = space.needs(fault) else { continue };
            let needs: Vec<Variable> = needs.collect();
            let mut clause = vec![!encoder.fault(fault)];
            clause.extend(needs.into_iter().map(|crash| encoder.fault(crash)));
            encoder.add_clause(&clause);
        }
        encoder
    }

    /// At most one fault of each group, and faults of so many groups.
    fn limit(&mut self, budget: &Budget) {
        let mut active = Vec::new();
        for group in budget.groups.iter().filter(|group| !group.is_empty()) {
            let literals: Vec<Lit> = group.iter().map(|&fault| self.fault(fault)).collect();
            self.at_most(&literals, 1);
            if budget.groups_max < budget.groups.len() {
                let some = self.variables.new_lit();
                for &literal in &literals {
                    self.add([!literal, some]);
                }
                active.push(some);
            }
        }
        if active.len() > budget.groups_max {
            self.at_most(&active, budget.groups_max);
        }
    }

    /// How often the solver was asked.
    pub(crate) fn solver_calls(&self) -> u64 {
        self.solver_calls
    }

    /// How many subformulas have a literal of the solver.
    pub(crate) fn definition_count(&self) -> usize {
        self.defined.len()
    }

    fn add<const N: usize>(&mut self, literals: [Lit; N]) {
        self.add_clause(&literals);
    }

    fn add_clause(&mut self, literals: &[Lit]) {
        let clause: Clause = literals.iter().copied().collect();
        self.give(clause);
    }

    /// Every clause goes through here.
    fn give(&mut self, clause: Clause) {
        let transcript = self.solver.batsat_mut().cb_mut();
        transcript.given(clause.iter().map(|literal| literal.to_ipasir()));
        self.solver.add_clause(clause).expect("clauses fit in memory");
    }

    /// Nothing satisfies what was asserted.
    fn contradict(&mut self) {
        self.unsatisfiable = true;
        self.solver.batsat_mut().cb_mut().given(std::iter::empty());
    }

    /// Why [`Encoder::solve`] found nothing, if a transcript is kept.
    pub(crate) fn refutation(&self) -> Option<Refutation<'_>> {
        self.solver.batsat_ref().cb().refutation()
    }

    fn at_most(&mut self, literals: &[Lit], bound: usize) {
        if bound >= literals.len() {
            return;
        }
        let mut totalizer: Totalizer = literals.iter().copied().collect();
        let mut cnf = Cnf::new();
        totalizer
            .encode_ub(bound..=bound, &mut cnf, &mut self.variables)
            .expect("clauses fit in memory");
        for unit in totalizer.enforce_ub(bound).expect("the bound was encoded") {
            self.add([unit]);
        }
        for clause in cnf {
            self.give(clause);
        }
    }

    fn fault(&mut self, variable: Variable) -> Lit {
        if let Some(&literal) = self.faults.get(&variable) {
            return literal;
        }
        let literal = self.variables.new_lit();
        self.faults.insert(variable, literal);
        self.appeared.push(variable);
        // Rivals that never appear do not occur.
        let rivals = self.rivals.get(&variable).into_iter().flatten();
        let rivals: Vec<Lit> = rivals.filter_map(|rival| self.faults.get(rival).copied()).collect();
        for rival in rivals {
            self.add([!literal, !rival]);
        }
        literal
    }

    /// Requires the formula to be true.
    pub(crate) fn assert(&mut self, graph: &Graph, formula: Literal) {
        match formula {
            Literal::TRUE => {}
            Literal::FALSE => self.contradict(),
            _ => {
                let literal = self.define(graph, formula);
                self.add([literal]);
            }
        }
    }

    /// A literal that implies the formula.
    fn define(&mut self, graph: &Graph, formula: Literal) -> Lit {
        // Parents are defined before their children get their clauses: no recursion.
        let (root, fresh) = self.literal_of(graph, formula);
        let mut open: Vec<(Literal, Lit)> = Vec::new();
        if fresh {
            open.push((formula, root));
        }
        while let Some((formula, literal)) = open.pop() {
            let Node::And(children) = graph.node(formula.node()) else {
                unreachable!("only conjunctions are defined")
            };
            if formula.is_negated() {
                let mut clause = vec![!literal];
                for &child in children {
                    let (part, fresh) = self.literal_of(graph, !child);
                    clause.push(part);
                    if fresh {
                        open.push((!child, part));
                    }
                }
                self.add_clause(&clause);
            } else {
                for &child in children {
                    let (part, fresh) = self.literal_of(graph, child);
                    self.add([!literal, part]);
                    if fresh {
                        open.push((child, part));
                    }
                }
            }
        }
        root
    }

    /// The solver's literal for a formula, and whether it still has to be defined.
    fn literal_of(&mut self, graph: &Graph, formula: Literal) -> (Lit, bool) {
        if let Some(&literal) = self.defined.get(&formula) {
            return (literal, false);
        }
        if let Node::Variable(variable) = graph.node(formula.node()) {
            let literal = self.fault(variable);
            return (if formula.is_negated() { !literal } else { literal }, false);
        }
        let literal = self.variables.new_lit();
        self.defined.insert(formula, literal);
        (literal, true)
    }

    /// Forbids every superset of these faults.
    pub(crate) fn forbid_supersets(&mut self, faults: &[Variable]) {
        let clause: Vec<Lit> = faults.iter().map(|&fault| !self.fault(fault)).collect();
        if clause.is_empty() {
            self.contradict();
        } else {
            self.add_clause(&clause);
        }
    }

    /// Forbids exactly this set of faults among all of the space.
    pub(crate) fn forbid_exactly(&mut self, space: &FaultSpace, faults: &[Variable]) {
        let clause: Vec<Lit> = (0..space.fault_count() as u32)
            .map(Variable)
            .map(|fault| {
                let literal = self.fault(fault);
                if faults.binary_search(&fault).is_ok() { !literal } else { literal }
            })
            .collect();
        self.add_clause(&clause);
    }

    /// A fault set of at most `size` faults (any number if `None`) that satisfies everything
    /// asserted, in ascending order.
    pub(crate) fn solve(&mut self, size: Option<usize>) -> Option<Vec<Variable>> {
        if self.unsatisfiable {
            return None;
        }
        let assumptions = match size {
            Some(size) => self.at_most_faults(size),
            None => Vec::new(),
        };
        let transcript = self.solver.batsat_mut().cb_mut();
        transcript.assumed(assumptions.iter().map(|literal| literal.to_ipasir()));
        self.solver_calls += 1;
        let result = self.solver.solve_assumps(&assumptions).expect("the solver has no limits set");
        if result != SolverResult::Sat {
            return None;
        }
        let mut chosen = Vec::new();
        for &variable in &self.appeared {
            let value = self.solver.lit_val(self.faults[&variable]);
            if value.is_ok_and(|value| value == TernaryVal::True) {
                chosen.push(variable);
            }
        }
        chosen.sort_unstable();
        Some(chosen)
    }

    fn at_most_faults(&mut self, size: usize) -> Vec<Lit> {
        let new = self.appeared[self.counted..].iter().map(|fault| self.faults[fault]);
        self.count.extend(new);
        self.counted = self.appeared.len();
        if size >= self.count.n_lits() {
            return Vec::new();
        }
        let mut cnf = Cnf::new();
        self.count
            .encode_ub_change(size..=size, &mut cnf, &mut self.variables)
            .expect("clauses fit in memory");
        for clause in cnf {
            self.give(clause);
        }
        self.count.enforce_ub(size).expect("the bound was encoded")
    }
}
