//! Chilfish/Weibo-archiver.

use heurpipe_core::Platform;

use crate::support::{assert_conforms, assert_lossless, fixture, post, read};

const FORMAT: &str = "weibo_archiver_json";

#[tokio::test]
async fn entries_become_posts() {
    let (posts, unreadable) = read(fixture(FORMAT), FORMAT).await;
    assert_eq!(posts.len(), 3);
    let repost = post(&posts, "4762810834227120");
    assert_eq!(repost.text, "#春夏穿搭# 看这条 @时尚小助手");
    assert_eq!(repost.hashtags, ["春夏穿搭"]);
    assert_eq!(
        repost.published_at,
        Some("2022-04-27T02:16:13Z".parse().unwrap())
    );
    let counts = (
        repost.counts.likes,
        repost.counts.comments,
        repost.counts.reposts,
    );
    assert_eq!(counts, (Some(80), Some(12), Some(3)));
    assert_eq!(repost.places.ip_region.as_ref().unwrap().name, "上海");
    assert_eq!(repost.media[0].id, "0072aaaagy1h7xyz");
    assert_eq!(
        repost.author.as_ref().unwrap().id.as_deref(),
        Some("7200000001")
    );
    assert!(repost.raw[FORMAT].as_str().contains("一篇文章"));

    let original = post(&posts, "4607741009594608");
    assert_eq!(repost.repost_of.as_ref(), Some(&original.id));
    let author = original.author.as_ref().unwrap();
    assert_eq!(
        (author.id.as_deref(), author.handle.as_deref()),
        (Some("7200000002"), Some("米兰旧衣"))
    );
    assert!(original.places.is_empty());

    // By the names of older versions.
    let old = post(&posts, "4507248226841614");
    assert_eq!(old.counts.likes, Some(3));
    assert_eq!(
        old.published_at,
        Some("2020-05-20T05:14:00Z".parse().unwrap())
    );
    assert_lossless(&posts);

    let wrong: Vec<_> = unreadable
        .iter()
        .map(|item| item.place.rsplit(':').next().unwrap())
        .collect();
    assert_eq!(wrong, ["[1].retweet", "[2]"]);
}

#[tokio::test]
async fn it_conforms() {
    assert_conforms(&fixture(FORMAT), Platform::weibo()).await;
}
