//! Which descriptors carry messages, and what the kernel says of a socket.
//!
//! Descriptors are resolved through /proc when they are first used, so inherited, passed and
//! otherwise unseen ones are found too. What was found is kept per descriptor table until a call
//! that can change it.

use std::collections::BTreeMap;
use std::ffi::CString;
use std::fs;
use std::io;
use std::mem::{MaybeUninit, size_of};
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd};

use crate::address;
use crate::event::{Address, Channel, Endpoint, SocketFacts, Transport};

const SO_NETNS_COOKIE: i32 = 71;
/// Opens a descriptor for one thread, not the process (Linux 6.9).
const PIDFD_THREAD: u32 = libc::O_EXCL as u32;

/// The descriptors of one files table (a process, or several that share it).
#[derive(Clone, Debug, Default)]
pub(crate) struct Table {
    slots: BTreeMap<i32, Option<Endpoint>>,
    /// How many descriptors of each endpoint there are.
    counts: BTreeMap<Endpoint, u32>,
}

impl Table {
    /// What is known of a descriptor: `None` nothing, `Some(None)` that it carries no messages.
    pub(crate) fn known(&self, descriptor: i32) -> Option<Option<Endpoint>> {
        self.slots.get(&descriptor).copied()
    }

    /// Enters a descriptor. True if the table had none of that endpoint.
    pub(crate) fn insert(&mut self, descriptor: i32, endpoint: Option<Endpoint>) -> bool {
        let first = endpoint.is_some_and(|endpoint| !self.counts.contains_key(&endpoint));
        if let Some(endpoint) = endpoint {
            *self.counts.entry(endpoint).or_default() += 1;
        }
        let before = self.slots.insert(descriptor, endpoint);
        self.uncount(before.flatten());
        first
    }

    /// Forgets a descriptor; gives its endpoint if that was the last of it.
    pub(crate) fn remove(&mut self, descriptor: i32) -> Option<Endpoint> {
        let endpoint = self.slots.remove(&descriptor).flatten()?;
        self.uncount(Some(endpoint));
        (!self.counts.contains_key(&endpoint)).then_some(endpoint)
    }

    fn uncount(&mut self, endpoint: Option<Endpoint>) {
        let Some(endpoint) = endpoint else { return };
        if let Some(count) = self.counts.get_mut(&endpoint) {
            *count -= 1;
            if *count == 0 {
                self.counts.remove(&endpoint);
            }
        }
    }

    /// The endpoint of a descriptor if it is the last of it.
    pub(crate) fn last(&self, descriptor: i32) -> Option<Endpoint> {
        let endpoint = self.known(descriptor).flatten()?;
        (self.counts.get(&endpoint) == Some(&1)).then_some(endpoint)
    }

    /// The descriptors in a range, in order.
    pub(crate) fn range(&self, first: i32, last: i32) -> Vec<i32> {
        self.slots.range(first..=last).map(|(descriptor, _)| *descriptor).collect()
    }

    /// The descriptors of channels.
    pub(crate) fn channels(&self) -> Vec<(i32, Endpoint)> {
        self.slots.iter().filter_map(|(number, slot)| Some((*number, (*slot)?))).collect()
    }

    /// Every endpoint, each once.
    pub(crate) fn endpoints(&self) -> Vec<Endpoint> {
        self.counts.keys().copied().collect()
    }

    /// True if a channel can be both read and written through descriptors of the table.
    pub(crate) fn holds_both_ends(&self, channel: Channel) -> bool {
        let ends = self.ends(channel);
        ends.clone().any(|end| end.read) && ends.clone().any(|end| end.write)
    }

    /// True if some descriptor refers to a channel.
    pub(crate) fn holds_any_end(&self, channel: Channel) -> bool {
        self.ends(channel).next().is_some()
    }

    fn ends(&self, channel: Channel) -> impl Iterator<Item = Endpoint> + Clone + '_ {
        let first = Endpoint { channel, read: false, write: false };
        let last = Endpoint { channel, read: true, write: true };
        self.counts.range(first..=last).map(|(endpoint, _)| *endpoint)
    }

    /// A descriptor a channel can be read through.
    pub(crate) fn read_end(&self, channel: Channel) -> Option<i32> {
        let fits = |slot: &Option<Endpoint>| {
            slot.is_some_and(|endpoint| endpoint.channel == channel && endpoint.read)
        };
        self.slots.iter().find(|(_, slot)| fits(slot)).map(|(number, _)| *number)
    }
}

