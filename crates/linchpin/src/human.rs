//! Results for people.

use linchpin_model::{Fault, FaultSet, Verdict};
use linchpin_search::StopReason;

use crate::args::{CheckArguments, Color};
use crate::check::Answer;
use crate::input::Input;
use crate::output::outln;

pub(crate) fn plural(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// One fault as a sentence.
pub(crate) fn sentence(fault: &Fault) -> String {
    match fault {
        Fault::Omission { from, to, at } => {
            format!("at time {at}, what {from} sends to {to} is lost")
        }
        Fault::Crash { node, at } => format!("at time {at}, {node} crashes"),
    }
}

pub(crate) fn bounds_text(answer: &Answer) -> String {
    let bounds = &answer.bounds;
    format!(
        "EOT {}, EFF {}, {}, nodes {}",
        bounds.eot,
        bounds.eff,
        plural(u64::from(bounds.crashes), "crash").replace("crashs", "crashes"),
        bounds.nodes.join(" ")
    )
}

pub(crate) fn print_answer(input: &Input, answer: &Answer, arguments: &CheckArguments, _: Color) {
    let verdict = match answer.report.verdict {
        Verdict::Holds => "HOLDS",
        Verdict::Broken => "BROKEN",
        Verdict::Unknown => "UNKNOWN",
    };
    outln!("{verdict}  {} ({})", input.name(), bounds_text(answer));
    let runs = plural(answer.report.runs, "run");
    match answer.report.verdict {
        Verdict::Holds => outln!(
            "  No fault set within these bounds breaks it: {} of them, decided by {runs}.",
            answer.bounds.fault_space()
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
    if let Some(reason) = &answer.not_grounded {
        outln!(
            "  Not decided at once, because {reason}: \
             every run taught only about runs in which the same messages arrive."
        );
        if answer.report.verdict == Verdict::Unknown {
            outln!(
                "  hint: lower --eot, --eff or the number of nodes, or bound what that rule derives \
                 (a sum, a counter or a list that grows with every message)"
            );
        }
    }
    if answer.vacuous {
        outln!(
            "  VACUOUS: without any fault the precondition never holds, so nothing was asked of it."
        );
    }
    for (index, faults) in answer.counterexamples.iter().enumerate() {
        outln!("\ncounterexample {}: {}", index + 1, plural(faults.len() as u64, "fault"));
        for fault in faults.iter() {
            outln!("  {}", sentence(fault));
        }
        outln!("  replay: {}", replay(input, answer, faults));
    }
    let _ = arguments;
}

/// The command that shows a run again.
pub(crate) fn replay(input: &Input, answer: &Answer, faults: &FaultSet) -> String {
    let mut command = format!(
        "linchpin run {} --eot {} --nodes {}",
        input.name(),
        answer.bounds.eot,
        answer.bounds.nodes.join(",")
    );
    for fault in faults.iter() {
        command.push_str(&format!(" --fault '{fault}'"));
    }
    command
}
