//! Kept answers of the Open API v2.

use heurpipe_core::Platform;
use heurpipe_sources::archive::Archive;

use crate::support::{assert_conforms, assert_lossless, contents, fixture, found, post};

const FORMAT: &str = "weibo_open_api";

#[tokio::test]
async fn statuses_become_posts() {
    let archive = Archive::open(fixture(FORMAT)).unwrap();
    assert_eq!(found(&archive), FORMAT);
    let contents = contents(&archive).await;
    assert_eq!(contents.posts.len(), 3);
    let dress = post(&contents.posts, "4507248226841614");
    assert_eq!(dress.text, "#春夏穿搭# 红色连衣裙");
    assert_eq!(
        dress.published_at,
        Some("2011-05-31T09:46:55Z".parse().unwrap())
    );
    assert_eq!(
        dress.repost_of,
        Some("weibo:4607741009594608".parse().unwrap())
    );
    assert_eq!(
        dress.media[0].url.as_deref(),
        Some("http://wx1.sinaimg.cn/large/0072aaaagy1h7xyz.jpg")
    );
    let place = dress.places.tagged.as_ref().unwrap();
    assert_eq!(
        (place.name.as_str(), place.latitude),
        ("静安寺", Some(31.23))
    );
    assert_eq!(dress.author.as_ref().unwrap().followers, Some(66_395));
    assert_eq!(post(&contents.posts, "4829255386537989").text, "单独一条");
    assert_lossless(&contents.posts);

    assert_eq!(contents.gone, ["weibo:4383183661430868".parse().unwrap()]);
    let wrong: Vec<_> = contents
        .unreadable
        .iter()
        .map(|item| (item.place.rsplit('/').next().unwrap(), item.reason.as_str()))
        .collect();
    assert_eq!(
        wrong,
        [
            ("home_timeline.json:statuses[2]", "it has no id"),
            (
                "home_timeline.json:statuses[3]",
                "its created_at is none: soon"
            )
        ]
    );
}

#[tokio::test]
async fn it_conforms() {
    assert_conforms(&fixture(FORMAT), Platform::weibo()).await;
}
