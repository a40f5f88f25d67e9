//! `pre`, `post` and `good`; vacuity; minimal counterexamples.

use linchpin_model::{Invariant, Outcome};

use crate::harness::program;

/// `a` asks `b` at time 1; `b` remembers.
const ASK: &str = "
    ask(\"a\", \"b\")@1; ask(X, Y)@next :- ask(X, Y);
    got(Y, X)@async :- ask(X, Y)@1; got(X, Y)@next :- got(X, Y);
";

fn ask(rest: &str) -> crate::harness::Case {
    let text = format!("{}{rest}", ASK.replace(":- ask(X, Y)@1;", ":- ask(X, Y), first(X);"));
    program(&format!("{text} first(\"a\")@1;"))
}

#[test]
fn pre_and_post_are_compared_at_the_end_only() {
    // Missing in the middle, there at the end.
    let case = program("pre(\"a\")@1; pre(X)@next :- pre(X); post(\"a\")@4;");
    case.outcome(Outcome::Good);
    case.clone().eot(3).outcome(Outcome::Bad);
    // Asked in the middle, not at the end.
    program("pre(\"a\")@2; post(\"b\")@4;").outcome(Outcome::Vacuous);
}

#[test]
fn implication_asks_for_an_equal_row() {
    program("pre(\"a\", 1)@4; post(\"a\", 1)@4; post(\"b\", 2)@4;").holds();
    program("pre(\"a\", 1)@4; post(\"a\", 2)@4;").breaks(&["none"], false);
}

#[test]
fn implication_may_fail_without_any_fault() {
    // And then that is the only minimal counterexample.
    ask("pre(\"a\") :- ask(\"a\", _); post(X) :- never(X);")
        .eff(3)
        .crashes(1)
        .breaks(&["none"], false);
}

#[test]
fn an_invariant_that_asks_nothing_is_vacuous_and_holds() {
    let case = ask("pre(X) :- never(X); post(X) :- got(X, _);");
    case.clone().eff(3).crashes(1).breaks(&[], true);
    case.outcome(Outcome::Vacuous);
}

#[test]
fn faults_may_break_a_vacuous_program() {
    // Only a lost message makes it promise anything.
    let case =
        ask("pre(X) :- ask(X, Y), tick(X), notin got(Y, X); tick(\"a\")@3; post(X) :- never(X);");
    case.eot(3).eff(3).breaks(&["omit a->b @1"], true);
}

#[test]
fn baseline_compares_with_the_failure_free_run() {
    let case = ask("pre(Y) :- ask(_, Y); post(Y) :- got(Y, _);").invariant(Invariant::Baseline);
    case.clone().eff(3).breaks(&["omit a->b @1"], false);
    case.crashes(1).breaks(&["crash a @1"], false);
    // What the failure-free run does not do, is not asked.
    program("pre(\"a\", 1)@4; post(\"a\", 2)@4;").invariant(Invariant::Baseline).holds();
    program("pre(\"a\", 1)@4; post(\"a\", 1)@4;").invariant(Invariant::Baseline).holds();
    // Nor what is not in `pre` under the faults.
    ask("pre(Y) :- got(Y, _); post(Y) :- got(Y, _);")
        .invariant(Invariant::Baseline)
        .eff(3)
        .crashes(1)
        .holds();
}

#[test]
fn baseline_is_vacuous_without_a_row_of_post() {
    ask("pre(Y) :- ask(_, Y); post(Y) :- never(Y);")
        .invariant(Invariant::Baseline)
        .eff(3)
        .breaks(&[], true);
    // A `post` without `pre` is not.
    ask("pre(Y) :- never(Y); post(Y) :- got(Y, _);")
        .invariant(Invariant::Baseline)
        .eff(3)
        .breaks(&[], false);
}

#[test]
fn good_needs_no_pre_and_post() {
    let case = ask("good(Y) :- got(Y, _);").invariant(Invariant::Good);
    case.clone().eff(3).breaks(&["omit a->b @1"], false);
    case.crashes(1).breaks(&["crash a @1"], false);
    // Both are ignored if they are there.
    ask("good(Y) :- ask(_, Y); pre(\"a\") :- ask(_, _); post(X) :- never(X);")
        .invariant(Invariant::Good)
        .eff(3)
        .holds();
}

#[test]
fn good_is_vacuous_without_a_row_of_good() {
    ask("good(Y) :- never(Y);").invariant(Invariant::Good).eff(3).breaks(&[], true);
}

#[test]
fn good_rows_that_faults_add_do_not_matter() {
    ask("good(Y) :- ask(_, Y); good(X) :- ask(X, Y), notin got(Y, X);")
        .invariant(Invariant::Good)
        .eff(3)
        .holds();
}

#[test]
fn counterexamples_are_minimal_by_inclusion() {
    // Two copies on two channels; both must be lost.
    let text = "
        ask(\"a\", \"c\")@1; ask(\"b\", \"c\")@1; ask(X, Y)@next :- ask(X, Y);
        got(Y, X)@async :- ask(X, Y), first(X); got(X, Y)@next :- got(X, Y);
        first(\"a\")@1; first(\"b\")@1;
        pre(Y) :- ask(_, Y); post(Y) :- got(Y, _);";
    let case = program(text).nodes(&["a", "b", "c"]).eot(3).eff(3);
    case.clone().breaks(&["omit a->c @1; omit b->c @1"], false);
    case.crashes(1).breaks(
        &["omit a->c @1; omit b->c @1", "omit a->c @1; crash b @1", "crash a @1; omit b->c @1"],
        false,
    );
}

#[test]
fn crashes_at_different_times_are_different_faults() {
    let text = "
        ask(\"a\", \"b\")@2; ask(X, Y)@next :- ask(X, Y); first(\"a\")@2;
        got(Y, X)@async :- ask(X, Y), first(X); got(X, Y)@next :- got(X, Y);
        pre(Y) :- ask(_, Y); post(Y) :- got(Y, _);";
    program(text).crashes(1).breaks(&["crash a @1", "crash a @2"], false);
}
