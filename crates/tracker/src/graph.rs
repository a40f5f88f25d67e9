//! Events and their direct causes.

use linchpin_tracer::{Action, Event, NodeId};
use rustc_hash::FxHashMap;
use serde::{Deserialize, Serialize};

use crate::index::Index;
use crate::stream::Contents;

/// Position of an event in the record. Causes have smaller ids, except for the end of a killed
/// process (or an exec), which is seen after its peers may have seen its effect.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct EventId(pub u32);

impl EventId {
    pub(crate) fn index(self) -> usize {
        self.0 as usize
    }
}

/// One life of a thread (numbers are used again), or of a process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Track(pub u32);

/// Why one event happens before another, apart from the order within a thread or process.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cause {
    /// The thread was made here.
    Spawn,
    /// The thread that called exec goes on as the process's first.
    Exec,
    /// The child ended, and its parent saw it.
    Exit,
    /// The vfork child released its parent.
    Vfork,
    /// listen-entry before connect-exit.
    Listen,
    /// connect-entry before accept-exit.
    Connect,
    /// Bytes of a stream: how many of this write the read returned.
    Bytes(u64),
    /// A message with boundaries: its length.
    Message(u64),
    /// The write side was shut down or released.
    EndOfStream,
    /// The peer went away.
    Reset,
}

/// A direct cause of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct Edge {
    /// The cause.
    pub from: EventId,
    /// Why.
    pub cause: Cause,
}

/// Bytes of one send that one receive returned.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Matched {
    /// The send.
    pub send: EventId,
    /// How many of its bytes.
    pub bytes: u64,
}

#[derive(Clone, Debug)]
pub(crate) struct Entry {
    pub(crate) event: Event,
    pub(crate) thread: Track,
    pub(crate) process: Track,
    /// The event before in the thread (for an exec: in the thread that called it).
    before_in_thread: Before,
    before_in_process: Before,
    /// Where its causes are: the index of a list, of which the first is empty.
    causes: u32,
}

/// An event or none, in four bytes: there is one of these, and one more, for every event.
#[derive(Clone, Copy, Debug)]
struct Before(u32);

impl Before {
    fn new(event: Option<EventId>) -> Before {
        Before(event.map_or(u32::MAX, |event| event.0))
    }

    fn get(self) -> Option<EventId> {
        (self.0 != u32::MAX).then_some(EventId(self.0))
    }
}

#[derive(Clone, Copy, Debug)]
struct Life {
    track: Track,
    last: Option<EventId>,
}

/// The happens-before graph of one run.
#[derive(Clone, Debug, Default)]
pub struct Graph {
    pub(crate) entries: Vec<Entry>,
    /// The causes of the events that have any outside their thread.
    causes: Vec<Vec<Edge>>,
    /// Events that got a cause when others had come after them already.
    late: Vec<EventId>,
    threads: FxHashMap<(NodeId, i32), Life>,
    processes: FxHashMap<(NodeId, i32), Life>,
    pub(crate) thread_count: u32,
    pub(crate) process_count: u32,
    pub(crate) index: Index,
}

impl Graph {
    /// Enters an event behind all others.
    pub(crate) fn push(&mut self, event: Event) -> EventId {
        let id = u32::try_from(self.entries.len()).ok().filter(|id| *id != u32::MAX);
        let id = EventId(id.expect("fewer than 2^32 - 1 events"));
        let thread_key = (event.node, event.thread);
        let process_key = (event.node, event.process);
        if let Action::Begin { kind, .. } = &event.action {
            // The number may have belonged to another before.
            self.threads.remove(&thread_key);
            if *kind == linchpin_tracer::ChildKind::Process {
                self.processes.remove(&process_key);
            }
        }
        let former = match &event.action {
            Action::Exec { former, .. } if *former != event.thread => {
                self.threads.get(&(event.node, *former)).and_then(|life| life.last)
            }
            _ => None,
        };
        let thread = life(&mut self.threads, thread_key, &mut self.thread_count);
        let before_in_thread = if former.is_some() { former } else { thread.last };
        let thread_track = thread.track;
        thread.last = Some(id);
        let process = life(&mut self.processes, process_key, &mut self.process_count);
        let before_in_process = process.last.replace(id);
        let process_track = process.track;
        self.index.push(id, process_track, before_in_process);
        self.entries.push(Entry {
            event,
            thread: thread_track,
            process: process_track,
            before_in_thread: Before::new(before_in_thread),
            before_in_process: Before::new(before_in_process),
            causes: 0,
        });
        id
    }

