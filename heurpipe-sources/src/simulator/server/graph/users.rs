//! Users: the caller, what is theirs and what shows them, and other accounts by business discovery.

use serde_json::{Map, Value};

use super::media::{self, View};
use super::paging::{Next, Part, limit};
use super::refusal::{Refusal, refuse};
use super::{CALLER, Parameters, asked, missing, unknown_field};
use crate::simulator::server::Service;
use crate::simulator::server::fields::Field;
use crate::simulator::world::{Author, Network};

/// Whether a node is the user that the token belongs to.
pub(super) fn is_caller(node: &str) -> bool {
    node == CALLER || node == "me"
}

/// The caller's account, and what hangs on it by field expansion.
pub(super) fn caller(service: &Service, query: &Parameters) -> Result<Value, Refusal> {
    let mut body = Map::from_iter([("id".to_owned(), CALLER.into())]);
    for field in asked(query)? {
        let value = match field.name.as_str() {
            "business_discovery" => discovery(service, &field)?,
            "mentioned_media" => mentioned(service, &field)?,
            name => profile(service, service.world.caller(), name)?,
        };
        body.insert(field.name, value);
    }
    Ok(Value::Object(body))
}

/// The caller's own media, newest first.
pub(super) fn media(
    service: &Service,
    query: &Parameters,
    next: &Next<'_>,
) -> Result<Value, Refusal> {
    let posts = service.world.posts_by(service.world.caller());
    let limit = limit(query.get("limit").map(String::as_str));
    let part = Part::after(query.get("after").map(String::as_str), limit, posts.len())?;
    let data = media::list(service, part.within(&posts), &asked(query)?, View::Own)?;
    Ok(part.with_next(data, next))
}

/// The posts in whose pictures the caller was tagged: cursors only, never a `next`.
pub(super) fn tags(service: &Service, query: &Parameters) -> Result<Value, Refusal> {
    let posts = service.world.tags_of_caller();
    let limit = limit(query.get("limit").map(String::as_str));
    let part = Part::after(query.get("after").map(String::as_str), limit, posts.len())?;
    let data = media::list(service, part.within(&posts), &asked(query)?, View::Public)?;
    Ok(part.with_cursors(data))
}

fn mentioned(service: &Service, field: &Field) -> Result<Value, Refusal> {
    let id = field.argument("media_id").unwrap_or_default();
    let world = &service.world;
    let posts = world.mentions_of_caller();
    let post = posts
        .iter()
        .map(|index| world.at(*index))
        .find(|post| post.id == id);
    match post {
        Some(post) => media::body(service, post, &field.fields, View::Public),
        None => missing(id),
    }
}

fn discovery(service: &Service, field: &Field) -> Result<Value, Refusal> {
    let name = field.argument("username").unwrap_or_default();
    let Some(author) = service.world.author_named(Network::Instagram, name) else {
        return refuse(110, Some(2_207_013), "Invalid user id");
    };
    let mut body = Map::from_iter([("id".to_owned(), Value::from(author.id.clone()))]);
    for field in &field.fields {
        let value = match field.name.as_str() {
            "media" => media_page(service, author, field)?,
            other => profile(service, author, other)?,
        };
        body.insert(field.name.clone(), value);
    }
    Ok(Value::Object(body))
}

fn profile(service: &Service, author: &Author, field: &str) -> Result<Value, Refusal> {
    Ok(match field {
        "id" => author.id.as_str().into(),
        "username" => author.handle.as_str().into(),
        "name" => author.name.as_str().into(),
        "biography" => format!("{} · {}", author.city, author.country).into(),
        "website" => format!("https://{}.example", author.handle).into(),
        "followers_count" => author.followers.into(),
        "follows_count" => (author.followers % 977).into(),
        "profile_picture_url" => format!("https://{}.example/portrait.jpg", author.handle).into(),
        "media_count" => service.world.posts_by(author).len().into(),
        other => return unknown_field(other, "IGUser"),
    })
}

/// A page of an account's posts: cursors only, never a `next`, and none on the last page. Every third page is one short.
fn media_page(service: &Service, author: &Author, field: &Field) -> Result<Value, Refusal> {
    let posts = service.world.posts_by(author);
    let limit = limit(field.argument("limit"));
    let mut part = Part::after(field.argument("after"), limit, posts.len())?;
    let is_short = limit > 1 && (part.from / limit) % 3 == 2;
    part.to = (part.from + limit - usize::from(is_short)).min(part.of);
    let data = media::list(
        service,
        part.within(&posts),
        &field.fields,
        View::Discovered,
    )?;
    Ok(part.with_cursors(data))
}
