//! `campaign.json`: what is searched, and how it ended.

use linchpin_model::{CrashModel, Fault, FaultSet, Invariant, Verdict};
use serde::{Deserialize, Serialize};

use crate::wire;

/// The value of [`Header::schema`].
pub const CAMPAIGN_SCHEMA: &str = "linchpin.campaign/1";

/// The whole of `campaign.json`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Header {
    /// [`CAMPAIGN_SCHEMA`].
    pub schema: String,
    /// Name and version of the program that wrote it.
    pub tool: String,
    /// The files given on the command line, as they were named there.
    pub inputs: Vec<String>,
    /// The directories searched for includes (`-I`), as they were named there.
    #[serde(default)]
    pub include_dirs: Vec<String>,
    /// The arguments that began it, without what only concerns its output: files, then flags. With
    /// them a search goes on.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub arguments: Vec<String>,
    /// Every file of the specification, includes among them, with its whole text.
    pub files: Vec<SourceFile>,
    /// The bounds on faults.
    pub bounds: Bounds,
    /// How a run is judged.
    #[serde(with = "wire::invariant")]
    pub invariant: Invariant,
    /// How runs are chosen: `auto`, `lineage`, `random`, `exhaustive` or `symbolic`.
    pub strategy: String,
    /// Seed of the strategy `random`.
    pub seed: u64,
    /// When the search gives up.
    pub limits: Limits,
    /// Other choices.
    pub options: Options,
    /// The relations and rules that rows and derivations refer to.
    pub vocabulary: Vocabulary,
    /// How the search ended; absent while it has not.
    #[serde(default)]
    pub conclusion: Option<Conclusion>,
}

/// A file of the specification.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SourceFile {
    /// As the user named it, or as an include resolved.
    pub path: String,
    /// The whole text.
    pub text: String,
}

/// The bounds on faults of a specification.
#[derive(Clone, Default, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bounds {
    /// The last time step.
    pub eot: u32,
    /// No message sent at or after this time step is lost.
    pub eff: u32,
    /// At most this many nodes crash.
    pub crashes: u32,
    /// The nodes.
    pub nodes: Vec<String>,
    /// What is sent before `eff` may arrive up to so many steps late.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub max_delay: u32,
    /// At most this many of the nodes that crash recover.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub recoveries: u32,
    /// The relations that survive a crash and recovery.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub durable: Vec<String>,
    /// A crash stops a node, instead of silencing it.
    #[serde(default, skip_serializing_if = "is_false")]
    pub crashes_stop: bool,
    /// The inputs that can come in several ways; each with the way it comes unless a fault says
    /// otherwise, then the other ways.
    #[serde(default, with = "wire::inputs", skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<Vec<Fault>>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_false(value: &bool) -> bool {
    !*value
}

impl From<&linchpin_model::Bounds> for Bounds {
    fn from(bounds: &linchpin_model::Bounds) -> Self {
        Self {
            eot: bounds.eot,
            eff: bounds.eff,
            crashes: bounds.crashes,
            nodes: bounds.nodes.clone(),
            max_delay: bounds.max_delay,
            recoveries: bounds.recoveries,
            durable: bounds.durable.clone(),
            crashes_stop: bounds.crash_model == CrashModel::Stop,
            inputs: bounds.inputs.clone(),
        }
    }
}

impl From<&Bounds> for linchpin_model::Bounds {
    fn from(bounds: &Bounds) -> Self {
        Self {
            eot: bounds.eot,
            eff: bounds.eff,
            crashes: bounds.crashes,
            nodes: bounds.nodes.clone(),
            max_delay: bounds.max_delay,
            recoveries: bounds.recoveries,
            durable: bounds.durable.clone(),
            crash_model: if bounds.crashes_stop { CrashModel::Stop } else { CrashModel::Silent },
            inputs: bounds.inputs.clone(),
        }
    }
}

/// When the search gives up; absent means never.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Limits {
    /// At most this many runs.
    #[serde(default)]
    pub runs_max: Option<u64>,
    /// At most this long.
    #[serde(default)]
    pub timeout_ms: Option<u64>,
}

