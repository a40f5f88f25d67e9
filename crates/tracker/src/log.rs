//! The event log: JSON lines. The first line says the version; every other is one event with its
//! direct causes. `docs/tracing/event-log.md` documents it.

use std::io::{self, BufRead, Write};

use linchpin_tracer::Event;
use serde::{Deserialize, Serialize};

use crate::graph::{Edge, EventId, Graph};
use crate::tracker::Tracker;

/// Version of the format. Readers refuse others.
pub const LOG_VERSION: u32 = 1;

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
    #[error("the event log has version {found}, not {LOG_VERSION}")]
    Version {
        /// The version in its first line.
        found: u32,
    },
    /// Occurs when the log is empty.
    #[error("the event log is empty")]
    Empty,
}

impl Graph {
    /// Writes the whole record as JSON lines.
    pub fn write_log(&self, mut out: impl Write) -> io::Result<()> {
        serde_json::to_writer(&mut out, &LogHeader { linchpin_event_log: LOG_VERSION })?;
        out.write_all(b"\n")?;
        for id in self.ids() {
            let line =
                LogLine { id, event: self.event(id).clone(), causes: self.causes(id).to_vec() };
            serde_json::to_writer(&mut out, &line)?;
            out.write_all(b"\n")?;
        }
        out.flush()
    }
}

/// Reads a log back into a tracker, which finds the causes anew from the events.
pub fn read_log(input: impl BufRead) -> Result<Tracker, LogError> {
    let mut lines = input.lines().enumerate();
    let (_, header) = lines.next().ok_or(LogError::Empty)?;
    let header: LogHeader =
        serde_json::from_str(&header?).map_err(|source| LogError::Line { line: 1, source })?;
    if header.linchpin_event_log != LOG_VERSION {
        return Err(LogError::Version { found: header.linchpin_event_log });
    }
    let mut tracker = Tracker::new();
    for (index, line) in lines {
        let line: LogLine = serde_json::from_str(&line?)
            .map_err(|source| LogError::Line { line: index + 1, source })?;
        tracker.record(line.event);
    }
    Ok(tracker)
}
