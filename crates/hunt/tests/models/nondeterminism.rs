//! The hunt where runs differ: outcomes that come and go, faults that fire only sometimes, messages
//! that come in another order. All of it from seeds, so that the tests are the same every time.

use std::convert::Infallible;

use crate::model::protocols::replicated::{CORRECT, Rules};
use crate::model::protocols::{lock, queue, quorum, replicated};
use crate::model::{Model, ModelLaboratory};
use linchpin_hunt::{
    Budgets, Counterexample, Durations, Evidence, Experiment, Fault, Kind, Laboratory, Options,
    Report, Verdict, hunt,
};
use linchpin_model::Outcome;

fn options() -> Options {
    let kinds = [Kind::Crash, Kind::Restart, Kind::PowerLoss, Kind::Stall];
    let budgets = Budgets { by_kind: kinds.into_iter().map(|kind| (kind, 1)).collect(), total: 2 };
    let durations = Durations { pause_ms: 1500, delay_ms: 600, restart_ms: 500 };
    Options { budgets, durations, ..Options::default() }
}

fn run<L: Laboratory<Error = Infallible>>(laboratory: &mut L, options: &Options) -> Report {
    match hunt(laboratory, options, &mut ()) {
        Ok(report) => report,
        Err(error) => panic!("{error}"),
    }
}

/// Looks random, from the number of the experiment and a seed. (SplitMix64's last steps.)
fn chance(seed: u64, number: u64, one_in: u64) -> bool {
    let mixed = (seed << 32 | number).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    (mixed ^ (mixed >> 27)).is_multiple_of(one_in)
}

/// A laboratory in which what goes wrong shows only sometimes.
struct Hiding {
    inner: ModelLaboratory,
    /// Whether the bad outcome of an experiment is to be seen, given how many were bad before.
    shows: Box<dyn Fn(u64, u32) -> bool>,
    bad: u32,
}

impl Laboratory for Hiding {
    type Error = Infallible;

    fn run(&mut self, experiment: &Experiment) -> Result<Evidence, Infallible> {
        let mut evidence = self.inner.run(experiment)?;
        if evidence.outcome == Outcome::Bad {
            if !(self.shows)(experiment.number, self.bad) {
                evidence.outcome = Outcome::Good;
            }
            self.bad += 1;
        }
        Ok(evidence)
    }
}

fn unsynced() -> Model {
    queue::model("confirm before sync", queue::Confirms::Written)
}

fn only(report: &Report) -> &Counterexample {
    assert_eq!(report.counterexamples.len(), 1, "{:?}", report.counterexamples);
    &report.counterexamples[0]
}

/// A mistake that shows in a third of its runs is met, since hypotheses are repeated; and how often it
/// shows is told.
#[test]
fn what_shows_sometimes_is_found_by_repeating() {
    let mut found = 0;
    for seed in 0..8 {
        let shows = move |number, _| chance(seed, number, 3);
        let inner = ModelLaboratory::new(unsynced());
        let mut laboratory = Hiding { inner, shows: Box::new(shows), bad: 0 };
        let report = run(&mut laboratory, &Options { repeat: 6, reproductions: 20, ..options() });
        if report.verdict != Verdict::Broken {
            continue;
        }
        found += 1;
        let counterexample = only(&report);
        let runs = counterexample.experiments.len();
        // What ran before it first showed counts as well.
        assert!(runs >= 21, "{runs} runs");
        assert!((counterexample.bad as usize) < runs, "it does not always show");
        let (least, most) = counterexample.break_rate(0.99);
        assert!(least < 1.0 / 3.0 && 1.0 / 3.0 < most, "seed {seed}: {least} to {most}");
        // Alone it may have escaped all its runs, so that it is told with another fault.
        let is_power_loss = |fault: &Fault| fault.kind() == Kind::PowerLoss;
        assert!(counterexample.faults.iter().any(is_power_loss), "{:?}", counterexample.faults);
    }
    // Each of many power losses escapes six runs with probability (2/3)^6, one in eleven.
    assert_eq!(found, 8);
}

#[test]
fn what_broke_it_once_and_never_again_is_said_to() {
    let inner = ModelLaboratory::new(unsynced());
    let mut laboratory = Hiding { inner, shows: Box::new(|_, bad| bad == 0), bad: 0 };
    let report = run(&mut laboratory, &Options { reproductions: 5, ..options() });
    assert_eq!(report.verdict, Verdict::Broken);
    let counterexample = only(&report);
    assert!(counterexample.is_once_only());
    assert_eq!((counterexample.bad, counterexample.experiments.len()), (1, 6));
}

/// One that always shows is not.
#[test]
fn what_breaks_it_every_time_is_not() {
    let mut laboratory = ModelLaboratory::new(unsynced());
    let report = run(&mut laboratory, &Options { reproductions: 5, ..options() });
    let counterexample = only(&report);
    assert!(!counterexample.is_once_only());
    assert_eq!(counterexample.bad, 6);
    assert!(counterexample.break_rate(0.95).0 > 0.6);
}

