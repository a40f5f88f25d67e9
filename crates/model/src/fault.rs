//! Faults and sets of faults.

use std::collections::BTreeSet;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use thiserror::Error;

/// One thing that goes wrong in a run, or that comes otherwise than usual, of a specification.
///
/// | Written and parsed | Serialized |
/// | --- | --- |
/// | `omit a->b @1` | `{"kind":"omit","from":"a","to":"b","at":1}` |
/// | `delay a->b @1 by 2` | `{"kind":"delay","from":"a","to":"b","at":1,"by":2}` |
/// | `crash c @3` | `{"kind":"crash","node":"c","at":3}` |
/// | `recover c @5` | `{"kind":"recover","node":"c","at":5}` |
/// | `input write("a", 7) @3` | `{"kind":"input","relation":"write","row":["a",7],"at":3}` |
///
/// A name that is not made of letters, digits, `.`, `_` and `?` stands in double quotes.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Fault {
    /// Everything `from` sends to `to` at time `at` is lost.
    #[serde(rename = "omit")]
    Omission {
        /// Sender.
        from: String,
        /// Receiver.
        to: String,
        /// Time step of the sending (1-based).
        at: u32,
    },
    /// Everything `from` sends to `to` at time `at` arrives `by` steps later than it would.
    Delay {
        /// Sender.
        from: String,
        /// Receiver.
        to: String,
        /// Time step of the sending (1-based).
        at: u32,
        /// How many steps late it arrives (at least 1): at time `at + 1 + by`.
        by: u32,
    },
    /// `node` sends nothing to others from time `at` on.
    Crash {
        /// The node that crashes.
        node: String,
        /// First time step at which nothing it sends arrives (1-based).
        at: u32,
    },
    /// `node`, which crashed before, runs again from time `at` on, without its volatile state.
    #[serde(rename = "recover")]
    Recovery {
        /// The node that recovers.
        node: String,
        /// First time step at which it runs again (1-based).
        at: u32,
    },
    /// Of an input with alternatives, this one holds instead of the first. (No fault in the strict
    /// sense: a different environment.)
    Input {
        /// The relation of the input.
        relation: String,
        /// Its row.
        row: Vec<InputValue>,
        /// Time step at which it comes (1-based); beyond the end of the run it never does.
        at: u32,
    },
}

/// A column of an input.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum InputValue {
    /// An integer.
    Integer(i64),
    /// A string.
    String(String),
}

impl fmt::Display for InputValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Integer(integer) => write!(f, "{integer}"),
            Self::String(string) => quoted(f, string),
        }
    }
}

impl Fault {
    /// An omission.
    #[must_use]
    pub fn omission(from: impl Into<String>, to: impl Into<String>, at: u32) -> Self {
        Self::Omission { from: from.into(), to: to.into(), at }
    }

    /// A delay.
    #[must_use]
    pub fn delay(from: impl Into<String>, to: impl Into<String>, at: u32, by: u32) -> Self {
        Self::Delay { from: from.into(), to: to.into(), at, by }
    }

    /// A crash.
    #[must_use]
    pub fn crash(node: impl Into<String>, at: u32) -> Self {
        Self::Crash { node: node.into(), at }
    }

    /// A recovery.
    #[must_use]
    pub fn recovery(node: impl Into<String>, at: u32) -> Self {
        Self::Recovery { node: node.into(), at }
    }

    /// The time step at which the fault strikes.
    #[must_use]
    pub fn at(&self) -> u32 {
        match self {
            Self::Omission { at, .. }
            | Self::Delay { at, .. }
            | Self::Crash { at, .. }
            | Self::Recovery { at, .. }
            | Self::Input { at, .. } => *at,
        }
    }

