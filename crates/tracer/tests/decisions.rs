//! Decisions beyond an answer: a thread held at a gate while others run, bytes the observer
//! delivers itself, and a node that stands still without noticing.

use std::io::Write;
use std::os::fd::OwnedFd;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use linchpin_tracer::{
    Action, Decision, Event, Gate, NodeId, Observer, Options, Running, Site, Status, launch,
};

const LIMIT: Duration = Duration::from_secs(60);

/// The interpreter itself; `None` (and a word why) if there is none.
fn python() -> Option<String> {
    let found =
        Command::new("python3").args(["-c", "import sys; print(sys.executable)"]).output().ok();
    let found = found.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
    if found.is_none() {
        assert!(std::env::var_os("LINCHPIN_REQUIRE_ALL").is_none(), "skipped: no python3");
        eprintln!("skipped: no python3");
    }
    found
}

fn start(program: &str, observer: Arc<dyn Observer>) -> Option<Running> {
    let mut command = Command::new(python()?);
    command.args(["-S", "-E", "-c", program]).stdin(Stdio::null()).stdout(Stdio::null());
    Some(launch(NodeId(0), command, Options::default(), observer, Instant::now()).unwrap())
}

fn end(running: Running) {
    assert!(running.finished(LIMIT));
    assert_eq!(running.wait().unwrap().status, Some(Status::Code(0)));
}

/// Decides on sends by their content.
struct Sends {
    decide: fn(&Sends, &[u8], &Site<'_>) -> Decision,
    gate: Gate,
    seen: Mutex<Vec<Action>>,
    kept: Mutex<Option<OwnedFd>>,
}

impl Sends {
    fn new(decide: fn(&Sends, &[u8], &Site<'_>) -> Decision) -> Arc<Sends> {
        let (gate, seen, kept) = Default::default();
        Arc::new(Sends { decide, gate, seen, kept })
    }
}

impl Observer for Sends {
    fn observe(&self, _: Event) -> Decision {
        Decision::Continue
    }

    fn decide(&self, event: Event, site: &Site<'_>) -> Decision {
        let decision = match &event.action {
            Action::Send { .. } => match site.content() {
                Some(content) => (self.decide)(self, &content, site),
                None => Decision::Continue,
            },
            _ => Decision::Continue,
        };
        self.seen.lock().unwrap().push(event.action);
        decision
    }
}

#[test]
fn a_held_thread_waits_and_others_run() {
    let observer = Sends::new(|own, content, _| match content {
        b"held" => Decision::Hold(own.gate.clone()),
        b"open" => {
            own.gate.open(Decision::Follow);
            Decision::Continue
        }
        _ => Decision::Continue,
    });
    let program = r#"
import socket, threading
near, far = socket.socketpair()
def first():
    near.send(b"held")
    near.send(b"last")
thread = threading.Thread(target=first)
thread.start()
# The other thread waits at its gate: these come first.
other, end = socket.socketpair()
for number in range(50): assert other.send(b"free") == 4 and end.recv(9) == b"free"
other.send(b"open")
thread.join()
assert far.recv(4) == b"held" and far.recv(4) == b"last"
"#;
    let Some(running) = start(program, observer.clone()) else { return };
    end(running);
    let seen = observer.seen.lock().unwrap();
    let at = |text: &[u8]| {
        seen.iter().position(
            |action| matches!(action, Action::Receive { payload, .. } if payload.bytes == text),
        )
    };
    assert!(at(b"free") < at(b"held"), "the held bytes came before");
}

#[test]
fn bytes_the_observer_delivers_count_as_sent() {
    let observer = Sends::new(|own, content, site| match content {
        b"first" => {
            *own.kept.lock().unwrap() = Some(site.duplicate().unwrap());
            Decision::Deliver(5)
        }
        b"second" => {
            let socket = own.kept.lock().unwrap().take().unwrap();
            let mut stream = std::os::unix::net::UnixStream::from(socket);
            stream.write_all(b"FIRST").unwrap();
            Decision::Continue
        }
        _ => Decision::Continue,
    });
    let program = r#"
import socket
near, far = socket.socketpair()
assert near.send(b"first") == 5
assert near.send(b"second") == 6
assert far.recv(11, socket.MSG_WAITALL) == b"FIRSTsecond"
"#;
    let Some(running) = start(program, observer.clone()) else { return };
    end(running);
    let seen = observer.seen.lock().unwrap();
    let sent: Vec<u64> = seen
        .iter()
        .filter_map(|action| match action {
            Action::Sent { bytes, .. } => Some(*bytes),
            _ => None,
        })
        .collect();
    assert_eq!(sent, [5, 6]);
}

#[test]
fn a_paused_node_makes_no_event_until_it_goes_on() {
    let seen = Arc::new(Mutex::new(0_u64));
    let counter = Arc::clone(&seen);
    let observer = Arc::new(move |event: Event| {
        *counter.lock().unwrap() += u64::from(matches!(event.action, Action::Send { .. }));
        Decision::Continue
    });
    // Three processes, two threads each, that never stop talking until they are told to.
    let program = r#"
import os, socket, threading, time
go_on, told = socket.socketpair()
told.setblocking(False)
def talk():
    near, far = socket.socketpair()
    end = time.monotonic() + 2
    while time.monotonic() < end:
        near.send(b"x")
        far.recv(1)
children = []
for _ in range(2):
    child = os.fork()
    if child == 0:
        thread = threading.Thread(target=talk); thread.start(); talk(); thread.join()
        os._exit(0)
    children.append(child)
talk()
for child in children: assert os.waitpid(child, os.WUNTRACED) == (child, 0)
"#;
    let Some(running) = start(program, observer) else { return };
    let remote = running.remote();
    let limit = Instant::now() + LIMIT;
    let count = || *seen.lock().unwrap();
    for _ in 0..3 {
        let before = count();
        while count() < before + 20 {
            assert!(Instant::now() < limit, "the program does not talk");
            std::thread::sleep(Duration::from_millis(1));
        }
        remote.pause();
        assert!(remote.still(LIMIT));
        let standing = count();
        std::thread::sleep(Duration::from_millis(50));
        assert_eq!(count(), standing);
        assert!(!remote.sockets().is_empty());
        remote.resume();
    }
    end(running);
}
