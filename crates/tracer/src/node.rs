//! The tracer thread of one node: waits for stops and keeps the tree of threads and processes.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::io;
use std::os::fd::OwnedFd;
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustc_hash::FxHashMap;

use crate::descriptor::{self, Table};
use crate::event::{Action, CallId, Channel, ChildKind, Event, NodeId, SocketFacts, Status};
use crate::inject::Watched;
use crate::launch::Control;
use crate::own::OwnPipes;
use crate::pending::Pending;
use crate::ptrace::{self, CallStop, PtraceError, Resume, Stop, Stopped, Waited};
use crate::still::{Held, Still};
use crate::takeover::{Copies, Own};
use crate::{Call, Decision, Observer, Options, Remote, Site, arch, filter, memory};

/// Why tracing a node failed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TracerError {
    /// Occurs when ptrace refuses a request on a live thread.
    #[error(transparent)]
    Ptrace(#[from] PtraceError),
    /// Occurs when waiting for the node's threads fails.
    #[error("waiting for the processes of the node: {0}")]
    Wait(#[source] io::Error),
    /// Occurs when the tracer thread panicked.
    #[error("the tracer thread panicked: its processes were killed")]
    Panicked,
}

/// What the tracer counted while a node ran.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// How the first process ended.
    pub status: Option<Status>,
    /// Times any thread was stopped, for any reason.
    pub stops: u64,
    /// Stops at entries, by system call.
    pub calls: BTreeMap<&'static str, u64>,
    /// Reads and writes of busy pipes of one process alone, which have no events.
    pub let_through: u64,
    /// Calls answered ENOSYS, by name.
    pub denied: BTreeMap<String, u64>,
    /// Time from noticing a stop to letting the thread go on, over all stops. (The kernel's own
    /// work for a stop, mostly two changes of context, comes on top.)
    pub held: Duration,
}

pub(crate) struct Thread {
    pub(crate) process: i32,
    pub(crate) pending: Option<Pending>,
    /// Its end was reported.
    pub(crate) exiting: bool,
    /// The pipe of its process alone on which its last call was let through.
    pub(crate) quiet: Option<Channel>,
}

impl Thread {
    fn of(process: i32) -> Thread {
        Thread { process, pending: None, exiting: false, quiet: None }
    }
}

pub(crate) struct Process {
    pub(crate) handle: Option<Arc<OwnedFd>>,
    pub(crate) table: Rc<RefCell<Table>>,
    /// Which descriptor numbers its filters stop at.
    pub(crate) watched: Watched,
    /// It was reported that the kernel does not let it be looked at.
    pub(crate) hidden: bool,
    /// Threads that have not begun to exit.
    alive: usize,
}

pub(crate) struct Node {
    pub(crate) id: NodeId,
    pub(crate) options: Options,
    pub(crate) observer: Arc<dyn Observer>,
    start: Instant,
    /// When the stop that is dealt with was noticed.
    noticed: Instant,
    pub(crate) control: Arc<Control>,
    pub(crate) remote: Remote,
    root: i32,
    pub(crate) threads: BTreeMap<i32, Thread>,
    pub(crate) processes: BTreeMap<i32, Process>,
    /// Children that were gone before their parent reported them, with their status.
    stillborn: BTreeMap<i32, i32>,
    /// Children that stopped before their parent reported them, with the process that made them
    /// as /proc tells it.
    early: BTreeMap<i32, (Stopped, i32)>,
    pub(crate) sockets: FxHashMap<Channel, Option<SocketFacts>>,
    pub(crate) own_pipes: OwnPipes,
    /// Sockets this node made and keeps to itself.
    pub(crate) own_sockets: FxHashMap<Channel, Own>,
    pub(crate) copies: Copies,
    /// Stops at entries, by the identifier of the call.
    entries: Vec<u64>,
    calls: u64,
    pub(crate) still: Still,
    /// The call being entered is to be held.
    pub(crate) holding: Option<Held>,
    /// The call being entered is to write no more than this.
    pub(crate) shorten: Option<u64>,
    /// The first program was reached: its exec succeeded.
    running: bool,
    pub(crate) report: Report,
}

/// A ptrace error that only says that the thread was killed is not one.
pub(crate) fn unless_gone<T: Default>(result: Result<T, PtraceError>) -> Result<T, PtraceError> {
    match result {
        Err(error) if error.is_gone() => Ok(T::default()),
        other => other,
    }
}

