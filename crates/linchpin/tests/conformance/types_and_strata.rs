//! Types, arities, arithmetic errors, cycles through negation.

use crate::harness::program;

#[test]
fn a_column_is_an_integer_or_a_string() {
    assert!(program("p(\"a\", 1)@1; p(\"a\", \"x\")@1;").says("D0040").contains("string"));
    program("p(\"a\", 1)@1; q(\"a\", \"x\")@1; r(X) :- p(X, V), q(X, V);").says("D0040");
    program("p(\"a\", 1)@1; q(X) :- p(X, V), V == \"x\";").says("D0040");
    program("p(\"a\", \"x\")@1; q(X, V+1) :- p(X, V);").says("D0040");
    program("p(\"a\", \"x\", 1)@1; q(X) :- p(X, V, W), V < W;").says("D0040");
    program("p(\"a\", 1)@1; q(X, V) :- p(X, V); q(X, \"none\") :- p(X, _);").says("D0040");
}

#[test]
fn a_location_column_is_not_both_a_string_and_an_integer() {
    program("p(1)@1; p(\"a\")@1;").says("D0040");
    program("p(\"a\", 1)@1; q(V) :- p(_, V); q(X) :- p(X, _);").says("D0040");
    program("p(\"a\", 1)@1; q(X) :- p(X+1, _), p(X, _);").says("D0040");
    program("p(\"a\", 1)@1; q(X, V) :- p(X, V), crash(V, _, _);").says("D0040");
}

#[test]
fn an_integer_may_stand_in_the_first_column_but_nothing_fires_there() {
    let case = program("p(\"a\", 1)@1; q(V) :- p(_, V); r(V) :- q(V); s(V) :- p(_, _), q(V);");
    case.gives("q(1)@1; no r; s(1)@1");
    case.says("D0061");
    program("p(\"a\", 1)@1; q(count<X>) :- p(X, _);").gives("q(1)@1");
}

#[test]
fn a_conflict_is_one_error_however_many_places_meet() {
    program(
        "p(\"a\", 1)@1; q(X, V) :- p(X, V); r(X, V) :- q(X, V); r(\"a\", \"x\")@1;
         s(X, V) :- r(X, V);",
    )
    .says("D0040");
}

#[test]
fn arities_are_fixed() {
    program("p(\"a\")@1; p(\"a\", 1)@1;").says("D0036");
    program("p(\"a\")@1; q(X) :- p(X, _);").says("D0036");
}

#[test]
fn arithmetic_errors_end_the_run_whether_or_not_the_outcome_needs_the_value() {
    let rest = "pre(X) :- ok(X); post(X) :- ok(X); ok(\"a\")@1; ok(X)@next :- ok(X);";
    program(&format!("{rest} p(\"a\", 0)@2; q(X, 1/N) :- p(X, N);"))
        .fails("division by zero at time 2", "q(X, 1/N) :- p(X, N)");
    program(&format!("{rest} p(\"a\", 9223372036854775807)@3; q(X, N+1) :- p(X, N);"))
        .fails("integer overflow at time 3", "q(X, N+1) :- p(X, N)");
    program(&format!("{rest} p(\"a\", -9223372036854775808)@1; q(X, -N) :- p(X, N);"))
        .fails("integer overflow at time 1", "q(X, -N) :- p(X, N)");
    program(&format!("{rest} p(\"a\", -9223372036854775808)@1; q(X, N/-1) :- p(X, N);"))
        .fails("integer overflow at time 1", "q(X, N/-1) :- p(X, N)");
    program(&format!("{rest} p(\"a\", 9223372036854775807)@1; q(X) :- p(X, N), N*2 > 0;"))
        .fails("integer overflow at time 1", "q(X) :- p(X, N), N*2 > 0");
    // At the last step, but not beyond it.
    program(&format!("{rest} p(\"a\", 0)@4; q(X, 1/N) :- p(X, N);"))
        .fails("division by zero at time 4", "q(X, 1/N) :- p(X, N)");
    program(&format!("{rest} p(\"a\", 0)@5; q(X, 1/N) :- p(X, N);")).gives("no q");
    // In the head of a rule for the next step: at the time the rule fires.
    program(&format!("{rest} p(\"a\", 0)@2; q(X, 1/N)@next :- p(X, N);"))
        .fails("division by zero at time 2", "q(X, 1/N)@next :- p(X, N)");
}

