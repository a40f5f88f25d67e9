//! Recording a search, and what is made of the record.

use std::path::Path;
use std::process::{Command, Output, Stdio};
use std::time::{Duration, Instant};

use linchpin_model::Verdict;
use linchpin_record::{Campaign, Detail, Stopped};

const SIMPLE: &str = "specs/broadcast/simple.ded";

fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_linchpin"));
    command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."));
    command.env_remove("COLUMNS");
    command
}

fn linchpin(arguments: &[&str]) -> Output {
    command().args(arguments).output().expect("linchpin starts")
}

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).expect("UTF-8")
}

/// Checks simple broadcast, every counterexample, into a folder.
fn recorded(directory: &Path) -> Output {
    let out = directory.to_str().expect("UTF-8");
    linchpin(&["check", SIMPLE, "--scenario", "losses", "--all", "--out", out])
}

#[test]
fn a_search_is_recorded_and_reported() {
    let parent = tempfile::tempdir().expect("a folder");
    let directory = parent.path().join("out");
    let output = recorded(&directory);
    assert_eq!(output.status.code(), Some(1));
    let index = directory.join("report/index.html");
    assert!(stdout(&output).contains(&format!("report: {}", index.display())));
    let campaign = Campaign::load(&directory).expect("a campaign");
    let conclusion = campaign.header.conclusion.as_ref().expect("it has ended");
    assert_eq!((conclusion.verdict, conclusion.counterexamples.len()), (Verdict::Broken, 2));
    assert_eq!(campaign.runs.len() as u64, conclusion.runs);
    assert_eq!(campaign.kept.len(), campaign.runs.len());
    let first = std::fs::read_to_string(&index).expect("a report");
    std::fs::remove_file(&index).expect("it was there");
    let out = directory.to_str().expect("UTF-8");
    assert_eq!(stdout(&linchpin(&["report", out])).trim(), index.display().to_string());
    assert_eq!(std::fs::read_to_string(&index).expect("a report"), first);
}

#[test]
fn the_same_search_is_recorded_in_the_same_bytes() {
    let parent = tempfile::tempdir().expect("a folder");
    let [one, two] = ["one", "two"].map(|name| parent.path().join(name));
    recorded(&one);
    recorded(&two);
    recorded(&two);
    for name in ["campaign.json", "runs.jsonl", "runs/0.json", "report/index.html"] {
        let read = |directory: &Path| std::fs::read(directory.join(name)).expect("a file");
        assert!(read(&one) == read(&two), "{name}");
    }
}

#[test]
fn a_record_is_shown_in_every_format() {
    let parent = tempfile::tempdir().expect("a folder");
    recorded(parent.path());
    let out = parent.path().to_str().expect("UTF-8");
    for (format, expected) in [
        ("human", "What happened"),
        ("junit", "<failure type=\"broken\""),
        ("sarif", "\"version\": \"2.1.0\""),
        ("dot", "digraph run"),
        ("svg", "<svg"),
        ("shiviz", "(LOST)"),
    ] {
        let output = linchpin(&["report", out, "--format", format]);
        assert_eq!(output.status.code(), Some(0), "{format}");
        assert!(stdout(&output).contains(expected), "{format}: {}", stdout(&output));
    }
    for format in ["dot", "svg"] {
        let output = linchpin(&["report", out, "--format", format, "--lineage", "--run", "0"]);
        assert!(stdout(&output).contains("announce"), "{format}: {}", stdout(&output));
    }
    let output = linchpin(&["report", out, "--format", "svg", "--run", "99"]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("there is no run 99"));
}

#[test]
fn check_prints_junit_and_sarif() {
    let output = linchpin(&["check", "specs/broadcast", "--format", "junit"]);
    assert_eq!(output.status.code(), Some(0));
    let text = stdout(&output);
    assert!(text.contains("failures=\"0\" errors=\"0\"") && text.contains("<testcase"), "{text}");
    let output = linchpin(&["check", SIMPLE, "--scenario", "losses", "--format", "sarif"]);
    assert_eq!(output.status.code(), Some(1));
    let log: serde_json::Value = serde_json::from_str(&stdout(&output)).expect("JSON");
    assert_eq!(log["runs"][0]["results"][0]["ruleId"], "invariant-broken");
}

