//! Programs that once told two evaluations apart, each with what was wrong; and programs written to be
//! hard: each with what is hard about it.
//!
//! A file says in its front matter which verdict is expected within its bounds; one that expects
//! none must fail.

use std::path::{Path, PathBuf};

use linchpin_dedalus::front_matter::{
    CrashModel as GivenModel, Expectation, Invariant as Given, Scenario,
};
use linchpin_model::{Bounds, CrashModel, Invariant, Verdict};

use crate::compare::{Kind, compare};
use crate::random::Random;

fn files() -> Vec<PathBuf> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus");
    let entries = std::fs::read_dir(&directory).expect("the corpus is there");
    let mut files: Vec<PathBuf> =
        entries.map(|entry| entry.expect("the corpus can be read").path()).collect();
    files.sort();
    assert!(!files.is_empty(), "{} is empty", directory.display());
    files
}

pub(crate) fn bounds(scenario: &Scenario) -> Option<Bounds> {
    let Scenario { eot, eff, crashes, nodes, max_delay, recoveries, durable, .. } =
        scenario.clone();
    Some(Bounds {
        eot: eot?,
        eff: eff?,
        crashes: crashes?,
        nodes: nodes?,
        max_delay: max_delay.unwrap_or(0),
        recoveries: recoveries.unwrap_or(0),
        durable: durable.unwrap_or_default(),
        crash_model: match scenario.crash_model {
            Some(GivenModel::Stop) => CrashModel::Stop,
            Some(GivenModel::Silent) | None => CrashModel::Silent,
        },
        inputs: Vec::new(),
    })
}

pub(crate) fn invariant(scenario: &Scenario) -> Invariant {
    match scenario.invariant {
        Some(Given::Implication) | None => Invariant::Implication,
        Some(Given::Baseline) => Invariant::Baseline,
        Some(Given::Good) => Invariant::Good,
    }
}

/// What is wrong with a file now.
fn replay(text: &str) -> Result<(), String> {
    let compilation = linchpin_dedalus::compile_text("corpus.ded", text);
    let [scenario] = &compilation.front_matter.scenarios[..] else {
        return Err("a file of the corpus has one scenario".into());
    };
    let bounds = bounds(scenario).ok_or("give eot, eff, crashes and nodes")?;
    bounds.check().map_err(|errors| format!("{errors:?}"))?;
    if scenario.reason.is_none() {
        return Err(
            "say in `reason` what the file once told apart, or what is hard about it".into()
        );
    }
    for seed in 0..8 {
        let findings = compare(text, &bounds, invariant(scenario), &mut Random::new(seed))?;
        let agrees = match (&findings.kind, scenario.expect) {
            (Kind::Erroneous, None) => true,
            (Kind::Judged { verdict, .. }, Some(expect)) => {
                (*verdict == Verdict::Broken) == (expect == Expectation::Broken)
            }
            _ => false,
        };
        if !agrees {
            return Err(format!("expected {:?}, found {:?}", scenario.expect, findings.kind));
        }
    }
    Ok(())
}

#[test]
fn corpus_agrees() {
    let mut wrong = Vec::new();
    for file in files() {
        let text = std::fs::read_to_string(&file).expect("the corpus can be read");
        if let Err(problem) = replay(&text) {
            wrong.push(format!("{}: {problem}", file.display()));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}
