//! `linchpin report`: a recorded search in other forms.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail};
use linchpin_model::{Outcome, Verdict};
use linchpin_record::{Campaign, Collection, CollectionWriter, Detail, Run, Writer, headers};
use linchpin_report::export::{dot, junit, sarif, shiviz, svg};
use linchpin_report::{LineageGraph, Story, html, outcome_facts, terminal as report_terminal};

use crate::again::run_again;
use crate::args::{ReportArguments, ReportFormat};
use crate::exit::Exit;
use crate::output::{errln, outln, to_stdout};
use crate::terminal::{Look, diagram};
use crate::trace_report;

pub(crate) fn command(arguments: &ReportArguments, look: Look) -> anyhow::Result<Exit> {
    if linchpin_record::is_trace_campaign(&arguments.directory) {
        return trace_report::command(arguments, look);
    }
    if Collection::is_in(&arguments.directory) {
        return collection(arguments, look);
    }
    one(arguments, &arguments.directory, look)
}

/// A collection: all campaigns where that makes sense, else the one that answers a sweep.
fn collection(arguments: &ReportArguments, look: Look) -> anyhow::Result<Exit> {
    let directory = &arguments.directory;
    let collection = Collection::load(directory)?;
    let folders: Vec<PathBuf> =
        collection.entries.iter().map(|entry| Collection::path(directory, entry)).collect();
    let begun = || folders.iter().filter(|folder| folder.exists());
    match arguments.format {
        ReportFormat::Html => {
            for folder in begun() {
                let (campaign, writer) = Writer::resume(folder)?;
                writer.write_report("index.html", html::render(&campaign).as_bytes())?;
            }
            let writer = CollectionWriter::resume(directory)?;
            let headers = headers(directory, &collection)?;
            let path = writer.write_index(html::index(&collection, &headers).as_bytes())?;
            outln!("{}", path.display());
            return Ok(Exit::Holds);
        }
        ReportFormat::Junit => {
            let mut cases = Vec::new();
            for (entry, folder) in collection.entries.iter().zip(&folders) {
                if folder.exists() {
                    cases.push(junit::Case::of(&Campaign::load(folder)?, entry));
                }
            }
            to_stdout(format_args!("{}", junit::render("linchpin", &cases)));
            return Ok(Exit::Holds);
        }
        ReportFormat::Sarif => {
            let campaigns: Vec<Campaign> =
                begun().map(|folder| Campaign::load(folder)).collect::<Result<_, _>>()?;
            let campaigns: Vec<&Campaign> = campaigns.iter().collect();
            to_stdout(format_args!("{}", sarif::render(&campaigns)));
            return Ok(Exit::Holds);
        }
        _ => {}
    }
    match collection.result {
        Some(result) => one(arguments, &folders[result as usize], look),
        None => {
            let names: Vec<String> =
                begun().map(|folder| format!("\n  {}", folder.display())).collect();
            bail!(
                "`{}` holds several campaigns: choose one of{}",
                directory.display(),
                names.concat()
            )
        }
    }
}

fn one(arguments: &ReportArguments, directory: &Path, look: Look) -> anyhow::Result<Exit> {
    if arguments.format == ReportFormat::Html {
        return page(arguments, directory);
    }
    let campaign = Campaign::load(directory)?;
    if let Some(torn) = &campaign.torn {
        errln!("note: line {} of {} was cut off and is left out", torn.line, torn.path.display());
    }
    let header = &campaign.header;
    let text = match arguments.format {
        ReportFormat::Html => unreachable!("see above"),
        ReportFormat::Junit => junit::render("linchpin", &[junit::Case::new(&campaign)]),
        ReportFormat::Sarif => sarif::render(&[&campaign]),
        ReportFormat::Human => {
            let run = chosen(&campaign, arguments, Detail::Full)?;
            let style = look.style();
            let mut text = diagram(header, &run, style);
            if run.outcome == Outcome::Bad {
                let told = Story::of(&campaign, &run);
                text = format!("{text}\n{}", report_terminal::tell(header, &told, style));
            }
            text
        }
        ReportFormat::Shiviz => {
            shiviz::log(header, &*chosen(&campaign, arguments, Detail::Diagram)?)
        }
        ReportFormat::Dot if !arguments.lineage => {
            dot::spacetime(header, &*chosen(&campaign, arguments, Detail::Diagram)?)
        }
        ReportFormat::Svg if !arguments.lineage => {
            svg::spacetime(header, &*chosen(&campaign, arguments, Detail::Diagram)?)
        }
        ReportFormat::Perfetto | ReportFormat::Otlp | ReportFormat::Compare => {
            bail!("this format is for runs of processes (`linchpin trace --out`)")
        }
        ReportFormat::Dot => dot::lineage(&lineage(&campaign, arguments)?),
        ReportFormat::Svg => svg::lineage(&lineage(&campaign, arguments)?),
    };
    to_stdout(format_args!("{text}"));
    Ok(Exit::Holds)
}

/// Writes the report anew. A run asked for is kept in full, and shown first.
fn page(arguments: &ReportArguments, directory: &Path) -> anyhow::Result<Exit> {
    // Whoever writes to the directory would write its report, too.
    let (mut campaign, mut writer) = Writer::resume(directory)?;
    if let Some(number) = arguments.run {
        let run = chosen(&campaign, arguments, Detail::Full)?.into_owned();
        writer.keep_run(&run)?;
        campaign.kept.insert(number, run);
    }
    let page = html::render_with(&campaign, arguments.run);
    outln!("{}", writer.write_report("index.html", page.as_bytes())?.display());
    Ok(Exit::Holds)
}

/// The run to show: as asked, else that of the first counterexample, else the one without faults.
/// What was not kept in this detail is run again.
fn chosen<'a>(
    campaign: &'a Campaign,
    arguments: &ReportArguments,
    detail: Detail,
) -> anyhow::Result<Cow<'a, Run>> {
    let conclusion = campaign.header.conclusion.as_ref();
    let first = conclusion
        .filter(|conclusion| conclusion.verdict == Verdict::Broken)
        .and_then(|conclusion| conclusion.counterexamples.first())
        .map(|counterexample| counterexample.run);
    let number = arguments.run.or(first).unwrap_or(0);
    match campaign.kept.get(&number) {
        Some(run) if run.detail == Detail::Full || detail == Detail::Diagram => {
            return Ok(Cow::Borrowed(run));
        }
        _ => {}
    }
    let summary = usize::try_from(number).ok().and_then(|number| campaign.runs.get(number));
    let summary = summary.ok_or_else(|| match campaign.runs.len() {
        0 => anyhow!("no run is recorded yet"),
        count => anyhow!("there is no run {number}: the last one is {}", count - 1),
    })?;
    run_again(&campaign.header, summary).map(Cow::Owned)
}

fn lineage(campaign: &Campaign, arguments: &ReportArguments) -> anyhow::Result<LineageGraph> {
    let run = &*chosen(campaign, arguments, Detail::Full)?;
    Ok(LineageGraph::new(&campaign.header, run, &outcome_facts(&campaign.header, run), true))
}
