//! Judges the history a workload printed, for clusters whose invariant is a list of checkers.

use std::path::Path;

use linchpin_cluster::{HistoryFiles, Judgement};
use linchpin_history::{Checker, History, Limits, Verdict, check, overall};
use linchpin_model::Outcome;

/// Judges by the checkers of these names.
pub(crate) fn judge(names: &[String], files: &HistoryFiles) -> Judgement {
    judged(names, files)
        .unwrap_or_else(|reason| Judgement { outcome: Outcome::Inconclusive, reason })
}

fn judged(names: &[String], files: &HistoryFiles) -> Result<Judgement, String> {
    let read = |path: &Path| {
        std::fs::read_to_string(path).map_err(|error| format!("{}: {error}", path.display()))
    };
    let mut text = read(&files.output)?;
    if let Some(last) = &files.last {
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text += &read(last)?;
    }
    let history = History::parse(&text).map_err(|error| format!("no history: {error}"))?;
    let mut reports = Vec::new();
    for name in names {
        let checker: Checker = name.parse().map_err(|error| format!("[invariant]: {error}"))?;
        reports.push(check(&history, checker, &Limits::default()));
    }
    let verdict = overall(&reports);
    let outcome = match verdict {
        Verdict::Good => Outcome::Good,
        Verdict::Bad => Outcome::Bad,
        Verdict::Vacuous => Outcome::Vacuous,
        Verdict::Unknown => Outcome::Inconclusive,
    };
    let told: Vec<String> = reports
        .iter()
        .filter(|report| report.verdict == verdict && verdict != Verdict::Good)
        .map(|report| {
            let first = report.violations.first().map(|violation| violation.message.clone());
            let why = first.or_else(|| report.note.clone()).unwrap_or_default();
            format!("{}: {why}", report.checker.name())
        })
        .collect();
    let reason =
        if told.is_empty() { format!("{}: good", names.join(", ")) } else { told.join("; ") };
    Ok(Judgement { outcome, reason })
}
