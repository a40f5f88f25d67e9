//! What can go wrong with a campaign directory.

use std::path::{Path, PathBuf};

use thiserror::Error;

/// Why a campaign directory cannot be read or written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum CampaignError {
    /// Occurs when a directory does not exist.
    #[error("there is no directory `{}`", .directory.display())]
    NoDirectory {
        /// The directory.
        directory: PathBuf,
    },
    /// Occurs when a directory has no `campaign.json`.
    #[error("`{}` is no campaign directory: it has no campaign.json", .directory.display())]
    NotACampaign {
        /// The directory.
        directory: PathBuf,
    },
    /// Occurs when a file was written in a form this version does not know.
    #[error(
        "`{}` is written in the form `{found}`, and `{expected}` is read here: {}",
        .path.display(),
        schema_advice(found, expected)
    )]
    Schema {
        /// The file.
        path: PathBuf,
        /// Its form.
        found: String,
        /// The form known.
        expected: &'static str,
    },
    /// Occurs when a file does not have the form it says it has.
    #[error("`{}` is damaged{}: {reason}", .path.display(), line_suffix(*.line))]
    Damaged {
        /// The file.
        path: PathBuf,
        /// The line, from 1, if the file is read line by line.
        line: Option<usize>,
        /// What is wrong with it.
        reason: String,
    },
    /// Occurs when a new campaign would overwrite files of someone else.
    #[error(
        "`{}` is not empty and is no campaign directory: \
         name a new or empty directory", .directory.display()
    )]
    Foreign {
        /// The directory.
        directory: PathBuf,
    },
    /// Occurs when a new campaign would overwrite another one and must not.
    #[error("`{}` already holds a campaign: continue it, or name another directory", .directory.display())]
    Exists {
        /// The directory.
        directory: PathBuf,
    },
    /// Occurs when another process writes to the same directory.
    #[error("another process is writing to `{}`", .directory.display())]
    Locked {
        /// The directory.
        directory: PathBuf,
    },
    /// Occurs when the operating system refuses.
    #[error("cannot {operation} `{}`: {error}", .path.display())]
    Io {
        /// What was tried.
        operation: &'static str,
        /// With which file or directory.
        path: PathBuf,
        /// What the system says.
        #[source]
        error: std::io::Error,
    },
}

/// What to do about a form: another version of the same, or something else altogether.
fn schema_advice(found: &str, expected: &str) -> String {
    let kind = |form: &str| form.split('/').next().unwrap_or_default().to_owned();
    let written_by = match kind(expected).as_str() {
        "linchpin.campaign" => "`linchpin check --out`",
        "linchpin.trace-campaign" => "`linchpin run`, `trace` or `test` with --out",
        _ => return "use the version of linchpin that wrote it".to_owned(),
    };
    if kind(found) == kind(expected) {
        "use the version of linchpin that wrote it".to_owned()
    } else {
        format!("name a folder that {written_by} wrote")
    }
}

fn line_suffix(line: Option<usize>) -> String {
    line.map_or_else(String::new, |line| format!(" at line {line}"))
}

impl CampaignError {
    /// For `map_err`: the operation on a path failed.
    pub(crate) fn io(operation: &'static str, path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_owned();
        move |error| Self::Io { operation, path, error }
    }
}
