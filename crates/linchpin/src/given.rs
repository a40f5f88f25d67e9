//! The arguments of `linchpin check` as they were given: recorded with a search, so that it can go
//! on with the same ones.

use clap::parser::ValueSource;
use clap::{ArgMatches, Command as Clap, CommandFactory, FromArgMatches};

use crate::args::{Arguments, CheckArguments, Command};

/// What only concerns the output, or this one process.
const NOT_RECORDED: [&str; 8] =
    ["out", "resume", "format", "quiet", "certificate", "color", "ascii", "threads"];

const FILES: &str = "files";

/// Arguments as given, without what only concerns the output.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Given {
    files: Vec<String>,
    /// Per flag: its name in the definition, and how it was written.
    flags: Vec<(String, Vec<String>)>,
}

impl Given {
    /// What stands on the command line of a subcommand, defaults left out.
    pub(crate) fn of(matches: &ArgMatches, definition: &Clap) -> Self {
        let mut given = Self::default();
        for argument in definition.get_arguments() {
            let id = argument.get_id().as_str();
            let known = matches.try_contains_id(id).is_ok();
            if !known || matches.value_source(id) != Some(ValueSource::CommandLine) {
                continue;
            }
            let occurrences: Vec<String> = matches
                .get_raw_occurrences(id)
                .into_iter()
                .flatten()
                .map(|values| {
                    let values: Vec<_> =
                        values.map(|value| value.to_string_lossy().into_owned()).collect();
                    values.join(",")
                })
                .collect();
            if id == FILES {
                given.files = raw_values(matches, id);
            } else if !NOT_RECORDED.contains(&id) {
                let flag = match (argument.get_long(), argument.get_short()) {
                    (Some(long), _) => format!("--{long}="),
                    (None, Some(short)) => format!("-{short}"),
                    (None, None) => continue,
                };
                let takes_value = argument.get_action().takes_values();
                let written = if takes_value {
                    occurrences.iter().map(|value| format!("{flag}{value}")).collect()
                } else {
                    vec![flag.trim_end_matches('=').to_owned()]
                };
                given.flags.push((id.to_owned(), written));
            }
        }
        given
    }

    /// As arguments that mean the same.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let plain = |file: &String| {
            if file.starts_with('-') { format!("./{file}") } else { file.clone() }
        };
        let flags = self.flags.iter().flat_map(|(_, written)| written.iter().cloned());
        self.files.iter().map(plain).chain(flags).collect()
    }

    /// These, and what others say where these say nothing.
    fn or(self, others: Self) -> Self {
        let Self { files, mut flags } = self;
        let more =
            others.flags.into_iter().filter(|(id, _)| !flags.iter().any(|each| each.0 == *id));
        let more: Vec<_> = more.collect();
        flags.extend(more);
        Self { files: if files.is_empty() { others.files } else { files }, flags }
    }
}

fn raw_values(matches: &ArgMatches, id: &str) -> Vec<String> {
    let values = matches.get_raw(id).into_iter().flatten();
    values.map(|value| value.to_string_lossy().into_owned()).collect()
}

/// Reads arguments of `linchpin check`, with what was given of them.
fn parse(arguments: &[String]) -> Result<(CheckArguments, Given), clap::Error> {
    let command = ["linchpin", "check"].map(String::from);
    let matches = Arguments::command().try_get_matches_from(command.iter().chain(arguments))?;
    let given = given_to_check(&matches);
    match Arguments::from_arg_matches(&matches)?.command {
        Command::Check(check) => Ok((check, given)),
        _ => unreachable!("the subcommand is `check`"),
    }
}

/// What was given to `linchpin check`, if that is the subcommand.
pub(crate) fn given_to_check(matches: &ArgMatches) -> Given {
    let mut definition = Arguments::command();
    definition.build();
    match (matches.subcommand_matches("check"), definition.find_subcommand("check")) {
        (Some(matches), Some(definition)) => Given::of(matches, definition),
        _ => Given::default(),
    }
}

/// The arguments with which a recorded search goes on: as recorded, but for what is given now.
///
/// # Errors
/// If they do not make sense together.
pub(crate) fn resumed(
    recorded: &[String],
    now: &CheckArguments,
) -> Result<CheckArguments, clap::Error> {
    let (_, recorded) = parse(recorded)?;
    let (mut check, given) = parse(&now.given.clone().or(recorded).arguments())?;
    check.given = given;
    check.out.clone_from(&now.resume);
    check.resume.clone_from(&now.resume);
    (check.format, check.quiet) = (now.format, now.quiet);
    check.certificate.clone_from(&now.certificate);
    Ok(check)
}
