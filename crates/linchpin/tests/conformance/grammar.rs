//! Lexical form, clauses, includes.

use crate::harness::{files, program};

#[test]
fn names_may_hold_dots_question_marks_and_at_signs() {
    program("log.entry?(\"a\", 1)@1; p@x.y?(X, Y) :- log.entry?(X, Y);").gives("p@x.y?(a, 1)@1");
    program("p(\"a\", 1)@1; q(X.1?, Y@z) :- p(X.1?, Y@z);").gives("q(a, 1)@1");
    program("p(\"a\", 1)@1; q(_x, _y) :- p(_x, _y);").gives("q(a, 1)@1");
}

#[test]
fn notin_is_a_keyword_and_notinfoo_a_name() {
    program("notinfoo(\"a\")@1; q(X) :- notinfoo(X);").gives("q(a)@1");
    program("p(\"a\")@1; foo(\"b\")@1; q(X) :- p(X), notin foo(X);").gives("q(a)@1");
    program("p(\"a\")@1; q(X) :- p(X), notin(X);").says("D0020");
    program("notin(\"a\")@1;").says("D0020");
    program("p(\"a\")@1; notin(X) :- p(X);").says("D0020");
    program("p(\"a\")@1; notin q(X) :- p(X);").says("D0026");
}

#[test]
fn other_words_are_names_where_a_name_stands() {
    program("include(\"a\")@1; next(X) :- include(X); async(X) :- next(X);").gives("async(a)@1");
    program("count(\"a\", 1)@1; min(X, Y) :- count(X, Y);").gives("min(a, 1)@1");
}

#[test]
fn case_tells_variables_from_names() {
    program("P(\"a\")@1;").says("D0020");
    program("p(a)@1;").says("D0020");
    program("p(A)@1;").says("D0032");
    program("p(_)@1;").says("D0032");
}

#[test]
fn each_underscore_is_a_value_of_its_own() {
    program("p(\"a\", 1, 2)@1; p(\"a\", 3, 3)@1; q(X) :- p(X, _, _); r(X) :- p(X, Y, Y);")
        .gives("q(a)@1; r(a)@1");
    program("p(\"a\", 1, 2)@1; r(X) :- p(X, Y, Y);").gives("no r");
    program("p(\"a\", 1)@1; q(X, _) :- p(X, _);").says("D0034");
    program("p(\"a\", 1)@1; q(X) :- p(X, Y), Y > _;").says("D0034");
    program("p(\"a\", 1)@1; q(X, count<_>) :- p(X, _);").says("D0034");
}

