//! What the language means, sentence by sentence: small programs whose tables were worked out by
//! hand. Both evaluators must have them right.

use std::collections::BTreeSet;

use linchpin_dedalus::hir::{Program, Value};
use linchpin_model::{Bounds, FaultSet, Invariant};
use linchpin_simulator::naive::Evaluator;
use linchpin_simulator::{RunErrorKind, Specification};

const NODES: [&str; 3] = ["a", "b", "c"];

fn compile(rules: &str) -> Program {
    let text = format!("{rules}\ngood(X) :- nothing(X);");
    let compilation = linchpin_dedalus::compile_text("semantics.ded", &text);
    compilation.program.unwrap_or_else(|| panic!("{rules}: {:?}", compilation.diagnostics))
}

fn bounds() -> Bounds {
    let nodes = NODES.map(String::from).to_vec();
    Bounds { eot: 3, eff: 3, crashes: 3, nodes, ..Bounds::default() }
}

fn faults(texts: &[&str]) -> FaultSet {
    texts.iter().map(|text| text.parse().expect("a fault")).collect()
}

fn show<'a>(rows: impl Iterator<Item = &'a [Value]>) -> String {
    let rows: BTreeSet<&[Value]> = rows.collect();
    let row = |row: &&[Value]| {
        row.iter().map(|value| value.to_string().replace('"', "")).collect::<Vec<_>>().join(",")
    };
    rows.iter().map(row).collect::<Vec<_>>().join(" ")
}

/// The rows of `relation@time`, without quotes: `a,1 b,2`.
fn rows(rules: &str, given: &[&str], at: &str) -> String {
    let (program, bounds, faults) = (compile(rules), bounds(), faults(given));
    let (name, time) = at.split_once('@').expect("relation@time");
    let relation = program.relation_named(name).expect("the relation is in the program");
    let time = time.parse().expect("a time");
    let tables = Evaluator::new(&program, &bounds).run(&faults).expect("the run has a result");
    let naive = show(tables.rows(relation, time).iter().map(Vec::as_slice));
    let mut specification = Specification::new(&program, &bounds, Invariant::Good).unwrap();
    let execution = specification.execute(&faults).expect("the run has a result");
    let fast = show(execution.rows(relation, time));
    assert_eq!(naive, fast, "{rules} under {faults}: the oracle and the simulator disagree");
    naive
}

/// The error of a run.
fn error(rules: &str) -> RunErrorKind {
    let (program, bounds) = (compile(rules), bounds());
    let evaluator = Evaluator::new(&program, &bounds).with_rounds_max(100);
    let naive = evaluator.run(&FaultSet::none()).expect_err("the run fails");
    let mut specification = Specification::new(&program, &bounds, Invariant::Good).unwrap();
    let fast = specification.execute(&FaultSet::none()).expect_err("the run fails");
    assert_eq!((naive.kind, naive.time), (fast.kind, fast.time), "{rules}");
    naive.kind
}

#[test]
fn facts_hold_at_their_time_only() {
    let program = "p(\"a\", 1)@1; p(\"a\", 2)@2; p(\"a\", 9)@9;";
    assert_eq!(rows(program, &[], "p@1"), "a,1");
    assert_eq!(rows(program, &[], "p@2"), "a,2");
    assert_eq!(rows(program, &[], "p@3"), "");
}

#[test]
fn a_rule_fires_where_its_first_literal_is() {
    let facts = "p(\"a\", 1)@1; p(\"z\", 2)@1; at(\"m\", \"b\")@1;";
    let derived = |rule: &str| rows(&format!("{facts} {rule}"), &[], "q@1");
    assert_eq!(derived("q(X, A) :- p(X, A);"), "a,1");
    assert_eq!(derived("q(\"b\", A) :- p(_, A);"), "b,1 b,2");
    assert_eq!(derived("q(\"b\", A) :- p(\"z\", A);"), "");
    assert_eq!(derived("q(\"b\", A) :- p(\"a\", A);"), "b,1");
    assert_eq!(derived("q(X, 3) :- at(M, X);"), "");
    // Only the first literal counts.
    assert_eq!(derived("q(X, A) :- p(\"a\", 1), p(X, A);"), "a,1 z,2");
    // A location that only a negated literal names ranges over the nodes.
    assert_eq!(derived("q(X, 0) :- notin p(X, _);"), "b,0 c,0");
    assert_eq!(derived("q(X, A) :- notin at(X, _), p(X, A);"), "a,1");
}