#[test]
fn foreign_folders_are_refused() {
    let parent = tempfile::tempdir().expect("a folder");
    std::fs::write(parent.path().join("thesis.tex"), "years of work").expect("written");
    let output = recorded(parent.path());
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("is no campaign directory"));
    let out = parent.path().to_str().expect("UTF-8");
    let output = linchpin(&["check", "specs/broadcast", "--out", out]);
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("is no campaign directory"));
    let output = linchpin(&["report", "specs"]);
    assert_eq!(output.status.code(), Some(2));
}

/// Ctrl-C in a search that would take long: a valid record, a report, exit code 130, and progress
/// was shown on the way.
#[test]
fn an_interrupted_search_leaves_a_report() {
    let parent = tempfile::tempdir().expect("a folder");
    let out = parent.path().join("out");
    let arguments = ["check", "specs/broadcast/acknowledged.ded", "--scenario", "paper"];
    let mut child = command()
        .args(arguments)
        .args(["--strategy", "exhaustive", "--out"])
        .arg(&out)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("linchpin starts");
    let deadline = Instant::now() + Duration::from_secs(60);
    let lines = || std::fs::read(out.join("runs.jsonl")).map_or(0, |runs| runs.len());
    while lines() < 20_000 && Instant::now() < deadline {
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(1200));
    assert!(child.try_wait().expect("a state").is_none(), "the search is not that short");
    let killed = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(killed.expect("kill").success());
    let output = child.wait_with_output().expect("it ends");
    assert_eq!(output.status.code(), Some(130), "{output:?}");
    let progress = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        progress.contains(" hypotheses of ") && progress.contains(" waiting (all"),
        "{progress}"
    );
    assert!(progress.contains("% of the fault sets, 0 counterexamples, "), "{progress}");
    assert!(progress.contains(" for all\n") && !progress.contains('\u{1b}'), "{progress}");
    let campaign = Campaign::load(&out).expect("a campaign");
    let conclusion = campaign.header.conclusion.expect("it has ended");
    assert_eq!(conclusion.stopped, Some(Stopped::Interrupted));
    assert_eq!(conclusion.verdict, Verdict::Unknown);
    assert!(out.join("report/index.html").is_file());
    let shown = linchpin(&["report", out.to_str().expect("UTF-8"), "--format", "junit"]);
    assert!(stdout(&shown).contains("<error type=\"unknown\""), "{shown:?}");
}

#[test]
fn quiet_is_quiet() {
    let question = ["check", "specs/broadcast/acknowledged.ded", "--scenario", "paper"];
    let long = ["--strategy", "exhaustive", "--timeout", "2s", "--threads", "1"];
    let output = linchpin(&[&question[..], &long, &["--quiet"]].concat());
    assert_eq!(output.status.code(), Some(3));
    assert!(output.stderr.is_empty(), "{output:?}");
}

#[test]
fn completions_and_manual_pages_know_every_subcommand() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let text = stdout(&linchpin(&["completions", shell]));
        assert!(text.contains("crashes") && text.contains("report"), "{shell}");
    }
    let parent = tempfile::tempdir().expect("a folder");
    linchpin(&["man", parent.path().to_str().expect("UTF-8")]);
    for name in ["linchpin", "linchpin-check", "linchpin-run", "linchpin-report"] {
        let page = std::fs::read_to_string(parent.path().join(format!("{name}.1")));
        assert!(page.expect("a page").contains(".TH linchpin"), "{name}");
    }
}

/// The subcommands, as the help lists them.
fn subcommands(help: &str) -> Vec<&str> {
    let lines = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let lines = lines.take_while(|line| !line.is_empty());
    // What a line goes on with is indented further.
    let names = lines.filter(|line| line.starts_with("  ") && !line.starts_with("   "));
    names.filter_map(|line| line.split_whitespace().next()).filter(|name| *name != "help").collect()
}

#[test]
fn help_fits_a_screen_and_every_subcommand_has_an_example() {
    let help = stdout(&linchpin(&["--help"]));
    assert!(help.lines().count() <= 30, "{help}");
    assert!(help.lines().all(|line| line.chars().count() <= 100), "{help}");
    let names = subcommands(&help);
    assert!(names.len() >= 6 && names.contains(&"check"), "{names:?}");
    for name in names {
        let text = stdout(&linchpin(&[name, "--help"]));
        let (_, example) = text.split_once("Example").unwrap_or_else(|| panic!("{name}: {text}"));
        assert!(example.contains(&format!("linchpin {name}")), "{name}: {example}");
    }
}

