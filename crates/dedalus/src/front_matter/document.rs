//! The TOML document in the `//!` lines, and its values with their places.

use std::ops::Range;

use linchpin_model::{Prior, closest};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::{CrashModel, Expectation, FrontMatter, Invariant, Scenario, check};
use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::{SourceMap, Span};

const SCENARIO: &str = "scenario";
const KEYS: [&str; 13] = [
    "eot",
    "eff",
    "crashes",
    "max-delay",
    "recoveries",
    "durable",
    "crash-model",
    "nodes",
    "invariant",
    "expect",
    "reason",
    "allow-vacuous",
    "priors",
];

/// A value and where it stands.
#[derive(Clone, Debug)]
pub(super) struct Placed<T> {
    pub(super) value: T,
    pub(super) span: Span,
}

/// The keys of a table, as far as they are valid.
#[derive(Clone, Debug, Default)]
pub(super) struct Entries {
    pub(super) eot: Option<Placed<u32>>,
    pub(super) eff: Option<Placed<u32>>,
    pub(super) crashes: Option<Placed<u32>>,
    max_delay: Option<Placed<u32>>,
    recoveries: Option<Placed<u32>>,
    durable: Option<Placed<Vec<Placed<String>>>>,
    crash_model: Option<Placed<CrashModel>>,
    pub(super) nodes: Option<Placed<Vec<Placed<String>>>>,
    invariant: Option<Placed<Invariant>>,
    expect: Option<Placed<Expectation>>,
    reason: Option<Placed<String>>,
    allow_vacuous: Option<Placed<bool>>,
    priors: Option<Placed<Vec<Prior>>>,
}

impl Entries {
    /// These entries, and for what they lack those of `defaults`.
    fn or(self, defaults: &Self) -> Self {
        let defaults = defaults.clone();
        Self {
            eot: self.eot.or(defaults.eot),
            eff: self.eff.or(defaults.eff),
            crashes: self.crashes.or(defaults.crashes),
            max_delay: self.max_delay.or(defaults.max_delay),
            recoveries: self.recoveries.or(defaults.recoveries),
            durable: self.durable.or(defaults.durable),
            crash_model: self.crash_model.or(defaults.crash_model),
            nodes: self.nodes.or(defaults.nodes),
            invariant: self.invariant.or(defaults.invariant),
            expect: self.expect.or(defaults.expect),
            reason: self.reason.or(defaults.reason),
            allow_vacuous: self.allow_vacuous.or(defaults.allow_vacuous),
            priors: self.priors.or(defaults.priors),
        }
    }

    fn into_scenario(self, name: Option<String>, span: Span) -> Scenario {
        fn value<T>(placed: Option<Placed<T>>) -> Option<T> {
            placed.map(|placed| placed.value)
        }
        let names = |placed: Option<Placed<Vec<Placed<String>>>>| {
            let names = value(placed)?;
            Some(names.into_iter().map(|name| name.value).collect())
        };
        Scenario {
            name,
            eot: value(self.eot),
            eff: value(self.eff),
            crashes: value(self.crashes),
            max_delay: value(self.max_delay),
            recoveries: value(self.recoveries),
            durable: names(self.durable),
            crash_model: value(self.crash_model),
            nodes: names(self.nodes),
            invariant: value(self.invariant),
            expect: value(self.expect),
            reason: value(self.reason),
            allow_vacuous: value(self.allow_vacuous),
            priors: value(self.priors),
            span,
        }
    }
}

/// A line of the document.
struct Line {
    /// Where it starts in the document.
    start: usize,
    /// Where it stands in the source.
    span: Span,
}

pub(super) struct Document {
    text: String,
    lines: Vec<Line>,
}

impl Document {
    /// The document in these lines; `None` if there are none.
    pub(super) fn new(sources: &SourceMap, spans: &[Span]) -> Option<Self> {
        if spans.is_empty() {
            return None;
        }
        let mut text = String::new();
        let mut lines = Vec::with_capacity(spans.len());
        for span in spans {
            let line = &sources.text(*span)["//!".len()..];
            let content = line.strip_prefix(' ').unwrap_or(line);
            let skipped = "//!".len() + line.len() - content.len();
            let span = Span { start: span.start + skipped as u32, ..*span };
            lines.push(Line { start: text.len(), span });
            text.push_str(content);
            text.push('\n');
        }
        Some(Self { text, lines })
    }

