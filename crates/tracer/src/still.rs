//! Threads that stand still longer than their stop: those of a node that is paused, and those a
//! decision holds at a gate.
//!
//! A pause interrupts every thread (PTRACE_INTERRUPT) and keeps it in whatever stop comes next;
//! the stops are dealt with when the node goes on, in the order in which they came. No signal
//! reaches a program, so neither it nor its parent can tell.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::Decision;
use crate::event::CallId;
use crate::node::{Node, unless_gone};
use crate::pending::Pending;
use crate::policy::Gate;
use crate::ptrace::{PtraceError, Stop, Stopped};
use crate::{TracerError, arch};

/// How often gates and pauses are looked at while there are any.
const PATIENCE: Duration = Duration::from_micros(200);

/// A call that waits at a gate.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) gate: Gate,
    pub(crate) call: Option<CallId>,
}

/// What stands still.
#[derive(Debug, Default)]
pub(crate) struct Still {
    /// The node is paused.
    paused: bool,
    /// Stops that were dealt with; the signal is to be delivered.
    parked: Vec<(Stopped, i32)>,
    /// Stops that came while the node was paused.
    stashed: Vec<(Stopped, Stop)>,
    held: Vec<(Stopped, Held)>,
}

impl Still {
    /// True if the tracer must look now and then rather than wait.
    pub(crate) fn restless(&self) -> bool {
        self.paused || !self.held.is_empty()
    }

    pub(crate) fn park(&mut self, stopped: Stopped, signal: i32) {
        self.parked.push((stopped, signal));
    }

    pub(crate) fn hold(&mut self, stopped: Stopped, held: Held) {
        self.held.push((stopped, held));
    }

    /// The threads that stand still.
    fn threads(&self) -> BTreeSet<i32> {
        let parked = self.parked.iter().map(|(stopped, _)| stopped.thread());
        let stashed = self.stashed.iter().map(|(stopped, _)| stopped.thread());
        let held = self.held.iter().map(|(stopped, _)| stopped.thread());
        parked.chain(stashed).chain(held).collect()
    }

    pub(crate) fn forget(&mut self, thread: i32) {
        self.parked.retain(|(stopped, _)| stopped.thread() != thread);
        self.stashed.retain(|(stopped, _)| stopped.thread() != thread);
        self.held.retain(|(stopped, _)| stopped.thread() != thread);
    }
}

impl Node {
    /// Begins and ends pauses, and opens gates.
    pub(crate) fn settle(&mut self) -> Result<(), TracerError> {
        let pausing = self.control.pausing();
        if pausing && !self.still.paused {
            self.still.paused = true;
            let standing = self.still.threads();
            for thread in self.threads.keys().filter(|thread| !standing.contains(thread)) {
                // A thread that is gone, or has stopped meanwhile, needs no interruption.
                Stopped::interrupt(*thread);
            }
        }
        if self.still.paused {
            let standing = self.still.threads();
            let all = self
                .threads
                .iter()
                .all(|(thread, known)| known.exiting || standing.contains(thread));
            self.control.set_still(all);
        }
        if !pausing && self.still.paused {
            self.still.paused = false;
            self.control.set_still(false);
            self.notice();
            for (stopped, signal) in std::mem::take(&mut self.still.parked) {
                unless_gone(self.resume(stopped, signal))?;
            }
            for (stopped, stop) in std::mem::take(&mut self.still.stashed) {
                unless_gone(self.stopped(stopped, stop))?;
            }
        }
        if !self.still.paused {
            self.open_gates()?;
        }
        Ok(())
    }

    /// How long to sleep when nothing happens.
    pub(crate) fn patience(&self) -> Duration {
        PATIENCE
    }

    /// Takes a stop, unless the node is paused: then it is kept for later.
    pub(crate) fn take(&mut self, stopped: Stopped, stop: Stop) -> Result<(), PtraceError> {
        if let Some(known) = self.threads.get_mut(&stopped.thread()) {
            known.quiet = None; // whatever call it was in, it is not any more
        }
        if self.still.paused {
            self.still.stashed.push((stopped, stop));
            return Ok(());
        }
        self.stopped(stopped, stop)
    }

    fn open_gates(&mut self) -> Result<(), TracerError> {
        if self.still.held.is_empty() {
            return Ok(());
        }
        let (open, closed) = std::mem::take(&mut self.still.held)
            .into_iter()
            .partition::<Vec<_>, _>(|(_, held)| held.gate.opened().is_some());
        self.still.held = closed;
        if !open.is_empty() {
            self.notice();
        }
        for (stopped, held) in open {
            let decision = held.gate.opened().unwrap_or_default();
            unless_gone(self.release_held(stopped, &held, &decision))?;
        }
        Ok(())
    }

    fn release_held(
        &mut self,
        stopped: Stopped,
        held: &Held,
        decision: &Decision,
    ) -> Result<(), PtraceError> {
        if let Decision::Answer(result) = decision {
            self.skip(&stopped, held.call, *result, false)?;
        } else if let Decision::Deliver(bytes) = decision {
            self.skip(&stopped, held.call, *bytes as i64, true)?;
        }
        self.resume(stopped, 0)
    }

    /// Makes the kernel skip the call a thread is stopped in, and says so.
    pub(crate) fn skip(
        &mut self,
        stopped: &Stopped,
        call: Option<CallId>,
        result: i64,
        delivered: bool,
    ) -> Result<(), PtraceError> {
        use crate::Action::{Answered, Sent};
        arch::answer(stopped, result)?;
        let thread = stopped.thread();
        let single = match self.threads.get_mut(&thread).and_then(|known| known.pending.take()) {
            Some(Pending::Send { single, .. }) => single,
            _ => true,
        };
        let Some(call) = call else { return Ok(()) };
        if delivered {
            let bytes = if single { result.max(0) as u64 } else { 0 };
            self.emit(thread, Sent { call, messages: 1, bytes, error: None, assumed: false });
        } else {
            self.emit(thread, Answered { call, result });
        }
        Ok(())
    }
}
