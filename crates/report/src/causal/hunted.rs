//! What a hunt found, in the report: its verdict, each counterexample in words and beside the good
//! run nearest to it, and the account.

use linchpin_record::{HuntConclusion, HuntCounterexample, HuntHeader, Parting};
use maud::{Markup, html};

use super::{Diagram, terminal};
use crate::terminal::{Style, visible};

/// Rows of a run shown on both sides of the place where two runs part.
const ROWS_AROUND: usize = 14;

pub(crate) fn section(hunt: &HuntHeader, detailed: &[Diagram<'_>]) -> Markup {
    let budgets: Vec<String> = hunt
        .budgets
        .iter()
        .filter(|(_, count)| **count > 0)
        .map(|(kind, count)| format!("{count} {kind}"))
        .collect();
    html! {
        section.card #hunt {
            h2 { "The hunt" @if let Some(conclusion) = &hunt.conclusion {
                " " span class=(badge(conclusion)) { (conclusion.verdict) }
            } }
            p { "Strategy " (hunt.strategy) "; at most " (budgets.join(", ")) ", " (hunt.total) " at once." }
            @match &hunt.conclusion {
                Some(conclusion) => { p { (verdict(conclusion)) } }
                None => { p { "It has not ended." } }
            }
        }
        @if let Some(conclusion) = &hunt.conclusion {
            @for found in &conclusion.counterexamples { (counterexample(found, detailed)) }
            section.card {
                h2 { "The account" }
                ul { @for line in &conclusion.account.in_words { li { (visible(line)) } } }
            }
        }
    }
}

fn badge(conclusion: &HuntConclusion) -> &'static str {
    match conclusion.verdict.as_str() {
        "broken" => "badge bad",
        "survived" => "badge good",
        _ => "badge inconclusive",
    }
}

fn verdict(conclusion: &HuntConclusion) -> String {
    let account = &conclusion.account;
    match conclusion.experiments_until_bad {
        None | Some(0) if conclusion.verdict == "broken" => {
            "Broken without any fault: the system, or its check, fails by itself.".to_owned()
        }
        Some(until) => {
            format!("Broken by experiment {until}, of {} that were made.", conclusion.experiments)
        }
        None if conclusion.verdict == "survived" => format!(
            "Survived {} experiments: every class of hypotheses was tried. One that was tried breaks the system in at \
             most {:.0} % of its runs (95 %).",
            conclusion.experiments,
            100.0 * account.break_rate_at_most
        ),
        None => format!(
            "Ended after {} experiments; {} hypotheses were not reached.",
            conclusion.experiments, account.waiting
        ),
    }
}

fn counterexample(found: &HuntCounterexample, detailed: &[Diagram<'_>]) -> Markup {
    let nearest = found.nearest.as_ref();
    html! {
        section.card {
            h2 { "What breaks it" }
            ol { @for fault in &found.faults {
                li { (visible(&fault.sentence)) br; code { (visible(&fault.fault)) } }
            } }
            p { "Then: " (visible(&found.reason)) }
            @if found.runs.len() > 1 {
                p { "Bad in " (found.bad) " of " (found.runs.len()) " runs: these faults break "
                    (format!("{:.0} % to {:.0} %", 100.0 * found.break_rate.0, 100.0 * found.break_rate.1))
                    " of runs (95 % each)." }
            }
            @for expected in &found.expected {
                p { "A known way to show " code { (visible(&expected.value)) } ", seen in " (expected.runs) " runs: "
                    (visible(&expected.path.join(" ⇒ "))) ". "
                    @if expected.cuts.is_empty() { "It was expected to hold, and did not." }
                    @for (fault, event) in &expected.cuts {
                        "Fault " (fault + 1) " takes away " code { (visible(event)) } ". "
                    } }
            }
            div.beside {
                (half(found.run, "bad", nearest.map(|nearest| &nearest.new[..]), detailed))
                @if let Some(nearest) = nearest {
                    (half(nearest.run, "good, the nearest", Some(&nearest.lacking), detailed))
                }
            }
        }
    }
}

/// One of two runs beside each other, around the first event that the other lacks.
fn half(run: u64, what: &str, partings: Option<&[Parting]>, detailed: &[Diagram<'_>]) -> Markup {
    let partings = partings.unwrap_or_default();
    let event = partings.iter().find_map(|parting| parting.event);
    let style = Style { width: 76, ..Style::default() };
    let drawn = detailed.iter().find(|diagram| diagram.trace.run == run);
    html! {
        figure {
            figcaption { "Run " (run) " (" (what) ")"
                @if let Some(first) = partings.first() {
                    "; first that the other has not: " code { (visible(&first.name)) }
                } }
            @if let Some(diagram) = drawn {
                pre.spacetime { (terminal::around(diagram, event, ROWS_AROUND, style)) }
            }
        }
    }
}
