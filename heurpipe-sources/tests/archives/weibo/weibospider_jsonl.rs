//! nghuyong/WeiboSpider.

use heurpipe_core::{MediaKind, Platform};

use crate::support::{assert_conforms, assert_lossless, fixture, post, read};

const FORMAT: &str = "weibo_spider_jsonl";

#[tokio::test]
async fn lines_become_posts() {
    let (posts, unreadable) = read(fixture(FORMAT), FORMAT).await;
    assert_eq!(posts.len(), 2);
    let dress = post(&posts, "4829255386537989");
    assert_eq!(dress.text, "今天的 #春夏穿搭# 是一条红色连衣裙 @时尚小助手");
    assert_eq!(dress.hashtags, ["春夏穿搭"]);
    assert_eq!(dress.mentions, ["时尚小助手"]);
    assert_eq!(
        dress.published_at,
        Some("2022-10-27T10:47:50Z".parse().unwrap())
    );
    assert_eq!(dress.collected_at.as_second(), 1_666_869_049);
    assert_eq!(dress.counts.likes, Some(80));
    let ids: Vec<_> = dress
        .media
        .iter()
        .map(|medium| medium.id.as_str())
        .collect();
    assert_eq!(ids, ["0072aaaagy1h7xyz", "0072aaaagy1h7xyy"]);
    assert_eq!(
        dress.media[0].url.as_deref(),
        Some("https://wx1.sinaimg.cn/orj960/0072aaaagy1h7xyz.jpg")
    );
    let author = dress.author.as_ref().unwrap();
    assert_eq!(author.handle.as_deref(), Some("云朵衣橱"));
    assert_eq!(author.verified, Some(true));
    assert_eq!(dress.places.ip_region.as_ref().unwrap().name, "云南");

    let repost = post(&posts, "4762810834227120");
    assert_eq!(
        repost.repost_of,
        Some("weibo:4607741009594608".parse().unwrap())
    );
    assert_eq!(repost.counts.likes, Some(1_000_000));
    assert_eq!(repost.media[0].kind, MediaKind::Video);
    let place = repost.places.tagged.as_ref().unwrap();
    assert_eq!(
        (place.name.as_str(), place.latitude),
        ("静安寺", Some(31.23))
    );
    assert_lossless(&posts);

    let reasons: Vec<_> = unreadable.iter().map(|item| item.reason.as_str()).collect();
    assert_eq!(reasons[0], "it has no id");
    assert!(reasons[1].starts_with("the line is no JSON"), "{reasons:?}");
    assert!(
        unreadable[0].place.ends_with("tweets.jsonl:4"),
        "{}",
        unreadable[0].place
    );
}

#[tokio::test]
async fn it_conforms() {
    assert_conforms(&fixture(FORMAT), Platform::weibo()).await;
}
