//! Getting from one page to the next.

use std::fmt;

use jiff::Timestamp;

use super::wire::{Envelope, Status};
use crate::pass::Bounds;

/// How pages of a call follow one another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Paging {
    /// By number. New posts push others to later pages: some are read twice, none is missed.
    Number,
    /// From an id downwards.
    MaxId,
    /// By number within a span of time that ends where the pass began: new posts push nothing.
    Window(WindowNames),
}

/// What the ends of a span of time are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WindowNames {
    pub start: &'static str,
    pub end: &'static str,
}

/// Where a page is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Position {
    /// The page of this number, from one.
    Number(u64),
    /// Posts with this id and smaller ones; none: the newest.
    MaxId(Option<i64>),
    /// The page of this number among the posts up to a time.
    Window { end: Timestamp, number: u64 },
}

impl Paging {
    /// The bounds of a pass over pages of this kind. Where each page leads further down, none that is empty ends the pass: on a home timeline,
    /// whole pages of posts may be hidden.
    pub(super) fn bounds(self, bounds: Bounds) -> Bounds {
        match self {
            Self::MaxId => Bounds {
                barren_pages: usize::MAX,
                ..bounds
            },
            Self::Number | Self::Window(_) => bounds,
        }
    }

    /// The position that a cursor names; without one, or with one of another kind, the first.
    pub(super) fn position(self, cursor: Option<&str>, now: Timestamp) -> Position {
        match self {
            Self::Number => Position::Number(cursor.and_then(number).unwrap_or(1)),
            Self::MaxId => Position::MaxId(cursor.and_then(|cursor| cursor.parse().ok())),
            Self::Window(_) => cursor.and_then(window).unwrap_or(Position::Window {
                end: now,
                number: 1,
            }),
        }
    }

    /// What asks for the page at a position. Of a span of time, `since` is the other end.
    pub(super) fn parameters(
        self,
        position: Position,
        since: Option<Timestamp>,
    ) -> Vec<(&'static str, String)> {
        match (self, position) {
            (Self::Window(names), Position::Window { end, number }) => {
                let seconds = |at: Timestamp| at.as_second().to_string();
                let start = since.map(|since| (names.start, seconds(since)));
                let rest = [(names.end, seconds(end)), ("page", number.to_string())];
                start.into_iter().chain(rest).collect()
            }
            (_, Position::MaxId(id)) => id
                .map(|id| ("max_id", id.to_string()))
                .into_iter()
                .collect(),
            (_, Position::Number(number) | Position::Window { number, .. }) => {
                vec![("page", number.to_string())]
            }
        }
    }
}

impl Position {
    /// The position after the page here; none: that was the last. `brought_new` says whether it had a post not seen before.
    pub(super) fn next(self, page: &Envelope, page_size: u32, brought_new: bool) -> Option<Self> {
        match self {
            Self::Number(number) => {
                next_number(number, page, page_size, brought_new).map(Self::Number)
            }
            Self::Window { end, number } => next_number(number, page, page_size, brought_new)
                .map(|number| Self::Window { end, number }),
            Self::MaxId(id) => below(id, page, brought_new).map(|id| Self::MaxId(Some(id))),
        }
    }
}

/// A page may be short or empty in the midst, since hidden posts are taken out after counting: what was announced goes by the count. Neither
/// the count nor the cursor is to be relied on alone; where both say that this page is the last, a call for an empty one is saved.
fn next_number(number: u64, page: &Envelope, page_size: u32, brought_new: bool) -> Option<u64> {
    let announced = page.total_number.unwrap_or(0);
    let counted = |pages: u64| pages.saturating_mul(u64::from(page_size));
    let more = announced > counted(number);
    let ends_here =
        !more && announced > counted(number.saturating_sub(1)) && page.next_cursor == Some(0);
    (more || brought_new && !ends_here).then(|| number.saturating_add(1))
}

/// Where the posts below a page begin. `max_id` includes the post that it names, and pages are not sorted. It must lead further down: else a
/// page that is served again and again would be read for ever.
fn below(from: Option<i64>, page: &Envelope, brought_new: bool) -> Option<i64> {
    let is_end = page.next_cursor == Some(0);
    let is_repeated = !brought_new && !page.statuses.is_empty();
    if is_end || is_repeated {
        return None;
    }
    let given = [page.max_id, below_smallest(page), page.next_cursor];
    given
        .into_iter()
        .flatten()
        .find(|id| *id > 0 && from.is_none_or(|from| *id < from))
}

fn below_smallest(page: &Envelope) -> Option<i64> {
    page.statuses
        .iter()
        .filter_map(|item| serde_json::from_str::<Status>(item.get()).ok())
        .filter_map(|status| status.number()?.parse::<i64>().ok())
        .min()
        .map(|smallest| smallest - 1)
}

fn number(cursor: &str) -> Option<u64> {
    cursor.parse().ok().filter(|number| *number > 0)
}

fn window(cursor: &str) -> Option<Position> {
    let (end, page) = cursor.split_once('/')?;
    Some(Position::Window {
        end: Timestamp::from_second(end.parse().ok()?).ok()?,
        number: number(page)?,
    })
}

