//! Who holds which end of a channel, and what its release explains: ends of streams, resets.

use std::collections::{BTreeMap, BTreeSet};

use linchpin_tracer::{Channel, Endpoint};

use crate::graph::{Cause, EventId, Track};

/// Which side of a channel an effect depends on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Side {
    /// Those who can write to it: their release ends the stream for readers.
    Writers,
    /// Those who can read from it: their release breaks the pipe for writers.
    Readers,
}

impl Side {
    fn covers(self, endpoint: Endpoint) -> bool {
        match self {
            Side::Writers => endpoint.write,
            Side::Readers => endpoint.read,
        }
    }
}

#[derive(Clone, Debug, Default)]
struct End {
    holders: BTreeSet<(Track, Endpoint)>,
    /// Releases (of a FIFO, since the side last came to life).
    releases: Vec<EventId>,
    shutdown: Option<EventId>,
    /// Effects seen before the last release was.
    waiting: Vec<(EventId, Cause)>,
}

/// The sides of every channel.
#[derive(Clone, Debug, Default)]
pub(crate) struct Links {
    ends: BTreeMap<(Channel, Side), End>,
}

const SIDES: [Side; 2] = [Side::Writers, Side::Readers];

impl Links {
    /// A process holds an endpoint.
    pub(crate) fn open(&mut self, process: Track, endpoint: Endpoint) {
        for side in SIDES.into_iter().filter(|side| side.covers(endpoint)) {
            let end = self.ends.entry((endpoint.channel, side)).or_default();
            end.holders.insert((process, endpoint));
        }
    }

    /// An endpoint is opened by name: a side of a FIFO that was given up comes to life again. No
    /// other channel does: what nobody seems to hold, and somebody gets, was under way in a message,
    /// and its end comes after every release there ever was.
    pub(crate) fn revive(&mut self, endpoint: Endpoint) {
        for side in SIDES.into_iter().filter(|side| side.covers(endpoint)) {
            let end = self.ends.entry((endpoint.channel, side)).or_default();
            if end.holders.is_empty() && end.waiting.is_empty() {
                end.releases.clear();
            }
        }
    }

    /// A process gives an endpoint up. Gives the effects this explains.
    pub(crate) fn release(
        &mut self,
        process: Track,
        endpoint: Endpoint,
        event: EventId,
    ) -> Vec<(EventId, Cause)> {
        let mut explained = Vec::new();
        for side in SIDES.into_iter().filter(|side| side.covers(endpoint)) {
            let end = self.ends.entry((endpoint.channel, side)).or_default();
            end.holders.remove(&(process, endpoint));
            end.releases.push(event);
            explained.extend(end.waiting.iter().copied());
            if end.holders.is_empty() {
                end.waiting.clear();
            }
        }
        explained
    }

    pub(crate) fn shutdown(&mut self, channel: Channel, side: Side, event: EventId) {
        self.ends.entry((channel, side)).or_default().shutdown.get_or_insert(event);
    }

    /// True if this process shut this side down itself.
    pub(crate) fn is_shut(&self, channel: Channel, side: Side) -> bool {
        self.ends.get(&(channel, side)).is_some_and(|end| end.shutdown.is_some())
    }

    /// True if this side was shut down, or given up by all who held it.
    pub(crate) fn is_released(&self, channel: Channel, side: Side) -> bool {
        let end = self.ends.get(&(channel, side));
        end.is_some_and(|end| {
            end.shutdown.is_some() || end.holders.is_empty() && !end.releases.is_empty()
        })
    }

    /// What an effect that depends on the end of a side happens after: the shutdown, or every
    /// release. If holders remain, their releases will be added when they are seen.
    pub(crate) fn causes(
        &mut self,
        channel: Channel,
        side: Side,
        effect: EventId,
        cause: Cause,
    ) -> Vec<EventId> {
        let end = self.ends.entry((channel, side)).or_default();
        if let Some(shutdown) = end.shutdown {
            return vec![shutdown];
        }
        if !end.holders.is_empty() {
            end.waiting.push((effect, cause));
        }
        end.releases.clone()
    }
}
