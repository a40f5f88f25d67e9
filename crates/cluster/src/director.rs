//! Who watches a run, and may act on it.

use std::sync::Arc;

use linchpin_tracer::{Decision, Event, Observer};
use linchpin_tracker::Recorder;

use crate::control::Control;

/// Sees every event of every node before it takes effect (as [`Observer`]), and the phases of the
/// run. Faults are injected from here: an event answers a call, or something is done through
/// [`Control`].
///
/// Events come from the tracer threads of the nodes, phases from the thread that called
/// [`crate::run()`].
pub trait Director: Observer {
    /// Networks and folders are there; no node runs yet. The control stays valid for the run.
    fn prepared(&self, control: &Arc<Control>) {
        let _ = control;
    }

    /// Every node is ready and has settled: the workload begins.
    fn workload_begins(&self, control: &Arc<Control>) {
        let _ = control;
    }

    /// The workload has ended: undo what was done. Nodes restarted here are waited for.
    fn heal(&self, control: &Arc<Control>) {
        let _ = control;
    }

    /// Everything has been judged: nodes will be stopped now. Nothing must be held any more.
    fn stopping(&self, control: &Arc<Control>) {
        let _ = control;
    }
}

/// Only records.
#[derive(Clone, Debug, Default)]
pub struct Recording(pub Arc<Recorder>);

impl Observer for Recording {
    fn observe(&self, event: Event) -> Decision {
        self.0.observe(event)
    }
}

impl Director for Recording {}
