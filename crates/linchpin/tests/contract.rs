//! The command line as a contract: exit codes, streams, and what is said of bad input.

mod command;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use command::{linchpin, refused, stderr, stdout};

/// A folder for the files of one test.
struct Files(tempfile::TempDir);

impl Files {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a temporary folder"))
    }

    fn write(&self, name: &str, bytes: impl AsRef<[u8]>) -> String {
        let path: PathBuf = self.0.path().join(name);
        std::fs::write(&path, bytes).expect("written");
        path.to_str().expect("UTF-8").to_owned()
    }
}

const SIMPLE: &str = "specs/broadcast/simple.ded";

/// One fact, one message, one promise.
const TINY: &str = "
ping(\"a\", \"b\")@1;
pong(To, From)@async :- ping(From, To);
pong(X, Y)@next :- pong(X, Y);
ping(X, Y)@next :- ping(X, Y);
pre(X, Y) :- ping(X, Y);
post(X, Y) :- ping(X, Y), pong(Y, X);
";

fn tiny_with(more: &str) -> String {
    format!("{TINY}{more}")
}

#[test]
fn exit_codes_say_the_verdict() {
    let bounds = ["--eot", "4", "--nodes", "a,b,c"];
    let with = |more: &[&str]| {
        let mut arguments = vec!["check", SIMPLE];
        arguments.extend(bounds);
        arguments.extend(more);
        linchpin(&arguments).status.code()
    };
    assert_eq!(with(&["--eff", "2"]), Some(1));
    assert_eq!(with(&["--eff", "0"]), Some(0));
    assert_eq!(with(&["--eff", "2", "--max-runs", "1"]), Some(3), "unknown");
    assert_eq!(with(&["--eff", "2", "--timeout", "0s"]), Some(3), "unknown");
    let files = Files::new();
    let late = files.write("late.ded", TINY.replace("@1;", "@9;"));
    let vacuous = ["check", &late, "--eot", "3", "--nodes", "a,b"];
    let output = linchpin(&vacuous);
    assert_eq!(output.status.code(), Some(3));
    assert!(stdout(&output).contains("VACUOUS"), "{}", stdout(&output));
    let allowed = [&vacuous[..], &["--allow-vacuous"]].concat();
    assert_eq!(linchpin(&allowed).status.code(), Some(0));
}

#[test]
fn json_is_one_object_with_the_documented_fields() {
    let arguments = [
        "check",
        SIMPLE,
        "--eot",
        "4",
        "--eff",
        "2",
        "--crashes",
        "0",
        "--nodes",
        "a,b,c",
        "--format",
        "json",
        "--all",
    ];
    let output = linchpin(&arguments);
    let text = stdout(&output);
    assert_eq!(text.lines().count(), 1);
    let json: Value = serde_json::from_str(&text).expect("JSON");
    assert_eq!(json["schema"], "linchpin.check/1");
    assert_eq!(json["verdict"], "broken");
    assert_eq!(json["vacuous"], false);
    assert_eq!(json["invariant"], "implication");
    assert_eq!(
        json["bounds"],
        serde_json::json!({"eot": 4, "eff": 2, "crashes": 0, "nodes": ["a", "b", "c"]})
    );
    assert_eq!(json["fault_space"]["exact"], 64);
    assert_eq!(json["fault_space"]["estimate"], 4096);
    let fault = |to: &str| serde_json::json!({"faults": [{"kind": "omit", "from": "a", "to": to, "at": 1}]});
    let found = json["counterexamples"].as_array().expect("a list");
    assert_eq!(found.len(), 2);
    assert!(found.contains(&fault("b")) && found.contains(&fault("c")));
    assert_eq!(json["counterexamples_complete"], true);
    assert!(json["elapsed_ms"].is_u64());
    // The same bytes again, but for the time taken.
    let again: Value = serde_json::from_str(&stdout(&linchpin(&arguments))).expect("JSON");
    let without_time = |mut json: Value| {
        json.as_object_mut().expect("an object").remove("elapsed_ms");
        json.to_string()
    };
    assert_eq!(without_time(json), without_time(again));
}

/// Which strategy `auto` took, and if it was not the symbolic one, why and what would help.
#[test]
fn the_method_is_named_and_why() {
    let json = |arguments: &[&str]| -> Value {
        let output = linchpin(arguments);
        serde_json::from_str(&stdout(&output)).unwrap_or_else(|_| panic!("{}", stderr(&output)))
    };
    let paxos = ["check", "specs/consensus/paxos.ded", "--scenario", "paper", "--format", "json"];
    let answer = json(&paxos);
    assert_eq!((&answer["strategy"], &answer["method"]), (&"auto".into(), &"symbolic".into()));
    assert!(answer.get("not_grounded").is_none(), "{answer}");

    let sums = "crates/simulator/tests/corpus/too-many-sums.ded";
    let answer = json(&["check", sums, "--format", "json"]);
    assert_eq!((&answer["method"], &answer["verdict"]), (&"lineage".into(), &"broken".into()));
    let because = answer["not_grounded"].as_str().expect("why");
    assert!(because.contains("an aggregate has too many possible values"), "{because}");
    assert!(because.ends_with("too-many-sums.ded:13"), "{because}");
    let hint = answer["not_grounded_hint"].as_str().expect("what helps");
    assert!(hint.contains("--eff"), "{hint}");
    let output = linchpin(&["check", sums]);
    assert!(stdout(&output).contains("hint: lower --eff"), "{}", stdout(&output));

    let refused = linchpin(&["check", sums, "--strategy", "symbolic"]);
    assert_eq!(refused.status.code(), Some(2));
    assert!(stderr(&refused).contains("--strategy lineage"), "{}", stderr(&refused));

    let answer = json(&[&paxos[..], &["--timeout", "0s"]].concat());
    assert_eq!((&answer["verdict"], &answer["stopped"]), (&"unknown".into(), &"time".into()));
    assert_eq!(answer["runs"], 0);
}

#[test]
fn a_random_search_repeats_itself_by_seed_and_finds_minimal_faults() {
    let run = |seed: &str| {
        let output = linchpin(&[
            "check",
            SIMPLE,
            "--eot",
            "6",
            "--eff",
            "4",
            "--crashes",
            "1",
            "--nodes",
            "a,b,c",
            "--strategy",
            "random",
            "--seed",
            seed,
            "--format",
            "json",
        ]);
        let json: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
        assert_eq!(json["verdict"], "broken");
        let faults = json["counterexamples"][0]["faults"].as_array().expect("a list").len();
        assert_eq!(faults, 1, "one loss suffices: {json}");
        (json["runs"].clone(), json["counterexamples"].clone())
    };
    assert_eq!(run("7"), run("7"));
}

#[test]
fn a_folder_is_checked_by_its_front_matter() {
    let files = Files::new();
    let front = "//! eot = 4\n//! nodes = [\"a\", \"b\"]\n//! expect = \"holds\"\n";
    files.write("fine.ded", format!("{front}{TINY}"));
    files.write("part.ded", "unused(\"a\")@1;");
    let folder = files.0.path().to_str().expect("UTF-8").to_owned();
    let output = linchpin(&["check", &folder]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert!(stdout(&output).contains("1 checked, 0 not as expected"));
    files.write("wrong.ded", format!("{}{TINY}", front.replace("holds", "broken")));
    let output = linchpin(&["check", &folder]);
    assert_eq!(output.status.code(), Some(1));
    assert!(stdout(&output).contains("expected: broken"));
    files.write("bad.ded", format!("{front}{TINY} p(X :- ;"));
    assert_eq!(linchpin(&["check", &folder]).status.code(), Some(2));
}

#[test]
fn without_bounds_they_are_widened() {
    let files = Files::new();
    let retrying = tiny_with("pong(To, From)@async :- ping(From, To), notin pong(From, To);");
    let file = files.write("retry.ded", retrying);
    let output = linchpin(&["check", &file, "--format", "json", "--timeout", "1s"]);
    let json: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    assert_eq!(json["bounds"]["nodes"], serde_json::json!(["a", "b"]));
    assert!(json["bounds"]["eff"].as_u64() > Some(1), "{json}");
    assert_eq!(json["verdict"], "holds");
    let once = files.write(
        "once.ded",
        TINY.replace("ping(X, Y)@next :- ping(X, Y);", "")
            .replace("pre(X, Y) :- ping(X, Y);", "pre(X, Y) :- ping(X, Y)@1;")
            .replace(
                "post(X, Y) :- ping(X, Y), pong(Y, X);",
                "post(X, Y) :- ping(X, Y)@1, pong(Y, X);",
            ),
    );
    let output = linchpin(&["check", &once, "--format", "json"]);
    let json: Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    assert_eq!(json["verdict"], "broken", "{json}");
    assert_eq!(json["bounds"]["eff"], 2, "the smallest that breaks it");
}

#[test]
fn a_run_shows_messages_losses_tables_and_outcome() {
    let arguments = ["run", SIMPLE, "--eot", "4", "--nodes", "a,b,c", "--fault", "omit a->b @1"];
    let output = linchpin(&arguments);
    let text = stdout(&output);
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert!(text.contains("outcome: bad"), "{text}");
    let output = linchpin(&["run", SIMPLE, "--eot", "4", "--nodes", "a,b,c"]);
    assert_eq!(output.status.code(), Some(0));
    let tables = linchpin(&[&arguments[..], &["--table", "delivered"]].concat());
    assert!(stdout(&tables).contains("  delivered(\"c\", \"hello\")\n"), "{}", stdout(&tables));
}

#[test]
fn bad_bounds_are_refused() {
    refused(&["check", SIMPLE, "--eot", "0"], &["EOT is 0"]);
    refused(&["check", SIMPLE, "--eot", "-1"], &["-1", "--eot"]);
    refused(&["check", SIMPLE, "--eff", "-2"], &["-2", "--eff"]);
    refused(&["check", SIMPLE, "--crashes", "-2"], &["-2", "--crashes"]);
    refused(&["check", SIMPLE, "--eot", "3", "--eff", "4"], &["EFF (4)", "EOT (3)", "--eff"]);
    refused(&["check", SIMPLE, "--crashes", "9"], &["9 crashes", "3 node(s)"]);
    refused(&["check", SIMPLE, "--nodes", "a,a"], &["`a` is declared twice"]);
    refused(&["check", SIMPLE, "--nodes", ""], &["empty name"]);
    refused(&["check", SIMPLE, "--scenario", "nope"], &["no scenario `nope`", "losses"]);
    refused(&["check", SIMPLE, "--timeout", "soon"], &["--timeout"]);
    let files = Files::new();
    let no_nodes = files.write("none.ded", "pre(X) :- p(X); post(X) :- p(X); p(X) :- pre(X);");
    refused(&["check", &no_nodes, "--eot", "2"], &["no nodes", "--nodes"]);
}

#[test]
fn bad_faults_are_refused() {
    let run = |fault: &str, words: &[&str]| {
        refused(&["run", SIMPLE, "--eot", "4", "--nodes", "a,b,c", "--fault", fault], words);
    };
    run("omit a->z @1", &["`z`", "a, b, c"]);
    run("crash z @1", &["`z`"]);
    run("omit a->a @1", &["itself"]);
    run("crash a @9", &["after the end"]);
    run("omit a b @1", &["character 8", "->"]);
    run("explode a @1", &["'omit', 'delay', 'crash'"]);
    let twice = ["--fault", "crash a @1", "--fault", "crash a @2"];
    let base = ["run", SIMPLE, "--eot", "4", "--nodes", "a,b,c"];
    refused(&[&base[..], &twice].concat(), &["crashes twice"]);
}

#[test]
fn bad_files_are_refused() {
    let files = Files::new();
    refused(&["check", "no/such/file.ded"], &["D0001", "no/such/file.ded"]);
    let include = files.write("include.ded", "include \"nowhere.ded\";");
    refused(&["check", &include], &["D0002", "nowhere.ded"]);
    refused(&["check", &files.write("empty.ded", "")], &["D0004"]);
    refused(&["check", &files.write("binary.ded", b"p(\"a\")@1;\0\xff")], &["D0003"]);
    refused(&["check", files.0.path().join("none").to_str().expect("UTF-8")], &["D0001"]);
    let long = format!("p(\"a\", \"{}\")@1; q(X) :- r(X, Y)", "x".repeat(10_000_000));
    refused(&["check", &files.write("long.ded", long)], &["D0020"]);
    let deep = format!("p(X) :- q(X, {}1{});", "(".repeat(200_000), ")".repeat(200_000));
    refused(&["check", &files.write("deep.ded", deep)], &["D0021"]);
    let empty = files.0.path().join("folder");
    std::fs::create_dir(&empty).expect("a folder");
    refused(&["check", empty.to_str().expect("UTF-8")], &["no .ded file"]);
}

#[test]
fn bad_programs_are_refused() {
    let files = Files::new();
    let check = |name: &str, text: &str, words: &[&str]| {
        let file = files.write(name, text);
        refused(&["check", &file, "--eot", "4", "--nodes", "a,b"], words);
    };
    check("unbound.ded", &tiny_with("p(X, Z) :- ping(X, Y);"), &["D0030", "`Z`"]);
    check("arity.ded", &tiny_with("p(X) :- ping(X);"), &["D0036"]);
    check("types.ded", &tiny_with("p(X) :- ping(X, Y), Y > 3;"), &["D0040"]);
    check("head.ded", &tiny_with("p(X)@3 :- ping(X, Y);"), &["D0022"]);
    check("fact.ded", "p(\"a\");", &["D0023", "@1"]);
    check("missing.ded", "p(\"a\")@1; q(X) :- p(X);", &["D0080", "--invariant good"]);
    check("several.ded", "p(\"a\"); q(X, Y) :- p(X); r(X) :- ;", &["D0023", "D0030", "D0020"]);
    check("crash.ded", &tiny_with("crash(X, X, 1) :- ping(X, Y);"), &["D0035"]);
    // Errors of a run name rule, time and faults.
    check("zero.ded", &tiny_with("n(X, 1 / 0) :- ping(X, _);"), &["D0091", "division by zero"]);
    check(
        "zero-later.ded",
        &tiny_with(
            "c(X, 3)@next :- ping(X, _)@1; c(X, N-1)@next :- c(X, N); n(X, 6/(N-1)) :- c(X, N);",
        ),
        &["division by zero at time 4", "without any fault", "n(X, 6/(N-1))"],
    );
    check(
        "overflow.ded",
        &tiny_with("n(X, 9223372036854775807 + Y) :- m(X, Y); m(X, 1) :- ping(X, _);"),
        &["D0090", "integer overflow at time 1"],
    );
    check(
        "endless.ded",
        &tiny_with("n(X, 1) :- ping(X, _); n(X, N+1) :- n(X, N);"),
        &["D0092", "does not end", "n(X, N+1)"],
    );
    check(
        "undecided.ded",
        &tiny_with(
            "win(X) :- move(X), notin lose(X); lose(X) :- move(X), notin win(X); move(X) :- ping(X, _);",
        ),
        &["D0093", "undecided at time 1"],
    );
}

#[test]
fn an_error_that_needs_a_fault_is_found_and_the_fault_named() {
    let files = Files::new();
    // Divides by zero at time 3 if the answer of time 2 did not come.
    let file = files.write(
        "loss.ded",
        tiny_with(
            "answers(X, count<Y>) :- answer(X, Y); answer(X, 0) :- ping(X, _);
                   answer(X, 1) :- pong(X, _); answer(X, 1) :- ping(X, Y), pong(Y, X);
                   rate(X, 6 / (N - 1)) :- answers(X, N), tick(X); tick(\"a\")@3;",
        ),
    );
    let arguments = ["check", &file, "--eot", "3", "--nodes", "a,b", "--allow-vacuous"];
    assert_eq!(linchpin(&[&arguments[..], &["--eff", "1"]].concat()).status.code(), Some(0));
    for strategy in ["lineage", "exhaustive", "symbolic"] {
        let arguments = [&arguments[..], &["--eff", "3", "--all", "--strategy", strategy]].concat();
        refused(&arguments, &["division by zero at time 3", "omit a->b @1", "rate(X"]);
    }
}

#[test]
fn a_fact_at_an_undeclared_node_is_a_warning() {
    let files = Files::new();
    let file = files.write("far.ded", tiny_with("ping(\"z\", \"b\")@1;"));
    let output = linchpin(&["check", &file, "--eot", "3", "--nodes", "a,b"]);
    assert!(stderr(&output).contains("warning[D0062]"), "{}", stderr(&output));
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn help_has_an_example_for_every_subcommand() {
    let help = stdout(&linchpin(&["--help"]));
    assert!(help.lines().count() <= 24, "fits a screen:\n{help}");
    for subcommand in ["check", "run"] {
        let help = stdout(&linchpin(&[subcommand, "--help"]));
        assert!(help.contains("Example") && help.contains("Exit codes"), "{help}");
    }
}

/// The pages of the errors that only a run reveals: the example fails as shown, the fix does not.
#[test]
fn pages_of_run_errors_are_true() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for code in ["D0090", "D0091", "D0092", "D0093"] {
        let path = root.join(format!("docs/errors/{code}.md"));
        let page = std::fs::read_to_string(&path).expect("a page");
        let blocks: Vec<&str> = page.split("```").skip(1).step_by(2).collect();
        let [example, output, fix] = blocks[..] else { panic!("{code}: three blocks") };
        let check = |block: &str| {
            let files = Files::new();
            files.write("main.ded", block.strip_prefix("dedalus\n").expect("a program"));
            let result = Command::new(env!("CARGO_BIN_EXE_linchpin"))
                .args(["check", "main.ded", "--eot", "3", "--nodes", "a,b", "--allow-vacuous"])
                .current_dir(files.0.path())
                .output()
                .expect("linchpin starts");
            (result.status.code(), stderr(&result))
        };
        let (exit, text) = check(example);
        assert_eq!(exit, Some(2), "{code}");
        assert!(text.contains(&format!("error[{code}]")), "{code}: {text}");
        let shown = output.strip_prefix("text\n").expect("the output");
        if std::env::var_os("UPDATE_DOCS").is_some() {
            let fresh = page.replacen(
                &format!("```text\n{shown}```"),
                &format!("```text\n{}\n```", text.trim_end()),
                1,
            );
            std::fs::write(&path, fresh).expect("written");
        } else {
            assert_eq!(shown.trim_end(), text.trim_end(), "{code}: run with UPDATE_DOCS=1");
        }
        let (exit, text) = check(fix);
        assert_eq!(exit, Some(0), "{code}: {text}");
    }
}
