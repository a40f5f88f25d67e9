//! Rewriting faults.

use std::collections::BTreeSet;
use std::time::Duration;

use linchpin_injector::parse_fault;
use linchpin_model::{CLIENT, Fault, FaultSet};
use thiserror::Error;

use crate::map::{Crash, Loss, Map};

/// A message that a run of the specification sends, whether or not it arrives.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Sent {
    /// Time step of sending, from 1.
    pub at: u32,
    /// The sender; `None` if no single node sends it.
    pub from: Option<String>,
    /// The receiver.
    pub to: String,
    /// The relation.
    pub relation: String,
    /// The row, however written: equal rows are one message said again.
    pub row: String,
    /// When it arrives; `None` if it is lost.
    pub arrives: Option<u32>,
}

impl Sent {
    /// True if this says again what the other said.
    fn repeats(&self, other: &Self) -> bool {
        other.at < self.at
            && (&other.from, &other.to, &other.relation, &other.row)
                == (&self.from, &self.to, &self.relation, &self.row)
    }
}

/// The messages of a run. Specifications say most things again at every step; processes say them
/// again only if they must.
struct Sending<'a> {
    map: &'a Map,
    sent: Vec<Sent>,
}

impl<'a> Sending<'a> {
    fn new(map: &'a Map, mut sent: Vec<Sent>) -> Self {
        sent.retain(|each| each.from.as_ref() != Some(&each.to));
        sent.sort();
        sent.dedup();
        Self { map, sent }
    }

    /// The label of a message that has a counterpart.
    fn label(&self, sent: &Sent) -> Option<&'a str> {
        self.map.messages.get(&sent.relation).map(String::as_str)
    }

    /// True if it was not said before.
    fn is_new(&self, sent: &Sent) -> bool {
        !self.sent.iter().any(|before| sent.repeats(before))
    }

    /// True if it was not said before, or did not arrive when it was.
    fn is_needed(&self, sent: &Sent) -> bool {
        !self.sent.iter().any(|before| before.arrives.is_some() && sent.repeats(before))
    }

    /// The messages that have a counterpart and pass the test.
    fn with_label(&self, test: impl Fn(&Sent) -> bool) -> Vec<(&Sent, &'a str)> {
        let labelled = |each: &'_ &Sent| test(each);
        let found = self.sent.iter().filter(labelled);
        found.filter_map(|each| Some((each, self.label(each)?))).collect()
    }

    /// The relations of messages that pass the test.
    fn relations(&self, test: impl Fn(&Sent) -> bool) -> Vec<String> {
        let found = self.sent.iter().filter(|each| test(each));
        let relations: BTreeSet<String> =
            found.map(|each| format!("`{}`", each.relation)).collect();
        relations.into_iter().collect()
    }
}

/// A fault of the specification, and what stands for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Translated {
    /// The fault.
    pub fault: Fault,
    /// The faults of the cluster; none if another fault's stand for it as well.
    pub by: Vec<linchpin_injector::Fault>,
}

/// Why a fault has no counterpart.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TranslateError {
    /// Occurs when the map does not say what stands for faults of this kind.
    #[error("the map does not say what stands for `{fault}`: add `{kind}` to [faults]")]
    NoTranslation {
        /// The fault.
        fault: Fault,
        /// The member of `[faults]` that is missing.
        kind: &'static str,
    },
    /// Occurs when the map does not know the node of a fault.
    #[error("the map does not say which node `{node}` is, of which `{fault}` speaks")]
    UnknownNode {
        /// The fault.
        fault: Fault,
        /// The node.
        node: String,
    },
    /// Occurs when the map gives no message of the specification that the fault concerns.
    #[error(
        "`{fault}` concerns no message that has a counterpart; the specification then sends {}",
        if sent.is_empty() { "nothing".to_owned() } else { sent.join(", ") }
    )]
    NoMessage {
        /// The fault.
        fault: Fault,
        /// The relations that are sent there, of which the map says nothing.
        sent: Vec<String>,
    },
    /// Occurs when the workload would have to crash.
    #[error("`{fault}` would end the workload, which never fails")]
    ClientCrash {
        /// The fault.
        fault: Fault,
    },
    /// Occurs when a name or a time of the map makes no fault.
    #[error("what stands for `{fault}` is no fault, `{text}`: {reason}")]
    NotAFault {
        /// The fault.
        fault: Fault,
        /// What the map makes of it.
        text: String,
        /// What is wrong with that.
        reason: String,
    },
    /// Occurs when another input than the default is needed, and the map does not say what stands for it.
    #[error(
        "`{fault}` chooses an input: where it is the workload's, choose it there; where a fault of the cluster stands for it, \
         add that to [inputs]"
    )]
    Input {
        /// The fault.
        fault: Fault,
    },
}