#[test]
fn an_arithmetic_error_counts_only_where_the_rest_of_the_body_holds() {
    // In whatever order the body is written.
    for body in ["p(X, N), 1/N == 1, go(X)", "p(X, N), go(X), 1/N == 1", "go(X), 1/N == 1, p(X, N)"]
    {
        let text = format!("p(\"a\", 0)@1; go(\"b\")@1; q(X) :- {body};");
        program(&text).gives("no q");
        let text = format!("p(\"a\", 0)@1; go(\"a\")@1; q(X) :- {body};");
        program(&text).fails("division by zero at time 1", &format!("q(X) :- {body}"));
    }
    program("p(\"a\", 0)@1; q(X) :- p(X, N), N != 0, 1/N == 1;").gives("no q");
    program("p(\"a\", 0)@1; q(X, 1/N) :- p(X, N), N != 0;").gives("no q");
    program("p(\"a\", 0)@1; stop(\"a\")@1; q(X, 1/N) :- p(X, N), notin stop(X);").gives("no q");
}

#[test]
fn arithmetic_errors_in_literals() {
    program("p(\"a\", 0)@1; r(\"a\", 1)@1; q(X) :- p(X, N), r(X, 1/N);")
        .fails("division by zero at time 1", "q(X) :- p(X, N), r(X, 1/N)");
    program("p(\"a\", 0)@1; r(\"a\", 1)@1; q(X) :- p(X, N), notin r(X, 1/N);")
        .fails("division by zero at time 1", "q(X) :- p(X, N), notin r(X, 1/N)");
    // No row to compare with.
    program("p(\"a\", 0)@1; r(\"b\", 1)@1; q(X) :- p(X, N), r(X, 1/N);").gives("no q");
}

#[test]
fn cycles_through_next_and_async_are_no_cycles() {
    let case =
        program("p(\"a\")@1; p(X)@next :- q(X); q(X) :- p(X), notin r(X); r(X)@next :- q(X);");
    case.says("");
    case.gives("p(a)@1; q(a)@1; p(a)@2; r(a)@2");
}

#[test]
fn a_harmless_cycle_through_negation_has_its_well_founded_model() {
    // The moves form no circle: every position is decided.
    let case = program(
        "move(\"a\", 1, 2)@1; move(\"a\", 2, 3)@1; win(X, P) :- move(X, P, Q), notin win(X, Q);",
    );
    assert!(case.says("D0050").contains("`win` -> notin `win`"));
    case.gives("win(a, 2)@1");
}

#[test]
fn a_cycle_that_leaves_facts_undecided_is_an_error_of_the_run() {
    program("move(\"a\", 1, 1)@2; win(X, P) :- move(X, P, Q), notin win(X, Q);").fails(
        "a cycle through negation leaves facts undecided at time 2",
        "win(X, P) :- move(X, P, Q), notin win(X, Q)",
    );
}

