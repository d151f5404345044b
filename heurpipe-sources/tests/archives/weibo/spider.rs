//! dataabc/weiboSpider and what has taken its form over.

use heurpipe_core::{MediaKind, Platform, Post, Precision};

use crate::support::{assert_conforms, assert_lossless, fixture, post, read, sample};

const JSON: &str = "weibo_spider_json";
const CSV: &str = "weibo_spider_csv";
const SUPER: &str = "weibo_superspider_csv";
const TXT: &str = "weibo_spider_txt";

#[tokio::test]
async fn json_becomes_posts() {
    // The text of the same run, beside it, is passed over.
    let (posts, unreadable) = read(fixture(JSON), "weibo_spider_json, weibo_spider_txt").await;
    assert_eq!(posts.len(), 2);
    let dress = post(&posts, "4607741009594608");
    assert_is_the_dress(dress);
    let author = dress.author.as_ref().unwrap();
    assert_eq!(author.handle.as_deref(), Some("云朵衣橱"));
    assert_eq!(
        (author.followers, author.verified),
        (Some(66_395), Some(true))
    );
    assert_eq!(dress.places.declared.as_ref().unwrap().name, "上海");
    assert!(
        url(dress, 0).ends_with("/img/20210221%20_K3fnuEfZK_1.jpg"),
        "{}",
        url(dress, 0)
    );
    assert_eq!(
        url(dress, 1),
        "http://wx2.sinaimg.cn/large/0072aaaagy1h7xyy.jpg"
    );
    assert!(
        dress.raw["weibo_spider_json.user"]
            .as_str()
            .contains("旧衣新穿")
    );
    assert_is_the_repost(post(&posts, "4762810834227120"));
    assert_lossless(&posts);
    let reasons: Vec<_> = unreadable.iter().map(|item| item.reason.as_str()).collect();
    assert_eq!(reasons, ["it has no id", "its id is none: not-an-id"]);
}

#[tokio::test]
async fn csv_becomes_posts() {
    let (posts, unreadable) = read(fixture(CSV), CSV).await;
    assert_eq!(posts.len(), 2);
    assert_is_the_dress(post(&posts, "4607741009594608"));
    assert_is_the_repost(post(&posts, "4762810834227120"));
    assert_lossless(&posts);
    let reasons: Vec<_> = unreadable.iter().map(|item| item.reason.as_str()).collect();
    assert_eq!(reasons, ["it has no id", "its id is none: not-an-id"]);
}

#[tokio::test]
async fn nine_columns_become_posts() {
    let (posts, unreadable) = read(fixture(SUPER), SUPER).await;
    assert_eq!((posts.len(), unreadable.len()), (2, 0));
    assert_is_the_dress(post(&posts, "4607741009594608"));
    assert_lossless(&posts);
}

#[tokio::test]
async fn text_becomes_posts() {
    let (posts, unreadable) = read(fixture(TXT), TXT).await;
    let texts: Vec<_> = posts.iter().map(|post| post.text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "#春夏穿搭# 红色连衣裙 @时尚小助手\n\n第二段: 布料",
            "好看的裙子",
            "第二次运行",
            "3:2 是比分",
            "好听诶"
        ]
    );
    let dress = &posts[0];
    assert!(
        dress.id.native.starts_with("txt:7200000001:"),
        "{}",
        dress.id
    );
    assert_eq!(dress.published_within, Some(Precision::Minute));
    assert_eq!(
        dress.published_at,
        Some("2021-02-21T12:40:00Z".parse().unwrap())
    );
    let counts = (
        dress.counts.likes,
        dress.counts.comments,
        dress.counts.reposts,
    );
    assert_eq!(counts, (Some(715), Some(64), Some(115)));
    assert_eq!(dress.places.tagged.as_ref().unwrap().name, "上海·静安寺");
    let followers: Vec<_> = posts
        .iter()
        .map(|post| post.author.as_ref().unwrap().followers)
        .collect();
    assert_eq!(
        followers,
        [66_395, 66_395, 66_400, 163_156, 163_156].map(Some)
    );
    assert!(posts[1].raw[TXT].as_str().contains("转发内容: 一条牛仔裤"));
    assert_eq!(posts[4].counts.reposts, Some(13));
    assert_lossless(&posts);
    assert_eq!(unreadable[0].reason, "it has no time");
    assert_eq!(unreadable.len(), 1);
}

