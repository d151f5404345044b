//! The script that is being played, and what it has done so far.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::call::{Call, Host};
use super::layer::Pages;
use super::script::{Fault, FaultTrigger, Faults};
use crate::simulator::server::Service;
use crate::simulator::world::Post;

/// Changes what goes wrong while the simulator runs; see [`Simulator::faults`](crate::simulator::Simulator::faults). Copies change the same
/// simulator.
#[derive(Clone)]
pub struct FaultControl(pub(in crate::simulator::server) Arc<Service>);

impl FaultControl {
    /// Plays this script from now on, from its beginning.
    pub fn set(&self, script: Faults) {
        self.0.faults.set(script);
    }

    /// The author takes this post back: it is in no list any more, and asked for by itself it does not exist. Who passed it on shows that it
    /// was deleted.
    pub fn delete(&self, post: &Post) {
        self.0.world.delete(post);
    }

    /// The author hides how many like this post.
    pub fn hide_likes(&self, post: &Post) {
        self.0.world.hide_likes(post);
    }

    /// How many faults have been injected since the simulator began, delays not counted.
    pub fn injected(&self) -> u64 {
        self.0.faults.state().injected
    }
}

/// Plays a script.
#[derive(Default)]
pub(in crate::simulator::server) struct Injector {
    state: Mutex<State>,
    pub(super) pages: Pages,
}

#[derive(Default)]
struct State {
    script: Faults,
    /// How many calls each rule has been asked about.
    asked: Vec<u64>,
    injected: u64,
}

/// What goes wrong at one call.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) delay: Duration,
    pub(super) faults: Vec<Fault>,
    /// Whether pages are to be remembered, since some may be repeated.
    pub(super) remembers: bool,
    /// Decides the order in which rows come.
    pub(super) shuffle: u64,
}

impl Injector {
    pub(in crate::simulator::server) fn new(script: Faults) -> Self {
        let injector = Self::default();
        injector.set(script);
        injector
    }

    fn set(&self, script: Faults) {
        let mut state = self.state();
        state.asked = vec![0; script.rules.len()];
        state.script = script;
    }

    /// Whether nothing goes wrong at any call.
    pub(super) fn is_idle(&self) -> bool {
        let state = self.state();
        state.script.latency_ms == 0 && state.script.rules.is_empty()
    }

    /// What goes wrong at this call.
    pub(super) fn due(&self, call: &Call) -> Due {
        let address = call.address();
        let mut state = self.state();
        let State { script, asked, .. } = &mut *state;
        let mut due = Due {
            delay: Duration::from_millis(script.latency_ms),
            ..Due::default()
        };
        for (number, (rule, asked)) in script.rules.iter().zip(asked).enumerate() {
            due.remembers |= rule.what == Fault::Repeated;
            if !rule.what.befalls(call) || !address.contains(&rule.on) {
                continue;
            }
            *asked += 1;
            // Another number for each rule and call, so that rules do not choose the same calls.
            let draw = script.seed ^ (number as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
            let draw = draw.wrapping_add(*asked);
            if !rule.when.is_met(*asked, draw) {
                continue;
            }
            match rule.what {
                Fault::Late(by) => due.delay += by,
                fault => due.faults.push(fault),
            }
            due.shuffle = draw;
        }
        due
    }

    /// Takes note that so many faults were injected.
    pub(super) fn injected(&self, faults: usize) {
        self.state().injected += faults as u64;
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl FaultTrigger {
    fn is_met(self, call: u64, draw: u64) -> bool {
        match self {
            Self::Always => true,
            Self::Calls { first, count } => call >= first && call - first < count,
            Self::Share(share) => {
                ChaCha8Rng::seed_from_u64(draw).random_bool(share.clamp(0.0, 1.0))
            }
        }
    }
}

impl Fault {
    /// Whether the fault can happen to this call at all.
    fn befalls(self, call: &Call) -> bool {
        let is_picture = call.host == Host::Pictures;
        match self {
            Self::Late(_)
            | Self::TooManyRequests { .. }
            | Self::ServerError(_)
            | Self::CutShort => true,
            Self::ExpiredToken | Self::CutJson | Self::Shuffled => !is_picture,
            Self::Repeated => call.cursor().is_some(),
            Self::DeadCursor => call.host == Host::Graph && call.cursor().is_some(),
            Self::PictureExpired | Self::PictureGone => is_picture,
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;
    use crate::simulator::server::faults::FaultRule;

    const BROKEN: Fault = Fault::ServerError(502);

    fn call(address: &str) -> Call {
        Call::of(&address.parse().unwrap())
    }

    fn played(script: &Faults, calls: usize) -> Vec<Due> {
        let injector = Injector::new(script.clone());
        let home = call("/2/statuses/home_timeline.json?max_id=5");
        (0..calls).map(|_| injector.due(&home)).collect()
    }

    #[test]
    fn a_share_of_calls_is_the_same_for_the_same_seed() {
        let rule = FaultRule::new(FaultTrigger::Share(0.25), BROKEN);
        let script = |seed| Faults::seeded(seed).rule(rule.clone());
        let first = played(&script(1), 1000);
        assert_eq!(first, played(&script(1), 1000));
        assert_ne!(first, played(&script(2), 1000));
        let hit = first.iter().filter(|due| !due.faults.is_empty()).count();
        assert!((200..300).contains(&hit), "{hit}");
    }

    #[test]
    fn rules_count_the_calls_that_they_are_about() {
        let script = Faults::none()
            .rule(FaultRule::new(FaultTrigger::nth(2), BROKEN).on("topics"))
            .rule(FaultRule::new(FaultTrigger::nth(1), Fault::PictureGone));
        let injector = Injector::new(script);
        let due = |address: &str| injector.due(&call(address)).faults;
        assert_eq!(due("/2/search/topics.json?q=a"), []);
        assert_eq!(due("/2/statuses/home_timeline.json"), []);
        assert_eq!(due("/2/search/topics.json?q=b"), [BROKEN]);
        assert_eq!(due("/2/search/topics.json?q=c"), []);
        assert_eq!(due("/sinaimg/large/a.jpg"), [Fault::PictureGone]);
    }

    #[test]
    fn delays_add_up() {
        let late = |seconds| {
            let fault = Fault::Late(Duration::from_secs(seconds));
            FaultRule::new(FaultTrigger::Always, fault)
        };
        let mut script = Faults::none().rule(late(1)).rule(late(2));
        script.latency_ms = 500;
        let due = &played(&script, 1)[0];
        assert_eq!(due.delay, Duration::from_millis(3500));
        assert_eq!(due.faults, []);
    }
}
