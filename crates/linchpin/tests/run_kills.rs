//! `linchpin run` of a cluster under faults, killed (SIGKILL) at random moments: no process, socket or
//! network interface outlives it, what it recorded loads, and the next run cleans what it left.
//!
//! `LINCHPIN_KILLS=100 cargo test -p linchpin --test run_kills -- --nocapture` makes 100 kills instead
//! of a few; `docs/formats/cluster.md` has what came of it.

mod processes;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use linchpin_record::TraceCampaign;
use processes::ready;

const KILLS_DEFAULT: u32 = 4;

/// How long the kernel may take to end what is traced by a process that has ended.
const ENDING: Duration = Duration::from_secs(20);

/// A cluster, faults of many kinds, and the exit code of a run that is let be.
const EXPERIMENTS: [(&str, &str, i32); 4] = [
    ("two-phase-commit/cluster-late.toml", "two-phase-commit/late.faults", 1),
    ("primary-backup/cluster-any.toml", "primary-backup/any.faults", 1),
    ("queue/cluster-unsynced.toml", "queue/unsynced.faults", 1),
    ("broadcast/cluster.toml", "broadcast/retry.faults", 0),
];

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).expect("a folder");
    for entry in fs::read_dir(from).expect("a folder") {
        let entry = entry.expect("an entry");
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

/// Processes that run in a folder or name it, but for those that only wait to be reaped.
fn processes(folder: &Path) -> Vec<String> {
    let folder = folder.to_str().expect("UTF-8");
    let mut found = Vec::new();
    for entry in fs::read_dir("/proc").expect("/proc").flatten() {
        let path = entry.path();
        let cwd = fs::read_link(path.join("cwd")).unwrap_or_default();
        let command = fs::read(path.join("cmdline")).unwrap_or_default();
        let command = String::from_utf8_lossy(&command).replace('\0', " ");
        if cwd.starts_with(folder) || command.contains(folder) {
            found.push(format!("{}: {command}", path.display()));
        }
    }
    found
}

/// Names of the machine's network interfaces, and namespaces that a mount keeps alive.
fn network() -> (BTreeSet<String>, usize) {
    let interfaces = fs::read_dir("/sys/class/net").expect("/sys").flatten();
    let mounts = fs::read_to_string("/proc/self/mountinfo").expect("/proc");
    (
        interfaces.map(|each| each.file_name().to_string_lossy().into_owned()).collect(),
        mounts.lines().filter(|line| line.contains(" - nsfs ")).count(),
    )
}

struct Place {
    folder: PathBuf,
}

impl Place {
    /// A run of an experiment, with all its temporary files below the folder.
    fn run(&self, experiment: usize, out: &Path) -> Command {
        let (cluster, faults, _) = EXPERIMENTS[experiment];
        let systems = self.folder.join("systems");
        let mut command = Command::new(env!("CARGO_BIN_EXE_linchpin"));
        command.arg("run").arg(systems.join(cluster)).arg("--faults").arg(systems.join(faults));
        command.arg("--out").arg(out).env("TMPDIR", self.folder.join("tmp"));
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
        command
    }

    fn temporary(&self) -> Vec<PathBuf> {
        let entries = fs::read_dir(self.folder.join("tmp")).expect("a folder");
        entries.map(|entry| entry.expect("an entry").path()).collect()
    }

    /// Nothing runs or listens any more; what was recorded loads. Says how far the run had come.
    fn check(&self, killed: u32, out: &Path) -> &'static str {
        let limit = Instant::now() + ENDING;
        let mut left = processes(&self.folder);
        while !left.is_empty() && Instant::now() < limit {
            std::thread::sleep(Duration::from_millis(10));
            left = processes(&self.folder);
        }
        assert!(left.is_empty(), "after kill {killed}: {left:#?}");
        let sockets = fs::read_to_string("/proc/net/unix").expect("/proc");
        assert!(
            !sockets.contains(self.folder.to_str().expect("UTF-8")),
            "kill {killed}: {sockets}"
        );
        if !out.exists() {
            return "before there was a record";
        }
        let campaign = TraceCampaign::load(out).unwrap_or_else(|e| panic!("kill {killed}: {e}"));
        match (campaign.runs.len(), out.join("report/index.html").exists()) {
            (0, _) if campaign.torn.is_some() => "in the middle of a line",
            (0, _) => "during the run",
            (_, false) => "before the report",
            _ => "after the report",
        }
    }
}

fn xorshift(state: &mut u64) -> u64 {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    *state
}

#[test]
fn killed_at_any_moment_nothing_is_left() {
    if !ready() {
        return;
    }
    let kills: u32 = std::env::var("LINCHPIN_KILLS")
        .map_or(KILLS_DEFAULT, |kills| kills.parse().expect("LINCHPIN_KILLS is a number"));
    let parent = tempfile::tempdir().expect("a folder");
    let place = Place { folder: parent.path().canonicalize().expect("a path") };
    copy(
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("../../systems"),
        &place.folder.join("systems"),
    );
    fs::create_dir(place.folder.join("tmp")).expect("a folder");
    let before = network();
    let mut random = 88_172_645_463_325_252;
    let mut moments: BTreeMap<&str, u32> = BTreeMap::new();
    let mut durations = [None; EXPERIMENTS.len()];
    let mut killed = 0;
    for round in 0.. {
        let experiment = round % EXPERIMENTS.len();
        let out = place.folder.join(format!("out-{experiment}"));
        if killed < kills
            && let Some(took) = durations[experiment]
        {
            let mut child = place.run(experiment, &out).spawn().expect("linchpin starts");
            let wait = xorshift(&mut random) % Duration::as_micros(&took) as u64;
            std::thread::sleep(Duration::from_micros(wait));
            if child.try_wait().expect("a state").is_none() {
                child.kill().expect("it is killed");
                child.wait().expect("it ends");
                killed += 1;
                *moments.entry(place.check(killed, &out)).or_default() += 1;
            }
            continue;
        }
        // One that is let be: the same answer in the same folder, and the killed ones' are gone.
        let started = Instant::now();
        let status = place.run(experiment, &out).status().expect("linchpin starts");
        assert_eq!(status.code(), Some(EXPERIMENTS[experiment].2), "after kill {killed}");
        assert!(durations[experiment].replace(started.elapsed()).is_none() || killed == kills);
        assert_eq!(place.temporary(), Vec::<PathBuf>::new(), "after kill {killed}");
        assert_eq!(TraceCampaign::load(&out).expect("it loads").runs.len(), 1);
        if killed == kills {
            break;
        }
    }
    assert_eq!(network(), before);
    println!("{killed} kills: {moments:?}");
}
