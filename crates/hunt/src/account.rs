//! The account of a campaign: what was seen, what was tried, what was left out and why.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use linchpin_model::Outcome;
use linchpin_search::{Lessons, Retired};
use serde::Serialize;

use crate::confidence::{break_rate_at_most, unseen_mass};
use crate::event::EventName;
use crate::fault::{Fault, Kind};
use crate::knowledge::{FaultId, Knowledge};
use crate::laboratory::{Evidence, Experiment, Spent};
use crate::proposals::Proposals;
use crate::rank::{FaultClass, fault_class};
use crate::trace::Indexed;

/// What a campaign did.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Account {
    /// Runs by outcome, those without faults included.
    pub outcomes: BTreeMap<String, u64>,
    /// Candidate faults by kind: how many there are, and how many were in an experiment.
    pub candidates: BTreeMap<Kind, Coverage>,
    /// The same by class: kind, node or link (up to interchangeable nodes), moment and label.
    pub classes: Vec<ClassCoverage>,
    /// Ways in which the final state came to show an acknowledged value.
    pub supports: Vec<SupportSeen>,
    /// Hypotheses generated.
    pub hypotheses: u64,
    /// Of these: run, and the run could be judged.
    pub tried: u64,
    /// Of these: runs under a part of their faults answered for them.
    pub answered: u64,
    /// Of these: another of the same class was run, and they are assumed to do the same.
    pub like_another: u64,
    /// What was assumed of classes of which not all were run, those with most first.
    pub assumed: Vec<Assumed>,
    /// Groups of nodes that were taken to be interchangeable.
    pub interchangeable: BTreeMap<String, Vec<String>>,
    /// Of these: not reached.
    pub waiting: u64,
    /// So many classes they are of, as far as that was worked out.
    pub waiting_classes: u64,
    /// Hypotheses given up because a fault did not fire.
    pub never_fired: u64,
    /// Hypotheses given up because their runs could not be judged.
    pub not_judged: u64,
    /// Each hypothesis that was tried was tried so often at least.
    pub least_trials: u32,
    /// Kinds of messages seen, over all runs: sender, receiver and label.
    pub message_kinds: u64,
    /// Good-Turing estimate of the share of kinds of runs not yet seen, a kind being the set of
    /// messages of a run (by sender, receiver and label).
    pub unseen_mass: f64,
    /// Where the time went.
    #[serde(skip)]
    pub spent: Spent,
    #[serde(skip)]
    in_experiments: BTreeSet<Fault>,
    #[serde(skip)]
    known: BTreeMap<FaultId, FaultClass>,
    #[serde(skip)]
    runs_by_messages: BTreeMap<BTreeSet<EventName>, u64>,
}

/// How much of something was tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// How many there are.
    pub known: u64,
    /// How many were in an experiment.
    pub tried: u64,
}

/// How much of a class of candidates was tried.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ClassCoverage {
    /// The class in words.
    pub class: String,
    /// Of its candidates.
    #[serde(flatten)]
    pub coverage: Coverage,
}

/// A class of hypotheses of which one was run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Assumed {
    /// The faults that were run for all of the class.
    pub tried: Vec<String>,
    /// How many others are assumed to do the same.
    pub others: u64,
}

/// A support: the messages, writes and syncs that carried a value to the final state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SupportSeen {
    /// The value.
    pub value: String,
    /// What carried it, in order, as it was called in the first run that showed it.
    pub path: Vec<String>,
    /// In how many runs.
    pub runs: u32,
}

impl Account {
    pub(crate) fn count(&mut self, experiment: &Experiment, evidence: &Evidence) {
        *self.outcomes.entry(evidence.outcome.to_string()).or_default() += 1;
        self.spent += evidence.spent;
        self.in_experiments.extend(experiment.faults.iter().cloned());
        if evidence.outcome != Outcome::Inconclusive {
            let messages = evidence.trace.events.iter().map(|event| event.name.kind());
            let messages = messages.filter(|name| matches!(name, EventName::Receive(_))).collect();
            *self.runs_by_messages.entry(messages).or_default() += 1;
        }
    }

    pub(crate) fn candidate(&mut self, id: FaultId, fault: &Fault, trace: &Indexed) {
        self.known.entry(id).or_insert_with(|| fault_class(fault, trace));
        for node in &trace.trace.nodes {
            let Some(group) = &node.group else { continue };
            let members = self.interchangeable.entry(group.clone()).or_default();
            if !members.contains(&node.name) {
                members.push(node.name.clone());
            }
        }
    }

    /// How often which outcome was seen.
    pub(crate) fn outcomes_in_words(&self) -> String {
        let outcomes = self.outcomes.iter().map(|(outcome, count)| format!("{count} {outcome}"));
        outcomes.collect::<Vec<_>>().join(", ")
    }

    /// See [`Account::unseen_mass`].
    pub(crate) fn unseen_now(&self) -> f64 {
        let once = self.runs_by_messages.values().filter(|count| **count == 1).count() as u64;
        unseen_mass(once, self.runs_by_messages.values().sum())
    }

