//! Which descriptors of the node are channels, and what is known of their sockets: entered when they
//! are first met, forgotten when the last holder gives them up.

use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;

use crate::descriptor;
use crate::event::{Action, Address, Channel, Endpoint, SocketFacts, Transport};
use crate::memory::{self, MessageHeader};
use crate::node::Node;

impl Node {
    /// What a descriptor of a thread refers to, from the table or the kernel.
    pub(crate) fn endpoint(&mut self, thread: i32, number: u64) -> Option<Endpoint> {
        self.endpoint_of(thread, number, false)
    }

    /// The same. `by_name`: if it is met for the first time, it was just opened by a path.
    pub(crate) fn endpoint_of(
        &mut self,
        thread: i32,
        number: u64,
        by_name: bool,
    ) -> Option<Endpoint> {
        let descriptor = number as i32;
        let process = self.process_of(thread);
        let holder = self.processes.get(&process)?;
        let known = holder.table.borrow().known(descriptor);
        let endpoint = match known {
            Some(slot) => slot,
            None => {
                let table = Rc::clone(&holder.table);
                let found = match descriptor::resolve(thread, descriptor) {
                    Ok(found) => found,
                    Err(error) => {
                        if error.kind() == io::ErrorKind::PermissionDenied {
                            self.is_hidden(thread);
                        }
                        return None;
                    }
                };
                let first = table.borrow_mut().insert(descriptor, found);
                if let Some(endpoint) = found.filter(|_| first) {
                    self.describe(thread, descriptor, endpoint.channel, false);
                    self.emit(thread, Action::Open { endpoint, by_name });
                }
                if let Some(endpoint) = found {
                    self.note_channel(process, descriptor, endpoint.channel);
                }
                found
            }
        };
        // Sockets of families we do not follow carry no messages.
        endpoint.filter(|endpoint| !matches!(self.sockets.get(&endpoint.channel), Some(None)))
    }

    /// The kernel does not let this process be looked at, because it asked for that
    /// (`PR_SET_DUMPABLE`) and the tracer has no privilege: said once, instead of saying nothing.
    pub(crate) fn is_hidden(&mut self, thread: i32) {
        let process = self.process_of(thread);
        let Some(known) = self.processes.get_mut(&process) else { return };
        if !std::mem::replace(&mut known.hidden, true) {
            let what = "a process that may not be looked at (not dumpable)".into();
            self.emit(thread, Action::NotFollowed { what });
        }
    }

    pub(crate) fn handle(&self, thread: i32) -> Option<&OwnedFd> {
        self.processes.get(&self.process_of(thread))?.handle.as_deref()
    }

    /// Reports the facts of a socket when it is new, or has changed.
    pub(crate) fn describe(&mut self, thread: i32, descriptor: i32, channel: Channel, again: bool) {
        let Channel::Socket(inode) = channel else { return };
        if !again && self.sockets.contains_key(&channel) {
            return;
        }
        let Ok(copy) = descriptor::duplicate(self.handle(thread), thread, descriptor) else {
            return;
        };
        let Ok(mut facts) = descriptor::facts(&copy, inode) else { return };
        drop(copy);
        if let Some(facts) = &mut facts {
            facts.passed = self.facts_of(channel).is_some_and(|known| known.passed);
        }
        if self.sockets.get(&channel) != Some(&facts) {
            if let Some(facts) = facts.clone() {
                self.emit(thread, Action::Socket { channel, facts: Box::new(facts) });
            }
            self.sockets.insert(channel, facts);
        }
    }

    /// Reports sockets a program came by without a call of its own.
    pub(crate) fn discover(&mut self, thread: i32, endpoints: &[Endpoint]) {
        let Some(table) = self.processes.get(&thread).map(|known| known.table.clone()) else {
            return;
        };
        for endpoint in endpoints {
            let descriptor = table
                .borrow()
                .range(0, i32::MAX)
                .into_iter()
                .find(|descriptor| table.borrow().known(*descriptor) == Some(Some(*endpoint)));
            if let Some(descriptor) = descriptor {
                self.describe(thread, descriptor, endpoint.channel, false);
            }
        }
    }

    pub(crate) fn facts_of(&self, channel: Channel) -> Option<&SocketFacts> {
        self.sockets.get(&channel)?.as_ref()
    }

