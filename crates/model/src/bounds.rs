//! Bounds on faults: the failure specification.

use std::collections::{BTreeMap, BTreeSet};

use num_bigint::BigUint;
use serde::{Deserialize, Serialize};
use thiserror::Error;

use crate::{Fault, FaultSet};

/// Which faults may occur in a run of a specification, how many, and when.
///
/// (\[LDFI\] section 2.1.1.) Omissions `a->b @t` with a != b and t < `eff`; crashes at any time step
/// 1..=`eot`, at most one per node and at most `crashes` in all.
///
/// What the paper does not have is off by default: `Bounds { eot, eff, crashes, nodes,
/// ..Bounds::default() }` is the paper's.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
    /// What is sent before `eff` may arrive up to this many steps late (0: nothing is late).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub max_delay: u32,
    /// At most this many of the nodes that crash recover (0: none does).
    #[serde(default, skip_serializing_if = "is_zero")]
    pub recoveries: u32,
    /// The relations whose rows survive a crash from which their node recovers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub durable: Vec<String>,
    /// What a node that has crashed still does.
    #[serde(default, skip_serializing_if = "CrashModel::is_silent")]
    pub crash_model: CrashModel,
    /// The inputs with alternatives, each a list of [`Fault::Input`]: the first holds in a run
    /// without faults, one of the others may hold instead. They stand in the program, not on the
    /// command line.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub inputs: Vec<Vec<Fault>>,
}

/// What a node still does that has crashed and does not recover.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum CrashModel {
    /// It keeps its state, receives, derives and sends to itself, but sends nothing to others.
    #[default]
    Silent,
    /// Nothing: its state stands still, and what is sent to it is lost.
    Stop,
}

impl CrashModel {
    #[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
    fn is_silent(&self) -> bool {
        *self == Self::Silent
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde passes references")]
fn is_zero(number: &u32) -> bool {
    *number == 0
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
    /// Occurs when `eot` exceeds [`Bounds::EOT_MAX`].
    #[error("EOT is {0}: a run has at most {max} time steps; lower --eot", max = Bounds::EOT_MAX)]
    TooLong(u32),
    /// Occurs when more single faults are possible than [`Bounds::FAULTS_MAX`].
    #[error(
        "{0} single faults are possible, more than the {max} that can be told apart; \
         lower --eff, --eot or --max-delay, or declare fewer nodes",
        max = Bounds::FAULTS_MAX
    )]
    TooManyFaults(u64),
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
    /// Occurs when a message to oneself should be lost or late.
    #[error("the fault `{0}` strikes what a node sends to itself, which is never lost or late")]
    ToItself(Fault),
    /// Occurs when what is sent over one channel at one time should be lost and late, or late in
    /// two ways.
    #[error(
        "the faults `{}` and `{}` exclude each other: \
         what is sent over a channel at one time is lost, or late in one way",
        .0.0, .0.1
    )]
    Exclusive(Box<(Fault, Fault)>),
    /// Occurs when the program has no such input.
    #[error("the fault `{fault}` is no alternative of an input; the alternatives are {known}")]
    UnknownInput {
        /// The fault.
        fault: Fault,
        /// The alternatives there are.
        known: String,
    },
    /// Occurs when an input is chosen that holds without any fault.
    #[error("the fault `{0}` changes nothing: it is the first alternative of its input")]
    UsualInput(Fault),
    /// Occurs when an input should come in two ways.
    #[error(
        "the faults `{}` and `{}` exclude each other: they are alternatives of one input",
        .0.0, .0.1
    )]
    InputTwice(Box<(Fault, Fault)>),
    /// Occurs when a node should crash twice.
    #[error("the node `{0}` crashes twice: a node crashes at most once in a run")]
    CrashesTwice(String),
    /// Occurs when a node should recover twice.
    #[error("the node `{0}` recovers twice: a node recovers at most once in a run")]
    RecoversTwice(String),
    /// Occurs when a node should recover that has not crashed before.
    #[error(
        "the fault `{0}` recovers a node that has not crashed before; \
         add a crash of it at an earlier time"
    )]
    RecoversUncrashed(Fault),
}

impl Bounds {
    /// The most time steps a run may have.
    pub const EOT_MAX: u32 = 100_000;