    /// Adds a cause, once. Causes within a thread add nothing to its order and are left out.
    pub(crate) fn add(&mut self, from: EventId, to: EventId, cause: Cause) {
        if self.entries[from.index()].thread == self.entries[to.index()].thread
            && !matches!(cause, Cause::Bytes(_) | Cause::Message(_))
        {
            return;
        }
        self.learn(to, from);
        if to.index() + 1 < self.entries.len() {
            self.late.push(to);
        }
        if self.causes.is_empty() {
            self.causes.push(Vec::new());
        }
        let place = &mut self.entries[to.index()].causes;
        if *place == 0 {
            *place = self.causes.len() as u32;
            self.causes.push(Vec::with_capacity(1)); // most events that have a cause have one
        }
        let causes = &mut self.causes[*place as usize];
        for edge in causes.iter_mut().filter(|edge| edge.from == from) {
            match (&mut edge.cause, cause) {
                (Cause::Bytes(sum), Cause::Bytes(more)) => {
                    *sum += more;
                    return;
                }
                (old, new) if *old == new => return,
                _ => {}
            }
        }
        causes.push(Edge { from, cause });
    }

    /// Number of events.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// True before the first event.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Every event's id, in the order of the record.
    pub fn ids(&self) -> impl DoubleEndedIterator<Item = EventId> + use<> {
        (0..self.entries.len() as u32).map(EventId)
    }

    /// An event.
    pub fn event(&self, id: EventId) -> &Event {
        &self.entries[id.index()].event
    }

    /// Direct causes outside the event's own thread, messages within it included.
    pub fn causes(&self, id: EventId) -> &[Edge] {
        self.causes.get(self.entries[id.index()].causes as usize).map_or(&[], Vec::as_slice)
    }

    /// The events that got a cause, since this was last asked, when others had come after them.
    pub(crate) fn take_late(&mut self) -> Vec<EventId> {
        let mut late = std::mem::take(&mut self.late);
        late.sort_unstable();
        late.dedup();
        late
    }

    /// Forgets what a receive returned if the sends it came from tell it anyway.
    pub(crate) fn forget_received(&mut self, id: EventId) {
        let explained: u64 = self.matched(id).map(|matched| matched.bytes).sum();
        if let Action::Receive { payload, .. } = &mut self.entries[id.index()].event.action
            && explained == payload.length
        {
            payload.bytes = Vec::new();
        }
    }

    /// The event before in the thread; of an exec, in the thread that called it.
    pub(crate) fn before_in_thread(&self, id: EventId) -> Option<EventId> {
        self.entries[id.index()].before_in_thread.get()
    }

    /// The event before in the process.
    pub(crate) fn before_in_process(&self, id: EventId) -> Option<EventId> {
        self.entries[id.index()].before_in_process.get()
    }

    /// The life of the thread it happened in.
    pub fn thread(&self, id: EventId) -> Track {
        self.entries[id.index()].thread
    }

    /// The latest event of the thread that an event happened in, while that thread lives.
    pub(crate) fn last_of_thread(&self, of: EventId) -> Option<EventId> {
        let event = self.event(of);
        let life = self.threads.get(&(event.node, event.thread))?;
        if life.track == self.thread(of) { life.last } else { None }
    }

    /// The life of the process it happened in.
    pub fn process(&self, id: EventId) -> Track {
        self.entries[id.index()].process
    }

    /// The sends whose bytes a receive returned.
    pub fn matched(&self, receive: EventId) -> impl Iterator<Item = Matched> + '_ {
        self.causes(receive).iter().filter_map(|edge| match edge.cause {
            Cause::Bytes(bytes) | Cause::Message(bytes) => Some(Matched { send: edge.from, bytes }),
            _ => None,
        })
    }
}

impl Contents for Graph {
    fn content(&self, send: EventId) -> &[u8] {
        match &self.event(send).action {
            Action::Send { payload, .. } => &payload.bytes,
            _ => &[],
        }
    }
}

fn life<'a>(
    lives: &'a mut FxHashMap<(NodeId, i32), Life>,
    key: (NodeId, i32),
    count: &mut u32,
) -> &'a mut Life {
    lives.entry(key).or_insert_with(|| {
        *count += 1;
        Life { track: Track(*count - 1), last: None }
    })
}

// A long run has millions of these.
const _: () = assert!(size_of::<Entry>() <= 128);
