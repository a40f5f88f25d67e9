//! What a run showed, in the terms of the hunt.

use std::collections::BTreeMap;

use linchpin_cluster::{CLIENT, Cluster, RunResult};
use linchpin_hunt::{Evidence, Node, Spent, Subject, trace_of};
use linchpin_injector::FaultReport;
use linchpin_tracer::NodeId;
use regex::bytes::Regex;

use crate::plan::Plan;
use crate::run::CarriedOut;

/// What the hunt learns from a run that was carried out as planned.
#[must_use]
pub fn evidence(cluster: &Cluster, plan: &Plan, run: &CarriedOut) -> Evidence {
    let nodes = nodes(cluster);
    let lives: BTreeMap<NodeId, usize> = run
        .result
        .roles
        .iter()
        .filter_map(|(id, name)| Some((*id, nodes.iter().position(|node| node.name == *name)?)))
        .collect();
    // The cluster file was checked: its expressions are ones.
    let tokens: Vec<Regex> =
        cluster.tokens.iter().filter_map(|token| Regex::new(token).ok()).collect();
    let subject = Subject {
        nodes: &nodes,
        lives: &lives,
        rules: &cluster.rules,
        addresses: &run.addresses,
        tokens: &tokens,
        writes: &run.writes,
        healed: run.healed,
    };
    Evidence {
        outcome: run.result.judgement.outcome,
        trace: trace_of(&run.tracker, &subject),
        fired: fired(plan, &run.reports),
        spent: spent(&run.result),
    }
}

fn nodes(cluster: &Cluster) -> Vec<Node> {
    let client = Node { name: CLIENT.to_owned(), group: None, is_client: true };
    cluster
        .nodes
        .iter()
        .map(|node| Node { name: node.name.clone(), group: node.group.clone(), is_client: false })
        .chain([client])
        .collect()
}

/// A fault fired if the first of its clauses did (a restart follows the crash, at the latest when
/// faults are healed), and none of them went wrong.
fn fired(plan: &Plan, reports: &[FaultReport]) -> Vec<bool> {
    let mut rest = reports;
    plan.clauses
        .iter()
        .map(|count| {
            let (own, others) = rest.split_at((*count).min(rest.len()));
            rest = others;
            *count == 0
                || own.first().is_some_and(FaultReport::fired)
                    && own.iter().all(|report| report.problems.is_empty())
        })
        .collect()
}

fn spent(result: &RunResult) -> Spent {
    let of = |names: &[&str]| {
        let steps = result.steps.iter().filter(|step| names.contains(&step.name));
        steps.map(|step| step.elapsed.as_millis() as u64).sum()
    };
    Spent {
        start_ms: of(&["start", "ready"]),
        workload_ms: of(&["settle", "workload", "hold", "heal", "quiesce"]),
        check_ms: of(&["final", "check", "stop"]),
    }
}