    /// The most single faults that may be possible.
    pub const FAULTS_MAX: u64 = 4_000_000;

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
        let faults = self.faults_at_most();
        if self.eot > Self::EOT_MAX {
            errors.push(BoundsError::TooLong(self.eot));
        } else if faults > Self::FAULTS_MAX {
            errors.push(BoundsError::TooManyFaults(faults));
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
        let mut crashed: BTreeMap<&str, u32> = BTreeMap::new();
        let mut recovered: BTreeSet<&str> = BTreeSet::new();
        let mut fates: BTreeMap<(&str, &str, u32), &Fault> = BTreeMap::new();
        for fault in faults.iter() {
            let names: Vec<&String> = match fault {
                Fault::Omission { from, to, .. } | Fault::Delay { from, to, .. } => vec![from, to],
                Fault::Crash { node, .. } | Fault::Recovery { node, .. } => vec![node],
                Fault::Input { .. } => {
                    self.check_input(fault, faults)?;
                    continue;
                }
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
                Fault::Omission { from, to, at } | Fault::Delay { from, to, at, .. } => {
                    if from == to {
                        return Err(BoundsError::ToItself(fault.clone()));
                    }
                    if let Some(first) = fates.insert((from, to, *at), fault) {
                        let both = Box::new((first.clone(), fault.clone()));
                        return Err(BoundsError::Exclusive(both));
                    }
                }
                Fault::Crash { node, at } => {
                    if crashed.insert(node, *at).is_some() {
                        return Err(BoundsError::CrashesTwice(node.clone()));
                    }
                }
                // Faults come by time: its crash was met before.
                Fault::Recovery { node, at } => {
                    if !recovered.insert(node) {
                        return Err(BoundsError::RecoversTwice(node.clone()));
                    }
                    if crashed.get(node.as_str()).is_none_or(|crash| crash >= at) {
                        return Err(BoundsError::RecoversUncrashed(fault.clone()));
                    }
                }
                Fault::Input { .. } => {}
            }
        }
        Ok(())
    }

    /// Checks that an input is an alternative, and that `faults` has no other of the same input.
    fn check_input(&self, fault: &Fault, faults: &FaultSet) -> Result<(), BoundsError> {
        let Some(alternatives) = self.inputs.iter().find(|input| input.contains(fault)) else {
            let others = self.inputs.iter().flat_map(|input| input.iter().skip(1));
            let known: Vec<String> = others.map(|other| format!("`{other}`")).collect();
            let known = if known.is_empty() { "none".to_owned() } else { known.join(", ") };
            return Err(BoundsError::UnknownInput { fault: fault.clone(), known });
        };
        if alternatives.first() == Some(fault) {
            return Err(BoundsError::UsualInput(fault.clone()));
        }
        let mut others = alternatives.iter().filter(|other| *other != fault);
        match others.find(|other| faults.contains(other)) {
            Some(other) => Err(BoundsError::InputTwice(Box::new((fault.clone(), other.clone())))),
            None => Ok(()),
        }
    }

    /// How many steps late what is sent at this time may arrive: 0 from `eff` on, like losses, and
    /// never so late that it would arrive after the end (that is a loss, which may occur as well).
    #[must_use]
    pub fn delay_max(&self, at: u32) -> u32 {
        if at < self.eff { self.max_delay.min(self.eot.saturating_sub(at + 1)) } else { 0 }
    }

