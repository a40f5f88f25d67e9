//! What a hunt found, in the report: its verdict, each counterexample in words and beside the good
//! run nearest to it, and the account.

use linchpin_record::{
    HuntConclusion, HuntCounterexample, HuntHeader, Nearest, Parting, TraceCampaign,
};
use maud::{Markup, html};

use super::{Diagram, terminal};
use crate::terminal::{Style, visible};

/// Rows of a run shown on both sides of the place where two runs part.
const ROWS_AROUND: usize = 14;
/// Of the first events of one run only, so many are named.
const PARTINGS_TOLD_MAX: usize = 3;

pub(crate) fn section(
    campaign: &TraceCampaign,
    hunt: &HuntHeader,
    detailed: &[Diagram<'_>],
) -> Markup {
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
            @for found in &conclusion.counterexamples { (counterexample(campaign, found, detailed)) }
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

fn counterexample(
    campaign: &TraceCampaign,
    found: &HuntCounterexample,
    detailed: &[Diagram<'_>],
) -> Markup {
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
            @if let Some(nearest) = nearest { (parting(found, nearest)) }
            div.beside {
                (half(found.run, "bad", detailed, nearest.map(|nearest| &nearest.new[..])))
                @if let Some(nearest) = nearest {
                    (half(nearest.run, "good, the nearest", detailed, Some(&nearest.lacking)))
                }
            }
            (legend(found))
            p { "To see it again:" code.replay { (again(campaign, found)) } }
        }
    }
}

/// Where the two runs part, in words.
fn parting(found: &HuntCounterexample, nearest: &Nearest) -> Markup {
    let names = |partings: &[Parting]| {
        let names = partings.iter().take(PARTINGS_TOLD_MAX);
        names.map(|parting| visible(&parting.name)).collect::<Vec<String>>()
    };
    let (new, lacking) = (names(&nearest.new), names(&nearest.lacking));
    html! {
        p {
            "Of the good runs, run " (nearest.run) " is most like the bad run " (found.run) ". "
            @if new.is_empty() && lacking.is_empty() { "They have the same events: what differs is in them." }
            @else { "They are alike up to where one has an event that the other has not. " }
            @if !lacking.is_empty() {
                "First that only the good one has: "
                (list(&lacking)) ". "
            }
            @if !new.is_empty() {
                "First that only the bad one has: "
                (list(&new)) "."
            }
        }
    }
}

fn list(names: &[String]) -> Markup {
    html! { @for (index, name) in names.iter().enumerate() { @if index > 0 { ", " } code { (name) } } }
}

/// One of two runs beside each other: drawn by the script around the first event that the other has
/// not; without scripts, as text.
fn half(run: u64, what: &str, detailed: &[Diagram<'_>], partings: Option<&[Parting]>) -> Markup {
    let event = partings.unwrap_or_default().iter().find_map(|parting| parting.event);
    let style = Style { width: 76, ..Style::default() };
    let drawn = detailed.iter().find(|diagram| diagram.trace.run == run);
    html! {
        figure data-beside=[drawn.map(|_| run)] {
            figcaption { "Run " (run) " (" (what) ")"
                @if drawn.is_none() { ": not drawn here; see linchpin report --run " (run) } }
            @if let Some(diagram) = drawn {
                noscript { pre.spacetime { (terminal::around(diagram, event, ROWS_AROUND, style)) } }
            }
        }
    }
}

fn legend(found: &HuntCounterexample) -> Markup {
    html! {
        ul.legend {
            li { span.swatch.fault {} "a fault strikes" }
            @if found.nearest.is_some() {
                li { span.swatch.parting {} "the first events that the other run has not" }
                @if found.expected.iter().any(|expected| expected.events.iter().any(Option::is_some)) {
                    li { span.swatch.support {} "how the value came to the final state in the good run" }
                }
            }
            li { "Choose an event to open its run there." }
        }
    }
}

/// The command that makes the bad run again.
fn again(campaign: &TraceCampaign, found: &HuntCounterexample) -> String {
    let directory = campaign.directory.display().to_string();
    format!("linchpin replay {} --run {} --times 10", visible(&directory), found.run)
}
