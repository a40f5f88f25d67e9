//! The account of a campaign: what was seen, what was tried, what was left out and why.

use std::collections::{BTreeMap, BTreeSet};

use linchpin_model::Outcome;
use linchpin_search::{Lessons, Retired};
use serde::Serialize;

use crate::confidence::unseen_mass;
use crate::event::EventName;
use crate::fault::{Fault, Kind};
use crate::knowledge::{FaultId, Knowledge};
use crate::laboratory::{Evidence, Experiment, Spent};
use crate::proposals::Proposals;

/// What a campaign did.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct Account {
    /// Runs by outcome, those without faults included.
    pub outcomes: BTreeMap<String, u64>,
    /// Candidate faults by kind: how many there are, and how many were in an experiment.
    pub candidates: BTreeMap<Kind, Coverage>,
    /// Ways in which the final state came to show an acknowledged value.
    pub supports: Vec<SupportSeen>,
    /// Hypotheses generated.
    pub hypotheses: u64,
    /// Of these: runs under a part of their faults answered for them.
    pub answered: u64,
    /// Of these: another of the same class was run, and they are assumed to do the same.
    pub like_another: u64,
    /// Of these: not reached.
    pub waiting: u64,
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
    tried: BTreeSet<Fault>,
    #[serde(skip)]
    known: BTreeSet<FaultId>,
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

/// A support: the messages, writes and syncs that carried a value to the final state.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct SupportSeen {
    /// The value.
    pub value: String,
    /// What carried it, in order.
    pub path: Vec<String>,
    /// In how many runs.
    pub runs: u32,
}

impl Account {
    pub(crate) fn count(&mut self, experiment: &Experiment, evidence: &Evidence) {
        *self.outcomes.entry(evidence.outcome.to_string()).or_default() += 1;
        self.spent += evidence.spent;
        self.tried.extend(experiment.faults.iter().cloned());
        if evidence.outcome != Outcome::Inconclusive {
            let messages = evidence.trace.events.iter().map(|event| event.name.kind());
            let messages = messages.filter(|name| matches!(name, EventName::Receive(_))).collect();
            *self.runs_by_messages.entry(messages).or_default() += 1;
        }
    }

    pub(crate) fn candidate(&mut self, id: FaultId, fault: &Fault) {
        if self.known.insert(id) {
            self.candidates.entry(fault.kind()).or_default().known += 1;
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
        for fault in &self.tried {
            if let Some(coverage) = self.candidates.get_mut(&fault.kind()) {
                coverage.tried += 1;
            }
        }
        self.supports = knowledge
            .supports()
            .iter()
            .map(|support| SupportSeen {
                value: support.token.clone(),
                path: support.path.iter().map(EventName::to_string).collect(),
                runs: support.seen,
            })
            .collect();
        self.hypotheses = proposals.len() as u64;
        let left = proposals.left(knowledge, lessons);
        (self.answered, self.like_another, self.waiting) =
            (left.answered, left.like_another, left.waiting);
        let kinds: BTreeSet<&EventName> = self.runs_by_messages.keys().flatten().collect();
        self.message_kinds = kinds.len() as u64;
        self.unseen_mass = self.unseen_now();
    }
}
