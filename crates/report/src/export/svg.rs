//! The diagrams as SVG pictures that stand alone: no script, no font, no other file.

use linchpin_record::{Header, Run};
use maud::{Markup, PreEscaped, html};

use crate::layered::{Size, layout};
use crate::lineage::{LineageGraph, LineageKind};
use crate::spacetime::{Arrow, SpaceTime};
use crate::terminal::visible;

const STYLE: &str = "\
text{font:12px 'DejaVu Sans',sans-serif;fill:#1d2330}.faint{fill:#667085}.name{font-size:14px;font-weight:bold}\
.life{stroke:#98a2b3;stroke-width:1.5}.dead{stroke-dasharray:2 5}.event{fill:#fff;stroke:#1d2330;stroke-width:1.5}\
.message{stroke:#667085;stroke-width:1.3;fill:none}.head{fill:#667085}.lost{stroke:#b3261e;stroke-dasharray:5 3}\
.late{stroke:#8a5a00;stroke-dasharray:9 3}.late-head{fill:#8a5a00}.recovery{fill:#dcf2e3;stroke:#14733c;stroke-width:1.5}\
.input{fill:#fff;stroke:#2f5bd0;stroke-width:1.8}.chosen{fill:#2f5bd0}\
.cross{stroke:#b3261e;stroke-width:2.2;fill:none}.bad{fill:#b3261e}.label{font-size:11px;paint-order:stroke;stroke:#fff;stroke-width:4px}\
.box{fill:#fff;stroke:#5b6ccf;stroke-width:1.3}.given{stroke:#98a2b3}.absence{stroke:#98a2b3;stroke-dasharray:2 3}\
.edge{fill:none;stroke:#98a2b3}.mono{font-family:'DejaVu Sans Mono',monospace;font-size:11px}";

const LEFT: f64 = 110.0;
const TOP: f64 = 50.0;
const COLUMN: f64 = 140.0;
const ROW: f64 = 40.0;

fn x(column: usize) -> f64 {
    LEFT + COLUMN * (column as f64 + 0.5)
}

fn y(time: u32) -> f64 {
    TOP + ROW * (f64::from(time) - 0.5)
}

fn picture(width: f64, height: f64, content: &Markup) -> String {
    let drawing = html! {
        svg xmlns="http://www.w3.org/2000/svg" viewBox=(format!("0 0 {width:.0} {height:.0}"))
            width=(format!("{width:.0}")) height=(format!("{height:.0}")) {
            style { (PreEscaped(STYLE)) }
            rect width="100%" height="100%" fill="#fff" {}
            (content)
        }
    };
    format!("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n{}\n", drawing.into_string())
}

/// The space-time diagram of a run.
#[must_use]
pub fn spacetime(header: &Header, run: &Run) -> String {
    let layout = SpaceTime::new(header, run);
    let eot = layout.eot();
    let arrows: Vec<&Arrow> = layout.arrows.iter().collect();
    let labels = labels(&layout, &arrows);
    let content = html! {
        @for time in 1..=eot {
            text.faint x="28" y=(y(time) + 4.0) text-anchor="end" { (time) }
            (outcome(&layout, time))
        }
        (outcome_names(header))
        @for (column, name) in layout.nodes.iter().enumerate() {
            @let end = layout.crashes[column].unwrap_or(eot);
            @let back = layout.recoveries[column].unwrap_or(eot);
            line.life x1=(x(column)) x2=(x(column)) y1=(y(1)) y2=(y(end)) {}
            @if end < eot { line.life.dead x1=(x(column)) x2=(x(column)) y1=(y(end)) y2=(y(back)) {} }
            @if back < eot { line.life x1=(x(column)) x2=(x(column)) y1=(y(back)) y2=(y(eot)) {} }
            text.name x=(x(column)) y="24" text-anchor="middle" { (clip(&visible(name), 15)) }
        }
        @for arrow in &arrows { (message(arrow, eot)) }
        @for column in 0..layout.nodes.len() {
            @for time in 1..=eot {
                @if layout.crashes[column] == Some(time) {
                    path.cross d=(cross(x(column), y(time), 7.0)) { title { (visible(&layout.nodes[column])) " crashes" } }
                } @else if layout.recoveries[column] == Some(time) {
                    circle.recovery cx=(x(column)) cy=(y(time)) r="6" { title { (visible(&layout.nodes[column])) " recovers" } }
                } @else {
                    circle.event cx=(x(column)) cy=(y(time)) r="4.5" {}
                }
            }
        }
        @for input in &layout.inputs {
            @let left = input.column.map_or(LEFT, |column| x(column) - 14.0);
            path class=(if input.chosen { "input chosen" } else { "input" }) d=(format!("M{left:.1} {:.1}l6 6l-6 6l-6 -6Z", y(input.at) - 6.0)) {
                title { "input " (visible(&input.label)) " at time " (input.at) }
            }
        }
        @for (left, top, text, lost) in &labels {
            text class=(if *lost { "label bad" } else { "label faint" }) x=(left) y=(top) text-anchor="middle" { (text) }
        }
    };
    picture(
        LEFT + COLUMN * layout.nodes.len() as f64 + 20.0,
        TOP + ROW * f64::from(eot) + 16.0,
        &content,
    )
}

