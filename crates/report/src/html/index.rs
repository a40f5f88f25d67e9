//! The page of a collection: every campaign in one table, each a click away.

use linchpin_model::Verdict;
use linchpin_record::{Bounds, Collection, CollectionKind, Entry, Header};
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::{STYLE, policy};
use crate::terminal::visible;
use crate::text;

/// The whole page. `headers` are those of the entries, in order.
#[must_use]
pub fn index(collection: &Collection, headers: &[Option<Header>]) -> String {
    let what = match collection.kind {
        CollectionKind::Sweep => "Wider and wider bounds",
        CollectionKind::Each => "Every specification",
    };
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy::style_only(STYLE));
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="referrer" content="no-referrer";
                title { (what) " – Linchpin" }
                style { (PreEscaped(STYLE)) }
            }
            body {
                header.top {
                    (head(collection, headers))
                }
                main {
                    section.card aria-label="Campaigns" {
                        h2 { (what) }
                        div.scroll { (table(collection, headers)) }
                    }
                }
                footer { p { "Written by " (collection.tool) "." } }
            }
        }
    };
    page.into_string()
}

fn head(collection: &Collection, headers: &[Option<Header>]) -> Markup {
    let verdicts = || headers.iter().map(verdict);
    let count = |wanted: Verdict| verdicts().filter(|verdict| *verdict == wanted).count();
    let unexpected = collection
        .entries
        .iter()
        .zip(verdicts())
        .filter(|(entry, verdict)| is_unexpected(entry, *verdict))
        .count();
    html! {
        h1 { bdi { (visible(&collection.arguments.join(" "))) } }
        @if !collection.complete {
            p.warning { "⚠ Not finished: `linchpin check --resume` goes on with it." }
        }
        @if let Some(result) = collection.result.map(|result| result as usize) {
            p { (badge(verdict(&headers[result]))) " "
                @match verdict(&headers[result]) {
                    Verdict::Broken => "The smallest bounds within which it breaks: ",
                    Verdict::Holds => "The largest bounds within which it is known to hold: ",
                    Verdict::Unknown => "The last bounds tried: ",
                }
                bdi { (visible(collection.entries[result].within.as_deref().unwrap_or(""))) } }
        }
        dl.facts {
            (fact("campaigns", collection.entries.len()))
            (fact("hold", count(Verdict::Holds)))
            (fact("broken", count(Verdict::Broken)))
            (fact("unknown", count(Verdict::Unknown)))
            @if collection.entries.iter().any(|entry| entry.expected.is_some()) {
                (fact("not as expected", unexpected))
            }
        }
    }
}

fn fact(name: &str, count: usize) -> Markup {
    html! { div { dt { (name) } dd { (count) } } }
}

fn verdict(header: &Option<Header>) -> Verdict {
    let conclusion = header.as_ref().and_then(|header| header.conclusion.as_ref());
    conclusion.map_or(Verdict::Unknown, |conclusion| conclusion.verdict)
}

fn is_unexpected(entry: &Entry, verdict: Verdict) -> bool {
    entry.expected.is_some_and(|expected| expected != verdict)
}

fn badge(verdict: Verdict) -> Markup {
    let mark = match verdict {
        Verdict::Holds => "✓ holds",
        Verdict::Broken => "✗ broken",
        Verdict::Unknown => "? unknown",
    };
    html! { span class=(format!("badge {verdict}")) { (mark) } }
}

fn table(collection: &Collection, headers: &[Option<Header>]) -> Markup {
    html! {
        table.campaigns {
            thead { tr {
                th scope="col" { "specification" }
                th scope="col" { "scenario" }
                th scope="col" { "verdict" }
                th scope="col" { "bounds" }
                th scope="col" { "runs" }
                th scope="col" { "smallest counterexample" }
            } }
            tbody { @for (number, (entry, header)) in collection.entries.iter().zip(headers).enumerate() {
                tr class=[(collection.result == Some(number as u32)).then_some("result")] { (row(entry, header)) }
            } }
        }
    }
}

fn row(entry: &Entry, header: &Option<Header>) -> Markup {
    let path = format!("../campaigns/{}/report/index.html", entry.directory);
    let conclusion = header.as_ref().and_then(|header| header.conclusion.as_ref());
    let verdict = verdict(header);
    let smallest = conclusion.and_then(|conclusion| conclusion.counterexamples.first());
    html! {
        td {
            @if conclusion.is_some() { a href=(path) { bdi { (visible(&entry.title)) } } }
            @else { bdi { (visible(&entry.title)) } }
        }
        td { bdi { (visible(entry.scenario.as_deref().unwrap_or(""))) } }
        td.verdict {
            @if conclusion.is_some() { (badge(verdict)) } @else { "not finished" }
            @if is_unexpected(entry, verdict) && conclusion.is_some() {
                span.tag.bad { "expected: " (entry.expected.unwrap_or(verdict)) }
            }
        }
        td { @if let Some(header) = header { (bounds(&header.bounds)) } }
        td.number { @if let Some(conclusion) = conclusion { (conclusion.runs) } }
        td.faults { @if let Some(counterexample) = smallest {
            bdi { @if counterexample.faults.is_empty() { "no fault at all" }
                @else { (visible(&counterexample.faults.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))) } }
        } }
    }
}

fn bounds(bounds: &Bounds) -> String {
    let crashes = match bounds.crashes {
        1 => "1 crash".to_owned(),
        count => format!("{count} crashes"),
    };
    let nodes = text::count(bounds.nodes.len(), "node");
    format!("EOT {}, EFF {}, {crashes}, {nodes}", bounds.eot, bounds.eff)
}
