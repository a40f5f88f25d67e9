//! A campaign of any size, made up.

use std::collections::BTreeMap;

use linchpin_model::{Fault, FaultSet, Invariant, Outcome, Verdict};
use linchpin_record::*;

const NODES: u32 = 5;
const EOT: u32 = 25;

fn node(index: u32) -> String {
    format!("node{}", index % NODES)
}

fn text(node: u32) -> Value {
    Value::Text(self::node(node))
}

/// `run_count` runs, the first with a lineage of about `fact_count` facts.
pub(crate) fn campaign(run_count: u64, fact_count: u32) -> Campaign {
    let faults = |run: u64| -> FaultSet {
        let run = run as u32;
        let losses = (0..run % 4)
            .map(|k| Fault::omission(node(run + k), node(run + 1), 1 + (run + k) % EOT));
        losses.chain((run > 0).then(|| Fault::crash(node(run), 1 + run / 40 % EOT))).collect()
    };
    let runs: Vec<RunSummary> = (0..run_count)
        .map(|run| {
            let outcome = if run % 10 == 9 { Outcome::Bad } else { Outcome::Good };
            RunSummary::new(run, faults(run), outcome)
        })
        .collect();
    let mut kept: BTreeMap<u64, Run> =
        runs.iter().skip(1).map(|summary| (summary.run, diagram(summary))).collect();
    kept.insert(0, full(fact_count));
    let relation =
        |name: &str, columns| Relation { name: name.into(), columns, kind: RelationKind::User };
    let rule = |relation, timing, line| Rule {
        relation,
        timing,
        text: format!("rule{line}(X) :- body(X);"),
        place: Place { file: 0, line, column: 1, line_end: line, column_end: 20 },
        reads: vec![],
    };
    let header = Header {
        schema: CAMPAIGN_SCHEMA.into(),
        tool: "linchpin 0.1.0".into(),
        inputs: vec!["large.ded".into()],
        include_dirs: Vec::new(),
        arguments: Vec::new(),
        files: vec![SourceFile { path: "large.ded".into(), text: "// made up\n".repeat(60) }],
        bounds: Bounds {
            eot: EOT,
            eff: 20,
            crashes: 1,
            nodes: (0..NODES).map(node).collect(),
            max_delay: 0,
            recoveries: 0,
            durable: Vec::new(),
            crashes_stop: false,
            inputs: Vec::new(),
        },
        invariant: Invariant::Implication,
        strategy: "lineage".into(),
        seed: 0,
        limits: Limits::default(),
        options: Options::default(),
        vocabulary: Vocabulary {
            relations: vec![
                relation("pre", 1),
                relation("post", 1),
                relation("message", 3),
                relation("stored", 2),
            ],
            rules: vec![
                rule(2, Timing::Async, 1),
                rule(3, Timing::Next, 2),
                rule(1, Timing::Now, 3),
            ],
            asked: Some(0),
            answered: Some(1),
        },
        conclusion: Some(Conclusion {
            verdict: Verdict::Holds,
            vacuous: false,
            runs: run_count,
            fault_space: "9".repeat(60),
            fault_space_estimate: "9".repeat(61),
            counterexamples: Vec::new(),
            complete: true,
            stopped: None,
            size_covered: Some(4),
            method: None,
            notes: Vec::new(),
        }),
    };
    Campaign { header, runs, kept, torn: None }
}

fn messages(faults: &FaultSet) -> Vec<Message> {
    let mut messages = Vec::new();
    for at in 1..EOT {
        for from in 0..NODES {
            for to in (0..NODES).filter(|to| *to != from) {
                let lost = Fault::omission(node(from), node(to), at);
                messages.push(Message {
                    at,
                    from: Some(node(from)),
                    to: node(to),
                    relation: 2,
                    row: vec![text(to), text(from), Value::Integer(i64::from(at / 3))],
                    rule: 0,
                    lost_to: faults.contains(&lost).then_some(lost),
                    arrives: None,
                });
            }
        }
    }
    messages
}

fn outcome_facts() -> impl Iterator<Item = Fact> {
    (2..=EOT)
        .flat_map(|time| (0..2).map(move |relation| Fact { time, relation, row: vec![text(0)] }))
}

fn diagram(summary: &RunSummary) -> Run {
    Run {
        schema: RUN_SCHEMA.into(),
        run: summary.run,
        faults: summary.faults.clone(),
        outcome: summary.outcome,
        detail: Detail::Diagram,
        facts: outcome_facts().collect(),
        derivations: Vec::new(),
        kept: Vec::new(),
        messages: messages(&summary.faults),
    }
}

/// Each stored row follows from two of the step before, two ways now and then; `post` from all of
/// the last.
fn full(fact_count: u32) -> Run {
    let per_step = fact_count / EOT;
    let mut facts: Vec<Fact> = outcome_facts().collect();
    for time in 1..=EOT {
        facts.extend((0..per_step).map(|row| Fact {
            time,
            relation: 3,
            row: vec![text(row), Value::Integer(i64::from(time * 10_000 + row))],
        }));
    }
    facts.sort();
    let find = |time: u32, row: u32| {
        let row = vec![text(row), Value::Integer(i64::from(time * 10_000 + row))];
        facts.binary_search(&Fact { time, relation: 3, row }).unwrap() as u32
    };
    let mut derivations = Vec::new();
    for time in 2..=EOT {
        for row in 0..per_step {
            let premises = vec![find(time - 1, row), find(time - 1, (row + 1) % per_step)];
            let fact = find(time, row);
            derivations.push(Derivation { fact, rule: 1, premises, absences: Vec::new() });
            if row % 9 == 0 {
                let premises = vec![find(time - 1, (row + 3) % per_step)];
                derivations.push(Derivation { fact, rule: 0, premises, absences: Vec::new() });
            }
        }
    }
    let post =
        facts.binary_search(&Fact { time: EOT, relation: 1, row: vec![text(0)] }).unwrap() as u32;
    let premises = (0..per_step).map(|row| find(EOT, row)).collect();
    derivations.push(Derivation { fact: post, rule: 2, premises, absences: Vec::new() });
    derivations.sort();
    Run {
        schema: RUN_SCHEMA.into(),
        run: 0,
        faults: FaultSet::none(),
        outcome: Outcome::Good,
        detail: Detail::Full,
        facts,
        derivations,
        kept: Vec::new(),
        messages: messages(&FaultSet::none()),
    }
}
