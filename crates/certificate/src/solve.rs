//! From the ground program to definitions: every atom is true iff some instance of it is satisfied,
//! and nothing supports itself.
//!
//! Atoms that depend on each other in a circle form a component. A component is solved by rounds:
//! in round 0 all its atoms are false, and in each further round an atom is true iff some instance
//! is satisfied by the round before. After as many rounds as there are atoms the least model is
//! reached, since every round before that adds an atom. Where negation lies on a circle, the
//! rounds read it against a fixed assumption, and the assumption is alternately an overestimate
//! and an underestimate of the well-founded model (Van Gelder, 1993); what remains between the two
//! is undecided, and the run has no outcome.

use linchpin_dedalus::hir::{Aggregate, Program, RuleId};
use rustc_hash::FxHashMap;

use crate::NotCertifiable;
use crate::aggregate::{encode, is_better};
use crate::circuit::{Circuit, Literal};
use crate::components::components;
use crate::faults::Faults;
use crate::ground::{Atom, Condition, Ground, Instance};

/// Size of all definitions beyond which a program is given up.
const SIZE_MAX: usize = 20_000_000;

/// What the ground program says, as literals of a circuit.
pub(crate) struct Solved {
    /// Per atom: true iff the atom is.
    pub(crate) atoms: Vec<Literal>,
    /// Each is true if the run has no outcome.
    pub(crate) failures: Vec<Literal>,
}

/// The atoms of a component in some round.
type Round = FxHashMap<Atom, Literal>;

struct Solver<'a> {
    program: &'a Program,
    ground: &'a Ground,
    faults: &'a Faults,
    circuit: &'a mut Circuit,
    /// The instances of each atom.
    instances_of: Vec<Vec<usize>>,
    solved: Vec<Option<Literal>>,
    /// The outcomes of aggregates that do not lie on a circle.
    outcomes: FxHashMap<usize, Vec<Literal>>,
    failures: Vec<Literal>,
}

/// Defines every atom.
pub(crate) fn solve(
    program: &Program,
    ground: &Ground,
    faults: &Faults,
    circuit: &mut Circuit,
) -> Result<Solved, NotCertifiable> {
    let mut instances_of = vec![Vec::new(); ground.names.len()];
    for (index, instance) in ground.instances.iter().enumerate() {
        if let Some(head) = instance.head {
            instances_of[head].push(index);
        }
    }
    let mut solver = Solver {
        program,
        ground,
        faults,
        circuit,
        instances_of,
        solved: vec![None; ground.names.len()],
        outcomes: FxHashMap::default(),
        failures: Vec::new(),
    };
    for component in components(&all_dependencies(ground)) {
        solver.component(&component)?;
    }
    for instance in ground.instances.iter().filter(|instance| instance.head.is_none()) {
        let failure = solver.instance(instance, &Round::default(), &Round::default());
        solver.failures.push(failure);
    }
    let atoms = solver.solved.iter().map(|literal| literal.expect("all are solved")).collect();
    Ok(Solved { atoms, failures: solver.failures })
}

/// The atoms a condition depends on.
fn dependencies(ground: &Ground, condition: Condition) -> Vec<Atom> {
    match condition {
        Condition::Present(atom) | Condition::Absent(atom) => vec![atom],
        Condition::Travels { .. }
        | Condition::Down { .. }
        | Condition::Up { .. }
        | Condition::Remembers { .. }
        | Condition::Chosen { .. }
        | Condition::Crashes { .. } => Vec::new(),
        Condition::Takes { aggregate, .. } => {
            ground.aggregates[aggregate].members.iter().map(|member| member.1).collect()
        }
    }
}

/// Per atom: the atoms its instances depend on.
fn all_dependencies(ground: &Ground) -> Vec<Vec<Atom>> {
    let mut found = vec![Vec::new(); ground.names.len()];
    for instance in &ground.instances {
        let Some(head) = instance.head else { continue };
        for &condition in &instance.conditions {
            found[head].extend(dependencies(ground, condition));
        }
    }
    found
}

