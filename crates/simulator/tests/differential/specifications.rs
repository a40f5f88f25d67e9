//! The specifications of the library: the simulator, the ground program and the oracle agree about
//! some runs of each, and so do the searches where bounds are small.

use std::path::{Path, PathBuf};

use linchpin_dedalus::load::FileSystem;
use linchpin_dedalus::{CompileOptions, compile_files};

use crate::compare::compare_specification;
use crate::corpus::{bounds, invariant};
use crate::random::Random;

fn specifications(directory: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(directory).expect("the library is there") {
        let path = entry.expect("the library can be read").path();
        if path.is_dir() {
            specifications(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "ded") {
            found.push(path);
        }
    }
    found.sort();
}

#[test]
fn specifications_agree() {
    let mut files = Vec::new();
    specifications(&Path::new(env!("CARGO_MANIFEST_DIR")).join("../../specs"), &mut files);
    let mut compared = 0;
    for file in files {
        let options = CompileOptions::default();
        let compilation = compile_files(std::slice::from_ref(&file), &[], &FileSystem, &options);
        // A file that only others include has no scenario, or is no program by itself.
        let Some(program) = &compilation.program else { continue };
        for (index, scenario) in compilation.front_matter.scenarios.iter().enumerate() {
            let Some(bounds) = bounds(scenario) else { continue };
            compared += 1;
            let random = &mut Random::new(index as u64);
            let result = compare_specification(program, &bounds, invariant(scenario), random);
            if let Err(disagreement) = result {
                panic!("{} {:?}: {disagreement}", file.display(), scenario.name);
            }
        }
    }
    assert!(compared >= 20, "only {compared} scenarios have bounds");
}
