//! What the tests share.

use std::path::{Path, PathBuf};

use linchpin_dedalus::front_matter::{
    CrashModel as NamedModel, Expectation, Invariant as Named, Scenario,
};
use linchpin_dedalus::hir::Program;
use linchpin_dedalus::load::FileSystem;
use linchpin_dedalus::source::SourceMap;
use linchpin_dedalus::{CompileOptions, compile_files, infer_nodes};
use linchpin_model::{Bounds, CrashModel, FaultSet, Invariant};

/// A program within bounds.
pub(crate) struct Question {
    pub(crate) name: String,
    pub(crate) path: PathBuf,
    pub(crate) program: Program,
    pub(crate) sources: SourceMap,
    pub(crate) bounds: Bounds,
    pub(crate) invariant: Invariant,
    pub(crate) holds: Option<bool>,
}

fn question(
    path: &Path,
    program: &Program,
    sources: &SourceMap,
    scenario: &Scenario,
) -> Option<Question> {
    let nodes = scenario.nodes.clone().unwrap_or_else(|| infer_nodes(program));
    Some(Question {
        name: format!("{} {}", path.display(), scenario.name.as_deref().unwrap_or_default()),
        path: path.to_owned(),
        program: program.clone(),
        sources: sources.clone(),
        bounds: Bounds {
            eot: scenario.eot?,
            eff: scenario.eff.unwrap_or(0),
            crashes: scenario.crashes.unwrap_or(0),
            nodes,
            max_delay: scenario.max_delay.unwrap_or(0),
            recoveries: scenario.recoveries.unwrap_or(0),
            durable: scenario.durable.clone().unwrap_or_default(),
            crash_model: match scenario.crash_model {
                Some(NamedModel::Stop) => CrashModel::Stop,
                Some(NamedModel::Silent) | None => CrashModel::Silent,
            },
            inputs: linchpin_simulator::inputs(program),
        },
        invariant: match scenario.invariant {
            Some(Named::Baseline) => Invariant::Baseline,
            Some(Named::Good) => Invariant::Good,
            Some(Named::Implication) | None => Invariant::Implication,
        },
        holds: scenario.expect.map(|expect| expect == Expectation::Holds),
    })
}

/// Every scenario of every program below a folder of the repository.
pub(crate) fn questions(folder: &str) -> Vec<Question> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut questions = Vec::new();
    let mut folders = vec![root.join(folder)];
    while let Some(folder) = folders.pop() {
        let entries = std::fs::read_dir(&folder).expect("the folder is there");
        let mut paths: Vec<PathBuf> =
            entries.map(|entry| entry.expect("readable").path()).collect();
        paths.sort();
        for path in paths {
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "ded") {
                let compilation = compile_files(
                    std::slice::from_ref(&path),
                    &[],
                    &FileSystem,
                    &CompileOptions::default(),
                );
                let Some(program) = compilation.program else { continue };
                let scenarios = &compilation.front_matter.scenarios;
                let found = scenarios
                    .iter()
                    .filter_map(|s| question(&path, &program, &compilation.sources, s));
                questions.extend(found);
            }
        }
    }
    assert!(!questions.is_empty(), "{folder} holds programs");
    questions
}

/// Every fault set within the bounds.
pub(crate) fn fault_sets(bounds: &Bounds) -> Vec<FaultSet> {
    let mut sets = vec![FaultSet::none()];
    for fault in bounds.faults() {
        let larger: Vec<FaultSet> = sets
            .iter()
            .map(|set| set.iter().cloned().chain([fault.clone()]).collect::<FaultSet>())
            .filter(|set| bounds.allow(set))
            .collect();
        sets.extend(larger);
    }
    assert_eq!(bounds.fault_space(), sets.len().into());
    sets
}
