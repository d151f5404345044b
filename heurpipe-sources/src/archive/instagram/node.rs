//! A post as the web shows it: nodes of GraphQL, and what the pages held before them.

use heurpipe_core::{Author, Counts, MediaKind, Post};
use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use super::super::format::File;
use super::parts::{self, Account, Location};
use crate::lenient;

/// Reads a node.
///
/// # Errors
/// A sentence that says why it is no post.
pub(super) fn post(json: &RawValue, file: &File<'_>) -> Result<Post, String> {
    let node: Node = lenient::object(json)?;
    let frame: Frame = lenient::object(json)?;
    let code = node.shortcode.as_deref().or(node.code.as_deref());
    let mut post = file.post(parts::identity(node.id.as_deref(), code)?);
    post.permalink = code.map(|code| parts::permalink(code, node.product_type.as_deref()));
    post.published_at = parts::time(node.taken_at())?;
    parts::set_text(&mut post, node.caption().unwrap_or_default());
    post.author = node.author();
    post.counts = node.counts();
    post.places.tagged = node.location.as_ref().and_then(Location::place);
    for child in node.children() {
        child.add_to(&mut post);
    }
    // The first child stands as the post's own picture too.
    if post.media.is_empty() {
        frame.add_to(&mut post);
    }
    Ok(post)
}

#[derive(Deserialize)]
struct Node {
    #[serde(default, deserialize_with = "lenient::id")]
    id: Option<String>,
    #[serde(default)]
    shortcode: Option<String>,
    /// Before 2017.
    #[serde(default)]
    code: Option<String>,
    #[serde(default)]
    product_type: Option<String>,
    #[serde(default)]
    taken_at_timestamp: Value,
    /// Before 2017.
    #[serde(default)]
    date: Value,
    /// Of 2016.
    #[serde(default)]
    created_time: Value,
    #[serde(default)]
    edge_media_to_caption: Option<Edges<Caption>>,
    #[serde(default)]
    caption: Value,
    #[serde(default)]
    edge_sidecar_to_children: Option<Edges<Frame>>,
    /// Of 2016.
    #[serde(default)]
    carousel_media: Option<Vec<Frame>>,
    #[serde(default, deserialize_with = "parts::counted")]
    edge_media_preview_like: Option<u64>,
    #[serde(default, deserialize_with = "parts::counted")]
    edge_liked_by: Option<u64>,
    #[serde(default, deserialize_with = "parts::counted")]
    likes: Option<u64>,
    #[serde(default)]
    like_and_view_counts_disabled: Option<bool>,
    #[serde(default, deserialize_with = "parts::counted")]
    edge_media_to_parent_comment: Option<u64>,
    #[serde(default, deserialize_with = "parts::counted")]
    edge_media_to_comment: Option<u64>,
    #[serde(default, deserialize_with = "parts::counted")]
    edge_media_preview_comment: Option<u64>,
    #[serde(default, deserialize_with = "parts::counted")]
    comments: Option<u64>,
    #[serde(default, deserialize_with = "lenient::count")]
    video_play_count: Option<u64>,
    #[serde(default, deserialize_with = "lenient::count")]
    video_view_count: Option<u64>,
    #[serde(default)]
    owner: Option<Account>,
    #[serde(default)]
    user: Option<Account>,
    /// Added by instagram-scraper.
    #[serde(default)]
    username: Option<String>,
    #[serde(default)]
    location: Option<Location>,
}

impl Node {
    fn taken_at(&self) -> &Value {
        [&self.taken_at_timestamp, &self.date, &self.created_time]
            .into_iter()
            .find(|time| !time.is_null())
            .unwrap_or(&Value::Null)
    }

    fn caption(&self) -> Option<&str> {
        let edges = self.edge_media_to_caption.as_ref();
        edges
            .and_then(|edges| edges.nodes().next())
            .and_then(|caption| caption.text.as_deref())
            .or_else(|| parts::text_within(&self.caption))
    }

    fn author(&self) -> Option<Author> {
        let account = self.owner.as_ref().or(self.user.as_ref());
        let mut author = account.and_then(Account::author);
        if let Some(handle) = self.username.as_deref().and_then(parts::handle) {
            let author = author.get_or_insert_with(Author::unknown);
            author.handle.get_or_insert(handle);
        }
        author
    }

    fn counts(&self) -> Counts {
        let likes = self.edge_media_preview_like.or(self.edge_liked_by);
        let comments = self
            .edge_media_to_parent_comment
            .or(self.edge_media_to_comment)
            .or(self.edge_media_preview_comment);
        let are_hidden = self.like_and_view_counts_disabled == Some(true);
        let shown = |count: Option<u64>| count.filter(|_| !are_hidden);
        let mut counts = Counts::new(
            shown(likes.or(self.likes)),
            comments.or(self.comments),
            None,
        );
        counts.views = shown(self.video_view_count.or(self.video_play_count));
        counts
    }

