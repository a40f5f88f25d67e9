//! One run of a cluster, from start to stop.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use linchpin_model::Outcome;
use linchpin_tracer::{Observer, Options, Report, Status};
use linchpin_tracker::names::Roles;

use crate::control::Control;
use crate::director::Director;
use crate::error::ClusterError;
use crate::file::{Cluster, Isolation, Judge, Node, Ready, ReadyWhen};
use crate::launch::{self, auxiliary, last_line, status_text};
use crate::network::{Isolated, Network};
use crate::workspace::Workspace;
use crate::{ready, template};

/// Between two looks at anything that is waited for.
const TICK: Duration = Duration::from_millis(5);
/// Between two tries of a readiness command.
const PROBE_PAUSE: Duration = Duration::from_millis(100);

/// Choices for one run.
#[derive(Clone, Debug)]
pub struct RunOptions {
    /// In place of the file's `seed`.
    pub seed: Option<u64>,
    /// Parameters of the workload that differ from their defaults.
    pub parameters: BTreeMap<String, String>,
    /// In place of the file's `isolation`.
    pub isolation: Option<Isolation>,
    /// The folder for what nodes, workload and checks print.
    pub logs: PathBuf,
    /// What the tracer looks at.
    pub tracer: Options,
    /// The run ends early when this becomes true.
    pub interrupt: Arc<AtomicBool>,
    /// Also trace the final reads and the check, as further lives of the client; without, they are
    /// no part of the record.
    pub trace_checks: bool,
    /// Nodes are killed when the run is judged, without time to end by themselves.
    pub stop_at_once: bool,
    /// Judges histories by the names of checkers; without it, a run that needs it is inconclusive.
    pub judge: Option<fn(&[String], &HistoryFiles) -> Judgement>,
}

/// What a history is judged from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HistoryFiles {
    /// What the workload printed.
    pub output: PathBuf,
    /// What the command of the final reads printed.
    pub last: Option<PathBuf>,
}

/// How a run was judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// The outcome.
    pub outcome: Outcome,
    /// Why, in words.
    pub reason: String,
}

/// A step of a run and how long it took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    /// `start`, `ready`, `settle`, `workload`, `hold`, `heal`, `quiesce`, `final`, `check` or `stop`.
    pub name: &'static str,
    /// How long.
    pub elapsed: Duration,
}

/// A finished run.
#[derive(Clone, Debug)]
pub struct RunResult {
    /// How it was judged.
    pub judgement: Judgement,
    /// What happened that should not have, such as nodes that ended by themselves.
    pub notes: Vec<String>,
    /// The steps it got through.
    pub steps: Vec<Step>,
    /// What the tracers counted, per start of a node.
    pub reports: Vec<Report>,
    /// Names of nodes by the ids in events.
    pub roles: Roles,
    /// How nodes were kept apart.
    pub isolated: Isolated,
    /// The seed used.
    pub seed: u64,
    /// The parameters used.
    pub parameters: BTreeMap<String, String>,
    /// How long it took.
    pub elapsed: Duration,
    /// It was interrupted.
    pub interrupted: bool,
}

/// Why a run ended before it was judged.
enum Early {
    Error(ClusterError),
    Inconclusive(String),
}

impl From<ClusterError> for Early {
    fn from(error: ClusterError) -> Self {
        Self::Error(error)
    }
}

