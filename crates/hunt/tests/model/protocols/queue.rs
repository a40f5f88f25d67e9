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
}

pub(crate) fn model(name: &'static str, confirms: Confirms) -> Model {
    Model {
        name,
        nodes: vec![("q", None)],
        program: Box::new(move |node, _| match node {
            "q" => Box::new(Queue { confirms, items: Vec::new() }),
            _ => Box::new(Client::default()),
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
        let is_stored =
            context.write(text) && (self.confirms == Confirms::Written || context.sync());
        if self.confirms != Confirms::First {
            context.send(from, if is_stored { "OK" } else { "FAILED" }, text);
        }
        if self.confirms == Confirms::Written {
            context.timer(400, 1);
        }
    }

    fn timer(&mut self, context: &mut Context<'_>, _: u32) {
        context.sync();
    }
}

#[derive(Default)]
struct Client {
    sent: usize,
}

const ITEMS: [&str; 3] = ["token-1", "token-2", "token-3"];

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
        } else if let Some(item) = ITEMS.get(self.sent) {
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
