//! Strata, and the cycles that have none. A naive check tells whether strata are right.

use linchpin_dedalus::codes::Code;
use linchpin_dedalus::hir::{BodyTerm, HeadColumn, Program, RelationId, Timing};

use crate::support::{clean, codes, only, program, shown};

/// The dependencies within a time step: head, body, nonmonotonic.
fn dependencies(program: &Program) -> Vec<(RelationId, RelationId, bool)> {
    let mut dependencies = Vec::new();
    for rule in &program.rules {
        if rule.head.timing != Timing::Now || rule.look_ahead {
            continue;
        }
        let aggregate =
            rule.head.columns.iter().any(|column| matches!(column, HeadColumn::Aggregate { .. }));
        for term in &rule.body {
            if let BodyTerm::Literal(literal) = term {
                let nonmonotonic = literal.negated || aggregate;
                dependencies.push((rule.head.relation, literal.relation, nonmonotonic));
            }
        }
    }
    dependencies
}

/// Checks the strata of a program against reachability, computed the slow way.
pub(crate) fn check(program: &Program) {
    let count = program.relations.len();
    let dependencies = dependencies(program);
    let mut reaches = vec![vec![false; count]; count];
    for (head, body, _) in &dependencies {
        reaches[head.index()][body.index()] = true;
    }
    for middle in 0..count {
        for from in 0..count {
            for to in 0..count {
                reaches[from][to] |= reaches[from][middle] && reaches[middle][to];
            }
        }
    }
    let mut stratum_of = vec![None; count];
    for (index, stratum) in program.strata.iter().enumerate() {
        assert!(stratum.relations.is_sorted(), "relations ascend");
        for relation in &stratum.relations {
            assert_eq!(stratum_of[relation.index()].replace(index), None, "in one stratum only");
        }
    }
    let stratum_of: Vec<usize> =
        stratum_of.into_iter().map(|stratum| stratum.expect("in some stratum")).collect();
    for (head, body, _) in &dependencies {
        assert!(stratum_of[body.index()] <= stratum_of[head.index()], "dependencies come first");
    }
    for one in 0..count {
        for other in 0..count {
            let together = one == other || (reaches[one][other] && reaches[other][one]);
            assert_eq!(stratum_of[one] == stratum_of[other], together);
        }
    }
    for stratum in &program.strata {
        let first = stratum.relations[0].index();
        assert_eq!(stratum.recursive, reaches[first][first]);
        let inside = |relation: &RelationId| stratum.relations.contains(relation);
        let unstratified = dependencies
            .iter()
            .any(|(head, body, nonmonotonic)| *nonmonotonic && inside(head) && inside(body));
        assert_eq!(stratum.unstratified, unstratified);
    }
}

#[test]
fn strata_follow_deductive_dependencies() {
    let program = clean(
        r#"node("a", "b")@1;
           unreached(X, Y) :- node(X, Y), notin path(X, Y);
           path(X, Y) :- node(X, Y);
           path(X, Z) :- path(X, Y), node(X, Z), Y != Z;
           size(X, count<Y>) :- unreached(X, Y);
           node(X, Y)@next :- unreached(X, Y);"#,
    );
    check(&program);
    let stratum = |name: &str| {
        let id = program.relation_named(name).expect("the relation");
        program.strata.iter().find(|stratum| stratum.relations.contains(&id)).expect("a stratum")
    };
    assert!(stratum("path").recursive && !stratum("path").unstratified);
    assert!(!stratum("node").recursive && !stratum("size").recursive);
}

#[test]
fn cycles_through_later_steps_are_fine() {
    for text in [
        "p(\"a\")@1; p(X)@next :- q(X); q(X) :- r(X), notin p(X); r(\"a\")@1;",
        "p(\"a\")@1; p(X)@async :- q(X); q(X) :- r(X), notin p(X); r(\"a\")@1;",
        "p(\"a\", 1)@1; p(X, count<Y>)@next :- p(X, Y);",
    ] {
        check(&clean(text));
    }
}

#[test]
fn a_cycle_through_negation_is_warned_about() {
    let text = r#"n("a")@1; p(X) :- n(X), notin q(X); q(X) :- r(X); r(X) :- n(X), p(X);"#;
    let diagnostic = only(text);
    assert_eq!(diagnostic.code, Code::Unstratified);
    assert!(
        diagnostic.message.ends_with("`p` -> notin `q` -> `r` -> `p`"),
        "{}",
        diagnostic.message
    );
    assert_eq!(diagnostic.secondary.len(), 2, "{}", shown(text));
    let program = program(text);
    check(&program);
    assert_eq!(program.strata.iter().filter(|stratum| stratum.unstratified).count(), 1);
    // Directly.
    assert_eq!(codes("n(\"a\")@1; p(X) :- n(X), notin p(X);"), [Code::Unstratified]);
}

#[test]
fn absolute_reads_count() {
    let text = "n(\"a\")@1; p(X) :- n(X), notin q(X)@1; q(X) :- p(X);";
    assert_eq!(codes(text), [Code::Unstratified]);
    check(&program(text));
}

#[test]
fn look_ahead_rules_belong_to_no_stratum() {
    let text = "n(\"a\")@1; p(X) :- n(X)@3; q(X) :- n(X), notin q(X)@3;";
    // Reading one's own head a later step is refused.
    assert!(codes(text).contains(&Code::LookAhead));
    check(&clean("n(\"a\")@1; p(X) :- n(X)@3;"));
}

#[test]
fn choices_may_stand_in_a_cycle_but_totals_may_not() {
    for choice in ["min", "max"] {
        let text = format!("b(\"a\", 1)@1; b(X, Y) :- l(X, Y); l(X, {choice}<Y>) :- b(X, Y);");
        assert_eq!(codes(&text), [Code::Unstratified]);
        check(&program(&text));
    }
    for total in ["count", "sum", "avg"] {
        let text = format!("b(\"a\", 1)@1; b(X, Y) :- l(X, Y); l(X, {total}<Y>) :- b(X, Y);");
        assert_eq!(codes(&text), [Code::AggregateInCycle]);
        let text =
            format!("b(\"a\", 1)@1; b(X, Y) :- l(X, _, Y); l(X, min<Y>, {total}<Y>) :- b(X, Y);");
        assert_eq!(codes(&text), [Code::AggregateInCycle]);
    }
    // Beside a cycle is fine.
    clean("b(\"a\", 1)@1; b(X, Y) :- c(X, Y); c(X, Y) :- b(X, Y); l(X, count<Y>) :- b(X, Y);");
}

#[test]
fn each_cycle_is_reported_once() {
    let text = "n(\"a\")@1; p(X) :- n(X), notin q(X); q(X) :- n(X), notin p(X);
        r(X) :- n(X), notin s(X); s(X) :- n(X), notin r(X);";
    assert_eq!(codes(text), [Code::Unstratified; 2]);
}

#[test]
fn a_long_chain_of_relations() {
    let mut text = "r0(\"a\")@1;".to_owned();
    for index in 0..100_000 {
        text.push_str(&format!("r{}(X):-r{index}(X);", index + 1));
    }
    let program = program(&text);
    assert_eq!(program.strata.len(), 100_001);
    text.push_str("r0(X):-n(X),notin r100000(X);n(\"a\")@1;");
    let diagnostic = only(&text);
    assert_eq!(diagnostic.code, Code::Unstratified);
    assert!(diagnostic.message.len() < 500);
}
