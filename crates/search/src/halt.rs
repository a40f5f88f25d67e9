//! Giving up in the midst of something long.

use std::fmt;
use std::sync::Arc;

use crate::StopReason;

/// Tells whether the search shall end, wherever time is spent: within a run, while a program is
/// grounded, within a call of the solver. (Between these [`Control::stop`](crate::Control::stop) is
/// asked.)
#[derive(Clone, Default)]
pub struct Halt(Option<Arc<dyn Fn() -> Option<StopReason> + Send + Sync>>);

impl Halt {
    /// Asks a function, from any thread and often: it must be quick.
    #[must_use]
    pub fn when(asked: impl Fn() -> Option<StopReason> + Send + Sync + 'static) -> Self {
        Self(Some(Arc::new(asked)))
    }

    /// Why the search shall end now, if it shall.
    #[must_use]
    pub fn reason(&self) -> Option<StopReason> {
        self.0.as_ref().and_then(|asked| asked())
    }

    /// True if the search shall end now.
    #[must_use]
    pub fn is_due(&self) -> bool {
        self.reason().is_some()
    }
}

impl fmt::Debug for Halt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.0.is_some() { "Halt(asks)" } else { "Halt(never)" })
    }
}
