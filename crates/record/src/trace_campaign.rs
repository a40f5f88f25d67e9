//! Reading and writing the campaign directory of runs of processes.

use std::fs::{self, File};
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::campaign::{read_json, read_lines};
use crate::trace::{TRACE_CAMPAIGN_SCHEMA, TRACE_SCHEMA, Trace, TraceHeader, TraceRun};
use crate::writer::{
    Existing, append_line, create_directory, is_occupied, is_ours, lock, open_runs, remove_runs,
    repair, write_json, write_whole,
};
use crate::{CampaignError, Torn};

/// Runs of processes, as their directory tells them. Traces are read one by one: they are large.
#[derive(Clone, Debug, PartialEq)]
pub struct TraceCampaign {
    /// The directory.
    pub directory: PathBuf,
    /// What was run.
    pub header: TraceHeader,
    /// Every finished run, in order; entry i is run i.
    pub runs: Vec<TraceRun>,
    /// What was ignored at the end of `runs.jsonl`.
    pub torn: Option<Torn>,
}

/// Whether a directory holds runs of processes (as opposed to the search of a specification).
#[must_use]
pub fn is_trace_campaign(directory: &Path) -> bool {
    #[derive(Deserialize)]
    struct SchemaOnly {
        schema: String,
    }
    let bytes = fs::read(directory.join("campaign.json")).unwrap_or_default();
    serde_json::from_slice::<SchemaOnly>(&bytes)
        .is_ok_and(|found| found.schema.starts_with("linchpin.trace-campaign/"))
}

fn run_directory(directory: &Path, run: u64) -> PathBuf {
    directory.join("runs").join(run.to_string())
}

impl TraceCampaign {
    /// Reads a directory, also one whose writer was killed or is still at work.
    ///
    /// # Errors
    /// If there is none, it is of another version, or it is damaged otherwise than at the end of
    /// `runs.jsonl`.
    pub fn load(directory: &Path) -> Result<Self, CampaignError> {
        if !directory.is_dir() {
            return Err(CampaignError::NoDirectory { directory: directory.to_owned() });
        }
        let path = directory.join("campaign.json");
        if !path.is_file() {
            return Err(CampaignError::NotACampaign { directory: directory.to_owned() });
        }
        let header: TraceHeader = read_json(&path, TRACE_CAMPAIGN_SCHEMA)?;
        let (runs, torn) = read_lines(&directory.join("runs.jsonl"), |run: &TraceRun| run.run)?;
        Ok(Self { directory: directory.to_owned(), header, runs, torn })
    }

    /// The happens-before graph of a run; absent if it was not kept.
    ///
    /// # Errors
    /// If it cannot be read, is of another version, or damaged.
    pub fn trace(&self, run: u64) -> Result<Option<Trace>, CampaignError> {
        let path = run_directory(&self.directory, run).join("trace.json");
        if run >= self.runs.len() as u64 || !path.is_file() {
            return Ok(None);
        }
        let trace: Trace = read_json(&path, TRACE_SCHEMA)?;
        let named = if trace.run == run { Ok(()) } else { Err(format!("it is run {}", trace.run)) };
        named.and_then(|()| trace.check()).map_err(|reason| CampaignError::Damaged {
            path,
            line: None,
            reason,
        })?;
        Ok(Some(trace))
    }
}

/// Runs made ahead of their turn.
const AHEAD: &str = "ahead";

fn remove_folder(path: &Path) -> Result<(), CampaignError> {
    match fs::remove_dir_all(path) {
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(CampaignError::io("remove", path)(error))
        }
        _ => Ok(()),
    }
}

/// The one process that writes to the directory. A kill at any moment leaves it readable.
#[derive(Debug)]
pub struct TraceWriter {
    directory: PathBuf,
    runs: File,
    run_count: u64,
    /// Locked as long as it is open.
    _lock: File,
}

