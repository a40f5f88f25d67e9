//! ptrace, typed: requests can only be made through [`Stopped`], which only [`wait`] hands out and
//! which resuming consumes. A running thread has no value to call ptrace on.

use std::io;
use std::mem::{MaybeUninit, size_of};

use crate::arch;

/// `CLONE_UNTRACED`: a child made with it would escape its tracer.
pub(crate) const CLONE_UNTRACED: u32 = 0x0080_0000;

const PTRACE_GET_SYSCALL_INFO: u32 = 0x420e;
const PTRACE_GETSIGMASK: u32 = 0x420a;
const PTRACE_SETSIGMASK: u32 = 0x420b;
const PTRACE_EVENT_STOP: i32 = 128;

/// Why a ptrace request failed.
#[derive(Debug, thiserror::Error)]
#[error("ptrace {operation} on thread {thread}: {source}")]
pub struct PtraceError {
    /// The request.
    pub operation: &'static str,
    /// The thread it was made on.
    pub thread: i32,
    /// What the kernel answered.
    pub source: io::Error,
}

impl PtraceError {
    /// True if the thread was killed meanwhile, which can happen at any time and is no failure:
    /// its end will be reported next.
    pub fn is_gone(&self) -> bool {
        self.source.raw_os_error() == Some(libc::ESRCH)
    }
}

/// How a stopped thread goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Resume {
    /// Until something the filter or the options select.
    Continue,
    /// The same, and stop at the exit of the current system call.
    ToExit,
}

/// A thread that stands still under ptrace.
#[derive(Debug)]
pub struct Stopped {
    thread: i32,
}

/// The system call a thread is stopped in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum CallStop {
    /// A seccomp stop: the call has not run yet. `data` comes from the filter.
    Entry { number: u64, arguments: [u64; 6], data: u16 },
    /// After the call.
    Exit { result: i64 },
    /// Not in a call.
    None,
}

/// Why a thread stopped.
#[derive(Debug)]
pub(crate) enum Stop {
    /// At a system call the filter selected, before it runs.
    Seccomp,
    /// At the exit of a system call.
    CallExit,
    /// It made a child: fork or vfork or clone.
    Child { child: i32 },
    /// Its vfork child released it (by exec or exit).
    VforkDone { child: i32 },
    /// A new program runs in it; `former` is the thread id it had before.
    Exec { former: i32 },
    /// It is about to exit; its descriptors are still open.
    Exiting { status: i32 },
    /// It is stopped by job control, or has just been born or continued.
    Group { signal: i32 },
    /// A signal is about to be delivered.
    Signal { signal: i32 },
}

/// What [`wait`] saw.
#[derive(Debug)]
pub(crate) enum Waited {
    /// A thread stopped.
    Stopped(Stopped, Stop),
    /// A thread is gone (and reaped); `status` is as wait(2) gives it.
    Gone { thread: i32, status: i32 },
    /// No traced thread is left.
    Nobody,
    /// Nothing has happened yet (only without blocking).
    Nothing,
}

fn last() -> io::Error {
    io::Error::last_os_error()
}

/// Asks the scheduler to run the calling thread, which works only while a traced thread stands
/// still, as soon as it wakes. A short slice (Linux 6.12, EEVDF) needs no privilege; a higher priority does. Where
/// neither is to be had, tracing takes a little longer, and that is all.
pub(crate) fn hasten() {
    const SHORTEST_SLICE_NS: u64 = 100_000;
    const HIGHEST_PRIORITY: i32 = -20;
    // struct sched_attr, of which the first version is enough.
    #[repr(C)]
    struct Attributes {
        size: u32,
        policy: u32,
        flags: u64,
        nice: i32,
        priority: u32,
        runtime: u64,
        deadline: u64,
        period: u64,
    }
    const RESET_ON_FORK: u64 = 1;
    // SAFETY: getpriority takes plain integers; 0 is the calling thread.
    let own = unsafe { libc::getpriority(libc::PRIO_PROCESS, 0) };
    for nice in [HIGHEST_PRIORITY, own] {
        let attributes = Attributes {
            size: size_of::<Attributes>() as u32,
            policy: libc::SCHED_OTHER as u32,
            flags: RESET_ON_FORK,
            nice,
            priority: 0,
            runtime: SHORTEST_SLICE_NS,
            deadline: 0,
            period: 0,
        };
        // SAFETY: the kernel reads the 48 bytes of `attributes`; 0 is the calling thread.
        let set = unsafe { libc::syscall(libc::SYS_sched_setattr, 0, &raw const attributes, 0) };
        if set == 0 {
            return;
        }
    }
}

