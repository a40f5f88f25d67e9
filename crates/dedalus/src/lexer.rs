//! Text to tokens.
//!
//! The lexer knows nothing of the meaning of tokens; it decodes strings and integers only when the
//! parser asks for their values. Comments vanish, except that lines of front matter (`//!`) are
//! handed on beside the tokens.

use logos::Logos;

use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::source::{FileId, Span};

/// The kinds of token.
#[derive(Logos, Clone, Copy, Debug, PartialEq, Eq)]
#[logos(skip r"[ \t\r\n\u{c}\u{feff}]+")]
pub enum TokenKind {
    /// A relation name, a keyword, or an aggregate function.
    #[regex(r"[a-z][A-Za-z0-9._?@]*")]
    Name,
    /// A variable.
    #[regex(r"[A-Z_][A-Za-z0-9._?@]*")]
    Variable,
    /// Digits.
    #[regex(r"[0-9]+", priority = 10)]
    Integer,
    /// `1..4`: the integers from the one to the other.
    #[regex(r"[0-9]+\.\.[0-9]+", priority = 10)]
    Range,
    /// Something that begins with a digit but is no integer.
    #[regex(r"[0-9][A-Za-z0-9._?@]*", priority = 5)]
    MalformedNumber,
    /// A string, quotes included.
    #[regex(r#""([^"\\\n]|\\[^\n])*""#, priority = 10)]
    String,
    /// A string without its closing quote.
    #[regex(r#""([^"\\\n]|\\[^\n])*\\?"#, priority = 5)]
    UnterminatedString,
    /// `:-`
    #[token(":-")]
    If,
    /// `,`
    #[token(",")]
    Comma,
    /// `;`
    #[token(";")]
    Semicolon,
    /// `(`
    #[token("(")]
    ParenthesisOpen,
    /// `)`
    #[token(")")]
    ParenthesisClose,
    /// `{`
    #[token("{")]
    BraceOpen,
    /// `}`
    #[token("}")]
    BraceClose,
    /// `@`
    #[token("@")]
    At,
    /// `==`
    #[token("==")]
    Equal,
    /// `!=`
    #[token("!=")]
    NotEqual,
    /// `<`
    #[token("<")]
    Less,
    /// `<=`
    #[token("<=")]
    LessOrEqual,
    /// `>`
    #[token(">")]
    Greater,
    /// `>=`
    #[token(">=")]
    GreaterOrEqual,
    /// `+`
    #[token("+")]
    Plus,
    /// `-`
    #[token("-")]
    Minus,
    /// `*`
    #[token("*")]
    Star,
    /// `/`
    #[token("/")]
    Slash,
    /// `//`, the rest of its line to be skipped.
    #[token("//")]
    LineComment,
    /// `/*`, what follows to be skipped.
    #[token("/*")]
    BlockComment,
    /// Something already reported as no token.
    Invalid,
    /// The end of the file.
    End,
}

/// A token: its kind and its bytes.
#[derive(Clone, Copy, Debug)]
pub struct Token {
    /// What it is.
    pub kind: TokenKind,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// The tokens of a file.
#[derive(Debug)]
pub struct Lexed {
    /// Ends with one [`TokenKind::End`].
    pub tokens: Vec<Token>,
    /// The comments that begin with `//!`, without their line ends.
    pub front_matter_lines: Vec<Span>,
}

/// Splits a file into tokens, reporting what is no token.
pub(crate) fn lex(file: FileId, text: &str, diagnostics: &mut Diagnostics) -> Lexed {
    let mut lexed = Lexed { tokens: Vec::new(), front_matter_lines: Vec::new() };
    let mut lexer = TokenKind::lexer(text);
    let mut strange_before = false;
    while let Some(result) = lexer.next() {
        let range = lexer.span();
        let span = |start: usize, end: usize| Span { file, start: start as u32, end: end as u32 };
        let kind = match result {
            Ok(TokenKind::LineComment) => {
                let rest = lexer.remainder();
                let length = rest.bytes().position(|byte| byte == b'\n').unwrap_or(rest.len());
                let body = rest[..length].strip_suffix('\r').unwrap_or(&rest[..length]);
                if body.starts_with('!') {
                    lexed.front_matter_lines.push(span(range.start, range.end + body.len()));
                }
                lexer.bump(length);
                continue;
            }
            Ok(TokenKind::BlockComment) => {
                let rest = lexer.remainder();
                if let Some(length) = rest.find("*/") {
                    lexer.bump(length + 2);
                } else {
                    diagnostics.push(
                        Diagnostic::at(
                            Code::UnterminatedComment,
                            span(range.start, range.end),
                            "this comment is never closed",
                            "no `*/` follows",
                        )
                        .with_help("close the comment with `*/`"),
                    );
                    lexer.bump(rest.len());
                }
                continue;
            }
            Ok(TokenKind::UnterminatedString) => {
                diagnostics.push(
                    Diagnostic::at(
                        Code::UnterminatedString,
                        span(range.start, range.end),
                        "this string is not closed",
                        "no closing `\"` on this line",
                    )
                    .with_help("close the string with `\"`; write a line break in it as `\\n`"),
                );
                TokenKind::UnterminatedString
            }
            Ok(TokenKind::MalformedNumber) => {
                let text = &text[range.clone()];
                let help = if text.contains("..") {
                    "a range of integers is written `1..4`, without spaces"
                } else if text.contains('.') {
                    "only integers exist; a clause ends with `;`, not with `.`"
                } else {
                    "names begin with a letter; between a number and a name an operator is needed"
                };
                diagnostics.push(
                    Diagnostic::at(
                        Code::MalformedNumber,
                        span(range.start, range.end),
                        format!("`{}` is not an integer", excerpt(text)),
                        "not an integer",
                    )
                    .with_help(help),
                );
                TokenKind::MalformedNumber
            }
            Ok(TokenKind::Semicolon) => {
                strange_before = false;
                TokenKind::Semicolon
            }
            Ok(kind) => kind,
            Err(()) => {
                // One report for a clause.
                if !strange_before {
                    diagnostics.push(strange(&text[range.clone()], span(range.start, range.end)));
                }
                strange_before = true;
                TokenKind::Invalid
            }
        };
        lexed.tokens.push(Token { kind, start: range.start as u32, end: range.end as u32 });
    }
    let end = text.len() as u32;
    lexed.tokens.push(Token { kind: TokenKind::End, start: end, end });
    lexed
}

/// At most the first 40 characters.
pub(crate) fn excerpt(text: &str) -> String {
    match text.char_indices().nth(40) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text.to_owned(),
    }
}

