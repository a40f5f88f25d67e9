//! Runs per second and time to verdict for every scenario of `specs/`, as a Markdown table.
//!
//! `cargo bench -p linchpin --bench specs` prints it; `docs/benchmarks.md` keeps one. Times are
//! medians of [`REPETITIONS`], within one process, from the text in memory to the verdict (compile,
//! plan, run, ground, solve). Machines differ: compare rows of one table, or two tables of one machine.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use linchpin_dedalus::front_matter::Scenario;
use linchpin_dedalus::load::FileSystem;
use linchpin_dedalus::{CompileOptions, compile_files};
use linchpin_formula::Variable;
use linchpin_model::{Bounds, Invariant};
use linchpin_search::{Options, Report, Strategy, System, search};
use linchpin_simulator::Specification;

const REPETITIONS: usize = 5;

/// Runs are counted for about this long.
const COUNTING: Duration = Duration::from_millis(100);

fn specifications(folder: &Path, files: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(folder).expect("a folder");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.expect("readable").path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            specifications(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "ded") {
            files.push(path);
        }
    }
}

fn specification(file: &Path, scenario: &Scenario) -> Specification {
    let files = [file.to_path_buf()];
    let compilation = compile_files(&files, &[], &FileSystem, &CompileOptions::default());
    let program = compilation.program.expect("the specification compiles");
    let bounds = Bounds {
        eot: scenario.eot.expect("bounds are given"),
        eff: scenario.eff.unwrap_or(0),
        crashes: scenario.crashes.unwrap_or(0),
        nodes: scenario.nodes.clone().expect("nodes are given"),
        ..Bounds::default()
    };
    Specification::new(&program, &bounds, Invariant::Implication).expect("pre and post are there")
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

fn verdict(file: &Path, scenario: &Scenario, strategy: Strategy) -> (Report, Duration) {
    let mut times = Vec::new();
    let mut last = None;
    for _ in 0..REPETITIONS {
        let started = Instant::now();
        let mut system = specification(file, scenario);
        let options = Options { strategy, ..Options::default() };
        last = Some(search(&mut system, options, &mut ()).expect("every run has an outcome"));
        times.push(started.elapsed());
    }
    (last.expect("repeated at least once"), median(times))
}

/// Runs under each single fault in turn, supports included.
fn runs_per_second(file: &Path, scenario: &Scenario) -> f64 {
    let mut system = specification(file, scenario);
    system.run(&[]).expect("an outcome");
    let faults = system.space().fault_count() as u32;
    let started = Instant::now();
    let mut runs = 0u32;
    while started.elapsed() < COUNTING {
        let set: Vec<Variable> =
            (faults > 0).then(|| Variable(runs % faults)).into_iter().collect();
        system.run(&set).expect("an outcome");
        runs += 1;
    }
    f64::from(runs) / started.elapsed().as_secs_f64()
}

fn main() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../specs");
    let mut files = Vec::new();
    specifications(&root, &mut files);
    println!(
        "| specification | EOT, EFF, crashes | verdict | runs/s | lineage: runs | lineage: ms | symbolic: ms |"
    );
    println!("|---|---|---|---:|---:|---:|---:|");
    for file in files {
        let read = compile_files(
            std::slice::from_ref(&file),
            &[],
            &FileSystem,
            &CompileOptions::default(),
        );
        for scenario in read.front_matter.scenarios {
            let extended = scenario.max_delay.is_some()
                || scenario.recoveries.is_some()
                || scenario.crash_model.is_some();
            if extended {
                continue;
            }
            let (lineage, lineage_time) = verdict(&file, &scenario, Strategy::Lineage);
            let (_, symbolic_time) = verdict(&file, &scenario, Strategy::Symbolic);
            let name = file.strip_prefix(&root).unwrap_or(&file).display().to_string();
            println!(
                "| {name} {} | {}, {}, {} | {} | {:.0} | {} | {:.2} | {:.2} |",
                scenario.name.as_deref().unwrap_or(""),
                scenario.eot.unwrap_or(0),
                scenario.eff.unwrap_or(0),
                scenario.crashes.unwrap_or(0),
                lineage.verdict,
                runs_per_second(&file, &scenario),
                lineage.runs,
                lineage_time.as_secs_f64() * 1e3,
                symbolic_time.as_secs_f64() * 1e3,
            );
        }
    }
}
