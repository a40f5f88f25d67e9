//! What the injector needs of whoever runs the nodes.

use std::path::PathBuf;

use linchpin_tracer::NodeId;

use crate::fault::Data;

/// Runs nodes, which it knows by name. Called while traced threads stand still: be quick, and do
/// not wait for a node.
pub trait Controller: Send + Sync {
    /// The node that events with this id come from. A node that was started again may have another
    /// id than before.
    fn node_of(&self, id: NodeId) -> Option<String>;

    /// Kills every process of a node (SIGKILL).
    fn kill(&self, node: &str);

    /// Starts a node again, traced by the same observer; ends it first if it runs. It need not have
    /// started when this returns.
    ///
    /// # Errors
    /// Says why the node cannot be started.
    fn restart(&self, node: &str, data: Data) -> Result<(), String>;

    /// The node's data directory, which power loss undoes and which disk errors are about.
    fn data(&self, _node: &str) -> Option<PathBuf> {
        None
    }

    /// Lets nothing pass from one node to another, below their sockets. `Ok(false)`: this is not to
    /// be had here, and the injector cuts sockets instead.
    ///
    /// # Errors
    /// Says why the link could not be cut.
    fn cut(&self, _from: &str, _to: &str) -> Result<bool, String> {
        Ok(false)
    }

    /// Ends a cut that `cut` made.
    ///
    /// # Errors
    /// Says why the link is still cut.
    fn heal(&self, _from: &str, _to: &str) -> Result<(), String> {
        Ok(())
    }
}
