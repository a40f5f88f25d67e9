//! Faults: what goes wrong, when, and for how long. `docs/formats/faults.md` has the grammar.

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use crate::errno::Errno;

/// A name as it was written; two are equal if their texts are.
#[derive(Clone, Debug, Eq)]
pub struct Name {
    /// The text, without quotes; `*` stands for any.
    pub text: String,
    /// `{a,b}`: whichever of these it is. Empty if it is one name.
    pub any_of: Box<[String]>,
    /// Where it stands, in bytes; for messages.
    pub span: Range<usize>,
}

impl PartialEq for Name {
    fn eq(&self, other: &Name) -> bool {
        self.text == other.text
    }
}

impl Name {
    /// A name that stands nowhere.
    pub fn new(text: impl Into<String>) -> Name {
        Name { text: text.into(), any_of: Box::default(), span: 0..0 }
    }

    /// Whichever of these it is.
    pub(crate) fn whichever(any_of: Vec<String>, span: Range<usize>) -> Name {
        let written: Vec<String> = any_of.iter().map(|one| quoted(one)).collect();
        Name { text: format!("{{{}}}", written.join(",")), any_of: any_of.into(), span }
    }

    /// True if it means one of several, whichever it is.
    pub fn is_whichever(&self) -> bool {
        !self.any_of.is_empty()
    }

    /// True if both are the same name, or stand for the same ones.
    pub(crate) fn means_as(&self, other: &Name) -> bool {
        let all_of =
            |one: &Name, two: &Name| one.any_of.iter().all(|name| two.any_of.contains(name));
        match (self.is_whichever(), other.is_whichever()) {
            (true, true) => all_of(self, other) && all_of(other, self),
            _ => self == other,
        }
    }

    /// True if it means this one: equal, with `*` for any characters.
    pub fn matches(&self, text: &str) -> bool {
        match &self.any_of[..] {
            [] => wildcard(&self.text, text),
            any_of => any_of.iter().any(|one| wildcard(one, text)),
        }
    }
}

/// In quotes, if it needs them.
fn quoted(text: &str) -> String {
    let plain = !text.is_empty()
        && !text.starts_with('#')
        && text.chars().all(crate::token::is_word_character)
        && !crate::parse::is_keyword(text);
    if plain {
        return text.to_owned();
    }
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}

impl fmt::Display for Name {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.is_whichever() {
            true => out.write_str(&self.text),
            false => out.write_str(&quoted(&self.text)),
        }
    }
}

/// True if `pattern`, in which `*` stands for any characters, matches all of `text`.
pub(crate) fn wildcard(pattern: &str, text: &str) -> bool {
    match pattern.split_once('*') {
        None => pattern == text,
        Some((start, rest)) => text.strip_prefix(start).is_some_and(|left| {
            let ends = left.char_indices().map(|(index, _)| index).chain([left.len()]);
            rest.is_empty() || ends.into_iter().any(|index| wildcard(rest, &left[index..]))
        }),
    }
}

/// Which of the events that match.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Count {
    /// The k-th, from 1.
    Nth(u32),
    /// Each of them.
    Every,
}

/// The kind of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// A message leaves.
    Send,
    /// The last byte of a message was received.
    Receive,
    /// A connection is asked for.
    Connect,
    /// A connection was accepted.
    Accept,
    /// A connection is given up by its last holder in a process.
    Close,
    /// fsync and its kin.
    Sync,
    /// A write to a file.
    Write,
    /// A file is opened.
    Open,
    /// A file gets another name.
    Rename,
    /// A name of a file is removed.
    Unlink,
    /// The node's program runs.
    Start,
    /// The node's first process has ended.
    Exit,
}

impl Kind {
    /// Every kind, with the word for it.
    pub const WORDS: [(&'static str, Kind); 12] = [
        ("send", Kind::Send),
        ("recv", Kind::Receive),
        ("connect", Kind::Connect),
        ("accept", Kind::Accept),
        ("close", Kind::Close),
        ("fsync", Kind::Sync),
        ("write", Kind::Write),
        ("open", Kind::Open),
        ("rename", Kind::Rename),
        ("unlink", Kind::Unlink),
        ("start", Kind::Start),
        ("exit", Kind::Exit),
    ];

    /// The word for it.
    pub fn word(self) -> &'static str {
        Kind::WORDS.iter().find(|(_, kind)| *kind == self).map_or("event", |(word, _)| word)
    }