fn stat(path: &str, follow: bool) -> io::Result<libc::stat> {
    let path = CString::new(path).map_err(|_| io::ErrorKind::InvalidInput)?;
    let mut stat = MaybeUninit::<libc::stat>::zeroed();
    let flags = if follow { 0 } else { libc::AT_SYMLINK_NOFOLLOW };
    // SAFETY: `path` ends in NUL and `stat` is writable.
    if unsafe { libc::fstatat(libc::AT_FDCWD, path.as_ptr(), stat.as_mut_ptr(), flags) } != 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: fstatat filled it.
    Ok(unsafe { stat.assume_init() })
}

/// What a descriptor of a thread refers to; `None` if it carries no messages.
pub(crate) fn resolve(thread: i32, descriptor: i32) -> io::Result<Option<Endpoint>> {
    let path = format!("/proc/{thread}/fd/{descriptor}");
    let found = stat(&path, true)?;
    Ok(match found.st_mode & libc::S_IFMT {
        libc::S_IFSOCK => {
            Some(Endpoint { channel: Channel::Socket(found.st_ino), read: true, write: true })
        }
        libc::S_IFIFO => {
            // The mode of the link itself tells how the descriptor was opened.
            let link = stat(&path, false)?;
            Some(Endpoint {
                // The kernel's numbers of devices have 32 bits.
                channel: Channel::Pipe(found.st_dev as u32, found.st_ino),
                read: link.st_mode & libc::S_IRUSR != 0,
                write: link.st_mode & libc::S_IWUSR != 0,
            })
        }
        _ => None,
    })
}

/// All descriptors of a thread that carry messages.
pub(crate) fn scan(thread: i32) -> Table {
    let mut table = Table::default();
    let Ok(entries) = fs::read_dir(format!("/proc/{thread}/fd")) else { return table };
    for entry in entries.flatten() {
        let Some(descriptor) = entry.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        if let Ok(Some(endpoint)) = resolve(thread, descriptor) {
            table.insert(descriptor, Some(endpoint));
        }
    }
    table
}

/// The descriptors of a thread that carry messages and that an exec leaves open.
pub(crate) fn inherited(thread: i32) -> Vec<i32> {
    let closes = |descriptor: i32| {
        let text =
            fs::read_to_string(format!("/proc/{thread}/fdinfo/{descriptor}")).unwrap_or_default();
        let flags = text.lines().find_map(|line| line.strip_prefix("flags:"));
        let flags = flags.and_then(|flags| i32::from_str_radix(flags.trim(), 8).ok());
        flags.is_some_and(|flags| flags & libc::O_CLOEXEC != 0)
    };
    let mut numbers = scan(thread).range(0, i32::MAX);
    numbers.retain(|number| !closes(*number));
    numbers
}

/// An epoll set of a process: its descriptor, and those it watches.
#[derive(Debug)]
pub(crate) struct Epoll {
    pub(crate) number: i32,
    pub(crate) watched: Vec<i32>,
}

/// The epoll sets of a process.
pub(crate) fn epolls(process: i32) -> Vec<Epoll> {
    let Ok(entries) = fs::read_dir(format!("/proc/{process}/fdinfo")) else { return Vec::new() };
    let numbers = entries.flatten().filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    numbers
        .filter_map(|number: i32| {
            let text = fs::read_to_string(format!("/proc/{process}/fdinfo/{number}")).ok()?;
            let watched: Vec<i32> = text
                .lines()
                .filter_map(|line| {
                    line.strip_prefix("tfd:")?.split_whitespace().next()?.parse().ok()
                })
                .collect();
            (!watched.is_empty()).then_some(Epoll { number, watched })
        })
        .collect()
}

