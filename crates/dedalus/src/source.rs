//! Source files and places in them.

/// Index of a file in a [`SourceMap`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId(pub u32);

/// A range of bytes in a source file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// The file.
    pub file: FileId,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

/// One input file.
#[derive(Clone, Debug)]
pub struct SourceFile {
    /// The path as the user named it (or as an include resolved).
    pub path: String,
    /// The whole text.
    pub text: String,
}

/// Every file of a program, in the order read.
#[derive(Clone, Debug, Default)]
pub struct SourceMap {
    /// Indexed by [`FileId`].
    pub files: Vec<SourceFile>,
}

impl SourceMap {
    /// The file with this id.
    #[must_use]
    pub fn file(&self, id: FileId) -> &SourceFile {
        &self.files[id.0 as usize]
    }

    /// The text a span covers.
    #[must_use]
    pub fn text(&self, span: Span) -> &str {
        &self.file(span.file).text[span.start as usize..span.end as usize]
    }

    /// Line and column (both 1-based, columns in characters) where a span starts.
    #[must_use]
    pub fn line_column(&self, span: Span) -> (usize, usize) {
        let before = &self.file(span.file).text[..span.start as usize];
        let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
        let newlines = before.bytes().filter(|&byte| byte == b'\n').count();
        (newlines + 1, before[line_start..].chars().count() + 1)
    }
}
