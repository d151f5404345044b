//! Forms that a mapping file makes known.

use heurpipe_core::{ErrorKind, MediaKind};
use heurpipe_sources::archive::{Archive, Mapping};
use heurpipe_sources::detect;

use crate::support::{assert_lossless, items, read};

const MAPPING: &str = r#"
platform = "instagram"
name = "vendor"
id = "/post/id"
text = "/post/caption"
permalink = "/post/link"
language = "/post/lang"
repost_of = "/post/shared/id"
published_at = "/post/time"
collected_at = "/seen"

[times]
format = "%d.%m.%Y %H:%M"
offset = "+02:00"

[author]
id = "/user/id"
handle = "/user/name"
followers = "/user/followers"
verified = "/user/blue"

[counts]
likes = "/n/likes"
comments = "/n/comments"

[media]
images = "/post/pictures/*/url"
videos = "/post/video"

[places]
tagged = "/post/place"
latitude = "/post/at/0"
longitude = "/post/at/1"
"#;

const LINE: &str = r##"{"post":{"id":3123724930722523505,"caption":"red #dress by @miu.miu","link":"https://example.com/p/1","lang":"en","time":"01.05.2026 14:30","shared":{"id":"9"},"pictures":[{"url":"https://cdn.example.com/x/a.jpg?sig=1"},{"url":"b.jpg"},{"url":"missing.jpg"}],"video":"https://cdn.example.com/v.mp4","place":"Paris, France","at":[48.85,"2.35"]},"user":{"id":7,"name":"@zoe","followers":"1.2亿","blue":true},"n":{"likes":31,"comments":-1},"seen":1777800000}"##;

fn place(mapping: &str, content: &str) -> (tempfile::TempDir, std::path::PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("dump.jsonl");
    std::fs::write(&data, content).unwrap();
    std::fs::write(folder.path().join("dump.mapping.toml"), mapping).unwrap();
    std::fs::write(folder.path().join("b.jpg"), b"picture").unwrap();
    (folder, data)
}

#[tokio::test]
async fn each_field_comes_from_where_the_mapping_says() {
    let bad = r#"{"post":{"caption":"no id"}}"#;
    let (_folder, data) = place(MAPPING, &format!("{LINE}\n{bad}\n"));
    let (posts, unreadable) = read(&data, "vendor").await;
    let post = &posts[0];
    assert_eq!(post.id.to_string(), "instagram:3123724930722523505");
    assert_eq!(post.text, "red #dress by @miu.miu");
    assert_eq!(post.hashtags, ["dress"]);
    assert_eq!(post.mentions, ["miu.miu"]);
    assert_eq!(
        post.published_at,
        Some("2026-05-01T12:30:00Z".parse().unwrap())
    );
    assert_eq!(post.collected_at.as_second(), 1_777_800_000);
    assert_eq!(post.repost_of.as_ref().unwrap().to_string(), "instagram:9");
    let author = post.author.as_ref().unwrap();
    assert_eq!(
        (author.handle.as_deref(), author.followers),
        (Some("zoe"), Some(120_000_000))
    );
    assert_eq!(author.verified, Some(true));
    assert_eq!((post.counts.likes, post.counts.comments), (Some(31), None));
    let media: Vec<_> = post.media.iter().map(|m| (m.id.as_str(), m.kind)).collect();
    assert_eq!(
        media,
        [
            ("a.jpg", MediaKind::Image),
            ("b.jpg", MediaKind::Image),
            ("v.mp4", MediaKind::Video)
        ]
    );
    assert!(
        post.media[1]
            .url
            .as_deref()
            .unwrap()
            .starts_with("file:///")
    );
    let tagged = post.places.tagged.as_ref().unwrap();
    assert_eq!(
        (tagged.name.as_str(), tagged.longitude),
        ("Paris, France", Some(2.35))
    );
    assert_lossless(&posts);
    assert_eq!(
        unreadable[0].reason,
        "there is no id where the mapping says"
    );
}

#[tokio::test]
async fn the_columns_of_a_table_are_fields() {
    let mapping: Mapping = "platform = 'weibo'\nid = '/Number'\ntext = '/Words'"
        .parse()
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("table.csv");
    std::fs::write(
        &data,
        "\u{feff}Number,Words\n1,\"two\nlines\"\n\n2,b,extra\n",
    )
    .unwrap();
    let archive = Archive::builder(&data).mapping(mapping).build().unwrap();
    let texts: Vec<String> = items(&archive)
        .await
        .into_iter()
        .map(|item| match item {
            heurpipe_core::Incoming::Post(post) => post.text,
            other => panic!("no post: {other:?}"),
        })
        .collect();
    assert_eq!(texts, ["two\nlines", "b"]);
}

#[test]
fn a_mapping_that_is_wrong_says_what_and_where() {
    for (wrong, told) in [
        ("platform = 'x'", "missing field `id`"),
        ("platform = 'x'\nid = 'id'", "a pointer begins with /"),
        (
            "platform = 'x'\nid = '/id'\ncaption = '/c'",
            "unknown field `caption`",
        ),
        ("platform = ''\nid = '/id'", "the platform is a word"),
        (
            "platform = 'x'\nid = '/id'\n[times]\noffset = 'east'",
            "no offset such as +08:00",
        ),
    ] {
        let (_folder, data) = place(wrong, LINE);
        let error = detect::open(&data).err().unwrap();
        assert_eq!(error.kind(), ErrorKind::Config);
        let chain = error.chain().join(": ");
        assert!(chain.contains(told), "{chain}");
        assert!(error.to_string().contains("dump.mapping.toml"), "{error}");
    }
}
