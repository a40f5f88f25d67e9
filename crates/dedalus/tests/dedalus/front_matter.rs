//! Bounds and expectations in the files.

use std::path::PathBuf;

use linchpin_dedalus::codes::Code;
use linchpin_dedalus::front_matter::{CrashModel, Expectation, Invariant, Scenario};
use linchpin_dedalus::load::Memory;
use linchpin_dedalus::{CompileOptions, compile_files};

use crate::support::{codes, compile, only};

fn scenarios(front_matter: &str) -> Vec<Scenario> {
    let text = format!("{front_matter}\np(\"a\")@1;\n");
    let compilation = compile(&text);
    assert_eq!(compilation.diagnostics, []);
    compilation.front_matter.scenarios
}

fn scenario(front_matter: &str) -> Scenario {
    let mut scenarios = scenarios(front_matter);
    assert_eq!(scenarios.len(), 1);
    scenarios.remove(0)
}

fn reported(front_matter: &str) -> Vec<Code> {
    codes(&format!("{front_matter}\np(\"a\")@1;\n"))
}

#[test]
fn all_keys() {
    let text = r#"// A comment before.
//! eot = 6
//! eff = 3
//!crashes = 1
//! max-delay = 2
//! recoveries = 1
//! durable = ["log", "votes"]
//! crash-model = "stop"
//!
//! nodes = ["a", "b",   # comments of TOML
//!          "C"]
/* and between */
//! invariant = "baseline"
//! expect = "broken"
//! reason = "one loss suffices"
//! allow-vacuous = true
//! priors = ["omit=0.5", "crash:c=0.1"]"#;
    let found = scenario(text);
    let priors = ["omit=0.5", "crash:c=0.1"].map(|prior| prior.parse().expect("a prior"));
    let expected = Scenario {
        name: None,
        eot: Some(6),
        eff: Some(3),
        crashes: Some(1),
        max_delay: Some(2),
        recoveries: Some(1),
        durable: Some(["log", "votes"].map(str::to_owned).to_vec()),
        crash_model: Some(CrashModel::Stop),
        nodes: Some(["a", "b", "C"].map(str::to_owned).to_vec()),
        invariant: Some(Invariant::Baseline),
        expect: Some(Expectation::Broken),
        reason: Some("one loss suffices".to_owned()),
        allow_vacuous: Some(true),
        priors: Some(priors.to_vec()),
        span: found.span,
    };
    assert_eq!(found, expected);
}

#[test]
fn what_is_not_given_is_none() {
    assert_eq!(scenarios(""), []);
    let found = scenario("//! eot = 2");
    assert_eq!(found, Scenario { eot: Some(2), span: found.span, ..Scenario::default() });
    assert_eq!(scenario("//!").eot, None);
}

#[test]
fn scenarios_override_what_stands_above_them() {
    let found = scenarios(
        "//! eot = 6\n//! eff = 3\n//! crashes = 0\n//! expect = \"holds\"\n\
         //! [scenario.zero]\n//! [scenario.crash]\n//! crashes = 1\n//! expect = \"broken\"\n\
         //! [scenario.\"a long run\"]\n//! eot = 20",
    );
    let names: Vec<_> = found.iter().map(|scenario| scenario.name.as_deref()).collect();
    assert_eq!(names, [Some("zero"), Some("crash"), Some("a long run")]);
    assert_eq!(found[0].crashes, Some(0));
    assert_eq!((found[1].crashes, found[1].expect), (Some(1), Some(Expectation::Broken)));
    assert_eq!((found[2].eot, found[2].eff), (Some(20), Some(3)));
    assert_eq!(found[2].expect, Some(Expectation::Holds));
}

#[test]
fn values_out_of_range() {
    for value in [
        "eot = 0",
        "eot = -1",
        "eot = 4294967296",
        "eot = 1.5",
        "eot = \"6\"",
        "eff = -1",
        "crashes = -1",
        "crashes = [1]",
        "max-delay = -1",
        "recoveries = true",
        "durable = \"log\"",
        "durable = [\"log\", \"log\"]",
        "crash-model = \"loud\"",
        "nodes = []",
        "nodes = \"a\"",
        "nodes = [1]",
        "nodes = [\"\"]",
        "nodes = [\"a\", \"a\"]",
        "invariant = \"implied\"",
        "expect = \"unknown\"",
        "expect = true",
        "reason = 1",
        "allow-vacuous = \"yes\"",
        "scenario = 1",
        "scenario.x = 1",
    ] {
        assert_eq!(reported(&format!("//! {value}")), [Code::FrontMatterValue], "{value}");
    }
    assert_eq!(scenario("//! eot = 1_0\n//! eff = 0x1\n//! crashes = 0").eot, Some(10));
}

