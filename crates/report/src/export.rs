//! Formats other tools read.
//!
//! * [`dot`]: Graphviz, for the space-time diagram and the lineage of a run.
//! * [`svg`]: the same two diagrams as pictures.
//! * [`shiviz`]: the events of a run with vector clocks, for ShiViz.
//! * [`junit`]: campaigns as test cases.
//! * [`sarif`]: counterexamples as findings placed in the specification (SARIF 2.1.0).

pub mod dot;
pub mod junit;
pub mod sarif;
pub mod shiviz;
pub mod svg;
