//! Statuses in every variant that the API is known to give: nothing of them is lost, neither on the way in nor in files of ours.

use heurpipe_core::{Checkpoint, Incoming, Post, Record};
use heurpipe_sources::ndjson::{from_line, to_line};

use crate::support::{answering, client, json, pages};

/// With all fields that are documented, of status and user.
const FULL: &str = r#"{"created_at":"Sat Mar 07 09:05:01 +0800 2026","id":5273412300000001,"mid":"5273412300000001","idstr":"5273412300000001",
 "text":"今天的#春夏穿搭# 和@林小满 \u200b","textLength":31,"isLongText":false,
 "source":"<a href=\"http://app.weibo.com/t/feed/abc\" rel=\"nofollow\">iPhone</a>","favorited":false,"truncated":false,"can_edit":false,"is_paid":false,
 "in_reply_to_status_id":"","in_reply_to_user_id":"","in_reply_to_screen_name":"",
 "pic_ids":["0064abcdgy1h000001","0064abcdgy1h000002"],
 "pic_urls":[{"thumbnail_pic":"http://wx3.sinaimg.cn/thumbnail/0064abcdgy1h000001.jpg"},{"thumbnail_pic":"http://wx4.sinaimg.cn/thumbnail/0064abcdgy1h000002.gif"}],
 "thumbnail_pic":"http://wx3.sinaimg.cn/thumbnail/0064abcdgy1h000001.jpg","bmiddle_pic":"http://wx3.sinaimg.cn/bmiddle/0064abcdgy1h000001.jpg","original_pic":"http://wx3.sinaimg.cn/large/0064abcdgy1h000001.jpg",
 "geo":{"type":"Point","coordinates":[31.230416,121.473701],"detail":{"poiid":"B2094654D069A6FA469B","title":"人民广场","type":"checkin","spot_type":"0"}},
 "annotations":[{"place":{"poiid":"B2094654D069A6FA469B","title":"上海·人民广场","type":"checkin","lon":"121.4737010","lat":"31.2304160"}},{"mapi_request":true}],
 "user":{"id":1600000001,"idstr":"1600000001","class":1,"screen_name":"衣橱日记","name":"衣橱日记","province":"31","city":"1","location":"上海 黄浦区","description":"每天一套","url":"",
  "profile_image_url":"https://tvax1.sinaimg.cn/crop.0.0.1/0064abcd.jpg?KID=imgbed,tva&Expires=1772856301&ssig=x","profile_url":"u/1600000001","domain":"","weihao":"","gender":"f",
  "followers_count":1204,"friends_count":447,"statuses_count":2908,"favourites_count":0,"created_at":"Fri Aug 28 00:00:00 +0800 2009","following":false,"verified":true,"verified_type":2,
  "verified_reason":"时尚博主","avatar_large":"","avatar_hd":"","geo_enabled":true,"bi_followers_count":12,"lang":"zh-cn","insecurity":{"sexual_content":false}},
 "reposts_count":3,"comments_count":2,"attitudes_count":41,"visible":{"type":0,"list_id":0},"mlevel":0,"userType":0,"biz_feature":0,"hot_weibo_tags":[],
 "text_tag_tips":[],"darwin_tags":[],"content_auth":0,"more_info_type":0,"region_name":"发布于 浙江"}"#;

