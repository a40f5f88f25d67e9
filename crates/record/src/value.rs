//! Values in rows.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A value in a row: a JSON number or a JSON string.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged, try_from = "serde_json::Value")]
pub enum Value {
    /// A 64-bit signed integer.
    Integer(i64),
    /// A string, also the name of a node.
    Text(String),
}

impl TryFrom<serde_json::Value> for Value {
    type Error = String;

    fn try_from(json: serde_json::Value) -> Result<Self, String> {
        match json {
            serde_json::Value::String(text) => Ok(Self::Text(text)),
            serde_json::Value::Number(number) => number
                .as_i64()
                .map(Self::Integer)
                .ok_or_else(|| format!("the number {number} is no 64-bit signed integer")),
            other => Err(format!("a value is an integer or a string, not {other}")),
        }
    }
}

impl Value {
    /// The string, if it is one.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Integer(_) => None,
        }
    }
}

impl fmt::Display for Value {
    /// As it stands in a program: strings quoted and escaped, invisible characters spelled out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(integer) => write!(f, "{integer}"),
            Self::Text(text) => write!(f, "{text:?}"),
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<i64> for Value {
    fn from(integer: i64) -> Self {
        Self::Integer(integer)
    }
}
