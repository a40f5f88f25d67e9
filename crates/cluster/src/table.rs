//! Reading tables of TOML: every mistake is noted with its place, and reading goes on.

use std::collections::BTreeMap;
use std::ops::Range;
use std::time::Duration;

use linchpin_model::closest;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::diagnostic::Diagnostic;

/// No wait is longer: times far beyond it do not fit into a clock.
const DURATION_MAX: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// A value with its place.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Placed<T> {
    pub(crate) value: T,
    pub(crate) span: Range<usize>,
}

pub(crate) type Value<'a> = Spanned<DeValue<'a>>;

/// Collects mistakes.
#[derive(Debug, Default)]
pub(crate) struct Mistakes(pub(crate) Vec<Diagnostic>);

impl Mistakes {
    pub(crate) fn add(&mut self, span: Range<usize>, message: impl Into<String>) {
        self.0.push(Diagnostic { span, message: message.into(), help: None });
    }

    pub(crate) fn add_with_help(
        &mut self,
        span: Range<usize>,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.0.push(Diagnostic { span, message: message.into(), help: Some(help.into()) });
    }

    /// A key, and what to do about it if `known` has none like it.
    pub(crate) fn unknown(&mut self, span: Range<usize>, place: &str, key: &str, known: &[&str]) {
        let help = match closest(key, known.iter().copied()) {
            Some(similar) => format!("did you mean `{similar}`?"),
            None => format!("there are: {}", known.join(", ")),
        };
        self.add_with_help(span, format!("{place} has no key `{key}`"), help);
    }

    /// Notes keys that are not among `known`.
    pub(crate) fn check_keys(&mut self, table: &DeTable<'_>, place: &str, known: &[&str]) {
        for (key, _) in table {
            if !known.contains(&key.get_ref().as_ref()) {
                self.unknown(key.span(), place, key.get_ref(), known);
            }
        }
    }

    fn expected(&mut self, value: &Value<'_>, what: &str) {
        self.add(value.span(), format!("expected {what}"));
    }

    pub(crate) fn table<'a, 'b>(
        &mut self,
        value: &'b Value<'a>,
        what: &str,
    ) -> Option<&'b DeTable<'a>> {
        let table = value.get_ref().as_table();
        if table.is_none() {
            self.expected(value, what);
        }
        table
    }

    pub(crate) fn string(&mut self, value: &Value<'_>) -> Option<Placed<String>> {
        match value.get_ref().as_str() {
            Some(text) => Some(Placed { value: text.to_owned(), span: value.span() }),
            None => {
                self.expected(value, "a string");
                None
            }
        }
    }

    pub(crate) fn boolean(&mut self, value: &Value<'_>) -> Option<bool> {
        let found = value.get_ref().as_bool();
        if found.is_none() {
            self.expected(value, "`true` or `false`");
        }
        found
    }

    pub(crate) fn number(&mut self, value: &Value<'_>, max: u64) -> Option<u64> {
        let number = value.get_ref().as_integer().and_then(|integer| {
            u64::from_str_radix(&integer.as_str().replace('_', ""), integer.radix()).ok()
        });
        let number = number.filter(|number| *number <= max);
        if number.is_none() {
            self.expected(value, &format!("a whole number from 0 to {max}"));
        }
        number
    }

    pub(crate) fn duration(&mut self, value: &Value<'_>) -> Option<Duration> {
        let found = value.get_ref().as_str().and_then(|text| humantime::parse_duration(text).ok());
        let Some(found) = found else {
            self.expected(value, "a duration in quotes, such as \"200ms\", \"10s\" or \"2m\"");
            return None;
        };
        if found > DURATION_MAX {
            self.expected(value, "a duration of at most one year");
            return None;
        }
        Some(found)
    }

    pub(crate) fn strings(&mut self, value: &Value<'_>, what: &str) -> Option<Vec<Placed<String>>> {
        let Some(list) = value.get_ref().as_array() else {
            self.expected(value, what);
            return None;
        };
        list.iter()
            .map(|item| match item.get_ref().as_str() {
                Some(text) => Some(Placed { value: text.to_owned(), span: item.span() }),
                None => {
                    self.expected(item, what);
                    None
                }
            })
            .collect()
    }

    /// A program and its arguments.
    pub(crate) fn command(&mut self, value: &Value<'_>) -> Option<Vec<Placed<String>>> {
        let what = "a program and its arguments: `[\"program\", \"argument\"]`";
        let words = self.strings(value, what)?;
        if words.is_empty() || words[0].value.is_empty() {
            self.expected(value, what);
            return None;
        }
        Some(words)
    }

    pub(crate) fn string_map(
        &mut self,
        value: &Value<'_>,
    ) -> Option<BTreeMap<String, Placed<String>>> {
        let table = self.table(value, "a table of strings: `{ NAME = \"value\" }`")?;
        table
            .iter()
            .map(|(key, value)| Some((key.get_ref().to_string(), self.string(value)?)))
            .collect()
    }

    pub(crate) fn choice<T: Clone>(
        &mut self,
        value: &Value<'_>,
        choices: &[(&str, T)],
    ) -> Option<T> {
        let text = value.get_ref().as_str();
        let found = choices.iter().find(|(name, _)| Some(*name) == text);
        if found.is_none() {
            let names: Vec<String> =
                choices.iter().map(|(name, _)| format!("`\"{name}\"`")).collect();
            let near = text.and_then(|text| closest(text, choices.iter().map(|(name, _)| *name)));
            let expected = format!("expected {}", names.join(" or "));
            match near {
                Some(near) => {
                    let help = format!("did you mean `\"{near}\"`?");
                    self.add_with_help(value.span(), expected, help);
                }
                None => self.add(value.span(), expected),
            }
        }
        found.map(|(_, choice)| choice.clone())
    }
}
