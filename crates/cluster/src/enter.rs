//! Namespaces of processes: ours, for callers who are not root, and those of each node.

use std::ffi::CString;
use std::fs;
use std::io;

/// Moves the calling process into a user and a network namespace of its own, where it is root and
/// may make networks for nodes. Call it first thing in `main`: the system allows it to processes
/// with one thread only. Does nothing for root, who may do all that anyhow.
///
/// # Errors
/// If the system refuses; then clusters run on the loopback device.
pub fn enter_private_namespaces() -> io::Result<()> {
    // SAFETY: geteuid and getegid have no preconditions.
    let (user, group) = unsafe { (libc::geteuid(), libc::getegid()) };
    if user == 0 {
        return Ok(());
    }
    // SAFETY: unshare with plain flags.
    if unsafe { libc::unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWNET) } != 0 {
        return Err(io::Error::last_os_error());
    }
    fs::write("/proc/self/setgroups", "deny")?;
    fs::write("/proc/self/gid_map", format!("0 {group} 1"))?;
    fs::write("/proc/self/uid_map", format!("0 {user} 1"))
}

/// The user and group that root in our namespace is outside it; `None` if root is root.
pub(crate) fn outer_user() -> Option<(u32, u32)> {
    let outer = |file: &str| -> Option<u32> {
        let map = fs::read_to_string(file).ok()?;
        let mut words = map.split_whitespace();
        let (inner, outer) = (words.next()?, words.next()?);
        (inner == "0").then(|| outer.parse().ok())?
    };
    let user = outer("/proc/self/uid_map")?;
    let group = outer("/proc/self/gid_map").unwrap_or(user);
    (user != 0).then_some((user, group))
}

/// What a child does between fork and exec to become a node. Everything is prepared before the
/// fork, since a child of a process with threads must not allocate.
#[derive(Clone, Debug, Default)]
pub(crate) struct Entry {
    /// Network namespace to enter.
    pub(crate) network: Option<i32>,
    /// The node's own `/etc/hosts`.
    pub(crate) hosts: Option<CString>,
    /// The node's own host name.
    pub(crate) host_name: Option<String>,
    /// User to be.
    pub(crate) user: Option<Become>,
}

/// How a child becomes another user.
#[derive(Clone, Debug)]
pub(crate) enum Become {
    /// Root is root: by setresuid.
    Set { user: u32, group: u32 },
    /// Root in our namespace only: by a namespace in which the caller has the old number again.
    Namespace { user_map: String, group_map: String },
}

fn check(result: i32) -> io::Result<()> {
    if result == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Writes to a file with system calls alone.
fn put(path: &std::ffi::CStr, content: &str) -> io::Result<()> {
    // SAFETY: a live path and buffer; the descriptor is ours and closed here.
    unsafe {
        let file = libc::open(path.as_ptr(), libc::O_WRONLY | libc::O_CLOEXEC);
        if file < 0 {
            return Err(io::Error::last_os_error());
        }
        let written = libc::write(file, content.as_ptr().cast(), content.len());
        let error = io::Error::last_os_error();
        libc::close(file);
        if written == content.len() as isize { Ok(()) } else { Err(error) }
    }
}

impl Entry {
    /// To be called in the child. Makes system calls only.
    pub(crate) fn enter(&self) -> io::Result<()> {
        // SAFETY: system calls on descriptors and strings that live in `self`; all of them are
        // async-signal-safe, and the child has one thread.
        unsafe {
            // A session of its own: the terminal's signals are for us, not for the nodes.
            libc::setsid();
            if let Some(network) = self.network {
                check(libc::setns(network, libc::CLONE_NEWNET))?;
            }
            if self.network.is_some() && libc::unshare(libc::CLONE_NEWNS | libc::CLONE_NEWUTS) == 0
            {
                let root = c"/";
                let private = libc::MS_REC | libc::MS_PRIVATE;
                let none = std::ptr::null();
                libc::mount(none, root.as_ptr(), none, private, none.cast());
                if let Some(hosts) = &self.hosts {
                    // Without it nodes are found by address only.
                    let place = c"/etc/hosts";
                    libc::mount(hosts.as_ptr(), place.as_ptr(), none, libc::MS_BIND, none.cast());
                }
                if let Some(name) = &self.host_name {
                    libc::sethostname(name.as_ptr().cast(), name.len());
                }
            }
            match &self.user {
                None => {}
                Some(Become::Set { user, group }) => {
                    check(libc::setgroups(0, std::ptr::null()))?;
                    check(libc::setresgid(*group, *group, *group))?;
                    check(libc::setresuid(*user, *user, *user))?;
                }
                Some(Become::Namespace { user_map, group_map }) => {
                    check(libc::unshare(libc::CLONE_NEWUSER))?;
                    // Denied already in a namespace whose parent denies it.
                    let _ = put(c"/proc/self/setgroups", "deny");
                    put(c"/proc/self/uid_map", user_map)?;
                    put(c"/proc/self/gid_map", group_map)?;
                }
            }
        }
        Ok(())
    }
}
