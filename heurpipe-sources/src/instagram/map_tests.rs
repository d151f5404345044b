#![allow(clippy::unwrap_used)]

use std::path::PathBuf;

use heurpipe_core::{Author, MediaKind};

use super::*;

fn setting(author: Option<&Author>) -> Setting<'_> {
    Setting {
        call: "graph.hashtag",
        author,
        collected_at: "2026-05-02T00:00:00Z".parse().unwrap(),
    }
}

fn read(json: &str) -> Result<Post, String> {
    let item: Box<RawValue> = serde_json::from_str(json).unwrap();
    post(&item, &setting(None))
}

const ALBUM: &str = r##"{"id":"17880997618081620","caption":"look of the day #ootd @Brand","media_type":"CAROUSEL_ALBUM",
  "permalink":"https://www.instagram.com/p/CtZs0Y3v2lx/","timestamp":"2026-05-01T10:00:00+0000",
  "like_count":31,"comments_count":2,
  "children":{"data":[
    {"id":"17895695668004550","media_type":"IMAGE","media_url":"https://scontent.cdninstagram.com/v/x_n.jpg?oh=00_a&oe=6650F00D"},
    {"id":"17895695668004551","media_type":"VIDEO","media_url":"https://scontent.cdninstagram.com/v/y.mp4?oe=6650F00D",
     "thumbnail_url":"https://scontent.cdninstagram.com/v/y_n.jpg"},
    {"id":"17895695668004552","media_type":"VIDEO"}]}}"##;

#[test]
fn an_album_becomes_a_post_with_its_children() {
    let post = read(ALBUM).unwrap();
    assert_eq!(post.id.to_string(), "instagram:3123724930722523505");
    assert_eq!(
        post.aliases[0].to_string(),
        "instagram:graph:17880997618081620"
    );
    assert_eq!(post.text, "look of the day #ootd @Brand");
    assert_eq!(post.hashtags, ["ootd"]);
    assert_eq!(post.mentions, ["brand"]);
    assert_eq!(
        post.published_at,
        Some("2026-05-01T10:00:00Z".parse().unwrap())
    );
    assert_eq!(post.counts.likes, Some(31));
    assert_eq!(post.author, None, "hashtag answers never say who");
    let media: Vec<_> = post.media.iter().map(|m| (m.id.as_str(), m.kind)).collect();
    assert_eq!(
        media,
        [
            ("x_n.jpg", MediaKind::Image),
            ("y.mp4", MediaKind::Video),
            ("y_n.jpg", MediaKind::Thumbnail),
        ]
    );
    assert_eq!(
        post.media[0].url_expires_at,
        Some(Timestamp::from_second(0x6650_F00D).unwrap())
    );
    assert_eq!(post.raw["graph.hashtag"].as_str(), ALBUM);
}

#[test]
fn hidden_likes_are_absent_and_not_zero() {
    let post = read(r#"{"id":"1","comments_count":0}"#).unwrap();
    assert_eq!(post.counts.likes, None);
    assert_eq!(post.counts.comments, Some(0));
    assert_eq!(post.id.to_string(), "instagram:graph:1");
    assert!(post.aliases.is_empty());
}

#[test]
fn a_picture_has_one_id_whatever_its_query() {
    let id = |query: &str| {
        let json = format!(r#"{{"id":"1","media_url":"https://cdn/v/t51/a_n.jpg{query}"}}"#);
        read(&json).unwrap().media[0].id.clone()
    };
    assert_eq!(id("?oh=1&oe=6650F00D"), id("?oh=2&_nc_ohc=x"));
}

#[test]
fn the_account_of_a_discovery_is_the_author() {
    let answer = r#"{"username":"Brand","name":"The Brand","followers_count":4096,"id":"17841401441775531"}"#;
    let account: Account = serde_json::from_str(answer).unwrap();
    let author = author(&account, "brand");
    let item: Box<RawValue> = serde_json::from_str(r#"{"id":"1"}"#).unwrap();
    let post = post(&item, &setting(Some(&author))).unwrap();
    let author = post.author.unwrap();
    assert_eq!(author.handle.as_deref(), Some("brand"));
    assert_eq!(author.id.as_deref(), Some("graph:17841401441775531"));
    assert_eq!(author.followers, Some(4096));
}

#[test]
fn what_is_no_post_says_why() {
    assert_eq!(read(r#"{"caption":"x"}"#).unwrap_err(), "it has no id");
    assert!(read(r#"{"id":"1","timestamp":"yesterday"}"#).is_err());
    assert!(read(r#"[1]"#).unwrap_err().starts_with("not a medium"));
}

#[test]
fn a_token_never_reaches_the_stored_payload() {
    let post = read(r#"{"id":"1","next":"https://h/?access_token=EAAsecret&after=x"}"#).unwrap();
    let raw = post.raw["graph.hashtag"].as_str();
    assert!(!raw.contains("EAAsecret"), "{raw}");
    assert!(raw.contains("after=x"));
}

#[test]
fn recorded_payloads_are_read() {
    let Some(folder) = samples() else { return };
    let sample = |name: &str| {
        let text = std::fs::read_to_string(folder.join(name)).unwrap();
        read(&text).unwrap()
    };
    let image = sample("media-image.json");
    assert_eq!(image.id.to_string(), "instagram:123456789777");
    assert_eq!(
        image.author.unwrap().handle.as_deref(),
        Some("fake_username")
    );
    assert_eq!(image.counts.comments, Some(1));
    let album = sample("media-carousel.json");
    assert_eq!(album.media.len(), 2);
    assert_eq!(
        album.published_at,
        Some("2018-02-22T10:40:45Z".parse().unwrap())
    );
}

fn samples() -> Option<PathBuf> {
    let shared = std::env::var_os("HEURPIPE_SHARED").map_or_else(
        || PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared"),
        PathBuf::from,
    );
    let folder = shared.join("samples/instagram-graph");
    if folder.is_dir() {
        return Some(folder);
    }
    println!("skipped: no recorded payloads at {}", folder.display());
    None
}
