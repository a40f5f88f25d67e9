//! What works on this machine, found by trying it, and what to do about what does not.

use std::fs;
use std::io;
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use serde::Serialize;

use crate::{Decision, Event, LaunchError, NodeId, Options, descriptor, launch, memory};

/// How a probe went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Health {
    /// It works.
    Works,
    /// It does not, but only what [`Check::needed_for`] says is lost.
    Limited,
    /// It does not, and nothing can be traced without it.
    Missing,
}

/// One probe and its result.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Check {
    /// What was tried.
    pub name: &'static str,
    /// How it went.
    pub health: Health,
    /// What was found.
    pub found: String,
    /// What needs it.
    pub needed_for: &'static str,
    /// The exact remedy, where it does not work.
    pub remedy: Option<String>,
}

impl Check {
    fn new(
        name: &'static str,
        needed_for: &'static str,
        otherwise: Health,
        result: Result<String, (String, String)>,
    ) -> Check {
        match result {
            Ok(found) => Check { name, health: Health::Works, found, needed_for, remedy: None },
            Err((found, remedy)) => {
                Check { name, health: otherwise, found, needed_for, remedy: Some(remedy) }
            }
        }
    }
}

/// Runs every probe. Takes less than a second; starts and ends a few processes.
pub fn examine() -> Vec<Check> {
    use Health::{Limited, Missing};
    vec![
        Check::new("kernel", "everything", Missing, kernel()),
        Check::new("yama", "tracing", Missing, yama()),
        Check::new("seccomp", "tracing", Missing, seccomp()),
        Check::new("ptrace", "tracing", Missing, ptrace()),
        Check::new("process memory", "contents of messages", Missing, process_memory()),
        Check::new(
            "pidfd_getfd",
            "addresses of sockets, delays, silent crashes",
            Missing,
            pidfd_getfd(),
        ),
        Check::new(
            "kcmp",
            "processes that share descriptors without being threads",
            Limited,
            kcmp(),
        ),
        Check::new(
            "user namespaces",
            "a network of its own for each node, without root",
            Limited,
            user_namespaces(),
        ),
        Check::new(
            "socket filters",
            "silent crashes, hanging connects; partitions of nodes without a network of their own",
            Limited,
            socket_filters(),
        ),
    ]
}

type Finding = Result<String, (String, String)>;

fn fails(found: impl ToString, remedy: &str) -> Finding {
    Err((found.to_string(), remedy.to_owned()))
}

fn kernel() -> Finding {
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let release = release.trim().to_owned();
    let mut numbers = release.split(['.', '-']).map_while(|part| part.parse::<u32>().ok());
    let version = (numbers.next().unwrap_or(0), numbers.next().unwrap_or(0));
    // 5.6: pidfd_getfd; 5.3: PTRACE_GET_SYSCALL_INFO.
    if version >= (5, 6) {
        Ok(format!("Linux {release}"))
    } else {
        fails(format!("Linux {release}"), "run on Linux 5.6 or later")
    }
}

fn yama() -> Finding {
    match fs::read_to_string("/proc/sys/kernel/yama/ptrace_scope")
        .map(|text| text.trim().to_owned())
    {
        Err(_) => Ok("not present".into()),
        Ok(scope) if scope == "0" || scope == "1" => {
            Ok(format!("kernel.yama.ptrace_scope = {scope}"))
        }
        Ok(scope) if scope == "2" && is_root() => {
            Ok("kernel.yama.ptrace_scope = 2, as root".into())
        }
        Ok(scope) if scope == "2" => {
            fails("kernel.yama.ptrace_scope = 2", "sudo sysctl kernel.yama.ptrace_scope=1")
        }
        Ok(scope) => fails(
            format!("kernel.yama.ptrace_scope = {scope}"),
            "set kernel.yama.ptrace_scope=1 in /etc/sysctl.d and reboot (3 cannot be lowered while running)",
        ),
    }
}

/// True for root, but not for root of a user namespace.
fn is_root() -> bool {
    let all = fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    // SAFETY: geteuid has no preconditions.
    all.split_whitespace().eq(["0", "0", "4294967295"]) && unsafe { libc::geteuid() == 0 }
}

fn seccomp() -> Finding {
    match fs::read_to_string("/proc/sys/kernel/seccomp/actions_avail") {
        Ok(actions) if actions.split_whitespace().any(|action| action == "trace") => {
            Ok("filters can hand calls to a tracer".into())
        }
        Ok(actions) => fails(
            format!("actions: {}", actions.trim()),
            "run a kernel whose seccomp has the action `trace`",
        ),
        Err(error) => fails(error, "run a kernel with CONFIG_SECCOMP_FILTER=y"),
    }
}

