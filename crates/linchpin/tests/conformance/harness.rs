//! A program, bounds, faults; and what must come of them, by every evaluator and strategy.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use linchpin_dedalus::hir::{Program, RelationId, RelationKind, Value};
use linchpin_dedalus::load::Memory;
use linchpin_dedalus::{CompileOptions, compile_files, lint_nodes};
use linchpin_model::{Bounds, Fault, FaultSet, Invariant, Outcome};
use linchpin_search::{Options, SearchError, Strategy, System, search};
use linchpin_simulator::naive::Evaluator;
use linchpin_simulator::{Prediction, Specification, SystemError};

/// The oracle is slow: a step that takes more rounds does not end.
const ORACLE_ROUNDS_MAX: usize = 200;

/// What is run or checked.
#[derive(Clone, Debug)]
pub(crate) struct Case {
    /// Name and text; the first is the input.
    files: Vec<(String, String)>,
    inputs: usize,
    include_dirs: Vec<PathBuf>,
    bounds: Bounds,
    faults: FaultSet,
    invariant: Invariant,
}

/// A program, EOT 4, two nodes `a` and `b`, no faults.
pub(crate) fn program(text: &str) -> Case {
    Case {
        files: vec![("program.ded".to_owned(), text.to_owned())],
        inputs: 1,
        include_dirs: Vec::new(),
        bounds: Bounds { eot: 4, eff: 0, crashes: 0, nodes: vec!["a".into(), "b".into()] },
        faults: FaultSet::none(),
        invariant: Invariant::Implication,
    }
}

/// Several files, the first `inputs` of them named on the command line.
pub(crate) fn files(inputs: usize, files: &[(&str, &str)]) -> Case {
    let files = files.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned()));
    Case { files: files.collect(), inputs, ..program("") }
}

impl Case {
    pub(crate) fn eot(mut self, eot: u32) -> Self {
        self.bounds.eot = eot;
        self
    }

    pub(crate) fn eff(mut self, eff: u32) -> Self {
        self.bounds.eff = eff;
        self
    }

    pub(crate) fn crashes(mut self, crashes: u32) -> Self {
        self.bounds.crashes = crashes;
        self
    }

    pub(crate) fn nodes(mut self, nodes: &[&str]) -> Self {
        self.bounds.nodes = nodes.iter().map(|node| (*node).to_owned()).collect();
        self
    }

    pub(crate) fn invariant(mut self, invariant: Invariant) -> Self {
        self.invariant = invariant;
        self
    }

    /// Adds a fault to the run.
    pub(crate) fn fault(mut self, fault: &str) -> Self {
        let fault: Fault = fault.parse().expect("a fault");
        assert!(self.faults.insert(fault), "a fault is given once");
        self
    }

    pub(crate) fn include_dir(mut self, folder: &str) -> Self {
        self.include_dirs.push(folder.into());
        self
    }

    fn text(&self) -> String {
        let files: Vec<String> =
            self.files.iter().map(|(name, text)| format!("// {name}\n{text}")).collect();
        files.join("\n")
    }

    /// The program, if it has no errors, and the codes of what is said of it.
    fn compile(&self) -> (Option<Program>, Vec<String>, String) {
        let mut loader = Memory::new();
        for (name, text) in &self.files {
            loader = loader.with(name, text.as_str());
        }
        let paths: Vec<PathBuf> =
            self.files[..self.inputs].iter().map(|(name, _)| name.into()).collect();
        let compilation =
            compile_files(&paths, &self.include_dirs, &loader, &CompileOptions::default());
        let mut diagnostics = compilation.diagnostics;
        if let Some(program) = &compilation.program {
            diagnostics.extend(lint_nodes(program, &self.bounds.nodes));
        }
        let codes = diagnostics.iter().map(|diagnostic| diagnostic.code.to_string()).collect();
        let messages: Vec<String> =
            diagnostics.iter().map(|diagnostic| diagnostic.message.clone()).collect();
        (compilation.program, codes, messages.join("\n"))
    }

