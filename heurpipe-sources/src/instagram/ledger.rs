//! What a credential has used up, as it survives restarts: the hashtags of the last seven days and the calls of the last hour.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use heurpipe_core::{Clock, Documents, Error, ErrorKind, Result};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

use crate::http::{Kept, Standing};

/// Different hashtags that one user may ask for within [`WINDOW`].
const BUDGET: usize = 30;
/// How long a hashtag counts from when it was first asked for.
const WINDOW: SignedDuration = SignedDuration::from_hours(7 * 24);
/// The same usage told again is worth writing down after so long.
const USAGE_IS_OLD_AFTER: SignedDuration = SignedDuration::from_mins(1);

/// The ledger of one user. What is charged is written down before the call is made, and counted with what other sources of the
/// process have charged to the same user in the meantime.
#[derive(Debug)]
pub(super) struct Ledger {
    hashtags: Kept<Hashtags>,
    usage: Kept<Standing>,
    clock: Clock,
}

impl Ledger {
    /// The ledger of this user; without documents it lasts as long as the process.
    pub(super) fn new(documents: Option<Arc<dyn Documents>>, user_id: &str, clock: Clock) -> Self {
        let name = |part: &str| format!("instagram.graph/{user_id}/{part}");
        Self {
            hashtags: Kept::new(documents.clone(), name("hashtags")),
            usage: Kept::new(documents, name("usage")),
            clock,
        }
    }

    /// Takes note that a hashtag is about to be asked for. One that was asked for within the last seven days costs nothing, and its
    /// time does not begin anew.
    ///
    /// # Errors
    /// `RateLimited` when it would be one too many, with the time until the oldest falls out.
    pub(super) async fn charge(&self, tag: &str) -> Result<()> {
        let now = self.clock.now();
        let charge = |known: &mut Hashtags| known.charge(tag, now);
        let charged = self.hashtags.with(charge).await?;
        charged.map_err(|wait| {
            Error::new(ErrorKind::RateLimited, "instagram.hashtag_budget")
                .message(format!(
                    "{BUDGET} different hashtags were asked for within 7 days"
                ))
                .after(wait)
                .with("hashtag", tag)
        })
    }

    /// Takes back a charge: the API refused to count the hashtag.
    pub(super) async fn refund(&self, tag: &str) -> Result<()> {
        self.hashtags
            .with(|known| {
                known.asked.remove(tag);
            })
            .await
    }

    /// The id of a hashtag, if it was ever told.
    pub(super) async fn hashtag_id(&self, tag: &str) -> Result<Option<String>> {
        self.hashtags
            .with(|known| known.ids.get(tag).cloned())
            .await
    }

    /// Keeps the id of a hashtag: it is the same for everybody and never changes.
    pub(super) async fn keep_hashtag_id(&self, tag: &str, id: &str) -> Result<()> {
        self.hashtags
            .with(|known| {
                known.ids.insert(tag.to_owned(), id.to_owned());
            })
            .await
    }

    /// Whether nothing is known of the budget, so that the API had better be asked what is left of it.
    pub(super) async fn is_blank(&self) -> Result<bool> {
        self.hashtags
            .with(|known| !known.compared && known.asked.is_empty())
            .await
    }

    /// Takes over hashtags, by name and id, that the API says were asked for. It does not say when: they count from now.
    pub(super) async fn adopt(&self, asked: Vec<(String, String)>) -> Result<()> {
        let now = self.clock.now();
        self.hashtags.with(|known| known.adopt(asked, now)).await
    }

    /// What was last told of the allowance of calls.
    pub(super) async fn usage(&self) -> Result<Standing> {
        self.usage.with(|usage| *usage).await
    }

    /// Keeps what was told of the allowance of calls, unless the same was kept a moment ago.
    pub(super) async fn keep_usage(&self, told: Standing) -> Result<()> {
        self.usage
            .with(|kept| {
                if !is_old_news(kept, &told) {
                    *kept = told;
                }
            })
            .await
    }
}

fn is_old_news(kept: &Standing, told: &Standing) -> bool {
    let says_the_same = kept.percent == told.percent && kept.blocked_until == told.blocked_until;
    let is_recent = match (kept.told_at, told.told_at) {
        (Some(kept), Some(told)) => told.duration_since(kept) < USAGE_IS_OLD_AFTER,
        (_, None) => true,
        (None, Some(_)) => false,
    };
    says_the_same && is_recent
}

/// Hashtags by name.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct Hashtags {
    ids: BTreeMap<String, String>,
    /// When each of the last seven days was first asked for.
    asked: BTreeMap<String, Timestamp>,
    /// The API was asked what it knows.
    compared: bool,
}

