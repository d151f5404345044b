#![allow(clippy::unwrap_used)]

use heurpipe_core::MediaKind;

use super::*;
use crate::instagram::samples;

/// A payload as it is kept.
fn on_one_line(json: &str) -> String {
    json.replace('\n', " ")
}

fn setting(account: Option<&AccountSeen>) -> Setting<'_> {
    Setting {
        call: "graph.hashtag",
        account,
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
    assert_eq!(post.raw["graph.hashtag"].as_str(), on_one_line(ALBUM));
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

fn account(answer: &str) -> AccountSeen {
    let payload: Box<RawValue> = serde_json::from_str(answer).unwrap();
    let account: Account = lenient::object(&payload).unwrap();
    AccountSeen::new(&account, "graph.user", &payload)
}

const BRAND: &str =
    r#"{"username":"Brand","name":"The Brand","followers_count":4096,"id":"17841401441775531"}"#;

#[test]
fn the_account_of_an_answer_is_the_author() {
    let seen = account(BRAND);
    let item: Box<RawValue> = serde_json::from_str(r#"{"id":"1"}"#).unwrap();
    let post = post(&item, &setting(Some(&seen))).unwrap();
    let author = post.author.unwrap();
    assert_eq!(author.handle.as_deref(), Some("brand"));
    assert_eq!(author.id.as_deref(), Some("graph:17841401441775531"));
    assert_eq!(author.followers, Some(4096));
    assert_eq!(post.raw["graph.user"].as_str(), BRAND);
}

#[test]
fn a_shared_post_is_by_whoever_wrote_it() {
    let seen = account(BRAND);
    let by = |username: &str| {
        let item = format!(r#"{{"id":"1","username":"{username}","owner":{{"id":"7"}}}}"#);
        let item: Box<RawValue> = serde_json::from_str(&item).unwrap();
        post(&item, &setting(Some(&seen))).unwrap()
    };
    assert_eq!(by("brand").author, Some(seen.author.clone()));
    let shared = by("Guest");
    let author = shared.author.unwrap();
    assert_eq!(author.handle.as_deref(), Some("guest"));
    assert_eq!(author.id.as_deref(), Some("graph:7"));
    assert_eq!(author.followers, None);
    assert_eq!(
        shared.raw.len(),
        1,
        "the account's payload is of somebody else"
    );
}

#[test]
fn what_is_of_an_unknown_type_is_taken_for_a_picture() {
    let json = r#"{"id":"1","media_type":"HOLOGRAM","media_url":"https://cdn/a_n.jpg"}"#;
    let post = read(json).unwrap();
    assert_eq!(post.media[0].kind, MediaKind::Image);
    assert!(post.raw["graph.hashtag"].as_str().contains("HOLOGRAM"));
    assert!(
        read(r#"{"id":"1","media_type":"HOLOGRAM"}"#)
            .unwrap()
            .media
            .is_empty()
    );
}

#[test]
fn media_have_distinct_ids_in_the_order_of_the_album() {
    let post = read(
        r#"{"id":"1","media_type":"CAROUSEL_ALBUM","children":{"data":[
            {"id":"13","media_url":"https://cdn/b.jpg"},{"id":"12","media_url":"https://cdn/a.jpg"},
            {"id":"11","media_url":"https://cdn/b.jpg?x=2"},{"media_url":"https://cdn/b.jpg?x=3"},
            {"media_url":"https://cdn/b.jpg?x=4"}]}}"#,
    )
    .unwrap();
    let ids: Vec<_> = post.media.iter().map(|medium| medium.id.as_str()).collect();
    assert_eq!(ids, ["b.jpg", "a.jpg", "graph:11", "graph:", "graph::4"]);
}

#[test]
fn counts_that_only_own_media_tell() {
    let post = read(r#"{"id":"1","view_count":7,"reposts_count":"2","shares_count":5}"#).unwrap();
    assert_eq!(post.counts.views, Some(7));
    assert_eq!(post.counts.reposts, Some(2));
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
    let Some(folder) = samples::folder() else {
        return;
    };
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
    let media: Vec<_> = album.media.iter().map(|medium| &medium.url).collect();
    assert_eq!(
        media,
        [
            &Some("<media url 1>".to_owned()),
            &Some("<media url 2>".to_owned())
        ]
    );
    assert_eq!(
        album.published_at,
        Some("2018-02-22T10:40:45Z".parse().unwrap())
    );
}

#[cfg(feature = "ndjson")]
/// Every recorded payload of a medium and of an account: what is stored holds it byte for byte, and is the same after it was written and read.
#[test]
fn recorded_payloads_lose_nothing() {
    use heurpipe_core::{Incoming, Record};

    use crate::ndjson;

    let Some(folder) = samples::folder() else {
        return;
    };
    let text = |name: &str| std::fs::read_to_string(folder.join(name)).unwrap();
    let seen = account(text("user.json").trim());
    let mention = text("mentioned-media.json");
    let mention: crate::instagram::wire::Mentioned = serde_json::from_str(&mention).unwrap();
    for item in [
        text("media-image.json"),
        text("media-carousel.json"),
        text("igmedia-cci.json"),
        mention.mentioned_media.get().to_owned(),
    ] {
        let payload: Box<RawValue> = serde_json::from_str(&item).unwrap();
        assert_eq!(payload.get(), item.trim());
        let mut anonymous: serde_json::Value = serde_json::from_str(&item).unwrap();
        anonymous.as_object_mut().unwrap().remove("username");
        let anonymous: Box<RawValue> = serde_json::value::to_raw_value(&anonymous).unwrap();
        for (payload, setting) in [
            (&payload, setting(None)),
            (&anonymous, setting(Some(&seen))),
        ] {
            let post = post(payload, &setting).unwrap();
            assert_eq!(
                post.raw["graph.hashtag"].as_str(),
                on_one_line(payload.get())
            );
            if setting.account.is_some() {
                let account = post.raw["graph.user"].as_str();
                assert_eq!(account, on_one_line(text("user.json").trim()));
                assert_eq!(post.author.as_ref().unwrap().followers, Some(10));
            }
            let record = Record::new(post);
            let line = ndjson::to_line(&record).unwrap();
            let Incoming::Record(again) = ndjson::from_line(&line).unwrap() else {
                panic!("not a record: {line}");
            };
            assert_eq!(*again, record);
        }
    }
}
