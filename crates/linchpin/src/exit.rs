//! Exit codes: part of the contract with scripts.

use std::process::ExitCode;

/// How the command ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Exit {
    /// The verdict is "holds" (or everything was as expected).
    Holds,
    /// The verdict is "broken" (or something was not as expected).
    Broken,
    /// The input cannot be used.
    Usage,
    /// The verdict is unknown, or nothing was asked of the system.
    Unknown,
    /// The user interrupted.
    Interrupted,
}

impl Exit {
    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Holds => 0,
            Self::Broken => 1,
            Self::Usage => 2,
            Self::Unknown => 3,
            Self::Interrupted => 130,
        }
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}
