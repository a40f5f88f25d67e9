//! The record of a search: what is written while it goes on, and all that reports read.
//!
//! A *campaign directory* holds `campaign.json` (what was searched, and how it ended; a
//! [`Header`]), `runs.jsonl` (one line per finished run; [`RunSummary`]) and `runs/N.json` (runs
//! kept with what is needed to redraw them; [`Run`]). `docs/formats/campaign.md` describes every
//! field. A [`Writer`] leaves a directory that [`Campaign::load`] can read at whatever moment the
//! process is killed.
//!
//! Runs of real processes have a directory of the same shape, with a happens-before graph in place
//! of rows ([`Trace`]; [`TraceWriter`], [`TraceCampaign`]).
//!
//! The forms in the files are versioned and this crate's own: a change of a type elsewhere does not
//! change them. Rows, rules and relations are plain data, whatever kind of system they came from.
//!
//! What this crate does **not** do: it knows nothing of Dedalus, runs nothing, prints nothing, and
//! reads no clock (the same search writes the same bytes).

mod campaign;
mod collection;
mod error;
mod header;
mod hunt;
mod run;
mod trace;
mod trace_campaign;
mod value;
mod wire;
mod writer;

pub use campaign::{Campaign, Torn};
pub use collection::{
    COLLECTION_SCHEMA, Collection, CollectionKind, CollectionWriter, Entry, headers,
};
pub use error::CampaignError;
pub use header::{
    Bounds, CAMPAIGN_SCHEMA, Conclusion, Counterexample, Header, Limits, Options, Place, Reading,
    Relation, RelationKind, Rule, SourceFile, Stopped, Timing, Vocabulary,
};
pub use hunt::{
    Expected, HuntAccount, HuntConclusion, HuntCounterexample, HuntCoverage, HuntFault, HuntHeader,
    HuntSupport, Nearest, Parting,
};
pub use run::{Absence, Derivation, Detail, Fact, Kept, Message, RUN_SCHEMA, Run, RunSummary};
pub use trace::{
    FaultPlace, InjectedFault, TRACE_CAMPAIGN_SCHEMA, TRACE_SCHEMA, Trace, TraceCause, TraceCounts,
    TraceEvent, TraceHeader, TraceMessage, TraceProcess, TraceRun,
};
pub use trace_campaign::{TraceCampaign, TraceWriter, is_trace_campaign};
pub use value::Value;
pub use writer::{Existing, Writer};