    fn key(&self) -> (u32, u8, &str, &str, u32, &[InputValue]) {
        match self {
            Self::Omission { from, to, at } => (*at, 0, from, to, 0, &[]),
            Self::Delay { from, to, at, by } => (*at, 1, from, to, *by, &[]),
            Self::Crash { node, at } => (*at, 2, node, "", 0, &[]),
            Self::Recovery { node, at } => (*at, 3, node, "", 0, &[]),
            Self::Input { relation, row, at } => (*at, 4, relation, "", 0, row),
        }
    }
}

/// By time, then in the order of the variants, then by name.
impl Ord for Fault {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

impl PartialOrd for Fault {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// Writes a node name so that it can be parsed again.
struct Name<'a>(&'a str);

impl fmt::Display for Name<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if !self.0.is_empty() && self.0.chars().all(is_name_character) {
            f.write_str(self.0)
        } else {
            quoted(f, self.0)
        }
    }
}

fn quoted(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    f.write_str("\"")?;
    for character in text.chars() {
        if matches!(character, '"' | '\\') {
            f.write_str("\\")?;
        }
        write!(f, "{character}")?;
    }
    f.write_str("\"")
}

fn is_name_character(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '.' | '_' | '?')
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Omission { from, to, at } => write!(f, "omit {}->{} @{at}", Name(from), Name(to)),
            Self::Delay { from, to, at, by } => {
                write!(f, "delay {}->{} @{at} by {by}", Name(from), Name(to))
            }
            Self::Crash { node, at } => write!(f, "crash {} @{at}", Name(node)),
            Self::Recovery { node, at } => write!(f, "recover {} @{at}", Name(node)),
            Self::Input { relation, row, at } => {
                write!(f, "input {}(", Name(relation))?;
                for (index, value) in row.iter().enumerate() {
                    write!(f, "{}{value}", if index == 0 { "" } else { ", " })?;
                }
                write!(f, ") @{at}")
            }
        }
    }
}

/// Why a fault could not be parsed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "cannot read the fault `{input}` at character {position}: expected {expected}; \
     write 'omit FROM->TO @TIME', 'delay FROM->TO @TIME by STEPS', 'crash NODE @TIME', \
     'recover NODE @TIME' or 'input RELATION(VALUE, ...) @TIME'"
)]
pub struct FaultParseError {
    /// The text given.
    pub input: String,
    /// Where it stops making sense (1-based, in characters).
    pub position: usize,
    /// What should stand there.
    pub expected: &'static str,
}

struct Cursor<'a> {
    input: &'a str,
    rest: &'a str,
}

impl<'a> Cursor<'a> {
    fn error(&self, expected: &'static str) -> FaultParseError {
        let consumed = self.input.len() - self.rest.len();
        FaultParseError {
            input: self.input.to_owned(),
            position: self.input[..consumed].chars().count() + 1,
            expected,
        }
    }

    fn skip_space(&mut self) {
        self.rest = self.rest.trim_start();
    }

    fn literal(&mut self, text: &str, expected: &'static str) -> Result<(), FaultParseError> {
        self.skip_space();
        self.rest = self.rest.strip_prefix(text).ok_or_else(|| self.error(expected))?;
        Ok(())
    }

    fn name(&mut self) -> Result<String, FaultParseError> {
        self.skip_space();
        if let Some(quoted) = self.rest.strip_prefix('"') {
            let mut name = String::new();
            let mut characters = quoted.char_indices();
            while let Some((index, character)) = characters.next() {
                match character {
                    '"' => {
                        self.rest = &quoted[index + 1..];
                        return Ok(name);
                    }
                    '\\' => {
                        if let Some((_, escaped)) = characters.next() {
                            name.push(escaped);
                        }
                    }
                    other => name.push(other),
                }
            }
            return Err(self.error("a closing double quote"));
        }
        let end = self.rest.find(|c| !is_name_character(c)).unwrap_or(self.rest.len());
        if end == 0 {
            return Err(self.error("the name of a node"));
        }
        let (name, rest) = self.rest.split_at(end);
        self.rest = rest;
        Ok(name.to_owned())
    }

