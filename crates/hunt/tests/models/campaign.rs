//! What a campaign covers and accounts for: variants of the input, classes of hypotheses, supports,
//! and what is told of a counterexample.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::protocols::replicated::{CORRECT, Rules};
use crate::model::protocols::{queue, quorum, replicated};
use crate::model::{Model, ModelLaboratory};
use linchpin_hunt::{
    Budgets, Divergence, Durations, Evidence, Experiment, Fault, Kind, Laboratory, Options, Report,
    Strategy, Verdict, Watch, hunt,
};
use linchpin_model::Outcome;

fn options(kinds: &[Kind], total: u32) -> Options {
    let budgets = Budgets { by_kind: kinds.iter().map(|kind| (*kind, 1)).collect(), total };
    let durations = Durations { pause_ms: 1500, delay_ms: 600, restart_ms: 500 };
    Options { budgets, durations, ..Options::default() }
}

/// Keeps what was run.
#[derive(Default)]
struct Keeping(Vec<(Experiment, Evidence)>);

impl Watch for Keeping {
    fn ran(&mut self, experiment: &Experiment, evidence: &Evidence, _: usize) {
        self.0.push((experiment.clone(), evidence.clone()));
    }
}

fn run(model: Model, options: &Options) -> (Report, Keeping) {
    let mut keeping = Keeping::default();
    match hunt(&mut ModelLaboratory::new(model), options, &mut keeping) {
        Ok(report) => (report, keeping),
        Err(error) => panic!("{error}"),
    }
}

fn items(values: &[&str]) -> BTreeMap<String, Vec<String>> {
    let values = values.iter().map(|value| (*value).to_owned()).collect();
    BTreeMap::from([("items".to_owned(), values)])
}

/// A mistake that three items do not show is found with five, and the input is part of what is told.
#[test]
fn other_inputs_are_tried_and_what_they_show_is_found() {
    let make = || queue::model("syncs up to three", queue::Confirms::SyncedUpToThree);
    let without = options(&[Kind::PowerLoss, Kind::Restart], 1);
    assert_eq!(run(make(), &without).0.verdict, Verdict::Survived);
    let with = Options { inputs: items(&["1", "5"]), ..without.clone() };
    let (report, _) = run(make(), &with);
    assert_eq!(report.verdict, Verdict::Broken);
    let faults = &report.counterexamples[0].faults;
    let kinds: Vec<Kind> = faults.iter().map(Fault::kind).collect();
    assert_eq!(kinds, [Kind::Input, Kind::PowerLoss], "{faults:?}");
    assert!(matches!(&faults[0], Fault::Input { value, .. } if value == "5"));
    assert_eq!(report.counterexamples[0].sentences[0], "The workload runs with items = 5.");
    // The budget of one fault is for the power loss; an input is none.
    let useless = Options { inputs: items(&["1", "2"]), ..without };
    let (report, keeping) = run(make(), &useless);
    assert_eq!(report.verdict, Verdict::Survived);
    let inputs = |experiment: &Experiment| {
        experiment.faults.iter().filter(|fault| fault.kind() == Kind::Input).count()
    };
    assert!(keeping.0.iter().all(|(experiment, _)| inputs(experiment) <= 1), "one value at a time");
    // Every variant is run alone, and under faults.
    for value in ["1", "2"] {
        let of_value: Vec<usize> = keeping
            .0
            .iter()
            .filter(|(experiment, _)| {
                experiment.faults.iter().any(
                    |fault| matches!(fault, Fault::Input { value: other, .. } if other == value),
                )
            })
            .map(|(experiment, _)| experiment.faults.len())
            .collect();
        assert!(of_value.contains(&1) && of_value.contains(&2), "{value}: {of_value:?}");
    }
}

/// The other strategies draw from the same variants.
#[test]
fn baselines_try_the_inputs_too() {
    let make = || queue::model("syncs up to three", queue::Confirms::SyncedUpToThree);
    let with = Options { inputs: items(&["5"]), ..options(&[Kind::PowerLoss], 1) };
    let random = Options { strategy: Strategy::Random, seed: 4, ..with.clone() };
    assert_eq!(run(make(), &random).0.verdict, Verdict::Broken);
    let single = Options { strategy: Strategy::Single, ..with };
    let (report, keeping) = run(make(), &single);
    assert_eq!(report.verdict, Verdict::Unknown);
    let is_input = |(experiment, _): &(Experiment, Evidence)| {
        experiment.faults.iter().any(|fault| fault.kind() == Kind::Input)
    };
    assert_eq!(keeping.0.iter().filter(|run| is_input(run)).count(), 1);
}

