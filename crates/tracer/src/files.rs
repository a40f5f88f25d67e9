//! Entries of calls that change or sync files.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileTypeExt;
use std::path::{Path, PathBuf};

use crate::Site;
use crate::call::Call;
use crate::descriptor;
use crate::event::{Action, Endpoint};
use crate::memory::{self, Part};
use crate::node::Node;
use crate::pending::Pending;
use crate::ptrace::Stopped;
use crate::sends::Outgoing;

impl Node {
    pub(crate) fn enter_sync(
        &mut self,
        stopped: &Stopped,
        call: Call,
        number: u64,
        path: Option<String>,
    ) -> Option<Pending> {
        let id = self.next_call();
        let kind = call.name().to_owned();
        let site = Site {
            process: self.handle(stopped.thread()),
            descriptor: (number != u64::MAX).then_some(number as i32),
            ..Site::of(&self.remote, stopped.thread())
        };
        let decision = self.ask(Action::Sync { call: id, kind, path }, &site);
        if self.carried_out(stopped, Some(id), decision) {
            return None;
        }
        Some(Pending::Sync { call: id })
    }

    /// A write: of a message, or (where asked for) to a file.
    pub(crate) fn enter_write(
        &mut self,
        stopped: &Stopped,
        call: Call,
        (number, endpoint): (u64, Option<Endpoint>),
        parts: &[Part],
    ) -> Option<Option<Pending>> {
        if let Some(endpoint) = endpoint {
            let outgoing = Outgoing { parts, ..Outgoing::default() };
            return Some(self.enter_send(stopped, (number, endpoint), &outgoing));
        }
        if !self.options.writes {
            return None;
        }
        let length = memory::total(parts);
        Some(self.enter_change(stopped, call, number, parts, length))
    }

    /// A change of a file through a descriptor.
    pub(crate) fn enter_change(
        &mut self,
        stopped: &Stopped,
        call: Call,
        number: u64,
        parts: &[Part],
        length: u64,
    ) -> Option<Pending> {
        let thread = stopped.thread();
        let path = descriptor::path(thread, number as i32)?;
        let mut approach = self.approach(thread, call, None, Some(path.clone()));
        approach.length = length;
        if self.refused(stopped, &approach, number, parts, 0) {
            return None;
        }
        Some(Pending::File { kind: call.name(), path, target: None })
    }

    /// A change of a file by name.
    pub(crate) fn enter_named(
        &mut self,
        stopped: &Stopped,
        call: Call,
        arguments: &[u64; 6],
    ) -> Option<Pending> {
        let thread = stopped.thread();
        let (pending, path, target) = enter_file(thread, call, arguments);
        let mut approach = self.approach(thread, call, None, Some(path));
        approach.target = target;
        if self.refused(stopped, &approach, u64::MAX, &[], 0) {
            return None;
        }
        Some(pending)
    }
}

/// False if what is about to be opened is surely no FIFO, so that the exit need not be seen.
pub(crate) fn may_open_fifo(thread: i32, call: Call, arguments: &[u64; 6]) -> bool {
    let (directory, name) = match call {
        Call::Open | Call::Creat => (libc::AT_FDCWD, arguments[0]),
        _ => (arguments[0] as i32, arguments[1]),
    };
    let Ok(path) = memory::read_string(thread, name, 4096) else { return true };
    let mut path = PathBuf::from(OsStr::from_bytes(&path));
    let mut folder = match directory {
        libc::AT_FDCWD => PathBuf::from(format!("/proc/{thread}/cwd")),
        _ => PathBuf::from(format!("/proc/{thread}/fd/{directory}")),
    };
    // Links are followed one by one: an absolute one begins at the root of the process.
    for _ in 0..LINKS_MAX {
        if path.as_os_str().is_empty() || means_its_reader(&path) {
            return true;
        }
        let place = match path.strip_prefix("/") {
            Ok(rest) => Path::new(&format!("/proc/{thread}/root")).join(rest),
            Err(_) => folder.join(&path),
        };
        match std::fs::symlink_metadata(&place) {
            Ok(found) if found.is_symlink() => match std::fs::read_link(&place) {
                Ok(target) => path = target,
                Err(_) => return true,
            },
            Ok(found) => return found.file_type().is_fifo(),
            Err(error) => return error.kind() != std::io::ErrorKind::NotFound,
        }
        folder = place.parent().map(Path::to_owned).unwrap_or_default();
    }
    true
}

/// More links than the kernel follows.
const LINKS_MAX: usize = 41;

/// True for names that mean something else to each process.
fn means_its_reader(path: &Path) -> bool {
    let bytes = path.as_os_str().as_bytes();
    ["/proc", "/dev/fd", "/dev/std"].iter().any(|start| bytes.starts_with(start.as_bytes()))
}

/// What is remembered of a call that names files, and the absolute paths it names.
fn enter_file(thread: i32, call: Call, arguments: &[u64; 6]) -> (Pending, String, Option<String>) {
    let string = |index: usize| {
        let bytes = memory::read_string(thread, arguments[index], 4096).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    const HERE: i32 = libc::AT_FDCWD;
    let folder = |index: usize| arguments[index] as i32;
    let ((path, at), target) = match call {
        Call::Open | Call::Creat | Call::Unlink | Call::Mkdir | Call::Rmdir | Call::Truncate => {
            ((string(0), HERE), None)
        }
        Call::Rename | Call::Link => ((string(0), HERE), Some((string(1), HERE))),
        Call::Renameat | Call::Renameat2 | Call::Linkat => {
            ((string(1), folder(0)), Some((string(3), folder(2))))
        }
        // The text of a symbolic link is no path of its own: the new name is what changes.
        Call::Symlink => ((string(1), HERE), None),
        Call::Symlinkat => ((string(2), folder(1)), None),
        _ => ((string(1), folder(0)), None),
    };
    let whole = absolute(thread, at, &path);
    let whole_target = target.as_ref().map(|(target, at)| absolute(thread, *at, target));
    let target = target.map(|(target, _)| target);
    (Pending::File { kind: call.name(), path, target }, whole, whole_target)
}

/// A path as an absolute one, as far as its text tells.
fn absolute(thread: i32, folder: i32, path: &str) -> String {
    if path.starts_with('/') {
        return path.to_owned();
    }
    let link = match folder {
        libc::AT_FDCWD => format!("/proc/{thread}/cwd"),
        _ => format!("/proc/{thread}/fd/{folder}"),
    };
    let base = std::fs::read_link(link).unwrap_or_default();
    base.join(path).to_string_lossy().into_owned()
}

/// The file mapped at an address.
pub(crate) fn mapped_file(thread: i32, address: u64) -> Option<String> {
    let maps = std::fs::read_to_string(format!("/proc/{thread}/maps")).ok()?;
    maps.lines().find_map(|line| {
        let (range, rest) = line.split_once(' ')?;
        let (first, end) = range.split_once('-')?;
        let bound = |text| u64::from_str_radix(text, 16).ok();
        let inside = (bound(first)?..bound(end)?).contains(&address);
        let path = rest.find('/').map(|start| rest[start..].to_owned())?;
        inside.then_some(path)
    })
}
