//! The parts of a rule: heads, bodies, literals, terms.

use super::Kind::{self, Integer, Name};
use super::{AGGREGATES, Generator, INTEGER_VARIABLES, NAME_VARIABLES, Relation, Scope, Timing};

impl Generator {
    pub(super) fn crash_term(&mut self, body: &mut Vec<String>, scope: &Scope, percent: usize) {
        if !self.random.percent(percent) {
            return;
        }
        let names = scope.of(Name);
        let place = names.first().copied().unwrap_or("_");
        let who = if names.is_empty() { "_" } else { *self.random.pick(&names) };
        let integers = scope.of(Integer);
        let when = match self.random.below(6) {
            0 if !integers.is_empty() => (*self.random.pick(&integers)).to_owned(),
            1 => (1 + self.random.below(3)).to_string(),
            _ => "_".to_owned(),
        };
        let negation = if self.random.percent(70) { "notin " } else { "" };
        body.push(format!("{negation}crash({place}, {who}, {when})"));
    }

    /// `notin p(...)` over what is bound.
    pub(super) fn negative(&mut self, index: usize, scope: &Scope) -> String {
        let Relation { name, columns, .. } = self.relations[index].clone();
        let mut arguments = Vec::new();
        self.negatives += 1;
        let number = self.negatives;
        for (column, kind) in columns.iter().enumerate() {
            let bound = scope.of(*kind);
            if column == 0 && !bound.is_empty() && self.random.percent(80) {
                arguments.push(bound[0].to_owned());
                continue;
            }
            arguments.push(match self.random.weighted(&[55, 20, 12, 8, 5]) {
                0 if !bound.is_empty() => (*self.random.pick(&bound)).to_owned(),
                // The same variable twice means equal values, of one type.
                1 => match kind {
                    Name => format!("E{number}"),
                    Integer => format!("F{number}"),
                },
                2 => self.constant(*kind),
                3 if *kind == Integer && !bound.is_empty() => self.arithmetic(&bound),
                _ => "_".to_owned(),
            });
        }
        let time = if self.random.percent(6) { "@1" } else { "" };
        format!("notin {name}({}){time}", arguments.join(", "))
    }

    fn arithmetic(&mut self, bound: &[&str]) -> String {
        let left = *self.random.pick(bound);
        let right = if self.random.percent(35) {
            (*self.random.pick(bound)).to_owned()
        } else {
            (1 + self.random.below(3)).to_string()
        };
        match self.random.weighted(&[35, 20, 15, 25, 5]) {
            0 => format!("{left} + {right}"),
            1 => format!("{left} - {right}"),
            2 => format!("{left} * {right}"),
            3 => format!("{left} / {right}"),
            _ => format!("({left} + 1) * ({right} - {left})"),
        }
    }

    /// An argument of a positive literal.
    fn positive_argument(&mut self, kind: Kind, scope: &mut Scope) -> String {
        let bound = scope.of(kind);
        match self.random.weighted(&[40, 42, 7, 7, 4]) {
            0 if !bound.is_empty() => (*self.random.pick(&bound)).to_owned(),
            2 => self.constant(kind),
            3 => "_".to_owned(),
            4 if kind == Integer && !bound.is_empty() => self.arithmetic(&bound),
            _ => {
                let variable = match kind {
                    Name => *self.random.pick(&NAME_VARIABLES),
                    Integer => *self.random.pick(&INTEGER_VARIABLES),
                };
                scope.bind(variable, kind);
                variable.to_owned()
            }
        }
    }

