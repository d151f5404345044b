//! arc298/instagram-scraper.

use heurpipe_core::{MediaKind, Platform};

use super::{handle, local, media, with_media};
use crate::support::{assert_conforms, assert_lossless, fixture, post, read};

const FORMAT: &str = "instagram_scraper";

#[tokio::test]
async fn an_account_becomes_posts() {
    let folder = with_media(FORMAT, &["353_n.jpg", "walk.mp4"]);
    let (posts, unreadable) = read(folder.path(), FORMAT).await;
    assert_eq!(posts.len(), 3);
    assert_lossless(&posts);
    let coat = post(&posts, "3123724930722523505");
    assert_eq!(local(coat, 0), Some("353_n.jpg"));
    assert_eq!(coat.media[0].url_expires_at, None);
    let author = coat.author.as_ref().unwrap();
    assert_eq!(author.handle.as_deref(), Some("mara.lind"));
    assert_eq!(author.name.as_deref(), Some("Mara Lind"));
    assert_eq!(
        author.followers,
        Some(1200),
        "told by the profile behind the posts"
    );
    let place = coat.places.tagged.as_ref().unwrap();
    assert_eq!(
        (place.latitude, place.country.as_deref()),
        (Some(55.605), Some("SE"))
    );
    let profile = coat.raw["instagram_scraper.user"].as_str();
    assert!(
        profile.contains("Coats.") && !profile.contains("example.org"),
        "{profile}"
    );
    assert!(coat.raw[FORMAT].as_str().contains("\"comments\""));

    let walk = post(&posts, "3149539678684708864");
    assert_eq!(
        media(walk),
        [
            ("cover_n.jpg", MediaKind::Thumbnail),
            ("walk.mp4", MediaKind::Video)
        ]
    );
    assert_eq!(handle(walk), Some("nils.ek"));
    assert_eq!(
        walk.author.as_ref().unwrap().followers,
        None,
        "another account's"
    );
    assert!(!walk.raw.contains_key("instagram_scraper.user"));

    assert_eq!(media(post(&posts, "3152268741822709760")).len(), 1);
    assert_eq!(unreadable.len(), 1);
    assert!(
        unreadable[0]
            .place
            .ends_with("mara.lind.json:GraphImages[2]")
    );
}

#[tokio::test]
async fn it_conforms() {
    assert_conforms(&fixture(FORMAT), Platform::instagram()).await;
}
