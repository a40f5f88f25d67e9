//! The event log: JSON lines. The first line says the version; every other is one event with its
//! direct causes, or the causes of an event before that were found late. `docs/tracing/event-log.md` documents it.

use std::io::{self, BufRead, BufWriter, Write};

use linchpin_tracer::Event;
use serde::{Deserialize, Serialize};

use crate::graph::{Edge, EventId, Graph};
use crate::tracker::Tracker;

/// Version of the format. Readers refuse later ones. (Version 1 had no lines of late causes.)
pub const LOG_VERSION: u32 = 2;

/// First line of a log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogHeader {
    /// [`LOG_VERSION`].
    pub linchpin_event_log: u32,
}

/// A line of a log.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LogLine {
    /// Position in the record.
    pub id: EventId,
    /// What happened.
    pub event: Event,
    /// Direct causes outside the event's own thread.
    #[serde(default)]
    pub causes: Vec<Edge>,
}

/// Why a log cannot be read.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LogError {
    /// Occurs when the file cannot be read.
    #[error("reading the event log: {0}")]
    Read(#[from] io::Error),
    /// Occurs when a line is not what it should be.
    #[error("line {line} of the event log: {source}")]
    Line {
        /// Its number, from 1.
        line: usize,
        /// What is wrong.
        source: serde_json::Error,
    },
    /// Occurs when the log was written by another version.
    #[error(
        "the event log has version {found}, later than {LOG_VERSION}: a later linchpin reads it"
    )]
    Version {
        /// The version in its first line.
        found: u32,
    },
    /// Occurs when the log is empty.
    #[error("the event log is empty")]
    Empty,
}

#[derive(Serialize)]
struct LineOf<'a> {
    id: EventId,
    event: &'a Event,
    causes: &'a [Edge],
}

#[derive(Serialize)]
struct LateOf<'a> {
    effect: EventId,
    causes: &'a [Edge],
}

fn write_line(out: &mut impl Write, line: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, line)?;
    out.write_all(b"\n")
}

fn write_header(out: &mut impl Write) -> io::Result<()> {
    write_line(out, &LogHeader { linchpin_event_log: LOG_VERSION })
}

fn write_event(out: &mut impl Write, graph: &Graph, id: EventId) -> io::Result<()> {
    write_line(out, &LineOf { id, event: graph.event(id), causes: graph.causes(id) })
}

/// Writes a log while the system runs.
pub(crate) struct LogWriter {
    out: BufWriter<Box<dyn Write + Send>>,
    /// The first failure; nothing is written after it.
    failed: Option<io::Error>,
    ended: bool,
}

impl std::fmt::Debug for LogWriter {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("LogWriter").field("failed", &self.failed).finish_non_exhaustive()
    }
}

impl LogWriter {
    pub(crate) fn new(out: Box<dyn Write + Send>) -> io::Result<LogWriter> {
        let mut out = BufWriter::new(out);
        write_header(&mut out)?;
        out.flush()?;
        Ok(LogWriter { out, failed: None, ended: false })
    }

    fn attempt(
        &mut self,
        write: impl FnOnce(&mut BufWriter<Box<dyn Write + Send>>) -> io::Result<()>,
    ) {
        if !self.ended
            && let Err(error) = write(&mut self.out)
        {
            self.failed = Some(error);
            self.ended = true;
        }
    }

    pub(crate) fn event(&mut self, graph: &Graph, id: EventId) {
        self.attempt(|out| write_event(out, graph, id));
    }

    /// An event that was written before has further causes.
    pub(crate) fn late(&mut self, graph: &Graph, effect: EventId) {
        self.attempt(|out| write_line(out, &LateOf { effect, causes: graph.causes(effect) }));
    }

    pub(crate) fn flush(&mut self) -> io::Result<()> {
        self.attempt(BufWriter::flush);
        self.failed.take().map_or(Ok(()), Err)
    }
}

impl Graph {
    /// Writes the whole record as JSON lines.
    pub fn write_log(&self, mut out: impl Write) -> io::Result<()> {
        write_header(&mut out)?;
        for id in self.ids() {
            write_event(&mut out, self, id)?;
        }
        out.flush()
    }
}

/// Reads a log back into a tracker, which finds the causes anew from the events. A last line that
/// was cut off, because the writer was killed, is left out.
pub fn read_log(mut input: impl BufRead) -> Result<Tracker, LogError> {
    let mut text = String::new();
    if input.read_line(&mut text)? == 0 {
        return Err(LogError::Empty);
    }
    let header: LogHeader =
        serde_json::from_str(&text).map_err(|source| LogError::Line { line: 1, source })?;
    if !(1..=LOG_VERSION).contains(&header.linchpin_event_log) {
        return Err(LogError::Version { found: header.linchpin_event_log });
    }
    let mut tracker = Tracker::new();
    for line in 2.. {
        let mut bytes = Vec::new();
        input.read_until(b'\n', &mut bytes)?;
        if bytes.last() != Some(&b'\n') {
            break;
        }
        if bytes.starts_with(b"{\"effect\":") {
            continue; // causes, which are found anew
        }
        let event: LogLine =
            serde_json::from_slice(&bytes).map_err(|source| LogError::Line { line, source })?;
        tracker.record(event.event);
    }
    Ok(tracker)
}