/// A system that fails without any fault is broken by no fault.
#[test]
fn what_fails_by_itself_is_blamed_on_no_fault() {
    /// Bad in one of four runs, whatever happens.
    struct Failing(ModelLaboratory);
    impl Laboratory for Failing {
        type Error = Infallible;
        fn run(&mut self, experiment: &Experiment) -> Result<Evidence, Infallible> {
            let mut evidence = self.0.run(experiment)?;
            if chance(3, experiment.number, 4) {
                evidence.outcome = Outcome::Bad;
            }
            Ok(evidence)
        }
    }
    let model = queue::model("queue that syncs", queue::Confirms::Synced);
    let mut laboratory = Failing(ModelLaboratory::new(model));
    let report = run(&mut laboratory, &Options { repeat: 12, reproductions: 10, ..options() });
    let counterexample = only(&report);
    assert!(counterexample.faults.is_empty(), "{:?}", counterexample.faults);
}

/// A laboratory in which faults of one kind do not always fire.
struct Missing {
    inner: ModelLaboratory,
    kind: Kind,
    /// They fire in one of so many experiments; never if 0.
    fires_in: u64,
    seed: u64,
}

impl Laboratory for Missing {
    type Error = Infallible;

    fn run(&mut self, experiment: &Experiment) -> Result<Evidence, Infallible> {
        let fires = self.fires_in > 0 && chance(self.seed, experiment.number, self.fires_in);
        let strikes = |fault: &Fault| fault.kind() != self.kind || fires;
        let faults = experiment.faults.iter().filter(|fault| strikes(fault)).cloned().collect();
        let mut evidence = self.inner.run(&Experiment { faults, ..*experiment })?;
        let mut fired = evidence.fired.into_iter();
        let fired = experiment
            .faults
            .iter()
            .map(|fault| strikes(fault) && fired.next().expect("an answer for each fault"));
        evidence.fired = fired.collect();
        Ok(evidence)
    }
}

#[test]
fn faults_that_fire_in_half_the_runs_are_tried_again() {
    for seed in 0..8 {
        let inner = ModelLaboratory::new(unsynced());
        let mut laboratory = Missing { inner, kind: Kind::PowerLoss, fires_in: 2, seed };
        let report = run(&mut laboratory, &Options { reproductions: 5, ..options() });
        assert_eq!(report.verdict, Verdict::Broken, "seed {seed}");
        let counterexample = only(&report);
        // Runs in which it did not fire do not count.
        assert_eq!(counterexample.bad as usize, counterexample.experiments.len());
    }
}

#[test]
fn faults_that_never_fire_are_given_up_and_counted() {
    let inner = ModelLaboratory::new(unsynced());
    let mut laboratory = Missing { inner, kind: Kind::PowerLoss, fires_in: 0, seed: 0 };
    let report = run(&mut laboratory, &options());
    assert_eq!(report.verdict, Verdict::Survived);
    let account = &report.account;
    assert!(account.never_fired > 5, "{account:?}");
    let told = account.to_string();
    assert!(told.contains(&format!("{} never fired", account.never_fired)), "{told}");
}

/// Messages come in another order in every run, so that names mean other events and faults strike
/// elsewhere.
#[test]
fn mistakes_are_found_in_spite_of_jitter() {
    let models: [fn() -> Model; 5] = [
        unsynced,
        || lock::model("lease without number", false),
        || quorum::model("quorums that do not overlap", 2, 1),
        || {
            let rules = Rules { waits_for_majority: false, ..CORRECT };
            replicated::model("answer before replication", rules)
        },
        || {
            let rules = Rules { compares_logs: false, ..CORRECT };
            replicated::model("vote without comparing logs", rules)
        },
    ];
    for make in models {
        for seed in 1..4 {
            let mut laboratory = ModelLaboratory { model: make(), jitter_ms: 3, seed };
            let report = run(&mut laboratory, &Options { baseline_runs: 3, ..options() });
            let name = make().name;
            assert_eq!(report.verdict, Verdict::Broken, "{name}");
            let until = report.experiments_until_bad;
            println!("{name}, seed {seed}: {until:?}");
            assert!(until.is_some_and(|until| until <= 45), "{name}: {until:?}");
        }
    }
}

#[test]
fn jitter_raises_no_alarm() {
    for seed in 1..3 {
        let model = replicated::model("replicated log", CORRECT);
        let mut laboratory = ModelLaboratory { model, jitter_ms: 3, seed };
        let options = Options { baseline_runs: 3, experiments_max: Some(80), ..options() };
        let report = run(&mut laboratory, &options);
        assert_eq!(report.verdict, Verdict::Unknown, "{:?}", report.counterexamples);
    }
}

/// Runs without faults are made until they show little that is new.
#[test]
fn the_baseline_ends_when_runs_repeat_each_other() {
    let baseline = |jitter_ms, baseline_runs_max| {
        let model = replicated::model("replicated log", CORRECT);
        let mut laboratory = ModelLaboratory { model, jitter_ms, seed: 5 };
        let experiments_max = Some(0);
        let options = Options { baseline_runs_max, experiments_max, ..options() };
        run(&mut laboratory, &options).account.outcomes.values().sum::<u64>()
    };
    // One run says nothing of what else there is; the second says that it is the same.
    assert_eq!(baseline(0, 10), 2);
    assert_eq!(baseline(0, 1), 1);
    assert!((2..=10).contains(&baseline(9, 10)));
}
