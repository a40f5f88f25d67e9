//! What a hunt found, for people.

use std::fmt::Write;

use linchpin_record::{HuntConclusion, HuntCounterexample, HuntHeader, Parting, TraceCampaign};
use linchpin_report::causal::{Diagram, terminal};

use crate::exit::Exit;
use crate::human::plural;
use crate::output::outln;
use crate::terminal::Look;

/// Rows of a run shown around the place where two runs part.
const ROWS_AROUND: usize = 12;

/// The exit code that a campaign's record means.
pub(crate) fn exit(campaign: &TraceCampaign) -> Exit {
    let hunt = campaign.header.hunt.as_ref();
    let Some(conclusion) = hunt.and_then(|hunt| hunt.conclusion.as_ref()) else {
        return Exit::Unknown;
    };
    match (conclusion.verdict.as_str(), conclusion.stopped.as_deref()) {
        ("broken", _) => Exit::Broken,
        (_, Some("interrupted")) => Exit::Interrupted,
        ("survived", _) => Exit::Holds,
        _ => Exit::Unknown,
    }
}

/// The runs that the answer tells of: bad ones with the good ones nearest to them.
pub(crate) fn told_of(campaign: &TraceCampaign) -> Vec<u64> {
    let conclusion = campaign.header.hunt.as_ref().and_then(|hunt| hunt.conclusion.as_ref());
    let found = conclusion.iter().flat_map(|conclusion| &conclusion.counterexamples);
    found
        .flat_map(|found| [Some(found.run), found.nearest.as_ref().map(|nearest| nearest.run)])
        .flatten()
        .collect()
}

pub(crate) fn print(campaign: &TraceCampaign, is_kept: bool, look: Look) -> anyhow::Result<()> {
    let Some(hunt) = &campaign.header.hunt else { return Ok(()) };
    let Some(conclusion) = &hunt.conclusion else {
        outln!("The hunt has not ended: {} so far.", plural(campaign.runs.len() as u64, "run"));
        return Ok(());
    };
    for found in &conclusion.counterexamples {
        outln!("{}", counterexample(campaign, found, look)?);
    }
    outln!("{}", account(hunt, conclusion));
    outln!("{}", verdict(campaign, hunt, conclusion));
    if is_kept {
        outln!("report: {}", campaign.directory.join("report/index.html").display());
        if !conclusion.counterexamples.is_empty() {
            outln!("again:  linchpin replay {} --times 10", campaign.directory.display());
        }
    } else if let Some(found) = conclusion.counterexamples.first() {
        outln!("again:  {}", run_command(campaign, found));
        outln!("hint: with --out DIR everything is kept, and `linchpin replay DIR` runs it again");
    }
    Ok(())
}

fn verdict(campaign: &TraceCampaign, hunt: &HuntHeader, conclusion: &HuntConclusion) -> String {
    let experiments = plural(conclusion.experiments, "experiment");
    let account = &conclusion.account;
    let name = campaign.header.cluster.as_ref().map_or("the cluster", |file| &file.path);
    match (conclusion.verdict.as_str(), conclusion.experiments_until_bad) {
        ("broken", None | Some(0)) => {
            format!("{name}: broken without any fault: the system, or its check, fails by itself")
        }
        ("broken", Some(until)) => format!(
            "{name}: broken, by experiment {until} of {} ({})",
            conclusion.experiments, hunt.strategy
        ),
        ("survived", _) => format!(
            "{name}: survived {experiments} within the budgets. One that was tried breaks it in at most {:.0}% of \
             runs (95%, {} each);\nof the kinds of runs, {:.0}% are estimated not to have been seen",
            100.0 * account.break_rate_at_most,
            plural(u64::from(account.least_trials), "run"),
            100.0 * account.unseen_mass
        ),
        (other, _) => {
            let why = match conclusion.stopped.as_deref() {
                Some("experiments") => "its number of experiments is used up",
                Some("time") => "its time is used up",
                Some("interrupted") => "it was interrupted",
                _ => "this strategy never covers all",
            };
            let left = account.waiting;
            let left = if left == 1 { "1 hypothesis" } else { &format!("{left} hypotheses") };
            format!("{name}: {other} after {experiments}: {why}; {left} left")
        }
    }
}