/// Takes a socket off an epoll set, in which it stands under `number`. epoll knows what it watches
/// by file and number, so the socket must have this number here too: in a table of descriptors of
/// a thread's own, where it overwrites nothing of ours.
pub(crate) fn unwatch(set: &OwnedFd, socket: &OwnedFd, number: i32) {
    let (set, socket) = (set.as_raw_fd(), socket.as_raw_fd());
    let work = move || {
        // SAFETY: plain calls on numbers of this thread's own table, which goes with it. The set
        // is moved out of the way of the number first.
        unsafe {
            if libc::unshare(libc::CLONE_FILES) != 0 {
                return;
            }
            let set = libc::fcntl(set, libc::F_DUPFD_CLOEXEC, number + 1);
            if libc::dup2(socket, number) == number {
                libc::epoll_ctl(set, libc::EPOLL_CTL_DEL, number, std::ptr::null_mut());
            }
        }
    };
    if let Ok(thread) = std::thread::Builder::new().spawn(work) {
        let _ = thread.join();
    }
}

/// The path a descriptor was opened by.
pub(crate) fn path(thread: i32, descriptor: i32) -> Option<String> {
    let target = fs::read_link(format!("/proc/{thread}/fd/{descriptor}")).ok()?;
    Some(target.to_string_lossy().into_owned())
}

/// True if two processes or threads share one files table.
pub(crate) fn share_files(one: i32, other: i32) -> io::Result<bool> {
    const KCMP_FILES: i32 = 2;
    // SAFETY: kcmp with plain integers.
    let order = unsafe { libc::syscall(libc::SYS_kcmp, one, other, KCMP_FILES, 0, 0) };
    if order < 0 { Err(io::Error::last_os_error()) } else { Ok(order == 0) }
}

/// A handle of a process that stays valid when its number is used again.
pub(crate) fn open_process(process: i32, flags: u32) -> io::Result<OwnedFd> {
    // SAFETY: pidfd_open with plain integers.
    let descriptor = unsafe { libc::syscall(libc::SYS_pidfd_open, process, flags) };
    if descriptor < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: a fresh descriptor nobody else owns.
    Ok(unsafe { OwnedFd::from_raw_fd(descriptor as i32) })
}

/// Duplicates a descriptor of a traced process into this one. Drop it soon: while it lives, the
/// socket does not close when the process ends.
pub(crate) fn duplicate(
    process: Option<&OwnedFd>,
    thread: i32,
    descriptor: i32,
) -> io::Result<OwnedFd> {
    let get = |handle: &OwnedFd| {
        // SAFETY: pidfd_getfd with plain integers.
        let copy =
            unsafe { libc::syscall(libc::SYS_pidfd_getfd, handle.as_raw_fd(), descriptor, 0) };
        if copy < 0 {
            return Err(io::Error::last_os_error());
        }
        // SAFETY: a fresh descriptor nobody else owns.
        Ok(unsafe { OwnedFd::from_raw_fd(copy as i32) })
    };
    match process.map(get) {
        Some(Ok(copy)) => Ok(copy),
        // The first thread of the process may have ended before the others.
        _ => get(&open_process(thread, PIDFD_THREAD)?),
    }
}

/// How many bytes lie in a pipe, and up to `limit` of the first of them, which stay there.
pub(crate) fn unread(pipe: &OwnedFd, limit: usize) -> io::Result<(u64, Vec<u8>)> {
    let mut length: libc::c_int = 0;
    // SAFETY: FIONREAD writes one int.
    if unsafe { libc::ioctl(pipe.as_raw_fd(), libc::FIONREAD, &raw mut length) } != 0 {
        return Err(io::Error::last_os_error());
    }
    let length = u64::try_from(length).unwrap_or(0);
    let wanted = limit.min(length as usize);
    if wanted == 0 {
        return Ok((length, Vec::new()));
    }
    let (mut reader, writer) = io::pipe()?;
    // SAFETY: tee(2) on two live pipes; it copies and takes nothing.
    let copied =
        unsafe { libc::tee(pipe.as_raw_fd(), writer.as_raw_fd(), wanted, libc::SPLICE_F_NONBLOCK) };
    let mut bytes = vec![0; usize::try_from(copied).unwrap_or(0)];
    io::Read::read_exact(&mut reader, &mut bytes)?;
    Ok((length, bytes))
}

fn option<T: Default>(socket: &OwnedFd, name: i32) -> io::Result<T> {
    read_option(socket, libc::SOL_SOCKET, name)
}

/// `T` is a plain integer or an array of them.
fn read_option<T: Default>(socket: &OwnedFd, level: i32, name: i32) -> io::Result<T> {
    let mut value = T::default();
    let mut length = size_of::<T>() as libc::socklen_t;
    // SAFETY: the kernel writes at most `length` bytes to `value`, which is made of integers.
    let result = unsafe {
        libc::getsockopt(socket.as_raw_fd(), level, name, (&raw mut value).cast(), &raw mut length)
    };
    if result != 0 { Err(io::Error::last_os_error()) } else { Ok(value) }
}

