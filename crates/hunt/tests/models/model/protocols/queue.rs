//! A queue on one node. What makes it right: an item is written and synced before it is confirmed.

use super::super::{Context, FINAL, Model, Process};
use super::lost_write;

#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Confirms {
    /// Before the item is written.
    First,
    /// When it is written, but not synced.
    Written,
    /// When it is synced.
    Synced,
    /// When it is synced, but for items beyond the third: these only when they are written.
    SyncedUpToThree,
}

pub(crate) fn model(name: &'static str, confirms: Confirms) -> Model {
    Model {
        name,
        nodes: vec![("q", None)],
        // The parameter is how many items there are.
        program: Box::new(move |node, items| match node {
            "q" => Box::new(Queue { confirms, items: Vec::new() }),
            _ => {
                let count = items.and_then(|items| items.parse().ok()).unwrap_or(3);
                Box::new(Client { sent: 0, count })
            }
        }),
        judge: lost_write,
    }
}

struct Queue {
    confirms: Confirms,
    items: Vec<String>,
}

impl Process for Queue {
    fn start(&mut self, context: &mut Context<'_>) {
        self.items = context.disk.to_vec();
    }

    fn receive(&mut self, context: &mut Context<'_>, from: &str, label: &str, text: &str) {
        if label == "DRAIN" {
            context.send(from, "ITEMS", self.items.join(","));
            return;
        }
        if self.confirms == Confirms::First {
            context.send(from, "OK", text);
        }
        self.items.push(text.to_owned());
        let is_confirmed_written = match self.confirms {
            Confirms::Written => true,
            Confirms::SyncedUpToThree => self.items.len() > 3,
            Confirms::First | Confirms::Synced => false,
        };
        let is_stored = context.write(text) && (is_confirmed_written || context.sync());
        if self.confirms != Confirms::First {
            context.send(from, if is_stored { "OK" } else { "FAILED" }, text);
        }
        if is_confirmed_written {
            context.timer(400, 1);
        }
    }

    fn timer(&mut self, context: &mut Context<'_>, _: u32) {
        context.sync();
    }
}

struct Client {
    sent: usize,
    count: usize,
}

const ITEMS: [&str; 5] = ["token-1", "token-2", "token-3", "token-4", "token-5"];

impl Process for Client {
    fn start(&mut self, context: &mut Context<'_>) {
        context.timer(20, 1);
    }

    fn receive(&mut self, context: &mut Context<'_>, _: &str, label: &str, text: &str) {
        match label {
            "OK" => {
                let number = ITEMS.iter().position(|item| *item == text).unwrap_or(0);
                context.complete(number);
            }
            "ITEMS" => {
                context.learned(text);
                context.finished();
            }
            _ => {}
        }
    }

    fn timer(&mut self, context: &mut Context<'_>, name: u32) {
        if name == FINAL {
            context.send("q", "DRAIN", "");
        } else if let Some(item) = ITEMS[..self.count].get(self.sent) {
            context.invoke(self.sent, &[item]);
            context.send("q", "ENQUEUE", *item);
            self.sent += 1;
            context.timer(100, 1);
        } else {
            context.timer(600, 2);
            if name == 2 {
                context.finished();
            }
        }
    }
}
