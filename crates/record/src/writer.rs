//! Writing a campaign directory so that it can be read whenever the process is killed.
//!
//! * Whole files are written beside their place, flushed to disk and renamed over it.
//! * `runs.jsonl` grows by one `write` per line; it is flushed to disk every
//!   [`LINES_UNSYNCED_MAX`] lines and at the end. A kill tears at most the last line; a power
//!   failure loses at most the last few.
//! * A new directory is made beside its place and renamed, so it never exists without its header.
//! * One writer at a time: the file `lock` is locked (by `flock`) as long as the writer lives, and
//!   no longer, however it ends.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use rustix::process::{Pid, test_kill_process};
use serde::Serialize;

use crate::{Campaign, CampaignError, Conclusion, Header, Run, RunSummary};

/// What to do when the directory of a new campaign already holds one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Existing {
    /// Leave it alone and fail.
    Refuse,
    /// Replace it.
    Replace,
}

/// `runs.jsonl` is flushed to disk after so many lines.
const LINES_UNSYNCED_MAX: u32 = 256;

/// The one process that writes to a campaign directory.
#[derive(Debug)]
pub struct Writer {
    directory: PathBuf,
    header: Header,
    runs: File,
    run_count: u64,
    lines_unsynced: u32,
    /// Locked as long as it is open.
    _lock: File,
}

impl Writer {
    /// Starts a campaign in a directory that does not exist, is empty, or (with
    /// [`Existing::Replace`]) holds another campaign.
    ///
    /// # Errors
    /// If the directory holds something else or is being written to.
    pub fn create(
        directory: &Path,
        header: Header,
        existing: Existing,
    ) -> Result<Self, CampaignError> {
        if !is_occupied(directory)? {
            return Self::create_fresh(directory, header);
        }
        if !is_ours(directory) {
            return Err(CampaignError::Foreign { directory: directory.to_owned() });
        }
        match existing {
            Existing::Refuse => Err(CampaignError::Exists { directory: directory.to_owned() }),
            Existing::Replace => Self::replace(directory, header),
        }
    }

    fn create_fresh(directory: &Path, header: Header) -> Result<Self, CampaignError> {
        create_directory(directory, &header)?;
        Self::open(directory, header, 0)
    }

    /// At each step the directory is a sound campaign: first the old one without a result, then
    /// the old one without runs, then the new one.
    fn replace(directory: &Path, header: Header) -> Result<Self, CampaignError> {
        let lock = lock(directory)?;
        let header_path = directory.join("campaign.json");
        if let Ok(mut old) = Header::load(directory) {
            old.conclusion = None;
            write_json(&header_path, &old)?;
        }
        remove_runs(directory)?;
        write_json(&header_path, &header)?;
        Self::open_locked(directory, header, 0, lock)
    }

    /// Continues a campaign: reads what is there, cuts off a torn last line, and takes a lock.
    ///
    /// # Errors
    /// If it cannot be read, or another process writes to it.
    pub fn resume(directory: &Path) -> Result<(Campaign, Self), CampaignError> {
        Header::load(directory)?;
        let lock = lock(directory)?;
        let campaign = Campaign::load(directory)?;
        if let Some(torn) = &campaign.torn {
            repair(torn)?;
        }
        let count = campaign.runs.len() as u64;
        let writer = Self::open_locked(directory, campaign.header.clone(), count, lock)?;
        Ok((campaign, writer))
    }

    /// The campaign goes on: until it ends again it has no conclusion.
    ///
    /// # Errors
    /// If the header cannot be written.
    pub fn reopen(&mut self, header: Header) -> Result<(), CampaignError> {
        self.header = Header { conclusion: None, ..header };
        write_json(&self.directory.join("campaign.json"), &self.header)
    }

    fn open(directory: &Path, header: Header, run_count: u64) -> Result<Self, CampaignError> {
        let lock = lock(directory)?;
        Self::open_locked(directory, header, run_count, lock)
    }

    fn open_locked(
        directory: &Path,
        header: Header,
        run_count: u64,
        lock: File,
    ) -> Result<Self, CampaignError> {
        let runs = open_runs(directory)?;
        Ok(Self {
            directory: directory.to_owned(),
            header,
            runs,
            run_count,
            lines_unsynced: 0,
            _lock: lock,
        })
    }

    /// The directory.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// How many runs are recorded; the next one has this number.
    #[must_use]
    pub fn run_count(&self) -> u64 {
        self.run_count
    }

