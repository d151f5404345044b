//! What may still be called, and when more may be.
//!
//! No header tells. So the API is asked from time to time, which is not counted, and in between calls are counted here, so that
//! none goes over the allowance. The ledger is plain data: it is kept, and a restart goes on where the last run was.

use std::collections::BTreeMap;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use super::wire::RateLimitStatus;

/// Calls between two questions: others may call with the same token.
const ASK_EVERY: u32 = 20;

/// What one token may call on one host.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Ledger {
    /// The allowance of the user who gave the token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    user: Option<Allowance>,
    /// The allowance of the network address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    address: Option<Allowance>,
    /// Further allowances of single calls, by path.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    calls: BTreeMap<String, Allowance>,
    /// Until when all calls are refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    refused_until: Option<Timestamp>,
    /// Until when single calls are refused, by path.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    calls_refused_until: BTreeMap<String, Timestamp>,
    /// When the API was last asked; none: what it said is over.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    asked_at: Option<Timestamp>,
    /// Calls made since then.
    #[serde(default)]
    since_asked: u32,
}

/// So many calls until a time.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Allowance {
    limit: u64,
    remaining: u64,
    /// When the whole is given back.
    back_at: Timestamp,
}

/// Whether a call may be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Standing {
    /// It may.
    Free,
    /// It is time to ask first.
    AskFirst,
    /// Not before so much time has passed.
    Closed(Duration),
}

/// What a refusal for too many calls is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    /// All calls.
    All,
    /// This one alone.
    ThisCall,
}

impl Ledger {
    /// How a call stands. Forgets what is over by now.
    pub(super) fn standing(&mut self, path: &str, now: Timestamp) -> Standing {
        self.forget_what_is_over(now);
        match self.closed_until(path) {
            Some(until) => Standing::Closed(between(now, until)),
            None if self.asked_at.is_none() || self.since_asked >= ASK_EVERY => Standing::AskFirst,
            None => Standing::Free,
        }
    }

    /// Counts a call that is about to be made, unless none may be: then says how long to wait.
    pub(super) fn take(&mut self, path: &str, now: Timestamp) -> Result<(), Duration> {
        self.forget_what_is_over(now);
        if let Some(until) = self.closed_until(path) {
            return Err(between(now, until));
        }
        let of_call = self.calls.get_mut(path);
        let allowances = [self.user.as_mut(), self.address.as_mut(), of_call];
        for allowance in allowances.into_iter().flatten() {
            allowance.remaining = allowance.remaining.saturating_sub(1);
        }
        self.since_asked = self.since_asked.saturating_add(1);
        Ok(())
    }

    /// Takes note of what the API says. Calls in flight may not be counted there yet. Where it does not say when an allowance is given back,
    /// that is after `rest`.
    pub(super) fn answered(
        &mut self,
        status: &RateLimitStatus,
        in_flight: u64,
        now: Timestamp,
        rest: Duration,
    ) {
        let back_at = back_at(status, now).unwrap_or_else(|| after(now, rest));
        let allowance = |limit: Option<i64>, remaining: Option<i64>| {
            let remaining = u64::try_from(remaining?).unwrap_or(0);
            Some(Allowance {
                limit: u64::try_from(limit?).ok().filter(|limit| *limit > 0)?,
                remaining: remaining.saturating_sub(in_flight),
                back_at,
            })
        };
        let user = allowance(status.user_limit, status.remaining_user_hits);
        self.user = user.or(self.user.take());
        let address = allowance(status.ip_limit, status.remaining_ip_hits);
        self.address = address.or(self.address.take());
        self.calls = status
            .api_rate_limits
            .iter()
            .filter_map(|call| {
                let path = call.api.as_deref()?.trim_start_matches('/');
                let allowance = allowance(call.limit, call.remaining_hits)?;
                Some((path.trim_end_matches(".json").to_owned(), allowance))
            })
            .collect();
        self.asked(now);
    }

    /// Takes note that the API was asked: it is not asked again at once, whatever it said.
    pub(super) fn asked(&mut self, now: Timestamp) {
        self.asked_at = Some(now);
        self.since_asked = 0;
    }

    /// Takes note of a refusal for too many calls. Gives how long to wait: until an allowance that is used up is given back, else as long as
    /// the refusal told, else until what is known to be given back next (for a single call) or `rest`.
    pub(super) fn refused(
        &mut self,
        path: &str,
        scope: Scope,
        now: Timestamp,
        told: Option<Duration>,
        rest: Duration,
    ) -> Duration {
        self.forget_what_is_over(now);
        if let Some(until) = self.closed_until(path) {
            return between(now, until);
        }
        let told = told.map(|wait| after(now, wait));
        let at_rest = after(now, rest);
        let until = match scope {
            Scope::All => {
                let until = told.unwrap_or(at_rest);
                self.refused_until = Some(until);
                until
            }
            Scope::ThisCall => {
                let given_back = self.user.as_ref().map(|user| user.back_at);
                let until = told.or(given_back).unwrap_or(at_rest);
                self.calls_refused_until.insert(path.to_owned(), until);
                until
            }
        };
        between(now, until)
    }

    /// How much of the scarcer allowance is used, in percent; none: unknown.
    pub(super) fn used_percent(&self) -> Option<f64> {
        [&self.user, &self.address]
            .into_iter()
            .flatten()
            .map(|of| 100.0 * (1.0 - of.remaining as f64 / of.limit as f64).clamp(0.0, 1.0))
            .reduce(f64::max)
    }

    fn closed_until(&self, path: &str) -> Option<Timestamp> {
        let used_up = [
            self.user.as_ref(),
            self.address.as_ref(),
            self.calls.get(path),
        ]
        .into_iter()
        .flatten()
        .filter(|allowance| allowance.remaining == 0)
        .map(|allowance| allowance.back_at);
        used_up
            .chain(self.refused_until)
            .chain(self.calls_refused_until.get(path).copied())
            .max()
    }

    /// An allowance that has been given back is no longer known, so it is time to ask.
    fn forget_what_is_over(&mut self, now: Timestamp) {
        let is_over = |of: &mut Allowance| of.back_at <= now;
        let user = self.user.take_if(is_over);
        let address = self.address.take_if(is_over);
        let calls = self.calls.len();
        self.calls.retain(|_, of| of.back_at > now);
        if user.is_some() || address.is_some() || self.calls.len() < calls {
            self.asked_at = None;
        }
        self.refused_until.take_if(|until| *until <= now);
        self.calls_refused_until.retain(|_, until| *until > now);
    }
}

/// When all allowances are given back: in so many seconds, or at a time of China. A time that has passed says nothing.
fn back_at(status: &RateLimitStatus, now: Timestamp) -> Option<Timestamp> {
    let in_seconds = status
        .reset_time_in_seconds
        .and_then(|seconds| u64::try_from(seconds).ok())
        .map(|seconds| after(now, Duration::from_secs(seconds)));
    let at_time = || {
        let text = format!("{} +0800", status.reset_time.as_deref()?);
        Timestamp::strptime("%Y-%m-%d %H:%M:%S %z", text).ok()
    };
    in_seconds.or_else(at_time).filter(|at| *at > now)
}

fn after(now: Timestamp, wait: Duration) -> Timestamp {
    SignedDuration::try_from(wait)
        .ok()
        .and_then(|wait| now.checked_add(wait).ok())
        .unwrap_or(Timestamp::MAX)
}

fn between(now: Timestamp, until: Timestamp) -> Duration {
    Duration::try_from(until.duration_since(now)).unwrap_or(Duration::ZERO)
}

#[cfg(test)]
#[path = "limits_tests.rs"]
mod tests;
