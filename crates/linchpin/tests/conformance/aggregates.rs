//! Aggregates in heads.

use crate::harness::program;

#[test]
fn they_range_over_distinct_values_of_a_group() {
    program(
        "p(\"a\", 1, 5)@1; p(\"a\", 2, 5)@1; p(\"a\", 3, 7)@1; p(\"b\", 1, 6)@1;
         number(X, count<V>) :- p(X, _, V); total(X, sum<V>) :- p(X, _, V);
         least(X, min<V>) :- p(X, _, V); most(X, max<V>) :- p(X, _, V); mean(X, avg<V>) :- p(X, _, V);",
    )
    .gives(
        "number(a, 2)@1; number(b, 1)@1; total(a, 12)@1; total(b, 6)@1; least(a, 5)@1; \
         least(b, 6)@1; most(a, 7)@1; most(b, 6)@1; mean(a, 6)@1; mean(b, 6)@1",
    );
}

#[test]
fn an_average_truncates_towards_zero() {
    program(
        "p(\"a\", 1)@1; p(\"a\", 2)@1; n(\"a\", -1)@1; n(\"a\", -2)@1;
         q(X, avg<V>) :- p(X, V); r(X, avg<V>) :- n(X, V);",
    )
    .gives("q(a, 1)@1; r(a, -1)@1");
}

#[test]
fn an_empty_group_has_no_row() {
    program("p(\"b\", 1)@1; here(\"a\")@1; q(X, count<V>) :- here(X), p(X, V);").gives("no q");
}

#[test]
fn strings_are_counted_and_compared() {
    program(
        "p(\"a\", \"x\")@1; p(\"a\", \"B\")@1; p(\"a\", \"x y\")@1;
         n(X, count<V>) :- p(X, V); lo(X, min<V>) :- p(X, V); hi(X, max<V>) :- p(X, V);",
    )
    .gives("n(a, 3)@1; lo(a, B)@1; hi(a, x y)@1");
    program("p(\"a\", \"x\")@1; q(X, sum<V>) :- p(X, V);").says("D0040");
    program("p(\"a\", \"x\")@1; q(X, avg<V>) :- p(X, V);").says("D0040");
}

#[test]
fn a_relation_may_have_several_aggregate_rules() {
    program(
        "p(\"a\", 1)@1; p(\"a\", 2)@1; q(\"a\", 5)@1;
         n(X, count<V>) :- p(X, V); n(X, count<V>) :- q(X, V); n(X, max<V>) :- q(X, V); n(X, 0) :- q(X, _);",
    )
    .gives("n(a, 2)@1; n(a, 1)@1; n(a, 5)@1; n(a, 0)@1");
}

#[test]
fn a_head_may_have_several_aggregates() {
    program(
        "p(\"a\", 1, \"x\")@1; p(\"a\", 2, \"x\")@1; p(\"a\", 3, \"y\")@1;
         q(X, min<N>, max<N>, count<S>, sum<N>) :- p(X, N, S);",
    )
    .gives("q(a, 1, 3, 2, 6)@1");
}