impl Node {
    pub(crate) fn new(
        id: NodeId,
        root: i32,
        options: Options,
        observer: Arc<dyn Observer>,
        start: Instant,
        control: Arc<Control>,
        channels: &[i32],
    ) -> Node {
        let remote = Remote { node: id, control: Arc::clone(&control) };
        let mut node = Node {
            id,
            options,
            observer,
            start,
            noticed: start,
            control,
            remote,
            root,
            threads: BTreeMap::new(),
            processes: BTreeMap::new(),
            stillborn: BTreeMap::new(),
            early: BTreeMap::new(),
            sockets: FxHashMap::default(),
            own_pipes: OwnPipes::default(),
            own_sockets: FxHashMap::default(),
            copies: Copies::default(),
            entries: vec![0; Call::ALL.len()],
            calls: 0,
            still: Still::default(),
            holding: None,
            shorten: None,
            running: false,
            report: Report::default(),
        };
        node.add_process(root, Rc::default(), Watched::new(channels));
        node.threads.insert(root, Thread::of(root));
        node
    }

    /// Runs until no process of the node is left.
    pub(crate) fn run(mut self) -> Result<Report, TracerError> {
        self.follow()?;
        let counted = Call::ALL.iter().zip(&self.entries).filter(|(_, count)| **count > 0);
        self.report.calls = counted.map(|(call, count)| (call.name(), *count)).collect();
        Ok(self.report)
    }

    fn follow(&mut self) -> Result<(), TracerError> {
        loop {
            self.settle()?;
            let block = self.running && !self.still.restless();
            match ptrace::wait(block).map_err(TracerError::Wait)? {
                Waited::Nobody => return Ok(()),
                Waited::Nothing if !self.running && self.control.spawn_failed() => {
                    // `Command::spawn` waits for a child that cannot exec, and its wait may take
                    // the child's last stop away from us (the kernel shows it to every thread of
                    // this process).
                    Stopped::release_lost(self.root);
                    return Ok(());
                }
                Waited::Nothing if self.running => std::thread::sleep(self.patience()),
                Waited::Nothing => std::thread::sleep(Duration::from_micros(100)),
                Waited::Gone { thread, status } => {
                    self.notice();
                    self.gone(thread, status)?;
                }
                Waited::Stopped(stopped, stop) => {
                    self.notice();
                    self.report.stops += 1;
                    if !self.running && matches!(stop, Stop::Exiting { .. }) {
                        // The first exec failed. `Command::spawn` reaps the child and says why.
                        unless_gone(stopped.resume(Resume::Continue, 0))?;
                        return Ok(());
                    }
                    unless_gone(self.take(stopped, stop))?;
                    self.report.held += self.noticed.elapsed();
                }
            }
        }
    }

    fn add_process(&mut self, process: i32, table: Rc<RefCell<Table>>, watched: Watched) {
        let handle = descriptor::open_process(process, 0).ok().map(Arc::new);
        if let Some(handle) = &handle {
            self.control.add(process, Arc::clone(handle));
        }
        self.processes.insert(process, Process { handle, table, watched, hidden: false, alive: 1 });
    }

    /// What is reported now has happened now.
    pub(crate) fn notice(&mut self) {
        self.noticed = Instant::now();
    }

    pub(crate) fn next_call(&mut self) -> CallId {
        self.calls += 1;
        CallId(self.calls)
    }

    pub(crate) fn process_of(&self, thread: i32) -> i32 {
        self.threads.get(&thread).map_or(thread, |known| known.process)
    }

    pub(crate) fn emit(&self, thread: i32, action: Action) -> Decision {
        self.ask(action, &Site::of(&self.remote, thread))
    }

    /// Reports an event with what is needed to act on its call.
    pub(crate) fn ask(&self, action: Action, site: &Site<'_>) -> Decision {
        let event = Event {
            node: self.id,
            process: self.process_of(site.thread),
            thread: site.thread,
            time_ns: u64::try_from((self.noticed - self.start).as_nanos()).unwrap_or(u64::MAX),
            action,
        };
        self.observer.decide(event, site)
    }

