//! Apify's datasets.

use heurpipe_core::{MediaKind, Platform};

use super::{handle, media};
use crate::support::{assert_conforms, assert_lossless, fixture, post, read};

const FORMAT: &str = "apify_instagram";

#[tokio::test]
async fn json_becomes_posts() {
    let (posts, unreadable) = read(fixture(FORMAT).join("dataset.json"), FORMAT).await;
    assert_eq!(posts.len(), 2);
    assert_lossless(&posts);
    let edit = post(&posts, "3828948013003891280");
    assert_eq!(
        edit.hashtags,
        ["Linen", "firstcomment"],
        "also what no caption says"
    );
    assert_eq!(edit.mentions, ["atelier.nord"]);
    assert_eq!(edit.counts.likes, None, "hidden");
    assert_eq!(edit.counts.comments, Some(4));
    assert_eq!(
        edit.published_at,
        Some("2026-02-10T08:00:00Z".parse().unwrap())
    );
    assert_eq!(
        media(edit),
        [
            ("p1_n.jpg", MediaKind::Image),
            ("p2.mp4", MediaKind::Video),
            ("p2_n.jpg", MediaKind::Thumbnail),
        ]
    );
    assert_eq!(edit.media[0].alt_text.as_deref(), Some("A jacket."));
    assert_eq!(handle(edit), Some("mara.lind"));
    let place = edit.places.tagged.as_ref().unwrap();
    assert_eq!(
        (place.name.as_str(), place.country.as_deref()),
        ("Paris, France", Some("FR"))
    );
    assert!(edit.raw[FORMAT].as_str().contains("latestComments"));

    let walk = post(&posts, "3149539678684708864");
    assert_eq!(
        media(walk),
        [
            ("walk.mp4", MediaKind::Video),
            ("cover_n.jpg", MediaKind::Thumbnail)
        ]
    );
    assert_eq!(walk.counts.views, Some(912));

    let reasons: Vec<_> = unreadable.iter().map(|item| item.reason.as_str()).collect();
    assert_eq!(
        reasons,
        [
            "the scraper says: not_found",
            "it has neither a number nor a shortcode"
        ]
    );
}

#[tokio::test]
async fn lines_become_posts() {
    let (posts, unreadable) = read(fixture(FORMAT).join("dataset.jsonl"), FORMAT).await;
    assert_eq!(posts.len(), 1);
    assert_eq!(
        &*posts[0].id.native, "3149539678684708864",
        "from the shortcode"
    );
    assert_eq!(unreadable[0].reason, "its time is none: soon");
}

#[tokio::test]
async fn tables_become_posts() {
    let (posts, unreadable) = read(fixture(FORMAT).join("dataset.csv"), FORMAT).await;
    assert_eq!(posts.len(), 2);
    assert_lossless(&posts);
    let edit = post(&posts, "3828948013003891280");
    assert_eq!(edit.text, "Spring edit\n\n“two lines”, and a comma #Linen");
    assert_eq!(edit.hashtags, ["Linen"]);
    assert_eq!(edit.mentions, ["atelier.nord"]);
    assert_eq!((edit.counts.likes, edit.counts.comments), (None, Some(4)));
    assert_eq!(
        media(edit),
        [
            ("p1_n.jpg", MediaKind::Image),
            ("p2_n.jpg", MediaKind::Image)
        ]
    );
    assert_eq!(
        edit.author.as_ref().unwrap().id.as_deref(),
        Some("50955534")
    );
    let row: serde_json::Value = serde_json::from_str(edit.raw[FORMAT].as_str()).unwrap();
    assert_eq!(row["isCommentsDisabled"], "true", "every cell is kept");

    let walk = post(&posts, "3149539678684708864");
    assert_eq!(
        (walk.media[0].width, walk.media[0].height),
        (Some(640), Some(1136))
    );
    assert_eq!(unreadable.len(), 1);
}

#[tokio::test]
async fn it_conforms() {
    assert_conforms(&fixture(FORMAT), Platform::instagram()).await;
}
