//! Random programs, and every program that ever told two evaluations apart: the simulator, the
//! ground program and the naive evaluator agree on every table, and every complete search finds the
//! same verdict and the same minimal counterexamples.
//!
//! `scripts/agree.sh 20000 7` tries more. A failure prints the smallest program that still fails, in the form of a file of the
//! corpus (`tests/corpus/*.ded`): add it there, with a reason, before mending what it found.

mod case;
mod compare;
mod corpus;
mod extend;
mod generate;
mod random;
mod shrink;
mod specifications;

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use linchpin_model::Verdict;

use crate::case::Case;
use crate::compare::{Disagreement, Findings, Kind, compare};
use crate::random::Random;

/// Cases without `LINCHPIN_CASES`.
const CASES: u64 = 1_000;

/// The same for each extension of the fault model.
const EXTENSION_CASES: u64 = 300;

/// The first seed without `LINCHPIN_SEED`; every case has its own.
const SEED: u64 = 1;

fn setting(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} must be a number")),
        Err(_) => default,
    }
}

/// Compares everything about a case; a panic is a disagreement too.
fn examine(case: &Case, seed: u64) -> Result<Findings, Disagreement> {
    let text = case.program();
    let examined = catch_unwind(AssertUnwindSafe(|| {
        compare(&text, &case.bounds, case.invariant, &mut Random::new(!seed))
    }));
    examined.unwrap_or_else(|panic| {
        let message = panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
        Err(format!("panic: {}", message.unwrap_or_default()))
    })
}

#[test]
fn random_programs_agree() {
    campaign("random_programs_agree", CASES, generate::generate);
}

#[test]
fn random_programs_with_delays_agree() {
    campaign("random_programs_with_delays_agree", EXTENSION_CASES, extend::with_delays);
}

#[test]
fn random_programs_with_inputs_agree() {
    campaign("random_programs_with_inputs_agree", EXTENSION_CASES, extend::with_inputs);
}

#[test]
fn random_programs_with_recoveries_agree() {
    campaign("random_programs_with_recoveries_agree", EXTENSION_CASES, extend::with_recoveries);
}

#[test]
fn random_programs_with_stops_agree() {
    campaign("random_programs_with_stops_agree", EXTENSION_CASES, extend::with_stops);
}

#[test]
fn random_programs_with_everything_agree() {
    campaign("random_programs_with_everything_agree", EXTENSION_CASES, extend::with_everything);
}

/// Examines the cases of many seeds; panics with the smallest that fails.
fn campaign(test: &str, default_cases: u64, generate: fn(u64) -> Case) {
    let (cases, first) = (setting("LINCHPIN_CASES", default_cases), setting("LINCHPIN_SEED", SEED));
    let started = std::time::Instant::now();
    let next = AtomicU64::new(0);
    let failed = AtomicBool::new(false);
    let failures: Mutex<Vec<(u64, Disagreement)>> = Mutex::new(Vec::new());
    let statistics: Mutex<Statistics> = Mutex::new(Statistics::default());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut own = Statistics::default();
                while !failed.load(Ordering::Relaxed) {
                    let index = next.fetch_add(1, Ordering::Relaxed);
                    if index >= cases {
                        break;
                    }
                    let seed = first + index;
                    let started = std::time::Instant::now();
                    match examine(&generate(seed), seed) {
                        Ok(findings) => own.add(&findings, seed, started.elapsed().as_millis()),
                        Err(disagreement) => {
                            failed.store(true, Ordering::Relaxed);
                            failures.lock().unwrap().push((seed, disagreement));
                        }
                    }
                }
                statistics.lock().unwrap().merge(own);
            });
        }
    });
    let mut failures = failures.into_inner().unwrap();
    failures.sort();
    if let Some((seed, disagreement)) = failures.first() {
        report(test, generate, *seed, disagreement);
    }
    let statistics = statistics.into_inner().unwrap();
    println!(
        "{test}: {cases} cases from seed {first} in {} ms: {statistics:?}",
        started.elapsed().as_millis()
    );
    if cases >= CASES && test == "random_programs_agree" {
        statistics.check_variety(cases);
    }
}

