//! Everything that must agree about one program within bounds.

use std::collections::BTreeSet;

use linchpin_dedalus::hir::{Program, RelationId, RelationKind, Value};
use linchpin_formula::Variable;
use linchpin_model::{Bounds, Fault, FaultSet, Invariant, Outcome, Verdict};
use linchpin_search::{Options, SearchError, Strategy, System, search};
use linchpin_simulator::naive::{self, Checked, Evaluator, Tables};
use linchpin_simulator::{Derivation, Execution, Fact, Prediction, Specification, SystemError};

use crate::generate::random_faults;
use crate::random::Random;

/// Fault spaces up to this size are enumerated with the oracle, without `LINCHPIN_ORACLE_MAX`.
const ORACLE_MAX: u64 = 160;

fn oracle_max() -> u64 {
    crate::setting("LINCHPIN_ORACLE_MAX", ORACLE_MAX)
}

/// Fault spaces up to this size are searched exhaustively. (Those of random programs are.)
const EXHAUSTIVE_MAX: u64 = 20_000;

/// Fault spaces up to this size are searched without a ground program.
const UNGROUNDED_MAX: u64 = 400;

/// A step that takes longer does not end. (No generated program that ends comes near.)
pub(crate) const ROUNDS_MAX: usize = 120;

/// What a case turned out to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The program is no program, or not for this invariant.
    Rejected,
    /// Some run has no result, and no counterexample forestalls it.
    Erroneous,
    Judged {
        verdict: Verdict,
        vacuous: bool,
        counterexamples: BTreeSet<FaultSet>,
    },
}

#[derive(Clone, Debug)]
pub(crate) struct Findings {
    pub(crate) kind: Kind,
    pub(crate) by_oracle: bool,
    pub(crate) grounded: bool,
    pub(crate) unstratified: bool,
}

/// What two parts of Linchpin do not agree about.
pub(crate) type Disagreement = String;

/// Compares everything there is.
pub(crate) fn compare(
    text: &str,
    bounds: &Bounds,
    invariant: Invariant,
    random: &mut Random,
) -> Result<Findings, Disagreement> {
    let rejected =
        Findings { kind: Kind::Rejected, by_oracle: false, grounded: false, unstratified: false };
    let Some(program) = linchpin_dedalus::compile_text("case.ded", text).program else {
        return Ok(rejected);
    };
    let bounds = &Bounds { inputs: linchpin_simulator::inputs(&program), ..bounds.clone() };
    if Specification::new(&program, bounds, invariant).is_err() {
        return Ok(rejected);
    }
    let unstratified = program.strata.iter().any(|stratum| stratum.unstratified);
    let comparison = Comparison { program: &program, bounds, invariant };
    comparison.runs(random)?;
    comparison.supports(random)?;
    let grounded = comparison.specification().predict(&FaultSet::none()).is_some();
    let (kind, by_oracle) = comparison.searches(grounded, random)?;
    Ok(Findings { kind, by_oracle, grounded, unstratified })
}

/// Compares some runs of a program, and the searches if the fault space is small.
pub(crate) fn compare_specification(
    program: &Program,
    bounds: &Bounds,
    invariant: Invariant,
    random: &mut Random,
) -> Result<(), Disagreement> {
    let bounds = &Bounds { inputs: linchpin_simulator::inputs(program), ..bounds.clone() };
    let comparison = Comparison { program, bounds, invariant };
    for _ in 0..3 {
        comparison.runs(random)?;
    }
    comparison.supports(random)?;
    if bounds.fault_space() <= EXHAUSTIVE_MAX.into() {
        comparison.searches(true, random)?;
    }
    Ok(())
}

/// How a search ended: with an error, or with a result.
type Ending = Result<Checked, FaultSet>;

struct Comparison<'a> {
    program: &'a Program,
    bounds: &'a Bounds,
    invariant: Invariant,
}

