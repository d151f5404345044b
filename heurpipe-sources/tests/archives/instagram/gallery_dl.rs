//! gallery-dl.

use heurpipe_core::{MediaKind, Platform};

use super::{handle, local, media, with_media};
use crate::support::{assert_conforms, assert_lossless, fixture, post, read};

const FORMAT: &str = "gallery_dl";

#[tokio::test]
async fn files_of_one_post_become_one_post() {
    let picture = "instagram/mara.lind/3123724930722523505_900.jpg";
    let video = "instagram/mara.lind/3123724930722523505_901.mp4";
    let folder = with_media(FORMAT, &[picture, video]);
    let (posts, unreadable) = read(folder.path(), FORMAT).await;
    assert_eq!(posts.len(), 4);
    assert_lossless(&posts);

    let album = post(&posts, "3123724930722523505");
    assert_eq!(
        media(album),
        [
            ("g1.mp4", MediaKind::Video),
            ("g1_n.jpg", MediaKind::Thumbnail),
            ("g2_n.jpg", MediaKind::Image),
        ],
        "in the order of their numbers, not of their files"
    );
    assert_eq!(local(album, 0), Some("3123724930722523505_901.mp4"));
    assert_eq!(local(album, 2), Some("3123724930722523505_900.jpg"));
    assert_eq!(album.media[2].height, Some(1350));
    assert_eq!(album.text, "Layers #knit");
    assert_eq!(album.counts.likes, Some(21));
    assert_eq!(handle(album), Some("mara.lind"));
    assert_eq!(
        album.published_at,
        Some("2023-06-12T19:20:02Z".parse().unwrap())
    );
    assert_eq!(album.places.tagged.as_ref().unwrap().name, "lund sweden");
    let rows: Vec<serde_json::Value> = serde_json::from_str(album.raw[FORMAT].as_str()).unwrap();
    assert_eq!(rows.len(), 2, "each row is kept");
    assert_eq!(rows[0]["num"], 1);

    let single = post(&posts, "3149544146541482049");
    assert_eq!(media(single), [("s_n.jpg", MediaKind::Image)]);
    let later = post(&posts, "3152268741822709761");
    assert_eq!(
        later.published_at,
        Some("2023-07-22T06:30:20Z".parse().unwrap()),
        "each story is a post of its own"
    );

    let reasons: Vec<_> = unreadable.iter().map(|item| item.reason.as_str()).collect();
    assert_eq!(
        reasons,
        [
            "it has neither a number nor a shortcode",
            "it is of another network: elsewhere"
        ]
    );
}

#[tokio::test]
async fn it_conforms() {
    assert_conforms(&fixture(FORMAT), Platform::instagram()).await;
}
