//! From the words of a cluster file to a command that runs in the right place, as the right user.

use std::collections::BTreeMap;
use std::ffi::CString;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use linchpin_tracer::{Decision, Event, LaunchError, NodeId, Observer, Options, Status};

use crate::enter::{Become, Entry, outer_user};
use crate::error::ClusterError;
use crate::file::User;
use crate::network::Place;
use crate::workspace::failed;

/// Where a command runs.
#[derive(Debug)]
pub(crate) struct Setting<'a> {
    pub(crate) node: &'a str,
    pub(crate) place: &'a Place,
    pub(crate) directory: &'a Path,
    pub(crate) hosts: &'a Path,
    pub(crate) user: &'a User,
}

/// A command in its place. `words` and `environment` are filled in already.
pub(crate) fn command(
    setting: &Setting<'_>,
    words: &[String],
    environment: &BTreeMap<String, String>,
    (output, errors): (File, File),
) -> Result<Command, ClusterError> {
    let mut command = Command::new(&words[0]);
    command
        .args(&words[1..])
        .envs(environment)
        .current_dir(setting.directory)
        .stdin(Stdio::null())
        .stdout(output)
        .stderr(errors);
    let namespace = setting.place.namespace.as_ref();
    let hosts = CString::new(setting.hosts.as_os_str().as_encoded_bytes()).ok();
    let entry = Entry {
        network: namespace.map(AsRawFd::as_raw_fd),
        hosts: hosts.filter(|_| namespace.is_some()),
        host_name: namespace.map(|_| setting.node.to_owned()),
        user: user(setting)?,
    };
    // SAFETY: `enter` makes system calls only; it allocates nothing and takes no lock.
    unsafe { command.pre_exec(move || entry.enter()) };
    Ok(command)
}

/// The user and group a node runs as; `None`: as we do.
fn user(setting: &Setting<'_>) -> Result<Option<Become>, ClusterError> {
    match setting.user {
        User::Root => Ok(None),
        User::Keep => Ok(outer_user().map(|(user, group)| Become::Namespace {
            user_map: format!("{user} 0 1"),
            group_map: format!("{group} 0 1"),
        })),
        User::Named(name) => {
            let refuse = |reason: &str| ClusterError::User {
                node: setting.node.to_owned(),
                user: name.clone(),
                reason: reason.to_owned(),
            };
            // SAFETY: geteuid has no preconditions.
            if unsafe { libc::geteuid() } != 0 || outer_user().is_some() {
                return Err(refuse(
                    "only root can start a node as somebody else; `user = \"keep\"` is the caller",
                ));
            }
            let (user, group) = find_user(name).ok_or_else(|| refuse("there is no such user"))?;
            let directory = setting.directory;
            std::os::unix::fs::chown(directory, Some(user), Some(group))
                .map_err(failed("give away", directory))?;
            Ok(Some(Become::Set { user, group }))
        }
    }
}

/// A user by name or number in `/etc/passwd`.
fn find_user(name: &str) -> Option<(u32, u32)> {
    let users = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let found = users.lines().find_map(|line| {
        let fields: Vec<&str> = line.split(':').collect();
        let named = fields.first() == Some(&name) || fields.get(2) == Some(&name);
        Some((fields.get(2)?.parse().ok()?, fields.get(3)?.parse().ok()?)).filter(|_| named)
    });
    found.or_else(|| name.parse().ok().map(|number| (number, number)))
}

/// The files a command prints to: `NAME.out` and `NAME.err`, grown if they are there.
pub(crate) fn logs(directory: &Path, name: &str) -> Result<(File, File), ClusterError> {
    let open = |suffix: &str| {
        let path = directory.join(format!("{name}.{suffix}"));
        OpenOptions::new().append(true).create(true).open(&path).map_err(failed("write", &path))
    };
    Ok((open("out")?, open("err")?))
}

/// Runs a command that is not part of the system: a probe or a check. It is traced only so that it
/// cannot outlive us. `None`: it did not end in time and was killed.
pub(crate) fn auxiliary(
    command: Command,
    limit: Duration,
    stop: &dyn Fn() -> bool,
) -> Result<Option<Status>, LaunchError> {
    let unseen: Arc<dyn Observer> = Arc::new(|_: Event| Decision::Continue);
    let options = Options { payload_limit: 0, fifos: false, ..Options::default() };
    let running = linchpin_tracer::launch(NodeId(0), command, options, unseen, Instant::now())?;
    let deadline = Instant::now() + limit;
    loop {
        if let Some(status) = running.root_status(Duration::from_millis(20)) {
            return Ok(Some(status)); // dropping it ends what it left running
        }
        if Instant::now() >= deadline || stop() {
            return Ok(None);
        }
    }
}

/// The last line that is not empty, for a message about a program that failed.
pub(crate) fn last_line(path: &Path) -> Option<String> {
    let text = fs::read(path).ok()?;
    let text = String::from_utf8_lossy(&text);
    let line = text.lines().rev().find(|line| !line.trim().is_empty())?;
    Some(line.trim().chars().take(200).collect())
}

/// What a status means, in words.
pub(crate) fn status_text(status: Status) -> String {
    match status {
        Status::Code(code) => format!("exited with code {code}"),
        Status::Signal(signal) => format!("was killed by signal {signal}"),
    }
}

/// Makes a folder, with all above it.
pub(crate) fn make_directory(path: &Path) -> Result<(), ClusterError> {
    fs::create_dir_all(path).map_err(failed("create", path))
}

/// Removes a folder that may be absent.
pub(crate) fn remove_directory(path: &Path) -> Result<(), ClusterError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("remove", path)(error)),
        _ => Ok(()),
    }
}