    fn children(&self) -> impl Iterator<Item = &Frame> {
        let edges = self.edge_sidecar_to_children.iter();
        edges
            .flat_map(Edges::nodes)
            .chain(self.carousel_media.iter().flatten())
    }
}

/// A list as GraphQL writes it.
#[derive(Deserialize)]
struct Edges<T> {
    #[serde(default = "Vec::new")]
    edges: Vec<Edge<T>>,
}

#[derive(Deserialize)]
struct Edge<T> {
    node: T,
}

impl<T> Edges<T> {
    fn nodes(&self) -> impl Iterator<Item = &T> {
        self.edges.iter().map(|edge| &edge.node)
    }
}

#[derive(Deserialize)]
struct Caption {
    #[serde(default)]
    text: Option<String>,
}

/// What is shown: a picture, or a video with its cover.
#[derive(Deserialize)]
struct Frame {
    #[serde(default)]
    display_url: Option<String>,
    /// Before 2017.
    #[serde(default)]
    display_src: Option<String>,
    #[serde(default)]
    is_video: Option<bool>,
    #[serde(default)]
    video_url: Option<String>,
    /// Of stories.
    #[serde(default)]
    video_resources: Option<Vec<VideoResource>>,
    #[serde(default)]
    dimensions: Option<Dimensions>,
    #[serde(default)]
    accessibility_caption: Option<String>,
    /// Of 2016.
    #[serde(default)]
    images: Option<Renditions>,
    /// Of 2016.
    #[serde(default)]
    videos: Option<Renditions>,
}

#[derive(Deserialize)]
struct Dimensions {
    #[serde(default, deserialize_with = "parts::pixels")]
    width: Option<u32>,
    #[serde(default, deserialize_with = "parts::pixels")]
    height: Option<u32>,
}

#[derive(Deserialize)]
struct VideoResource {
    src: String,
    #[serde(default)]
    config_width: u32,
}

#[derive(Deserialize)]
struct Renditions {
    #[serde(default)]
    standard_resolution: Option<Rendition>,
    #[serde(default)]
    low_resolution: Option<Rendition>,
    #[serde(default)]
    thumbnail: Option<Rendition>,
}

#[derive(Deserialize)]
struct Rendition {
    url: String,
    #[serde(default, deserialize_with = "parts::pixels")]
    width: Option<u32>,
    #[serde(default, deserialize_with = "parts::pixels")]
    height: Option<u32>,
}

impl Renditions {
    fn largest(&self) -> Option<&Rendition> {
        self.standard_resolution
            .as_ref()
            .or(self.low_resolution.as_ref())
            .or(self.thumbnail.as_ref())
    }
}

impl Frame {
    fn add_to(&self, post: &mut Post) {
        let video = self.video_url();
        if let Some(url) = video {
            self.add(post, MediaKind::Video, url);
        }
        // A list shows of a video its cover alone.
        let is_cover = video.is_some() || self.is_video == Some(true);
        let kind = if is_cover {
            MediaKind::Thumbnail
        } else {
            MediaKind::Image
        };
        let picture = self.display_url.as_deref().or(self.display_src.as_deref());
        let rendition = || Some(self.images.as_ref()?.largest()?.url.as_str());
        if let Some(url) = picture.or_else(rendition) {
            self.add(post, kind, url);
        }
    }

    fn video_url(&self) -> Option<&str> {
        let resources = self.video_resources.iter().flatten();
        let largest = resources.max_by_key(|video| video.config_width);
        let rendition = || Some(self.videos.as_ref()?.largest()?.url.as_str());
        self.video_url
            .as_deref()
            .or(largest.map(|video| video.src.as_str()))
            .or_else(rendition)
    }

    fn add(&self, post: &mut Post, kind: MediaKind, url: &str) {
        let Some(mut medium) = parts::medium(kind, url) else {
            return;
        };
        (medium.width, medium.height) = self.size(kind);
        medium.alt_text = self.accessibility_caption.clone();
        parts::add(post, medium);
    }

    fn size(&self, kind: MediaKind) -> (Option<u32>, Option<u32>) {
        if let Some(dimensions) = &self.dimensions {
            return (dimensions.width, dimensions.height);
        }
        let renditions = match kind {
            MediaKind::Video => &self.videos,
            _ => &self.images,
        };
        let largest = renditions.as_ref().and_then(Renditions::largest);
        largest.map_or((None, None), |shown| (shown.width, shown.height))
    }
}
