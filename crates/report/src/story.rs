//! An explanation in words, for someone who has never seen Dedalus.

mod because;
mod effects;

use linchpin_model::{FaultSet, Invariant, Outcome};
use linchpin_record::{Campaign, Header, Run, Value};

use crate::explanation::{Explanation, explain, missing_rows};
use crate::text;

/// What happened in a bad run and why that broke the invariant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Story {
    /// What the invariant demands.
    pub invariant: String,
    /// The run it is compared with, as in "in the run without faults".
    pub compared_with: String,
    /// The faults in order of time, each with what it took away.
    pub faults: Vec<FaultPoint>,
    /// What is missing and why, from the missing row back to the faults.
    pub why: Vec<WhyPoint>,
    /// The command that shows the run again; not told if empty.
    pub replay: String,
}

/// A fault in one sentence, and what it took away.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FaultPoint {
    /// The sentence.
    pub sentence: String,
    /// One sentence per consequence.
    pub consequences: Vec<String>,
}

/// A step from the missing row back to the faults.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WhyPoint {
    /// What differs: a clause without a full stop.
    pub claim: String,
    /// Why: clauses without full stops.
    pub because: Vec<String>,
    /// The rules that say so, by index.
    pub rules: Vec<u32>,
}

/// At most this many steps are told; the rest is counted.
const STEPS_MAX: usize = 14;

impl Story {
    /// Tells a bad run of a campaign by comparison with the run that [`reference`] chooses.
    #[must_use]
    pub fn of(campaign: &Campaign, bad: &Run) -> Self {
        match reference(campaign, bad) {
            Some(good) => Self::new(&campaign.header, bad, good, campaign.kept.get(&0)),
            None => Self::without_comparison(&campaign.header, bad),
        }
    }

    /// Tells a bad run by comparison with a good one, usually the run without faults.
    #[must_use]
    pub fn new(header: &Header, bad: &Run, good: &Run, failure_free: Option<&Run>) -> Self {
        let explanation = explain(header, bad, good, failure_free);
        let compared_with = if good.faults.is_empty() {
            "without faults".to_owned()
        } else {
            format!("in run {}", good.run)
        };
        let faults = effects::points(header, bad, &explanation, &compared_with);
        let why = why(header, bad, &explanation);
        Self {
            invariant: invariant_sentence(header),
            compared_with,
            faults,
            why,
            replay: replay_command(header, &bad.faults),
        }
    }

    /// Tells a run that is bad without a good one to compare with (when the run without faults is
    /// itself bad): only what is missing.
    #[must_use]
    pub fn without_comparison(header: &Header, bad: &Run) -> Self {
        let missing = missing_rows(header, bad, None);
        let why = missing.iter().map(|row| missing_point(header, bad, row)).collect();
        Self {
            invariant: invariant_sentence(header),
            compared_with: String::new(),
            faults: Vec::new(),
            why,
            replay: replay_command(header, &bad.faults),
        }
    }

    /// The rules of every step, each once, in the order told.
    #[must_use]
    pub fn rules(&self) -> Vec<u32> {
        let mut rules = Vec::new();
        for rule in self.why.iter().flat_map(|point| &point.rules) {
            if !rules.contains(rule) {
                rules.push(*rule);
            }
        }
        rules
    }
}

/// What a bad run is best compared with, among the runs kept: the one without faults if it is
/// good, since then every fault has something to answer for; else the nearest good one; else
/// whichever there is without faults.
#[must_use]
pub fn reference<'a>(campaign: &'a Campaign, bad: &Run) -> Option<&'a Run> {
    let failure_free = campaign.kept.get(&0).filter(|run| run.faults != bad.faults);
    let nearest = || campaign.kept.get(&campaign.nearest_good(&bad.faults)?.run);
    failure_free.filter(|run| run.outcome == Outcome::Good).or_else(nearest).or(failure_free)
}

fn why(header: &Header, bad: &Run, explanation: &Explanation) -> Vec<WhyPoint> {
    let mut points = Vec::new();
    for missing in &explanation.missing {
        points.push(missing_point(header, bad, &missing.row));
    }
    let roots = explanation.missing.iter().filter_map(|missing| missing.reason);
    for reason in because::order(explanation, roots) {
        points.push(because::point(header, bad, explanation, reason));
    }
    let told = STEPS_MAX + explanation.missing.len().min(3);
    if points.len() > told {
        let more = points.len() - told;
        points.truncate(told);
        points.push(WhyPoint {
            claim: format!("… and {} more, shown in the HTML report", text::count(more, "step")),
            because: Vec::new(),
            rules: Vec::new(),
        });
    }
    points
}

fn missing_point(header: &Header, bad: &Run, row: &[Value]) -> WhyPoint {
    let vocabulary = &header.vocabulary;
    let answered = vocabulary.answered.unwrap_or(0);
    let wanted = text::row(header, answered, row);
    let claim = match (header.invariant, vocabulary.asked) {
        (Invariant::Good, _) | (_, None) => {
            format!("{wanted} holds at the end of the run without faults, but not here")
        }
        (_, Some(asked)) => {
            format!("{} holds at the end, but {wanted} does not", text::row(header, asked, row))
        }
    };
    let ever = crate::explanation::times_of(bad, answered, row);
    let because = match ever.last() {
        Some(last) => vec![format!("the last time step at which it does is {last}")],
        None => Vec::new(),
    };
    WhyPoint { claim, because, rules: Vec::new() }
}

/// What the invariant demands, in words.
#[must_use]
pub fn invariant_sentence(header: &Header) -> String {
    let name = |relation: Option<u32>| {
        relation.map_or("?", |relation| text::relation_name(header, relation)).to_owned()
    };
    let eot = header.bounds.eot;
    let asked = name(header.vocabulary.asked);
    let answered = name(header.vocabulary.answered);
    match header.invariant {
        Invariant::Implication => format!(
            "At the end of every run (time {eot}), each row of {asked} (what is asked for) must \
             also be a row of {answered} (what was achieved)."
        ),
        Invariant::Baseline => format!(
            "At the end of every run (time {eot}), each row of {answered} that the run without \
             faults has must be there too, if it is a row of {asked}."
        ),
        Invariant::Good => format!(
            "At the end of every run (time {eot}), each row of {answered} that the run without \
             faults has must be there too."
        ),
    }
}

/// The command that shows a run again.
#[must_use]
pub fn replay_command(header: &Header, faults: &FaultSet) -> String {
    let mut words = vec!["linchpin".to_owned(), "run".to_owned()];
    words.extend(header.inputs.iter().map(|input| quoted(input)));
    for directory in &header.include_dirs {
        words.push("-I".to_owned());
        words.push(quoted(directory));
    }
    words.push(format!("--eot {}", header.bounds.eot));
    words.push(format!("--nodes {}", quoted(&header.bounds.nodes.join(","))));
    if header.invariant != Invariant::Implication {
        words.push(format!("--invariant {}", header.invariant));
    }
    words.extend(faults.iter().map(|fault| format!("--fault '{}'", escaped(&fault.to_string()))));
    words.join(" ")
}

/// For a shell: as it is where that is safe, else in single quotes.
fn quoted(word: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || "._-/,=+:@%".contains(c);
    if !word.is_empty() && !word.starts_with('-') && word.chars().all(safe) {
        word.to_owned()
    } else {
        format!("'{}'", escaped(word))
    }
}

fn escaped(word: &str) -> String {
    word.replace('\'', r"'\''")
}
