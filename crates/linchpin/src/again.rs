//! A recorded run once more, in full, from the record alone.

use std::path::PathBuf;

use anyhow::{anyhow, bail};
use linchpin_dedalus::load::Memory;
use linchpin_dedalus::{CompileOptions, compile_files};
use linchpin_model::Bounds;
use linchpin_record::{Header, Run, RunSummary};
use linchpin_simulator::Specification;

/// The specification as it stands in the record.
pub(crate) fn specification(header: &Header) -> anyhow::Result<Specification> {
    let mut memory = Memory::new();
    for file in &header.files {
        memory = memory.with(&file.path, file.text.as_bytes());
    }
    let paths = |names: &[String]| names.iter().map(PathBuf::from).collect::<Vec<_>>();
    let compilation = compile_files(
        &paths(&header.inputs),
        &paths(&header.include_dirs),
        &memory,
        &CompileOptions::default(),
    );
    let another = || {
        anyhow!(
            "no run can be made again: the record was written by {}, for which the specification \
             meant something else",
            header.tool
        )
    };
    let program = compilation.program.ok_or_else(another)?;
    let bounds = Bounds::from(&header.bounds);
    let system = Specification::new(&program, &bounds, header.invariant)?;
    if linchpin_recorder::vocabulary(&system, &compilation.sources) != header.vocabulary {
        return Err(another());
    }
    Ok(system)
}

/// Runs the specification as it stands in the record.
pub(crate) fn run_again(header: &Header, summary: &RunSummary) -> anyhow::Result<Run> {
    let number = summary.run;
    let mut system = specification(header)?;
    let execution = system.execute(&summary.faults)?;
    if execution.outcome != summary.outcome {
        bail!(
            "run {number} is recorded as {}, but made again it is {}",
            summary.outcome,
            execution.outcome
        );
    }
    Ok(linchpin_recorder::run(number, &execution))
}
