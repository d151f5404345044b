//! The streams that the API can be asked for, under the names of their partitions.

use heurpipe_core::{Partition, Result, Unreadable};
use serde_json::value::RawValue;

use super::client::GraphClient;
use super::hashtags::{self, Edge};
use super::map::AccountSeen;
use super::wire::MediaPage;
use super::{discovery, mentions, own, tagged};
use crate::pass::Order;

/// The names of the partitions that stand alone.
pub(super) const OWN: &str = "own";
pub(super) const TAGGED: &str = "tagged";
pub(super) const MENTIONS: &str = "mentions";

/// What one call brought.
#[derive(Debug)]
pub(super) struct Fetched {
    /// The posts as they came, or why one did not.
    pub items: Vec<Result<Box<RawValue>, Unreadable>>,
    pub after: Option<String>,
    pub is_last: bool,
    /// Whose posts they are, where the call says so.
    pub account: Option<AccountSeen>,
}

impl Fetched {
    /// A page of an edge that gives the address of the next page for as long as there is one, also after empty pages.
    pub(super) fn by_next_page(page: MediaPage) -> Self {
        let is_last = !page.has_next();
        Self::of_page(page, is_last)
    }

    /// A page of an edge that gives cursors alone: the last one has none, or nothing to show.
    pub(super) fn by_cursor_alone(page: MediaPage) -> Self {
        let is_last = page.after().is_none() || page.data.is_empty();
        Self::of_page(page, is_last)
    }

    /// The page of a stream in which there is nothing.
    pub(super) fn nothing() -> Self {
        Self {
            items: Vec::new(),
            after: None,
            is_last: true,
            account: None,
        }
    }

    fn of_page(page: MediaPage, is_last: bool) -> Self {
        Self {
            after: page.after().map(str::to_owned),
            is_last,
            items: page.data.into_iter().map(Ok).collect(),
            account: None,
        }
    }

    pub(super) fn of(mut self, account: AccountSeen) -> Self {
        self.account = Some(account);
        self
    }
}

/// A partition, told from its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stream {
    Hashtag { tag: String, edge: Edge },
    Account { handle: String },
    Own,
    Tagged,
    Mentions,
}

impl Stream {
    pub(super) fn of(partition: &Partition) -> Option<Self> {
        let parts: Vec<&str> = partition.0.split('/').collect();
        Some(match parts[..] {
            [OWN] => Self::Own,
            [TAGGED] => Self::Tagged,
            [MENTIONS] => Self::Mentions,
            ["account", handle] => Self::Account {
                handle: handle.to_owned(),
            },
            ["hashtag", tag, edge] => Self::Hashtag {
                tag: tag.to_owned(),
                edge: match edge {
                    "top" => Edge::Top,
                    "recent" => Edge::Recent,
                    _ => return None,
                },
            },
            _ => return None,
        })
    }

    pub(super) fn order(&self) -> Order {
        match self {
            Self::Account { .. } | Self::Own => Order::NewestFirst,
            Self::Hashtag { .. } | Self::Tagged | Self::Mentions => Order::Other,
        }
    }

    /// The kind of call, under which payloads are kept.
    pub(super) fn call(&self) -> &'static str {
        match self {
            Self::Account { .. } => "graph.business_discovery",
            Self::Hashtag { .. } => "graph.hashtag",
            Self::Own => "graph.own",
            Self::Tagged => "graph.tags",
            Self::Mentions => "graph.mentioned_media",
        }
    }

    /// Whether a cursor names a place. Recent posts of a hashtag come with one cursor that stays the same from page to page and
    /// still moves on: who comes back with it does not know where he is, so that stream is always begun anew.
    pub(super) fn can_resume(&self) -> bool {
        !matches!(
            self,
            Self::Hashtag {
                edge: Edge::Recent,
                ..
            }
        )
    }

    /// One page, from a cursor on.
    pub(super) async fn page(&self, client: &GraphClient, after: Option<&str>) -> Result<Fetched> {
        match self {
            Self::Hashtag { tag, edge } => hashtags::page(client, tag, *edge, after).await,
            Self::Account { handle } => discovery::page(client, handle, after).await,
            Self::Own => own::page(client, after).await,
            Self::Tagged => tagged::page(client, after).await,
            Self::Mentions => mentions::page(client, after).await,
        }
    }
}
