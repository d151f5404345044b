//! Statuses and users as the API writes them.

use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::Service;
use crate::simulator::world::{Author, Original, Post};

/// A status as lists give it, or with its whole text.
pub(super) fn status(service: &Service, post: &Post, whole: bool) -> Value {
    const LONG: usize = 140;
    const CUT: &str = "...全文";
    let author = service.world.author_of(post);
    let long = post.text.chars().count() > LONG;
    let text: String = if long && !whole {
        post.text
            .chars()
            .take(LONG - CUT.chars().count())
            .chain(CUT.chars())
            .collect()
    } else {
        format!("{}\u{200b}", post.text)
    };
    let address = |size: &str, key: &str| format!("{}/sinaimg/{size}/{key}.jpg", service.base);
    let place = post.place.as_ref();
    let comments = service.world.comments(post);
    let mut body = json!({
        "created_at": created_at(post),
        "id": post.native_id, "idstr": post.id, "mid": post.id, "text": text, "textLength": post.text.chars().count(), "isLongText": long,
        "source": "<a href=\"http://app.weibo.com/t/feed/6vtZb0\" rel=\"nofollow\">iPhone</a>",
        "favorited": false, "truncated": false, "in_reply_to_status_id": "", "in_reply_to_user_id": "", "in_reply_to_screen_name": "",
        "pic_ids": post.media.iter().map(|medium| medium.key.as_str()).collect::<Vec<_>>(),
        "pic_urls": post.media.iter().map(|medium| json!({"thumbnail_pic": address("thumbnail", &medium.key)})).collect::<Vec<_>>(),
        "geo": place.map(|place| json!({"type": "Point", "coordinates": [place.latitude, place.longitude]})),
        "annotations": place.map_or_else(|| json!([{"mapi_request": true}]), |place| json!([{"place": {"poiid": format!("B2094{:010}", post.native_id % 10_000_000_000), "title": place.name, "type": "checkin", "lon": place.longitude.to_string(), "lat": place.latitude.to_string()}}])),
        "user": user(author), "reposts_count": comments / 3, "comments_count": comments,
        "visible": {"type": 0, "list_id": 0}, "mlevel": 0, "userType": 0, "region_name": format!("发布于 {}", post.region.unwrap_or("其他")),
    });
    // Hidden is not zero.
    if let Some(likes) = service.world.likes(post) {
        body["attitudes_count"] = likes.into();
    }
    if let Some(first) = post.media.first() {
        for (name, size) in [
            ("thumbnail_pic", "thumbnail"),
            ("bmiddle_pic", "bmiddle"),
            ("original_pic", "large"),
        ] {
            body[name] = address(size, &first.key).into();
        }
    }
    match service.world.original(post) {
        Some(Original::Shown(original)) => {
            body["retweeted_status"] = status(service, original, whole);
        }
        Some(Original::Deleted(original)) => {
            body["retweeted_status"] = notice_of_deletion(original)
        }
        None => {}
    }
    body
}

/// What is left of a post that its author has taken back, where somebody else passed it on.
fn notice_of_deletion(post: &Post) -> Value {
    json!({
        "created_at": created_at(post), "id": post.native_id, "idstr": post.id, "mid": post.id, "deleted": "1",
        "text": "抱歉，此微博已被作者删除。查看帮助：http://t.cn/Rfd3rQV", "source": "", "pic_urls": [], "visible": {"type": 0, "list_id": 0},
    })
}

fn created_at(post: &Post) -> String {
    let there = post
        .published
        .to_zoned(TimeZone::fixed(jiff::tz::offset(8)));
    there.strftime("%a %b %d %H:%M:%S %z %Y").to_string()
}

pub(super) fn user(author: &Author) -> Value {
    let (province, code) = author
        .province
        .map_or(("其他", "100"), |province| (province.0, province.1));
    let brand = author.brand.is_some();
    json!({
        "id": author.id.parse::<u64>().unwrap_or_default(), "idstr": author.id, "screen_name": author.handle, "name": author.name,
        "province": code, "city": "1", "location": format!("{province} {}", author.city), "gender": if brand { "n" } else { "f" },
        "followers_count": author.followers, "friends_count": author.followers % 977, "statuses_count": author.followers % 5003,
        "verified": brand, "verified_type": if brand { 2 } else { -1 }, "lang": "zh-cn", "profile_url": format!("u/{}", author.id),
    })
}
