//! The few requests of rtnetlink(7) that a network of nodes needs: a bridge, pairs of virtual
//! Ethernet devices, addresses. They act on the network namespace of the calling thread.

use std::ffi::CString;
use std::io;
use std::net::Ipv4Addr;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};
use std::sync::{Mutex, PoisonError};

const IFLA_ADDRESS: u16 = 1;
const IFLA_IFNAME: u16 = 3;
const IFLA_MASTER: u16 = 10;
const IFLA_LINKINFO: u16 = 18;
const IFLA_NET_NS_FD: u16 = 28;
const IFLA_INFO_KIND: u16 = 1;
const IFLA_INFO_DATA: u16 = 2;
const VETH_INFO_PEER: u16 = 1;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const NDA_DST: u16 = 1;
const NDA_LLADDR: u16 = 2;
const NUD_PERMANENT: u16 = 0x80;
const CREATE: u16 = (libc::NLM_F_CREATE | libc::NLM_F_EXCL) as u16;

/// Attributes: length, type, content, padding to four bytes.
#[derive(Default)]
struct Attributes(Vec<u8>);

impl Attributes {
    fn add(&mut self, kind: u16, content: &[u8]) {
        let length = 4 + content.len() as u16;
        self.0.extend(length.to_ne_bytes());
        self.0.extend(kind.to_ne_bytes());
        self.0.extend(content);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
    }

    fn name(&mut self, kind: u16, name: &str) {
        let mut content = name.as_bytes().to_vec();
        content.push(0);
        self.add(kind, &content);
    }
}

/// struct ifinfomsg: of no family, by index (0: by name), with the flag "up" or unchanged.
fn link_message(index: u32, up: bool) -> Vec<u8> {
    let flags = if up { libc::IFF_UP as u32 } else { 0 };
    let mut message = vec![libc::AF_UNSPEC as u8, 0, 0, 0];
    message.extend(index.to_ne_bytes());
    message.extend(flags.to_ne_bytes());
    message.extend(flags.to_ne_bytes());
    message
}

/// Opens a socket for requests about the network namespace of the calling thread.
fn open() -> io::Result<OwnedFd> {
    // SAFETY: socket(2) with plain integers.
    let raw = unsafe {
        libc::socket(libc::AF_NETLINK, libc::SOCK_RAW | libc::SOCK_CLOEXEC, libc::NETLINK_ROUTE)
    };
    if raw < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a fresh descriptor nobody else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(raw) })
}

fn request(kind: u16, flags: u16, body: &[u8]) -> io::Result<()> {
    exchange(&open()?, kind, flags, body)
}

/// Sends a request and waits for its acknowledgement.
fn exchange(socket: &OwnedFd, kind: u16, flags: u16, body: &[u8]) -> io::Result<()> {
    // struct nlmsghdr: length, type, flags, sequence, port.
    let mut message = ((16 + body.len()) as u32).to_ne_bytes().to_vec();
    message.extend(kind.to_ne_bytes());
    message.extend((flags | (libc::NLM_F_REQUEST | libc::NLM_F_ACK) as u16).to_ne_bytes());
    message.extend([0; 8]);
    message.extend(body);
    // SAFETY: the buffer is live and of the stated length.
    let sent = unsafe { libc::send(socket.as_raw_fd(), message.as_ptr().cast(), message.len(), 0) };
    if sent < 0 {
        return Err(io::Error::last_os_error());
    }
    let mut reply = [0_u8; 4096];
    // SAFETY: the kernel writes at most the stated length.
    let count =
        unsafe { libc::recv(socket.as_raw_fd(), reply.as_mut_ptr().cast(), reply.len(), 0) };
    if count < 20 {
        return Err(io::Error::last_os_error());
    }
    // struct nlmsgerr: a negative errno, or 0 for success.
    match i32::from_ne_bytes([reply[16], reply[17], reply[18], reply[19]]) {
        0 => Ok(()),
        error => Err(io::Error::from_raw_os_error(-error)),
    }
}

/// The index of a device.
fn index(name: &str) -> io::Result<u32> {
    let name = CString::new(name).map_err(io::Error::other)?;
    // SAFETY: a live string that ends with NUL.
    match unsafe { libc::if_nametoindex(name.as_ptr()) } {
        0 => Err(io::Error::last_os_error()),
        index => Ok(index),
    }
}

/// Switches a device on.
pub(crate) fn up(name: &str) -> io::Result<()> {
    request(libc::RTM_NEWLINK, 0, &link_message(index(name)?, true))
}

