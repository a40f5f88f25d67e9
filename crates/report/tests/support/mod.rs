//! From the text of a specification to a campaign in memory, for tests and examples.

use std::collections::BTreeMap;

use linchpin_dedalus::compile_text;
use linchpin_model::{Bounds, FaultSet, Invariant, Outcome};
use linchpin_record::{
    CAMPAIGN_SCHEMA, Campaign, Conclusion, Counterexample, Header, Limits, Options, RunSummary,
};
use linchpin_search::{Control, Event, StopReason, Strategy, System, search};
use linchpin_simulator::Specification;

/// What to check.
pub(crate) struct Question<'a> {
    pub(crate) name: &'a str,
    pub(crate) text: &'a str,
    pub(crate) eot: u32,
    pub(crate) eff: u32,
    pub(crate) crashes: u32,
    pub(crate) nodes: &'a [&'a str],
    pub(crate) all: bool,
}

#[derive(Default)]
struct Watch(Vec<(Vec<linchpin_formula::Variable>, Outcome)>);

impl Control for Watch {
    fn stop(&mut self) -> Option<StopReason> {
        None
    }

    fn observe(&mut self, event: Event<'_>) {
        if let Event::Run { faults, outcome, .. } = event {
            self.0.push((faults.to_vec(), outcome));
        }
    }
}

/// Checks a specification and records every run in full.
#[allow(dead_code, reason = "not every test needs it")]
pub(crate) fn campaign(question: &Question<'_>) -> Campaign {
    let bounds = Bounds {
        eot: question.eot,
        eff: question.eff,
        crashes: question.crashes,
        nodes: question.nodes.iter().map(ToString::to_string).collect(),
        ..Bounds::default()
    };
    campaign_within(question.name, question.text, bounds, (Strategy::default(), question.all))
}

/// As [`campaign`], with what goes beyond losses and crashes; inputs are those of the program.
pub(crate) fn campaign_within(
    name: &str,
    text: &str,
    bounds: Bounds,
    (strategy, all): (Strategy, bool),
) -> Campaign {
    let compilation = compile_text(name, text);
    let program = compilation.program.unwrap_or_else(|| panic!("{:?}", compilation.diagnostics));
    let bounds = Bounds { inputs: linchpin_simulator::inputs(&program), ..bounds };
    bounds.check().expect("the bounds make sense");
    let mut system = Specification::new(&program, &bounds, Invariant::Implication).unwrap();
    let options = linchpin_search::Options { strategy, all, ..Default::default() };
    let mut watch = Watch::default();
    let report = search(&mut system, options, &mut watch).unwrap();
    let runs: Vec<RunSummary> = watch
        .0
        .into_iter()
        .enumerate()
        .map(|(run, (faults, outcome))| {
            RunSummary::new(run as u64, system.space().fault_set(&faults), outcome)
        })
        .collect();
    let mut kept = BTreeMap::new();
    for run in &runs {
        let execution = system.execute(&run.faults).unwrap();
        kept.insert(run.run, linchpin_recorder::run(run.run, &execution));
    }
    let number_of =
        |faults: &FaultSet| runs.iter().find(|run| run.faults == *faults).expect("it was run").run;
    let counterexamples = report
        .counterexamples
        .iter()
        .map(|faults| {
            let faults = system.space().fault_set(faults);
            Counterexample { run: number_of(&faults), faults }
        })
        .collect();
    let conclusion = Conclusion {
        verdict: report.verdict,
        vacuous: system.vacuous().unwrap_or(false),
        runs: report.runs,
        fault_space: bounds.fault_space().to_string(),
        fault_space_estimate: bounds.fault_space_estimate().to_string(),
        counterexamples,
        complete: report.complete,
        stopped: None,
        size_covered: report.size_covered.map(|size| size as u64),
        method: None,
        notes: Vec::new(),
    };
    let header = Header {
        schema: CAMPAIGN_SCHEMA.to_owned(),
        tool: "linchpin 0.1.0".to_owned(),
        inputs: vec![name.to_owned()],
        include_dirs: Vec::new(),
        arguments: Vec::new(),
        files: linchpin_recorder::files(&compilation.sources),
        bounds: (&bounds).into(),
        invariant: Invariant::Implication,
        strategy: "lineage".to_owned(),
        seed: 0,
        limits: Limits::default(),
        options: Options { all, allow_vacuous: false, ..Options::default() },
        vocabulary: linchpin_recorder::vocabulary(&system, &compilation.sources),
        conclusion: Some(conclusion),
    };
    Campaign { header, runs, kept, torn: None }
}

/// A late message, a node that comes back, and an input with a choice, all in one.
#[allow(dead_code, reason = "not every test needs it")]
pub(crate) fn beyond_losses() -> Campaign {
    let bounds = Bounds {
        eot: 7,
        eff: 5,
        crashes: 1,
        recoveries: 1,
        max_delay: 2,
        nodes: ["a", "b"].map(String::from).to_vec(),
        ..Bounds::default()
    };
    let text = include_str!("../specs/beyond.ded");
    campaign_within("beyond.ded", text, bounds, (Strategy::Lineage, true))
}
