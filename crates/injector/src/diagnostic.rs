//! What is wrong with the text of a fault, where, and what may have been meant.

use std::fmt;
use std::ops::Range;

/// One mistake.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// What is wrong.
    pub message: String,
    /// Where, in bytes of the source.
    pub span: Range<usize>,
    /// How to mend it.
    pub hint: Option<String>,
}

impl Diagnostic {
    pub(crate) fn new(span: Range<usize>, message: impl Into<String>) -> Diagnostic {
        Diagnostic { message: message.into(), span, hint: None }
    }

    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Diagnostic {
        self.hint = Some(hint.into());
        self
    }

    /// The mistake with the line it is in, as a compiler shows it. `origin` is what the source is
    /// called: `--fault`, or a file.
    pub fn render(&self, source: &str, origin: &str) -> String {
        let at = self.span.start.min(source.len());
        let start = source[..at].rfind('\n').map_or(0, |index| index + 1);
        let end = source[at..].find('\n').map_or(source.len(), |index| at + index);
        let number = source[..start].matches('\n').count() + 1;
        let column = source[start..at].chars().count();
        let stop = self.span.end.clamp(at, end);
        let width = source[at..stop].chars().count().max(1);
        let margin = " ".repeat(number.to_string().len());
        let mut text = format!(
            "error: {}\n{margin}--> {origin}:{number}:{}\n{margin} |\n{number} | {}\n{margin} | {}{}",
            self.message,
            column + 1,
            &source[start..end],
            " ".repeat(column),
            "^".repeat(width)
        );
        if let Some(hint) = &self.hint {
            text += &format!("\nhint: {hint}");
        }
        text
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "at character {}: {}", self.span.start + 1, self.message)?;
        self.hint.as_ref().map_or(Ok(()), |hint| write!(out, "; {hint}"))
    }
}

/// The known word that was probably meant, if one is near; in whichever case it was written.
pub(crate) fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let known: Vec<&str> = known.into_iter().collect();
    let (lower, upper) = (word.to_lowercase(), word.to_uppercase());
    [word, &lower, &upper].into_iter().find_map(|word| {
        let same = known.iter().copied().find(|candidate| *candidate == word);
        same.or_else(|| linchpin_model::closest(word, known.iter().copied()))
    })
}