#[test]
fn unknown_keys() {
    let text = "//! eto = 1\np(\"a\")@1;";
    let diagnostic = only(text);
    assert_eq!(diagnostic.code, Code::FrontMatterKey);
    assert_eq!(diagnostic.help.as_deref(), Some("did you mean `eot`?"));
    assert_eq!(reported("//! [scenario.x]\n//! bound = 1"), [Code::FrontMatterKey]);
    assert_eq!(reported("//! [scenarios.x]\n//! eot = 1"), [Code::FrontMatterKey]);
    assert_eq!(reported("//! [scenario.x.scenario.y]"), [Code::FrontMatterKey]);
}

#[test]
fn bounds_that_contradict_each_other() {
    let contradiction = [Code::FrontMatterBounds];
    assert_eq!(reported("//! eot = 3\n//! eff = 4"), contradiction);
    assert_eq!(reported("//! eot = 3\n//! eff = 3"), []);
    assert_eq!(reported("//! crashes = 2\n//! nodes = [\"a\"]"), contradiction);
    assert_eq!(reported("//! crashes = 1\n//! nodes = [\"a\"]"), []);
    // In a scenario, against an inherited bound.
    assert_eq!(reported("//! eot = 3\n//! [scenario.x]\n//! eff = 4"), contradiction);
    // An overridden bound does not count.
    assert_eq!(reported("//! eot = 3\n//! eff = 4\n//! [scenario.x]\n//! eot = 4"), []);
}

#[test]
fn errors_point_into_the_comment() {
    let text = "//! eot = 6\r\n//!   nodes = [\"a\", b]\r\np(\"a\")@1;\r\n";
    let diagnostic = only(text);
    assert_eq!(diagnostic.code, Code::FrontMatterSyntax);
    let span = diagnostic.primary.expect("a place").span;
    assert_eq!(&text[span.start as usize..span.end as usize], "b");
    for text in
        ["//! eot = ", "//! [scenario", "//! é", "//! eot = 1\n//! eot = 2", "//! a = \"\"\""]
    {
        let found = reported(text);
        assert!(
            !found.is_empty() && found.iter().all(|code| *code == Code::FrontMatterSyntax),
            "{text}: {found:?}"
        );
    }
    assert!(
        reported(&format!("//! a = {}", "[".repeat(200_000))).contains(&Code::FrontMatterSyntax)
    );
}

#[test]
fn front_matter_stands_before_the_first_clause_of_the_first_file() {
    let late = "p(\"a\", \"//! eot = 1\")@1;\n//! eot = 1\n//! eff = 1";
    assert_eq!(codes(late), [Code::FrontMatterIgnored]);
    assert_eq!(compile(late).front_matter.scenarios, []);

    let loader = Memory::new()
        .with("a.ded", "//! eot = 1\ninclude \"c.ded\";\np(\"a\")@1;")
        .with("b.ded", "//! eot = 2\nq(\"a\")@1;")
        .with("c.ded", "//! eot = 3\nr(\"a\")@1;");
    let compile = |inputs: &[&str]| {
        let inputs: Vec<PathBuf> = inputs.iter().map(PathBuf::from).collect();
        let compilation = compile_files(&inputs, &[], &loader, &CompileOptions::default());
        let codes: Vec<Code> = compilation.diagnostics.iter().map(|found| found.code).collect();
        (compilation.front_matter.scenarios[0].eot, codes)
    };
    assert_eq!(compile(&["a.ded"]), (Some(1), vec![]));
    assert_eq!(compile(&["c.ded", "b.ded"]), (Some(3), vec![Code::FrontMatterIgnored]));
    assert_eq!(compile(&["b.ded", "a.ded"]), (Some(2), vec![Code::FrontMatterIgnored]));
}

#[test]
fn it_is_a_comment_to_the_language() {
    assert_eq!(compile("//! eot = 6\np(\"a\")@1;").program.expect("a program").facts.len(), 1);
}
