//! The Instagram Graph API: hashtags, business discovery, and what is the caller's own.

mod hashtags;
mod media;
mod paging;
mod refusal;
mod users;

use std::collections::HashMap;

use axum::Extension;
use axum::extract::{Path, Query, State};
use axum::http::HeaderMap;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::calls::OverBudget;
use super::fields::{self, Field};
use super::{Service, Shared};
use crate::simulator::world::Post;
use media::View;
use refusal::{Refusal, refuse};

pub use crate::simulator::ids::CALLER;

type Parameters = HashMap<String, String>;

/// `/{version}/{node}`: hashtag search, a hashtag, a user, or one of the caller's media.
pub(super) async fn node(
    State(service): Shared,
    Path((_, node)): Path<(String, String)>,
    Query(query): Query<Parameters>,
    headers: HeaderMap,
) -> Response {
    let allowance = match query.get("fields") {
        Some(fields) if fields.contains("business_discovery") => Allowance::App,
        _ if node == "ig_hashtag_search" || service.world.hashtag(&node).is_some() => {
            Allowance::App
        }
        _ => Allowance::Business,
    };
    answer(&service, &headers, &query, allowance, || {
        if node == "ig_hashtag_search" {
            return hashtags::search(&service, &query);
        }
        if let Some(tag) = service.world.hashtag(&node) {
            return Ok(json!({"id": node, "name": tag.name}));
        }
        if users::is_caller(&node) {
            return users::caller(&service, &query);
        }
        let post = own_medium(&service, &node)?;
        media::body(&service, post, &asked(&query)?, View::Own)
    })
}

/// `/{version}/{node}/{edge}`: posts of a hashtag, of the caller, and those that show the caller.
pub(super) async fn edge(
    State(service): Shared,
    Path((version, node, edge)): Path<(String, String, String)>,
    Query(query): Query<Parameters>,
    headers: HeaderMap,
) -> Response {
    let allowance = match edge.as_str() {
        "media" | "tags" | "children" => Allowance::Business,
        _ => Allowance::App,
    };
    let next = paging::Next {
        service: &service,
        path: format!("{version}/{node}/{edge}"),
        query: &query,
    };
    answer(&service, &headers, &query, allowance, || {
        match edge.as_str() {
            "recent_media" => hashtags::recent(&service, &node, &query, &next),
            "top_media" => hashtags::top(&service, &node, &query, &next),
            "children" => {
                let post = own_medium(&service, &node)?;
                media::children(&service, post, &asked(&query)?, View::Own)
            }
            _ if !users::is_caller(&node) => missing(&node),
            "recently_searched_hashtags" => Ok(hashtags::recently_searched(&service)),
            "media" => users::media(&service, &query, &next),
            "tags" => users::tags(&service, &query),
            _ => refuse(2500, None, format!("Unknown path components: /{edge}")),
        }
    })
}

/// Against which allowance a call counts, and in which header that is told. Business discovery and hashtags count against the app's.
#[derive(Clone, Copy, PartialEq)]
enum Allowance {
    App,
    Business,
}

impl Allowance {
    /// The code of the refusal when it is used up.
    fn refusal(self) -> (u32, &'static str) {
        match self {
            Self::App => (4, "(#4) Application request limit reached"),
            Self::Business => (
                80_002,
                "(#80002) There have been too many calls to this Instagram account",
            ),
        }
    }

    /// The usage header for a share in percent; while calls are refused, `regain` says for how many minutes.
    fn header(self, share: usize, regain: i64) -> (&'static str, String) {
        let half = share / 2;
        match self {
            Self::App => {
                let usage = json!({"call_count": share, "total_time": half, "total_cputime": half});
                ("x-app-usage", usage.to_string())
            }
            Self::Business => {
                let usage = json!({CALLER: [{"type": "instagram", "call_count": share, "total_cputime": half,
                    "total_time": half, "estimated_time_to_regain_access": regain}]});
                ("x-business-use-case-usage", usage.to_string())
            }
        }
    }
}

/// Checks token and allowance, then answers with the usage header.
fn answer(
    service: &Service,
    headers: &HeaderMap,
    query: &Parameters,
    allowance: Allowance,
    call: impl FnOnce() -> Result<Value, Refusal>,
) -> Response {
    let allowed = service.options.limits.graph_calls_per_hour.max(1);
    let spent = service.usage.graph_call();
    let is_used_up = spent.calls > allowed;
    let outcome = if !service.authorised(headers, query) {
        refuse(
            190,
            Some(463),
            "Error validating access token: Session has expired",
        )
    } else if is_used_up {
        let (code, message) = allowance.refusal();
        refuse(code, None, message)
    } else {
        call()
    };
    let share = (spent.calls * 100 / allowed).min(100);
    let regain = if is_used_up {
        spent.back_in.as_mins() + 1
    } else {
        0
    };
    let usage = [allowance.header(share, regain)];
    match outcome {
        Ok(body) => (usage, axum::Json(body)).into_response(),
        Err(refusal) => {
            let over_budget = refusal.is_over_budget().then_some(Extension(OverBudget));
            (
                refusal.status(),
                over_budget,
                usage,
                axum::Json(refusal.body()),
            )
                .into_response()
        }
    }
}

/// One of the caller's posts; of other people's nothing is to be had by id.
fn own_medium<'a>(service: &'a Service, id: &str) -> Result<&'a Post, Refusal> {
    let world = &service.world;
    let own = world.posts_by(world.caller());
    let mut posts = own.iter().map(|index| world.at(*index));
    let found = posts.find(|post| post.id == id);
    found.map_or_else(|| missing(id), Ok)
}

fn missing<T>(id: &str) -> Result<T, Refusal> {
    refuse(
        100,
        Some(33),
        format!(
            "Unsupported get request. Object with ID '{id}' does not exist, cannot be loaded due to missing permissions, or does not support this operation"
        ),
    )
}

fn unknown_field<T>(name: &str, node: &str) -> Result<T, Refusal> {
    refuse(
        100,
        None,
        format!("(#100) Tried accessing nonexisting field ({name}) on node type ({node})"),
    )
}

fn asked(query: &Parameters) -> Result<Vec<Field>, Refusal> {
    fields::parse(query.get("fields").map_or("id", String::as_str)).map_or_else(
        || refuse(2500, None, "Syntax error in the fields parameter"),
        Ok,
    )
}