#[test]
fn strings_may_hold_anything_on_a_line() {
    program(r#"p("a", "x,y;z) // /* @1 :- ")@1; q(X, Y) :- p(X, Y);"#)
        .gives("q(a, x,y;z) // /* @1 :- )@1");
    program("p(\"a\", \"x\n\")@1;").says("D0011 D0011");
}

#[test]
fn strings_have_escapes() {
    program(r#"p("a", "\"\\\n\t\r\0\u{e9}\'")@1; q(X, Y) :- p(X, Y);"#)
        .gives("q(a, \"\\\n\t\r\0\u{e9}')@1");
    program(r#"p("a", "\q")@1;"#).says("D0012");
    program(r#"p("a", "é")@1; q(X) :- p(X, "\u{E9}");"#).gives("q(a)@1");
    program(r#"p("a", "\u{d800}")@1;"#).says("D0012");
}

#[test]
fn the_empty_string_is_a_string() {
    program("p(\"a\", \"\")@1; q(X) :- p(X, \"\");").gives("q(a)@1");
}

#[test]
fn comments_stand_anywhere() {
    program("// p(\"a\")@1;\n/* q\n(\"b\") */ p(\"a\" /* here */)@1; // end\nq(X) :- p(X);//")
        .gives("q(a)@1");
    program("p(\"a\")@1; /* open").says("D0013");
    // Comments do not nest.
    program("/* /* */ p(\"a\")@1; q(X) :- p(X);").gives("q(a)@1");
    // Not a division.
    program("p(\"a\", 6)@1; q(X, Y//2;\n) :- p(X, Y);").gives("q(a, 6)@1");
}

#[test]
fn line_ends_and_byte_order_marks_do_not_matter() {
    program("\u{feff}p(\"a\")@1;\r\n// x\r\nq(X)\r\n:-\tp(X);\r\n").gives("q(a)@1");
}

#[test]
fn integers_have_64_bits() {
    program("p(\"a\", 9223372036854775807, -9223372036854775808)@1; q(X, Y, Z) :- p(X, Y, Z);")
        .gives("q(a, 9223372036854775807, -9223372036854775808)@1");
    program("p(\"a\", 9223372036854775808)@1;").says("D0015");
    program("p(\"a\", -9223372036854775809)@1;").says("D0015");
    program("p(\"a\", 007)@1; q(X) :- p(X, 7);").gives("q(a)@1");
    program("p(\"a\", 1.5)@1;").says("D0014");
    program("p(\"a\", 1st)@1;").says("D0014");
}

#[test]
fn operators_need_no_spaces() {
    program("p(\"a\", 5)@1; q(X, N-1) :- p(X,N),N-1>3,N+1<7,N>=5,N<=5,N!=4,N==5;")
        .gives("q(a, 4)@1");
    program("p(\"a\", 5)@1; q(X, N) :- p(X, N), N>-1;").gives("q(a, 5)@1");
    program("p(\"a\", 5)@1; q(X, N -1) :- p(X, N);").gives("q(a, 4)@1");
}

#[test]
fn precedence_is_the_usual_and_association_to_the_left() {
    program(
        "p(\"a\", 7)@1; q(X, N-2-1, 1+N*2, (1+N)*2, 100/N/2, 12/2*3, -N, -N+1, -(N+1)) :- p(X, N);",
    )
    .gives("q(a, 4, 15, 16, 7, 18, -7, -6, -8)@1");
}

#[test]
fn division_truncates_towards_zero() {
    program("p(\"a\", 7)@1; q(X, N/2, -N/2, N/-2, (0-N)/2) :- p(X, N);")
        .gives("q(a, 3, -3, -3, -3)@1");
}

#[test]
fn constants_of_facts_may_be_computed() {
    program("p(\"a\", 2+3*4, -(1))@1; q(X, Y, Z) :- p(X, Y, Z);").gives("q(a, 14, -1)@1");
    program("p(\"a\", 1/0)@1;").says("D0038");
    program("p(\"a\", 9223372036854775807+1)@1;").says("D0038");
    program("p(\"a\", \"x\"+1)@1;").says("D0040");
}

#[test]
fn comparisons_between_any_expressions() {
    program(
        "p(\"a\", 5, \"x\")@1;
         q(X, 1) :- p(X, N, _), 2*N == N+5; q(X, 2) :- p(X, N, _), 3 < N;
         q(X, 3) :- p(X, _, S), \"w\" < S, S <= \"x\"; q(X, 4) :- p(X, _, S), S != \"x\";",
    )
    .gives("q(a, 1)@1; q(a, 2)@1; q(a, 3)@1");
    // Before any literal, too: the location is still that of the first literal.
    program("p(\"a\", 5)@1; q(X, N) :- N > 4, p(X, N);").gives("q(a, 5)@1");
    program("p(\"a\", 5)@1; q(\"a\", 1) :- 1 < 2;").says("D0033");
}

#[test]
fn equality_compares_and_does_not_bind() {
    program("p(\"a\", 1)@1; q(X, Z) :- p(X, Y), Z == Y;").says("D0030");
    program("p(\"a\", 1)@1; q(X, Y) :- p(X, Y), Y == 1;").gives("q(a, 1)@1");
}

#[test]
fn strings_compare_by_bytes() {
    program(
        "p(\"a\", \"Z\")@1; p(\"a\", \"a\")@1; p(\"a\", \"é\")@1; p(\"a\", \"z\")@1; p(\"a\", \"10\")@1;
         p(\"a\", \"9\")@1;
         less(X, L, R) :- p(X, L), p(X, R), L < R, R == \"a\"; more(X, L) :- p(X, L), L > \"z\";
         ten(X) :- p(X, L), p(X, R), L == \"10\", R == \"9\", L < R;",
    )
    .gives("less(a, Z, a)@1; less(a, 10, a)@1; less(a, 9, a)@1; more(a, é)@1; ten(a)@1");
}

#[test]
fn facts_need_a_time_and_rule_heads_take_none() {
    assert!(program("p(\"a\");").says("D0023").contains("no time"));
    program("p(\"a\")@next;").says("D0023");
    program("p(\"a\")@0;").says("D0024");
    program("p(\"a\")@-1;").says("D0024");
    program("p(\"a\")@4294967296;").says("D0024");
    program("p(\"a\")@4294967295; q(X) :- p(X);").gives("no q");
    program("p(\"a\")@1; q(X)@2 :- p(X);").says("D0022");
    program("p(\"a\")@1; q(X) :- p(X)@0;").says("D0024");
}

#[test]
fn every_mistake_is_reported_at_once() {
    program("p(\"a\"); q(X, Y) :- p(X); r(X) :- ; s(X) :- p(X,); t(X) :- p(X), X = 1;")
        .says("D0023 D0030 D0020 D0020 D0010");
}

#[test]
fn relations_need_a_column() {
    program("p()@1;").says("D0027");
}

#[test]
fn aggregates_stand_in_heads_only() {
    program("p(\"a\", 1)@1; q(X) :- p(X, count<Y>);").says("D0025");
    program("p(\"a\", count<Y>)@1;").says("D0025");
    program("p(\"a\", 1)@1; q(X, median<Y>) :- p(X, Y);").says("D0025");
}

#[test]
fn several_input_files_are_one_program() {
    files(2, &[("one.ded", "p(\"a\")@1;"), ("two.ded", "q(X) :- p(X);")]).gives("q(a)@1");
    files(2, &[("one.ded", "p(\"a\")@1;"), ("./one.ded", "p(\"a\")@1;")]).says("");
}

#[test]
fn includes_are_looked_up_beside_the_first_input_then_beside_the_includer_then_in_the_given_folders()
 {
    let main = ("spec/main.ded", "include \"lib/all.ded\"; q(X) :- p(X);");
    // `one.ded` from within spec/lib/.
    let all = ("spec/lib/all.ded", "include \"one.ded\";");
    let beside_first = ("spec/one.ded", "p(\"first\")@1; p(\"a\")@1;");
    let beside_includer = ("spec/lib/one.ded", "p(\"includer\")@1; p(\"a\")@1;");
    let given = ("given/one.ded", "p(\"given\")@1; p(\"a\")@1;");
    let nodes = ["a", "first", "includer", "given"];
    let case = |list: &[(&str, &str)]| files(1, list).nodes(&nodes).include_dir("given");
    case(&[main, all, given, beside_includer, beside_first]).gives("q(a)@1; q(first)@1");
    case(&[main, all, given, beside_includer]).gives("q(a)@1; q(includer)@1");
    case(&[main, all, given]).gives("q(a)@1; q(given)@1");
    files(1, &[main, all]).says("D0002");
}

#[test]
fn the_first_input_file_decides_where_includes_of_the_second_are() {
    let one = ("x/one.ded", "p(\"a\", 1)@1;");
    let two = ("y/two.ded", "include \"three.ded\";");
    let near_one = ("x/three.ded", "q(X, 1) :- p(X, 1);");
    let near_two = ("y/three.ded", "q(X, 2) :- p(X, 1);");
    files(2, &[one, two, near_one, near_two]).gives("q(a, 1)@1");
    files(2, &[one, two, near_two]).gives("q(a, 2)@1");
}

#[test]
fn a_file_is_included_once() {
    let half = ("half.ded", "p(\"a\")@1;");
    let case = files(
        1,
        &[
            ("main.ded", "include \"half.ded\"; include \"./half.ded\"; q(X, count<X>) :- p(X);"),
            half,
        ],
    );
    case.says("");
    case.gives("q(a, 1)@1");
}

#[test]
fn a_cycle_of_includes_is_a_warning() {
    let case = files(
        1,
        &[
            ("main.ded", "include \"other.ded\"; p(\"a\")@1;"),
            ("other.ded", "include \"main.ded\"; q(X) :- p(X);"),
        ],
    );
    case.says("D0005");
    case.gives("q(a)@1");
    files(1, &[("main.ded", "include \"main.ded\"; p(\"a\")@1;")]).says("D0005");
}

#[test]
fn an_include_stands_anywhere_among_the_clauses() {
    files(1, &[("main.ded", "q(X) :- p(X); include \"other.ded\";"), ("other.ded", "p(\"a\")@1;")])
        .gives("q(a)@1");
    files(1, &[("main.ded", "p(\"a\")@1; include other;")]).says("D0020");
}

#[test]
fn bodies_have_a_limit() {
    let body = |terms: usize| format!("p(\"a\")@1; q(X) :- {};", vec!["p(X)"; terms].join(", "));
    program(&body(1000)).gives("q(a)@1");
    program(&body(5000)).says("");
    program(&body(5001)).says("D0021");
}
