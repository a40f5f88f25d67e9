//! Clausal proofs and their text.

use crate::cnf::push_clause;
use crate::error::ProofError;

/// One step of a clausal proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// The clause follows from what stands before it.
    Add(Vec<i32>),
    /// The clause is not needed any more.
    Delete(Vec<i32>),
}

/// Writes a proof as a DRAT file: one step per line.
#[must_use]
pub fn to_drat(steps: &[Step]) -> String {
    let mut text = String::new();
    for step in steps {
        match step {
            Step::Add(clause) => push_clause(&mut text, clause),
            Step::Delete(clause) => {
                text.push_str("d ");
                push_clause(&mut text, clause);
            }
        }
    }
    text
}

/// Reads what [`to_drat`] writes, and nothing else.
///
/// # Errors
/// The first line that is not a step.
pub fn parse_drat(text: &str) -> Result<Vec<Step>, ProofError> {
    let steps = text.split_terminator('\n').enumerate().map(|(index, line)| {
        parse_step(line)
            .ok_or_else(|| ProofError::Unreadable { line: index + 1, text: line.to_owned() })
    });
    steps.collect()
}

fn parse_step(line: &str) -> Option<Step> {
    let (deletes, clause) = match line.strip_prefix("d ") {
        Some(rest) => (true, rest),
        None => (false, line),
    };
    let mut literals = Vec::new();
    if clause != "0" {
        for literal in clause.strip_suffix(" 0")?.split(' ') {
            let literal: i32 = literal.parse().ok().filter(|&literal| literal != 0)?;
            literal.checked_neg()?;
            literals.push(literal);
        }
    }
    Some(if deletes { Step::Delete(literals) } else { Step::Add(literals) })
}
