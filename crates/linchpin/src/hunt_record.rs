//! How a hunt ended, for the record: in the record's own terms, with what explains a
//! counterexample.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::anyhow;
use linchpin_cluster::CLIENT;
use linchpin_hunt::{Account, Counterexample, EventName, Report, Strategy, Verdict};
use linchpin_record::{
    Expected, HuntAccount, HuntConclusion, HuntCounterexample, HuntCoverage, HuntFault,
    HuntSupport, Nearest, Parting, Trace, TraceCampaign,
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
    campaign: &TraceCampaign,
    elapsed: Duration,
) -> anyhow::Result<HuntConclusion> {
    let counterexamples = report
        .counterexamples
        .iter()
        .map(|found| counterexample(found, campaign))
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
        classes: HuntCoverage {
            known: account.classes.len() as u64,
            tried: account.classes.iter().filter(|class| class.coverage.tried > 0).count() as u64,
        },
        hypotheses: account.hypotheses,
        tried: account.tried,
        assumed: account
            .assumed
            .iter()
            .map(|assumed| (assumed.tried.join(" + "), assumed.others))
            .collect(),
        interchangeable: account.interchangeable.clone(),
        in_words: account.to_string().lines().map(str::to_owned).collect(),
        answered: account.answered,
        like_another: account.like_another,
        waiting: account.waiting,
        waiting_classes: account.waiting_classes,
        never_fired: account.never_fired,
        not_judged: account.not_judged,
        least_trials: account.least_trials,
        break_rate_at_most: account.break_rate_missed(CONFIDENCE),
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
    campaign: &TraceCampaign,
) -> anyhow::Result<HuntCounterexample> {
    let run = found.first_bad.ok_or_else(|| anyhow!("a counterexample without a bad run"))?;
    let reason = campaign.runs.iter().find(|one| one.run == run);
    let faults = found.faults.iter().zip(&found.sentences);
    let good = match found.nearest_good {
        Some(run) => campaign.trace(run)?,
        None => None,
    };
    Ok(HuntCounterexample {
        faults: faults
            .map(|(fault, sentence)| HuntFault {
                fault: fault.to_string(),
                sentence: sentence.clone(),
            })
            .collect(),
        run,
        reason: reason.map(|run| run.reason.clone()).unwrap_or_default(),
        runs: found.experiments.clone(),
        bad: found.bad,
        break_rate: found.break_rate(CONFIDENCE),
        nearest: nearest(found, run, campaign)?,
        expected: found
            .supports
            .iter()
            .map(|support| Expected {
                events: match &good {
                    Some(trace) => places(trace, &support.path),
                    None => Vec::new(),
                },
                value: support.value.clone(),
                path: support.path.clone(),
                runs: support.runs,
                cuts: support.cuts.iter().map(|cut| (cut.fault, cut.event.clone())).collect(),
            })
            .collect(),
    })
}

fn nearest(
    found: &Counterexample,
    bad: u64,
    campaign: &TraceCampaign,
) -> anyhow::Result<Option<Nearest>> {
    let Some((good, divergence)) = found.nearest_good.zip(found.divergence.as_ref()) else {
        return Ok(None);
    };
    let placed = |run: u64, partings: &[linchpin_hunt::Parting]| -> anyhow::Result<Vec<Parting>> {
        let trace = campaign.trace(run)?;
        let place = |name: &EventName| trace.as_ref().and_then(|trace| position(trace, name));
        let parting = |parting: &linchpin_hunt::Parting| Parting {
            name: parting.event.to_string(),
            event: place(&parting.event),
        };
        Ok(partings.iter().map(parting).collect())
    };
    let (lacking, new) = (placed(good, &divergence.lacking)?, placed(bad, &divergence.new)?);
    Ok(Some(Nearest { run: good, lacking, new }))
}

/// Where the events of a support are in a trace.
fn places(trace: &Trace, path: &[String]) -> Vec<Option<u32>> {
    path.iter().map(|name| EventName::parse(name).and_then(|name| position(trace, &name))).collect()
}

/// Where an event is in a trace, by what it is called there: names count from the first message of the
/// workload on.
fn position(trace: &Trace, name: &EventName) -> Option<u32> {
    let node = |event: u32| &*trace.processes[trace.events[event as usize].process as usize].node;
    let is = |event: u32, kind: &str| trace.events[event as usize].kind == kind;
    let mut all = 0..trace.events.len() as u32;
    let begin = all.clone().find(|event| is(*event, "send") && node(*event) == CLIENT)?;
    let nth = name.occurrence().checked_sub(1)? as usize;
    let Some(message) = name.message() else {
        all.start = begin;
        return all.filter(|event| is(*event, "sync") && node(*event) == name.node()).nth(nth);
    };
    // Of a message that came in parts, the last one counts.
    let mut received: BTreeMap<u32, Option<u32>> = BTreeMap::new();
    for one in &trace.messages {
        let is_to = one.received.is_none_or(|event| node(event) == message.to);
        let is_such = one.label.as_deref().unwrap_or_default() == message.label;
        if node(one.sent) == message.from && is_to && is_such {
            let last = received.entry(one.sent).or_default();
            *last = (*last).max(one.received);
        }
    }
    let own = received.into_iter();
    let own = own.filter_map(|(sent, last)| if name.is_visible() { Some(sent) } else { last });
    let events: BTreeSet<u32> = own.filter(|event| *event >= begin).collect();
    events.into_iter().nth(nth)
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

#[cfg(test)]
mod tests {
    use super::*;

    /// What came before the workload's first message has no number, and parts of a message no
    /// number each.
    #[test]
    fn events_are_found_by_their_number_since_the_workload_began() {
        let process =
            |node: &str| json!({"node": node, "role": node, "program": node, "process": 1});
        // Who does what: 0 is the client, 1 the node a.
        let kinds = [
            (1, "send"),
            (0, "receive"),
            (1, "sync"),
            (0, "send"),
            (1, "send"),
            (0, "receive"),
            (0, "receive"),
            (1, "sync"),
        ];
        let event = |(id, (process, kind)): (u32, (u32, &str))| json!({"id": id, "process": process, "thread": 1, "time_ns": id, "kind": kind, "text": ""});
        let events: Vec<_> = (0..).zip(kinds).map(event).collect();
        let messages: Vec<_> = [(0, 1), (4, 5), (4, 6)].map(|(sent, received)| {
            json!({"sent": sent, "received": received, "bytes": 1, "link": "", "label": "OK", "name": "", "content": ""})
        }).into();
        let trace: Trace = serde_json::from_value(json!({
            "schema": "", "run": 0, "processes": [process("client"), process("a")],
            "events": events, "messages": messages,
        }))
        .expect("a trace");
        let found = |name: &str| position(&trace, &EventName::parse(name).expect(name));
        assert_eq!(found("send a->client OK #1"), Some(4));
        assert_eq!(found("recv client<-a OK #1"), Some(6));
        assert_eq!(found("recv client<-a OK #2"), None);
        assert_eq!(found("send a->client OK #0"), None);
        assert_eq!(found("fsync a #1"), Some(7));
    }
}
