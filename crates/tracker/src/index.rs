//! An index of the process order: for each event, how many events of each process are in its past.
//! It is kept up to date as events and causes are entered, so that whether one event happened
//! before another is a comparison of two numbers, and a vector clock a copy.
//!
//! An event without causes outside its process knows what the one before it knew, and shares it.
//! So the index takes memory for causes between processes (four bytes times the number of
//! processes, each), and little for events.

use crate::graph::{EventId, Graph, Track};

/// What the process order knows of each event.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    /// How many events of other processes are in a past, by process; the first is empty.
    pasts: Vec<Vec<u32>>,
    /// Of each event: which of these it knows.
    known: Vec<u32>,
    /// The event the last of them was made for.
    newest: Option<EventId>,
    /// Of each event: how many events of its own process came before it.
    position: Vec<u32>,
    /// Of each process: its events.
    events: Vec<Vec<EventId>>,
}

impl Index {
    /// Enters an event behind all others.
    pub(crate) fn push(&mut self, id: EventId, process: Track, before: Option<EventId>) {
        let process = process.0 as usize;
        if self.events.len() <= process {
            self.events.resize(process + 1, Vec::new());
        }
        self.position.push(self.events[process].len() as u32);
        self.events[process].push(id);
        if self.pasts.is_empty() {
            self.pasts.push(Vec::new());
        }
        self.known.push(before.map_or(0, |before| self.known[before.index()]));
    }

    /// How many events of a process are in the past of an event, itself included.
    pub(crate) fn count(&self, of: Track, own: Track, event: EventId) -> u32 {
        if of == own {
            return self.position[event.index()] + 1;
        }
        self.past(event).get(of.0 as usize).copied().unwrap_or(0)
    }

    fn past(&self, event: EventId) -> &[u32] {
        &self.pasts[self.known[event.index()] as usize]
    }

    /// How many events of its own process came before an event.
    pub(crate) fn position(&self, event: EventId) -> u32 {
        self.position[event.index()]
    }

    /// The latest of the first `count` events of a process.
    pub(crate) fn latest(&self, process: Track, count: u32) -> Option<EventId> {
        let events = self.events.get(process.0 as usize)?;
        events.get(count.checked_sub(1)? as usize).copied()
    }

    /// The number of processes.
    pub(crate) fn processes(&self) -> u32 {
        self.events.len() as u32
    }

    /// Adds what `from` knows to what `to` knows. True if that is more than before.
    fn learn(&mut self, to: EventId, own: Track, from: EventId, of: Track) -> bool {
        let (theirs, mine) = (self.past(from), self.past(to));
        let own = own.0 as usize;
        let of_them = self.position[from.index()] + 1;
        let more = |process: usize, count: u32| {
            process != own && mine.get(process).copied().unwrap_or(0) < count
        };
        let of = of.0 as usize;
        if !more(of, of_them) && !theirs.iter().enumerate().any(|(at, count)| more(at, *count)) {
            return false;
        }
        let mut sum: Vec<u32> = mine.to_vec();
        sum.resize(sum.len().max(theirs.len()).max(of + 1), 0);
        for (process, count) in theirs.iter().enumerate().chain([(of, &of_them)]) {
            if process != own {
                sum[process] = sum[process].max(*count);
            }
        }
        // Nobody shares what was made for an event that is still the latest.
        if self.newest == Some(to) && to.index() + 1 == self.known.len() {
            *self.pasts.last_mut().expect("it was made") = sum;
        } else {
            self.known[to.index()] = self.pasts.len() as u32;
            self.pasts.push(sum);
            self.newest = Some(to);
        }
        true
    }
}

impl Graph {
    /// A cause was added to an event, which (with what follows from it) may be behind others.
    pub(crate) fn learn(&mut self, to: EventId, from: EventId) {
        if !self.learns(to, from) {
            return;
        }
        // Seldom: the end of a killed process is seen after its effects.
        let mut again = to.index() + 1 < self.entries.len();
        while again {
            again = false;
            for at in to.index() + 1..self.entries.len() {
                let id = EventId(at as u32);
                for cause in 0..self.causes(id).len() {
                    again |= self.learns(id, self.causes(id)[cause].from);
                }
                if let Some(before) = self.before_in_process(id) {
                    again |= self.learns(id, before);
                }
            }
        }
    }

    fn learns(&mut self, to: EventId, from: EventId) -> bool {
        let (own, of) = (self.process(to), self.process(from));
        self.index.learn(to, own, from, of)
    }
}
