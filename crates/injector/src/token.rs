//! From text to tokens.

use std::ops::Range;

use crate::diagnostic::Diagnostic;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    /// A keyword, name, label or duration.
    Word(String),
    /// In double quotes: never a keyword.
    Quoted(String),
    /// `->`
    Forth,
    /// `<-`
    Back,
    Comma,
    Bar,
    Open,
    Close,
    /// `#3`, `#every`: what follows the mark.
    Count(String),
    /// `@3`: a time step of a specification.
    Step(String),
}

/// Characters of an unquoted word.
pub(crate) fn is_word_character(character: char) -> bool {
    character.is_alphanumeric() || "._?*+-/:".contains(character)
}

/// Splits `text`, which begins at byte `start` of the source.
pub(crate) fn tokens(text: &str, start: usize) -> (Vec<(Token, Range<usize>)>, Vec<Diagnostic>) {
    let mut tokens = Vec::new();
    let mut wrong = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        let rest = &text[at..];
        let (token, length) = match first {
            _ if first.is_whitespace() => (None, first.len_utf8()),
            _ if rest.starts_with("->") => (Some(Token::Forth), 2),
            _ if rest.starts_with("<-") => (Some(Token::Back), 2),
            ',' => (Some(Token::Comma), 1),
            '|' => (Some(Token::Bar), 1),
            '{' => (Some(Token::Open), 1),
            '}' => (Some(Token::Close), 1),
            '#' | '@' => {
                let length = word(&rest[1..]);
                let text = rest[1..=length].to_owned();
                let token = if first == '#' { Token::Count(text) } else { Token::Step(text) };
                (Some(token), 1 + length)
            }
            '"' => match quoted(&rest[1..]) {
                Some((text, length)) => (Some(Token::Quoted(text)), 1 + length),
                None => {
                    let span = start + at..start + text.len();
                    let message = "the closing double quote is missing";
                    wrong.push(Diagnostic::new(span, message));
                    (None, rest.len())
                }
            },
            _ if is_word_character(first) => {
                let length = word(rest);
                (Some(Token::Word(rest[..length].to_owned())), length)
            }
            _ => {
                let span = start + at..start + at + first.len_utf8();
                let message = format!("`{first}` has no meaning here");
                wrong.push(
                    Diagnostic::new(span, message)
                        .hint("a name or label with such characters stands in double quotes"),
                );
                (None, first.len_utf8())
            }
        };
        if let Some(token) = token {
            tokens.push((token, start + at..start + at + length));
        }
        at += length;
    }
    (tokens, wrong)
}

/// Length of the word at the beginning, which ends before an arrow.
fn word(text: &str) -> usize {
    let mut length = 0;
    for character in text.chars() {
        if !is_word_character(character) || text[length..].starts_with("->") {
            break;
        }
        length += character.len_utf8();
    }
    length
}

/// The text up to the closing quote, and the length with it.
fn quoted(text: &str) -> Option<(String, usize)> {
    let mut content = String::new();
    let mut characters = text.char_indices();
    while let Some((index, character)) = characters.next() {
        match character {
            '"' => return Some((content, index + 1)),
            '\\' => content.push(characters.next()?.1),
            other => content.push(other),
        }
    }
    None
}