impl Map {
    /// What stands for these faults in the cluster. `run` gives the messages of the specification's
    /// run under some of them.
    ///
    /// # Errors
    /// The first fault that has no counterpart, or the error of `run`.
    pub fn translate<E: From<TranslateError>>(
        &self,
        faults: &FaultSet,
        mut run: impl FnMut(&FaultSet) -> Result<Vec<Sent>, E>,
    ) -> Result<Vec<Translated>, E> {
        let sending = Sending::new(self, run(faults)?);
        let mut translated = Vec::new();
        let mut stalled = BTreeSet::new();
        for fault in faults.iter() {
            let by = match fault {
                // What is stalled stays so until the run is healed.
                Fault::Omission { from, to, .. } if stalled.contains(&(from, to)) => Vec::new(),
                Fault::Omission { from, to, at } => {
                    let loss = self.faults.omit;
                    let loss = loss.ok_or_else(|| no_translation(fault, "omit"))?;
                    if loss == Loss::Stall {
                        stalled.insert((from, to));
                    }
                    self.lose(fault, (from, to, *at), loss, &sending)?
                }
                Fault::Delay { from, to, at, by } => {
                    let step = self.faults.delay;
                    let step = step.ok_or_else(|| no_translation(fault, "delay"))?.0;
                    self.lose(
                        fault,
                        (from, to, *at),
                        Loss::Late(step.saturating_mul(*by)),
                        &sending,
                    )?
                }
                Fault::Crash { node, at } => {
                    let kind = self.faults.crash;
                    let kind = kind.ok_or_else(|| no_translation(fault, "crash"))?;
                    // What the node would send is what it sends where it does not crash.
                    let others =
                        faults.iter().filter(|other| !is_of(other, node)).cloned().collect();
                    let sending = Sending::new(self, run(&others)?);
                    self.crash(fault, (node, *at), kind, &sending)?
                }
                Fault::Recovery { node, .. } => {
                    self.faults.recover.ok_or_else(|| no_translation(fault, "recover"))?;
                    match self.faults.crash {
                        Some(Crash::Restart) => Vec::new(),
                        _ => vec![format!("restart {} keep", quoted(self.node(fault, node)?))],
                    }
                }
                Fault::Input { relation, .. } => {
                    let stands = self.inputs.get(relation);
                    let unknown = || TranslateError::Input { fault: fault.clone() };
                    vec![stands.ok_or_else(unknown)?.clone()]
                }
            };
            let parse = |text: &String| {
                parse_fault(text).map_err(|wrong| TranslateError::NotAFault {
                    fault: fault.clone(),
                    text: text.clone(),
                    reason: wrong.first().map_or_else(String::new, |first| first.message.clone()),
                })
            };
            let by = by.iter().map(parse).collect::<Result<_, _>>()?;
            translated.push(Translated { fault: fault.clone(), by });
        }
        Ok(translated)
    }

