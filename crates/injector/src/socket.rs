//! What is done to duplicates of a program's sockets.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};
use std::time::Duration;

/// `TCP_RTO_MAX_MS` (Linux 6.15): longest time between retransmissions.
const TCP_RTO_MAX_MS: i32 = 44;
/// Retransmissions of a connection that was cut come at least this often, so that it recovers soon
/// after it is healed.
const RETRANSMISSION_MAX_MS: i32 = 1000;
/// The kernel's own (TCP_RTO_MAX).
const RETRANSMISSION_DEFAULT_MS: i32 = 120_000;

fn set<T>(socket: &OwnedFd, level: i32, name: i32, value: &T) -> io::Result<()> {
    // SAFETY: the kernel reads `size_of::<T>()` bytes of `value`, and what it points to is live.
    let result = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            level,
            name,
            std::ptr::from_ref(value).cast(),
            size_of::<T>() as libc::socklen_t,
        )
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Drops everything that comes in, below TCP: the other side retransmits and nothing is lost when
/// the filter goes.
pub(crate) fn drop_all(socket: &OwnedFd) -> io::Result<()> {
    let mut instruction = libc::sock_filter { code: libc::BPF_RET as u16, jt: 0, jf: 0, k: 0 };
    let program = libc::sock_fprog { len: 1, filter: &raw mut instruction };
    set(socket, libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, &program)
}

/// Takes the filter off.
pub(crate) fn drop_nothing(socket: &OwnedFd) -> io::Result<()> {
    set(socket, libc::SOL_SOCKET, libc::SO_DETACH_FILTER, &0_i32)
}

/// Lets a cut connection recover soon after it is healed, where the kernel can.
pub(crate) fn retransmit_often(socket: &OwnedFd) {
    // An older kernel does not know the option: then healing takes its back-off.
    let _ = set(socket, libc::IPPROTO_TCP, TCP_RTO_MAX_MS, &RETRANSMISSION_MAX_MS);
}

/// Undoes [`retransmit_often`]: an orphaned connection whose retransmissions have reached their
/// longest pause is given up by the kernel.
pub(crate) fn retransmit_as_usual(socket: &OwnedFd) {
    let _ = set(socket, libc::IPPROTO_TCP, TCP_RTO_MAX_MS, &RETRANSMISSION_DEFAULT_MS);
}

/// Bytes (the end counts as one) that the peer has not acknowledged.
pub(crate) fn unacknowledged(socket: &OwnedFd) -> i32 {
    let mut count = 0_i32;
    // SAFETY: the kernel writes one integer.
    unsafe { libc::ioctl(socket.as_raw_fd(), libc::TIOCOUTQ, &raw mut count) };
    count
}

/// Resets a TCP connection: the peer gets a RST, and the program an error.
pub(crate) fn reset(socket: &OwnedFd) -> io::Result<()> {
    let nowhere =
        libc::sockaddr { sa_family: libc::AF_UNSPEC as libc::sa_family_t, sa_data: [0; 14] };
    // SAFETY: the address is live and of the stated length.
    let result = unsafe {
        let length = size_of::<libc::sockaddr>() as libc::socklen_t;
        libc::connect(socket.as_raw_fd(), &raw const nowhere, length)
    };
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Closes the last descriptor of a TCP connection without a word to its peer, as a host does that
/// went down: the kernel answers RST to what comes later. Without the privilege (CAP_NET_ADMIN)
/// the peer gets its RST at once.
pub(crate) fn forget(socket: OwnedFd) {
    if set(&socket, libc::IPPROTO_TCP, libc::TCP_REPAIR, &1_i32).is_err() {
        let now = libc::linger { l_onoff: 1, l_linger: 0 };
        let _ = set(&socket, libc::SOL_SOCKET, libc::SO_LINGER, &now);
    }
}

/// True for IPv4 and IPv6.
pub(crate) fn is_internet(socket: &OwnedFd) -> bool {
    let mut domain = 0_i32;
    let mut length = size_of::<i32>() as libc::socklen_t;
    // SAFETY: the kernel writes one integer.
    let known = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_DOMAIN,
            (&raw mut domain).cast(),
            &raw mut length,
        )
    };
    known == 0 && matches!(domain, libc::AF_INET | libc::AF_INET6)
}

/// Makes a program that waits to be able to send look again.
pub(crate) fn wake_senders(socket: &OwnedFd) {
    let mut size = 0_i32;
    let mut length = size_of::<i32>() as libc::socklen_t;
    // SAFETY: the kernel writes one integer.
    let known = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_SNDBUF,
            (&raw mut size).cast(),
            &raw mut length,
        )
    };
    if known == 0 {
        // The kernel doubles what it is given, and then tells who waits.
        let _ = set(socket, libc::SOL_SOCKET, libc::SO_SNDBUF, &(size / 2));
    }
}

/// Ends one or both directions.
pub(crate) fn shut(socket: &OwnedFd, how: i32) {
    // SAFETY: shutdown with plain integers.
    unsafe { libc::shutdown(socket.as_raw_fd(), how) };
}

/// Sends without waiting; how many bytes were taken.
pub(crate) fn send(socket: &OwnedFd, bytes: &[u8], to: &[u8]) -> io::Result<usize> {
    let address = if to.is_empty() { std::ptr::null() } else { to.as_ptr() };
    // SAFETY: both buffers are live and of the stated length.
    let count = unsafe {
        libc::sendto(
            socket.as_raw_fd(),
            bytes.as_ptr().cast(),
            bytes.len(),
            libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL,
            address.cast(),
            to.len() as libc::socklen_t,
        )
    };
    usize::try_from(count).map_err(|_| io::Error::last_os_error())
}

/// Waits until something can be sent (or the connection is gone), for at most `limit`.
pub(crate) fn wait_for_room(socket: &OwnedFd, limit: Duration) {
    let mut poll = libc::pollfd { fd: socket.as_raw_fd(), events: libc::POLLOUT, revents: 0 };
    // SAFETY: one live structure.
    unsafe { libc::poll(&raw mut poll, 1, limit.as_millis() as i32) };
}

/// True if file writes through this descriptor are durable when they return (O_SYNC, O_DSYNC).
pub(crate) fn is_synchronous(file: &OwnedFd) -> bool {
    // SAFETY: fcntl with plain integers.
    let flags = unsafe { libc::fcntl(file.as_raw_fd(), libc::F_GETFL) };
    flags >= 0 && flags & libc::O_DSYNC != 0
}