fn interchangeable() -> Model {
    let mut model = quorum::model("quorums that overlap", 2, 2);
    for (name, group) in &mut model.nodes {
        if name.starts_with('r') {
            *group = Some("replica");
        }
    }
    model
}

/// What a single fault is, but for which of the interchangeable nodes and which of its kind.
fn class(fault: &Fault) -> String {
    let text = fault.to_string();
    let mut words: Vec<String> = Vec::new();
    for word in text.split([' ', '-', '>', '<', ';']) {
        let is_replica = word.len() == 2 && word.starts_with('r');
        let is_number = word.starts_with('#');
        words.push(if is_replica {
            "r".into()
        } else if is_number {
            "#".into()
        } else {
            word.into()
        });
    }
    words.join(" ")
}

/// Hunts where no value is seen, so that all faults of a class are predicted to leave the same.
fn without_values(options: &Options) -> (Report, Keeping) {
    struct Blind(ModelLaboratory);
    impl Laboratory for Blind {
        type Error = std::convert::Infallible;
        fn run(&mut self, experiment: &Experiment) -> Result<Evidence, Self::Error> {
            let mut evidence = self.0.run(experiment)?;
            evidence.trace.acknowledgements.clear();
            evidence.trace.events.iter_mut().for_each(|event| event.tokens.clear());
            Ok(evidence)
        }
    }
    let mut keeping = Keeping::default();
    let mut laboratory = Blind(ModelLaboratory::new(interchangeable()));
    let report = hunt(&mut laboratory, options, &mut keeping).expect("it runs");
    (report, keeping)
}

#[test]
fn one_of_each_class_is_tried_and_the_rest_assumed() {
    let kinds = [Kind::Crash, Kind::Restart];
    let (report, keeping) = without_values(&options(&kinds, 1));
    assert_eq!(report.verdict, Verdict::Survived);
    let mut seen: BTreeSet<String> = BTreeSet::new();
    for (experiment, evidence) in &keeping.0 {
        let is_judged =
            evidence.outcome != Outcome::Inconclusive && evidence.fired.iter().all(|fired| *fired);
        for fault in experiment.faults.iter().filter(|_| is_judged) {
            assert!(seen.insert(class(fault)), "a second of the class: {fault}");
        }
    }
    assert!(seen.len() > 3, "{seen:?}");
    let account = &report.account;
    assert_eq!(account.interchangeable["replica"].len(), 3);
    let assumed: u64 = account.assumed.iter().map(|assumed| assumed.others).sum();
    assert!(assumed > 0 && assumed == account.like_another, "{account:?}");
    assert_eq!(account.waiting, 0);
    let told = account.to_string();
    assert!(told.contains("taken to be interchangeable: r1, r2, r3 (replica)"), "{told}");
    assert!(told.contains(&format!("{assumed} assumed to end like another")), "{told}");

    let every = Options { every: true, ..options(&kinds, 1) };
    let (report, all) = without_values(&every);
    assert_eq!((report.verdict, report.account.like_another), (Verdict::Survived, 0));
    assert!(report.account.assumed.is_empty());
    assert!(all.0.len() > keeping.0.len());
}

/// Every hypothesis is accounted for once.
#[test]
fn the_account_adds_up() {
    let model = queue::model("queue that syncs", queue::Confirms::Synced);
    let (report, keeping) = run(model, &options(&[Kind::Crash, Kind::Restart, Kind::PowerLoss], 2));
    let account = &report.account;
    assert_eq!(report.verdict, Verdict::Survived);
    let runs: u64 = account.outcomes.values().sum();
    assert_eq!(runs as usize, keeping.0.len());
    let given_up = account.never_fired + account.not_judged;
    let sum = account.tried + account.answered + account.like_another + account.waiting + given_up;
    assert_eq!(sum, account.hypotheses, "{account:?}");
    for kind in [Kind::Crash, Kind::Restart, Kind::PowerLoss] {
        let of_kind = account.candidates[&kind];
        assert!(of_kind.tried > 0 && of_kind.tried <= of_kind.known);
    }
    let known: u64 = account.candidates.values().map(|coverage| coverage.known).sum();
    let by_class: u64 = account.classes.iter().map(|class| class.coverage.known).sum();
    assert_eq!(known, by_class);
    // All acknowledged values reached the final state in all good runs.
    assert!(account.supports.iter().all(|support| support.runs > 0 && !support.path.is_empty()));
    let most = account.supports.iter().map(|support| support.runs).max();
    assert!(most > Some(5), "ways are counted over runs: {most:?}");
    // It can be written down.
    let json = serde_json::to_value(account).expect("it is plain data");
    assert_eq!(json["hypotheses"], account.hypotheses);
}

