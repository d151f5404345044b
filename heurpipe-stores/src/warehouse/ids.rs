//! Where the ids of a segment lie.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Bound;

use serde::{Deserialize, Serialize};

/// Ranges, least and greatest id of each, outside of which a segment has no id.
///
/// Networks number posts as they come, so that the posts of a day have ids within a narrow range: but one for each network, and one more where some posts are known by
/// numbers of another kind only (`instagram:3141…`, `instagram:graph:1789…`, `weibo:4912…`). A single range would reach from the first Instagram post of a day to its
/// last on Weibo, which is nearly everything. So there is one for each platform and each way in which the network's own id begins, with a digit or otherwise.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct IdRanges(Vec<(String, String)>);

impl IdRanges {
    /// The ranges of these ids.
    pub(super) fn of(ids: &BTreeSet<String>) -> Self {
        let mut ranges: BTreeMap<(&str, bool), (&str, &str)> = BTreeMap::new();
        for id in ids {
            let (_, last) = ranges.entry(kind(id)).or_insert((id, id));
            *last = id;
        }
        let ranges = ranges.into_values();
        Self(
            ranges
                .map(|(first, last)| (first.to_owned(), last.to_owned()))
                .collect(),
        )
    }

    /// Whether nothing is said: any id may be there.
    pub fn is_unknown(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether one of these ids may be there.
    pub(super) fn may_hold(&self, ids: &BTreeSet<String>) -> bool {
        self.is_unknown() || self.0.iter().any(|range| any_within(ids, range))
    }
}

/// Whether one of these ids lies between the first and the last of a range.
pub(super) fn any_within(ids: &BTreeSet<String>, (first, last): &(String, String)) -> bool {
    let bounds = (
        Bound::Included(first.as_str()),
        Bound::Included(last.as_str()),
    );
    ids.range::<str, _>(bounds).next().is_some()
}

/// Its platform, and whether the network's own id begins with a digit.
fn kind(id: &str) -> (&str, bool) {
    let (platform, native) = id.split_once(':').unwrap_or((id, ""));
    (platform, native.starts_with(|c: char| c.is_ascii_digit()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ids(ids: &[&str]) -> BTreeSet<String> {
        ids.iter().map(|id| (*id).to_owned()).collect()
    }

    #[test]
    fn each_kind_of_id_has_its_own_range() {
        let day = IdRanges::of(&ids(&[
            "instagram:300",
            "instagram:309",
            "instagram:graph:17",
            "weibo:40",
            "weibo:44",
        ]));
        for among in [
            "instagram:300",
            "instagram:305",
            "instagram:graph:17",
            "weibo:44",
        ] {
            assert!(day.may_hold(&ids(&[among])), "{among}");
        }
        let others = ids(&[
            "instagram:299",
            "instagram:310",
            "instagram:graph:16",
            "instagram:graph:18",
            "weibo:39",
            "weibo:45",
            "weibo:graph:41",
        ]);
        assert!(!day.may_hold(&others));
    }

    #[test]
    fn where_nothing_is_said_anything_may_be() {
        assert!(IdRanges::default().may_hold(&ids(&["weibo:1"])));
        assert!(IdRanges::of(&ids(&[])).is_unknown());
    }
}
