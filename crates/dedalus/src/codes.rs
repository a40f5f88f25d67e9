//! The stable codes of diagnostics. Each has a page `docs/errors/CODE.md`.

use std::fmt;

use crate::diagnostic::Severity;

macro_rules! codes {
    ($($(#[$doc:meta])* $name:ident = $text:literal, $severity:ident, $title:literal;)*) => {
        /// What a diagnostic is about. The string of a code never changes its meaning.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        #[non_exhaustive]
        pub enum Code {
            $($(#[$doc])* $name,)*
        }

        impl Code {
            /// Every code, in ascending order.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// The stable string, such as `D0012`.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// What the code stands for, as the title of its page says it.
            #[must_use]
            pub fn title(self) -> &'static str {
                match self { $(Self::$name => $title,)* }
            }

            /// How bad a diagnostic with this code is.
            #[must_use]
            pub fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity,)* }
            }
        }
    };
}

codes! {
    // Reading files.
    /// Occurs when an input file is missing or the system refuses to read it.
    FileUnreadable = "D0001", Error, "a file cannot be read";
    /// Occurs when an `include` names a file that stands in none of the places searched.
    IncludeNotFound = "D0002", Error, "an included file is not found";
    /// Occurs when a file holds a NUL byte or is not UTF-8.
    NotText = "D0003", Error, "a file is not text";
    /// Occurs when the files together hold no clause.
    NoClauses = "D0004", Error, "a program has no clauses";
    /// Occurs when a file includes itself, directly or through others.
    IncludeCycle = "D0005", Warning, "files include each other in a cycle";

    // Lexical structure.
    /// Occurs when a character belongs to no token.
    UnexpectedCharacter = "D0010", Error, "a character is not part of the language";
    /// Occurs when a string has no closing quote on its line.
    UnterminatedString = "D0011", Error, "a string is not closed";
    /// Occurs when a backslash in a string is followed by something without a meaning.
    UnknownEscape = "D0012", Error, "an escape in a string is unknown";
    /// Occurs when `/*` has no `*/`.
    UnterminatedComment = "D0013", Error, "a comment is not closed";
    /// Occurs when a token begins with a digit but is no integer (`3.5`, `1st`).
    MalformedNumber = "D0014", Error, "a number is not an integer";
    /// Occurs when an integer does not fit 64 bits.
    IntegerOutOfRange = "D0015", Error, "an integer is out of range";

    // Syntax.
    /// Occurs when a token stands where the grammar has another.
    Syntax = "D0020", Error, "a clause does not follow the grammar";
    /// Occurs when an expression nests deeper, or a body has more terms, than the limit.
    TooDeep = "D0021", Error, "an expression is nested too deep";
    /// Occurs when the head of a rule carries `@N`.
    TimeOnRuleHead = "D0022", Error, "the head of a rule has an absolute time";
    /// Occurs when a fact does not say at which time step it holds.
    FactWithoutTime = "D0023", Error, "a fact has no time";
    /// Occurs when a time is 0 or does not fit 32 bits.
    TimeOutOfRange = "D0024", Error, "a time step is out of range";
    /// Occurs when an aggregate stands in a body or a fact, or its function is unknown.
    AggregateMisplaced = "D0025", Error, "an aggregate is misplaced or unknown";
    /// Occurs when a head or a fact is negated.
    NegatedHead = "D0026", Error, "a head is negated";
    /// Occurs when a relation is written without columns.
    NoColumns = "D0027", Error, "a relation has no columns";
    /// Occurs when `@next` or `@async` follows a literal of a body.
    TimingOnBodyLiteral = "D0028", Warning, "a body literal is marked `@next` or `@async`";

    // Names.
    /// Occurs when no positive literal binds a variable whose value is needed.
    UnboundVariable = "D0030", Error, "a variable is unbound";
    /// Occurs when a variable stands under a single `notin` only.
    ExistentialVariable = "D0031", Warning, "a variable occurs only under one `notin`";
    /// Occurs when a fact holds a variable or `_`.
    VariableInFact = "D0032", Error, "a fact has a variable";
    /// Occurs when a body holds comparisons only.
    NoLiteral = "D0033", Error, "a body has no literal";
    /// Occurs when `_` stands where a value is needed.
    WildcardAsValue = "D0034", Error, "`_` stands where a value is needed";
    /// Occurs when the program derives the built-in relation `crash`.
    CrashDerived = "D0035", Error, "the built-in `crash` is derived";
    /// Occurs when a relation is used with different numbers of columns.
    Arity = "D0036", Error, "a relation is used with different numbers of columns";
    /// Occurs when a relation is read that no clause derives.
    NeverDerived = "D0037", Warning, "a relation is read but never derived";
    /// Occurs when the arithmetic in a fact has no result.
    ConstantArithmetic = "D0038", Error, "the arithmetic in a fact has no result";
    /// Occurs when a literal reads a time later than its rule's own and something depends on the
    /// result.
    LookAhead = "D0039", Error, "a rule reads a later time and others depend on it";

    // Types.
    /// Occurs when a column or variable is both an integer and a string.
    TypeConflict = "D0040", Error, "a column is both an integer and a string";

    // Strata.
    /// Occurs when a relation depends on its own absence within a time step.
    Unstratified = "D0050", Warning, "a cycle runs through a negation within a time step";
    /// Occurs when a `count`, `sum` or `avg`, or several aggregates of one head, depend on themselves
    /// within a time step.
    AggregateInCycle = "D0051", Error, "an aggregate depends on itself within a time step";

    // Places.
    /// Occurs when a rule reads or writes rows of several nodes within a time step.
    NonLocalRule = "D0060", Warning, "a rule is not local to one node";
    /// Occurs when the location of a rule can never be a node.
    NeverFires = "D0061", Warning, "the location of a rule is never a node";
    /// Occurs when a fact is stored at a node that is not declared.
    FactAtUndeclaredNode = "D0062", Warning, "a fact is at a node that is not declared";
    /// Occurs when a rule names a location that is not a declared node.
    LocationUndeclared = "D0063", Warning, "a rule names a location that is not a declared node";

    // Front matter.
    /// Occurs when the `//!` lines are not TOML.
    FrontMatterSyntax = "D0070", Error, "the front matter is not TOML";
    /// Occurs when the front matter has a key that means nothing.
    FrontMatterKey = "D0071", Error, "a key of the front matter is unknown";
    /// Occurs when a value of the front matter has the wrong type or is out of range.
    FrontMatterValue = "D0072", Error, "a value of the front matter is invalid";
    /// Occurs when the bounds of a scenario contradict each other.
    FrontMatterBounds = "D0073", Error, "the bounds of a scenario contradict each other";
    /// Occurs when front matter stands where it is not read.
    FrontMatterIgnored = "D0074", Warning, "front matter is ignored";

    // The invariant.
    /// Occurs when the program lacks a relation that the invariant is made of.
    InvariantMissing = "D0080", Error, "the relation of the invariant is missing";

    /// Occurs when `pre` and `post` have different numbers of columns.
    InvariantArity = "D0081", Error, "`pre` and `post` differ in arity";

    // Errors of a run, which no look at the program alone reveals.
    /// Occurs when an integer leaves the range of 64 bits in some run.
    RunOverflow = "D0090", Error, "an integer overflows in a run";
    /// Occurs when an integer is divided by zero in some run.
    RunDivisionByZero = "D0091", Error, "a run divides by zero";
    /// Occurs when rules derive ever new rows within one time step.
    RunEndless = "D0092", Error, "a time step does not end";
    /// Occurs when a cycle through negation has no total well-founded model in some run.
    RunUndecided = "D0093", Error, "a cycle through negation leaves facts undecided";

    // The report itself.
    /// Occurs when there are more errors than are worth printing.
    TooManyErrors = "D0098", Error, "there are too many errors to show";
    /// Occurs when there are more warnings than are worth printing.
    TooManyWarnings = "D0099", Warning, "there are too many warnings to show";
}

impl Code {
    /// True for an error that only a run reveals; its examples are run by the command line's tests.
    #[must_use]
    pub fn is_of_run(self) -> bool {
        matches!(
            self,
            Self::RunOverflow | Self::RunDivisionByZero | Self::RunEndless | Self::RunUndecided
        )
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
