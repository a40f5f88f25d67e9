//! The laboratory of a hunt: experiments in processes of their own, several at once, kept in the
//! order in which the hunt asks for them.

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, anyhow, bail};
use linchpin_cluster::Cluster;
use linchpin_hunt::{Evidence, Experiment, Fault, Laboratory, Recorded};
use linchpin_record::{SourceFile, TraceHeader, TraceWriter};
use thiserror::Error;

use crate::control::Interrupt;
use crate::exit::Exit;
use crate::experiment::{self, Done, Job};
use crate::output::with_causes;
use crate::trace_cluster;

/// What an experiment showed, beside its trace in the folder of its run: all that going on needs.
pub(crate) const EVIDENCE: &str = "evidence.json";

/// How often it is looked whether an experiment has ended.
const LOOK_EVERY: Duration = Duration::from_millis(4);

/// Experiments that are told to end get so long to clean up.
const CLEANING_MAX: Duration = Duration::from_secs(20);

/// Of those that ended and were not asked for, only so many are kept.
const KEPT_MAX: usize = 64;

/// Why an experiment has no result.
#[derive(Debug, Error)]
pub(crate) enum NoResult {
    /// The user interrupted it.
    #[error("interrupted")]
    Interrupted,
    #[error("{}", with_causes(.0))]
    Failed(anyhow::Error),
}

/// Runs experiments, and keeps them.
pub(crate) struct Bench<'a> {
    cluster: &'a Cluster,
    seed: u64,
    /// How many at once.
    jobs: usize,
    writer: &'a mut TraceWriter,
    /// What the record says until the hunt ends, if it says how an earlier sitting ended; until the first
    /// run of this one.
    reopened: Option<&'a TraceHeader>,
    interrupt: &'a Interrupt,
    /// What was run so far, the runs of earlier sittings included.
    recorded: &'a mut Vec<Recorded>,
    /// In the order in which they were begun.
    underway: Vec<Underway>,
    expected: VecDeque<Vec<Fault>>,
    begun: u64,
}

/// An experiment that was begun and not asked for yet.
struct Underway {
    faults: Vec<Fault>,
    folder: PathBuf,
    state: State,
}

enum State {
    Running(Child),
    Ended(ExitStatus, String),
}

impl Underway {
    fn is_running(&self) -> bool {
        matches!(self.state, State::Running(_))
    }

    /// Looks whether it has ended.
    fn look(&mut self) -> std::io::Result<()> {
        if let State::Running(child) = &mut self.state
            && let Some(status) = child.try_wait()?
        {
            let mut told = String::new();
            if let Some(stderr) = &mut child.stderr {
                let mut bytes = Vec::new();
                stderr.read_to_end(&mut bytes)?;
                told = String::from_utf8_lossy(&bytes).into_owned();
            }
            self.state = State::Ended(status, told);
        }
        Ok(())
    }
}

impl Laboratory for Bench<'_> {
    type Error = NoResult;

    fn run(&mut self, experiment: &Experiment) -> Result<Evidence, NoResult> {
        let found = self.carry_out(experiment);
        if self.interrupt.is_set() {
            return Err(NoResult::Interrupted);
        }
        let evidence = found.map_err(NoResult::Failed)?;
        let (experiment, kept) = (experiment.clone(), evidence.clone());
        self.recorded.push(Recorded { experiment, evidence: kept });
        Ok(evidence)
    }

    fn capacity(&self) -> usize {
        self.jobs
    }

    fn expect(&mut self, next: Vec<Vec<Fault>>) {
        // Those that are under way already need not be begun.
        let mut underway: Vec<&Vec<Fault>> = self.underway.iter().map(|one| &one.faults).collect();
        self.expected = next
            .into_iter()
            .filter(|faults| match underway.iter().position(|other| *other == faults) {
                Some(position) => {
                    underway.remove(position);
                    false
                }
                None => true,
            })
            .collect();
    }
}

impl<'a> Bench<'a> {
    pub(crate) fn new(
        cluster: &'a Cluster,
        jobs: usize,
        writer: &'a mut TraceWriter,
        reopened: Option<&'a TraceHeader>,
        interrupt: &'a Interrupt,
        recorded: &'a mut Vec<Recorded>,
    ) -> Self {
        Self {
            cluster,
            seed: cluster.seed,
            jobs: jobs.max(1),
            writer,
            reopened,
            interrupt,
            recorded,
            underway: Vec::new(),
            expected: VecDeque::new(),
            begun: 0,
        }
    }

