//! What the tracer reports: typed events, in the order in which the calling threads stood still.
//!
//! An event of a *cause* (a send, a connect, a close) is reported at the entry of its call, before
//! the kernel acts, so that no effect can be seen earlier. An event of an *effect* (a receive, an
//! accept) is reported at the exit. Where a call has both, its `call` number joins the two events.

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::num::NonZeroU64;

use serde::{Deserialize, Serialize};

/// Index of a node: what one tracer thread launched and everything it started.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct NodeId(pub u32);

/// Number of one system call within its node, joining its entry and exit events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct CallId(pub u64);

/// What carries messages: one socket, one pipe, one FIFO. The kernel's inode names it for all
/// processes, so duplicated, inherited and passed descriptors are the same channel.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Channel {
    /// A socket (one side of a connection).
    Socket(u64),
    /// A pipe or FIFO (both ends): device and inode.
    Pipe(u32, u64),
}

impl fmt::Display for Channel {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Channel::Socket(inode) => write!(formatter, "socket:{inode}"),
            Channel::Pipe(device, inode) => write!(formatter, "pipe:{device}:{inode}"),
        }
    }
}

impl std::str::FromStr for Channel {
    type Err = String;

    fn from_str(text: &str) -> Result<Channel, String> {
        let number = |text: &str| text.parse::<u64>().map_err(|error| format!("{text}: {error}"));
        let short = |text: &str| text.parse::<u32>().map_err(|error| format!("{text}: {error}"));
        if let Some(inode) = text.strip_prefix("socket:") {
            return Ok(Channel::Socket(number(inode)?));
        }
        let pipe = text.strip_prefix("pipe:").and_then(|rest| rest.split_once(':'));
        let (device, inode) = pipe.ok_or_else(|| format!("not a channel: {text}"))?;
        Ok(Channel::Pipe(short(device)?, number(inode)?))
    }
}

impl Serialize for Channel {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Channel {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Channel, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

/// One way to use a channel: a socket both ways, a pipe by its read or write end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Endpoint {
    /// The channel.
    pub channel: Channel,
    /// Bytes can be received through it.
    pub read: bool,
    /// Bytes can be sent through it.
    pub write: bool,
}

/// The address of a socket. IPv4-mapped IPv6 addresses appear as IPv4.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Address {
    /// IPv4 or IPv6.
    Internet(SocketAddr),
    /// AF_UNIX: a path, or an abstract name shown with a leading `@`.
    Local(String),
    /// AF_UNIX without a name, or no address yet.
    Unnamed,
    /// `connect` with AF_UNSPEC: forget the peer (and reset a TCP connection).
    Unspecified,
    /// Another family, by number.
    Other(u16),
}

impl Address {
    /// An internet address of the loopback network, which each network namespace has its own of.
    pub fn is_loopback(&self) -> bool {
        matches!(self, Address::Internet(address) if address.ip().is_loopback())
    }

    /// True if a socket bound to `self` receives what is sent to `target`.
    pub fn accepts(&self, target: &Address) -> bool {
        match (self, target) {
            (Address::Internet(own), Address::Internet(other)) => {
                own.port() == other.port()
                    && (own.ip() == other.ip()
                        || own.ip().is_unspecified()
                        || other.ip().is_unspecified())
            }
            (Address::Local(own), Address::Local(other)) => own == other,
            _ => false,
        }
    }

    pub(crate) fn canonical(address: IpAddr) -> IpAddr {
        match address {
            IpAddr::V6(six) => six.to_ipv4_mapped().map_or(address, IpAddr::V4),
            IpAddr::V4(_) => address,
        }
    }
}

impl fmt::Display for Address {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Address::Internet(address) => write!(formatter, "{address}"),
            Address::Local(name) => write!(formatter, "unix:{name}"),
            Address::Unnamed => formatter.write_str("unnamed"),
            Address::Unspecified => formatter.write_str("unspecified"),
            Address::Other(family) => write!(formatter, "family:{family}"),
        }
    }
}

/// How a socket carries bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Transport {
    /// A byte stream: TCP, AF_UNIX SOCK_STREAM, a pipe.
    Stream,
    /// Messages without connection: UDP, AF_UNIX SOCK_DGRAM.
    Datagram,
    /// Messages over a connection: SOCK_SEQPACKET.
    Packet,
}

/// What is known of a socket when it is first met, or when its addresses became known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SocketFacts {
    /// How it carries bytes.
    pub transport: Transport,
    /// True for AF_UNIX.
    pub local_family: bool,
    /// The address it is bound to.
    pub local: Address,
    /// The address of its peer, once it is connected.
    pub peer: Option<Address>,
    /// The socket at the other end, where the kernel tells (AF_UNIX).
    pub peer_channel: Option<Channel>,
    /// Number of its network namespace; 0 where the kernel does not tell.
    pub network: u64,
    /// It listens for connections.
    pub listening: bool,
    /// A descriptor of it was sent in a message: it may live though no process holds it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub passed: bool,
}

/// The content of one message, or of one piece of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Payload {
    /// Bytes of the message: asked for at the entry of a send, returned at the exit of a receive.
    pub length: u64,
    /// The first bytes, up to [`crate::Options::payload_limit`]. In JSON a string with one
    /// character (U+0000 to U+00FF) per byte.
    #[serde(with = "bytes_as_text")]
    pub bytes: Vec<u8>,
    /// FNV-1a digest of the whole content; only for datagrams, which are matched by it.
    pub digest: Option<NonZeroU64>,
}

