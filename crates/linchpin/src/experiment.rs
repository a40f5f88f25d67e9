//! One experiment of a hunt, in a process of its own, so that several can be under way at once: a
//! process has one user namespace, and its tracers wait for its children.
//!
//! The hunt starts `linchpin __experiment`, writes a [`Job`] as one line to its standard input, and
//! leaves that open: when it is closed, the experiment ends early and cleans up. So none outlives
//! its hunt, however that ends.

use std::io::{BufRead, BufReader, Read};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use linchpin_cluster::{Cluster, enter_private_namespaces};
use linchpin_hunt::{Evidence, Fault};
use linchpin_laboratory::{Conditions, Plan, carry_out, evidence};
use linchpin_record::{SourceFile, Trace, TraceRun};
use serde::{Deserialize, Serialize};

use crate::cluster_run::injected;
use crate::control::Interrupt;
use crate::exit::Exit;
use crate::trace_cluster;
use crate::trace_command::unix_ns;

/// The first argument of such a process. It is no subcommand: people have no use for it.
pub(crate) const ARGUMENT: &str = "__experiment";

/// What it leaves in its folder when it ends, beside `logs` and `events.jsonl`.
const RESULT: &str = "result.json";

/// What is to be run.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Job {
    pub(crate) cluster: SourceFile,
    pub(crate) faults: Vec<Fault>,
    pub(crate) seed: u64,
    /// Where logs and results go.
    pub(crate) folder: PathBuf,
}

/// What came out. Its number in the campaign is not known yet: it is 0.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Done {
    pub(crate) evidence: Evidence,
    pub(crate) record: TraceRun,
    pub(crate) trace: Trace,
}

impl Done {
    /// Reads what an experiment left in its folder, and removes it there.
    pub(crate) fn take(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join(RESULT);
        let bytes =
            std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        std::fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        serde_json::from_slice(&bytes).with_context(|| format!("{} is damaged", path.display()))
    }
}

/// True if this process was started to run one experiment.
pub(crate) fn is_asked() -> bool {
    std::env::args_os().nth(1).is_some_and(|argument| argument == ARGUMENT)
}

pub(crate) fn command() -> anyhow::Result<Exit> {
    // First of all: the system allows it to processes with one thread. Where it does not, the hunt
    // has told so.
    let _ = enter_private_namespaces();
    let interrupt = Interrupt::install()?;
    let mut input = BufReader::new(std::io::stdin());
    let mut line = String::new();
    input.read_line(&mut line).context("cannot read what to run")?;
    let job: Job = serde_json::from_str(&line).context("cannot tell what to run")?;
    let flag = interrupt.flag();
    std::thread::spawn(move || {
        // Nothing else is ever written: this ends when whoever asked closes it, or is gone.
        let _ = input.read_to_end(&mut Vec::new());
        flag.store(true, std::sync::atomic::Ordering::SeqCst);
    });
    run(&job, &interrupt)
}

fn run(job: &Job, interrupt: &Interrupt) -> anyhow::Result<Exit> {
    let cluster = Cluster::load(Path::new(&job.cluster.path))?;
    if cluster.text != job.cluster.text {
        bail!("{} was changed while the hunt was under way", job.cluster.path);
    }
    let plan = Plan::of(&job.faults)?;
    let started_unix_ns = unix_ns();
    let conditions = Conditions {
        faults: plan.faults.clone(),
        seed: job.seed,
        parameters: plan.parameters.clone(),
        is_experiment: true,
        logs: job.folder.join("logs"),
        events: Some(job.folder.join(trace_cluster::EVENT_LOG)),
        interrupt: interrupt.flag(),
        judge: Some(crate::judge::judge),
    };
    let run = carry_out(&cluster, &conditions).map_err(trace_cluster::laboratory_error)?;
    if run.result.interrupted {
        return Ok(Exit::Interrupted);
    }
    let evidence = evidence(&cluster, &plan, &run);
    let mut finished =
        trace_cluster::finished(&cluster, 0, run.result, run.tracker, started_unix_ns);
    finished.record.faults = injected(&run.reports);
    let done = Done { evidence, record: finished.record, trace: finished.trace };
    let path = job.folder.join(RESULT);
    std::fs::write(&path, serde_json::to_vec(&done)?)
        .with_context(|| format!("cannot write {}", path.display()))?;
    Ok(Exit::Holds)
}