impl Comparison<'_> {
    fn specification(&self) -> Specification {
        Specification::new(self.program, self.bounds, self.invariant)
            .expect("the program has the relations of the invariant")
    }

    fn evaluator(&self) -> Evaluator<'_> {
        Evaluator::new(self.program, self.bounds).with_rounds_max(ROUNDS_MAX)
    }

    /// The simulator, the oracle and the ground program, row by row.
    fn runs(&self, random: &mut Random) -> Result<(), Disagreement> {
        let mut specification = self.specification();
        let evaluator = self.evaluator();
        let reference = evaluator.run(&FaultSet::none());
        // Then the simulator fails with the run it compares with.
        let fails_first = self.invariant != Invariant::Implication && reference.is_err();
        let mut sets = vec![FaultSet::none()];
        for count in [1, 2, 3, 5] {
            sets.push(random_faults(self.bounds, count, random));
        }
        // A single run may be given more faults than a search may try.
        let most = Bounds {
            eff: self.bounds.eot,
            crashes: self.bounds.nodes.len() as u32,
            recoveries: self.bounds.nodes.len() as u32,
            ..self.bounds.clone()
        };
        sets.push(random_faults(&most, 3, random));
        for faults in sets {
            let fast = specification.execute(&faults);
            let naive = evaluator.run(&faults);
            match (&fast, &naive) {
                (Err(fast), Err(naive)) if fast.time == naive.time || fails_first => {}
                (Ok(execution), Ok(tables)) => {
                    self.same_rows(execution, tables)?;
                    if let Ok(reference) = &reference {
                        let outcome = naive::outcome(
                            self.program,
                            self.bounds,
                            self.invariant,
                            tables,
                            reference,
                        );
                        if outcome != execution.outcome {
                            return Err(format!(
                                "under {faults} the outcome is {} (simulator) or {outcome} (oracle)",
                                execution.outcome
                            ));
                        }
                    }
                    lineage_is_sound(specification.program(), execution)?;
                }
                (Err(_), Ok(_)) if fails_first => {}
                (fast, naive) => {
                    let naive = naive.as_ref().map(|_| "tables");
                    let fast = fast.as_ref().map(|_| "tables");
                    return Err(format!(
                        "under {faults} the simulator gives {fast:?}, the oracle {naive:?}"
                    ));
                }
            }
            if !self.bounds.allow(&faults) {
                continue;
            }
            match (specification.predict(&faults), &naive) {
                (Some(Prediction::Facts(facts)), Ok(tables)) => {
                    let predicted = Execution {
                        faults: faults.clone(),
                        outcome: Outcome::Inconclusive,
                        facts,
                        derivations: Vec::new(),
                        kept: Vec::new(),
                        messages: Vec::new(),
                    };
                    self.same_rows(&predicted, tables)
                        .map_err(|difference| format!("ground program: {difference}"))?;
                }
                (None, _) | (Some(Prediction::NoResult), Err(_)) => {}
                (Some(prediction), _) => {
                    let prediction = match prediction {
                        Prediction::Facts(_) => "facts",
                        Prediction::NoResult => "no result",
                    };
                    let naive = naive.map(|_| "tables");
                    return Err(format!(
                        "under {faults} the ground program gives {prediction}, the oracle {naive:?}"
                    ));
                }
            }
        }
        Ok(())
    }

    fn same_rows(&self, execution: &Execution, tables: &Tables) -> Result<(), Disagreement> {
        for time in 1..=self.bounds.eot {
            for (index, relation) in self.program.relations.iter().enumerate() {
                if relation.kind == RelationKind::Crash && time > 1 {
                    continue;
                }
                let id = RelationId(index as u32);
                let fast: BTreeSet<&[_]> = execution.rows(id, time).collect();
                let naive: BTreeSet<&[_]> =
                    tables.rows(id, time).iter().map(|row| &row[..]).collect();
                if fast != naive {
                    return Err(format!(
                        "under {} `{}` at time {time} is\n    {fast:?} but for the oracle\n    {naive:?}",
                        execution.faults, relation.name
                    ));
                }
            }
        }
        Ok(())
    }

    /// The support of a run that is not bad is true of its faults, and false of every fault set
    /// whose run is bad or has no result.
    fn supports(&self, random: &mut Random) -> Result<(), Disagreement> {
        if self.bounds.fault_space() > oracle_max().into() {
            return Ok(());
        }
        for grounded in [true, false] {
            let mut specification = self.specification();
            if !grounded {
                specification = specification.without_grounding();
            }
            let all: Vec<Vec<Variable>> = fault_sets(&specification, self.bounds);
            let mut learned = Vec::new();
            for _ in 0..3 {
                let faults = random.pick(&all).clone();
                let Ok(observation) = specification.run(&faults) else { continue };
                learned.extend(observation.support.map(|support| (faults, support)));
            }
            for faults in &all {
                let observation = specification.run(faults);
                let is_bad = !observation
                    .as_ref()
                    .is_ok_and(|observation| observation.outcome != Outcome::Bad);
                let values = specification
                    .graph()
                    .evaluate(|variable| faults.binary_search(&variable).is_ok());
                for (from, support) in &learned {
                    let wrong = if from == faults { is_bad } else { is_bad && values.of(*support) };
                    if wrong || (from == faults && !values.of(*support)) {
                        let space = specification.space();
                        return Err(format!(
                            "the support of the run under {} (grounded: {grounded}) is {} of {}, \
                             which gives {:?}",
                            space.fault_set(from),
                            values.of(*support),
                            space.fault_set(faults),
                            observation.map(|observation| observation.outcome),
                        ));
                    }
                }
            }
        }
        Ok(())
    }

    /// All strategies that find everything find the same.
    fn searches(&self, grounded: bool, random: &mut Random) -> Result<(Kind, bool), Disagreement> {
        let space = self.bounds.fault_space();
        // Beyond that, only searches that learn can be compared.
        let strategy =
            if space <= EXHAUSTIVE_MAX.into() { Strategy::Exhaustive } else { Strategy::Lineage };
        let expected = self.search(strategy, true)?;
        let by_oracle = space <= oracle_max().into();
        if by_oracle {
            let oracle =
                naive::check(&self.evaluator(), self.invariant).map_err(|error| error.faults);
            same_ending("the oracle", &oracle, &expected)?;
        }
        same_ending("lineage", &self.search(Strategy::Lineage, true)?, &expected)?;
        if grounded {
            same_ending("symbolic", &self.search(Strategy::Symbolic, true)?, &expected)?;
        }
        if grounded && space <= UNGROUNDED_MAX.into() {
            let ungrounded = self.search(Strategy::Lineage, false)?;
            same_ending("lineage without grounding", &ungrounded, &expected)?;
        }
        if let Ok(expected) = &expected {
            self.reordered(expected, grounded)?;
            self.one_counterexample(expected)?;
            self.random_search(expected, random.next())?;
        }
        let kind = match expected {
            Err(_) => Kind::Erroneous,
            Ok(Checked { verdict, vacuous, counterexamples, .. }) => {
                Kind::Judged { verdict, vacuous, counterexamples }
            }
        };
        Ok((kind, by_oracle))
    }

    fn search(&self, strategy: Strategy, grounded: bool) -> Result<Ending, Disagreement> {
        let mut specification = self.specification();
        if !grounded {
            specification = specification.without_grounding();
        }
        let options = Options { strategy, all: true, ..Options::default() };
        self.search_with(&mut specification, options)
    }

    fn search_with(
        &self,
        specification: &mut Specification,
        options: Options,
    ) -> Result<Ending, Disagreement> {
        let strategy = options.strategy;
        match search(specification, options, &mut ()) {
            Ok(report) => {
                let space = specification.space();
                let found: Vec<FaultSet> =
                    report.counterexamples.iter().map(|faults| space.fault_set(faults)).collect();
                let counterexamples: BTreeSet<FaultSet> = found.iter().cloned().collect();
                let largest = counterexamples.iter().map(FaultSet::len).max().unwrap_or(0);
                let covered = report.size_covered;
                let covers = match strategy {
                    Strategy::Random => covered.is_none(),
                    // Nothing but the run without faults was needed.
                    _ if !options.all || counterexamples.contains(&FaultSet::none()) => true,
                    _ => covered.is_some_and(|size| size >= largest),
                };
                if !covers {
                    return Err(format!("{strategy:?} claims to have covered size {covered:?}"));
                }
                if counterexamples.len() < found.len() {
                    return Err(format!("{strategy:?} finds a counterexample twice: {found:?}"));
                }
                Ok(Ok(Checked {
                    verdict: report.verdict,
                    vacuous: specification.vacuous().expect("the search ran without faults"),
                    counterexamples,
                    runs: report.runs,
                }))
            }
            Err(SearchError::Run { error: SystemError::Run(_), faults }) => {
                Ok(Err(specification.space().fault_set(&faults)))
            }
            Err(SearchError::Run { error, .. }) => Err(format!("{strategy:?}: {error}")),
            Err(SearchError::Contradiction { faults }) => Err(format!(
                "{strategy:?}: a formula contradicts the run under {}",
                specification.space().fault_set(&faults)
            )),
            Err(other) => Err(format!("{strategy:?}: {other:?}")),
        }
    }

    /// Symmetry, likelihood and threads change how often and in which order runs are made, not what
    /// is found.
    fn reordered(&self, expected: &Checked, grounded: bool) -> Result<(), Disagreement> {
        let cost = |fault: &Fault| f64::from(fault.at() % 2) + 1.0;
        for strategy in [Strategy::Auto, Strategy::Lineage, Strategy::Exhaustive] {
            let small = self.bounds.fault_space() <= UNGROUNDED_MAX.into();
            if !small && (!grounded || strategy == Strategy::Exhaustive) {
                continue;
            }
            for (symmetry, likelihood) in [(true, false), (false, true), (true, true)] {
                let mut specification = self.specification();
                if symmetry {
                    specification = specification.with_symmetry();
                }
                if likelihood {
                    specification = specification.with_costs(cost);
                }
                let options = Options { strategy, all: true, threads: 2, ..Options::default() };
                let ending = self.search_with(&mut specification, options)?;
                let same = ending.as_ref().is_ok_and(|found| {
                    found.verdict == expected.verdict
                        && found.counterexamples == expected.counterexamples
                        && (symmetry
                            || strategy != Strategy::Exhaustive
                            || found.runs == expected.runs)
                });
                if !same {
                    let found = ending.map(|found| found.counterexamples);
                    return Err(format!(
                        "{strategy:?} (symmetry {symmetry}, likelihood {likelihood}) finds \
                         {found:?}, not {:?}",
                        expected.counterexamples
                    ));
                }
            }
            // The one counterexample that is reported is a smallest one and the likeliest of these.
            let options = Options { strategy, ..Options::default() };
            let mut specification = self.specification().with_costs(cost);
            let rank = |faults: &FaultSet| (faults.len(), faults.iter().map(cost).sum::<f64>());
            let best = expected
                .counterexamples
                .iter()
                .map(rank)
                .min_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
            let found = self.search_with(&mut specification, options)?;
            let found = found.map(|found| found.counterexamples.first().map(rank));
            if found.as_ref().ok() != Some(&best) {
                return Err(format!("{strategy:?}: the likeliest is {best:?}, not {found:?}"));
            }
        }
        Ok(())
    }

    /// A search for one counterexample finds a smallest one.
    fn one_counterexample(&self, expected: &Checked) -> Result<(), Disagreement> {
        let options = Options { strategy: Strategy::Lineage, ..Options::default() };
        let ending = self.search_with(&mut self.specification(), options)?;
        let found = match &ending {
            Ok(found) => found.counterexamples.first(),
            Err(faults) => return Err(format!("a search for one fails under {faults}")),
        };
        let smallest = expected.counterexamples.iter().map(FaultSet::len).min();
        if found.map(FaultSet::len) != smallest
            || found.is_some_and(|found| !expected.counterexamples.contains(found))
        {
            return Err(format!(
                "a search for one finds {found:?} of {:?}",
                expected.counterexamples
            ));
        }
        Ok(())
    }

    /// What a random search finds is minimal.
    fn random_search(&self, expected: &Checked, seed: u64) -> Result<(), Disagreement> {
        let options = Options {
            strategy: Strategy::Random,
            all: true,
            runs_max: Some(12),
            seed,
            ..Options::default()
        };
        match self.search_with(&mut self.specification(), options)? {
            Ok(found) if found.counterexamples.is_subset(&expected.counterexamples) => Ok(()),
            // It may run what the others need not: a superset of a counterexample.
            Err(_) => Ok(()),
            Ok(found) => Err(format!(
                "a random search finds {:?}, not among {:?}",
                found.counterexamples, expected.counterexamples
            )),
        }
    }
}

