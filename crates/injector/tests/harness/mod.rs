//! Small clusters for tests: a few drivers, started one after the other, and what each printed.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use linchpin_injector::{Controller, Data, FaultReport, Injector, Setup, check_nodes, parse_fault};
use linchpin_tracer::{NodeId, Observer, Options, Running, launch};
use linchpin_tracker::Recorder;
use linchpin_tracker::dissect::{Dissector, Rule, Rules};

/// Longest that a node may run.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// Which driver, with which style.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Guest {
    pub(crate) python: bool,
    pub(crate) style: &'static str,
}

/// The plain one.
pub(crate) const PLAIN: Guest = Guest { python: false, style: "block" };

/// Where guests are compiled, once for all tests.
pub(crate) struct Workshop {
    place: tempfile::TempDir,
    python: Option<String>,
}

impl Workshop {
    pub(crate) fn new() -> Result<Workshop, String> {
        let place = tempfile::tempdir().map_err(|error| error.to_string())?;
        let guests = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/guests");
        let made = Command::new("cc")
            .args(["-O1", "-Wall", "-o"])
            .arg(place.path().join("driver"))
            .arg(guests.join("driver.c"))
            .output()
            .map_err(|error| format!("no cc: {error}"))?;
        if !made.status.success() {
            return Err(format!("cc: {}", String::from_utf8_lossy(&made.stderr)));
        }
        // The source may lie where an ordinary user cannot read.
        std::fs::copy(guests.join("driver.py"), place.path().join("driver.py"))
            .map_err(|error| error.to_string())?;
        // An ordinary user may not reach the interpreter of whoever started the tests.
        let python = ["python3", "/usr/bin/python3"].into_iter().find_map(|name| {
            let asked =
                Command::new(name).args(["-S", "-c", "import sys; print(sys.executable)"]).output();
            let output = asked.ok().filter(|output| output.status.success())?;
            Some(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        });
        Ok(Workshop { place, python })
    }

    /// True if guests in this language run here.
    pub(crate) fn has(&self, guest: Guest) -> bool {
        !guest.python || self.python.is_some()
    }

    fn command(&self, guest: Guest, words: &[String]) -> Command {
        let mut command = match (&self.python, guest.python) {
            (Some(python), true) => {
                let mut command = Command::new(python);
                command.args(["-S", "-E", "-B"]).arg(self.place.path().join("driver.py"));
                command
            }
            _ => Command::new(self.place.path().join("driver")),
        };
        command.arg(guest.style).args(words).stdin(Stdio::null()).stdout(Stdio::piped());
        command
    }
}

/// One node of a cluster.
#[derive(Clone, Debug)]
pub(crate) struct Part {
    pub(crate) name: &'static str,
    pub(crate) guest: Guest,
    pub(crate) script: String,
    /// What it does when it is started again.
    pub(crate) again: String,
}

/// A node that runs a script: words, `{data}` for its data directory.
pub(crate) fn part(name: &'static str, guest: Guest, script: &str) -> Part {
    Part { name, guest, script: script.into(), again: String::new() }
}

type Lines = Arc<(Mutex<Vec<String>>, Condvar)>;

struct Nodes {
    workshop: Arc<Workshop>,
    parts: Vec<Part>,
    data: PathBuf,
    start: Instant,
    observer: Mutex<Option<Arc<Injector>>>,
    options: Options,
    running: Mutex<BTreeMap<usize, Running>>,
    lives: Mutex<Vec<usize>>,
    /// Nodes whose start is complete, once for each start.
    started: Mutex<Vec<usize>>,
    lines: Vec<Lines>,
    readers: Mutex<Vec<std::thread::JoinHandle<()>>>,
}

impl Nodes {
    fn start(&self, node: usize, script: &str) -> Result<(), String> {
        let part = &self.parts[node];
        let data = self.data.join(part.name);
        std::fs::create_dir_all(&data).map_err(|error| error.to_string())?;
        let words: Vec<String> = script
            .split_whitespace()
            .map(|word| word.replace("{data}", &data.to_string_lossy()))
            .collect();
        let id = {
            let mut lives = self.lives.lock().unwrap();
            lives.push(node);
            NodeId(lives.len() as u32 - 1)
        };
        let observer = self.observer.lock().unwrap().clone().ok_or("no observer")?;
        let command = self.workshop.command(part.guest, &words);
        let observer: Arc<dyn Observer> = observer;
        let mut running = launch(id, command, self.options.clone(), observer, self.start)
            .map_err(|error| error.to_string())?;
        let lines = Arc::clone(&self.lines[node]);
        if let (_, Some(output), _) = running.streams() {
            let reader = std::thread::spawn(move || {
                for line in BufReader::new(output).lines().map_while(Result::ok) {
                    lines.0.lock().unwrap().push(line.trim_end().to_owned());
                    lines.1.notify_all();
                }
            });
            self.readers.lock().unwrap().push(reader);
        }
        let former = self.running.lock().unwrap().insert(node, running);
        self.started.lock().unwrap().push(node);
        drop(former);
        Ok(())
    }
}

impl Controller for Nodes {
    fn node_of(&self, id: NodeId) -> Option<String> {
        let node = self.lives.lock().unwrap().get(id.0 as usize).copied()?;
        Some(self.parts[node].name.to_owned())
    }

