//! Why a cluster cannot be run. (That it ran badly is no error.)

use std::io;
use std::path::PathBuf;

use linchpin_tracer::{LaunchError, TracerError};

use crate::diagnostic::Diagnostic;

/// Why a cluster cannot be run.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ClusterError {
    /// Occurs when the cluster file, or a template it names, cannot be read.
    #[error("cannot read {}: {source}", .path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system answered.
        source: io::Error,
    },
    /// Occurs when the cluster file says what cannot be.
    #[error("{} cannot be used: {} mistakes", .path.display(), .diagnostics.len())]
    Invalid {
        /// The file.
        path: PathBuf,
        /// Its text.
        text: String,
        /// Every mistake found.
        diagnostics: Vec<Diagnostic>,
    },
    /// Occurs when a node cannot be started.
    #[error("node {node}: {source}")]
    Launch {
        /// The node.
        node: String,
        /// Why.
        source: LaunchError,
    },
    /// Occurs when a command that looks at the system cannot be started.
    #[error("{place}: {source}")]
    Look {
        /// Where it stands in the cluster file, such as `[invariant] command`.
        place: String,
        /// Why.
        source: LaunchError,
    },
    /// Occurs when namespaces were asked for and the system refuses them.
    #[error("no network namespace for each node: {source}")]
    Namespaces {
        /// What the system answered.
        source: io::Error,
    },
    /// Occurs when a user is named whom the system does not know, or the caller is not root.
    #[error("node {node} cannot run as `{user}`: {reason}")]
    User {
        /// The node.
        node: String,
        /// The user.
        user: String,
        /// Why.
        reason: String,
    },
    /// Occurs when files of the run cannot be written.
    #[error("cannot {operation} {}: {source}", .path.display())]
    Workspace {
        /// What was tried.
        operation: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the system answered.
        source: io::Error,
    },
    /// Occurs when tracing fails.
    #[error("tracing node {node}: {source}")]
    Tracer {
        /// The node.
        node: String,
        /// Why.
        source: TracerError,
    },
    /// Occurs when the caller gives a parameter the workload does not have.
    #[error("the workload has no parameter `{name}`; it has: {known}")]
    Parameter {
        /// The parameter.
        name: String,
        /// Those there are.
        known: String,
    },
}
