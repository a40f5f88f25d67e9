//! Progress on standard error: nothing for the first second, then one line that is rewritten on a
//! terminal, or a line now and then elsewhere.

use std::io::IsTerminal;
use std::time::{Duration, Instant};

use linchpin_model::Bounds;
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
    /// Runs of earlier sittings among them.
    recorded: u64,
    plan: Plan,
    counterexamples: u64,
    covered: Option<usize>,
    /// Runs with one fault more than is covered.
    runs_of_size: u64,
}

/// What is known beforehand of how long a search takes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Plan {
    /// The search gives up after so many runs.
    pub(crate) runs_max: Option<u64>,
    /// How many fault sets are within the bounds, if each is run on its own.
    pub(crate) fault_sets: Option<f64>,
    /// Runs that are recorded already.
    pub(crate) recorded: u64,
    /// How many single faults there are: no hypothesis has more.
    pub(crate) faults: Option<usize>,
    /// What there is to try.
    pub(crate) bounds: Option<Bounds>,
}

impl Progress {
    pub(crate) fn new(quiet: bool, plan: Plan, deadline: Option<Instant>) -> Self {
        Self {
            started: Instant::now(),
            deadline,
            terminal: (!quiet).then(|| std::io::stderr().is_terminal()),
            last: None,
            runs: 0,
            recorded: plan.recorded,
            plan,
            counterexamples: 0,
            covered: None,
            runs_of_size: 0,
        }
    }

    pub(crate) fn observe(&mut self, event: &Event<'_>) {
        match event {
            Event::Run { faults, .. } => {
                self.runs += 1;
                if self.covered.is_some_and(|covered| faults.len() == covered + 1) {
                    self.runs_of_size += 1;
                }
            }
            Event::Exhausted { size } => {
                self.covered = Some(*size);
                self.runs_of_size = 0;
            }
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

    /// The hypotheses that wait. The solver finds them one by one, and runs answer for more than
    /// themselves: so their number is a limit.
    fn waiting(&self) -> String {
        match self.covered {
            Some(size) if self.plan.faults.is_some_and(|faults| size >= faults) => {
                "every hypothesis answered".to_owned()
            }
            Some(size) => {
                let sets = self.plan.bounds.as_ref().map(|all| all.fault_sets_of_size(size + 1));
                let waiting = sets.map(|sets| (sets - self.runs_of_size as f64).max(0.0));
                let number = waiting.map(|waiting| format!("at most {} ", about(waiting)));
                format!(
                    "{}hypotheses of {} waiting (all smaller ones answered)",
                    number.unwrap_or_default(),
                    plural(size as u64 + 1, "fault")
                )
            }
            None => "hypotheses of any size waiting".to_owned(),
        }
    }

    fn line(&self, now: Instant) -> String {
        let elapsed = now.duration_since(self.started);
        let made = self.runs.saturating_sub(self.recorded);
        let rate = made as f64 / elapsed.as_secs_f64().max(0.001);
        let mut parts = vec![if made == 0 && self.recorded > 0 {
            format!("{} of {} retraced", self.runs, plural(self.recorded, "recorded run"))
        } else {
            format!("{} ({rate:.0} a second)", plural(self.runs, "run"))
        }];
        parts.push(self.waiting());
        if let Some(sets) = self.plan.fault_sets {
            let share = 100.0 * (self.runs as f64 / sets).min(1.0);
            parts.push(format!("{share:.2}% of the fault sets"));
        }
        parts.push(plural(self.counterexamples, "counterexample"));
        parts.push(duration(elapsed.as_secs_f64()));
        let left = |runs: f64| (rate > 0.0).then(|| (runs - self.runs as f64).max(0.0) / rate);
        if let Some(left) = self.plan.fault_sets.and_then(left) {
            parts.push(format!("about {} for all", duration(left)));
        }
        let by_runs = self.plan.runs_max.and_then(|max| left(max as f64));
        let by_time = self.deadline.map(|at| at.saturating_duration_since(now).as_secs_f64());
        if let Some(left) = by_runs.into_iter().chain(by_time).min_by(f64::total_cmp) {
            parts.push(format!("gives up in {} at the latest", duration(left)));
        }
        parts.join(", ")
    }
}

/// A number that is known about, for people.
fn about(count: f64) -> String {
    if count < 1e6 { format!("{count:.0}") } else { format!("{count:.0e}") }
}

/// Seconds for people.
fn duration(seconds: f64) -> String {
    const HOUR: f64 = 3600.0;
    match seconds {
        s if s < 120.0 => format!("{s:.0} s"),
        s if s < 2.0 * HOUR => format!("{:.0} min", s / 60.0),
        s if s < 48.0 * HOUR => format!("{:.0} h", s / HOUR),
        s if s < 730.0 * 24.0 * HOUR => format!("{:.0} days", s / (24.0 * HOUR)),
        _ => "years".to_owned(),
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

#[cfg(test)]
mod tests {
    use super::*;

    fn after(seconds: u64, runs: u64, plan: Plan, deadline: Option<u64>) -> String {
        let mut progress = Progress::new(true, plan, None);
        progress.runs = runs;
        progress.covered = Some(2);
        let at = |seconds| progress.started + Duration::from_secs(seconds);
        let (now, deadline) = (at(seconds), deadline.map(at));
        progress.deadline = deadline;
        progress.line(now)
    }

    #[test]
    fn what_is_known_is_said_and_no_more() {
        assert_eq!(
            after(10, 50, Plan::default(), None),
            "50 runs (5 a second), hypotheses of 3 faults waiting (all smaller ones answered), \
             0 counterexamples, 10 s"
        );
        let nodes = ["a", "b", "c"].map(str::to_owned).to_vec();
        let bounds = Bounds { eot: 6, eff: 4, nodes, ..Bounds::default() };
        let plan = Plan { bounds: Some(bounds), ..Plan::default() };
        assert!(
            after(10, 50, plan, None).contains(", at most 816 hypotheses of 3 faults waiting (all")
        );
        let all = Plan { faults: Some(2), ..Plan::default() };
        assert!(after(10, 50, all, None).contains(", every hypothesis answered, "));
        let plan = Plan { fault_sets: Some(36_000.0), ..Plan::default() };
        assert!(
            after(10, 10_000, plan.clone(), None)
                .ends_with("27.78% of the fault sets, 0 counterexamples, 10 s, about 26 s for all")
        );
        let plan = Plan { fault_sets: Some(1e12), runs_max: Some(2000), ..plan };
        assert!(after(10, 1000, plan, None).ends_with(
            "0.00% of the fault sets, 0 counterexamples, 10 s, about years for all, \
                        gives up in 10 s at the latest"
        ));
        assert!(
            after(10, 50, Plan::default(), Some(200)).ends_with("gives up in 3 min at the latest")
        );
    }

    #[test]
    fn recorded_runs_do_not_count_towards_the_rate() {
        let plan = Plan { recorded: 100, ..Plan::default() };
        assert!(after(10, 40, plan.clone(), None).starts_with("40 of 100 recorded runs retraced"));
        assert!(after(10, 150, plan, None).starts_with("150 runs (5 a second)"));
    }
}
