//! `linchpin report` for runs of processes.

use anyhow::{anyhow, bail};
use linchpin_record::{Trace, TraceCampaign, TraceWriter};
use linchpin_report::causal::census::Census;
use linchpin_report::causal::identity::first_difference;
use linchpin_report::causal::{Diagram, dot, html, otlp, perfetto, shiviz, terminal};
use linchpin_report::terminal::visible;

use crate::args::{ReportArguments, ReportFormat};
use crate::exit::Exit;
use crate::hunt_answer;
use crate::output::{errln, outln, to_stdout};
use crate::terminal::Look;

/// Runs drawn in the HTML report.
const RUNS_DRAWN_MAX: usize = 20;
/// Events drawn in it, over all runs.
const EVENTS_DRAWN_MAX: usize = 200_000;

pub(crate) fn command(arguments: &ReportArguments, look: Look) -> anyhow::Result<Exit> {
    let campaign = TraceCampaign::load(&arguments.directory)?;
    if let Some(torn) = &campaign.torn {
        errln!("note: line {} of {} was cut off and is left out", torn.line, torn.path.display());
    }
    let number = arguments.run.unwrap_or(0);
    if arguments.run.is_some() {
        exists(&campaign, number)?;
    }
    let text = match arguments.format {
        ReportFormat::Html => {
            let (campaign, writer) = TraceWriter::resume(&arguments.directory)?;
            let path = writer.write_report("index.html", page(&campaign)?.as_bytes())?;
            outln!("{}", path.display());
            return Ok(Exit::Holds);
        }
        ReportFormat::Human if campaign.header.hunt.is_some() && arguments.run.is_none() => {
            hunt_answer::print(&campaign, true, look)?;
            return Ok(Exit::Holds);
        }
        ReportFormat::Human if campaign.runs.len() > 1 && arguments.run.is_none() => {
            Census::new(&campaign.runs).text(look.ascii)
        }
        ReportFormat::Human => {
            let trace = chosen(&campaign, number)?;
            let diagram = Diagram::new(&campaign.header, &trace);
            let style = look.style();
            let run = &campaign.runs[number as usize];
            terminal::diagram(&diagram, style) + "\n" + &terminal::summary(&diagram, run, style)
        }
        ReportFormat::Shiviz => {
            shiviz::log(&Diagram::new(&campaign.header, &chosen(&campaign, number)?))
        }
        ReportFormat::Dot => {
            dot::graph(&Diagram::new(&campaign.header, &chosen(&campaign, number)?))
        }
        ReportFormat::Perfetto => perfetto::json(&chosen(&campaign, number)?) + "\n",
        ReportFormat::Otlp => {
            let trace = chosen(&campaign, number)?;
            otlp::json(&campaign.header, &campaign.runs[number as usize], &trace) + "\n"
        }
        ReportFormat::Svg => Census::new(&campaign.runs).svg(),
        ReportFormat::Compare => compare(&campaign, number)?,
        ReportFormat::Junit | ReportFormat::Sarif => bail!(
            "runs of processes have no such form: use html, human, compare, svg (the census), dot, \
             shiviz, perfetto or otlp"
        ),
    };
    to_stdout(format_args!("{text}"));
    Ok(Exit::Holds)
}

fn exists(campaign: &TraceCampaign, number: u64) -> anyhow::Result<()> {
    let last = campaign.runs.len().max(1) - 1;
    if campaign.runs.is_empty() {
        bail!("no run was finished in {}", campaign.directory.display());
    }
    if number > last as u64 {
        bail!("there is no run {number}: the last one is {last}");
    }
    Ok(())
}

fn chosen(campaign: &TraceCampaign, number: u64) -> anyhow::Result<Trace> {
    exists(campaign, number)?;
    campaign.trace(number)?.ok_or_else(|| {
        anyhow!("run {number} was not kept in detail: only its line in runs.jsonl is known")
    })
}

/// What a run does first that the commonest one does not, in the order of each node.
fn compare(campaign: &TraceCampaign, number: u64) -> anyhow::Result<String> {
    let census = Census::new(&campaign.runs);
    let Some(order) = census.rungs.iter().find(|rung| rung.name == "order") else {
        bail!("these runs have no identity");
    };
    let (here, there) = (chosen(campaign, number)?, chosen(campaign, order.commonest)?);
    let times = order.frequencies.first().copied().unwrap_or(0);
    let head = format!(
        "run {number} against run {}, the commonest ({times} of {} runs are like it)\n",
        order.commonest, census.runs
    );
    let Some(difference) = first_difference(&here, &there) else {
        return Ok(format!(
            "{head}the same: each node sends and receives the same in the same order\n"
        ));
    };
    let told = |step: &Option<linchpin_report::causal::identity::Step>| {
        step.as_ref().map_or_else(|| "nothing more".to_owned(), |step| visible(&step.text()))
    };
    Ok(format!(
        "{head}{} does {} alike, then\n  here:  {}\n  there: {}\n",
        visible(&difference.role),
        crate::human::plural(difference.alike as u64, "step"),
        told(&difference.here),
        told(&difference.there)
    ))
}

/// The HTML report, with as many runs drawn as are worth their bytes: bad ones first.
pub(crate) fn page(campaign: &TraceCampaign) -> anyhow::Result<String> {
    let mut order: Vec<u64> = campaign.runs.iter().map(|run| run.run).collect();
    let told: Vec<u64> = hunt_answer::told_of(campaign);
    order.sort_by_key(|run| {
        let place = told.iter().position(|told| told == run).unwrap_or(told.len());
        let is_bad = campaign.runs[*run as usize].outcome == linchpin_model::Outcome::Bad;
        (place, !is_bad)
    });
    let mut traces: Vec<Trace> = Vec::new();
    let mut events = 0;
    for number in order {
        if traces.len() == RUNS_DRAWN_MAX {
            break;
        }
        let Some(trace) = campaign.trace(number)? else { continue };
        if !traces.is_empty() && events + trace.events.len() > EVENTS_DRAWN_MAX {
            break;
        }
        events += trace.events.len();
        traces.push(trace);
    }
    let diagrams: Vec<Diagram<'_>> =
        traces.iter().map(|trace| Diagram::new(&campaign.header, trace)).collect();
    Ok(html::render(campaign, &diagrams))
}