    fn kill(&self, _node: &str) {}

    fn restart(&self, node: &str, data: Data) -> Result<(), String> {
        let index = self.parts.iter().position(|part| part.name == node).ok_or("no such node")?;
        if data == Data::Lose {
            std::fs::remove_dir_all(self.data.join(node)).map_err(|error| error.to_string())?;
        }
        let again = self.parts[index].again.clone();
        self.start(index, &again)
    }

    fn data(&self, node: &str) -> Option<PathBuf> {
        Some(self.data.join(node))
    }
}

/// What a run came to.
pub(crate) struct Outcome {
    /// What each node printed.
    pub(crate) said: BTreeMap<&'static str, Vec<String>>,
    pub(crate) reports: Vec<FaultReport>,
    pub(crate) data: PathBuf,
    _scratch: tempfile::TempDir,
}

impl Outcome {
    pub(crate) fn file(&self, path: &str) -> Option<String> {
        std::fs::read_to_string(self.data.join(path)).ok()
    }

    /// Fails unless a node printed exactly this.
    pub(crate) fn expect(&self, node: &str, lines: &[&str]) -> Result<(), String> {
        let said = &self.said[node];
        if said == lines {
            return Ok(());
        }
        Err(format!("{node} printed {said:#?}, not {lines:#?}; faults: {:#?}", self.reports))
    }

