//! What is read without scripts: verdict and bounds, stories, specification.

use std::collections::BTreeSet;

use linchpin_model::Verdict;
use linchpin_record::{Campaign, Conclusion, Header, Stopped};
use maud::{Markup, html};

use super::data::anchor;
use crate::story::{Story, WhyPoint, invariant_sentence};
use crate::terminal::visible;
use crate::text;

/// At most so many counterexamples are told in words; the rest is in the list of runs.
const STORIES_MAX: usize = 25;

pub(super) fn verdict(campaign: &Campaign) -> Markup {
    let header = &campaign.header;
    let bounds = &header.bounds;
    let conclusion = header.conclusion.as_ref();
    let verdict = conclusion.map_or(Verdict::Unknown, |conclusion| conclusion.verdict);
    html! {
        span class=(format!("badge verdict {verdict}")) {
            @match verdict {
                Verdict::Holds => "✓ holds",
                Verdict::Broken => "✗ broken",
                Verdict::Unknown => "? unknown",
            }
        }
        h1 { bdi { (visible(&header.inputs.join(", "))) } }
        p { (sentence(campaign, conclusion)) }
        @if conclusion.is_some_and(|conclusion| conclusion.vacuous) {
            p.warning { "⚠ Vacuous: in the run without faults the invariant asks for nothing, so most runs say little." }
        }
        @if let Some(torn) = &campaign.torn {
            p.warning { "⚠ Line " (torn.line) " of runs.jsonl was cut off when its writer ended, and is left out." }
        }
        @for note in conclusion.map_or(&[][..], |conclusion| &conclusion.notes) {
            p.warning { "⚠ " (note) }
        }
        p { (invariant_sentence(header)) }
        dl.facts {
            (fact("last time step (EOT)", &bounds.eot.to_string()))
            (fact("losses before (EFF)", &bounds.eff.to_string()))
            (fact("crashes at most", &bounds.crashes.to_string()))
            @if bounds.crashes_stop { (fact("a crash", "stops the node")) }
            @if bounds.max_delay > 0 { (fact("steps late at most", &bounds.max_delay.to_string())) }
            @if bounds.recoveries > 0 { (fact("recoveries at most", &bounds.recoveries.to_string())) }
            @if !bounds.durable.is_empty() { (fact("durable", &visible(&bounds.durable.join(", ")))) }
            @if !bounds.inputs.is_empty() { (fact("inputs to choose", &bounds.inputs.len().to_string())) }
            (fact("nodes", &visible(&bounds.nodes.join(", "))))
            (fact("runs", &campaign.runs.len().to_string()))
            @if let Some(conclusion) = conclusion {
                (fact("fault sets within the bounds", &grouped(&conclusion.fault_space)))
            }
            (fact("strategy", &strategy(header, conclusion)))
            (fact("invariant", header.invariant.name()))
        }
    }
}

/// `auto` and what that came to.
fn strategy(header: &Header, conclusion: Option<&Conclusion>) -> String {
    match conclusion.and_then(|conclusion| conclusion.method.as_ref()) {
        Some(method) => format!("{} ({method})", header.strategy),
        None => header.strategy.clone(),
    }
}

fn fact(name: &str, value: &str) -> Markup {
    html! { div { dt { (name) } dd { bdi { (value) } } } }
}

/// Digits in groups of three, in scientific notation when there are very many.
fn grouped(digits: &str) -> String {
    if digits.len() > 21 {
        return format!("{}.{}·10^{}", &digits[..1], &digits[1..3], digits.len() - 1);
    }
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    grouped
}

fn sentence(campaign: &Campaign, conclusion: Option<&Conclusion>) -> String {
    let runs = text::count(campaign.runs.len(), "run");
    let Some(conclusion) = conclusion else {
        return format!("The search has not ended; {runs} so far.");
    };
    let covered = match conclusion.size_covered {
        Some(size) => format!(
            " Every set of at most {} was accounted for.",
            text::count(size as usize, "fault")
        ),
        None => String::new(),
    };
    let early = match conclusion.stopped {
        Some(Stopped::Runs) => format!(" It stopped at the limit on runs.{covered}"),
        Some(Stopped::Time) => format!(" It stopped at the limit on time.{covered}"),
        Some(Stopped::Interrupted) => format!(" It was interrupted.{covered}"),
        None => String::new(),
    };
    match conclusion.verdict {
        Verdict::Holds => format!(
            "No set of faults within these bounds breaks the invariant. That is decided for all of them by {runs}."
        ),
        Verdict::Broken => {
            let smallest =
                conclusion.counterexamples.iter().map(|each| each.faults.len()).min().unwrap_or(0);
            let found = text::count(conclusion.counterexamples.len(), "minimal counterexample");
            let faults = match smallest {
                0 => "no fault at all".to_owned(),
                count => text::count(count, "fault"),
            };
            let limit = if campaign.header.options.all && conclusion.complete {
                "all there are"
            } else {
                "more may exist"
            };
            format!(
                "It takes {faults} to break the invariant: {found} ({limit}), found in {runs}.{early}"
            )
        }
        Verdict::Unknown => format!(
            "The search found no counterexample in {runs}, but did not cover everything.{early}"
        ),
    }
}

