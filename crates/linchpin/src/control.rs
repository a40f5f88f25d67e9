//! What may end a search early, and how it is watched.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use linchpin_search::{Control, Event, Halt, StopReason};
use signal_hook::consts::{SIGINT, SIGTERM};

/// Set when the user presses Ctrl-C, or somebody asks the process to end (SIGTERM).
#[derive(Clone, Debug, Default)]
pub(crate) struct Interrupt(Arc<AtomicBool>);

impl Interrupt {
    /// From now on Ctrl-C or SIGTERM asks the search to end; a second one ends the process.
    pub(crate) fn install() -> anyhow::Result<Self> {
        let interrupt = Self::default();
        let code = i32::from(crate::exit::Exit::Interrupted.code());
        // In this order: the first one finds the flag not set yet.
        let flag = &interrupt.0;
        for signal in [SIGINT, SIGTERM] {
            signal_hook::flag::register_conditional_shutdown(signal, code, Arc::clone(flag))?;
            signal_hook::flag::register(signal, Arc::clone(flag))?;
        }
        Ok(interrupt)
    }

    /// What is set, for libraries that know nothing of it.
    pub(crate) fn flag(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.0)
    }

    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::SeqCst)
    }
}

/// Time limit and interruption.
#[derive(Debug)]
pub(crate) struct Limits {
    pub(crate) interrupt: Interrupt,
    pub(crate) deadline: Option<Instant>,
}

impl Limits {
    pub(crate) fn new(interrupt: &Interrupt, timeout: Option<Duration>) -> Self {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        Self { interrupt: interrupt.clone(), deadline }
    }
}

impl Limits {
    fn reason(interrupt: &Interrupt, deadline: Option<Instant>) -> Option<StopReason> {
        if interrupt.is_set() {
            return Some(StopReason::Interrupted);
        }
        deadline.filter(|deadline| Instant::now() >= *deadline).map(|_| StopReason::Time)
    }
}

impl Control for Limits {
    fn stop(&mut self) -> Option<StopReason> {
        Self::reason(&self.interrupt, self.deadline)
    }

    fn halt(&self) -> Halt {
        let (interrupt, deadline) = (self.interrupt.clone(), self.deadline);
        Halt::when(move || Self::reason(&interrupt, deadline))
    }

    fn observe(&mut self, _: Event<'_>) {}
}
