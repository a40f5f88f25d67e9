//! Tokens, clauses, expressions, recovery.

use linchpin_dedalus::codes::Code;
use linchpin_dedalus::hir::{
    Aggregate, Argument, BodyTerm, Expression, HeadColumn, Literal, Timing, Value,
};

use crate::support::{clean, codes, compile, errors, only, program, rule, shown};

fn integer(value: i64) -> Value {
    Value::Integer(value)
}

fn string(value: &str) -> Value {
    Value::String(value.into())
}

fn literal(term: &BodyTerm) -> &Literal {
    match term {
        BodyTerm::Literal(literal) => literal,
        BodyTerm::Comparison(_) => panic!("a literal"),
    }
}

#[test]
fn facts_have_constants_and_a_time() {
    let program = clean(r#"p("a", 1, -2, "x, y")@3;p("b",0,0,"")@4000000000;"#);
    assert_eq!(program.facts[0].row, [string("a"), integer(1), integer(-2), string("x, y")]);
    assert_eq!(program.facts[0].time, 3);
    assert_eq!(program.facts[1].time, 4_000_000_000);
}

#[test]
fn constant_arithmetic_in_facts() {
    let text = r#"p("a", 1 + 2 * 3, (1 + 2) * 3, 7 / 2, -7 / 2, 1 - 2 - 3, -(4))@1;"#;
    let row: Vec<Value> = [7, 9, 3, -3, -4, -4].map(integer).to_vec();
    assert_eq!(clean(text).facts[0].row[1..], row);
}

#[test]
fn the_whole_range_of_integers() {
    let program = clean(r#"p("a", -9223372036854775808, 9223372036854775807)@1;"#);
    assert_eq!(program.facts[0].row[1..], [integer(i64::MIN), integer(i64::MAX)]);
    assert_eq!(codes(r#"p("a", 9223372036854775808)@1;"#), [Code::IntegerOutOfRange]);
    assert_eq!(codes(r#"p("a", -9223372036854775809)@1;"#), [Code::IntegerOutOfRange]);
    let long = format!(r#"p("a", {})@1;"#, "9".repeat(100_000));
    assert!(only(&long).message.len() < 200);
}

#[test]
fn escapes_in_strings() {
    let program = clean(r#"p("a", "\"\\\n\t\r\0\u{e9}\u{1F600}é")@1;"#);
    assert_eq!(program.facts[0].row[1], string("\"\\\n\t\r\0é😀é"));
    for bad in [r"\q", r"\u", r"\u{}", r"\u{110000}", r"\u{zz}", r"\x41"] {
        assert_eq!(codes(&format!(r#"p("a", "{bad}")@1;"#)), [Code::UnknownEscape], "{bad}");
    }
}

#[test]
fn comment_signs_in_strings_are_text() {
    let program = clean("p(\"a\", \"// no /* comment */ ; )\")@1; // a comment\n/* p( */");
    assert_eq!(program.facts[0].row[1], string("// no /* comment */ ; )"));
}

#[test]
fn comments_separate_and_vanish() {
    clean("p/**/(\"a\")/* ** / */@/***/1// end\n;/**/");
    assert_eq!(codes("p(\"a\")@1; /* /* */"), []);
    assert_eq!(codes("p(\"a\")@1; /*/"), [Code::UnterminatedComment]);
}

#[test]
fn names_and_variables_may_hold_dots_question_marks_and_at_signs() {
    let program = clean(
        r#"p.q?@r("a", 1)@1;
           x(V.1?, W@2)@next :- p.q?@r(V.1?, W@2);
           x(_v, W@2)@async :- p.q?@r(_v, W@2);"#,
    );
    assert_eq!(program.relations[0].name, "p.q?@r");
    assert_eq!(program.rules[0].variables[0].name, "V.1?");
    assert_eq!(program.rules[0].variables[1].name, "W@2");
    assert_eq!(program.rules[1].variables[0].name, "_v");
}

#[test]
fn notin_is_a_keyword_but_may_begin_a_name() {
    let rule = rule(r#"notinfoo("a")@1; include("a")@1; p(X) :- notinfoo(X), notin include(X);"#);
    assert!(!literal(&rule.body[0]).negated);
    assert!(literal(&rule.body[1]).negated);
    assert_eq!(errors("p(X) :- q(X), notin(X);"), [Code::Syntax]);
}

#[test]
fn operators_need_no_spaces() {
    let rule = rule(r#"q("a",1)@1;p(X,Cir-1)@next:-q(X,Cir),Cir<=2,Cir>=-1,Cir!=5,Cir==1;"#);
    let HeadColumn::Expression(Expression::Arithmetic(left, _, right)) = &rule.head.columns[1]
    else {
        panic!("arithmetic")
    };
    assert!(matches!(**left, Expression::Variable(_)));
    assert_eq!(**right, Expression::Constant(integer(1)));
    assert_eq!(rule.body.len(), 5);
}

#[test]
fn precedence_and_associativity() {
    let printed = |expression: &str| {
        let text = format!(r#"q("a", 1, 2, 3)@1; p(X, {expression}) :- q(X, A, B, C);"#);
        let program = program(&text);
        let rule = program.display_rule(&program.rules[0]).to_string();
        let column = rule.strip_prefix("p(X, ").and_then(|rest| rest.split_once(") :- "));
        column.expect("the head").0.to_owned()
    };
    for same in ["A - B - C", "A - (B - C)", "A + B * C", "(A + B) * C", "A / B / C", "A * (B / C)"]
    {
        assert_eq!(printed(same), same);
    }
    assert_eq!(printed("(A-B)-C"), "A - B - C");
    assert_eq!(printed("A+(B*C)"), "A + B * C");
    assert_eq!(printed("-A"), "0 - A");
    assert_eq!(printed("A--1"), "A - -1");
    assert_eq!(printed("- -1"), "0 - -1");
    assert_eq!(printed("A*-B"), "A * (0 - B)");
}

#[test]
fn timings_of_heads_and_times_of_literals() {
    let program = program(
        r#"q("a")@1; p(X) :- q(X)@1; p(X)@next :- q(X); p(X) @async :- q(X)@ 1;
           r(X) :- q(X)@next, notin p(X)@async;"#,
    );
    let timings: Vec<Timing> = program.rules.iter().map(|rule| rule.head.timing).collect();
    assert_eq!(timings, [Timing::Now, Timing::Next, Timing::Async, Timing::Now]);
    assert_eq!(literal(&program.rules[0].body[0]).time, Some(1));
    assert_eq!(literal(&program.rules[2].body[0]).time, Some(1));
    assert_eq!(literal(&program.rules[3].body[0]).time, None);
}

#[test]
fn next_and_async_in_a_body_are_warned_about() {
    let text = r#"q("a")@1; r(X) :- q(X)@next, notin p(X)@async; p("a")@1;"#;
    assert_eq!(codes(text), [Code::TimingOnBodyLiteral; 2]);
}

#[test]
fn several_aggregates_in_one_head() {
    let text = r#"q("a", 1)@1;
        p(X, count<Y>, min<Y>, max<Y>, sum<Y>, avg<Y>, "total", 1 + 1)@async :- q(X, Y);"#;
    let rule = rule(text);
    let functions: Vec<Option<Aggregate>> = rule
        .head
        .columns
        .iter()
        .map(|column| match column {
            HeadColumn::Aggregate { function, .. } => Some(*function),
            HeadColumn::Expression(_) => None,
        })
        .collect();
    use Aggregate::{Average, Count, Max, Min, Sum};
    let all = [Count, Min, Max, Sum, Average].map(Some);
    assert_eq!(functions[1..6], all);
    assert_eq!(functions[6..], [None, None]);
}

#[test]
fn aggregates_belong_in_heads() {
    assert_eq!(errors(r#"p(X) :- q(X, count<Y>);"#), [Code::AggregateMisplaced]);
    assert_eq!(errors(r#"p("a", count<Y>)@1;"#), [Code::AggregateMisplaced]);
    let wrong = only(r#"p(X, cuont<Y>) :- q(X, Y);"#);
    assert_eq!(wrong.code, Code::AggregateMisplaced);
    assert_eq!(wrong.help.as_deref(), Some("did you mean `count`?"));
    assert_eq!(errors(r#"p(X, count<"a">) :- q(X, Y);"#), [Code::Syntax]);
    assert_eq!(errors(r#"p(X, count<Y) :- q(X, Y);"#), [Code::Syntax]);
    assert_eq!(errors(r#"p(X, count<_>) :- q(X, _);"#), [Code::WildcardAsValue]);
}

#[test]
fn arguments_of_body_literals() {
    let rule = rule(r#"q("a", 1, 2, "b")@1; p(X) :- q(X, Y, Y + 1, _), q(X, Y, 2, "b");"#);
    let arguments = &literal(&rule.body[0]).arguments;
    assert!(matches!(arguments[2], Argument::Expression(Expression::Arithmetic(..))));
    assert!(matches!(arguments[3], Argument::Wildcard));
}

#[test]
fn comparisons_may_come_first_and_hold_constants_left() {
    let rule = rule(r#"q("a", 1)@1; p(X) :- 1 < Y, (Y + 1) * 2 == 4, "a" == X, q(X, Y);"#);
    assert_eq!(rule.body.len(), 4);
}

#[test]
fn a_time_on_the_head_of_a_rule() {
    let diagnostic = only(r#"p(X)@2 :- q(X);"#);
    assert_eq!(diagnostic.code, Code::TimeOnRuleHead);
}

#[test]
fn a_fact_without_time() {
    for text in [r#"p("a");"#, r#"p("a")@next;"#, r#"p("a")@async;"#] {
        let diagnostic = only(text);
        assert_eq!(diagnostic.code, Code::FactWithoutTime);
        assert!(diagnostic.help.expect("a hint").contains("`@1`"));
    }
}

#[test]
fn times_start_at_one() {
    let out = [Code::TimeOutOfRange];
    assert_eq!(errors(r#"p("a")@0;"#), out);
    assert_eq!(errors(r#"p("a")@-1;"#), out);
    assert_eq!(errors(r#"p("a")@4294967296;"#), out);
    assert_eq!(errors(r#"p("a")@99999999999999999999999999;"#), out);
    assert_eq!(errors(r#"q("a")@1; p(X) :- q(X)@0;"#), out);
    assert_eq!(errors(r#"p("a")@;"#), [Code::Syntax]);
    assert_eq!(errors(r#"p("a")@soon;"#), [Code::Syntax]);
}

#[test]
fn hints_for_habits_of_other_languages() {
    let help = |text: &str| {
        let diagnostics = compile(text).diagnostics;
        let mut helps = diagnostics.iter().filter_map(|diagnostic| diagnostic.help.as_deref());
        helps.next().expect("a hint").to_owned()
    };
    assert!(help("p(\"a\")@1.").contains("ends with `;`"));
    assert!(help("p(X) :- q(X), !r(X);").contains("notin"));
    assert!(help("p(X) :- q(X), not r(X);").contains("notin"));
    assert!(help("p(X) :- q(X, Y), Y = 3;").contains("=="));
    assert!(help("p('a')@1;").contains("double quotes"));
    assert!(help("p(a)@1;").contains("\"a\""));
    assert!(help("# comment\np(\"a\")@1;").contains("//"));
    assert!(help("p(X) :- q(X) & r(X);").contains("`,`"));
    assert!(help("P(X) :- q(X);").contains("lower-case"));
    assert!(help("p(X) :- Q(X);").contains("lower-case"));
    assert!(help("p(X) : q(X);").contains(":-"));
    assert!(help("p(X) :- q(r(X));").contains("do not nest"));
}

#[test]
fn relations_have_columns() {
    assert_eq!(errors("p()@1;"), [Code::NoColumns]);
    assert_eq!(errors("p(X) :- q(X), r();"), [Code::NoColumns]);
    assert_eq!(errors("p :- q(X);"), [Code::Syntax]);
}

#[test]
fn heads_are_not_negated() {
    assert_eq!(errors("notin p(X) :- q(X);"), [Code::NegatedHead]);
    assert_eq!(errors("notin p(\"a\")@1;"), [Code::NegatedHead]);
}

#[test]
fn one_run_shows_every_mistake() {
    let text = r#"p("a";
        q(X) :- ;
        r("a")@1;
        s(X) :- r(X) t(X);
        include;
        "stray";
        ;
        u("a", )@1;
        v(X, Y) :- r(X);"#;
    let expected = [[Code::Syntax].repeat(7), vec![Code::UnboundVariable]].concat();
    assert_eq!(codes(text), expected, "{}", shown(text));
}

#[test]
fn a_missing_semicolon_costs_one_error() {
    for text in [
        "r(\"a\")@1\ns(X) :- r(X);",
        "r(\"a\")@1;\ns(X) :- r(X)\nt(X)@next :- s(X);",
        "r(\"a\")@1;\ns(X) :- r(X)\nt(\"a\")@1;",
        "r(\"a\")@1;\ns(X) :- r(X)",
        "r(\"a\")@1",
    ] {
        let diagnostic = only(text);
        assert_eq!(diagnostic.code, Code::Syntax);
        assert!(diagnostic.message.starts_with("expected `;`"), "{}", shown(text));
    }
}

#[test]
fn an_error_of_the_lexer_causes_no_error_of_the_parser() {
    for text in [
        "p(X) :- q(X) ? r(X); q(\"a\")@1;",
        "p(\"a\", 3.5)@1;",
        "p(\"a\", 'b')@1;",
        "p(\"a\")@1.\n",
        "p(\"a, 1)@1;",
        "p(\"a\")@1; ~~~~~~~~",
        "é\np(\"a\")@1;",
    ] {
        only(text);
    }
}

#[test]
fn line_ends_tabs_and_byte_order_marks_are_white_space() {
    clean("\u{feff}p(\"a\",\t1)@1;\r\nq(X)\r\n\t:- p(X, _);\r\n");
}

#[test]
fn spans_cover_what_they_name() {
    let text = "p(\"a\", 1)@1;\n q(X, Y)@next :- p(X, Y) , Y > 0 ;";
    let compilation = compile(text);
    let program = compilation.program.expect("no errors");
    let of = |span| compilation.sources.text(span);
    assert_eq!(of(program.facts[0].span), "p(\"a\", 1)@1");
    assert_eq!(of(program.rules[0].span), "q(X, Y)@next :- p(X, Y) , Y > 0");
    assert_eq!(of(program.rules[0].head.span), "q(X, Y)@next");
    assert_eq!(of(literal(&program.rules[0].body[0]).span), "p(X, Y)");
    assert_eq!(of(program.rules[0].variables[1].span), "Y");
    assert_eq!(of(program.relations[1].span), "q");
    assert_eq!(compilation.sources.line_column(program.rules[0].span), (2, 2));
}