fn strange(text: &str, span: Span) -> Diagnostic {
    let shown = match text.chars().next() {
        Some(character @ ('\'' | '"')) => character.to_string(),
        Some(character) => character.escape_debug().to_string(),
        None => String::new(),
    };
    let diagnostic = Diagnostic::at(
        Code::UnexpectedCharacter,
        span,
        format!("the character `{shown}` is not part of the language"),
        "unexpected",
    );
    match text.chars().next() {
        Some('.') => diagnostic.with_help("a clause ends with `;`, not with `.`"),
        Some('!') => diagnostic.with_help("negation is written `notin`"),
        Some('=') => diagnostic.with_help("equality is written `==`"),
        Some(':') => diagnostic.with_help("head and body are separated by `:-`"),
        Some('\'' | '\u{2018}' | '\u{2019}' | '\u{201c}' | '\u{201d}') => {
            diagnostic.with_help("strings stand in straight double quotes: `\"a\"`")
        }
        Some('#' | '%') => diagnostic.with_help("a comment begins with `//`"),
        Some('&' | '|') => diagnostic.with_help(
            "the terms of a body are separated by `,`; alternatives are rules of their own",
        ),
        _ => diagnostic.with_help("remove it, or put it in a string or a comment"),
    }
}

/// Decodes a string token (quotes included, the closing one possibly missing).
pub(crate) fn unescape(span: Span, text: &str, diagnostics: &mut Diagnostics) -> String {
    let inner = &text[1..];
    let mut decoded = String::with_capacity(inner.len());
    let mut characters = inner.char_indices();
    while let Some((offset, character)) = characters.next() {
        match character {
            '"' => break,
            '\\' => {
                let start = offset;
                let escape = characters.next().map_or(' ', |(_, character)| character);
                let replacement = match escape {
                    '"' | '\\' | '\'' => Some(escape),
                    'n' => Some('\n'),
                    't' => Some('\t'),
                    'r' => Some('\r'),
                    '0' => Some('\0'),
                    'u' => unicode_escape(&inner[start + 2..]).map(|(character, length)| {
                        // The digits and braces are ASCII: one character each.
                        for _ in 0..length {
                            characters.next();
                        }
                        character
                    }),
                    _ => None,
                };
                match replacement {
                    Some(character) => decoded.push(character),
                    None => {
                        let start = span.start + 1 + start as u32;
                        let end = start + 1 + escape.len_utf8() as u32;
                        let place = Span { file: span.file, start, end: end.min(span.end) };
                        diagnostics.push(
                            Diagnostic::at(
                                Code::UnknownEscape,
                                place,
                                format!("`\\{}` means nothing in a string", escape.escape_debug()),
                                "unknown escape",
                            )
                            .with_help(
                                "the escapes are `\\\"`, `\\\\`, `\\n`, `\\t`, `\\r`, `\\0` and \
                                 `\\u{..}`; a backslash itself is `\\\\`",
                            ),
                        );
                    }
                }
            }
            _ => decoded.push(character),
        }
    }
    decoded
}

/// `{hexadecimal}` at the start of `text`: the character and the length in bytes.
fn unicode_escape(text: &str) -> Option<(char, usize)> {
    let digits = text.strip_prefix('{')?;
    let length = digits.bytes().take(7).position(|byte| byte == b'}')?;
    let code = &digits[..length];
    if !code.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let character = char::from_u32(u32::from_str_radix(code, 16).ok()?)?;
    Some((character, length + 2))
}
