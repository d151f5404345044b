//! The calls of the Open API that are made.

/// One call: what it is named in errors, where it is, and on which host.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub operation: &'static str,
    /// Below the version, without `.json`. Limits of single calls go by it.
    pub path: &'static str,
    pub host: HostName,
}

/// The two hosts of the API. Each has allowances of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum HostName {
    Open,
    Commercial,
}

impl Endpoint {
    const fn open(operation: &'static str, path: &'static str) -> Self {
        Self {
            operation,
            path,
            host: HostName::Open,
        }
    }
}

pub(super) static PUBLIC_TIMELINE: Endpoint =
    Endpoint::open("weibo.public_timeline", "statuses/public_timeline");
pub(super) static HOME_TIMELINE: Endpoint =
    Endpoint::open("weibo.home_timeline", "statuses/home_timeline");
pub(super) static USER_TIMELINE: Endpoint =
    Endpoint::open("weibo.user_timeline", "statuses/user_timeline");
pub(super) static TIMELINE_BATCH: Endpoint =
    Endpoint::open("weibo.timeline_batch", "statuses/timeline_batch");
pub(super) static SEARCH_TOPICS: Endpoint = Endpoint::open("weibo.search_topics", "search/topics");
pub(super) static NEARBY_TIMELINE: Endpoint =
    Endpoint::open("weibo.nearby_timeline", "place/nearby_timeline");
pub(super) static SHOW: Endpoint = Endpoint::open("weibo.show", "statuses/show");
pub(super) static RATE_LIMIT_STATUS: Endpoint =
    Endpoint::open("weibo.rate_limit_status", "account/rate_limit_status");
pub(super) static COMMERCIAL_USER_TIMELINE: Endpoint = Endpoint {
    operation: "weibo.commercial_user_timeline",
    path: "statuses/user_timeline/other",
    host: HostName::Commercial,
};
