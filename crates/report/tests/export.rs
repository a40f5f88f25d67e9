//! What other tools make of the exports.

#[path = "support/mod.rs"]
mod support;

use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use linchpin_model::{Fault, Verdict};
use linchpin_record::Campaign;
use linchpin_report::export::{dot, junit, sarif, shiviz, svg};
use linchpin_report::{LineageGraph, SpaceTime, outcome_facts};
use serde_json::Value;
use support::Question;

const HOSTILE: [&str; 3] = ["<script>alert('node')</script>", "b\"'&<b>", "\u{202e}abc"];

fn campaigns() -> Vec<Campaign> {
    let campaign = |name, text, eot, eff, crashes, nodes: &[&str]| {
        support::campaign(&Question { name, text, eot, eff, crashes, nodes, all: true })
    };
    vec![
        campaign("retry.ded", include_str!("specs/retry.ded"), 5, 3, 1, &["a", "b", "c"]),
        campaign("a folder/hostile.ded", include_str!("specs/hostile.ded"), 4, 2, 0, &HOSTILE),
        campaign("held.ded", include_str!("specs/simple.ded"), 4, 1, 0, &["a", "b", "c"]),
    ]
}

fn all_campaigns() -> Vec<Campaign> {
    campaigns().into_iter().chain([support::beyond_losses()]).collect()
}

fn lineage(campaign: &Campaign, run: u64, fold: bool) -> LineageGraph {
    let run = &campaign.kept[&run];
    LineageGraph::new(&campaign.header, run, &outcome_facts(&campaign.header, run), fold)
}