    /// True if it is about two nodes.
    pub fn on_link(self) -> bool {
        matches!(self, Kind::Send | Kind::Receive | Kind::Connect | Kind::Accept | Kind::Close)
    }

    /// True if it is seen only when it has happened.
    pub fn only_after(self) -> bool {
        matches!(self, Kind::Receive | Kind::Accept | Kind::Start | Kind::Exit)
    }

    /// True if files are changed.
    pub fn on_files(self) -> bool {
        matches!(self, Kind::Write | Kind::Open | Kind::Rename | Kind::Unlink)
    }
}

/// Which events are meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern {
    /// What happens.
    pub kind: Kind,
    /// Where it happens.
    pub node: Name,
    /// The node at the other end.
    pub peer: Option<Name>,
    /// The label of the message, or the path of the file; `*` stands for any characters.
    pub label: Option<Name>,
    /// The port of the side that listens.
    pub port: Option<u16>,
    /// Which connection of the two nodes, from 1.
    pub connection: Option<u32>,
    /// Which of the events that match.
    pub count: Count,
}

impl fmt::Display for Pattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{} ", self.kind.word())?;
        self.write_rest(out)
    }
}

impl Pattern {
    /// Writes everything but the kind.
    fn write_rest(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.node)?;
        if let Some(peer) = &self.peer {
            let backwards = matches!(self.kind, Kind::Receive | Kind::Accept);
            write!(out, "{}{peer}", if backwards { "<-" } else { "->" })?;
        }
        if let Some(label) = &self.label {
            write!(out, " {label}")?;
        }
        if let Some(port) = self.port {
            write!(out, " port {port}")?;
        }
        if let Some(connection) = self.connection {
            write!(out, " connection {connection}")?;
        }
        match self.count {
            Count::Nth(1) => Ok(()),
            Count::Nth(number) => write!(out, " #{number}"),
            Count::Every => out.write_str(" #every"),
        }
    }
}

/// Before or after the event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Before the kernel acts.
    Before,
    /// After it has acted.
    After,
}

/// When a fault begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Trigger {
    /// As soon as what must have happened has: from the start if nothing must.
    Given,
    /// At this time after the workload began.
    Time(Duration),
    /// At an event.
    Event(Side, Pattern),
}

/// When a fault ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Until {
    /// This long after it began.
    For(Duration),
    /// At this time after the workload began.
    Time(Duration),
    /// After an event.
    Event(Pattern),
}

/// What becomes of a node's data directory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Data {
    /// It stays as it is.
    Keep,
    /// It is as it was before the first start.
    Lose,
}

/// How late a message is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lateness {
    /// By this much.
    By(Duration),
    /// Until an event has happened, or a time after the workload began.
    Until(Until),
}

/// What goes wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Effect {
    /// Every process of the node is killed; its peers are told by the kernel.
    Crash(Name),
    /// The host goes quiet: no FIN, no RST, no answer.
    SilentCrash(Name),
    /// The same, and what was not synced is gone from the data directory.
    PowerLoss(Name),
    /// The node is started again (killed first if it runs).
    Restart(Name, Data),
    /// Every thread of the node stands still.
    Pause(Name),
    /// Nothing gets from one group to another, either way.
    Partition(Vec<Vec<Name>>),
    /// Nothing gets from one node to another.
    Stall(Name, Name),
    /// A message, and what follows it on its connection, comes late.
    Delay(Pattern, Lateness),
    /// A datagram is lost.
    Omit(Pattern),
    /// A datagram comes twice.
    Duplicate(Pattern),
    /// A datagram comes after the next one.
    Reorder(Pattern),
    /// One byte of a message is another (this one, from 0; the middle one if not said).
    Corrupt(Pattern, Option<u64>),
    /// A connect is refused.
    Refuse(Pattern),
    /// A connect times out.
    TimeOut(Pattern),
    /// A connect hangs.
    Hang(Pattern),
    /// Connections between two nodes are reset.
    Reset(Name, Name),
    /// A call fails.
    Error(Errno, Pattern),
    /// A write takes no more than this many bytes.
    ShortWrite(Pattern, u64),
}

