//! Going on with a recorded search: same answer, same bytes, or a refusal that says why.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

const ACKNOWLEDGED: [&str; 4] =
    ["check", "specs/broadcast/acknowledged.ded", "--scenario", "paper"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn linchpin_in(folder: &Path, arguments: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_linchpin"));
    command.current_dir(folder).env_remove("COLUMNS").args(arguments);
    command.output().expect("linchpin starts")
}

fn linchpin(arguments: &[&str]) -> Output {
    linchpin_in(&root(), arguments)
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).expect("UTF-8")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("UTF-8")
}

/// Every file below a folder with its content.
fn tree(folder: &Path) -> BTreeMap<PathBuf, Vec<u8>> {
    let mut files = BTreeMap::new();
    let mut open = vec![folder.to_owned()];
    while let Some(next) = open.pop() {
        for entry in fs::read_dir(&next).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                open.push(path);
            } else {
                let name = path.strip_prefix(folder).expect("it is below").to_owned();
                files.insert(name, fs::read(&path).expect("a file"));
            }
        }
    }
    files
}

#[track_caller]
fn assert_same(one: &Path, other: &Path) {
    let (one, other) = (tree(one), tree(other));
    assert_eq!(one.keys().collect::<Vec<_>>(), other.keys().collect::<Vec<_>>());
    for (name, content) in &one {
        assert!(content == &other[name], "{} differs", name.display());
    }
}

/// What a kill after so many runs leaves of a finished campaign.
fn cut(campaign: &Path, runs: usize, torn: &str) {
    let path = campaign.join("runs.jsonl");
    let lines = fs::read_to_string(&path).expect("runs");
    let kept: String = lines.split_inclusive('\n').take(runs).collect();
    fs::write(&path, kept + torn).expect("written");
    for folder in ["runs", "report"] {
        fs::remove_dir_all(campaign.join(folder)).expect("it was there");
    }
    let path = campaign.join("campaign.json");
    let header = fs::read_to_string(&path).expect("a header");
    let (begin, _) = header.split_once(",\"conclusion\":").expect("it has ended");
    fs::write(&path, format!("{begin},\"conclusion\":null}}\n")).expect("written");
}

#[test]
fn a_search_cut_off_anywhere_goes_on_to_the_same_bytes() {
    let broken = ["check", "specs/broadcast/classic.ded", "--scenario", "losses", "--all"];
    for (question, strategy) in [
        (&ACKNOWLEDGED[..], "lineage"),
        (&broken[..], "lineage"),
        (&broken[..], "symbolic"),
        (&broken[..], "exhaustive"),
        (&broken[..], "random"),
    ] {
        let parent = tempfile::tempdir().expect("a folder");
        let whole = parent.path().join("whole");
        let mut arguments = question.to_vec();
        arguments.extend(["--strategy", strategy, "--max-runs", "60", "--seed", "5"]);
        arguments.extend(["--out", text(&whole)]);
        let first = linchpin(&arguments);
        let answer = String::from_utf8_lossy(&first.stdout).replace(text(&whole), "OUT");
        let runs = fs::read_to_string(whole.join("runs.jsonl")).expect("runs").lines().count();
        for (count, torn) in [(0, ""), (1, "{\"run\":1,\"fau"), (runs / 2, ""), (runs - 1, "\n")] {
            let resumed = parent.path().join(format!("cut-at-{count}"));
            for (name, content) in tree(&whole) {
                let path = resumed.join(name);
                fs::create_dir_all(path.parent().expect("a folder")).expect("created");
                fs::write(path, content).expect("written");
            }
            cut(&resumed, count, torn);
            let output = linchpin(&["check", "--resume", text(&resumed)]);
            assert_eq!(output.status.code(), first.status.code(), "{}", stderr(&output));
            let again = String::from_utf8_lossy(&output.stdout).replace(text(&resumed), "OUT");
            assert_eq!(again, answer);
            assert_same(&whole, &resumed);
        }
    }
}