    fn node<'a>(&'a self, fault: &Fault, node: &str) -> Result<&'a str, TranslateError> {
        let known = self.nodes.get(node).map(String::as_str);
        known.ok_or_else(|| TranslateError::UnknownNode {
            fault: fault.clone(),
            node: node.to_owned(),
        })
    }

    /// The messages from one node to another at a time, lost, held back or late.
    fn lose(
        &self,
        fault: &Fault,
        (from, to, at): (&str, &str, u32),
        loss: Loss,
        sending: &Sending<'_>,
    ) -> Result<Vec<String>, TranslateError> {
        let link = self.link(fault, from, to)?;
        let is_between = |each: &Sent| each.from.as_deref() == Some(from) && each.to == to;
        let needed = |each: &Sent| is_between(each) && sending.is_needed(each);
        let mut counted = sending.with_label(needed);
        if !counted.iter().any(|(each, _)| each.at == at) {
            counted = sending.with_label(is_between);
        }
        // Numbers of the messages with the label on this link.
        let mut numbered: Vec<(&str, usize)> = Vec::new();
        for (index, (_, label)) in counted.iter().enumerate().filter(|(_, each)| each.0.at == at) {
            let number = counted[..=index].iter().filter(|(_, other)| other == label).count();
            numbered.push((*label, number));
        }
        let Some((first, number)) = numbered.first() else {
            let sent = sending.relations(|each| is_between(each) && each.at == at);
            return Err(TranslateError::NoMessage { fault: fault.clone(), sent });
        };
        Ok(match loss {
            Loss::Stall => {
                vec![format!("stall {link} from send {link} {} #{number}", quoted(first))]
            }
            Loss::Omit => numbered
                .iter()
                .map(|(label, number)| format!("omit {link} {} #{number}", quoted(label)))
                .collect(),
            Loss::Late(by) => numbered
                .iter()
                .map(|(label, number)| {
                    format!("delay {link} {} #{number} by {}", quoted(label), time(by))
                })
                .collect(),
        })
    }

    /// A crash before what the node then says for the first time; if it hears something new before
    /// that, or says nothing new, once all has happened to it that happened before.
    fn crash(
        &self,
        fault: &Fault,
        (node, at): (&str, u32),
        kind: Crash,
        sending: &Sending<'_>,
    ) -> Result<Vec<String>, TranslateError> {
        let name = self.node(fault, node)?;
        if name == CLIENT {
            return Err(TranslateError::ClientCrash { fault: fault.clone() });
        }
        let is_from = |each: &Sent| each.from.as_deref() == Some(node);
        let first = |needed: &dyn Fn(&Sent) -> bool| {
            let found = sending.with_label(|each| is_from(each) && each.at >= at && needed(each));
            found.first().map(|(each, label)| (each.at, *label))
        };
        // Streams say nothing again that is merely held back.
        let says_again = self.faults.omit == Some(Loss::Omit);
        let next = first(&|each| sending.is_new(each))
            .or_else(|| first(&|each| sending.is_needed(each)).filter(|_| says_again));
        let is_heard = |each: &Sent| {
            each.to == node && each.arrives.is_some_and(|time| time > at) && sending.is_needed(each)
        };
        let heard = sending.with_label(is_heard);
        let heard = heard.iter().filter_map(|(each, _)| each.arrives).min();
        // What is received at a time comes before what is sent then.
        let hears_first = |time: u32| heard.is_some_and(|heard| heard <= time);
        let place = match (next, self.once_done(fault, node, at, sending)) {
            (Some((time, label)), Err(_)) => self.before(fault, node, (time, label), sending)?,
            (Some((time, label)), Ok(_)) if !hears_first(time) => {
                self.before(fault, node, (time, label), sending)?
            }
            (_, done) => done?,
        };
        let effect = match kind {
            Crash::Crash | Crash::Restart => "crash",
            Crash::SilentCrash => "silent-crash",
            Crash::PowerLoss => "power-loss",
        };
        let mut by = vec![format!("{effect} {} {place}", quoted(name))];
        if kind == Crash::Restart {
            by.push(format!("restart {} keep", quoted(name)));
        }
        Ok(by)
    }

    /// Before the node sends the first of its messages with this label at this time.
    fn before(
        &self,
        fault: &Fault,
        node: &str,
        (time, label): (u32, &str),
        sending: &Sending<'_>,
    ) -> Result<String, TranslateError> {
        let is_from = |each: &Sent| each.from.as_deref() == Some(node) && sending.is_needed(each);
        let sent = sending.with_label(is_from);
        let with_label: Vec<&Sent> =
            sent.iter().filter(|(_, other)| *other == label).map(|(each, _)| *each).collect();
        let then: BTreeSet<&str> =
            with_label.iter().filter(|each| each.at == time).map(|each| &*each.to).collect();
        // To one node, count what is sent to it; to several, whatever comes first.
        let only = then.first().filter(|_| then.len() == 1);
        let earlier = with_label.iter().filter(|each| each.at < time);
        let number = 1 + earlier.filter(|each| only.is_none_or(|only| each.to == *only)).count();
        let peer = match only {
            Some(peer) => quoted(self.node(fault, peer)?),
            None => "*".to_owned(),
        };
        let name = quoted(self.node(fault, node)?);
        Ok(format!("before send {name}->{peer} {} #{number}", quoted(label)))
    }

    /// After the last thing that happened to the node before this time: what it received, or all
    /// that it sent.
    fn once_done(
        &self,
        fault: &Fault,
        node: &str,
        at: u32,
        sending: &Sending<'_>,
    ) -> Result<String, TranslateError> {
        let is_from = |each: &Sent| each.from.as_deref() == Some(node) && each.at < at;
        let is_to = |each: &Sent| each.to == node && each.arrives.is_some_and(|time| time <= at);
        // Streams say nothing again that is merely held back.
        let says_again = self.faults.omit == Some(Loss::Omit);
        let is_said = |each: &Sent| {
            if says_again { sending.is_needed(each) } else { sending.is_new(each) }
        };
        let sent = sending.with_label(|each| is_from(each) && is_said(each));
        let received = sending.with_label(|each| is_to(each) && sending.is_needed(each));
        let last_sent = sent.iter().map(|(each, _)| each.at).max();
        let last_received = received.iter().filter_map(|(each, _)| each.arrives).max();
        let name = quoted(self.node(fault, node)?);
        let mut events = Vec::new();
        // What is received at a time comes before what is sent then.
        if last_sent >= last_received {
            for (each, label) in sent.iter().filter(|(each, _)| Some(each.at) == last_sent) {
                let same = |(other, name): &&(&Sent, &str)| {
                    other.to == each.to && name == label && other <= each
                };
                let number = sent.iter().filter(same).count();
                let peer = quoted(self.node(fault, &each.to)?);
                events.push(format!("send {name}->{peer} {} #{number}", quoted(label)));
            }
        } else {
            let last = received.iter().filter(|(each, _)| each.arrives == last_received);
            for (each, label) in last {
                let same = |(other, name): &&(&Sent, &str)| {
                    (&other.from, name) == (&each.from, label) && other <= each
                };
                let number = received.iter().filter(same).count();
                let peer = match &each.from {
                    Some(peer) => quoted(self.node(fault, peer)?),
                    None => "*".to_owned(),
                };
                events.push(format!("recv {name}<-{peer} {} #{number}", quoted(label)));
            }
        }
        match &events[..] {
            [] => {
                let sent =
                    sending.relations(|each| each.from.as_deref() == Some(node) || each.to == node);
                Err(TranslateError::NoMessage { fault: fault.clone(), sent })
            }
            [event] => Ok(format!("after {event}")),
            events => Ok(format!("after {{{}}}", events.join(", "))),
        }
    }

    fn link(&self, fault: &Fault, from: &str, to: &str) -> Result<String, TranslateError> {
        Ok(format!("{}->{}", quoted(self.node(fault, from)?), quoted(self.node(fault, to)?)))
    }
}

fn no_translation(fault: &Fault, kind: &'static str) -> TranslateError {
    TranslateError::NoTranslation { fault: fault.clone(), kind }
}

/// Crash or recovery of the node.
fn is_of(fault: &Fault, name: &str) -> bool {
    matches!(fault, Fault::Crash { node, .. } | Fault::Recovery { node, .. } if node == name)
}

fn time(duration: Duration) -> String {
    format!("{}us", duration.as_micros())
}

/// A name that is no word of the language.
fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}