    /// The result of an experiment, which may be under way or have ended already.
    fn carry_out(&mut self, experiment: &Experiment) -> anyhow::Result<Evidence> {
        let is_wanted = |one: &Underway| one.faults == experiment.faults;
        if !self.underway.iter().any(is_wanted) {
            self.wait(|bench| bench.running() < bench.jobs)?;
            if self.interrupt.is_set() {
                bail!("interrupted");
            }
            self.begin(experiment.faults.clone())?;
        }
        self.wait(|bench| {
            let mut wanted = bench.underway.iter().filter(|one| is_wanted(one));
            wanted.next().is_some_and(|one| !one.is_running())
        })?;
        let is_ended = |one: &Underway| is_wanted(one) && !one.is_running();
        // Interrupted: what still runs is told to end, and waited for, when this is dropped.
        let Some(position) = self.underway.iter().position(is_ended) else { bail!("interrupted") };
        let ended = self.underway.remove(position);
        self.keep(experiment, ended)
    }

    fn running(&self) -> usize {
        self.underway.iter().filter(|one| one.is_running()).count()
    }

    /// Waits for something, and meanwhile begins what is expected.
    fn wait(&mut self, is_there: impl Fn(&Self) -> bool) -> anyhow::Result<()> {
        loop {
            for one in &mut self.underway {
                one.look().context("cannot wait for an experiment")?;
            }
            if is_there(self) || self.interrupt.is_set() {
                return Ok(());
            }
            while self.running() < self.jobs
                && let Some(faults) = self.expected.pop_front()
            {
                self.begin(faults)?;
            }
            std::thread::sleep(LOOK_EVERY);
        }
    }

    fn begin(&mut self, faults: Vec<Fault>) -> anyhow::Result<()> {
        if let Some(header) = self.reopened.take() {
            self.writer.conclude(header)?;
        }
        let folder = self.writer.begin_ahead(self.begun)?;
        self.begun += 1;
        let job = Job {
            cluster: SourceFile {
                path: self.cluster.path.display().to_string(),
                text: self.cluster.text.clone(),
            },
            faults: faults.clone(),
            seed: self.seed,
            folder: folder.clone(),
        };
        let mut child = Command::new("/proc/self/exe")
            .arg(experiment::ARGUMENT)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .context("cannot start a process for an experiment")?;
        let mut line = serde_json::to_string(&job)?;
        line.push('\n');
        if let Some(input) = &mut child.stdin {
            // If it is gone already, its exit status says more.
            let _ = input.write_all(line.as_bytes());
        }
        self.underway.push(Underway { faults, folder, state: State::Running(child) });
        self.forget_oldest();
        Ok(())
    }

    fn forget_oldest(&mut self) {
        while self.underway.len() > KEPT_MAX + self.jobs
            && let Some(oldest) = self.underway.iter().position(|one| !one.is_running())
        {
            let forgotten = self.underway.remove(oldest);
            let _ = std::fs::remove_dir_all(&forgotten.folder);
        }
    }

    /// Gives what ended its number, and records it.
    fn keep(&mut self, experiment: &Experiment, ended: Underway) -> anyhow::Result<Evidence> {
        let State::Ended(status, told) = &ended.state else { bail!("it is still running") };
        if !status.success() {
            let told = told.trim().trim_start_matches("error: ");
            return Err(match status.code() {
                Some(code) if code == i32::from(Exit::Interrupted.code()) => anyhow!("interrupted"),
                _ if told.is_empty() => anyhow!("the process of an experiment ended: {status}"),
                _ => anyhow!("{told}"),
            });
        }
        let mut done = Done::take(&ended.folder)?;
        done.record.run = experiment.number;
        done.trace.run = experiment.number;
        let folder = self.writer.adopt_run(&ended.folder)?;
        let recorded = Recorded { experiment: experiment.clone(), evidence: done.evidence };
        let path = folder.join(EVIDENCE);
        std::fs::write(&path, serde_json::to_vec(&recorded)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
        if !trace_cluster::keeps_logs(&done.record) {
            let _ = std::fs::remove_dir_all(folder.join("logs"));
            let _ = std::fs::remove_file(folder.join("events.jsonl"));
        }
        self.writer.finish_run(&done.record, Some(&done.trace))?;
        Ok(recorded.evidence)
    }
}

impl Drop for Bench<'_> {
    /// Ends what is under way, and removes what nobody asked for.
    fn drop(&mut self) {
        for one in &mut self.underway {
            if let State::Running(child) = &mut one.state {
                drop(child.stdin.take());
            }
        }
        let deadline = Instant::now() + CLEANING_MAX;
        for one in &mut self.underway {
            while let State::Running(child) = &mut one.state
                && !matches!(child.try_wait(), Ok(Some(_)))
            {
                if Instant::now() >= deadline {
                    let _ = child.kill();
                    let _ = child.wait();
                    break;
                }
                std::thread::sleep(LOOK_EVERY);
            }
            let _ = std::fs::remove_dir_all(&one.folder);
        }
        self.writer.end_ahead();
    }
}
