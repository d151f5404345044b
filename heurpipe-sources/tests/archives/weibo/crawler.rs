//! dataabc/weibo-crawler.

use heurpipe_core::{ErrorKind, MediaKind, Platform, Post, Precision};
use heurpipe_sources::archive::Archive;
use rusqlite::Connection;

use crate::support::{assert_conforms, assert_lossless, fixture, post, read};

const JSON: &str = "weibo_crawler_json";
const CSV: &str = "weibo_crawler_csv";
const SQLITE: &str = "weibo_crawler_sqlite";

#[tokio::test]
async fn json_becomes_posts() {
    let (posts, unreadable) = read(fixture(JSON), JSON).await;
    assert_eq!(posts.len(), 5);
    let dress = post(&posts, "4507248226841614");
    assert_is_the_dress(dress);
    assert_eq!(dress.author.as_ref().unwrap().followers, Some(66_395));
    assert_eq!(
        media(dress)[0],
        (
            "0072aaaagy1h7xyz",
            "https://wx1.sinaimg.cn/large/0072aaaagy1h7xyz.jpg"
        )
    );
    assert!(
        media(dress)[1]
            .1
            .ends_with("20200520T_4507248226841614_2.jpg")
    );
    assert!(media(dress)[1].1.starts_with("file:///"));
    assert_eq!(media(dress)[2].0, "000x.mov");
    assert!(
        media(dress)[2]
            .1
            .ends_with("20200520T_4507248226841614.mov")
    );
    assert!(
        dress.raw["weibo_crawler_json.user"]
            .as_str()
            .contains("信用极好")
    );
    assert!(dress.raw[JSON].as_str().contains("edit_count"));

    let jeans = post(&posts, "4383183661430868");
    assert_are_the_jeans(jeans);
    assert!(
        media(jeans)[0]
            .1
            .ends_with("20190614T_4383183661430868.gif")
    );
    let repost = post(&posts, "4607741009594608");
    assert_eq!(repost.repost_of.as_ref(), Some(&jeans.id));
    assert_eq!(repost.counts.likes, Some(12_000));

    let old = post(&posts, "4829255386537989");
    assert_eq!(at(old), "2022-10-26T16:00:00Z");
    assert_eq!(old.published_within, Some(Precision::Day));
    assert_eq!(old.repost_of, None);
    assert_lossless(&posts);

    let wrong: Vec<_> = unreadable
        .iter()
        .map(|item| (place(&item.place), item.reason.as_str()))
        .collect();
    assert_eq!(
        wrong,
        [
            ("weibo[3]", "it has no id"),
            ("weibo[4].retweet", "it has no id")
        ]
    );
}

#[tokio::test]
async fn csv_becomes_posts() {
    let (posts, unreadable) = read(fixture(CSV), CSV).await;
    assert_eq!(posts.len(), 5);
    let dress = post(&posts, "4507248226841614");
    assert_is_the_dress(dress);
    assert_eq!(dress.author.as_ref().unwrap().followers, Some(66_000));
    assert!(
        media(dress)[0]
            .1
            .ends_with("20200520T_4507248226841614_1.jpg")
    );

    let jeans = post(&posts, "4383183661430868");
    assert_are_the_jeans(jeans);
    let repost = post(&posts, "4607741009594608");
    assert_eq!(repost.repost_of.as_ref(), Some(&jeans.id));
    assert_eq!(repost.text, "转发微博");

    // An old file lacks columns, and its name says nobody.
    let old = post(&posts, "4303456789012345");
    assert_eq!(
        (old.counts.likes, old.published_within),
        (Some(5), Some(Precision::Day))
    );
    assert_eq!((old.author.as_ref(), old.permalink.as_ref()), (None, None));
    assert_lossless(&posts);

    let wrong: Vec<_> = unreadable.iter().map(|item| item.reason.as_str()).collect();
    assert_eq!(wrong, ["it has no id", "it has no id"]);
    assert!(
        unreadable[1].place.ends_with(".源微博"),
        "{}",
        unreadable[1].place
    );
}

