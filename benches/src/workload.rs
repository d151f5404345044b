//! The posts that ours and its peers are given, and how they travel.

use heurpipe_core::{Counts, Platform, Post, PostId};
use jiff::Timestamp;

/// Posts that travel together, in ours and in every peer.
pub const BATCH: usize = 256;

/// Stages in a row that do nothing.
pub const STAGES: usize = 4;

/// Bytes of a post's text.
pub const TEXT: usize = 100;

const WORDS: &str = "a red dress, a straw hat, sandals, a linen shirt, a canvas bag, sunglasses, \
                     a denim jacket and white trainers";

/// The `number`-th post of a series, as it is gathered: [`TEXT`] bytes of text, a hashtag, counts, no picture.
pub fn post(number: usize) -> Post {
    let id = PostId::new(Platform::instagram(), format!("{number:012}"));
    let mut post = Post::new(id, Timestamp::UNIX_EPOCH);
    post.text = format!("Number {number} of a series: {WORDS}");
    post.text.truncate(TEXT);
    post.hashtags = vec!["ootd".to_owned()];
    post.counts = Counts::new(Some(number as u64), Some(3), None);
    post.published_at = Some(Timestamp::UNIX_EPOCH);
    post
}

/// The first `count` posts of the series.
pub fn posts(count: usize) -> Vec<Post> {
    (0..count).map(post).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_have_one_length_and_ids_differ() {
        let posts = [post(0), post(9_999_999)];
        assert_eq!(posts.each_ref().map(|post| post.text.len()), [TEXT, TEXT]);
        assert_ne!(posts[0].id, posts[1].id);
    }
}