#[test]
fn a_counterexample_is_explained() {
    let rules = Rules { syncs: false, ..CORRECT };
    let model = replicated::model("promise before sync", rules);
    let kinds = [Kind::Crash, Kind::PowerLoss, Kind::Stall];
    let (report, keeping) = run(model, &options(&kinds, 2));
    let counterexample = &report.counterexamples[0];
    assert_eq!(counterexample.sentences.len(), counterexample.faults.len());
    let numbered = |number: Option<u64>| {
        let number = number.expect("it is known");
        let found = keeping.0.iter().find(|(experiment, _)| experiment.number == number);
        found.expect("it was run")
    };
    let (bad, good) = (numbered(counterexample.first_bad), numbered(counterexample.nearest_good));
    assert_eq!((bad.1.outcome, good.1.outcome), (Outcome::Bad, Outcome::Good));
    // The nearest good run lacks only part of the faults.
    assert!(good.0.faults.iter().all(|fault| bad.0.faults.contains(fault)), "{:?}", good.0.faults);
    let divergence = counterexample.divergence.as_ref().expect("runs were compared");
    let again = Divergence::between(&good.1.trace, &bad.1.trace);
    assert_eq!(again.as_ref(), Ok(divergence));
    // What is lacking has its past in both runs.
    let first = &divergence.lacking[0];
    assert_eq!(good.1.trace.events[first.position].name, first.event);
    let names = |evidence: &Evidence| -> BTreeSet<String> {
        evidence.trace.events.iter().map(|event| event.name.to_string()).collect()
    };
    assert!(!names(&bad.1).contains(&first.event.to_string()));
    // Each support of the lost value that was seen without these faults is told with what was cut.
    assert!(!counterexample.supports.is_empty());
    for support in &counterexample.supports {
        for taken in &support.cuts {
            assert!(taken.fault < counterexample.faults.len());
            assert!(support.path.contains(&taken.event), "{support:?}");
        }
    }
}

/// With `all`, the hunt goes on after the first.
#[test]
fn all_that_breaks_it_is_found() {
    let make = || queue::model("confirm before sync", queue::Confirms::Written);
    let kinds = [Kind::Crash, Kind::Restart, Kind::PowerLoss];
    let (one, _) = run(make(), &options(&kinds, 1));
    let (all, _) = run(make(), &Options { all: true, every: true, ..options(&kinds, 1) });
    assert_eq!(one.counterexamples.len(), 1);
    assert!(all.counterexamples.len() > 1);
    let is_power_loss = |fault: &Fault| fault.kind() == Kind::PowerLoss;
    let mut faults = all.counterexamples.iter().flat_map(|found| &found.faults);
    assert!(faults.all(is_power_loss));
}

/// A run in which nothing is acknowledged teaches, but the laboratory must show one that is good.
#[test]
fn without_a_good_run_there_is_no_hunt() {
    struct Vacuous(ModelLaboratory);
    impl Laboratory for Vacuous {
        type Error = std::convert::Infallible;
        fn run(&mut self, experiment: &Experiment) -> Result<Evidence, Self::Error> {
            let outcome = Outcome::Vacuous;
            self.0.run(experiment).map(|evidence| Evidence { outcome, ..evidence })
        }
    }
    let model = queue::model("queue that syncs", queue::Confirms::Synced);
    let result =
        hunt(&mut Vacuous(ModelLaboratory::new(model)), &options(&[Kind::Crash], 1), &mut ());
    let error = result.expect_err("nothing to learn from").to_string();
    assert!(error.contains("no run without faults was good (1 vacuous)"), "{error}");
}