fn ptrace() -> Finding {
    let mut command = Command::new("true");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let observer = |_: Event| Decision::Continue;
    let remedy = "in a container: docker run --cap-add=SYS_PTRACE --security-opt seccomp=unconfined ...; \
                  otherwise see the check `yama`";
    match launch(NodeId(0), command, Options::default(), Arc::new(observer), Instant::now()) {
        Ok(running) => {
            let ended = running.finished(Duration::from_secs(10));
            if ended {
                Ok("a program was traced from start to end".into())
            } else {
                fails("a traced program did not end within 10 s", remedy)
            }
        }
        Err(LaunchError::Spawn { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            fails("no program `true` in PATH", "put coreutils in PATH")
        }
        Err(error) => fails(error, remedy),
    }
}

fn process_memory() -> Finding {
    let value = 0x6c69_6e63_6870_696e_u64;
    match memory::read_u64(std::process::id() as i32, &raw const value as u64) {
        Ok(read) if read == value => Ok("process_vm_readv works".into()),
        Ok(_) => fails("process_vm_readv read something else", "report this kernel"),
        Err(error) => fails(
            error,
            "run a kernel with CONFIG_CROSS_MEMORY_ATTACH=y; in a container allow process_vm_readv (--cap-add=SYS_PTRACE)",
        ),
    }
}

fn pidfd_getfd() -> Finding {
    let own = std::process::id() as i32;
    let remedy = "run on Linux 5.6 or later; in a container allow pidfd_open and pidfd_getfd (--cap-add=SYS_PTRACE)";
    let probe = || {
        let (reader, _writer) = io::pipe()?;
        let handle = descriptor::open_process(own, 0)?;
        descriptor::duplicate(Some(&handle), own, std::os::fd::AsRawFd::as_raw_fd(&reader))
    };
    probe().map(|_| "a descriptor was duplicated".into()).or_else(|error| fails(error, remedy))
}

fn kcmp() -> Finding {
    let own = std::process::id() as i32;
    match descriptor::share_files(own, own) {
        Ok(_) => Ok("kcmp works".into()),
        Err(error) => fails(error, "run a kernel with CONFIG_KCMP=y"),
    }
}

/// Runs `probe` in a child process, in new namespaces or in ours.
fn in_child(namespaces: bool, probe: fn() -> io::Result<()>) -> io::Result<()> {
    let mut command = Command::new("true");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let hook = move || {
        let flags = if namespaces { libc::CLONE_NEWUSER | libc::CLONE_NEWNET } else { 0 };
        // SAFETY: unshare with plain flags, in a child with one thread.
        if unsafe { libc::unshare(flags) } != 0 {
            return Err(io::Error::last_os_error());
        }
        probe()
    };
    // SAFETY: the hook and the probes only make system calls, on their own stack.
    unsafe { command.pre_exec(hook) };
    command.spawn()?.wait()?;
    Ok(())
}

fn user_namespaces() -> Finding {
    let Err(error) = in_child(true, || Ok(())) else {
        return Ok("a user and a network namespace were made".into());
    };
    let read = |name: &str| fs::read_to_string(format!("/proc/sys/{name}")).unwrap_or_default();
    let remedy = if read("kernel/apparmor_restrict_unprivileged_userns").trim() == "1" {
        "sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0"
    } else if read("kernel/unprivileged_userns_clone").trim() == "0" {
        "sudo sysctl kernel.unprivileged_userns_clone=1"
    } else if read("user/max_user_namespaces").trim() == "0" {
        "sudo sysctl user.max_user_namespaces=15000"
    } else {
        "in a container: docker run --security-opt seccomp=unconfined ...; or run as root"
    };
    fails(error, remedy)
}

/// The result of a system call, if it is not an error.
fn done(result: i32) -> io::Result<i32> {
    if result < 0 { Err(io::Error::last_os_error()) } else { Ok(result) }
}

/// Waits until there is something to read; false if there is nothing in this time.
fn readable(socket: i32, limit: Duration) -> io::Result<bool> {
    let mut poll = libc::pollfd { fd: socket, events: libc::POLLIN, revents: 0 };
    // SAFETY: one live structure.
    Ok(done(unsafe { libc::poll(&raw mut poll, 1, limit.as_millis() as i32) })? > 0)
}

/// Switches the loopback device of a new network namespace on.
fn loopback_up() -> io::Result<()> {
    // SAFETY: an ifreq of zeroes is valid; the kernel reads it; the socket is ours and closed here.
    unsafe {
        let socket = done(libc::socket(libc::AF_INET, libc::SOCK_DGRAM | libc::SOCK_CLOEXEC, 0))?;
        let mut request: libc::ifreq = std::mem::zeroed();
        request.ifr_name[0] = b'l' as libc::c_char;
        request.ifr_name[1] = b'o' as libc::c_char;
        request.ifr_ifru.ifru_flags = (libc::IFF_UP | libc::IFF_RUNNING) as libc::c_short;
        let result = done(libc::ioctl(socket, libc::SIOCSIFFLAGS, &raw const request));
        libc::close(socket);
        result.map(drop)
    }
}

/// A filter on one end of a TCP connection drops what comes in, and nothing is lost when it goes.
/// Only makes system calls: it runs between fork and exec.
fn filtered_connection() -> io::Result<()> {
    // SAFETY: plain integers; the descriptors are those of a process that ends after this.
    let stream =
        || unsafe { done(libc::socket(libc::AF_INET, libc::SOCK_STREAM | libc::SOCK_CLOEXEC, 0)) };
    let (listener, client) = (stream()?, stream()?);
    // SAFETY: a sockaddr_in of zeroes is valid.
    let mut address: libc::sockaddr_in = unsafe { std::mem::zeroed() };
    address.sin_family = libc::AF_INET as libc::sa_family_t;
    address.sin_addr.s_addr = u32::from(std::net::Ipv4Addr::LOCALHOST).to_be();
    let mut length = size_of::<libc::sockaddr_in>() as libc::socklen_t;
    let place = (&raw mut address).cast::<libc::sockaddr>();
    // SAFETY: `place` points to the live address, of the stated length.
    let server = unsafe {
        done(libc::bind(listener, place, length))?;
        done(libc::listen(listener, 1))?;
        done(libc::getsockname(listener, place, &raw mut length))?;
        done(libc::connect(client, place, length))?;
        done(libc::accept(listener, std::ptr::null_mut(), std::ptr::null_mut()))?
    };
    let mut instruction = libc::sock_filter { code: libc::BPF_RET as u16, jt: 0, jf: 0, k: 0 };
    let program = libc::sock_fprog { len: 1, filter: &raw mut instruction };
    let size = size_of::<libc::sock_fprog>() as libc::socklen_t;
    let option = (&raw const program).cast();
    // SAFETY: `program` points to one live instruction, which the kernel copies.
    unsafe {
        done(libc::setsockopt(server, libc::SOL_SOCKET, libc::SO_ATTACH_FILTER, option, size))?;
        done(libc::send(client, [b'x'].as_ptr().cast(), 1, 0) as i32)?;
    }
    if readable(server, Duration::from_millis(50))? {
        return Err(io::Error::from_raw_os_error(libc::EPROTO));
    }
    // SAFETY: the value is not looked at, but must be there.
    unsafe {
        done(libc::setsockopt(server, libc::SOL_SOCKET, libc::SO_DETACH_FILTER, option, size))?;
    }
    // It is sent again after a fifth of a second, or two.
    if readable(server, Duration::from_secs(5))? {
        Ok(())
    } else {
        Err(io::Error::from_raw_os_error(libc::ETIMEDOUT))
    }
}

fn socket_filters() -> Finding {
    let probe = || {
        // Where there is no namespace of our own, the device is on.
        let _ = loopback_up();
        filtered_connection()
    };
    // Where there are no namespaces, nodes run where we do.
    let result = in_child(user_namespaces().is_ok(), probe);
    match result {
        Ok(()) => Ok("what a filter dropped came when it was gone".into()),
        Err(error) => fails(
            error,
            "run a kernel with classic socket filters, in a container with setsockopt(SO_ATTACH_FILTER) allowed; \
             and see `user namespaces`, or run as root",
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_says_what_it_found_and_how_to_mend_it() {
        let checks = examine();
        for check in &checks {
            assert!(!check.found.is_empty(), "{check:?}");
            assert_eq!(check.health == Health::Works, check.remedy.is_none(), "{check:?}");
        }
        let names: Vec<_> = checks.iter().map(|check| check.name).collect();
        assert_eq!(names[..4], ["kernel", "yama", "seccomp", "ptrace"]);
    }
}