    /// Fails unless every fault fired, at these events.
    pub(crate) fn fired(&self, events: &[&str]) -> Result<(), String> {
        let found: Vec<&str> = self.reports.iter().flat_map(FaultReport::events).collect();
        let problems = self.reports.iter().any(|report| !report.problems.is_empty());
        if found == events && !problems {
            return Ok(());
        }
        Err(format!("fired at {found:#?}, not {events:#?}: {:#?}", self.reports))
    }
}

/// Runs nodes under faults until each has ended; those whose script ends in `forever` are killed
/// when the others are done. Nodes start in order, each when the one before listens.
pub(crate) fn run(
    workshop: &Arc<Workshop>,
    parts: &[Part],
    faults: &[&str],
) -> Result<Outcome, String> {
    let scratch = tempfile::tempdir().map_err(|error| error.to_string())?;
    let names: Vec<String> = parts.iter().map(|part| part.name.to_owned()).collect();
    let mut parsed = Vec::new();
    for text in faults {
        let fault = parse_fault(text).map_err(|wrong| format!("{text}: {wrong:?}"))?;
        let wrong = check_nodes(&fault, &names);
        if !wrong.is_empty() {
            return Err(format!("{wrong:?}"));
        }
        parsed.push(fault);
    }
    let start = Instant::now();
    let nodes = Arc::new(Nodes {
        workshop: Arc::clone(workshop),
        parts: parts.to_vec(),
        data: scratch.path().join("data"),
        start,
        observer: Mutex::new(None),
        options: Injector::options(&parsed, Options::default()),
        running: Mutex::default(),
        lives: Mutex::default(),
        started: Mutex::default(),
        lines: parts.iter().map(|_| Lines::default()).collect(),
        readers: Mutex::default(),
    });
    let setup = Setup {
        nodes: names,
        faults: parsed,
        rules: Rules::new(vec![Rule { port: None, dissector: Dissector::Lines }], Vec::new()),
        addresses: BTreeMap::new(),
        scratch: scratch.path().join("shadows"),
    };
    let recorder = Arc::new(Recorder::new());
    let controller: Arc<dyn Controller> = Arc::clone(&nodes) as Arc<dyn Controller>;
    let injector =
        Injector::new(setup, recorder, controller, start).map_err(|error| error.to_string())?;
    *nodes.observer.lock().unwrap() = Some(Arc::clone(&injector));
    injector.begin();
    for (index, part) in parts.iter().enumerate() {
        nodes.start(index, &part.script)?;
        if ["listen", "bind"].iter().any(|word| part.script.split(' ').any(|w| w == *word)) {
            wait(&nodes.lines[index], "listen ok")?;
        }
    }
    // The nodes with an end, those that were started again included.
    let result = (0..parts.len()).filter(|index| !forever(&parts[*index])).try_for_each(|index| {
        let limit = Instant::now() + LIMIT;
        loop {
            let restarted = !parts[index].again.is_empty();
            let started = nodes.started.lock().unwrap();
            let lives = started.iter().filter(|node| **node == index).count();
            drop(started);
            let ended = nodes.running.lock().unwrap()[&index].finished(Duration::from_millis(5));
            if ended && (!restarted || lives > 1) {
                return Ok(());
            }
            if Instant::now() > limit {
                let said = nodes.lines.iter().map(|lines| lines.0.lock().unwrap().clone());
                let said: Vec<_> = said.collect();
                return Err(format!(
                    "{} does not end; printed so far: {said:#?}",
                    parts[index].name
                ));
            }
        }
    });
    let reports = injector.finish();
    result.map_err(|error| format!("{error}; faults: {reports:#?}"))?;
    *nodes.observer.lock().unwrap() = None;
    let running = std::mem::take(&mut *nodes.running.lock().unwrap());
    drop(running);
    for reader in std::mem::take(&mut *nodes.readers.lock().unwrap()) {
        let _ = reader.join();
    }
    let said = parts
        .iter()
        .zip(&nodes.lines)
        .map(|(part, lines)| (part.name, lines.0.lock().unwrap().clone()))
        .collect();
    Ok(Outcome { said, reports, data: scratch.path().join("data"), _scratch: scratch })
}

fn forever(part: &Part) -> bool {
    part.script.ends_with("forever")
}

fn wait(lines: &Lines, wanted: &str) -> Result<(), String> {
    let (lines, changed) = &**lines;
    let found = |lines: &mut Vec<String>| !lines.iter().any(|line| line == wanted);
    let (_guard, timeout) =
        changed.wait_timeout_while(lines.lock().unwrap(), LIMIT, found).unwrap();
    if timeout.timed_out() { Err(format!("a node never said `{wanted}`")) } else { Ok(()) }
}

/// Moves this process, which must have one thread, into a user and a network namespace of its own
/// as an ordinary user, with its loopback up: faults need no more than that.
pub(crate) fn become_ordinary() -> Result<(), String> {
    let failed = |what: &str| Err(format!("{what}: {}", std::io::Error::last_os_error()));
    const NOBODY: u32 = 65_534;
    // SAFETY: plain calls with integers; one thread, so no other can be in between.
    unsafe {
        if libc::geteuid() == 0 {
            if libc::setgroups(0, std::ptr::null()) != 0
                || libc::setresgid(NOBODY, NOBODY, NOBODY) != 0
                || libc::setresuid(NOBODY, NOBODY, NOBODY) != 0
            {
                return failed("becoming an ordinary user");
            }
            libc::prctl(libc::PR_SET_DUMPABLE, 1, 0, 0, 0);
        }
        let (user, group) = (libc::geteuid(), libc::getegid());
        if libc::unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWNET) != 0 {
            return failed("a user and network namespace");
        }
        let map = |file: &str, text: String| {
            std::fs::write(file, text).map_err(|error| format!("{file}: {error}"))
        };
        map("/proc/self/setgroups", "deny".into())?;
        map("/proc/self/uid_map", format!("0 {user} 1"))?;
        map("/proc/self/gid_map", format!("0 {group} 1"))?;
        let socket = libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0);
        let mut request: libc::ifreq = std::mem::zeroed();
        request.ifr_name[0] = b'l' as libc::c_char;
        request.ifr_name[1] = b'o' as libc::c_char;
        request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
        let up = libc::ioctl(socket, libc::SIOCSIFFLAGS, &raw mut request);
        libc::close(socket);
        if up != 0 {
            return failed("the loopback interface");
        }
    }
    Ok(())
}
