//! Our specifications against the published run counts of lineage-driven fault injection (Alvaro
//! et al., SIGMOD 2015, Figures 12 and 13): at the same bounds, the same verdict in no more runs.
//!
//! `UPDATE_DOCS=1 cargo test --release --test paper` writes the table in `docs/paper.md` (with the
//! random baseline averaged over 25 seeds, which takes a while); the test checks the rest of it.

use std::path::{Path, PathBuf};

use linchpin_dedalus::compile_files;
use linchpin_dedalus::load::FileSystem;
use linchpin_model::{Bounds, Invariant, Verdict};
use linchpin_search::{Options, Report, Strategy, search};
use linchpin_simulator::Specification;

/// A row of the paper's tables, and our text of the protocol.
struct Row {
    protocol: &'static str,
    file: &'static str,
    /// EOT, EFF, crashes.
    bounds: (u32, u32, u32),
    verdict: Verdict,
    runs: u64,
    /// Mean runs of random fault injection, for those that break.
    random: Option<f64>,
}

#[rustfmt::skip]
const ROWS: [Row; 11] = [
    Row { protocol: "simple broadcast", file: "broadcast/simple.ded", bounds: (4, 2, 0), verdict: Verdict::Broken, runs: 2, random: Some(4.08) },
    Row { protocol: "retrying broadcast", file: "broadcast/retry.ded", bounds: (4, 2, 1), verdict: Verdict::Broken, runs: 3, random: Some(75.24) },
    Row { protocol: "classic broadcast", file: "broadcast/classic.ded", bounds: (5, 3, 0), verdict: Verdict::Broken, runs: 5, random: Some(116.16) },
    Row { protocol: "two-phase commit", file: "commit/two_phase.ded", bounds: (5, 0, 1), verdict: Verdict::Broken, runs: 2, random: Some(5.48) },
    Row { protocol: "... cooperative termination", file: "commit/two_phase_termination.ded", bounds: (8, 0, 1), verdict: Verdict::Broken, runs: 3, random: Some(8.56) },
    Row { protocol: "three-phase commit", file: "commit/three_phase.ded", bounds: (9, 7, 1), verdict: Verdict::Broken, runs: 55, random: Some(40.6) },
    Row { protocol: "Kafka replication", file: "replication/kafka.ded", bounds: (6, 4, 1), verdict: Verdict::Broken, runs: 38, random: Some(1183.12) },
    Row { protocol: "redundant broadcast", file: "broadcast/redundant.ded", bounds: (11, 10, 1), verdict: Verdict::Holds, runs: 11, random: None },
    Row { protocol: "acknowledged broadcast", file: "broadcast/acknowledged.ded", bounds: (8, 7, 1), verdict: Verdict::Holds, runs: 673, random: None },
    Row { protocol: "Paxos synod", file: "consensus/paxos.ded", bounds: (7, 6, 1), verdict: Verdict::Holds, runs: 173, random: None },
    Row { protocol: "Flux", file: "dataflow/flux.ded", bounds: (22, 21, 1), verdict: Verdict::Holds, runs: 187, random: None },
];

const RANDOM_SEEDS: u64 = 25;
const RANDOM_RUNS_MAX: u64 = 20_000;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the workspace")
}

fn run(row: &Row, options: Options) -> Report {
    let file = root().join("specs").join(row.file);
    let compilation = compile_files(&[file], &[], &FileSystem, &Default::default());
    let nodes = compilation.front_matter.scenarios[0].nodes.clone().expect("nodes are declared");
    let (eot, eff, crashes) = row.bounds;
    let bounds = Bounds { eot, eff, crashes, nodes };
    let program = compilation.program.expect("the specification compiles");
    let mut system = Specification::new(&program, &bounds, Invariant::Implication)
        .expect("the specification has an invariant");
    search(&mut system, options, &mut ()).expect("every run has an outcome")
}

fn table() -> String {
    let random_wanted = std::env::var_os("UPDATE_DOCS").is_some();
    let mut text = String::from(
        "| protocol | EOT, EFF, crashes | verdict | lineage: runs | published | random: mean runs | published |\n\
         |---|---|---|---|---|---|---|\n",
    );
    for row in &ROWS {
        let lineage = run(row, Options { strategy: Strategy::Lineage, ..Options::default() });
        assert_eq!(lineage.verdict, row.verdict, "{}", row.protocol);
        assert!(lineage.runs <= row.runs, "{}: {} runs", row.protocol, lineage.runs);
        let random = match row.random {
            Some(_) if random_wanted => {
                let total: u64 = (0..RANDOM_SEEDS)
                    .map(|seed| {
                        let options = Options {
                            strategy: Strategy::Random,
                            runs_max: Some(RANDOM_RUNS_MAX),
                            seed,
                            ..Options::default()
                        };
                        run(row, options).runs_until_bad.unwrap_or(RANDOM_RUNS_MAX)
                    })
                    .sum();
                format!("{:.2}", total as f64 / RANDOM_SEEDS as f64)
            }
            Some(_) => "?".to_owned(),
            None => "-".to_owned(),
        };
        let (eot, eff, crashes) = row.bounds;
        let published = row.random.map_or("-".to_owned(), |mean| mean.to_string());
        text.push_str(&format!(
            "| {} | {eot}, {eff}, {crashes} | {} | {} | {} | {random} | {published} |\n",
            row.protocol, row.verdict, lineage.runs, row.runs
        ));
    }
    text
}

/// The table without the column of random means.
fn without_random(table: &str) -> Vec<String> {
    let column = 5;
    table
        .lines()
        .filter(|line| line.starts_with('|'))
        .map(|line| {
            let cells: Vec<&str> = line.trim_matches('|').split('|').collect();
            let kept = cells.iter().enumerate().filter(|(index, _)| *index != column);
            kept.map(|(_, cell)| cell.trim()).collect::<Vec<&str>>().join("|")
        })
        .collect()
}

#[test]
fn no_more_runs_than_published() {
    let page = root().join("docs/paper.md");
    let table = table();
    let text = std::fs::read_to_string(&page).expect("docs/paper.md is there");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        let start = text.find("| protocol").expect("the page has the table");
        let end = start + text[start..].find("\n\n").map_or(text.len() - start, |end| end + 1);
        let fresh = format!("{}{table}{}", &text[..start], &text[end..]);
        std::fs::write(&page, fresh).expect("written");
    } else {
        assert_eq!(
            without_random(&table),
            without_random(&text),
            "docs/paper.md is out of date; run UPDATE_DOCS=1 cargo test --release --test paper"
        );
    }
}
