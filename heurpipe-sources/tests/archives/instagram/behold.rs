//! Behold's feeds.

use heurpipe_core::{MediaKind, Platform};

use super::{handle, local, media, with_media};
use crate::support::{assert_conforms, assert_lossless, fixture, post, read};

const FORMAT: &str = "behold";

#[tokio::test]
async fn feeds_become_posts() {
    let folder = with_media(FORMAT, &["images/17985880007929855.jpg"]);
    let (posts, unreadable) = read(folder.path(), FORMAT).await;
    assert_eq!(posts.len(), 4);
    assert_lossless(&posts);
    let suit = post(&posts, "3167848955741221059");
    assert_eq!(
        suit.aliases[0].to_string(),
        "instagram:graph:18098142785123787"
    );
    assert_eq!(suit.text, "Linen suit #linen");
    assert_eq!(
        suit.published_at,
        Some("2023-07-22T04:26:40Z".parse().unwrap())
    );
    assert_eq!(handle(suit), Some("atelier.nord"));
    assert_eq!(suit.author.as_ref().unwrap().followers, Some(6194));
    assert_eq!(
        media(suit),
        [
            ("450_n.jpg", MediaKind::Image),
            ("graph:18098142785123789", MediaKind::Image),
        ],
        "renditions are all called alike"
    );
    assert_eq!(suit.media[1].width, Some(700));
    assert_eq!(suit.counts.likes, Some(3));
    assert!(suit.raw["behold.user"].as_str().contains("Tailors."));
    assert!(suit.raw[FORMAT].as_str().contains("colorPalette"));

    let walk = post(&posts, "3149539678684708864");
    assert_eq!(walk.text, "While the world moves fast");
    assert_eq!(
        media(walk),
        [
            ("walk.mp4", MediaKind::Video),
            ("cover_n.jpg", MediaKind::Thumbnail)
        ]
    );

    let court = post(&posts, "3149544146541482049");
    assert_eq!(court.mentions, ["nils.ek"]);
    assert_eq!(
        (court.counts.likes, court.counts.comments),
        (Some(44), Some(2))
    );
    assert_eq!(local(court, 0), Some("17985880007929855.jpg"));
    let unlinked = post(&posts, "graph:17985880007929856");
    assert_eq!(media(unlinked), [("t_n.jpg", MediaKind::Image)]);

    assert_eq!(unreadable.len(), 1);
    assert_eq!(unreadable[0].reason, "it has neither an id nor a permalink");
    assert!(unreadable[0].place.ends_with("feed.json:posts[2]"));
}

#[tokio::test]
async fn it_conforms() {
    assert_conforms(&fixture(FORMAT), Platform::instagram()).await;
}