    pub(crate) fn resume(&mut self, stopped: Stopped, signal: i32) -> Result<(), PtraceError> {
        if self.control.pausing() {
            self.still.park(stopped, signal);
            return Ok(());
        }
        let in_call =
            self.threads.get(&stopped.thread()).is_some_and(|thread| thread.pending.is_some());
        stopped.resume(if in_call { Resume::ToExit } else { Resume::Continue }, signal)
    }

    pub(crate) fn stopped(&mut self, stopped: Stopped, stop: Stop) -> Result<(), PtraceError> {
        let thread = stopped.thread();
        if !self.threads.contains_key(&thread) && !matches!(stop, Stop::Exec { .. }) {
            return self.unknown(stopped, stop);
        }
        match stop {
            Stop::Seccomp => return self.entry(stopped),
            Stop::CallExit => {
                let pending = self.threads.get_mut(&thread).and_then(|known| known.pending.take());
                if let (Some(pending), CallStop::Exit { result }) = (pending, stopped.call()?) {
                    self.leave(&stopped, pending, result);
                    self.watch(&stopped)?;
                }
            }
            Stop::Child { child } => {
                if self.threads.contains_key(&child) {
                    return self.resume(stopped, 0); // it was taken for an orphan
                }
                self.born(child, Some(thread));
                if let Some((early, _)) = self.early.remove(&child) {
                    unless_gone(self.resume(early, 0))?;
                } else if let Some(status) = self.stillborn.remove(&child) {
                    self.exiting(child, status);
                    self.forget(child);
                }
            }
            Stop::VforkDone { child } => {
                self.emit(thread, Action::VforkDone { child });
            }
            Stop::Exec { former } => {
                self.exec(&stopped, former);
                // The threads that exec ended will not report their children any more.
                self.release_early(thread)?;
            }
            Stop::Exiting { status } => self.exiting(thread, status),
            Stop::Group { signal } => {
                let stop_signals = [libc::SIGSTOP, libc::SIGTSTP, libc::SIGTTIN, libc::SIGTTOU];
                if stop_signals.contains(&signal) {
                    return stopped.listen();
                }
            }
            Stop::Signal { signal: libc::SIGSTOP } if self.control.swallow() => {}
            Stop::Signal { signal } => return self.resume(stopped, signal),
        }
        self.resume(stopped, 0)
    }

    fn entry(&mut self, stopped: Stopped) -> Result<(), PtraceError> {
        let CallStop::Entry { number, arguments, data } = stopped.call()? else {
            return self.resume(stopped, 0);
        };
        if !self.running {
            return self.resume(stopped, 0); // still our own code, on its way to the first exec
        }
        let thread = stopped.thread();
        let call = Call::from_id(data);
        match call {
            Some(call) if !call.denied() => {
                self.entries[call as usize] += 1;
                let pending = match call {
                    Call::Clone | Call::Clone3 => {
                        keep_traced(&stopped, call, &arguments)?;
                        None
                    }
                    _ => self.enter(&stopped, call, &arguments),
                };
                if let Some(known) = self.threads.get_mut(&thread) {
                    known.pending = pending;
                }
                if let Some(bytes) = self.shorten.take() {
                    shorten(&stopped, call, &arguments, bytes)?;
                }
                if let Some(held) = self.holding.take() {
                    self.still.hold(stopped, held);
                    return Ok(());
                }
            }
            denied => {
                let name = match denied {
                    Some(call) => call.name().to_owned(),
                    None if data == filter::FOREIGN => format!("foreign call {number}"),
                    None => format!("call {number}"),
                };
                *self.report.denied.entry(name.clone()).or_default() += 1;
                self.emit(thread, Action::Denied { call: name, error: libc::ENOSYS });
                arch::answer(&stopped, -i64::from(libc::ENOSYS))?;
            }
        }
        self.resume(stopped, 0)
    }

    /// A thread that stopped before its parent reported it.
    fn unknown(&mut self, stopped: Stopped, stop: Stop) -> Result<(), PtraceError> {
        let thread = stopped.thread();
        let maker = maker(thread);
        if !matches!(stop, Stop::Group { .. }) {
            self.resume(stopped, 0)
        } else if self.processes.contains_key(&maker) {
            self.early.insert(thread, (stopped, maker));
            Ok(())
        } else {
            // Its parent was killed before it could report it.
            self.born(thread, None);
            self.resume(stopped, 0)
        }
    }

