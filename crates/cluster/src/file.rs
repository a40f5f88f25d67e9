//! What a cluster file says. `docs/formats/cluster.md` is the reference.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use linchpin_tracker::dissect::Rules;

use crate::diagnostic::Diagnostic;
use crate::error::ClusterError;
use crate::parse;

/// A cluster file.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// The file, as it was named.
    pub path: PathBuf,
    /// Its whole text.
    pub text: String,
    /// Its folder: `{dir}` in templates.
    pub directory: PathBuf,
    /// `name`; the file's name if not given.
    pub name: String,
    /// `isolation`.
    pub isolation: Isolation,
    /// `seed`.
    pub seed: u64,
    /// `[nodes.NAME]`, in the order of the file.
    pub nodes: Vec<Node>,
    /// `[workload]`.
    pub workload: Option<Workload>,
    /// `[steps]`.
    pub steps: Steps,
    /// `[invariant]`.
    pub invariant: Option<Invariant>,
    /// `[faults]`.
    pub faults: Budgets,
    /// `[[labels]]`, before the built-in ones.
    pub rules: Rules,
    /// `[tokens] follow`: regular expressions.
    pub tokens: Vec<String>,
    /// `[versions]`: commands that tell the version of a program.
    pub versions: BTreeMap<String, Vec<String>>,
}

/// How nodes are kept apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Isolation {
    /// Namespaces where the system lets us, else the loopback device.
    #[default]
    Auto,
    /// A network namespace and address for each node.
    Namespaces,
    /// An address 127.x.y.z for each node.
    Loopback,
}

/// Who a node runs as.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub enum User {
    /// Root, within the namespace if the caller is not root.
    #[default]
    Root,
    /// The caller, for programs that refuse root.
    Keep,
    /// Somebody else, by name or number (if the caller is root).
    Named(String),
}

/// A node.
#[derive(Clone, Debug, PartialEq)]
pub struct Node {
    /// Its name.
    pub name: String,
    /// Program and arguments, templates.
    pub command: Vec<String>,
    /// The command after a crash, if it differs.
    pub restart: Option<Vec<String>>,
    /// Environment variables, templates.
    pub environment: BTreeMap<String, String>,
    /// Files made in the node's data folder before it starts: name, and the template's path.
    pub files: BTreeMap<String, PathBuf>,
    /// When it is ready; at once if not given.
    pub ready: Option<Ready>,
    /// Nodes that must be ready before this one starts.
    pub after: Vec<String>,
    /// Nodes of one group are interchangeable.
    pub group: Option<String>,
    /// Who it runs as.
    pub user: User,
    /// From SIGTERM to SIGKILL.
    pub stop_grace: Duration,
}

/// When a node is ready.
#[derive(Clone, Debug, PartialEq)]
pub struct Ready {
    /// The sign.
    pub when: ReadyWhen,
    /// After this time without it the run is inconclusive.
    pub timeout: Duration,
}

/// A sign that a node is ready.
#[derive(Clone, Debug, PartialEq)]
pub enum ReadyWhen {
    /// It listens on this port (TCP), or is bound to it (UDP).
    Port(u16),
    /// A line of its output matches.
    Log(String),
    /// A command exits with 0.
    Command(Vec<String>),
}

/// The client.
#[derive(Clone, Debug, PartialEq)]
pub struct Workload {
    /// Program and arguments, templates.
    pub command: Vec<String>,
    /// Environment variables, templates.
    pub environment: BTreeMap<String, String>,
    /// After this time it is ended, and the run is inconclusive.
    pub timeout: Duration,
    /// Values to try, the default first.
    pub parameters: BTreeMap<String, Vec<String>>,
    /// Who it runs as.
    pub user: User,
}

/// What is done between the steps.
#[derive(Clone, Debug, PartialEq)]
pub struct Steps {
    /// Between readiness and workload.
    pub settle: Duration,
    /// Between the end of the workload and healing: faults stay in place.
    pub hold: Duration,
    /// Whether faults are undone before the check.
    pub heal: bool,
    /// Between healing and the check.
    pub quiesce: Duration,
    /// Tracing and waiting are given up after this time, all steps together.
    pub timeout: Duration,
}

/// How a run is judged.
#[derive(Clone, Debug, PartialEq)]
pub struct Invariant {
    /// By what.
    pub judge: Judge,
    /// After this time the check is ended, and the run is inconclusive.
    pub timeout: Duration,
}

/// What judges a run.
#[derive(Clone, Debug, PartialEq)]
pub enum Judge {
    /// A command: 0 good, 1 bad, 2 vacuous, anything else inconclusive.
    Command(Vec<String>),
    /// Checkers of the history that the workload printed, and then `last` (final reads).
    History {
        /// Names of the checkers.
        checkers: Vec<String>,
        /// The command of the final reads.
        last: Option<Vec<String>>,
    },
}

/// How many faults of each kind an experiment may hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Budgets {
    /// All together; the sum of the kinds if not given.
    pub total: Option<u32>,
    /// By kind ([`FAULT_KINDS`]); absent is 0.
    pub kinds: BTreeMap<String, u32>,
    /// How long a pause lasts, if it is said.
    pub pause_for: Option<Duration>,
    /// How late a message is, if it is said.
    pub delay_by: Option<Duration>,
    /// Until a node is started again, if it is said.
    pub restart_after: Option<Duration>,
}

/// The kinds of faults that `[faults]` budgets.
pub const FAULT_KINDS: [&str; 14] = [
    "crash",
    "silent-crash",
    "power-loss",
    "restart",
    "pause",
    "partition",
    "stall",
    "delay",
    "loss",
    "duplicate",
    "error",
    "corrupt",
    "refuse",
    "reset",
];

impl Cluster {
    /// Reads a cluster file.
    ///
    /// # Errors
    /// If it cannot be read, or says what cannot be: then every mistake found is in the error.
    pub fn load(path: &Path) -> Result<Self, ClusterError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| ClusterError::Read { path: path.to_owned(), source })?;
        Self::parse(path, text).map_err(|(text, diagnostics)| ClusterError::Invalid {
            path: path.to_owned(),
            text,
            diagnostics,
        })
    }

    /// Parses the text of a cluster file; gives it back with every mistake found if there is one.
    ///
    /// # Errors
    /// If there is a mistake.
    pub fn parse(path: &Path, text: String) -> Result<Self, (String, Vec<Diagnostic>)> {
        parse::parse(path, text)
    }

    /// A node by its name.
    #[must_use]
    pub fn node(&self, name: &str) -> Option<&Node> {
        self.nodes.iter().find(|node| node.name == name)
    }
}
