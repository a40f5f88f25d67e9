//! A replicated log of values under a leader that is elected.
//!
//! The leader sends its whole log, stamped with its term, at every change and as a heartbeat; a
//! follower takes it over and stamps its own log with that term. A node votes once per term. What
//! makes it right: the leader answers when a majority has the log on disk, and a vote goes only to a
//! candidate whose log is at least as new.

use std::collections::BTreeSet;

use super::super::{Context, FINAL, Model, Process};
use super::lost_write;

#[derive(Clone, Copy)]
pub(crate) struct Rules {
    /// Answer when a majority has the value; else at once.
    pub(crate) waits_for_majority: bool,
    /// Vote only for logs at least as new as one's own.
    pub(crate) compares_logs: bool,
    /// Sync before promising anything.
    pub(crate) syncs: bool,
}

pub(crate) const CORRECT: Rules =
    Rules { waits_for_majority: true, compares_logs: true, syncs: true };

pub(crate) fn model(name: &'static str, rules: Rules) -> Model {
    Model {
        name,
        nodes: vec![("a", None), ("b", None), ("c", None)],
        program: Box::new(move |node, _| match node {
            "client" => Box::new(Client::default()),
            _ => Box::new(Replica::new(node, rules)),
        }),
        judge: lost_write,
    }
}

const NODES: [&str; 3] = ["a", "b", "c"];
const HEARTBEAT: u32 = 1;
/// Timers from this number on: an election unless the leader was heard since.
const ELECTION: u32 = 10;
const HEARTBEAT_MS: u64 = 60;
const MAJORITY: usize = 2;

#[derive(PartialEq)]
enum Role {
    Follower,
    Candidate,
    Leader,
}

struct Replica {
    name: String,
    rules: Rules,
    role: Role,
    term: u64,
    voted: Option<String>,
    /// The term in which the log was last taken over.
    stamp: u64,
    log: Vec<String>,
    votes: BTreeSet<String>,
    /// Per node: how much of the log it confirmed in this term.
    confirmed: Vec<(String, usize)>,
    committed: usize,
    pending: Vec<(usize, String)>,
    heard: u32,
}

impl Replica {
    fn new(name: &str, rules: Rules) -> Self {
        Self {
            name: name.into(),
            rules,
            role: Role::Follower,
            term: 0,
            voted: None,
            stamp: 0,
            log: Vec::new(),
            votes: BTreeSet::new(),
            confirmed: Vec::new(),
            committed: 0,
            pending: Vec::new(),
            heard: 0,
        }
    }

    fn others(&self) -> impl Iterator<Item = &'static str> + use<> {
        let name = self.name.clone();
        NODES.into_iter().filter(move |other| *other != name)
    }

    fn patience(&self) -> u64 {
        let index = NODES.iter().position(|node| *node == self.name).unwrap_or(0) as u64;
        // At the very beginning the first node is the quickest.
        if self.term == 0 { 20 + 200 * index } else { 250 + 120 * index }
    }

    fn expect_leader(&mut self, context: &mut Context<'_>) {
        self.heard += 1;
        context.timer(self.patience(), ELECTION + self.heard);
    }

    /// False if the disk fails: then nothing may be promised.
    fn save(&mut self, context: &mut Context<'_>) -> bool {
        let voted = self.voted.clone().unwrap_or_default();
        let line = format!("{}|{voted}|{}|{}", self.term, self.stamp, self.log.join(","));
        context.write(line) && (!self.rules.syncs || context.sync())
    }

    fn newer_term(&mut self, term: u64) {
        if term > self.term {
            self.term = term;
            self.voted = None;
            self.role = Role::Follower;
            self.pending.clear();
        }
    }

    fn replicate(&mut self, context: &mut Context<'_>, label: &str) {
        for other in self.others() {
            let text = format!("{}|{}", self.term, self.log.join(","));
            context.send(other, label, text);
        }
    }

    fn lead(&mut self, context: &mut Context<'_>) {
        self.role = Role::Leader;
        self.stamp = self.term;
        self.committed = 0;
        self.confirmed.clear();
        if self.save(context) {
            self.confirmed.push((self.name.clone(), self.log.len()));
        }
        self.replicate(context, "SYNC");
        context.timer(HEARTBEAT_MS, HEARTBEAT);
    }

    fn confirm(&mut self, context: &mut Context<'_>, from: &str, length: usize) {
        self.confirmed.retain(|(node, _)| node != from);
        self.confirmed.push((from.into(), length));
        let mut lengths: Vec<usize> = self.confirmed.iter().map(|(_, length)| *length).collect();
        lengths.sort_unstable_by(|one, other| other.cmp(one));
        if let Some(length) = lengths.get(MAJORITY - 1) {
            self.committed = self.committed.max(*length);
        }
        let committed = self.committed;
        let (done, pending) =
            std::mem::take(&mut self.pending).into_iter().partition(|(at, _)| *at <= committed);
        self.pending = pending;
        let done: Vec<(usize, String)> = done;
        for (_, value) in done {
            context.send("client", "OK", value);
        }
    }
}