#[test]
fn limits_may_be_given_anew_and_the_rest_repeated() {
    let parent = tempfile::tempdir().expect("a folder");
    let [one, two] = ["one", "two"].map(|name| parent.path().join(name));
    let arguments = [&ACKNOWLEDGED[..], &["--strategy", "exhaustive"]].concat();
    let begin = |runs: &str, out: &Path| {
        linchpin(&[&arguments[..], &["--max-runs", runs, "--out", text(out)]].concat())
    };
    assert_eq!(begin("40", &one).status.code(), Some(3));
    assert_eq!(begin("90", &two).status.code(), Some(3));
    // Without a limit given, the recorded one still holds.
    assert_eq!(linchpin(&["check", "--resume", text(&one)]).status.code(), Some(3));
    assert_eq!(fs::read_to_string(one.join("runs.jsonl")).expect("runs").lines().count(), 40);
    let more = [&arguments[..], &["--resume", text(&one), "--max-runs", "90"]].concat();
    assert_eq!(linchpin(&more).status.code(), Some(3));
    assert_same(&one, &two);
}

#[test]
fn another_question_is_refused_and_nothing_is_touched() {
    let parent = tempfile::tempdir().expect("a folder");
    let folder = parent.path();
    for name in ["simple.ded", "delivery.ded"] {
        fs::copy(root().join("specs/broadcast").join(name), folder.join(name)).expect("copied");
    }
    let begin = ["check", "simple.ded", "--scenario", "losses", "--out", "out"];
    assert_eq!(linchpin_in(folder, &begin).status.code(), Some(1));
    let before = tree(&folder.join("out"));
    let refused = |more: &[&str], words: &[&str]| {
        let output = linchpin_in(folder, &[&["check", "--resume", "out"], more].concat());
        let said = stderr(&output);
        assert_eq!(output.status.code(), Some(2), "{said}");
        assert!(output.stdout.is_empty());
        for word in words {
            assert!(said.contains(word), "`{word}` should be said:\n{said}");
        }
        assert!(before == tree(&folder.join("out")), "something was touched");
    };
    refused(&["--eot", "5"], &["EOT: 4 is recorded, now it is 5", "start anew with --out"]);
    refused(&["--nodes", "a,b"], &["nodes: a, b, c is recorded, now it is a, b"]);
    refused(&["--crash-model", "stop"], &["what a crash does: silences is recorded"]);
    refused(&["--invariant", "good"], &["never derives `good`"]);
    refused(&["--invariant", "baseline"], &["the invariant: implication is recorded"]);
    refused(&["--strategy", "random"], &["now it is random"]);
    refused(&["--all"], &["--all: not given is recorded, now it is given"]);
    refused(&["--scenario", "crashes-only"], &["crashes: 0 is recorded, now it is 1"]);
    refused(&["--out", "elsewhere"], &["cannot be used with"]);
    fs::copy(folder.join("simple.ded"), folder.join("other.ded")).expect("copied");
    refused(
        &["other.ded"],
        &["simple.ded is recorded, but no longer part of it", "other.ded is new"],
    );
    let included = folder.join("delivery.ded");
    let text = fs::read_to_string(&included).expect("it was copied");
    fs::write(&included, format!("// A remark.\n{text}")).expect("written");
    refused(&[], &["delivery.ded has changed from line 1 on (SHA-256 "]);
    fs::write(&included, "nonsense").expect("written");
    refused(&[], &["delivery.ded"]);
    fs::write(&included, text).expect("written");
    assert_eq!(linchpin_in(folder, &["check", "--resume", "out"]).status.code(), Some(1));
    assert!(before == tree(&folder.join("out")));
    let nowhere = linchpin_in(folder, &["check", "--resume", "nowhere"]);
    assert_eq!(nowhere.status.code(), Some(2));
    assert!(stderr(&nowhere).contains("there is no directory `nowhere`"), "{nowhere:?}");
    let neither = linchpin_in(folder, &["check"]);
    assert_eq!(neither.status.code(), Some(2));
    assert!(stderr(&neither).contains("--resume"), "{neither:?}");
}

#[test]
fn a_record_that_is_not_true_is_refused() {
    let parent = tempfile::tempdir().expect("a folder");
    let out = parent.path().join("out");
    let question = ["check", "specs/broadcast/classic.ded", "--scenario", "losses", "--all"];
    linchpin(&[&question[..], &["--strategy", "lineage", "--out", text(&out)]].concat());
    let path = out.join("runs.jsonl");
    let lines = fs::read_to_string(&path).expect("runs");
    let refused = |lines: String, word: &str| {
        fs::write(&path, lines).expect("written");
        let output = linchpin(&["check", "--resume", text(&out)]);
        assert_eq!(output.status.code(), Some(2));
        assert!(stderr(&output).contains(word), "{}", stderr(&output));
    };
    refused(lines.replace("\"outcome\":\"bad\"", "\"outcome\":\"good\""), "is recorded as good");
    refused(lines.replacen("\"at\":1", "\"at\":2", 1), "takes another course");
    refused(lines.replacen("\"from\":\"a\"", "\"from\":\"z\"", 1), "beyond the bounds");
}

