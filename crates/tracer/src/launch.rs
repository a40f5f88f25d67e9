//! Starting a node: the first program is attached before it runs, so that nothing of it is missed
//! and nothing of it can outlive the tracer.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{JoinHandle, ThreadId};
use std::time::{Duration, Instant};

use crate::event::{NodeId, Status};
use crate::node::{Node, Report, TracerError};
use crate::ptrace::{self, PtraceError};
use crate::{Observer, Options, Remote, descriptor, filter};

/// Why a node could not be started. `linchpin doctor` names the remedy.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LaunchError {
    /// Occurs when the program cannot be run, or when its seccomp filter is refused.
    #[error("cannot start {program}: {source}")]
    Spawn {
        /// The program.
        program: String,
        /// What the system answered.
        source: io::Error,
    },
    /// Occurs when the kernel forbids tracing (Yama, a container's seccomp profile).
    #[error("cannot trace {program}: {source}")]
    Attach {
        /// The program.
        program: String,
        /// The refused request.
        source: PtraceError,
    },
    /// Occurs when no pipe or thread can be made.
    #[error("cannot prepare the tracer: {0}")]
    Prepare(#[source] io::Error),
}

/// State shared by a tracer thread and the owner of its [`Running`].
#[derive(Debug, Default)]
pub(crate) struct Control {
    state: Mutex<State>,
    changed: Condvar,
    /// The node is to stand still, as `state` says it: looked at twice a stop.
    pausing: AtomicBool,
}

#[derive(Debug, Default)]
struct State {
    processes: BTreeMap<i32, Arc<OwnedFd>>,
    killing: bool,
    spawn_failed: bool,
    root: Option<Status>,
    finished: bool,
    /// Who asked the node to stand still, counted.
    pauses: u32,
    /// Signals sent to wake the tracer, which it is to swallow.
    wakes: u32,
    still: bool,
    tracer: Option<ThreadId>,
}

impl Control {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Says again whether the node is to stand still. One that is being killed is not.
    fn note_pausing(&self, state: &State) {
        self.pausing.store(state.pauses > 0 && !state.killing, Ordering::SeqCst);
    }

    /// Enters a process before it runs; kills it if the node is being killed.
    pub(crate) fn add(&self, process: i32, handle: Arc<OwnedFd>) {
        let mut state = self.lock();
        if state.killing {
            kill(&handle);
        }
        state.processes.insert(process, handle);
    }

    pub(crate) fn remove(&self, process: i32) {
        self.lock().processes.remove(&process);
    }

    /// True if the first program cannot run.
    pub(crate) fn spawn_failed(&self) -> bool {
        self.lock().spawn_failed
    }

    /// Says so to the tracer thread, and gives the handle of the child that could not exec.
    fn fail_spawn(&self) -> Option<Arc<OwnedFd>> {
        let mut state = self.lock();
        state.spawn_failed = true;
        state.processes.values().next().cloned()
    }

    /// The live processes, with handles.
    pub(crate) fn processes(&self) -> Vec<(i32, Arc<OwnedFd>)> {
        let state = self.lock();
        state.processes.iter().map(|(process, handle)| (*process, Arc::clone(handle))).collect()
    }

    /// The calling thread is the tracer.
    pub(crate) fn begin(&self) {
        self.lock().tracer = Some(std::thread::current().id());
    }

    /// True while the node is to stand still.
    pub(crate) fn pausing(&self) -> bool {
        self.pausing.load(Ordering::SeqCst)
    }

    pub(crate) fn pause(&self) {
        let mut state = self.lock();
        state.pauses += 1;
        self.note_pausing(&state);
        // The tracer waits for its threads and for nothing else: a signal to one of them wakes it,
        // and goes no further.
        if state.pauses == 1 && state.tracer != Some(std::thread::current().id()) {
            let woken = state.processes.values().any(|handle| signal(handle, libc::SIGSTOP));
            state.wakes += u32::from(woken);
        }
    }