/// Runs a cluster once. Whatever happens, nothing of it runs any more when this returns.
///
/// # Errors
/// If it cannot be run at all; a run that goes wrong is a result.
pub fn run(
    cluster: &Cluster,
    options: &RunOptions,
    director: Arc<dyn Director>,
) -> Result<RunResult, ClusterError> {
    let started = Instant::now();
    let seed = options.seed.unwrap_or(cluster.seed);
    let parameters = parameters(cluster, options)?;
    // Daemons of nodes that lose their parent become our children, and are reaped.
    let _ = linchpin_tracer::adopt_orphans();
    let workspace = Workspace::new()?;
    launch::make_directory(&options.logs)?;
    let logs = std::path::absolute(&options.logs).unwrap_or_else(|_| options.logs.clone());
    let isolation = options.isolation.unwrap_or(cluster.isolation);
    let network = Network::new(isolation, cluster.nodes.len() + 1)
        .map_err(|source| ClusterError::Namespaces { source })?;
    let isolated = network.isolated;
    let values = values(cluster, &network, &workspace, &logs, seed, &parameters);
    let control =
        Control::new(cluster, network, &workspace.path, &logs, values, options.tracer.clone())?;
    let mut run = Run {
        control: Arc::new(control),
        observer: Arc::clone(&director) as Arc<dyn Observer>,
        director,
        interrupt: Arc::clone(&options.interrupt),
        deadline: started + cluster.steps.timeout,
        steps: Vec::new(),
        notes: Vec::new(),
        noted: Vec::new(),
        returned: Vec::new(),
        trace_checks: options.trace_checks,
        stop_at_once: options.stop_at_once,
    };
    run.director.prepared(&run.control);
    let judged = run.phases(options);
    let stopped = run.step("stop", Run::stop);
    let judgement = match (judged, stopped) {
        (Err(Early::Error(error)), _) | (_, Err(Early::Error(error))) => return Err(error),
        (Ok(judgement), _) => judgement,
        (Err(Early::Inconclusive(reason)), _) => {
            Judgement { outcome: Outcome::Inconclusive, reason }
        }
    };
    Ok(RunResult {
        judgement,
        notes: run.notes,
        steps: run.steps,
        reports: run.control.reports(),
        roles: run.control.roles(),
        isolated,
        seed,
        parameters,
        elapsed: started.elapsed(),
        interrupted: options.interrupt.load(Ordering::SeqCst),
    })
}

/// The parameters of a run: the first value of each, unless another is asked for.
fn parameters(
    cluster: &Cluster,
    options: &RunOptions,
) -> Result<BTreeMap<String, String>, ClusterError> {
    let known = cluster.workload.as_ref().map(|workload| &workload.parameters);
    let mut parameters: BTreeMap<String, String> = known
        .into_iter()
        .flatten()
        .filter_map(|(name, values)| Some((name.clone(), values.first()?.clone())))
        .collect();
    for (name, value) in &options.parameters {
        match parameters.get_mut(name) {
            Some(place) => place.clone_from(value),
            None => {
                let known: Vec<&str> = parameters.keys().map(String::as_str).collect();
                let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
                return Err(ClusterError::Parameter { name: name.clone(), known });
            }
        }
    }
    Ok(parameters)
}

/// What templates may name, apart from a node's own values.
fn values(
    cluster: &Cluster,
    network: &Network,
    workspace: &Workspace,
    logs: &Path,
    seed: u64,
    parameters: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let mut values = BTreeMap::from([
        ("dir".to_owned(), cluster.directory.display().to_string()),
        ("workdir".to_owned(), workspace.path.display().to_string()),
        ("seed".to_owned(), seed.to_string()),
        ("logs".to_owned(), logs.display().to_string()),
        ("workload.output".to_owned(), logs.join("client.out").display().to_string()),
        ("workload.errors".to_owned(), logs.join("client.err").display().to_string()),
    ]);
    let names = cluster.nodes.iter().map(|node| node.name.as_str()).chain([crate::CLIENT]);
    for (name, place) in names.zip(&network.nodes) {
        values.insert(format!("node.{name}.address"), place.address.to_string());
        let data = workspace.path.join("data").join(name);
        values.insert(format!("node.{name}.data"), data.display().to_string());
    }
    for (name, value) in parameters {
        values.insert(format!("parameter.{name}"), value.clone());
    }
    values
}

struct Run {
    control: Arc<Control>,
    director: Arc<dyn Director>,
    observer: Arc<dyn Observer>,
    interrupt: Arc<AtomicBool>,
    deadline: Instant,
    steps: Vec<Step>,
    notes: Vec<String>,
    /// Nodes whose end was noted.
    noted: Vec<usize>,
    /// Nodes that were started again, and may not be ready yet.
    returned: Vec<usize>,
    trace_checks: bool,
    stop_at_once: bool,
}

impl Run {
    fn step<T>(
        &mut self,
        name: &'static str,
        work: impl FnOnce(&mut Self) -> Result<T, Early>,
    ) -> Result<T, Early> {
        let started = Instant::now();
        let result = work(self);
        self.steps.push(Step { name, elapsed: started.elapsed() });
        result
    }

