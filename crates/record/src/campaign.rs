//! Reading a campaign directory.

use std::collections::BTreeMap;
use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use linchpin_model::{FaultSet, Outcome};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::{CAMPAIGN_SCHEMA, CampaignError, Header, RUN_SCHEMA, Run, RunSummary};

/// A search and its runs: all that reports read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Campaign {
    /// What was searched, and how it ended.
    pub header: Header,
    /// Every finished run, in order; entry i is run i.
    pub runs: Vec<RunSummary>,
    /// The runs kept in detail, by number.
    pub kept: BTreeMap<u64, Run>,
    /// What was ignored at the end of `runs.jsonl`.
    pub torn: Option<Torn>,
}

/// The last line of a file, of which only a part was written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Torn {
    /// The file.
    pub path: PathBuf,
    /// The line, from 1.
    pub line: usize,
    /// Where the line begins in the file, in bytes: up to here it is sound.
    pub start: u64,
}

impl Campaign {
    /// Reads a campaign directory, also one whose writer was killed or is still at work.
    ///
    /// # Errors
    /// If there is none, it is of another version, or it is damaged otherwise than at the end of
    /// `runs.jsonl`.
    pub fn load(directory: &Path) -> Result<Self, CampaignError> {
        let header = Header::load(directory)?;
        let (runs, torn) = read_summaries(&directory.join("runs.jsonl"))?;
        let kept = read_kept(&directory.join("runs"), &header, runs.len() as u64)?;
        Ok(Self { header, runs, kept, torn })
    }

    /// Every finished run, in order: what a search that goes on need not repeat.
    pub fn finished(&self) -> impl ExactSizeIterator<Item = &RunSummary> {
        self.runs.iter()
    }

    /// The run kept in detail with these faults.
    #[must_use]
    pub fn kept_with(&self, faults: &FaultSet) -> Option<&Run> {
        self.kept.values().find(|run| run.faults == *faults)
    }

    /// The good run that a bad one is best compared with: among those whose faults are part of
    /// its faults the one with most of them; the earliest if several.
    #[must_use]
    pub fn nearest_good(&self, faults: &FaultSet) -> Option<&RunSummary> {
        self.runs
            .iter()
            .filter(|run| run.outcome == Outcome::Good && run.faults.is_subset(faults))
            .rev()
            .max_by_key(|run| run.faults.len())
    }
}

#[derive(Deserialize)]
struct SchemaOnly {
    schema: Option<String>,
}

/// Reads a file that names its form in `schema`.
pub(crate) fn read_json<T: DeserializeOwned>(
    path: &Path,
    schema: &'static str,
) -> Result<T, CampaignError> {
    let bytes = fs::read(path).map_err(CampaignError::io("read", path))?;
    let damaged = |error: serde_json::Error| CampaignError::Damaged {
        path: path.to_owned(),
        line: None,
        reason: error.to_string(),
    };
    let found: SchemaOnly = serde_json::from_slice(&bytes).map_err(damaged)?;
    match found.schema {
        Some(found) if found == schema => serde_json::from_slice(&bytes).map_err(damaged),
        found => Err(CampaignError::Schema {
            path: path.to_owned(),
            found: found.unwrap_or_else(|| "unknown".to_owned()),
            expected: schema,
        }),
    }
}

impl Header {
    /// Reads `campaign.json` of a directory.
    ///
    /// # Errors
    /// If there is none, it is of another version, or it is damaged.
    pub fn load(directory: &Path) -> Result<Self, CampaignError> {
        let path = directory.join("campaign.json");
        if !directory.is_dir() {
            return Err(CampaignError::NoDirectory { directory: directory.to_owned() });
        }
        if !path.is_file() {
            return Err(CampaignError::NotACampaign { directory: directory.to_owned() });
        }
        let header: Self = read_json(&path, CAMPAIGN_SCHEMA)?;
        header.check().map_err(|reason| CampaignError::Damaged {
            path,
            line: None,
            reason: reason.to_owned(),
        })?;
        Ok(header)
    }

    fn check(&self) -> Result<(), &'static str> {
        let relations = self.vocabulary.relations.len() as u32;
        let files = self.files.len() as u32;
        let outcome = self.vocabulary.asked.into_iter().chain(self.vocabulary.answered);
        let mut used = outcome.chain(self.vocabulary.rules.iter().flat_map(|rule| {
            std::iter::once(rule.relation).chain(rule.reads.iter().map(|read| read.relation))
        }));
        if used.any(|relation| relation >= relations) {
            return Err("a rule names a relation that is not listed");
        }
        if self.vocabulary.rules.iter().any(|rule| rule.place.file >= files) {
            return Err("a rule stands in a file that is not listed");
        }
        Ok(())
    }
}

/// The summaries of a search.
fn read_summaries(path: &Path) -> Result<(Vec<RunSummary>, Option<Torn>), CampaignError> {
    read_lines(path, |run: &RunSummary| run.run)
}

/// The lines of `runs.jsonl`. A last line that cannot be read was cut off by a kill.
pub(crate) fn read_lines<T: DeserializeOwned>(
    path: &Path,
    number: impl Fn(&T) -> u64,
) -> Result<(Vec<T>, Option<Torn>), CampaignError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok((Vec::new(), None)),
        Err(error) => return Err(CampaignError::io("read", path)(error)),
    };
    let mut runs: Vec<T> = Vec::new();
    let mut start = 0;
    while start < bytes.len() {
        let line = runs.len() + 1;
        let end = bytes[start..].iter().position(|&byte| byte == b'\n').map(|end| start + end);
        let content = &bytes[start..end.unwrap_or(bytes.len())];
        let parsed: Result<T, _> = serde_json::from_slice(content);
        let damaged = |reason: String| CampaignError::Damaged {
            path: path.to_owned(),
            line: Some(line),
            reason,
        };
        match (parsed, end) {
            (Ok(run), Some(end)) => {
                let found = number(&run);
                if found != runs.len() as u64 {
                    return Err(damaged(format!("expected run {}, found run {found}", runs.len())));
                }
                runs.push(run);
                start = end + 1;
            }
            (Err(error), Some(end)) if end + 1 < bytes.len() => {
                return Err(damaged(error.to_string()));
            }
            _ => {
                let torn = Torn { path: path.to_owned(), line, start: start as u64 };
                return Ok((runs, Some(torn)));
            }
        }
    }
    Ok((runs, None))
}

/// The runs kept in detail, but for those whose line was lost.
fn read_kept(
    directory: &Path,
    header: &Header,
    finished: u64,
) -> Result<BTreeMap<u64, Run>, CampaignError> {
    let mut kept = BTreeMap::new();
    let entries = match fs::read_dir(directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(kept),
        Err(error) => return Err(CampaignError::io("read", directory)(error)),
    };
    for entry in entries {
        let path = entry.map_err(CampaignError::io("read", directory))?.path();
        let number = path.file_stem().and_then(|stem| stem.to_str()?.parse::<u64>().ok());
        let Some(number) = number.filter(|_| path.extension().is_some_and(|e| e == "json")) else {
            continue;
        };
        if number >= finished {
            continue;
        }
        let run: Run = read_json(&path, RUN_SCHEMA)?;
        let vocabulary = &header.vocabulary;
        let checked = run.check(vocabulary.relations.len() as u32, vocabulary.rules.len() as u32);
        let checked = checked.and_then(|()| {
            let named = run.run == number;
            if named { Ok(()) } else { Err(format!("it is run {}", run.run)) }
        });
        checked.map_err(|reason| CampaignError::Damaged { path, line: None, reason })?;
        kept.insert(number, run);
    }
    Ok(kept)
}
