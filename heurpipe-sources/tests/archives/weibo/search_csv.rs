//! dataabc/weibo-search.

use heurpipe_core::{Platform, Precision};

use crate::support::{assert_conforms, assert_lossless, fixture, post, read};

const FORMAT: &str = "weibo_search_csv";

#[tokio::test]
async fn rows_become_posts() {
    let (posts, unreadable) = read(fixture(FORMAT), FORMAT).await;
    assert_eq!(posts.len(), 2);
    let dress = post(&posts, "4829255386537989");
    assert_eq!(dress.hashtags, ["春夏穿搭"]);
    assert_eq!(dress.mentions, ["时尚小助手"]);
    assert_eq!(
        dress.published_at,
        Some("2022-10-27T10:47:00Z".parse().unwrap())
    );
    assert_eq!(dress.published_within, Some(Precision::Minute));
    let counts = (
        dress.counts.likes,
        dress.counts.comments,
        dress.counts.reposts,
    );
    assert_eq!(counts, (Some(80), Some(12), Some(3)));
    let places = [&dress.places.tagged, &dress.places.ip_region];
    let names = places.map(|place| place.as_ref().unwrap().name.as_str());
    assert_eq!(names, ["上海·静安寺", "云南"]);
    let author = dress.author.as_ref().unwrap();
    assert_eq!(
        (author.id.as_deref(), author.verified),
        (Some("7200000001"), Some(true))
    );
    assert_eq!(
        dress.permalink.as_deref(),
        Some("https://weibo.com/7200000001/Mch46rqPr")
    );
    let ids: Vec<_> = dress
        .media
        .iter()
        .map(|medium| medium.id.as_str())
        .collect();
    assert_eq!(ids, ["0072aaaagy1h7xyz", "0072aaaagy1h7xyy"]);

    let repost = post(&posts, "4762810834227120");
    assert_eq!(
        repost.repost_of,
        Some("weibo:4607741009594608".parse().unwrap())
    );
    assert_eq!(repost.author.as_ref().unwrap().verified, Some(false));
    assert_eq!(repost.counts.likes, Some(12_000));
    assert_eq!(repost.media[0].id, "abc.mp4");
    assert_lossless(&posts);

    let reasons: Vec<_> = unreadable.iter().map(|item| item.reason.as_str()).collect();
    assert_eq!(reasons, ["it has no id"]);
}

#[tokio::test]
async fn it_conforms() {
    assert_conforms(&fixture(FORMAT), Platform::weibo()).await;
}
