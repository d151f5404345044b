//! What goes wrong, and when.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::{ErrorKind, PostId};

/// A script of faults: every rule is asked at every call.
///
/// Printed as one line of JSON, and read back by serde.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Faults {
    /// The rules, in the order in which they were given.
    pub rules: Vec<Rule>,
}

impl Faults {
    /// Nothing goes wrong.
    pub fn none() -> Self {
        Self::default()
    }

    /// The first `calls` calls fail as a whole.
    pub fn fail_first(calls: u64, kind: ErrorKind) -> Self {
        Self::none().rule(Rule::new(Trigger::first(calls), Fault::Fail(kind)))
    }

    /// After `after` calls the part is down for `calls` calls, then it is back.
    pub fn outage(after: u64, calls: u64) -> Self {
        let trigger = Trigger::Calls {
            first: after + 1,
            count: calls,
        };
        Self::none().rule(Rule::new(trigger, Fault::Fail(ErrorKind::Unavailable)))
    }

    /// This post fails, alone, whenever it is handed over.
    pub fn poison(post: PostId, kind: ErrorKind) -> Self {
        Self::none().rule(Rule::new(Trigger::Post(post), Fault::FailItem(kind)))
    }

    /// With one more rule.
    pub fn rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    /// With the rules of another script.
    pub fn and(mut self, other: Self) -> Self {
        self.rules.extend(other.rules);
        self
    }
}

impl fmt::Display for Faults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let json = serde_json::to_string(self).map_err(|_| fmt::Error)?;
        f.write_str(&json)
    }
}

/// At which calls what goes wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Rule {
    /// Only calls of this method (`flush`, `commit`, …). None: those that carry items, which are a source's `read` (a page), `enrich`,
    /// `judge` and `write`; of stores (documents, analyses, a review queue), all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub on: Option<String>,
    /// At which of these calls.
    pub when: Trigger,
    /// What goes wrong.
    pub what: Fault,
    /// At most so many times; none: whenever it is time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub times: Option<u64>,
}

impl Rule {
    /// At these calls, this.
    pub fn new(when: Trigger, what: Fault) -> Self {
        Self {
            on: None,
            when,
            what,
            times: None,
        }
    }

    /// Only calls of this method.
    pub fn on(mut self, method: impl Into<String>) -> Self {
        self.on = Some(method.into());
        self
    }

    /// At most so many times.
    pub fn times(mut self, times: u64) -> Self {
        self.times = Some(times);
        self
    }
}

/// At which calls. Each rule counts for itself the calls that it is about, from 1, and a page of any partition is one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Trigger {
    /// Each.
    Always,
    /// So many, from this one on.
    Calls {
        /// The number of the first.
        first: u64,
        /// How many.
        count: u64,
    },
    /// Every so-many-th.
    Every(u64),
    /// Those that carry this post.
    Post(PostId),
    /// Those that carry an item at this place, counted from 0.
    Item(usize),
}

impl Trigger {
    /// The n-th call.
    pub fn nth(call: u64) -> Self {
        Self::Calls {
            first: call,
            count: 1,
        }
    }

    /// The first so many calls.
    pub fn first(calls: u64) -> Self {
        Self::Calls {
            first: 1,
            count: calls,
        }
    }
}

/// What goes wrong at a call. Where several rules apply to one call, it is late by all delays together, and then hangs, fails, or does what
/// is left, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[non_exhaustive]
pub enum Fault {
    /// The call takes so much longer.
    Delay(Duration),
    /// The call fails before anything is done. Of a source, the page is not handed on and the stream ends with this error.
    Fail(ErrorKind),
    /// The items that the trigger names, or all, fail alone; the part does not see them. Of a source, they come as unreadable.
    FailItem(ErrorKind),
    /// The call is never answered, and nothing is done.
    Hang,
    /// The work is done and the answer lost: `Unavailable`. Of a source, the page is lost and the stream ends.
    Drop,
    /// The work is done twice; the first answer counts. Of a source, the items of the page come twice.
    Duplicate,
    /// The items are handed on in another order: seed 0 is the reverse, any other one is shuffled by. Outcomes come back in the caller's order.
    Reorder(u64),
}