    fn time(&mut self) -> Result<u32, FaultParseError> {
        self.number("@", "a time of 1 or more, as in '@1'")
    }

    /// A number of 1 or more after a mark.
    fn number(&mut self, mark: &str, expected: &'static str) -> Result<u32, FaultParseError> {
        self.literal(mark, expected)?;
        self.skip_space();
        let end = self.rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(self.rest.len());
        let number: u32 = self.rest[..end].parse().map_err(|_| self.error(expected))?;
        if number == 0 {
            return Err(self.error(expected));
        }
        self.rest = &self.rest[end..];
        Ok(number)
    }

    /// An integer, or a string in double quotes.
    fn value(&mut self) -> Result<InputValue, FaultParseError> {
        const EXPECTED: &str = "an integer, or a string in double quotes";
        self.skip_space();
        if self.rest.starts_with('"') {
            return self.name().map(InputValue::String);
        }
        let sign = usize::from(self.rest.starts_with('-'));
        let digits = self.rest[sign..].find(|c: char| !c.is_ascii_digit());
        let end = digits.map_or(self.rest.len(), |digits| sign + digits);
        let integer = self.rest[..end].parse().map_err(|_| self.error(EXPECTED))?;
        self.rest = &self.rest[end..];
        Ok(InputValue::Integer(integer))
    }

    /// `(VALUE, ...)`.
    fn row(&mut self) -> Result<Vec<InputValue>, FaultParseError> {
        self.literal("(", "'(' and the row")?;
        let mut row = vec![self.value()?];
        loop {
            self.skip_space();
            if let Some(rest) = self.rest.strip_prefix(',') {
                self.rest = rest;
                row.push(self.value()?);
            } else {
                self.literal(")", "',' or ')'")?;
                return Ok(row);
            }
        }
    }

    /// `FROM->TO`.
    fn channel(&mut self) -> Result<(String, String), FaultParseError> {
        let from = self.name()?;
        self.literal("->", "'->' and the receiving node")?;
        Ok((from, self.name()?))
    }
}

impl FromStr for Fault {
    type Err = FaultParseError;

    fn from_str(input: &str) -> Result<Self, FaultParseError> {
        let mut cursor = Cursor { input, rest: input };
        cursor.skip_space();
        let word_end =
            cursor.rest.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(cursor.rest.len());
        let kind = &cursor.rest[..word_end];
        if !["omit", "delay", "crash", "recover", "input"].contains(&kind) {
            return Err(cursor.error("'omit', 'delay', 'crash', 'recover' or 'input'"));
        }
        cursor.rest = &cursor.rest[word_end..];
        let fault = match kind {
            "omit" => {
                let (from, to) = cursor.channel()?;
                Self::Omission { from, to, at: cursor.time()? }
            }
            "delay" => {
                let (from, to) = cursor.channel()?;
                let at = cursor.time()?;
                let by = cursor.number("by", "how many steps late, as in 'by 1'")?;
                Self::Delay { from, to, at, by }
            }
            "recover" => Self::Recovery { node: cursor.name()?, at: cursor.time()? },
            "crash" => Self::Crash { node: cursor.name()?, at: cursor.time()? },
            _ => {
                let relation = cursor.name()?;
                Self::Input { relation, row: cursor.row()?, at: cursor.time()? }
            }
        };
        cursor.skip_space();
        if cursor.rest.is_empty() { Ok(fault) } else { Err(cursor.error("nothing more")) }
    }
}

/// A set of faults, iterated in order of time.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct FaultSet(BTreeSet<Fault>);

impl FaultSet {
    /// The empty set: the failure-free run.
    #[must_use]
    pub fn none() -> Self {
        Self::default()
    }

    /// How many faults.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// True for the failure-free run.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// True if the fault is among them.
    #[must_use]
    pub fn contains(&self, fault: &Fault) -> bool {
        self.0.contains(fault)
    }

