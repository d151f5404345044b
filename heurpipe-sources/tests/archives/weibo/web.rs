//! Captures of the network's pages.

use heurpipe_core::{MediaKind, Platform, Post, Precision};
use heurpipe_sources::archive::Archive;

use crate::support::{Contents, assert_conforms, assert_lossless, contents, fixture, found, post};

const MOBILE: &str = "weibo_mobile_json";
const AJAX: &str = "weibo_ajax_json";
/// Half past eight in China.
const CAPTURED: &str = "2022-10-27T12:30:00Z";

async fn captured(format: &str) -> Contents {
    let archive = Archive::builder(fixture(format))
        .collected_at(CAPTURED.parse().unwrap())
        .build()
        .unwrap();
    assert_eq!(found(&archive), format);
    contents(&archive).await
}

#[tokio::test]
async fn cards_become_posts() {
    let contents = captured(MOBILE).await;
    let posts = &contents.posts;
    assert_eq!(posts.len(), 7);
    let dress = post(posts, "4829255386537989");
    assert_eq!(
        dress.text,
        "今天的 #春夏穿搭# 是一条红色连衣裙[心]\n@时尚小助手 A&B"
    );
    assert_eq!(dress.hashtags, ["春夏穿搭"]);
    assert_eq!(dress.mentions, ["时尚小助手"]);
    assert_eq!(time(dress), ("2022-10-27T10:47:50Z".to_owned(), None));
    assert_eq!(dress.counts.likes, Some(1_000_000));
    let author = dress.author.as_ref().unwrap();
    assert_eq!(author.id.as_deref(), Some("7200000001"));
    assert_eq!(
        (author.followers, author.verified),
        (Some(1_234_000), Some(true))
    );
    assert_eq!(
        dress.permalink.as_deref(),
        Some("https://weibo.com/7200000001/Mch46rqPr")
    );
    let places = &dress.places;
    assert_eq!(places.declared, None);
    assert_eq!(places.ip_region.as_ref().unwrap().name, "云南");
    let tagged = places.tagged.as_ref().unwrap();
    // What stands under `geo` of a picture is its size.
    assert_eq!(
        (tagged.name.as_str(), tagged.latitude),
        ("上海·静安寺", None)
    );
    assert_eq!(
        media(dress),
        [
            ("0072aaaagy1h7xyz", MediaKind::Image, Some(871)),
            ("0072aaaagy1h7xyy", MediaKind::Image, Some(1080)),
            ("000x.mov", MediaKind::Video, None),
            ("0072aaaagy1h7xyv", MediaKind::Thumbnail, None),
            ("clip.mp4", MediaKind::Video, None)
        ]
    );
    assert_eq!(
        dress.media[0].url.as_deref(),
        Some("https://wx1.sinaimg.cn/large/0072aaaagy1h7xyz.jpg")
    );
    let payload = dress.raw[MOBILE].as_str();
    assert!(
        payload.starts_with('{') && payload.contains("edit_count") && !payload.contains("cards")
    );

    let original = post(posts, "4607741009594608");
    assert_eq!(
        media(original),
        [
            ("0072bbbbgy1g1abc", MediaKind::Thumbnail, None),
            ("abc.mp4", MediaKind::Video, None)
        ]
    );
    assert_eq!(
        original.media[1].url_expires_at.unwrap().as_second(),
        1_666_871_270
    );
    assert_eq!(
        time(original),
        ("2021-02-20T16:00:00Z".to_owned(), Some(Precision::Day))
    );
    let repost = post(posts, "4762810834227120");
    assert_eq!(repost.repost_of.as_ref(), Some(&original.id));
    let whole = post(posts, "4829255386537990");
    assert_eq!(whole.text, "开头\n和结尾");
    assert_eq!(media(whole)[1].0, "000y.mov");
    assert_lossless(posts);
}

#[tokio::test]
async fn times_are_reckoned_from_the_capture() {
    let contents = captured(MOBILE).await;
    for (id, published, within) in [
        (
            "4507248226841614",
            "2022-10-27T12:26:00Z",
            Precision::Minute,
        ),
        ("4303456789012346", "2022-10-27T09:30:00Z", Precision::Hour),
        (
            "4762810834227120",
            "2022-10-26T12:15:00Z",
            Precision::Minute,
        ),
        ("4303456789012345", "2022-10-25T16:00:00Z", Precision::Day),
    ] {
        let post = post(&contents.posts, id);
        assert_eq!(time(post), (published.to_owned(), Some(within)), "{id}");
    }
    // The link that unfolds a cut text is no part of it.
    assert_eq!(
        post(&contents.posts, "4507248226841614").text,
        "很长的文字..."
    );
}