mod bytes_as_text {
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(bytes: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&bytes.iter().map(|byte| char::from(*byte)).collect::<String>())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Vec<u8>, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.chars()
            .map(|character| u8::try_from(character).map_err(serde::de::Error::custom))
            .collect()
    }
}

/// How a process or thread ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It called exit with this code.
    Code(i32),
    /// This signal killed it.
    Signal(i32),
}

impl Status {
    /// From a status as wait(2) and PTRACE_EVENT_EXIT give it.
    pub(crate) fn from_wait(status: i32) -> Status {
        if libc::WIFSIGNALED(status) {
            Status::Signal(libc::WTERMSIG(status))
        } else {
            Status::Code(libc::WEXITSTATUS(status))
        }
    }
}

/// How a thread made another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChildKind {
    /// A thread of the same process.
    Thread,
    /// A process.
    Process,
}

/// One event: who, and what.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Event {
    /// The node it happened in.
    pub node: NodeId,
    /// The process (thread group).
    pub process: i32,
    /// The thread.
    pub thread: i32,
    /// Nanoseconds since the start of the session. For people only: order is not decided by it.
    pub time_ns: u64,
    /// What happened.
    pub action: Action,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_false(value: &bool) -> bool {
    !value
}

/// What happened. *Entry*: reported before the kernel acts. *Exit*: after it has acted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs, reason = "the variant says what its fields mean")]
pub enum Action {
    /// A thread begins, right after the spawn that made it. `endpoints`: what it inherited (for a
    /// process).
    Begin { parent: Option<i32>, kind: ChildKind, endpoints: Vec<Endpoint> },
    /// A child was made; it has not run yet.
    Spawn { child: i32, kind: ChildKind },
    /// The vfork child exec'ed or exited, and this thread goes on.
    VforkDone { child: i32 },
    /// A new program runs in the process. `former`: the id of the thread that called exec.
    /// `closed`: what close-on-exec released; `endpoints`: what remains.
    Exec {
        program: Box<str>,
        arguments: Box<[String]>,
        former: i32,
        closed: Box<[Endpoint]>,
        endpoints: Box<[Endpoint]>,
    },
    /// A thread that is not the last of its process ends.
    ThreadExit { status: Status },
    /// A process ends; `closed` are the endpoints it still held.
    ProcessExit { status: Status, closed: Vec<Endpoint> },
    /// Exit of wait4 or waitid: the end of `child` was seen.
    Waited { child: i32 },

    /// A channel is met for the first time in this node, or more is known of it now.
    Socket { channel: Channel, facts: Box<SocketFacts> },
    /// Two sockets that are each other's peers (socketpair).
    Pair { first: Channel, second: Channel },
    /// Exit of a call that gave the process its first descriptor of an endpoint. `by_name`: it was
    /// opened by a path (a FIFO), and not made, inherited or passed on.
    Open {
        endpoint: Endpoint,
        #[serde(default, skip_serializing_if = "is_false")]
        by_name: bool,
    },
    /// Entry of a call that gives up the last descriptor of an endpoint in this process.
    Close { endpoint: Endpoint },
    /// Entry.
    Shutdown { channel: Channel, read: bool, write: bool },

    /// Entry of listen.
    Listen { channel: Channel },
    /// Entry of connect.
    Connect { call: CallId, channel: Channel, to: Address },
    /// Exit of connect. `error` EINPROGRESS: the connection is on its way.
    Connected { call: CallId, channel: Channel, error: Option<i32> },
    /// Exit of accept: `channel` is the new socket.
    Accept { listener: Channel, channel: Channel },

    /// Entry of a call that sends.
    Send { call: CallId, channel: Channel, to: Option<Box<Address>>, payload: Payload },
    /// Exit of a call that sends: how many bytes (and of a sendmmsg, how many messages) were
    /// taken. An interrupted call that will be restarted is EINTR here. `assumed`: reported at the
    /// entry, because a connection with room takes all bytes (unless it is reset this instant).
    Sent {
        call: CallId,
        messages: u32,
        bytes: u64,
        error: Option<i32>,
        #[serde(default, skip_serializing_if = "is_false")]
        assumed: bool,
    },
    /// Exit of a call that received. `truncated`: the buffer was too small for the datagram.
    /// `relay`: the bytes went on in the same call (splice, tee).
    Receive {
        channel: Channel,
        from: Option<Box<Address>>,
        payload: Payload,
        peek: bool,
        truncated: bool,
        relay: Option<Box<CallId>>,
    },
    /// Exit of a receive that found the end of the stream (or, of packets, an empty one: the
    /// kernel tells no difference, the tracker does).
    EndOfStream { channel: Channel },
    /// Exit of a receive that failed for good (ECONNRESET, ETIMEDOUT ...).
    ReceiveFailed { channel: Channel, error: i32 },

    /// Entry of a call of the fsync family.
    Sync { call: CallId, kind: String, path: Option<String> },
    /// Exit of a call of the fsync family.
    Synced { call: CallId, error: Option<i32> },
    /// Exit of a call that opened, renamed or unlinked a file (only with [`crate::Options::files`]).
    File { kind: Box<str>, path: Box<str>, target: Option<Box<str>>, error: Option<i32> },

    /// The observer answered a call in place of the kernel ([`crate::Decision::Answer`]); the call
    /// has no exit event.
    Answered { call: CallId, result: i64 },
    /// A call the tracer answered in place of the kernel, because what it does could not be seen.
    Denied { call: String, error: i32 },
    /// Something the tracer saw but does not follow; the order may miss edges because of it.
    NotFollowed { what: String },
}
