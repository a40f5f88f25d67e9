//! What is bound by what, where rules fire, and the built-in relation.

use linchpin_dedalus::codes::Code;
use linchpin_dedalus::hir::{BodyTerm, Location, RelationKind, Rule, Type, Value, Variable};

use crate::support::{clean, codes, errors, only, program, rule, shown};

const FACTS: &str = r#"q("a", 1)@1; r("a", 1)@1; s("a", "b")@1; "#;

fn rule_of(text: &str) -> Rule {
    rule(&format!("{FACTS}{text}"))
}

fn variable<'a>(rule: &'a Rule, name: &str) -> &'a Variable {
    rule.variables.iter().find(|variable| variable.name == name).expect("the variable")
}

#[test]
fn the_location_is_the_first_column_of_the_first_literal() {
    let location = |text: &str| rule_of(text).location;
    let rule = rule_of("p(X) :- 1 < Y, q(X, Y);");
    let Location::Variable(id) = rule.location else { panic!("a variable") };
    assert_eq!(rule.variables[id.index()].name, "X");
    assert_eq!(location("p(X) :- q(_, Y), s(X, _), Y > 0;"), Location::Global);
    let constant = Location::Constant(Value::String("a".into()));
    assert_eq!(location("p(\"a\") :- q(\"a\", 1);"), constant);
    assert_eq!(location("p(X) :- notin q(_, 1), s(X, _);"), Location::Global);
}