#[test]
fn messages_take_a_step_and_can_be_lost() {
    let program =
        "p(\"a\", \"b\")@1; p(\"a\", \"a\")@1; p(\"a\", \"z\")@1; q(Y, X)@async :- p(X, Y);";
    assert_eq!(rows(program, &[], "q@1"), "");
    assert_eq!(rows(program, &[], "q@2"), "a,a b,a");
    assert_eq!(rows(program, &[], "q@3"), "");
    assert_eq!(rows(program, &["omit a->b @1"], "q@2"), "a,a");
    assert_eq!(rows(program, &["omit a->b @2"], "q@2"), "a,a b,a");
    assert_eq!(rows(program, &["omit b->a @1"], "q@2"), "a,a b,a");
    assert_eq!(rows(program, &["crash a @1"], "q@2"), "a,a");
    assert_eq!(rows(program, &["crash a @2"], "q@2"), "a,a b,a");
    // A crashed node still receives.
    assert_eq!(rows(program, &["crash b @1"], "q@2"), "a,a b,a");
    // What a global rule sends cannot be lost.
    let global = "p(\"a\", \"b\")@1; q(Y, X)@async :- p(_, Y), p(X, Y);";
    assert_eq!(rows(global, &["omit a->b @1", "crash a @1"], "q@2"), "b,a");
    // The sender is the location, whatever else the rule reads.
    let other = "p(\"a\", \"b\")@1; r(\"c\", \"b\")@1; q(Y, X)@async :- r(X, Y), p(_, Y);";
    assert_eq!(rows(other, &["omit a->b @1"], "q@2"), "b,c");
    assert_eq!(rows(other, &["omit c->b @1"], "q@2"), "");
}

#[test]
fn state_survives_a_crash() {
    let program = "p(\"a\", 0)@1; p(X, A + 1)@next :- p(X, A); q(X, A) :- p(X, A);";
    assert_eq!(rows(program, &["crash a @1"], "q@3"), "a,2");
}

#[test]
fn crash_holds_at_all_times_and_observers() {
    let program = "q(X, Y, T) :- crash(X, Y, T); up(X) :- notin crash(X, X, _);";
    assert_eq!(rows(program, &["crash b @3"], "q@1"), "a,b,3 b,b,3 c,b,3");
    assert_eq!(rows(program, &["crash b @3"], "up@1"), "a c");
    assert_eq!(rows(program, &[], "q@3"), "");
}

#[test]
fn absolute_times_are_read() {
    let facts = "p(\"a\", 1)@1; p(\"a\", 2)@2; tick(\"a\")@1; tick(X)@next :- tick(X);";
    let derived = |rule: &str, at: &str| rows(&format!("{facts} {rule}"), &[], at);
    assert_eq!(derived("q(X, A) :- tick(X), p(X, A)@1;", "q@3"), "a,1");
    assert_eq!(derived("q(X, A) :- tick(X), p(X, A)@2;", "q@1"), "a,2");
    assert_eq!(derived("q(X) :- tick(X), notin p(X, _)@3;", "q@1"), "a");
    assert_eq!(derived("q(X) :- tick(X), notin p(X, _)@7;", "q@1"), "a");
    assert_eq!(derived("q(X, A) :- p(X, A), notin p(X, A)@1;", "q@2"), "a,2");
}