    /// The body of a rule for the relation: literals within a step mostly from before it, so that
    /// most programs are stratified.
    /// (`any`: or from anywhere.)
    pub(super) fn body(
        &mut self,
        index: usize,
        any: bool,
        aggregate: bool,
    ) -> (Vec<String>, Scope) {
        let mut scope = Scope::default();
        let mut first = Vec::new();
        let mut rest = Vec::new();
        let location = match self.random.weighted(&[86, 7, 7]) {
            0 => {
                scope.bind("X", Name);
                "X".to_owned()
            }
            1 => "_".to_owned(),
            _ => self.constant(Name),
        };
        let free_location = location == "X" && self.random.percent(5);
        let positives = 1 + self.random.weighted(&[50, 35, 15]);
        for number in 0..positives {
            let limit = if any {
                self.relations.len()
            } else if aggregate {
                index
            } else {
                index + 1
            };
            let read = self.random.below(limit);
            let Relation { name, columns, .. } = self.relations[read].clone();
            let mut arguments = Vec::new();
            for (column, kind) in columns.iter().enumerate() {
                arguments.push(if column > 0 {
                    self.positive_argument(*kind, &mut scope)
                } else if number == 0 || self.random.percent(85) {
                    location.clone()
                } else {
                    self.positive_argument(Name, &mut scope)
                });
            }
            let time = if self.random.percent(5) { "@1" } else { "" };
            let literal = format!("{name}({}){time}", arguments.join(", "));
            if number == 0 && !free_location {
                first.push(literal);
            } else {
                rest.push(literal);
            }
        }
        let limit = if any { self.relations.len() } else { index.max(1) };
        if free_location {
            let read = self.random.below(limit);
            let wildcards = ", _".repeat(self.relations[read].columns.len() - 1);
            first.push(format!("notin {}(X{wildcards})", self.relations[read].name));
        }
        for _ in 0..self.random.weighted(&[55, 38, 7]) {
            let read = self.random.below(limit);
            rest.push(self.negative(read, &scope));
        }
        self.crash_term(&mut rest, &scope, 12);
        if self.random.percent(25) {
            rest.extend(self.comparison(&scope));
        }
        self.random.shuffle(&mut rest);
        first.extend(rest);
        (first, scope)
    }

    fn comparison(&mut self, scope: &Scope) -> Option<String> {
        let kind = if self.random.percent(70) { Integer } else { Name };
        let bound = scope.of(kind);
        if bound.is_empty() {
            return None;
        }
        let left = if kind == Integer && self.random.percent(25) {
            self.arithmetic(&bound)
        } else {
            (*self.random.pick(&bound)).to_owned()
        };
        let right = if self.random.percent(50) {
            (*self.random.pick(&bound)).to_owned()
        } else {
            self.constant(kind)
        };
        let operator = *self.random.pick(&["==", "!=", "<", ">", "<=", ">="]);
        Some(format!("{left} {operator} {right}"))
    }

    pub(super) fn random_rule(&mut self, index: usize, timing: Timing) {
        let Relation { name, columns, .. } = self.relations[index].clone();
        let aggregate = self.random.percent(22);
        // Within a step this makes cycles through negation and aggregates.
        let loose = timing == Timing::Now && self.random.percent(10);
        let any = loose || timing != Timing::Now;
        let (mut body, scope) = self.body(index, any, aggregate);
        let functions = if loose { &AGGREGATES[1..3] } else { &AGGREGATES[..] };
        let functions = if aggregate { functions } else { &[] };
        let (head, guard) = self.head(&columns, timing, functions, &scope);
        body.extend(guard);
        self.rule(format!("{name}({}){}", head.join(", "), timing.mark()), body);
    }

    /// The columns of a head, and a comparison that keeps what it computes small.
    fn head(
        &mut self,
        columns: &[Kind],
        timing: Timing,
        functions: &[&str],
        scope: &Scope,
    ) -> (Vec<String>, Option<String>) {
        let mut head = Vec::new();
        let mut guard = None;
        let mut more = !functions.is_empty();
        for (column, kind) in columns.iter().enumerate() {
            let bound = scope.of(*kind);
            let may_aggregate = column > 0 || self.random.percent(5);
            if more && may_aggregate && !scope.bound.is_empty() {
                let function = match kind {
                    Name => *self.random.pick(&AGGREGATES[1..3]),
                    Integer => *self.random.pick(functions),
                };
                let of = if function == "count" {
                    self.random.pick(&scope.bound).0
                } else if bound.is_empty() {
                    head.push(self.constant(*kind));
                    continue;
                } else {
                    *self.random.pick(&bound)
                };
                head.push(format!("{function}<{of}>"));
                more = self.random.percent(25);
                continue;
            }
            if column == 0 && timing != Timing::Async && self.random.percent(90) {
                head.push(bound.first().map_or_else(|| self.constant(*kind), |x| (*x).to_owned()));
                continue;
            }
            head.push(match self.random.weighted(&[80, 10, 10]) {
                1 => self.constant(*kind),
                2 if *kind == Integer && !bound.is_empty() => {
                    let variable = *self.random.pick(&bound);
                    if timing == Timing::Now || self.random.percent(30) {
                        let most = 2 + self.random.below(4);
                        guard = Some(format!("{variable} < {most}"));
                    }
                    match self.random.weighted(&[60, 30, 10]) {
                        0 => format!("{variable} + 1"),
                        1 => self.arithmetic(&[variable]),
                        _ => self.arithmetic(&bound),
                    }
                }
                _ if bound.is_empty() => self.constant(*kind),
                _ => (*self.random.pick(&bound)).to_owned(),
            });
        }
        (head, guard)
    }
}
