//! The laboratory of a hunt: runs the cluster, keeps every run, and says how far things are.

use std::time::Instant;

use anyhow::Context;
use linchpin_cluster::Cluster;
use linchpin_hunt::{Evidence, Experiment, Laboratory, Recorded, Watch};
use linchpin_laboratory::{Conditions, Plan, carry_out, evidence};
use linchpin_model::Outcome;
use linchpin_record::{TraceHeader, TraceWriter};
use thiserror::Error;

use crate::cluster_run::injected;
use crate::control::Interrupt;
use crate::output::{to_stderr, with_causes};
use crate::trace_cluster;
use crate::trace_command::unix_ns;

/// What an experiment showed, beside its trace in the folder of its run: all that going on needs.
pub(crate) const EVIDENCE: &str = "evidence.json";

/// Why an experiment has no result.
#[derive(Debug, Error)]
pub(crate) enum NoResult {
    /// The user interrupted it.
    #[error("interrupted")]
    Interrupted,
    #[error("{}", with_causes(.0))]
    Failed(anyhow::Error),
}

/// Runs experiments one after the other, and keeps them.
pub(crate) struct Bench<'a> {
    pub(crate) cluster: &'a Cluster,
    pub(crate) seed: u64,
    pub(crate) writer: &'a mut TraceWriter,
    /// What the record says until the hunt ends, if it says how an earlier sitting ended; until the first
    /// run of this one.
    pub(crate) reopened: Option<&'a TraceHeader>,
    pub(crate) interrupt: &'a Interrupt,
    /// What was run so far, the runs of earlier sittings included.
    pub(crate) recorded: &'a mut Vec<Recorded>,
}

impl Laboratory for Bench<'_> {
    type Error = NoResult;

    fn run(&mut self, experiment: &Experiment) -> Result<Evidence, NoResult> {
        if self.interrupt.is_set() {
            return Err(NoResult::Interrupted);
        }
        let evidence = self.carry_out(experiment).map_err(NoResult::Failed)?;
        let Some(evidence) = evidence else { return Err(NoResult::Interrupted) };
        let (experiment, kept) = (experiment.clone(), evidence.clone());
        self.recorded.push(Recorded { experiment, evidence: kept });
        Ok(evidence)
    }
}

impl Bench<'_> {
    /// Runs an experiment; `None` if the user interrupted it.
    fn carry_out(&mut self, experiment: &Experiment) -> anyhow::Result<Option<Evidence>> {
        let plan = Plan::of(&experiment.faults)?;
        if let Some(header) = self.reopened.take() {
            self.writer.conclude(header)?;
        }
        let folder = self.writer.begin_run()?;
        let started_unix_ns = unix_ns();
        let conditions = Conditions {
            faults: plan.faults.clone(),
            seed: self.seed,
            parameters: plan.parameters.clone(),
            is_experiment: true,
            logs: folder.join("logs"),
            interrupt: self.interrupt.flag(),
            judge: Some(crate::judge::judge),
        };
        let run = carry_out(self.cluster, &conditions).map_err(trace_cluster::laboratory_error)?;
        if run.result.interrupted {
            return Ok(None);
        }
        let evidence = evidence(self.cluster, &plan, &run);
        let mut finished = trace_cluster::finished(
            self.cluster,
            experiment.number,
            run.result,
            run.tracker,
            started_unix_ns,
        );
        finished.record.faults = injected(&run.reports);
        let recorded = Recorded { experiment: experiment.clone(), evidence: evidence.clone() };
        let path = folder.join(EVIDENCE);
        let bytes = serde_json::to_vec(&recorded)?;
        std::fs::write(&path, bytes).with_context(|| format!("cannot write {}", path.display()))?;
        trace_cluster::keep(self.writer, &folder, &finished)?;
        Ok(Some(evidence))
    }
}

/// Stops a hunt in time, and says how far it is.
pub(crate) struct Watching {
    interrupt: Interrupt,
    deadline: Option<Instant>,
    started: Instant,
    /// `None`: say nothing.
    terminal: Option<bool>,
    /// Runs of earlier sittings, of which nothing is said.
    recorded: u64,
    runs: u64,
    pub(crate) stopped: Option<&'static str>,
}

impl Watching {
    pub(crate) fn new(
        interrupt: &Interrupt,
        deadline: Option<Instant>,
        quiet: bool,
        recorded: u64,
    ) -> Self {
        use std::io::IsTerminal;
        Self {
            interrupt: interrupt.clone(),
            deadline,
            started: Instant::now(),
            terminal: (!quiet).then(|| std::io::stderr().is_terminal()),
            recorded,
            runs: 0,
            stopped: None,
        }
    }

    fn tell(&self, experiment: &Experiment, evidence: &Evidence, hypotheses: usize) {
        let Some(terminal) = self.terminal else { return };
        let what = if experiment.faults.is_empty() {
            "no faults".to_owned()
        } else {
            let faults: Vec<String> = experiment.faults.iter().map(ToString::to_string).collect();
            faults.join(" + ")
        };
        let fired = evidence.fired.iter().filter(|fired| **fired).count();
        let fired = if fired < experiment.faults.len() {
            format!(", {fired} of {} fired", experiment.faults.len())
        } else {
            String::new()
        };
        let line = format!("run {}: {}{fired}; {what}", experiment.number, evidence.outcome);
        if terminal && evidence.outcome != Outcome::Bad {
            let elapsed = self.started.elapsed().as_secs();
            to_stderr(format_args!("\r\u{1b}[2K{line} ({hypotheses} hypotheses, {elapsed} s)"));
        } else {
            let start = if terminal { "\r\u{1b}[2K" } else { "" };
            to_stderr(format_args!("{start}{line}\n"));
        }
    }
}

impl Watch for Watching {
    fn stop(&mut self) -> bool {
        if self.runs < self.recorded {
            return false;
        }
        if self.interrupt.is_set() {
            self.stopped = Some("interrupted");
        } else if self.deadline.is_some_and(|deadline| Instant::now() >= deadline) {
            self.stopped = Some("time");
        }
        self.stopped.is_some()
    }

    fn ran(&mut self, experiment: &Experiment, evidence: &Evidence, hypotheses: usize) {
        self.runs += 1;
        if self.runs > self.recorded {
            self.tell(experiment, evidence, hypotheses);
        }
    }
}

impl Drop for Watching {
    /// Removes the line from a terminal.
    fn drop(&mut self) {
        if self.terminal == Some(true) {
            to_stderr(format_args!("\r\u{1b}[2K"));
        }
    }
}
