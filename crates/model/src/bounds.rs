//! Bounds on faults: the failure specification.

use num_bigint::BigUint;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{Fault, FaultSet};

/// Which faults may occur in a run of a specification, how many, and when.
///
/// ([LDFI] section 2.1.1.) Omissions `a->b @t` with a != b and t < `eff`; crashes at any time step
/// 1..=`eot`, at most one per node and at most `crashes` in all.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Bounds {
    /// End of time: the last time step of a run (at least 1).
    pub eot: u32,
    /// End of finite failures: no message sent at or after it is lost (at most `eot`; 0 and 1
    /// both mean no losses).
    pub eff: u32,
    /// At most this many nodes crash.
    pub crashes: u32,
    /// The nodes of the system, in the order given.
    pub nodes: Vec<String>,
}

/// Why bounds make no sense.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum BoundsError {
    /// Occurs when `eot` is 0.
    #[error("EOT is 0: a run has at least one time step; give --eot 1 or more")]
    NoTime,
    /// Occurs when `eff` > `eot`.
    #[error(
        "EFF ({eff}) is later than EOT ({eot}): losses cannot outlast the run; \
         lower --eff or raise --eot"
    )]
    LossesOutlastRun {
        /// The end of finite failures given.
        eff: u32,
        /// The end of time given.
        eot: u32,
    },
    /// Occurs when no node is declared.
    #[error("there are no nodes: name them with --nodes a,b,c")]
    NoNodes,
    /// Occurs when a node is declared twice.
    #[error("the node `{0}` is declared twice: node names must differ")]
    DuplicateNode(String),
    /// Occurs when a node's name is empty.
    #[error("a node has an empty name: separate the names in --nodes by single commas")]
    EmptyNode,
    /// Occurs when `crashes` exceeds the number of nodes.
    #[error(
        "at most {crashes} crashes with only {nodes} node(s): \
         lower --crashes to {nodes} or declare more nodes"
    )]
    MoreCrashesThanNodes {
        /// The crashes allowed.
        crashes: u32,
        /// The number of nodes.
        nodes: usize,
    },
    /// Occurs when a fault names a node that is not declared.
    #[error("the fault `{fault}` names `{node}`, which is no node; the nodes are {known}")]
    UnknownNode {
        /// The fault.
        fault: Fault,
        /// The unknown name.
        node: String,
        /// The declared nodes, separated by commas.
        known: String,
    },
    /// Occurs when a fault strikes outside 1..=EOT.
    #[error("the fault `{fault}` strikes after the end of the run (EOT {eot})")]
    AfterEnd {
        /// The fault.
        fault: Fault,
        /// The end of time.
        eot: u32,
    },
    /// Occurs when a message to oneself should be lost.
    #[error("the fault `{0}` loses a message from a node to itself, which is never lost")]
    ToItself(Fault),
    /// Occurs when a node should crash twice.
    #[error("the node `{0}` crashes twice: a node crashes at most once in a run")]
    CrashesTwice(String),
}

