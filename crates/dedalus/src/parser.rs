//! Tokens to syntax tree: recursive descent, with recovery at the next clause.
//!
//! A clause with a syntax error is reported once and left out of the tree; the clauses around it
//! are parsed all the same.

mod body;
mod expression;

use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::lexer::{Token, TokenKind, excerpt, unescape};
use crate::source::{FileId, Span};
use crate::syntax::{Clause, Expression, Fact, Head, HeadColumn, HeadTime, Include, Name, Rule};

pub use expression::EXPRESSION_DEPTH_MAX;

/// How many terms a body may have: it is evaluated by that many nested loops.
pub const BODY_TERMS_MAX: usize = 5_000;

/// Parses the tokens of a file.
pub(crate) fn parse(
    file: FileId,
    text: &str,
    tokens: &[Token],
    diagnostics: &mut Diagnostics,
) -> Vec<Clause> {
    let mut parser = Parser { file, text, tokens, position: 0, diagnostics };
    let mut clauses = Vec::new();
    while parser.kind() != TokenKind::End {
        if let Ok(clause) = parser.clause() {
            clauses.push(clause);
        }
    }
    clauses
}

/// A syntax error that has been reported; the clause is given up.
struct Reported;

type Parsed<T> = Result<T, Reported>;

/// What follows an `@`.
enum Mark {
    Next,
    Async,
    At(u32),
}

struct Parser<'a> {
    file: FileId,
    text: &'a str,
    tokens: &'a [Token],
    position: usize,
    diagnostics: &'a mut Diagnostics,
}

impl<'a> Parser<'a> {
    fn token(&self) -> Token {
        self.tokens[self.position]
    }

    fn kind(&self) -> TokenKind {
        self.token().kind
    }

    /// The kind of the token `ahead` of the current one.
    fn kind_ahead(&self, ahead: usize) -> TokenKind {
        self.tokens.get(self.position + ahead).map_or(TokenKind::End, |token| token.kind)
    }

    fn span_of(&self, token: Token) -> Span {
        Span { file: self.file, start: token.start, end: token.end }
    }

    fn span(&self) -> Span {
        self.span_of(self.token())
    }

