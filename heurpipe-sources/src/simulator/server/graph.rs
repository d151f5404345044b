//! The Instagram Graph API: hashtag search and business discovery.

use std::collections::HashMap;

use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use super::calls::OverBudget;
use super::fields::{self, Field};
use super::passes::PassPage;
use super::{Service, Shared};
use crate::simulator::ids;
use crate::simulator::world::{Author, Medium, Network, Post};

type Parameters = HashMap<String, String>;

/// Instagram user id of the account that the token belongs to.
pub const CALLER: &str = "17841405309211844";
const MAX_PAGE: usize = 50;

/// An error as the Graph API words it.
struct Refusal {
    code: u32,
    subcode: Option<u32>,
    message: String,
}

fn refuse<T>(code: u32, subcode: Option<u32>, message: impl Into<String>) -> Result<T, Refusal> {
    Err(Refusal {
        code,
        subcode,
        message: message.into(),
    })
}

/// `/{version}/{node}`: hashtag search, a hashtag, or a user.
pub(super) async fn node(
    State(service): Shared,
    Path((_, node)): Path<(String, String)>,
    Query(query): Query<Parameters>,
    headers: HeaderMap,
) -> Response {
    answer(&service, &headers, &query, || match node.as_str() {
        "ig_hashtag_search" => hashtag_search(&service, &query),
        _ => match service.world.hashtag(&node) {
            Some(tag) => Ok(json!({"id": node, "name": tag.name})),
            None => user(&service, &node, &query),
        },
    })
}

/// `/{version}/{node}/{edge}`: posts of a hashtag.
pub(super) async fn edge(
    State(service): Shared,
    Path((version, node, edge)): Path<(String, String, String)>,
    Query(query): Query<Parameters>,
    headers: HeaderMap,
) -> Response {
    answer(&service, &headers, &query, || match edge.as_str() {
        "recent_media" | "top_media" => tagged(&service, &version, &node, &edge, &query),
        "recently_searched_hashtags" => {
            let tags = service
                .usage
                .hashtags()
                .iter()
                .filter_map(|tag| service.world.hashtag_named(tag))
                .map(|tag| json!({"id": tag.id}))
                .collect::<Vec<_>>();
            Ok(json!({"data": tags}))
        }
        _ => refuse(2500, None, format!("Unknown path components: /{edge}")),
    })
}

/// Checks token and allowance, then answers with the usage header.
fn answer(
    service: &Service,
    headers: &HeaderMap,
    query: &Parameters,
    call: impl FnOnce() -> Result<Value, Refusal>,
) -> Response {
    let allowance = service.options.limits.graph_calls_per_hour.max(1);
    let used = service.usage.graph_call().calls;
    let outcome = if !service.authorised(headers, query) {
        refuse(
            190,
            Some(463),
            "Error validating access token: Session has expired",
        )
    } else if used > allowance {
        refuse(4, None, "(#4) Application request limit reached")
    } else {
        call()
    };
    let share = (used * 100 / allowance).min(100);
    let usage = json!({"call_count": share, "total_time": share / 2, "total_cputime": share / 2})
        .to_string();
    let mut is_over_budget = false;
    let (status, body) = match outcome {
        Ok(body) => (StatusCode::OK, body),
        Err(refusal) => {
            let mut error = json!({"message": refusal.message, "type": "OAuthException", "code": refusal.code, "fbtrace_id": "A7OjVVCXwSdfpIERKqntSKo"});
            if let Some(subcode) = refusal.subcode {
                error["error_subcode"] = subcode.into();
            }
            is_over_budget = matches!(refusal.code, 4 | 18);
            let status = if refusal.code == 4 {
                StatusCode::FORBIDDEN
            } else {
                StatusCode::BAD_REQUEST
            };
            (status, json!({"error": error}))
        }
    };
    let mut response = (status, [("x-app-usage", usage)], axum::Json(body)).into_response();
    if is_over_budget {
        response.extensions_mut().insert(OverBudget);
    }
    response
}

fn hashtag_search(service: &Service, query: &Parameters) -> Result<Value, Refusal> {
    let Some(tag) = query.get("q").map(|tag| tag.to_lowercase()) else {
        return refuse(100, None, "(#100) The parameter q is required");
    };
    let Some(id) = service.world.hashtag_named(&tag).map(|tag| &tag.id) else {
        return refuse(24, Some(2_207_024), "The requested resource does not exist");
    };
    let most = service.options.limits.hashtags_per_week;
    if !service.usage.admits_hashtag(&tag, most) {
        return refuse(
            18,
            Some(2_207_034),
            "Max amount of unique hashtag queries reached",
        );
    }
    Ok(json!({"data": [{"id": id}]}))
}