#[test]
fn the_location_variable_under_notin_ranges_over_the_nodes() {
    let text = "s(\"a\", \"b\")@1; post(X) :- notin s(X, _);";
    let rule = rule(text);
    assert!(!variable(&rule, "X").existential);
    assert_eq!(variable(&rule, "X").r#type, Type::String);
    clean(text);
    clean(&format!("{FACTS} p(X, Y) :- notin s(X, _), q(X, Y);"));
    // Alone under its `notin`, and not even in the head.
    let rule = rule_of("p(\"a\") :- notin s(X, \"b\");");
    assert!(!variable(&rule, "X").existential);
    let text = "p(X) :- notin s(X, \"b\"), notin s(\"a\", X), X != \"c\";";
    assert_eq!(rule_of(text).variables.len(), 1);
}

#[test]
fn a_variable_under_one_notin_only_is_existential() {
    let text = format!("{FACTS} p(X) :- s(X, _), notin q(X, Y);");
    assert_eq!(codes(&text), [Code::ExistentialVariable]);
    assert!(variable(&rule(&text), "Y").existential);
    // Twice under the same one: still any value, the same in both columns.
    let text = "t(\"a\", 1, 1)@1; s(\"a\")@1; p(X) :- s(X), notin t(X, Y, Y);";
    assert_eq!(codes(text), [Code::ExistentialVariable]);
    // At the location of a literal that is not the first.
    let text = format!("{FACTS} p(X) :- s(_, X), notin q(Y, 1);");
    assert_eq!(codes(&text), [Code::ExistentialVariable]);
}

#[test]
fn a_variable_under_two_notins_is_unbound() {
    let text = format!("{FACTS} p(X) :- s(X, _), notin q(X, Y), notin r(X, Y);");
    let diagnostic = only(&text);
    assert_eq!(diagnostic.code, Code::UnboundVariable);
    assert!(shown(&text).contains("another `notin` needs the same value"));
}

#[test]
fn every_needed_value_must_be_bound() {
    for rule in [
        "p(X, Y) :- s(X, _);",
        "p(X, Y + 1) :- s(X, _);",
        "p(X, count<Y>) :- s(X, _);",
        "p(X) :- s(X, _), Y > 1;",
        "p(X) :- s(X, _), Y == 1;",
        "p(X, Y) :- s(X, _), Y == 1;",
        "p(X) :- s(X, _), q(X, Y + 1);",
        "p(X) :- s(X, _), notin q(X, Y + 1);",
        "p(X, Y) :- s(X, _), notin q(X, Y);",
        "p(X) :- s(X, _), notin q(X, Y), Y > 1;",
        "p(X) :- s(X, _), notin q(X, Y), r(X, Y + 1);",
    ] {
        assert_eq!(errors(&format!("{FACTS}{rule}")), [Code::UnboundVariable], "{rule}");
    }
    let text = format!("{FACTS} p(X, Y) :- s(X, _), Y == 1;");
    assert!(only(&text).help.expect("a hint").contains("does not bind"));
}

#[test]
fn any_positive_literal_binds_even_a_later_one() {
    clean(&format!("{FACTS} p(X, Y) :- Y > 1, notin r(X, Y), q(X, Y);"));
    clean(&format!("{FACTS} p(X, Y) :- s(X, _), q(X, Y)@1;"));
    clean(&format!("{FACTS} p(X, Y) :- q(X, Y), r(X, Y + 1);"));
}

#[test]
fn wildcards_have_no_value() {
    for rule in [
        "p(X, _) :- s(X, _);",
        "p(X, _ + 1) :- s(X, _);",
        "p(X) :- s(X, _), _ > 1;",
        "p(X) :- s(X, _), q(X, _ + 1);",
    ] {
        assert_eq!(errors(&format!("{FACTS}{rule}")), [Code::WildcardAsValue], "{rule}");
    }
}

#[test]
fn facts_hold_constants() {
    assert_eq!(errors("p(X)@1;"), [Code::VariableInFact]);
    assert_eq!(errors("p(\"a\", _)@1;"), [Code::VariableInFact]);
    assert_eq!(errors("p(\"a\", 1 + X)@1;"), [Code::VariableInFact]);
    assert_eq!(errors("p(\"a\", 1 / 0)@1;"), [Code::ConstantArithmetic]);
    assert_eq!(errors("p(\"a\", 9223372036854775807 + 1)@1;"), [Code::ConstantArithmetic]);
    assert_eq!(errors("p(\"a\", -9223372036854775808 / -1)@1;"), [Code::ConstantArithmetic]);
}

#[test]
fn a_body_needs_a_literal() {
    assert_eq!(errors("p(\"a\") :- 1 < 2;"), [Code::NoLiteral]);
}

#[test]
fn crash_is_built_in() {
    let program = clean("q(\"a\")@1; p(X) :- q(X), notin crash(X, X, _);");
    let crash = program.relation(program.relation_named("crash").expect("crash is mentioned"));
    assert_eq!(crash.kind, RelationKind::Crash);
    assert_eq!(crash.columns, [Type::String, Type::String, Type::Integer]);
    assert_eq!(errors("crash(\"a\", \"b\", 1)@1;"), [Code::CrashDerived]);
    assert_eq!(errors("q(\"a\")@1; crash(X, X, 1) :- q(X);"), [Code::CrashDerived]);
    assert_eq!(errors("q(\"a\")@1; p(X) :- q(X), crash(X, _);"), [Code::Arity]);
    assert_eq!(errors("q(\"a\")@1; p(X) :- q(X), crash(X, _, \"1\");"), [Code::TypeConflict]);
    assert_eq!(errors("q(\"a\", 1)@1; p(X) :- q(X, Y), crash(X, Y, _);"), [Code::TypeConflict]);
}

#[test]
fn crash_has_no_time() {
    let rule = rule("q(\"a\")@1; p(X)@next :- q(X), crash(X, _, _)@3;");
    let BodyTerm::Literal(crash) = &rule.body[1] else { panic!("a literal") };
    assert_eq!(crash.time, None);
    assert!(!rule.look_ahead);
}

#[test]
fn arity_is_fixed() {
    let text = "p(\"a\")@1; p(\"a\", 1)@1; q(X) :- p(X, _, _);";
    assert_eq!(codes(text), [Code::Arity, Code::Arity]);
    // A repeated mistake is one error.
    assert_eq!(codes("p(\"a\")@1; p(\"a\", 1)@1; p(\"a\", 2)@1;"), [Code::Arity]);
}

#[test]
fn looking_ahead() {
    let ahead = |text: &str| rule(&format!("{FACTS}{text}")).look_ahead;
    assert!(ahead("p(X) :- q(X, 1)@2;"));
    assert!(ahead("p(X) :- s(X, _), notin q(X, 1)@7;"));
    assert!(ahead("p(X)@next :- q(X, 1)@2;"));
    assert!(ahead("p(X)@async :- q(X, 1)@2;"));
    assert!(!ahead("p(X) :- q(X, 1)@1;"));
    for (rules, label) in [
        ("p(X) :- q(X, 1)@2; t(X) :- p(X);", "`p` is read here"),
        ("p(X) :- q(X, 1)@2; t(X) :- s(X, _), notin p(X);", "`p` is read here"),
        ("p(X) :- q(X, 1)@2, p(X);", "`p` is read here"),
        ("p(X)@next :- q(X, 1)@2; p(X)@next :- p(X);", "`p` is read here"),
    ] {
        let text = format!("{FACTS}{rules}");
        assert_eq!(errors(&text), [Code::LookAhead], "{rules}");
        assert!(shown(&text).contains(label), "{}", shown(&text));
    }
    // Others may derive the same relation.
    program(&format!("{FACTS} p(X) :- q(X, 1)@2; p(X) :- s(X, _);"));
}

#[test]
fn relations_and_variables_are_numbered_once() {
    let program = program(&format!("{FACTS} p(X, Y) :- q(X, Y), r(X, Y), Y > 1, q(X, Y);"));
    assert_eq!(program.relations.len(), 4);
    assert_eq!(program.rules[0].variables.len(), 2);
}
