//! `linchpin report`: a recorded search in other forms.

use anyhow::{anyhow, bail};
use linchpin_model::{Outcome, Verdict};
use linchpin_record::{Campaign, Detail, Run, Writer};
use linchpin_report::export::{dot, junit, sarif, shiviz, svg};
use linchpin_report::{LineageGraph, Story, html, outcome_facts, terminal as report_terminal};

use crate::args::{ReportArguments, ReportFormat};
use crate::exit::Exit;
use crate::output::{errln, outln, to_stdout};
use crate::terminal::{Look, diagram};
use crate::trace_report;

pub(crate) fn command(arguments: &ReportArguments, look: Look) -> anyhow::Result<Exit> {
    if linchpin_record::is_trace_campaign(&arguments.directory) {
        return trace_report::command(arguments, look);
    }
    let campaign = Campaign::load(&arguments.directory)?;
    if let Some(torn) = &campaign.torn {
        errln!("note: line {} of {} was cut off and is left out", torn.line, torn.path.display());
    }
    let text = match arguments.format {
        ReportFormat::Html => {
            // Whoever writes to the directory would write its report, too.
            let (campaign, writer) = Writer::resume(&arguments.directory)?;
            let path = writer.write_report("index.html", html::render(&campaign).as_bytes())?;
            outln!("{}", path.display());
            return Ok(Exit::Holds);
        }
        ReportFormat::Junit => junit::render("linchpin", &[junit::Case::new(&campaign)]),
        ReportFormat::Sarif => sarif::render(&[&campaign]),
        ReportFormat::Human => {
            let run = chosen(&campaign, arguments)?;
            let style = look.style();
            let mut text = diagram(&campaign.header, run, style);
            if run.outcome == Outcome::Bad {
                let told = Story::of(&campaign, run);
                text = format!("{text}\n{}", report_terminal::tell(&campaign.header, &told, style));
            }
            text
        }
        ReportFormat::Shiviz => shiviz::log(&campaign.header, chosen(&campaign, arguments)?),
        ReportFormat::Dot if !arguments.lineage => {
            dot::spacetime(&campaign.header, chosen(&campaign, arguments)?)
        }
        ReportFormat::Svg if !arguments.lineage => {
            svg::spacetime(&campaign.header, chosen(&campaign, arguments)?)
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

/// The run to show: as asked, else that of the first counterexample, else the one without faults.
fn chosen<'a>(campaign: &'a Campaign, arguments: &ReportArguments) -> anyhow::Result<&'a Run> {
    let conclusion = campaign.header.conclusion.as_ref();
    let first = conclusion
        .filter(|conclusion| conclusion.verdict == Verdict::Broken)
        .and_then(|conclusion| conclusion.counterexamples.first())
        .map(|counterexample| counterexample.run);
    let number = arguments.run.or(first).unwrap_or(0);
    campaign.kept.get(&number).ok_or_else(|| {
        if number < campaign.runs.len() as u64 {
            anyhow!("run {number} was not kept in detail: only its faults and outcome are known")
        } else {
            anyhow!("there is no run {number}: the last one is {}", campaign.runs.len().max(1) - 1)
        }
    })
}

fn lineage(campaign: &Campaign, arguments: &ReportArguments) -> anyhow::Result<LineageGraph> {
    let run = chosen(campaign, arguments)?;
    if run.detail != Detail::Full {
        bail!("run {} was kept as a diagram: its lineage is not known", run.run);
    }
    Ok(LineageGraph::new(&campaign.header, run, &outcome_facts(&campaign.header, run), true))
}
