#![allow(clippy::unwrap_used)]

use super::*;

fn mapped(json: &str) -> Vec<Incoming> {
    mapped_with(json, None, &HashMap::new())
}

fn mapped_with(
    json: &str,
    media_base: Option<&Url>,
    whole: &HashMap<String, Box<RawValue>>,
) -> Vec<Incoming> {
    let item: Box<RawValue> = serde_json::from_str(json).unwrap();
    let setting = Setting {
        partition: "home",
        collected_at: "2026-05-02T00:00:00Z".parse().unwrap(),
        media_base,
        whole,
    };
    status(&item, &setting).items
}

fn the_post(items: &[Incoming]) -> &Post {
    match items.last() {
        Some(Incoming::Post(post)) => post,
        other => panic!("no post: {other:?}"),
    }
}

const STATUS: &str = r#"{"created_at":"Tue May 31 17:46:55 +0800 2011","id":4383183661430868,"idstr":"4383183661430868","mid":"4383183661430868",
 "text":"今天的#连衣裙# 和@时尚芭莎 \u200b","source":"","pic_ids":["006abc","006def"],
 "pic_urls":[{"thumbnail_pic":"http://wx3.sinaimg.cn/thumbnail/006def.gif"}],
 "geo":{"type":"Point","coordinates":[31.2,121.5]},
 "annotations":[{"mapi_request":true},{"place":{"poiid":"B1","title":"上海·静安寺","lon":"121.4","lat":"31.1"}}],
 "region_name":"发布于 北京",
 "user":{"id":1669879400,"idstr":"1669879400","screen_name":"迪丽","name":"迪丽","location":"海外 美国","followers_count":"123.4万","verified":true},
 "reposts_count":3,"comments_count":2,"attitudes_count":"100万+","visible":{"type":0,"list_id":0}}"#;

#[test]
fn a_status_becomes_a_post() {
    let items = mapped(STATUS);
    let post = the_post(&items);
    assert_eq!(items.len(), 1);
    assert_eq!(post.id.to_string(), "weibo:4383183661430868");
    assert_eq!(post.text, "今天的#连衣裙# 和@时尚芭莎");
    assert_eq!(post.hashtags, ["连衣裙"]);
    assert_eq!(post.mentions, ["时尚芭莎"]);
    assert_eq!(
        post.published_at,
        Some("2011-05-31T09:46:55Z".parse().unwrap())
    );
    assert_eq!(
        post.permalink.as_deref(),
        Some("https://weibo.com/1669879400/HyTZc60ew")
    );
    assert_eq!(post.counts, Counts::new(Some(1_000_000), Some(2), Some(3)));
    let author = post.author.as_ref().unwrap();
    assert_eq!(author.id.as_deref(), Some("1669879400"));
    assert_eq!(author.followers, Some(1_234_000));
    assert_eq!(post.raw["weibo.timeline"].as_str(), STATUS);
}

#[test]
fn three_claims_of_place_stay_apart() {
    let items = mapped(STATUS);
    let places = &the_post(&items).places;
    let country = |place: &Option<Place>| place.as_ref().unwrap().country.clone().unwrap();
    assert_eq!(places.declared.as_ref().unwrap().name, "海外 美国");
    assert_eq!(country(&places.declared), "US");
    assert_eq!(places.ip_region.as_ref().unwrap().name, "北京");
    assert_eq!(country(&places.ip_region), "CN");
    let tagged = places.tagged.as_ref().unwrap();
    assert_eq!(tagged.name, "上海·静安寺");
    assert_eq!(
        (tagged.latitude, tagged.longitude),
        (Some(31.2), Some(121.5)),
        "latitude comes first"
    );
}

