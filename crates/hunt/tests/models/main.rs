//! The hunt on model systems: small protocols in memory, correct and with the mistakes people make.

mod campaign;
mod model;
mod nondeterminism;
mod systems;