    /// Where a range of the document stands in the source. A range over several lines ends with
    /// the first.
    fn span(&self, range: Range<usize>) -> Span {
        let index = self.lines.partition_point(|line| line.start <= range.start);
        let line = &self.lines[index.saturating_sub(1)];
        let place = |offset: usize| {
            let offset = offset.saturating_sub(line.start) as u32;
            line.span.start.saturating_add(offset).min(line.span.end)
        };
        Span { file: line.span.file, start: place(range.start), end: place(range.end) }
    }

    pub(super) fn read(&self, diagnostics: &mut Diagnostics) -> FrontMatter {
        let (root, errors) = DeTable::parse_recoverable(&self.text);
        for error in &errors {
            diagnostics.push(
                Diagnostic::at(
                    Code::FrontMatterSyntax,
                    self.span(error.span().unwrap_or(0..0)),
                    format!(
                        "the front matter is not TOML: {}",
                        error.message().replace('\n', ", ")
                    ),
                    "",
                )
                .with_help(
                    "the `//!` lines hold TOML: `//! eot = 6`, `//! nodes = [\"a\", \"b\"]`",
                ),
            );
        }
        if !errors.is_empty() {
            return FrontMatter::default();
        }
        let root = root.get_ref();
        let defaults = self.entries(root, true, diagnostics);
        let mut scenarios = Vec::new();
        if let Some(tables) = root.get(SCENARIO) {
            scenarios = self.scenarios(tables, &defaults, diagnostics);
        } else {
            check::check(&defaults, diagnostics);
            let span = self.lines[0].span;
            scenarios.push(defaults.into_scenario(None, span));
        }
        FrontMatter { scenarios }
    }

    fn scenarios(
        &self,
        tables: &Spanned<DeValue<'_>>,
        defaults: &Entries,
        diagnostics: &mut Diagnostics,
    ) -> Vec<Scenario> {
        let Some(tables_by_name) = tables.get_ref().as_table() else {
            self.invalid(tables, "tables: `[scenario.NAME]`", diagnostics);
            return Vec::new();
        };
        let mut named: Vec<_> = tables_by_name.iter().collect();
        named.sort_by_key(|(name, _)| name.span().start);
        let mut scenarios = Vec::new();
        for (name, table) in named {
            let Some(entries) = table.get_ref().as_table() else {
                self.invalid(table, "a table: `[scenario.NAME]`", diagnostics);
                continue;
            };
            let entries = self.entries(entries, false, diagnostics).or(defaults);
            check::check(&entries, diagnostics);
            let span = self.span(name.span());
            scenarios.push(entries.into_scenario(Some(name.get_ref().to_string()), span));
        }
        scenarios
    }

