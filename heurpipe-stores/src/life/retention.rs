//! For how long the search index keeps a post.

use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use heurpipe_core::filter::{Keyword, Predicate, TimeField};
use heurpipe_core::{Filter, PostId, Record, Result, SearchIndex, SearchRequest, Sort, text};
use jiff::{SignedDuration, Timestamp};

/// Posts looked at at a time.
const AT_A_TIME: usize = 500;

/// Removes posts from the search index that all use cases have done with.
///
/// A post stays as long as the longest retention of the use cases that it is relevant to, counted from its publication, or where that is not known from when it was last
/// collected. One that is relevant to a use case without a retention stays for ever, and so does one that is relevant to none. Documents and warehouse keep it all
/// the same.
pub struct Retention {
    search: Arc<dyn SearchIndex>,
    limits: BTreeMap<String, SignedDuration>,
}

impl Retention {
    /// By use case. Those that are not named keep posts for ever.
    pub fn of(search: Arc<dyn SearchIndex>, limits: BTreeMap<String, SignedDuration>) -> Self {
        Self { search, limits }
    }

    /// How many posts are past it; removes none.
    ///
    /// # Errors
    /// Those of the index.
    pub async fn survey(&self, now: Timestamp) -> Result<u64> {
        self.go_through(now, false).await
    }

    /// Removes them; how many there were. Doing it again, or after an interruption, does the rest.
    ///
    /// # Errors
    /// Those of the index.
    pub async fn run(&self, now: Timestamp) -> Result<u64> {
        self.go_through(now, true).await
    }

    async fn go_through(&self, now: Timestamp, remove: bool) -> Result<u64> {
        let Some(candidates) = self.candidates(now) else {
            return Ok(0);
        };
        let request = SearchRequest::new(candidates).sort(Sort::Oldest);
        let mut next = Some(request.limit(AT_A_TIME));
        let mut past = 0;
        while let Some(request) = next.take() {
            let page = self.search.search(&request).await?;
            let past_it = |record: &&Record| is_past(&self.limits, record, now);
            let ids = page.items.iter().filter(past_it);
            let ids: Vec<PostId> = ids.map(|record| record.id().clone()).collect();
            past += ids.len() as u64;
            if remove && !ids.is_empty() {
                self.search.remove(&ids).await?;
            }
            next = page.next.map(|cursor| request.cursor(Some(cursor)));
        }
        if remove && past > 0 {
            self.search.flush().await?;
        }
        Ok(past)
    }

    /// Posts of the use cases that have a retention, old enough for one of them. None where no use case has one.
    fn candidates(&self, now: Timestamp) -> Option<Filter> {
        let before = before(now, *self.limits.values().min()?);
        let exact = |use_case: &String| Keyword::Exact(text::keyword(use_case));
        let relevant = Filter::Test(Predicate::Keyword {
            field: "relevant_to".to_owned(),
            any_of: self.limits.keys().map(exact).collect(),
        });
        let older = |field| {
            Filter::Test(Predicate::Time {
                field,
                lower: Bound::Unbounded,
                upper: Bound::Excluded(before),
            })
        };
        let undated = Filter::Test(Predicate::Time {
            field: TimeField::Published,
            lower: Bound::Unbounded,
            upper: Bound::Unbounded,
        })
        .negated()
        .and(older(TimeField::Collected));
        let old = Filter::Or(vec![older(TimeField::Published), undated]);
        Some(relevant.and(old))
    }
}

/// Whether all use cases to which it is relevant have done with a post.
pub(super) fn is_past(
    limits: &BTreeMap<String, SignedDuration>,
    record: &Record,
    now: Timestamp,
) -> bool {
    let mut longest = None;
    for use_case in record.relevant_to() {
        match limits.get(use_case) {
            Some(limit) => longest = longest.max(Some(*limit)),
            None => return false,
        }
    }
    let since = record.post.published_at.unwrap_or(record.post.collected_at);
    longest.is_some_and(|longest| since < before(now, longest))
}

/// The time before which something is older than this.
fn before(now: Timestamp, age: SignedDuration) -> Timestamp {
    now.checked_sub(age).unwrap_or(Timestamp::MIN)
}
