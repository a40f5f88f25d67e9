//! Bytes on their way: what a program sent on a connection and its peer gets later, in order.
//!
//! The program's call is skipped and forged; the bytes go out through a duplicate of its socket.
//! Everything later in that direction queues behind, the end of the stream too: while the
//! duplicate lives, a close by the program ends nothing. The queue is bounded; a sender beyond the
//! bound waits, or gets EAGAIN, as with a full send buffer.

use std::collections::VecDeque;
use std::io;
use std::os::fd::OwnedFd;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use linchpin_tracer::{Decision, Gate};

use crate::socket;

/// Most bytes a queue takes before it makes its sender wait.
pub(crate) const CAPACITY: usize = 4 << 20;

/// When something may leave.
#[derive(Clone, Debug)]
pub(crate) enum Due {
    /// When what is before it has left.
    Next,
    /// Not before this.
    At(Instant),
    /// When the latch is open.
    Open(Latch),
}

impl Due {
    /// Waits until it is.
    pub(crate) fn wait(&self) {
        match self {
            Due::Next => {}
            Due::At(time) => std::thread::sleep(time.saturating_duration_since(Instant::now())),
            Due::Open(latch) => latch.wait(),
        }
    }
}

/// Opened once, by an event.
#[derive(Clone, Debug, Default)]
pub(crate) struct Latch(Arc<(Mutex<bool>, Condvar)>);

impl Latch {
    pub(crate) fn open(&self) {
        *self.0.0.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.0.1.notify_all();
    }

    fn wait(&self) {
        let open = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        drop(self.0.1.wait_while(open, |open| !*open).unwrap_or_else(PoisonError::into_inner));
    }
}

#[derive(Debug)]
enum Item {
    Bytes(Vec<u8>),
    Shutdown(i32),
}

#[derive(Debug, Default)]
struct Content {
    items: VecDeque<(Item, Due)>,
    size: usize,
    /// Sends that wait for room, and calls that wait until all is gone.
    waiting: VecDeque<(Vec<u8>, Gate)>,
    until_empty: Vec<Gate>,
    refused: bool,
    done: bool,
}

/// One direction of one connection.
#[derive(Debug)]
pub(crate) struct Queue {
    content: Mutex<Content>,
    changed: Condvar,
}

impl Queue {
    /// A queue on a duplicate of the sender's socket, emptied by a thread of its own. Something is to
    /// be sent through it at once.
    pub(crate) fn new(socket: OwnedFd) -> io::Result<Arc<Queue>> {
        let queue = Arc::new(Queue { content: Mutex::default(), changed: Condvar::new() });
        let own = Arc::clone(&queue);
        std::thread::Builder::new().name("delivery".into()).spawn(move || own.run(&socket))?;
        Ok(queue)
    }

    fn lock(&self) -> MutexGuard<'_, Content> {
        self.content.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes what is about to be sent; `None` if the queue has emptied: then the call may run.
    pub(crate) fn send(&self, bytes: Vec<u8>, due: Due, waits: bool) -> Option<Decision> {
        let mut content = self.lock();
        if content.done {
            return None;
        }
        let length = bytes.len();
        if content.size > 0 && content.size + length > CAPACITY {
            let gate = Gate::new();
            if waits {
                content.waiting.push_back((bytes, gate.clone()));
            } else {
                content.refused = true;
                // Not at once: the socket itself looks as if it had room.
                let refused = gate.clone();
                std::thread::spawn(move || {
                    std::thread::sleep(Duration::from_millis(2));
                    refused.open(Decision::Answer(-i64::from(libc::EAGAIN)));
                });
            }
            return Some(Decision::Hold(gate));
        }
        content.size += length;
        content.items.push_back((Item::Bytes(bytes), due));
        self.changed.notify_all();
        Some(Decision::Deliver(length as u64))
    }

    /// Queues the end of the stream.
    pub(crate) fn shutdown(&self, how: i32) -> Option<Decision> {
        let mut content = self.lock();
        if content.done {
            return None;
        }
        content.items.push_back((Item::Shutdown(how), Due::Next));
        self.changed.notify_all();
        Some(Decision::Answer(0))
    }

    /// For a call whose bytes cannot be taken over: it waits until the queue is empty.
    pub(crate) fn wait(&self) -> Option<Decision> {
        let mut content = self.lock();
        if content.done {
            return None;
        }
        let gate = Gate::new();
        content.until_empty.push(gate.clone());
        self.changed.notify_all();
        Some(Decision::Hold(gate))
    }

    pub(crate) fn is_done(&self) -> bool {
        self.lock().done
    }

    fn run(&self, socket: &OwnedFd) {
        // This thread may run before what the queue was made for is in it.
        let first = self.lock();
        drop(
            self.changed
                .wait_while(first, |content| content.items.is_empty())
                .unwrap_or_else(PoisonError::into_inner),
        );
        loop {
            let mut content = self.lock();
            let Some((item, due)) = content.items.pop_front() else {
                // Nothing was queued since the last byte left: the program sends for itself again.
                content.done = true;
                for gate in content.until_empty.drain(..) {
                    gate.open(Decision::Follow);
                }
                return;
            };
            drop(content);
            due.wait();
            match item {
                Item::Shutdown(how) => socket::shut(socket, how),
                Item::Bytes(bytes) => {
                    deliver(socket, &bytes);
                    self.took(bytes.len(), socket);
                }
            }
        }
    }

    /// Bytes have left: who waits for room may go on.
    fn took(&self, length: usize, socket: &OwnedFd) {
        let mut content = self.lock();
        content.size -= length;
        while let Some((bytes, _)) = content.waiting.front() {
            if content.size > 0 && content.size + bytes.len() > CAPACITY {
                break;
            }
            let Some((bytes, gate)) = content.waiting.pop_front() else { break };
            content.size += bytes.len();
            gate.open(Decision::Deliver(bytes.len() as u64));
            content.items.push_back((Item::Bytes(bytes), Due::Next));
        }
        if content.refused && content.size <= CAPACITY / 2 {
            content.refused = false;
            socket::wake_senders(socket);
        }
    }
}

/// Sends everything, however long the peer takes.
fn deliver(socket: &OwnedFd, bytes: &[u8]) {
    let mut rest = bytes;
    while !rest.is_empty() {
        match socket::send(socket, rest, &[]) {
            Ok(count) => rest = &rest[count..],
            Err(error) => match error.raw_os_error() {
                Some(libc::EINTR) => {}
                Some(libc::EAGAIN | libc::ENOBUFS | libc::ENOMEM) => {
                    socket::wait_for_room(socket, Duration::from_millis(100));
                }
                // The connection is gone: so are the bytes, as they would be on the wire.
                _ => return,
            },
        }
    }
}
