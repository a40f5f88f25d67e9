//! The naive formula against everything else: the simulator, the naive evaluator, the searches; its
//! proofs against a checker that is not ours; and certificates that were tampered with.
//!
//! `scripts/agree.sh 20000 7` tries more.

// The random programs are those of the simulator's own tests.
#[allow(dead_code)]
#[path = "../../../simulator/tests/differential/case.rs"]
mod case;
#[allow(dead_code)]
#[path = "../../../simulator/tests/differential/extend.rs"]
mod extend;
#[path = "../../../proof/tests/checking/foreign.rs"]
mod foreign;
#[allow(dead_code)]
#[path = "../../../simulator/tests/differential/generate/mod.rs"]
mod generate;
#[allow(dead_code)]
#[path = "../../../simulator/tests/differential/random.rs"]
mod random;

mod agreement;
mod programs;
mod randomized;
mod support;
mod tampering;
