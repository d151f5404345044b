#![allow(clippy::unwrap_used)]

use heurpipe_core::Place;

use super::*;

/// A payload as it is kept.
fn on_one_line(json: &str) -> String {
    json.replace('\n', " ")
}

fn mapped(json: &str) -> Vec<Incoming> {
    let whole = HashMap::new();
    mapped_in(json, &setting(&whole))
}

fn mapped_in(json: &str, setting: &Setting<'_>) -> Vec<Incoming> {
    let item: Box<RawValue> = serde_json::from_str(json).unwrap();
    status(&item, setting).items
}

fn setting(whole: &HashMap<String, WholeText>) -> Setting<'_> {
    Setting {
        call: TIMELINE_CALL,
        place: "home",
        collected_at: "2026-05-02T00:00:00Z".parse().unwrap(),
        media_base: None,
        crs: None,
        whole,
    }
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
    assert_eq!(post.raw["weibo.timeline"].as_str(), on_one_line(STATUS));
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
        urls(&mapped_in(
            STATUS,
            &Setting {
                media_base: Some(&base),
                ..setting(&HashMap::new())
            }
        )),
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

const CUT: &str = r#"{"id":2,"text":"a long…","isLongText":true,"user":{"id":7}}"#;

#[test]
fn the_whole_text_replaces_a_cut_one() {
    let whole = r#"{"id":2,"text":"a long","longText":{"longTextContent":"a long story #结尾#"}}"#;
    let whole = WholeText::Given(serde_json::from_str(whole).unwrap());
    let whole = HashMap::from([("2".to_owned(), whole)]);
    let items = mapped_in(CUT, &setting(&whole));
    let post = the_post(&items);
    assert_eq!(post.text, "a long story #结尾#");
    assert_eq!(post.hashtags, ["结尾"]);
    assert!(post.raw.contains_key("weibo.show"));
}

#[test]
fn a_text_that_stays_cut_says_why() {
    let whole = WholeText::Refused("weibo.show: no".to_owned());
    let whole = HashMap::from([("2".to_owned(), whole)]);
    let items = mapped_in(CUT, &setting(&whole));
    let post = the_post(&items);
    assert_eq!(post.text, "a long…");
    assert_eq!(
        post.raw["weibo.show.refused"].as_str(),
        r#""weibo.show: no""#
    );
}

#[test]
fn a_status_may_bring_its_whole_text_itself() {
    let items = mapped(
        r#"{"id":2,"text":"a long","longText":{"longTextContent":"a long story"},"user":{"id":7}}"#,
    );
    assert_eq!(the_post(&items).text, "a long story");
}

#[test]
fn of_contradicting_ids_the_text_is_believed() {
    // A number of more than 53 bits that a double has rounded.
    let json = r#"{"id":9007199254740992,"idstr":"9007199254740993","mid":9007199254740992,
      "user":{"id":5000000000000000000,"idstr":"5000000000000000001"}}"#;
    let items = mapped(json);
    let post = the_post(&items);
    assert_eq!(&*post.id.native, "9007199254740993");
    let author = post.author.as_ref().unwrap();
    assert_eq!(author.id.as_deref(), Some("5000000000000000001"));
    assert_eq!(post.raw["weibo.timeline"].as_str(), on_one_line(json));
    assert!(
        post.aliases.is_empty(),
        "a rounded number names another post"
    );
}

#[test]
fn a_notice_without_a_number_says_nothing_of_any_post() {
    let items = mapped(
        r#"{"id":2,"user":{"id":7},"retweeted_status":{"deleted":"1","text":"抱歉，此微博已被作者删除"}}"#,
    );
    let [Incoming::Post(repost)] = items.as_slice() else {
        panic!("one post expected: {items:?}");
    };
    assert_eq!(repost.repost_of, None);
}

