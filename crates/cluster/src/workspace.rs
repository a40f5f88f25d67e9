//! The folder of a run for data of nodes, and what earlier runs left there.
//!
//! A run that is killed cannot clean up. Its folder holds a file that was locked as long as the run
//! lived; the next run removes folders whose lock is free.

use std::fs::{self, File};
use std::io;
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};

use crate::error::ClusterError;

const PREFIX: &str = "linchpin-cluster-";
const LOCK: &str = "lock";

/// A folder that lives as long as this value, and is removed by the next run at the latest.
#[derive(Debug)]
pub struct Workspace {
    /// Where it is.
    pub path: PathBuf,
    _lock: File,
}

pub(crate) fn failed(
    operation: &'static str,
    path: &Path,
) -> impl FnOnce(io::Error) -> ClusterError {
    let path = path.to_owned();
    move |source| ClusterError::Workspace { operation, path, source }
}

fn try_lock(file: &File) -> bool {
    // SAFETY: flock with plain integers on a descriptor of ours.
    unsafe { libc::flock(file.as_raw_fd(), libc::LOCK_EX | libc::LOCK_NB) == 0 }
}

impl Workspace {
    /// Makes a folder in the system's folder for temporary files, and removes those that killed
    /// runs left there.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn new() -> Result<Self, ClusterError> {
        let parent = std::env::temp_dir();
        remove_abandoned(&parent);
        for attempt in 0..1000_u32 {
            let path = parent.join(format!("{PREFIX}{}-{attempt}", std::process::id()));
            // The lock is taken in a folder of another name, so that nobody finds it without.
            let staged = parent.join(format!(".{PREFIX}{}-{attempt}", std::process::id()));
            match fs::create_dir(&staged) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                Err(error) => return Err(failed("create", &staged)(error)),
                Ok(()) => {}
            }
            let lock = File::create(staged.join(LOCK)).map_err(failed("create", &staged))?;
            if !try_lock(&lock) || path.exists() || fs::rename(&staged, &path).is_err() {
                let _ = fs::remove_dir_all(&staged);
                continue;
            }
            // Nodes that run as somebody else must reach their folders.
            let open = std::os::unix::fs::PermissionsExt::from_mode(0o755);
            fs::set_permissions(&path, open).map_err(failed("open", &path))?;
            return Ok(Self { path, _lock: lock });
        }
        Err(failed("create", &parent)(io::Error::other("a thousand folders are taken")))
    }
}

impl Drop for Workspace {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// Removes folders of runs that were killed.
fn remove_abandoned(parent: &Path) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        if !name.starts_with(PREFIX) && !name.starts_with(&format!(".{PREFIX}")) {
            continue;
        }
        let path = entry.path();
        let owned = fs::symlink_metadata(&path).is_ok_and(|metadata| {
            // SAFETY: geteuid has no preconditions.
            metadata.is_dir()
                && std::os::unix::fs::MetadataExt::uid(&metadata) == unsafe { libc::geteuid() }
        });
        let free = match File::open(path.join(LOCK)) {
            Ok(lock) => try_lock(&lock),
            // Being made this instant, or killed while it was: its process is in its name.
            Err(_) => !name
                .trim_start_matches(['.'])
                .strip_prefix(PREFIX)
                .and_then(|rest| rest.split('-').next())
                .is_some_and(|process| Path::new("/proc").join(process).exists()),
        };
        if owned && free {
            let _ = fs::remove_dir_all(&path);
        }
    }
}