#[test]
fn other_columns_may_be_literals_and_expressions() {
    program(
        "p(\"a\", 1, 10)@1; p(\"a\", 2, 20)@1; p(\"a\", 3, 30)@1;
         q(X, \"total\", 7, N/2, sum<V>) :- p(X, N, V); r(\"b\", count<X>) :- p(X, _, _);",
    )
    .gives("q(a, total, 7, 0, 10)@1; q(a, total, 7, 1, 50)@1; r(b, 1)@1");
}

#[test]
fn groups_are_the_other_columns_and_not_the_location() {
    program(
        "p(\"a\", 1)@1; p(\"b\", 1)@1; p(\"b\", 2)@1; n(\"a\", count<V>) :- p(X, V), X != \"z\";",
    )
    .gives("n(a, 2)@1");
}

#[test]
fn the_location_itself_may_be_aggregated() {
    program(
        "p(\"a\", 1)@1; p(\"b\", 1)@1; first(min<X>, N) :- p(X, N); n(\"a\", count<X>) :- p(X, _);",
    )
    .gives("first(a, 1)@1; n(a, 2)@1");
}

#[test]
fn next_aggregates_are_over_the_step_before() {
    program("p(\"a\", 1)@1; p(\"a\", 2)@2; p(\"a\", 3)@2; n(X, count<V>)@next :- p(X, V);")
        .gives("n(a, 1)@2; n(a, 2)@3");
}

#[test]
fn async_aggregates_are_over_what_is_sent_on_open_channels() {
    let one = program("p(\"a\", 1)@1; p(\"a\", 2)@1; n(\"b\", X, count<V>)@async :- p(X, V);");
    one.gives("n(b, a, 2)@2");
    one.fault("omit a->b @1").gives("no n");
    // Several senders: one group, of what arrives.
    let several = program(
        "p(\"a\", 1)@1; p(\"a\", 2)@1; p(\"b\", 2)@1; p(\"b\", 3)@1; p(\"c\", 4)@1;
         n(\"c\", count<V>, sum<V>)@async :- p(X, V);",
    )
    .nodes(&["a", "b", "c"]);
    several.gives("n(c, 4, 10)@2");
    several.clone().fault("omit a->c @1").gives("n(c, 3, 9)@2");
    several.clone().fault("omit b->c @1").gives("n(c, 3, 7)@2");
    several.clone().fault("crash a @1").fault("crash b @1").gives("n(c, 1, 4)@2");
    several.fault("crash c @1").gives("n(c, 4, 10)@2");
    // And as a question: two senders know of 2, so one of the two may be lost.
    program(
        "p(\"a\", 1)@1; p(\"a\", 2)@1; p(\"b\", 2)@1; p(\"b\", 3)@1;
         n(\"c\", count<V>)@async :- p(X, V);
         pre(X) :- tick(X); tick(\"c\")@2; post(X) :- tick(X), n(X, N), N >= 2;",
    )
    .nodes(&["a", "b", "c"])
    .eot(2)
    .eff(2)
    .breaks(&["omit a->c @1; omit b->c @1"], false);
}

#[test]
fn global_async_aggregates_lose_nothing() {
    program("p(\"a\", 1)@1; p(\"b\", 2)@1; n(\"b\", count<V>)@async :- p(_, V);")
        .fault("crash a @1")
        .gives("n(b, 2)@2");
}

#[test]
fn async_aggregates_to_undeclared_nodes_vanish() {
    program("p(\"a\", \"z\", 1)@1; n(Y, count<V>)@async :- p(X, Y, V);").gives("no n");
}

#[test]
fn faults_take_members_away_one_by_one() {
    // Acknowledgements of b and c are counted at a; both are needed.
    let text = "
        ask(\"a\", \"b\")@1; ask(\"a\", \"c\")@1; asked(Y, X)@async :- ask(X, Y);
        ack(X, Y)@async :- asked(Y, X); ack(X, Y)@next :- ack(X, Y);
        acks(X, count<Y>) :- ack(X, Y);
        pre(X) :- ack(X, _); pre(\"a\") :- tick(_); tick(\"a\")@3; post(X) :- acks(X, N), N == 2;";
    let case = program(text).nodes(&["a", "b", "c"]).eot(3).eff(3);
    case.breaks(&["omit a->b @1", "omit a->c @1", "omit b->a @2", "omit c->a @2"], false);
}

#[test]
fn sums_that_overflow_are_errors_and_averages_do_not() {
    program("p(\"a\", 9223372036854775807)@1; p(\"a\", 1)@1; s(X, sum<V>) :- p(X, V);")
        .fails("integer overflow at time 1", "s(X, sum<V>) :- p(X, V)");
    program("p(\"a\", 9223372036854775807)@1; p(\"a\", 1)@1; m(X, avg<V>) :- p(X, V);")
        .gives("m(a, 4611686018427387904)@1");
}

#[test]
fn members_of_a_free_location_are_nodes() {
    program("group(\"b\", 1)@1; n(\"a\", count<X>) :- notin group(X, _);")
        .nodes(&["a", "b", "c"])
        .eot(2)
        .gives("n(a, 2)@1; n(a, 3)@2");
}
