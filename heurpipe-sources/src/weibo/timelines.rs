//! The calls that give pages of posts, a partition each.

use heurpipe_core::{Crs, Partition, Result};
use jiff::Timestamp;

use super::client::WeiboClient;
use super::endpoints::{self, Endpoint};
use super::nearby::Nearby;
use super::paging::{Paging, Position, WindowNames};
use super::wire::Envelope;
use crate::pass::Order;

/// The most posts that calls give in one page.
const LISTED: u32 = 100;
const FOUND: u32 = 50;
const COMMERCIAL: u32 = 25;

/// A partition, told from its name.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Stream {
    /// The newest posts of all.
    Public,
    /// Posts of those whom the authorising user follows.
    Home,
    /// Posts of the authorising user.
    Own,
    /// Posts of up to 20 users.
    Users { uids: String },
    /// Posts of one user, by the commercial permission.
    CommercialUser { uid: String },
    /// Posts on a topic.
    Search { topic: String },
    /// Posts around a point.
    Nearby(Nearby),
}

impl Stream {
    /// The stream of a partition; none: this source has no such partition.
    pub(super) fn of(partition: &Partition) -> Option<Self> {
        let (kind, what) = partition.0.split_once('/').unwrap_or((&partition.0, ""));
        let named = || what.to_owned();
        Some(match (kind, what.is_empty()) {
            ("public", true) => Self::Public,
            ("home", true) => Self::Home,
            ("user", true) => Self::Own,
            ("users", false) => Self::Users { uids: named() },
            ("user", false) => Self::CommercialUser { uid: named() },
            ("search", false) => Self::Search { topic: named() },
            ("nearby", false) => Self::Nearby(what.parse().ok()?),
            _ => return None,
        })
    }

    pub(super) fn partition(&self) -> Partition {
        Partition(match self {
            Self::Public => "public".to_owned(),
            Self::Home => "home".to_owned(),
            Self::Own => "user".to_owned(),
            Self::Users { uids } => format!("users/{uids}"),
            Self::CommercialUser { uid } => format!("user/{uid}"),
            Self::Search { topic } => format!("search/{topic}"),
            Self::Nearby(nearby) => format!("nearby/{nearby}"),
        })
    }

    pub(super) fn order(&self) -> Order {
        match self {
            Self::Search { .. } => Order::Other,
            _ => Order::NewestFirst,
        }
    }

    pub(super) fn paging(&self) -> Paging {
        match self {
            Self::Home | Self::Own => Paging::MaxId,
            Self::Public | Self::Users { .. } | Self::Search { .. } => Paging::Number,
            Self::CommercialUser { .. } => Paging::Window(WindowNames {
                start: "start_time",
                end: "end_time",
            }),
            Self::Nearby(_) => Paging::Window(WindowNames {
                start: "starttime",
                end: "endtime",
            }),
        }
    }

    /// How many posts to ask for in one page, when so many are wanted.
    pub(super) fn page_size(&self, wanted: u32) -> u32 {
        wanted.min(match self {
            Self::Public | Self::Home | Self::Own | Self::Users { .. } => LISTED,
            Self::Search { .. } | Self::Nearby(_) => FOUND,
            Self::CommercialUser { .. } => COMMERCIAL,
        })
    }

    /// The reference system of the coordinates in its answers, where that is known.
    pub(super) fn crs(&self, client: &WeiboClient) -> Option<Crs> {
        match self {
            Self::Nearby(_) => client.reading.nearby_crs,
            _ => None,
        }
    }

    /// The page at a position. Where the call can be told, nothing older than `since` is asked for.
    ///
    /// # Errors
    /// See [`WeiboClient::call`].
    pub(super) async fn page(
        &self,
        client: &WeiboClient,
        position: Position,
        since: Option<Timestamp>,
    ) -> Result<Envelope> {
        let mut parameters = self.subject(client.reading.nearby_crs);
        let count = self.page_size(client.reading.page_size);
        parameters.push(("count", count.to_string()));
        parameters.extend(self.paging().parameters(position, since));
        client.call(self.endpoint(), &parameters).await
    }

    fn endpoint(&self) -> &'static Endpoint {
        match self {
            Self::Public => &endpoints::PUBLIC_TIMELINE,
            Self::Home => &endpoints::HOME_TIMELINE,
            Self::Own => &endpoints::USER_TIMELINE,
            Self::Users { .. } => &endpoints::TIMELINE_BATCH,
            Self::CommercialUser { .. } => &endpoints::COMMERCIAL_USER_TIMELINE,
            Self::Search { .. } => &endpoints::SEARCH_TOPICS,
            Self::Nearby(_) => &endpoints::NEARBY_TIMELINE,
        }
    }

    fn subject(&self, nearby_crs: Option<Crs>) -> Vec<(&'static str, String)> {
        match self {
            Self::Public | Self::Home | Self::Own => Vec::new(),
            Self::Users { uids } => vec![("uids", uids.clone())],
            Self::CommercialUser { uid } => vec![("uid", uid.clone())],
            Self::Search { topic } => vec![("q", topic.clone())],
            Self::Nearby(nearby) => nearby.parameters(nearby_crs),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_and_partitions_name_one_another() {
        for name in [
            "public",
            "home",
            "user",
            "users/101,102",
            "user/101",
            "search/春夏/穿搭",
            "nearby/31.2304,121.4737,2000",
        ] {
            let partition = Partition(name.to_owned());
            let stream = Stream::of(&partition);
            assert_eq!(stream.map(|stream| stream.partition()), Some(partition));
        }
    }

    #[test]
    fn other_names_are_no_partitions() {
        for name in ["", "users/", "search", "home/x", "nearby/31,121", "friends"] {
            assert_eq!(Stream::of(&Partition(name.to_owned())), None, "{name}");
        }
    }
}