/// A status with these fields beside its id and user.
fn with(fields: &str) -> String {
    format!(r#"{{"id":5273412300000002,"user":{{"id":1600000001}},{fields}}}"#)
}

fn variants() -> Vec<String> {
    let fields = [
        // Spellings of ids that contradict one another.
        r#""idstr":"5273412300000003","mid":5273412300000002"#,
        r#""text":"","source":"","pic_urls":[]"#,
        r#""text":null,"source":null,"pic_urls":null,"pic_ids":null,"visible":null,"user_ability":null"#,
        r#""pic_ids":["0064abcdgy1h000001"]"#,
        r#""original_pic":"http://ww2.sinaimg.cn/large/0064abcdgy1h000001.jpg""#,
        r#""geo":null,"annotations":[]"#,
        r#""geo":"","annotations":[{"mapi_request":true}]"#,
        r#""geo":{"type":"point","coordinates":[31.2304160000000013,121.47370100000001]}"#,
        r#""annotations":[{"place":{"poiid":"B1","title":"静安寺","type":"checkin","lon":121.4473,"lat":31.2235}}]"#,
        r#""isLongText":true,"text":"开头...全文""#,
        r#""reposts_count":"100万+","comments_count":"1.2万","attitudes_count":-1"#,
        r#""region_name":"发布于 日本""#,
        r#""deleted":"0","visible":{"type":"0","list_id":0}"#,
        r#""a_field_of_tomorrow":{"nested":[1,2.50,1e3,"\u4f60\/"]},"spaces" :  true"#,
        r#""retweeted_status":{"id":5273412300000000,"text":"原文","user":{"id":1600000002,"screen_name":"许半夏"}}"#,
        r#""retweeted_status":{"id":5273412300000000,"deleted":"1","text":"抱歉，此微博已被作者删除。"}"#,
        r#""retweeted_status":{"deleted":"1","text":"抱歉，此微博已被作者删除。"}"#,
    ];
    let mut variants: Vec<String> = fields.into_iter().map(with).collect();
    variants.push(FULL.to_owned());
    variants
}

/// What the client makes of a status, completing nothing.
async fn read(status: &str) -> Vec<Incoming> {
    let page = format!(r#"{{"statuses":[{status}],"next_cursor":0}}"#);
    let server = answering("statuses/home_timeline", json(&page)).await;
    let source = client(&server.uri())
        .home_timeline()
        .complete_texts(false)
        .build()
        .unwrap();
    let mut pages = pages(&source, "home", Checkpoint::default()).await;
    pages.remove(0).items
}

fn post_of(items: Vec<Incoming>) -> Post {
    match items.into_iter().last() {
        Some(Incoming::Post(post)) => *post,
        other => panic!("no post: {other:?}"),
    }
}

fn read_again(record: &Record) -> Record {
    let line = to_line(record).unwrap();
    assert!(
        !line.contains('\n')
            || record
                .post
                .raw
                .values()
                .any(|raw| raw.as_str().contains('\n'))
    );
    match from_line(&line).unwrap() {
        Incoming::Record(read) => *read,
        other => panic!("no record: {other:?}"),
    }
}

#[tokio::test]
async fn payloads_are_kept_byte_for_byte_but_for_line_breaks() {
    for status in variants() {
        let post = post_of(read(&status).await);
        assert_eq!(
            post.raw["weibo.timeline"].as_str(),
            status.replace('\n', " ")
        );
    }
}

#[tokio::test]
async fn records_come_back_from_a_line_as_they_were() {
    for status in variants() {
        for item in read(&status).await {
            if let Incoming::Post(post) = item {
                let record = Record::new(*post);
                assert_eq!(read_again(&record), record);
            }
        }
    }
}

#[tokio::test]
async fn every_mapped_field_is_where_it_belongs() {
    let post = post_of(read(FULL).await);
    assert_eq!(&*post.id.native, "5273412300000001");
    assert_eq!(post.text, "今天的#春夏穿搭# 和@林小满");
    assert_eq!(post.hashtags, ["春夏穿搭"]);
    assert_eq!(post.mentions, ["林小满"]);
    assert_eq!(
        post.published_at,
        Some("2026-03-07T01:05:01Z".parse().unwrap())
    );
    assert_eq!(
        (post.counts.likes, post.counts.comments, post.counts.reposts),
        (Some(41), Some(2), Some(3))
    );
    let author = post.author.as_ref().unwrap();
    assert_eq!(author.id.as_deref(), Some("1600000001"));
    assert_eq!(author.handle.as_deref(), Some("衣橱日记"));
    assert_eq!(
        (author.followers, author.verified),
        (Some(1204), Some(true))
    );
    let pictures: Vec<_> = post
        .media
        .iter()
        .map(|medium| (medium.id.as_str(), medium.url.as_deref().unwrap()))
        .collect();
    assert_eq!(
        pictures,
        [
            (
                "0064abcdgy1h000001",
                "http://wx3.sinaimg.cn/large/0064abcdgy1h000001.jpg"
            ),
            (
                "0064abcdgy1h000002",
                "http://wx4.sinaimg.cn/large/0064abcdgy1h000002.gif"
            )
        ]
    );
    let places = &post.places;
    let name = |place: &Option<heurpipe_core::Place>| place.as_ref().unwrap().name.clone();
    assert_eq!(name(&places.declared), "上海 黄浦区");
    assert_eq!(name(&places.ip_region), "浙江");
    assert_eq!(name(&places.tagged), "上海·人民广场");
    let tagged = places.tagged.as_ref().unwrap();
    assert_eq!(
        (tagged.latitude, tagged.longitude, tagged.crs),
        (Some(31.230416), Some(121.473701), None)
    );
}