    /// How many single faults are possible, not less: what would arrive after the end counts too.
    fn faults_at_most(&self) -> u64 {
        let nodes = self.nodes.len() as u64;
        let channels = nodes.saturating_mul(nodes.saturating_sub(1));
        let fates = u64::from(self.max_delay.min(self.eot)) + 1;
        let losses = u64::from(self.eff.saturating_sub(1)).saturating_mul(channels);
        let kinds = u64::from(self.crashes > 0) + u64::from(self.crashes.min(self.recoveries) > 0);
        let crashes = u64::from(self.eot).saturating_mul(nodes).saturating_mul(kinds);
        losses.saturating_mul(fates).saturating_add(crashes)
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
                        let delays = 1..=self.delay_max(at);
                        faults.extend(delays.map(|by| Fault::delay(from, to, at, by)));
                    }
                }
            }
            if self.crashes > 0 {
                faults.extend(self.nodes.iter().map(|node| Fault::crash(node, at)));
            }
            if self.crashes > 0 && self.recoveries > 0 && at > 1 {
                faults.extend(self.nodes.iter().map(|node| Fault::recovery(node, at)));
            }
        }
        faults.extend(self.inputs.iter().flat_map(|input| input.iter().skip(1).cloned()));
        faults.sort();
        faults
    }

    /// Whether the bounds allow these faults together.
    #[must_use]
    pub fn allow(&self, faults: &FaultSet) -> bool {
        let all = self.faults();
        let count = |is: fn(&Fault) -> bool| faults.iter().filter(|fault| is(fault)).count();
        faults.iter().all(|fault| all.binary_search(fault).is_ok())
            && count(|fault| matches!(fault, Fault::Crash { .. })) <= self.crashes as usize
            && count(|fault| matches!(fault, Fault::Recovery { .. })) <= self.recoveries as usize
            && self.check_faults(faults).is_ok()
    }

    /// The number of fault sets within the bounds, exactly.
    #[must_use]
    pub fn fault_space(&self) -> BigUint {
        let nodes = self.nodes.len() as u64;
        let channels = (nodes * nodes.saturating_sub(1)) as u32;
        // Over each channel at each time before EFF: arrives, is lost, or is late in one way.
        let losses: BigUint = (1..self.eff)
            .map(|at| BigUint::from(2u64 + u64::from(self.delay_max(at))).pow(channels))
            .product();
        // Of `count` nodes that crash, `recovering` recover, each at a later time.
        let (eot, recoveries) = (u64::from(self.eot), u64::from(self.recoveries));
        let crashes: BigUint = (0..=u64::from(self.crashes))
            .flat_map(|count| (0..=count.min(recoveries)).map(move |some| (count, some)))
            .map(|(count, recovering)| {
                binomial(nodes, count)
                    * binomial(count, recovering)
                    * BigUint::from(eot).pow((count - recovering) as u32)
                    * BigUint::from(eot * eot.saturating_sub(1) / 2).pow(recovering as u32)
            })
            .sum();
        let inputs: BigUint = self.inputs.iter().map(|input| BigUint::from(input.len())).product();
        losses * crashes * inputs
    }

    /// About how many fault sets within the bounds have exactly so many faults.
    #[must_use]
    pub fn fault_sets_of_size(&self, size: usize) -> f64 {
        let nodes = self.nodes.len() as u64;
        let channels = nodes * nodes.saturating_sub(1);
        let mut counts = Counts::new(size);
        // Times with the same number of ways in which a message may be late count alike.
        let mut times: BTreeMap<u32, u64> = BTreeMap::new();
        for at in 1..self.eff {
            *times.entry(self.delay_max(at)).or_default() += channels;
        }
        for (delays, places) in times {
            counts.multiply(|faults| {
                choose(places, faults as u64) * f64::from(1 + delays).powi(faults as i32)
            });
        }
        let (eot, recoveries) = (f64::from(self.eot), u64::from(self.recoveries));
        let mut crashes = vec![0.0; size + 1];
        for count in 0..=u64::from(self.crashes) {
            for recovering in 0..=count.min(recoveries) {
                if let Some(sets) = crashes.get_mut((count + recovering) as usize) {
                    *sets += choose(nodes, count)
                        * choose(count, recovering)
                        * eot.powi((count - recovering) as i32)
                        * (eot * (eot - 1.0) / 2.0).powi(recovering as i32);
                }
            }
        }
        counts.multiply(|faults| crashes[faults]);
        for input in &self.inputs {
            counts.multiply(|faults| match faults {
                0 => 1.0,
                1 => input.len() as f64 - 1.0,
                _ => 0.0,
            });
        }
        counts.0[size]
    }

    /// The paper's estimate of the number of fault sets (\[LDFI\] section 5, "combinations").
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

/// Sets counted by size.
struct Counts(Vec<f64>);

impl Counts {
    fn new(size_max: usize) -> Self {
        let mut counts = vec![0.0; size_max + 1];
        counts[0] = 1.0;
        Self(counts)
    }

    /// Adds to each set one of another kind, of which there are `count(size)`.
    fn multiply(&mut self, count: impl Fn(usize) -> f64) {
        let others: Vec<f64> = (0..self.0.len()).map(count).collect();
        for size in (0..self.0.len()).rev() {
            self.0[size] = (0..=size).map(|of| self.0[size - of] * others[of]).sum();
        }
    }
}