    /// Records a finished run.
    ///
    /// # Errors
    /// If it cannot be written.
    ///
    /// # Panics
    /// If its number is not the next one.
    pub fn finish_run(&mut self, run: &RunSummary) -> Result<(), CampaignError> {
        assert_eq!(run.run, self.run_count, "runs are recorded in order");
        let path = || self.directory.join("runs.jsonl");
        let mut line = serde_json::to_vec(run).expect("a run has a JSON form");
        line.push(b'\n');
        self.runs.write_all(&line).map_err(|error| CampaignError::io("write", &path())(error))?;
        self.run_count += 1;
        self.lines_unsynced += 1;
        if self.lines_unsynced >= LINES_UNSYNCED_MAX {
            self.sync()?;
        }
        Ok(())
    }

    /// Flushes `runs.jsonl` to disk.
    ///
    /// # Errors
    /// If the system cannot.
    pub fn sync(&mut self) -> Result<(), CampaignError> {
        let path = self.directory.join("runs.jsonl");
        self.runs.sync_data().map_err(CampaignError::io("flush", &path))?;
        self.lines_unsynced = 0;
        Ok(())
    }

    /// Keeps a finished run in detail.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn keep_run(&mut self, run: &Run) -> Result<(), CampaignError> {
        self.keep_runs([run])
    }

    /// Keeps finished runs in detail: each file is there whole or not at all, and all are flushed
    /// to disk at once, which takes about as long as for one.
    ///
    /// # Errors
    /// If they cannot be written.
    pub fn keep_runs<'a>(
        &mut self,
        runs: impl IntoIterator<Item = &'a Run>,
    ) -> Result<(), CampaignError> {
        let directory = self.directory.join("runs");
        create_empty_directory(&directory)?;
        let mut written = Vec::new();
        for run in runs {
            let path = directory.join(format!("{}.json", run.run));
            let staged = staged(&path);
            let mut bytes = serde_json::to_vec(run).expect("records have a JSON form");
            bytes.push(b'\n');
            fs::write(&staged, bytes).map_err(CampaignError::io("write", &staged))?;
            written.push((staged, path));
        }
        let handle = File::open(&directory).map_err(CampaignError::io("open", &directory))?;
        rustix::fs::syncfs(&handle)
            .map_err(|error| CampaignError::io("flush", &directory)(error.into()))?;
        for (staged, path) in written {
            fs::rename(&staged, &path).map_err(CampaignError::io("write", &path))?;
        }
        sync_directory(&directory);
        Ok(())
    }

    /// Records how the search ended.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn conclude(&mut self, conclusion: Conclusion) -> Result<(), CampaignError> {
        self.sync()?;
        self.header.conclusion = Some(conclusion);
        write_json(&self.directory.join("campaign.json"), &self.header)
    }

    /// Writes a file of the report, `report/NAME`.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write_report(&self, name: &str, content: &[u8]) -> Result<PathBuf, CampaignError> {
        let directory = self.directory.join("report");
        fs::create_dir_all(&directory).map_err(CampaignError::io("create", &directory))?;
        let path = directory.join(name);
        write_whole(&path, content)?;
        Ok(path)
    }
}

/// Makes the directory of a new campaign with its header, in one step where the system can.
pub(crate) fn create_directory(
    directory: &Path,
    header: &impl Serialize,
) -> Result<(), CampaignError> {
    let parent = match directory.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    fs::create_dir_all(parent).map_err(CampaignError::io("create", parent))?;
    let staged = directory.file_name().map(|name| {
        let mut staged = std::ffi::OsString::from(".");
        staged.push(name);
        staged.push(".new-");
        remove_leftovers(parent, &staged);
        staged.push(std::process::id().to_string());
        parent.join(staged)
    });
    // Where the directory is a mount point or its parent is read-only, it is filled in place.
    if let Some(staged) = staged.filter(|staged| fs::create_dir(staged).is_ok()) {
        let written = write_json(&staged.join("campaign.json"), header)
            .and_then(|()| create_empty(&staged.join("runs.jsonl")));
        let renamed = written.is_ok() && fs::rename(&staged, directory).is_ok();
        if renamed {
            sync_directory(parent);
            return Ok(());
        }
        let _ = fs::remove_dir_all(&staged);
        // What cannot be written here (a full disk) cannot be written there.
        written?;
    }
    fs::create_dir_all(directory).map_err(CampaignError::io("create", directory))?;
    create_empty(&directory.join("runs.jsonl"))?;
    write_json(&directory.join("campaign.json"), header)
}

