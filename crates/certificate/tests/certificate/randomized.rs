//! Random programs.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use linchpin_dedalus::compile_text;
use linchpin_model::Bounds;

use crate::agreement::{Finding, examine};
use crate::case::Case;
use crate::{extend, generate};

/// Cases without `LINCHPIN_CASES`.
const CASES: u64 = 400;

/// The same for each extension of the fault model.
const EXTENSION_CASES: u64 = 150;

const SEED: u64 = 1;

fn setting(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} must be a number")),
        Err(_) => default,
    }
}

#[test]
fn random_programs_agree() {
    campaign("generate", CASES, generate::generate);
}

#[test]
fn random_programs_with_delays_agree() {
    campaign("with_delays", EXTENSION_CASES, extend::with_delays);
}

#[test]
fn random_programs_with_inputs_agree() {
    campaign("with_inputs", EXTENSION_CASES, extend::with_inputs);
}

#[test]
fn random_programs_with_recoveries_agree() {
    campaign("with_recoveries", EXTENSION_CASES, extend::with_recoveries);
}

#[test]
fn random_programs_with_stops_agree() {
    campaign("with_stops", EXTENSION_CASES, extend::with_stops);
}

#[test]
fn random_programs_with_everything_agree() {
    campaign("with_everything", EXTENSION_CASES, extend::with_everything);
}

/// Examines the cases of many seeds.
fn campaign(kind: &str, default_cases: u64, generate: fn(u64) -> Case) {
    let (cases, first) = (setting("LINCHPIN_CASES", default_cases), setting("LINCHPIN_SEED", SEED));
    let next = AtomicU64::new(first);
    // Certified, broken, not certifiable.
    let counts = Mutex::new([0u64; 3]);
    let failures: Mutex<Vec<(u64, String)>> = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= first + cases {
                        return;
                    }
                    match one(&generate(seed)) {
                        Ok(Some(finding)) => {
                            let kind = match finding {
                                Finding::Certified(_) => 0,
                                Finding::Broken => 1,
                                Finding::NotCertifiable(_) => 2,
                            };
                            counts.lock().unwrap()[kind] += 1;
                        }
                        Ok(None) => {}
                        Err(message) => {
                            eprintln!("seed {seed}: {message}");
                            failures.lock().unwrap().push((seed, message));
                        }
                    }
                }
            });
        }
    });
    let mut failures = failures.into_inner().unwrap();
    failures.sort();
    if let Some((seed, message)) = failures.first() {
        let count = failures.len();
        panic!("{count} of {cases} disagree; seed {seed}: {message}\n\n{}", generate(*seed));
    }
    let [certified, broken, refused] = counts.into_inner().unwrap();
    println!(
        "{kind}: {cases} cases from seed {first}: {certified} certified, {broken} broken, {refused} not certifiable"
    );
    if cases >= EXTENSION_CASES {
        assert!(certified > cases / 10 && broken > cases / 10, "the programs are too much alike");
        assert!(refused < cases / 20, "too many programs have no certificate");
    }
}

/// `None` if the case is no program.
fn one(case: &Case) -> Result<Option<Finding>, String> {
    let compilation = compile_text("case.ded", &case.program());
    let Some(program) = compilation.program else { return Ok(None) };
    let wanted: &[&str] = match case.invariant {
        linchpin_model::Invariant::Good => &["good"],
        _ => &["pre", "post"],
    };
    if wanted.iter().any(|name| program.relation_named(name).is_none()) {
        return Ok(None);
    }
    let bounds = Bounds { inputs: linchpin_simulator::inputs(&program), ..case.bounds.clone() };
    // Random cases declare relations durable that their program may not have.
    let durable = |name: &String| program.relation_named(name).is_some();
    let durable = bounds.durable.iter().filter(|name| durable(name)).cloned().collect();
    let bounds = Bounds { durable, ..bounds };
    let examined = catch_unwind(AssertUnwindSafe(|| {
        examine(&program, &compilation.sources, &bounds, case.invariant)
    }));
    examined.map(Some).map_err(|panic| {
        panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_default()
    })
}