#[test]
fn a_minimum_in_a_cycle_is_a_member_with_no_better_one() {
    let case = program(
        "edge(\"a\", 1, 2, 5)@1; edge(\"a\", 1, 3, 1)@1; edge(\"a\", 3, 2, 1)@1;
         dist(\"a\", 1, 0)@1; near(X, N, min<D>) :- dist(X, N, D);
         dist(X, T, D+L) :- near(X, F, D), edge(X, F, T, L);",
    );
    case.says("D0050");
    case.gives("near(a, 1, 0)@1; near(a, 3, 1)@1; near(a, 2, 2)@1");
}

#[test]
fn a_count_in_a_cycle_is_an_error() {
    program("p(\"a\", 1)@1; n(X, count<V>) :- p(X, V); p(X, N) :- n(X, N);").says("D0051");
    program("p(\"a\", 1)@1; n(X, sum<V>) :- p(X, V); p(X, N) :- n(X, N);").says("D0051");
    program("p(\"a\", 1)@1; n(X, avg<V>) :- p(X, V); p(X, N) :- n(X, N);").says("D0051");
    program("p(\"a\", 1)@1; n(X, count<V>)@next :- p(X, V); p(X, N) :- n(X, N);").says("");
}

#[test]
fn two_aggregates_of_one_head_in_a_cycle_are_an_error() {
    // "A member with no better member" has no meaning for a pair.
    program(
        "edge(\"a\", 1, 2)@1; dist(\"a\", 1, 0)@1;
         near(X, N, min<D>, max<D>) :- dist(X, N, D); dist(X, T, D+1) :- near(X, F, D, _), edge(X, F, T);",
    )
    .says("D0051");
    program("p(\"a\", 1)@1; q(X, min<V>, max<V>) :- p(X, V); r(X, V) :- q(X, V, _);").says("");
}

#[test]
fn a_minimum_in_a_cycle_keeps_its_groups_constants_and_expressions() {
    let case = program(
        "edge(\"a\", 1, 2, 5)@1; edge(\"a\", 1, 2, 3)@1; edge(\"a\", 2, 3, 1)@1; dist(\"a\", 1, 0)@1;
         near(X, \"best\", 10*N, min<D>) :- dist(X, N, D);
         dist(X, T, D+L) :- near(X, _, F, D), edge(X, G, T, L), F == 10*G;",
    );
    case.gives("near(a, best, 10, 0)@1; near(a, best, 20, 3)@1; near(a, best, 30, 4)@1");
}

#[test]
fn a_cycle_through_a_read_at_time_1_is_one_at_time_1() {
    let case = program("p(\"a\")@2; q(X) :- p(X), notin q(X)@1;");
    case.says("D0050");
    case.gives("q(a)@2");
    program("p(\"a\")@1; q(X) :- p(X), notin q(X)@1;").fails(
        "a cycle through negation leaves facts undecided at time 1",
        "q(X) :- p(X), notin q(X)@1",
    );
}

#[test]
fn a_message_whose_content_has_no_value_is_an_error_even_if_it_is_lost() {
    let text = "p(\"a\", \"b\", 0)@1; q(Y, 1/N)@async :- p(_X, Y, N);";
    let (error, rule) = ("division by zero at time 1", "q(Y, 1/N)@async :- p(_X, Y, N)");
    program(text).fails(error, rule);
    program(text).fault("omit a->b @1").fails(error, rule);
    program(&text.replace("\"b\"", "\"z\"")).fails(error, rule);
    // But a sum is of what arrives.
    let text = "p(\"a\", 9223372036854775807)@1; p(\"b\", 1)@1; s(\"c\", sum<N>)@async :- p(X, N);";
    let case = program(text).nodes(&["a", "b", "c"]);
    case.fails("integer overflow at time 1", "s(\"c\", sum<N>)@async :- p(X, N)");
    case.fault("omit b->c @1").gives("s(c, 9223372036854775807)@2");
}

#[test]
fn an_error_in_what_would_hold_after_the_end_is_one_too() {
    program("p(\"a\", 0)@4; q(X, 1/N)@next :- p(X, N);")
        .fails("division by zero at time 4", "q(X, 1/N)@next :- p(X, N)");
    program("p(\"a\", 0)@4; q(X, 1/N)@async :- p(X, N);")
        .fails("division by zero at time 4", "q(X, 1/N)@async :- p(X, N)");
    program("p(\"a\", 9223372036854775807)@4; p(\"a\", 1)@4; q(X, sum<N>)@next :- p(X, N);")
        .fails("integer overflow at time 4", "q(X, sum<N>)@next :- p(X, N)");
    program("p(\"a\", 0)@5; q(X, 1/N)@next :- p(X, N);").gives("no q");
}

#[test]
fn rules_that_look_ahead_fail_at_the_time_they_are_evaluated_for() {
    program("p(\"a\", 0)@3; tick(\"a\")@2; post(X, 1/N) :- tick(X), p(X, N)@3;")
        .fails("division by zero at time 2", "post(X, 1/N) :- tick(X), p(X, N)@3");
}

#[test]
fn an_error_that_needs_faults_is_found() {
    let text = "p(\"a\", \"b\")@1; got(Y)@async :- p(_X, Y); tick(\"b\")@2;
                missing(X, 0) :- tick(X), notin got(X); bad(X, 1/N) :- missing(X, N);";
    program(text).gives("no bad");
    program(text)
        .fault("omit a->b @1")
        .fails("division by zero at time 2", "bad(X, 1/N) :- missing(X, N)");
}