    fn phases(&mut self, options: &RunOptions) -> Result<Judgement, Early> {
        let steps = self.control.cluster.steps.clone();
        self.step("start", Self::start)?;
        self.step("settle", |run| run.sleep(steps.settle))?;
        self.director.workload_begins(&Arc::clone(&self.control));
        let ended = self.step("workload", Self::workload)?;
        self.step("hold", |run| run.sleep(steps.hold))?;
        self.step("heal", |run| run.heal(steps.heal))?;
        self.step("quiesce", |run| run.sleep(steps.quiesce))?;
        let judgement = self.judge(options, ended)?;
        let is_told = self.control.cluster.invariant.is_none();
        let is_judged = matches!(judgement.outcome, Outcome::Good | Outcome::Bad);
        if let Some(status) = ended.filter(|status| *status != Status::Code(0))
            && !is_told
            && !is_judged
        {
            // Most likely why there was nothing to judge.
            self.notes.push(self.end_note("the workload", self.node_count(), status));
        }
        Ok(judgement)
    }

    fn node_count(&self) -> usize {
        self.control.cluster.nodes.len()
    }

    /// Attends to restarts, and says whether the run must end early.
    fn attend(&mut self) -> Result<(), Early> {
        self.returned.extend(self.control.restart_due(&self.observer)?);
        if self.interrupt.load(Ordering::SeqCst) {
            return Err(Early::Inconclusive("interrupted".to_owned()));
        }
        if Instant::now() >= self.deadline {
            let limit = humantime::format_duration(self.control.cluster.steps.timeout);
            return Err(Early::Inconclusive(format!("the run took longer than {limit}")));
        }
        for node in 0..self.node_count() {
            if self.noted.contains(&node) || self.control.was_killed(node) {
                continue;
            }
            if let Some(status) = self.control.ended(node) {
                self.noted.push(node);
                let who = format!("node {}", self.control.names()[node]);
                self.notes.push(self.end_note(&who, node, status));
            }
        }
        Ok(())
    }

    fn end_note(&self, who: &str, node: usize, status: Status) -> String {
        let name = &self.control.names()[node];
        let mut note = format!("{who} {}", status_text(status));
        if let Some(line) = last_line(&self.control.logs.join(format!("{name}.err"))) {
            note.push_str(&format!("; its last error line: {line}"));
        }
        note
    }

    fn sleep(&mut self, duration: Duration) -> Result<(), Early> {
        let until = Instant::now() + duration;
        while Instant::now() < until {
            self.attend()?;
            std::thread::sleep(TICK.min(until.saturating_duration_since(Instant::now())));
        }
        Ok(())
    }

    /// Starts every node as soon as those it waits for are ready, and waits for all.
    fn start(&mut self) -> Result<(), Early> {
        let nodes = self.control.cluster.nodes.clone();
        let mut started = vec![false; nodes.len()];
        let mut is_ready = vec![false; nodes.len()];
        let mut waiting_since = vec![Instant::now(); nodes.len()];
        let mut probed: Vec<Option<Instant>> = vec![None; nodes.len()];
        while is_ready.contains(&false) {
            for (index, node) in nodes.iter().enumerate() {
                let may_start = node.after.iter().all(|other| {
                    nodes.iter().position(|node| node.name == *other).is_none_or(|at| is_ready[at])
                });
                if !started[index] && may_start {
                    self.refuse_taken_port(index, node)?;
                    let observer = Arc::clone(&self.observer);
                    self.control.launch(index, &node.command, &node.environment, observer)?;
                    started[index] = true;
                    waiting_since[index] = Instant::now();
                }
                if !started[index] || is_ready[index] {
                    continue;
                }
                let Some(ready) = &node.ready else {
                    is_ready[index] = true;
                    continue;
                };
                is_ready[index] = self.look(index, ready, &mut probed[index])?;
                if is_ready[index] {
                    continue;
                }
                if let Some(status) = self.control.ended(index) {
                    let who = format!("node {}", node.name);
                    let note = self.end_note(&who, index, status);
                    return Err(Early::Inconclusive(format!("{note} (before it was ready)")));
                }
                if waiting_since[index].elapsed() > ready.timeout {
                    let limit = humantime::format_duration(ready.timeout);
                    let reason = format!("node {} was not ready after {limit}", node.name);
                    return Err(Early::Inconclusive(reason));
                }
            }
            self.attend()?;
            std::thread::sleep(TICK);
        }
        Ok(())
    }

