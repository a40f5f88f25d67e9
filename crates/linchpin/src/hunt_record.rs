//! How a hunt ended, for the record: in the record's own terms, with what explains a
//! counterexample.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::anyhow;
use linchpin_hunt::confidence::{break_rate_at_least, break_rate_at_most};
use linchpin_hunt::{Account, Counterexample, EventName, Recorded, Report, Strategy, Verdict};
use linchpin_model::Outcome;
use linchpin_record::{
    Expected, HuntAccount, HuntConclusion, HuntCounterexample, HuntCoverage, HuntFault,
    HuntSupport, Nearest, Trace, TraceCampaign,
};
use serde_json::json;

/// The confidence of every bound that is told.
const CONFIDENCE: f64 = 0.95;

pub(crate) fn strategy_name(strategy: Strategy) -> &'static str {
    match strategy {
        Strategy::Lineage => "lineage",
        Strategy::Random => "random",
        Strategy::Single => "single",
    }
}

fn verdict_name(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Broken => "broken",
        Verdict::Survived => "survived",
        Verdict::Unknown => "unknown",
    }
}

pub(crate) fn conclusion(
    report: &Report,
    stopped: Option<&str>,
    recorded: &[Recorded],
    campaign: &TraceCampaign,
    elapsed: Duration,
) -> anyhow::Result<HuntConclusion> {
    let counterexamples = report
        .counterexamples
        .iter()
        .map(|found| counterexample(found, &report.account, recorded, campaign))
        .collect::<anyhow::Result<_>>()?;
    Ok(HuntConclusion {
        verdict: verdict_name(report.verdict).to_owned(),
        stopped: stopped.map(str::to_owned),
        experiments: report.experiments,
        experiments_until_bad: report.experiments_until_bad,
        counterexamples,
        account: account(&report.account, elapsed),
    })
}

fn account(account: &Account, elapsed: Duration) -> HuntAccount {
    let spent = account.spent;
    let of_runs = spent.start_ms + spent.workload_ms + spent.check_ms;
    HuntAccount {
        outcomes: account.outcomes.clone(),
        candidates: account
            .candidates
            .iter()
            .map(|(kind, coverage)| {
                let coverage = HuntCoverage { known: coverage.known, tried: coverage.tried };
                (kind.name().to_owned(), coverage)
            })
            .collect(),
        supports: account
            .supports
            .iter()
            .map(|support| HuntSupport {
                value: support.value.clone(),
                path: support.path.clone(),
                runs: support.runs,
            })
            .collect(),
        hypotheses: account.hypotheses,
        answered: account.answered,
        like_another: account.like_another,
        waiting: account.waiting,
        never_fired: account.never_fired,
        not_judged: account.not_judged,
        least_trials: account.least_trials,
        break_rate_at_most: break_rate_at_most(0, account.least_trials, CONFIDENCE),
        message_kinds: account.message_kinds,
        unseen_mass: account.unseen_mass,
        start_ms: spent.start_ms,
        workload_ms: spent.workload_ms,
        check_ms: spent.check_ms,
        search_ms: (elapsed.as_millis() as u64).saturating_sub(of_runs),
    }
}

fn counterexample(
    found: &Counterexample,
    account: &Account,
    recorded: &[Recorded],
    campaign: &TraceCampaign,
) -> anyhow::Result<HuntCounterexample> {
    let run = |number: u64| recorded.iter().find(|one| one.experiment.number == number);
    // Faults that did not fire are no part of it, so the run may have had more.
    let bad = found
        .experiments
        .iter()
        .filter_map(|number| run(*number))
        .find(|one| one.evidence.outcome == Outcome::Bad)
        .ok_or_else(|| anyhow!("a counterexample without a bad run"))?;
    let number = bad.experiment.number;
    let reason = campaign.runs.iter().find(|run| run.run == number);
    let trials = found.experiments.len() as u32;
    let faults = found.faults.iter();
    Ok(HuntCounterexample {
        faults: faults
            .map(|fault| HuntFault { fault: fault.to_string(), sentence: fault.sentence() })
            .collect(),
        run: number,
        reason: reason.map(|run| run.reason.clone()).unwrap_or_default(),
        runs: found.experiments.clone(),
        bad: found.bad,
        break_rate: (
            break_rate_at_least(found.bad, trials, CONFIDENCE),
            break_rate_at_most(found.bad, trials, CONFIDENCE),
        ),
        nearest: nearest(bad, recorded, campaign)?,
        expected: expected(bad, account),
    })
}

/// The names of what happened before faults were healed, in order, with the kind of each.
fn names(one: &Recorded) -> Vec<&EventName> {
    let trace = &one.evidence.trace;
    trace.events.iter().take(trace.end).map(|event| &event.name).collect()
}

