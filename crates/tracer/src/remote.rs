//! A handle on a node that runs: to let it stand still, to kill it, and to reach its sockets. It
//! can be used from any thread, also from within an observer.

use std::os::fd::{AsRawFd, OwnedFd};
use std::sync::Arc;
use std::time::Duration;

use crate::descriptor;
use crate::event::{Channel, NodeId};
use crate::launch::Control;

/// One node, while it runs.
#[derive(Clone, Debug)]
pub struct Remote {
    pub(crate) node: NodeId,
    pub(crate) control: Arc<Control>,
}

impl Remote {
    /// Which node.
    pub fn node(&self) -> NodeId {
        self.node
    }

    /// The live processes.
    pub fn processes(&self) -> Vec<i32> {
        self.control.processes().into_iter().map(|(process, _)| process).collect()
    }

    /// Kills every process of the node, those being born included (SIGKILL).
    pub fn kill(&self) {
        self.control.kill();
    }

    /// Lets every thread of the node stand still. Nobody but the node can tell: no process is
    /// stopped by a signal. Calls that are waiting may return EINTR when the node goes on, as after
    /// any stop. Called by an observer, the call observed does not run before [`Remote::resume`].
    pub fn pause(&self) {
        self.control.pause();
    }

    /// Lets the node go on. Pauses are counted: the last resume counts.
    pub fn resume(&self) {
        self.control.resume();
    }

    /// Waits until every thread stands still after [`Remote::pause`] (or the node has ended); false
    /// if some run on after `limit`. Not to be called by an observer of the same node.
    pub fn still(&self, limit: Duration) -> bool {
        self.control.still(limit)
    }

    /// Waits until every process of the node has ended; false if some live on after `limit`.
    pub fn finished(&self, limit: Duration) -> bool {
        self.control.finished(limit)
    }

    /// Duplicates of every socket the node holds, each once. While one lives, its socket does not
    /// close.
    pub fn sockets(&self) -> Vec<(Channel, OwnedFd)> {
        let mut sockets: Vec<(Channel, OwnedFd)> = Vec::new();
        for (process, handle) in self.control.processes() {
            for (number, endpoint) in descriptor::scan(process).channels() {
                let Channel::Socket(_) = endpoint.channel else { continue };
                if sockets.iter().any(|(known, _)| *known == endpoint.channel) {
                    continue;
                }
                if let Some(copy) = copy_of(&handle, process, number, endpoint.channel) {
                    sockets.push((endpoint.channel, copy));
                }
            }
        }
        sockets
    }

    /// The processes that hold a channel.
    pub fn holders(&self, channel: Channel) -> Vec<i32> {
        let holds = |process: &i32| {
            let numbers = descriptor::scan(*process).channels();
            numbers.iter().any(|(_, known)| known.channel == channel)
        };
        self.processes().into_iter().filter(holds).collect()
    }

    /// A duplicate of one socket or pipe, if the node still holds it.
    pub fn duplicate(&self, channel: Channel) -> Option<OwnedFd> {
        self.control.processes().into_iter().find_map(|(process, handle)| {
            let numbers = descriptor::scan(process).channels();
            let (number, _) = numbers.into_iter().find(|(_, known)| known.channel == channel)?;
            copy_of(&handle, process, number, channel)
        })
    }
}

impl Remote {
    /// Takes a channel off every epoll set of a process that is about to close it. The kernel does
    /// so when the last descriptor of a socket closes, which a duplicate elsewhere prevents: then
    /// the program would go on to be told of a descriptor it has closed.
    pub fn unwatch(&self, process: i32, channel: Channel) {
        let processes = self.control.processes();
        let Some((_, handle)) = processes.into_iter().find(|(known, _)| *known == process) else {
            return;
        };
        let all = descriptor::scan(process).channels();
        let own = all.into_iter().filter(|(_, endpoint)| endpoint.channel == channel);
        let numbers: Vec<i32> = own.map(|(number, _)| number).collect();
        for epoll in descriptor::epolls(process) {
            for number in numbers.iter().filter(|number| epoll.watched.contains(number)) {
                let set = descriptor::duplicate(Some(&handle), process, epoll.number);
                let socket = descriptor::duplicate(Some(&handle), process, *number);
                if let (Ok(set), Ok(socket)) = (set, socket) {
                    descriptor::unwatch(&set, &socket, *number);
                }
            }
        }
    }
}

/// Duplicates a descriptor, unless its number means something else by now.
fn copy_of(handle: &OwnedFd, process: i32, number: i32, channel: Channel) -> Option<OwnedFd> {
    let copy = descriptor::duplicate(Some(handle), process, number).ok()?;
    let own = std::process::id() as i32;
    let found = descriptor::resolve(own, copy.as_raw_fd()).ok().flatten();
    (found.map(|endpoint| endpoint.channel) == Some(channel)).then_some(copy)
}
