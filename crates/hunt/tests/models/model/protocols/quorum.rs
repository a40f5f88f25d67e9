//! A register on three nodes, written and read by quorums. What makes it right: the two overlap.

use std::collections::BTreeMap;

use linchpin_model::Outcome;

use super::super::{Context, FINAL, History, Model, Process};

pub(crate) fn model(name: &'static str, writes: usize, reads: usize) -> Model {
    Model {
        name,
        nodes: vec![("r1", Some("replica")), ("r2", Some("replica")), ("r3", Some("replica"))],
        program: Box::new(move |node, _| match node {
            "client" => Box::new(Client::default()),
            _ => Box::new(Replica::new(node, writes, reads)),
        }),
        judge: fresh,
    }
}

/// Each read must show the value whose write was acknowledged before it began.
fn fresh(history: &History) -> Outcome {
    let mut asked = 0;
    for read in &history.learned {
        let (expected, shown) = read.split_once('=').unwrap_or(("", ""));
        asked += 1;
        if expected > shown {
            return Outcome::Bad;
        }
    }
    if asked == 0 { Outcome::Vacuous } else { Outcome::Good }
}

const REPLICAS: [&str; 3] = ["r1", "r2", "r3"];

/// Takes writes and reads from the client and asks the others on its behalf.
struct Replica {
    name: String,
    writes: usize,
    reads: usize,
    value: String,
    /// Per value being written: who has it.
    stored: BTreeMap<String, usize>,
    /// The read under way: what was shown so far.
    shown: Vec<String>,
    is_reading: bool,
}

impl Replica {
    fn new(name: &str, writes: usize, reads: usize) -> Self {
        let name = name.into();
        let (value, stored, shown) = (String::new(), BTreeMap::new(), Vec::new());
        Self { name, writes, reads, value, stored, shown, is_reading: false }
    }

    fn others(&self) -> impl Iterator<Item = &'static str> + use<> {
        let name = self.name.clone();
        REPLICAS.into_iter().filter(move |other| *other != name)
    }

    fn store(&mut self, context: &mut Context<'_>, value: &str) -> bool {
        if value > self.value.as_str() {
            if !(context.write(value) && context.sync()) {
                return false;
            }
            self.value = value.to_owned();
        }
        true
    }

    fn stored(&mut self, context: &mut Context<'_>, value: &str) {
        let count = self.stored.entry(value.to_owned()).or_default();
        *count += 1;
        if *count == self.writes {
            context.send("client", "WRITTEN", value);
        }
    }

    fn shown(&mut self, context: &mut Context<'_>, value: String) {
        self.shown.push(value);
        if self.is_reading && self.shown.len() == self.reads {
            self.is_reading = false;
            let newest = self.shown.iter().max().cloned().unwrap_or_default();
            context.send("client", "VALUE", newest);
        }
    }
}

impl Process for Replica {
    fn start(&mut self, context: &mut Context<'_>) {
        self.value = context.disk.last().cloned().unwrap_or_default();
    }

    fn receive(&mut self, context: &mut Context<'_>, from: &str, label: &str, text: &str) {
        match label {
            "WRITE" => {
                for other in self.others() {
                    context.send(other, "STORE", text);
                }
                if self.store(context, text) {
                    self.stored(context, text);
                }
            }
            "STORE" if self.store(context, text) => context.send(from, "STORED", text),
            "STORED" => self.stored(context, text),
            "READ" => {
                (self.shown, self.is_reading) = (Vec::new(), true);
                self.shown(context, self.value.clone());
                if self.is_reading {
                    for other in self.others() {
                        context.send(other, "SHOW", text);
                    }
                }
            }
            "SHOW" => context.send(from, "SHOWN", self.value.clone()),
            "SHOWN" => self.shown(context, text.to_owned()),
            _ => {}
        }
    }

    fn timer(&mut self, _: &mut Context<'_>, _: u32) {}
}

/// Writes a value through one replica, reads it through another, three times.
#[derive(Default)]
struct Client {
    round: usize,
}

const VALUES: [&str; 3] = ["token-1", "token-2", "token-3"];

impl Process for Client {
    fn start(&mut self, context: &mut Context<'_>) {
        context.timer(20, 1);
    }

    fn receive(&mut self, context: &mut Context<'_>, _: &str, label: &str, text: &str) {
        match label {
            "WRITTEN" if VALUES.get(self.round) == Some(&text) => {
                context.complete(self.round);
                context.timer(20, 2);
            }
            "VALUE" => {
                if let Some(value) = VALUES.get(self.round) {
                    context.learned(format!("{value}={text}"));
                }
                self.round += 1;
                context.timer(50, 1);
            }
            _ => {}
        }
    }

    fn timer(&mut self, context: &mut Context<'_>, name: u32) {
        let Some(value) = VALUES.get(self.round).filter(|_| name != FINAL) else {
            context.finished();
            return;
        };
        if name == 1 {
            context.invoke(self.round, &[value]);
            context.send(REPLICAS[self.round % 3], "WRITE", *value);
        } else {
            context.send(REPLICAS[(self.round + 2) % 3], "READ", "");
        }
    }
}
