//! `/v1/posts` and `/v1/posts/{platform}/{id}`.

use axum::Json;
use axum::extract::{Path, State};
use futures::future;
use heurpipe_core::{Platform, PostId, Record, Relation, SearchRequest, Stored, Total};
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::coverage::Coverage;
use crate::params::{self, Order, Params};
use crate::problem::Problem;
use crate::state::AppState;
use crate::view::ItemView;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PostsParams {
    /// Which posts, in the filter language; absent or empty: all.
    #[param(example = "brand:\"miu miu\" colour:red,pink likes:>=100")]
    filter: Option<String>,
    /// In which order.
    #[serde(default)]
    #[param(inline)]
    sort: Order,
    /// At most so many, 50 unless told, 500 at the most.
    #[serde(default, deserialize_with = "params::optional")]
    limit: Option<usize>,
    /// The `next` of the page before.
    #[serde(default, deserialize_with = "params::optional")]
    cursor: Option<String>,
    /// Whether to give the payloads as the networks sent them.
    #[serde(default)]
    raw: bool,
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct PostParams {
    /// Whether to give the payloads as the networks sent them.
    #[serde(default)]
    raw: bool,
}

/// A page of posts.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Posts {
    items: Vec<ItemView>,
    /// The cursor of the next page; null: that was all.
    next: Option<String>,
    total: TotalView,
    coverage: Coverage,
}

/// How many posts match in all.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct TotalView {
    /// So many.
    value: u64,
    /// Whether that is exact (`eq`) or a lower bound (`gte`).
    #[schema(value_type = String, example = "eq")]
    relation: Relation,
}

impl From<Total> for TotalView {
    fn from(total: Total) -> Self {
        Self {
            value: total.value,
            relation: total.relation,
        }
    }
}

/// Posts that match a filter, a page at a time.
#[utoipa::path(
    get,
    path = "/v1/posts",
    tag = "posts",
    params(PostsParams),
    responses(
        (status = 200, description = "A page of posts", body = Posts),
        (status = 400, description = "A parameter is wrong; for a bad filter `position` says where", body = Problem, content_type = "application/problem+json")
    )
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    Params(params): Params<PostsParams>,
) -> Result<Json<Posts>, Problem> {
    let request = SearchRequest::new(params::filter(params.filter.as_deref())?)
        .sort(params.sort.into())
        .limit(params::limit(params.limit, 50, 500)?)
        .cursor(params.cursor);
    let (page, coverage) = future::try_join(
        state.search().search(&request),
        Coverage::of(state.search(), None, None),
    )
    .await?;
    let item = |record| ItemView::new(record, params.raw);
    Ok(Json(Posts {
        items: page.items.into_iter().map(item).collect(),
        next: page.next,
        total: page.total.into(),
        coverage,
    }))
}

/// One post with all that is known of it, delivered or not.
#[utoipa::path(
    get,
    path = "/v1/posts/{platform}/{id}",
    tag = "posts",
    params(
        ("platform" = String, Path, description = "The network", example = "instagram"),
        ("id" = String, Path, description = "The network's own id of the post, percent-encoded"),
        PostParams
    ),
    responses(
        (status = 200, description = "The post", body = ItemView),
        (status = 400, description = "A parameter is wrong", body = Problem, content_type = "application/problem+json"),
        (status = 404, description = "There is no such post", body = Problem, content_type = "application/problem+json")
    )
)]
pub(crate) async fn one(
    State(state): State<AppState>,
    Path((platform, id)): Path<(String, String)>,
    Params(params): Params<PostParams>,
) -> Result<Json<ItemView>, Problem> {
    let record = find(&state, &platform, &id).await?;
    Ok(Json(ItemView::new(record, params.raw)))
}

/// The record of a post: from the system of record, else from the search index. An erased post is not found, even where the index still has it.
pub(crate) async fn find(state: &AppState, platform: &str, id: &str) -> Result<Record, Problem> {
    let id = PostId::new(Platform::new(platform), id);
    let stored = state.documents().load(std::slice::from_ref(&id)).await?;
    let found = match stored.into_iter().next() {
        Some(Stored::Known(record)) => Some(*record),
        Some(Stored::Tombstoned) => None,
        Some(Stored::Unknown | Stored::Archived { .. }) | None => state.search().get(&id).await?,
    };
    found.ok_or_else(|| Problem::not_found(format!("there is no post {id}")))
}
