//! Formats of Instagram.

mod capture;

use heurpipe_core::{MediaKind, Post};

/// A post's media: what they are called and what they are.
fn media(post: &Post) -> Vec<(&str, MediaKind)> {
    post.media
        .iter()
        .map(|medium| (medium.id.as_str(), medium.kind))
        .collect()
}

/// The handle of a post's author.
fn handle(post: &Post) -> Option<&str> {
    post.author.as_ref()?.handle.as_deref()
}