    /// Exactly these diagnostics, in order, separated by spaces. Says what the messages are.
    #[track_caller]
    pub(crate) fn says(&self, codes: &str) -> String {
        let (_, found, messages) = self.compile();
        assert_eq!(found.join(" "), codes, "{messages}\n{}", self.text());
        messages
    }

    /// The program; one without `pre` and `post` asks nothing.
    #[track_caller]
    fn compiled(&self) -> Program {
        let (program, _, messages) = self.compile();
        let program = program.unwrap_or_else(|| panic!("{messages}\n{}", self.text()));
        let names = match self.invariant {
            Invariant::Good => vec!["good"],
            Invariant::Implication | Invariant::Baseline => vec!["pre", "post"],
        };
        let missing: Vec<&str> =
            names.into_iter().filter(|name| program.relation_named(name).is_none()).collect();
        if missing.is_empty() {
            return program;
        }
        let mut case = self.clone();
        for name in missing {
            case.files[0].1.push_str(&format!("\n{name}(X) :- nothing.is.asked(X);"));
        }
        case.compile().0.expect("still a program")
    }

    /// The rows of the relations named must be exactly these: `p(a, 1)@2; q(b)@3; no r`. Strings
    /// stand without quotes. The simulator, the oracle and the ground program must all find them.
    #[track_caller]
    pub(crate) fn gives(&self, expected: &str) {
        let program = self.compiled();
        let (relations, expected) = parse_rows(expected);
        let mut specification =
            Specification::new(&program, &self.bounds, self.invariant).expect("an invariant");
        let ids: BTreeMap<&str, RelationId> = relations
            .iter()
            .map(|name| {
                let id = program.relation_named(name);
                (name.as_str(), id.unwrap_or_else(|| panic!("there is no relation {name}")))
            })
            .collect();
        let execution = specification
            .execute(&self.faults)
            .unwrap_or_else(|error| panic!("the run fails: {error}\n{}", self.text()));
        let naive = Evaluator::new(&program, &self.bounds)
            .with_rounds_max(ORACLE_ROUNDS_MAX)
            .run(&self.faults)
            .unwrap_or_else(|error| panic!("the oracle fails: {error}\n{}", self.text()));
        let (mut by_simulator, mut by_oracle) = (BTreeSet::new(), BTreeSet::new());
        for time in 1..=self.bounds.eot {
            for (name, &id) in &ids {
                // It holds at every step, and is shown at the first.
                if program.relation(id).kind == RelationKind::Crash && time > 1 {
                    continue;
                }
                by_simulator.extend(execution.rows(id, time).map(|row| shown(name, row, time)));
                by_oracle.extend(naive.rows(id, time).iter().map(|row| shown(name, row, time)));
            }
        }
        let under = &self.faults;
        assert_eq!(by_simulator, expected, "simulator, under {under}\n{}", self.text());
        assert_eq!(by_oracle, expected, "oracle, under {under}\n{}", self.text());
        // The ground program speaks of runs within the bounds.
        let most = Bounds {
            eff: self.bounds.eot,
            crashes: self.bounds.nodes.len() as u32,
            ..self.bounds.clone()
        };
        let mut specification =
            Specification::new(&program, &most, self.invariant).expect("an invariant");
        if let Some(prediction) = specification.predict(&self.faults) {
            let Prediction::Facts(facts) = prediction else {
                panic!("the ground program predicts a failure\n{}", self.text());
            };
            let grounded: BTreeSet<String> = facts
                .iter()
                .filter_map(|fact| {
                    let name = ids.iter().find(|(_, id)| **id == fact.relation)?.0;
                    Some(shown(name, &fact.row, fact.time))
                })
                .collect();
            assert_eq!(grounded, expected, "ground program, under {under}\n{}", self.text());
        }
    }

