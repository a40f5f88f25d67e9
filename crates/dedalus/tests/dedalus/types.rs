//! Inferred types and their conflicts.

use linchpin_dedalus::codes::Code;
use linchpin_dedalus::hir::Type::{self, Integer, String, Unknown};

use crate::support::{errors, only, program, rule};

fn columns(text: &str, relation: &str) -> Vec<Type> {
    let program = program(text);
    let id = program.relation_named(relation).expect("the relation");
    program.relation(id).columns.clone()
}

#[test]
fn facts_give_types() {
    assert_eq!(columns("p(\"a\", 1, \"b\")@1;", "p"), [String, Integer, String]);
}

#[test]
fn types_travel_through_variables_in_both_directions() {
    let text = "p(\"a\", 1)@1; q(X, Y) :- r(X, Y), p(X, Y); r(X, Z) :- q(X, Z);";
    assert_eq!(columns(text, "q"), [String, Integer]);
    assert_eq!(columns(text, "r"), [String, Integer]);
}

#[test]
fn comparisons_and_arithmetic_relate() {
    let text = "r(X, Y, Z, W) :- q(X, Y, Z, W), Y == Z, Y < 3, W == \"x\";";
    assert_eq!(columns(text, "q"), [String, Integer, Integer, String]);
    assert_eq!(columns("r(X, Y + Z) :- q(X, Y, Z);", "q"), [String, Integer, Integer]);
    assert_eq!(columns("r(X, Y + Z) :- q(X, Y, Z);", "r"), [String, Integer]);
    assert_eq!(columns("r(X) :- q(X, Y), s(X, Y * 2);", "s"), [String, Integer]);
    assert_eq!(columns("r(X) :- q(X, Y), s(X, Y * 2);", "q"), [String, Integer]);
    assert_eq!(columns("r(X) :- q(X, Y), Y == X;", "q"), [String, String]);
}

#[test]
fn aggregates_have_types() {
    let text = "r(X, count<Y>, min<Y>, max<Y>) :- q(X, Y); q(\"a\", \"b\")@1;";
    assert_eq!(columns(text, "r"), [String, Integer, String, String]);
    let text = "r(X, sum<Y>, avg<Y>) :- q(X, Y);";
    assert_eq!(columns(text, "r"), [String, Integer, Integer]);
    assert_eq!(columns(text, "q"), [String, Integer]);
}

#[test]
fn what_nothing_determines_is_unknown() {
    assert_eq!(columns("r(X, Y) :- q(X, Y);", "r"), [String, Unknown]);
    let rule = rule("r(X, Y) :- q(X, Y);");
    let types: Vec<Type> = rule.variables.iter().map(|variable| variable.r#type).collect();
    assert_eq!(types, [String, Unknown]);
}

#[test]
fn conflicts_name_both_places() {
    let text = "p(\"a\", 1)@1; p(\"b\", \"x\")@1;";
    let diagnostic = only(text);
    assert_eq!(diagnostic.code, Code::TypeConflict);
    assert_eq!(diagnostic.message, "column 2 of `p` is both an integer and a string");
    let primary = diagnostic.primary.expect("a place");
    let at = |span: linchpin_dedalus::source::Span| &text[span.start as usize..span.end as usize];
    assert_eq!(at(primary.span), "\"x\"");
    assert_eq!(diagnostic.secondary.len(), 1);
    assert_eq!(at(diagnostic.secondary[0].span), "1");
}

#[test]
fn a_conflict_is_one_error() {
    for text in [
        "p(\"a\", 1)@1; p(\"a\", \"x\")@1; p(\"a\", 2)@1; p(\"a\", \"y\")@1;",
        "p(\"a\", 1)@1; p(2, 1)@1; p(3, 1)@1;",
        "q(\"a\", 1)@1; r(\"a\", \"x\")@1; p(X, Y) :- q(X, Y), r(X, Y); s(X, Y) :- p(X, Y);",
        "q(\"a\", 1)@1; p(X) :- q(X, \"x\");",
        "q(\"a\", 1)@1; p(X, \"x\") :- q(X, Y); p(X, Y) :- q(X, Y);",
        "q(\"a\", 1)@1; p(X) :- q(X, Y), Y == \"x\";",
        "q(\"a\", 1)@1; p(X) :- q(X, Y), X < Y;",
        "q(\"a\", 1)@1; p(X) :- q(X, _), 1 < \"x\";",
        "q(\"a\", \"x\")@1; p(X, Y + 1) :- q(X, Y);",
        "q(\"a\", \"x\")@1; p(X) :- q(X, Y), q(X, Y + 1);",
        "q(\"a\", \"x\")@1; p(X, sum<Y>) :- q(X, Y);",
        "q(\"a\", \"x\")@1; p(X, avg<Y>) :- q(X, Y);",
        "q(\"a\", \"x\")@1; p(X, count<Y>) :- q(X, Y); p(\"a\", \"x\")@1;",
        "p(\"a\", 1 + \"x\")@1;",
    ] {
        assert_eq!(errors(text), [Code::TypeConflict], "{text}");
    }
}

#[test]
fn a_location_is_a_string_or_an_integer_but_not_both() {
    for text in [
        "p(1)@1; p(\"a\")@1;",
        "q(\"a\", 1)@1; p(X) :- q(X, Y), q(Y, _);",
        "q(\"a\", 1)@1; p(Y)@async :- q(_, Y); p(X) :- q(X, _);",
        "q(\"a\", 1)@1; p(X) :- q(1 + 1, _), q(X, _);",
        "q(\"a\", 1)@1; p(X) :- q(X, Y), crash(Y, _, _);",
    ] {
        let diagnostic = only(text);
        assert_eq!(diagnostic.code, Code::TypeConflict, "{text}");
    }
    // A payload in the first column: nothing fires there, but it is no error.
    assert_eq!(columns("q(\"a\", 1)@1; p(Y, X) :- q(X, Y);", "p"), [Integer, String]);
    assert_eq!(columns("q(\"a\", 1)@1; p(count<X>) :- q(X, _);", "p"), [Integer]);
}