/// Makes a bridge that is on.
pub(crate) fn bridge(name: &str) -> io::Result<()> {
    let mut information = Attributes::default();
    information.name(IFLA_INFO_KIND, "bridge");
    let mut attributes = Attributes::default();
    attributes.name(IFLA_IFNAME, name);
    attributes.add(IFLA_LINKINFO, &information.0);
    let body = [link_message(0, true), attributes.0].concat();
    request(libc::RTM_NEWLINK, CREATE, &body)
}

/// Makes a pair of devices: `name` here, a port of `bridge` and on, and `peer` in another
/// namespace, with a hardware address that ends in `number`.
pub(crate) fn pair(
    name: &str,
    bridge: &str,
    peer: &str,
    namespace: &OwnedFd,
    number: u8,
) -> io::Result<()> {
    let mut other = Attributes::default();
    other.name(IFLA_IFNAME, peer);
    other.add(IFLA_ADDRESS, &hardware(number));
    other.add(IFLA_NET_NS_FD, &(namespace.as_raw_fd() as u32).to_ne_bytes());
    let mut data = Attributes::default();
    data.add(VETH_INFO_PEER, &[link_message(0, false), other.0].concat());
    let mut information = Attributes::default();
    information.name(IFLA_INFO_KIND, "veth");
    information.add(IFLA_INFO_DATA, &data.0);
    let mut attributes = Attributes::default();
    attributes.name(IFLA_IFNAME, name);
    attributes.add(IFLA_MASTER, &index(bridge)?.to_ne_bytes());
    attributes.add(IFLA_LINKINFO, &information.0);
    let body = [link_message(0, true), attributes.0].concat();
    request(libc::RTM_NEWLINK, CREATE, &body)
}

/// The hardware address of the node with this number.
fn hardware(number: u8) -> [u8; 6] {
    [2, 0, 0, 0, 0, number]
}

/// No node has this hardware address: nodes are numbered from 1.
const NOBODY: u8 = 0;

/// What a node takes the hardware addresses of the others to be.
///
/// A node that takes a wrong one sends as if nothing were amiss, and what it sends reaches nobody: all that
/// goes to the address of the other, of every protocol above IP, whichever process or kernel sends it. That is how
/// links are cut. What is sent to all (broadcast and multicast) has a hardware address of its own, and is not cut.
#[derive(Debug)]
pub(crate) struct Neighbours {
    /// Answers are read by whoever has asked.
    socket: Mutex<OwnedFd>,
    device: u32,
}

impl Neighbours {
    /// Those of the network namespace of the calling thread, beyond a device.
    pub(crate) fn of(device: &str) -> io::Result<Self> {
        Ok(Self { socket: Mutex::new(open()?), device: index(device)? })
    }

    /// Sends nothing to a neighbour any more, or sends to it as usual.
    pub(crate) fn cut(&self, neighbour: Ipv4Addr, cut: bool) -> io::Result<()> {
        let number = if cut { NOBODY } else { neighbour.octets()[3] };
        // struct ndmsg: family, padding, index, state, flags, type.
        let mut body = vec![libc::AF_INET as u8, 0, 0, 0];
        body.extend(self.device.to_ne_bytes());
        body.extend(NUD_PERMANENT.to_ne_bytes());
        body.extend([0, 0]);
        let mut attributes = Attributes::default();
        attributes.add(NDA_DST, &neighbour.octets());
        attributes.add(NDA_LLADDR, &hardware(number));
        body.extend(attributes.0);
        let flags = (libc::NLM_F_CREATE | libc::NLM_F_REPLACE) as u16;
        let socket = self.socket.lock().unwrap_or_else(PoisonError::into_inner);
        exchange(&socket, libc::RTM_NEWNEIGH, flags, &body)
    }
}

/// Gives a device an address.
pub(crate) fn address(name: &str, address: Ipv4Addr, prefix: u8) -> io::Result<()> {
    // struct ifaddrmsg: family, prefix length, flags, scope, index.
    let mut body = vec![libc::AF_INET as u8, prefix, 0, 0];
    body.extend(index(name)?.to_ne_bytes());
    let mut attributes = Attributes::default();
    attributes.add(IFA_LOCAL, &address.octets());
    attributes.add(IFA_ADDRESS, &address.octets());
    body.extend(attributes.0);
    request(libc::RTM_NEWADDR, CREATE, &body)
}
