//! From formulas and bounds to clauses.

use batsat::{Lit, Solver, SolverInterface, SolverOpts, Var, lbool};
use linchpin_formula::{Graph, Literal, Node, Variable};
use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use crate::counter::Counter;
use crate::space::Group;
use crate::transcript::Transcript;
use crate::{Budget, FaultSpace, Halt};

/// An incremental solver over the faults of a space.
///
/// A formula is asserted by one-sided definitions (Plaisted and Greenbaum, 1986): a literal of the
/// solver implies the formula it stands for. That is enough, since formulas are only ever asserted.
pub(crate) struct Encoder {
    solver: Solver<Transcript>,
    /// By fault: its literal, if it was met.
    faults: Vec<Lit>,
    /// Faults in order of appearance. Those that never appear need not occur.
    appeared: Vec<Variable>,
    /// By fault: its group.
    group_of: Vec<Group>,
    /// By group outside the budgets: its faults that appeared.
    exclusive: FxHashMap<usize, Vec<Lit>>,
    crashes: Limit,
    recoveries: Limit,
    /// Per budget of an open space: how many faults it allows, and those that appeared.
    limits: Vec<(usize, Counter)>,
    /// By fault: the budgets of an open space it counts towards.
    limits_of: Vec<SmallVec<[usize; 2]>>,
    /// By recovery that did not appear yet: the faults of which it needs one.
    needs: FxHashMap<Variable, Vec<Variable>>,
    /// By formula: the solver's literal that implies it.
    defined: Vec<Lit>,
    definition_count: usize,
    /// By formula: in how many of those asserted it stands (0, 1 or more; an inlined one in 1).
    uses: Vec<u8>,
    /// Counts the faults that occur.
    count: Counter,
    /// The same, per class of equally likely faults.
    count_of_class: Vec<Counter>,
    /// By fault: its class.
    class_of: Vec<usize>,
    /// Assumed unless a part of a given set is sought: no exchange of nodes makes a lesser set.
    canonical: Option<Lit>,
    counted: usize,
    unsatisfiable: bool,
    solver_calls: u64,
    /// Working space.
    clause: Vec<Lit>,
}

/// The solver was told to end before it knew.
#[derive(Debug)]
pub(crate) struct GaveUp;

/// A fault set, or that there is none.
pub(crate) type Answer = Result<Option<Vec<Variable>>, GaveUp>;

/// A budget, of whose groups the solver learns as their faults appear.
struct Limit {
    groups: Vec<Member>,
    /// At most so many groups take part, unless that is all of them.
    groups_max: Option<usize>,
    /// Counts the groups that take part.
    active: Counter,
}

/// What the solver knows of a group of a budget.
#[derive(Clone, Copy, Default)]
struct Member {
    /// Implied by each fault of the group that appeared.
    before: Option<Lit>,
    /// The same, and stands for the group among those that are counted.
    active: Option<Lit>,
}

impl Limit {
    fn new(budget: &Budget) -> Self {
        Self {
            groups: vec![Member::default(); budget.groups.len()],
            groups_max: (budget.groups_max < budget.groups.len()).then_some(budget.groups_max),
            active: Counter::default(),
        }
    }

    /// Of a group at most one fault occurs, and of the groups at most the budget take part.
    fn join(&mut self, literal: Lit, group: usize, clauses: &mut Clauses<'_>) {
        let Member { before, active } = &mut self.groups[group];
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
            if let Some(enough) = self.active.at_most(groups_max, clauses) {
                clauses.add(&[enough]);
            }
        }
    }
}

/// Clauses are added, and variables made, through this.
pub(crate) struct Clauses<'a> {
    solver: &'a mut Solver<Transcript>,
    clause: &'a mut Vec<Lit>,
}

impl<'a> Clauses<'a> {
    pub(crate) fn new(solver: &'a mut Solver<Transcript>, clause: &'a mut Vec<Lit>) -> Self {
        Self { solver, clause }
    }