    pub(crate) fn resume(&self) {
        let mut state = self.lock();
        state.pauses = state.pauses.saturating_sub(1);
        self.note_pausing(&state);
    }

    /// True if a SIGSTOP was only meant to wake the tracer.
    pub(crate) fn swallow(&self) -> bool {
        let mut state = self.lock();
        let own = state.wakes > 0;
        state.wakes -= u32::from(own);
        own
    }

    pub(crate) fn set_still(&self, still: bool) {
        self.lock().still = still;
        self.changed.notify_all();
    }

    fn wait_until(&self, limit: Duration, done: impl Fn(&State) -> bool) -> bool {
        let state = self.lock();
        let (state, _) = self
            .changed
            .wait_timeout_while(state, limit, |state| !done(state))
            .unwrap_or_else(PoisonError::into_inner);
        done(&state)
    }

    pub(crate) fn still(&self, limit: Duration) -> bool {
        self.wait_until(limit, |state| state.still || state.finished)
    }

    pub(crate) fn finished(&self, limit: Duration) -> bool {
        self.wait_until(limit, |state| state.finished)
    }

    pub(crate) fn kill(&self) {
        let mut state = self.lock();
        state.killing = true;
        self.note_pausing(&state);
        for handle in state.processes.values() {
            kill(handle);
        }
    }

    pub(crate) fn root_ended(&self, status: Status) {
        self.lock().root = Some(status);
        self.changed.notify_all();
    }

    fn finish(&self) {
        self.lock().finished = true;
        self.changed.notify_all();
    }
}

/// Says that the tracer thread is done, however it ends.
struct Finish(Arc<Control>);

impl Drop for Finish {
    fn drop(&mut self) {
        self.0.finish();
    }
}

/// Sends a signal; false if the process is gone.
fn signal(handle: &OwnedFd, signal: i32) -> bool {
    // SAFETY: a pidfd cannot name a process other than the one it was opened for; no pointers.
    unsafe { libc::syscall(libc::SYS_pidfd_send_signal, handle.as_raw_fd(), signal, 0, 0) == 0 }
}

fn kill(handle: &OwnedFd) {
    signal(handle, libc::SIGKILL);
}

/// Reaps a child that is about to end, unless that was done already.
fn reap(handle: &OwnedFd) {
    // SAFETY: waitid accepts a null pointer for the information; the handle is live.
    unsafe {
        let id = handle.as_raw_fd() as libc::id_t;
        libc::waitid(libc::P_PIDFD, id, std::ptr::null_mut(), libc::WEXITED);
    }
}

/// A node that runs under its tracer. Dropping it kills the node.
#[derive(Debug)]
pub struct Running {
    node: NodeId,
    root: i32,
    child: Child,
    control: Arc<Control>,
    thread: Option<JoinHandle<Result<Report, TracerError>>>,
}

impl Running {
    /// The first process.
    pub fn root(&self) -> i32 {
        self.root
    }

    /// The ends of the standard streams that were given as `Stdio::piped()`. (Do not wait for this
    /// child: its end is the tracer's to see.)
    pub fn streams(
        &mut self,
    ) -> (
        Option<std::process::ChildStdin>,
        Option<std::process::ChildStdout>,
        Option<std::process::ChildStderr>,
    ) {
        (self.child.stdin.take(), self.child.stdout.take(), self.child.stderr.take())
    }

    /// The live processes.
    pub fn processes(&self) -> Vec<i32> {
        self.control.lock().processes.keys().copied().collect()
    }

    /// Waits until the first process has ended; `None` if it has not within `limit`.
    pub fn root_status(&self, limit: Duration) -> Option<Status> {
        let state = self.control.lock();
        let wait = |state: &mut State| state.root.is_none() && !state.finished;
        let (state, _) = self
            .control
            .changed
            .wait_timeout_while(state, limit, wait)
            .unwrap_or_else(PoisonError::into_inner);
        state.root
    }

