//! Facts, time, rules, place, messages, reads at absolute times.

use crate::harness::program;

#[test]
fn a_fact_holds_at_its_time_only() {
    program("p(\"a\", 1)@1; p(\"a\", 2)@3; p(\"a\", 4)@4; q(X, N) :- p(X, N);")
        .gives("p(a, 1)@1; p(a, 2)@3; p(a, 4)@4; q(a, 1)@1; q(a, 2)@3; q(a, 4)@4");
}

#[test]
fn a_fact_beyond_the_end_is_allowed_and_never_seen() {
    let case = program("p(\"a\", 1)@5; p(\"b\", 1)@4294967295; q(X) :- p(X, _);");
    case.says("");
    case.gives("no p; no q");
    case.eot(5).gives("p(a, 1)@5; q(a)@5");
}

#[test]
fn a_fact_given_twice_is_one_row() {
    program("p(\"a\")@1; p(\"a\")@1; q(X, count<X>) :- p(X);").gives("p(a)@1; q(a, 1)@1");
}

#[test]
fn deductive_rules_hold_at_the_same_time_and_run_to_their_fixpoint() {
    program(
        "edge(\"a\", 1, 2)@2; edge(\"a\", 2, 3)@2; edge(\"a\", 3, 1)@2;
         path(X, F, T) :- edge(X, F, T); path(X, F, T) :- path(X, F, M), edge(X, M, T);
         loop(X, N) :- path(X, N, N);",
    )
    .gives("loop(a, 1)@2; loop(a, 2)@2; loop(a, 3)@2");
    program("n(\"a\", 1)@1; n(X, N*2) :- n(X, N), N < 10;")
        .gives("n(a, 1)@1; n(a, 2)@1; n(a, 4)@1; n(a, 8)@1; n(a, 16)@1");
}

#[test]
fn a_step_that_does_not_end_is_an_error_naming_the_rule() {
    program("n(\"a\", 1)@2; n(X, N+1) :- n(X, N);")
        .fails("the time step does not end at time 2", "n(X, N+1) :- n(X, N)");
}

#[test]
fn next_is_one_step_later() {
    program("p(\"a\")@2; p(X)@next :- p(X); q(X)@next :- p(X);")
        .gives("p(a)@2; p(a)@3; p(a)@4; q(a)@3; q(a)@4");
}

#[test]
fn async_arrives_one_step_later_at_its_first_column() {
    program("p(\"a\", \"b\")@2; q(Y, X)@async :- p(X, Y);").gives("q(b, a)@3");
}

#[test]
fn what_is_sent_at_the_end_is_not_seen() {
    program("p(\"a\", \"b\")@4; q(Y, X)@async :- p(X, Y); r(X)@next :- p(X, _); s(X) :- p(X, _);")
        .gives("s(a)@4; no q; no r");
}

#[test]
fn messages_to_undeclared_nodes_vanish() {
    program("p(\"a\", \"z\")@1; p(\"a\", \"b\")@1; q(Y, X)@async :- p(X, Y);").gives("q(b, a)@2");
    program("p(\"a\", 7)@1; q(Y, X)@async :- p(X, Y);").gives("no q");
}

#[test]
fn rows_derived_locally_may_stand_at_undeclared_places() {
    // ... where no rule fires.
    let case = program("p(\"a\", \"z\")@1; q(Y) :- p(_, Y); r(X) :- q(X); s(Y)@next :- p(_, Y);");
    case.gives("q(z)@1; no r; s(z)@2");
    case.says("D0061");
}

#[test]
fn a_rule_fires_at_declared_nodes_only() {
    let case = program("p(\"z\", 1)@1; p(\"a\", 2)@1; q(X, N) :- p(X, N);");
    case.gives("q(a, 2)@1");
    case.says("D0062");
}