/// As a cursor, which [`Paging::position`] reads.
impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Number(number) => write!(f, "{number}"),
            Self::MaxId(id) => write!(f, "{}", id.unwrap_or_default()),
            Self::Window { end, number } => write!(f, "{}/{number}", end.as_second()),
        }
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const NAMES: WindowNames = WindowNames {
        start: "start_time",
        end: "end_time",
    };
    const NOW: Timestamp = Timestamp::constant(1_700_000_000, 0);

    fn page(json: &str) -> Envelope {
        serde_json::from_str(json).unwrap()
    }

    #[test]
    fn cursors_name_their_position() {
        for (paging, cursor) in [
            (Paging::Number, "3"),
            (Paging::MaxId, "4383183661430868"),
            (Paging::Window(NAMES), "1690000000/2"),
        ] {
            let position = paging.position(Some(cursor), NOW);
            assert_eq!(position.to_string(), cursor);
            assert_ne!(position, paging.position(None, NOW));
            let foreign = paging.position(Some("of another kind"), NOW);
            assert_eq!(foreign, paging.position(None, NOW));
        }
    }

    #[test]
    fn a_window_keeps_its_end_and_begins_where_told() {
        let paging = Paging::Window(NAMES);
        let since = Timestamp::from_second(1_600_000_000).unwrap();
        let first = paging.position(None, NOW);
        let told = |name, value: &str| (name, value.to_owned());
        assert_eq!(
            paging.parameters(first, Some(since)),
            [
                told("start_time", "1600000000"),
                told("end_time", "1700000000"),
                told("page", "1")
            ]
        );
        let next = first
            .next(&page(r#"{"statuses":[{"id":1}]}"#), 25, true)
            .unwrap();
        assert_eq!(
            paging.parameters(next, None),
            [told("end_time", "1700000000"), told("page", "2")]
        );
    }

    #[test]
    fn numbered_pages_go_on_while_posts_are_announced_or_new() {
        for (json, brought_new, next) in [
            (r#"{"statuses":[]}"#, false, None),
            (r#"{"statuses":[],"total_number":41}"#, false, Some(3)),
            (r#"{"statuses":[],"total_number":40}"#, false, None),
            (r#"{"statuses":[{"id":1}],"total_number":1}"#, true, Some(3)),
            (
                r#"{"statuses":[{"id":1}],"total_number":40}"#,
                true,
                Some(3),
            ),
            (
                r#"{"statuses":[{"id":1}],"total_number":1,"next_cursor":0}"#,
                true,
                Some(3),
            ),
            (
                r#"{"statuses":[{"id":1}],"total_number":40,"next_cursor":0}"#,
                true,
                None,
            ),
        ] {
            let after = Position::Number(2).next(&page(json), 20, brought_new);
            assert_eq!(after, next.map(Position::Number), "{json}");
        }
    }

    #[test]
    fn posts_go_on_below_the_smallest() {
        for (json, brought_new, next) in [
            // The ids of a page are in no order, and the cursor lies below all of them.
            (
                r#"{"statuses":[{"id":70},{"id":90},{"id":80}],"next_cursor":60,"max_id":60}"#,
                true,
                Some(60),
            ),
            (
                r#"{"statuses":[{"id":80},{"id":70},{"id":90}]}"#,
                true,
                Some(69),
            ),
            (
                r#"{"statuses":[{"id":80},{"id":70}],"next_cursor":60,"max_id":0}"#,
                true,
                Some(69),
            ),
            (
                r#"{"statuses":[{"id":80}],"next_cursor":"60","max_id":"60"}"#,
                true,
                Some(60),
            ),
            // All posts of a page may be hidden.
            (
                r#"{"statuses":[],"next_cursor":60,"max_id":60}"#,
                false,
                Some(60),
            ),
            (
                r#"{"statuses":null,"next_cursor":60,"max_id":0}"#,
                false,
                Some(60),
            ),
            // The end, in its spellings.
            (
                r#"{"statuses":[{"id":80}],"next_cursor":0,"max_id":0}"#,
                true,
                None,
            ),
            (r#"{"statuses":[]}"#, false, None),
            // Round in circles.
            (
                r#"{"statuses":[{"id":70}],"next_cursor":60,"max_id":60}"#,
                false,
                None,
            ),
            (
                r#"{"statuses":[],"next_cursor":100,"max_id":100}"#,
                false,
                None,
            ),
            (
                r#"{"statuses":[{"id":80}],"next_cursor":100,"max_id":100}"#,
                true,
                Some(79),
            ),
        ] {
            let after = Position::MaxId(Some(100)).next(&page(json), 20, brought_new);
            assert_eq!(after, next.map(|id| Position::MaxId(Some(id))), "{json}");
        }
    }

    #[test]
    fn an_answer_without_posts_is_no_page() {
        for json in [r#"{"total_number":3}"#, r#"[{"id":1}]"#, "null", "3"] {
            assert!(serde_json::from_str::<Envelope>(json).is_err(), "{json}");
        }
        assert!(page("[]").statuses.is_empty());
    }
}
