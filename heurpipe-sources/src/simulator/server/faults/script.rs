//! What goes wrong, and at which calls.

use std::time::Duration;

/// A script of faults: every rule is asked at every call that its fault can befall. The same script and the same sequence of calls give the
/// same faults.
///
/// ```
/// use std::time::Duration;
/// use heurpipe_sources::simulator::{Fault, FaultRule, FaultTrigger, Faults};
///
/// // One call in ten fails, and the third for recent posts of a hashtag is refused for a minute.
/// let refused = Fault::TooManyRequests { retry_after: Duration::from_secs(60) };
/// let script = Faults::seeded(7)
///     .rule(FaultRule::new(FaultTrigger::Share(0.1), Fault::ServerError(502)))
///     .rule(FaultRule::new(FaultTrigger::nth(3), refused).on("recent_media"));
/// # drop(script);
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Faults {
    /// Added to every answer, in milliseconds.
    pub latency_ms: u64,
    /// Decides which calls a [`FaultTrigger::Share`] is made of, and in which order rows are shuffled.
    pub seed: u64,
    /// The rules, in the order in which they were given.
    pub rules: Vec<FaultRule>,
}

impl Faults {
    /// Nothing goes wrong.
    pub fn none() -> Self {
        Self::default()
    }

    /// Nothing goes wrong yet; what rules leave to chance is decided by this seed.
    pub fn seeded(seed: u64) -> Self {
        Self {
            seed,
            ..Self::default()
        }
    }

    /// With one more rule.
    pub fn rule(mut self, rule: FaultRule) -> Self {
        self.rules.push(rule);
        self
    }
}

/// At which calls what goes wrong.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct FaultRule {
    /// Only calls whose address (path and query, decoded) contains this text; all for the empty one.
    pub on: String,
    /// At which of these calls.
    pub when: FaultTrigger,
    /// What goes wrong.
    pub what: Fault,
}

impl FaultRule {
    /// At these calls, this.
    pub fn new(when: FaultTrigger, what: Fault) -> Self {
        Self {
            on: String::new(),
            when,
            what,
        }
    }

    /// Only calls whose address contains this text.
    pub fn on(mut self, part_of_address: impl Into<String>) -> Self {
        self.on = part_of_address.into();
        self
    }
}

/// At which calls. Each rule counts for itself the calls that it is about, from 1.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum FaultTrigger {
    /// Each.
    Always,
    /// So many, from this one on.
    Calls {
        /// The number of the first.
        first: u64,
        /// How many.
        count: u64,
    },
    /// This share of them, between 0 and 1, by the script's seed.
    Share(f64),
}

impl FaultTrigger {
    /// The n-th call.
    pub fn nth(call: u64) -> Self {
        Self::Calls {
            first: call,
            count: 1,
        }
    }
}

/// What goes wrong at a call. Where several rules apply to one, it is late by all delays together; then the first that refuses the call has
/// its way; what changes an answer is done in the order of the rules.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Fault {
    /// The answer takes so much longer.
    Late(Duration),
    /// Status 429, with the time to wait in whole seconds.
    TooManyRequests {
        /// What `Retry-After` says.
        retry_after: Duration,
    },
    /// A status from 500 on, with an HTML page as a proxy gives it.
    ServerError(u16),
    /// The token is refused as expired.
    ExpiredToken,
    /// The cursor of a Graph call has died: it is refused as a bad parameter.
    DeadCursor,
    /// The connection ends before the announced length is sent.
    CutShort,
    /// The answer is whole by its length, and JSON that ends in the middle.
    CutJson,
    /// The rows of a page come in another order than before.
    Shuffled,
    /// A page comes again. Of the Graph API, the answer to the call before is given once more, with the cursor that was asked for now; on
    /// Weibo, where the address says which posts may be on a page, its first rows are those of the page before.
    Repeated,
    /// The address of a picture is refused as expired.
    PictureExpired,
    /// A picture is no longer there.
    PictureGone,
}
