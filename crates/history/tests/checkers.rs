//! Each checker on histories whose verdict can be seen by eye.

mod common;

use Verdict::{Bad, Good, Unknown, Vacuous};
use common::{history, judge, summary};
use linchpin_history::{Checker, Limits, Verdict, check, json, overall, timeline};

/// Name, history, checker, verdict, rules and witnesses.
type Case =
    (&'static str, &'static str, Checker, Verdict, &'static [(&'static str, &'static [usize])]);

const CASES: &[Case] = &[
    (
        "the final read finds the last write",
        "0 invoke write x 1\n0 ok write x\n1 invoke read x final\n1 ok read x 1",
        Checker::LostWrite,
        Good,
        &[],
    ),
    (
        "the final read finds the write before",
        "0 invoke write x 1\n0 ok write x\n0 invoke write x 2\n0 ok write x\n1 invoke read x final\n1 ok read x 1",
        Checker::LostWrite,
        Bad,
        &[("lost-write", &[0, 1, 2])],
    ),
    (
        "a concurrent write may have come later",
        "1 invoke write x 1\n0 invoke write x 2\n0 ok write x\n1 ok write x\n1 invoke read x final\n1 ok read x 1",
        Checker::LostWrite,
        Good,
        &[],
    ),
    (
        "an earlier write of unknown outcome may have come later",
        "1 invoke write x 1\n1 info write x\n0 invoke write x 2\n0 ok write x\n0 invoke read x final\n0 ok read x 1",
        Checker::LostWrite,
        Good,
        &[],
    ),
    (
        "a failed write explains nothing",
        "0 invoke write x 2\n0 ok write x\n1 invoke write x 1\n1 fail write x\n0 invoke read x final\n0 ok read x 1",
        Checker::LostWrite,
        Bad,
        &[("lost-write", &[0, 2])],
    ),
    (
        "without a final read nothing can be said",
        "0 invoke write x 1\n0 ok write x\n1 invoke read x\n1 ok read x null",
        Checker::LostWrite,
        Vacuous,
        &[],
    ),
    (
        "a key without a final read leaves it open",
        "0 invoke write x 1\n0 ok write x\n0 invoke write y 1\n0 ok write y\n1 invoke read x final\n1 ok read x 1",
        Checker::LostWrite,
        Unknown,
        &[],
    ),
    (
        "every final read counts",
        "0 invoke write x 1\n0 ok write x\n1 invoke read x final\n2 invoke read x final\n1 ok read x 1\n2 ok read x null",
        Checker::LostWrite,
        Bad,
        &[("lost-write", &[0, 2])],
    ),
    (
        "a value nobody wrote",
        "0 invoke write x 1\n0 ok write x\n1 invoke read x\n1 ok read x 7",
        Checker::UnwrittenRead,
        Bad,
        &[("unwritten-read", &[1])],
    ),
    (
        "a value read before it was written",
        "1 invoke read x\n1 ok read x 1\n0 invoke write x 1\n0 ok write x",
        Checker::UnwrittenRead,
        Bad,
        &[("unwritten-read", &[0, 1])],
    ),
    (
        "a value whose write failed",
        "0 invoke write x 1\n0 fail write x\n1 invoke read x\n1 ok read x 1",
        Checker::UnwrittenRead,
        Bad,
        &[("unwritten-read", &[0, 1])],
    ),
    (
        "a compare-and-set writes too",
        "0 invoke cas x [null,1]\n0 ok cas x\n1 invoke read x\n1 ok read x 1",
        Checker::UnwrittenRead,
        Good,
        &[],
    ),
    (
        "an old value after a newer write was acknowledged",
        "0 invoke write x 1\n0 ok write x\n0 invoke write x 2\n0 ok write x\n1 invoke read x\n1 ok read x 1",
        Checker::StaleRead,
        Bad,
        &[("stale-read", &[0, 1, 2])],
    ),
    (
        "nothing after a write was acknowledged",
        "0 invoke write x 1\n0 ok write x\n1 invoke read x\n1 ok read x null",
        Checker::StaleRead,
        Bad,
        &[("stale-read", &[0, 1])],
    ),
    (
        "an old value while the newer write is under way",
        "0 invoke write x 1\n0 ok write x\n0 invoke write x 2\n1 invoke read x\n1 ok read x 1\n0 ok write x",
        Checker::StaleRead,
        Good,
        &[],
    ),
    (
        "an old value after somebody has read the newer one",
        "0 invoke write x 1\n0 ok write x\n0 invoke write x 2\n1 invoke read x\n1 ok read x 2\n1 invoke read x\n1 ok read x 1",
        Checker::StaleRead,
        Bad,
        &[("stale-read", &[0, 1, 2, 3])],
    ),
    (
        "a value written twice is not stale after the second time",
        "0 invoke write x 1\n0 ok write x\n0 invoke write x 2\n0 ok write x\n0 invoke write x 1\n0 ok write x\n1 invoke read x\n1 ok read x 1",
        Checker::StaleRead,
        Good,
        &[],
    ),
    (
        "two identifiers alike",
        "0 invoke generate -\n0 ok generate - 5\n1 invoke generate -\n1 ok generate - 6\n1 invoke generate -\n1 ok generate - 5",
        Checker::UniqueIds,
        Bad,
        &[("duplicate-id", &[0, 2])],
    ),
    ("no identifiers", "0 invoke generate -\n0 fail generate -", Checker::UniqueIds, Vacuous, &[]),
    (
        "all elements are there, one of unknown outcome too",
        "0 invoke add - 1\n0 ok add -\n0 invoke add - 2\n0 info add -\n0 invoke read - final\n0 ok read - [2,1]",
        Checker::Set,
        Good,
        &[],
    ),
    (
        "one is lost, one came from nowhere, one is there twice",
        "0 invoke add - 1\n0 ok add -\n0 invoke add - 2\n0 ok add -\n0 invoke read - final\n0 ok read - [2,2,3]",
        Checker::Set,
        Bad,
        &[("lost-element", &[0, 2]), ("unexpected-element", &[2]), ("duplicate-element", &[2])],
    ),
    (
        "a failed add must not be there",
        "0 invoke add - 1\n0 ok add -\n0 invoke add - 2\n0 fail add -\n0 invoke read - final\n0 ok read - [1,2]",
        Checker::Set,
        Bad,
        &[("unexpected-element", &[2])],
    ),
    (
        "a set that is a number",
        "0 invoke add - 1\n0 ok add -\n0 invoke read - final\n0 ok read - 1",
        Checker::Set,
        Bad,
        &[("unexpected-element", &[1])],
    ),
    (
        "what went in came out",
        "0 invoke enqueue q 1\n0 ok enqueue q\n1 invoke dequeue q\n1 ok dequeue q 1\n1 invoke dequeue q\n1 ok dequeue q null",
        Checker::QueueOnce,
        Good,
        &[],
    ),
    (
        "it came out twice: allowed",
        "0 invoke enqueue q 1\n0 ok enqueue q\n1 invoke dequeue q\n1 ok dequeue q 1\n1 invoke dequeue q\n1 ok dequeue q 1\n1 invoke dequeue q\n1 ok dequeue q null",
        Checker::Queue,
        Good,
        &[],
    ),
    (
        "it came out twice: not allowed",
        "0 invoke enqueue q 1\n0 ok enqueue q\n1 invoke dequeue q\n1 ok dequeue q 1\n1 invoke dequeue q\n1 ok dequeue q 1\n1 invoke dequeue q\n1 ok dequeue q null",
        Checker::QueueOnce,
        Bad,
        &[("duplicate-element", &[1, 2])],
    ),
    (
        "it never came out",
        "0 invoke enqueue q 1\n0 ok enqueue q\n1 invoke dequeue q\n1 ok dequeue q null",
        Checker::Queue,
        Bad,
        &[("lost-element", &[0])],
    ),
    (
        "it may still be inside",
        "0 invoke enqueue q 1\n0 ok enqueue q",
        Checker::Queue,
        Unknown,
        &[],
    ),
    (
        "an unanswered dequeue may have taken it",
        "0 invoke enqueue q 1\n0 ok enqueue q\n1 invoke dequeue q\n1 info dequeue q\n1 invoke dequeue q\n1 ok dequeue q null",
        Checker::Queue,
        Unknown,
        &[],
    ),
    (
        "but not two elements",
        "0 invoke enqueue q 1\n0 ok enqueue q\n0 invoke enqueue q 2\n0 ok enqueue q\n1 invoke dequeue q\n1 info dequeue q\n1 invoke dequeue q\n1 ok dequeue q null",
        Checker::Queue,
        Bad,
        &[("lost-element", &[0])],
    ),
    (
        "it came from nowhere",
        "0 invoke enqueue q 1\n0 ok enqueue q\n1 invoke dequeue q\n1 ok dequeue q 9\n1 invoke dequeue q\n1 ok dequeue q 1",
        Checker::Queue,
        Bad,
        &[("unexpected-element", &[1])],
    ),
    (
        "one after the other",
        "0 invoke acquire l\n0 ok acquire l\n0 invoke release l\n1 invoke acquire l\n1 ok acquire l\n0 ok release l",
        Checker::MutualExclusion,
        Good,
        &[],
    ),
    (
        "both at once",
        "0 invoke acquire l\n0 ok acquire l\n1 invoke acquire l\n1 ok acquire l\n0 invoke release l\n0 ok release l",
        Checker::MutualExclusion,
        Bad,
        &[("held-twice", &[0, 1, 2])],
    ),
    (
        "a lock never released is held to the end",
        "0 invoke acquire l\n0 ok acquire l\n0 invoke acquire m\n0 ok acquire m\n1 invoke acquire l\n1 ok acquire l",
        Checker::MutualExclusion,
        Bad,
        &[("held-twice", &[0, 2])],
    ),
    (
        "the older token writes last",
        "0 invoke acquire l\n0 ok acquire l token=1\n1 invoke acquire l\n1 ok acquire l token=2\n1 invoke write l 5 token=2\n1 ok write l\n0 invoke write l 6 token=1\n0 ok write l",
        Checker::Fencing,
        Bad,
        &[("old-token-accepted", &[2, 3])],
    ),
    (
        "the older token is refused",
        "0 invoke acquire l\n0 ok acquire l token=1\n1 invoke acquire l\n1 ok acquire l token=2\n1 invoke write l 5 token=2\n1 ok write l\n0 invoke write l 6 token=1\n0 fail write l",
        Checker::Fencing,
        Good,
        &[],
    ),
    (
        "the older token writes at the same time",
        "1 invoke write l 5 token=2\n0 invoke write l 6 token=1\n1 ok write l\n0 ok write l",
        Checker::Fencing,
        Good,
        &[],
    ),
    (
        "a token is given out again",
        "0 invoke acquire l\n0 ok acquire l token=1\n0 invoke release l\n0 ok release l\n1 invoke acquire l\n1 ok acquire l token=1",
        Checker::Fencing,
        Bad,
        &[("token-not-increasing", &[0, 2])],
    ),
];

#[test]
fn verdicts_rules_and_witnesses() {
    for (name, text, checker, verdict, violations) in CASES {
        let report = judge(text, *checker);
        let expected: Vec<(&str, Vec<usize>)> =
            violations.iter().map(|(rule, witness)| (*rule, witness.to_vec())).collect();
        assert_eq!(summary(&report), (*verdict, expected), "{checker}: {name}");
        assert_eq!(report.note.is_some(), matches!(verdict, Vacuous | Unknown), "{name}");
        for violation in &report.violations {
            assert!(violation.message.ends_with('.'), "{}", violation.message);
        }
    }
}

#[test]
fn every_checker_has_a_case_of_each_kind() {
    for checker in Checker::ALL {
        let verdicts = || CASES.iter().filter(|case| case.2 == checker).map(|case| case.3);
        let elsewhere = checker == Checker::LinearizableRegister;
        assert!(elsewhere || verdicts().any(|verdict| verdict == Bad), "{checker}");
        assert_eq!(checker.name().parse(), Ok(checker));
    }
    assert_eq!("register".parse(), Ok(Checker::LinearizableRegister));
    let error = "registers".parse::<Checker>().expect_err("no such checker");
    assert!(error.to_string().contains("lost-write, unwritten-read"), "{error}");
}

#[test]
fn an_empty_history_is_vacuous_everywhere() {
    for checker in Checker::ALL {
        assert_eq!(judge("", checker).verdict, Vacuous, "{checker}");
    }
}

#[test]
fn bad_outweighs_unknown_outweighs_vacuous() {
    let report = |verdict| {
        let mut report = judge("", Checker::Set);
        report.verdict = verdict;
        report
    };
    assert_eq!(overall(&[report(Good), report(Vacuous)]), Vacuous);
    assert_eq!(overall(&[report(Unknown), report(Vacuous)]), Unknown);
    assert_eq!(overall(&[report(Unknown), report(Bad)]), Bad);
    assert_eq!(overall(&[report(Good), report(Good)]), Good);
    assert_eq!(overall(&[]), Vacuous);
}

const LOST: &str =
    "0 invoke write x 1\n0 ok write x\n0 invoke write x 2\n1 invoke read x final\n1 ok read x null";

#[test]
fn a_violation_is_told_drawn_and_machine_readable() {
    let history = history(LOST);
    let report = check(&history, Checker::LostWrite, &Limits::default());
    let violation = &report.violations[0];
    assert_eq!(
        violation.message,
        "The write of 1 to \"x\" was acknowledged, but the final read found nothing."
    );
    assert_eq!(
        timeline(&history, &[0, 1, 2], true),
        [
            "process 0: write of 1 [x]                   |--|              lines 1 and 2",
            "process 0: write of 2 [x], outcome unknown        |-------->  line 3, never completed",
            "process 1: read of null [x], final                   |--|     lines 4 and 5",
        ]
    );
    let json = json(&history, &[report]);
    assert_eq!(json["schema"], "linchpin.history/1");
    assert_eq!(json["verdict"], "bad");
    let witness = &json["checks"][0]["violations"][0]["witness"];
    assert_eq!(witness[0]["invoked"]["line"], 1);
    assert_eq!(witness[1]["operation"], "read");
    assert_eq!(json["checks"][0]["totals"]["acknowledged_writes"], 1);
}
