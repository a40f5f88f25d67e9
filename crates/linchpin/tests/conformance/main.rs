//! The language reference as tests: program, bounds, what must come out.
//!
//! Grouped by the chapters of `docs/language`. Rows are those of the simulator, of the naive oracle
//! and of the ground program; counterexamples those of every complete strategy.

mod aggregates;
mod faults;
mod grammar;
mod harness;
mod outcome;
mod time_and_place;
mod types_and_strata;