fn outcome_names(header: &Header) -> Markup {
    let name = |relation: Option<u32>| {
        relation.map(|relation| clip(&visible(crate::text::relation_name(header, relation)), 6))
    };
    html! {
        @if let Some(asked) = name(header.vocabulary.asked) { text.label.faint x="54" y="24" text-anchor="middle" { (asked) } }
        @if let Some(answered) = name(header.vocabulary.answered) { text.label.faint x="88" y="24" text-anchor="middle" { (answered) } }
    }
}

fn outcome(layout: &SpaceTime, time: u32) -> Markup {
    let step = &layout.steps[time as usize - 1];
    html! {
        @if step.asked > 0 { text.faint x="54" y=(y(time) + 4.0) text-anchor="middle" { "✓" } }
        @if step.unanswered > 0 { text.bad x="88" y=(y(time) + 4.0) text-anchor="middle" { "✗" } }
        @else if step.answered > 0 { text.faint x="88" y=(y(time) + 4.0) text-anchor="middle" { "✓" } }
    }
}

/// Start and end of an arrow: where it arrives; a lost message ends on the way.
fn ends(arrow: &Arrow, eot: u32) -> (f64, f64, f64, f64) {
    let (x1, y1) = (arrow.from.map_or(LEFT, x), y(arrow.at));
    // What arrives after the end leaves the picture below.
    let bottom = y(eot) + 0.4 * ROW;
    let (x2, y2) = (x(arrow.to), y(arrow.arrives.unwrap_or(arrow.at + 1)).min(bottom));
    let part = if arrow.lost_to.is_some() { 0.62 } else { 1.0 - 6.5 / (x2 - x1).hypot(y2 - y1) };
    (x1, y1, x1 + (x2 - x1) * part, y1 + (y2 - y1) * part)
}

fn message(arrow: &Arrow, eot: u32) -> Markup {
    let (x1, y1, x2, y2) = ends(arrow, eot);
    let class = match (&arrow.lost_to, arrow.is_late()) {
        (Some(_), _) => "message lost",
        (None, true) => "message late",
        (None, false) => "message",
    };
    let length = (x2 - x1).hypot(y2 - y1).max(1.0);
    let (ux, uy) = ((x2 - x1) / length, (y2 - y1) / length);
    html! {
        @if arrow.is_to_itself() {
            path.message stroke-dasharray="2 3" d=(format!("M{:.1} {y1:.1}C{:.1} {y1:.1} {:.1} {y2:.1} {:.1} {y2:.1}", x1 + 4.0, x1 + 26.0, x1 + 26.0, x1 + 6.0)) {}
        } @else {
            path class=(class) d=(format!("M{x1:.1} {y1:.1}L{x2:.1} {y2:.1}")) {}
            @if arrow.lost_to.is_some() {
                path.cross d=(cross(x2, y2, 5.0)) {}
            } @else {
                path class=(if arrow.is_late() { "head late-head" } else { "head" }) d=(format!("M{x2:.1} {y2:.1}L{:.1} {:.1}L{:.1} {:.1}Z",
                    x2 - 8.0 * ux - 3.5 * uy, y2 - 8.0 * uy + 3.5 * ux, x2 - 8.0 * ux + 3.5 * uy, y2 - 8.0 * uy - 3.5 * ux)) {}
            }
        }
    }
}

fn cross(x: f64, y: f64, half: f64) -> String {
    let whole = 2.0 * half;
    format!("M{:.1} {:.1}l{whole} {whole}m0 -{whole}l-{whole} {whole}", x - half, y - half)
}