fn tagged(
    service: &Service,
    version: &str,
    node: &str,
    edge: &str,
    query: &Parameters,
) -> Result<Value, Refusal> {
    let Some(tag) = service.world.hashtag(node) else {
        return refuse(
            100,
            Some(33),
            format!("Unsupported get request. Object with ID '{node}' does not exist"),
        );
    };
    let fields = asked(query.get("fields").map_or("id", String::as_str))?;
    let limit = limit(query.get("limit").map(String::as_str));
    let after = query.get("after").map(String::as_str);
    let page = if edge == "recent_media" {
        let recent = || service.world.recent(tag);
        service
            .usage
            .passes(|passes| passes.page(node, after, limit, recent))
    } else {
        let top = service.world.top(tag);
        let from = after.map_or(Ok(0), offset)?;
        let to = (from + limit).min(top.len());
        PassPage {
            posts: top.get(from..to).unwrap_or_default().to_vec(),
            cursor: cursor(to),
            goes_on: to < top.len(),
        }
    };
    let data = page
        .posts
        .iter()
        .map(|index| media(service, service.world.at(*index), &fields, false))
        .collect::<Result<Vec<_>, _>>()?;
    if !page.goes_on {
        return Ok(json!({"data": data}));
    }
    let cursor = page.cursor;
    let kept = ["user_id", "fields", "limit"]
        .into_iter()
        .filter_map(|name| Some((name, query.get(name)?.as_str())));
    let pairs = kept.chain([
        ("access_token", service.options.token.as_str()),
        ("after", cursor.as_str()),
    ]);
    let text = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish();
    let next = format!("{}/{version}/{node}/{edge}?{text}", service.base);
    Ok(json!({"data": data, "paging": {"cursors": {"after": cursor}, "next": next}}))
}

fn user(service: &Service, node: &str, query: &Parameters) -> Result<Value, Refusal> {
    let mut body = Map::new();
    for field in asked(query.get("fields").map_or("id", String::as_str))? {
        match field.name.as_str() {
            "id" => {}
            "username" => drop(body.insert("username".to_owned(), "simulated.caller".into())),
            "business_discovery" => {
                drop(body.insert("business_discovery".to_owned(), discovery(service, &field)?))
            }
            other => {
                return refuse(
                    100,
                    None,
                    format!("(#100) Tried accessing nonexisting field ({other})"),
                );
            }
        }
    }
    let id = if node == "me" { CALLER } else { node };
    body.insert("id".to_owned(), id.into());
    Ok(Value::Object(body))
}

fn discovery(service: &Service, field: &Field) -> Result<Value, Refusal> {
    let name = field.argument("username").unwrap_or_default();
    let Some(author) = service.world.author_named(Network::Instagram, name) else {
        return refuse(110, Some(2_207_013), "Invalid user id");
    };
    let posts = service.world.posts_by(author);
    let mut body = Map::from_iter([("id".to_owned(), Value::from(author.id.clone()))]);
    for field in &field.fields {
        let value = match field.name.as_str() {
            "media" => media_page(service, &posts, field)?,
            "media_count" => posts.len().into(),
            other => profile(author, other)?,
        };
        body.insert(field.name.clone(), value);
    }
    Ok(Value::Object(body))
}

fn profile(author: &Author, field: &str) -> Result<Value, Refusal> {
    Ok(match field {
        "id" => author.id.as_str().into(),
        "username" => author.handle.as_str().into(),
        "name" => author.name.as_str().into(),
        "biography" => format!("{} · {}", author.city, author.country).into(),
        "website" => format!("https://{}.example", author.handle).into(),
        "followers_count" => author.followers.into(),
        "follows_count" => (author.followers % 977).into(),
        other => {
            return refuse(
                100,
                None,
                format!("(#100) Tried accessing nonexisting field ({other})"),
            );
        }
    })
}

/// A page of an account's posts: cursors only, never a `next`, and none on the last page. Every third page is one short.
fn media_page(service: &Service, posts: &[usize], field: &Field) -> Result<Value, Refusal> {
    let limit = limit(field.argument("limit"));
    let from = field.argument("after").map_or(Ok(0), offset)?;
    let short = usize::from(limit > 1 && (from / limit) % 3 == 2);
    let to = (from + limit - short).min(posts.len());
    let data = posts
        .get(from..to)
        .unwrap_or_default()
        .iter()
        .map(|index| media(service, service.world.at(*index), &field.fields, true))
        .collect::<Result<Vec<_>, _>>()?;
    let mut page = json!({"data": data});
    if !data.is_empty() {
        page["paging"]["cursors"]["before"] = cursor(from).into();
        if to < posts.len() {
            page["paging"]["cursors"]["after"] = cursor(to).into();
        }
    }
    Ok(page)
}