impl Bounds {
    /// Checks that the bounds make sense.
    ///
    /// # Errors
    /// Every way in which they do not, in the order of the fields.
    pub fn check(&self) -> Result<(), Vec<BoundsError>> {
        let mut errors = Vec::new();
        if self.eot == 0 {
            errors.push(BoundsError::NoTime);
        }
        if self.eff > self.eot {
            errors.push(BoundsError::LossesOutlastRun { eff: self.eff, eot: self.eot });
        }
        if self.nodes.is_empty() {
            errors.push(BoundsError::NoNodes);
        } else if self.crashes as usize > self.nodes.len() {
            errors.push(BoundsError::MoreCrashesThanNodes {
                crashes: self.crashes,
                nodes: self.nodes.len(),
            });
        }
        if self.nodes.iter().any(String::is_empty) {
            errors.push(BoundsError::EmptyNode);
        }
        let mut sorted: Vec<&String> = self.nodes.iter().filter(|node| !node.is_empty()).collect();
        sorted.sort();
        let mut duplicates: Vec<String> = sorted
            .windows(2)
            .filter(|pair| pair[0] == pair[1])
            .map(|pair| pair[0].clone())
            .collect();
        duplicates.dedup();
        errors.extend(duplicates.into_iter().map(BoundsError::DuplicateNode));
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    /// Checks that faults can be placed in a run of these nodes and this length (whether or not
    /// `eff` and `crashes` allow them: a single run may be given any).
    ///
    /// # Errors
    /// The first fault that cannot.
    pub fn check_faults(&self, faults: &FaultSet) -> Result<(), BoundsError> {
        let mut crashed: Vec<&str> = Vec::new();
        for fault in faults.iter() {
            let names: Vec<&String> = match fault {
                Fault::Omission { from, to, .. } => vec![from, to],
                Fault::Crash { node, .. } => vec![node],
            };
            if let Some(node) = names.iter().find(|name| !self.nodes.contains(name)) {
                return Err(BoundsError::UnknownNode {
                    fault: fault.clone(),
                    node: (*node).clone(),
                    known: self.nodes.join(", "),
                });
            }
            if fault.at() > self.eot {
                return Err(BoundsError::AfterEnd { fault: fault.clone(), eot: self.eot });
            }
            match fault {
                Fault::Omission { from, to, .. } if from == to => {
                    return Err(BoundsError::ToItself(fault.clone()));
                }
                Fault::Crash { node, .. } => {
                    if crashed.contains(&node.as_str()) {
                        return Err(BoundsError::CrashesTwice(node.clone()));
                    }
                    crashed.push(node);
                }
                Fault::Omission { .. } => {}
            }
        }
        Ok(())
    }

    /// Every single fault the bounds allow, by time.
    #[must_use]
    pub fn faults(&self) -> Vec<Fault> {
        let mut faults = Vec::new();
        for at in 1..=self.eot {
            if at < self.eff {
                for from in &self.nodes {
                    for to in self.nodes.iter().filter(|to| *to != from) {
                        faults.push(Fault::omission(from, to, at));
                    }
                }
            }
            if self.crashes > 0 {
                faults.extend(self.nodes.iter().map(|node| Fault::crash(node, at)));
            }
        }
        faults.sort();
        faults
    }

    /// The number of fault sets within the bounds, exactly.
    #[must_use]
    pub fn fault_space(&self) -> BigUint {
        let nodes = self.nodes.len() as u64;
        let omissions = nodes * nodes.saturating_sub(1) * u64::from(self.eff.saturating_sub(1));
        let losses = BigUint::from(1u8) << omissions;
        let crashes: BigUint = (0..=u64::from(self.crashes))
            .map(|count| binomial(nodes, count) * BigUint::from(self.eot).pow(count as u32))
            .sum();
        losses * crashes
    }

    /// The paper's estimate of the number of fault sets ([LDFI] section 5, "combinations").
    ///
    /// With L = 2^(nodes-1): C(nodes, crashes) * (L^EFF)^(nodes-crashes) * (sum over c = 1..EOT+1 of
    /// L^min(EFF, c-1))^crashes. It counts EFF steps of loss where the tool allows EFF-1.
    #[must_use]
    pub fn fault_space_estimate(&self) -> BigUint {
        let nodes = self.nodes.len() as u64;
        let exponent = nodes.saturating_sub(1);
        let losses_of_one = BigUint::from(1u8) << (exponent * u64::from(self.eff));
        let crash_histories: BigUint = (1..=self.eot + 1)
            .map(|crash| BigUint::from(1u8) << (exponent * u64::from(self.eff.min(crash - 1))))
            .sum();
        binomial(nodes, u64::from(self.crashes))
            * losses_of_one.pow((nodes as u32).saturating_sub(self.crashes))
            * crash_histories.pow(self.crashes)
    }
}

fn binomial(n: u64, k: u64) -> BigUint {
    if k > n {
        return BigUint::from(0u8);
    }
    (0..k).fold(BigUint::from(1u8), |product, i| product * (n - i) / (i + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bounds(eot: u32, eff: u32, crashes: u32, nodes: usize) -> Bounds {
        let nodes = (0..nodes).map(|index| format!("n{index}")).collect();
        Bounds { eot, eff, crashes, nodes }
    }

    #[test]
    fn the_estimate_is_the_papers() {
        for (eot, eff, crashes, nodes, expected) in
            [(4, 2, 0, 3, 4096u64), (4, 2, 1, 3, 40704), (5, 3, 0, 3, 262_144), (5, 0, 1, 4, 24)]
        {
            let estimate = bounds(eot, eff, crashes, nodes).fault_space_estimate();
            assert_eq!(estimate, BigUint::from(expected));
        }
    }

    #[test]
    fn the_exact_count_is_that_of_an_enumeration() {
        for (eot, eff, crashes, nodes) in [(2, 2, 1, 2), (3, 2, 2, 3), (4, 1, 1, 2), (1, 1, 0, 1)] {
            let bounds = bounds(eot, eff, crashes, nodes);
            let faults = bounds.faults();
            let count = (0u64..1 << faults.len())
                .filter(|mask| {
                    let set: FaultSet = faults
                        .iter()
                        .enumerate()
                        .filter(|(index, _)| mask >> index & 1 == 1)
                        .map(|(_, fault)| fault.clone())
                        .collect();
                    let crashed =
                        set.iter().filter(|fault| matches!(fault, Fault::Crash { .. })).count();
                    bounds.check_faults(&set).is_ok() && crashed <= crashes as usize
                })
                .count();
            assert_eq!(bounds.fault_space(), BigUint::from(count));
        }
    }

    #[test]
    fn nonsense_is_named() {
        let mut nonsense = bounds(0, 2, 3, 2);
        nonsense.nodes = vec!["a".into(), "a".into()];
        assert_eq!(
            nonsense.check().unwrap_err(),
            [
                BoundsError::NoTime,
                BoundsError::LossesOutlastRun { eff: 2, eot: 0 },
                BoundsError::MoreCrashesThanNodes { crashes: 3, nodes: 2 },
                BoundsError::DuplicateNode("a".into()),
            ]
        );
        let fine = bounds(3, 2, 1, 2);
        let set = |text: &str| [text.parse().unwrap()].into_iter().collect::<FaultSet>();
        assert!(fine.check_faults(&set("omit n0->n1 @3")).is_ok());
        assert!(fine.check_faults(&set("omit n0->n0 @1")).is_err());
        assert!(fine.check_faults(&set("crash z @1")).is_err());
        assert!(fine.check_faults(&set("crash n0 @4")).is_err());
    }
}
