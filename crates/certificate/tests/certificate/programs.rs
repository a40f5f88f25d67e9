//! The programs of this crate's tests, and every specification of the repository.

use linchpin_certificate::verify;
use linchpin_dedalus::load::FileSystem;

use crate::agreement::{Finding, examine};
use crate::support::{Question, questions};

fn check(question: &Question) {
    let Question { program, sources, bounds, invariant, .. } = question;
    match examine(program, sources, bounds, *invariant) {
        Finding::Certified(certificate) => {
            assert_ne!(question.holds, Some(false));
            let paths = std::slice::from_ref(&question.path);
            let verified = verify(&certificate, paths, &[], &FileSystem);
            assert_eq!(verified.as_ref(), Ok(&certificate.statement));
        }
        Finding::Broken => assert_ne!(question.holds, Some(true)),
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

#[test]
fn programs_that_told_evaluations_apart() {
    for question in questions("crates/simulator/tests/corpus") {
        println!("{}", question.name);
        let Question { program, sources, bounds, invariant, .. } = &question;
        examine(program, sources, bounds, *invariant);
    }
}
