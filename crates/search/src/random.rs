//! Random numbers that are the same everywhere, for ever.

use num_bigint::BigUint;

/// SplitMix64 (Steele, Lea, Flood: "Fast splittable pseudorandom number generators", OOPSLA 2014).
///
/// Our own because a seed must give the same faults in every version of every dependency.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number from 0 to 1, 1 excluded, with the 53 bits that a float holds.
    pub(crate) fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// A number below `bound` (> 0), uniformly: what would favour small ones is drawn again.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        let unfair = u64::MAX - u64::MAX % bound;
        loop {
            let drawn = self.next();
            if drawn < unfair {
                return drawn % bound;
            }
        }
    }

    /// As [`Random::below`], for any size.
    pub(crate) fn below_big(&mut self, bound: &BigUint) -> BigUint {
        let bits = bound.bits();
        loop {
            let mut drawn = BigUint::from(0u8);
            for _ in 0..bits.div_ceil(64) {
                drawn = (drawn << 64u32) | BigUint::from(self.next());
            }
            drawn >>= bits.div_ceil(64) * 64 - bits;
            if drawn < *bound {
                return drawn;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sequence_is_the_published_one() {
        // First outputs of SplitMix64 with seed 1234567, as in its authors' reference code.
        let mut random = Random::new(1_234_567);
        assert_eq!(random.next(), 6_457_827_717_110_365_317);
        assert_eq!(random.next(), 3_203_168_211_198_807_973);
    }

    #[test]
    fn draws_stay_below_their_bound_and_reach_everything() {
        let mut random = Random::new(7);
        let mut seen = [0u32; 6];
        for _ in 0..600 {
            seen[random.below(6) as usize] += 1;
        }
        assert!(seen.iter().all(|&count| count > 60), "{seen:?}");
        let bound = BigUint::from(3u8) << 70u32;
        assert!((0..100).all(|_| random.below_big(&bound) < bound));
    }
}
