//! Stops a hunt in time, and says how far it is.

use std::time::Instant;

use linchpin_hunt::{Evidence, Experiment, Watch};
use linchpin_model::Outcome;

use crate::control::Interrupt;
use crate::output::to_stderr;

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
