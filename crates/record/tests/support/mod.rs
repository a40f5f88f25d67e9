//! A small campaign for the tests.

use linchpin_model::{Fault, FaultSet, Invariant, Outcome, Verdict};
use linchpin_record::*;

pub(crate) fn header() -> Header {
    Header {
        schema: CAMPAIGN_SCHEMA.to_owned(),
        tool: "linchpin 0.1.0".to_owned(),
        inputs: vec!["echo.ded".to_owned()],
        include_dirs: Vec::new(),
        arguments: Vec::new(),
        files: vec![SourceFile {
            path: "echo.ded".to_owned(),
            text: "// \"<script>\"\n".to_owned(),
        }],
        bounds: Bounds {
            eot: 4,
            eff: 2,
            crashes: 1,
            nodes: vec!["a".into(), "b".into()],
            ..Bounds::default()
        },
        invariant: Invariant::Implication,
        strategy: "lineage".to_owned(),
        seed: 7,
        limits: Limits { runs_max: Some(100), timeout_ms: None },
        options: Options { all: true, allow_vacuous: false, ..Options::default() },
        vocabulary: Vocabulary {
            relations: vec![
                Relation { name: "pre".into(), columns: 2, kind: RelationKind::User },
                Relation { name: "post".into(), columns: 2, kind: RelationKind::User },
            ],
            rules: vec![Rule {
                relation: 1,
                timing: Timing::Async,
                text: "post(X, Y)@async :- pre(X, Y);".into(),
                place: Place { file: 0, line: 1, column: 1, line_end: 1, column_end: 31 },
                reads: vec![Reading { relation: 0, negated: false }],
            }],
            asked: Some(0),
            answered: Some(1),
        },
        conclusion: None,
    }
}

pub(crate) fn summary(run: u64) -> RunSummary {
    let faults: FaultSet = match run {
        0 => FaultSet::none(),
        _ => [Fault::omission("a", "b", run as u32), Fault::crash("b", 2)].into_iter().collect(),
    };
    let outcome = if run % 3 == 2 { Outcome::Bad } else { Outcome::Good };
    RunSummary::new(run, faults, outcome)
}

pub(crate) fn run(number: u64) -> Run {
    let summary = summary(number);
    Run {
        schema: RUN_SCHEMA.to_owned(),
        run: number,
        faults: summary.faults,
        outcome: summary.outcome,
        detail: Detail::Full,
        facts: vec![
            Fact { time: 1, relation: 0, row: vec!["a".into(), Value::Integer(i64::MIN)] },
            Fact { time: 2, relation: 1, row: vec!["b \"\u{202e}".into(), Value::Integer(7)] },
        ],
        derivations: vec![Derivation {
            fact: 1,
            rule: 0,
            premises: vec![0],
            absences: vec![Absence { time: 1, relation: 1, row: vec![Some("b".into()), None] }],
        }],
        kept: vec![Kept { fact: 1, before: 0 }],
        messages: vec![Message {
            at: 1,
            from: Some("a".into()),
            to: "b".into(),
            relation: 1,
            row: vec!["b".into(), Value::Integer(7)],
            rule: 0,
            lost_to: (number != 2).then(|| Fault::omission("a", "b", 1)),
            arrives: (number == 2).then_some(3),
        }],
    }
}

pub(crate) fn conclusion(runs: u64) -> Conclusion {
    Conclusion {
        verdict: Verdict::Broken,
        vacuous: false,
        runs,
        fault_space: "123456789012345678901234567890".into(),
        fault_space_estimate: "4096".into(),
        counterexamples: vec![Counterexample { faults: summary(2).faults, run: 2 }],
        complete: true,
        stopped: None,
        size_covered: Some(2),
        method: None,
        notes: Vec::new(),
    }
}
