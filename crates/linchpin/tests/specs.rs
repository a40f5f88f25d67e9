//! Every scenario of every specification in `specs/`, by every complete strategy.
//!
//! One trial per file, scenario and strategy: the verdict is the one the file expects, the
//! strategies agree on every minimal counterexample, and each counterexample, run again by
//! `linchpin run`, is bad.

use std::path::{Path, PathBuf};
use std::process::Command;

use libtest_mimic::{Arguments, Failed, Trial};
use linchpin_dedalus::load::FileSystem;
use linchpin_dedalus::{CompileOptions, compile_files};
use linchpin_model::Fault;
use serde_json::Value;

/// Fault spaces up to this size are also enumerated.
const EXHAUSTIVE_MAX: u64 = 20_000;

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().expect("the workspace")
}

fn specifications(folder: &Path, files: &mut Vec<PathBuf>) {
    let entries = std::fs::read_dir(folder).expect("specs/ is there");
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

fn check(file: &Path, scenario: &str, strategy: &str, flags: &[&str]) -> Result<Value, Failed> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_linchpin"));
    command.arg("check").arg(file);
    if !scenario.is_empty() {
        command.args(["--scenario", scenario]);
    }
    command.args(["--strategy", strategy, "--all", "--format", "json", "--quiet"]);
    command.args(flags);
    let output = command.output()?;
    let text = String::from_utf8(output.stdout)?;
    serde_json::from_str(&text)
        .map_err(|_| format!("no JSON: {}", String::from_utf8_lossy(&output.stderr)).into())
}

fn counterexamples(answer: &Value) -> Vec<String> {
    let list = answer["counterexamples"].as_array().expect("a list");
    let mut texts: Vec<String> = list.iter().map(ToString::to_string).collect();
    texts.sort();
    texts
}

/// A fault as `linchpin run` takes it.
fn argument(fault: &Value) -> String {
    let fault: Fault = serde_json::from_value(fault.clone()).expect("a fault");
    fault.to_string()
}

fn is_bad(file: &Path, scenario: &str, faults: &Value) -> Result<(), Failed> {
    let mut command = Command::new(env!("CARGO_BIN_EXE_linchpin"));
    command.arg("run").arg(file);
    if !scenario.is_empty() {
        command.args(["--scenario", scenario]);
    }
    for fault in faults.as_array().expect("a list") {
        command.args(["--fault", &argument(fault)]);
    }
    let status = command.output()?.status;
    if status.code() == Some(1) { Ok(()) } else { Err(format!("not bad: {faults}").into()) }
}

fn scenario(file: &Path, name: &str, expected: &str) -> Result<(), Failed> {
    let lineage = check(file, name, "lineage", &[])?;
    if lineage["verdict"] != expected {
        return Err(format!("lineage: {} instead of {expected}", lineage["verdict"]).into());
    }
    if lineage["counterexamples_complete"] != true {
        return Err("lineage: not complete".into());
    }
    let all = counterexamples(&lineage);
    // Likelihood and symmetry change the order and the number of runs, and nothing else.
    let mut others: Vec<(&str, &[&str])> = vec![
        ("symbolic", &[]),
        ("auto", &["--symmetry"]),
        ("lineage", &["--symmetry"]),
        ("auto", &["--prior", "crash=0.3"]),
        ("lineage", &["--prior", "crash=0.3", "--symmetry"]),
    ];
    let space = lineage["fault_space"]["exact"].to_string();
    if space.parse::<u64>().is_ok_and(|size| size <= EXHAUSTIVE_MAX) {
        others.push(("exhaustive", &["--threads", "1"]));
        others.push(("exhaustive", &["--symmetry"]));
        let [one, three] = ["1", "3"].map(|threads| {
            check(file, name, "exhaustive", &["--threads", threads]).map(|mut answer| {
                answer["elapsed_ms"] = Value::Null;
                answer.to_string()
            })
        });
        if one? != three? {
            return Err("the number of threads shows".into());
        }
    }
    for (strategy, flags) in others {
        let other = check(file, name, strategy, flags)?;
        if other["verdict"] != expected || counterexamples(&other) != all {
            return Err(format!(
                "{strategy} {} disagrees with lineage: {other}\n{lineage}",
                flags.join(" ")
            )
            .into());
        }
    }
    for counterexample in lineage["counterexamples"].as_array().expect("a list").iter().take(5) {
        is_bad(file, name, &counterexample["faults"])?;
    }
    Ok(())
}

fn main() {
    let arguments = Arguments::from_args();
    let root = root();
    let mut files = Vec::new();
    specifications(&root.join("specs"), &mut files);
    let mut trials = Vec::new();
    for file in files {
        let compilation = compile_files(
            std::slice::from_ref(&file),
            &[],
            &FileSystem,
            &CompileOptions::default(),
        );
        for described in compilation.front_matter.scenarios {
            let name = described.name.unwrap_or_default();
            let short = file.strip_prefix(&root).unwrap_or(&file).display().to_string();
            let (Some(expected), Some(_)) = (described.expect, &described.reason) else {
                let message = "every scenario says what it expects, and why";
                trials.push(Trial::test(format!("{short} {name}"), move || Err(message.into())));
                continue;
            };
            let expected = match expected {
                linchpin_dedalus::front_matter::Expectation::Holds => "holds",
                linchpin_dedalus::front_matter::Expectation::Broken => "broken",
            };
            let file = file.clone();
            trials.push(Trial::test(format!("{short} {name}"), move || {
                scenario(&file, &name, expected)
            }));
        }
    }
    libtest_mimic::run(&arguments, trials).exit();
}
