//! Turns what the simulator knows of a specification and its runs into records.
//!
//! Records are plain data, read by reports; the simulator is the machine. Only this crate knows
//! both. (Processes and services will have recorders of their own.)
//!
//! What this crate does **not** do: it runs nothing and writes no files.

use linchpin_dedalus::hir::{self, BodyTerm};
use linchpin_dedalus::source::{SourceMap, Span};
use linchpin_record as record;
use linchpin_simulator::{Execution, Specification};

/// The relations and rules of a specification. Indexes are the ids of
/// [`Specification::program`], which executions use.
#[must_use]
pub fn vocabulary(specification: &Specification, sources: &SourceMap) -> record::Vocabulary {
    let program = specification.program();
    let (asked, answered) = specification.outcome_relations();
    record::Vocabulary {
        relations: program.relations.iter().map(relation).collect(),
        rules: program.rules.iter().map(|each| rule(each, sources)).collect(),
        asked: asked.map(|relation| relation.0),
        answered: Some(answered.0),
    }
}

/// Every file of a specification with its text.
#[must_use]
pub fn files(sources: &SourceMap) -> Vec<record::SourceFile> {
    sources
        .files
        .iter()
        .map(|file| record::SourceFile { path: file.path.clone(), text: file.text.clone() })
        .collect()
}

/// A run in full.
#[must_use]
pub fn run(number: u64, execution: &Execution) -> record::Run {
    record::Run {
        schema: record::RUN_SCHEMA.to_owned(),
        run: number,
        faults: execution.faults.clone(),
        outcome: execution.outcome,
        detail: record::Detail::Full,
        facts: execution
            .facts
            .iter()
            .map(|fact| record::Fact {
                time: fact.time,
                relation: fact.relation.0,
                row: row(&fact.row),
            })
            .collect(),
        derivations: execution
            .derivations
            .iter()
            .map(|derivation| record::Derivation {
                fact: derivation.fact.0,
                rule: derivation.rule.0,
                premises: derivation.premises.iter().map(|premise| premise.0).collect(),
                absences: derivation.absences.iter().map(absence).collect(),
            })
            .collect(),
        kept: execution
            .kept
            .iter()
            .map(|(fact, before)| record::Kept { fact: fact.0, before: before.0 })
            .collect(),
        messages: execution
            .messages
            .iter()
            .map(|message| record::Message {
                at: message.at,
                from: message.from.clone(),
                to: message.to.clone(),
                relation: message.relation.0,
                row: row(&message.row),
                rule: message.rule.0,
                lost_to: message.lost_to.clone(),
                arrives: message.arrives.filter(|&arrives| arrives > message.at + 1),
            })
            .collect(),
    }
}

fn relation(relation: &hir::Relation) -> record::Relation {
    record::Relation {
        name: relation.name.clone(),
        columns: relation.columns.len() as u32,
        kind: match relation.kind {
            hir::RelationKind::User => record::RelationKind::User,
            hir::RelationKind::Crash => record::RelationKind::Crash,
        },
    }
}

fn rule(rule: &hir::Rule, sources: &SourceMap) -> record::Rule {
    let reads = rule.body.iter().filter_map(|term| match term {
        BodyTerm::Literal(literal) => {
            Some(record::Reading { relation: literal.relation.0, negated: literal.negated })
        }
        BodyTerm::Comparison(_) => None,
    });
    record::Rule {
        relation: rule.head.relation.0,
        timing: match rule.head.timing {
            hir::Timing::Now => record::Timing::Now,
            hir::Timing::Next => record::Timing::Next,
            hir::Timing::Async => record::Timing::Async,
        },
        text: sources.text(rule.span).to_owned(),
        place: place(rule.span, sources),
        reads: reads.collect(),
    }
}

fn place(span: Span, sources: &SourceMap) -> record::Place {
    let (line, column) = sources.line_column(span);
    let (line_end, column_end) = sources.line_column(Span { start: span.end, ..span });
    record::Place {
        file: span.file.0,
        line: line as u32,
        column: column as u32,
        line_end: line_end as u32,
        column_end: column_end as u32,
    }
}

fn value(value: &hir::Value) -> record::Value {
    match value {
        hir::Value::Integer(integer) => record::Value::Integer(*integer),
        hir::Value::String(text) => record::Value::Text(text.to_string()),
    }
}

fn row(row: &[hir::Value]) -> Vec<record::Value> {
    row.iter().map(value).collect()
}

fn absence(absence: &linchpin_simulator::Absence) -> record::Absence {
    record::Absence {
        time: absence.time,
        relation: absence.relation.0,
        row: absence.row.iter().map(|column| column.as_ref().map(value)).collect(),
    }
}
