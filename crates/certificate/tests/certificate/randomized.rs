//! Random programs.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use linchpin_dedalus::compile_text;

use crate::agreement::{Finding, examine};
use crate::generate::generate;

const CASES: u64 = 400;
const SEED: u64 = 1;

fn setting(name: &str, default: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|_| panic!("{name} must be a number")),
        Err(_) => default,
    }
}

#[test]
fn random_programs_agree() {
    let (cases, first) = (setting("LINCHPIN_CASES", CASES), setting("LINCHPIN_SEED", SEED));
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
                    match one(seed) {
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
    println!("{cases} cases: {certified} certified, {broken} broken, {refused} not certifiable");
    if cases >= CASES {
        assert!(certified > cases / 10 && broken > cases / 10, "the programs are too much alike");
        assert!(refused < cases / 20, "too many programs have no certificate");
    }
}

/// `None` if the case is no program.
fn one(seed: u64) -> Result<Option<Finding>, String> {
    let case = generate(seed);
    let compilation = compile_text("case.ded", &case.program());
    let Some(program) = compilation.program else { return Ok(None) };
    let wanted: &[&str] = match case.invariant {
        linchpin_model::Invariant::Good => &["good"],
        _ => &["pre", "post"],
    };
    if wanted.iter().any(|name| program.relation_named(name).is_none()) {
        return Ok(None);
    }
    let examined = catch_unwind(AssertUnwindSafe(|| {
        examine(&program, &compilation.sources, &case.bounds, case.invariant)
    }));
    examined.map(Some).map_err(|panic| {
        panic
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()))
            .unwrap_or_default()
    })
}
