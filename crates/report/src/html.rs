//! The report as one HTML file: no server, no network, no other file.
//!
//! What must be read without scripts (verdict, bounds, the stories, the specification) is written
//! by `page`; the list of runs, diagrams, lineage and tables are drawn in the browser from
//! embedded `data`, so that a thousand runs stay small. A content security policy forbids
//! everything but the page's own script and style, by their digests. All text reaches the page as
//! text: maud escapes it here, and the script never writes markup.

mod data;
mod index;
mod page;
pub(crate) mod policy;
mod sections;

use linchpin_record::Campaign;

pub use index::index;

/// At most so many runs are embedded in full, with tables and lineage.
pub(crate) const RUNS_FULL_MAX: usize = 40;

const SCRIPTS: [&str; 7] = [
    include_str!("html/assets/base.js"),
    include_str!("html/assets/spacetime.js"),
    include_str!("html/assets/layout.js"),
    include_str!("html/assets/lineage.js"),
    include_str!("html/assets/tables.js"),
    include_str!("html/assets/app.js"),
    include_str!("html/assets/views.js"),
];

const STYLE: &str = include_str!("html/assets/report.css");

/// The whole report.
#[must_use]
pub fn render(campaign: &Campaign) -> String {
    render_with(campaign, None)
}

/// The whole report, which shows a certain run first and holds it in full if it is kept so.
#[must_use]
pub fn render_with(campaign: &Campaign, open: Option<u64>) -> String {
    let script = format!("\"use strict\";\n{}", SCRIPTS.concat());
    let policy = policy::policy(&script, STYLE);
    let data = data::embed(campaign, open);
    page::page(campaign, &page::Parts { policy, script, style: STYLE, data }).into_string()
}
