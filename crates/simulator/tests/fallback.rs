//! Programs that cannot be grounded: every run teaches only about runs in which the same messages
//! arrive, and that is enough.

use std::path::Path;

use linchpin_dedalus::front_matter::Scenario;
use linchpin_model::{Bounds, Invariant, Verdict};
use linchpin_search::{Options, Report, SearchError, Strategy, search};
use linchpin_simulator::{NotGroundedReason, Specification};

fn specification(file: &str, invariant: Invariant) -> Specification {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(file);
    let text = std::fs::read_to_string(path).expect("the file is in the corpus");
    let compilation = linchpin_dedalus::compile_text(file, &text);
    let Scenario { eot, eff, crashes, nodes, .. } = compilation.front_matter.scenarios[0].clone();
    let bounds = Bounds {
        eot: eot.unwrap(),
        eff: eff.unwrap(),
        crashes: crashes.unwrap(),
        nodes: nodes.unwrap(),
        ..Bounds::default()
    };
    let program = compilation.program.expect("the program has no errors");
    Specification::new(&program, &bounds, invariant).expect("the program has the relations")
}

fn explore(specification: &mut Specification, strategy: Strategy) -> Report {
    let options = Options { strategy, all: true, ..Options::default() };
    search(specification, options, &mut ()).unwrap_or_else(|error| panic!("{error:?}"))
}

#[test]
fn a_sum_with_too_many_values() {
    let mut specification = specification("too-many-sums.ded", Invariant::Good);
    let report = explore(&mut specification, Strategy::Lineage);
    let because = specification.not_grounded().expect("too many sums");
    assert_eq!(because.reason, NotGroundedReason::Aggregate);
    assert!(because.rule.is_some());
    assert_eq!(report.verdict, Verdict::Broken);
    // Each message is missed by the sum if it is lost.
    assert_eq!(report.counterexamples.len(), 13);
    assert!(report.counterexamples.iter().all(|faults| faults.len() == 1));
}

#[test]
fn possible_facts_that_do_not_end() {
    let mut specification = specification("possible-facts-do-not-end.ded", Invariant::Implication);
    let report = explore(&mut specification, Strategy::Lineage);
    let because = specification.not_grounded().expect("the possible facts do not end");
    assert_eq!(because.reason, NotGroundedReason::Endless);
    assert!(because.rule.is_some());
    assert_eq!(report.verdict, Verdict::Broken);
    let options = Options { strategy: Strategy::Symbolic, ..Options::default() };
    let symbolic = search(&mut specification, options, &mut ());
    assert!(matches!(symbolic, Err(SearchError::NoFailureFormula)), "{symbolic:?}");
}
