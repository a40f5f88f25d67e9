//! Several campaigns in one directory: a sweep over bounds, or every file and scenario of a folder.
//!
//! `collection.json` lists them; each is a campaign directory of its own below `campaigns/`, written
//! and resumed as any other.

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use linchpin_model::Verdict;
use serde::{Deserialize, Serialize};

use crate::campaign::read_json;
use crate::wire;
use crate::writer::{create_empty_directory, lock, write_json, write_whole};
use crate::{CampaignError, Header};

/// The value of [`Collection::schema`].
pub const COLLECTION_SCHEMA: &str = "linchpin.collection/1";

/// The whole of `collection.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Collection {
    /// [`COLLECTION_SCHEMA`].
    pub schema: String,
    /// Name and version of the program that wrote it.
    pub tool: String,
    /// What belongs together in it.
    pub kind: CollectionKind,
    /// The arguments that began it, without what only concerns its output: files, then flags.
    pub arguments: Vec<String>,
    /// The campaigns, in the order in which they began.
    pub entries: Vec<Entry>,
    /// The one whose verdict is that of a sweep: index into [`Collection::entries`].
    #[serde(default)]
    pub result: Option<u32>,
    /// True once nothing is left to do.
    #[serde(default)]
    pub complete: bool,
}

/// Why campaigns stand together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CollectionKind {
    /// One question within wider and wider bounds.
    Sweep,
    /// Questions of their own.
    Each,
}

/// One of the campaigns.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its directory, below `campaigns/`.
    pub directory: String,
    /// What it is about: the specification's files.
    pub title: String,
    /// The scenario of the specification, if it has a name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub scenario: Option<String>,
    /// The bounds in words, if it is one of several within wider and wider bounds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub within: Option<String>,
    /// The verdict that the specification says it should have.
    #[serde(default, with = "wire::optional_verdict", skip_serializing_if = "Option::is_none")]
    pub expected: Option<Verdict>,
}

impl Collection {
    /// Whether a directory holds a collection.
    #[must_use]
    pub fn is_in(directory: &Path) -> bool {
        directory.join("collection.json").is_file()
    }

    /// Reads `collection.json` of a directory.
    ///
    /// # Errors
    /// If there is none, it is of another version, or it is damaged.
    pub fn load(directory: &Path) -> Result<Self, CampaignError> {
        let path = directory.join("collection.json");
        let collection: Self = read_json(&path, COLLECTION_SCHEMA)?;
        let damaged = |reason: &str| CampaignError::Damaged {
            path: path.clone(),
            line: None,
            reason: reason.to_owned(),
        };
        if collection.result.is_some_and(|result| result as usize >= collection.entries.len()) {
            return Err(damaged("its result is a campaign that is not listed"));
        }
        // A name that leads elsewhere would have reports written there.
        let leads_elsewhere = |entry: &Entry| {
            entry.directory.is_empty()
                || entry.directory.starts_with('.')
                || entry.directory.contains(['/', '\\', '\0'])
        };
        if collection.entries.iter().any(leads_elsewhere) {
            return Err(damaged("a campaign's directory has no plain name"));
        }
        Ok(collection)
    }

    /// Where a campaign of the collection in `directory` is.
    #[must_use]
    pub fn path(directory: &Path, entry: &Entry) -> PathBuf {
        directory.join("campaigns").join(&entry.directory)
    }

    /// The directory of a campaign not yet listed: made of words, each different from all others.
    #[must_use]
    pub fn new_name(&self, words: &str) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() || "._=".contains(c) { c } else { '-' };
        let name: String = words.chars().map(plain).collect();
        let name: String = name.trim_matches(['-', '.']).chars().take(120).collect();
        let taken = |name: &str| self.entries.iter().any(|entry| entry.directory == name);
        let name = if name.is_empty() { "campaign".to_owned() } else { name };
        let mut candidate = name.clone();
        for number in 2.. {
            if !taken(&candidate) {
                break;
            }
            candidate = format!("{name}-{number}");
        }
        candidate
    }
}

