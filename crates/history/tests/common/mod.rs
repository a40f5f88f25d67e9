//! What the tests share: histories written tersely.

#![allow(dead_code, unreachable_pub, reason = "each test takes what it needs")]

use linchpin_history::{Checker, History, Limits, Report, Verdict, check};

/// A history from a terse form, one event per line:
/// `PROCESS TYPE OPERATION KEY [VALUE] [final] [token=N]`, `-` for no key, the value in JSON without blanks.
pub fn history(text: &str) -> History {
    History::parse(&lines(text)).expect("well-formed")
}

pub fn lines(text: &str) -> String {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).map(line).collect()
}

fn line(terse: &str) -> String {
    let mut words = terse.split_whitespace();
    let mut next = || words.next().expect("process, type, operation and key");
    let (process, kind, operation, key) = (next(), next(), next(), next());
    let mut object =
        format!("{{\"process\":{process},\"type\":\"{kind}\",\"operation\":\"{operation}\"");
    if key != "-" {
        object += &format!(",\"key\":\"{key}\"");
    }
    for word in words {
        object += &match (word, word.strip_prefix("token=")) {
            ("final", _) => ",\"final\":true".to_owned(),
            (_, Some(token)) => format!(",\"token\":{token}"),
            (value, None) => format!(",\"value\":{value}"),
        };
    }
    object + "}\n"
}

pub fn judge(text: &str, checker: Checker) -> Report {
    check(&history(text), checker, &Limits::default())
}

/// The verdict, and the rules violated with the witnesses.
pub fn summary(report: &Report) -> (Verdict, Vec<(&'static str, Vec<usize>)>) {
    let violations = report.violations.iter().map(|each| (each.rule, each.witness.clone()));
    (report.verdict, violations.collect())
}