    /// Waits until every process of the node has ended; false if some live on after `limit`.
    pub fn finished(&self, limit: Duration) -> bool {
        self.control.finished(limit)
    }

    /// A handle that other threads can use.
    pub fn remote(&self) -> Remote {
        Remote { node: self.node, control: Arc::clone(&self.control) }
    }

    /// Kills every process of the node, those being born included (SIGKILL).
    pub fn kill(&self) {
        self.control.kill();
    }

    /// Waits until every process of the node has ended.
    pub fn wait(mut self) -> Result<Report, TracerError> {
        self.join()
    }

    fn join(&mut self) -> Result<Report, TracerError> {
        match self.thread.take() {
            Some(thread) => thread.join().unwrap_or(Err(TracerError::Panicked)),
            None => Ok(Report::default()),
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if self.thread.is_some() {
            self.kill();
            let _ = self.join();
        }
    }
}

/// Only one node at a time may be between fork and exec: a child holds copies of the pipes by
/// which others notice that the tracer died.
static STARTING: Mutex<()> = Mutex::new(());

/// Makes this process the one that orphans of its descendants pass to, so that daemons of a traced
/// program are reaped when they end. Affects the whole process; call it once at the start.
pub fn adopt_orphans() -> io::Result<()> {
    // SAFETY: prctl with plain integers.
    if unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) } != 0 {
        return Err(io::Error::last_os_error());
    }
    Ok(())
}

/// Moves the calling thread into the network namespace of a process, if it has another: the kernel
/// tells the peers of AF_UNIX sockets (sock_diag(7)) only to their own namespace. Where that is
/// not allowed, those peers stay unknown.
fn enter_network_of(process: i32) {
    let theirs = format!("/proc/{process}/ns/net");
    let same =
        std::fs::read_link(&theirs).ok() == std::fs::read_link("/proc/thread-self/ns/net").ok();
    if same {
        return;
    }
    if let Ok(namespace) = std::fs::File::open(theirs) {
        // SAFETY: setns on a descriptor we own; only this thread, which is a tracer's, is moved.
        unsafe { libc::setns(namespace.as_raw_fd(), libc::CLONE_NEWNET) };
    }
}

/// Most instructions of a seccomp filter (BPF_MAXINSNS).
const INSTRUCTIONS_MAX: usize = 4096;
const INSTRUCTION_SIZE: usize = size_of::<libc::sock_filter>();

fn send_program(pipe: &mut impl Write, program: &[libc::sock_filter]) -> io::Result<()> {
    let mut bytes = (program.len() as u64).to_ne_bytes().to_vec();
    bytes.extend(filter::bytes(program));
    pipe.write_all(&bytes)
}

/// Reads the program in the child, between fork and exec: no allocation, no locks.
fn receive_program(
    pipe: i32,
    program: &mut [libc::sock_filter; INSTRUCTIONS_MAX],
) -> io::Result<usize> {
    let fill = |target: *mut u8, length: usize| {
        let mut at = 0;
        while at < length {
            // SAFETY: `target` is valid for `length` bytes; `at` is smaller.
            let count = unsafe { libc::read(pipe, target.add(at).cast(), length - at) };
            if count <= 0 {
                return Err(io::Error::from_raw_os_error(libc::EPERM));
            }
            at += count as usize;
        }
        Ok(())
    };
    let mut count = [0_u8; 8];
    fill(count.as_mut_ptr(), count.len())?;
    let count = (u64::from_ne_bytes(count) as usize).min(INSTRUCTIONS_MAX);
    // An instruction is plain integers: every bit pattern is valid.
    fill(program.as_mut_ptr().cast(), count * INSTRUCTION_SIZE)?;
    Ok(count)
}

