//! What the compiler has to say about a program. How it is shown is [`crate::render`]'s business.

use crate::codes::Code;
use crate::source::Span;

/// How bad a diagnostic is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The program cannot be run.
    Error,
    /// The program can be run, but hardly means what was intended.
    Warning,
}

/// A place in the source and what to say there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// The place.
    pub span: Span,
    /// What to say there; may be empty.
    pub text: String,
}

/// An error or a warning.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// The stable code.
    pub code: Code,
    /// Error or warning.
    pub severity: Severity,
    /// One sentence, in lower case, without a full stop.
    pub message: String,
    /// The place it is about; `None` if there is none (a missing input file).
    pub primary: Option<Label>,
    /// Other places involved.
    pub secondary: Vec<Label>,
    /// What to do about it.
    pub help: Option<String>,
}

impl Diagnostic {
    /// A diagnostic without places, of the code's own severity.
    #[must_use]
    pub fn new(code: Code, message: impl Into<String>) -> Self {
        Self {
            code,
            severity: code.severity(),
            message: message.into(),
            primary: None,
            secondary: Vec::new(),
            help: None,
        }
    }

    /// A diagnostic about a place, which `label` describes (empty: no label).
    #[must_use]
    pub fn at(
        code: Code,
        span: Span,
        message: impl Into<String>,
        label: impl Into<String>,
    ) -> Self {
        Self { primary: Some(Label { span, text: label.into() }), ..Self::new(code, message) }
    }

    /// Adds another place.
    #[must_use]
    pub fn with_label(mut self, span: Span, text: impl Into<String>) -> Self {
        self.secondary.push(Label { span, text: text.into() });
        self
    }

    /// Says what to do about it.
    #[must_use]
    pub fn with_help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// True if the program cannot be run because of it.
    #[must_use]
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// The error for a program that lacks a relation its invariant is made of: `missing` are the
    /// names lacking, `has_good` says whether the program derives `good`.
    #[must_use]
    pub fn invariant_missing(missing: &[&str], has_good: bool) -> Self {
        let names: Vec<String> = missing.iter().map(|name| format!("`{name}`")).collect();
        let diagnostic = Self::new(
            Code::InvariantMissing,
            format!("the program never derives {}", names.join(" and ")),
        );
        if missing.contains(&"good") {
            return diagnostic.with_help(
                "define `good`, or leave out `--invariant good` and define `pre` and `post`",
            );
        }
        diagnostic.with_help(if has_good {
            "the program has a relation `good`: to check that one, use `--invariant good`"
        } else {
            "define `pre(..)` (what has to hold for the run to count) and `post(..)` (what must \
             then hold too); a program with a relation `good` is checked by `--invariant good`"
        })
    }
}

impl Diagnostic {
    /// The error for a program whose `pre` and `post` have different numbers of columns, so that
    /// no row of one can equal a row of the other; `None` if it is not such a program.
    #[must_use]
    pub fn invariant_arity(program: &crate::hir::Program) -> Option<Self> {
        let [pre, post] = ["pre", "post"].map(|name| program.relation_named(name));
        let (pre, post) = (program.relation(pre?), program.relation(post?));
        let columns = |count: usize| if count == 1 { "column" } else { "columns" };
        let (asked, answered) = (pre.columns.len(), post.columns.len());
        (asked != answered).then(|| {
            Self::at(
                Code::InvariantArity,
                post.span,
                format!("`post` has {answered} {}, but `pre` has {asked}", columns(answered)),
                "",
            )
            .with_label(pre.span, format!("{asked} {}", columns(asked)))
            .with_help("each row of `pre` needs an equal row of `post`: give them the same columns")
        })
    }
}

/// Collects diagnostics; keeps at most a given number of errors and as many warnings.
#[derive(Debug)]
pub(crate) struct Diagnostics {
    list: Vec<Diagnostic>,
    max: usize,
    errors: usize,
    warnings: usize,
}

impl Diagnostics {
    pub(crate) fn new(max: usize) -> Self {
        Self { list: Vec::new(), max, errors: 0, warnings: 0 }
    }

    pub(crate) fn push(&mut self, diagnostic: Diagnostic) {
        let count = match diagnostic.severity {
            Severity::Error => &mut self.errors,
            Severity::Warning => &mut self.warnings,
        };
        *count += 1;
        if *count <= self.max {
            self.list.push(diagnostic);
        }
    }

    pub(crate) fn has_errors(&self) -> bool {
        self.errors > 0
    }

    /// Sorted by place; ends with how many more there are.
    pub(crate) fn finish(mut self) -> Vec<Diagnostic> {
        self.list.sort_by_key(|diagnostic| diagnostic.primary.as_ref().map(|label| label.span));
        for (count, code, noun) in [
            (self.errors, Code::TooManyErrors, "error"),
            (self.warnings, Code::TooManyWarnings, "warning"),
        ] {
            let more = count.saturating_sub(self.max);
            if more > 0 {
                let plural = if more == 1 { "" } else { "s" };
                self.list.push(
                    Diagnostic::new(code, format!("{more} more {noun}{plural} not shown"))
                        .with_help("mend the ones above and run again"),
                );
            }
        }
        self.list
    }
}