impl Effect {
    /// Every effect's word, with a use of it.
    pub const WORDS: [(&'static str, &'static str); 19] = [
        ("crash", "crash NODE"),
        ("silent-crash", "silent-crash NODE"),
        ("power-loss", "power-loss NODE"),
        ("restart", "restart NODE keep|lose"),
        ("recover", "recover NODE"),
        ("pause", "pause NODE for DURATION"),
        ("partition", "partition NODE,... | NODE,..."),
        ("stall", "stall NODE->NODE"),
        ("delay", "delay NODE->NODE LABEL #K by DURATION"),
        ("omit", "omit NODE->NODE LABEL #K"),
        ("duplicate", "duplicate NODE->NODE LABEL #K"),
        ("reorder", "reorder NODE->NODE LABEL #K"),
        ("corrupt", "corrupt NODE->NODE LABEL #K"),
        ("refuse", "refuse NODE->NODE #K"),
        ("time-out", "time-out NODE->NODE #K"),
        ("hang", "hang NODE->NODE #K"),
        ("reset", "reset NODE->NODE"),
        ("error", "error ERRNO NODE CALL #K"),
        ("short-write", "short-write NODE to BYTES #K"),
    ];

    /// The call or message that is not as usual, if the effect is about one.
    pub fn subject(&self) -> Option<&Pattern> {
        match self {
            Effect::Delay(pattern, _)
            | Effect::Omit(pattern)
            | Effect::Duplicate(pattern)
            | Effect::Reorder(pattern)
            | Effect::Corrupt(pattern, _)
            | Effect::Refuse(pattern)
            | Effect::TimeOut(pattern)
            | Effect::Hang(pattern)
            | Effect::Error(_, pattern)
            | Effect::ShortWrite(pattern, _) => Some(pattern),
            _ => None,
        }
    }

    /// The nodes it names.
    pub fn nodes(&self) -> Vec<&Name> {
        match self {
            Effect::Crash(node)
            | Effect::SilentCrash(node)
            | Effect::PowerLoss(node)
            | Effect::Restart(node, _)
            | Effect::Pause(node) => vec![node],
            Effect::Partition(groups) => groups.iter().flatten().collect(),
            Effect::Stall(from, to) | Effect::Reset(from, to) => vec![from, to],
            _ => self.subject().map(Pattern::nodes).unwrap_or_default(),
        }
    }

    /// True if it can end, and what ends it may be said.
    pub fn lasts(&self) -> bool {
        matches!(self, Effect::Pause(_) | Effect::Partition(_) | Effect::Stall(..))
            || self.subject().is_some()
    }
}

impl Pattern {
    /// The nodes it names.
    pub fn nodes(&self) -> Vec<&Name> {
        [Some(&self.node), self.peer.as_ref()].into_iter().flatten().collect()
    }
}

/// One fault.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fault {
    /// What goes wrong.
    pub effect: Effect,
    /// When it begins.
    pub trigger: Trigger,
    /// Events that must have happened before.
    pub given: Vec<Pattern>,
    /// The event from which on, itself included, the fault counts; `None`: the start.
    pub since: Option<Pattern>,
    /// How long after its trigger a restart comes.
    pub pause: Duration,
    /// When it ends; `None`: with the run, or by itself.
    pub until: Option<Until>,
}

impl Fault {
    /// Every pattern in it.
    pub fn patterns(&self) -> Vec<&Pattern> {
        let mut patterns: Vec<&Pattern> = self.effect.subject().into_iter().collect();
        if let Effect::Delay(_, Lateness::Until(Until::Event(pattern))) = &self.effect {
            patterns.push(pattern);
        }
        if let Trigger::Event(_, pattern) = &self.trigger {
            patterns.push(pattern);
        }
        if let Some(Until::Event(pattern)) = &self.until {
            patterns.push(pattern);
        }
        patterns.extend(&self.given);
        patterns.extend(&self.since);
        patterns
    }

    /// Every node it names, wildcards included.
    pub fn nodes(&self) -> Vec<&Name> {
        let mut nodes = self.effect.nodes();
        nodes.extend(self.patterns().into_iter().flat_map(Pattern::nodes));
        nodes
    }
}

struct Time(Duration);

impl fmt::Display for Time {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let micros = self.0.as_micros();
        if micros.is_multiple_of(1_000_000) {
            write!(out, "{}s", micros / 1_000_000)
        } else if micros.is_multiple_of(1000) {
            write!(out, "{}ms", micros / 1000)
        } else {
            write!(out, "{micros}us")
        }
    }
}

