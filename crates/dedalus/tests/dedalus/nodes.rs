//! Inferring nodes, and comparing programs with the declared ones.

use linchpin_dedalus::codes::Code;
use linchpin_dedalus::{infer_nodes, lint_nodes};

use crate::support::program;

fn inferred(text: &str) -> Vec<String> {
    infer_nodes(&program(text))
}

fn linted(text: &str, nodes: &[&str]) -> Vec<Code> {
    let nodes: Vec<String> = nodes.iter().map(|node| (*node).to_owned()).collect();
    lint_nodes(&program(text), &nodes).iter().map(|diagnostic| diagnostic.code).collect()
}

#[test]
fn locations_of_facts_are_nodes() {
    let text = "p(\"b\", \"x\")@1; p(\"a\", \"y\")@2; p(\"b\", \"z\")@1;";
    assert_eq!(inferred(text), ["a", "b"]);
}

#[test]
fn receivers_are_nodes_and_payloads_are_not() {
    let text = r#"node("a", "b")@1; node("a", "c")@1; bcast("a", "hello")@1;
        log(Y, P)@async :- bcast(X, P), node(X, Y);
        forward(Y, P)@async :- log(X, P), next(X, Y);
        next("b", "d")@1;
        acked(P, X) :- log(X, P);
        post(P) :- acked(P, _);"#;
    assert_eq!(inferred(text), ["a", "b", "c", "d"]);
}

#[test]
fn who_is_asked_about_is_a_node() {
    let text = r#"member("a", "b")@1; log("a", "x")@1;
        missing(X, Y) :- member(X, Y), notin log(Y, _);"#;
    assert_eq!(inferred(text), ["a", "b"]);
    let text = r#"watch("a", "c")@1; down(X, Y) :- watch(X, Y), crash(X, Y, _);"#;
    assert_eq!(inferred(text), ["a", "c"]);
    let text = r#"watch("a", "c")@1; up(X) :- watch(X, _), notin crash(X, "d", _);"#;
    assert_eq!(inferred(text), ["a", "d"]);
}

#[test]
fn constant_places_are_nodes() {
    let text = r#"p("a", "x")@1; q("z", P)@async :- p("a", P); r("y") :- notin p("y", _);"#;
    assert_eq!(inferred(text), ["a", "y", "z"]);
}

#[test]
fn late_facts_and_empty_names_declare_types_only() {
    let text = r#"p("a", 1)@1; p("nowhere", 0)@1000; p("", 0)@1; q("b", 1)@7;"#;
    assert_eq!(inferred(text), ["a", "b"]);
}

#[test]
fn a_string_through_min_is_followed() {
    let text =
        r#"id("a", "b")@1; leader(X, min<Y>) :- id(X, Y); vote(Y, X)@async :- leader(X, Y);"#;
    assert_eq!(inferred(text), ["a", "b"]);
}

#[test]
fn facts_at_undeclared_nodes() {
    let text = r#"p("a")@1; p("b")@1; p("b")@2; p("c")@1;"#;
    assert_eq!(linted(text, &["a"]), [Code::FactAtUndeclaredNode; 2]);
    assert_eq!(linted(text, &["a", "b", "c", "d"]), []);
}

#[test]
fn undeclared_locations_in_rules() {
    let text = r#"p("a")@1; q("b") :- p("b"); r("c")@async :- p("a"); s(X) :- p(X), p("c");"#;
    assert_eq!(linted(text, &["a"]), [Code::LocationUndeclared; 2]);
    assert_eq!(linted(text, &["a", "b", "c"]), []);
    // A tag in the first column of what an invariant derives is no place.
    let text = r#"p("a")@1; pre("tag") :- p(_); post("tag") :- p(_), pre("tag");"#;
    assert_eq!(linted(text, &["a"]), []);
    assert_eq!(
        linted(&format!("{text} x(\"a\") :- pre(\"tag\");"), &["a"]),
        [Code::LocationUndeclared]
    );
}

#[test]
fn rules_that_never_fire() {
    let text = r#"log("a", "hello")@1;
        stored(P, X) :- log(X, P);
        post(P) :- stored(P, _);
        other(P) :- notin stored(P, _);
        global(P) :- stored(_, P);"#;
    assert_eq!(linted(text, &["a"]), [Code::NeverFires]);
    assert_eq!(linted(text, &["a", "hello"]), []);
}

#[test]
fn a_rule_at_a_relation_that_is_empty_is_warned_about_elsewhere() {
    assert_eq!(linted("p(X) :- q(X); r(\"a\")@1;", &["a"]), []);
}

#[test]
fn one_hundred_warnings_are_enough() {
    let facts: String = (0..300).map(|index| format!("p(\"n{index}\")@1;")).collect();
    let codes = linted(&facts, &["a"]);
    assert_eq!(codes.len(), 101);
    assert_eq!(codes[100], Code::TooManyWarnings);
}