    /// True if every fault of `self` is in `other`.
    #[must_use]
    pub fn is_subset(&self, other: &Self) -> bool {
        self.0.is_subset(&other.0)
    }

    /// The faults, by time.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Fault> {
        self.0.iter()
    }

    /// Adds a fault; false if it was there.
    pub fn insert(&mut self, fault: Fault) -> bool {
        self.0.insert(fault)
    }
}

impl FromIterator<Fault> for FaultSet {
    fn from_iter<I: IntoIterator<Item = Fault>>(faults: I) -> Self {
        Self(faults.into_iter().collect())
    }
}

impl fmt::Display for FaultSet {
    /// `{omit a->b @1, crash c @3}`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("{")?;
        for (index, fault) in self.0.iter().enumerate() {
            let separator = if index == 0 { "" } else { ", " };
            write!(f, "{separator}{fault}")?;
        }
        f.write_str("}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn faults_read_what_they_write() {
        for text in [
            "omit a->b @1",
            "delay a->b @2 by 3",
            "crash C @3",
            "omit \"a b\"->\"q\\\"x\" @12",
            "crash n.1 @7",
            "recover n.1 @9",
            "input write(\"a\", -7, \"x, \\\"y\\\")\") @3",
        ] {
            let fault: Fault = text.parse().unwrap();
            assert_eq!(fault.to_string(), text);
        }
        let spaced: Fault = "  omit  a -> b  @ 1 ".parse().unwrap();
        assert_eq!(spaced, Fault::omission("a", "b", 1));
    }

    #[test]
    fn a_bad_fault_names_the_place() {
        let cases = [
            ("drop a->b @1", 1, "'omit', 'delay', 'crash', 'recover' or 'input'"),
            ("omit a b @1", 8, "'->' and the receiving node"),
            ("omit a->b", 10, "a time of 1 or more, as in '@1'"),
            ("crash a @0", 10, "a time of 1 or more, as in '@1'"),
            ("crash a @1 x", 12, "nothing more"),
            ("input write @1", 13, "'(' and the row"),
            ("input write(a) @1", 13, "an integer, or a string in double quotes"),
            ("input write(\"a\" 1) @1", 17, "',' or ')'"),
            ("delay a->b @1", 14, "how many steps late, as in 'by 1'"),
            ("delay a->b @1 by 0", 18, "how many steps late, as in 'by 1'"),
            ("crash @1", 7, "the name of a node"),
            ("crash \"a", 7, "a closing double quote"),
            ("omit a->b @99999999999", 12, "a time of 1 or more, as in '@1'"),
            ("", 1, "'omit', 'delay', 'crash', 'recover' or 'input'"),
        ];
        for (input, position, expected) in cases {
            let error = input.parse::<Fault>().unwrap_err();
            assert_eq!((error.position, error.expected), (position, expected), "{input}");
        }
    }

    #[test]
    fn sets_are_ordered_by_time() {
        let set: FaultSet =
            [Fault::crash("a", 2), Fault::delay("b", "a", 3, 1), Fault::omission("a", "b", 2)]
                .into_iter()
                .collect();
        assert_eq!(set.to_string(), "{omit a->b @2, crash a @2, delay b->a @3 by 1}");
        assert_eq!(
            serde_json::to_string(&set).unwrap(),
            r#"[{"kind":"omit","from":"a","to":"b","at":2},{"kind":"crash","node":"a","at":2},{"kind":"delay","from":"b","to":"a","at":3,"by":1}]"#
        );
        let input: Fault = "input write(\"a\", 7) @3".parse().unwrap();
        let json = r#"{"kind":"input","relation":"write","row":["a",7],"at":3}"#;
        assert_eq!(serde_json::to_string(&input).unwrap(), json);
        assert_eq!(serde_json::from_str::<Fault>(json).unwrap(), input);
    }
}