#[test]
fn an_existential_variable_has_one_value() {
    let facts = "n(\"a\")@1; n(\"b\")@1; p(\"a\", 1, 1)@1; p(\"b\", 1, 2)@1;";
    let derived = |rule: &str| rows(&format!("{facts} {rule}"), &[], "q@1");
    assert_eq!(derived("q(X) :- n(X), notin p(X, E, E);"), "b");
    assert_eq!(derived("q(X) :- n(X), notin p(X, _, _);"), "");
    assert_eq!(derived("q(X) :- n(X), notin p(X, _, 1 + 1);"), "a");
}

#[test]
fn aggregates_are_over_distinct_values_of_a_group() {
    let facts = "p(\"a\", \"x\", 7)@1; p(\"a\", \"y\", 7)@1; p(\"a\", \"y\", -2)@1; \
                 p(\"b\", \"x\", 3)@1;";
    let derived = |rule: &str| rows(&format!("{facts} {rule}"), &[], "q@1");
    assert_eq!(derived("q(X, count<A>) :- p(X, _, A);"), "a,2 b,1");
    assert_eq!(derived("q(X, count<S>) :- p(X, S, _);"), "a,2 b,1");
    assert_eq!(derived("q(X, sum<A>) :- p(X, _, A);"), "a,5 b,3");
    assert_eq!(derived("q(X, avg<A>) :- p(X, _, A);"), "a,2 b,3");
    assert_eq!(derived("q(X, min<A>) :- p(X, _, A);"), "a,-2 b,3");
    assert_eq!(derived("q(X, max<S>) :- p(X, S, _);"), "a,y b,x");
    assert_eq!(derived("q(X, S, sum<A>) :- p(X, S, A);"), "a,x,7 a,y,5 b,x,3");
    assert_eq!(derived("q(\"c\", sum<A>) :- p(_, _, A);"), "c,8");
    assert_eq!(derived("q(X, min<A>, max<A>) :- p(X, _, A);"), "a,-2,7 b,3,3");
    assert_eq!(derived("q(X, count<A>) :- p(X, \"z\", A);"), "");
    // Each rule by itself.
    let two = "q(X, count<A>) :- p(X, \"x\", A); q(X, count<A>) :- p(X, \"y\", A);";
    assert_eq!(derived(two), "a,1 a,2 b,1");
}

#[test]
fn an_aggregate_of_messages_counts_those_that_arrive() {
    let program = "p(\"a\", 1)@1; p(\"b\", 2)@1; p(\"c\", 4)@1; q(\"c\", sum<A>)@async :- p(X, A);";
    assert_eq!(rows(program, &[], "q@2"), "c,7");
    assert_eq!(rows(program, &["omit a->c @1"], "q@2"), "c,6");
    assert_eq!(rows(program, &["omit a->c @1", "crash b @1", "crash c @1"], "q@2"), "c,4");
}

#[test]
fn arithmetic_and_comparisons() {
    let facts = "p(\"a\", 7, 2)@1; p(\"a\", -7, 2)@1; s(\"a\", \"b\")@1; s(\"a\", \"B\")@1;";
    let derived = |rule: &str| rows(&format!("{facts} {rule}"), &[], "q@1");
    assert_eq!(derived("q(X, A / B) :- p(X, A, B);"), "a,-3 a,3");
    assert_eq!(derived("q(X, A - B * 2 - 1) :- p(X, A, B);"), "a,-12 a,2");
    assert_eq!(derived("q(X, A) :- p(X, A, B), p(X, A, 9 - A);"), "a,7");
    assert_eq!(derived("q(X, S) :- s(X, S), S < \"a\";"), "a,B");
    assert_eq!(derived("q(X, A) :- p(X, A, B), A <= B;"), "a,-7");
}

