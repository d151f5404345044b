//! The Weibo Open API v2.

use std::collections::HashMap;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::calls::OverBudget;
use super::usage::Spent;
use super::{Service, Shared};
use crate::simulator::world::{Author, Network, Original, Post};

type Parameters = HashMap<String, String>;

/// An error code with its text; some calls give the code as a string, as the real ones do.
type Refusal = (u32, &'static str);

/// Any call under `/2/`.
pub(super) async fn call(
    State(service): Shared,
    Path(path): Path<String>,
    Query(query): Query<Parameters>,
    headers: HeaderMap,
) -> Response {
    let path = path.trim_end_matches(".json");
    match dispatch(&service, path, &query, &headers) {
        Ok(body) => axum::Json(body).into_response(),
        Err((code, text)) => {
            let shown = if path.ends_with("home_timeline") {
                json!(code.to_string())
            } else {
                json!(code)
            };
            let status = if matches!(code, 10023 | 21327) {
                StatusCode::FORBIDDEN
            } else {
                StatusCode::BAD_REQUEST
            };
            let mut response = (status, axum::Json(json!({"request": format!("/2/{path}.json"), "error_code": shown, "error": text}))).into_response();
            if matches!(code, 10022..=10024) {
                response.extensions_mut().insert(OverBudget);
            }
            response
        }
    }
}

fn dispatch(
    service: &Service,
    path: &str,
    query: &Parameters,
    headers: &HeaderMap,
) -> Result<Value, Refusal> {
    if !service.authorised(headers, query) {
        return Err((21327, "expired_token"));
    }
    let limit = service.options.limits.weibo_calls_per_hour;
    if path == "account/rate_limit_status" {
        return Ok(rate_limit_status(limit, service.usage.weibo()));
    }
    if service.usage.weibo_call().calls > limit {
        return Err((10023, "User requests out of rate limit!"));
    }
    let world = &service.world;
    match path {
        "statuses/timeline_batch" => {
            let uids: Vec<&str> = query
                .get("uids")
                .map(|uids| uids.split(',').collect())
                .unwrap_or_default();
            let names: Vec<&str> = query
                .get("screen_names")
                .map(|names| names.split(',').collect())
                .unwrap_or_default();
            if uids.len() + names.len() > 20 || uids.len() + names.len() == 0 {
                return Err((10008, "param error, see doc for more info"));
            }
            let by_uid = uids
                .iter()
                .filter_map(|uid| world.author(Network::Weibo, uid));
            let by_name = names
                .iter()
                .filter_map(|name| world.author_named(Network::Weibo, name));
            let mut posts: Vec<usize> = by_uid
                .chain(by_name)
                .flat_map(|author| world.posts_by(author).into_owned())
                .collect();
            // Lower index, newer post. Who is asked for twice is answered once.
            posts.sort_unstable();
            posts.dedup();
            Ok(timeline(service, query, 100, &posts))
        }
        "statuses/home_timeline" | "statuses/friends_timeline" => Ok(timeline(
            service,
            query,
            100,
            &world.posts_of(Network::Weibo),
        )),
        "search/topics" => {
            let topic = query
                .get("q")
                .ok_or((10016, "miss required parameter (q)"))?;
            Ok(timeline(service, query, 50, &world.topic(topic)))
        }
        "statuses/user_timeline" | "statuses/user_timeline/other" => {
            let author = find_author(service, query)?;
            let mut body = timeline(
                service,
                query,
                if path.ends_with("other") { 25 } else { 5 },
                &world.posts_by(author),
            );
            if path == "statuses/user_timeline" {
                // Only the newest five, whatever is asked.
                body["next_cursor"] = 0.into();
                body["max_id"] = 0.into();
            }
            Ok(body)
        }
        "statuses/show" => {
            let id = query
                .get("id")
                .and_then(|id| id.parse::<u64>().ok())
                .ok_or((10016, "miss required parameter (id)"))?;
            world
                .post(Network::Weibo, id)
                .map(|post| status(service, post, true))
                .ok_or((20101, "target weibo does not exist!"))
        }
        "users/show" => Ok(user(find_author(service, query)?)),
        _ => Err((10020, "request api not found!")),
    }
}

fn find_author<'a>(service: &'a Service, query: &Parameters) -> Result<&'a Author, Refusal> {
    let world = &service.world;
    let found = match (query.get("uid"), query.get("screen_name")) {
        (Some(uid), _) => world.author(Network::Weibo, uid),
        (None, Some(name)) => world.author_named(Network::Weibo, name),
        (None, None) => return Err((10016, "miss required parameter (uid)")),
    };
    found.ok_or((20003, "User does not exists!"))
}

/// A page of the given posts, newest first: `page` or `max_id` (inclusive) says where it begins; rows inside it are not in order.
fn timeline(service: &Service, query: &Parameters, most: usize, indices: &[usize]) -> Value {
    let number = |name: &str| {
        query
            .get(name)
            .and_then(|text| text.parse::<u64>().ok())
            .filter(|number| *number > 0)
    };
    let count = number("count")
        .map_or(20, |count| count as usize)
        .clamp(1, most);
    let world = &service.world;
    // Newer posts have larger ids, so both bounds are found by bisection.
    let id = |index: &usize| world.at(*index).native_id;
    let first = number("max_id").map_or(0, |max| indices.partition_point(|post| id(post) > max));
    let end = number("since_id").map_or(indices.len(), |since| {
        indices.partition_point(|post| id(post) > since)
    });
    let within = indices.get(first..end).unwrap_or_default();
    let total = within.len();
    let from = number("page")
        .map_or(0, |page| (page as usize - 1).saturating_mul(count))
        .min(total);
    let to = (from + count).min(total);
    let mut page: Vec<&Post> = within[from..to]
        .iter()
        .map(|index| world.at(*index))
        .collect();
    let smallest = page.last().map_or(0, |post| post.native_id);
    let next = if to < total { smallest - 1 } else { 0 };
    for pair in page.chunks_exact_mut(2).step_by(2) {
        pair.swap(0, 1);
    }
    json!({
        "statuses": page.iter().map(|post| status(service, post, false)).collect::<Vec<_>>(),
        "advertises": [], "ad": [], "hasvisible": false, "previous_cursor": 0, "next_cursor": next, "total_number": total,
        "interval": 2000, "uve_blank": -1, "since_id": page.iter().map(|post| post.native_id).max().unwrap_or(0), "max_id": next, "has_unread": 0,
    })
}

fn status(service: &Service, post: &Post, whole: bool) -> Value {
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

fn user(author: &Author) -> Value {
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

fn rate_limit_status(limit: usize, spent: Spent) -> Value {
    json!({
        "ip_limit": 10_000, "limit_time_unit": "HOURS", "remaining_ip_hits": 10_000, "remaining_user_hits": limit.saturating_sub(spent.calls),
        "reset_time": "2026-07-01 00:00:00", "reset_time_in_seconds": spent.back_in.as_secs(), "user_limit": limit, "api_rate_limits": [],
    })
}
