//! One run of a cluster under faults.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};

use linchpin_cluster::{
    CLIENT, Cluster, ClusterError, Control, Director, HistoryFiles, Judgement, RunOptions,
    RunResult, Workspace,
};
use linchpin_hunt::{FileWrite, Target};
use linchpin_injector::{
    Controller, Data, Fault, FaultReport, Injector, Setup, is_write_to_file as is_write,
};
use linchpin_tracer::{Approach, Decision, Event, NodeId, Observer, Options, Site};
use linchpin_tracker::{Recorder, Tracker};
use thiserror::Error;

/// Under which conditions a cluster is run.
#[derive(Clone, Debug)]
pub struct Conditions {
    /// What goes wrong.
    pub faults: Vec<Fault>,
    /// The seed given to the cluster.
    pub seed: u64,
    /// Parameters of the workload that differ from their defaults.
    pub parameters: BTreeMap<String, String>,
    /// The run is to be learned from: writes to files, final reads and checks are traced as well,
    /// and nodes are killed once it is judged.
    pub is_experiment: bool,
    /// Where what nodes print is kept.
    pub logs: PathBuf,
    /// Where the event log goes, written as events come: what is there of a run that was killed is
    /// what it saw.
    pub events: Option<PathBuf>,
    /// The run ends early when this becomes true.
    pub interrupt: Arc<AtomicBool>,
    /// Judges histories by the names of checkers.
    pub judge: Option<fn(&[String], &HistoryFiles) -> Judgement>,
}

/// A run that took place.
#[derive(Debug)]
pub struct CarriedOut {
    /// What the cluster says of it.
    pub result: RunResult,
    /// Every event, in order.
    pub tracker: Tracker,
    /// What became of each fault.
    pub reports: Vec<FaultReport>,
    /// Writes to files. Empty if it was no experiment.
    pub writes: Vec<FileWrite>,
    /// How many events there were when faults were healed, if that was reached.
    pub healed: Option<usize>,
    /// The addresses of the nodes.
    pub addresses: BTreeMap<IpAddr, NodeId>,
}

/// Why a cluster was not run.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum LaboratoryError {
    /// Occurs when the cluster cannot be run.
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    /// Occurs when the machine has no thread left for the injector.
    #[error("the injector could not be started ({0}): no fault was injected")]
    Injector(String),
    /// Occurs when the event log cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Log {
        /// Its file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// Runs a cluster once. Nothing of it runs any more when this returns.
///
/// # Errors
/// If it cannot be run at all; a run that goes wrong is a result.
pub fn carry_out(
    cluster: &Cluster,
    conditions: &Conditions,
) -> Result<CarriedOut, LaboratoryError> {
    let Conditions { faults, is_experiment, .. } = conditions;
    // What power loss needs; removed when this returns.
    let shadows = Workspace::new()?;
    let tracer = Options { writes: *is_experiment, ..Options::default() };
    let options = RunOptions {
        seed: Some(conditions.seed),
        parameters: conditions.parameters.clone(),
        isolation: None,
        logs: conditions.logs.clone(),
        tracer: Injector::options(faults, tracer),
        interrupt: Arc::clone(&conditions.interrupt),
        trace_checks: *is_experiment,
        stop_at_once: *is_experiment,
        judge: conditions.judge,
    };
    let no_log = |source| {
        let path = conditions.events.clone().unwrap_or_default();
        LaboratoryError::Log { path, source }
    };
    let recorder = match &conditions.events {
        Some(path) => File::create(path)
            .and_then(|file| Recorder::new().with_log(Box::new(file)))
            .map_err(no_log)?,
        None => Recorder::new(),
    };
    let recorder = Arc::new(recorder);
    let director = Arc::new(Faults {
        cluster: cluster.clone(),
        faults: faults.clone(),
        recorder: Arc::clone(&recorder),
        scratch: shadows.path.clone(),
        is_experiment: *is_experiment,
        injector: OnceLock::new(),
        control: OnceLock::new(),
        output: OnceLock::new(),
        seen: Mutex::default(),
    });
    let observer: Arc<dyn Director> = Arc::clone(&director) as Arc<dyn Director>;
    let (result, logged) = recorder.flushing(|| linchpin_cluster::run(cluster, &options, observer));
    let result = result?;
    logged.map_err(no_log)?;
    let seen = std::mem::take(&mut *director.seen());
    drop(director);
    if let Some(error) = seen.failure {
        return Err(LaboratoryError::Injector(error));
    }
    let tracker = Arc::try_unwrap(recorder)
        .map(Recorder::into_tracker)
        .unwrap_or_else(|shared| shared.tracker().clone());
    Ok(CarriedOut {
        result,
        tracker,
        reports: seen.reports,
        writes: seen.writes,
        healed: seen.healed,
        addresses: seen.addresses,
    })
}

/// What was seen besides events.
#[derive(Debug, Default)]
struct Seen {
    reports: Vec<FaultReport>,
    writes: Vec<FileWrite>,
    healed: Option<usize>,
    addresses: BTreeMap<IpAddr, NodeId>,
    failure: Option<String>,
}