    pub(crate) fn close(
        &mut self,
        knowledge: &Knowledge,
        proposals: &Proposals,
        lessons: &Lessons,
    ) {
        for why in lessons.retired().values() {
            match why {
                Retired::NeverFired => self.never_fired += 1,
                Retired::NotJudged => self.not_judged += 1,
            }
        }
        let tried = lessons.all_trials().filter(|(faults, _)| !faults.is_empty());
        let least = tried.map(|(_, trials)| trials.runs.len()).min().unwrap_or(0);
        self.least_trials = u32::try_from(least).unwrap_or(u32::MAX);
        self.cover(knowledge);
        let seen = |support: &crate::knowledge::Support| SupportSeen {
            value: support.token.clone(),
            path: support.path.iter().map(EventName::to_string).collect(),
            runs: support.seen,
        };
        self.supports = knowledge.supports().iter().map(seen).collect();
        self.supports.sort_by(|one, other| {
            other
                .runs
                .cmp(&one.runs)
                .then_with(|| (&one.value, &one.path).cmp(&(&other.value, &other.path)))
        });
        self.hypotheses = proposals.len() as u64;
        let left = proposals.left(knowledge, lessons);
        self.tried = left.tried;
        (self.answered, self.waiting) = (left.answered, left.waiting);
        self.waiting_classes = left.waiting_classes.len() as u64;
        self.like_another = left.like_another.values().sum();
        let assumed = left.like_another.iter().map(|(tried, others)| {
            let faults = knowledge.faults_of(tried);
            Assumed { tried: faults.iter().map(Fault::to_string).collect(), others: *others }
        });
        self.assumed = assumed.collect();
        self.assumed.sort_by(|one, other| {
            other.others.cmp(&one.others).then_with(|| one.tried.cmp(&other.tried))
        });
        self.interchangeable.retain(|_, members| members.len() > 1);
        let kinds: BTreeSet<&EventName> = self.runs_by_messages.keys().flatten().collect();
        self.message_kinds = kinds.len() as u64;
        self.unseen_mass = self.unseen_now();
    }

    /// Counts candidates by kind and by class.
    fn cover(&mut self, knowledge: &Knowledge) {
        let mut classes: BTreeMap<&FaultClass, Coverage> = BTreeMap::new();
        for (id, class) in &self.known {
            let fault = knowledge.fault(*id);
            let tried = u64::from(self.in_experiments.contains(fault));
            let kind = self.candidates.entry(fault.kind()).or_default();
            for coverage in [kind, classes.entry(class).or_default()] {
                coverage.known += 1;
                coverage.tried += tried;
            }
        }
        let covered = |(class, coverage): (&&FaultClass, &Coverage)| ClassCoverage {
            class: class.to_string(),
            coverage: *coverage,
        };
        self.classes = classes.iter().map(covered).collect();
    }

    /// The share of its runs in which a hypothesis that was tried may break the system at most, at a
    /// confidence: see [`break_rate_at_most`].
    #[must_use]
    pub fn break_rate_missed(&self, confidence: f64) -> f64 {
        break_rate_at_most(0, self.least_trials, confidence)
    }
}

/// At which the account states its bounds.
const CONFIDENCE: f64 = 0.95;
/// Supports and assumptions that are listed in words.
const LISTED_MAX: usize = 5;

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "runs: {}", self.outcomes_in_words())?;
        writeln!(
            f,
            "hypotheses: {} generated; {} run, {} answered by other runs, {} assumed to end like \
             another of their class, {} never fired, {} could not be judged, {} not reached (of {} \
             classes)",
            self.hypotheses,
            self.tried,
            self.answered,
            self.like_another,
            self.never_fired,
            self.not_judged,
            self.waiting,
            self.waiting_classes,
        )?;
        let kinds = self.candidates.iter();
        let kinds = kinds.map(|(kind, seen)| format!("{kind} {}/{}", seen.tried, seen.known));
        let classes = self.classes.iter().filter(|class| class.coverage.tried > 0).count();
        writeln!(
            f,
            "candidates tried, of those known: {}; of {} classes {classes}",
            kinds.collect::<Vec<_>>().join(", "),
            self.classes.len(),
        )?;
        for (group, members) in &self.interchangeable {
            writeln!(f, "taken to be interchangeable: {} ({group})", members.join(", "))?;
        }
        for assumed in self.assumed.iter().take(LISTED_MAX) {
            let (others, tried) = (assumed.others, assumed.tried.join(" + "));
            writeln!(f, "assumed of {others} others: as {tried}")?;
        }
        if self.assumed.len() > LISTED_MAX {
            writeln!(f, "and so of {} classes more", self.assumed.len() - LISTED_MAX)?;
        }
        for support in self.supports.iter().take(LISTED_MAX) {
            let SupportSeen { value, path, runs } = support;
            writeln!(f, "support of {value}, in {runs} runs: {}", path.join(", "))?;
        }
        if self.supports.len() > LISTED_MAX {
            writeln!(f, "and {} supports more", self.supports.len() - LISTED_MAX)?;
        }
        if self.least_trials > 0 {
            writeln!(
                f,
                "each hypothesis tried {} times or more: one that was tried breaks the system in at \
                 most {:.0} % of its runs ({:.0} % confidence)",
                self.least_trials,
                100.0 * self.break_rate_missed(CONFIDENCE),
                100.0 * CONFIDENCE,
            )?;
        }
        writeln!(
            f,
            "messages of {} kinds; estimated share of kinds of runs not seen: {:.0} %",
            self.message_kinds,
            100.0 * self.unseen_mass,
        )?;
        let Spent { start_ms, workload_ms, check_ms } = self.spent;
        let seconds = |milliseconds: u64| milliseconds as f64 / 1000.0;
        write!(
            f,
            "time in runs: {:.1} s to start, {:.1} s of workload and healing, {:.1} s of checks",
            seconds(start_ms),
            seconds(workload_ms),
            seconds(check_ms),
        )
    }
}