#[tokio::test]
async fn a_real_file_is_read_without_loss() {
    let Some(path) = sample("weibo-csv/1676317545.csv") else {
        return;
    };
    let rows = std::fs::read_to_string(&path).unwrap();
    let mut rows = csv::ReaderBuilder::new()
        .flexible(true)
        .from_reader(rows.as_bytes());
    let rows: Vec<_> = rows
        .records()
        .map(Result::unwrap)
        .filter(|row| !row[0].is_empty())
        .collect();
    let (posts, unreadable) = read(&path, SUPER).await;
    assert_eq!((posts.len(), unreadable.len()), (rows.len(), 0));
    let first = &posts[0];
    assert_eq!(&*first.id.native, "4405923898359901");
    for (row, post) in rows.iter().zip(&posts) {
        assert!(
            row[1].contains(&post.text),
            "{}: {:?} of {:?}",
            post.id,
            post.text,
            &row[1]
        );
        let pictures = row[2].split(',').filter(|url| *url != "无").count();
        assert_eq!(post.media.len(), pictures, "{}", post.id);
        assert_eq!(post.counts.likes, row[6].parse().ok());
        assert_eq!(post.counts.reposts, row[7].parse().ok());
        assert_eq!(post.counts.comments, row[8].parse().ok());
        let minute = post
            .published_at
            .unwrap()
            .to_zoned(jiff::tz::TimeZone::fixed(jiff::tz::offset(8)));
        assert_eq!(minute.strftime("%Y-%m-%d %H:%M").to_string(), row[4].trim());
        assert_eq!(
            post.author.as_ref().unwrap().id.as_deref(),
            Some("1676317545")
        );
    }
    assert_lossless(&posts);
}

#[tokio::test]
async fn they_conform() {
    for format in [JSON, CSV, SUPER, TXT] {
        assert_conforms(&fixture(format), Platform::weibo()).await;
    }
}

fn assert_is_the_dress(dress: &Post) {
    assert_eq!(dress.text, "#春夏穿搭# 红色连衣裙 @时尚小助手");
    assert_eq!(dress.hashtags, ["春夏穿搭"]);
    assert_eq!(dress.mentions, ["时尚小助手"]);
    assert_eq!(
        dress.published_at,
        Some("2021-02-21T12:40:00Z".parse().unwrap())
    );
    assert_eq!(dress.published_within, Some(Precision::Minute));
    let counts = (
        dress.counts.likes,
        dress.counts.comments,
        dress.counts.reposts,
    );
    assert_eq!(counts, (Some(715), Some(64), Some(115)));
    assert_eq!(dress.places.tagged.as_ref().unwrap().name, "上海·静安寺");
    assert_eq!(
        dress.author.as_ref().unwrap().id.as_deref(),
        Some("7200000001")
    );
    assert_eq!(
        dress.permalink.as_deref(),
        Some("https://weibo.com/7200000001/K3fnuEfZK")
    );
    let ids: Vec<_> = dress
        .media
        .iter()
        .map(|medium| medium.id.as_str())
        .collect();
    assert_eq!(ids, ["0072aaaagy1h7xyz", "0072aaaagy1h7xyy"]);
}

fn assert_is_the_repost(repost: &Post) {
    assert_eq!(repost.text, "好看的裙子");
    assert_eq!(repost.places.tagged, None);
    let media: Vec<_> = repost
        .media
        .iter()
        .map(|medium| (medium.id.as_str(), medium.kind))
        .collect();
    assert_eq!(media, [("abc.mp4", MediaKind::Video)]);
    let payload: String = repost.raw.values().map(|raw| raw.as_str()).collect();
    assert!(payload.contains("一条牛仔裤") && payload.contains("0072bbbbgy1g1abc"));
}

fn url(post: &Post, index: usize) -> &str {
    post.media[index].url.as_deref().unwrap()
}
