//! Bounds that nobody gave: widened step by step.
//!
//! (\[LDFI\] section 2.1.1.) EFF = 0 and EOT upwards until a run asks something of the system; then
//! EFF upwards until a violation (then EOT further, to give recovery its chance) or until EFF =
//! EOT - 1 (then both by one); within a time budget.

use std::time::{Duration, Instant};

use linchpin_model::Verdict;
use linchpin_search::StopReason;

use crate::args::CheckArguments;
use crate::check::{Answer, within};
use crate::collecting::Place;
use crate::control::{Interrupt, Limits};
use crate::exit::Exit;
use crate::input::{Input, Question};

/// How long a sweep goes on if `--timeout` does not say.
const SWEEP_TIME_DEFAULT: Duration = Duration::from_secs(10);

/// The longest run a sweep tries.
const SWEEP_EOT_MAX: u32 = 30;

/// How many steps more a broken program gets to recover, beyond the steps it needs anyway.
const RECOVERY_STEPS: u32 = 3;

/// Answers a question that has no EOT.
pub(crate) fn answer(
    input: &Input,
    question: &Question,
    arguments: &CheckArguments,
    interrupt: &Interrupt,
    place: &mut Place<'_>,
) -> anyhow::Result<Result<Answer, Exit>> {
    let started = Instant::now();
    let budget = arguments.timeout.unwrap_or(SWEEP_TIME_DEFAULT);
    let mut limits = Limits::new(interrupt, Some(budget));
    let mut sweep = |eot: u32, eff: u32, crashes: u32| {
        let narrowed = Question { crashes, ..question.clone() };
        let bounds = narrowed.bounds(eot, eff)?;
        let out = place.folder(input, &narrowed, &bounds, true)?;
        within(input, &narrowed, &bounds, arguments, &mut limits, out.as_deref())
    };
    let (mut eot, mut eff) = (1, 0);
    // Until something is asked of the system.
    let first = loop {
        match sweep(eot, eff, 0)? {
            Err(exit) => return Ok(Err(exit)),
            Ok(answer)
                if answer.vacuous && answer.report.stopped.is_none() && eot < SWEEP_EOT_MAX =>
            {
                eot += 1;
            }
            Ok(answer) => break answer,
        }
    };
    let recovery = eot + RECOVERY_STEPS;
    let mut last_holding: Option<Answer> = None;
    let mut broken: Option<Answer> = None;
    let mut stopped = first.report.stopped;
    let mut last = first;
    while stopped.is_none() && !last.vacuous && eot <= SWEEP_EOT_MAX {
        let answer = match sweep(eot, eff, question.crashes)? {
            Err(exit) => return Ok(Err(exit)),
            Ok(answer) => answer,
        };
        stopped = answer.report.stopped;
        match answer.report.verdict {
            Verdict::Holds => {
                broken = None;
                if eff + 1 < eot {
                    eff += 1;
                } else {
                    eot += 1;
                    eff += 1;
                }
                last_holding = Some(answer);
            }
            Verdict::Broken => {
                let smallest = broken.get_or_insert(answer);
                if eot >= smallest.bounds.eot + recovery {
                    break;
                }
                eot += 1;
            }
            Verdict::Unknown => {
                last = answer;
                break;
            }
        }
    }
    let mut result = broken.or(last_holding).unwrap_or(last);
    if stopped == Some(StopReason::Interrupted) {
        result.report.stopped = stopped;
    }
    result.elapsed = started.elapsed();
    Ok(Ok(result))
}