impl Process for Replica {
    fn start(&mut self, context: &mut Context<'_>) {
        if let Some(line) = context.disk.last() {
            let parts: Vec<&str> = line.split('|').collect();
            self.term = parts[0].parse().unwrap_or(0);
            self.voted = Some(parts[1].to_owned()).filter(|voted| !voted.is_empty());
            self.stamp = parts[2].parse().unwrap_or(0);
            self.log = values(parts[3]);
        }
        self.expect_leader(context);
    }

    fn receive(&mut self, context: &mut Context<'_>, from: &str, label: &str, text: &str) {
        let parts: Vec<&str> = text.split('|').collect();
        let term: u64 = parts[0].parse().unwrap_or(0);
        match label {
            "PUT" if self.role == Role::Leader => {
                if !self.log.iter().any(|value| value == text) {
                    self.log.push(text.to_owned());
                    if !self.save(context) {
                        self.log.pop();
                        context.send("client", "FAILED", text);
                        return;
                    }
                }
                if !self.rules.waits_for_majority {
                    context.send("client", "OK", text);
                } else {
                    self.pending.push((self.log.len(), text.to_owned()));
                }
                self.replicate(context, "REPLICATE");
                let length = self.log.len();
                self.confirm(context, &self.name.clone(), length);
            }
            "GET" if self.role == Role::Leader => {
                context.send("client", "VALUES", format!("{}|{}", self.term, self.log.join(",")));
            }
            "PUT" | "GET" => context.send("client", "ELSEWHERE", ""),
            "REPLICATE" | "SYNC" | "HEARTBEAT" => {
                if term < self.term {
                    return;
                }
                self.newer_term(term);
                self.role = Role::Follower;
                let log = values(parts[1]);
                self.expect_leader(context);
                if log != self.log || self.stamp != term {
                    let old = std::mem::replace(&mut self.log, log);
                    let stamp = std::mem::replace(&mut self.stamp, term);
                    if !self.save(context) {
                        (self.log, self.stamp) = (old, stamp);
                        return;
                    }
                }
                if label != "HEARTBEAT" {
                    context.send(from, "HAVE", format!("{term}|{}", self.log.len()));
                }
            }
            "HAVE" if self.role == Role::Leader && term == self.term => {
                let length = parts[1].parse().unwrap_or(0);
                self.confirm(context, from, length);
            }
            "VOTE?" => {
                self.newer_term(term);
                let stamp: u64 = parts[1].parse().unwrap_or(0);
                let length: usize = parts[2].parse().unwrap_or(0);
                let is_new = (stamp, length) >= (self.stamp, self.log.len());
                let is_free = self.voted.as_deref().is_none_or(|voted| voted == from);
                if term == self.term && is_free && (is_new || !self.rules.compares_logs) {
                    self.voted = Some(from.to_owned());
                    if self.save(context) {
                        self.expect_leader(context);
                        context.send(from, "VOTE", term.to_string());
                    }
                }
            }
            "VOTE" if self.role == Role::Candidate && term == self.term => {
                self.votes.insert(from.to_owned());
                if self.votes.len() >= MAJORITY {
                    self.lead(context);
                }
            }
            _ => {}
        }
    }