/// Directs a run: every event goes through the injector.
struct Faults {
    cluster: Cluster,
    faults: Vec<Fault>,
    recorder: Arc<Recorder>,
    scratch: PathBuf,
    is_experiment: bool,
    injector: OnceLock<Arc<Injector>>,
    control: OnceLock<Arc<Control>>,
    /// The file the workload prints to, by the name that the kernel has for it.
    output: OnceLock<PathBuf>,
    seen: Mutex<Seen>,
}

impl Faults {
    fn seen(&self) -> MutexGuard<'_, Seen> {
        self.seen.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Where a write goes, if it is one that matters.
    fn target(&self, approach: &Approach) -> Option<Target> {
        let path = approach.path.as_deref().filter(|_| is_write(approach.call))?;
        let control = self.control.get()?;
        let node = control.node_of(approach.node)?;
        if node == CLIENT {
            let output = self.output.get_or_init(|| {
                let output = control.workload_output();
                std::fs::canonicalize(&output).unwrap_or(output)
            });
            return (Path::new(path) == output).then_some(Target::Output);
        }
        Path::new(path).starts_with(control.data(node)).then(|| Target::Data(path.to_owned()))
    }

    fn note_write(&self, approach: &Approach, site: &Site<'_>, is_written: bool) {
        /// A value further into a single write is not followed.
        const BYTES_MAX: usize = 1 << 16;
        let Some(target) = self.target(approach) else { return };
        let mut bytes = if is_written { site.content().unwrap_or_default() } else { Vec::new() };
        bytes.truncate(BYTES_MAX);
        let position = self.recorder.tracker().graph().len();
        let (node, thread) = (approach.node, approach.thread);
        self.seen().writes.push(FileWrite { position, node, thread, target, bytes });
    }
}

impl Observer for Faults {
    fn observe(&self, event: Event) -> Decision {
        self.recorder.observe(event)
    }

    fn decide(&self, event: Event, site: &Site<'_>) -> Decision {
        match self.injector.get() {
            Some(injector) => injector.decide(event, site),
            None => self.observe(event),
        }
    }

    fn approach(&self, approach: &Approach, site: &Site<'_>) -> Decision {
        let decision = match self.injector.get() {
            Some(injector) => injector.approach(approach, site),
            None => Decision::Continue,
        };
        if self.is_experiment {
            // What is answered with an error is not written.
            let is_written = !matches!(decision, Decision::Answer(result) if result < 0);
            self.note_write(approach, site, is_written);
        }
        decision
    }
}

impl Director for Faults {
    fn prepared(&self, control: &Arc<Control>) {
        let _ = self.control.set(Arc::clone(control));
        let names = control.names();
        let addresses: BTreeMap<IpAddr, NodeId> = names
            .iter()
            .zip(0..)
            .filter_map(|(name, index)| Some((control.address(name)?, NodeId(index))))
            .collect();
        self.seen().addresses.clone_from(&addresses);
        let setup = Setup {
            nodes: names.to_vec(),
            faults: self.faults.clone(),
            rules: self.cluster.rules.clone(),
            addresses,
            scratch: self.scratch.clone(),
        };
        let controller = Arc::new(Nodes(Arc::clone(control)));
        let recorder = Arc::clone(&self.recorder);
        match Injector::new(setup, recorder, controller, control.start()) {
            Ok(injector) => {
                let _ = self.injector.set(injector);
            }
            Err(error) => self.seen().failure = Some(error.to_string()),
        }
    }

    fn workload_begins(&self, _: &Arc<Control>) {
        self.injector.get().inspect(|injector| injector.begin());
    }

    fn heal(&self, _: &Arc<Control>) {
        let events = self.recorder.tracker().graph().len();
        self.seen().healed = Some(events);
        self.injector.get().inspect(|injector| injector.heal());
    }

    fn stopping(&self, _: &Arc<Control>) {
        if let Some(injector) = self.injector.get() {
            let reports = injector.finish();
            self.seen().reports = reports;
        }
    }
}

struct Nodes(Arc<Control>);

fn cannot(what: &str, from: &str, to: &str, error: &io::Error) -> String {
    format!("the link {from}->{to} could not {what}: {error}")
}

impl Controller for Nodes {
    fn node_of(&self, id: NodeId) -> Option<String> {
        self.0.node_of(id).map(str::to_owned)
    }

    fn kill(&self, node: &str) {
        self.0.kill(node);
    }

    fn restart(&self, node: &str, data: Data) -> Result<(), String> {
        self.0.restart(node, std::time::Duration::ZERO, data == Data::Keep);
        Ok(())
    }

    fn data(&self, node: &str) -> Option<PathBuf> {
        Some(self.0.data(node))
    }

    fn cut(&self, from: &str, to: &str) -> Result<bool, String> {
        self.0.cut(from, to).map_err(|error| cannot("be cut", from, to, &error))
    }

    fn heal(&self, from: &str, to: &str) -> Result<(), String> {
        self.0.heal(from, to).map(drop).map_err(|error| cannot("be healed", from, to, &error))
    }
}
