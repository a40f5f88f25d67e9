//! The scaling study: how the cost of an answer grows with the bounds.

use std::fmt::Write;
use std::path::Path;
use std::process::Command;

use crate::plot::{Series, draw};
use crate::point::Point;

/// An axis is followed until an answer takes this long: no longer interactive.
const TOTAL_MS_MAX: f64 = 2_000.0;

/// A specification and where its axes begin.
struct Subject {
    name: &'static str,
    file: &'static str,
    nodes: &'static str,
    eot: u32,
    eff: u32,
    crashes: u32,
    /// Nodes of which there may be more, as far as the rules do not count them.
    followers: Option<&'static str>,
}

const SUBJECTS: [Subject; 4] = [
    Subject {
        name: "broadcast",
        file: "specs/broadcast/acknowledged.ded",
        nodes: "a,b,c",
        eot: 8,
        eff: 7,
        crashes: 1,
        followers: Some("b,c"),
    },
    Subject {
        name: "commit",
        file: "specs/commit/three_phase.ded",
        nodes: "a,b,d,C",
        eot: 9,
        eff: 7,
        crashes: 1,
        followers: Some("a,b,d"),
    },
    Subject {
        name: "kafka",
        file: "specs/replication/kafka.ded",
        nodes: "a,b,c,C,Z",
        eot: 7,
        eff: 4,
        crashes: 1,
        followers: None,
    },
    Subject {
        name: "paxos",
        file: "specs/consensus/paxos.ded",
        nodes: "a,b,c",
        eot: 7,
        eff: 6,
        crashes: 1,
        followers: None,
    },
];

/// The axes, and the last value tried on each.
const AXES: [(&str, u32); 4] = [("EOT", 40), ("EFF", 24), ("crashes", 5), ("nodes", 9)];

/// A quantity that is plotted: name, unit, file, and where a point has it.
type Quantity = (&'static str, &'static str, &'static str, fn(&Point) -> f64);

const QUANTITIES: [Quantity; 4] = [
    ("Runs", "runs", "runs", |point| point.runs),
    ("Solver", "ms", "solver", |point| point.solver),
    ("Evaluation (grounding and runs)", "ms", "evaluation", |point| point.evaluation),
    ("Memory", "MiB", "memory", |point| point.memory),
];

/// Measures in a process of its own, so that memory is that of this answer alone.
fn point(subject: &Subject, axis: &str, value: u32) -> Result<Option<Point>, String> {
    let (mut eot, mut eff, mut crashes) = (subject.eot, subject.eff, subject.crashes);
    let mut nodes = subject.nodes.to_owned();
    match axis {
        // The last losses keep their distance from the end.
        "EOT" => (eot, eff) = (value, eff.min(value)),
        "EFF" => (eot, eff) = (value + (eot - eff), value),
        "crashes" => crashes = value,
        _ => {
            let Some(followers) = subject.followers else { return Ok(None) };
            let more = value as usize - nodes.split(',').count();
            let names: Vec<String> = (1..=more).map(|index| format!("n{index}")).collect();
            nodes = format!("{nodes}:{followers}+{}", names.join(","));
        }
    }
    let program = std::env::current_exe().map_err(|error| error.to_string())?;
    let output = Command::new(program)
        .args(["point", subject.file])
        .args([eot, eff, crashes].map(|number| number.to_string()))
        .arg(nodes)
        .output()
        .map_err(|error| error.to_string())?;
    let text = String::from_utf8_lossy(&output.stdout);
    let fields: Vec<&str> = text.split_whitespace().collect();
    let [verdict, numbers @ ..] = &fields[..] else {
        return Err(String::from_utf8_lossy(&output.stderr).into_owned());
    };
    let numbers: Vec<f64> = numbers.iter().filter_map(|number| number.parse().ok()).collect();
    let [runs, total, evaluation, solver, memory, formula] = numbers[..] else {
        return Err(format!("cannot read `{text}`"));
    };
    let verdict = (*verdict).to_owned();
    Ok(Some(Point { verdict, runs, total, evaluation, solver, memory, formula }))
}

fn begin(subject: &Subject, axis: &str) -> u32 {
    match axis {
        "EOT" => subject.eff.max(4),
        "EFF" => 1,
        "crashes" => 0,
        _ => subject.nodes.split(',').count() as u32,
    }
}

/// Writes `docs/scaling.md` and `docs/scaling/*.svg`.
pub(crate) fn command() -> Result<(), String> {
    let folder = Path::new("docs/scaling");
    std::fs::create_dir_all(folder).map_err(|error| error.to_string())?;
    let mut text = String::from(include_str!("scaling_head.md"));
    for (axis, last) in AXES {
        let mut lines: Vec<(&Subject, Vec<(u32, Point)>)> = Vec::new();
        for subject in &SUBJECTS {
            let mut points = Vec::new();
            let last = match axis {
                "crashes" => last.min(subject.nodes.split(',').count() as u32),
                _ => last,
            };
            for value in begin(subject, axis)..=last {
                let Some(point) = point(subject, axis, value)? else { break };
                eprintln!("{} {axis} {value}: {:.0} ms", subject.name, point.total);
                let too_long = point.total > TOTAL_MS_MAX;
                points.push((value, point));
                if too_long {
                    break;
                }
            }
            if !points.is_empty() {
                lines.push((subject, points));
            }
        }
        let _ = writeln!(text, "\n## {axis}\n");
        for (title, unit, name, quantity) in QUANTITIES {
            let series: Vec<Series> = lines
                .iter()
                .map(|(subject, points)| {
                    let points = points.iter().map(|(at, point)| (f64::from(*at), quantity(point)));
                    (subject.name.to_owned(), points.collect())
                })
                .collect();
            let file = format!("{}-{name}.svg", axis.to_lowercase());
            let svg = draw(&format!("{title} against {axis}"), axis, unit, &series);
            std::fs::write(folder.join(&file), svg).map_err(|error| error.to_string())?;
            let _ = writeln!(text, "![{title} against {axis}](scaling/{file})");
        }
        let _ = writeln!(
            text,
            "\n| specification | {axis} | verdict | runs | total, ms | solver, ms | evaluation, ms \
             | memory, MiB | formula, nodes |\n|---|---:|---|---:|---:|---:|---:|---:|---:|"
        );
        for (subject, points) in &lines {
            let step = points.len().div_ceil(5).max(1);
            let shown = points
                .iter()
                .enumerate()
                .filter(|(index, _)| index % step == 0 || index + 1 == points.len());
            for (_, (at, point)) in shown {
                let Point { verdict, runs, total, evaluation, solver, memory, formula } = point;
                let _ = writeln!(
                    text,
                    "| {} | {at} | {verdict} | {runs} | {total:.1} | {solver:.1} | {evaluation:.1} \
                     | {memory:.1} | {formula} |",
                    subject.name
                );
            }
        }
    }
    std::fs::write("docs/scaling.md", text).map_err(|error| error.to_string())
}