/// Attaches to a child of this process without stopping it. Everything it starts is traced too and
/// dies if the calling thread ends.
pub(crate) fn seize(thread: i32) -> Result<(), PtraceError> {
    let options = libc::PTRACE_O_TRACESYSGOOD
        | libc::PTRACE_O_TRACEFORK
        | libc::PTRACE_O_TRACEVFORK
        | libc::PTRACE_O_TRACECLONE
        | libc::PTRACE_O_TRACEEXEC
        | libc::PTRACE_O_TRACEVFORKDONE
        | libc::PTRACE_O_TRACEEXIT
        | libc::PTRACE_O_TRACESECCOMP
        | libc::PTRACE_O_EXITKILL;
    // SAFETY: PTRACE_SEIZE reads no memory of ours; the options are plain bits.
    if unsafe { libc::ptrace(libc::PTRACE_SEIZE, thread, 0, options) } < 0 {
        return Err(PtraceError { operation: "seize", thread, source: last() });
    }
    Ok(())
}

/// Waits for the next event of a thread, and leaves it to [`wait`]: its `si_code` and `si_status`. `None` if
/// the thread is dead and the kernel does not tell yet: the end of the first thread of a process is kept back
/// until all others have ended, and those may stand still until they are waited for. So this never blocks on
/// one thread alone.
fn peek(thread: i32) -> io::Result<Option<(i32, i32)>> {
    /// The next stop is mostly microseconds away.
    const SPINS: u32 = 64;
    const NAP: std::time::Duration = std::time::Duration::from_micros(100);
    let flags = libc::WEXITED | libc::WSTOPPED | libc::WNOWAIT | libc::__WALL | libc::WNOHANG;
    let mut rounds = 0_u32;
    loop {
        let mut information = MaybeUninit::<libc::siginfo_t>::zeroed();
        // SAFETY: the kernel fills `information`; WNOWAIT leaves the event for later.
        let result = unsafe {
            libc::waitid(libc::P_PID, thread as libc::id_t, information.as_mut_ptr(), flags)
        };
        if result < 0 {
            match last().raw_os_error() {
                Some(libc::EINTR) => continue,
                _ => return Err(last()),
            }
        }
        // SAFETY: zeroed, then filled by the kernel if there was an event; both are valid for SIGCHLD.
        let (process, code, status) = unsafe {
            let information = information.assume_init();
            (information.si_pid(), information.si_code, information.si_status())
        };
        if process != 0 {
            return Ok(Some((code, status)));
        }
        rounds += 1;
        if rounds < SPINS {
            std::thread::yield_now();
        } else if is_dead(thread) {
            return Ok(None);
        } else {
            std::thread::sleep(NAP);
        }
    }
}

/// The thread has ended, though nobody may have been told.
fn is_dead(thread: i32) -> bool {
    let text = match std::fs::read_to_string(format!("/proc/{thread}/stat")) {
        Ok(text) => text,
        // What may not be looked at is no less alive.
        Err(error) => {
            let gone = [Some(libc::ENOENT), Some(libc::ESRCH)];
            return gone.contains(&error.raw_os_error());
        }
    };
    // The name in parentheses may contain anything.
    let state = text.rsplit_once(") ").and_then(|(_, rest)| rest.chars().next());
    state.is_none_or(|state| matches!(state, 'Z' | 'X'))
}

