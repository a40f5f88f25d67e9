//! How much a number of runs says.
//!
//! A hypothesis that breaks the system in a share p of its runs escapes n runs with probability
//! (1 - p)^n. Turned around: after n runs of which k were bad, the exact (Clopper and Pearson, "The
//! use of confidence or fiducial limits illustrated in the case of the binomial", Biometrika 26,
//! 1934) bounds on p at a given confidence.

/// The probability that `runs` independent runs all miss a failure that strikes in a share
/// `break_rate` of them.
#[must_use]
pub fn escape_probability(break_rate: f64, runs: u32) -> f64 {
    (1.0 - break_rate).powi(runs.min(i32::MAX as u32) as i32)
}

/// The smallest number of runs after which a failure that strikes in a share `break_rate` of them
/// was met with probability `confidence` at least. Both must lie strictly between 0 and 1.
#[must_use]
pub fn runs_needed(break_rate: f64, confidence: f64) -> u32 {
    let runs = (1.0 - confidence).ln() / (1.0 - break_rate).ln();
    // What is short of the next whole number by less than rounding errors is that number.
    (runs - 1e-9).ceil().max(1.0) as u32
}

/// One-sided upper bound on the break rate after `bad` of `runs`, at this confidence.
///
/// The p at which at most `bad` of `runs` has probability 1 - confidence. With `bad` = 0 it is
/// 1 - (1 - confidence)^(1/runs).
#[must_use]
pub fn break_rate_at_most(bad: u32, runs: u32, confidence: f64) -> f64 {
    if bad >= runs {
        return 1.0;
    }
    solve(|rate| at_most(bad, runs, rate) > 1.0 - confidence)
}

/// One-sided lower bound on the break rate after `bad` of `runs`, at this confidence.
#[must_use]
pub fn break_rate_at_least(bad: u32, runs: u32, confidence: f64) -> f64 {
    if bad == 0 || runs == 0 {
        return 0.0;
    }
    solve(|rate| 1.0 - at_most(bad.min(runs) - 1, runs, rate) < 1.0 - confidence)
}

/// The share of unseen kinds among all (Good, "The population frequencies of species and the
/// estimation of population parameters", Biometrika 40, 1953): what was seen once, over all.
#[must_use]
pub fn unseen_mass(seen_once: u64, seen: u64) -> f64 {
    if seen == 0 { 1.0 } else { seen_once as f64 / seen as f64 }
}

/// The largest rate for which `is_below` holds; it holds up to some rate and not beyond.
fn solve(is_below: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        if is_below(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    (low + high) / 2.0
}

/// Probability of at most `count` successes in `trials`.
fn at_most(count: u32, trials: u32, rate: f64) -> f64 {
    if rate <= 0.0 {
        return 1.0;
    }
    if rate >= 1.0 {
        return if count >= trials { 1.0 } else { 0.0 };
    }
    // In logarithms: the first terms of long series are too small for a float.
    let mut term = f64::from(trials) * (1.0 - rate).ln();
    let mut sum = term.exp();
    for k in 1..=count {
        term += (f64::from(trials - k + 1) / f64::from(k)).ln() + (rate / (1.0 - rate)).ln();
        sum += term.exp();
    }
    sum.min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(one: f64, other: f64) -> bool {
        (one - other).abs() < 5e-4
    }

    #[test]
    fn bounds_are_the_published_ones() {
        // The rule of three: about 3/n.
        assert!(close(break_rate_at_most(0, 100, 0.95), 0.0295));
        assert!(close(break_rate_at_most(0, 1, 0.95), 0.95));
        // Clopper-Pearson tables, two-sided 95% (so one-sided 97.5%) for 3 of 10.
        assert!(close(break_rate_at_least(3, 10, 0.975), 0.0667));
        assert!(close(break_rate_at_most(3, 10, 0.975), 0.6525));
        assert!(close(break_rate_at_most(10, 10, 0.95), 1.0));
        assert!(close(break_rate_at_least(0, 10, 0.95), 0.0));
    }

    #[test]
    fn runs_and_escapes_agree() {
        for (rate, confidence) in [(0.5, 0.95), (0.1, 0.99), (0.9, 0.9), (0.5, 0.5)] {
            let runs = runs_needed(rate, confidence);
            assert!(escape_probability(rate, runs) <= 1.0 - confidence + 1e-9);
            assert!(runs == 1 || escape_probability(rate, runs - 1) > 1.0 - confidence);
        }
        assert_eq!(runs_needed(0.5, 0.95), 5);
    }

    #[test]
    fn many_runs_do_not_underflow() {
        let bound = break_rate_at_most(5, 100_000, 0.95);
        assert!((1e-5..2e-4).contains(&bound), "{bound}");
    }

    #[test]
    fn the_unseen_mass_is_the_share_of_what_was_seen_once() {
        assert!(close(unseen_mass(0, 0), 1.0) && close(unseen_mass(3, 200), 0.015));
    }
}
