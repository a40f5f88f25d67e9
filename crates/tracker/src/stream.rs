//! Bytes in flight in one direction: which write each returned byte came from.
//!
//! A write is reserved at its entry, because the reader can return before the writer's exit is
//! seen; its exit settles how many bytes were taken. Reads are matched by the bytes they returned.

use std::collections::VecDeque;

use crate::graph::{EventId, Matched};

/// Where the content of a send is found: it is kept once, with its event.
pub(crate) trait Contents {
    /// The first bytes of what a send sent.
    fn content(&self, send: EventId) -> &[u8];
}

#[derive(Clone, Debug)]
struct Write {
    event: EventId,
    /// Bytes asked for; once settled, bytes taken.
    length: u64,
    settled: bool,
    /// Bytes read so far.
    read: u64,
    /// A message with boundaries, which may be empty, that nobody has received.
    unreceived: bool,
}

impl Write {
    /// True if there may be more of it to read.
    fn is_open(&self) -> bool {
        self.unreceived || self.read < self.length
    }

    /// False if what is known of the content rules out that the read began here.
    fn agrees(&self, content: &[u8], contents: &impl Contents) -> bool {
        let known = contents.content(self.event).get(self.read as usize..).unwrap_or_default();
        let left = (self.length - self.read).min(usize::MAX as u64) as usize;
        let length = known.len().min(content.len()).min(left);
        known[..length] == content[..length]
    }
}

/// One direction of a connection, or a pipe.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stream {
    writes: VecDeque<Write>,
    /// Writes ever reserved. None: whoever writes is not traced.
    pub(crate) reserved: u64,
    /// Bytes reads returned that no known write explains.
    pub(crate) unexplained: u64,
    /// Reads whose content differs from the writes they were matched with.
    pub(crate) mismatches: u64,
}

impl Stream {
    pub(crate) fn reserve(&mut self, event: EventId, length: u64) {
        self.push(event, length, false);
    }

    /// The same of a message with boundaries (SOCK_SEQPACKET).
    pub(crate) fn reserve_message(&mut self, event: EventId, length: u64) {
        self.push(event, length, true);
    }

    fn push(&mut self, event: EventId, length: u64, unreceived: bool) {
        self.reserved += 1;
        self.writes.push_back(Write { event, length, settled: false, read: 0, unreceived });
    }

    /// The write's exit was seen: the message did not leave.
    pub(crate) fn refuse(&mut self, event: EventId) {
        self.writes.retain(|write| write.event != event);
    }

    /// The write's exit was seen: it took `length` bytes.
    pub(crate) fn settle(&mut self, event: EventId, length: u64) {
        let open = |write: &&mut Write| write.event == event && !write.settled;
        // From the back: it is among the last.
        if let Some(write) = self.writes.iter_mut().rev().find(open) {
            write.length = length.max(write.read);
            write.settled = true;
        }
        self.forget();
    }

    /// Drops what was read in full. An unsettled write is kept: its exit will be looked for.
    fn forget(&mut self) {
        while self.writes.front().is_some_and(|write| write.settled && !write.is_open()) {
            self.writes.pop_front();
        }
    }