/// The asked-for fields of a post; `discovered` admits the few that hashtag edges lack.
fn media(
    service: &Service,
    post: &Post,
    fields: &[Field],
    discovered: bool,
) -> Result<Value, Refusal> {
    let mut body = Map::from_iter([("id".to_owned(), Value::from(post.id.clone()))]);
    let video = post.media.first().is_some_and(|medium| medium.video);
    for field in fields {
        let value = match field.name.as_str() {
            "id" => continue,
            "caption" if post.text.is_empty() => continue,
            "caption" => post.text.as_str().into(),
            "media_type" if post.media.len() > 1 => "CAROUSEL_ALBUM".into(),
            "media_type" => if video { "VIDEO" } else { "IMAGE" }.into(),
            "media_product_type" if discovered => if video { "REELS" } else { "FEED" }.into(),
            // As with other people's reels: the film is withheld, its cover is not.
            "media_url" if video => continue,
            "thumbnail_url" if discovered && !video => continue,
            "thumbnail_url" | "media_url" if discovered || field.name == "media_url" => {
                match post.media.first() {
                    Some(medium) => address(service, medium).into(),
                    None => continue,
                }
            }
            "permalink" => permalink(post, video).into(),
            "timestamp" => post
                .published
                .to_zoned(TimeZone::UTC)
                .strftime("%Y-%m-%dT%H:%M:%S%z")
                .to_string()
                .into(),
            "like_count" => match service.world.likes(post) {
                Some(likes) => likes.into(),
                None => continue,
            },
            "comments_count" => service.world.comments(post).into(),
            "children" if post.media.len() > 1 => children(service, post, &field.fields)?,
            "children" => continue,
            other => {
                return refuse(
                    100,
                    None,
                    format!(
                        "(#100) Tried accessing nonexisting field ({other}) on node type (ShadowIGMedia)"
                    ),
                );
            }
        };
        body.insert(field.name.clone(), value);
    }
    Ok(Value::Object(body))
}

fn children(service: &Service, post: &Post, fields: &[Field]) -> Result<Value, Refusal> {
    let child = |medium: &Medium| {
        let mut body = Map::from_iter([("id".to_owned(), Value::from(medium.graph_id.clone()))]);
        for field in fields {
            let value = match field.name.as_str() {
                "id" | "thumbnail_url" | "permalink" => continue,
                "media_type" => "IMAGE".into(),
                "media_url" => address(service, medium).into(),
                "timestamp" => post
                    .published
                    .to_zoned(TimeZone::UTC)
                    .strftime("%Y-%m-%dT%H:%M:%S%z")
                    .to_string()
                    .into(),
                other => {
                    return refuse(
                        100,
                        None,
                        format!("(#100) Tried accessing nonexisting field ({other})"),
                    );
                }
            };
            body.insert(field.name.clone(), value);
        }
        Ok(Value::Object(body))
    };
    Ok(json!({"data": post.media.iter().map(child).collect::<Result<Vec<_>, _>>()?}))
}

fn permalink(post: &Post, video: bool) -> String {
    format!(
        "https://www.instagram.com/{}/{}/",
        if video { "reel" } else { "p" },
        ids::shortcode(post.native_id)
    )
}

fn address(service: &Service, medium: &Medium) -> String {
    let expiry = service.picture_expiry().as_second();
    format!(
        "{}/media/v/t51.82787-15/{}.jpg?stp=dst-jpg_e35&_nc_cat=1&oh=00_{}&oe={expiry:08X}",
        service.base, medium.key, medium.graph_id
    )
}

fn asked(text: &str) -> Result<Vec<Field>, Refusal> {
    fields::parse(text).map_or_else(
        || refuse(2500, None, "Syntax error in the fields parameter"),
        Ok,
    )
}

fn limit(asked: Option<&str>) -> usize {
    asked
        .and_then(|text| text.parse().ok())
        .unwrap_or(25)
        .clamp(1, MAX_PAGE)
}

fn cursor(offset: usize) -> String {
    URL_SAFE_NO_PAD.encode(format!("AQHS:{offset:08}"))
}

fn offset(cursor: &str) -> Result<usize, Refusal> {
    let decoded = URL_SAFE_NO_PAD
        .decode(cursor)
        .ok()
        .and_then(|bytes| String::from_utf8(bytes).ok());
    let offset = decoded
        .as_deref()
        .and_then(|text| text.strip_prefix("AQHS:")?.parse().ok());
    offset.map_or_else(|| refuse(100, None, "(#100) Invalid cursor"), Ok)
}