fn name_of(socket: &OwnedFd, peer: bool) -> io::Result<Address> {
    let mut bytes = [0_u8; size_of::<libc::sockaddr_storage>()];
    let mut length = bytes.len() as libc::socklen_t;
    let get = if peer { libc::getpeername } else { libc::getsockname };
    // SAFETY: the kernel writes at most `length` bytes; the buffer is as large as any address.
    if unsafe { get(socket.as_raw_fd(), bytes.as_mut_ptr().cast(), &raw mut length) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(address::parse(&bytes[..bytes.len().min(length as usize)]))
}

/// True if O_NONBLOCK is set.
pub(crate) fn is_non_blocking(file: &OwnedFd) -> bool {
    // SAFETY: fcntl with plain integers on a live descriptor.
    let flags = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GETFL) };
    flags >= 0 && flags & libc::O_NONBLOCK != 0
}

/// False if what is peeked at is not what is received next (SO_PEEK_OFF).
pub(crate) fn peeks_at_the_start(socket: &OwnedFd) -> bool {
    option::<i32>(socket, libc::SO_PEEK_OFF).map_or(true, |offset| offset < 0)
}

/// How many bytes a receive that waits, waits for.
pub(crate) fn low_water(socket: &OwnedFd) -> Option<i32> {
    option(socket, libc::SO_RCVLOWAT).ok()
}

/// Half of what the send buffer of a TCP connection has room for, as the kernel counts it: bytes
/// with their overhead. 0 if it cannot be told.
pub(crate) fn room(socket: &OwnedFd) -> u64 {
    const SO_MEMINFO: i32 = 55;
    const SEND_BUFFER: usize = 3; // SK_MEMINFO_SNDBUF
    const QUEUED: usize = 5; // SK_MEMINFO_WMEM_QUEUED
    let memory = read_option::<[u32; 9]>(socket, libc::SOL_SOCKET, SO_MEMINFO).unwrap_or_default();
    u64::from(memory[SEND_BUFFER].saturating_sub(memory[QUEUED])) / 2
}

/// True if a TCP connection is established both ways.
pub(crate) fn is_established(socket: &OwnedFd) -> bool {
    const ESTABLISHED: u8 = 1;
    read_option::<u8>(socket, libc::IPPROTO_TCP, libc::TCP_INFO)
        .is_ok_and(|state| state == ESTABLISHED)
}

/// True if a connection has a peer: it was made, and has neither been reset nor ended both ways.
pub(crate) fn has_peer(socket: &OwnedFd) -> bool {
    let mut bytes = [0_u8; size_of::<libc::sockaddr_storage>()];
    let mut length = bytes.len() as libc::socklen_t;
    // SAFETY: the kernel writes at most `length` bytes; the buffer is as large as any address.
    unsafe {
        libc::getpeername(socket.as_raw_fd(), bytes.as_mut_ptr().cast(), &raw mut length) == 0
    }
}

/// Asks the kernel about a socket; `None` if its family carries no messages we follow.
pub(crate) fn facts(socket: &OwnedFd, inode: u64) -> io::Result<Option<SocketFacts>> {
    let domain: i32 = option(socket, libc::SO_DOMAIN)?;
    if !matches!(domain, libc::AF_INET | libc::AF_INET6 | libc::AF_UNIX) {
        return Ok(None);
    }
    let transport = match option::<i32>(socket, libc::SO_TYPE)? {
        libc::SOCK_STREAM => Transport::Stream,
        libc::SOCK_DGRAM => Transport::Datagram,
        libc::SOCK_SEQPACKET => Transport::Packet,
        _ => return Ok(None),
    };
    let peer = name_of(socket, true).ok();
    let local_family = domain == libc::AF_UNIX;
    Ok(Some(SocketFacts {
        transport,
        local_family,
        local: name_of(socket, false).unwrap_or(Address::Unnamed),
        peer_channel: (local_family && peer.is_some()).then(|| unix_peer(inode)).flatten(),
        peer,
        network: option::<u64>(socket, SO_NETNS_COOKIE).unwrap_or(0),
        listening: option::<i32>(socket, libc::SO_ACCEPTCONN).unwrap_or(0) != 0,
        passed: false,
    }))
}

