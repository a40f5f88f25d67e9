//! The tracer's observer: feeds one tracker from the tracer threads of all nodes.

use std::sync::{Mutex, MutexGuard, PoisonError};

use linchpin_tracer::{Decision, Event, Observer};

use crate::tracker::Tracker;

/// A tracker that several tracer threads share. The order in which they lock it is the order of
/// the record: since every cause is reported before the kernel acts on it, causes come first.
#[derive(Debug, Default)]
pub struct Recorder {
    tracker: Mutex<Tracker>,
}

impl Recorder {
    /// A recorder that has seen nothing.
    pub fn new() -> Recorder {
        Recorder::default()
    }

    /// The tracker, while the system runs or after. Traced threads that reach an event wait until
    /// the guard is dropped.
    pub fn tracker(&self) -> MutexGuard<'_, Tracker> {
        self.tracker.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The tracker, once tracing is over.
    pub fn into_tracker(self) -> Tracker {
        self.tracker.into_inner().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Observer for Recorder {
    fn observe(&self, event: Event) -> Decision {
        let mut tracker = self.tracker();
        let id = tracker.record(event);
        if tracker.may_fail(id) { Decision::Follow } else { Decision::Continue }
    }
}