/// Waits for any thread the calling thread traces.
pub(crate) fn wait(block: bool) -> io::Result<Waited> {
    let flags = libc::__WALL | libc::__WNOTHREAD | if block { 0 } else { libc::WNOHANG };
    loop {
        let mut status = 0;
        // SAFETY: `status` is a live integer the kernel writes.
        let thread = unsafe { libc::wait4(-1, &raw mut status, flags, std::ptr::null_mut()) };
        if thread < 0 {
            match last().raw_os_error() {
                Some(libc::EINTR) => continue,
                Some(libc::ECHILD) => return Ok(Waited::Nobody),
                _ => return Err(last()),
            }
        }
        if thread == 0 {
            return Ok(Waited::Nothing);
        }
        if !libc::WIFSTOPPED(status) {
            return Ok(Waited::Gone { thread, status });
        }
        let stopped = Stopped { thread };
        let signal = libc::WSTOPSIG(status);
        let stop = match status >> 16 {
            0 if signal == libc::SIGTRAP | 0x80 => Stop::CallExit,
            0 => Stop::Signal { signal },
            PTRACE_EVENT_STOP => Stop::Group { signal },
            libc::PTRACE_EVENT_SECCOMP => Stop::Seccomp,
            event => {
                // The message is missing only if the thread was killed: its end comes next.
                let Ok(message) = stopped.message() else { continue };
                match event {
                    libc::PTRACE_EVENT_FORK
                    | libc::PTRACE_EVENT_VFORK
                    | libc::PTRACE_EVENT_CLONE => Stop::Child { child: message as i32 },
                    libc::PTRACE_EVENT_VFORK_DONE => Stop::VforkDone { child: message as i32 },
                    libc::PTRACE_EVENT_EXEC => Stop::Exec { former: message as i32 },
                    libc::PTRACE_EVENT_EXIT => Stop::Exiting { status: message as i32 },
                    _ => Stop::Signal { signal: 0 },
                }
            }
        };
        return Ok(Waited::Stopped(stopped, stop));
    }
}

impl Stopped {
    /// The thread's id.
    pub fn thread(&self) -> i32 {
        self.thread
    }

    fn check(
        &self,
        operation: &'static str,
        result: libc::c_long,
    ) -> Result<libc::c_long, PtraceError> {
        if result < 0 {
            return Err(PtraceError { operation, thread: self.thread, source: last() });
        }
        Ok(result)
    }

    /// Lets the thread run, delivering `signal` if it is not 0.
    pub(crate) fn resume(self, how: Resume, signal: i32) -> Result<(), PtraceError> {
        let request = match how {
            Resume::Continue => libc::PTRACE_CONT,
            Resume::ToExit => libc::PTRACE_SYSCALL,
        };
        // SAFETY: neither request touches our memory; the data is a signal number.
        let result = unsafe { libc::ptrace(request, self.thread, 0, signal as libc::c_long) };
        self.check("resume", result).map(|_| ())
    }

    /// Asks a traced thread to stop. It may have stopped, or be gone.
    pub(crate) fn interrupt(thread: i32) {
        // SAFETY: PTRACE_INTERRUPT touches no memory of ours.
        unsafe { libc::ptrace(libc::PTRACE_INTERRUPT, thread, 0, 0) };
    }

    /// Waits until a thread that was interrupted has stopped, or is gone. Leaves that to [`wait`].
    pub(crate) fn await_stop(thread: i32) {
        let _ = peek(thread);
    }

    /// Lets a thread go on whose stop another thread of this process took.
    pub(crate) fn release_lost(thread: i32) {
        // The thread may run, or be gone: then the request fails, and nothing is to be done.
        let _ = Stopped { thread }.resume(Resume::Continue, 0);
    }