    /// Sends of which bytes were taken and not read.
    pub(crate) fn unread_sends(&self) -> impl Iterator<Item = EventId> + '_ {
        let unread = self.writes.iter().filter(|write| write.settled && write.is_open());
        unread.map(|write| write.event)
    }

    /// Bytes taken but not read.
    pub(crate) fn unread(&self) -> u64 {
        self.writes
            .iter()
            .filter(|write| write.settled)
            .fold(0, |sum: u64, write| sum.saturating_add(write.length - write.read))
    }

    /// A read returned `length` bytes that begin with `content`.
    pub(crate) fn read(
        &mut self,
        length: u64,
        content: &[u8],
        peek: bool,
        contents: &impl Contents,
    ) -> Vec<Matched> {
        let mut matched = Vec::new();
        let mut left = length;
        let mut content = content;
        let mut at = 0;
        let mut mismatch = false;
        while left > 0 {
            let Some(front) = (at..self.writes.len())
                .find(|index| self.writes[*index].read < self.writes[*index].length)
            else {
                break;
            };
            let chosen = self.choose(front, content, contents, &mut mismatch);
            if chosen != front && !peek {
                let write = self.writes.remove(chosen).expect("an index of the queue");
                self.writes.insert(front, write);
            }
            let write = &mut self.writes[if peek { chosen } else { front }];
            let taken = left.min(write.length - write.read);
            matched.push(Matched { send: write.event, bytes: taken });
            if !peek {
                write.read += taken;
            }
            left -= taken;
            content = content.get(taken as usize..).unwrap_or_default();
            at = front + 1;
        }
        if !peek {
            self.unexplained += left;
            self.mismatches += u64::from(mismatch);
            self.forget();
        }
        matched
    }

    /// The write a read continues with: the first, unless another thread's write overtook it
    /// between its entry and the kernel, which only the content tells.
    fn choose(
        &self,
        front: usize,
        content: &[u8],
        contents: &impl Contents,
        mismatch: &mut bool,
    ) -> usize {
        if self.writes[front].agrees(content, contents) {
            return front;
        }
        let other = (front + 1..self.writes.len()).find(|index| {
            self.writes[*index].read == 0 && self.writes[*index].agrees(content, contents)
        });
        match other {
            Some(index) if self.writes[front].read == 0 => index,
            _ => {
                *mismatch = true;
                front
            }
        }
    }

    /// A receive returned one whole message (SOCK_SEQPACKET).
    pub(crate) fn message(&mut self, length: u64, peek: bool) -> Vec<Matched> {
        let Some(index) = self.writes.iter().position(Write::is_open) else {
            self.unexplained += if peek { 0 } else { length };
            return Vec::new();
        };
        let write = &mut self.writes[index];
        let matched = vec![Matched { send: write.event, bytes: length }];
        if !peek {
            write.read = write.length;
            write.unreceived = false;
            self.forget();
        }
        matched
    }

    /// A receive returned nothing, which is the end or an empty message: that message, if it is one.
    pub(crate) fn empty_message(&mut self) -> Option<Matched> {
        let next = self.writes.iter().find(|write| write.is_open())?;
        if next.unreceived && next.length == 0 { self.message(0, false).pop() } else { None }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Sends by number, with what they sent.
    struct Sent(Vec<(u32, &'static [u8])>);

    impl Contents for Sent {
        fn content(&self, send: EventId) -> &[u8] {
            self.0.iter().find(|(event, _)| *event == send.0).map_or(&[], |(_, content)| content)
        }
    }

    fn stream(writes: &[(u32, &'static [u8])]) -> (Stream, Sent) {
        let mut stream = Stream::default();
        for (event, content) in writes {
            stream.reserve(EventId(*event), content.len() as u64);
        }
        (stream, Sent(writes.to_vec()))
    }

    fn pairs(matched: Vec<Matched>) -> Vec<(u32, u64)> {
        matched.into_iter().map(|matched| (matched.send.0, matched.bytes)).collect()
    }

    #[test]
    fn a_read_overlaps_the_writes_of_its_window() {
        let (mut stream, sent) = stream(&[(1, b"abc"), (2, b"de"), (3, b"fgh")]);
        assert_eq!(pairs(stream.read(4, b"abcd", true, &sent)), [(1, 3), (2, 1)]);
        assert_eq!(pairs(stream.read(4, b"abcd", false, &sent)), [(1, 3), (2, 1)]);
        assert_eq!(pairs(stream.read(2, b"ef", false, &sent)), [(2, 1), (3, 1)]);
        for number in [1, 2, 3] {
            stream.settle(EventId(number), [3, 2, 3][number as usize - 1]);
        }
        assert_eq!((stream.unread(), stream.unexplained, stream.mismatches), (2, 0, 0));
    }

    #[test]
    fn a_partial_write_gives_back_what_was_not_taken() {
        let (mut stream, mut sent) = stream(&[(1, b"abcdef")]);
        stream.settle(EventId(1), 2);
        stream.reserve(EventId(2), 4);
        sent.0.push((2, b"cdef"));
        assert_eq!(pairs(stream.read(6, b"abcdef", false, &sent)), [(1, 2), (2, 4)]);
        assert_eq!(stream.unexplained, 0);
    }

    #[test]
    fn writes_that_overtook_each_other_are_told_apart_by_content() {
        let (mut stream, sent) = stream(&[(1, b"aaaa"), (2, b"bbbb")]);
        assert_eq!(pairs(stream.read(6, b"bbbbaa", false, &sent)), [(2, 4), (1, 2)]);
        assert_eq!(pairs(stream.read(2, b"aa", false, &sent)), [(1, 2)]);
        assert_eq!(stream.mismatches, 0);
    }

    #[test]
    fn bytes_from_nowhere_are_counted() {
        let (mut stream, sent) = stream(&[(1, b"ab")]);
        assert_eq!(pairs(stream.read(5, b"abxyz", false, &sent)), [(1, 2)]);
        assert_eq!(stream.unexplained, 3);
    }
}
