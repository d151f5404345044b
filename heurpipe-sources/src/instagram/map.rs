//! From the Graph API's media to posts.

use heurpipe_core::{Author, Counts, Media, MediaKind, Platform, Post, PostId, Raw};
use jiff::Timestamp;
use serde_json::value::RawValue;
use url::Url;

use super::wire::{Account, MediaNode};
use super::{caption, ids};
use crate::http::scrubbed_payload;
use crate::{lenient, links};

/// What is known of all media of an answer.
#[derive(Debug)]
pub(crate) struct Setting<'a> {
    /// The kind of call, under which the payload is kept.
    pub call: &'static str,
    /// Whose they are, where the call says so.
    pub account: Option<&'a AccountSeen>,
    pub collected_at: Timestamp,
}

/// An account as a call showed it.
#[derive(Debug, Clone)]
pub(crate) struct AccountSeen {
    pub author: Author,
    /// The kind of call, under which the payload is kept.
    call: &'static str,
    payload: Raw,
}

impl AccountSeen {
    /// `payload` is the account without its posts.
    pub(crate) fn new(account: &Account, call: &'static str, payload: &RawValue) -> Self {
        Self {
            author: author(account),
            call,
            payload: scrubbed_payload(payload),
        }
    }

    /// Whether a post is by this account. Posts that several accounts share stand among the media of each.
    fn wrote(&self, node: &MediaNode) -> bool {
        let by = node.username.as_deref().map(str::to_lowercase);
        by.is_none() || self.author.handle.is_none() || by == self.author.handle
    }
}

/// Reads one item of an answer.
///
/// # Errors
/// A sentence that says why it is no post.
pub(crate) fn post(item: &RawValue, setting: &Setting<'_>) -> Result<Post, String> {
    let node: MediaNode =
        lenient::object(item).map_err(|error| format!("not a medium: {error}"))?;
    let (id, alias) = identity(&node).ok_or("it has no id")?;
    let mut post = Post::new(id, setting.collected_at);
    post.aliases.extend(alias);
    post.published_at = node.timestamp.as_deref().map(timestamp).transpose()?;
    post.media = media(&node);
    match setting.account.filter(|account| account.wrote(&node)) {
        Some(account) => {
            post.author = Some(account.author.clone());
            post.raw
                .insert(account.call.to_owned(), account.payload.clone());
        }
        None => post.author = author_of(&node),
    }
    post.counts = Counts::new(node.like_count, node.comments_count, node.reposts_count);
    post.counts.views = node.view_count;
    post.permalink = node.permalink;
    post.text = node.caption.unwrap_or_default();
    post.hashtags = caption::hashtags(&post.text);
    post.mentions = caption::mentions(&post.text);
    post.raw
        .insert(setting.call.to_owned(), scrubbed_payload(item));
    Ok(post)
}

fn author(account: &Account) -> Author {
    let mut author = Author::unknown();
    author.id = account.id.as_deref().map(graph_id);
    author.handle = account.username.as_ref().map(|name| name.to_lowercase());
    author.name = account.name.clone();
    author.followers = account.followers_count;
    author
}

fn author_of(node: &MediaNode) -> Option<Author> {
    let owner = node.owner.as_ref().and_then(|owner| owner.id.as_deref());
    if node.username.is_none() && owner.is_none() {
        return None;
    }
    let mut author = Author::unknown();
    author.id = owner.map(graph_id);
    author.handle = node.username.as_ref().map(|name| name.to_lowercase());
    Some(author)
}

/// The post's id, and its Graph id as an alias where the network's own number is known.
fn identity(node: &MediaNode) -> Option<(PostId, Option<PostId>)> {
    let graph = node.id.as_deref().map(|id| instagram(graph_id(id)));
    match (pk(node), graph) {
        (Some(pk), alias) => Some((instagram(pk), alias)),
        (None, Some(graph)) => Some((graph, None)),
        (None, None) => None,
    }
}

fn pk(node: &MediaNode) -> Option<String> {
    let given = node
        .ig_id
        .as_ref()
        .or(node.legacy_instagram_media_id.as_ref())
        .filter(|id| id.bytes().all(|c| c.is_ascii_digit()));
    if let Some(given) = given {
        return Some(given.clone());
    }
    let from_code = node.shortcode.as_deref().and_then(ids::pk_of);
    let from_link = || {
        let code = ids::shortcode_in(node.permalink.as_deref()?)?;
        ids::pk_of(code)
    };
    from_code.or_else(from_link).map(|pk| pk.to_string())
}

fn instagram(native: String) -> PostId {
    PostId::new(Platform::instagram(), native)
}

/// What ids of the Graph API begin with: they live in a space of their own, for posts as for accounts.
pub(super) const GRAPH: &str = "graph:";

pub(crate) fn graph_id(id: &str) -> String {
    format!("{GRAPH}{id}")
}

/// The API writes the offset without a colon, which RFC 3339 does not know.
fn timestamp(text: &str) -> Result<Timestamp, String> {
    Timestamp::strptime("%Y-%m-%dT%H:%M:%S%z", text)
        .or_else(|_| text.parse())
        .map_err(|_| format!("its timestamp is none: {text}"))
}

/// The pictures and videos in order: of an album its children, else the one of the post itself. A medium without a URL (hidden for
/// copyright, or children that were not expanded) is left out: there is nothing to fetch, and another call names it better. What is of an
/// unknown type is taken for a picture.
fn media(node: &MediaNode) -> Vec<Media> {
    let mut media = Vec::new();
    for child in node.children.iter().flat_map(|children| &children.data) {
        add_media(&mut media, child);
    }
    if media.is_empty() {
        add_media(&mut media, node);
    }
    media
}

fn add_media(media: &mut Vec<Media>, node: &MediaNode) {
    let is_video = node.media_type.as_deref() == Some("VIDEO");
    let kind = if is_video {
        MediaKind::Video
    } else {
        MediaKind::Image
    };
    if let Some(url) = &node.media_url {
        add_medium(media, node, kind, url);
    }
    if let (true, Some(url)) = (is_video, &node.thumbnail_url) {
        add_medium(media, node, MediaKind::Thumbnail, url);
    }
}

fn add_medium(media: &mut Vec<Media>, node: &MediaNode, kind: MediaKind, url: &str) {
    let parsed = Url::parse(url).ok();
    let own_id = || {
        let id = node.id.as_deref().unwrap_or_default();
        match kind {
            MediaKind::Thumbnail => format!("{}:thumbnail", graph_id(id)),
            _ => graph_id(id),
        }
    };
    let named = parsed.as_ref().and_then(links::file_name);
    let mut id = named.map_or_else(own_id, str::to_owned);
    let is_taken = |id: &str| media.iter().any(|known| known.id == id);
    if is_taken(&id) {
        id = own_id();
    }
    if is_taken(&id) {
        id = format!("{id}:{}", media.len());
    }
    let mut medium = Media::image(id, url);
    medium.kind = kind;
    medium.url_expires_at = parsed.as_ref().and_then(expiry);
    medium.alt_text = node.alt_text.clone().filter(|text| !text.is_empty());
    media.push(medium);
}

/// `oe` is the time at which the URL stops working, in hexadecimal.
pub(crate) fn expiry(url: &Url) -> Option<Timestamp> {
    let (_, oe) = url.query_pairs().find(|(name, _)| name == "oe")?;
    Timestamp::from_second(i64::from_str_radix(&oe, 16).ok()?).ok()
}

#[cfg(test)]
#[path = "map_tests.rs"]
mod tests;
