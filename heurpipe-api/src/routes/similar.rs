//! `/v1/posts/{platform}/{id}/similar`.

use std::collections::BTreeMap;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use futures::future;
use heurpipe_core::{Filter, PostId, Result, Similar, SimilarRequest};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use super::posts::find;
use crate::coverage::Coverage;
use crate::params::{self, Params};
use crate::problem::Problem;
use crate::state::AppState;
use crate::view::ItemView;

/// Of a post with more vectors, as one has in whose pictures many parts were found, the first so many are compared.
const MOST_VECTORS: usize = 16;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct SimilarParams {
    /// The attribute whose vectors are compared; it may be left out where the post has vectors of one only.
    #[param(example = "look")]
    attribute: Option<String>,
    /// Among posts that match this filter.
    filter: Option<String>,
    /// At most so many, 12 unless told, 100 at the most.
    #[serde(default, deserialize_with = "params::optional")]
    limit: Option<usize>,
    /// Whether to give the payloads as the networks sent them.
    #[serde(default)]
    raw: bool,
}

/// Posts that look like one.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SimilarPosts {
    /// Nearest first.
    items: Vec<SimilarItem>,
    /// The attribute whose vectors were compared.
    attribute: String,
    coverage: Coverage,
}

/// A post, and how near it is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct SimilarItem {
    /// The cosine of the angle between the vectors of the two posts that are nearest to each other, -1 to 1.
    #[schema(example = 0.93)]
    score: f32,
    #[serde(flatten)]
    item: ItemView,
}

/// Posts whose pictures look like those of a post, or whose texts read alike: by the vectors that models gave them (`embed-image`, `embed-text`).
#[utoipa::path(
    get,
    path = "/v1/posts/{platform}/{id}/similar",
    tag = "posts",
    params(
        ("platform" = String, Path, description = "The network", example = "instagram"),
        ("id" = String, Path, description = "The network's own id of the post, percent-encoded"),
        SimilarParams
    ),
    responses(
        (status = 200, description = "The nearest posts, without the post itself", body = SimilarPosts),
        (status = 400, description = "A parameter is wrong, or the post has vectors of several attributes and none is named", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such post, or (`urn:heurpipe:problem:no-vector`) it has no vector to compare", body = Problem, content_type = "application/problem+json"),
        (status = 501, description = "The search index does not compare vectors, or none of this length", body = Problem, content_type = "application/problem+json")
    )
)]
pub(crate) async fn similar(
    State(state): State<AppState>,
    Path((platform, id)): Path<(String, String)>,
    Params(params): Params<SimilarParams>,
) -> Result<Json<SimilarPosts>, Problem> {
    let filter = params::filter(params.filter.as_deref())?;
    let limit = params::limit(params.limit, 12, 100)?;
    let record = find(&state, &platform, &id).await?;
    let asked = params.attribute.as_deref().filter(|name| !name.is_empty());
    let vectors = record.effective_vectors();
    let (attribute, vectors) = chosen(record.id(), &vectors, asked)?;
    let (similar, coverage) = future::try_join(
        like(&state, record.id(), attribute, vectors, &filter, limit),
        Coverage::of(state.search(), None, None),
    )
    .await?;
    let items = similar.into_iter().map(|similar| SimilarItem {
        score: similar.score,
        item: ItemView::new(similar.record, params.raw),
    });
    Ok(Json(SimilarPosts {
        items: items.collect(),
        attribute: attribute.to_owned(),
        coverage,
    }))
}

/// The attribute by which a post is compared, with its vectors.
fn chosen<'a>(
    id: &PostId,
    vectors: &'a BTreeMap<&'a str, Vec<&'a [f32]>>,
    asked: Option<&str>,
) -> Result<(&'a str, &'a [&'a [f32]]), Problem> {
    let names = || vectors.keys().copied().collect::<Vec<_>>().join(", ");
    let found = match asked {
        Some(name) => vectors.get_key_value(name),
        None if vectors.len() == 1 => vectors.first_key_value(),
        None => None,
    };
    match (found, asked) {
        (Some((name, vectors)), _) => Ok((name, vectors)),
        (None, _) if vectors.is_empty() => Err(without_vector(format!(
            "the post {id} has no vector; models of the tasks embed-image and embed-text give them"
        ))),
        (None, Some(name)) => Err(without_vector(format!(
            "the post {id} has no vector of `{name}`, but of {}",
            names()
        ))),
        (None, None) => Err(Problem::bad_request(format!(
            "attribute: the post has vectors of several, name one of {}",
            names()
        ))),
    }
}

fn without_vector(detail: String) -> Problem {
    Problem::new(StatusCode::NOT_FOUND)
        .named("no-vector", "The post has no vector")
        .detail(detail)
}

/// The posts nearest to one by its vectors of an attribute, without itself: each by the two vectors that are nearest to each other.
pub(crate) async fn like(
    state: &AppState,
    id: &PostId,
    attribute: &str,
    vectors: &[&[f32]],
    filter: &Filter,
    limit: usize,
) -> Result<Vec<Similar>> {
    let requests: Vec<SimilarRequest> = vectors
        .iter()
        .take(MOST_VECTORS)
        .map(|vector| {
            SimilarRequest::new(attribute, *vector)
                .filter(filter.clone())
                .without([id.clone()])
                .limit(limit)
        })
        .collect();
    let answers = requests
        .iter()
        .map(|request| state.search().similar(request));
    let found = future::try_join_all(answers).await?;
    Ok(nearest(found.into_iter().flatten(), limit))
}

/// Each post once, with its best score: what is among the nearest to any of several vectors is among the nearest to one of them.
fn nearest(found: impl Iterator<Item = Similar>, limit: usize) -> Vec<Similar> {
    let mut best: BTreeMap<PostId, Similar> = BTreeMap::new();
    for similar in found {
        let known = best.get(similar.record.id());
        if known.is_none_or(|known| known.score < similar.score) {
            best.insert(similar.record.id().clone(), similar);
        }
    }
    let mut nearest: Vec<Similar> = best.into_values().collect();
    // A stable sort: of equals the first by id is the first.
    nearest.sort_by(|a, b| b.score.total_cmp(&a.score));
    nearest.truncate(limit);
    nearest
}
