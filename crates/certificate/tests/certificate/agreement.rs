//! One program within bounds: the formula, the proof, and everything they must agree with.

use linchpin_certificate::{Certificate, CertifyError, Formula, NotCertifiable, certify};
use linchpin_dedalus::hir::Program;
use linchpin_dedalus::source::SourceMap;
use linchpin_model::{Bounds, FaultSet, Invariant, Outcome, Verdict};
use linchpin_proof::{Checker, parse_drat};
use linchpin_search::{Options, Strategy, search};
use linchpin_simulator::Specification;

use crate::foreign::foreign_accepts;
use crate::support::fault_sets;

/// Fault spaces up to this size are gone through run by run.
const EVERY_RUN_MAX: u64 = 300;

/// What came of it.
#[derive(Clone, Debug)]
pub(crate) enum Finding {
    Certified(Box<Certificate>),
    Broken,
    NotCertifiable(NotCertifiable),
}

/// Compares everything about one question.
pub(crate) fn examine(
    program: &Program,
    sources: &SourceMap,
    bounds: &Bounds,
    invariant: Invariant,
) -> Finding {
    let formula = match Formula::derive(program, bounds, invariant) {
        Ok(formula) => formula,
        Err(error) => return Finding::NotCertifiable(error),
    };
    let mut specification =
        Specification::new(program, bounds, invariant).expect("the relations are there");
    let mut is_bad = |faults: &FaultSet| match specification.execute(faults) {
        Ok(execution) => execution.outcome == Outcome::Bad,
        Err(_) => true,
    };
    if bounds.fault_space() <= EVERY_RUN_MAX.into() {
        // If the run without faults fails there is nothing to compare with.
        let comparable = !is_bad(&FaultSet::none()) || invariant == Invariant::Implication;
        for faults in fault_sets(bounds).iter().filter(|_| comparable) {
            assert_eq!(formula.is_violated_by(faults), is_bad(faults), "under {faults}");
        }
    }
    match certify(program, sources, bounds, invariant, &|| false) {
        Ok(certificate) => {
            assert_ne!(verdict(program, bounds, invariant), Some(Verdict::Broken));
            check_proof(&formula, &certificate);
            let text = certificate.to_text();
            assert_eq!(Certificate::parse(text.as_bytes()).as_ref(), Ok(&certificate));
            let again = certify(program, sources, bounds, invariant, &|| false);
            assert_eq!(again.as_ref(), Ok(&certificate), "a second time the same");
            Finding::Certified(Box::new(certificate))
        }
        Err(CertifyError::Broken { faults }) => {
            assert!(is_bad(&faults), "the run under {faults} is not bad");
            assert!(formula.is_violated_by(&faults));
            assert_ne!(verdict(program, bounds, invariant), Some(Verdict::Holds));
            Finding::Broken
        }
        Err(error) => panic!("{error}"),
    }
}

/// What the searches say, if they agree; `None` if a run failed.
fn verdict(program: &Program, bounds: &Bounds, invariant: Invariant) -> Option<Verdict> {
    let mut verdicts = Vec::new();
    let mut strategies = vec![Strategy::Symbolic, Strategy::Lineage];
    if bounds.fault_space() <= EVERY_RUN_MAX.into() {
        strategies.push(Strategy::Exhaustive);
    }
    for strategy in strategies {
        let mut specification =
            Specification::new(program, bounds, invariant).expect("the relations are there");
        let options = Options { strategy, ..Options::default() };
        match search(&mut specification, options, &mut ()) {
            Ok(report) => verdicts.push(report.verdict),
            Err(linchpin_search::SearchError::NoFailureFormula) => {}
            Err(_) => return None,
        }
    }
    assert!(verdicts.windows(2).all(|pair| pair[0] == pair[1]), "{verdicts:?}");
    verdicts.first().copied()
}

/// Ours and a foreign checker accept the proof, and neither accepts it without its parts.
fn check_proof(formula: &Formula, certificate: &Certificate) {
    let steps = parse_drat(&certificate.proof).expect("a proof can be read");
    for clause in formula.cnf().clauses() {
        let mut literals = clause.to_vec();
        literals.sort_unstable();
        literals.dedup();
        assert_eq!(literals.len(), clause.len(), "{clause:?} says something twice");
    }
    assert_eq!(Checker::of(formula.cnf()).check(&steps), Ok(()));
    assert!(foreign_accepts(formula.cnf(), &steps));
    assert!(Checker::of(formula.cnf()).check(&steps[..steps.len() - 1]).is_err());
}
