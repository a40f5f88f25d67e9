//! Judges the runs of a cluster by the history its workload printed.

use std::path::Path;

use anyhow::{Context, Result};
use linchpin_cluster::{Cluster, HistoryFiles, Judge, Judgement};
use linchpin_history::{Checker, History, Limits, Report, Verdict, check, overall};
use linchpin_model::Outcome;

use crate::human::plural;

/// Fails if the cluster file names a checker that there is not.
pub(crate) fn check_names(cluster: &Cluster, path: &Path) -> Result<()> {
    let Some(Judge::History { checkers, .. }) =
        cluster.invariant.as_ref().map(|invariant| &invariant.judge)
    else {
        return Ok(());
    };
    parsed(checkers).map(|_| ()).with_context(|| format!("{}: [invariant] history", path.display()))
}

fn parsed(names: &[String]) -> Result<Vec<Checker>> {
    names.iter().map(|name| name.parse().map_err(anyhow::Error::from)).collect()
}

/// The outcome of a run, and why.
pub(crate) fn judge(names: &[String], files: &HistoryFiles) -> Judgement {
    reports(names, files).map_or_else(
        |error| Judgement { outcome: Outcome::Inconclusive, reason: format!("{error:#}") },
        |(history, reports)| match judgement(&reports) {
            Judgement { outcome: Outcome::Vacuous, .. } if history.operations.is_empty() => {
                let lines = plural(history.logs as u64, "line");
                let reason = format!(
                    "the workload printed no operation ({lines} of other text): it must print a history \
                     (docs/formats/history.md)"
                );
                Judgement { outcome: Outcome::Vacuous, reason }
            }
            judgement => judgement,
        },
    )
}

fn reports(names: &[String], files: &HistoryFiles) -> Result<(History, Vec<Report>)> {
    let mut text = read(&files.output)?;
    if let Some(last) = &files.last {
        // A workload that was killed may have left half a line.
        if !text.is_empty() && !text.ends_with('\n') {
            text.truncate(text.rfind('\n').map_or(0, |end| end + 1));
        }
        text.push_str(&read(last)?);
    }
    let history = History::parse(&text).context("the workload printed no usable history")?;
    let limits = Limits::default();
    let checkers = parsed(names)?.into_iter();
    let reports = checkers.map(|checker| check(&history, checker, &limits)).collect();
    Ok((history, reports))
}

fn read(path: &Path) -> Result<String> {
    let bytes = std::fs::read(path).with_context(|| format!("cannot read `{}`", path.display()))?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

fn judgement(reports: &[Report]) -> Judgement {
    let verdict = overall(reports);
    let outcome = match verdict {
        Verdict::Good => Outcome::Good,
        Verdict::Bad => Outcome::Bad,
        Verdict::Vacuous => Outcome::Vacuous,
        Verdict::Unknown => Outcome::Inconclusive,
    };
    let deciding = reports.iter().filter(|report| report.verdict == verdict);
    let reasons: Vec<String> =
        deciding.map(|report| format!("{}: {}", report.checker, why(report))).collect();
    Judgement { outcome, reason: reasons.join("; ") }
}

fn why(report: &Report) -> String {
    if let Some(violation) = report.violations.first() {
        return violation.message.clone();
    }
    let totals = || report.totals.iter().map(|(name, count)| format!("{count} {name}"));
    report.note.clone().unwrap_or_else(|| totals().collect::<Vec<_>>().join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(output: &str, last: Option<&str>, names: &[&str]) -> Judgement {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name: &str, text: &str| {
            let path = folder.path().join(name);
            std::fs::write(&path, text).expect("written");
            path
        };
        let files = HistoryFiles {
            output: write("output", output),
            last: last.map(|text| write("last", text)),
        };
        judge(&names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>(), &files)
    }

    const WRITE: &str = "starting\n{\"process\":0,\"type\":\"invoke\",\"operation\":\"write\",\"value\":1}\n\
        {\"process\":0,\"type\":\"ok\",\"operation\":\"write\"}\n{\"process\":0,\"ty";

    fn read_of(value: &str) -> String {
        format!(
            "{{\"process\":1,\"type\":\"invoke\",\"operation\":\"read\",\"final\":true}}\n\
             {{\"process\":1,\"type\":\"ok\",\"operation\":\"read\",\"value\":{value}}}\n"
        )
    }

    #[test]
    fn final_reads_are_joined_to_what_a_killed_workload_left() {
        let good = judged(WRITE, Some(&read_of("1")), &["lost-write", "register"]);
        assert_eq!(good.outcome, Outcome::Good, "{}", good.reason);
        let bad = judged(WRITE, Some(&read_of("null")), &["lost-write"]);
        assert_eq!(bad.outcome, Outcome::Bad);
        assert_eq!(
            bad.reason,
            "lost-write: The write of 1 was acknowledged, but the final read found nothing."
        );
    }

    #[test]
    fn what_cannot_be_judged_is_not_good() {
        assert_eq!(judged(WRITE, None, &["lost-write"]).outcome, Outcome::Vacuous);
        let chatter = judged("starting\n\nready\n", None, &["lost-write"]);
        assert_eq!(chatter.outcome, Outcome::Vacuous);
        assert!(chatter.reason.contains("no operation (2 lines"), "{}", chatter.reason);
        let double = WRITE.replace("\"ok\"", "\"done\"");
        let malformed = judged(&double, None, &["lost-write"]);
        assert_eq!(malformed.outcome, Outcome::Inconclusive);
        assert!(malformed.reason.contains("line 3: `type` is \"done\""), "{}", malformed.reason);
    }
}