    pub(crate) fn add(&mut self, literals: &[Lit]) {
        self.clause.clear();
        self.clause.extend_from_slice(literals);
        self.solver.cb_mut().given(literals);
        self.solver.add_clause_reuse(self.clause);
    }

    /// A literal that clauses only ever imply: where they do not, it may be taken to be false, so
    /// that there is nothing to decide.
    pub(crate) fn implied(&mut self) -> Lit {
        positive(self.solver.new_var(lbool::FALSE, false))
    }
}

fn place_of(formula: Literal) -> usize {
    2 * formula.node().index() + usize::from(formula.is_negated())
}

fn positive(variable: Var) -> Lit {
    Lit::new(variable, true)
}

/// Restarts come early: the solver mostly proves that there is no model, which takes it half the
/// time so where it takes long at all.
fn options() -> SolverOpts {
    SolverOpts { restart_first: 30, ..SolverOpts::default() }
}

impl Encoder {
    /// A solver that knows the budget of the space.
    pub(crate) fn new(space: &FaultSpace, halt: Halt) -> Self {
        let faults = (0..space.fault_count() as u32).map(Variable);
        let mut encoder = Self {
            solver: Solver::new(options(), Transcript::new(halt)),
            faults: vec![Lit::UNDEF; space.fault_count()],
            appeared: Vec::new(),
            group_of: faults.clone().map(|fault| space.group(fault)).collect(),
            exclusive: FxHashMap::default(),
            crashes: Limit::new(space.budget()),
            recoveries: Limit::new(space.recoveries()),
            limits: space.limits.max.iter().map(|max| (*max, Counter::default())).collect(),
            limits_of: space.limits.of_faults().to_vec(),
            needs: faults
                .clone()
                .filter_map(|fault| Some((fault, space.needs(fault)?.collect())))
                .collect(),
            defined: Vec::new(),
            definition_count: 0,
            uses: Vec::new(),
            count: Counter::default(),
            count_of_class: (0..space.class_count()).map(|_| Counter::default()).collect(),
            class_of: faults.clone().map(|fault| space.class(fault)).collect(),
            canonical: None,
            counted: 0,
            unsatisfiable: false,
            solver_calls: 0,
            clause: Vec::new(),
        };
        encoder.demand_canonical(space);
        encoder
    }

