//! Hashtags: their search, its budget, and their posts.

use serde_json::{Value, json};

use super::media::{self, View};
use super::paging::{Next, Part, limit};
use super::refusal::{Refusal, refuse};
use super::{Parameters, asked, missing};
use crate::simulator::server::Service;
use crate::simulator::world::Hashtag;

pub(super) fn search(service: &Service, query: &Parameters) -> Result<Value, Refusal> {
    let Some(tag) = query.get("q").map(|tag| tag.to_lowercase()) else {
        return refuse(100, None, "(#100) The parameter q is required");
    };
    let Some(tag) = service.world.hashtag_named(&tag) else {
        return refuse(24, Some(2_207_024), "The requested resource does not exist");
    };
    charge(service, tag)?;
    Ok(json!({"data": [{"id": tag.id}]}))
}

/// The hashtags that count against the budget.
pub(super) fn recently_searched(service: &Service) -> Value {
    let names = service.usage.hashtags();
    let tags = names
        .iter()
        .filter_map(|tag| service.world.hashtag_named(tag));
    json!({"data": tags.map(|tag| json!({"id": tag.id})).collect::<Vec<_>>()})
}

/// The posts of the last day. The cursor stays the same from page to page.
pub(super) fn recent(
    service: &Service,
    node: &str,
    query: &Parameters,
    next: &Next<'_>,
) -> Result<Value, Refusal> {
    let tag = known(service, node)?;
    let limit = limit(query.get("limit").map(String::as_str));
    let after = query.get("after").map(String::as_str);
    let recent = || service.world.recent(tag);
    let page = service
        .usage
        .passes(|passes| passes.page(node, after, limit, recent));
    let data = media::list(service, &page.posts, &asked(query)?, View::Hashtag)?;
    if !page.goes_on {
        return Ok(json!({"data": data}));
    }
    let next = next.address(&page.cursor);
    Ok(json!({"data": data, "paging": {"cursors": {"after": page.cursor}, "next": next}}))
}

/// All posts, the most popular first.
pub(super) fn top(
    service: &Service,
    node: &str,
    query: &Parameters,
    next: &Next<'_>,
) -> Result<Value, Refusal> {
    let tag = known(service, node)?;
    let limit = limit(query.get("limit").map(String::as_str));
    let posts = service.world.top(tag);
    let part = Part::after(query.get("after").map(String::as_str), limit, posts.len())?;
    let data = media::list(service, part.within(&posts), &asked(query)?, View::Hashtag)?;
    Ok(part.with_next(data, next))
}

fn known<'a>(service: &'a Service, node: &str) -> Result<&'a Hashtag, Refusal> {
    let Some(tag) = service.world.hashtag(node) else {
        return missing(node);
    };
    charge(service, tag)?;
    Ok(tag)
}

/// Counts a hashtag against the budget. Whoever has its id from an earlier week has to pay too.
fn charge(service: &Service, tag: &Hashtag) -> Result<(), Refusal> {
    let most = service.options.limits.hashtags_per_week;
    match service.usage.admits_hashtag(&tag.name, most) {
        true => Ok(()),
        false => refuse(
            18,
            Some(2_207_034),
            "Max amount of unique hashtag queries reached",
        ),
    }
}