/// What bash offers for a line, by the script we print.
fn offered(words: &[&str]) -> Vec<String> {
    let script = stdout(&linchpin(&["completions", "bash"]));
    let (last, previous) = (words[words.len() - 1], words[words.len() - 2]);
    let call = format!(
        "{script}\nCOMP_WORDS=({}) COMP_CWORD={}\n_linchpin linchpin '{last}' '{previous}'\n\
         printf '%s\\n' \"${{COMPREPLY[@]}}\"\ncomplete -p linchpin >/dev/null",
        words.join(" "),
        words.len() - 1
    );
    let output = Command::new("bash").args(["--norc", "-c", &call]).output().expect("bash");
    assert!(output.status.success(), "{output:?}");
    stdout(&output).lines().map(str::to_owned).collect()
}

#[test]
fn bash_completes_subcommands_flags_and_values() {
    assert_eq!(offered(&["linchpin", "che"]), ["check"]);
    assert_eq!(offered(&["linchpin", "check", "--res"]), ["--resume"]);
    let strategies = offered(&["linchpin", "check", "--strategy", "''"]);
    assert!(strategies.iter().any(|each| each == "exhaustive"), "{strategies:?}");
}

#[test]
fn manual_pages_are_sound() {
    let parent = tempfile::tempdir().expect("a folder");
    linchpin(&["man", parent.path().to_str().expect("UTF-8")]);
    let mut pages = 0;
    for entry in std::fs::read_dir(parent.path()).expect("a folder") {
        let path = entry.expect("a page").path();
        let text = std::fs::read_to_string(&path).expect("a page");
        for section in [".TH ", ".SH NAME", ".SH SYNOPSIS"] {
            assert!(text.contains(section), "{}: no {section}", path.display());
        }
        pages += 1;
        let Ok(output) = Command::new("groff").args(["-man", "-ww", "-z"]).arg(&path).output()
        else {
            let required = std::env::var("LINCHPIN_REQUIRE_ALL").is_ok_and(|value| value == "1");
            assert!(!required, "cannot be skipped (LINCHPIN_REQUIRE_ALL=1): groff is missing");
            eprintln!("skipped: groff is not installed (scripts/install-tools.sh installs it)");
            continue;
        };
        let complaints = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success() && complaints.is_empty(), "{complaints}");
    }
    let help = stdout(&linchpin(&["--help"]));
    assert!(pages > subcommands(&help).len(), "{pages} pages");
}

/// Any run can be seen in full, from the record alone.
#[test]
fn a_run_that_was_not_kept_is_made_again() {
    let parent = tempfile::tempdir().expect("a folder");
    let out = parent.path().join("out");
    let name = out.to_str().expect("UTF-8");
    let question = ["check", "specs/broadcast/acknowledged.ded", "--scenario", "paper"];
    let strategy = ["--strategy", "exhaustive", "--max-runs", "1010", "--out", name];
    assert_eq!(linchpin(&[&question[..], &strategy].concat()).status.code(), Some(3));
    let before = Campaign::load(&out).expect("a campaign");
    assert!(!before.kept.contains_key(&1005) && before.kept[&5].detail == Detail::Diagram);
    for run in ["5", "1005"] {
        let elsewhere = |arguments: &[&str]| {
            let output = command().current_dir(parent.path()).args(arguments).output();
            output.expect("linchpin starts")
        };
        let told = elsewhere(&["report", name, "--run", run, "--format", "svg", "--lineage"]);
        assert!(stdout(&told).contains("</svg>"), "{told:?}");
        assert_eq!(elsewhere(&["report", name, "--run", run]).status.code(), Some(0));
        let campaign = Campaign::load(&out).expect("a campaign");
        let kept = &campaign.kept[&run.parse().expect("a number")];
        assert_eq!(kept.detail, Detail::Full);
        assert!(!kept.derivations.is_empty());
        let page = std::fs::read_to_string(out.join("report/index.html")).expect("a page");
        assert!(page.contains(&format!("\"open\":{run}")), "run {run} is not shown first");
    }
}
