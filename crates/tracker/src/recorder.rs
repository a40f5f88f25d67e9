//! The tracer's observer: feeds one tracker from the tracer threads of all nodes.

use std::io::{self, Write};
use std::sync::{Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

use linchpin_tracer::{Decision, Event, Observer};

use crate::graph::EventId;
use crate::log::LogWriter;
use crate::tracker::Tracker;

/// How long what is written of the log may wait to be written out.
const FLUSH_EVERY: Duration = Duration::from_millis(50);

/// A tracker that several tracer threads share. The order in which they lock it is the order of
/// the record: since every cause is reported before the kernel acts on it, causes come first.
#[derive(Debug, Default)]
pub struct Recorder {
    tracker: Mutex<Tracker>,
    /// Where events are written as they come. Locked after the tracker.
    log: Option<Mutex<LogWriter>>,
    lean: bool,
}

impl Recorder {
    /// A recorder that has seen nothing.
    pub fn new() -> Recorder {
        Recorder::default()
    }

    /// A recorder that does not keep what receives returned where the sends they came from, which
    /// are kept, tell it: half of the contents. Matching has used them by then.
    pub fn lean() -> Recorder {
        Recorder { lean: true, ..Recorder::default() }
    }

    /// The same, and every event is written to `out` as it comes, so that what was seen is there
    /// even if the tracer is killed (but for what [`Recorder::flush_log`] has not written out).
    ///
    /// # Errors
    /// If the first line cannot be written.
    pub fn logging(out: Box<dyn Write + Send>) -> io::Result<Recorder> {
        Recorder::lean().with_log(out)
    }

    /// This recorder, which writes every event to `out` as it comes.
    ///
    /// # Errors
    /// If the first line cannot be written.
    pub fn with_log(self, out: Box<dyn Write + Send>) -> io::Result<Recorder> {
        Ok(Recorder { log: Some(Mutex::new(LogWriter::new(out)?)), ..self })
    }

    /// Writes out what is written of the log.
    ///
    /// # Errors
    /// If something could not be written since this was last asked. The log ends there.
    pub fn flush_log(&self) -> io::Result<()> {
        match &self.log {
            Some(log) => log.lock().unwrap_or_else(PoisonError::into_inner).flush(),
            None => Ok(()),
        }
    }

    /// Does some work, and writes out what is written of the log meanwhile (every 50 ms) and at the
    /// end of it. Says whether all of the log was written.
    pub fn flushing<T>(&self, work: impl FnOnce() -> T) -> (T, io::Result<()>) {
        if self.log.is_none() {
            return (work(), Ok(()));
        }
        std::thread::scope(|scope| {
            let (running, ended) = mpsc::channel::<()>();
            let flushing = scope.spawn(move || {
                while ended.recv_timeout(FLUSH_EVERY) == Err(mpsc::RecvTimeoutError::Timeout) {
                    self.flush_log()?;
                }
                self.flush_log()
            });
            let done = work();
            drop(running);
            (done, flushing.join().unwrap_or(Ok(())))
        })
    }

    /// Enters an event, and writes it to the log, if there is one. Gives the tracker as it is then.
    pub fn record(&self, event: Event) -> (MutexGuard<'_, Tracker>, EventId) {
        let mut tracker = self.tracker();
        let id = tracker.record(event);
        if let Some(log) = &self.log {
            let late = tracker.graph_mut().take_late();
            let mut log = log.lock().unwrap_or_else(PoisonError::into_inner);
            log.event(tracker.graph(), id);
            for effect in late {
                log.late(tracker.graph(), effect);
            }
        }
        if self.lean {
            tracker.graph_mut().forget_received(id);
        }
        (tracker, id)
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
        let (tracker, id) = self.record(event);
        if tracker.may_fail(id) { Decision::Follow } else { Decision::Continue }
    }
}
