//! Faults of a specification as faults of the processes that implement it.
//!
//! A [`Map`] (`docs/formats/map.md`) says which node and which message of a cluster stands for which
//! of a specification. With it, and with the messages that the specification sends, [`Map::translate`]
//! rewrites a counterexample in the language of `docs/formats/faults.md`.
//!
//! What this crate does **not** do: it runs neither the specification nor the cluster.

mod map;
mod translate;

pub use map::{Crash, Lateness, Loss, Map, MapError, Recovery, Translations};
pub use translate::{Sent, TranslateError, Translated};