/// The one process that writes to a collection.
#[derive(Debug)]
pub struct CollectionWriter {
    directory: PathBuf,
    collection: Collection,
    /// Locked as long as it is open.
    _lock: fs::File,
}

impl CollectionWriter {
    /// Starts a collection in a directory that does not exist, is empty, or holds another one, which
    /// is replaced.
    ///
    /// # Errors
    /// If the directory holds something else or is being written to.
    pub fn create(directory: &Path, collection: Collection) -> Result<Self, CampaignError> {
        let occupied = match fs::read_dir(directory) {
            Ok(entries) => entries.flatten().any(|entry| entry.file_name() != "lock"),
            Err(error) if error.kind() == ErrorKind::NotFound => false,
            Err(error) => return Err(CampaignError::io("read", directory)(error)),
        };
        if occupied && directory.join("campaign.json").is_file() {
            return Err(CampaignError::Exists { directory: directory.to_owned() });
        }
        if occupied && !Collection::is_in(directory) {
            return Err(CampaignError::Foreign { directory: directory.to_owned() });
        }
        create_empty_directory(directory)?;
        let mut writer =
            Self { _lock: lock(directory)?, directory: directory.to_owned(), collection };
        // The list is emptied before what it lists.
        writer.write()?;
        for name in ["campaigns", "report"] {
            let path = directory.join(name);
            match fs::remove_dir_all(&path) {
                Err(error) if error.kind() != ErrorKind::NotFound => {
                    return Err(CampaignError::io("remove", &path)(error));
                }
                _ => {}
            }
        }
        Ok(writer)
    }

    /// Continues a collection.
    ///
    /// # Errors
    /// If it cannot be read, or another process writes to it.
    pub fn resume(directory: &Path) -> Result<Self, CampaignError> {
        Collection::load(directory)?;
        let lock = lock(directory)?;
        let collection = Collection::load(directory)?;
        Ok(Self { _lock: lock, directory: directory.to_owned(), collection })
    }

    /// What the directory lists.
    #[must_use]
    pub fn collection(&self) -> &Collection {
        &self.collection
    }

    /// The directory of the collection.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    fn write(&mut self) -> Result<(), CampaignError> {
        write_json(&self.directory.join("collection.json"), &self.collection)
    }

    /// Lists a campaign before it begins; the same again if it is listed. Returns where it goes.
    ///
    /// # Errors
    /// If the list cannot be written.
    pub fn list(&mut self, entry: Entry) -> Result<PathBuf, CampaignError> {
        let path = Collection::path(&self.directory, &entry);
        if !self.collection.entries.contains(&entry) {
            self.collection.entries.push(entry);
            self.write()?;
        }
        Ok(path)
    }

    /// Nothing is left to do; for a sweep, the campaign that answers it.
    ///
    /// # Errors
    /// If the list cannot be written.
    pub fn complete(&mut self, result: Option<&str>) -> Result<(), CampaignError> {
        let place =
            |name: &str| self.collection.entries.iter().position(|entry| entry.directory == name);
        self.collection.result = result.and_then(place).map(|index| index as u32);
        self.collection.complete = true;
        self.write()
    }

    /// Writes `report/index.html` of the collection.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write_index(&self, content: &[u8]) -> Result<PathBuf, CampaignError> {
        let directory = self.directory.join("report");
        create_empty_directory(&directory)?;
        let path = directory.join("index.html");
        write_whole(&path, content)?;
        Ok(path)
    }
}

/// The headers of a collection's campaigns, in order; `None` for those that have not begun.
///
/// # Errors
/// If one of them is damaged.
pub fn headers(
    directory: &Path,
    collection: &Collection,
) -> Result<Vec<Option<Header>>, CampaignError> {
    let header = |entry: &Entry| match Header::load(&Collection::path(directory, entry)) {
        Ok(header) => Ok(Some(header)),
        Err(CampaignError::NoDirectory { .. }) => Ok(None),
        Err(error) => Err(error),
    };
    collection.entries.iter().map(header).collect()
}
