//! The nodes of a run, while it lasts: what a [`crate::Director`] acts through.

use std::collections::BTreeMap;
use std::io;
use std::net::IpAddr;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use linchpin_tracer::{NodeId, Observer, Options, Report, Running, Status};
use linchpin_tracker::names::Roles;

use crate::error::ClusterError;
use crate::file::{Cluster, User};
use crate::launch::{self, Setting};
use crate::network::{self, Isolated, Network};
use crate::workspace::failed;
use crate::{CLIENT, template};

/// Longest that the end of a killed node is waited for.
const KILL_LIMIT: Duration = Duration::from_secs(10);

/// The nodes of a run and their surroundings. Its methods may be called from any thread, those of
/// tracers included, unless they say otherwise.
#[derive(Debug)]
pub struct Control {
    pub(crate) cluster: Cluster,
    pub(crate) network: Network,
    /// Nodes in the order of the file, then the client.
    names: Vec<String>,
    pub(crate) data: PathBuf,
    pub(crate) logs: PathBuf,
    hosts: PathBuf,
    values: BTreeMap<String, String>,
    options: Options,
    pub(crate) start: Instant,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    running: BTreeMap<usize, Running>,
    /// Which node each start of a node is.
    lives: BTreeMap<NodeId, usize>,
    next_life: u32,
    reports: Vec<Report>,
    restarts: Vec<Restart>,
    /// Nodes that were killed on purpose and not started again.
    killed: Vec<usize>,
}

#[derive(Clone, Debug)]
struct Restart {
    node: usize,
    at: Instant,
    keep_data: bool,
}