/// The inode of the socket at the other end of an AF_UNIX connection (sock_diag(7)).
fn unix_peer(inode: u64) -> Option<Channel> {
    const SOCK_DIAG_BY_FAMILY: u16 = 20;
    const UDIAG_SHOW_PEER: u32 = 4;
    const UNIX_DIAG_PEER: u16 = 2;
    // SAFETY: socket(2) with plain integers.
    let raw = unsafe {
        libc::socket(
            libc::AF_NETLINK,
            libc::SOCK_DGRAM | libc::SOCK_CLOEXEC,
            libc::NETLINK_SOCK_DIAG,
        )
    };
    if raw < 0 {
        return None;
    }
    // SAFETY: a fresh descriptor nobody else owns.
    let socket = unsafe { OwnedFd::from_raw_fd(raw) };
    // struct nlmsghdr (16 bytes), then struct unix_diag_req (24 bytes).
    let mut request = Vec::with_capacity(40);
    request.extend(40_u32.to_ne_bytes());
    request.extend(SOCK_DIAG_BY_FAMILY.to_ne_bytes());
    request.extend((libc::NLM_F_REQUEST as u16).to_ne_bytes());
    request.extend([0; 8]); // sequence, port
    request.extend([libc::AF_UNIX as u8, 0, 0, 0]);
    request.extend(u32::MAX.to_ne_bytes()); // any state
    request.extend((inode as u32).to_ne_bytes());
    request.extend(UDIAG_SHOW_PEER.to_ne_bytes());
    request.extend([0xff; 8]); // any cookie
    // SAFETY: the buffer is live and of the stated length.
    let sent = unsafe { libc::send(socket.as_raw_fd(), request.as_ptr().cast(), request.len(), 0) };
    if sent != request.len() as isize {
        return None;
    }
    let mut reply = [0_u8; 512];
    // SAFETY: the kernel writes at most the stated length. It answers before send returns.
    let count = unsafe {
        libc::recv(socket.as_raw_fd(), reply.as_mut_ptr().cast(), reply.len(), libc::MSG_DONTWAIT)
    };
    let reply = reply.get(..usize::try_from(count).ok()?)?;
    let half = |at: usize| Some(u16::from_ne_bytes(reply.get(at..at + 2)?.try_into().ok()?));
    let word = |at: usize| Some(u32::from_ne_bytes(reply.get(at..at + 4)?.try_into().ok()?));
    if half(4)? != SOCK_DIAG_BY_FAMILY {
        return None;
    }
    // nlmsghdr, struct unix_diag_msg (16 bytes), then attributes { length u16, type u16, data }.
    let mut at = 32;
    while at + 4 <= reply.len() {
        let length = usize::from(half(at)?);
        if half(at + 2)? == UNIX_DIAG_PEER {
            // 0: the peer has not been accepted yet.
            return word(at + 4)
                .filter(|peer| *peer != 0)
                .map(|peer| Channel::Socket(u64::from(peer)));
        }
        at += length.max(4).next_multiple_of(4);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::net::UnixStream;

    #[test]
    fn the_kernel_tells_the_peer_of_a_unix_socket() {
        let (one, other) = UnixStream::pair().unwrap();
        let own = std::process::id() as i32;
        let channel =
            |socket: &UnixStream| resolve(own, socket.as_raw_fd()).unwrap().unwrap().channel;
        let Channel::Socket(inode) = channel(&one) else { panic!() };
        let facts = facts(&OwnedFd::from(one.try_clone().unwrap()), inode).unwrap().unwrap();
        assert_eq!(facts.peer_channel, Some(channel(&other)));
        assert_eq!(facts.transport, Transport::Stream);
    }

    #[test]
    fn a_table_counts_the_descriptors_of_an_endpoint() {
        let endpoint = Endpoint { channel: Channel::Socket(1), read: true, write: true };
        let mut table = Table::default();
        assert!(table.insert(3, Some(endpoint)));
        assert!(!table.insert(4, Some(endpoint)));
        assert!(!table.insert(5, None));
        assert_eq!(table.remove(3), None);
        assert_eq!(table.remove(4), Some(endpoint));
        assert_eq!(table.remove(5), None);
    }
}
