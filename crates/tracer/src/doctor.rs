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

/// Runs every probe. Takes some milliseconds; starts and ends a few processes.
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
        Check::new("nftables", "partitions between nodes", Limited, nftables()),
        Check::new("socket filters", "partitions of one connection", Limited, socket_filters()),
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

fn is_root() -> bool {
    // SAFETY: geteuid has no preconditions.
    unsafe { libc::geteuid() == 0 }
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

/// Runs `probe` in a child process in new namespaces.
fn in_namespaces(probe: fn() -> io::Result<()>) -> io::Result<()> {
    let mut command = Command::new("true");
    command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let hook = move || {
        // SAFETY: unshare with plain flags, in a child with one thread.
        if unsafe { libc::unshare(libc::CLONE_NEWUSER | libc::CLONE_NEWNET) } != 0 {
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
    let Err(error) = in_namespaces(|| Ok(())) else {
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

/// Asks nftables for its generation number: the smallest request it answers.
fn nftables_answers() -> io::Result<()> {
    // SAFETY: socket with plain integers.
    let socket = unsafe {
        libc::socket(libc::AF_NETLINK, libc::SOCK_RAW | libc::SOCK_CLOEXEC, libc::NETLINK_NETFILTER)
    };
    if socket < 0 {
        return Err(io::Error::last_os_error());
    }
    // nlmsghdr { length 20, type NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETGEN, NLM_F_REQUEST, sequence,
    // port }, nfgenmsg { family, version, resource }.
    let mut request = [0_u8; 20];
    request[..4].copy_from_slice(&20_u32.to_ne_bytes());
    request[4..6].copy_from_slice(&((10_u16 << 8) | 16).to_ne_bytes());
    request[6..8].copy_from_slice(&1_u16.to_ne_bytes());
    let mut reply = [0_u8; 256];
    // SAFETY: both buffers are live and of the stated length; the socket is ours and closed here.
    let count = unsafe {
        let mut count = libc::send(socket, request.as_ptr().cast(), request.len(), 0);
        if count > 0 {
            count = libc::recv(socket, reply.as_mut_ptr().cast(), reply.len(), libc::MSG_DONTWAIT);
        }
        libc::close(socket);
        count
    };
    if count < 20 {
        return Err(io::Error::last_os_error());
    }
    let kind = u16::from_ne_bytes([reply[4], reply[5]]);
    let error = i32::from_ne_bytes([reply[16], reply[17], reply[18], reply[19]]);
    if i32::from(kind) == libc::NLMSG_ERROR && error != 0 {
        return Err(io::Error::from_raw_os_error(-error));
    }
    Ok(())
}

fn nftables() -> Finding {
    match in_namespaces(nftables_answers) {
        Ok(()) => Ok("nftables answers in a network namespace".into()),
        Err(error) => fails(
            error,
            "sudo modprobe nf_tables (CONFIG_NF_TABLES and CONFIG_NF_TABLES_INET), and see `user namespaces`",
        ),
    }
}

fn socket_filters() -> Finding {
    let probe = || -> io::Result<bool> {
        let receiver = std::net::UdpSocket::bind(("127.0.0.1", 0))?;
        receiver.set_nonblocking(true)?;
        let mut drop_all = libc::sock_filter { code: libc::BPF_RET as u16, jt: 0, jf: 0, k: 0 };
        let program = libc::sock_fprog { len: 1, filter: &raw mut drop_all };
        // SAFETY: `program` points to one live instruction; the kernel copies it.
        let attached = unsafe {
            libc::setsockopt(
                std::os::fd::AsRawFd::as_raw_fd(&receiver),
                libc::SOL_SOCKET,
                libc::SO_ATTACH_FILTER,
                (&raw const program).cast(),
                size_of::<libc::sock_fprog>() as libc::socklen_t,
            )
        };
        if attached != 0 {
            return Err(io::Error::last_os_error());
        }
        std::net::UdpSocket::bind(("127.0.0.1", 0))?.send_to(b"x", receiver.local_addr()?)?;
        Ok(receiver.recv(&mut [0; 1]).is_err())
    };
    let remedy = "run a kernel with CONFIG_NET and classic socket filters; in a container allow setsockopt(SO_ATTACH_FILTER)";
    match probe() {
        Ok(true) => Ok("a filter dropped a datagram".into()),
        Ok(false) => fails("a filter did not drop a datagram", remedy),
        Err(error) => fails(error, remedy),
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