impl Hashtags {
    /// Counts a hashtag; else gives the time until there is room for it.
    fn charge(&mut self, tag: &str, now: Timestamp) -> Result<(), Duration> {
        self.asked.retain(|_, at| left(*at, now).is_some());
        if self.asked.contains_key(tag) {
            return Ok(());
        }
        if self.asked.len() >= BUDGET {
            let first_to_go = self.asked.values().filter_map(|at| left(*at, now)).min();
            return Err(first_to_go.unwrap_or_default());
        }
        self.asked.insert(tag.to_owned(), now);
        Ok(())
    }

    fn adopt(&mut self, asked: Vec<(String, String)>, now: Timestamp) {
        self.compared = true;
        for (tag, id) in asked {
            self.asked.entry(tag.clone()).or_insert(now);
            self.ids.insert(tag, id);
        }
    }
}

/// How long a hashtag still counts; none: it does no longer.
fn left(asked_at: Timestamp, now: Timestamp) -> Option<Duration> {
    let left = WINDOW - now.duration_since(asked_at);
    Duration::try_from(left).ok().filter(|left| !left.is_zero())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use heurpipe_core::Retry;
    use heurpipe_core::testkit::VirtualClock;

    use super::*;

    const DAY: Duration = Duration::from_secs(86_400);

    fn blank(time: &VirtualClock) -> Ledger {
        Ledger::new(None, "17841405309211844", time.clock())
    }

    fn start() -> VirtualClock {
        VirtualClock::start("2026-03-01T08:00:00Z".parse().unwrap())
    }

    #[tokio::test]
    async fn the_thirty_first_hashtag_waits_until_the_first_falls_out() {
        let time = start();
        let ledger = blank(&time);
        ledger.charge("first").await.unwrap();
        time.advance(DAY).await;
        for number in 1..BUDGET {
            ledger.charge(&format!("tag{number}")).await.unwrap();
        }
        let error = ledger.charge("one_too_many").await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::RateLimited);
        assert_eq!(error.retry(), Retry::Temporary);
        assert_eq!(error.retry_after(), Some(6 * DAY));
        time.advance(6 * DAY).await;
        ledger.charge("one_too_many").await.unwrap();
        let error = ledger.charge("another").await.unwrap_err();
        assert_eq!(error.retry_after(), Some(DAY), "the next to fall out");
    }

    #[tokio::test]
    async fn asking_again_costs_nothing_and_starts_no_clock() {
        let time = start();
        let ledger = blank(&time);
        for number in 0..BUDGET {
            ledger.charge(&format!("tag{number}")).await.unwrap();
        }
        time.advance(6 * DAY).await;
        ledger.charge("tag0").await.unwrap();
        time.advance(DAY).await;
        for number in 0..BUDGET {
            ledger.charge(&format!("new{number}")).await.unwrap();
        }
    }

    #[tokio::test]
    async fn what_the_api_did_not_count_is_given_back() {
        let time = start();
        let ledger = blank(&time);
        for number in 0..BUDGET {
            ledger.charge(&format!("tag{number}")).await.unwrap();
        }
        ledger.refund("tag0").await.unwrap();
        ledger.charge("another").await.unwrap();
    }

    #[tokio::test]
    async fn what_others_asked_for_counts_from_now() {
        let time = start();
        let ledger = blank(&time);
        assert!(ledger.is_blank().await.unwrap());
        let asked = (0..BUDGET).map(|n| (format!("tag{n}"), format!("178{n}")));
        ledger.adopt(asked.collect()).await.unwrap();
        assert!(!ledger.is_blank().await.unwrap());
        ledger.charge("tag3").await.unwrap();
        let error = ledger.charge("another").await.unwrap_err();
        assert_eq!(error.retry_after(), Some(7 * DAY));
        let id = ledger.hashtag_id("tag3").await.unwrap();
        assert_eq!(id.as_deref(), Some("1783"));
    }

    #[tokio::test]
    async fn usage_is_written_down_when_it_says_something_new() {
        let time = start();
        let ledger = blank(&time);
        let told = |percent| Standing {
            percent,
            told_at: Some(time.now()),
            blocked_until: None,
        };
        let first = told(40.0);
        ledger.keep_usage(first).await.unwrap();
        time.advance(Duration::from_secs(59)).await;
        ledger.keep_usage(told(40.0)).await.unwrap();
        assert_eq!(ledger.usage().await.unwrap(), first);
        let higher = told(41.0);
        ledger.keep_usage(higher).await.unwrap();
        assert_eq!(ledger.usage().await.unwrap(), higher);
        time.advance(Duration::from_secs(60)).await;
        let later = told(41.0);
        ledger.keep_usage(later).await.unwrap();
        assert_eq!(ledger.usage().await.unwrap(), later);
    }
}
