//! Printing: a reader that goes away is no error.

use std::io::{ErrorKind, Write};

/// Prints to standard output. If nobody reads it any more, the process ends quietly.
pub(crate) fn to_stdout(text: std::fmt::Arguments<'_>) {
    let mut stdout = std::io::stdout().lock();
    if let Err(error) = stdout.write_fmt(text).and_then(|()| stdout.flush()) {
        let quiet = error.kind() == ErrorKind::BrokenPipe;
        if !quiet {
            to_stderr(format_args!("error: cannot write to standard output: {error}\n"));
        }
        std::process::exit(if quiet { 0 } else { i32::from(crate::exit::Exit::Usage.code()) });
    }
}

/// An error with its causes, without those that the error before them tells already.
pub(crate) fn with_causes(error: &anyhow::Error) -> String {
    let mut told = String::new();
    for cause in error.chain().map(ToString::to_string) {
        if told.is_empty() {
            told = cause;
        } else if !told.ends_with(&cause) {
            told = format!("{told}: {cause}");
        }
    }
    told
}

/// Prints to standard error, if anybody listens.
pub(crate) fn to_stderr(text: std::fmt::Arguments<'_>) {
    let _ = std::io::stderr().lock().write_fmt(text);
}

/// `println!` by way of [`to_stdout`].
macro_rules! outln {
    ($($argument:tt)*) => {
        $crate::output::to_stdout(format_args!("{}\n", format_args!($($argument)*)))
    };
}

/// `eprintln!` by way of [`to_stderr`].
macro_rules! errln {
    ($($argument:tt)*) => {
        $crate::output::to_stderr(format_args!("{}\n", format_args!($($argument)*)))
    };
}

pub(crate) use {errln, outln};
