//! The Dedalus language: Datalog in time and space (Alvaro et al., UCB/EECS-2009-173).

pub mod hir;
pub mod source;