/// What `dot` makes of a graph; `None` (said aloud) if it is missing.
fn drawn(graph: &str, format: &str) -> Option<String> {
    let spawned = Command::new("dot")
        .arg(format!("-T{format}"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn();
    let Ok(mut child) = spawned else {
        let required = std::env::var("LINCHPIN_REQUIRE_ALL").is_ok_and(|value| value == "1");
        assert!(!required, "cannot be skipped (LINCHPIN_REQUIRE_ALL=1): graphviz is missing");
        eprintln!("skipped: graphviz is not installed (scripts/install-tools.sh installs it)");
        return None;
    };
    child.stdin.take().unwrap().write_all(graph.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success() && !complaints.contains("rror"), "{complaints}");
    Some(String::from_utf8(output.stdout).unwrap())
}

#[test]
fn graphviz_draws_every_message_and_every_fact() {
    for campaign in all_campaigns() {
        for (&number, run) in &campaign.kept {
            let layout = SpaceTime::new(&campaign.header, run);
            let eot = layout.eot();
            let Some(plain) = drawn(&dot::spacetime(&campaign.header, run), "plain") else {
                return;
            };
            let edges = plain.lines().filter(|line| line.starts_with("edge ")).count();
            let messages = layout.arrows.iter().filter(|arrow| !arrow.is_to_itself());
            let messages = messages.filter(|arrow| arrow.arrives.is_none_or(|at| at <= eot));
            assert_eq!(edges, messages.count() + layout.nodes.len() * eot as usize);
            for fold in [false, true] {
                let graph = lineage(&campaign, number, fold);
                let Some(plain) = drawn(&dot::lineage(&graph), "plain") else { return };
                let count =
                    |kind: &str| plain.lines().filter(|line| line.starts_with(kind)).count();
                assert_eq!(count("node "), graph.nodes.len());
                assert_eq!(count("edge "), graph.edges.len());
            }
        }
    }
}

#[test]
fn pictures_are_well_formed_and_complete() {
    for campaign in all_campaigns() {
        for (&number, run) in &campaign.kept {
            let layout = SpaceTime::new(&campaign.header, run);
            let picture = svg::spacetime(&campaign.header, run);
            let document = roxmltree::Document::parse(&picture).unwrap();
            let count = |class: &str| {
                document.descendants().filter(|n| n.attribute("class") == Some(class)).count()
            };
            let lost = layout.arrows.iter().filter(|arrow| arrow.lost_to.is_some()).count();
            assert_eq!(count("message lost"), lost);
            let late = layout.arrows.iter().filter(|arrow| arrow.is_late()).count();
            assert_eq!(count("message late"), late);
            assert_eq!(lost + late + count("message"), layout.arrows.len());
            assert_eq!(count("recovery"), layout.recoveries.iter().flatten().count());
            assert_eq!(count("input") + count("input chosen"), layout.inputs.len());
            assert_eq!(count("cross"), lost + layout.crashes.iter().flatten().count());
            let graph = lineage(&campaign, number, true);
            let picture = svg::lineage(&graph);
            let document = roxmltree::Document::parse(&picture).unwrap();
            let edges = document.descendants().filter(|n| n.attribute("class") == Some("edge"));
            assert_eq!(edges.count(), graph.edges.len());
            assert!(!picture.contains("<script"));
        }
    }
}

#[test]
fn folding_leaves_the_goals_and_fewer_nodes() {
    let campaign = &campaigns()[0];
    let (folded, whole) = (lineage(campaign, 0, true), lineage(campaign, 0, false));
    assert!(folded.nodes.len() < whole.nodes.len());
    assert_eq!(folded.nodes[0].label, r#"post("hello")"#);
    assert_eq!(folded.nodes[0].label, whole.nodes[0].label);
}

/// The log is read with the expression that ShiViz uses unless told otherwise; then the clocks
/// must be those of a run: each node counts its own events, and nobody knows of an event that has
/// not happened.
#[test]
fn shiviz_reads_the_log() {
    let expression =
        regex_lite::Regex::new(r"(?P<host>\S*) (?P<clock>\{.*\})\n(?P<event>.*)").unwrap();
    for campaign in all_campaigns() {
        for run in campaign.kept.values() {
            let log = shiviz::log(&campaign.header, run);
            let mut counts: BTreeMap<String, u64> = BTreeMap::new();
            let mut read = 0;
            for captures in expression.captures_iter(&log) {
                read += captures[0].len() + 1;
                let host = captures["host"].to_owned();
                let clock: BTreeMap<String, u64> =
                    serde_json::from_str(&captures["clock"]).unwrap();
                let count = counts.entry(host.clone()).or_default();
                *count += 1;
                assert_eq!(clock[&host], *count, "{host} counts its own events");
                for (other, known) in &clock {
                    assert!(*known <= counts.get(other).copied().unwrap_or(0), "{log}");
                }
            }
            assert_eq!(read, log.len(), "nothing is left over:\n{log}");
            let lost = run.messages.iter().filter(|message| message.lost_to.is_some()).count();
            assert_eq!(log.matches("(LOST)").count(), lost);
            let late = run.messages.iter().filter(|message| message.arrives.is_some()).count();
            assert_eq!(log.matches("(LATE, arrives").count(), late);
            let recoveries =
                run.faults.iter().filter(|fault| matches!(fault, Fault::Recovery { .. }));
            assert_eq!(log.matches(": recovers\n").count(), recoveries.count());
            // Whatever arrives in time is received, once.
            let eot = campaign.header.bounds.eot;
            let arrive = run.messages.iter().filter(|message| {
                message.from.as_ref() != Some(&message.to)
                    && message.arrival().is_some_and(|arrives| arrives <= eot)
            });
            assert_eq!(log.matches(": receives ").count(), arrive.count());
        }
    }
}

#[test]
fn junit_counts_what_it_lists() {
    let campaigns = campaigns();
    let mut cases: Vec<junit::Case> = campaigns.iter().map(junit::Case::new).collect();
    cases[0].seconds = Some(0.25);
    let mut unknown = campaigns[2].clone();
    unknown.header.conclusion = None;
    cases.push(junit::Case::new(&unknown));
    let text = junit::render("linchpin \u{0} <\"&>", &cases);
    let document = roxmltree::Document::parse(&text).unwrap();
    let elements = |name: &str| document.descendants().filter(|n| n.has_tag_name(name)).count();
    let suite = document.descendants().find(|n| n.has_tag_name("testsuite")).unwrap();
    for (attribute, element, expected) in
        [("tests", "testcase", 4), ("failures", "failure", 2), ("errors", "error", 1)]
    {
        assert_eq!(suite.attribute(attribute), Some(expected.to_string().as_str()));
        assert_eq!(elements(element), expected);
    }
    let failure = document.descendants().find(|n| n.has_tag_name("failure")).unwrap();
    assert_eq!(failure.attribute("message"), Some("broken by {omit a->b @1, crash a @2}"));
    assert!(failure.text().unwrap().contains("Why that breaks the protocol"));
}

/// Places a finding says it has must exist in the file.
fn assert_place(campaign: &Campaign, place: &Value) {
    let physical = &place["physicalLocation"];
    let index = physical["artifactLocation"]["index"].as_u64().unwrap() as usize;
    let number = |name: &str| physical["region"][name].as_u64().unwrap() as usize;
    let lines: Vec<&str> = campaign.header.files[index].text.lines().collect();
    let (start, end) = (number("startLine"), number("endLine"));
    assert!(1 <= start && start <= end && end <= lines.len());
    assert!(
        1 <= number("startColumn") && number("endColumn") <= lines[end - 1].chars().count() + 1
    );
    assert!(start < end || number("startColumn") < number("endColumn"));
}

/// The official schema of SARIF 2.1.0, as the crate `serde-sarif` ships it.
fn sarif_schema() -> Value {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let output = Command::new(cargo)
        .args(["metadata", "--format-version", "1", "--offline", "--locked"])
        // What only other machines need is perhaps not there.
        .args(["--filter-platform", &format!("{}-unknown-linux-gnu", std::env::consts::ARCH)])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    let metadata: Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    let package = packages.iter().find(|package| package["name"] == "serde-sarif").unwrap();
    let manifest = Path::new(package["manifest_path"].as_str().unwrap());
    let schema = std::fs::read(manifest.with_file_name("src").join("schema.json")).unwrap();
    let mut schema: Value = serde_json::from_slice(&schema).unwrap();
    // A bracket that the strict form of regular expressions wants escaped; nothing we write has
    // that property.
    for definition in ["run", "toolComponent"] {
        let pattern = &mut schema["definitions"][definition]["properties"]["language"]["pattern"];
        assert_eq!(*pattern, "^[a-zA-Z]{2}|^[a-zA-Z]{2}-[a-zA-Z]{2}]?$");
        *pattern = r"^[a-zA-Z]{2}|^[a-zA-Z]{2}-[a-zA-Z]{2}\]?$".into();
    }
    schema
}

#[test]
fn sarif_is_valid_by_its_schema_and_others_read_it() {
    let validator = jsonschema::validator_for(&sarif_schema()).unwrap();
    let mut campaigns = all_campaigns();
    let mut vacuous = campaigns[2].clone();
    let conclusion = vacuous.header.conclusion.as_mut().unwrap();
    (conclusion.vacuous, conclusion.verdict) = (true, Verdict::Unknown);
    let mut unfinished = campaigns[0].clone();
    unfinished.header.conclusion = None;
    campaigns.extend([vacuous, unfinished]);
    for chosen in [campaigns.iter().collect::<Vec<_>>(), Vec::new()] {
        let text = sarif::render(&chosen);
        let log: Value = serde_json::from_str(&text).unwrap();
        let errors: Vec<String> = validator.iter_errors(&log).map(|e| e.to_string()).collect();
        assert_eq!(errors, Vec::<String>::new());
        let read: serde_sarif::sarif::Sarif = serde_json::from_str(&text).unwrap();
        assert_eq!(read.runs.len(), chosen.len());
        for (run, campaign) in read.runs.iter().zip(chosen) {
            let conclusion = campaign.header.conclusion.as_ref();
            let expected = conclusion.map_or(0, |conclusion| {
                conclusion.counterexamples.len()
                    + usize::from(conclusion.vacuous)
                    + usize::from(conclusion.verdict == Verdict::Unknown)
            });
            assert_eq!(run.results.as_ref().map_or(0, Vec::len), expected);
        }
    }
    // The schema is one that finds mistakes.
    let mut wrong: Value = serde_json::from_str(&sarif::render(&[&campaigns[0]])).unwrap();
    wrong["runs"][0]["results"][0]["level"] = "fatal".into();
    wrong["runs"][0]["tool"]["driver"].as_object_mut().unwrap().remove("name");
    assert_eq!(validator.iter_errors(&wrong).count(), 2);
}

#[test]
fn others_read_junit() {
    let campaigns = all_campaigns();
    let mut cases: Vec<junit::Case> = campaigns.iter().map(junit::Case::new).collect();
    let mut unknown = campaigns[2].clone();
    unknown.header.conclusion = None;
    cases.push(junit::Case::new(&unknown));
    for case in &mut cases {
        case.seconds = Some(0.5);
    }
    let text = junit::render("linchpin check", &cases);
    let report = quick_junit::Report::deserialize_from_str(&text).unwrap();
    let suite = &report.test_suites[0];
    assert_eq!((suite.tests, suite.failures, suite.errors), (5, 3, 1));
    for (read, case) in suite.test_cases.iter().zip(&cases) {
        // Marks that turn the direction of writing are spelled out.
        assert_eq!(read.name.as_str(), case.name.replace('\u{202e}', "\\u{202e}"));
        let passed = matches!(read.status, quick_junit::TestCaseStatus::Success { .. });
        assert_eq!(passed, case.result == junit::CaseResult::Passed);
    }
}

#[test]
fn sarif_places_findings_in_the_specification() {
    let campaigns = campaigns();
    let text = sarif::render(&campaigns.iter().collect::<Vec<_>>());
    let log: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(log["version"], "2.1.0");
    let runs = log["runs"].as_array().unwrap();
    assert_eq!(runs.len(), 3);
    for (campaign, run) in campaigns.iter().zip(runs) {
        let rules = run["tool"]["driver"]["rules"].as_array().unwrap();
        for result in run["results"].as_array().unwrap() {
            let rule = &rules[result["ruleIndex"].as_u64().unwrap() as usize];
            assert_eq!(rule["id"], result["ruleId"]);
            for place in ["locations", "relatedLocations"].map(|list| result[list].as_array()) {
                place.unwrap().iter().for_each(|place| assert_place(campaign, place));
            }
        }
    }
    assert_eq!(runs[0]["results"].as_array().unwrap().len(), 4);
    assert_eq!(runs[2]["results"].as_array().unwrap().len(), 0);
    let first = &runs[0]["results"][0];
    assert_eq!(first["locations"][0]["physicalLocation"]["region"]["startLine"], 16);
    assert!(
        first["message"]["text"]
            .as_str()
            .unwrap()
            .starts_with("The invariant is broken under omit a->b @1, crash a @2: pre")
    );
    let lines: Vec<u64> = first["relatedLocations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|place| place["physicalLocation"]["region"]["startLine"].as_u64().unwrap())
        .collect();
    assert_eq!(lines, [16, 14, 10]);
    assert_eq!(runs[1]["artifacts"][0]["location"]["uri"], "a%20folder/hostile.ded");
}
