//! Random programs under faults that the published model does not have.

use linchpin_model::Bounds;

use crate::case::Case;
use crate::generate::{FAULT_SETS_MAX, generate};
use crate::random::Random;

/// A random case with delays.
pub(crate) fn with_delays(seed: u64) -> Case {
    let mut case = generate(seed);
    let mut random = Random::new(!seed);
    let bounds = &mut case.bounds;
    bounds.max_delay = 1 + random.below(3) as u32;
    if bounds.delay_max(1) == 0 {
        bounds.eff = bounds.eff.max(2);
        bounds.eot = bounds.eot.max(3);
    }
    narrow(bounds);
    case
}

/// Makes the fault space small enough.
fn narrow(bounds: &mut Bounds) {
    while bounds.fault_space() > FAULT_SETS_MAX.into() {
        if bounds.max_delay > 1 {
            bounds.max_delay -= 1;
        } else if bounds.crashes > 0 {
            bounds.crashes -= 1;
        } else if bounds.nodes.len() > 2 {
            bounds.nodes.pop();
        } else {
            bounds.eff -= 1;
        }
    }
}
