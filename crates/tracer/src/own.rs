//! Busy pipes of one process alone: both ends in its hands, none in another's. Runtimes wake their
//! threads through such a pipe all the time (Erlang's a thousand times a second). What threads tell
//! each other by it is no message between processes, no more than what they tell each other through
//! memory: so after a while calls on it are let through at their entry, with no event and no stop
//! at the exit.
//!
//! Nobody else can come by an end without a call that is seen: fork, or a message that carries
//! descriptors. Then the pipe becomes a channel like others, and what lies in it unread counts as
//! sent by its owner at that moment: owner and heirs alike can read it only after that.

use std::collections::BTreeMap;
use std::rc::Rc;

use crate::descriptor;
use crate::event::{Action, Channel, Payload};
use crate::node::Node;
use crate::ptrace::Stopped;

/// Calls on a pipe of one process that are followed before further ones are let through.
const BUSY: u32 = 1000;

/// The pipes made by processes of a node.
#[derive(Debug, Default)]
pub(crate) struct OwnPipes {
    pipes: BTreeMap<Channel, Pipe>,
    /// Counts the changes of who holds what.
    changes: u64,
}

#[derive(Debug)]
struct Pipe {
    /// Calls on it are let through.
    quiet: bool,
    /// Calls on it while one process alone held it.
    calls: u32,
    /// One process alone held it, both ends, after so many changes.
    sole: bool,
    checked: u64,
}

impl OwnPipes {
    /// Some process holds other descriptors than before.
    pub(crate) fn changed(&mut self) {
        self.changes += 1;
    }

    /// A process made a pipe.
    pub(crate) fn made(&mut self, channel: Channel) {
        self.changed();
        let pipe = Pipe { quiet: false, calls: 0, sole: true, checked: self.changes };
        self.pipes.insert(channel, pipe);
    }
}

impl Node {
    /// True if a call of this thread on a channel is nobody else's business.
    pub(crate) fn quiet(&mut self, thread: i32, channel: Channel) -> bool {
        let changes = self.own_pipes.changes;
        let Some(pipe) = self.own_pipes.pipes.get(&channel) else { return false };
        let sole =
            if pipe.checked == changes { pipe.sole } else { self.holds_alone(thread, channel) };
        let (was_quiet, calls) = (pipe.quiet, pipe.calls.saturating_add(u32::from(sole)));
        let quiet = sole && (was_quiet || calls > BUSY && self.is_idle(thread, channel));
        if was_quiet && !quiet {
            self.share(thread, channel);
        }
        self.own_pipes.pipes.insert(channel, Pipe { quiet, calls, sole, checked: changes });
        if let Some(known) = self.threads.get_mut(&thread).filter(|_| quiet) {
            known.quiet = Some(channel);
            self.report.let_through += 1;
        }
        quiet
    }

    /// True if the thread's process holds both ends of a pipe, and no other process any.
    fn holds_alone(&self, thread: i32, channel: Channel) -> bool {
        let Some(own) = self.processes.get(&self.process_of(thread)) else { return false };
        if Rc::strong_count(&own.table) > 1 || !own.table.borrow().holds_both_ends(channel) {
            return false;
        }
        let mut others =
            self.processes.values().filter(|other| !Rc::ptr_eq(&own.table, &other.table));
        others.all(|other| !other.table.borrow().holds_any_end(channel))
    }

    /// True if a pipe is empty and nobody is in a call on it that is followed.
    fn is_idle(&self, thread: i32, channel: Channel) -> bool {
        let mut threads = self.threads.values();
        let in_call =
            threads.any(|known| known.pending.as_ref().is_some_and(|call| call.concerns(channel)));
        !in_call && self.unread(thread, channel, 0).is_some_and(|(length, _)| length == 0)
    }

    /// How much lies in a pipe that the thread's process holds, and the first bytes of it.
    fn unread(&self, thread: i32, channel: Channel, limit: usize) -> Option<(u64, Vec<u8>)> {
        let known = self.processes.get(&self.process_of(thread))?;
        let number = known.table.borrow().read_end(channel)?;
        let copy = descriptor::duplicate(known.handle.as_deref(), thread, number).ok()?;
        descriptor::unread(&copy, limit).ok()
    }

    /// A pipe of one process becomes a channel: what lies in it counts as sent by this thread.
    pub(crate) fn share(&mut self, thread: i32, channel: Channel) {
        let Some(pipe) = self.own_pipes.pipes.get_mut(&channel) else { return };
        if !std::mem::replace(&mut pipe.quiet, false) {
            return;
        }
        self.stop_calls_on(thread, channel);
        let Some((length @ 1.., bytes)) = self.unread(thread, channel, self.options.payload_limit)
        else {
            return;
        };
        let call = self.next_call();
        let payload = Payload { length, bytes, digest: None };
        self.emit(thread, Action::Send { call, channel, to: None, payload });
        self.emit(
            thread,
            Action::Sent { call, messages: 1, bytes: length, error: None, assumed: false },
        );
    }

    /// The same for good: its descriptors go where they cannot be followed, or its bytes do.
    pub(crate) fn share_for_good(&mut self, thread: i32, channel: Channel) {
        self.share(thread, channel);
        self.own_pipes.pipes.remove(&channel);
    }

    /// A process is about to have a child that inherits its descriptors.
    pub(crate) fn share_all(&mut self, thread: i32) {
        let Some(known) = self.processes.get(&self.process_of(thread)) else { return };
        let channels = known.table.borrow().channels();
        for (_, endpoint) in channels {
            self.share(thread, endpoint.channel);
        }
    }

    /// Other threads may be in calls on a pipe that were let through: stopped, they make them
    /// again, which is seen then.
    fn stop_calls_on(&mut self, thread: i32, channel: Channel) {
        let mut within = Vec::new();
        for (other, known) in &mut self.threads {
            if *other != thread && known.quiet == Some(channel) {
                known.quiet = None;
                within.push(*other);
            }
        }
        for other in within {
            Stopped::interrupt(other);
            Stopped::await_stop(other);
        }
    }
}