    /// A set is canonical if, where an exchange of nodes first makes a difference, the fault is
    /// lacking and its image occurs.
    fn demand_canonical(&mut self, space: &FaultSpace) {
        if space.symmetries.is_empty() {
            return;
        }
        let canonical = self.clauses().implied();
        self.canonical = Some(canonical);
        for image in &space.symmetries {
            let mut equal_so_far = canonical;
            for (fault, image) in FaultSpace::exchanged(image) {
                let (fault, image) = (self.fault(fault), self.fault(image));
                let mut clauses = self.clauses();
                clauses.add(&[!equal_so_far, !fault, image]);
                let equal = clauses.implied();
                clauses.add(&[!equal_so_far, !fault, !image, equal]);
                clauses.add(&[!equal_so_far, fault, image, equal]);
                equal_so_far = equal;
            }
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

    /// Nothing satisfies what was asserted.
    fn contradict(&mut self) {
        self.unsatisfiable = true;
        self.solver.cb_mut().given(&[]);
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
        match self.group_of[variable.0 as usize] {
            Group::Exclusive(group) => {
                // Rivals that never appear do not occur.
                let mut clauses = Clauses::new(&mut self.solver, &mut self.clause);
                let rivals = self.exclusive.entry(group).or_default();
                for &rival in &*rivals {
                    clauses.add(&[!literal, !rival]);
                }
                rivals.push(literal);
            }
            Group::Budget(group) => {
                let mut clauses = Clauses::new(&mut self.solver, &mut self.clause);
                self.crashes.join(literal, group, &mut clauses);
            }
            Group::Recovery(group) => {
                let mut clauses = Clauses::new(&mut self.solver, &mut self.clause);
                self.recoveries.join(literal, group, &mut clauses);
                let crashes = self.needs.remove(&variable).unwrap_or_default();
                let mut clause = vec![!literal];
                clause.extend(crashes.into_iter().map(|crash| self.fault(crash)));
                self.clauses().add(&clause);
            }
        }
        self.count_towards_limits(variable, literal);
        literal
    }

    fn count_towards_limits(&mut self, variable: Variable, literal: Lit) {
        let Some(limits) = self.limits_of.get(variable.0 as usize) else { return };
        let mut clauses = Clauses::new(&mut self.solver, &mut self.clause);
        for &limit in limits {
            let (max, counter) = &mut self.limits[limit];
            counter.push(literal);
            if let Some(enough) = counter.at_most(*max, &mut clauses) {
                clauses.add(&[enough]);
            }
        }
    }

    /// Requires that not all of `given` occur, or something of `others` too.
    pub(crate) fn require_other(
        &mut self,
        given: &[Variable],
        others: impl Iterator<Item = Variable>,
    ) {
        let mut clause: Vec<Lit> = given.iter().map(|&fault| !self.fault(fault)).collect();
        clause.extend(others.map(|fault| self.fault(fault)));
        if clause.is_empty() {
            self.contradict();
        } else {
            self.clauses().add(&clause);
        }
    }

    /// Requires the formula to be true.
    pub(crate) fn assert(&mut self, graph: &Graph, formula: Literal) {
        match formula {
            Literal::TRUE => {}
            Literal::FALSE => self.contradict(),
            _ => self.require(graph, formula),
        }
    }

    /// Requires the formula to be true: of a conjunction every part, of a disjunction some.
    fn require(&mut self, graph: &Graph, formula: Literal) {
        self.defined.resize(2 * graph.node_count(), Lit::UNDEF);
        self.uses.resize(2 * graph.node_count(), 0);
        self.count_uses(graph, formula);
        let mut open: Vec<(Literal, Option<Lit>)> = vec![(formula, None)];
        let mut parts: Vec<Literal> = Vec::new();
        let mut clause: Vec<Lit> = Vec::new();
        // Parents get their clauses before their children: no recursion.
        while let Some((formula, literal)) = open.pop() {
            parts.clear();
            self.parts(graph, formula, &mut parts);
            clause.clear();
            clause.extend(literal.map(|literal| !literal));
            let is_conjunction = self.is_conjunction(graph, formula);
            for &part in &parts {
                if is_conjunction && literal.is_none() {
                    // Required as such.
                    match graph.node(part.node()) {
                        Node::And(_) => open.push((part, None)),
                        _ => {
                            let part = self.literal_of(graph, part).0;
                            self.clauses().add(&[part]);
                        }
                    }
                    continue;
                }
                let (defined, fresh) = self.literal_of(graph, part);
                if fresh {
                    open.push((part, Some(defined)));
                }
                match literal {
                    Some(literal) if is_conjunction => self.clauses().add(&[!literal, defined]),
                    _ => clause.push(defined),
                }
            }
            if !is_conjunction {
                self.clauses().add(&clause);
            }
        }
    }

    fn is_conjunction(&self, graph: &Graph, formula: Literal) -> bool {
        !formula.is_negated() && matches!(graph.node(formula.node()), Node::And(_))
    }

    /// Counts in how many formulas below this one each formula stands.
    fn count_uses(&mut self, graph: &Graph, formula: Literal) {
        let mut open = vec![formula];
        while let Some(formula) = open.pop() {
            let uses = &mut self.uses[place_of(formula)];
            *uses = uses.saturating_add(1);
            if *uses > 1 || self.defined[place_of(formula)] != Lit::UNDEF {
                continue;
            }
            if let Node::And(children) = graph.node(formula.node()) {
                let negated = formula.is_negated();
                open.extend(children.iter().map(|&child| if negated { !child } else { child }));
            }
        }
    }

    /// The conjuncts or disjuncts of a formula; those that are of its own kind and stand nowhere
    /// else are taken apart in turn.
    fn parts(&self, graph: &Graph, formula: Literal, parts: &mut Vec<Literal>) {
        let mut open: SmallVec<[Literal; 8]> = SmallVec::from_slice(&[formula]);
        while let Some(next) = open.pop() {
            let place = place_of(next);
            match graph.node(next.node()) {
                Node::And(children)
                    if next == formula
                        || (next.is_negated() == formula.is_negated()
                            && self.uses[place] == 1
                            && self.defined[place] == Lit::UNDEF) =>
                {
                    let negated = next.is_negated();
                    open.extend(children.iter().map(|&child| if negated { !child } else { child }));
                }
                _ => parts.push(next),
            }
        }
    }

    /// The solver's literal for a formula, and whether it still has to be defined.
    fn literal_of(&mut self, graph: &Graph, formula: Literal) -> (Lit, bool) {
        let place = place_of(formula);
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
        let literal = positive(self.solver.new_var(lbool::TRUE, true));
        self.defined[place] = literal;
        self.definition_count += 1;
        (literal, true)
    }

    /// Forbids every superset of these faults.
    pub(crate) fn forbid_supersets(&mut self, faults: &[Variable]) {
        let clause: Vec<Lit> = faults.iter().map(|&fault| !self.fault(fault)).collect();
        if clause.is_empty() {
            self.contradict();
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
    /// asserted, in ascending order.
    pub(crate) fn solve(&mut self, size: Option<usize>) -> Answer {
        self.count_new();
        let mut assumptions: SmallVec<[Lit; 8]> = self.canonical.into_iter().collect();
        if let Some(size) = size {
            let mut clauses = Clauses::new(&mut self.solver, &mut self.clause);
            assumptions.extend(self.count.at_most(size, &mut clauses));
        }
        self.solve_under(&assumptions)
    }

    /// As [`Encoder::solve`], with at most so many faults of each class.
    pub(crate) fn solve_profile(&mut self, profile: &[usize]) -> Answer {
        self.count_new();
        let mut assumptions: SmallVec<[Lit; 8]> = self.canonical.into_iter().collect();
        let mut clauses = Clauses::new(&mut self.solver, &mut self.clause);
        for (&bound, count) in profile.iter().zip(&mut self.count_of_class) {
            assumptions.extend(count.at_most(bound, &mut clauses));
        }
        self.solve_under(&assumptions)
    }

    /// A subset of these faults that satisfies everything asserted.
    pub(crate) fn solve_within(&mut self, faults: &[Variable]) -> Answer {
        let outside = self.appeared.iter().filter(|fault| faults.binary_search(fault).is_err());
        let assumptions: Vec<Lit> = outside.map(|fault| !self.faults[fault.0 as usize]).collect();
        self.solve_under(&assumptions)
    }

    fn solve_under(&mut self, assumptions: &[Lit]) -> Answer {
        let result = if self.unsatisfiable {
            lbool::FALSE
        } else {
            self.solver_calls += 1;
            self.solver.solve_limited(assumptions)
        };
        if result == lbool::UNDEF {
            return Err(GaveUp);
        }
        if result != lbool::TRUE {
            self.solver.cb_mut().refuted(assumptions);
            return Ok(None);
        }
        let occurs = |&&fault: &&Variable| {
            self.solver.value_lit(self.faults[fault.0 as usize]) == lbool::TRUE
        };
        let mut chosen: Vec<Variable> = self.appeared.iter().filter(occurs).copied().collect();
        chosen.sort_unstable();
        Ok(Some(chosen))
    }

    /// Makes the counters count what appeared since they were used last.
    fn count_new(&mut self) {
        for fault in &self.appeared[self.counted..] {
            let literal = self.faults[fault.0 as usize];
            self.count.push(literal);
            self.count_of_class[self.class_of[fault.0 as usize]].push(literal);
        }
        self.counted = self.appeared.len();
    }
}