impl Control {
    pub(crate) fn new(
        cluster: &Cluster,
        network: Network,
        workspace: &Path,
        logs: &Path,
        values: BTreeMap<String, String>,
        options: Options,
    ) -> Result<Self, ClusterError> {
        let names: Vec<String> =
            cluster.nodes.iter().map(|node| node.name.clone()).chain([CLIENT.to_owned()]).collect();
        let hosts = workspace.join("hosts");
        let lines: String = names
            .iter()
            .zip(&network.nodes)
            .map(|(name, place)| format!("{} {name}\n", place.address))
            .collect();
        std::fs::write(&hosts, format!("127.0.0.1 localhost\n::1 localhost\n{lines}"))
            .map_err(failed("write", &hosts))?;
        let state = State { next_life: names.len() as u32, ..State::default() };
        let control = Self {
            cluster: cluster.clone(),
            network,
            names,
            data: workspace.join("data"),
            logs: logs.to_owned(),
            hosts,
            values,
            options,
            start: Instant::now(),
            state: Mutex::new(state),
        };
        for node in 0..control.names.len() {
            control.fill_data(node)?;
        }
        Ok(control)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn index(&self, node: &str) -> Option<usize> {
        self.names.iter().position(|name| name == node)
    }

    /// The nodes in the order of the file, then [`CLIENT`].
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// The node an event's [`NodeId`] means. A node that is started again has another id.
    #[must_use]
    pub fn node_of(&self, id: NodeId) -> Option<&str> {
        let index = self.lock().lives.get(&id).copied()?;
        self.names.get(index).map(String::as_str)
    }

    /// The names of all ids so far, for the tracker.
    #[must_use]
    pub fn roles(&self) -> Roles {
        let state = self.lock();
        state.lives.iter().map(|(id, index)| (*id, self.names[*index].clone())).collect()
    }

    /// The address of a node.
    #[must_use]
    pub fn address(&self, node: &str) -> Option<IpAddr> {
        self.index(node).map(|index| self.network.nodes[index].address)
    }

    /// The file that the workload's standard output goes to.
    #[must_use]
    pub fn workload_output(&self) -> PathBuf {
        self.logs.join(format!("{CLIENT}.out"))
    }

    /// The data folder of a node.
    #[must_use]
    pub fn data(&self, node: &str) -> PathBuf {
        self.data.join(node)
    }

    /// How nodes are kept apart.
    #[must_use]
    pub fn isolated(&self) -> Isolated {
        self.network.isolated
    }

    /// When the run began: the origin of the events' times.
    #[must_use]
    pub fn start(&self) -> Instant {
        self.start
    }

    /// The live processes of a node.
    #[must_use]
    pub fn processes(&self, node: &str) -> Vec<i32> {
        let state = self.lock();
        self.index(node)
            .and_then(|index| state.running.get(&index))
            .map(Running::processes)
            .unwrap_or_default()
    }

    /// Kills every process of a node at once (SIGKILL), those being born included.
    pub fn kill(&self, node: &str) {
        let Some(index) = self.index(node) else { return };
        let mut state = self.lock();
        if !state.killed.contains(&index) {
            state.killed.push(index);
        }
        if let Some(running) = state.running.get(&index) {
            running.kill();
        }
    }

    /// Starts a node again after a while (ending it first if it runs), with the data it had or
    /// without. It is done by the thread that runs the cluster.
    pub fn restart(&self, node: &str, after: Duration, keep_data: bool) {
        let Some(node) = self.index(node) else { return };
        let at = Instant::now() + after;
        self.lock().restarts.push(Restart { node, at, keep_data });
    }

    /// Nodes that were killed and neither run nor are about to be started again.
    #[must_use]
    pub fn down(&self) -> Vec<String> {
        let state = self.lock();
        let back = |index: &usize| state.restarts.iter().any(|restart| restart.node == *index);
        state
            .killed
            .iter()
            .filter(|index| !back(index))
            .map(|index| self.names[*index].clone())
            .collect()
    }

    /// Does something in the network namespace of a node (on a thread of its own that is moved
    /// there); where nodes have none, on a thread that is not moved.
    ///
    /// # Errors
    /// If the namespace cannot be entered.
    pub fn in_network<T: Send>(
        &self,
        node: &str,
        work: impl FnOnce() -> T + Send,
    ) -> io::Result<T> {
        let place = self.index(node).map(|index| &self.network.nodes[index]);
        match place.and_then(|place| place.namespace.as_ref()) {
            Some(namespace) => network::enter(namespace, work),
            None => Ok(work()),
        }
    }

    /// Lets nothing pass from one node to the address of another: of all protocols, whichever process or kernel
    /// sends it, and nobody is told. False where nodes have no namespaces: then it cannot be done.
    ///
    /// # Errors
    /// If the system refuses it.
    pub fn cut(&self, from: &str, to: &str) -> io::Result<bool> {
        self.set_cut(from, to, true)
    }

    /// Undoes [`Control::cut`].
    ///
    /// # Errors
    /// If the system refuses it.
    pub fn heal(&self, from: &str, to: &str) -> io::Result<bool> {
        self.set_cut(from, to, false)
    }

    fn set_cut(&self, from: &str, to: &str, cut: bool) -> io::Result<bool> {
        let (Some(from), Some(to)) = (self.index(from), self.index(to)) else { return Ok(false) };
        self.network.nodes[from].cut(&self.network.nodes[to], cut)
    }

    /// The network namespace of the bridge that joins all nodes; absent where there are none.
    #[must_use]
    pub fn hub(&self) -> Option<&OwnedFd> {
        self.network.hub.as_ref()
    }

    /// The network namespace of a node; absent where there are none.
    #[must_use]
    pub fn namespace(&self, node: &str) -> Option<&OwnedFd> {
        self.network.nodes[self.index(node)?].namespace.as_ref()
    }

    /// The values of templates for a node; without its own if there is none.
    pub(crate) fn values(&self, node: Option<usize>) -> BTreeMap<String, String> {
        let mut values = self.values.clone();
        if let Some(node) = node {
            values.insert("name".into(), self.names[node].clone());
            values.insert("address".into(), self.network.nodes[node].address.to_string());
            values.insert("data".into(), self.data(&self.names[node]).display().to_string());
        }
        values
    }

    fn user(&self, node: usize) -> &User {
        match self.cluster.nodes.get(node) {
            Some(node) => &node.user,
            None => self.cluster.workload.as_ref().map_or(&User::Root, |workload| &workload.user),
        }
    }

    pub(crate) fn setting<'a>(&'a self, node: usize, directory: &'a Path) -> Setting<'a> {
        Setting {
            node: &self.names[node],
            place: &self.network.nodes[node],
            directory,
            hosts: &self.hosts,
            user: self.user(node),
        }
    }

    /// Makes the data folder of a node with the files it starts with.
    fn fill_data(&self, node: usize) -> Result<(), ClusterError> {
        let directory = self.data(&self.names[node]);
        launch::make_directory(&directory)?;
        let values = self.values(Some(node));
        for (name, source) in self.cluster.nodes.get(node).iter().flat_map(|node| &node.files) {
            let path = directory.join(name);
            if let Some(parent) = path.parent() {
                launch::make_directory(parent)?;
            }
            let text = std::fs::read_to_string(source)
                .map_err(|error| ClusterError::Read { path: source.clone(), source: error })?;
            std::fs::write(&path, template::fill(&text, &values))
                .map_err(failed("write", &path))?;
        }
        Ok(())
    }

    /// Starts a node, or the client.
    pub(crate) fn launch(
        &self,
        node: usize,
        words: &[String],
        environment: &BTreeMap<String, String>,
        observer: Arc<dyn Observer>,
    ) -> Result<(), ClusterError> {
        let directory = self.data(&self.names[node]);
        self.launch_as(node, (&self.names[node], &directory), words, environment, observer)
    }

    /// Starts something as a node, with another name for what it prints, in another folder.
    pub(crate) fn launch_as(
        &self,
        node: usize,
        (log, directory): (&str, &Path),
        words: &[String],
        environment: &BTreeMap<String, String>,
        observer: Arc<dyn Observer>,
    ) -> Result<(), ClusterError> {
        let values = self.values(Some(node));
        let words: Vec<String> = words.iter().map(|word| template::fill(word, &values)).collect();
        let environment = environment
            .iter()
            .map(|(name, value)| (name.clone(), template::fill(value, &values)))
            .collect();
        let logs = launch::logs(&self.logs, log)?;
        let command = launch::command(&self.setting(node, directory), &words, &environment, logs)?;
        let id = {
            let mut state = self.lock();
            let first = NodeId(node as u32);
            let id = if state.lives.contains_key(&first) {
                state.next_life += 1;
                NodeId(state.next_life - 1)
            } else {
                first
            };
            state.lives.insert(id, node);
            state.killed.retain(|killed| *killed != node);
            id
        };
        // Not under the lock: the node's first events may already act through this control.
        let running =
            linchpin_tracer::launch(id, command, self.options.clone(), observer, self.start)
                .map_err(|source| ClusterError::Launch {
                    node: self.names[node].clone(),
                    source,
                })?;
        let mut state = self.lock();
        if state.killed.contains(&node) {
            running.kill();
        }
        state.running.insert(node, running);
        Ok(())
    }

    /// How the first process of a node ended, if it has.
    pub(crate) fn ended(&self, node: usize) -> Option<Status> {
        self.lock().running.get(&node)?.root_status(Duration::ZERO)
    }

    /// Whether it was killed on purpose.
    pub(crate) fn was_killed(&self, node: usize) -> bool {
        let state = self.lock();
        state.killed.contains(&node) || state.restarts.iter().any(|restart| restart.node == node)
    }

    /// The first process of a node.
    pub(crate) fn root(&self, node: usize) -> Option<i32> {
        self.lock().running.get(&node).map(Running::root)
    }

    /// Starts nodes again whose time has come. Gives those it started.
    pub(crate) fn restart_due(
        &self,
        observer: &Arc<dyn Observer>,
    ) -> Result<Vec<usize>, ClusterError> {
        let due: Vec<Restart> = {
            let mut state = self.lock();
            let now = Instant::now();
            let (due, later) = state.restarts.drain(..).partition(|restart| restart.at <= now);
            state.restarts = later;
            due
        };
        let mut started = Vec::new();
        for restart in due {
            self.end(restart.node)?;
            let Some(node) = self.cluster.nodes.get(restart.node) else { continue };
            if !restart.keep_data {
                launch::remove_directory(&self.data(&node.name))?;
            }
            self.fill_data(restart.node)?;
            let words = node.restart.as_ref().unwrap_or(&node.command);
            self.launch(restart.node, words, &node.environment, Arc::clone(observer))?;
            started.push(restart.node);
        }
        Ok(started)
    }

    /// True if a node is to be started again.
    pub(crate) fn restarts_pending(&self) -> bool {
        !self.lock().restarts.is_empty()
    }

    pub(crate) fn forget_restarts(&self) {
        self.lock().restarts.clear();
    }

    /// Ends a node for good, and keeps what its tracer counted.
    pub(crate) fn end(&self, node: usize) -> Result<(), ClusterError> {
        let Some(running) = self.lock().running.remove(&node) else { return Ok(()) };
        running.kill();
        if !running.finished(KILL_LIMIT) {
            // A process in uninterruptible sleep: it dies as soon as it wakes, with its tracer.
            return Ok(());
        }
        let report = running
            .wait()
            .map_err(|source| ClusterError::Tracer { node: self.names[node].clone(), source })?;
        self.lock().reports.push(report);
        Ok(())
    }

    pub(crate) fn reports(&self) -> Vec<Report> {
        std::mem::take(&mut self.lock().reports)
    }

    /// Asks a node to end (SIGTERM to its first process).
    pub(crate) fn ask_to_end(&self, node: usize) {
        let state = self.lock();
        let Some(running) = state.running.get(&node) else { return };
        let root = running.root();
        if running.root_status(Duration::ZERO).is_none() && running.processes().contains(&root) {
            // SAFETY: kill with plain integers; the process is ours and not reaped.
            unsafe { libc::kill(root, libc::SIGTERM) };
        }
    }

    pub(crate) fn is_gone(&self, node: usize, limit: Duration) -> bool {
        // Without the lock while waiting: events of the node may need it.
        let deadline = Instant::now() + limit;
        loop {
            match self.lock().running.get(&node) {
                None => return true,
                Some(running) if running.finished(Duration::ZERO) => return true,
                Some(_) => {}
            }
            if Instant::now() >= deadline {
                return false;
            }
            std::thread::sleep(Duration::from_millis(2));
        }
    }
}