#[tokio::test]
async fn a_database_becomes_posts() {
    let folder = tempfile::tempdir().unwrap();
    let path = database(folder.path());
    let picture = folder
        .path()
        .join("云朵衣橱/img/原创微博图片/20200520T_4507248226841614_1.jpg");
    std::fs::create_dir_all(picture.parent().unwrap()).unwrap();
    std::fs::write(picture, "not a picture").unwrap();
    let (posts, unreadable) = read(&path, SQLITE).await;
    assert_eq!((posts.len(), unreadable.len()), (4, 1));
    let dress = post(&posts, "4507248226841614");
    assert_is_the_dress(dress);
    assert!(
        media(dress)[0]
            .1
            .ends_with("20200520T_4507248226841614_1.jpg")
    );
    assert!(dress.raw[SQLITE].as_str().contains("旧衣新穿"));
    let jeans = post(&posts, "4383183661430868");
    assert_are_the_jeans(jeans);
    assert_eq!(jeans.places.declared, None);
    let repost = post(&posts, "4607741009594608");
    assert_eq!(repost.repost_of.as_ref(), Some(&jeans.id));
    assert_eq!(
        post(&posts, "4303456789012345").published_within,
        Some(Precision::Day)
    );
    assert_lossless(&posts);
    assert_conforms(&path, Platform::weibo()).await;
}

#[tokio::test]
async fn another_database_is_no_archive() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("other.db");
    let other = Connection::open(&path).unwrap();
    other
        .execute_batch("CREATE TABLE weibo (id, bid, content)")
        .unwrap();
    drop(other);
    let refused = Archive::open(&path).unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidInput);
}

#[tokio::test]
async fn they_conform() {
    assert_conforms(&fixture(JSON), Platform::weibo()).await;
    assert_conforms(&fixture(CSV), Platform::weibo()).await;
}

fn assert_is_the_dress(dress: &Post) {
    assert_eq!(dress.text, "#春夏穿搭# 红色连衣裙 @时尚小助手");
    assert_eq!(dress.hashtags, ["春夏穿搭", "旧衣"]);
    assert_eq!(dress.mentions, ["时尚小助手", "布料课"]);
    assert_eq!(
        (at(dress).as_str(), dress.published_within),
        ("2020-05-20T05:14:00Z", None)
    );
    let counts = (
        dress.counts.likes,
        dress.counts.comments,
        dress.counts.reposts,
    );
    assert_eq!(counts, (Some(1), Some(2), Some(3)));
    let author = dress.author.as_ref().unwrap();
    assert_eq!(author.id.as_deref(), Some("7200000001"));
    assert_eq!(author.handle.as_deref(), Some("云朵衣橱"));
    assert_eq!(
        dress.permalink.as_deref(),
        Some("https://weibo.com/7200000001/J32yGsHOC")
    );
    let places = &dress.places;
    let named = [&places.declared, &places.ip_region, &places.tagged]
        .map(|place| place.as_ref().unwrap().name.as_str());
    assert_eq!(named, ["上海 静安区", "上海", "上海·静安寺"]);
    let ids: Vec<_> = media(dress).iter().map(|(id, _)| *id).collect();
    assert_eq!(ids, ["0072aaaagy1h7xyz", "0072aaaagy1h7xyy", "000x.mov"]);
}

fn assert_are_the_jeans(jeans: &Post) {
    assert_eq!(jeans.text, "一条牛仔裤\n洗了十年[心]");
    let author = jeans.author.as_ref().unwrap();
    assert_eq!(
        (author.id.as_deref(), author.handle.as_deref()),
        (Some("7200000002"), Some("米兰旧衣"))
    );
    assert_eq!((author.followers, author.verified), (None, None));
    assert!(jeans.places.is_empty());
    assert_eq!(at(jeans), "2019-06-14T02:00:00Z");
    let kinds: Vec<_> = jeans
        .media
        .iter()
        .map(|medium| (medium.id.as_str(), medium.kind))
        .collect();
    assert_eq!(
        kinds,
        [
            ("0072bbbbgy1g1abc", MediaKind::Image),
            ("abc.mp4", MediaKind::Video),
            ("abd.mp4", MediaKind::Video)
        ]
    );
    assert_eq!(
        jeans.media[1].url_expires_at.unwrap().as_second(),
        1_613_914_810
    );
}

