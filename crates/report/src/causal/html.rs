//! The report of runs of processes as one HTML file: no server, no network, no other file. The
//! summary is readable without scripts; the diagram is drawn in the browser from embedded data.

use linchpin_model::Outcome;
use linchpin_record::{TraceCampaign, TraceRun};
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde::Serialize;

use super::census::Census;
use super::hunted;
use super::identity::RUNGS;
use super::marks::Marks;
use super::{Diagram, conversations};
use crate::html::policy;
use crate::terminal::visible;

const SCRIPTS: [&str; 4] = [
    include_str!("../html/assets/base.js"),
    include_str!("assets/picture.js"),
    include_str!("assets/beside.js"),
    include_str!("assets/causal.js"),
];
const STYLES: [&str; 2] =
    [include_str!("../html/assets/report.css"), include_str!("assets/causal.css")];

/// Runs listed in the table; of more, the last are counted.
const RUNS_LISTED_MAX: usize = 500;

/// A run in detail, as the script reads it.
#[derive(Serialize)]
struct RunData<'a> {
    run: u64,
    lanes: Vec<&'a str>,
    #[serde(rename = "laneOf")]
    lane_of: Vec<usize>,
    /// Node, program, number.
    processes: Vec<(&'a str, &'a str, i32)>,
    /// Process, thread, time, kind, text, causes outside the thread.
    events: Vec<(u32, i32, u64, &'a str, &'a str, Vec<u32>)>,
    shown: Vec<u8>,
    /// Sent, received (or -1), bytes, label, name, content.
    messages: Vec<(u32, i64, u64, Option<&'a str>, &'a str, &'a str)>,
    marks: Marks<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    runs: Vec<RunData<'a>>,
}

/// The whole report. `detailed` are the runs drawn, in the order offered.
#[must_use]
pub fn render(campaign: &TraceCampaign, detailed: &[Diagram<'_>]) -> String {
    let script = format!("\"use strict\";\n{}", SCRIPTS.concat());
    let style = STYLES.concat();
    let data = Data { runs: detailed.iter().map(|diagram| run_data(campaign, diagram)).collect() };
    let data = serde_json::to_string(&data).expect("the data has a JSON form");
    let data =
        data.replace('<', "\\u003c").replace('\u{2028}', "\\u2028").replace('\u{2029}', "\\u2029");
    let header = &campaign.header;
    let title = title(campaign);
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(policy::policy(&script, &style));
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="referrer" content="no-referrer";
                title { (title) " – Linchpin" }
                style { (PreEscaped(&style)) }
            }
            body {
                header.top {
                    button #theme type="button" title="light or dark" { "◐ theme" }
                    h1 { bdi { (title) } }
                    (facts(campaign))
                }
                main {
                    @if let Some(hunt) = &header.hunt { (hunted::section(campaign, hunt, detailed)) }
                    @for diagram in detailed { (summary(campaign, diagram)) }
                    @if !detailed.is_empty() { (explorer(detailed)) }
                    (census(campaign))
                    (runs(campaign))
                    @if let Some(file) = &header.cluster {
                        section.card { h2 { bdi { (visible(&file.path)) } } pre.source { (file.text) } }
                    }
                }
                footer { p { "Written by " (header.tool) "." } }
                script type="application/json" id="data" { (PreEscaped(&data)) }
                script { (PreEscaped(&script)) }
            }
        }
    }
    .into_string()
}

fn title(campaign: &TraceCampaign) -> String {
    let header = &campaign.header;
    match &header.cluster {
        Some(file) => visible(&file.path),
        None => visible(&header.command.join(" ")),
    }
}

fn fact(name: &str, value: &str) -> Markup {
    html! { div { dt { (name) } dd { bdi { (visible(value)) } } } }
}

fn facts(campaign: &TraceCampaign) -> Markup {
    let header = &campaign.header;
    let count = |outcome: Outcome| {
        campaign.runs.iter().filter(|run| run.outcome == outcome).count().to_string()
    };
    html! {
        dl.facts {
            (fact("runs", &campaign.runs.len().to_string()))
            @if header.cluster.is_some() {
                @for outcome in [Outcome::Good, Outcome::Bad, Outcome::Vacuous, Outcome::Inconclusive] {
                    (fact(&outcome.to_string(), &count(outcome)))
                }
                (fact("nodes", &header.nodes.join(", ")))
                (fact("isolation", &header.isolation))
            }
            (fact("kernel", &format!("Linux {} {}", header.kernel, header.machine)))
            @for (program, version) in &header.versions { (fact(program, version)) }
        }
        @if let Some(torn) = &campaign.torn {
            p.warning { "⚠ Line " (torn.line) " of runs.jsonl was cut off when its writer ended, and is left out." }
        }
    }
}

/// Who said what to whom in one run, and what is left unexplained.
fn summary(campaign: &TraceCampaign, diagram: &Diagram<'_>) -> Markup {
    let number = diagram.trace.run;
    let run = campaign.runs.iter().find(|run| run.run == number);
    html! {
        section.card data-run=(number) {
            h2 { "Run " (number) @if let Some(run) = run { " " (outcome(run)) } }
            @if let Some(run) = run {
                @if !run.reason.is_empty() { p { (visible(&run.reason)) } }
                @for fault in &run.faults {
                    p { code { (visible(&fault.fault)) } " "
                        @if fault.fired.is_empty() { span.bad { "never fired" } }
                        @else { "fired at " (visible(&fault.fired.join("; "))) } }
                }
                (counts(run))
            }
            table.kinds {
                thead { tr { th { "from" } th { "to" } th { "over" } th { "message" } th { "times" } th { "bytes" } } }
                tbody {
                    @for kind in conversations(diagram) {
                        tr {
                            td { bdi { (visible(&diagram.lanes[kind.from].name)) } }
                            td { @match kind.to {
                                Some(to) => bdi { (visible(&diagram.lanes[to].name)) },
                                None => span.count { "nobody traced" },
                            } }
                            td { (visible(&kind.link)) }
                            td { code { (visible(kind.label.as_deref().unwrap_or("message"))) } }
                            td.number { (kind.sends) }
                            td.number { (kind.bytes) }
                        }
                    }
                }
            }
        }
    }
}