pub(super) fn stories(campaign: &Campaign) -> Markup {
    let counterexamples =
        campaign.header.conclusion.as_ref().map_or(&[][..], |each| &each.counterexamples);
    html! {
        @if !counterexamples.is_empty() {
            section.card aria-label="Counterexamples" {
                h2 { "What breaks it" }
                @for (index, counterexample) in counterexamples.iter().take(STORIES_MAX).enumerate() {
                    details.counterexample open[index == 0] {
                        summary {
                            bdi { (visible(&faults_sentence(&counterexample.faults))) }
                        }
                        @if let Some(bad) = campaign.kept.get(&counterexample.run) {
                            (tell(campaign, &Story::of(campaign, bad)))
                        }
                        p { button type="button" data-open-run=(counterexample.run) data-view="diagram" { "Show this run" } " "
                            button type="button" data-open-run=(counterexample.run) data-view="compare" { "Beside a good run" } }
                    }
                }
                @if counterexamples.len() > STORIES_MAX {
                    p.empty { "… and " (counterexamples.len() - STORIES_MAX) " more in the list of runs." }
                }
            }
        }
    }
}

fn faults_sentence(faults: &linchpin_model::FaultSet) -> String {
    if faults.is_empty() {
        return "Without any fault".to_owned();
    }
    faults.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

fn tell(campaign: &Campaign, story: &Story) -> Markup {
    html! {
        div.story {
            @if !story.faults.is_empty() {
                div {
                    h3 { "What happened" }
                    ol { @for fault in &story.faults { li {
                        bdi { (visible(&fault.sentence)) }
                        @for consequence in &fault.consequences {
                            p.consequence { bdi { (visible(consequence)) } }
                        }
                    } } }
                }
            }
            div {
                h3 { "Why that breaks the protocol" }
                ul { @for point in &story.why { li { (why(campaign, point)) } } }
            }
        }
        code.replay { (visible(&story.replay)) }
    }
}

fn why(campaign: &Campaign, point: &WhyPoint) -> Markup {
    let because: Vec<String> = point.because.iter().map(|each| visible(each)).collect();
    html! {
        bdi { (visible(&point.claim)) }
        @match because.as_slice() {
            [] => ".",
            [one] => { ": " bdi { (one) } "." },
            _ => { ": " ul { @for each in &because { li { bdi { (each) } } } } },
        }
        @for &rule in &point.rules {
            @let place = campaign.header.vocabulary.rules[rule as usize].place;
            p.rule-line {
                a href=(format!("#{}", anchor(place.file, place.line))) { (visible(&text::place(&campaign.header, rule))) }
                " " code { (visible(&text::rule(&campaign.header, rule))) }
            }
        }
    }
}

pub(super) fn source(campaign: &Campaign) -> Markup {
    let header = &campaign.header;
    let blamed: BTreeSet<(u32, u32)> = header
        .conclusion
        .iter()
        .flat_map(|conclusion| &conclusion.counterexamples)
        .take(STORIES_MAX)
        .filter_map(|counterexample| campaign.kept.get(&counterexample.run))
        .flat_map(|bad| Story::of(campaign, bad).rules())
        .flat_map(|rule| {
            let place = header.vocabulary.rules[rule as usize].place;
            (place.line..=place.line_end).map(move |line| (place.file, line))
        })
        .collect();
    html! {
        section.card aria-label="Specification" {
            h2 { "The specification" }
            @if !blamed.is_empty() {
                p.count { "Marked: the rules named above." }
            }
            @for (file, source) in header.files.iter().enumerate() {
                details open[header.files.len() == 1 || source.text.lines().count() < 80] {
                    summary { bdi { (visible(&source.path)) } }
                    pre.source { @for (index, line) in source.text.lines().enumerate() {
                        @let number = (file as u32, index as u32 + 1);
                        span id=(anchor(number.0, number.1)) class=(if blamed.contains(&number) { "line blamed" } else { "line" }) {
                            bdi { (visible_line(line)) } "\n"
                        }
                    } }
                }
            }
        }
    }
}

/// Like [`visible`], with tabs as they are.
fn visible_line(line: &str) -> String {
    line.split('\t').map(visible).collect::<Vec<_>>().join("\t")
}
