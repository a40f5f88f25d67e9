//! Programs as text.

use linchpin_dedalus::hir::Program;
use proptest::prelude::*;

use crate::support::{compile, program};

/// Compiles what a program prints and compares.
pub(crate) fn check_fixpoint(program: &Program) {
    let text = program.to_string();
    let again = compile(&text).program.unwrap_or_else(|| panic!("{text}"));
    assert_eq!(again.to_string(), text);
    assert_eq!(again.facts.len(), program.facts.len());
    assert_eq!(again.choices.len(), program.choices.len());
    assert_eq!(again.rules.len(), program.rules.len());
    for (one, other) in program.rules.iter().zip(&again.rules) {
        assert_eq!(one.look_ahead, other.look_ahead);
        assert_eq!(one.variables.len(), other.variables.len());
        assert_eq!(format!("{:?}", one.location), format!("{:?}", other.location));
    }
    for (one, other) in program.facts.iter().zip(&again.facts) {
        assert_eq!(one.row, other.row);
    }
}

#[test]
fn every_construct() {
    let text = r#"p("a", 1, "x\"\\\n\t\r\0é")@1;
p("b", -5, "")@4000000000;
q(X, Y + 1 - -2 * (Y - (Y - 1)) / 3, count<Z>, "k", 7)@next :- p(X, Y, Z), notin p(X, Y, _)@1, Y < 2, Y <= 2, Y > 2, Y >= 2, Y != 2, Y == 2;
r(Y)@async :- p(_, _, Y), notin crash(Y, Y, _);
s("a", min<Y>, max<Y>, sum<Z>, avg<Z>) :- p("a", Z, Y), "a" != Y;
"#;
    let program = program(text);
    assert_eq!(program.to_string(), text);
    check_fixpoint(&program);
}

#[test]
fn deepest_expressions() {
    let right = format!("{}Y{}", "Y - (".repeat(199), ")".repeat(199));
    let left = format!("{}Y", "Y - ".repeat(200));
    let text = format!("p(\"a\", 1)@1; q(X, {right}, {left}) :- p(X, Y);");
    check_fixpoint(&program(&text));
}

proptest! {
    #[test]
    fn any_string_survives(text in any::<String>(), number in any::<i64>()) {
        let value = linchpin_dedalus::hir::Value::String(text.as_str().into());
        let program = program(&format!("p(\"a\", {value}, {number})@1;"));
        prop_assert_eq!(&program.facts[0].row[1], &value);
        check_fixpoint(&program);
    }
}
