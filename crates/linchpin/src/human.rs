//! Results for people.

use linchpin_model::{Bounds, CrashModel, Fault, Verdict};
use linchpin_report::{Story, replay_command, terminal as report_terminal};
use linchpin_search::{StopReason, Strategy};

use crate::args::CheckArguments;
use crate::check::Answer;
use crate::input::Input;
use crate::output::outln;
use crate::terminal::{Look, diagram};

pub(crate) fn plural(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// One fault as a sentence.
pub(crate) fn sentence(fault: &Fault) -> String {
    match fault {
        Fault::Omission { from, to, at } => {
            format!("at time {at}, what {from} sends to {to} is lost")
        }
        Fault::Delay { from, to, at, by } => {
            let steps = plural(u64::from(*by), "step");
            format!("at time {at}, what {from} sends to {to} is {steps} late")
        }
        Fault::Crash { node, at } => format!("at time {at}, {node} crashes"),
        Fault::Recovery { node, at } => format!("at time {at}, {node} recovers"),
        Fault::Input { relation, row, at } => {
            let row: Vec<String> = row.iter().map(ToString::to_string).collect();
            format!("the input {relation}({}) comes at time {at}", row.join(", "))
        }
    }
}

pub(crate) fn bounds_text(bounds: &Bounds) -> String {
    let mut text = format!(
        "EOT {}, EFF {}, {}",
        bounds.eot,
        bounds.eff,
        plural(u64::from(bounds.crashes), "crash").replace("crashs", "crashes"),
    );
    if bounds.max_delay > 0 {
        let steps = plural(u64::from(bounds.max_delay), "step");
        text.push_str(&format!(", delays up to {steps}"));
    }
    if bounds.recoveries > 0 {
        let recoveries = plural(u64::from(bounds.recoveries), "recovery");
        text.push_str(&format!(", {}", recoveries.replace("recoverys", "recoveries")));
        if !bounds.durable.is_empty() {
            text.push_str(&format!(" (durable: {})", bounds.durable.join(" ")));
        }
    }
    if bounds.crash_model == CrashModel::Stop {
        text.push_str(", crashes stop nodes");
    }
    if !bounds.inputs.is_empty() {
        let inputs = plural(bounds.inputs.len() as u64, "input");
        text.push_str(&format!(", {inputs} to choose"));
    }
    format!("{text}, nodes {}", bounds.nodes.join(" "))
}

/// What the two times among the bounds mean.
fn times_text(bounds: &Bounds) -> String {
    let Bounds { eot, eff, .. } = bounds;
    let ends = format!("A run ends at time {eot} (EOT);");
    // Time steps begin at 1.
    if *eff <= 1 {
        return format!("{ends} no message is lost (EFF {eff}).");
    }
    let late = if bounds.max_delay > 0 { " or late" } else { "" };
    format!("{ends} messages sent before time {eff} (EFF) may be lost{late}.")
}

pub(crate) fn print_answer(input: &Input, answer: &Answer, arguments: &CheckArguments, look: Look) {
    let verdict = match answer.report.verdict {
        Verdict::Holds => "HOLDS",
        Verdict::Broken => "BROKEN",
        Verdict::Unknown => "UNKNOWN",
    };
    outln!("{verdict}  {} ({})", input.name(), bounds_text(&answer.bounds));
    outln!("  {}", times_text(&answer.bounds));
    let runs = plural(answer.report.runs, "run");
    match answer.report.verdict {
        Verdict::Holds => outln!(
            "  No fault set within these bounds breaks it: {} of them, decided by {}.",
            answer.bounds.fault_space(),
            match answer.report.method {
                Strategy::Symbolic => format!("one formula after {runs}"),
                _ => runs,
            }
        ),
        Verdict::Broken => outln!("  {runs}."),
        Verdict::Unknown => {
            outln!("  No counterexample in {runs}, but the search is not complete.")
        }
    }
    match answer.report.stopped {
        Some(StopReason::Time) => outln!("  Stopped by --timeout."),
        Some(StopReason::Runs) => outln!("  Stopped by the limit on runs (--max-runs)."),
        Some(StopReason::Interrupted) => outln!("  Interrupted."),
        None => {}
    }
    if let Some(because) = &answer.not_grounded {
        let taught = if because.given_up {
            ""
        } else {
            ": every run taught only about runs in which the same messages arrive"
        };
        outln!("  Not decided at once, because {}{taught}.", because.reason);
        outln!("  hint: {}", because.hint);
    }
    if answer.vacuous {
        outln!(
            "  VACUOUS: without any fault the precondition never holds, so nothing was asked of it."
        );
    }
    let campaign = &answer.campaign;
    let header = &campaign.header;
    let style = look.style();
    for (index, faults) in answer.counterexamples.iter().enumerate() {
        outln!("\ncounterexample {}: {}", index + 1, plural(faults.len() as u64, "fault"));
        let told = if index == 0 { campaign.kept_with(faults) } else { None };
        if let Some(bad) = told {
            let words = report_terminal::tell(header, &Story::of(campaign, bad), style);
            outln!("\n{}\n{}", diagram(header, bad, style), words.trim_end());
        } else {
            for fault in faults.iter() {
                outln!("  {}", sentence(fault));
            }
            outln!("  replay: {}", replay_command(header, faults));
        }
    }
    if let Some(directory) = &arguments.out {
        outln!("\nreport: {}", directory.join("report/index.html").display());
    }
}
