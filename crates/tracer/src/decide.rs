//! Asks the observer about calls without entry event, and carries out what it decides.

use crate::call::Call;
use crate::event::Channel;
use crate::memory::Part;
use crate::node::Node;
use crate::ptrace::Stopped;
use crate::still::Held;
use crate::{Approach, CallId, Decision, Site};

impl Node {
    pub(crate) fn approach(
        &self,
        thread: i32,
        call: Call,
        channel: Option<Channel>,
        path: Option<String>,
    ) -> Approach {
        let process = self.process_of(thread);
        Approach { node: self.id, process, thread, call, channel, path, target: None, length: 0 }
    }

    /// Asks about a call without entry event. True if the kernel will not run it, or not yet.
    pub(crate) fn refused(
        &mut self,
        stopped: &Stopped,
        approach: &Approach,
        number: u64,
        parts: &[Part],
        flags: i32,
    ) -> bool {
        let site = Site {
            process: self.handle(approach.thread),
            descriptor: (number != u64::MAX).then_some(number as i32),
            parts,
            flags,
            ..Site::of(&self.remote, approach.thread)
        };
        let decision = self.observer.approach(approach, &site);
        self.carried_out(stopped, None, decision)
    }

    /// Carries out the observer's decision. True if the kernel will not run the call.
    pub(crate) fn carried_out(
        &mut self,
        stopped: &Stopped,
        call: Option<CallId>,
        decision: Decision,
    ) -> bool {
        let (result, delivered) = match decision {
            Decision::Continue | Decision::Follow => return false,
            Decision::Hold(gate) => {
                self.holding = Some(Held { gate, call });
                return false;
            }
            Decision::Shorten(bytes) => {
                self.shorten = Some(bytes.max(1));
                return false;
            }
            Decision::Answer(result) => (result, false),
            Decision::Deliver(bytes) => (bytes as i64, true),
        };
        // It fails only if the thread was killed: then the call does not run either.
        let _ = self.skip(stopped, call, result, delivered);
        true
    }
}