impl Solver<'_> {
    fn component(&mut self, atoms: &[Atom]) -> Result<(), NotCertifiable> {
        let ground = self.ground;
        let inside = |atom: &Atom| atoms.binary_search(atom).is_ok();
        let depends_on_itself =
            |condition: Condition| dependencies(ground, condition).iter().any(inside);
        let (mut cyclic, mut negative) = (false, false);
        for &index in atoms.iter().flat_map(|&atom| &self.instances_of[atom]) {
            for &condition in &ground.instances[index].conditions {
                if depends_on_itself(condition) {
                    cyclic = true;
                    negative |= !matches!(condition, Condition::Present(_));
                }
            }
        }
        let nothing = Round::default();
        let last = if !cyclic {
            self.round(atoms, &nothing, &nothing)
        } else if !negative {
            self.least(atoms, &nothing)?
        } else {
            self.well_founded(atoms)?
        };
        for &atom in atoms {
            let name = ground.names[atom].clone();
            self.solved[atom] = Some(self.circuit.named_or(name, vec![last[&atom]]));
        }
        self.check_size(atoms)
    }

    fn check_size(&self, atoms: &[Atom]) -> Result<(), NotCertifiable> {
        if self.circuit.size() <= SIZE_MAX {
            return Ok(());
        }
        let reason = if atoms.len() > 1 {
            "too many facts depend on each other in a circle"
        } else {
            "its formula is too large"
        };
        let (rule, time) = self.some_rule(atoms);
        Err(NotCertifiable::new(reason, rule, time))
    }

    /// A rule that derives one of these atoms.
    fn some_rule(&self, atoms: &[Atom]) -> (Option<RuleId>, u32) {
        let instances = atoms.iter().flat_map(|&atom| &self.instances_of[atom]);
        let mut instances = instances.map(|&index| &self.ground.instances[index]);
        instances.next().map_or((None, 1), |instance| (instance.rule, instance.time))
    }

    /// The least model if negations inside the component are read against `assumed`.
    fn least(&mut self, atoms: &[Atom], assumed: &Round) -> Result<Round, NotCertifiable> {
        let mut current = self.nothing(atoms);
        for _ in 0..atoms.len() {
            let next = self.round(atoms, &current, assumed);
            if next == current {
                break; // The same definitions: all further rounds are equal.
            }
            current = next;
            self.check_size(atoms)?;
        }
        Ok(current)
    }

    /// The alternating fixpoint. Each turn but the last makes some atom true for good.
    fn well_founded(&mut self, atoms: &[Atom]) -> Result<Round, NotCertifiable> {
        let mut below = self.nothing(atoms);
        let mut above = self.least(atoms, &below)?;
        for _ in 0..atoms.len() {
            let next = self.least(atoms, &above)?;
            if next == below {
                break;
            }
            below = next;
            above = self.least(atoms, &below)?;
        }
        for atom in atoms {
            let undecided = self.circuit.and(vec![above[atom], -below[atom]]);
            self.failures.push(undecided);
        }
        Ok(below)
    }

    fn nothing(&mut self, atoms: &[Atom]) -> Round {
        let falsehood = self.circuit.or(Vec::new());
        atoms.iter().map(|&atom| (atom, falsehood)).collect()
    }

    /// One application of all instances.
    fn round(&mut self, atoms: &[Atom], present: &Round, assumed: &Round) -> Round {
        let ground = self.ground;
        atoms
            .iter()
            .map(|&atom| {
                let ways = self.instances_of[atom].clone();
                let ways = ways
                    .into_iter()
                    .map(|index| self.instance(&ground.instances[index], present, assumed))
                    .collect();
                (atom, self.circuit.or(ways))
            })
            .collect()
    }

    fn value(&self, atom: Atom, round: &Round) -> Literal {
        round.get(&atom).copied().or(self.solved[atom]).expect("components come in order")
    }

    /// True iff all conditions of an instance hold.
    fn instance(&mut self, instance: &Instance, present: &Round, assumed: &Round) -> Literal {
        let conditions: Vec<Literal> = instance
            .conditions
            .iter()
            .map(|&condition| match condition {
                Condition::Present(atom) => self.value(atom, present),
                Condition::Absent(atom) => -self.value(atom, assumed),
                Condition::Travels { from, to, at, late } => {
                    self.faults.travels(self.circuit, (from, to, at, late))
                }
                Condition::Down { node, at } => self.faults.down(self.circuit, node, at),
                Condition::Up { node, at } => -self.faults.down(self.circuit, node, at),
                Condition::Remembers { node, at } => {
                    -self.faults.recovering(self.circuit, node, at)
                }
                Condition::Chosen { input, alternative } => {
                    self.faults.chosen(self.circuit, input, alternative)
                }
                Condition::Crashes { node, at } => self.faults.crashes(node, at),
                Condition::Takes { aggregate, outcome } => {
                    self.takes(aggregate, outcome, present, assumed)
                }
            })
            .collect();
        let Some(rule) = instance.rule.filter(|_| conditions.len() > 1) else {
            return self.circuit.and(conditions);
        };
        if !present.is_empty() {
            return self.circuit.and(conditions); // One of several rounds.
        }
        let relation = self.program.rules[rule.index()].head.relation;
        let relation = &self.program.relation(relation).name;
        let what = if instance.head.is_some() { "rule" } else { "failure of rule" };
        let name = format!("{what} {} {relation} @{}", rule.0 + 1, instance.time);
        self.circuit.named_and(name, conditions)
    }

    /// True iff an aggregate takes one of its outcomes.
    fn takes(
        &mut self,
        number: usize,
        outcome: usize,
        present: &Round,
        assumed: &Round,
    ) -> Literal {
        let aggregate = &self.ground.aggregates[number];
        let is_inside = aggregate.members.iter().any(|member| present.contains_key(&member.1));
        if is_inside {
            // On a circle: a member with no better member (other functions are refused by the
            // front end).
            assert!(matches!(aggregate.function, Aggregate::Min | Aggregate::Max));
            let Ok(chosen) = &aggregate.outcomes[outcome] else {
                unreachable!("a choice does not overflow")
            };
            let mut literals = Vec::new();
            for (member, atom) in &aggregate.members {
                if member == chosen {
                    literals.push(self.value(*atom, present));
                } else if is_better(aggregate.function, member, chosen) {
                    literals.push(-self.value(*atom, assumed));
                }
            }
            return self.circuit.and(literals);
        }
        if let Some(literals) = self.outcomes.get(&number) {
            return literals[outcome];
        }
        let nothing = Round::default();
        let members: Vec<_> = aggregate
            .members
            .iter()
            .map(|(value, atom)| (value.clone(), self.value(*atom, &nothing)))
            .collect();
        let literals = encode(aggregate.function, &members, &aggregate.outcomes, self.circuit);
        let literal = literals[outcome];
        self.outcomes.insert(number, literals);
        literal
    }
}
