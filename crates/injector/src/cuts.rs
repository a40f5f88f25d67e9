//! Links that are cut: by the controller, or socket by socket.
//!
//! A filter on the receiver's socket drops what comes in below TCP, so the sender retransmits and
//! nothing is lost when the filter goes. What has no socket yet is found when it gets one: a
//! connect is left without an answer, an accepted connection gets its filter at once.

use std::collections::{BTreeMap, BTreeSet};
use std::os::fd::OwnedFd;
use std::time::Duration;

use linchpin_tracer::Channel;

use crate::injector::{At, Injector, State};
use crate::socket;

type Link = (usize, usize);

/// Between two looks at a socket that lingers.
const LINGER_PAUSE: Duration = Duration::from_millis(50);

impl Injector {
    pub(crate) fn is_cut(&self, state: &State, from: usize, to: usize) -> bool {
        state.cuts.get(&(from, to)).is_some_and(|(count, outside)| *count > 0 && !outside)
    }

    pub(crate) fn cut_all(&self, state: &mut State, fault: usize, links: &[Link], at: &At) {
        for link in links {
            match self.cut_link(state, *link) {
                Ok(()) => state.faults[fault].cuts.push(*link),
                Err(problem) => state.faults[fault].report.problems.push(problem),
            }
        }
        self.record(state, fault, at);
    }

    fn cut_link(&self, state: &mut State, link: Link) -> Result<(), String> {
        let (from, to) = link;
        if let Some((count, _)) = state.cuts.get_mut(&link).filter(|(count, _)| *count > 0) {
            *count += 1;
            return Ok(());
        }
        let outside = self.controller.cut(&self.nodes[from], &self.nodes[to])?;
        state.cuts.insert(link, (1, outside));
        for (channel, socket, peer) in self.connections(state, from) {
            if peer != Some(to) {
                continue;
            }
            self.hurry(state, from, channel, &socket, link);
            if !outside && state.connecting.contains(&channel) {
                self.filter(state, from, channel, &socket, link);
            }
        }
        if outside {
            return Ok(());
        }
        for (channel, socket, peer) in self.connections(state, to) {
            if peer == Some(from) {
                self.filter(state, to, channel, &socket, link);
            }
        }
        Ok(())
    }

    /// Lets a connection recover soon after it is healed.
    fn hurry(
        &self,
        state: &mut State,
        place: usize,
        channel: Channel,
        socket: &OwnedFd,
        link: Link,
    ) {
        let (_, links) = state.hurried.entry(channel).or_insert((place, BTreeSet::new()));
        links.insert(link);
        socket::retransmit_often(socket);
    }

    /// Lets a socket of a node drop what comes in, for the sake of a link.
    pub(crate) fn filter(
        &self,
        state: &mut State,
        place: usize,
        channel: Channel,
        socket: &OwnedFd,
        link: Link,
    ) {
        if link.1 == place && state.silenced.contains_key(&link.0) {
            // Accepted only now, from a host that is gone.
            state.widowed.entry(link.0).or_default().push((channel, place));
        } else {
            let (_, links) = state.filtered.entry(channel).or_insert((place, BTreeSet::new()));
            links.insert(link);
            self.hurry(state, place, channel, socket, link);
        }
        if let Err(error) = socket::drop_all(socket) {
            let problem = format!("a connection could not be cut: {error}");
            for armed in state.faults.iter_mut().filter(|armed| armed.cuts.contains(&link)) {
                armed.report.problems.push(problem.clone());
            }
        }
    }

    pub(crate) fn heal_link(&self, state: &mut State, fault: usize, link: Link) {
        let Some((count, outside)) = state.cuts.get_mut(&link) else { return };
        *count = count.saturating_sub(1);
        if *count > 0 {
            return;
        }
        if *outside
            && let Err(problem) = self.controller.heal(&self.nodes[link.0], &self.nodes[link.1])
        {
            state.faults[fault].report.problems.push(problem);
        }
        for (channel, place) in freed(&mut state.filtered, link) {
            if let Some(copy) = reach(state, channel, place) {
                let _ = socket::drop_nothing(&copy.0);
                keep_closed(state, channel, copy);
            }
        }
        for (channel, place) in freed(&mut state.hurried, link) {
            if let Some(copy) = reach(state, channel, place) {
                socket::retransmit_as_usual(&copy.0);
                keep_closed(state, channel, copy);
            }
            if let Some(copy) = state.closed.remove(&channel) {
                self.linger(copy);
            }
        }
        if let Some(latch) = state.latches.remove(&link) {
            latch.open();
        }
    }

    /// A host is back: its kernel has forgotten what it held back for others.
    pub(crate) fn reunite(&self, state: &mut State, host: usize) {
        for (channel, place) in state.widowed.remove(&host).unwrap_or_default() {
            if self.is_cut(state, host, place) {
                let (_, links) = state.filtered.entry(channel).or_insert((place, BTreeSet::new()));
                links.insert((host, place));
            } else if let Some(copy) = reach(state, channel, place) {
                let _ = socket::drop_nothing(&copy.0);
                keep_closed(state, channel, copy);
            }
        }
    }

    /// Keeps a socket that its program has closed until its peer has all of it.
    fn linger(&self, socket: OwnedFd) {
        if socket::unacknowledged(&socket) > 0 {
            self.later(LINGER_PAUSE, move |injector| injector.linger(socket));
        }
    }
}

/// The sockets that no link asks for any more, with their nodes.
fn freed(
    sockets: &mut BTreeMap<Channel, (usize, BTreeSet<Link>)>,
    link: Link,
) -> Vec<(Channel, usize)> {
    let mut free = Vec::new();
    for (channel, (place, links)) in sockets.iter_mut() {
        if links.remove(&link) && links.is_empty() {
            free.push((*channel, *place));
        }
    }
    sockets.retain(|_, (_, links)| !links.is_empty());
    free
}

/// Takes the sockets that are cut off from a host that goes quiet out of what healing heals.
pub(crate) fn widow(state: &mut State, host: usize) {
    let is_widow = |(place, links): &(usize, BTreeSet<Link>)| links.contains(&(host, *place));
    let widows: Vec<(Channel, usize)> = state
        .filtered
        .iter()
        .filter(|(_, filter)| is_widow(filter))
        .map(|(channel, (place, _))| (*channel, *place))
        .collect();
    for (channel, _) in &widows {
        state.filtered.remove(channel);
    }
    state.widowed.entry(host).or_default().extend(widows);
}

/// A duplicate of a socket, whether its program still has it or not. One that was closed is taken
/// out of the state, and goes back by `keep_closed`.
fn reach(state: &mut State, channel: Channel, place: usize) -> Option<(OwnedFd, bool)> {
    if let Some(copy) = state.closed.remove(&channel) {
        return Some((copy, true));
    }
    let copy = state.remotes.get(&place)?.duplicate(channel)?;
    Some((copy, false))
}

fn keep_closed(state: &mut State, channel: Channel, (copy, closed): (OwnedFd, bool)) {
    if closed {
        state.closed.insert(channel, copy);
    }
}