/// A search ends in an error iff some fault set has a run without a result and contains no smaller
/// counterexample; then every complete search does, at a fault set of the same size.
fn same_ending(name: &str, found: &Ending, expected: &Ending) -> Result<(), Disagreement> {
    let agree = match (found, expected) {
        (Ok(found), Ok(expected)) => {
            (found.verdict, found.vacuous, &found.counterexamples)
                == (expected.verdict, expected.vacuous, &expected.counterexamples)
        }
        (Err(found), Err(expected)) => found.len() == expected.len(),
        _ => false,
    };
    if agree {
        return Ok(());
    }
    let show = |ending: &Ending| match ending {
        Err(faults) => format!("an error under {faults}"),
        Ok(Checked { verdict, vacuous, counterexamples, .. }) => {
            let sets: Vec<String> = counterexamples.iter().map(ToString::to_string).collect();
            format!("{verdict} (vacuous: {vacuous}) {}", sets.join(" "))
        }
    };
    Err(format!("{name} ends with\n    {}\nexpected is\n    {}", show(found), show(expected)))
}

/// Every fact that no rule derives is given; whatever a derivation stands on was there or not, as
/// it says.
fn lineage_is_sound(program: &Program, execution: &Execution) -> Result<(), Disagreement> {
    for (id, fact) in execution.facts.iter().enumerate() {
        let id = linchpin_simulator::FactId(id as u32);
        let alternatives = program.choices.iter().flat_map(|choice| choice.alternatives());
        let given = program.relation(fact.relation).kind == RelationKind::Crash
            || program.facts.iter().cloned().chain(alternatives).any(|given| {
                (given.time, given.relation, &given.row) == (fact.time, fact.relation, &fact.row)
            });
        let kept = execution.kept.iter().any(|(kept, _)| *kept == id);
        if !given && !kept && execution.derivations_of(id).is_empty() {
            return Err(format!("under {} nothing derives {fact:?}", execution.faults));
        }
        for derivation in execution.derivations_of(id) {
            let earlier = |premise: &Fact| {
                premise.time <= fact.time || program.rules[derivation.rule.index()].look_ahead
            };
            if let Some(premise) =
                derivation.premises.iter().map(|id| execution.fact(*id)).find(|p| !earlier(p))
            {
                return Err(format!("{fact:?} is derived from the later {premise:?}"));
            }
            absences_hold(program, execution, derivation)?;
        }
    }
    messages_are_accounted_for(execution)
}

