//! Plays a script: decides at each call what goes wrong, and counts it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::numbers::Draws;
use super::script::{Fault, Faults, Rule, Trigger};
use crate::middleware::Call;
use crate::{ErrorKind, PostId, Result};

/// The layer of [`Faulty`](super::Faulty): a script and how far it has been played.
#[derive(Debug)]
pub struct Injector {
    script: Faults,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    /// Per rule: calls that it was about, and times that it applied.
    rules: Vec<(u64, u64)>,
    injected: Injected,
}

/// How often something went wrong on purpose.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Injected {
    /// Calls made late.
    pub delay: u64,
    /// Calls failed as a whole.
    pub fail: u64,
    /// Items failed alone.
    pub fail_item: u64,
    /// Calls never answered.
    pub hang: u64,
    /// Calls whose answer was lost.
    pub drop: u64,
    /// Calls made twice.
    pub duplicate: u64,
    /// Calls whose items were handed on in another order.
    pub reorder: u64,
}

impl Injected {
    /// All together.
    pub fn total(&self) -> u64 {
        self.delay
            + self.fail
            + self.fail_item
            + self.hang
            + self.drop
            + self.duplicate
            + self.reorder
    }
}

impl Injector {
    pub(super) fn new(script: Faults) -> Self {
        let rules = vec![(0, 0); script.rules.len()];
        let injected = Injected::default();
        Self {
            script,
            state: Mutex::new(State { rules, injected }),
        }
    }

    pub(super) fn injected(&self) -> Injected {
        self.state
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .injected
    }

    /// What goes wrong at a call that carries these posts. `items`: whether each of them has an outcome and a place of its own.
    pub(super) fn plan(&self, call: &Call<'_>, posts: &[&PostId], items: bool) -> Plan {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let mut plan = Plan::default();
        for (rule, (calls, applied)) in self.script.rules.iter().zip(&mut state.rules) {
            if !is_about(rule, call) {
                continue;
            }
            *calls += 1;
            let places = places(&rule.when, *calls, posts);
            let left = rule.times.is_none_or(|times| *applied < times);
            if let Some(places) = places
                && left
                && plan.add(rule.what, &places, items)
            {
                *applied += 1;
            }
        }
        plan.count(&mut state.injected);
        plan
    }
}

fn is_about(rule: &Rule, call: &Call<'_>) -> bool {
    match &rule.on {
        Some(method) => method == call.method,
        None => {
            matches!(call.kind, "documents" | "analyses" | "review")
                || matches!(call.method, "read" | "enrich" | "judge" | "write")
        }
    }
}

/// The places of the items that a trigger names at its n-th call: all, where it names a call. None: it is not time.
fn places(trigger: &Trigger, call: u64, posts: &[&PostId]) -> Option<Vec<usize>> {
    let all = || Some((0..posts.len()).collect());
    match trigger {
        Trigger::Always => all(),
        Trigger::Calls { first, count } if call >= *first && call - first < *count => all(),
        Trigger::Every(n) if *n > 0 && call.is_multiple_of(*n) => all(),
        Trigger::Item(place) if *place < posts.len() => Some(vec![*place]),
        Trigger::Post(post) => {
            let has = |place: &usize| posts[*place] == post;
            let found: Vec<usize> = (0..posts.len()).filter(has).collect();
            (!found.is_empty()).then_some(found)
        }
        _ => None,
    }
}

/// What goes wrong at one call.
#[derive(Debug, Default)]
pub(super) struct Plan {
    delay: Duration,
    hang: bool,
    fail: Option<ErrorKind>,
    pub(super) fail_items: BTreeMap<usize, ErrorKind>,
    pub(super) lose: bool,
    pub(super) twice: bool,
    seed: Option<u64>,
}

impl Plan {
    /// Adds a fault; says whether it can happen at this call.
    fn add(&mut self, fault: Fault, places: &[usize], items: bool) -> bool {
        match fault {
            Fault::Delay(by) => self.delay += by,
            Fault::Hang => self.hang = true,
            Fault::Fail(kind) => self.fail = Some(kind),
            Fault::Drop => self.lose = true,
            Fault::Duplicate => self.twice = true,
            Fault::FailItem(kind) if items && !places.is_empty() => {
                self.fail_items.extend(places.iter().map(|p| (*p, kind)));
            }
            Fault::Reorder(seed) if items => self.seed = Some(seed),
            Fault::FailItem(_) | Fault::Reorder(_) => return false,
        }
        true
    }

    fn count(&self, injected: &mut Injected) {
        injected.delay += u64::from(!self.delay.is_zero());
        if self.hang {
            injected.hang += 1;
            return;
        }
        if self.fail.is_some() {
            injected.fail += 1;
            return;
        }
        injected.fail_item += self.fail_items.len() as u64;
        injected.drop += u64::from(self.lose);
        injected.duplicate += u64::from(self.twice);
        injected.reorder += u64::from(self.seed.is_some());
    }

    /// What comes before the work: waits, hangs or fails.
    pub(super) async fn before(&self, call: &Call<'_>) -> Result<()> {
        if !self.delay.is_zero() {
            tokio::time::sleep(self.delay).await;
        }
        if self.hang {
            std::future::pending::<()>().await;
        }
        match self.fail {
            Some(kind) => Err(call.error(kind).message("a fault was injected")),
            None => Ok(()),
        }
    }

    /// What comes after the work: whether its answer arrives.
    pub(super) fn after(&self, call: &Call<'_>) -> Result<()> {
        if self.lose {
            let lost = call.error(ErrorKind::Unavailable);
            return Err(lost.message("a fault was injected: the work is done, the answer lost"));
        }
        Ok(())
    }

    /// Whether the items are handed on as they are.
    pub(super) fn leaves_items(&self) -> bool {
        self.fail_items.is_empty() && self.seed.is_none()
    }

    /// The places of items handed on, in this order; those that fail alone are left out.
    pub(super) fn places(&self, items: usize) -> Vec<usize> {
        let mut places: Vec<usize> = (0..items)
            .filter(|place| !self.fail_items.contains_key(place))
            .collect();
        if let Some(seed) = self.seed {
            reorder(&mut places, seed);
        }
        places
    }

    /// Puts items into another order, if that is the fault.
    pub(super) fn reordered<T>(&self, items: &mut [T]) {
        if let Some(seed) = self.seed {
            reorder(items, seed);
        }
    }
}

fn reorder<T>(items: &mut [T], seed: u64) {
    if seed == 0 {
        items.reverse();
        return;
    }
    let mut draws = Draws(seed);
    for last in (1..items.len()).rev() {
        let other = draws.below(last as u64 + 1) as usize;
        items.swap(last, other);
    }
}
