//! The Weibo Open API v2.

mod limits;
mod nearby;
mod objects;
mod options;
mod refusal;
mod timeline;

use std::collections::HashMap;
use std::ops::RangeInclusive;

use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde_json::Value;

use super::{Service, Shared, bearer};
use crate::simulator::world::{Author, Network};
use refusal::Refusal;
use timeline::{PageSizes, number, timeline};

pub(super) use limits::WeiboUsage;
pub use options::WeiboOptions;

type Parameters = HashMap<String, String>;

/// The API names no more users in one call.
const USERS_PER_CALL: usize = 20;
/// A search goes no deeper.
const FOUND_ROWS: usize = 200;
/// Posts of the user who gave the token that are shown, whatever is asked.
const OWN_ROWS: usize = 5;

const LISTED: PageSizes = PageSizes {
    default: 20,
    most: 100,
};
const PUBLIC: PageSizes = PageSizes {
    default: 50,
    most: 200,
};
const FOUND: PageSizes = PageSizes {
    default: 20,
    most: 50,
};
const COMMERCIAL: PageSizes = PageSizes {
    default: 20,
    most: 25,
};

/// Any call under `/2/`.
pub(super) async fn call(
    State(service): Shared,
    Path(path): Path<String>,
    Query(query): Query<Parameters>,
    headers: HeaderMap,
) -> Response {
    let path = path.trim_end_matches(".json");
    match admit(&service, path, &query, &headers).and_then(|()| answer(&service, path, &query)) {
        Ok(body) => axum::Json(body).into_response(),
        Err(refusal) => refusal.response(path),
    }
}

/// Looks at the token, counts the call, and looks at permissions.
fn admit(
    service: &Service,
    path: &str,
    query: &Parameters,
    headers: &HeaderMap,
) -> Result<(), Refusal> {
    if bearer(headers).is_none() && !query.contains_key("access_token") {
        return Err(Refusal::NO_TOKEN);
    }
    if !service.authorised(headers, query) {
        return Err(Refusal::EXPIRED_TOKEN);
    }
    let options = &service.options.weibo;
    let is_granted = match path {
        "account/rate_limit_status" => return Ok(()),
        // The commercial host has allowances of its own, which no test uses up.
        "statuses/user_timeline/other" => return grant(options.commercial),
        "statuses/timeline_batch" | "search/topics" => options.advanced,
        _ => true,
    };
    limits::count(service, path)?;
    grant(is_granted)
}

fn grant(is_granted: bool) -> Result<(), Refusal> {
    match is_granted {
        true => Ok(()),
        false => Err(Refusal::LACKS_PERMISSION),
    }
}

fn answer(service: &Service, path: &str, query: &Parameters) -> Result<Value, Refusal> {
    let world = &service.world;
    match path {
        "account/rate_limit_status" => Ok(limits::rate_limit_status(service)),
        "statuses/public_timeline" => {
            let posts = world.posts_of(Network::Weibo);
            timeline(service, query, PUBLIC, &posts)
        }
        "statuses/home_timeline" | "statuses/friends_timeline" => {
            let posts = world.posts_of(Network::Weibo);
            timeline(service, query, LISTED, &posts)
        }
        "statuses/user_timeline" => own_timeline(service, query),
        "statuses/timeline_batch" => {
            let posts = posts_of_several(service, query)?;
            timeline(service, query, LISTED, &posts)
        }
        "statuses/user_timeline/other" => {
            let posts = world.posts_by(find_author(service, query)?);
            let posts = between(service, &posts, query, ["start_time", "end_time"])?;
            timeline(service, query, COMMERCIAL, &posts)
        }
        "search/topics" => {
            let topic = query
                .get("q")
                .ok_or(Refusal::parameter("miss required parameter (q)"))?;
            let posts = world.topic(topic);
            let found = &posts[..posts.len().min(FOUND_ROWS)];
            timeline(service, query, FOUND, found)
        }
        "place/nearby_timeline" => {
            let posts = nearby::posts(service, query)?;
            let posts = between(service, &posts, query, ["starttime", "endtime"])?;
            timeline(service, query, FOUND, &posts)
        }
        "statuses/show" => {
            let id =
                number(query, "id")?.ok_or(Refusal::parameter("miss required parameter (id)"))?;
            world
                .post(Network::Weibo, id)
                .map(|post| objects::status(service, post, true))
                .ok_or(Refusal::NO_SUCH_STATUS)
        }
        "users/show" => Ok(objects::user(find_author(service, query)?)),
        _ => Err(Refusal::NO_SUCH_CALL),
    }
}

/// The newest posts of the user who gave the token, and no others'.
fn own_timeline(service: &Service, query: &Parameters) -> Result<Value, Refusal> {
    let caller = service
        .world
        .world()
        .of(Network::Weibo)
        .next()
        .ok_or(Refusal::NO_SUCH_USER)?;
    let names_somebody = query.contains_key("uid") || query.contains_key("screen_name");
    if names_somebody && find_author(service, query)?.id != caller.id {
        return Err(Refusal::NOT_THE_CALLER);
    }
    let posts = service.world.posts_by(caller);
    let newest = &posts[..posts.len().min(OWN_ROWS)];
    timeline(service, query, LISTED, newest)
}

/// The posts of all users that a call names, newest first.
fn posts_of_several(service: &Service, query: &Parameters) -> Result<Vec<usize>, Refusal> {
    let world = &service.world;
    let list = |name: &str| -> Vec<&str> {
        let names = query.get(name).map(String::as_str).unwrap_or_default();
        names.split(',').filter(|name| !name.is_empty()).collect()
    };
    let (uids, names) = (list("uids"), list("screen_names"));
    let several: RangeInclusive<usize> = 1..=USERS_PER_CALL;
    if !several.contains(&(uids.len() + names.len())) {
        return Err(Refusal::parameter("from one to twenty users"));
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
    // Lower position, newer post. Who is asked for twice is answered once.
    posts.sort_unstable();
    posts.dedup();
    Ok(posts)
}

fn find_author<'a>(service: &'a Service, query: &Parameters) -> Result<&'a Author, Refusal> {
    let world = &service.world;
    let found = match (query.get("uid"), query.get("screen_name")) {
        (Some(uid), _) => world.author(Network::Weibo, uid),
        (None, Some(name)) => world.author_named(Network::Weibo, name),
        (None, None) => return Err(Refusal::parameter("miss required parameter (uid)")),
    };
    found.ok_or(Refusal::NO_SUCH_USER)
}

/// Those of the posts that were published between two times, which the call gives in seconds; both count.
fn between(
    service: &Service,
    posts: &[usize],
    query: &Parameters,
    [start, end]: [&str; 2],
) -> Result<Vec<usize>, Refusal> {
    let (start, end) = (number(query, start)?, number(query, end)?);
    let is_within = |position: &usize| {
        let published = service.world.at(*position).published.as_second();
        let published = u64::try_from(published).unwrap_or_default();
        start.is_none_or(|start| published >= start) && end.is_none_or(|end| published <= end)
    };
    Ok(posts.iter().copied().filter(is_within).collect())
}