#[test]
fn the_province_code_helps_where_words_do_not() {
    let declared = |user: &str| {
        let items = mapped(&format!(r#"{{"id":1,"user":{user}}}"#));
        let place = the_post(&items).places.declared.clone();
        place.map(|place| (place.name, place.country))
    };
    let place =
        |name: &str, country: Option<&str>| Some((name.to_owned(), country.map(str::to_owned)));
    for (user, expected) in [
        (
            r#"{"province":"44","city":"2","location":"广东 韶关"}"#,
            place("广东 韶关", Some("CN")),
        ),
        (
            r#"{"province":"44","city":"1000","location":""}"#,
            place("广东", Some("CN")),
        ),
        (r#"{"province":81}"#, place("香港", Some("HK"))),
        (
            r#"{"province":"400","city":"16","location":"海外"}"#,
            place("海外", None),
        ),
        (
            r#"{"province":"100","city":"1000","location":"其他"}"#,
            None,
        ),
        (
            r#"{"location":"韶关","province":"44"}"#,
            place("韶关", Some("CN")),
        ),
    ] {
        assert_eq!(declared(user), expected, "{user}");
    }
}

#[test]
fn coordinates_keep_their_reference_system() {
    let json = r#"{"id":1,"user":{"id":7},"geo":{"type":"point","coordinates":["31.2","121.5"]}}"#;
    let whole = HashMap::new();
    for crs in [None, Some(Crs::Gcj02)] {
        let items = mapped_in(
            json,
            &Setting {
                crs,
                ..setting(&whole)
            },
        );
        let tagged = the_post(&items).places.tagged.clone().unwrap();
        assert_eq!((tagged.latitude, tagged.crs), (Some(31.2), crs));
    }
    let without = r#"{"id":1,"user":{"id":7},"annotations":[{"place":{"title":"静安寺"}}]}"#;
    let known = Setting {
        crs: Some(Crs::Wgs84),
        ..setting(&whole)
    };
    let items = mapped_in(without, &known);
    let tagged = the_post(&items).places.tagged.clone().unwrap();
    assert_eq!(tagged.crs, None, "there are no coordinates");
}

#[test]
fn places_stand_in_geo_or_in_annotations() {
    let tagged = |fields: &str| {
        let items = mapped(&format!(r#"{{"id":1,"user":{{"id":7}},{fields}}}"#));
        let place = the_post(&items).places.tagged.clone();
        place.map(|place| (place.name, place.latitude, place.longitude))
    };
    let place = |name: &str, at: Option<(f64, f64)>| {
        Some((name.to_owned(), at.map(|at| at.0), at.map(|at| at.1)))
    };
    for (fields, expected) in [
        (r#""geo":null,"annotations":[]"#, None),
        (r#""geo":"","annotations":null"#, None),
        (r#""geo":{"type":"Point","coordinates":[0.0,0.0]}"#, None),
        (r#""geo":{"type":"Point","coordinates":[121.5,31.2]}"#, None),
        (
            r#""geo":{"type":"Point","coordinates":[31.2,121.5],"detail":{"poiid":"B1","title":"静安寺","type":"checkin","spot_type":"0"}}"#,
            place("静安寺", Some((31.2, 121.5))),
        ),
        (
            r#""annotations":[{"place":{"poiid":"B1","title":"静安寺","type":"checkin","lon":121.5,"lat":31.2}}]"#,
            place("静安寺", Some((31.2, 121.5))),
        ),
        (
            r#""geo":"","annotations":[{"mapi_request":true},{"place":{"title":"静安寺","lon":"121.5","lat":"31.2"}}]"#,
            place("静安寺", Some((31.2, 121.5))),
        ),
        (
            r#""annotations":[{"place":{"title":"静安寺","lon":"","lat":""}}]"#,
            place("静安寺", None),
        ),
    ] {
        assert_eq!(tagged(fields), expected, "{fields}");
    }
}

#[test]
fn the_first_picture_may_stand_alone() {
    for name in ["original_pic", "bmiddle_pic", "thumbnail_pic"] {
        let items = mapped(&format!(
            r#"{{"id":1,"user":{{"id":7}},"{name}":"http://ww2.sinaimg.cn/bmiddle/006abc.jpg"}}"#
        ));
        let media = &the_post(&items).media;
        assert_eq!(media.len(), 1, "{name}");
        assert_eq!(
            media[0].url.as_deref(),
            Some("http://ww2.sinaimg.cn/large/006abc.jpg")
        );
    }
}

#[test]
fn an_answer_about_one_post_says_how_it_fares() {
    for (json, expected) in [
        (r#"{"id":1,"user":{"id":7}}"#, Fate::There),
        (r#"{"id":1,"deleted":"1"}"#, Fate::Removed),
        (r#"{"id":1,"deleted":1,"user":{"id":7}}"#, Fate::Removed),
        (
            r#"{"id":1,"user":{"id":7},"visible":{"type":"1","list_id":0}}"#,
            Fate::Removed,
        ),
        (r#"{"id":1,"text":"x"}"#, Fate::Unclear),
        (r#"{"id":1,"user":"nobody"}"#, Fate::There),
    ] {
        let item: Box<RawValue> = serde_json::from_str(json).unwrap();
        assert_eq!(fate(&item), expected, "{json}");
    }
}

proptest::proptest! {
    /// Written here as the network writes it, by hand: English names, the year last.
    #[test]
    fn every_moment_is_read_from_the_networks_form(
        second in 0_i64..4_102_444_800,
        quarters in -48_i32..=56,
    ) {
        const DAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];
        const MONTHS: [&str; 12] = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ];
        let moment = Timestamp::from_second(second).unwrap();
        let offset = jiff::tz::Offset::from_seconds(quarters * 900).unwrap();
        let local = offset.to_datetime(moment);
        let text = format!(
            "{} {} {:02} {:02}:{:02}:{:02} {}{:02}{:02} {}",
            DAYS[local.weekday().to_sunday_zero_offset() as usize],
            MONTHS[local.month() as usize - 1],
            local.day(),
            local.hour(),
            local.minute(),
            local.second(),
            if quarters < 0 { '-' } else { '+' },
            quarters.abs() / 4,
            quarters.abs() % 4 * 15,
            local.year(),
        );
        proptest::prop_assert_eq!(timestamp(&text), Ok(moment), "{}", text);
    }

    #[test]
    fn whatever_a_status_holds_survives_being_written(
        id in 1_u64..1 << 53,
        text in ".{0,40}",
        name in ".{0,8}",
        latitude in -90.0_f64..90.0,
        longitude in -180.0_f64..180.0,
        likes in proptest::option::of(0_u64..1 << 53),
    ) {
        let status = serde_json::json!({
            "id": id, "text": text, "user": {"id": 7, "screen_name": name, "location": name},
            "geo": {"type": "Point", "coordinates": [latitude, longitude]}, "attitudes_count": likes,
        });
        let status = status.to_string();
        let items = mapped(&status);
        let post = the_post(&items);
        proptest::prop_assert_eq!(post.raw[TIMELINE_CALL].as_str(), status);
        let written = serde_json::to_string(post).unwrap();
        let read: Post = serde_json::from_str(&written).unwrap();
        proptest::prop_assert_eq!(&read, post);
    }
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