#[test]
fn the_location_is_the_first_column_of_the_first_literal() {
    // The payload is no node: the rule never fires, and that is said.
    let case = program(
        "log(\"a\", \"text\")@1;
         one(P) :- log(_, P); two(P) :- one(P); three(X) :- log(X, P), one(P);",
    );
    case.gives("one(text)@1; no two; three(a)@1");
    assert!(case.says("D0060 D0061").contains("never fires"));
}

#[test]
fn a_location_may_be_a_constant() {
    program("p(\"a\", 1)@1; p(\"b\", 2)@1; q(\"a\", N) :- p(\"a\", N);").gives("q(a, 1)@1");
    let case = program("p(\"a\", 1)@1; p(\"z\", 2)@1; q(\"z\", N) :- p(\"z\", N);");
    case.gives("no q");
    case.says("D0062 D0063");
}

#[test]
fn messages_of_a_rule_at_a_constant_place_can_be_lost() {
    let case = program("p(\"a\", \"b\")@1; q(Y)@async :- p(\"a\", Y);");
    case.gives("q(b)@2");
    case.clone().fault("omit a->b @1").gives("no q");
    case.fault("crash a @1").gives("no q");
}

#[test]
fn a_rule_at_any_place_is_global_and_its_messages_cannot_be_lost() {
    let case = program(
        "p(\"a\", \"b\")@1; p(\"z\", \"b\")@1; q(Y, X)@async :- p(_, Y), p(X, Y);
         seen(X, Y) :- p(_, Y), p(X, Y);",
    );
    // It holds wherever rows are, at every step.
    case.gives("q(b, a)@2; q(b, z)@2; seen(a, b)@1; seen(z, b)@1");
    case.clone().fault("omit a->b @1").fault("crash a @1").gives("q(b, a)@2; q(b, z)@2");
    program("p(\"a\", \"z\")@1; q(Y)@async :- p(_, Y);").gives("no q");
}

#[test]
fn a_first_literal_may_be_negated() {
    program("p(\"a\", 1)@1; q(X, N) :- notin r(X), p(X, N); r(\"b\")@1;").gives("q(a, 1)@1");
    // Its location is that of the rule, bound elsewhere or not.
    program("p(\"z\", 1)@1; q(X, N) :- notin r(X), p(X, N); r(\"b\")@1;").gives("no q");
}

#[test]
fn a_location_that_nothing_binds_ranges_over_the_declared_nodes() {
    let case = program("group(\"b\", 1)@1; post(X) :- notin group(X, _);").eot(2);
    case.gives("post(a)@1; post(a)@2; post(b)@2");
    case.nodes(&["a", "b", "c"]).gives("post(a)@1; post(c)@1; post(a)@2; post(b)@2; post(c)@2");
    // Under several negations, and in comparisons.
    program("p(\"a\")@1; q(\"b\")@1; r(X) :- notin p(X), notin q(X), X != \"b\";")
        .eot(2)
        .nodes(&["a", "b", "c"])
        .gives("r(c)@1; r(a)@2; r(c)@2");
}

#[test]
fn a_free_location_can_send() {
    let case = program("p(\"a\")@1; q(\"a\", X)@async :- notin p(X);").eot(2);
    case.gives("q(a, b)@2");
    case.fault("omit b->a @1").gives("no q");
}

#[test]
fn heads_at_other_nodes_need_no_message_but_are_warned_about() {
    let case = program("p(\"a\", \"b\")@1; q(Y) :- p(_X, Y), p(_X, _);").fault("crash a @1");
    case.gives("q(b)@1");
    case.says("D0060");
    let case = program("p(\"a\", \"b\")@1; q(Y)@next :- p(X, Y), X != Y;").fault("omit a->b @1");
    case.gives("q(b)@2");
    case.says("D0060");
}

#[test]
fn joins_across_nodes_are_warned_about() {
    let case = program("p(\"a\", 1)@1; p(\"b\", 1)@1; q(X, Y) :- p(X, N), p(Y, N), X != Y;");
    case.gives("q(a, b)@1; q(b, a)@1");
    case.says("D0060");
    // Not if the rule observes the whole system.
    program("p(\"a\", 1)@1; p(\"b\", 1)@1; q(X, Y) :- p(_, N), p(X, N), p(Y, N), X != Y;").says("");
}