    /// Where nodes share the ports of the machine, a port that somebody else listens on would pass
    /// for the node's.
    fn refuse_taken_port(&self, index: usize, node: &Node) -> Result<(), Early> {
        let Some(Ready { when: ReadyWhen::Port(port), .. }) = &node.ready else { return Ok(()) };
        let address = self.control.network.nodes[index].address;
        let here = std::process::id() as i32;
        if self.control.network.isolated != Isolated::Loopback
            || !ready::listens(here, *port, address)
        {
            return Ok(());
        }
        Err(Early::Inconclusive(format!(
            "port {port} at {address} is in use before node {} starts: end what listens there, or give the node \
             another port",
            node.name
        )))
    }

    fn look(
        &self,
        node: usize,
        ready: &Ready,
        probed: &mut Option<Instant>,
    ) -> Result<bool, Early> {
        let name = &self.control.names()[node];
        match &ready.when {
            ReadyWhen::Port(port) => {
                let address = self.control.network.nodes[node].address;
                let root = self.control.root(node);
                Ok(root.is_some_and(|process| ready::listens(process, *port, address)))
            }
            ReadyWhen::Log(pattern) => {
                let Ok(pattern) = regex::bytes::Regex::new(pattern) else { return Ok(false) };
                let files =
                    ["out", "err"].map(|kind| self.control.logs.join(format!("{name}.{kind}")));
                Ok(ready::printed(&[&files[0], &files[1]], &pattern))
            }
            ReadyWhen::Command(words) => {
                if probed.is_some_and(|last| last.elapsed() < PROBE_PAUSE) {
                    return Ok(false);
                }
                let limit = Duration::from_secs(5);
                let place = format!("[nodes.{name}] ready");
                let log = format!("{name}.ready");
                let status = self.auxiliary(node, (&log, &place), words, limit)?;
                *probed = Some(Instant::now());
                Ok(status == Some(Status::Code(0)))
            }
        }
    }

    /// Runs the final reads or the check, where the client was.
    fn look_back(
        &mut self,
        (log, place): (&str, &str),
        words: &[String],
        limit: Duration,
    ) -> Result<Option<Status>, Early> {
        let client = self.node_count();
        if !self.trace_checks {
            return self.auxiliary(client, (log, place), words, limit);
        }
        let observer = Arc::clone(&self.observer);
        let directory = &*self.control.cluster.directory;
        self.control
            .launch_as(client, (log, directory), words, &BTreeMap::new(), observer)
            .map_err(|error| match error {
                ClusterError::Launch { source, .. } => {
                    ClusterError::Look { place: place.to_owned(), source }
                }
                other => other,
            })?;
        let until = Instant::now() + limit;
        loop {
            let ended = self.control.ended(client);
            let over = Instant::now() >= until.min(self.deadline);
            if ended.is_some() || over || self.interrupt.load(Ordering::SeqCst) {
                self.control.end(client)?;
                return Ok(ended);
            }
            std::thread::sleep(TICK);
        }
    }

    /// Runs a probe or a check where a node is.
    fn auxiliary(
        &self,
        node: usize,
        (log, place): (&str, &str),
        words: &[String],
        limit: Duration,
    ) -> Result<Option<Status>, Early> {
        let control = &self.control;
        let values = control.values(Some(node));
        let words: Vec<String> = words.iter().map(|word| template::fill(word, &values)).collect();
        let logs = launch::logs(&control.logs, log)?;
        let directory = control.cluster.directory.clone();
        let setting = control.setting(node, &directory);
        let command = launch::command(&setting, &words, &BTreeMap::new(), logs)?;
        let stop = || self.interrupt.load(Ordering::SeqCst) || Instant::now() >= self.deadline;
        auxiliary(command, limit, &stop)
            .map_err(|source| Early::Error(ClusterError::Look { place: place.to_owned(), source }))
    }

    /// Runs the workload; gives how it ended. Without one there is nothing to do.
    fn workload(&mut self) -> Result<Option<Status>, Early> {
        let Some(workload) = self.control.cluster.workload.clone() else { return Ok(None) };
        let client = self.node_count();
        let observer = Arc::clone(&self.observer);
        self.control.launch(client, &workload.command, &workload.environment, observer)?;
        let until = Instant::now() + workload.timeout;
        loop {
            if let Some(status) = self.control.ended(client) {
                // What it left running is not the workload.
                self.control.end(client)?;
                return Ok(Some(status));
            }
            if Instant::now() >= until {
                self.control.end(client)?;
                let limit = humantime::format_duration(workload.timeout);
                let reason = format!("the workload did not end within {limit}");
                return Err(Early::Inconclusive(reason));
            }
            self.attend()?;
            std::thread::sleep(TICK);
        }
    }

