//! Runs per second and time to verdict, per specification.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use linchpin_dedalus::load::FileSystem;
use linchpin_dedalus::{CompileOptions, compile_files, infer_nodes};
use linchpin_formula::Variable;
use linchpin_model::{Bounds, Invariant};
use linchpin_search::{Options, Strategy, System, search};
use linchpin_simulator::Specification;

/// How long the runs of one specification are counted.
const RUNS_TIME: Duration = Duration::from_millis(200);

/// Of so many times to verdict the median is taken.
const REPEATS: usize = 15;

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

/// Prints a table in Markdown.
pub(crate) fn command() -> Result<(), String> {
    let mut files = Vec::new();
    specifications(Path::new("specs"), &mut files)?;
    println!("| specification | bounds | verdict | runs per second | time to verdict, ms |");
    println!("|---|---|---|---:|---:|");
    for file in files {
        let compilation = compile_files(
            std::slice::from_ref(&file),
            &[],
            &FileSystem,
            &CompileOptions::default(),
        );
        let Some(program) = compilation.program else { continue };
        for scenario in compilation.front_matter.scenarios {
            let Some(eot) = scenario.eot else { continue };
            let bounds = Bounds {
                eot,
                eff: scenario.eff.unwrap_or(0),
                crashes: scenario.crashes.unwrap_or(0),
                nodes: scenario.nodes.clone().unwrap_or_else(|| infer_nodes(&program)),
                ..Bounds::default()
            };
            let new = || Specification::new(&program, &bounds, Invariant::Implication);
            let mut times = Vec::new();
            let mut verdict = String::new();
            for _ in 0..REPEATS {
                let started = Instant::now();
                let mut system = new().map_err(|error| error.to_string())?;
                let options = Options { strategy: Strategy::Auto, ..Options::default() };
                let report = search(&mut system, options, &mut ())
                    .map_err(|error| format!("{}: {error:?}", file.display()))?;
                times.push(started.elapsed());
                verdict = report.verdict.to_string();
            }
            times.sort();
            println!(
                "| {} {} | {}, {}, {} | {verdict} | {:.0} | {:.2} |",
                file.file_stem().unwrap_or_default().display(),
                scenario.name.as_deref().unwrap_or(""),
                bounds.eot,
                bounds.eff,
                bounds.crashes,
                runs_per_second(&mut new().map_err(|error| error.to_string())?),
                times[REPEATS / 2].as_secs_f64() * 1000.0,
            );
        }
    }
    Ok(())
}

/// Runs with one fault each, in turn.
fn runs_per_second(system: &mut Specification) -> f64 {
    let faults = system.space().fault_count() as u32;
    let started = Instant::now();
    let mut runs = 0u32;
    while started.elapsed() < RUNS_TIME {
        let _ = system.outcome(&[Variable(runs % faults.max(1))]);
        runs += 1;
    }
    f64::from(runs) / started.elapsed().as_secs_f64()
}
