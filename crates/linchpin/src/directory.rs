//! Checking many programs, each within the bounds of its own front matter.

use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use linchpin_record::{Campaign, CollectionKind};
use linchpin_report::export::junit::CaseResult;
use linchpin_report::export::{junit, sarif};

use crate::args::{CheckArguments, Color, Format};
use crate::check::{Answer, answer, to_json};
use crate::collecting::{Collecting, Place};
use crate::control::Interrupt;
use crate::exit::Exit;
use crate::input::{Found, Input, Question};
use crate::output::{outln, to_stdout};

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

/// A question as a test case, which passes iff the verdict is as expected.
fn case(input: &Input, answer: &Answer, fine: bool) -> junit::Case {
    let mut case = junit::Case::new(&answer.campaign);
    case.class = input.name();
    if let Some(scenario) = &answer.question.scenario {
        case.name = format!("{scenario}: {}", case.name);
    }
    case.seconds = Some(answer.elapsed.as_secs_f64());
    if fine {
        case.result = CaseResult::Passed;
    } else if case.result == CaseResult::Passed {
        let expected = answer.question.expect.map_or_else(String::new, |each| each.to_string());
        let message = format!("expected {expected}, but it {}", answer.report.verdict);
        case.result = CaseResult::Failed { text: message.clone(), message };
    }
    case
}

/// Checks every scenario of every input; 0 iff each is as expected.
pub(crate) fn check_scenarios(
    inputs: &[Input],
    arguments: &CheckArguments,
    interrupt: &Interrupt,
) -> anyhow::Result<Exit> {
    let mut collecting = Collecting::open(arguments, CollectionKind::Each)?;
    let (mut results, mut cases, mut campaigns) = (Vec::new(), Vec::new(), Vec::new());
    let (mut checked, mut unexpected) = (0, 0);
    for input in inputs {
        for question in Question::all(input, &arguments.bounds)? {
            let mut place = collecting.as_mut().map_or(Place::Nowhere, Place::Among);
            let answer = match answer(input, &question, arguments, interrupt, &mut place)? {
                Ok(answer) => answer,
                Err(exit) => return Ok(exit),
            };
            if answer.exit(true) == Exit::Interrupted {
                if let Some(collecting) = &collecting {
                    collecting.write_index()?;
                }
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
                Format::Junit => cases.push(case(input, &answer, fine)),
                Format::Sarif => campaigns.push(answer.campaign),
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
    if let Some(collecting) = &mut collecting {
        collecting.complete(None)?;
    }
    match arguments.format {
        Format::Json => outln!("[{}]", results.join(",\n")),
        Format::Junit => {
            to_stdout(format_args!("{}", junit::render("linchpin check", &cases)));
        }
        Format::Sarif => {
            let campaigns: Vec<&Campaign> = campaigns.iter().collect();
            to_stdout(format_args!("{}", sarif::render(&campaigns)));
        }
        Format::Human => {
            outln!("{checked} checked, {unexpected} not as expected");
            if let Some(directory) = &arguments.out {
                outln!("report: {}", directory.join("report/index.html").display());
            }
        }
    }
    Ok(if unexpected == 0 { Exit::Holds } else { Exit::Broken })
}
