//! Diagnostics as text, with the source lines they are about.

mod excerpt;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Group, Level, Renderer, Snippet};

use crate::diagnostic::{Diagnostic, Label, Severity};
use crate::source::SourceMap;
use excerpt::Excerpt;

/// How to show diagnostics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Style {
    /// Text only.
    Plain,
    /// With terminal colours.
    Colour,
}

/// A diagnostic as text: the message, the places in the source, and what to do. Ends with a line
/// break.
#[must_use]
pub fn render(diagnostic: &Diagnostic, sources: &SourceMap, style: Style) -> String {
    let renderer = match style {
        Style::Plain => Renderer::plain(),
        Style::Colour => Renderer::styled(),
    };
    let renderer = renderer.decor_style(DecorStyle::Ascii);
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let excerpts = excerpts(diagnostic, sources);
    let title = level.primary_title(one_line(&diagnostic.message)).id(diagnostic.code.as_str());
    let mut group = Group::with_title(title);
    for excerpt in &excerpts {
        let mut snippet = Snippet::source(excerpt.text.as_str())
            .line_start(excerpt.line_start)
            .path(one_line(&excerpt.path));
        for mark in &excerpt.marks {
            let kind = if mark.primary { AnnotationKind::Primary } else { AnnotationKind::Context };
            let label = (!mark.label.is_empty()).then(|| one_line(&mark.label));
            snippet = snippet.annotation(kind.span(mark.range.clone()).label(label));
        }
        group = group.element(snippet);
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(one_line(help)));
    }
    let mut text = renderer.render(&[group]);
    text.push('\n');
    text
}

/// Every diagnostic, each followed by an empty line.
#[must_use]
pub fn render_all(diagnostics: &[Diagnostic], sources: &SourceMap, style: Style) -> String {
    let mut text = String::new();
    for diagnostic in diagnostics {
        text.push_str(&render(diagnostic, sources, style));
        text.push('\n');
    }
    text
}

/// Paths and names can hold line breaks and control characters.
fn one_line(text: &str) -> String {
    text.chars()
        .flat_map(|character| {
            let escaped = character.is_control().then(|| character.escape_debug());
            let plain = (!character.is_control()).then_some(character);
            plain.into_iter().chain(escaped.into_iter().flatten())
        })
        .collect()
}

/// One excerpt per file, that of the primary place first.
fn excerpts(diagnostic: &Diagnostic, sources: &SourceMap) -> Vec<Excerpt> {
    let mut by_file: Vec<Vec<(&Label, bool)>> = Vec::new();
    let primary = diagnostic.primary.iter().map(|label| (label, true));
    let secondary = diagnostic.secondary.iter().map(|label| (label, false));
    for (label, is_primary) in primary.chain(secondary) {
        match by_file.iter_mut().find(|labels| labels[0].0.span.file == label.span.file) {
            Some(labels) => labels.push((label, is_primary)),
            None => by_file.push(vec![(label, is_primary)]),
        }
    }
    by_file.iter().map(|labels| Excerpt::new(sources, labels)).collect()
}
