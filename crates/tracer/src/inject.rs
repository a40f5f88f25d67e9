//! Filters added while a program runs: when a descriptor number becomes a channel, the process is
//! made to install a filter that stops read, write and close on that number, so that the same
//! calls on files cost nothing.
//!
//! The thread makes the call itself, at the exit of the call that gave it the descriptor: no other
//! thread can know the number before that. The filter covers all threads of the process (TSYNC)
//! and is inherited by everything it starts. Filters cannot be taken back, so after a few exact
//! numbers whole ranges are added.

use crate::event::{Action, Channel};
use crate::filter;
use crate::memory;
use crate::node::Node;
use crate::ptrace::{PtraceError, Stopped};

/// Filters for one number each, before ranges.
const EXACT_MAX: usize = 4;
const SCRATCH_SIZE: u64 = 8192;

/// What a process's filters cover.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watched {
    ranges: Vec<(i32, i32)>,
    /// Numbers that became channels and are not covered yet.
    fresh: Vec<i32>,
    /// Memory of ours in the process, to write programs to.
    scratch: Option<u64>,
}

impl Watched {
    /// Covers these numbers from the start.
    pub(crate) fn new(numbers: &[i32]) -> Watched {
        Watched {
            ranges: numbers.iter().map(|number| (*number, *number)).collect(),
            ..Watched::default()
        }
    }

    fn covers(&self, number: i32) -> bool {
        self.ranges.iter().any(|(first, last)| (*first..=*last).contains(&number))
    }

    /// A number became a channel.
    pub(crate) fn note(&mut self, number: i32) {
        if !self.covers(number) && !self.fresh.contains(&number) {
            self.fresh.push(number);
        }
    }

    /// The process runs a new program: its memory is gone, its filters are not.
    pub(crate) fn forget_memory(&mut self) {
        self.scratch = None;
    }

    /// The range to cover next.
    fn next(&mut self) -> Option<(i32, i32)> {
        let ranges = &self.ranges;
        self.fresh
            .retain(|number| !ranges.iter().any(|(first, last)| (*first..=*last).contains(number)));
        let number = self.fresh.pop()?;
        let added = self.ranges.iter().filter(|(first, _)| *first > 2).count();
        if added < EXACT_MAX {
            Some((number, number))
        } else {
            Some((number, number.saturating_mul(2).saturating_add(32)))
        }
    }
}

impl Node {
    /// Adds filters for what became a channel. To be called at the exit of a call.
    pub(crate) fn watch(&mut self, stopped: &Stopped) -> Result<(), PtraceError> {
        if !self.options.narrow {
            return Ok(());
        }
        let process = self.process_of(stopped.thread());
        while let Some(known) = self.processes.get_mut(&process) {
            let Some((first, last)) = known.watched.next() else { break };
            known.watched.ranges.push((first, last));
            if let Err(reason) = self.add_filter(stopped, process, first, last)? {
                let what = format!("descriptors {first} to {last}: {reason}");
                self.emit(stopped.thread(), Action::NotFollowed { what });
            }
        }
        Ok(())
    }

    fn add_filter(
        &mut self,
        stopped: &Stopped,
        process: i32,
        first: i32,
        last: i32,
    ) -> Result<Result<(), String>, PtraceError> {
        let thread = stopped.thread();
        let known = self.processes.get(&process).and_then(|known| known.watched.scratch);
        let scratch = match known {
            Some(address) => address,
            None => {
                let protection = (libc::PROT_READ | libc::PROT_WRITE) as u64;
                let flags = (libc::MAP_PRIVATE | libc::MAP_ANONYMOUS) as u64;
                let arguments = [0, SCRATCH_SIZE, protection, flags, u64::MAX, 0];
                let address = stopped.run_call(libc::SYS_mmap, arguments)?;
                if address < 0 {
                    return Ok(Err(format!("no memory for a filter (error {})", -address)));
                }
                if let Some(known) = self.processes.get_mut(&process) {
                    known.watched.scratch = Some(address as u64);
                }
                address as u64
            }
        };
        // struct sock_fprog { length u16, padding, pointer }, then the program.
        let program = filter::range_program(first, last);
        let mut bytes = Vec::with_capacity(16 + program.len() * 8);
        bytes.extend((program.len() as u64).to_ne_bytes());
        bytes.extend((scratch + 16).to_ne_bytes());
        bytes.extend(filter::bytes(&program));
        if let Err(error) = memory::write(thread, scratch, &bytes) {
            return Ok(Err(format!("the filter cannot be written: {error}")));
        }
        const SET_MODE_FILTER: u64 = 1;
        const TSYNC: u64 = 1;
        let mut flags = TSYNC;
        let mut asked = false;
        loop {
            let result =
                stopped.run_call(libc::SYS_seccomp, [SET_MODE_FILTER, flags, scratch, 0, 0, 0])?;
            match result {
                0 => return Ok(Ok(())),
                // It gave up the privilege to install filters since it started (as daemons do):
                // then it must give up gaining privileges as well.
                _ if result == -i64::from(libc::EACCES) && !asked => {
                    asked = true;
                    let arguments = [libc::PR_SET_NO_NEW_PRIVS as u64, 1, 0, 0, 0, 0];
                    stopped.run_call(libc::SYS_prctl, arguments)?;
                }
                // Some thread has filters of its own: this thread at least.
                _ if result > 0 && flags == TSYNC => flags = 0,
                _ => return Ok(Err(format!("the filter was refused (error {})", -result))),
            }
        }
    }

    /// A descriptor number of a process refers to a channel now.
    pub(crate) fn note_channel(&mut self, process: i32, number: i32, channel: Channel) {
        if matches!(self.sockets.get(&channel), Some(None)) {
            return; // of a family we do not follow
        }
        if let Some(known) = self.processes.get_mut(&process) {
            known.watched.note(number);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn many_numbers_take_few_filters() {
        let mut watched = Watched::new(&[0, 1, 2]);
        let mut filters = 0;
        for number in 3..2000 {
            watched.note(number);
            while let Some(range) = watched.next() {
                watched.ranges.push(range);
                filters += 1;
            }
            assert!(watched.covers(number));
        }
        assert!(filters < 15, "{filters}");
    }
}
