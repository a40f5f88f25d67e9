//! What a checker says.

use serde_json::Value;

use crate::checker::Checker;

/// The judgement of one checker, or of several.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The history has the property.
    Good,
    /// It does not: there is a violation.
    Bad,
    /// There was nothing to judge.
    Vacuous,
    /// Undecided: the search was cut off, or operations of unknown outcome leave it open.
    Unknown,
}

impl Verdict {
    /// As it stands in reports.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Bad => "bad",
            Self::Vacuous => "vacuous",
            Self::Unknown => "unknown",
        }
    }
}

/// What is wrong, and the operations that show it.
#[derive(Clone, Debug, PartialEq)]
pub struct Violation {
    /// What kind of wrong, a name in kebab case: `lost-write`, `stale-read`, `duplicate-id`, ...
    pub rule: &'static str,
    /// The object concerned.
    pub key: Option<Value>,
    /// What happened, in one or a few sentences.
    pub message: String,
    /// The operations that show it, as indexes into [`History::operations`](crate::History::operations), in the order of
    /// their invocation.
    pub witness: Vec<usize>,
}

/// What one checker found.
#[derive(Clone, Debug, PartialEq)]
pub struct Report {
    /// Which checker.
    pub checker: Checker,
    /// Its judgement.
    pub verdict: Verdict,
    /// Why the verdict is vacuous or unknown, and what would help.
    pub note: Option<String>,
    /// How many of what were judged: name and number.
    pub totals: Vec<(&'static str, usize)>,
    /// What is wrong; not empty iff the verdict is bad.
    pub violations: Vec<Violation>,
}

impl Report {
    pub(crate) fn new(checker: Checker, totals: Vec<(&'static str, usize)>) -> Self {
        Self { checker, verdict: Verdict::Good, note: None, totals, violations: Vec::new() }
    }

    /// Bad, if there are violations.
    pub(crate) fn with_violations(mut self, violations: Vec<Violation>) -> Self {
        if !violations.is_empty() {
            self.verdict = Verdict::Bad;
        }
        self.violations = violations;
        self
    }

    /// Vacuous, for this reason, unless something is wrong.
    pub(crate) fn vacuous_if(self, vacuous: bool, note: &str) -> Self {
        self.note_if(vacuous, Verdict::Vacuous, note)
    }

    /// Unknown, for this reason, unless something is wrong.
    pub(crate) fn unknown_if(self, unknown: bool, note: &str) -> Self {
        self.note_if(unknown, Verdict::Unknown, note)
    }

    fn note_if(mut self, applies: bool, verdict: Verdict, note: &str) -> Self {
        if applies && self.verdict == Verdict::Good {
            self.verdict = verdict;
            self.note = Some(note.to_owned());
        }
        self
    }
}

/// The judgement of several checkers together: bad if one is; else unknown if one is; else vacuous if one is (what was to be
/// judged could not be); else good.
#[must_use]
pub fn overall(reports: &[Report]) -> Verdict {
    [Verdict::Bad, Verdict::Unknown, Verdict::Vacuous]
        .into_iter()
        .find(|verdict| reports.iter().any(|report| report.verdict == *verdict))
        .unwrap_or(if reports.is_empty() { Verdict::Vacuous } else { Verdict::Good })
}
