//! The log that is written while the system runs: whole, cut off anywhere, or not writable.

mod common;

use std::io::{self, Write};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use linchpin_tracer::{Action, NodeId, Observer, Options, launch};
use linchpin_tracker::{Recorder, read_log};

/// A file that can be looked at while it is written.
#[derive(Clone, Default)]
struct Shared(Arc<Mutex<Vec<u8>>>);

impl Write for Shared {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn trace(recorder: &Arc<Recorder>, script: &str) {
    let mut command = Command::new("sh");
    command.args(["-c", script]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    let observer = Arc::clone(recorder) as Arc<dyn Observer>;
    let running = launch(NodeId(0), command, Options::default(), observer, Instant::now()).unwrap();
    assert!(running.finished(common::LIMIT));
    running.wait().unwrap();
}

const SCRIPT: &str =
    "for i in 1 2 3; do echo question $i | cat | cat; done; sleep 9 & kill -9 $!; wait";

#[test]
fn a_log_cut_off_anywhere_tells_what_was_written() {
    let file = Shared::default();
    let recorder = Arc::new(Recorder::logging(Box::new(file.clone())).unwrap());
    trace(&recorder, SCRIPT);
    recorder.flush_log().unwrap();
    let bytes = file.0.lock().unwrap().clone();
    let whole = read_log(bytes.as_slice()).unwrap();
    let tracker = recorder.tracker();
    let graph = tracker.graph();
    assert_eq!(whole.graph().len(), graph.len());
    let mut contents = 0;
    for id in graph.ids() {
        assert_eq!(whole.graph().causes(id), graph.causes(id), "{id:?}");
        // The log has what receives returned; the recorder forgot it, having the sends.
        if let Action::Receive { payload, .. } = &whole.graph().event(id).action {
            assert_eq!(payload.bytes.len() as u64, payload.length);
            let Action::Receive { payload, .. } = &graph.event(id).action else { panic!() };
            assert!(payload.bytes.is_empty());
            contents += 1;
        }
    }
    assert!(contents >= 6, "{contents}");
    let first = bytes.iter().position(|byte| *byte == b'\n').unwrap() + 1;
    for end in first..bytes.len() {
        let lines = bytes[first..end].split_inclusive(|byte| *byte == b'\n');
        let events = lines.filter(|line| line.ends_with(b"\n") && line.starts_with(b"{\"id\":"));
        assert_eq!(read_log(&bytes[..end]).unwrap().graph().len(), events.count());
    }
}

/// Takes a header, and nothing more.
struct Full(bool);

impl Write for Full {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if std::mem::replace(&mut self.0, true) {
            return Err(io::Error::from(io::ErrorKind::StorageFull));
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn a_full_disk_is_told_once_and_disturbs_nothing() {
    let recorder = Arc::new(Recorder::logging(Box::new(Full(false))).unwrap());
    trace(&recorder, SCRIPT);
    let error = recorder.flush_log().unwrap_err();
    assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    assert!(recorder.flush_log().is_ok());
    assert!(recorder.tracker().graph().len() > 20);
}
