//! The Dedalus language: Datalog in time and space (Alvaro et al., UCB/EECS-2009-173).
//!
//! The stages of the compiler are modules, in this order: [`load`] (files, [`lexer`], [`parser`],
//! [`syntax`], includes), [`front_matter`], `resolve` (names), `types`, `stratify`, `lints`; the
//! result is a [`hir::Program`]. [`compile_files`] and [`compile_text`] run them all.
//!
//! The crate evaluates nothing, prints nothing, and reads files only through a [`load::Loader`].
//!
//! ```
//! let compilation = linchpin_dedalus::compile_text(
//!     "echo.ded",
//!     r#"
//!     ping("a", "b")@1;
//!     pong(To, From)@async :- ping(From, To);
//!     "#,
//! );
//! let program = compilation.program.expect("the program has no errors");
//! assert_eq!(program.rules.len(), 1);
//! ```

pub mod codes;
mod compile;
pub mod diagnostic;
pub mod front_matter;
pub mod hir;
pub mod lexer;
mod lints;
pub mod load;
mod nodes;
pub mod parser;
mod print;
pub mod render;
mod resolve;
pub mod source;
mod stratify;
pub mod syntax;
mod types;

pub use compile::{Compilation, CompileOptions, compile_files, compile_text};
pub use nodes::{infer_nodes, lint_nodes};