/// Other choices.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Options {
    /// Find every minimal counterexample, not just one.
    #[serde(default)]
    pub all: bool,
    /// A vacuous failure-free run is acceptable.
    #[serde(default)]
    pub allow_vacuous: bool,
    /// How likely faults are, as written; what comes later counts more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub priors: Vec<String>,
    /// Only one of several fault sets is tried that differ in interchangeable nodes.
    #[serde(default, skip_serializing_if = "is_false")]
    pub symmetry: bool,
}

/// What rows, rules and relations in runs refer to, by index.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Vocabulary {
    /// Indexed by the `relation` of facts, messages, absences and rules.
    pub relations: Vec<Relation>,
    /// Indexed by the `rule` of derivations and messages.
    pub rules: Vec<Rule>,
    /// The relation that says what is asked for at the end of a run (`pre`); absent if the
    /// invariant has none.
    #[serde(default)]
    pub asked: Option<u32>,
    /// The relation that says what was achieved (`post` or `good`).
    #[serde(default)]
    pub answered: Option<u32>,
}

/// A relation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Relation {
    /// Its name.
    pub name: String,
    /// How many columns it has. The first is the node where a row is.
    pub columns: u32,
    /// What it is to the system.
    pub kind: RelationKind,
}

/// What a relation is to the system.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RelationKind {
    /// Defined by the specification.
    User,
    /// Built in: who crashes when, known to all nodes from the first time step on. Its rows stand
    /// at time 1 only, though they hold throughout.
    Crash,
}

/// A rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rule {
    /// The relation it derives.
    pub relation: u32,
    /// When what it derives holds.
    pub timing: Timing,
    /// As it stands in the file, comments and line breaks included.
    pub text: String,
    /// Where it stands.
    pub place: Place,
    /// The relations in its body, in source order.
    pub reads: Vec<Reading>,
}

/// When what a rule derives holds, relative to what it was derived from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Timing {
    /// At the same time step.
    Now,
    /// At the next time step, on the same node.
    Next,
    /// At the next time step, at the node it is sent to, unless it is lost.
    Async,
}

/// A range of characters in a file. Lines and columns start at 1; columns count characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Index into [`Header::files`].
    pub file: u32,
    /// Line of the first character.
    pub line: u32,
    /// Column of the first character.
    pub column: u32,
    /// Line of the last character.
    pub line_end: u32,
    /// Column one past the last character.
    pub column_end: u32,
}

/// A relation in the body of a rule.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reading {
    /// The relation.
    pub relation: u32,
    /// True if the rule needs its rows to be absent.
    pub negated: bool,
}

/// How a search ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Conclusion {
    /// What is known.
    #[serde(with = "wire::verdict")]
    pub verdict: Verdict,
    /// True if the failure-free run asked nothing of the system.
    pub vacuous: bool,
    /// Runs of the search, the failure-free one included.
    pub runs: u64,
    /// The number of fault sets within the bounds, in decimal digits.
    pub fault_space: String,
    /// The papers' estimate of that number, in decimal digits.
    pub fault_space_estimate: String,
    /// Minimal counterexamples, in the order found.
    pub counterexamples: Vec<Counterexample>,
    /// True if every counterexample asked for was found.
    pub complete: bool,
    /// Why the search ended early; absent if it did not.
    #[serde(default)]
    pub stopped: Option<Stopped>,
    /// Every fault set of at most this many faults was accounted for; absent if not even the
    /// empty one was.
    #[serde(default)]
    pub size_covered: Option<u64>,
    /// How runs were chosen in the end, where the strategy is `auto`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub method: Option<String>,
    /// What limits the verdict, in words; empty if nothing does.
    #[serde(default)]
    pub notes: Vec<String>,
}

/// A minimal set of faults that violates the invariant.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counterexample {
    /// The faults, by time.
    #[serde(with = "wire::faults")]
    pub faults: FaultSet,
    /// The number of its run.
    pub run: u64,
}

/// Why a search ended early.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stopped {
    /// The number of runs allowed was used up.
    Runs,
    /// The time allowed was used up.
    Time,
    /// The user asked.
    Interrupted,
}
