//! How many runs it saves to keep all the reasons seen for an outcome, rather than one.

use std::path::{Path, PathBuf};

use linchpin_dedalus::front_matter::Scenario;
use linchpin_dedalus::load::FileSystem;
use linchpin_dedalus::{CompileOptions, compile_files};
use linchpin_formula::Reasons;
use linchpin_model::{Bounds, Invariant};
use linchpin_search::{Options, Strategy, search};
use linchpin_simulator::Specification;

/// A search is given up after so many runs.
const RUNS_MAX: u64 = 3_000;

pub(crate) fn specifications(folder: &Path, files: &mut Vec<PathBuf>) -> Result<(), String> {
    let entries = std::fs::read_dir(folder).map_err(|error| format!("{folder:?}: {error}"))?;
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            specifications(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "ded") {
            files.push(path);
        }
    }
    Ok(())
}

/// Runs of a search for all minimal counterexamples; `None` if there would be too many.
fn runs(file: &Path, scenario: &Scenario, reasons: Reasons) -> Result<Option<u64>, String> {
    let files = [file.to_path_buf()];
    let compilation = compile_files(&files, &[], &FileSystem, &CompileOptions::default());
    let program = compilation.program.ok_or_else(|| format!("{file:?} does not compile"))?;
    let bounds = Bounds {
        eot: scenario.eot.unwrap_or(1),
        eff: scenario.eff.unwrap_or(0),
        crashes: scenario.crashes.unwrap_or(0),
        nodes: scenario.nodes.clone().unwrap_or_default(),
        max_delay: scenario.max_delay.unwrap_or(0),
        ..Bounds::default()
    };
    let mut system = Specification::new(&program, &bounds, Invariant::Implication)
        .map_err(|error| error.to_string())?
        .with_reasons(reasons);
    let options = Options {
        strategy: Strategy::Lineage,
        all: true,
        runs_max: Some(RUNS_MAX),
        ..Options::default()
    };
    let report = search(&mut system, options, &mut ()).map_err(|error| format!("{error:?}"))?;
    Ok(report.complete.then_some(report.runs))
}

/// Prints a table in Markdown.
pub(crate) fn command() -> Result<(), String> {
    let mut files = Vec::new();
    specifications(Path::new("specs"), &mut files)?;
    println!("| specification | EOT, EFF, crashes | all | shortest | first |");
    println!("|---|---|---:|---:|---:|");
    let choices = [Reasons::All, Reasons::Shortest, Reasons::First];
    // By choice: all runs of the searches that end with each.
    let mut sums = [0; 3];
    for file in files {
        let list = std::slice::from_ref(&file);
        let read = compile_files(list, &[], &FileSystem, &CompileOptions::default());
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        for scenario in &read.front_matter.scenarios {
            // Bounds as published only.
            if scenario.recoveries.is_some() || scenario.crash_model.is_some() {
                continue;
            }
            let mut counts = [None; 3];
            for (count, reasons) in counts.iter_mut().zip(choices) {
                *count = runs(&file, scenario, reasons)?;
            }
            if let [Some(all), Some(shortest), Some(first)] = counts {
                for (sum, count) in sums.iter_mut().zip([all, shortest, first]) {
                    *sum += count;
                }
            }
            let [all, shortest, first] = counts.map(|count| {
                count.map_or_else(|| format!("> {RUNS_MAX}"), |count| count.to_string())
            });
            println!(
                "| {name} {} | {}, {}, {} | {all} | {shortest} | {first} |",
                scenario.name.as_deref().unwrap_or(""),
                scenario.eot.unwrap_or(0),
                scenario.eff.unwrap_or(0),
                scenario.crashes.unwrap_or(0),
            );
        }
    }
    println!("\nTogether, where all three end: {}, {} and {} runs.", sums[0], sums[1], sums[2]);
    Ok(())
}