#[test]
fn places_may_be_empty_texts() {
    let items = mapped(r#"{"id":1,"geo":"","annotations":"","user":{"location":"其他"}}"#);
    assert!(the_post(&items).places.is_empty());
}

#[test]
fn pictures_are_named_by_pid_and_fetched_large() {
    let urls = |items: &[Incoming]| -> Vec<(String, String)> {
        let media = &the_post(items).media;
        media
            .iter()
            .map(|m| (m.id.clone(), m.url.clone().unwrap()))
            .collect()
    };
    let pair = |id: &str, url: &str| (id.to_owned(), url.to_owned());
    assert_eq!(
        urls(&mapped(STATUS)),
        [
            pair("006abc", "https://wx1.sinaimg.cn/large/006abc.jpg"),
            pair("006def", "http://wx3.sinaimg.cn/large/006def.gif"),
        ]
    );
    let base = Url::parse("http://127.0.0.1:9000/pictures/").unwrap();
    assert_eq!(
        urls(&mapped_with(STATUS, Some(&base), &HashMap::new())),
        [
            pair("006abc", "http://127.0.0.1:9000/pictures/large/006abc.jpg"),
            pair("006def", "http://127.0.0.1:9000/pictures/large/006def.gif"),
        ]
    );
}

#[test]
fn a_repost_brings_its_original() {
    let items = mapped(
        r#"{"id":2,"user":{"id":7},"retweeted_status":{"id":1,"text":"first","user":{"id":8}}}"#,
    );
    let [Incoming::Post(original), Incoming::Post(repost)] = items.as_slice() else {
        panic!("two posts expected: {items:?}");
    };
    assert_eq!(original.text, "first");
    assert_eq!(repost.repost_of.as_ref(), Some(&original.id));
}

#[test]
fn a_removed_original_is_gone() {
    let items = mapped(
        r#"{"id":2,"user":{"id":7},"retweeted_status":{"id":1,"deleted":"1","text":"抱歉，此微博已被作者删除"}}"#,
    );
    let [Incoming::Gone(gone), Incoming::Post(repost)] = items.as_slice() else {
        panic!("one gone and one post expected: {items:?}");
    };
    assert_eq!(gone.to_string(), "weibo:1");
    assert_eq!(repost.repost_of.as_ref(), Some(gone));
}

#[test]
fn what_is_not_public_is_not_kept() {
    for (json, kept) in [
        (r#"{"id":2,"user":{"id":7},"visible":{"type":0}}"#, true),
        (r#"{"id":2,"user":{"id":7},"visible":{"type":1}}"#, false),
        (r#"{"id":2,"user":{"id":7},"visible":{"type":4}}"#, false),
        (r#"{"id":2,"text":"gone"}"#, false),
    ] {
        let is_post = matches!(mapped(json).as_slice(), [Incoming::Post(_)]);
        assert_eq!(is_post, kept, "{json}");
        let is_gone = matches!(mapped(json).as_slice(), [Incoming::Gone(_)]);
        assert_eq!(is_gone, !kept, "{json}");
    }
}

#[test]
fn the_whole_text_replaces_a_cut_one() {
    let whole = r#"{"id":2,"text":"a long","longText":{"longTextContent":"a long story #结尾#"}}"#;
    let whole = HashMap::from([("2".to_owned(), serde_json::from_str(whole).unwrap())]);
    let items = mapped_with(
        r#"{"id":2,"text":"a long…","isLongText":true,"user":{"id":7}}"#,
        None,
        &whole,
    );
    let post = the_post(&items);
    assert_eq!(post.text, "a long story #结尾#");
    assert_eq!(post.hashtags, ["结尾"]);
    assert!(post.raw.contains_key("weibo.show"));
}

#[test]
fn what_is_no_status_says_why() {
    for (json, why) in [
        (r#"{"text":"x"}"#, "it has no id"),
        (
            r#"{"id":1,"user":{"id":1},"created_at":"昨天"}"#,
            "its created_at",
        ),
        (r#"{"id":1,"user":"nobody"}"#, "not a status"),
    ] {
        let items = mapped(json);
        let [Incoming::Unreadable(unreadable)] = items.as_slice() else {
            panic!("unreadable expected: {items:?}");
        };
        assert!(unreadable.reason.starts_with(why), "{}", unreadable.reason);
        assert!(unreadable.place.starts_with("weibo/home/"));
    }
}
