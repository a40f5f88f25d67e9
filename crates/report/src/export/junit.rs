//! JUnit XML: a campaign is a test case. Durations are given by whoever measured them.

use linchpin_model::Verdict;
use linchpin_record::{Campaign, Entry};

use crate::story::Story;
use crate::terminal::{self, visible};

/// A test case.
#[derive(Clone, Debug, PartialEq)]
pub struct Case {
    /// What was checked.
    pub name: String,
    /// The group it belongs to: the file.
    pub class: String,
    /// How long it took.
    pub seconds: Option<f64>,
    /// How it ended.
    pub result: CaseResult,
}

/// How a test case ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CaseResult {
    /// As hoped for.
    Passed,
    /// Not as hoped for: in one line, and in full.
    Failed {
        /// In one line.
        message: String,
        /// In full.
        text: String,
    },
    /// No answer: in one line.
    Error {
        /// What kind: `unknown` or `vacuous`.
        kind: String,
        /// In one line.
        message: String,
    },
}

impl Case {
    /// A campaign that should hold.
    #[must_use]
    pub fn new(campaign: &Campaign) -> Self {
        let header = &campaign.header;
        let bounds = &header.bounds;
        let name = format!(
            "EOT {}, EFF {}, crashes {}, nodes {}",
            bounds.eot,
            bounds.eff,
            bounds.crashes,
            bounds.nodes.join(" ")
        );
        let error = |kind: &str, message: &str| CaseResult::Error {
            kind: kind.to_owned(),
            message: message.to_owned(),
        };
        let result = match &header.conclusion {
            None => error("unknown", "the search has not ended"),
            Some(conclusion) => match conclusion.verdict {
                Verdict::Holds if conclusion.vacuous && !header.options.allow_vacuous => {
                    error("vacuous", "the run without faults asks for nothing")
                }
                Verdict::Holds => CaseResult::Passed,
                Verdict::Unknown => error("unknown", "the search stopped before it could tell"),
                Verdict::Broken => failure(campaign),
            },
        };
        Self { name, class: header.inputs.join(", "), seconds: None, result }
    }

    /// A campaign of a collection, which should have the verdict expected of it.
    #[must_use]
    pub fn of(campaign: &Campaign, entry: &Entry) -> Self {
        let mut case = Self::new(campaign);
        case.class.clone_from(&entry.title);
        if let Some(scenario) = &entry.scenario {
            case.name = format!("{scenario}: {}", case.name);
        }
        let verdict = campaign.header.conclusion.as_ref().map(|conclusion| conclusion.verdict);
        if let (Some(expected), Some(verdict)) = (entry.expected, verdict) {
            if verdict == expected
                && (verdict == Verdict::Broken || case.result == CaseResult::Passed)
            {
                case.result = CaseResult::Passed;
            } else if case.result == CaseResult::Passed {
                let message = format!("expected {expected}, but it {verdict}");
                case.result = CaseResult::Failed { text: message.clone(), message };
            }
        }
        case
    }
}

fn failure(campaign: &Campaign) -> CaseResult {
    let counterexamples =
        campaign.header.conclusion.as_ref().map_or(&[][..], |each| &each.counterexamples);
    let message = match counterexamples.first() {
        Some(first) => format!("broken by {}", first.faults),
        None => "broken".to_owned(),
    };
    let mut text = String::new();
    for counterexample in counterexamples {
        if let Some(bad) = campaign.kept.get(&counterexample.run) {
            let story = Story::of(campaign, bad);
            text.push_str(&terminal::tell(&campaign.header, &story, terminal::Style::default()));
            text.push('\n');
        } else {
            text.push_str(&format!("{}\n", counterexample.faults));
        }
    }
    CaseResult::Failed { message, text }
}

/// A report of one suite.
#[must_use]
pub fn render(suite: &str, cases: &[Case]) -> String {
    let count =
        |wanted: fn(&CaseResult) -> bool| cases.iter().filter(|case| wanted(&case.result)).count();
    let failures = count(|result| matches!(result, CaseResult::Failed { .. }));
    let errors = count(|result| matches!(result, CaseResult::Error { .. }));
    let seconds: f64 = cases.iter().filter_map(|case| case.seconds).sum();
    let totals = format!(
        "tests=\"{}\" failures=\"{failures}\" errors=\"{errors}\" skipped=\"0\" time=\"{seconds:.3}\"",
        cases.len()
    );
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"{0}\" {totals}>\n  <testsuite name=\"{0}\" {totals}>\n",
        escaped(suite)
    );
    for case in cases {
        let head = format!(
            "    <testcase name=\"{}\" classname=\"{}\" time=\"{:.3}\"",
            escaped(&case.name),
            escaped(&case.class),
            case.seconds.unwrap_or(0.0)
        );
        out.push_str(&match &case.result {
            CaseResult::Passed => format!("{head}/>\n"),
            CaseResult::Failed { message, text } => format!(
                "{head}>\n      <failure type=\"broken\" message=\"{}\">{}</failure>\n    </testcase>\n",
                escaped(message),
                escaped_lines(text)
            ),
            CaseResult::Error { kind, message } => format!(
                "{head}>\n      <error type=\"{}\" message=\"{}\"/>\n    </testcase>\n",
                escaped(kind),
                escaped(message)
            ),
        });
    }
    out.push_str("  </testsuite>\n</testsuites>\n");
    out
}

/// Text for XML. Characters that XML cannot hold, even escaped, are spelled out.
fn escaped(text: &str) -> String {
    let mut escaped = String::new();
    for character in visible(text).chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\u{fffe}' | '\u{ffff}' => escaped.extend(character.escape_unicode()),
            other => escaped.push(other),
        }
    }
    escaped
}

fn escaped_lines(text: &str) -> String {
    text.lines().map(escaped).collect::<Vec<_>>().join("\n")
}