fn media(post: &Post) -> Vec<(&str, &str)> {
    post.media
        .iter()
        .map(|medium| (medium.id.as_str(), medium.url.as_deref().unwrap()))
        .collect()
}

fn at(post: &Post) -> String {
    post.published_at.unwrap().to_string()
}

fn place(full: &str) -> &str {
    full.rsplit(':').next().unwrap()
}

/// As the crawler makes it, with a row of an older version.
fn database(folder: &std::path::Path) -> std::path::PathBuf {
    let path = folder.join("weibodata.db");
    let database = Connection::open(&path).unwrap();
    database
        .execute_batch(
            r#"
            CREATE TABLE IF NOT EXISTS user (
                id varchar(20) NOT NULL, nick_name varchar(30), gender varchar(10), follower_count integer, follow_count integer,
                birthday varchar(10), location varchar(32), ip_location varchar(32), edu varchar(32), company varchar(32),
                reg_date DATETIME, main_page_url text, avatar_url text, bio text, PRIMARY KEY (id));
            CREATE TABLE IF NOT EXISTS weibo (
                id varchar(20) NOT NULL, bid varchar(12) NOT NULL, user_id varchar(20), screen_name varchar(30), text varchar(2000),
                article_url varchar(100), topics varchar(200), at_users varchar(1000), pics varchar(3000), video_url varchar(1000),
                live_photo_url varchar(1000), location varchar(100), created_at DATETIME, source varchar(30), attitudes_count INT,
                comments_count INT, reposts_count INT, retweet_id varchar(20), edited BOOLEAN DEFAULT 0, edit_count INT DEFAULT 0,
                PRIMARY KEY (id));
            CREATE TABLE IF NOT EXISTS bins (id integer PRIMARY KEY AUTOINCREMENT, ext varchar(10), data blob, weibo_id varchar(20),
                comment_id varchar(20), path text, url text);
            INSERT INTO user VALUES ('7200000001', '云朵衣橱', 'f', 66395, 250, '1998-03-02', '上海 静安区', 'IP属地：上海', '东华大学', '',
                '2010-02-01', 'https://m.weibo.cn/u/7200000001', 'https://tvax1.sinaimg.cn/a.jpg', '旧衣新穿');
            INSERT INTO weibo VALUES
                ('4507248226841614', 'J32yGsHOC', '7200000001', '云朵衣橱', '#春夏穿搭# 红色连衣裙 @时尚小助手', '', '春夏穿搭,旧衣', '时尚小助手,布料课',
                 'https://wx1.sinaimg.cn/large/0072aaaagy1h7xyz.jpg,https://wx2.sinaimg.cn/large/0072aaaagy1h7xyy.jpg', '',
                 'https://video.weibo.com/media/play?livephoto=https%3A%2F%2Fus.sinaimg.cn%2F000x.mov', '上海·静安寺', '2020-05-20 13:14:00',
                 'iPhone', 1, 2, 3, '', 1, 2),
                ('4607741009594608', 'K3fnuEfZK', '7200000001', '云朵衣橱', '转发微博', '', '', '', '', '', '', '', '2021-02-21 20:40:10',
                 'iPhone', 4, 5, 6, '4383183661430868', 0, 0),
                ('4303456789012345', 'H1rVsBOwp', '7200000001', '云朵衣橱', '旧文件', '', '', '', '', '', NULL, '', '2018-11-02', '', 5, 6, 7, '', 0, 0),
                ('', '', '7200000001', '云朵衣橱', 'no id', '', '', '', '', '', '', '', '2018-11-02', '', 5, 6, 7, '', 0, 0),
                ('4383183661430868', 'HyTZc60ew', '7200000002', '米兰旧衣', '一条牛仔裤' || char(10) || '洗了十年[心]', '', '', '',
                 'https://wx3.sinaimg.cn/large/0072bbbbgy1g1abc.gif',
                 'https://f.video.weibocdn.com/o0/abc.mp4?label=mp4_720p&Expires=1613914810;https://f.video.weibocdn.com/o0/abd.mp4?Expires=1613914810',
                 '', '', '2019-06-14T10:00:00', '', 10, 1, 1, '', 0, 0);
            "#,
        )
        .unwrap();
    path
}