    fn heal(&mut self, wanted: bool) -> Result<(), Early> {
        if !wanted {
            return Ok(());
        }
        self.director.heal(&Arc::clone(&self.control));
        while self.control.restarts_pending() {
            self.attend()?;
            std::thread::sleep(TICK);
        }
        let nodes = self.control.cluster.nodes.clone();
        // Those that were started again just before the workload ended as well.
        for index in std::mem::take(&mut self.returned) {
            let Some(ready) = &nodes[index].ready else { continue };
            if self.control.ended(index).is_some() {
                continue;
            }
            let until = Instant::now() + ready.timeout;
            let mut probed = None;
            while !self.look(index, ready, &mut probed)? {
                if Instant::now() >= until {
                    let name = &nodes[index].name;
                    self.notes.push(format!("node {name} was not ready again after its restart"));
                    break;
                }
                self.attend()?;
                std::thread::sleep(TICK);
            }
        }
        Ok(())
    }

    fn judge(&mut self, options: &RunOptions, ended: Option<Status>) -> Result<Judgement, Early> {
        let Some(invariant) = self.control.cluster.invariant.clone() else {
            let outcome = match ended {
                None | Some(Status::Code(0)) => Outcome::Good,
                Some(_) => Outcome::Bad,
            };
            let reason = ended.map_or_else(
                || "every node became ready; there is no workload".to_owned(),
                |status| format!("there is no invariant; the workload {}", status_text(status)),
            );
            return Ok(Judgement { outcome, reason });
        };
        let limit = invariant.timeout;
        match &invariant.judge {
            Judge::Command(words) => {
                let status = self.step("check", |run| {
                    run.look_back(("check", "[invariant] command"), words, limit)
                })?;
                let said = last_line(&self.control.logs.join("check.out"))
                    .or_else(|| last_line(&self.control.logs.join("check.err")));
                Ok(judged_by(status, limit, said))
            }
            Judge::History { checkers, last } => {
                let output = self.control.logs.join("client.out");
                let mut files = HistoryFiles { output, last: None };
                if let Some(words) = last {
                    let status = self.step("final", |run| {
                        run.look_back(("final", "[invariant] final"), words, limit)
                    })?;
                    if status != Some(Status::Code(0)) {
                        let how = status.map_or("did not end in time".to_owned(), status_text);
                        let reason = format!("the command of the final reads {how}");
                        return Err(Early::Inconclusive(reason));
                    }
                    files.last = Some(self.control.logs.join("final.out"));
                }
                match options.judge {
                    Some(judge) => self.step("check", |_| Ok(judge(checkers, &files))),
                    None => Err(Early::Inconclusive("no checker of histories was given".into())),
                }
            }
        }
    }

    /// Asks every node to end, and kills those that do not.
    fn stop(&mut self) -> Result<(), Early> {
        self.control.forget_restarts();
        self.director.stopping(&Arc::clone(&self.control));
        let nodes = self.control.cluster.nodes.clone();
        self.control.end(nodes.len())?;
        let nobody_waits = self.stop_at_once || self.interrupt.load(Ordering::SeqCst);
        if nobody_waits {
            for node in &nodes {
                self.control.kill(&node.name);
            }
        } else {
            for index in 0..nodes.len() {
                self.control.ask_to_end(index);
            }
            let asked = Instant::now();
            for (index, node) in nodes.iter().enumerate() {
                let grace = node.stop_grace.saturating_sub(asked.elapsed());
                self.control.is_gone(index, grace);
            }
        }
        for index in 0..nodes.len() {
            self.control.end(index)?;
        }
        Ok(())
    }
}

/// What the status of a check means.
fn judged_by(status: Option<Status>, limit: Duration, said: Option<String>) -> Judgement {
    let outcome = match status {
        Some(Status::Code(0)) => Outcome::Good,
        Some(Status::Code(1)) => Outcome::Bad,
        Some(Status::Code(2)) => Outcome::Vacuous,
        _ => Outcome::Inconclusive,
    };
    let how = status.map_or_else(
        || format!("did not end within {}", humantime::format_duration(limit)),
        status_text,
    );
    let reason = match said {
        Some(said) => format!("the check {how}: {said}"),
        None => format!("the check {how}"),
    };
    Judgement { outcome, reason }
}
