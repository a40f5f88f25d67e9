//! Experiments on real processes: runs a cluster under faults, and says what the run showed.
//!
//! 1. [`Plan::of`] turns an experiment of the hunt into faults for the injector and parameters of
//!    the workload; [`budgets`] and [`durations`] read what a cluster file allows.
//! 2. [`carry_out`] runs the cluster once: every event of every node goes through the injector and
//!    into the tracker. Each run has namespaces, addresses and folders of its own, and nothing of
//!    it is left when it returns.
//! 3. [`evidence()`] makes of it what the hunt learns from: outcome, trace, which faults fired.
//!
//! What this crate does **not** do: it chooses no faults, records nothing, prints nothing.

mod evidence;
mod plan;
mod run;

pub use evidence::evidence;
pub use plan::{Plan, PlanError, budgets, durations};
pub use run::{CarriedOut, Conditions, LaboratoryError, carry_out};
