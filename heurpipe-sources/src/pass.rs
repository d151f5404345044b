//! One pass over a partition of an API: what was seen, when it is over, and where to go on.

use std::collections::HashSet;

use heurpipe_core::{Checkpoint, Cursor};
use jiff::{SignedDuration, Timestamp};
use serde::{Deserialize, Serialize};

/// Time and native id of the newest post of a pass.
pub(crate) type Mark = (Timestamp, String);

/// When a pass ends although the API would go on.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    /// In a stream that begins with the newest: how far below the watermark to read again, since posts are edited or made visible late.
    pub overlap: SignedDuration,
    /// Pages without a post that the pass has not seen yet, one after the other, after which it is over.
    pub barren_pages: usize,
    /// Pages that one pass may read; the next pass goes on there.
    pub pages: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Self {
            overlap: SignedDuration::from_hours(48),
            barren_pages: 5,
            pages: 1000,
        }
    }
}

/// The order in which a stream gives its posts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    /// The newest first, but for a few pinned ones: a page of old posts only means that all that follow are old.
    NewestFirst,
    /// By popularity or not at all.
    Other,
}

/// The place within a pass, as a checkpoint's cursor keeps it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Place {
    at: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    newest: Option<Mark>,
}

/// What one post of a page says of the pass.
#[derive(Debug, Clone)]
pub(crate) struct Sighting<'a> {
    pub id: &'a str,
    pub published_at: Option<Timestamp>,
}

/// The state of a pass.
#[derive(Debug)]
pub(crate) struct Pass {
    bounds: Bounds,
    order: Order,
    watermark: Option<Mark>,
    newest: Option<Mark>,
    seen: HashSet<String>,
    barren: usize,
    pages: usize,
    page_is_old: bool,
}

impl Pass {
    /// Takes up a pass at a checkpoint. Gives the pass and the API's own cursor to go on at; none: at the beginning.
    pub(crate) fn at(from: &Checkpoint, order: Order, bounds: Bounds) -> (Self, Option<String>) {
        let place = from
            .resume
            .as_ref()
            .and_then(|cursor| serde_json::from_str::<Place>(&cursor.0).ok());
        let (cursor, newest) = match place {
            Some(place) => (Some(place.at), place.newest),
            None => (None, None),
        };
        let pass = Self {
            bounds,
            order,
            watermark: from.watermark.clone(),
            newest,
            seen: HashSet::new(),
            barren: 0,
            pages: 0,
            page_is_old: false,
        };
        (pass, cursor)
    }

    /// Begins again: the cursor has died.
    #[cfg(feature = "instagram")]
    pub(crate) fn restart(&mut self) {
        self.seen.clear();
        self.barren = 0;
        self.page_is_old = false;
    }

    /// Notes a page's posts. Gives for each whether this pass sees it for the first time.
    pub(crate) fn note(&mut self, page: &[Sighting<'_>]) -> Vec<bool> {
        self.pages += 1;
        let horizon = self.horizon();
        let is_old = |post: &Sighting<'_>| match (horizon, post.published_at) {
            (Some(horizon), Some(at)) => at < horizon,
            _ => false,
        };
        self.page_is_old = !page.is_empty() && page.iter().all(is_old);
        let mut fresh = Vec::with_capacity(page.len());
        for post in page {
            fresh.push(self.seen.insert(post.id.to_owned()));
            if let Some(at) = post.published_at {
                self.newest = newer(self.newest.take(), Some((at, post.id.to_owned())));
            }
        }
        if fresh.contains(&true) {
            self.barren = 0;
        } else {
            self.barren += 1;
        }
        fresh
    }

    /// Below this time everything is known already.
    fn horizon(&self) -> Option<Timestamp> {
        if self.order != Order::NewestFirst {
            return None;
        }
        let (at, _) = self.watermark.as_ref()?;
        at.checked_sub(self.bounds.overlap).ok()
    }

    /// Whether reading on brings nothing new: the stream has come down to what earlier passes know, or goes round in circles.
    pub(crate) fn is_over(&self) -> bool {
        self.page_is_old || self.barren >= self.bounds.barren_pages
    }

    /// Whether this pass has read all the pages it may.
    pub(crate) fn is_capped(&self) -> bool {
        self.pages >= self.bounds.pages
    }