impl fmt::Display for Until {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Until::For(length) => write!(out, "for {}", Time(*length)),
            Until::Time(time) => write!(out, "until {}", Time(*time)),
            Until::Event(pattern) => write!(out, "until {pattern}"),
        }
    }
}

impl fmt::Display for Effect {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let subject = |word: &str, pattern: &Pattern, out: &mut fmt::Formatter<'_>| {
            write!(out, "{word} ")?;
            pattern.write_rest(out)
        };
        match self {
            Effect::Crash(node) => write!(out, "crash {node}"),
            Effect::SilentCrash(node) => write!(out, "silent-crash {node}"),
            Effect::PowerLoss(node) => write!(out, "power-loss {node}"),
            Effect::Restart(node, Data::Keep) => write!(out, "restart {node} keep"),
            Effect::Restart(node, Data::Lose) => write!(out, "restart {node} lose"),
            Effect::Pause(node) => write!(out, "pause {node}"),
            Effect::Partition(groups) => {
                out.write_str("partition ")?;
                for (index, group) in groups.iter().enumerate() {
                    out.write_str(if index == 0 { "" } else { " | " })?;
                    for (index, node) in group.iter().enumerate() {
                        write!(out, "{}{node}", if index == 0 { "" } else { "," })?;
                    }
                }
                Ok(())
            }
            Effect::Stall(from, to) => write!(out, "stall {from}->{to}"),
            Effect::Delay(pattern, lateness) => {
                subject("delay", pattern, out)?;
                match lateness {
                    Lateness::By(length) => write!(out, " by {}", Time(*length)),
                    Lateness::Until(until) => write!(out, " {until}"),
                }
            }
            Effect::Omit(pattern) => subject("omit", pattern, out),
            Effect::Duplicate(pattern) => subject("duplicate", pattern, out),
            Effect::Reorder(pattern) => subject("reorder", pattern, out),
            Effect::Corrupt(pattern, byte) => {
                subject("corrupt", pattern, out)?;
                byte.map_or(Ok(()), |byte| write!(out, " byte {byte}"))
            }
            Effect::Refuse(pattern) => subject("refuse", pattern, out),
            Effect::TimeOut(pattern) => subject("time-out", pattern, out),
            Effect::Hang(pattern) => subject("hang", pattern, out),
            Effect::Reset(from, to) => write!(out, "reset {from}->{to}"),
            Effect::Error(errno, pattern) => {
                let arrow = if pattern.kind == Kind::Receive || pattern.kind == Kind::Accept {
                    "<-"
                } else {
                    "->"
                };
                write!(out, "error {errno} {}", pattern.node)?;
                if let Some(peer) = &pattern.peer {
                    write!(out, "{arrow}{peer}")?;
                }
                write!(out, " {}", pattern.kind.word())?;
                let rest = Pattern { node: Name::new("*"), peer: None, ..pattern.clone() };
                let rest = Rest(&rest).to_string();
                out.write_str(rest.strip_prefix('*').unwrap_or(&rest))
            }
            Effect::ShortWrite(pattern, bytes) => {
                subject("short-write", pattern, out)?;
                write!(out, " to {bytes}")
            }
        }
    }
}

struct Rest<'a>(&'a Pattern);

impl fmt::Display for Rest<'_> {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.write_rest(out)
    }
}

/// As it is written and parsed again.
impl fmt::Display for Fault {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}", self.effect)?;
        match &self.trigger {
            Trigger::Given => {}
            Trigger::Time(time) => write!(out, " at {}", Time(*time))?,
            Trigger::Event(Side::Before, pattern) => write!(out, " before {pattern}")?,
            Trigger::Event(Side::After, pattern) => write!(out, " after {pattern}")?,
        }
        if !self.given.is_empty() {
            let given: Vec<String> = self.given.iter().map(ToString::to_string).collect();
            write!(out, " after {{{}}}", given.join(", "))?;
        }
        if let Some(pattern) = &self.since {
            write!(out, " since {pattern}")?;
        }
        if !self.pause.is_zero() {
            write!(out, " after {}", Time(self.pause))?;
        }
        self.until.as_ref().map_or(Ok(()), |until| write!(out, " {until}"))
    }
}
