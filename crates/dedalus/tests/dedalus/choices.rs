//! Facts with alternatives.

use linchpin_dedalus::codes::Code;
use linchpin_dedalus::hir::Value;
use linchpin_dedalus::infer_nodes;

use crate::print::check_fixpoint;
use crate::support::{codes, only, program};

#[test]
fn alternatives_of_columns_and_times() {
    let text = "p(\"a\", 1)@1;\nw({\"a\", \"b\"}, {-1, 3, 4, 5}, \"x\")@{4, 1, 2};\n\
                q(X, Y) :- p(X, Y), w(X, Y, _);\n";
    let program = program(text);
    assert_eq!(program.facts.len(), 1);
    let choice = &program.choices[0];
    assert_eq!(choice.times, [4, 1, 2]);
    let alternatives = choice.alternatives();
    assert_eq!(alternatives.len(), 2 * 4 * 3);
    let default = [Value::String("a".into()), Value::Integer(-1), Value::String("x".into())];
    assert_eq!((&alternatives[0].row[..], alternatives[0].time), (&default[..], 4));
    assert_eq!(program.to_string(), text);
    check_fixpoint(&program);
    assert_eq!(infer_nodes(&program), ["a", "b"]);
}

#[test]
fn ranges_and_single_alternatives() {
    let program = program("w(\"a\", {7, 1..3})@{5..6, 9}; v({\"a\"})@{2};");
    let choice = &program.choices[0];
    assert_eq!(choice.columns[1], [7, 1, 2, 3].map(Value::Integer));
    assert_eq!(choice.times, [5, 6, 9]);
    // One alternative is a plain fact.
    assert_eq!((program.choices.len(), program.facts.len(), program.facts[0].time), (1, 1, 2));
}

#[test]
fn only_facts_have_alternatives() {
    let misplaced = [Code::ChoiceMisplaced];
    assert_eq!(codes("p(\"a\")@1; q(X)@{1, 2} :- p(X);"), misplaced);
    assert_eq!(codes("p(\"a\")@1; q(X, {1, 2}) :- p(X);"), misplaced);
    assert_eq!(codes("p(\"a\")@1; q(X) :- p(X)@{1, 2};"), misplaced);
    assert_eq!(codes("p(\"a\", 1)@1; q(X) :- p(X, {1, 2});"), misplaced);
}

#[test]
fn alternatives_that_make_no_sense() {
    for text in [
        "w(\"a\", {})@1;",
        "w(\"a\")@{};",
        "w(\"a\", {1, 2, 1})@1;",
        "w(\"a\")@{1, 2, 1};",
        "w(\"a\")@{4..2};",
        "w(\"a\")@{1..1000000};",
        "w(\"a\", {1..99999999999999999999})@1;",
        "w(\"a\", {1..40}, {1..40})@1;",
    ] {
        assert_eq!(codes(text), [Code::ChoiceInvalid], "{text}");
    }
    assert_eq!(codes("w(\"a\")@{2, 0};"), [Code::TimeOutOfRange]);
    assert_eq!(codes("w(\"a\")@{1, x};"), [Code::Syntax]);
    assert_eq!(codes("w(\"a\")@{1, 2;"), [Code::Syntax]);
    assert_eq!(codes("w(\"a\", {X, 2})@1;"), [Code::VariableInFact]);
    assert_eq!(codes("w(\"a\", {\"x\", 2})@1;"), [Code::TypeConflict]);
    assert_eq!(codes("crash(\"a\", \"b\", {1, 2})@1;"), [Code::CrashDerived]);
    assert_eq!(codes("w(\"a\")@{1 .. 2};")[0], Code::UnexpectedCharacter);
}

#[test]
fn inputs_that_share_an_alternative() {
    let diagnostic = only("w(\"a\", {1, 2})@1;\nw(\"a\", {2, 3})@{1, 2};");
    assert_eq!(diagnostic.code, Code::ChoicesOverlap);
    assert!(diagnostic.message.contains("`w(\"a\", 2)` at time 1"), "{}", diagnostic.message);
    assert_eq!(codes("w(\"a\", {1, 2})@1; w(\"a\", {1, 2})@2; w(\"a\", 1)@1;"), []);
}

#[test]
fn a_semicolon_missing_before_an_input() {
    assert_eq!(codes("p(\"a\")@1\nw(\"a\")@{1, 2};"), [Code::Syntax]);
}
