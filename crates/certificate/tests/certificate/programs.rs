//! The programs of this crate's tests, and every specification of the repository.

use linchpin_certificate::{Certificate, verify};
use linchpin_dedalus::load::FileSystem;
use linchpin_model::{Bounds, CrashModel};

use crate::agreement::{Finding, examine};
use crate::support::{Question, questions};

/// The certificate, if there is one.
fn check(question: &Question) -> Option<Certificate> {
    let Question { program, sources, bounds, invariant, .. } = question;
    match examine(program, sources, bounds, *invariant) {
        Finding::Certified(certificate) => {
            assert_ne!(question.holds, Some(false));
            let paths = std::slice::from_ref(&question.path);
            let verified = verify(&certificate, paths, &[], &FileSystem);
            assert_eq!(verified.as_ref(), Ok(&certificate.statement));
            Some(*certificate)
        }
        Finding::Broken => {
            assert_ne!(question.holds, Some(true));
            None
        }
        Finding::NotCertifiable(error) => panic!("{error}"),
    }
}

/// Where the front matter expects nothing, some run has no outcome, and so there is no certificate.
#[test]
fn programs_of_these_tests() {
    for question in questions("crates/certificate/tests/programs") {
        println!("{}", question.name);
        check(&question);
        if question.holds.is_none() {
            let Question { program, sources, bounds, invariant, .. } = &question;
            let finding = examine(program, sources, bounds, *invariant);
            assert!(matches!(finding, Finding::Broken), "{finding:?}");
        }
    }
}

#[test]
fn specifications_of_the_repository() {
    for question in questions("specs") {
        println!("{}", question.name);
        check(&question);
    }
}

/// Every kind of fault beyond the published ones is allowed by some certificate.
#[test]
fn certificates_know_every_extension() {
    let questions = questions("specs/extensions");
    let certified: Vec<Bounds> = questions
        .iter()
        .filter_map(|question| check(question).map(|certificate| certificate.statement.bounds))
        .collect();
    assert_eq!(certified.len(), questions.iter().filter(|q| q.holds == Some(true)).count());
    let some = |allows: fn(&Bounds) -> bool| assert!(certified.iter().any(allows));
    some(|bounds| bounds.max_delay > 0);
    some(|bounds| bounds.recoveries > 0 && !bounds.durable.is_empty());
    some(|bounds| bounds.crash_model == CrashModel::Stop);
    some(|bounds| !bounds.inputs.is_empty());
}

#[test]
fn programs_that_told_evaluations_apart() {
    for question in questions("crates/simulator/tests/corpus") {
        println!("{}", question.name);
        let Question { program, sources, bounds, invariant, .. } = &question;
        examine(program, sources, bounds, *invariant);
    }
}
