//! Warnings about suspicious programs.

use linchpin_dedalus::codes::Code;

use crate::support::{clean, codes, compile, only};

const FACTS: &str = r#"log("a", "hello")@1; node("a", "b")@1; "#;

#[test]
fn reading_what_is_never_derived() {
    let diagnostic = only(&format!("{FACTS} p(X) :- nodes(X, _); q(X) :- nodes(X, _);"));
    assert_eq!(diagnostic.code, Code::NeverDerived);
    assert_eq!(diagnostic.help.as_deref(), Some("did you mean `node`?"));
    let diagnostic = only(&format!("{FACTS} p(X) :- log(X, _), notin zebra(X, _);"));
    assert_eq!(diagnostic.primary.expect("a place").text, "always true");
    // Derived later, or by a rule of its own, is derived.
    clean(&format!("{FACTS} p(X) :- log(X, _), q(X); q(X)@next :- q(X);"));
    clean("p(\"a\")@1000; q(X) :- p(X);");
}

#[test]
fn lints_wait_for_a_program_without_errors() {
    assert_eq!(
        codes(&format!("{FACTS} p(X) :- nodes(X, _); q(X, Y) :- log(X, _);")),
        [Code::UnboundVariable]
    );
}

#[test]
fn non_local_rules() {
    for rule in [
        "p(X) :- log(X, P), log(Y, P), node(X, Y);",
        "p(X) :- node(X, Y), notin log(Y, \"hello\");",
        "p(X) :- node(X, _), log(_, \"hello\");",
        "p(X) :- node(X, _), log(\"b\", _);",
        "p(Y) :- node(X, Y);",
        "p(Y)@next :- node(X, Y);",
        "p(\"b\") :- node(X, _);",
        "p(min<Y>) :- node(X, Y);",
        "p(X)@async :- node(X, Y), log(Y, _);",
        "p(\"a\") :- node(\"a\", _), log(\"b\", _);",
    ] {
        assert_eq!(codes(&format!("{FACTS}{rule}")), [Code::NonLocalRule], "{rule}");
    }
}

#[test]
fn local_rules() {
    for rule in [
        "p(X) :- log(X, P), node(X, P);",
        "p(Y)@async :- node(X, Y);",
        "p(X, Y)@next :- node(X, Y), notin log(X, Y);",
        "p(X) :- log(X, _), notin crash(X, X, _);",
        "p(X) :- node(X, Y), crash(_, Y, _), notin crash(Y, X, _);",
        "p(\"a\") :- node(\"a\", _), log(\"a\", _);",
        "p(P, Y) :- log(_, P), node(_, Y), notin log(Y, P);",
        "p(X) :- notin log(X, _);",
    ] {
        assert_eq!(codes(&format!("{FACTS}{rule}")), [], "{rule}");
    }
}

#[test]
fn warnings_leave_the_program() {
    let compilation = compile(&format!("{FACTS} p(X) :- nodes(X, _);"));
    assert_eq!(compilation.program.expect("a program").rules.len(), 1);
}
