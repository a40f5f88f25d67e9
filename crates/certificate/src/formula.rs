//! The formula: some fault set within the bounds breaks the invariant, or has no outcome.

use std::collections::BTreeSet;
use std::fmt::Write;

use linchpin_dedalus::hir::{Program, RelationId, RuleId};
use linchpin_model::{Bounds, Fault, FaultSet, Invariant};
use linchpin_proof::Cnf;

use crate::NotCertifiable;
use crate::certificate::escape;
use crate::circuit::{Circuit, Literal, holds};
use crate::faults::Faults;
use crate::ground::Ground;
use crate::inputs::as_faults;
use crate::possible::{Kind, Possible};
use crate::rule::ReadyRule;
use crate::solve::{Solved, solve};
use crate::value::{Row, Values};

/// Tables, and pairs of faults that exclude each other, beyond which a program is given up.
const BOUNDS_MAX: u32 = 5_000_000;

/// A formula that is satisfiable iff some fault set within the bounds is bad or has no outcome, and
/// what its variables mean.
#[derive(Clone, Debug)]
pub struct Formula {
    pub(crate) cnf: Cnf,
    faults: Vec<(Fault, Literal)>,
    circuit: Circuit,
    /// True iff the run is bad or has no outcome.
    violation: Literal,
}

impl Formula {
    /// Derives the formula of a program, naively.
    ///
    /// # Errors
    /// If the program lacks a relation that the invariant needs or the bounds declare durable, or if
    /// what it can do within the bounds is too much to write down.
    pub fn derive(
        program: &Program,
        bounds: &Bounds,
        invariant: Invariant,
    ) -> Result<Self, NotCertifiable> {
        let unknown = bounds.durable.iter().find(|name| program.relation_named(name).is_none());
        if let Some(relation) = unknown {
            return Err(NotCertifiable::UnknownDurable { relation: relation.clone() });
        }
        bearable(program, bounds)?;
        // The inputs are those of the program, whatever the bounds say.
        let bounds = &Bounds { inputs: as_faults(program), ..bounds.clone() };
        let mut values = Values::default();
        let mut circuit = Circuit::default();
        let faults = Faults::new(bounds, &mut values, &mut circuit);
        let rules: Vec<ReadyRule> = (0..program.rules.len())
            .map(|index| ReadyRule::new(program, RuleId(index as u32), &mut values))
            .collect();
        let possible = Possible::derive(program, &rules, bounds, &mut values)?;
        let ground = Ground::new(program, &rules, bounds, &possible, &mut values)?;
        let solved = solve(program, &ground, &faults, &mut circuit)?;
        let budget = faults.budget(bounds, &mut circuit);
        let goal = Goal { program, eot: bounds.eot, possible: &possible, ground: &ground };
        let violation = goal.violation(invariant, &solved, &mut circuit)?;
        let mut cnf = circuit.clauses();
        for clause in &budget {
            cnf.add(clause);
        }
        cnf.add(&[violation]);
        Ok(Self { cnf, faults: faults.variables, circuit, violation })
    }

    /// The formula.
    #[must_use]
    pub fn cnf(&self) -> &Cnf {
        &self.cnf
    }

    /// Every variable, one per line: its number, and what it stands for.
    #[must_use]
    pub fn map(&self) -> String {
        let mut text = String::new();
        for variable in 1..=self.circuit.variable_count() as Literal {
            let name = escape(self.circuit.name(variable));
            writeln!(text, "{variable} {name}").expect("strings can be written to");
        }
        text
    }

    /// The faults that a model of the formula chooses.
    #[must_use]
    pub fn faults_of(&self, is_true: impl Fn(i32) -> bool) -> FaultSet {
        let chosen = self.faults.iter().filter(|(_, variable)| is_true(*variable));
        chosen.map(|(fault, _)| fault.clone()).collect()
    }

    /// Whether a run under these faults is bad or has no outcome, read off the definitions.
    #[must_use]
    pub fn is_violated_by(&self, faults: &FaultSet) -> bool {
        let chosen: BTreeSet<Literal> = self
            .faults
            .iter()
            .filter(|(fault, _)| faults.contains(fault))
            .map(|(_, variable)| *variable)
            .collect();
        let values = self.circuit.evaluate(|variable| chosen.contains(&variable));
        holds(&values, self.violation)
    }
}

/// Refuses bounds (a certificate may state any) under which tables and faults alone are too much.
fn bearable(program: &Program, bounds: &Bounds) -> Result<(), NotCertifiable> {
    let square = |count: u32| u128::from(count) * u128::from(count);
    let Bounds { eot, eff, crashes, nodes, max_delay, .. } = bounds;
    let nodes = nodes.len() as u128;
    let tables = u128::from(*eot) * program.relations.len() as u128;
    // Faults exclude each other in pairs.
    let crashes = if *crashes > 0 { nodes * square(*eot) } else { 0 };
    let losses = u128::from(*eff) * nodes * nodes * square((*max_delay).min(*eot) + 1);
    if tables.max(crashes).max(losses) <= u128::from(BOUNDS_MAX) {
        return Ok(());
    }
    Err(NotCertifiable::new("the bounds allow too many steps and faults", None, *eot))
}

struct Goal<'a> {
    program: &'a Program,
    eot: u32,
    possible: &'a Possible,
    ground: &'a Ground,
}

impl Goal<'_> {
    fn relation(&self, name: &'static str) -> Result<RelationId, NotCertifiable> {
        self.program.relation_named(name).ok_or(NotCertifiable::MissingRelation { relation: name })
    }

    /// The possible rows of a relation at the end, each with its literal.
    fn rows(&self, relation: RelationId, solved: &Solved) -> Vec<(Row, Literal)> {
        let table = self.possible.table(Kind::Fact, relation, self.eot);
        (0..table.len())
            .map(|row| {
                let atom = self.ground.atom(self.possible, Kind::Fact, relation, self.eot, row);
                (table.row(row).to_vec(), solved.atoms[atom])
            })
            .collect()
    }

    /// True iff some row that is asked for is not answered, or the run has no outcome.
    fn violation(
        &self,
        invariant: Invariant,
        solved: &Solved,
        circuit: &mut Circuit,
    ) -> Result<Literal, NotCertifiable> {
        let falsehood = circuit.or(Vec::new());
        let truth = circuit.and(Vec::new());
        let (before, after) = match invariant {
            Invariant::Implication | Invariant::Baseline => {
                (Some(self.rows(self.relation("pre")?, solved)), self.relation("post")?)
            }
            Invariant::Good => (None, self.relation("good")?),
        };
        let after = self.rows(after, solved);
        let find = |rows: &[(Row, Literal)], row: &Row| {
            rows.iter().find(|entry| entry.0 == *row).map_or(falsehood, |entry| entry.1)
        };
        // Each row that can be asked for, with its condition.
        let asked: Vec<(Row, Literal)> = match (invariant, before) {
            (Invariant::Implication, Some(before)) => before,
            (_, before) => {
                let fault_free = circuit.evaluate(|_| false);
                let reference = after.iter().filter(|entry| holds(&fault_free, entry.1));
                reference
                    .map(|(row, _)| {
                        let asked = before.as_ref().map_or(truth, |before| find(before, row));
                        (row.clone(), asked)
                    })
                    .collect()
            }
        };
        let mut ways = solved.failures.clone();
        for (row, asked) in &asked {
            ways.push(circuit.and(vec![*asked, -find(&after, row)]));
        }
        Ok(circuit.named_or("violation".to_owned(), ways))
    }
}