/// Whether a directory holds anything.
pub(crate) fn is_occupied(directory: &Path) -> Result<bool, CampaignError> {
    match fs::read_dir(directory) {
        Ok(mut entries) => Ok(entries.next().is_some()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(false),
        Err(error) => Err(CampaignError::io("read", directory)(error)),
    }
}

/// Whether a directory is one that this crate wrote, sound or not: others have a `campaign.json` too.
pub(crate) fn is_ours(directory: &Path) -> bool {
    let bytes = fs::read(directory.join("campaign.json")).unwrap_or_default();
    String::from_utf8_lossy(&bytes).contains("\"linchpin.")
}

/// Removes what a campaign found, and leaves its header.
pub(crate) fn remove_runs(directory: &Path) -> Result<(), CampaignError> {
    create_empty(&directory.join("runs.jsonl"))?;
    for name in ["runs", "report"] {
        let path = directory.join(name);
        match fs::remove_dir_all(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(CampaignError::io("remove", &path)(error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// Opens `runs.jsonl` to grow it.
pub(crate) fn open_runs(directory: &Path) -> Result<File, CampaignError> {
    let path = directory.join("runs.jsonl");
    OpenOptions::new()
        .append(true)
        .create(true)
        .open(&path)
        .map_err(CampaignError::io("open", &path))
}

/// Appends one line with one `write`.
pub(crate) fn append_line(
    file: &mut File,
    path: &Path,
    value: &impl Serialize,
) -> Result<(), CampaignError> {
    let mut line = serde_json::to_vec(value).expect("records have a JSON form");
    line.push(b'\n');
    file.write_all(&line).map_err(CampaignError::io("write", path))
}

/// Cuts off a last line that was not written in full.
pub(crate) fn repair(torn: &crate::Torn) -> Result<(), CampaignError> {
    OpenOptions::new()
        .write(true)
        .open(&torn.path)
        .and_then(|file| file.set_len(torn.start).and_then(|()| file.sync_data()))
        .map_err(CampaignError::io("repair", &torn.path))
}

/// Takes the lock of a directory for as long as the file is open.
pub(crate) fn lock(directory: &Path) -> Result<File, CampaignError> {
    let path = directory.join("lock");
    let file = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path)
        .map_err(CampaignError::io("open", &path))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => Ok(file),
        Err(rustix::io::Errno::WOULDBLOCK) => {
            Err(CampaignError::Locked { directory: directory.to_owned() })
        }
        Err(error) => Err(CampaignError::io("lock", &path)(error.into())),
    }
}

pub(crate) fn create_empty_directory(path: &Path) -> Result<(), CampaignError> {
    fs::create_dir_all(path).map_err(CampaignError::io("create", path))
}

pub(crate) fn create_empty(path: &Path) -> Result<(), CampaignError> {
    File::create(path).map(drop).map_err(CampaignError::io("create", path))
}

pub(crate) fn write_json(path: &Path, value: &impl Serialize) -> Result<(), CampaignError> {
    let mut bytes = serde_json::to_vec(value).expect("records have a JSON form");
    bytes.push(b'\n');
    write_whole(path, &bytes)
}

/// Removes directories that a process began to write and was killed over: names with this prefix
/// and the number of a process that is no more.
fn remove_leftovers(parent: &Path, prefix: &OsStr) {
    let Ok(entries) = fs::read_dir(parent) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let number = name.as_bytes().strip_prefix(prefix.as_bytes());
        let number = number.and_then(|number| std::str::from_utf8(number).ok()?.parse().ok());
        let Some(process) = number.and_then(Pid::from_raw) else { continue };
        if test_kill_process(process) == Err(rustix::io::Errno::SRCH) {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// Where a file is written before it takes its place.
fn staged(path: &Path) -> PathBuf {
    let mut staged = path.as_os_str().to_owned();
    staged.push(".new");
    PathBuf::from(staged)
}

/// Replaces a file in one step.
pub(crate) fn write_whole(path: &Path, content: &[u8]) -> Result<(), CampaignError> {
    let staged = staged(path);
    File::create(&staged)
        .and_then(|mut file| file.write_all(content).and_then(|()| file.sync_data()))
        .map_err(CampaignError::io("write", &staged))?;
    fs::rename(&staged, path).map_err(CampaignError::io("write", path))?;
    if let Some(parent) = path.parent() {
        sync_directory(parent);
    }
    Ok(())
}

/// Makes renames durable where the system can; not all file systems can.
pub(crate) fn sync_directory(directory: &Path) {
    if let Ok(directory) = File::open(directory) {
        let _ = directory.sync_all();
    }
}
