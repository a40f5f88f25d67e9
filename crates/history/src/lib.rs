//! What clients asked of a system and what it answered, and whether that was right.
//!
//! A *history* is a list of events, each the invocation or the completion of an *operation* by a *process* (Herlihy and
//! Wing, "Linearizability", TOPLAS 1990). A workload prints it as JSON lines (docs/formats/history.md):
//!
//! ```
//! use linchpin_history::{Checker, History, Limits, Verdict, check};
//!
//! let history = History::parse(
//!     r#"{"process": 0, "type": "invoke", "operation": "write", "key": "x", "value": 1}
//! {"process": 0, "type": "ok", "operation": "write", "key": "x"}
//! {"process": 1, "type": "invoke", "operation": "read", "key": "x", "final": true}
//! {"process": 1, "type": "ok", "operation": "read", "key": "x", "value": null}
//! "#,
//! )?;
//! let report = check(&history, Checker::LostWrite, &Limits::default());
//! assert_eq!(report.verdict, Verdict::Bad);
//! assert_eq!(report.violations[0].witness, [0, 1]);
//! # Ok::<(), linchpin_history::Malformed>(())
//! ```
//!
//! A [`Checker`] judges one property and shows each violation by few operations. A checker never reports what an operation
//! of unknown outcome may excuse, and says [`Verdict::Unknown`] where it gave up, [`Verdict::Vacuous`] where there was
//! nothing to judge.
//!
//! This crate reads no file, starts no process, and knows nothing of faults.

mod checker;
mod edn;
mod event;
mod linearizability;
mod lock;
mod operation;
mod order;
mod register;
mod report;
mod timeline;
mod totals;
mod wire;
mod witness;

pub use checker::{Checker, Limits, check};
pub use edn::{EdnError, EdnForm, edn};
pub use event::{Action, Malformed, MalformedLine, Outcome};
pub use operation::{History, Moment, Operation};
pub use report::{Report, Verdict, Violation, overall};
pub use timeline::timeline;
pub use wire::{SCHEMA, json};
