//! Scripts made of numbers.

use std::time::Duration;

use super::script::{Fault, Faults, Rule, Trigger};
use crate::ErrorKind;

impl Faults {
    /// One rule a number: any number gives one, the same number the same one. So a property test draws a list of numbers, shrinks it, and prints
    /// the script.
    ///
    /// Every fault passes: failures are temporary, each rule applies at most three times, nothing hangs, and no item fails for good. A part that
    /// is retried gets through with nothing lost.
    ///
    /// ```
    /// use heurpipe_core::testkit::faults::Faults;
    ///
    /// let script = Faults::of([7, 1_000_003]);
    /// let printed = script.to_string();
    /// assert_eq!(serde_json::from_str::<Faults>(&printed).unwrap(), script);
    /// ```
    pub fn of(numbers: impl IntoIterator<Item = u64>) -> Self {
        let rules = numbers.into_iter().map(rule).collect();
        Self { rules }
    }

    /// Up to four rules, by a seed.
    pub fn random(seed: u64) -> Self {
        let mut draws = Draws(seed);
        let rules = draws.below(5);
        Self::of((0..rules).map(|_| draws.next()))
    }
}

fn rule(number: u64) -> Rule {
    let mut draws = Draws(number);
    let when = match draws.below(3) {
        0 => Trigger::Calls {
            first: 1 + draws.below(8),
            count: 1 + draws.below(3),
        },
        1 => Trigger::Every(2 + draws.below(8)),
        // Below eight, so that it fits any word.
        _ => Trigger::Item(draws.below(8) as usize),
    };
    let what = match draws.below(5) {
        0 => Fault::Delay(Duration::from_millis(1 + draws.below(1000))),
        1 => Fault::Fail(match draws.below(3) {
            0 => ErrorKind::Unavailable,
            1 => ErrorKind::Timeout,
            _ => ErrorKind::RateLimited,
        }),
        2 => Fault::Drop,
        3 => Fault::Duplicate,
        _ => Fault::Reorder(draws.below(4)),
    };
    Rule::new(when, what).times(1 + draws.below(3))
}

/// Numbers that follow from a seed (SplitMix64).
pub(super) struct Draws(pub(super) u64);

impl Draws {
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number below this one, which is not 0.
    pub(super) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}