/// No row is there that a derivation says had to be absent.
fn absences_hold(
    program: &Program,
    execution: &Execution,
    derivation: &Derivation,
) -> Result<(), Disagreement> {
    // An absence does not say that two of its columns, any value each, had to be equal.
    let rule = &program.rules[derivation.rule.index()];
    if rule.variables.iter().any(|variable| variable.existential) {
        return Ok(());
    }
    for absence in &derivation.absences {
        let is_crash = program.relation(absence.relation).kind == RelationKind::Crash;
        let time = if is_crash { 1 } else { absence.time };
        let refutes = |row: &&[Value]| {
            let mut pairs = absence.row.iter().zip(*row);
            pairs.all(|(known, value)| known.as_ref().is_none_or(|known| known == value))
        };
        if let Some(row) = execution.rows(absence.relation, time).find(refutes) {
            let fact = execution.fact(derivation.fact);
            return Err(format!("{fact:?} needs {absence:?}, but {row:?} is there"));
        }
    }
    Ok(())
}

/// What arrives is there when it does; what is lost was lost to a fault of the run.
fn messages_are_accounted_for(execution: &Execution) -> Result<(), Disagreement> {
    let eot = execution.facts.last().map_or(0, |fact| fact.time);
    for message in &execution.messages {
        let there = |time: u32| {
            time > eot || execution.rows(message.relation, time).any(|row| row == message.row)
        };
        let fine = match (&message.lost_to, message.arrives) {
            (Some(fault), None) => execution.faults.contains(fault),
            (None, Some(time)) => time > message.at && there(time),
            _ => false,
        };
        if !fine {
            return Err(format!("under {} what became of {message:?}?", execution.faults));
        }
    }
    Ok(())
}

/// Every fault set within the bounds, as variables.
fn fault_sets(specification: &Specification, bounds: &Bounds) -> Vec<Vec<Variable>> {
    let space = specification.space();
    let mut sets: Vec<Vec<Variable>> = vec![Vec::new()];
    for variable in (0..space.fault_count() as u32).map(Variable) {
        for index in 0..sets.len() {
            let mut set = sets[index].clone();
            set.push(variable);
            let faults = space.fault_set(&set);
            if bounds.check_faults(&faults).is_ok() && bounds.allow(&faults) {
                sets.push(set);
            }
        }
    }
    sets
}