fn clip(text: &str, max: usize) -> String {
    if text.chars().count() <= max {
        return text.to_owned();
    }
    text.chars().take(max - 1).chain(['…']).collect()
}

type Label = (f64, f64, String, bool);

/// Labels where they cover neither each other nor a node; lost messages first.
fn labels(layout: &SpaceTime, arrows: &[&Arrow]) -> Vec<Label> {
    let mut taken: Vec<[f64; 4]> = Vec::new();
    for column in 0..layout.nodes.len() {
        taken.extend((1..=layout.eot()).map(|time| [x(column) - 8.0, y(time) - 8.0, 16.0, 16.0]));
    }
    let free = |taken: &[[f64; 4]], a: [f64; 4]| {
        taken.iter().all(|b| {
            a[0] >= b[0] + b[2] || b[0] >= a[0] + a[2] || a[1] >= b[1] + b[3] || b[1] >= a[1] + a[3]
        })
    };
    let mut order: Vec<&&Arrow> = arrows.iter().filter(|arrow| !arrow.is_to_itself()).collect();
    order.sort_by_key(|arrow| arrow.lost_to.is_none());
    let mut labels = Vec::new();
    for arrow in order {
        let text = clip(&visible(&arrow.relations.join(", ")), 22);
        let width = text.chars().count() as f64 * 6.8 + 6.0;
        let (x1, y1, x2, y2) = ends(arrow, layout.eot());
        for part in [0.5, 0.35, 0.65, 0.22, 0.78] {
            let (cx, cy) = (x1 + (x2 - x1) * part, y1 + (y2 - y1) * part);
            let space = [cx - width / 2.0, cy - 8.0, width, 15.0];
            if space[0] >= LEFT - 6.0 && free(&taken, space) {
                taken.push(space);
                labels.push((cx, cy + 3.5, text, arrow.lost_to.is_some()));
                break;
            }
        }
    }
    labels
}

/// A lineage: what holds above what it follows from.
#[must_use]
pub fn lineage(graph: &LineageGraph) -> String {
    let texts: Vec<String> = graph
        .nodes
        .iter()
        .map(|node| {
            let (first, last) = node.times;
            let label = clip(&visible(&node.label), 60);
            match node.kind {
                LineageKind::Way => String::new(),
                LineageKind::Absence => label,
                _ if first == last => format!("{label} @{last}"),
                _ => format!("{label} @{first}–{last}"),
            }
        })
        .collect();
    let sizes: Vec<Size> = texts
        .iter()
        .map(|text| match text.chars().count() {
            0 => Size { width: 14.0, height: 14.0 },
            count => Size { width: count as f64 * 6.9 + 16.0, height: 26.0 },
        })
        .collect();
    let placed = layout(&sizes, &graph.edges);
    let margin = 16.0;
    let at = |node: usize| (placed.centres[node].0 + margin, placed.centres[node].1 + margin);
    let content = html! {
        @for &(from, to) in &graph.edges {
            @let ((x1, y1), (x2, y2)) = (at(from), at(to));
            @let (y1, y2) = (y1 + sizes[from].height / 2.0, y2 - sizes[to].height / 2.0);
            @let bend = (y2 - y1) / 2.0;
            path.edge d=(format!("M{x1:.1} {y1:.1}C{x1:.1} {:.1} {x2:.1} {:.1} {x2:.1} {y2:.1}", y1 + bend, y2 - bend)) {}
        }
        @for (index, node) in graph.nodes.iter().enumerate() {
            @let (cx, cy) = at(index);
            @match node.kind {
                LineageKind::Way => { circle.event cx=(format!("{cx:.1}")) cy=(format!("{cy:.1}")) r="5" { title { (visible(&node.label)) } } }
                kind => {
                    rect class=(match kind { LineageKind::Fact => "box", LineageKind::Given => "box given", _ => "box absence" })
                        x=(format!("{:.1}", cx - sizes[index].width / 2.0)) y=(format!("{:.1}", cy - 13.0))
                        width=(format!("{:.1}", sizes[index].width)) height="26" rx="5" {}
                    text.mono x=(format!("{cx:.1}")) y=(format!("{:.1}", cy + 4.0)) text-anchor="middle" { (texts[index]) }
                }
            }
        }
    };
    picture(placed.width + 2.0 * margin, placed.height + 2.0 * margin, &content)
}
