//! A run in the terminal: a space-time diagram and the story, in plain text.
//!
//! Colour is decoration: every mark is a character of its own.

mod diagram;
mod tell;

pub use diagram::diagram;
pub(crate) use diagram::fit;
pub use tell::tell;

/// How to write to a terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Style {
    /// How many columns there are; at least 40 are used.
    pub width: usize,
    /// Only ASCII characters for the drawing (names stay as they are).
    pub ascii: bool,
    /// With ANSI colours.
    pub colour: bool,
}

impl Default for Style {
    fn default() -> Self {
        Self { width: 80, ascii: false, colour: false }
    }
}

/// What a piece of text is, for colour.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Ink {
    Bad,
    Good,
    Faint,
    Strong,
}

impl Style {
    pub(crate) fn paint(self, ink: Ink, text: &str) -> String {
        if !self.colour || text.is_empty() {
            return text.to_owned();
        }
        let code = match ink {
            Ink::Bad => "31;1",
            Ink::Good => "32",
            Ink::Faint => "2",
            Ink::Strong => "1",
        };
        format!("\u{1b}[{code}m{text}\u{1b}[0m")
    }

    fn width(self) -> usize {
        self.width.max(40)
    }
}

/// Names may hold control characters, which must not reach the terminal, and marks that turn the
/// direction of writing.
#[must_use]
pub fn visible(text: &str) -> String {
    let mut visible = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_control() || is_invisible(character) {
            visible.extend(character.escape_unicode());
        } else {
            visible.push(character);
        }
    }
    visible
}

/// Characters that change how others are shown, or that are not seen at all.
pub(crate) fn is_invisible(character: char) -> bool {
    matches!(character,
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        | '\u{061c}' | '\u{feff}' | '\u{00ad}' | '\u{2028}' | '\u{2029}')
}
