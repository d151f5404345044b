//! instagrapi.

use heurpipe_core::{MediaKind, Platform};

use super::{handle, media};
use crate::support::{assert_conforms, assert_lossless, fixture, post, read};

const FORMAT: &str = "instagrapi";

#[tokio::test]
async fn media_become_posts() {
    let (posts, unreadable) = read(fixture(FORMAT), FORMAT).await;
    assert_eq!(posts.len(), 2);
    assert_lossless(&posts);
    let album = post(&posts, "3123724930722523505");
    assert_eq!(album.text, "Layers #knit");
    assert_eq!(
        album.published_at,
        Some("2023-06-12T19:20:02Z".parse().unwrap())
    );
    assert_eq!(
        media(album),
        [
            ("r1_n.jpg", MediaKind::Image),
            ("r2.mp4", MediaKind::Video),
            ("r2_n.jpg", MediaKind::Thumbnail),
        ]
    );
    assert_eq!(handle(album), Some("mara.lind"));
    assert_eq!(album.counts.likes, Some(21));
    assert_eq!(album.counts.views, None, "of a picture nobody counts them");
    let place = album.places.tagged.as_ref().unwrap();
    assert_eq!(
        (place.latitude, place.longitude),
        (Some(55.7047), Some(13.191))
    );
    assert!(album.raw[FORMAT].as_str().contains("\"usertags\""));

    let walk = post(&posts, "3149539678684708864");
    assert_eq!(
        media(walk),
        [
            ("walk.mp4", MediaKind::Video),
            ("cover_n.jpg", MediaKind::Thumbnail)
        ]
    );
    assert_eq!(
        (walk.counts.likes, walk.counts.views),
        (None, None),
        "hidden"
    );
    assert_eq!(
        walk.permalink.as_deref(),
        Some("https://www.instagram.com/reel/Cu1aaaaAAAA/")
    );

    let reasons: Vec<_> = unreadable.iter().map(|item| item.reason.as_str()).collect();
    assert_eq!(
        reasons,
        [
            "it has neither a number nor a shortcode",
            "its time is none: last summer"
        ]
    );
}

#[tokio::test]
async fn it_conforms() {
    assert_conforms(&fixture(FORMAT), Platform::instagram()).await;
}