    fn timer(&mut self, context: &mut Context<'_>, name: u32) {
        if name == HEARTBEAT && self.role == Role::Leader {
            self.replicate(context, "HEARTBEAT");
            context.timer(HEARTBEAT_MS, HEARTBEAT);
        } else if name == ELECTION + self.heard && self.role != Role::Leader {
            self.term += 1;
            self.role = Role::Candidate;
            self.voted = Some(self.name.clone());
            self.votes = BTreeSet::from([self.name.clone()]);
            if self.save(context) {
                for other in self.others() {
                    let text = format!("{}|{}|{}", self.term, self.stamp, self.log.len());
                    context.send(other, "VOTE?", text);
                }
            }
            self.expect_leader(context);
        }
    }
}

fn values(text: &str) -> Vec<String> {
    text.split(',').filter(|value| !value.is_empty()).map(str::to_owned).collect()
}

/// Writes two values, each to whoever takes it; asks every node for the log at the end.
#[derive(Default)]
struct Client {
    value: usize,
    attempt: u32,
    node: usize,
    reading: bool,
    newest: u64,
}

const VALUES: [&str; 2] = ["token-1", "token-2"];
const BEGIN: u32 = 1;
/// Timers from this number on: no answer to an attempt.
const RETRY: u32 = 10_000;
/// Timers from this number on: ask again.
const AGAIN: u32 = 20_000;

impl Client {
    fn ask(&mut self, context: &mut Context<'_>) {
        let Some(value) = VALUES.get(self.value) else { return };
        self.attempt += 1;
        context.send(NODES[self.node % 3], "PUT", *value);
        context.timer(300, RETRY + self.attempt);
    }

    fn next(&mut self, context: &mut Context<'_>) {
        if self.value == VALUES.len() {
            context.finished();
        } else {
            context.invoke(self.value, &[VALUES[self.value]]);
            self.ask(context);
        }
    }
}

impl Process for Client {
    fn start(&mut self, context: &mut Context<'_>) {
        context.timer(100, BEGIN);
    }

    fn receive(&mut self, context: &mut Context<'_>, _: &str, label: &str, text: &str) {
        match label {
            "OK" if VALUES.get(self.value) == Some(&text) => {
                context.complete(self.value);
                self.value += 1;
                self.attempt += 1;
                // Time for one heartbeat between the writes.
                context.timer(150, BEGIN);
            }
            "ELSEWHERE" | "FAILED" if !self.reading => {
                self.node += 1;
                self.attempt += 1;
                context.timer(20, AGAIN + self.attempt);
            }
            "VALUES" if self.reading => {
                let (term, log) = text.split_once('|').unwrap_or(("0", ""));
                let term = term.parse().unwrap_or(0);
                if term >= self.newest {
                    self.newest = term;
                    context.learned(log);
                }
            }
            _ => {}
        }
    }

    fn timer(&mut self, context: &mut Context<'_>, name: u32) {
        match name {
            FINAL => {
                self.reading = true;
                for node in NODES {
                    context.send(node, "GET", "");
                }
                context.timer(500, FINAL + 1);
            }
            _ if name == FINAL + 1 => context.finished(),
            BEGIN => self.next(context),
            _ if name == RETRY + self.attempt => {
                self.node += 1;
                self.ask(context);
            }
            _ if name == AGAIN + self.attempt => self.ask(context),
            _ => {}
        }
    }
}