#[test]
fn a_folder_is_recorded_campaign_by_campaign_and_goes_on() {
    let parent = tempfile::tempdir().expect("a folder");
    let [whole, resumed] = ["whole", "resumed"].map(|name| parent.path().join(name));
    for out in [&whole, &resumed] {
        let output = linchpin(&["check", "specs/broadcast", "--out", text(out)]);
        assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    }
    assert_same(&whole, &resumed);
    let campaigns = resumed.join("campaigns");
    let mut names: Vec<PathBuf> = fs::read_dir(&campaigns)
        .expect("campaigns")
        .map(|entry| entry.expect("one").path())
        .collect();
    names.sort();
    assert_eq!(names.len(), 12);
    let index = fs::read_to_string(whole.join("report/index.html")).expect("a page");
    for name in &names {
        let name = name.file_name().expect("a name").to_string_lossy();
        assert!(
            index.contains(&format!("href=\"../campaigns/{name}/report/index.html\"")),
            "{name}"
        );
    }
    // As if killed in the third campaign: some are whole, one is not, the rest has not begun.
    cut(&names[2], 1, "");
    for name in &names[3..] {
        fs::remove_dir_all(name).expect("it was there");
    }
    fs::remove_dir_all(resumed.join("report")).expect("it was there");
    let report = linchpin(&["report", text(&resumed)]);
    assert_eq!(report.status.code(), Some(0), "{}", stderr(&report));
    let index = fs::read_to_string(resumed.join("report/index.html")).expect("a page");
    assert_eq!(index.matches("not finished").count(), 10, "{index}");
    let output = linchpin(&["check", "--resume", text(&resumed)]);
    assert_eq!(output.status.code(), Some(0), "{}", stderr(&output));
    assert_same(&whole, &resumed);
    let junit = linchpin(&["report", text(&whole), "--format", "junit"]);
    let junit = String::from_utf8(junit.stdout).expect("UTF-8");
    assert!(junit.contains("tests=\"12\" failures=\"0\" errors=\"0\""), "{junit}");
    let one = linchpin(&["report", text(&whole), "--format", "svg"]);
    assert_eq!(one.status.code(), Some(2));
    assert!(stderr(&one).contains(text(&whole.join("campaigns"))), "{one:?}");
}

#[test]
fn a_sweep_is_recorded_bounds_by_bounds_and_goes_on() {
    let parent = tempfile::tempdir().expect("a folder");
    let folder = parent.path();
    for name in ["simple.ded", "delivery.ded"] {
        let text = fs::read_to_string(root().join("specs/broadcast").join(name)).expect("a file");
        let bare: String =
            text.lines().filter(|l| !l.starts_with("//!")).map(|l| format!("{l}\n")).collect();
        fs::write(folder.join(name), bare).expect("written");
    }
    let sweep = |out: &str| {
        let question = ["check", "simple.ded", "--nodes", "a,b,c", "--crashes", "1"];
        linchpin_in(folder, &[&question[..], &["--timeout", "10m", "--out", out]].concat())
    };
    let first = sweep("whole");
    assert_eq!(first.status.code(), Some(1), "{}", stderr(&first));
    sweep("resumed");
    assert_same(&folder.join("whole"), &folder.join("resumed"));
    let one = folder.join("resumed/campaigns/simple-eot=3-eff=2-crashes=1");
    cut(&one, 1, "");
    let output = linchpin_in(folder, &["check", "--resume", "resumed"]);
    let said = String::from_utf8_lossy(&output.stdout).replace("resumed/", "whole/");
    assert_eq!(said, String::from_utf8_lossy(&first.stdout));
    assert_same(&folder.join("whole"), &folder.join("resumed"));
    // What shows one campaign shows the one that answers the sweep.
    let told = linchpin_in(folder, &["report", "whole", "--format", "human"]);
    let told = String::from_utf8(told.stdout).expect("UTF-8");
    assert!(told.contains("--eot 3 --nodes a,b,c --fault 'omit a->b @1'"), "{told}");
}
