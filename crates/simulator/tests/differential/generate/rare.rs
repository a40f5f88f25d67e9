//! Rules that few protocols have: cycles through absence, and steps that may fail.

use super::Kind::{Integer, Name};
use super::{AGGREGATES, Generator, Relation, Scope};
use crate::case::Clause;

impl Generator {
    /// Relations that depend on each other's absence within a step, or on who is least. Where the
    /// comparisons order them the model is total.
    pub(super) fn cycle(&mut self) {
        let relation = 1 + self.random.below(self.relations.len() - 1);
        let Relation { name, columns, .. } = self.relations[relation].clone();
        let kind = if columns.contains(&Integer) { Integer } else { Name };
        let (base, mine, other) = {
            let variables = self.variables(&columns);
            let (mine, other) = match kind {
                Integer => ("A", "B"),
                Name => ("X", "Y"),
            };
            let mut arguments: Vec<&str> = vec!["_"; columns.len()];
            arguments[0] = "X";
            if let Some(column) = variables.iter().position(|variable| *variable == mine) {
                arguments[column] = mine;
            }
            (format!("{name}({})", arguments.join(", ")), mine, other)
        };
        let count = 2 + self.random.below(2);
        for index in 0..count {
            let columns = vec![Name, kind];
            self.relations.push(Relation { name: format!("w{index}"), columns, given: false });
            for _ in 0..1 + self.random.below(2) {
                let mut body = vec![base.clone()];
                for _ in 0..1 + self.random.below(2) {
                    let read = self.random.below(count);
                    body.push(match self.random.below(5) {
                        0 | 1 => format!("notin w{read}(X, {mine})"),
                        2 => format!("w{read}(X, {mine})"),
                        3 => format!("notin w{read}(X, _)"),
                        _ => format!("w{read}(X, {other})"),
                    });
                }
                let has_other = body.iter().any(|term| term.contains(&format!(", {other})")));
                if has_other && self.random.percent(85) {
                    let operator = self.random.pick(&["<", ">", "<=", "!="]);
                    body.push(format!("{mine} {operator} {other}"));
                }
                let head = if self.random.percent(35) {
                    format!("{}<{mine}>", self.random.pick(&AGGREGATES[1..3]))
                } else {
                    mine.to_owned()
                };
                self.rule(format!("w{index}(X, {head})"), body);
            }
        }
    }

    /// A rule that fails under some faults, if all goes well.
    pub(super) fn hazard(&mut self) {
        let relation = self.source(&(1..self.relations.len()).collect::<Vec<usize>>());
        let Relation { name, columns, .. } = self.relations[relation].clone();
        let variables = self.variables(&columns);
        let mut scope = Scope::default();
        for (variable, kind) in variables.iter().zip(&columns) {
            scope.bind(variable, *kind);
        }
        let mut body = vec![format!("{name}({})", variables.join(", "))];
        if self.random.percent(60) {
            let other = self.source(&(1..self.relations.len()).collect::<Vec<usize>>());
            body.push(self.negative(other, &scope));
        }
        let integer = scope.of(Integer).first().map_or("1", |variable| variable);
        let computed = match self.random.weighted(&[40, 15, 15, 20, 3]) {
            0 => format!("6 / ({integer} - {})", self.random.below(3)),
            1 => format!("{} * {integer}", i64::MAX),
            2 => {
                body.push("big(X, N)".into());
                let constants = [i64::MAX.to_string(), "3".to_owned()];
                for constant in constants {
                    let place = self.constant(Name);
                    self.clauses.push(Clause::Fact(format!("big({place}, {constant})@1")));
                }
                self.rule("big(W, N)@async".into(), vec!["big(X, N)".into(), "node(X, W)".into()]);
                "sum<N>".to_owned()
            }
            3 => {
                body.push("notin hazard(X, 0)".into());
                "0".to_owned()
            }
            _ => {
                self.rule("hazard(X, A + 1)".into(), vec!["hazard(X, A)".into()]);
                "0".to_owned()
            }
        };
        let (mark, arguments) = match self.random.below(6) {
            0 if !computed.starts_with('0') => ("@next", "X"),
            1 if !computed.starts_with('0') => ("@async", "\"a\""),
            _ => ("", "X"),
        };
        self.rule(format!("hazard({arguments}, {computed}){mark}"), body);
    }
}