    fn entries(
        &self,
        table: &DeTable<'_>,
        is_root: bool,
        diagnostics: &mut Diagnostics,
    ) -> Entries {
        let mut entries = Entries::default();
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "eot" => entries.eot = self.number(value, 1, diagnostics),
                "eff" => entries.eff = self.number(value, 0, diagnostics),
                "crashes" => entries.crashes = self.number(value, 0, diagnostics),
                "max-delay" => entries.max_delay = self.number(value, 0, diagnostics),
                "recoveries" => entries.recoveries = self.number(value, 0, diagnostics),
                "durable" => entries.durable = self.names(value, false, diagnostics),
                "crash-model" => {
                    entries.crash_model = self.choice(value, &CrashModel::NAMES, diagnostics);
                }
                "nodes" => entries.nodes = self.names(value, true, diagnostics),
                "invariant" => {
                    entries.invariant = self.choice(value, &Invariant::NAMES, diagnostics);
                }
                "expect" => entries.expect = self.choice(value, &Expectation::NAMES, diagnostics),
                "reason" => match value.get_ref().as_str() {
                    Some(text) => entries.reason = Some(self.placed(value, text.to_owned())),
                    None => self.invalid(value, "a string", diagnostics),
                },
                "allow-vacuous" => match value.get_ref().as_bool() {
                    Some(allowed) => entries.allow_vacuous = Some(self.placed(value, allowed)),
                    None => self.invalid(value, "`true` or `false`", diagnostics),
                },
                "priors" => entries.priors = self.priors(value, diagnostics),
                SCENARIO if is_root => {}
                unknown => self.unknown(key.span(), unknown, is_root, diagnostics),
            }
        }
        entries
    }

    fn priors(
        &self,
        value: &Spanned<DeValue<'_>>,
        diagnostics: &mut Diagnostics,
    ) -> Option<Placed<Vec<Prior>>> {
        let list = value.get_ref().as_array();
        let priors = list.and_then(|list| {
            list.iter()
                .map(|prior| prior.get_ref().as_str().and_then(|text| text.parse().ok()))
                .collect::<Option<Vec<Prior>>>()
        });
        if priors.is_none() {
            self.invalid(value, "a list such as `[\"omit=0.01\", \"crash:c=0.1\"]`", diagnostics);
        }
        priors.map(|priors| self.placed(value, priors))
    }

    fn placed<T>(&self, at: &Spanned<DeValue<'_>>, value: T) -> Placed<T> {
        Placed { value, span: self.span(at.span()) }
    }

    fn unknown(
        &self,
        range: Range<usize>,
        key: &str,
        is_root: bool,
        diagnostics: &mut Diagnostics,
    ) {
        let candidates = KEYS.into_iter().chain(is_root.then_some(SCENARIO));
        let help = match closest(key, candidates) {
            Some(similar) => format!("did you mean `{similar}`?"),
            None => format!("the keys are {}", KEYS.map(|key| format!("`{key}`")).join(", ")),
        };
        diagnostics.push(
            Diagnostic::at(
                Code::FrontMatterKey,
                self.span(range),
                format!("the front matter has no key `{key}`"),
                "unknown key",
            )
            .with_help(help),
        );
    }

    fn invalid(&self, value: &Spanned<DeValue<'_>>, expected: &str, diagnostics: &mut Diagnostics) {
        diagnostics.push(Diagnostic::at(
            Code::FrontMatterValue,
            self.span(value.span()),
            format!("expected {expected}"),
            "invalid value",
        ));
    }

    fn number(
        &self,
        value: &Spanned<DeValue<'_>>,
        min: u32,
        diagnostics: &mut Diagnostics,
    ) -> Option<Placed<u32>> {
        let number = value.get_ref().as_integer().and_then(|integer| {
            let digits = integer.as_str().replace('_', "");
            u32::from_str_radix(digits.trim_start_matches('+'), integer.radix()).ok()
        });
        let number = number.filter(|number| *number >= min);
        if number.is_none() {
            let expected = format!("a whole number between {min} and {}", u32::MAX);
            self.invalid(value, &expected, diagnostics);
        }
        number.map(|number| self.placed(value, number))
    }

    /// A list of different names; of at least one, if they are nodes.
    fn names(
        &self,
        value: &Spanned<DeValue<'_>>,
        are_nodes: bool,
        diagnostics: &mut Diagnostics,
    ) -> Option<Placed<Vec<Placed<String>>>> {
        let expected = "a list of names: `[\"a\", \"b\"]`";
        let Some(list) = value.get_ref().as_array() else {
            self.invalid(value, expected, diagnostics);
            return None;
        };
        if list.is_empty() && are_nodes {
            self.invalid(value, "at least one node", diagnostics);
            return None;
        }
        let mut nodes: Vec<Placed<String>> = Vec::new();
        for item in list.iter() {
            let Some(name) = item.get_ref().as_str().filter(|name| !name.is_empty()) else {
                self.invalid(item, expected, diagnostics);
                continue;
            };
            let place = self.span(item.span());
            if let Some(first) = nodes.iter().find(|node| node.value == name) {
                diagnostics.push(
                    Diagnostic::at(
                        Code::FrontMatterValue,
                        place,
                        if are_nodes {
                            format!("the node `{name}` is declared twice")
                        } else {
                            format!("the relation `{name}` is named twice")
                        },
                        "again",
                    )
                    .with_label(first.span, "first declared here")
                    .with_help("remove one, or give it another name"),
                );
                continue;
            }
            nodes.push(Placed { value: name.to_owned(), span: place });
        }
        Some(self.placed(value, nodes))
    }

    fn choice<T: Copy>(
        &self,
        value: &Spanned<DeValue<'_>>,
        choices: &[(&str, T)],
        diagnostics: &mut Diagnostics,
    ) -> Option<Placed<T>> {
        let text = value.get_ref().as_str();
        let found = choices.iter().find(|(name, _)| Some(*name) == text);
        if found.is_none() {
            let names: Vec<String> =
                choices.iter().map(|(name, _)| format!("`\"{name}\"`")).collect();
            self.invalid(value, &names.join(" or "), diagnostics);
        }
        found.map(|(_, choice)| self.placed(value, *choice))
    }
}
