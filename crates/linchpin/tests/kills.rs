//! The command itself, killed (SIGKILL) at random moments: what it leaves always loads, and goes on
//! to the same bytes.
//!
//! `LINCHPIN_KILLS=100 cargo test -p linchpin --test kills -- --nocapture` makes 100 kills instead
//! of a few; `docs/formats/campaign.md` has what came of it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use linchpin_record::{Campaign, Collection};

const KILLS_DEFAULT: u32 = 6;

/// What is searched: each takes long enough to be killed on the way.
const QUESTIONS: [&[&str]; 6] = [
    &[
        "specs/broadcast/acknowledged.ded",
        "--scenario",
        "paper",
        "--strategy",
        "exhaustive",
        "--max-runs",
        "2500",
    ],
    &[
        "specs/broadcast/acknowledged.ded",
        "--scenario",
        "paper",
        "--strategy",
        "random",
        "--max-runs",
        "2500",
    ],
    &["specs/commit", "--strategy", "lineage", "--all"],
    &["specs/broadcast", "--strategy", "lineage"],
    &[
        "specs/broadcast/classic.ded",
        "--scenario",
        "losses",
        "--all",
        "--strategy",
        "lineage",
        "--eot",
        "7",
        "--eff",
        "5",
    ],
    &[
        "specs/broadcast/classic.ded",
        "--scenario",
        "losses",
        "--all",
        "--strategy",
        "symbolic",
        "--eot",
        "7",
        "--eff",
        "5",
    ],
];

fn command() -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_linchpin"));
    command.current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."));
    command.env_remove("COLUMNS").stdout(Stdio::null()).stderr(Stdio::null());
    command
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

/// Where a kill struck.
fn moment(out: &Path) -> &'static str {
    if !out.exists() {
        return "before there was a directory";
    }
    if Collection::is_in(out) {
        return "in a collection";
    }
    let campaign = Campaign::load(out).expect("it loads");
    match (campaign.header.conclusion, out.join("report").exists(), campaign.torn) {
        (Some(_), true, _) => "after the end",
        (Some(_), false, _) => "while writing the report",
        (None, _, Some(_)) => "in the middle of a line",
        (None, _, None) if out.join("runs").exists() => "while keeping runs",
        (None, _, None) if campaign.runs.is_empty() => "before the first run",
        (None, _, None) => "between runs",
    }
}

fn xorshift(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

#[test]
fn killed_at_any_moment_it_loads_and_goes_on_to_the_same_answer() {
    let kills: u32 = std::env::var("LINCHPIN_KILLS")
        .map_or(KILLS_DEFAULT, |kills| kills.parse().expect("LINCHPIN_KILLS is a number"));
    let parent = tempfile::tempdir().expect("a folder");
    let references: Vec<_> = QUESTIONS
        .iter()
        .enumerate()
        .map(|(index, question)| {
            let out = parent.path().join(format!("whole-{index}"));
            let started = Instant::now();
            let status = command().arg("check").args(*question).arg("--out").arg(&out).status();
            (tree(&out), status.expect("linchpin starts").code(), started.elapsed())
        })
        .collect();
    let mut random = 88_172_645_463_325_252;
    let mut moments: BTreeMap<&str, u32> = BTreeMap::new();
    let mut killed = 0;
    let mut round = 0;
    while killed < kills {
        let question = round as usize % QUESTIONS.len();
        let (reference, code, took) = &references[question];
        let out = parent.path().join(format!("out-{round}"));
        round += 1;
        // Up to three kills in a row, then it may end.
        for attempt in 0..4 {
            let mut check = command();
            check.arg("check");
            if out.exists() {
                check.arg("--resume").arg(&out);
            } else {
                check.args(QUESTIONS[question]).arg("--out").arg(&out);
            }
            let mut child = check.spawn().expect("linchpin starts");
            if attempt < 3 && killed < kills {
                let wait = xorshift(&mut random) % (took.as_micros() as u64).max(1);
                std::thread::sleep(Duration::from_micros(wait));
                if child.try_wait().expect("a state").is_none() {
                    child.kill().expect("it is killed");
                    child.wait().expect("it ends");
                    killed += 1;
                    *moments.entry(moment(&out)).or_default() += 1;
                    if out.exists() {
                        let report = command().arg("report").arg(&out).status();
                        assert_eq!(
                            report.expect("linchpin starts").code(),
                            Some(0),
                            "kill {killed}"
                        );
                    }
                    continue;
                }
            }
            assert_eq!(child.wait().expect("it ends").code(), *code, "after kill {killed}");
            break;
        }
        let found = tree(&out);
        let names = |tree: &BTreeMap<PathBuf, _>| tree.keys().cloned().collect::<Vec<_>>();
        assert_eq!(names(&found), names(reference), "after kill {killed}");
        let differs = found.iter().find(|(name, content)| reference[*name] != **content);
        assert!(differs.is_none(), "{:?} differs after kill {killed}", differs.map(|each| each.0));
        fs::remove_dir_all(&out).expect("it is removed");
    }
    let left: Vec<_> = fs::read_dir(parent.path()).expect("a folder").flatten().collect();
    assert_eq!(left.len(), QUESTIONS.len(), "nothing else is left: {left:?}");
    println!("{killed} kills in {round} searches: {moments:?}");
}
