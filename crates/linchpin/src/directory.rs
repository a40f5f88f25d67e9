//! Checking many programs, each within the bounds of its own front matter.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use crate::args::{CheckArguments, Color, Format};
use crate::check::{answer, to_json};
use crate::control::Interrupt;
use crate::exit::Exit;
use crate::input::{Found, Input, Question};
use crate::output::outln;

/// `check DIR`, `check --each FILE...`.
pub(crate) fn command(
    arguments: &CheckArguments,
    color: Color,
    interrupt: &Interrupt,
) -> anyhow::Result<Exit> {
    let mut files = Vec::new();
    for path in &arguments.program.files {
        if path.is_dir() {
            collect(path, &mut files)?;
        } else {
            files.push(path.clone());
        }
    }
    if files.is_empty() {
        bail!("there is no .ded file below {}", arguments.program.files[0].display());
    }
    let mut inputs = Vec::new();
    let mut unusable = false;
    for file in files {
        match Input::read_found(file, &arguments.program.include_dirs, color) {
            Found::Input(input) => inputs.push(input),
            Found::Part => {}
            Found::Unusable => unusable = true,
        }
    }
    if inputs.is_empty() && !unusable {
        bail!(
            "no specification below {} has front matter to be checked by; \
             begin one with lines such as `//! eot = 6` and `//! expect = \"holds\"`",
            arguments.program.files[0].display()
        );
    }
    let exit = check_scenarios(&inputs, arguments, interrupt)?;
    Ok(if unusable { Exit::Usage } else { exit })
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))?;
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.with_context(|| format!("cannot read {}", folder.display()))?.path());
    }
    paths.sort();
    for path in paths {
        if path.is_dir() {
            collect(&path, files)?;
        } else if path.extension().is_some_and(|extension| extension == "ded") {
            files.push(path);
        }
    }
    Ok(())
}

/// Checks every scenario of every input; 0 iff each is as expected.
pub(crate) fn check_scenarios(
    inputs: &[Input],
    arguments: &CheckArguments,
    interrupt: &Interrupt,
) -> anyhow::Result<Exit> {
    let mut results = Vec::new();
    let (mut checked, mut unexpected) = (0, 0);
    for input in inputs {
        for question in Question::all(input, &arguments.bounds)? {
            let answer = match answer(input, &question, arguments, interrupt)? {
                Ok(answer) => answer,
                Err(exit) => return Ok(exit),
            };
            if answer.exit(true) == Exit::Interrupted {
                return Ok(Exit::Interrupted);
            }
            checked += 1;
            // Without an expectation, "holds" is what one hopes for.
            let fine = answer
                .as_expected(arguments.allow_vacuous)
                .unwrap_or_else(|| answer.exit(arguments.allow_vacuous) == Exit::Holds);
            unexpected += u32::from(!fine);
            match arguments.format {
                Format::Json => results.push(to_json(input, &answer, arguments)),
                Format::Human => {
                    let scenario = answer.question.scenario.as_deref().unwrap_or("");
                    let expected = match (fine, answer.question.expect) {
                        (true, _) => String::new(),
                        (false, Some(expected)) => format!("  expected: {expected}"),
                        (false, None) => "  expected: holds".to_owned(),
                    };
                    let vacuous = if answer.vacuous { " (vacuous)" } else { "" };
                    outln!(
                        "{}  {:7}{vacuous}  {:5} runs  {}  {scenario}{expected}",
                        if fine { "ok  " } else { "FAIL" },
                        answer.report.verdict.to_string(),
                        answer.report.runs,
                        input.name(),
                    );
                }
            }
        }
    }
    match arguments.format {
        Format::Json => outln!("[{}]", results.join(",\n")),
        Format::Human => outln!("{checked} checked, {unexpected} not as expected"),
    }
    Ok(if unexpected == 0 { Exit::Holds } else { Exit::Broken })
}