    /// Enters a new thread, while it and the thread that made it stand still: what it inherits is
    /// what its parent has now.
    fn born(&mut self, child: i32, parent: Option<i32>) {
        let process = process_id(child).unwrap_or(child);
        let mut endpoints = Vec::new();
        let kind = match self.processes.get_mut(&process) {
            Some(known) if process != child => {
                known.alive += 1;
                ChildKind::Thread
            }
            _ => ChildKind::Process,
        };
        if let (Some(parent), ChildKind::Process) = (parent, kind) {
            self.share_all(parent);
            self.own_pipes.changed();
        }
        if let Some(parent) = parent {
            self.emit(parent, Action::Spawn { child, kind });
        }
        if kind == ChildKind::Process {
            let of_parent = parent.and_then(|parent| self.processes.get(&self.process_of(parent)));
            let watched = of_parent.map(|known| known.watched.clone()).unwrap_or_default();
            let of_parent = of_parent.map(|known| Rc::clone(&known.table));
            let table = match (of_parent, parent) {
                (Some(table), Some(parent)) => {
                    if descriptor::share_files(parent, child).unwrap_or(false) {
                        table
                    } else {
                        Rc::new(RefCell::new(table.borrow().clone()))
                    }
                }
                _ => Rc::new(RefCell::new(descriptor::scan(child))),
            };
            endpoints = table.borrow().endpoints();
            self.add_process(process, table, watched);
        }
        self.threads.insert(child, Thread::of(process));
        self.emit(child, Action::Begin { parent, kind, endpoints });
    }

    fn exec(&mut self, stopped: &Stopped, former: i32) {
        self.running = true;
        let process = stopped.thread();
        // Every other thread is gone; the one that called exec has the process's number now.
        self.threads.retain(|_, thread| thread.process != process);
        self.threads.insert(process, Thread::of(process));
        let after = descriptor::scan(process);
        let endpoints = after.endpoints();
        let numbers = after.channels();
        let before = self.processes.get(&process).map(|known| known.table.borrow().endpoints());
        let closed = before
            .unwrap_or_default()
            .into_iter()
            .filter(|endpoint| !endpoints.contains(endpoint))
            .collect::<Box<[_]>>();
        if let Some(known) = self.processes.get_mut(&process) {
            known.alive = 1;
            known.table = Rc::new(RefCell::new(after));
            known.watched.forget_memory();
        } else {
            self.add_process(process, Rc::new(RefCell::new(after)), Watched::default());
        }
        self.own_pipes.changed();
        self.copies.give_up_all();
        self.discover(process, &endpoints);
        for (number, endpoint) in numbers {
            self.note_channel(process, number, endpoint.channel);
        }
        let (program, arguments) = program_of(process);
        let (program, arguments) = (program.into(), arguments.into());
        let endpoints = endpoints.into();
        self.emit(process, Action::Exec { program, arguments, former, closed, endpoints });
    }

    /// The thread is about to exit, or (killed) has: its descriptors count as released when it is
    /// the last of its process.
    fn exiting(&mut self, thread: i32, status: i32) {
        let process = self.process_of(thread);
        let status = Status::from_wait(status);
        if let Some(known) = self.threads.get_mut(&thread) {
            known.pending = None;
            known.exiting = true;
        }
        let Some(known) = self.processes.get_mut(&process) else { return };
        known.alive = known.alive.saturating_sub(1);
        if known.alive > 0 {
            self.emit(thread, Action::ThreadExit { status });
            return;
        }
        self.copies.give_up_all();
        // A table shared with another process is not released by this one's end.
        let shared = Rc::strong_count(&known.table) > 1;
        let scanned = descriptor::scan(thread).endpoints();
        let mut closed = if shared { Vec::new() } else { known.table.borrow().endpoints() };
        if !shared {
            closed.extend(scanned);
            closed.sort();
            closed.dedup();
        }
        self.emit(thread, Action::ProcessExit { status, closed });
        if process == self.root {
            self.report.status = Some(status);
        }
        self.processes.remove(&process);
        self.own_pipes.changed();
    }

