//! Two-phase commit. What makes it right: who has voted yes waits for the decision, however long,
//! and asks for it.

use linchpin_model::Outcome;

use super::super::{Context, FINAL, History, Model, Process};

pub(crate) fn model(name: &'static str, waits: bool) -> Model {
    Model {
        name,
        nodes: vec![("c", None), ("p1", Some("participant")), ("p2", Some("participant"))],
        program: Box::new(move |node, _| match node {
            "c" => Box::new(Coordinator::default()),
            "client" => Box::new(Client),
            _ => Box::new(Participant { waits, state: "none".into() }),
        }),
        judge: atomic,
    }
}

/// Bad if one part was done and another undone.
fn atomic(history: &History) -> Outcome {
    let did = |what: &str| history.learned.iter().any(|state| state.starts_with(what));
    if history.learned.is_empty() {
        Outcome::Inconclusive
    } else if did("aborted") && (did("committed") || !history.acknowledged.is_empty()) {
        Outcome::Bad
    } else if !did("committed") {
        Outcome::Vacuous
    } else {
        Outcome::Good
    }
}

const PARTICIPANTS: [&str; 2] = ["p1", "p2"];

#[derive(Default)]
struct Coordinator {
    yes: Vec<String>,
    decision: Option<String>,
}

impl Coordinator {
    fn decide(&mut self, context: &mut Context<'_>, decision: &str) {
        if self.decision.is_some() || !(context.write(decision) && context.sync()) {
            return;
        }
        self.decision = Some(decision.to_owned());
        for participant in PARTICIPANTS {
            context.send(participant, decision, "token-1");
        }
        if decision == "COMMIT" {
            context.send("client", "OK", "");
        }
    }
}

impl Process for Coordinator {
    fn start(&mut self, context: &mut Context<'_>) {
        self.decision = context.disk.last().cloned();
        if context.time > 0 && self.decision.is_none() {
            // It may have asked for votes before it went down.
            self.decide(context, "ABORT");
        }
    }

    fn receive(&mut self, context: &mut Context<'_>, from: &str, label: &str, _: &str) {
        match label {
            "BEGIN" if self.decision.is_none() => {
                for participant in PARTICIPANTS {
                    context.send(participant, "PREPARE", "token-1");
                }
                context.timer(800, 1);
            }
            "YES" => {
                if !self.yes.iter().any(|known| known == from) {
                    self.yes.push(from.to_owned());
                }
                if self.yes.len() == PARTICIPANTS.len() {
                    self.decide(context, "COMMIT");
                }
            }
            "NO" => self.decide(context, "ABORT"),
            "DECISION?" => {
                if let Some(decision) = self.decision.clone() {
                    context.send(from, &decision, "token-1");
                }
            }
            _ => {}
        }
    }

    fn timer(&mut self, context: &mut Context<'_>, _: u32) {
        self.decide(context, "ABORT");
    }
}

struct Participant {
    waits: bool,
    state: String,
}

impl Participant {
    fn enter(&mut self, context: &mut Context<'_>, state: &str) -> bool {
        let is_saved = context.write(format!("{state} token-1")) && context.sync();
        if is_saved {
            self.state = state.to_owned();
        }
        is_saved
    }
}

impl Process for Participant {
    fn start(&mut self, context: &mut Context<'_>) {
        if let Some(line) = context.disk.last() {
            self.state = line.split(' ').next().unwrap_or("none").to_owned();
        }
        if self.state == "prepared" {
            context.timer(10, 1);
        }
    }

    fn receive(&mut self, context: &mut Context<'_>, from: &str, label: &str, _: &str) {
        match (label, self.state.as_str()) {
            ("PREPARE", "none") => {
                let vote = if self.enter(context, "prepared") { "YES" } else { "NO" };
                context.send(from, vote, "");
                context.timer(300, 1);
            }
            ("COMMIT", "prepared") => {
                self.enter(context, "committed");
            }
            ("ABORT", "prepared" | "none") => {
                self.enter(context, "aborted");
            }
            ("STATE?", _) => context.send(from, "STATE", format!("{} token-1", self.state)),
            _ => {}
        }
    }

    fn timer(&mut self, context: &mut Context<'_>, _: u32) {
        if self.state != "prepared" {
            return;
        }
        if self.waits {
            context.send("c", "DECISION?", "");
            context.timer(300, 1);
        } else {
            self.enter(context, "aborted");
        }
    }
}

struct Client;

impl Process for Client {
    fn start(&mut self, context: &mut Context<'_>) {
        context.timer(20, 1);
    }

    fn receive(&mut self, context: &mut Context<'_>, from: &str, label: &str, text: &str) {
        match label {
            "OK" => {
                context.complete(1);
                // The work goes on for a while.
                context.timer(1200, 2);
            }
            "STATE" => {
                context.learned(text.to_owned());
                if from == PARTICIPANTS[1] {
                    context.timer(100, 2);
                }
            }
            _ => {}
        }
    }

    fn timer(&mut self, context: &mut Context<'_>, name: u32) {
        match name {
            FINAL => {
                for participant in PARTICIPANTS {
                    context.send(participant, "STATE?", "");
                }
            }
            1 => {
                context.invoke(1, &["token-1"]);
                context.send("c", "BEGIN", "token-1");
            }
            _ => context.finished(),
        }
    }
}
