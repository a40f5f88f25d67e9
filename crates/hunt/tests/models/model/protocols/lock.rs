//! Two workers that add to one register under a lock with a lease. What makes it right: the lock
//! hands out growing numbers, and the store refuses a worker whose number is out of date.

use super::super::{Context, FINAL, Model, Process};
use super::lost_write;

pub(crate) fn model(name: &'static str, checks_number: bool) -> Model {
    Model {
        name,
        nodes: vec![
            ("lock", None),
            ("store", None),
            ("w1", Some("worker")),
            ("w2", Some("worker")),
        ],
        program: Box::new(move |node, _| match node {
            "lock" => Box::new(Lock::default()),
            "store" => Box::new(Store { checks_number, ..Store::default() }),
            "client" => Box::new(Client::default()),
            _ => Box::new(Worker::default()),
        }),
        judge: lost_write,
    }
}

const LEASE_MS: u64 = 400;
const RETRY: u32 = 1;

#[derive(Default)]
struct Lock {
    number: u64,
    holder: Option<String>,
    until: u64,
}

impl Process for Lock {
    fn start(&mut self, context: &mut Context<'_>) {
        self.number = context.disk.last().and_then(|line| line.parse().ok()).unwrap_or(0);
    }

    fn receive(&mut self, context: &mut Context<'_>, from: &str, label: &str, text: &str) {
        match label {
            "ACQUIRE" if self.holder.is_none() || context.time >= self.until => {
                self.number += 1;
                if !(context.write(self.number.to_string()) && context.sync()) {
                    context.send(from, "BUSY", "");
                    return;
                }
                self.holder = Some(from.to_owned());
                self.until = context.time + LEASE_MS;
                context.send(from, "GRANTED", self.number.to_string());
            }
            "ACQUIRE" => context.send(from, "BUSY", ""),
            "RELEASE" if text == self.number.to_string() => self.holder = None,
            _ => {}
        }
    }

    fn timer(&mut self, _: &mut Context<'_>, _: u32) {}
}

#[derive(Default)]
struct Store {
    checks_number: bool,
    newest: u64,
    register: String,
}

impl Process for Store {
    fn start(&mut self, context: &mut Context<'_>) {
        if let Some((newest, register)) = context.disk.last().and_then(|line| line.split_once('|'))
        {
            (self.newest, self.register) = (newest.parse().unwrap_or(0), register.to_owned());
        }
    }

    fn receive(&mut self, context: &mut Context<'_>, from: &str, label: &str, text: &str) {
        if label == "LOOK" {
            context.send(from, "SHOWN", self.register.clone());
            return;
        }
        let (number, register) = text.split_once('|').unwrap_or((text, ""));
        let number: u64 = number.parse().unwrap_or(0);
        if self.checks_number && number < self.newest {
            context.send(from, "REFUSED", "");
            return;
        }
        let old = (self.newest, self.register.clone());
        self.newest = self.newest.max(number);
        if label == "WRITE" {
            self.register = register.to_owned();
        }
        if !(context.write(format!("{}|{}", self.newest, self.register)) && context.sync()) {
            (self.newest, self.register) = old;
            context.send(from, "REFUSED", "");
        } else if label == "WRITE" {
            context.send(from, "WROTE", "");
        } else {
            context.send(from, "VALUE", self.register.clone());
        }
    }

    fn timer(&mut self, _: &mut Context<'_>, _: u32) {}
}

#[derive(Default)]
struct Worker {
    job: Option<String>,
    number: String,
    step: u32,
}

impl Worker {
    fn acquire(&mut self, context: &mut Context<'_>) {
        self.step += 1;
        context.send("lock", "ACQUIRE", "");
        context.timer(900, RETRY + self.step);
    }
}

impl Process for Worker {
    fn start(&mut self, _: &mut Context<'_>) {}

    fn receive(&mut self, context: &mut Context<'_>, from: &str, label: &str, text: &str) {
        let Some(job) = self.job.clone() else {
            if label == "JOB" && from == "client" {
                self.job = Some(text.to_owned());
                self.acquire(context);
            }
            return;
        };
        match label {
            "BUSY" => {
                self.step += 1;
                context.timer(120, RETRY + self.step);
            }
            "GRANTED" => {
                self.number = text.to_owned();
                context.send("store", "READ", self.number.clone());
            }
            "VALUE" => {
                let separator = if text.is_empty() { "" } else { "," };
                context.send("store", "WRITE", format!("{}|{text}{separator}{job}", self.number));
            }
            "WROTE" => {
                self.step += 1;
                self.job = None;
                context.send("client", "DONE", job);
                context.send("lock", "RELEASE", self.number.clone());
            }
            "REFUSED" => self.acquire(context),
            _ => {}
        }
    }

    fn timer(&mut self, context: &mut Context<'_>, name: u32) {
        if name == RETRY + self.step && self.job.is_some() {
            self.acquire(context);
        }
    }
}

/// Gives a job to each worker; the second a little later.
#[derive(Default)]
struct Client {
    done: usize,
    reading: bool,
}

impl Process for Client {
    fn start(&mut self, context: &mut Context<'_>) {
        context.timer(50, 1);
        context.timer(60, 2);
    }

    fn receive(&mut self, context: &mut Context<'_>, _: &str, label: &str, text: &str) {
        match label {
            "DONE" => {
                context.complete(if text == "token-1" { 1 } else { 2 });
                self.done += 1;
                if self.done == 2 && !self.reading {
                    context.finished();
                }
            }
            "SHOWN" => {
                context.learned(text);
                context.finished();
            }
            _ => {}
        }
    }

    fn timer(&mut self, context: &mut Context<'_>, name: u32) {
        match name {
            FINAL => {
                self.reading = true;
                context.send("store", "LOOK", "");
            }
            1 => {
                context.invoke(1, &["token-1"]);
                context.send("w1", "JOB", "token-1");
            }
            _ => {
                context.invoke(2, &["token-2"]);
                context.send("w2", "JOB", "token-2");
            }
        }
    }
}
