//! The calls that give pages of posts, and how to get from one page to the next.

use heurpipe_core::{Partition, Result};

use super::client::WeiboClient;
use super::wire::{Envelope, Status};
use crate::pass::Order;

/// The API gives no more found posts in one page.
const SEARCH_PAGE: u32 = 50;

/// A partition, told from its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stream {
    /// Posts of up to 20 users.
    Users { uids: String },
    /// Posts on a topic.
    Search { topic: String },
    /// Posts of those whom the authorising user follows.
    Home,
}

/// How a page is asked for and how the next one is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Paging {
    /// By number. New posts push others to later pages: some are read twice, none is missed.
    Number,
    /// From an id downwards.
    MaxId,
}

impl Stream {
    pub(super) fn of(partition: &Partition) -> Option<Self> {
        match partition.0.split_once('/') {
            None if partition.0 == "home" => Some(Self::Home),
            Some(("users", uids)) if !uids.is_empty() => Some(Self::Users {
                uids: uids.to_owned(),
            }),
            Some(("search", topic)) if !topic.is_empty() => Some(Self::Search {
                topic: topic.to_owned(),
            }),
            _ => None,
        }
    }

    pub(super) fn order(&self) -> Order {
        match self {
            Self::Users { .. } | Self::Home => Order::NewestFirst,
            Self::Search { .. } => Order::Other,
        }
    }

    /// The page at a cursor; none: the first.
    pub(super) async fn page(
        &self,
        client: &WeiboClient,
        cursor: Option<&str>,
    ) -> Result<Envelope> {
        let mut parameters = match self {
            Self::Users { uids } => vec![("uids", uids.clone())],
            Self::Search { topic } => vec![("q", topic.clone())],
            Self::Home => Vec::new(),
        };
        parameters.push(("count", self.page_size(client).to_string()));
        let cursor_name = match self.paging() {
            Paging::Number => "page",
            Paging::MaxId => "max_id",
        };
        parameters.extend(cursor.map(|cursor| (cursor_name, cursor.to_owned())));
        let (operation, path) = match self {
            Self::Users { .. } => ("weibo.timeline_batch", "statuses/timeline_batch.json"),
            Self::Search { .. } => ("weibo.search_topics", "search/topics.json"),
            Self::Home => ("weibo.home_timeline", "statuses/home_timeline.json"),
        };
        client.call(operation, path, &parameters).await
    }

    /// The cursor of the page after this one; none: this was the last. `brought_new` says whether it had a post not seen before.
    pub(super) fn next(
        &self,
        client: &WeiboClient,
        cursor: Option<&str>,
        page: &Envelope,
        brought_new: bool,
    ) -> Option<String> {
        match self.paging() {
            Paging::Number => {
                let number: u64 = cursor.and_then(|c| c.parse().ok()).unwrap_or(1);
                // A page may be empty in the midst, since hidden posts are taken out after counting.
                let announced = page.total_number.unwrap_or(0);
                let more = announced > number * u64::from(self.page_size(client));
                (brought_new || more).then(|| (number + 1).to_string())
            }
            Paging::MaxId => {
                if !brought_new || page.next_cursor == Some(0) {
                    return None;
                }
                let given = page.max_id.filter(|id| *id > 0);
                given.or_else(|| below(page)).map(|id| id.to_string())
            }
        }
    }

    fn paging(&self) -> Paging {
        match self {
            Self::Users { .. } | Self::Search { .. } => Paging::Number,
            Self::Home => Paging::MaxId,
        }
    }

    fn page_size(&self, client: &WeiboClient) -> u32 {
        match self {
            Self::Search { .. } => client.page_size.min(SEARCH_PAGE),
            Self::Users { .. } | Self::Home => client.page_size,
        }
    }
}

/// One below the smallest id of a page: `max_id` includes the post that it names, and pages are not sorted.
fn below(page: &Envelope) -> Option<i64> {
    page.statuses
        .iter()
        .filter_map(|item| serde_json::from_str::<Status>(item.get()).ok())
        .filter_map(|status| status.number()?.parse::<i64>().ok())
        .min()
        .map(|smallest| smallest - 1)
}
