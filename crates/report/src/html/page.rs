//! The page around the data.

use linchpin_record::Campaign;
use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::sections;

/// What the page embeds.
pub(super) struct Parts {
    pub(super) policy: String,
    pub(super) script: String,
    pub(super) style: &'static str,
    pub(super) data: String,
}

pub(super) fn page(campaign: &Campaign, parts: &Parts) -> Markup {
    let header = &campaign.header;
    let title = format!("{} – Linchpin", header.inputs.join(", "));
    html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta http-equiv="Content-Security-Policy" content=(parts.policy);
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="referrer" content="no-referrer";
                title { (title) }
                style { (PreEscaped(parts.style)) }
            }
            body {
                header.top {
                    button #theme type="button" title="light or dark" { "◐ theme" }
                    (sections::verdict(campaign))
                }
                main {
                    (sections::stories(campaign))
                    noscript {
                        p.warning { "The runs, diagrams and tables below are drawn by a script, and scripts are turned off." }
                    }
                    div.explorer {
                        (run_list())
                        (run_view())
                    }
                    (sections::source(campaign))
                }
                footer {
                    p {
                        "Keys: " kbd { "j" } " " kbd { "k" } " next and previous run, "
                        kbd { "/" } " filter, " kbd { "1" } "–" kbd { "4" } " views, arrow keys within a diagram. "
                        "Written by " (header.tool) "."
                    }
                }
                script type="application/json" id="data" { (PreEscaped(&parts.data)) }
                script { (PreEscaped(&parts.script)) }
            }
        }
    }
}

fn run_list() -> Markup {
    html! {
        section.card #runs aria-label="Runs" {
            h2 { "Runs " span.count #runs-count {} }
            div.tools {
                input #filter type="search" placeholder="filter: omit a→b, crash, @2 …" aria-label="Filter runs";
                select #outcome aria-label="Outcome" {
                    option value="" { "all outcomes" }
                    @for outcome in ["bad", "good", "vacuous", "inconclusive"] {
                        option value=(outcome) { (outcome) }
                    }
                }
            }
            div.scroll {
                table {
                    thead { tr {
                        @for (key, name) in [("n", "run"), ("o", "outcome"), ("f", "faults")] {
                            th scope="col" data-sort=(key) { button type="button" { (name) } }
                        }
                    } }
                    tbody #runs-body {}
                }
            }
        }
    }
}

fn run_view() -> Markup {
    html! {
        section.card #run aria-label="The open run" {
            h2 #run-title {}
            ul #run-faults {}
            div #tabs role="tablist" aria-label="Views" {}
            div.stage #stage {
                div #view role="tabpanel" {}
                aside #panel aria-live="polite" {}
            }
        }
    }
}