#[test]
fn a_time_mark_in_a_body_means_nothing() {
    let case = program("p(\"a\")@1; q(X) :- p(X)@next; r(X) :- p(X)@async;");
    case.says("D0028 D0028");
    case.gives("q(a)@1; r(a)@1");
}

#[test]
fn a_read_at_an_absolute_time_is_of_that_time() {
    program("p(\"a\", 1)@1; p(\"a\", 2)@2; q(X, N) :- p(X, N)@1;")
        .gives("q(a, 1)@1; q(a, 1)@2; q(a, 1)@3; q(a, 1)@4");
    program("p(\"a\", 1)@1; p(\"a\", 2)@2; tick(\"a\")@3; q(X) :- tick(X), notin p(X, 1)@1;")
        .gives("no q");
    program("p(\"a\", 1)@1; p(\"a\", 2)@2; tick(\"a\")@3; q(X) :- tick(X), notin p(X, 2)@1;")
        .gives("q(a)@3");
    // Also where it is now, within a recursion.
    program("p(\"a\", 1)@1; p(X, N+1) :- p(X, N)@1, N < 3;")
        .eot(2)
        .gives("p(a, 1)@1; p(a, 2)@1; p(a, 3)@1; p(a, 2)@2; p(a, 3)@2");
}

#[test]
fn a_read_at_a_later_time_is_of_the_whole_run() {
    program("p(\"a\", 3)@3; tick(\"a\")@1; post(X, N) :- tick(X), p(X, N)@3;")
        .gives("post(a, 3)@1");
    program("p(\"a\", 3)@3; tick(\"a\")@4; post(X, N) :- tick(X), p(X, N)@3;")
        .gives("post(a, 3)@4");
    program("p(\"a\", 3)@3; p(X, N)@next :- p(X, N); post(X, N) :- p(X, N), notin p(X, N)@2;")
        .gives("post(a, 3)@3; post(a, 3)@4");
    // Beyond the end there is nothing.
    program("p(\"a\", 3)@1; p(X, N)@next :- p(X, N); post(X, N) :- p(X, N), notin p(X, N)@9;")
        .eot(2)
        .gives("post(a, 3)@1; post(a, 3)@2");
}

#[test]
fn a_look_ahead_others_depend_on_is_an_error() {
    program("p(\"a\")@3; q(X) :- p(X)@3; r(X) :- q(X);").says("D0039");
    program("p(\"a\")@3; q(X)@next :- p(X)@3; r(X) :- q(X);").says("D0039");
    // Unless nobody reads it.
    program("p(\"a\")@3; q(X)@next :- p(X)@3;").eot(3).gives("q(a)@2; q(a)@3");
    // Time 1 is never ahead.
    program("p(\"a\")@1; q(X)@next :- p(X)@1; r(X) :- q(X);").eot(3).gives("r(a)@2; r(a)@3");
}

#[test]
fn aggregates_may_look_ahead() {
    program(
        "p(\"a\", 1)@3; p(\"a\", 2)@3; tick(\"a\")@1; post(X, count<N>) :- tick(X), p(X, N)@3;",
    )
    .gives("post(a, 2)@1");
}

#[test]
fn negated_variables_that_occur_nowhere_else_are_existential() {
    let case = program("p(\"a\")@1; p(\"b\")@1; r(\"a\", 1)@1; q(X) :- p(X), notin r(X, Any);");
    case.says("D0031");
    case.gives("q(b)@1");
    // Repeated under the one negation: equal.
    let case = program(
        "p(\"a\")@1; p(\"b\")@1; r(\"a\", 1, 1)@1; r(\"b\", 1, 2)@1; q(X) :- p(X), notin r(X, N, N);",
    );
    case.says("D0031");
    case.gives("q(b)@1");
    // Under two negations: an error.
    program("p(\"a\")@1; r(\"a\", 1)@1; q(X) :- p(X), notin r(X, N), notin r(X, N);").says("D0030");
}

