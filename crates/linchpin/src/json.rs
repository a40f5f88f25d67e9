//! The machine-readable result of `linchpin check`. Documented in `docs/formats/check.md`.

use linchpin_model::{Bounds, FaultSet, Invariant, Verdict};
use linchpin_search::{StopReason, Strategy};
use num_bigint::BigUint;
use serde::Serialize;

/// The version of the format; changes when a reader would have to.
pub(crate) const SCHEMA: &str = "linchpin.check/1";

#[derive(Debug, Serialize)]
pub(crate) struct CheckJson<'a> {
    pub(crate) schema: &'static str,
    pub(crate) files: Vec<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) scenario: Option<&'a str>,
    pub(crate) verdict: Verdict,
    pub(crate) vacuous: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) expected: Option<Verdict>,
    pub(crate) invariant: Invariant,
    pub(crate) bounds: &'a Bounds,
    pub(crate) strategy: &'static str,
    pub(crate) method: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) not_grounded: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) not_grounded_hint: Option<&'static str>,
    pub(crate) seed: u64,
    pub(crate) runs: u64,
    pub(crate) runs_until_bad: Option<u64>,
    pub(crate) fault_space: FaultSpaceJson,
    pub(crate) counterexamples: Vec<CounterexampleJson>,
    pub(crate) counterexamples_complete: bool,
    pub(crate) stopped: Option<&'static str>,
    pub(crate) elapsed_ms: u64,
}

#[derive(Debug, Serialize)]
pub(crate) struct FaultSpaceJson {
    pub(crate) exact: serde_json::Number,
    pub(crate) estimate: serde_json::Number,
}

#[derive(Debug, Serialize)]
pub(crate) struct CounterexampleJson {
    pub(crate) faults: FaultSet,
}

impl FaultSpaceJson {
    pub(crate) fn of(bounds: &Bounds) -> Self {
        let number =
            |count: BigUint| count.to_string().parse().expect("a decimal number is a JSON number");
        Self {
            exact: number(bounds.fault_space()),
            estimate: number(bounds.fault_space_estimate()),
        }
    }
}

pub(crate) fn strategy_name(strategy: Strategy) -> &'static str {
    match strategy {
        Strategy::Auto => "auto",
        Strategy::Lineage => "lineage",
        Strategy::Symbolic => "symbolic",
        Strategy::Exhaustive => "exhaustive",
        Strategy::Random => "random",
        Strategy::Single => "single",
    }
}

pub(crate) fn stop_name(reason: StopReason) -> &'static str {
    match reason {
        StopReason::Runs => "runs",
        StopReason::Time => "time",
        StopReason::Interrupted => "interrupted",
    }
}