    pub(crate) fn is_stream(&self, channel: Channel) -> bool {
        self.facts_of(channel).is_none_or(|facts| facts.transport == Transport::Stream)
    }

    /// Descriptors that are about to go to another process (SCM_RIGHTS).
    pub(crate) fn passing(&mut self, thread: i32, header: &MessageHeader) {
        for descriptor in memory::passed_descriptors(thread, header) {
            match self.endpoint(thread, descriptor as u64).map(|endpoint| endpoint.channel) {
                Some(channel @ Channel::Pipe(..)) => self.share_for_good(thread, channel),
                Some(channel) => {
                    self.own_sockets.remove(&channel);
                    self.copies.give_up(channel);
                    let known = self.sockets.get_mut(&channel).and_then(Option::as_mut);
                    if let Some(facts) = known.filter(|facts| !facts.passed) {
                        facts.passed = true;
                        let facts = Box::new(facts.clone());
                        self.emit(thread, Action::Socket { channel, facts });
                    }
                }
                None => {}
            }
        }
    }

    /// A descriptor came from another process without that one's doing.
    pub(crate) fn fetched(&mut self, thread: i32, descriptor: i64) {
        let Ok(number) = u64::try_from(descriptor) else { return };
        match self.endpoint(thread, number).map(|endpoint| endpoint.channel) {
            Some(channel @ Channel::Pipe(..)) => self.share_for_good(thread, channel),
            Some(channel) => {
                self.own_sockets.remove(&channel);
                self.copies.give_up(channel);
            }
            None => {}
        }
    }

    /// The process gives up a descriptor.
    pub(crate) fn release(&mut self, thread: i32, descriptor: i32) {
        // Resolved first: a descriptor never used (a FIFO just opened) counts too.
        if self.endpoint(thread, descriptor as u32 as u64).is_none() {
            if let Some(known) = self.processes.get(&self.process_of(thread)) {
                known.table.borrow_mut().remove(descriptor);
            }
            return;
        }
        let Some(known) = self.processes.get(&self.process_of(thread)) else { return };
        let table = Rc::clone(&known.table);
        let last = table.borrow().last(descriptor);
        if let Some(endpoint) = last {
            self.copies.give_up(endpoint.channel);
            // What lies in a pipe remains to be read after its writer is gone.
            self.share(thread, endpoint.channel);
        }
        table.borrow_mut().remove(descriptor);
        self.own_pipes.changed();
        if let Some(endpoint) = last {
            self.forget_socket(endpoint.channel);
            self.emit(thread, Action::Close { endpoint });
        }
    }

    /// Nothing need be known of a socket that no process holds and no call is made on.
    fn forget_socket(&mut self, channel: Channel) {
        let held = self.processes.values().any(|own| own.table.borrow().holds_any_end(channel));
        let in_use = self
            .threads
            .values()
            .any(|known| known.pending.as_ref().is_some_and(|call| call.concerns(channel)));
        if !held && !in_use {
            self.sockets.remove(&channel);
            self.own_sockets.remove(&channel);
        }
    }

    pub(crate) fn close_range(&mut self, thread: i32, first: u64, last: u64, flags: u32) {
        // The kernel refuses a range that ends before it begins, and flags it does not know.
        let known = libc::CLOSE_RANGE_CLOEXEC | libc::CLOSE_RANGE_UNSHARE;
        let refused = first as u32 > last as u32 || flags & !known != 0;
        if refused || flags & libc::CLOSE_RANGE_CLOEXEC != 0 {
            return;
        }
        let bound = |number: u64| i32::try_from(number as u32).unwrap_or(i32::MAX);
        let present = descriptor::scan(thread).range(bound(first), bound(last));
        let known = self
            .processes
            .get(&self.process_of(thread))
            .map(|known| known.table.borrow().range(bound(first), bound(last)))
            .unwrap_or_default();
        let mut all = [present, known].concat();
        all.sort_unstable();
        all.dedup();
        for descriptor in all {
            self.release(thread, descriptor);
        }
    }
}

pub(crate) fn lacks_address(facts: &SocketFacts) -> bool {
    match &facts.local {
        Address::Internet(address) => address.port() == 0,
        Address::Unnamed => facts.peer_channel.is_none(),
        _ => false,
    }
}
