//! A post in a grid.

use heurpipe_core::{MediaKind, Post, Record};

use super::{colour, conditions, links, text};

/// How many attributes a card shows.
const MOST_TAGS: usize = 6;

/// A post in a grid.
pub(super) struct Card {
    pub(super) href: String,
    pub(super) picture: Option<String>,
    pub(super) alt: String,
    pub(super) more_pictures: usize,
    pub(super) caption: String,
    pub(super) author: String,
    pub(super) platform: String,
    pub(super) date: String,
    pub(super) likes: Option<String>,
    pub(super) comments: Option<String>,
    pub(super) tags: Vec<Tag>,
}

/// A value of an attribute, with the way to all posts that have it.
pub(super) struct Tag {
    pub(super) field: String,
    pub(super) value: String,
    pub(super) swatch: Option<&'static str>,
    pub(super) href: String,
}

impl Card {
    /// The card of a record; of its attributes those that `facets` names, in that order.
    pub(super) fn of(record: &Record, facets: &[String]) -> Self {
        let post = &record.post;
        let stored = |m: &&heurpipe_core::Media| m.kind != MediaKind::Video && m.digest().is_some();
        let cover = post.media.iter().find(stored);
        Self {
            href: links::post(&post.id),
            picture: cover.and_then(|m| m.digest()).map(|d| links::media(&d)),
            alt: cover
                .and_then(|m| m.alt_text.clone())
                .unwrap_or_else(|| format!("Picture by {}", author(post))),
            more_pictures: post.media.iter().filter(stored).count().saturating_sub(1),
            caption: caption(&post.text),
            author: author(post),
            platform: post.id.platform.to_string(),
            date: post.published_at.map(text::date).unwrap_or_default(),
            likes: post.counts.likes.map(text::number),
            comments: post.counts.comments.map(text::number),
            tags: tags(record, facets).into_iter().take(MOST_TAGS).collect(),
        }
    }
}

/// The effective values of a record's attributes, those that `facets` names first.
pub(super) fn tags(record: &Record, facets: &[String]) -> Vec<Tag> {
    let effective = record.effective();
    let known = facets.iter().filter_map(|f| effective.get_key_value(f));
    known
        .flat_map(|(field, values)| values.iter().map(move |value| tag(field, value)))
        .collect()
}

/// A value with the way to all posts that have it.
pub(super) fn tag(field: &str, value: &str) -> Tag {
    let keyword = heurpipe_core::text::keyword(value);
    Tag {
        field: field.to_owned(),
        value: value.to_owned(),
        swatch: colour::swatch(field, &keyword),
        href: links::explore(&conditions::only(field, &keyword)),
    }
}

/// Who wrote it, or a dash.
pub(super) fn author(post: &Post) -> String {
    let known = post.author.as_ref();
    known
        .and_then(|a| a.handle.as_ref().map(|handle| format!("@{handle}")))
        .or_else(|| known.and_then(|a| a.name.clone()))
        .unwrap_or_else(|| "unknown author".to_owned())
}

/// As much of a text as a card can show at all, so that a caption of a megabyte does not make a page of fifty.
fn caption(text: &str) -> String {
    const MOST: usize = 240;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
