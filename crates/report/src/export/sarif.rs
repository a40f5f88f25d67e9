//! SARIF 2.1.0: each counterexample is a finding, placed at the rules of the violated invariant,
//! with the responsible rules beside it.

use linchpin_model::Verdict;
use linchpin_record::{Campaign, Header, Place};
use serde_json::{Value as Json, json};

use crate::story::Story;

const SCHEMA: &str =
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json";
const BROKEN: &str = "invariant-broken";
const VACUOUS: &str = "invariant-vacuous";
const UNKNOWN: &str = "verdict-unknown";

/// One log with a run per campaign.
#[must_use]
pub fn render(campaigns: &[&Campaign]) -> String {
    let runs: Vec<Json> = campaigns.iter().map(|campaign| run(campaign)).collect();
    let log = json!({ "$schema": SCHEMA, "version": "2.1.0", "runs": runs });
    let mut text = serde_json::to_string_pretty(&log).expect("the log has a JSON form");
    text.push('\n');
    text
}

fn run(campaign: &Campaign) -> Json {
    let header = &campaign.header;
    let (name, version) = header.tool.split_once(' ').unwrap_or((&header.tool, "0"));
    let rule = |id: &str, short: &str, full: &str, level: &str| {
        json!({
            "id": id,
            "shortDescription": { "text": short },
            "fullDescription": { "text": full },
            "defaultConfiguration": { "level": level },
        })
    };
    json!({
        "tool": { "driver": {
            "name": name,
            "version": version,
            "rules": [
                rule(BROKEN, "Faults within the bounds break the invariant.",
                    "A run under these faults ends with something asked for that was not achieved.", "error"),
                rule(VACUOUS, "The invariant asks for nothing.",
                    "In the run without faults the precondition does not hold at the end, so most runs say nothing.", "warning"),
                rule(UNKNOWN, "The search stopped before it could tell.",
                    "No counterexample was found, but not everything within the bounds was covered.", "note"),
            ],
        } },
        "columnKind": "unicodeCodePoints",
        "artifacts": header.files.iter().map(|file| json!({
            "location": { "uri": uri(&file.path) },
            "contents": { "text": file.text },
        })).collect::<Vec<_>>(),
        "results": results(campaign),
    })
}

fn results(campaign: &Campaign) -> Vec<Json> {
    let header = &campaign.header;
    let Some(conclusion) = &header.conclusion else { return Vec::new() };
    let mut results: Vec<Json> = conclusion
        .counterexamples
        .iter()
        .map(|counterexample| {
            let faults: Vec<String> =
                counterexample.faults.iter().map(ToString::to_string).collect();
            let under = if faults.is_empty() {
                "without any fault".to_owned()
            } else {
                format!("under {}", faults.join(", "))
            };
            let bad = campaign.kept.get(&counterexample.run);
            let story = bad.map(|bad| Story::of(campaign, bad));
            let claim = story
                .as_ref()
                .and_then(|story| story.why.first())
                .map_or(String::new(), |why| format!(": {}", why.claim));
            let related: Vec<Json> = story
                .iter()
                .flat_map(|story| &story.why)
                .flat_map(|point| point.rules.iter().map(move |rule| (point, *rule)))
                .enumerate()
                .map(|(id, (point, rule))| {
                    let mut place = location(header, header.vocabulary.rules[rule as usize].place);
                    place["id"] = json!(id);
                    let because = point.because.join(", and ");
                    place["message"] = json!({ "text": format!("{}: {because}.", point.claim) });
                    place
                })
                .collect();
            json!({
                "ruleId": BROKEN,
                "ruleIndex": 0,
                "level": "error",
                "message": { "text": format!("The invariant is broken {under}{claim}.") },
                "locations": invariant_places(header),
                "relatedLocations": related,
                "partialFingerprints": { "faults/v1": faults.join(",") },
                "properties": {
                    "faults": faults,
                    "replay": crate::story::replay_command(header, &counterexample.faults),
                },
            })
        })
        .collect();
    let note = |id: &str, index: u32, level: &str, message: &str| {
        json!({
            "ruleId": id,
            "ruleIndex": index,
            "level": level,
            "message": { "text": message },
            "locations": invariant_places(header),
        })
    };
    if conclusion.vacuous {
        let message = "In the run without faults the invariant asks for nothing.";
        results.push(note(VACUOUS, 1, "warning", message));
    }
    if conclusion.verdict == Verdict::Unknown {
        let message = "No counterexample was found, but not everything was covered.";
        results.push(note(UNKNOWN, 2, "note", message));
    }
    results
}

/// The rules that define what the invariant demands to be achieved; the first is the place of a
/// finding (one place is what most readers show).
fn invariant_places(header: &Header) -> Vec<Json> {
    let answered = header.vocabulary.answered;
    let rule = header.vocabulary.rules.iter().find(|rule| Some(rule.relation) == answered);
    rule.map(|rule| location(header, rule.place)).into_iter().collect()
}

fn location(header: &Header, place: Place) -> Json {
    let path = &header.files[place.file as usize].path;
    json!({
        "physicalLocation": {
            "artifactLocation": { "uri": uri(path), "index": place.file },
            "region": {
                "startLine": place.line,
                "startColumn": place.column,
                "endLine": place.line_end,
                "endColumn": place.column_end,
            },
        },
    })
}

/// A path as a URI: what may not stand in one is percent-encoded.
fn uri(path: &str) -> String {
    let prefix = if path.starts_with('/') { "file://" } else { "" };
    let mut uri = String::from(prefix);
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte) {
            uri.push(char::from(byte));
        } else {
            uri.push_str(&format!("%{byte:02X}"));
        }
    }
    uri
}