#[tokio::test]
async fn what_the_network_answers_instead_is_said() {
    let contents = captured(MOBILE).await;
    let wrong: Vec<_> = contents
        .unreadable
        .iter()
        .map(|item| (item.place.rsplit('/').next().unwrap(), item.reason.as_str()))
        .collect();
    assert_eq!(
        wrong,
        [
            (
                "crowded.json",
                "the network has refused: 前方有点拥堵，请登录后使用"
            ),
            ("forbidden.json", "the network has refused: Forbidden"),
            ("page1.json:data.cards[3]", "not an object"),
            ("page1.json:data.cards[2].mblog", "it has no id"),
            ("page1.json:data.cards[4].mblog", "its time is none: soon"),
            ("unknown.json", "the network has refused: 该微博不存在"),
            (
                "wall.json",
                "the network has refused: https://passport.weibo.com/sso/signin"
            ),
        ]
    );
    let gone: Vec<_> = contents.gone.iter().map(|id| &*id.native).collect();
    assert_eq!(gone, ["4607741009594610", "4383183661430868"]);
    // One says which post was removed, the other does not.
    let of_gone = post(&contents.posts, "4303456789012345");
    assert_eq!(
        of_gone.repost_of,
        Some("weibo:4383183661430868".parse().unwrap())
    );
    assert_eq!(post(&contents.posts, "4303456789012346").repost_of, None);
}

#[tokio::test]
async fn pages_of_the_site_become_posts() {
    let contents = captured(AJAX).await;
    let posts = &contents.posts;
    assert_eq!(posts.len(), 5);
    let dress = post(posts, "4829255386537989");
    assert_eq!(
        dress.text,
        "今天的 #春夏穿搭# 是一条红色连衣裙 @时尚小助手 http://t.cn/A6x"
    );
    assert_eq!(dress.hashtags, ["春夏穿搭", "旧衣"]);
    assert_eq!(dress.counts.likes, Some(12_000));
    let tagged = dress.places.tagged.as_ref().unwrap();
    assert_eq!(
        (tagged.name.as_str(), tagged.latitude, tagged.longitude),
        ("上海·静安寺", Some(31.23), Some(121.47))
    );
    assert_eq!(dress.places.ip_region.as_ref().unwrap().name, "上海");
    assert_eq!(
        media(dress),
        [
            ("0072aaaagy1h7xyz", MediaKind::Image, Some(1500)),
            ("0072aaaagy1h7xya", MediaKind::Image, Some(1500)),
            ("000x.mov", MediaKind::Video, None)
        ]
    );
    assert!(dress.raw[AJAX].as_str().contains("continue_tag"));

    let original = post(posts, "4607741009594608");
    assert_eq!(
        post(posts, "4762810834227120").repost_of.as_ref(),
        Some(&original.id)
    );
    assert_eq!(original.places.declared.as_ref().unwrap().name, "广东 广州");
    assert_eq!(
        media(original),
        [
            ("0072bbbbgy1g1abc", MediaKind::Thumbnail, None),
            ("abc.mp4", MediaKind::Video, None),
            ("0072bbbbgy1g1abd", MediaKind::Image, Some(1500))
        ]
    );
    assert_eq!(media(post(posts, "4829255386537990"))[1].0, "show.mp4");
    assert_eq!(post(posts, "4829255386537991").text, "时间线");
    assert_lossless(posts);

    // Three advertisements are passed over; what only its author may see is not public.
    assert_eq!(contents.gone, ["weibo:4303456789012349".parse().unwrap()]);
    let wrong: Vec<_> = contents
        .unreadable
        .iter()
        .map(|item| item.place.rsplit(':').next().unwrap())
        .collect();
    assert_eq!(wrong, ["data.list[6]", "data.list[7]"]);
}

#[tokio::test]
async fn they_conform() {
    assert_conforms(&fixture(MOBILE), Platform::weibo()).await;
    assert_conforms(&fixture(AJAX), Platform::weibo()).await;
}

fn media(post: &Post) -> Vec<(&str, MediaKind, Option<u32>)> {
    post.media
        .iter()
        .map(|medium| (medium.id.as_str(), medium.kind, medium.width))
        .collect()
}

fn time(post: &Post) -> (String, Option<Precision>) {
    (
        post.published_at.unwrap().to_string(),
        post.published_within,
    )
}
