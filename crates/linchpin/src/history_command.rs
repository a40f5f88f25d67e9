//! `linchpin history`: judge a history by built-in checkers, or export it.

use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use clap::{Args, ValueEnum};
use linchpin_history::{
    Checker, EdnForm, History, Limits, Report, Verdict, Violation, check, edn, json, overall,
    timeline,
};

use crate::exit::Exit;
use crate::output::outln;
use crate::terminal::Look;

/// Judge a history of operations, as a workload prints it, by built-in checkers
///
/// The history is JSON lines (docs/formats/history.md); other lines are skipped. `--format edn` and `elle` export it for
/// Jepsen's checkers instead of judging it.
#[derive(Debug, Args)]
#[command(after_help = "\
Exit codes: 0 good, 1 bad, 2 bad input, 3 unknown or vacuous

Example:
  python3 workload.py | linchpin history - --check lost-write,stale-read")]
pub(crate) struct HistoryArguments {
    /// The history; `-` is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// The properties to judge by, separated by commas (`register` is short for `linearizable-register`)
    #[arg(
        long,
        value_name = "NAME,...",
        value_delimiter = ',',
        long_help = properties(),
        required_unless_present_any = ["format"]
    )]
    check: Vec<Checker>,

    /// What to print on standard output
    #[arg(long, value_name = "FORMAT", default_value = "human")]
    format: HistoryFormat,

    /// Look at the operations on this key alone
    #[arg(long, value_name = "KEY")]
    key: Option<String>,

    /// Give up on a key after so many configurations of the search for a linearization
    #[arg(long, value_name = "N", default_value_t = Limits::default().configurations)]
    configurations: u64,
}

fn properties() -> String {
    let lines = Checker::ALL.map(|checker| format!("  {:<22} {}", checker.name(), checker.about()));
    format!(
        "The properties to judge by, separated by commas:\n{}\n`register` is short for `linearizable-register`",
        lines.join("\n")
    )
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum HistoryFormat {
    /// Violations in words, with the operations that show them
    Human,
    /// One JSON object (docs/formats/history.md)
    Json,
    /// The history itself, as Jepsen writes it and Knossos reads it
    Edn,
    /// The history itself, as transactions that Elle reads
    Elle,
}

pub(crate) fn command(arguments: &HistoryArguments, look: Look) -> Result<Exit> {
    let text = read(&arguments.file)?;
    let mut history = History::parse(&text).with_context(|| {
        format!("`{}` is no history (docs/formats/history.md)", arguments.file.display())
    })?;
    if let Some(key) = &arguments.key {
        history = restricted(&history, key)?;
    }
    let form = match arguments.format {
        HistoryFormat::Edn => EdnForm::Jepsen,
        HistoryFormat::Elle => EdnForm::Elle,
        HistoryFormat::Human | HistoryFormat::Json => return judge(&history, arguments, look),
    };
    if !arguments.check.is_empty() {
        bail!("an export is not judged: leave out --check, or --format");
    }
    outln!("{}", edn(&history, form)?.trim_end());
    Ok(Exit::Holds)
}

fn read(file: &Path) -> Result<String> {
    if file.as_os_str() == "-" {
        let mut text = String::new();
        std::io::stdin().lock().read_to_string(&mut text).context("cannot read standard input")?;
        return Ok(text);
    }
    std::fs::read_to_string(file).with_context(|| format!("cannot read `{}`", file.display()))
}

/// A key on the command line has no type: a number if the history has that number as a key, else a string.
fn restricted(history: &History, key: &str) -> Result<History> {
    let number = key.parse::<i64>().ok().map(serde_json::Value::from);
    [number, Some(serde_json::Value::from(key))]
        .into_iter()
        .flatten()
        .map(|key| history.restricted_to(&key))
        .find(|restricted| !restricted.operations.is_empty())
        .ok_or_else(|| anyhow!("no operation has the key `{key}`"))
}

fn judge(history: &History, arguments: &HistoryArguments, look: Look) -> Result<Exit> {
    if arguments.check.is_empty() {
        bail!(
            "nothing to judge by: name properties with --check, such as --check lost-write,register"
        );
    }
    let limits = Limits { configurations: arguments.configurations };
    let reports: Vec<Report> =
        arguments.check.iter().map(|checker| check(history, *checker, &limits)).collect();
    match arguments.format {
        HistoryFormat::Json => outln!("{}", json(history, &reports)),
        _ => show(history, &reports, look.ascii),
    }
    Ok(match overall(&reports) {
        Verdict::Good => Exit::Holds,
        Verdict::Bad => Exit::Broken,
        Verdict::Vacuous | Verdict::Unknown => Exit::Unknown,
    })
}

/// So many violations of a checker are shown; the rest is counted (JSON has them all).
const SHOWN: usize = 3;

fn show(history: &History, reports: &[Report], ascii: bool) {
    for report in reports {
        let totals: Vec<String> =
            report.totals.iter().map(|(name, count)| format!("{count} {name}")).collect();
        outln!("{}  {}", report.verdict.name().to_uppercase(), report.checker);
        outln!("  {}.", totals.join(", "));
        if let Some(note) = &report.note {
            outln!("  {note}.");
        }
        for violation in report.violations.iter().take(SHOWN) {
            show_violation(history, violation, ascii);
        }
        if report.violations.len() > SHOWN {
            outln!(
                "\n  and {} more violations (--format json shows all)",
                report.violations.len() - SHOWN
            );
        }
        outln!("");
    }
    outln!(
        "{} of {} operations.",
        overall(reports).name().to_uppercase(),
        history.operations.len()
    );
}

fn show_violation(history: &History, violation: &Violation, ascii: bool) {
    outln!("\n  {}: {}", violation.rule, violation.message);
    for line in timeline(history, &violation.witness, ascii) {
        outln!("    {}", line.trim_end());
    }
}
