//! How likely faults are.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::Fault;

/// The probability of a kind of fault, everywhere or at one place.
///
/// Written and parsed as `KIND=P`, `KIND:NODE=P` or `KIND:FROM->TO=P`, such as `omit=0.01`,
/// `crash:c=0.1`, `omit:a->b=0.2`. A fault of a channel is at both of its nodes only if the prior
/// names both; a prior with one node means what that node sends. The alternatives of inputs
/// (`input=P`) are at no place.
#[derive(Clone, Debug, PartialEq)]
pub struct Prior {
    kind: String,
    node: Option<String>,
    receiver: Option<String>,
    probability: f64,
}

/// The probability of faults of which no prior speaks.
const PROBABILITY_DEFAULT: f64 = 0.01;

/// Why a prior could not be parsed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error(
    "cannot read the prior `{input}`: {problem}; write KIND=P, KIND:NODE=P or KIND:FROM->TO=P \
     with KIND one of omit, delay, crash, recover, input and P more than 0 and at most 1"
)]
pub struct PriorParseError {
    /// The text given.
    pub input: String,
    /// What is wrong with it.
    pub problem: &'static str,
}

impl Prior {
    /// How closely the prior speaks of the fault: 0 not at all, else the more the closer.
    fn closeness(&self, fault: &Fault) -> u8 {
        let (kind, node, receiver) = match fault {
            Fault::Omission { from, to, .. } => ("omit", Some(from), Some(to)),
            Fault::Delay { from, to, .. } => ("delay", Some(from), Some(to)),
            Fault::Crash { node, .. } => ("crash", Some(node), None),
            Fault::Recovery { node, .. } => ("recover", Some(node), None),
            Fault::Input { .. } => ("input", None, None),
        };
        let agrees = self.kind == kind
            && self.node.as_ref().is_none_or(|named| node == Some(named))
            && self.receiver.as_ref().is_none_or(|named| receiver == Some(named));
        match (agrees, &self.node, &self.receiver) {
            (false, ..) => 0,
            (true, None, _) => 1,
            (true, Some(_), None) => 2,
            (true, Some(_), Some(_)) => 3,
        }
    }

    /// The cost of a fault: - log of its probability, from the prior that speaks of it most closely
    /// (of several the last; 0.01 if none does).
    #[must_use]
    pub fn cost(priors: &[Self], fault: &Fault) -> f64 {
        let speaking = priors.iter().filter(|prior| prior.closeness(fault) > 0);
        let closest = speaking.max_by_key(|prior| prior.closeness(fault));
        -closest.map_or(PROBABILITY_DEFAULT, |prior| prior.probability).ln()
    }

    /// The nodes it names.
    pub fn nodes(&self) -> impl Iterator<Item = &str> {
        self.node.iter().chain(&self.receiver).map(String::as_str)
    }
}

impl FromStr for Prior {
    type Err = PriorParseError;

    fn from_str(input: &str) -> Result<Self, PriorParseError> {
        let error = |problem| PriorParseError { input: input.to_owned(), problem };
        let (target, probability) =
            input.rsplit_once('=').ok_or_else(|| error("there is no `=`"))?;
        let probability: f64 =
            probability.trim().parse().map_err(|_| error("the probability is no number"))?;
        if !(probability > 0.0 && probability <= 1.0) {
            return Err(error("the probability is not within (0, 1]"));
        }
        let (kind, place) = match target.split_once(':') {
            Some((kind, place)) => (kind.trim(), Some(place)),
            None => (target.trim(), None),
        };
        if !matches!(kind, "omit" | "delay" | "crash" | "recover" | "input") {
            return Err(error("there is no such kind of fault"));
        }
        if kind == "input" && place.is_some() {
            return Err(error("an input is at no node"));
        }
        let (node, receiver) = match place.map(|place| place.split_once("->").ok_or(place)) {
            None => (None, None),
            Some(Err(node)) => (Some(node.trim().to_owned()), None),
            Some(Ok(_)) if matches!(kind, "crash" | "recover") => {
                return Err(error("it is a single node that crashes or recovers"));
            }
            Some(Ok((from, to))) => (Some(from.trim().to_owned()), Some(to.trim().to_owned())),
        };
        if node.iter().chain(&receiver).any(String::is_empty) {
            return Err(error("a node has an empty name"));
        }
        Ok(Self { kind: kind.to_owned(), node, receiver, probability })
    }
}

impl fmt::Display for Prior {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.kind)?;
        if let Some(node) = &self.node {
            write!(f, ":{node}")?;
        }
        if let Some(receiver) = &self.receiver {
            write!(f, "->{receiver}")?;
        }
        write!(f, "={}", self.probability)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_closest_prior_counts() {
        let priors: Vec<Prior> = [
            "omit=0.5",
            "crash:c=0.25",
            "omit:a=0.125",
            "omit:a->b=1",
            "delay:a->b=0.375",
            "recover:c=0.75",
            "input=0.875",
        ]
        .map(|text| text.parse().expect("a prior"))
        .to_vec();
        let cost = |fault: &str| Prior::cost(&priors, &fault.parse().expect("a fault"));
        assert_eq!(cost("omit b->a @1"), -(0.5f64.ln()));
        assert_eq!(cost("omit a->c @1"), -(0.125f64.ln()));
        assert_eq!(cost("omit a->b @2"), 0.0);
        assert_eq!(cost("crash c @1"), -(0.25f64.ln()));
        assert_eq!(cost("crash a @1"), -(0.01f64.ln()));
        assert_eq!(cost("delay a->b @1 by 2"), -(0.375f64.ln()));
        assert_eq!(cost("delay b->a @1 by 2"), -(0.01f64.ln()));
        assert_eq!(cost("recover c @4"), -(0.75f64.ln()));
        assert_eq!(cost("input write(\"a\", 7) @3"), -(0.875f64.ln()));
        for prior in &priors {
            assert_eq!(prior.to_string().parse().as_ref(), Ok(prior));
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for text in [
            "",
            "omit",
            "omit=2",
            "omit=0",
            "flood=0.1",
            "crash:a->b=0.1",
            "omit:=0.1",
            "input:a=0.1",
            "recover:a->b=0.1",
        ] {
            assert!(text.parse::<Prior>().is_err(), "{text}");
        }
    }
}
