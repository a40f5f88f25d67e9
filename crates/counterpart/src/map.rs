//! The mapping file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Deserializer};
use thiserror::Error;

/// What is what in a specification and in the cluster that implements it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Map {
    /// The specification. Once loaded, relative to the working directory.
    pub specification: PathBuf,
    /// The scenario of its front matter; `None` if it has only one.
    #[serde(default)]
    pub scenario: Option<String>,
    /// The cluster file. Once loaded, relative to the working directory.
    pub cluster: PathBuf,
    /// Per node of the scenario: its node in the cluster, or `client`.
    pub nodes: BTreeMap<String, String>,
    /// Per relation that is sent: the label of the message that says the same.
    #[serde(default)]
    pub messages: BTreeMap<String, String>,
    /// What stands for each kind of fault.
    #[serde(default)]
    pub faults: Translations,
    /// Per relation whose inputs are not the workload's but the environment's, a disk that fails for
    /// instance: the fault that stands for another input than the default.
    #[serde(default)]
    pub inputs: BTreeMap<String, String>,
    /// Parameters of the workload, so that it asks for what the specification asks for.
    #[serde(default, deserialize_with = "parameters")]
    pub parameters: BTreeMap<String, String>,
}

/// Numbers and strings alike, as text.
fn parameters<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged, expecting = "a parameter is a string or an integer")]
    enum Parameter {
        Text(String),
        Integer(i64),
    }
    let given = BTreeMap::<String, Parameter>::deserialize(deserializer)?;
    let text = |parameter| match parameter {
        Parameter::Text(text) => text,
        Parameter::Integer(integer) => integer.to_string(),
    };
    Ok(given.into_iter().map(|(name, parameter)| (name, text(parameter))).collect())
}

/// What stands for each kind of fault; `None` if nothing does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Translations {
    /// Of a lost message.
    #[serde(default)]
    pub omit: Option<Loss>,
    /// Of a late message.
    #[serde(default)]
    pub delay: Option<Lateness>,
    /// Of a crash.
    #[serde(default)]
    pub crash: Option<Crash>,
    /// Of a recovery.
    #[serde(default)]
    pub recover: Option<Recovery>,
}

/// What stands for a lost message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum Loss {
    /// The datagram is lost.
    Omit,
    /// From it on, what the node sends the other is held back until the run is healed.
    Stall,
    /// It arrives so much later.
    Late(Duration),
}

impl TryFrom<String> for Loss {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        match text.as_str() {
            "omit" => Ok(Self::Omit),
            "stall" => Ok(Self::Stall),
            other => duration(other).map(Self::Late).map_err(|_| {
                format!("`{other}` stands for no loss: \"omit\", \"stall\" or a time (\"400ms\")")
            }),
        }
    }
}

/// How much later a message arrives, for each step that it is late.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Lateness(pub Duration);

impl TryFrom<String> for Lateness {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        duration(&text).map(Self)
    }
}

/// What stands for a crash.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Crash {
    /// The node crashes. Its kernel lives on, and delivers what was sent.
    Crash,
    /// Its host goes quiet: what was held back is never delivered.
    SilentCrash,
    /// The same, and what was not synced is gone from its disk.
    PowerLoss,
    /// It crashes and starts again, with its disk.
    Restart,
}

/// What stands for a recovery.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Recovery {
    /// The node starts again, with its disk.
    Restart,
}

fn duration(text: &str) -> Result<Duration, String> {
    match humantime::parse_duration(text) {
        Ok(duration) if duration > Duration::ZERO => Ok(duration),
        _ => Err(format!("`{text}` is no time above zero, such as \"300ms\"")),
    }
}

/// Why a mapping file cannot be used.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum MapError {
    /// Occurs when the file cannot be read.
    #[error("cannot read the map `{}`", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// Occurs when the file is not as `docs/formats/map.md` says.
    #[error("{}: {reason}", path.display())]
    Malformed {
        /// The file.
        path: PathBuf,
        /// What is wrong, and where.
        reason: String,
    },
}

impl Map {
    /// Reads a mapping file. Its paths are relative to it; those of the result are relative to the
    /// working directory.
    ///
    /// # Errors
    /// If the file cannot be read, or is not as `docs/formats/map.md` says.
    pub fn load(path: &Path) -> Result<Self, MapError> {
        let text = std::fs::read_to_string(path)
            .map_err(|source| MapError::Unreadable { path: path.to_owned(), source })?;
        let mut map: Self = toml::from_str(&text).map_err(|error| MapError::Malformed {
            path: path.to_owned(),
            reason: error.to_string().trim_end().to_owned(),
        })?;
        let folder = path.parent().unwrap_or(Path::new(""));
        map.specification = plain(&folder.join(&map.specification));
        map.cluster = plain(&folder.join(&map.cluster));
        Ok(map)
    }
}

/// The path without `x/..`, where that is what it seems: no symbolic link goes another way.
fn plain(path: &Path) -> PathBuf {
    let mut short = PathBuf::new();
    for component in path.components() {
        match component {
            std::path::Component::ParentDir if short.file_name().is_some() => {
                short.pop();
            }
            std::path::Component::CurDir => {}
            component => short.push(component),
        }
    }
    if short.canonicalize().ok() == path.canonicalize().ok() { short } else { path.to_owned() }
}