    /// Leaves the thread in its job-control stop, and waits for what happens next.
    pub(crate) fn listen(self) -> Result<(), PtraceError> {
        // SAFETY: PTRACE_LISTEN touches no memory of ours.
        let result = unsafe { libc::ptrace(libc::PTRACE_LISTEN, self.thread, 0, 0) };
        self.check("listen", result).map(|_| ())
    }

    fn message(&self) -> Result<u64, PtraceError> {
        let mut message: libc::c_ulong = 0;
        // SAFETY: the kernel writes one unsigned long to `message`.
        let result =
            unsafe { libc::ptrace(libc::PTRACE_GETEVENTMSG, self.thread, 0, &raw mut message) };
        self.check("get event message", result)?;
        Ok(message)
    }

    /// The call the thread is stopped in.
    pub(crate) fn call(&self) -> Result<CallStop, PtraceError> {
        // struct ptrace_syscall_info: op u8, pad, arch u32, ip u64, sp u64, then a union:
        // entry { nr, args[6] } / exit { rval i64, is_error u8 } / seccomp { nr, args[6], ret_data u32 }.
        let mut words = [0_u64; 11];
        let size = size_of::<[u64; 11]>();
        // SAFETY: the kernel writes at most `size` bytes to `words`.
        let result = unsafe {
            libc::ptrace(PTRACE_GET_SYSCALL_INFO as _, self.thread, size, words.as_mut_ptr())
        };
        self.check("get system call", result)?;
        Ok(match words[0] & 0xff {
            2 => CallStop::Exit { result: words[3] as i64 },
            3 => CallStop::Entry {
                number: words[3],
                arguments: [words[4], words[5], words[6], words[7], words[8], words[9]],
                data: words[10] as u16,
            },
            _ => CallStop::None,
        })
    }

    /// The general registers.
    pub(crate) fn registers(&self) -> Result<libc::user_regs_struct, PtraceError> {
        let mut registers = MaybeUninit::<libc::user_regs_struct>::zeroed();
        let mut vector = libc::iovec {
            iov_base: registers.as_mut_ptr().cast(),
            iov_len: size_of::<libc::user_regs_struct>(),
        };
        // SAFETY: the kernel fills at most iov_len bytes of `registers`, which are plain integers.
        let result = unsafe {
            libc::ptrace(
                libc::PTRACE_GETREGSET,
                self.thread,
                libc::NT_PRSTATUS as usize,
                &raw mut vector,
            )
        };
        self.check("get registers", result)?;
        // SAFETY: zeroed before, then filled by the kernel; every bit pattern is valid.
        Ok(unsafe { registers.assume_init() })
    }

    /// Writes the general registers.
    pub(crate) fn set_registers(
        &self,
        registers: &libc::user_regs_struct,
    ) -> Result<(), PtraceError> {
        // SAFETY: any initialised struct of integers may be viewed as bytes.
        let bytes = unsafe {
            std::slice::from_raw_parts(
                std::ptr::from_ref(registers).cast::<u8>(),
                size_of::<libc::user_regs_struct>(),
            )
        };
        self.set_register_set(libc::NT_PRSTATUS, bytes)
    }

    /// Writes one register set.
    pub(crate) fn set_register_set(&self, set: i32, bytes: &[u8]) -> Result<(), PtraceError> {
        let mut vector =
            libc::iovec { iov_base: bytes.as_ptr().cast_mut().cast(), iov_len: bytes.len() };
        // SAFETY: the kernel only reads the bytes the vector names.
        let result = unsafe {
            libc::ptrace(libc::PTRACE_SETREGSET, self.thread, set as usize, &raw mut vector)
        };
        self.check("set registers", result).map(|_| ())
    }