#[test]
fn repeated_variables_in_a_negation_are_equal() {
    program(
        "p(\"a\", 1)@1; p(\"a\", 2)@1; r(\"a\", 1, 1)@1; r(\"a\", 2, 3)@1;
         q(X, N) :- p(X, N), notin r(X, N, N);",
    )
    .gives("q(a, 2)@1");
}

#[test]
fn negations_may_stand_before_what_binds_their_variables() {
    program("p(\"a\", 1)@1; p(\"a\", 2)@1; r(\"a\", 2)@1; q(X, N) :- notin r(X, N), p(X, N);")
        .gives("q(a, 1)@1");
}

#[test]
fn expressions_in_literals_are_compared_with_the_column() {
    program("p(\"a\", 1)@1; r(\"a\", 2)@1; r(\"a\", 3)@1; q(X, N) :- p(X, N), r(X, N+1);")
        .gives("q(a, 1)@1");
    program("p(\"a\", 1)@1; p(\"a\", 2)@1; r(\"a\", 2)@1; q(X, N) :- p(X, N), notin r(X, N+1);")
        .gives("q(a, 2)@1");
    // The literal may stand first.
    program("p(\"a\", 1)@1; r(\"a\", 2)@1; q(X, N) :- r(X, N+1), p(X, N);").gives("q(a, 1)@1");
    // It binds nothing.
    program("r(\"a\", 2)@1; q(X, N) :- r(X, N+1);").says("D0030");
}

#[test]
fn unbound_variables_are_errors() {
    program("p(\"a\")@1; q(X, Y) :- p(X);").says("D0030");
    program("p(\"a\")@1; q(X) :- p(X), Y > 1;").says("D0030");
    program("p(\"a\")@1; r(\"a\", 1)@1; q(X) :- p(X), notin r(X, Y), Y > 1;").says("D0030");
    program("p(\"a\")@1; r(\"a\", 1)@1; q(X, Y) :- p(X), notin r(X, Y);").says("D0030");
}

#[test]
fn a_relation_that_is_never_derived_is_empty() {
    let case = program("p(\"a\")@1; q(X) :- p(X), r(X); s(X) :- p(X), notin r(X);");
    case.says("D0037");
    case.gives("no q; s(a)@1; no r");
}

#[test]
fn a_free_location_may_look_ahead() {
    program("group(\"b\", 1)@3; post(X) :- notin group(X, _)@3;")
        .eot(3)
        .gives("post(a)@1; post(a)@2; post(a)@3");
}

#[test]
fn negation_at_any_place_looks_at_all_of_them() {
    program("here(\"a\", 1)@1; here(\"a\", 2)@1; r(\"b\", 1)@1; r(\"z\", 2)@1; q(X, N) :- here(X, N), notin r(_, N);")
        .gives("no q");
    program("here(\"a\", 1)@1; r(\"b\", 1)@2; q(\"a\") :- notin r(_, _);")
        .gives("q(a)@1; q(a)@3; q(a)@4");
}

#[test]
fn expressions_under_a_negation_bind_nothing() {
    program("p(\"a\")@1; r(\"a\", 1)@1; q(X) :- p(X), notin r(X, N+1);").says("D0030");
}

#[test]
fn facts_do_not_need_a_declared_node_to_be_seen_by_the_outcome() {
    program("pre(\"z\", 1)@4; post(\"z\", 1)@4;").holds();
}

#[test]
fn a_rule_fires_at_every_step_and_node() {
    program("p(\"a\", 1)@1; p(\"a\", 1)@2; p(\"b\", 1)@2; q(X)@next :- p(X, _);")
        .gives("q(a)@2; q(a)@3; q(b)@3");
}