fn counts(run: &TraceRun) -> Markup {
    let counts = &run.counts;
    html! {
        dl.facts {
            (fact("events", &counts.events.to_string()))
            (fact("processes", &counts.processes.to_string()))
            (fact("messages", &counts.messages.to_string()))
            (fact("bytes received", &counts.bytes.to_string()))
            (fact("bytes unexplained", &counts.unmatched_bytes.to_string()))
            (fact("datagrams unexplained", &counts.unmatched_datagrams.to_string()))
            (fact("stops", &counts.stops.to_string()))
        }
        @for (call, times) in &counts.denied {
            p.warning { "⚠ " (call) " was denied " (times) " times: what it does could not be followed." }
        }
        @for (what, times) in &counts.not_followed {
            p.warning { "⚠ Not followed, " (times) " times: " (visible(what)) }
        }
    }
}

fn outcome(run: &TraceRun) -> Markup {
    html! { span class=(format!("badge {}", run.outcome)) { (run.outcome) } }
}

fn explorer(detailed: &[Diagram<'_>]) -> Markup {
    html! {
        section.card #run aria-label="The open run" {
            div.tools {
                label { "run " select #choice {
                    @for diagram in detailed { option value=(diagram.trace.run) { (diagram.trace.run) } }
                } }
                input #filter type="search" placeholder="filter by text" aria-label="Filter events";
                label { input #all type="checkbox"; " every event" }
                button #previous type="button" { "◀" }
                span.count #pages {}
                button #next type="button" { "▶" }
                span.count { "chosen event: " span.tone-past { "what it knows" } ", " span.tone-future { "what it influences" } }
            }
            noscript { p.warning { "The diagram is drawn by a script, and scripts are turned off." } }
            div.stage {
                div #view {}
                aside #panel aria-live="polite" {}
            }
        }
    }
}

/// How many distinct runs there are at each rung of the identity ladder.
fn census(campaign: &TraceCampaign) -> Markup {
    let census = Census::new(&campaign.runs);
    html! {
        @if census.runs > 1 {
            section.card {
                h2 { "Distinct runs" }
                div.scroll { table.kinds {
                    thead { tr { th { "rung" } th { "distinct" } th { "commonest" } th { "unseen mass (95 %)" } th { "tells apart" } } }
                    tbody { @for (rung, (_, meaning)) in census.rungs.iter().zip(RUNGS) { tr {
                        td { (rung.name) }
                        td.number { (rung.frequencies.len()) }
                        td.number { (rung.frequencies.first().copied().unwrap_or(0)) " ×" }
                        td.number { (format!("{:.3} ({:.3}–{:.3})", rung.unseen.mass, rung.unseen.low, rung.unseen.high)) }
                        td { (meaning) }
                    } } }
                } }
                p.count { "The unseen mass is the probability that the next run is one not seen yet." }
            }
        }
    }
}

fn runs(campaign: &TraceCampaign) -> Markup {
    let listed = &campaign.runs[..campaign.runs.len().min(RUNS_LISTED_MAX)];
    html! {
        @if campaign.runs.len() > 1 {
            section.card {
                h2 { "Runs" }
                div.scroll { table.kinds {
                    thead { tr { th { "run" } th { "outcome" } th { "faults" } th { "messages" } th { "reason" } } }
                    tbody { @for run in listed { tr {
                        td.number { (run.run) }
                        td { (outcome(run)) }
                        td { @for fault in &run.faults {
                            div { code { (visible(&fault.fault)) } @if fault.fired.is_empty() { " (never fired)" } }
                        } }
                        td.number { (run.counts.messages) }
                        td { (visible(&run.reason)) }
                    } } }
                } }
                @if listed.len() < campaign.runs.len() {
                    p.count { "and " (campaign.runs.len() - listed.len()) " more in runs.jsonl" }
                }
            }
        }
    }
}

fn run_data<'a>(campaign: &'a TraceCampaign, diagram: &'a Diagram<'_>) -> RunData<'a> {
    let trace = diagram.trace;
    RunData {
        run: trace.run,
        lanes: diagram.lanes.iter().map(|lane| lane.name.as_str()).collect(),
        lane_of: diagram.lane_of_process.clone(),
        processes: trace
            .processes
            .iter()
            .map(|process| (process.node.as_str(), process.program.as_str(), process.process))
            .collect(),
        events: trace
            .events
            .iter()
            .map(|event| {
                let after = event.after.iter().map(|cause| cause.event).collect();
                let (kind, text) = (event.kind.as_str(), event.text.as_str());
                (event.process, event.thread, event.time_ns, kind, text, after)
            })
            .collect(),
        shown: diagram.shown.iter().map(|shown| u8::from(*shown)).collect(),
        messages: trace
            .messages
            .iter()
            .map(|message| {
                let received = message.received.map_or(-1, i64::from);
                let label = message.label.as_deref();
                let (name, content) = (message.name.as_str(), message.content.as_str());
                (message.sent, received, message.bytes, label, name, content)
            })
            .collect(),
        marks: Marks::of(campaign, diagram),
    }
}