    /// The checkpoint within the pass, at the API's own cursor.
    pub(crate) fn checkpoint(&self, cursor: &str) -> Checkpoint {
        let place = Place {
            at: cursor.to_owned(),
            newest: self.newest.clone(),
        };
        let resume = serde_json::to_string(&place).ok().map(Cursor);
        Checkpoint {
            resume,
            watermark: self.watermark.clone(),
        }
    }

    /// The checkpoint of a place that no cursor names: what follows it is reached from the beginning.
    #[cfg(feature = "instagram")]
    pub(crate) fn beginning(&self) -> Checkpoint {
        Checkpoint {
            resume: None,
            watermark: self.watermark.clone(),
        }
    }

    /// The checkpoint after the end of the pass.
    pub(crate) fn completed(&self) -> Checkpoint {
        Checkpoint {
            resume: None,
            watermark: newer(self.watermark.clone(), self.newest.clone()),
        }
    }
}

fn newer(one: Option<Mark>, other: Option<Mark>) -> Option<Mark> {
    one.max(other)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn time(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    fn sighting<'a>(id: &'a str, at: &str) -> Sighting<'a> {
        Sighting {
            id,
            published_at: Some(time(at)),
        }
    }

    fn watermark(at: &str) -> Checkpoint {
        Checkpoint::default().with_watermark(Some((time(at), "old".to_owned())))
    }

    #[test]
    fn reading_stops_below_the_watermark_and_its_overlap() {
        let from = watermark("2026-05-10T00:00:00Z");
        let (mut pass, _) = Pass::at(&from, Order::NewestFirst, Bounds::default());
        pass.note(&[
            sighting("a", "2026-05-11T00:00:00Z"),
            sighting("b", "2026-05-09T00:00:00Z"),
        ]);
        assert!(!pass.is_over(), "the overlap is read again");
        pass.note(&[
            sighting("c", "2026-05-08T00:00:00Z"),
            sighting("d", "2026-05-07T23:59:59Z"),
        ]);
        assert!(!pass.is_over(), "one post is still within the overlap");
        pass.note(&[sighting("e", "2026-05-07T00:00:00Z")]);
        assert!(pass.is_over());
        let (at, id) = pass.completed().watermark.unwrap();
        assert_eq!((at, id.as_str()), (time("2026-05-11T00:00:00Z"), "a"));
    }

    #[test]
    fn a_stream_without_order_is_read_to_its_end() {
        let from = watermark("2026-05-10T00:00:00Z");
        let (mut pass, _) = Pass::at(&from, Order::Other, Bounds::default());
        pass.note(&[sighting("e", "2020-01-01T00:00:00Z")]);
        assert!(!pass.is_over());
        assert_eq!(pass.completed().watermark, from.watermark);
    }

    #[test]
    fn a_resumed_pass_remembers_its_newest_post() {
        let (mut pass, cursor) = Pass::at(
            &Checkpoint::default(),
            Order::NewestFirst,
            Bounds::default(),
        );
        assert_eq!(cursor, None);
        pass.note(&[sighting("a", "2026-05-11T00:00:00Z")]);
        let within = pass.checkpoint("QVFI");
        assert_eq!(
            within.watermark, None,
            "an unfinished pass moves no watermark"
        );
        let (mut pass, cursor) = Pass::at(&within, Order::NewestFirst, Bounds::default());
        assert_eq!(cursor.as_deref(), Some("QVFI"));
        pass.note(&[sighting("b", "2026-05-01T00:00:00Z")]);
        assert_eq!(
            pass.completed().watermark,
            Some((time("2026-05-11T00:00:00Z"), "a".to_owned()))
        );
    }

    #[test]
    fn pages_without_anything_new_end_a_pass() {
        let (mut pass, _) = Pass::at(&Checkpoint::default(), Order::Other, Bounds::default());
        let page = [sighting("a", "2026-05-11T00:00:00Z")];
        assert_eq!(pass.note(&page), [true]);
        for _ in 0..Bounds::default().barren_pages {
            assert!(!pass.is_over());
            assert_eq!(pass.note(&page), [false]);
        }
        assert!(pass.is_over());
    }

    #[test]
    fn a_cursor_of_another_kind_begins_anew() {
        let (_, cursor) = Pass::at(&Checkpoint::at("not ours"), Order::Other, Bounds::default());
        assert_eq!(cursor, None);
    }
}