/// Starts `command` as node `node` on a tracer thread of its own. Returns when the program runs.
///
/// Anything [`Command`] can set (directory, environment, user, streams, `pre_exec` hooks that enter
/// namespaces) holds for the node. `start` is the origin of the events' times.
pub fn launch(
    node: NodeId,
    mut command: Command,
    options: Options,
    observer: Arc<dyn Observer>,
    start: Instant,
) -> Result<Running, LaunchError> {
    let program = command.get_program().to_string_lossy().into_owned();
    let guard = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    let (mut id_reader, id_writer) = io::pipe().map_err(LaunchError::Prepare)?;
    let (go_reader, mut go_writer) = io::pipe().map_err(LaunchError::Prepare)?;
    let (id_out, go_in, go_out) =
        (id_writer.as_raw_fd(), go_reader.as_raw_fd(), go_writer.as_raw_fd());
    let hook = move || {
        // SAFETY: close, getpid and write on descriptors of ours: all async-signal-safe, with a
        // buffer that lives on this stack.
        unsafe {
            libc::close(go_out);
            let id = libc::getpid().to_ne_bytes();
            if libc::write(id_out, id.as_ptr().cast(), id.len()) != id.len() as isize {
                return Err(io::Error::last_os_error());
            }
        }
        // End of file means that the tracer died or was refused.
        let mut program = [libc::sock_filter { code: 0, jt: 0, jf: 0, k: 0 }; INSTRUCTIONS_MAX];
        let count = receive_program(go_in, &mut program)?;
        filter::install(&program[..count])
    };
    // SAFETY: the hook allocates nothing and takes no lock.
    unsafe { command.pre_exec(hook) };

    // `spawn` returns only after exec, which needs the tracer: so it runs on a thread of its own.
    let spawner = std::thread::Builder::new()
        .name("spawn".into())
        .spawn(move || {
            let spawned = command.spawn();
            drop((id_writer, go_reader));
            spawned
        })
        .map_err(LaunchError::Prepare)?;

    let control = Arc::new(Control::default());
    let shared = Arc::clone(&control);
    let (attached_sender, attached) = std::sync::mpsc::channel::<Result<i32, PtraceError>>();
    let thread = std::thread::Builder::new().name(format!("tracer-{}", node.0)).spawn(move || {
        let finish = Finish(Arc::clone(&shared));
        shared.begin();
        ptrace::hasten();
        let mut id = [0; 4];
        if id_reader.read_exact(&mut id).is_err() {
            return Ok(Report::default()); // the fork failed; `spawn` says why
        }
        let root = i32::from_ne_bytes(id);
        if let Err(error) = ptrace::seize(root) {
            // Closing the pipe without a byte ends the child.
            drop(go_writer);
            let _ = attached_sender.send(Err(error));
            return Ok(Report::default());
        }
        enter_network_of(root);
        // The child has set up its streams: what it holds that carries messages is known now.
        let channels = if options.narrow { descriptor::inherited(root) } else { Vec::new() };
        let program = filter::program(&options, &channels);
        let tracer = Node::new(node, root, options, observer, start, shared, &channels);
        let _ = attached_sender.send(Ok(root));
        let _ = send_program(&mut go_writer, &program);
        drop(go_writer);
        let result = tracer.run();
        drop(finish);
        result
    });
    let thread = thread.map_err(LaunchError::Prepare)?;
    let attached = attached.recv();
    let spawned =
        spawner.join().unwrap_or_else(|_| Err(io::Error::other("the spawn thread panicked")));
    drop(guard);
    match (attached, spawned) {
        (Ok(Err(source)), spawned) => {
            if let Ok(mut child) = spawned {
                let _ = child.wait();
            }
            let _ = thread.join();
            Err(LaunchError::Attach { program, source })
        }
        (_, Err(source)) => {
            let child = control.fail_spawn();
            let _ = thread.join();
            if let Some(child) = child {
                reap(&child);
            }
            Err(LaunchError::Spawn { program, source })
        }
        (_, Ok(child)) => {
            let root = child.id() as i32;
            Ok(Running { node, root, child, control, thread: Some(thread) })
        }
    }
}
