//! Mistakes in a cluster file, with their places.

use std::ops::Range;
use std::path::Path;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Where in the file, in bytes.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Diagnostic {
    /// The mistake as text, with the lines it is about. Ends with a line break.
    #[must_use]
    pub fn render(&self, path: &Path, text: &str, colour: bool) -> String {
        let renderer = if colour { Renderer::styled() } else { Renderer::plain() };
        let renderer = renderer.decor_style(DecorStyle::Ascii);
        let path = path.display().to_string();
        // A range past the end, or within a character, would not be drawn.
        let mut start = self.span.start.min(text.len());
        let mut end = self.span.end.clamp(start, text.len());
        while !text.is_char_boundary(start) {
            start -= 1;
        }
        while !text.is_char_boundary(end) {
            end += 1;
        }
        // Of a table over many lines, the first is enough.
        if let Some(line) = text[start..end].find('\n') {
            end = start + line;
        }
        let snippet =
            Snippet::source(text).path(path).annotation(AnnotationKind::Primary.span(start..end));
        let mut group = Level::ERROR.primary_title(self.message.as_str()).element(snippet);
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(help.as_str()));
        }
        let mut shown = renderer.render(&[group]);
        shown.push('\n');
        shown
    }
}
