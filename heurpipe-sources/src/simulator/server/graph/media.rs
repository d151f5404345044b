//! Posts as the Graph API shows them: which fields there are depends on who asks.

use jiff::tz::TimeZone;
use serde_json::{Map, Value, json};

use super::refusal::Refusal;
use super::{CALLER, unknown_field};
use crate::simulator::ids;
use crate::simulator::server::Service;
use crate::simulator::server::fields::Field;
use crate::simulator::world::{Medium, Post};

/// In which role the caller looks at a post.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum View {
    /// As its author.
    Own,
    /// By business discovery of its author.
    Discovered,
    /// Under a hashtag, where nothing tells the author.
    Hashtag,
    /// As somebody who is tagged or mentioned in it.
    Public,
}

/// The posts at these positions.
pub(super) fn list(
    service: &Service,
    posts: &[usize],
    fields: &[Field],
    view: View,
) -> Result<Vec<Value>, Refusal> {
    posts
        .iter()
        .map(|index| body(service, service.world.at(*index), fields, view))
        .collect()
}

/// The asked-for fields of a post.
pub(super) fn body(
    service: &Service,
    post: &Post,
    fields: &[Field],
    view: View,
) -> Result<Value, Refusal> {
    let mut body = Map::from_iter([("id".to_owned(), Value::from(post.id.clone()))]);
    for field in fields {
        let value = match (field.name.as_str(), view) {
            ("children", _) => (post.media.len() > 1)
                .then(|| children(service, post, &field.fields, view))
                .transpose()?,
            (name, _) if is_common(name) => common(service, post, name, view),
            (name, View::Own) if is_own(name) => own(service, post, name),
            ("username", View::Public) => Some(service.world.author_of(post).handle.clone().into()),
            ("view_count", View::Discovered) => is_video(post).then(|| views(service, post)),
            ("thumbnail_url", view) if view != View::Hashtag => {
                is_video(post).then(|| cover(service, post)).flatten()
            }
            ("media_product_type", view) if view != View::Hashtag => {
                Some(if is_video(post) { "REELS" } else { "FEED" }.into())
            }
            (other, _) => return unknown_field(other, "ShadowIGMedia"),
        };
        if let Some(value) = value {
            body.insert(field.name.clone(), value);
        }
    }
    Ok(Value::Object(body))
}

/// The items of an album, in order. Permalinks are not to be had of them.
pub(super) fn children(
    service: &Service,
    post: &Post,
    fields: &[Field],
    view: View,
) -> Result<Value, Refusal> {
    let child = |medium: &Medium| {
        let mut body = Map::from_iter([("id".to_owned(), Value::from(medium.graph_id.clone()))]);
        for field in fields {
            let value = match field.name.as_str() {
                "id" | "thumbnail_url" | "permalink" => continue,
                "media_type" => "IMAGE".into(),
                "media_url" => address(service, medium).into(),
                "timestamp" if view != View::Hashtag => timestamp(post),
                other => return unknown_field(other, "ShadowIGMedia"),
            };
            body.insert(field.name.clone(), value);
        }
        Ok(Value::Object(body))
    };
    let data: Vec<Value> = post.media.iter().map(child).collect::<Result<_, _>>()?;
    Ok(json!({"data": data}))
}

fn is_common(name: &str) -> bool {
    matches!(
        name,
        "id" | "caption"
            | "media_type"
            | "media_url"
            | "permalink"
            | "timestamp"
            | "like_count"
            | "comments_count"
    )
}

/// What every role sees; none where the API leaves the field out.
fn common(service: &Service, post: &Post, name: &str, view: View) -> Option<Value> {
    Some(match name {
        "id" => post.id.as_str().into(),
        "caption" if post.text.is_empty() => return None,
        "caption" => post.text.as_str().into(),
        "media_type" if post.media.len() > 1 => "CAROUSEL_ALBUM".into(),
        "media_type" if is_video(post) => "VIDEO".into(),
        "media_type" => "IMAGE".into(),
        // As with other people's reels: the film is withheld, its cover is not.
        "media_url" if is_video(post) => return None,
        "media_url" => return cover(service, post),
        "permalink" => permalink(post).into(),
        "timestamp" => timestamp(post),
        // Authors see the likes that they hide from others; what the world does not know is none.
        "like_count" if view == View::Own => service.world.likes_seen_by_author(post).into(),
        "like_count" => return service.world.likes(post).map(Value::from),
        _ => service.world.comments(post).into(),
    })
}

fn is_own(name: &str) -> bool {
    matches!(
        name,
        "ig_id"
            | "legacy_instagram_media_id"
            | "shortcode"
            | "username"
            | "owner"
            | "is_comment_enabled"
            | "is_shared_to_feed"
            | "alt_text"
            | "copyright_check_information"
            | "saved_count"
            | "shares_count"
            | "reposts_count"
            | "total_like_count"
            | "total_comments_count"
            | "total_views_count"
    )
}

/// What authors alone see.
fn own(service: &Service, post: &Post, name: &str) -> Option<Value> {
    let likes = service.world.likes_seen_by_author(post);
    Some(match name {
        "ig_id" | "legacy_instagram_media_id" => post.native_id.to_string().into(),
        "shortcode" => ids::shortcode(post.native_id).into(),
        "username" => service.world.author_of(post).handle.as_str().into(),
        "owner" => json!({"id": CALLER}),
        "is_comment_enabled" => true.into(),
        "is_shared_to_feed" => return is_video(post).then(|| true.into()),
        "alt_text" if post.media.len() == 1 => {
            format!("a picture of {}", post.truth.garment.label()).into()
        }
        "alt_text" => return None,
        "saved_count" => (likes / 20).into(),
        "shares_count" => (likes / 50).into(),
        "reposts_count" => (likes / 200).into(),
        "total_like_count" => likes.into(),
        "total_comments_count" => service.world.comments(post).into(),
        "total_views_count" => views(service, post),
        _ => json!({"status": {"status": "completed", "matches_found": false}}),
    })
}

fn is_video(post: &Post) -> bool {
    post.media.first().is_some_and(|medium| medium.video)
}

/// About as many for each like as are usual.
fn views(service: &Service, post: &Post) -> Value {
    let world = &service.world;
    (world.likes_seen_by_author(post) * 12 + world.comments(post)).into()
}

fn cover(service: &Service, post: &Post) -> Option<Value> {
    let medium = post.media.first()?;
    Some(address(service, medium).into())
}

fn timestamp(post: &Post) -> Value {
    let at = post.published.to_zoned(TimeZone::UTC);
    at.strftime("%Y-%m-%dT%H:%M:%S%z").to_string().into()
}

fn permalink(post: &Post) -> String {
    let kind = if is_video(post) { "reel" } else { "p" };
    let code = ids::shortcode(post.native_id);
    format!("https://www.instagram.com/{kind}/{code}/")
}

fn address(service: &Service, medium: &Medium) -> String {
    let expiry = service.picture_expiry().as_second();
    format!(
        "{}/media/v/t51.82787-15/{}.jpg?stp=dst-jpg_e35&_nc_cat=1&oh=00_{}&oe={expiry:08X}",
        service.base, medium.key, medium.graph_id
    )
}