impl TraceWriter {
    /// Starts a campaign in a directory that does not exist, is empty, or (with
    /// [`Existing::Replace`]) holds another campaign.
    ///
    /// # Errors
    /// If the directory holds something else or is being written to.
    pub fn create(
        directory: &Path,
        header: &TraceHeader,
        existing: Existing,
    ) -> Result<Self, CampaignError> {
        if !is_occupied(directory)? {
            create_directory(directory, header)?;
            return Self::open(directory, 0);
        }
        if !is_ours(directory) {
            return Err(CampaignError::Foreign { directory: directory.to_owned() });
        }
        if existing == Existing::Refuse {
            return Err(CampaignError::Exists { directory: directory.to_owned() });
        }
        let lock = lock(directory)?;
        // At each step a sound campaign: the old one without a result, without runs, the new one.
        let path = directory.join("campaign.json");
        if let Ok(mut old) = read_json::<TraceHeader>(&path, TRACE_CAMPAIGN_SCHEMA) {
            if let Some(hunt) = &mut old.hunt {
                hunt.conclusion = None;
            }
            write_json(&path, &old)?;
        }
        remove_runs(directory)?;
        write_json(&path, header)?;
        Self::open_locked(directory, 0, lock)
    }

    /// Continues a campaign: reads what is there, cuts off a torn last line, and takes the lock.
    ///
    /// # Errors
    /// If it cannot be read, or another process writes to it.
    pub fn resume(directory: &Path) -> Result<(TraceCampaign, Self), CampaignError> {
        TraceCampaign::load(directory)?;
        let lock = lock(directory)?;
        let campaign = TraceCampaign::load(directory)?;
        if let Some(torn) = &campaign.torn {
            repair(torn)?;
        }
        let writer = Self::open_locked(directory, campaign.runs.len() as u64, lock)?;
        Ok((campaign, writer))
    }

    fn open(directory: &Path, run_count: u64) -> Result<Self, CampaignError> {
        let lock = lock(directory)?;
        Self::open_locked(directory, run_count, lock)
    }

    fn open_locked(directory: &Path, run_count: u64, lock: File) -> Result<Self, CampaignError> {
        remove_folder(&directory.join(AHEAD))?;
        let runs = open_runs(directory)?;
        Ok(Self { directory: directory.to_owned(), runs, run_count, _lock: lock })
    }

    /// Replaces `campaign.json`: how it ended stands there.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn conclude(&self, header: &TraceHeader) -> Result<(), CampaignError> {
        write_json(&self.directory.join("campaign.json"), header)
    }

    /// How many runs are recorded; the next one has this number.
    #[must_use]
    pub fn run_count(&self) -> u64 {
        self.run_count
    }

    /// The folder of the next run, for logs and the event log, made anew: what a run that was
    /// killed left there is removed.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn begin_run(&self) -> Result<PathBuf, CampaignError> {
        let path = run_directory(&self.directory, self.run_count);
        remove_folder(&path)?;
        fs::create_dir_all(&path).map_err(CampaignError::io("create", &path))?;
        Ok(path)
    }

    /// The folder of a run that is made ahead of its turn, for logs and results, new and empty.
    ///
    /// # Errors
    /// If it cannot be made.
    pub fn begin_ahead(&self, number: u64) -> Result<PathBuf, CampaignError> {
        let path = self.directory.join(AHEAD).join(number.to_string());
        remove_folder(&path)?;
        fs::create_dir_all(&path).map_err(CampaignError::io("create", &path))?;
        Ok(path)
    }

    /// Makes a folder of [`TraceWriter::begin_ahead`] that of the next run.
    ///
    /// # Errors
    /// If it cannot be moved.
    pub fn adopt_run(&self, folder: &Path) -> Result<PathBuf, CampaignError> {
        let path = self.begin_run()?;
        fs::rename(folder, &path).map_err(CampaignError::io("move a run to", &path))?;
        Ok(path)
    }

    /// Removes the runs that were made ahead of their turn, which never came. What cannot be removed
    /// the next writer removes.
    pub fn end_ahead(&self) {
        let _ = fs::remove_dir_all(self.directory.join(AHEAD));
    }

    /// Records a finished run: its trace first, so that a line in `runs.jsonl` means that all of
    /// the run is there.
    ///
    /// # Errors
    /// If it cannot be written.
    ///
    /// # Panics
    /// If the run does not have the next number.
    pub fn finish_run(
        &mut self,
        run: &TraceRun,
        trace: Option<&Trace>,
    ) -> Result<(), CampaignError> {
        assert_eq!(run.run, self.run_count, "runs are recorded in order");
        if let Some(trace) = trace {
            let directory = run_directory(&self.directory, run.run);
            fs::create_dir_all(&directory).map_err(CampaignError::io("create", &directory))?;
            write_json(&directory.join("trace.json"), trace)?;
        }
        append_line(&mut self.runs, &self.directory.join("runs.jsonl"), run)?;
        self.run_count += 1;
        Ok(())
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
