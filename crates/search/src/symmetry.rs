//! Fault sets that differ only in which of several interchangeable nodes they strike.

use std::collections::BTreeSet;

use linchpin_formula::Variable;

use crate::FaultSpace;

impl FaultSpace {
    /// Declares symmetries of the system: permutations of the faults, each its own inverse, under
    /// which a bad run stays bad and a good one good. (An exchange of two nodes; every fault must
    /// have an image.)
    ///
    /// Then of the fault sets that such exchanges turn into each other only the first is tried: one
    /// that no single exchange turns into a lesser one, where of two sets the lesser is the one that
    /// lacks the first fault in which they differ. A least set of every class passes that test, and
    /// counterexamples are multiplied again by the exchanges. Exchanges of faults that are not equally
    /// likely are left out: set costs first.
    pub fn set_symmetries(&mut self, symmetries: Vec<Vec<Variable>>) {
        debug_assert!(symmetries.iter().all(|image| {
            image.len() == self.fault_count()
                && (0..image.len()).all(|fault| image[image[fault].0 as usize].0 as usize == fault)
        }));
        let keeps_costs = |image: &Vec<Variable>| {
            Self::exchanged(image).all(|(fault, image)| self.class(fault) == self.class(image))
        };
        self.symmetries = symmetries.into_iter().filter(keeps_costs).collect();
    }

    /// The pairs of faults that an exchange exchanges, by the first of each.
    pub(crate) fn exchanged(image: &[Variable]) -> impl Iterator<Item = (Variable, Variable)> {
        image
            .iter()
            .enumerate()
            .map(|(fault, &image)| (Variable(fault as u32), image))
            .filter(|(fault, image)| fault < image)
    }

    /// True unless some exchange makes a lesser set of it.
    pub(crate) fn is_canonical(&self, faults: &[Variable]) -> bool {
        let occurs = |fault: &Variable| faults.binary_search(fault).is_ok();
        self.symmetries.iter().all(|image| {
            let mut differing =
                Self::exchanged(image).filter(|(fault, image)| occurs(fault) != occurs(image));
            differing.next().is_none_or(|(fault, _)| !occurs(&fault))
        })
    }

    /// Everything the exchanges make of a set, itself included.
    pub(crate) fn orbit(&self, faults: &[Variable]) -> BTreeSet<Vec<Variable>> {
        let mut orbit = BTreeSet::from([faults.to_vec()]);
        let mut open = vec![faults.to_vec()];
        while let Some(faults) = open.pop() {
            for image in &self.symmetries {
                let mut other: Vec<Variable> =
                    faults.iter().map(|fault| image[fault.0 as usize]).collect();
                other.sort_unstable();
                if orbit.insert(other.clone()) {
                    open.push(other);
                }
            }
        }
        orbit
    }
}
