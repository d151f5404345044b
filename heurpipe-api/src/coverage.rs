//! What an answer speaks of.

use futures::future;
use heurpipe_core::{Filter, Result, SearchIndex, SearchRequest, Sort};
use jiff::Timestamp;
use serde::Serialize;
use utoipa::ToSchema;

/// The posts that an answer was taken from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Coverage {
    /// The earliest time of publication spoken of; absent where nothing is stored.
    pub(crate) from: Option<Timestamp>,
    /// The latest time of publication spoken of.
    pub(crate) to: Option<Timestamp>,
    /// The tiers that were asked.
    pub(crate) tiers: Vec<Tier>,
}

/// Where posts lie.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Tier {
    /// The search index.
    Hot,
}

impl Coverage {
    /// All that the search index holds, between two times.
    pub(crate) async fn of(
        search: &dyn SearchIndex,
        from: Option<Timestamp>,
        to: Option<Timestamp>,
    ) -> Result<Self> {
        let (oldest, newest) =
            future::try_join(extreme(search, Sort::Oldest), extreme(search, Sort::Newest)).await?;
        Ok(Self {
            from: oldest.max(from.filter(|_| oldest.is_some())),
            to: match (newest, to) {
                (Some(newest), Some(to)) => Some(newest.min(to)),
                (newest, _) => newest,
            },
            tiers: vec![Tier::Hot],
        })
    }
}

async fn extreme(search: &dyn SearchIndex, sort: Sort) -> Result<Option<Timestamp>> {
    let request = SearchRequest::new(Filter::All).sort(sort).limit(1);
    let page = search.search(&request).await?;
    Ok(page.items.first().and_then(|r| r.post.published_at))
}