fn counterexample(
    campaign: &TraceCampaign,
    found: &HuntCounterexample,
    look: Look,
) -> anyhow::Result<String> {
    let mut out = String::new();
    for (number, fault) in found.faults.iter().enumerate() {
        let _ = writeln!(out, "{}. {}\n     {}", number + 1, fault.sentence, fault.fault);
    }
    let _ = writeln!(out, "Then: {}", found.reason);
    for expected in &found.expected {
        let _ = writeln!(
            out,
            "Known way to show {} (seen in {}):\n     {}",
            expected.value,
            plural(u64::from(expected.runs), "run"),
            expected.path.join(" => ")
        );
        let _ = match &expected.cuts[..] {
            [] => writeln!(out, "   It was expected to hold, and did not."),
            cuts => writeln!(out, "   {}", taken(cuts)),
        };
    }
    let style = look.style();
    let shown = |run: u64, event: Option<u32>| -> anyhow::Result<Option<String>> {
        let Some(trace) = campaign.trace(run)? else { return Ok(None) };
        let diagram = Diagram::new(&campaign.header, &trace);
        Ok(Some(terminal::around(&diagram, event, ROWS_AROUND, style)))
    };
    let place = |partings: &[Parting]| partings.iter().find_map(|parting| parting.event);
    let named = |partings: &[Parting]| {
        let names: Vec<String> =
            partings.iter().take(3).map(|parting| format!("`{}`", parting.name)).collect();
        names.join(", ")
    };
    let nearest = found.nearest.as_ref();
    let _ = write!(out, "\nRun {} (bad)", found.run);
    if let Some(nearest) = nearest.filter(|nearest| !nearest.new.is_empty()) {
        let _ = write!(out, "; first that run {} has not: {}", nearest.run, named(&nearest.new));
    }
    out.push('\n');
    let event = nearest.and_then(|nearest| place(&nearest.new));
    out.push_str(&shown(found.run, event)?.unwrap_or_default());
    if let Some(nearest) = nearest {
        let _ = write!(out, "\nRun {} (good), the nearest", nearest.run);
        if !nearest.lacking.is_empty() {
            let _ =
                write!(out, "; first that run {} has not: {}", found.run, named(&nearest.lacking));
        }
        out.push('\n');
        out.push_str(&shown(nearest.run, place(&nearest.lacking))?.unwrap_or_default());
    }
    let trials = found.runs.len() as u64;
    if trials > 1 {
        let _ = writeln!(
            out,
            "\nBad in {} of {}: these faults break {:.0}% to {:.0}% of runs (95% each).{}",
            found.bad,
            plural(trials, "run"),
            100.0 * found.break_rate.0,
            100.0 * found.break_rate.1,
            if found.bad == 1 { " It worked once and never again." } else { "" }
        );
    }
    Ok(out)
}

/// "Fault 1 takes away `x`; fault 2 takes away `y`."
fn taken(cuts: &[(usize, String)]) -> String {
    let parts: Vec<String> = cuts
        .iter()
        .map(|(fault, event)| format!("fault {} takes away `{event}`", fault + 1))
        .collect();
    let text = parts.join("; ");
    format!("F{}.", &text[1..])
}

fn run_command(campaign: &TraceCampaign, found: &HuntCounterexample) -> String {
    let path = campaign.header.cluster.as_ref().map_or("CLUSTER", |file| &file.path);
    let run = campaign.runs.iter().find(|run| run.run == found.run);
    let faults =
        run.iter().flat_map(|run| &run.faults).map(|fault| format!(" --fault '{}'", fault.fault));
    let default = |name: &String, value: &String| {
        let inputs = campaign.header.hunt.as_ref().and_then(|hunt| hunt.inputs.get(name));
        !inputs.is_some_and(|values| values.contains(value))
    };
    let parameters = run
        .iter()
        .flat_map(|run| &run.parameters)
        .filter(|(name, value)| !default(name, value))
        .map(|(name, value)| format!(" --parameter {name}={value}"));
    format!("linchpin run {path}{}", faults.chain(parameters).collect::<String>())
}

fn account(hunt: &HuntHeader, conclusion: &HuntConclusion) -> String {
    let budgets = hunt.budgets.iter().filter(|(_, count)| **count > 0);
    let budgets: Vec<String> = budgets.map(|(kind, count)| format!("{count} {kind}")).collect();
    let mut out = format!("budgets: {}; {} at once\n", budgets.join(", "), hunt.total);
    for line in &conclusion.account.in_words {
        let _ = writeln!(out, "{line}");
    }
    let search = conclusion.account.search_ms as f64 / 1000.0;
    let _ = write!(out, "time choosing and recording: {search:.1} s");
    out
}
