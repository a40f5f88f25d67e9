//! Files to clauses: reading, includes, and which front matter counts.
//!
//! The stage does no I/O of its own: a [`Loader`] does.

mod loader;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use crate::codes::Code;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::lexer::lex;
use crate::parser::parse;
use crate::source::{FileId, SourceFile, SourceMap, Span};
use crate::syntax::{Clause, Include};

pub use loader::{FILE_BYTES_MAX, FileSystem, Loader, Memory};

/// What the files of a program hold.
#[derive(Debug, Default)]
pub(crate) struct Loaded {
    pub(crate) sources: SourceMap,
    /// Facts and rules, those of an included file in the place of the include.
    pub(crate) clauses: Vec<Clause>,
    /// The `//!` lines of the first input file that has any, before its first clause.
    pub(crate) front_matter_lines: Vec<Span>,
}

/// A file whose clauses are being taken.
struct Frame {
    path: PathBuf,
    identity: PathBuf,
    clauses: std::vec::IntoIter<Clause>,
}

struct Loading<'a> {
    loader: &'a dyn Loader,
    include_dirs: &'a [PathBuf],
    first_dir: PathBuf,
    /// The `//!` lines of every file read, split at the first clause.
    lines: BTreeMap<PathBuf, (Vec<Span>, Vec<Span>)>,
    /// The identities of the files whose clauses are being taken.
    open: BTreeSet<PathBuf>,
    loaded: Loaded,
    diagnostics: &'a mut Diagnostics,
}

/// Reads the input files and everything they include.
pub(crate) fn load(
    paths: &[PathBuf],
    include_dirs: &[PathBuf],
    loader: &dyn Loader,
    diagnostics: &mut Diagnostics,
) -> Loaded {
    let first_dir = paths.first().map_or_else(PathBuf::new, |path| directory(path));
    let mut loading = Loading {
        loader,
        include_dirs,
        first_dir,
        lines: BTreeMap::new(),
        open: BTreeSet::new(),
        loaded: Loaded::default(),
        diagnostics,
    };
    for path in paths {
        loading.input(path);
    }
    loading.choose_front_matter(paths);
    if loading.loaded.clauses.is_empty() && !loading.diagnostics.has_errors() {
        let names: Vec<String> = paths.iter().map(|path| format!("`{}`", path.display())).collect();
        let message = match names.as_slice() {
            [] => "no input file was given".to_owned(),
            [name] => format!("{name} has no clauses"),
            names => format!("{} have no clauses", names.join(", ")),
        };
        loading.diagnostics.push(
            Diagnostic::new(Code::NoClauses, message).with_help(
                "a program is made of facts (`p(\"a\")@1;`) and rules (`q(X) :- p(X);`)",
            ),
        );
    }
    loading.loaded
}

fn directory(path: &Path) -> PathBuf {
    path.parent().map_or_else(PathBuf::new, Path::to_path_buf)
}