/// The good run that shares most with a bad one, and where they part.
fn nearest(
    bad: &Recorded,
    recorded: &[Recorded],
    campaign: &TraceCampaign,
) -> anyhow::Result<Option<Nearest>> {
    let own = names(bad);
    let set: BTreeSet<&EventName> = own.iter().copied().collect();
    let alike = |one: &Recorded| names(one).iter().filter(|name| set.contains(*name)).count();
    let good = recorded.iter().filter(|one| one.evidence.outcome == Outcome::Good);
    // Of those that share as much, the shortest differs least; of these the first.
    let best = good.max_by_key(|one| {
        let number = std::cmp::Reverse(one.experiment.number);
        (2 * alike(one) as i64 - names(one).len() as i64, number)
    });
    let Some(best) = best else { return Ok(None) };
    let theirs = names(best);
    let number = best.experiment.number;
    let missing = first_new(&theirs, &own);
    let instead = first_new(&own, &theirs);
    let place = |run: u64, name: Option<&EventName>| -> anyhow::Result<Option<u32>> {
        let Some(name) = name else { return Ok(None) };
        Ok(campaign.trace(run)?.and_then(|trace| position(&trace, name)))
    };
    Ok(Some(Nearest {
        run: number,
        alike: alike(best) as u64,
        missing: missing.map(EventName::to_string),
        missing_event: place(number, missing)?,
        instead: instead.map(EventName::to_string),
        instead_event: place(bad.experiment.number, instead)?,
    }))
}

/// Kinds of events of which both runs have so many only repeat: polls, heartbeats, retries.
const REPEATED: usize = 3;

/// The first event of `here` that is not in `there`.
fn first_new<'a>(here: &[&'a EventName], there: &[&EventName]) -> Option<&'a EventName> {
    let count = |names: &[&EventName]| {
        let mut counts: BTreeMap<EventName, usize> = BTreeMap::new();
        for name in names {
            *counts.entry(name.kind()).or_default() += 1;
        }
        counts
    };
    let (own, other) = (count(here), count(there));
    let known: BTreeSet<&EventName> = there.iter().copied().collect();
    let repeats = |name: &EventName| {
        let of = |counts: &BTreeMap<EventName, usize>| counts.get(&name.kind()).copied();
        of(&own).unwrap_or(0).min(of(&other).unwrap_or(0)) >= REPEATED
    };
    here.iter().copied().find(|name| !known.contains(name) && !repeats(name))
}

/// Where an event is in a trace, by what it is called there.
fn position(trace: &Trace, name: &EventName) -> Option<u32> {
    let node = |event: u32| &*trace.processes[trace.events[event as usize].process as usize].node;
    let wanted = name.occurrence() as usize;
    let Some(message) = name.message() else {
        let syncs = (0..trace.events.len() as u32).filter(|event| {
            trace.events[*event as usize].kind == "sync" && node(*event) == name.node()
        });
        return syncs.into_iter().nth(wanted.checked_sub(1)?);
    };
    let mut seen: BTreeSet<u32> = BTreeSet::new();
    let mut events: Vec<(u32, Option<u32>)> = trace
        .messages
        .iter()
        .filter(|one| node(one.sent) == message.from)
        .filter(|one| one.received.is_none_or(|event| node(event) == message.to))
        .filter(|one| one.label.as_deref().unwrap_or_default() == message.label)
        .filter(|one| seen.insert(one.sent))
        .map(|one| (one.sent, one.received))
        .collect();
    events.sort_unstable();
    let (sent, received) = *events.get(wanted.checked_sub(1)?)?;
    if name.is_visible() { Some(sent) } else { received }
}

/// Per value that was acknowledged and is not shown, how other runs came to show it: the way of
/// which most happened, and the first event that did not.
fn expected(bad: &Recorded, account: &Account) -> Vec<Expected> {
    let trace = &bad.evidence.trace;
    let shown: BTreeSet<&String> =
        trace.outcome.iter().flat_map(|event| &trace.events[*event].tokens).collect();
    let happened: BTreeSet<String> =
        trace.events.iter().map(|event| event.name.to_string()).collect();
    let lost: BTreeSet<&String> = trace
        .acknowledgements
        .iter()
        .flat_map(|ack| &ack.tokens)
        .filter(|token| !shown.contains(token))
        .collect();
    lost.into_iter()
        .filter_map(|value| {
            let ways = account.supports.iter().filter(|support| support.value == *value);
            let reached = |path: &[String]| path.iter().position(|event| !happened.contains(event));
            let (at, support) = ways
                .filter_map(|support| Some((reached(&support.path)?, support)))
                .max_by_key(|(at, support)| (*at, support.runs))?;
            Some(Expected {
                value: value.clone(),
                path: support.path.clone(),
                missing: support.path[at].clone(),
                runs: support.runs,
            })
        })
        .collect()
}

/// The answer as one JSON object.
pub(crate) fn json(campaign: &TraceCampaign, elapsed: Duration) -> String {
    let header = &campaign.header;
    let answer = json!({
        "schema": "linchpin.hunt/1",
        "cluster": header.cluster.as_ref().map(|file| &file.path),
        "isolation": header.isolation,
        "runs": campaign.runs.len(),
        "hunt": header.hunt,
        "elapsed_ms": elapsed.as_millis() as u64,
    });
    answer.to_string()
}
