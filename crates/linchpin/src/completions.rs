//! Shell completions and manual pages, made from the definitions of the commands.

use std::path::Path;

use anyhow::Context;
use clap::CommandFactory;
use clap_complete::Shell;

use crate::args::Arguments;
use crate::exit::Exit;
use crate::output::{outln, to_stdout};

/// `linchpin completions SHELL`.
pub(crate) fn print(shell: Shell) -> anyhow::Result<Exit> {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Arguments::command(), "linchpin", &mut script);
    to_stdout(format_args!("{}", String::from_utf8_lossy(&script)));
    Ok(Exit::Holds)
}

/// `linchpin man DIR`: a page for the command and one per subcommand.
pub(crate) fn write_manual(directory: &Path) -> anyhow::Result<Exit> {
    let cannot = || format!("cannot write manual pages to {}", directory.display());
    std::fs::create_dir_all(directory).with_context(cannot)?;
    clap_mangen::generate_to(Arguments::command(), directory).with_context(cannot)?;
    outln!("manual pages written to {}", directory.display());
    Ok(Exit::Holds)
}
