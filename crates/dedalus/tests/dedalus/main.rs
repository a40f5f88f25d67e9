//! Tests of the language through the public interface, one module per subject.

mod bad_input;
mod choices;
mod error_pages;
mod front_matter;
mod fuzz;
mod grammar;
mod includes;
mod lints;
mod names;
mod nodes;
mod print;
mod render;
mod specs;
mod strata;
mod support;
mod types;
