//! Facts with alternatives.

use rustc_hash::FxHashMap;

use super::{Resolver, constant};
use crate::codes::Code;
use crate::diagnostic::Diagnostic;
use crate::hir::{self, RelationId, Value};
use crate::parser::ALTERNATIVES_MAX;
use crate::source::Span;
use crate::syntax;

impl Resolver<'_> {
    pub(super) fn choice(&mut self, choice: &syntax::Choice) -> Option<hir::Choice> {
        let relation = self.derived(&choice.relation, choice.columns.len());
        let mut columns = Vec::with_capacity(choice.columns.len());
        for alternatives in &choice.columns {
            let mut values: Vec<Value> = Vec::with_capacity(alternatives.len());
            for alternative in alternatives {
                let value = constant::evaluate(alternative, self.diagnostics)?;
                if values.contains(&value) {
                    self.invalid(alternative.span, format!("`{value}` is an alternative twice"));
                    return None;
                }
                values.push(value);
            }
            columns.push(values);
        }
        let mut times = choice.times.clone();
        times.sort_unstable();
        if let Some(pair) = times.windows(2).find(|pair| pair[0] == pair[1]) {
            self.invalid(choice.span, format!("time {} is an alternative twice", pair[0]));
            return None;
        }
        let count = columns
            .iter()
            .map(Vec::len)
            .try_fold(choice.times.len(), |product, width| product.checked_mul(width));
        if count.is_none_or(|count| count > ALTERNATIVES_MAX) {
            let message = format!("this input has more than {ALTERNATIVES_MAX} alternatives");
            self.invalid(choice.span, message);
            return None;
        }
        let times = choice.times.clone();
        Some(hir::Choice { relation: relation?, columns, times, span: choice.span })
    }

    fn invalid(&mut self, span: Span, message: String) {
        self.diagnostics.push(
            Diagnostic::at(Code::ChoiceInvalid, span, message, "in this choice")
                .with_help("in each run exactly one alternative holds; write each once"),
        );
    }

    /// Reports inputs that share an alternative.
    pub(super) fn overlaps(&mut self) {
        let mut known: FxHashMap<(RelationId, u32, Vec<Value>), Span> = FxHashMap::default();
        for choice in &self.program.choices {
            let mut reported = false;
            for fact in choice.alternatives() {
                let key = (fact.relation, fact.time, fact.row);
                let Some(other) = known.get(&key) else {
                    known.insert(key, choice.span);
                    continue;
                };
                if *other == choice.span || std::mem::replace(&mut reported, true) {
                    continue;
                }
                let name = &self.program.relations[choice.relation.index()].name;
                let row: Vec<String> = key.2.iter().map(ToString::to_string).collect();
                self.diagnostics.push(
                    Diagnostic::at(
                        Code::ChoicesOverlap,
                        choice.span,
                        format!(
                            "`{name}({})` at time {} is an alternative of two inputs",
                            row.join(", "),
                            key.1
                        ),
                        "the second",
                    )
                    .with_label(*other, "the first")
                    .with_help(
                        "a counterexample names the alternative taken: add a column that tells \
                         the inputs apart",
                    ),
                );
            }
        }
    }
}
