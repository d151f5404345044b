//! What the API grants and withholds.

use std::collections::BTreeMap;

/// What Weibo's API grants and withholds. The token is that of the world's first Weibo user.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct WeiboOptions {
    /// Whether the app has the advanced permission: for several users in one call, and for topics.
    pub advanced: bool,
    /// Whether it has the commercial permission: for users by uid.
    pub commercial: bool,
    /// Share of posts that lists leave out after counting them, as those of people who have not authorised the app: pages come short, and some
    /// empty.
    pub hidden: f64,
    /// Calls in each hour of the clock from one address.
    pub address_calls_per_hour: usize,
    /// Further limits of single calls in each hour of the clock, by path (`search/topics`).
    pub calls_per_hour_of: BTreeMap<String, usize>,
}

impl Default for WeiboOptions {
    /// Everything is granted and nothing hidden; the address has an allowance that no test uses up.
    fn default() -> Self {
        Self {
            advanced: true,
            commercial: true,
            hidden: 0.0,
            address_calls_per_hour: 1_000_000,
            calls_per_hour_of: BTreeMap::new(),
        }
    }
}