impl Loading<'_> {
    /// Takes the clauses of an input file and of the files it includes, depth first.
    fn input(&mut self, path: &Path) {
        let identity = self.loader.identity(path);
        if self.lines.contains_key(&identity) {
            return;
        }
        let mut stack: Vec<Frame> = self.open(path, identity, None).into_iter().collect();
        while let Some(frame) = stack.last_mut() {
            match frame.clauses.next() {
                None => {
                    if let Some(frame) = stack.pop() {
                        self.open.remove(&frame.identity);
                    }
                }
                Some(Clause::Include(include)) => {
                    let opened = self.include(&include, &stack);
                    stack.extend(opened);
                }
                Some(clause) => self.loaded.clauses.push(clause),
            }
        }
    }

    /// Finds and opens an included file, unless it has been read before.
    fn include(&mut self, include: &Include, stack: &[Frame]) -> Option<Frame> {
        let including = &stack.last().expect("an include stands in a file").path;
        let mut candidates: Vec<PathBuf> = Vec::new();
        let directories = [self.first_dir.clone(), directory(including)];
        for directory in directories.iter().chain(self.include_dirs) {
            let candidate = directory.join(&include.path);
            if !candidates.contains(&candidate) {
                candidates.push(candidate);
            }
        }
        let Some(path) = candidates.iter().find(|path| self.loader.is_readable(path)) else {
            let looked: Vec<String> =
                candidates.iter().map(|path| format!("`{}`", path.display())).collect();
            self.diagnostics.push(
                Diagnostic::at(
                    Code::IncludeNotFound,
                    include.span,
                    format!("the included file `{}` is not found", include.path.escape_debug()),
                    "not found",
                )
                .with_help(format!(
                    "looked for {}; name further directories with `-I DIR`",
                    looked.join(", ")
                )),
            );
            return None;
        };
        let identity = self.loader.identity(path);
        if self.open.contains(&identity) {
            let start = stack.iter().position(|frame| frame.identity == identity).unwrap_or(0);
            let mut cycle: Vec<String> =
                stack[start..].iter().map(|frame| frame.path.display().to_string()).collect();
            cycle.push(path.display().to_string());
            self.diagnostics.push(
                Diagnostic::at(
                    Code::IncludeCycle,
                    include.span,
                    format!("files include each other in a cycle: {}", cycle.join(" -> ")),
                    "this file is being read already",
                )
                .with_help("every file is read once, so the include does nothing: remove it"),
            );
            return None;
        }
        if self.lines.contains_key(&identity) {
            return None;
        }
        self.open(path, identity, Some(include.span))
    }

    /// Reads and parses a file. `from` is the include that names it.
    fn open(&mut self, path: &Path, identity: PathBuf, from: Option<Span>) -> Option<Frame> {
        self.lines.insert(identity.clone(), (Vec::new(), Vec::new()));
        let shown = path.display().to_string();
        let bytes = match self.loader.read(path) {
            Ok(bytes) => bytes,
            Err(error) => {
                let reason = error.to_string();
                let reason = reason.split(" (os error").next().unwrap_or_default();
                let message = format!("cannot read `{shown}`: {reason}");
                let mut diagnostic = match from {
                    Some(span) => Diagnostic::at(Code::FileUnreadable, span, message, "named here"),
                    None => Diagnostic::new(Code::FileUnreadable, message),
                };
                if error.kind() == std::io::ErrorKind::NotFound {
                    diagnostic = diagnostic.with_help("check the path");
                }
                self.diagnostics.push(diagnostic);
                return None;
            }
        };
        let file = FileId(self.loaded.sources.files.len() as u32);
        let (text, is_text) = self.decode(&shown, file, bytes);
        let mut clauses = Vec::new();
        if is_text {
            let lexed = lex(file, &text, self.diagnostics);
            let first = lexed.tokens.first().map_or(0, |token| token.start);
            let lines = lexed.front_matter_lines.into_iter().partition(|line| line.start < first);
            self.lines.insert(identity.clone(), lines);
            clauses = parse(file, &text, &lexed.tokens, self.diagnostics);
        }
        self.loaded.sources.files.push(SourceFile { path: shown, text });
        self.open.insert(identity.clone());
        Some(Frame { path: path.to_path_buf(), identity, clauses: clauses.into_iter() })
    }

    /// The text of a file, and whether it is one.
    fn decode(&mut self, shown: &str, file: FileId, bytes: Vec<u8>) -> (String, bool) {
        let help = "a specification is a text file in UTF-8";
        if let Some(offset) = bytes.iter().position(|byte| *byte == 0) {
            self.diagnostics.push(
                Diagnostic::new(
                    Code::NotText,
                    format!("`{shown}` is not a text file: byte {offset} is NUL"),
                )
                .with_help(help),
            );
            return (String::new(), false);
        }
        match String::from_utf8(bytes) {
            Ok(text) => (text, true),
            Err(error) => {
                let start = error.utf8_error().valid_up_to() as u32;
                let text = String::from_utf8_lossy(error.as_bytes()).into_owned();
                let end = start + char::REPLACEMENT_CHARACTER.len_utf8() as u32;
                self.diagnostics.push(
                    Diagnostic::at(
                        Code::NotText,
                        Span { file, start, end },
                        format!("`{shown}` is not UTF-8: byte {start} belongs to no character"),
                        "not UTF-8",
                    )
                    .with_help(help),
                );
                (text, false)
            }
        }
    }

    /// The first input file with front matter gives it; front matter elsewhere is warned about,
    /// except in included files, where it is the business of whoever checks them by themselves.
    fn choose_front_matter(&mut self, paths: &[PathBuf]) {
        for path in paths {
            let Some((lines, late)) = self.lines.remove(&self.loader.identity(path)) else {
                continue;
            };
            if let Some(span) = late.first() {
                self.diagnostics.push(
                    Diagnostic::at(
                        Code::FrontMatterIgnored,
                        *span,
                        "front matter after the first clause is ignored",
                        "not read",
                    )
                    .with_help("move the `//!` lines to the top of the file, or write `//`"),
                );
            }
            match (lines.first(), self.loaded.front_matter_lines.first()) {
                (Some(span), Some(first)) => self.diagnostics.push(
                    Diagnostic::at(
                        Code::FrontMatterIgnored,
                        *span,
                        "another input file has given the front matter already",
                        "not read",
                    )
                    .with_label(*first, "read from here")
                    .with_help("name the file whose front matter counts first"),
                ),
                (Some(_), None) => self.loaded.front_matter_lines = lines,
                (None, _) => {}
            }
        }
    }
}
