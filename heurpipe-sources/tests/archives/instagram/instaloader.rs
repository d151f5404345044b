//! instaloader's folders.

use std::io::Write;

use heurpipe_core::{MediaKind, Platform};
use lzma_rust2::{XzOptions, XzWriter};

use super::{handle, local, media, with_media};
use crate::support::{assert_conforms, assert_lossless, fixture, post, read};

const FORMAT: &str = "instaloader";
const FILES: [&str; 6] = [
    "mara.lind/2023-06-12_19-20-02_UTC_1.jpg",
    "mara.lind/2023-06-12_19-20-02_UTC_2.mp4",
    "mara.lind/2023-06-12_19-20-02_UTC_2.jpg",
    "mara.lind/2023-06-12_19-20-02_UTC_3.webp",
    "mara.lind/2023-07-18_10-51-54_UTC.mp4",
    "mara.lind/2023-07-22_06-28-20_UTC.jpg",
];

#[tokio::test]
async fn files_become_posts_with_the_media_beside_them() {
    let folder = with_media(FORMAT, &FILES);
    let (posts, unreadable) = read(folder.path(), FORMAT).await;
    assert_eq!(
        posts.len(),
        3,
        "profiles, hashtags and iterators are no posts"
    );
    assert_lossless(&posts);

    let album = post(&posts, "3123724930722523505");
    assert_eq!(
        album.text,
        "Three ways to wear it, she said #layers @nils.ek"
    );
    assert_eq!(album.hashtags, ["layers"]);
    assert_eq!(
        media(album),
        [
            ("a_n.jpg", MediaKind::Image),
            ("b.mp4", MediaKind::Video),
            ("b_n.jpg", MediaKind::Thumbnail),
            ("c_n.jpg", MediaKind::Image),
        ],
        "what a picture is called does not depend on where it lies"
    );
    let files: Vec<_> = (0..4).map(|number| local(album, number).unwrap()).collect();
    assert_eq!(
        files,
        [
            "2023-06-12_19-20-02_UTC_1.jpg",
            "2023-06-12_19-20-02_UTC_2.mp4",
            "2023-06-12_19-20-02_UTC_2.jpg",
            "2023-06-12_19-20-02_UTC_3.webp",
        ]
    );
    assert_eq!(album.media[0].url_expires_at, None, "files do not expire");

    let walk = post(&posts, "3149539678684708864");
    assert_eq!(local(walk, 0), Some("2023-07-18_10-51-54_UTC.mp4"));
    assert_eq!(local(walk, 1), None, "its cover was not saved");
    assert_eq!(walk.counts.likes, Some(31), "filled in");
    assert_eq!(
        (walk.counts.comments, walk.counts.views),
        (Some(4), Some(777))
    );
    assert_eq!(handle(walk), Some("mara.lind"));
    assert_eq!(walk.author.as_ref().unwrap().verified, Some(true));
    let place = walk.places.tagged.as_ref().unwrap();
    assert_eq!(
        (place.name.as_str(), place.latitude),
        ("Nyhavn", Some(55.6798))
    );
    let raw = walk.raw[FORMAT].as_str();
    assert!(
        raw.contains("iphone_struct") && !raw.contains("mara@example.org"),
        "{raw}"
    );

    let story = post(&posts, "3152268741822709760");
    assert_eq!(local(story, 0), Some("2023-07-22_06-28-20_UTC.jpg"));
    assert_eq!(story.permalink, None);

    assert_eq!(unreadable.len(), 1);
    assert_eq!(
        unreadable[0].reason,
        "it has neither a number nor a shortcode"
    );
    assert!(
        unreadable[0]
            .place
            .ends_with("2023-07-23_00-00-00_UTC.json")
    );
}

#[tokio::test]
async fn packed_files_are_read_too() {
    let folder = tempfile::tempdir().unwrap();
    let name = "2023-06-12_19-20-02_UTC";
    let plain = std::fs::read(fixture(FORMAT).join(format!("mara.lind/{name}.json"))).unwrap();
    let packed = std::fs::File::create(folder.path().join(format!("{name}.json.xz"))).unwrap();
    let mut packed = XzWriter::new(packed, XzOptions::with_preset(1)).unwrap();
    packed.write_all(&plain).unwrap();
    packed.finish().unwrap();
    std::fs::write(folder.path().join(format!("{name}.txt")), "A caption\n").unwrap();
    std::fs::write(folder.path().join(format!("{name}_1.jpg")), "x").unwrap();

    let (posts, unreadable) = read(folder.path(), FORMAT).await;
    assert!(unreadable.is_empty(), "{unreadable:?}");
    let album = post(&posts, "3123724930722523505");
    assert_eq!(album.text, "A caption");
    assert_eq!(local(album, 0), Some("2023-06-12_19-20-02_UTC_1.jpg"));
    let kept: serde_json::Value = serde_json::from_str(album.raw[FORMAT].as_str()).unwrap();
    assert_eq!(
        kept,
        serde_json::from_slice::<serde_json::Value>(&plain).unwrap()
    );
}

#[tokio::test]
async fn it_conforms() {
    assert_conforms(&fixture(FORMAT), Platform::instagram()).await;
}