/// Panics with the smallest case that fails as the one of this seed does.
fn report(test: &str, generate: fn(u64) -> Case, seed: u64, disagreement: &Disagreement) -> ! {
    let case = generate(seed);
    let small = shrink::shrink(case.clone(), |case| examine(case, seed).is_err());
    let small_disagreement = examine(&small, seed).err().unwrap_or_default();
    panic!(
        "seed {seed}: {disagreement}\n\n{case}\n\nThe smallest that fails: {small_disagreement}\n\n\
         {small}\n\nreplay: LINCHPIN_SEED={seed} LINCHPIN_CASES=1 cargo test -p linchpin-simulator \
         --test differential {test}\n"
    );
}

/// What the random programs were like.
#[derive(Debug, Default)]
struct Statistics {
    rejected: u64,
    erroneous: u64,
    holds: u64,
    broken: u64,
    vacuous: u64,
    unstratified: u64,
    not_grounded: u64,
    by_oracle: u64,
    several_counterexamples: u64,
    /// Size of the smallest counterexample -> cases.
    smallest: BTreeMap<usize, u64>,
    /// Size of the largest minimal counterexample -> cases.
    largest: BTreeMap<usize, u64>,
    /// Milliseconds and seed.
    slowest: (u128, u64),
}

impl Statistics {
    fn add(&mut self, findings: &Findings, seed: u64, milliseconds: u128) {
        self.slowest = self.slowest.max((milliseconds, seed));
        self.unstratified += u64::from(findings.unstratified);
        self.by_oracle += u64::from(findings.by_oracle);
        match &findings.kind {
            Kind::Rejected => self.rejected += 1,
            Kind::Erroneous => self.erroneous += 1,
            Kind::Judged { verdict, vacuous, counterexamples } => {
                self.not_grounded += u64::from(!findings.grounded);
                self.vacuous += u64::from(*vacuous);
                match verdict {
                    Verdict::Holds => self.holds += 1,
                    _ => self.broken += 1,
                }
                self.several_counterexamples += u64::from(counterexamples.len() > 1);
                let sizes = || counterexamples.iter().map(linchpin_model::FaultSet::len);
                if let (Some(smallest), Some(largest)) = (sizes().min(), sizes().max()) {
                    *self.smallest.entry(smallest).or_default() += 1;
                    *self.largest.entry(largest).or_default() += 1;
                }
            }
        }
    }

    fn merge(&mut self, other: Self) {
        self.rejected += other.rejected;
        self.erroneous += other.erroneous;
        self.holds += other.holds;
        self.broken += other.broken;
        self.vacuous += other.vacuous;
        self.unstratified += other.unstratified;
        self.not_grounded += other.not_grounded;
        self.by_oracle += other.by_oracle;
        self.several_counterexamples += other.several_counterexamples;
        for (size, cases) in other.smallest {
            *self.smallest.entry(size).or_default() += cases;
        }
        for (size, cases) in other.largest {
            *self.largest.entry(size).or_default() += cases;
        }
        self.slowest = self.slowest.max(other.slowest);
    }

    /// A generator that no longer makes anything interesting would let everything pass.
    fn check_variety(&self, cases: u64) {
        let sizes = |from: usize| self.largest.range(from..).map(|(_, cases)| cases).sum::<u64>();
        let shares = [
            ("broken by faults", sizes(1), 25..=60),
            ("broken by several faults", sizes(2), 4..=40),
            ("with several minimal counterexamples", self.several_counterexamples, 15..=60),
            ("holding", self.holds, 30..=70),
            ("vacuous", self.vacuous, 2..=25),
            ("failing", self.erroneous, 2..=20),
            ("unstratified", self.unstratified, 4..=30),
            ("checked by the oracle", self.by_oracle, 50..=100),
            ("rejected", self.rejected, 0..=5),
        ];
        for (what, count, percent) in shares {
            let share = count * 100 / cases;
            assert!(percent.contains(&share), "{share}% of the cases are {what}: {self:#?}");
        }
    }
}
