//! `linchpin check --resume`: going on with a recorded search.

use std::fmt::Write;
use std::path::Path;

use anyhow::{Context, bail};
use linchpin_record::{Bounds, Collection, Existing, Header, SourceFile, Writer};
use sha2::{Digest, Sha256};

use crate::args::CheckArguments;
use crate::given;
use crate::recording::Recorded;

/// The arguments with which the search recorded in `directory` goes on.
pub(crate) fn arguments(now: &CheckArguments, directory: &Path) -> anyhow::Result<CheckArguments> {
    let recorded = if Collection::is_in(directory) {
        Collection::load(directory)?.arguments
    } else {
        Header::load(directory)?.arguments
    };
    if recorded.is_empty() {
        bail!(
            "`{}` does not say how it was begun, so it cannot go on: start anew with --out",
            directory.display()
        );
    }
    given::resumed(&recorded, now)
        .with_context(|| format!("`{}` cannot go on", directory.display()))
}

/// Goes on with the campaign in a folder, whose header would be `header` if it began now. Returns
/// what was recorded. A campaign of a collection may not have begun.
pub(crate) fn reopen(directory: &Path, header: &Header) -> anyhow::Result<(Writer, Recorded)> {
    if !directory.exists() {
        let writer = Writer::create(directory, header.clone(), Existing::Refuse)?;
        return Ok((writer, Recorded::default()));
    }
    let (campaign, mut writer) = Writer::resume(directory)?;
    let differences = differences(&campaign.header, header);
    if !differences.is_empty() {
        bail!(
            "`{}` cannot go on, since it was recorded for another question:\n  {}\n\
             hint: start anew with --out",
            directory.display(),
            differences.join("\n  ")
        );
    }
    writer.reopen(header.clone())?;
    Ok((writer, Recorded { runs: campaign.runs, kept: campaign.kept }))
}

/// What keeps a search from going on as it began: one line each.
fn differences(recorded: &Header, now: &Header) -> Vec<String> {
    let mut found = files(&recorded.files, &now.files);
    found.extend(bounds(&recorded.bounds, &now.bounds));
    let mut differ = |name: &str, recorded: String, now: String| {
        if recorded != now {
            found.push(differs(name, &recorded, &now));
        }
    };
    differ("the invariant", recorded.invariant.to_string(), now.invariant.to_string());
    differ("the strategy", recorded.strategy.clone(), now.strategy.clone());
    differ("the seed", recorded.seed.to_string(), now.seed.to_string());
    let given = |given: bool| if given { "given" } else { "not given" }.to_owned();
    differ("--all", given(recorded.options.all), given(now.options.all));
    let list = |priors: &[String]| match priors {
        [] => "none".to_owned(),
        priors => priors.join(" "),
    };
    differ("the priors", list(&recorded.options.priors), list(&now.options.priors));
    differ("--symmetry", given(recorded.options.symmetry), given(now.options.symmetry));
    found
}

fn differs(name: &str, recorded: &str, now: &str) -> String {
    format!("{name}: {recorded} is recorded, now it is {now}")
}

fn bounds(recorded: &Bounds, now: &Bounds) -> Vec<String> {
    let named = |bounds: &Bounds| {
        let inputs: Vec<String> = bounds.inputs.iter().flatten().map(ToString::to_string).collect();
        let list = |words: &[String]| {
            if words.is_empty() { "none".to_owned() } else { words.join(", ") }
        };
        [
            ("EOT", bounds.eot.to_string()),
            ("EFF", bounds.eff.to_string()),
            ("crashes", bounds.crashes.to_string()),
            ("nodes", list(&bounds.nodes)),
            ("delays", bounds.max_delay.to_string()),
            ("recoveries", bounds.recoveries.to_string()),
            ("durable relations", list(&bounds.durable)),
            (
                "what a crash does",
                if bounds.crashes_stop { "stops" } else { "silences" }.to_owned(),
            ),
            ("inputs", list(&inputs)),
        ]
    };
    let pairs = named(recorded).into_iter().zip(named(now));
    pairs
        .filter(|(recorded, now)| recorded != now)
        .map(|((name, recorded), (_, now))| differs(name, &recorded, &now))
        .collect()
}

fn files(recorded: &[SourceFile], now: &[SourceFile]) -> Vec<String> {
    let mut found = Vec::new();
    for old in recorded {
        match now.iter().find(|file| file.path == old.path) {
            None => found.push(format!("{} is recorded, but no longer part of it", old.path)),
            Some(new) if new.text != old.text => found.push(format!(
                "{} has changed from line {} on (SHA-256 {} is recorded, now it is {})",
                old.path,
                first_difference(&old.text, &new.text),
                digest(&old.text),
                digest(&new.text)
            )),
            Some(_) => {}
        }
    }
    let is_new = |file: &&SourceFile| !recorded.iter().any(|old| old.path == file.path);
    found.extend(now.iter().filter(is_new).map(|file| format!("{} is new", file.path)));
    found
}

/// The first line (from 1) that two texts do not share.
fn first_difference(one: &str, two: &str) -> usize {
    let same = |(left, right): &(&str, &str)| left == right;
    1 + one.split('\n').zip(two.split('\n')).take_while(same).count()
}

/// The first digits of a digest: enough to tell two texts apart.
fn digest(text: &str) -> String {
    let digest = Sha256::digest(text.as_bytes());
    digest[..6].iter().fold(String::new(), |mut digits, byte| {
        write!(digits, "{byte:02x}").expect("strings can be written to");
        digits
    })
}
