//! The solver: asked for a model, or a proof that there is none.

use batsat::{Callbacks, ClauseKind, Lit, Solver, SolverInterface, SolverOpts, lbool};
use linchpin_proof::{Checker, Cnf, ProofError, Step};

/// What the solver found.
#[derive(Clone, Debug)]
pub(crate) enum Answer {
    /// Per variable, in order: its value.
    Model(Vec<bool>),
    /// Steps that end in the empty clause.
    Proof(Vec<Step>),
    Interrupted,
}

/// Writes down what the solver learns and forgets.
struct Log<'a> {
    steps: Vec<Step>,
    stop: &'a dyn Fn() -> bool,
}

fn dimacs(literal: Lit) -> i32 {
    let variable = literal.var().idx() as i32 + 1;
    if literal.sign() { variable } else { -variable }
}

impl Callbacks for Log<'_> {
    fn on_new_clause(&mut self, clause: &[Lit], _: ClauseKind) {
        self.steps.push(Step::Add(clause.iter().copied().map(dimacs).collect()));
    }

    fn on_delete_clause(&mut self, clause: &[Lit]) {
        self.steps.push(Step::Delete(clause.iter().copied().map(dimacs).collect()));
    }

    fn stop(&self) -> bool {
        (self.stop)()
    }
}

/// Solves a formula. `stop` is asked from time to time.
pub(crate) fn prove(cnf: &Cnf, stop: &dyn Fn() -> bool) -> Answer {
    let log = Log { steps: Vec::new(), stop };
    let mut solver = Solver::new(SolverOpts::default(), log);
    for variable in 0..cnf.variable_count() as u32 {
        solver.var_of_int(variable);
    }
    let mut consistent = true;
    for clause in cnf.clauses() {
        let mut literals: Vec<Lit> = Vec::with_capacity(clause.len());
        for literal in clause {
            let variable = solver.var_of_int(literal.unsigned_abs() - 1);
            literals.push(Lit::new(variable, *literal > 0));
        }
        consistent = consistent && solver.add_clause_reuse(&mut literals);
    }
    let answer = if consistent { solver.solve_limited(&[]) } else { lbool::FALSE };
    if answer == lbool::TRUE {
        let variables = 0..cnf.variable_count() as u32;
        let model = variables.map(|index| {
            let variable = solver.var_of_int(index);
            solver.value_var(variable) == lbool::TRUE
        });
        return Answer::Model(model.collect());
    }
    if answer != lbool::FALSE {
        return Answer::Interrupted;
    }
    let mut steps = std::mem::take(&mut solver.cb_mut().steps);
    steps.push(Step::Add(Vec::new()));
    Answer::Proof(steps)
}

/// Checks a proof while leaving out what a checker would trip over: the solver shortens clauses by
/// literals it knows to be false without saying so, and later deletes the short form.
pub(crate) fn tidy(cnf: &Cnf, steps: Vec<Step>) -> Result<Vec<Step>, ProofError> {
    let mut checker = Checker::of(cnf);
    let mut kept = Vec::with_capacity(steps.len());
    for step in steps {
        match &step {
            Step::Add(clause) => {
                if !checker.follows(clause) {
                    return Err(ProofError::DoesNotFollow { step: kept.len() + 1 });
                }
                checker.add(clause);
                let done = checker.is_contradiction();
                if done {
                    // Unit propagation alone gives the empty clause now.
                    if !clause.is_empty() {
                        kept.push(step);
                    }
                    kept.push(Step::Add(Vec::new()));
                    return Ok(kept);
                }
                kept.push(step);
            }
            Step::Delete(clause) => {
                if checker.delete(clause) {
                    kept.push(step);
                }
            }
        }
    }
    Err(ProofError::NoContradiction)
}