    fn gone(&mut self, thread: i32, status: i32) -> Result<(), TracerError> {
        let process = self.process_of(thread);
        match self.threads.get(&thread) {
            // A thread killed by SIGKILL ends without an exit stop.
            Some(known) if !known.exiting => self.exiting(thread, status),
            Some(_) => {}
            None => {
                self.stillborn.insert(thread, status);
            }
        }
        self.forget(thread);
        if thread == self.root {
            self.control.root_ended(Status::from_wait(status));
        }
        // While the process lives, the thread that made them will report them.
        if !self.processes.contains_key(&process) {
            self.release_early(process)?;
        }
        Ok(())
    }

    fn forget(&mut self, thread: i32) {
        self.threads.remove(&thread);
        self.still.forget(thread);
        self.early.remove(&thread);
        self.control.remove(thread);
    }

    /// Children of a thread that was killed before it could report them.
    fn release_early(&mut self, process: i32) -> Result<(), PtraceError> {
        let orphans: Vec<i32> = self
            .early
            .iter()
            .filter(|(_, (_, maker))| *maker == process)
            .map(|(child, _)| *child)
            .collect();
        for child in orphans {
            if let Some((stopped, _)) = self.early.remove(&child) {
                self.born(child, None);
                unless_gone(self.resume(stopped, 0))?;
            }
        }
        Ok(())
    }
}

/// The process a thread belongs to.
fn process_id(thread: i32) -> Option<i32> {
    status_field(thread, "Tgid:")
}

/// The process that made a thread, as far as /proc tells: its own if it is not the first thread.
fn maker(thread: i32) -> i32 {
    match process_id(thread) {
        Some(process) if process != thread => process,
        _ => status_field(thread, "PPid:").unwrap_or(0),
    }
}

fn status_field(thread: i32, field: &str) -> Option<i32> {
    let status = std::fs::read_to_string(format!("/proc/{thread}/status")).ok()?;
    status.lines().find_map(|line| line.strip_prefix(field))?.trim().parse().ok()
}

/// The program file and arguments of a process.
fn program_of(process: i32) -> (String, Vec<String>) {
    let program = std::fs::read_link(format!("/proc/{process}/exe"))
        .map(|path| path.to_string_lossy().into_owned())
        .unwrap_or_default();
    let line = std::fs::read(format!("/proc/{process}/cmdline")).unwrap_or_default();
    let arguments = line
        .strip_suffix(&[0])
        .unwrap_or(&line)
        .split(|byte| *byte == 0)
        .map(|argument| String::from_utf8_lossy(argument).into_owned())
        .collect();
    (program, arguments)
}

/// Makes a call write no more than `bytes`. One that writes several parts writes of the first only,
/// which its result says.
fn shorten(
    stopped: &Stopped,
    call: Call,
    arguments: &[u64; 6],
    bytes: u64,
) -> Result<(), PtraceError> {
    let plain = match call {
        Call::Write | Call::Pwrite64 | Call::Sendto => {
            return arch::set_argument(stopped, 2, arguments[2].min(bytes));
        }
        Call::Writev => libc::SYS_write,
        // Offset -1: at the file's own position.
        Call::Pwritev2 if arguments[3] == u64::MAX => libc::SYS_write,
        Call::Pwritev | Call::Pwritev2 => libc::SYS_pwrite64,
        _ => return Ok(()),
    };
    let parts = memory::read_parts(stopped.thread(), arguments[1], arguments[2]);
    let Some(first) = parts.ok().and_then(|parts| parts.into_iter().find(|part| part.length > 0))
    else {
        return Ok(());
    };
    arch::set_number(stopped, plain)?;
    arch::set_argument(stopped, 1, first.address)?;
    arch::set_argument(stopped, 2, first.length.min(bytes))
}

/// Clears CLONE_UNTRACED, by which a child would escape its tracer.
fn keep_traced(stopped: &Stopped, call: Call, arguments: &[u64; 6]) -> Result<(), PtraceError> {
    let mask = !u64::from(ptrace::CLONE_UNTRACED);
    if call == Call::Clone {
        return arch::set_argument(stopped, 0, arguments[0] & mask);
    }
    // clone3: the flags are the first word of the structure the first argument points to.
    match memory::read_u64(stopped.thread(), arguments[0]) {
        Ok(flags) if flags & !mask != 0 => stopped.poke(arguments[0], flags & mask),
        _ => Ok(()),
    }
}