    /// Makes the thread run one system call of ours, at the exit of one of its own, and gives its
    /// result. Everything it can see is as before after that.
    pub(crate) fn run_call(&self, number: i64, arguments: [u64; 6]) -> Result<i64, PtraceError> {
        let saved = self.registers()?;
        let mask = self.signal_mask()?;
        // A signal handler must not run in between.
        self.set_signal_mask(u64::MAX)?;
        let mut registers = saved;
        arch::prepare_call(&mut registers, number, arguments);
        self.set_registers(&registers)?;
        let mut stop_signal = false;
        for _entry_and_exit in 0..2 {
            stop_signal |= self.step_call()?;
        }
        let result = match self.call()? {
            CallStop::Exit { result } => result,
            _ => -i64::from(libc::EINTR),
        };
        self.set_registers(&saved)?;
        self.set_signal_mask(mask)?;
        if stop_signal {
            // SAFETY: tgkill with plain integers; the thread is ours and stopped.
            unsafe { libc::syscall(libc::SYS_tkill, self.thread, libc::SIGSTOP) };
        }
        Ok(result)
    }

    /// Lets the thread run to its next stop at a system call. True if a SIGSTOP came between,
    /// which cannot be blocked and was put off. A thread that dies meanwhile is left to [`wait`].
    fn step_call(&self) -> Result<bool, PtraceError> {
        let mut stop_signal = false;
        loop {
            // SAFETY: PTRACE_SYSCALL touches no memory of ours.
            let result = unsafe { libc::ptrace(libc::PTRACE_SYSCALL, self.thread, 0, 0) };
            self.check("resume", result)?;
            let seen = peek(self.thread).map_err(|source| PtraceError {
                operation: "wait",
                thread: self.thread,
                source,
            })?;
            let stopped = seen.filter(|(code, status)| {
                let ends = *code != libc::CLD_TRAPPED && *code != libc::CLD_STOPPED;
                !ends && *status >> 8 != libc::PTRACE_EVENT_EXIT
            });
            let Some((_, status)) = stopped else {
                let source = io::Error::from_raw_os_error(libc::ESRCH);
                return Err(PtraceError { operation: "run a call", thread: self.thread, source });
            };
            let mut consumed = 0;
            // SAFETY: takes the stop seen above.
            unsafe {
                libc::wait4(self.thread, &raw mut consumed, libc::__WALL, std::ptr::null_mut())
            };
            match status {
                _ if status == libc::SIGTRAP | 0x80 => return Ok(stop_signal),
                libc::SIGSTOP => stop_signal = true,
                _ => {}
            }
        }
    }

    fn signal_mask(&self) -> Result<u64, PtraceError> {
        let mut mask = 0_u64;
        // SAFETY: the kernel writes the 8 bytes of a signal set to `mask`.
        let result = unsafe {
            libc::ptrace(PTRACE_GETSIGMASK as _, self.thread, size_of::<u64>(), &raw mut mask)
        };
        self.check("get signal mask", result)?;
        Ok(mask)
    }

    fn set_signal_mask(&self, mask: u64) -> Result<(), PtraceError> {
        // SAFETY: the kernel reads the 8 bytes of a signal set from `mask`.
        let result = unsafe {
            libc::ptrace(PTRACE_SETSIGMASK as _, self.thread, size_of::<u64>(), &raw const mask)
        };
        self.check("set signal mask", result).map(|_| ())
    }

    /// Writes one register, by its place in the registers.
    #[cfg(target_arch = "x86_64")]
    pub(crate) fn poke_register(&self, offset: usize, word: u64) -> Result<(), PtraceError> {
        // SAFETY: writes a register of the tracee only; struct user begins with the registers.
        let result = unsafe { libc::ptrace(libc::PTRACE_POKEUSER, self.thread, offset, word) };
        self.check("poke register", result).map(|_| ())
    }

    /// Writes one word of the thread's memory, read-only pages included.
    pub(crate) fn poke(&self, address: u64, word: u64) -> Result<(), PtraceError> {
        // SAFETY: writes the tracee's memory only.
        let result = unsafe { libc::ptrace(libc::PTRACE_POKEDATA, self.thread, address, word) };
        self.check("poke", result).map(|_| ())
    }
}
