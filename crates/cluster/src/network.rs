//! Addresses for nodes: a network namespace each, joined by a bridge in a namespace of its own; or
//! addresses of the loopback device.
//!
//! Namespaces have no names in the file system: they live as long as a process or a descriptor of
//! ours does, so they cannot be left behind.

use std::fs::File;
use std::io;
use std::net::{IpAddr, Ipv4Addr};
use std::os::fd::{AsRawFd, OwnedFd};

use crate::file::Isolation;
use crate::netlink::{self, Neighbours};

/// How nodes are kept apart in this run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Isolated {
    /// By network namespaces.
    Namespaces,
    /// By addresses of the loopback device only.
    Loopback,
}

impl Isolated {
    /// As it stands in records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Namespaces => "namespaces",
            Self::Loopback => "loopback",
        }
    }
}

/// How nodes will be kept apart on this machine, found by trying.
///
/// # Errors
/// If namespaces are asked for and the system refuses them.
pub fn isolation(wanted: Isolation) -> io::Result<Isolated> {
    Network::new(wanted, 1).map(|network| network.isolated)
}

/// The network of a run.
#[derive(Debug)]
pub(crate) struct Network {
    pub(crate) isolated: Isolated,
    /// The namespace of the bridge.
    pub(crate) hub: Option<OwnedFd>,
    pub(crate) nodes: Vec<Place>,
}

/// Where a node is.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) address: IpAddr,
    pub(crate) namespace: Option<OwnedFd>,
    neighbours: Option<Neighbours>,
}

impl Place {
    /// Lets nothing that is sent from here reach another place, or lets it again. False if that is
    /// not to be had here.
    pub(crate) fn cut(&self, to: &Place, cut: bool) -> io::Result<bool> {
        match (&self.neighbours, to.address) {
            (Some(neighbours), IpAddr::V4(address)) => neighbours.cut(address, cut).map(|()| true),
            _ => Ok(false),
        }
    }
}

/// Nodes are 10.77.0.1 and up.
const SUBNET: [u8; 3] = [10, 77, 0];
/// With the workload's.
pub(crate) const NODES_MAX: usize = 200;

impl Network {
    /// A network for so many nodes. Why there are no namespaces is given if they were asked for.
    pub(crate) fn new(isolation: Isolation, count: usize) -> io::Result<Self> {
        if count > NODES_MAX {
            return Err(io::Error::other(format!("more than {NODES_MAX} nodes")));
        }
        match isolation {
            Isolation::Loopback => Ok(Self::loopback(count)),
            Isolation::Namespaces => Self::namespaces(count),
            Isolation::Auto => Self::namespaces(count).or_else(|_| Ok(Self::loopback(count))),
        }
    }

    /// 127.x.y.z, where x and y differ between processes that run clusters at the same time.
    fn loopback(count: usize) -> Self {
        let own = std::process::id();
        let (second, third) = ((own >> 8) as u8 % 200 + 32, own as u8);
        let place = |index: usize| Place {
            address: IpAddr::V4(Ipv4Addr::new(127, second, third, index as u8 + 1)),
            namespace: None,
            neighbours: None,
        };
        Self { isolated: Isolated::Loopback, hub: None, nodes: (0..count).map(place).collect() }
    }

    fn namespaces(count: usize) -> io::Result<Self> {
        let hub = new_namespace(|| netlink::bridge("bridge"))?;
        let mut nodes = Vec::with_capacity(count);
        for index in 0..count {
            let number = index as u8 + 1;
            let address = Ipv4Addr::new(SUBNET[0], SUBNET[1], SUBNET[2], number);
            let namespace = new_namespace(|| netlink::up("lo"))?;
            enter(&hub, || {
                netlink::pair(&format!("n{number}"), "bridge", "eth0", &namespace, number)
            })??;
            let neighbours = enter(&namespace, || {
                netlink::address("eth0", address, 24)?;
                netlink::up("eth0")?;
                // Programs that keep the caller's uid may use any port. Not all systems allow this.
                let _ = std::fs::write("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0");
                // Nodes have IPv4 addresses; those of IPv6 that a device gives itself would be a way
                // around links that are cut.
                let _ = std::fs::write("/proc/sys/net/ipv6/conf/eth0/disable_ipv6", "1");
                Neighbours::of("eth0")
            })??;
            nodes.push(Place {
                address: IpAddr::V4(address),
                namespace: Some(namespace),
                neighbours: Some(neighbours),
            });
        }
        Ok(Self { isolated: Isolated::Namespaces, hub: Some(hub), nodes })
    }
}

/// Makes a network namespace and does something in it.
fn new_namespace(then: impl FnOnce() -> io::Result<()> + Send) -> io::Result<OwnedFd> {
    on_a_thread(|| {
        // SAFETY: unshare with a plain flag; only this short-lived thread is moved.
        if unsafe { libc::unshare(libc::CLONE_NEWNET) } != 0 {
            return Err(io::Error::last_os_error());
        }
        let namespace = File::open("/proc/thread-self/ns/net")?;
        then()?;
        Ok(OwnedFd::from(namespace))
    })?
}

/// Does something in a network namespace, on a thread that is moved there.
pub(crate) fn enter<T: Send>(
    namespace: &OwnedFd,
    then: impl FnOnce() -> T + Send,
) -> io::Result<T> {
    on_a_thread(|| {
        // SAFETY: setns on a descriptor we own; only this short-lived thread is moved.
        if unsafe { libc::setns(namespace.as_raw_fd(), libc::CLONE_NEWNET) } != 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(then())
    })?
}

fn on_a_thread<T: Send>(work: impl FnOnce() -> T + Send) -> io::Result<T> {
    std::thread::scope(|scope| {
        let thread =
            std::thread::Builder::new().name("network".into()).spawn_scoped(scope, work)?;
        thread.join().map_err(|_| io::Error::other("the thread in the namespace panicked"))
    })
}
