//! Progress on standard error: nothing for the first second, then one line that is rewritten on a
//! terminal, or a line now and then elsewhere.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use linchpin_model::Outcome;
use linchpin_search::Event;

use crate::human::plural;
use crate::output::to_stderr;

const SILENT: Duration = Duration::from_secs(1);
const BETWEEN_REWRITES: Duration = Duration::from_millis(200);
const BETWEEN_LINES: Duration = Duration::from_secs(5);

/// Counts what happens in a search and says so.
#[derive(Debug)]
pub(crate) struct Progress {
    started: Instant,
    deadline: Option<Instant>,
    /// `None`: say nothing.
    terminal: Option<bool>,
    last: Option<Instant>,
    runs: u64,
    runs_max: Option<u64>,
    bad: u64,
    counterexamples: u64,
    covered: Option<usize>,
}

impl Progress {
    pub(crate) fn new(quiet: bool, runs_max: Option<u64>, deadline: Option<Instant>) -> Self {
        Self {
            started: Instant::now(),
            deadline,
            terminal: (!quiet).then(|| std::io::stderr().is_terminal()),
            last: None,
            runs: 0,
            runs_max,
            bad: 0,
            counterexamples: 0,
            covered: None,
        }
    }

    pub(crate) fn observe(&mut self, event: &Event<'_>) {
        match event {
            Event::Run { outcome, .. } => {
                self.runs += 1;
                self.bad += u64::from(*outcome == Outcome::Bad);
            }
            Event::Exhausted { size } => self.covered = Some(*size),
            Event::Counterexample { .. } => self.counterexamples += 1,
        }
        self.tick();
    }

    /// Says how far things are, if it is time to.
    pub(crate) fn tick(&mut self) {
        let Some(terminal) = self.terminal else { return };
        let now = Instant::now();
        let between = if terminal { BETWEEN_REWRITES } else { BETWEEN_LINES };
        let due = match self.last {
            None => now.duration_since(self.started) >= SILENT,
            Some(last) => now.duration_since(last) >= between,
        };
        if due {
            self.last = Some(now);
            let line = self.line(now);
            if terminal {
                to_stderr(format_args!("\r\u{1b}[2K{line}"));
            } else {
                to_stderr(format_args!("{line}\n"));
            }
        }
    }

    fn line(&self, now: Instant) -> String {
        let elapsed = now.duration_since(self.started);
        let rate = self.runs as f64 / elapsed.as_secs_f64().max(0.001);
        let mut parts = vec![format!("{} ({rate:.0} a second)", plural(self.runs, "run"))];
        parts.push(match self.covered {
            Some(size) => format!("all sets of up to {} covered", plural(size as u64, "fault")),
            None => "no size covered yet".to_owned(),
        });
        parts.push(plural(self.counterexamples, "counterexample"));
        parts.push(format!("{:.0} s", elapsed.as_secs_f64()));
        // The number of runs to come is not known; what is known is when the search gives up.
        let by_runs = self.runs_max.filter(|_| rate > 0.0).map(|max| {
            Duration::from_secs_f64(max.saturating_sub(self.runs) as f64 / rate.max(0.001))
        });
        let by_time = self.deadline.map(|deadline| deadline.saturating_duration_since(now));
        if let Some(left) = by_runs.into_iter().chain(by_time).min() {
            parts.push(format!("gives up in {:.0} s at the latest", left.as_secs_f64()));
        }
        parts.join(", ")
    }
}

impl Drop for Progress {
    /// Removes the line from a terminal.
    fn drop(&mut self) {
        if self.terminal == Some(true) && self.last.is_some() {
            to_stderr(format_args!("\r\u{1b}[2K"));
        }
    }
}