/// The binomial coefficient, about.
fn choose(n: u64, k: u64) -> f64 {
    if k > n { 0.0 } else { (0..k).map(|i| (n - i) as f64 / (i + 1) as f64).product() }
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
        Bounds { eot, eff, crashes, nodes, ..Bounds::default() }
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
        for (eot, eff, crashes, nodes, max_delay, recoveries) in [
            (2, 2, 1, 2, 0, 0),
            (3, 2, 2, 3, 0, 0),
            (4, 1, 1, 2, 0, 0),
            (1, 1, 0, 1, 0, 0),
            (4, 3, 0, 2, 1, 0),
            (4, 4, 1, 2, 3, 0),
            (3, 3, 0, 2, 9, 0),
            (3, 0, 2, 2, 0, 1),
            (3, 0, 2, 2, 0, 2),
            (4, 1, 1, 2, 0, 5),
            (3, 0, 3, 3, 0, 2),
        ] {
            let bounds = Bounds { max_delay, recoveries, ..bounds(eot, eff, crashes, nodes) };
            let faults = bounds.faults();
            let mut sizes = vec![0u32; faults.len() + 1];
            for mask in 0u64..1 << faults.len() {
                let set: FaultSet = faults
                    .iter()
                    .enumerate()
                    .filter(|(index, _)| mask >> index & 1 == 1)
                    .map(|(_, fault)| fault.clone())
                    .collect();
                if bounds.check_faults(&set).is_ok() && bounds.allow(&set) {
                    sizes[set.len()] += 1;
                }
            }
            assert_eq!(bounds.fault_space(), BigUint::from(sizes.iter().sum::<u32>()));
            for (size, count) in sizes.into_iter().enumerate() {
                assert!((bounds.fault_sets_of_size(size) - f64::from(count)).abs() < 1e-6);
            }
        }
    }

    #[test]
    fn inputs_have_one_alternative_each() {
        let input = |text: &str| text.parse::<Fault>().unwrap();
        let bounds = Bounds {
            inputs: vec![
                vec![
                    input("input w(\"a\") @1"),
                    input("input w(\"a\") @2"),
                    input("input w(\"a\") @9"),
                ],
                vec![input("input w(\"b\") @1"), input("input w(\"b\") @2")],
            ],
            ..bounds(2, 0, 1, 2)
        };
        assert!(bounds.check().is_ok());
        assert_eq!(bounds.fault_space(), BigUint::from(5u8 * 3 * 2));
        assert_eq!(bounds.faults().len(), 4 + 3);
        assert!((bounds.fault_sets_of_size(2) - f64::from(4 * 3 + 2)).abs() < 1e-6);
        let check = |texts: &[&str]| {
            bounds.check_faults(&texts.iter().map(|text| input(text)).collect::<FaultSet>())
        };
        assert!(check(&["input w(\"a\") @9", "input w(\"b\") @2", "crash n0 @1"]).is_ok());
        assert!(matches!(check(&["input w(\"a\") @1"]), Err(BoundsError::UsualInput(_))));
        assert!(matches!(check(&["input w(\"c\") @2"]), Err(BoundsError::UnknownInput { .. })));
        let both = check(&["input w(\"a\") @2", "input w(\"a\") @9"]);
        assert!(matches!(both, Err(BoundsError::InputTwice(_))));
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
        assert_eq!(bounds(u32::MAX, 2, 1, 2).check(), Err(vec![BoundsError::TooLong(u32::MAX)]));
        let crowd = bounds(1001, 1001, 0, 100);
        assert_eq!(crowd.check(), Err(vec![BoundsError::TooManyFaults(9_900_000)]));
        let fine = bounds(3, 2, 1, 2);
        let set = |text: &str| [text.parse().unwrap()].into_iter().collect::<FaultSet>();
        assert!(fine.check_faults(&set("omit n0->n1 @3")).is_ok());
        assert!(fine.check_faults(&set("omit n0->n0 @1")).is_err());
        assert!(fine.check_faults(&set("crash z @1")).is_err());
        assert!(fine.check_faults(&set("crash n0 @4")).is_err());
        assert!(fine.check_faults(&set("delay n0->n1 @3 by 7")).is_ok());
        assert!(fine.check_faults(&set("delay n0->n0 @3 by 1")).is_err());
        assert!(fine.check_faults(&set("recover n0 @2")).is_err());
        let crash_and = |text: &str| {
            let crash: Fault = "crash n0 @2".parse().unwrap();
            fine.check_faults(&[crash, text.parse().unwrap()].into_iter().collect())
        };
        assert!(crash_and("recover n0 @3").is_ok());
        assert!(crash_and("recover n0 @2").is_err());
        assert!(crash_and("recover n1 @3").is_err());
        let two: FaultSet =
            [Fault::omission("n0", "n1", 1), Fault::delay("n0", "n1", 1, 1)].into_iter().collect();
        assert_eq!(
            fine.check_faults(&two).unwrap_err().to_string(),
            "the faults `omit n0->n1 @1` and `delay n0->n1 @1 by 1` exclude each other: \
             what is sent over a channel at one time is lost, or late in one way"
        );
    }
}