    /// The run has no result: the error says this, and the rule at fault is this.
    #[track_caller]
    pub(crate) fn fails(&self, error: &str, rule: &str) {
        let program = self.compiled();
        let mut specification =
            Specification::new(&program, &self.bounds, self.invariant).expect("an invariant");
        let found = specification.execute(&self.faults).expect_err("the run fails");
        assert_eq!(found.to_string(), error, "{}", self.text());
        let span = specification.program().rules[found.rule.index()].span;
        let text = &self.files[0].1[span.start as usize..span.end as usize];
        assert_eq!(text, rule, "{}", self.text());
        let naive = Evaluator::new(&program, &self.bounds)
            .with_rounds_max(ORACLE_ROUNDS_MAX)
            .run(&self.faults)
            .expect_err("the run fails");
        assert_eq!(naive.to_string(), error, "oracle\n{}", self.text());
        // Every complete strategy meets it, without faults at the latest.
        if self.faults.is_empty() {
            for strategy in [Strategy::Lineage, Strategy::Exhaustive, Strategy::Symbolic] {
                let mut specification =
                    Specification::new(&program, &self.bounds, self.invariant).expect("checked");
                let options = Options { strategy, all: true, ..Options::default() };
                let result = search(&mut specification, options, &mut ());
                let failed =
                    matches!(result, Err(SearchError::Run { error: SystemError::Run(_), .. }));
                assert!(failed, "{strategy:?}: {result:?}\n{}", self.text());
            }
        }
    }

    /// The outcome of the one run.
    #[track_caller]
    pub(crate) fn outcome(&self, outcome: Outcome) {
        let program = self.compiled();
        let mut specification =
            Specification::new(&program, &self.bounds, self.invariant).expect("an invariant");
        let execution = specification.execute(&self.faults).expect("the run has an outcome");
        assert_eq!(execution.outcome, outcome, "under {}\n{}", self.faults, self.text());
    }

    /// All minimal counterexamples, by every complete strategy: each a list of faults separated by
    /// `; ` (the empty one is `none`). And is the failure-free run vacuous?
    #[track_caller]
    pub(crate) fn breaks(&self, counterexamples: &[&str], vacuous: bool) {
        let program = self.compiled();
        let expected: BTreeSet<FaultSet> = counterexamples
            .iter()
            .map(|text| {
                let faults = text.split("; ").filter(|fault| *fault != "none");
                faults.map(|fault| fault.parse::<Fault>().expect("a fault")).collect()
            })
            .collect();
        for (strategy, grounded) in [
            (Strategy::Lineage, true),
            (Strategy::Lineage, false),
            (Strategy::Symbolic, true),
            (Strategy::Exhaustive, true),
        ] {
            let mut specification =
                Specification::new(&program, &self.bounds, self.invariant).expect("an invariant");
            if !grounded {
                specification = specification.without_grounding();
            }
            let options = Options { strategy, all: true, ..Options::default() };
            let report = search(&mut specification, options, &mut ())
                .unwrap_or_else(|error| panic!("{strategy:?}: {error:?}\n{}", self.text()));
            let found: BTreeSet<FaultSet> = report
                .counterexamples
                .iter()
                .map(|faults| specification.space().fault_set(faults))
                .collect();
            assert_eq!(found, expected, "{strategy:?}, grounded: {grounded}\n{}", self.text());
            assert!(report.complete, "{strategy:?}");
            assert_eq!(specification.vacuous(), Some(vacuous), "{strategy:?}\n{}", self.text());
        }
    }

    /// No fault set within the bounds breaks it, and something was asked.
    #[track_caller]
    pub(crate) fn holds(&self) {
        self.breaks(&[], false);
    }
}

fn shown(name: &str, row: &[Value], time: u32) -> String {
    let values: Vec<String> = row
        .iter()
        .map(|value| match value {
            Value::Integer(integer) => integer.to_string(),
            Value::String(string) => string.to_string(),
        })
        .collect();
    format!("{name}({})@{time}", values.join(", "))
}

/// The relations spoken of, and the rows.
fn parse_rows(text: &str) -> (BTreeSet<String>, BTreeSet<String>) {
    let (mut relations, mut rows) = (BTreeSet::new(), BTreeSet::new());
    for item in text.split("; ") {
        match item.strip_prefix("no ") {
            Some(relation) => relations.insert(relation.to_owned()),
            None => {
                let name = item.split('(').next().expect("a row begins with its relation");
                rows.insert(item.to_owned());
                relations.insert(name.to_owned())
            }
        };
    }
    (relations, rows)
}