#[test]
fn an_error_counts_if_all_else_in_the_body_holds() {
    let facts = "p(\"a\", 0)@1; p(\"a\", 2)@1;";
    let fails = |rule: &str| error(&format!("{facts} {rule}"));
    assert_eq!(fails("q(X, 6 / A) :- p(X, A);"), RunErrorKind::DivisionByZero);
    assert_eq!(fails("q(X, A) :- p(X, A), 6 / A == 3;"), RunErrorKind::DivisionByZero);
    assert_eq!(fails("q(X) :- p(X, A), notin p(X, 6 / A);"), RunErrorKind::DivisionByZero);
    assert_eq!(fails("q(X) :- p(X, A), p(X, 6 / A);"), RunErrorKind::DivisionByZero);
    assert_eq!(
        fails("q(X, A * 5000000000 * 5000000000) :- p(X, A);"),
        RunErrorKind::Overflow,
        "the other row is the one that overflows"
    );
    let guarded = |rule: &str| rows(&format!("{facts} {rule}"), &[], "q@1");
    assert_eq!(guarded("q(X, 6 / A) :- p(X, A), A != 0;"), "a,3");
    assert_eq!(guarded("q(X, A) :- 6 / A == 3, p(X, A), notin zero(X), A > 0;"), "a,2");
    assert_eq!(guarded("q(X, A) :- p(X, A), notin p(X, 6 / A), A > 0;"), "a,2");
    // At the last step too, though what is derived for the next is never seen.
    let late = "p(\"a\", 0)@3; q(X, 1 / A)@next :- p(X, A);";
    assert_eq!(error(late), RunErrorKind::DivisionByZero);
}

#[test]
fn a_step_runs_to_its_fixpoint() {
    let program = "e(\"a\", 1, 2)@1; e(\"a\", 2, 3)@1; e(\"a\", 3, 1)@1; e(\"a\", 4, 4)@1;
                   r(X, A, B) :- e(X, A, B); r(X, A, C) :- r(X, A, B), r(X, B, C);
                   q(X, A) :- r(X, 1, A);";
    assert_eq!(rows(program, &[], "q@1"), "a,1 a,2 a,3");
    assert_eq!(error("p(\"a\", 1)@1; p(X, A + 1) :- p(X, A);"), RunErrorKind::Endless);
}

#[test]
fn a_cycle_through_negation_has_its_well_founded_model() {
    // A position is won from which some move leads to one that is lost.
    let game = "m(\"a\", 1, 2)@1; m(\"a\", 2, 3)@1; m(\"a\", 3, 4)@1; m(\"a\", 1, 4)@1;
                win(X, A) :- m(X, A, B), notin win(X, B);";
    assert_eq!(rows(game, &[], "win@1"), "a,1 a,3");
    let drawn = "m(\"a\", 1, 2)@1; m(\"a\", 2, 1)@1; win(X, A) :- m(X, A, B), notin win(X, B);";
    assert_eq!(error(drawn), RunErrorKind::NotTotal);
    // A circle does not support itself.
    let circle = "s(\"a\")@1; p(X) :- q(X); q(X) :- p(X); r(X) :- s(X), notin p(X);";
    assert_eq!(rows(circle, &[], "r@1"), "a");
    assert_eq!(rows(circle, &[], "p@1"), "");
}

#[test]
fn a_minimum_in_a_cycle_is_a_member_with_no_better_member() {
    let program = "c(\"a\", 1)@1; c(\"a\", 2)@1; c(\"a\", 3)@1;
                   best(X, min<A>) :- c(X, A), notin out(X, A);
                   out(X, B) :- best(X, A), c(X, B), A < B;";
    assert_eq!(rows(program, &[], "best@1"), "a,1");
    assert_eq!(rows(program, &[], "out@1"), "a,2 a,3");
    // Whether or not 2 is a member: it is not the best.
    let certain = "c(\"a\", 1)@1; c(\"a\", 2)@1;
                   best(X, min<A>) :- c(X, A), notin out(X, A);
                   out(X, 2) :- c(X, 2), notin best(X, 2);";
    assert_eq!(rows(certain, &[], "best@1"), "a,1");
    assert_eq!(rows(certain, &[], "out@1"), "a,2");
}
