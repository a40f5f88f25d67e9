//! Omissions, crashes, and the built-in relation `crash`.

use crate::harness::program;

/// One message from `a` to `b` at every step.
const STREAM: &str = "
    go(\"a\", \"b\")@1; go(X, Y)@next :- go(X, Y);
    sent(X) :- go(X, _);
    got(Y, X)@async :- go(X, Y);
";

#[test]
fn an_omission_loses_everything_sent_on_one_channel_at_one_time() {
    program(STREAM)
        .gives("got(b, a)@2; got(b, a)@3; got(b, a)@4; sent(a)@1; sent(a)@2; sent(a)@3; sent(a)@4");
    program(STREAM).fault("omit a->b @2").gives("got(b, a)@2; got(b, a)@4");
    // The other direction, and other receivers, are other channels.
    program(STREAM).fault("omit b->a @2").gives("got(b, a)@2; got(b, a)@3; got(b, a)@4");
    program("p(\"a\", \"b\")@1; p(\"a\", \"c\")@1; q(Y)@async :- p(X, Y); r(Y)@async :- p(X, Y);")
        .nodes(&["a", "b", "c"])
        .fault("omit a->b @1")
        .gives("q(c)@2; r(c)@2");
    // At EOT there is nothing left to lose.
    program(STREAM).fault("omit a->b @4").gives("got(b, a)@2; got(b, a)@3; got(b, a)@4");
}

#[test]
fn only_messages_are_lost() {
    program("p(\"a\", \"b\")@1; q(X)@next :- p(X, _); r(Y)@next :- p(_X, Y); s(Y) :- p(_X, Y);")
        .fault("omit a->b @1")
        .fault("crash a @1")
        .gives("q(a)@2; r(b)@2; s(b)@1");
}

#[test]
fn a_message_to_oneself_is_never_lost() {
    program("p(\"a\", \"a\")@1; p(\"a\", \"b\")@1; p(Y, Y)@async :- p(X, Y);")
        .fault("crash a @1")
        .gives("p(a, a)@1; p(a, b)@1; p(a, a)@2; p(a, a)@3; p(a, a)@4");
}

#[test]
fn a_crashed_node_sends_nothing_to_others_from_that_time_on() {
    program(STREAM).fault("crash a @1").gives("no got");
    program(STREAM).fault("crash a @2").gives("got(b, a)@2");
    program(STREAM).fault("crash a @3").gives("got(b, a)@2; got(b, a)@3");
    // What is sent at EOT is not seen anyway.
    program(STREAM).fault("crash a @4").gives("got(b, a)@2; got(b, a)@3; got(b, a)@4");
}

#[test]
fn a_crashed_node_keeps_its_state_receives_derives_and_is_given_facts() {
    program(
        "go(\"a\", \"b\")@1; go(X, Y)@next :- go(X, Y);
         got(Y, X)@async :- go(X, Y); kept(X, N) :- got(X, N); kept(X, N)@next :- kept(X, N);
         late(\"b\")@3; echo(\"b\")@async :- late(\"b\");",
    )
    .fault("crash b @1")
    .gives(
        "got(b, a)@2; got(b, a)@3; got(b, a)@4; kept(b, a)@2; kept(b, a)@3; kept(b, a)@4; \
            late(b)@3; echo(b)@4",
    );
}

#[test]
fn omissions_are_tried_before_eff_only() {
    let case = program(
        "go(\"a\", \"b\")@1; go(X, Y)@next :- go(X, Y); got(Y, T)@async :- go(X, Y), now(X, T);
         now(\"a\", 1)@1; now(\"a\", 2)@2; now(\"a\", 3)@3; now(\"a\", 4)@4;
         got(X, T)@next :- got(X, T);
         pre(\"b\", 1) :- go(_, _); pre(\"b\", 2) :- go(_, _); pre(\"b\", 3) :- go(_, _);
         post(X, T) :- got(X, T);",
    );
    let case = case.eot(5);
    case.clone().holds();
    case.clone().eff(1).holds();
    case.clone().eff(2).breaks(&["omit a->b @1"], false);
    case.clone().eff(3).breaks(&["omit a->b @1", "omit a->b @2"], false);
    case.eff(4).breaks(&["omit a->b @1", "omit a->b @2", "omit a->b @3"], false);
}

#[test]
fn crashes_are_tried_at_every_time_whatever_eff_is() {
    let text = "
        go(\"a\", \"b\")@1; go(X, Y)@next :- go(X, Y);
        got(Y, X)@async :- go(X, Y);
        pre(Y, X) :- go(X, Y); post(Y, X) :- got(Y, X);";
    // At EOT the message of EOT - 1 must have arrived.
    program(text).crashes(1).breaks(&["crash a @1", "crash a @2", "crash a @3"], false);
    let text = "pre(X) :- here(X); post(X) :- here(X), notin crash(X, X, _); here(\"a\")@1;
                here(X)@next :- here(X);";
    program(text)
        .crashes(1)
        .breaks(&["crash a @1", "crash a @2", "crash a @3", "crash a @4"], false);
}

#[test]
fn a_node_crashes_once_and_so_many_nodes_at_most() {
    let text = "
        pre(\"a\") :- notin never(_); never(\"b\")@1; never(X)@next :- never(X); pre(X) :- never(X);
        post(X) :- never(X), notin crash(X, \"a\", _); post(X) :- never(X), notin crash(X, \"b\", _);";
    program(text).eot(1).crashes(1).holds();
    program(text).eot(1).crashes(2).breaks(&["crash a @1; crash b @1"], false);
    program(text).eot(2).crashes(2).breaks(
        &[
            "crash a @1; crash b @1",
            "crash a @1; crash b @2",
            "crash a @2; crash b @1",
            "crash a @2; crash b @2",
        ],
        false,
    );
}

#[test]
fn crash_holds_at_every_step_and_observer_whenever_the_crash_is() {
    let case = program(
        "tick(\"a\")@1; tick(\"b\")@3;
         saw(X, N, T) :- tick(X), crash(X, N, T); alive(X) :- tick(X), notin crash(X, \"b\", _);",
    );
    case.gives("no crash; no saw; alive(a)@1; alive(b)@3");
    // Before it happens, too: this run is one in which b crashes.
    case.fault("crash b @4")
        .gives("crash(a, b, 4)@1; crash(b, b, 4)@1; saw(a, b, 4)@1; saw(b, b, 4)@3; no alive");
}

#[test]
fn crash_can_be_the_first_literal_and_be_read_at_any_time() {
    let case = program("saw(X, T) :- crash(X, X, T); other(X) :- crash(X, Y, _)@2, X != Y;").eot(2);
    case.gives("no saw; no other");
    case.fault("crash b @2").gives("saw(b, 2)@1; saw(b, 2)@2; other(a)@1; other(a)@2");
}

#[test]
fn protocols_may_react_to_crash() {
    // A perfect failure detector: b takes over if a crashes.
    let text = "
        job(\"a\")@1; job(\"b\")@1; job(X)@next :- job(X);
        done(\"c\", \"a\")@async :- job(\"a\");
        done(\"c\", \"b\")@async :- job(X), crash(X, \"a\", _), X == \"b\";
        pre(\"c\") :- notin nothing(_), job(\"a\"); post(X) :- done(X, _); nothing(\"b\")@9;";
    let case = program(text).nodes(&["a", "b", "c"]).eot(3).crashes(1);
    case.clone().holds();
    case.clone().crashes(2).breaks(
        &[
            "crash a @1; crash b @1",
            "crash a @1; crash b @2",
            "crash a @2; crash b @1",
            "crash a @2; crash b @2",
        ],
        false,
    );
    // Without a crash of a, b does not help.
    case.crashes(0).eff(3).breaks(&["omit a->c @2"], false);
}

#[test]
fn crash_is_built_in() {
    program("crash(\"a\", \"a\", 1)@1;").says("D0035");
    program("p(\"a\")@1; crash(X, X, 1) :- p(X);").says("D0035");
    program("p(\"a\")@1; q(X) :- p(X), notin crash(X, X);").says("D0036");
    program("p(\"a\")@1; q(X) :- p(X), crash(X, X, \"one\");").says("D0040");
}

#[test]
fn the_time_of_a_crash_can_be_compared() {
    program("go(\"a\")@1; early(X, N) :- go(X), crash(X, N, T), T < 3;")
        .fault("crash a @2")
        .fault("crash b @3")
        .gives("early(a, a)@1");
}

#[test]
fn there_is_no_fault_on_the_way_to_oneself_or_to_strangers() {
    let text = "go(\"a\", \"a\")@1; go(\"a\", \"z\")@1; got(Y, X)@async :- go(X, Y); got(X, Y)@next :- got(X, Y);
                pre(\"a\", \"a\")@4; post(X, Y) :- got(X, Y);";
    program(text).eff(4).crashes(2).holds();
}