    fn text_of(&self, token: Token) -> &'a str {
        &self.text[token.start as usize..token.end as usize]
    }

    /// From `start` to the end of the token before the current one.
    fn span_since(&self, start: Span) -> Span {
        let end = self.tokens[self.position.saturating_sub(1)].end;
        Span { file: self.file, start: start.start, end: end.max(start.end) }
    }

    fn bump(&mut self) -> Token {
        let token = self.token();
        if token.kind != TokenKind::End {
            self.position += 1;
        }
        token
    }

    fn eat(&mut self, kind: TokenKind) -> bool {
        let found = self.kind() == kind;
        if found {
            self.bump();
        }
        found
    }

    fn at_name(&self, name: &str) -> bool {
        self.kind() == TokenKind::Name && self.text_of(self.token()) == name
    }

    /// The current token in words.
    fn found(&self) -> String {
        let token = self.token();
        let text = excerpt(self.text_of(token));
        match token.kind {
            TokenKind::End => "the end of the file".to_owned(),
            TokenKind::Name => format!("the name `{text}`"),
            TokenKind::Variable => format!("the variable `{text}`"),
            TokenKind::Integer => format!("the integer `{text}`"),
            TokenKind::String => format!("the string `{text}`"),
            _ => format!("`{text}`"),
        }
    }

    fn report(&mut self, diagnostic: Diagnostic) -> Reported {
        self.diagnostics.push(diagnostic);
        Reported
    }

    /// Reports the current token as not the `expected` one. Says nothing if the lexer has already
    /// complained about this place.
    fn unexpected(&mut self, expected: &str, help: Option<&str>) -> Reported {
        let before = self.tokens[self.position.saturating_sub(1)].kind;
        let known = [TokenKind::Invalid, TokenKind::MalformedNumber, TokenKind::UnterminatedString];
        if known.contains(&self.kind()) || known.contains(&before) {
            return Reported;
        }
        let mut diagnostic = Diagnostic::at(
            Code::Syntax,
            self.span(),
            format!("expected {expected}, found {}", self.found()),
            format!("expected {expected}"),
        );
        diagnostic.help = help.map(str::to_owned);
        self.report(diagnostic)
    }

    /// Reports a `;` missing before the current token, where the next clause begins.
    fn missing_semicolon(&mut self, help: &str) {
        let before = self.tokens[self.position - 1];
        if before.kind == TokenKind::MalformedNumber {
            return;
        }
        let message = format!("expected `;`, found {}", self.found());
        let span = self.span_of(before);
        let label = "`;` is missing after this";
        self.diagnostics.push(Diagnostic::at(Code::Syntax, span, message, label).with_help(help));
    }

    /// Skips to the token after the next `;`.
    fn skip_clause(&mut self) {
        while !matches!(self.kind(), TokenKind::Semicolon | TokenKind::End) {
            self.bump();
        }
        self.eat(TokenKind::Semicolon);
    }

    /// True if a whole `name(...)`, followed by what only follows a head, stands here: then a `;`
    /// is missing before it.
    fn looks_like_clause(&self) -> bool {
        if self.at_name("include") && self.kind_ahead(1) == TokenKind::String {
            return true;
        }
        if self.kind() != TokenKind::Name || self.kind_ahead(1) != TokenKind::ParenthesisOpen {
            return false;
        }
        let mut depth = 0_usize;
        let mut ahead = 1;
        loop {
            match self.kind_ahead(ahead) {
                TokenKind::ParenthesisOpen => depth += 1,
                TokenKind::ParenthesisClose => depth -= 1,
                TokenKind::Semicolon | TokenKind::End => return false,
                _ => {}
            }
            ahead += 1;
            if depth == 0 {
                break;
            }
        }
        let mut timed = false;
        if self.kind_ahead(ahead) == TokenKind::At {
            timed = self.kind_ahead(ahead + 1) == TokenKind::Integer;
            ahead += 2;
        }
        match self.kind_ahead(ahead) {
            TokenKind::If => true,
            TokenKind::Semicolon => timed,
            _ => false,
        }
    }

    /// Parses a clause and its `;`. After an error the parser stands after the clause.
    fn clause(&mut self) -> Parsed<Clause> {
        let clause = self.clause_without_end();
        if clause.is_err() {
            self.skip_clause();
            return clause;
        }
        if self.eat(TokenKind::Semicolon) {
            return clause;
        }
        let (expected, help) = match &clause {
            Ok(Clause::Rule(_)) => ("`,` or `;`", "a clause ends with `;`"),
            Ok(Clause::Fact(_)) => ("`;` or `:-`", "a clause ends with `;`"),
            _ => ("`;`", "an include ends with `;`"),
        };
        if self.looks_like_clause() || self.kind() == TokenKind::End {
            self.missing_semicolon(help);
            return clause;
        }
        let reported = self.unexpected(expected, Some(help));
        self.skip_clause();
        Err(reported)
    }

    fn clause_without_end(&mut self) -> Parsed<Clause> {
        let start = self.span();
        if self.at_name("include") && self.kind_ahead(1) == TokenKind::String {
            self.bump();
            let (path, span) = self.string();
            return Ok(Clause::Include(Include { path, span }));
        }
        if self.at_name("notin") && self.kind_ahead(1) == TokenKind::Name {
            return Err(self.report(
                Diagnostic::at(
                    Code::NegatedHead,
                    start,
                    "a head cannot be negated",
                    "`notin` is for bodies",
                )
                .with_help("a relation holds what its clauses derive, and nothing else"),
            ));
        }
        let relation = self.relation("a clause")?;
        let columns = self.head_columns(&relation)?;
        let mark = self.mark()?;
        let head_span = self.span_since(start);
        if !self.eat(TokenKind::If) {
            return self.fact(relation, columns, mark, head_span);
        }
        let time = match mark {
            None => HeadTime::Now,
            Some((Mark::Next, _)) => HeadTime::Next,
            Some((Mark::Async, _)) => HeadTime::Async,
            Some((Mark::At(_), span)) => {
                // The body is still worth checking.
                self.diagnostics.push(
                    Diagnostic::at(
                        Code::TimeOnRuleHead,
                        span,
                        "the head of a rule cannot hold at an absolute time",
                        "only facts and body literals carry `@N`",
                    )
                    .with_help("remove it, or write `@next` or `@async`"),
                );
                HeadTime::Now
            }
        };
        let mut body = vec![self.term()?];
        while self.eat(TokenKind::Comma) {
            if body.len() == BODY_TERMS_MAX {
                return Err(self.report(
                    Diagnostic::at(
                        Code::TooDeep,
                        self.span(),
                        format!("this body has more than {BODY_TERMS_MAX} terms"),
                        "too many from here on",
                    )
                    .with_help("derive relations of their own from parts of it"),
                ));
            }
            body.push(self.term()?);
        }
        let head = Head { relation, columns, time, span: head_span };
        Ok(Clause::Rule(Rule { head, body, span: self.span_since(start) }))
    }

    fn fact(
        &mut self,
        relation: Name,
        columns: Vec<HeadColumn>,
        mark: Option<(Mark, Span)>,
        span: Span,
    ) -> Parsed<Clause> {
        if !matches!(self.kind(), TokenKind::Semicolon | TokenKind::End)
            && !self.looks_like_clause()
        {
            return Err(self.unexpected("`;` or `:-`", Some("a clause ends with `;`")));
        }
        let mut constants = Vec::with_capacity(columns.len());
        for column in columns {
            match column {
                HeadColumn::Expression(expression) => constants.push(expression),
                HeadColumn::Aggregate { span, .. } => {
                    return Err(self.report(
                        Diagnostic::at(
                            Code::AggregateMisplaced,
                            span,
                            "a fact cannot hold an aggregate",
                            "nothing to aggregate",
                        )
                        .with_help("aggregates stand in the heads of rules"),
                    ));
                }
            }
        }
        let time = match mark {
            Some((Mark::At(time), _)) => time,
            Some((Mark::Next | Mark::Async, mark_span)) => {
                return Err(self.report(
                    Diagnostic::at(
                        Code::FactWithoutTime,
                        mark_span,
                        "a fact holds at an absolute time",
                        "`@next` and `@async` are for the heads of rules",
                    )
                    .with_help("write `@1` for a fact that holds at the first step"),
                ));
            }
            None => {
                return Err(self.report(
                    Diagnostic::at(
                        Code::FactWithoutTime,
                        span,
                        format!("this fact of `{}` has no time", relation.text),
                        "at which time step does it hold?",
                    )
                    .with_help("write `@1` after it for a fact that holds at the first step"),
                ));
            }
        };
        Ok(Clause::Fact(Fact { relation, columns: constants, time, span }))
    }

    /// The name of a relation, whose `(` follows.
    fn relation(&mut self, expected: &str) -> Parsed<Name> {
        match self.kind() {
            TokenKind::Name if self.at_name("notin") => Err(self.unexpected(
                expected,
                Some("`notin` is the word for negation: give the relation another name"),
            )),
            TokenKind::Name if self.kind_ahead(1) == TokenKind::ParenthesisOpen => {
                let token = self.bump();
                Ok(Name { text: self.text_of(token).to_owned(), span: self.span_of(token) })
            }
            TokenKind::Name => {
                let negation = ["not", "no", "never"].contains(&self.text_of(self.token()));
                self.bump();
                let help = if negation {
                    "negation is written `notin`"
                } else {
                    "a relation is written `name(column, ...)`"
                };
                Err(self.unexpected("`(`", Some(help)))
            }
            TokenKind::Variable if self.kind_ahead(1) == TokenKind::ParenthesisOpen => Err(self
                .unexpected(
                    expected,
                    Some("the name of a relation begins with a lower-case letter"),
                )),
            _ => Err(self.unexpected(expected, None)),
        }
    }

    /// `(`, anything separated by commas, `)`.
    fn columns<T>(
        &mut self,
        relation: &Name,
        mut column: impl FnMut(&mut Self) -> Parsed<T>,
    ) -> Parsed<Vec<T>> {
        if !self.eat(TokenKind::ParenthesisOpen) {
            return Err(self.unexpected("`(`", None));
        }
        if self.kind() == TokenKind::ParenthesisClose {
            let span = self.span_since(relation.span);
            let span = Span { end: self.span().end, ..span };
            return Err(self.report(
                Diagnostic::at(
                    Code::NoColumns,
                    span,
                    format!("`{}` has no columns", relation.text),
                    "at least the location is needed",
                )
                .with_help("the first column of every relation is the node where the row lives"),
            ));
        }
        let mut columns = vec![column(self)?];
        while self.eat(TokenKind::Comma) {
            columns.push(column(self)?);
        }
        if !self.eat(TokenKind::ParenthesisClose) {
            return Err(self.unexpected("`,` or `)`", None));
        }
        Ok(columns)
    }

    fn head_columns(&mut self, relation: &Name) -> Parsed<Vec<HeadColumn>> {
        self.columns(relation, |parser| {
            if parser.at_aggregate() {
                return parser.aggregate();
            }
            parser.expression().map(HeadColumn::Expression)
        })
    }

    /// Decodes the current string token.
    fn string(&mut self) -> (String, Span) {
        let token = self.bump();
        let span = self.span_of(token);
        (unescape(span, self.text_of(token), self.diagnostics), span)
    }

    /// An argument of a body literal or a side of a comparison.
    fn expression(&mut self) -> Parsed<Expression> {
        self.sum(0).map(|(expression, _)| expression)
    }
}
