//! A gateway that repeats what was not answered, before a ledger. What makes it right: the ledger
//! knows what it has already entered.

use linchpin_model::Outcome;

use super::super::{Context, FINAL, History, Model, Process};

pub(crate) fn model(name: &'static str, knows_repeats: bool) -> Model {
    Model {
        name,
        nodes: vec![("gateway", None), ("ledger", None)],
        program: Box::new(move |node, _| match node {
            "gateway" => Box::new(Gateway::default()),
            "ledger" => Box::new(Ledger { knows_repeats, entries: Vec::new() }),
            _ => Box::new(Client::default()),
        }),
        judge: once,
    }
}

/// Bad if an entry is there twice, or an acknowledged one is missing.
fn once(history: &History) -> Outcome {
    let Some(last) = history.learned.last() else { return Outcome::Inconclusive };
    if history.acknowledged.is_empty() {
        return Outcome::Vacuous;
    }
    let count = |value: &str| last.split(',').filter(|entry| *entry == value).count();
    let is_good = history.acknowledged.iter().all(|value| count(value) == 1);
    if is_good { Outcome::Good } else { Outcome::Bad }
}

#[derive(Default)]
struct Gateway {
    open: Vec<String>,
}

impl Process for Gateway {
    fn start(&mut self, _: &mut Context<'_>) {}

    fn receive(&mut self, context: &mut Context<'_>, _: &str, label: &str, text: &str) {
        if label == "PAY" {
            self.open.push(text.to_owned());
            context.send("ledger", "ENTER", text);
            context.timer(250, 1);
        } else if let Some(index) = self.open.iter().position(|open| open == text) {
            self.open.remove(index);
            context.send("client", "PAID", text);
        }
    }

    fn timer(&mut self, context: &mut Context<'_>, _: u32) {
        for open in &self.open {
            context.send("ledger", "ENTER", open.clone());
        }
        if !self.open.is_empty() {
            context.timer(250, 1);
        }
    }
}

struct Ledger {
    knows_repeats: bool,
    entries: Vec<String>,
}

impl Process for Ledger {
    fn start(&mut self, context: &mut Context<'_>) {
        self.entries = context.disk.to_vec();
    }

    fn receive(&mut self, context: &mut Context<'_>, from: &str, label: &str, text: &str) {
        if label == "SHOW" {
            context.send(from, "ENTRIES", self.entries.join(","));
            return;
        }
        let is_known = self.knows_repeats && self.entries.iter().any(|entry| entry == text);
        if !is_known {
            if !(context.write(text) && context.sync()) {
                return;
            }
            self.entries.push(text.to_owned());
        }
        context.send(from, "ENTERED", text);
    }

    fn timer(&mut self, _: &mut Context<'_>, _: u32) {}
}

#[derive(Default)]
struct Client {
    sent: usize,
}

const PAYMENTS: [&str; 2] = ["token-1", "token-2"];

impl Process for Client {
    fn start(&mut self, context: &mut Context<'_>) {
        context.timer(20, 1);
    }

    fn receive(&mut self, context: &mut Context<'_>, _: &str, label: &str, text: &str) {
        match label {
            "PAID" => {
                let number = PAYMENTS.iter().position(|payment| *payment == text).unwrap_or(0);
                context.complete(number);
            }
            "ENTRIES" => {
                context.learned(text);
                context.finished();
            }
            _ => {}
        }
    }

    fn timer(&mut self, context: &mut Context<'_>, name: u32) {
        if name == FINAL {
            context.send("ledger", "SHOW", "");
        } else if let Some(payment) = PAYMENTS.get(self.sent) {
            context.invoke(self.sent, &[payment]);
            context.send("gateway", "PAY", *payment);
            self.sent += 1;
            context.timer(100, 1);
        } else if name == 1 {
            context.timer(1500, 2);
        } else {
            context.finished();
        }
    }
}
