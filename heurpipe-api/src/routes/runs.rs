//! `/v1/runs`.

use axum::Json;
use axum::extract::State;
use heurpipe_core::RunRecord;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::params::{self, Params};
use crate::problem::Problem;
use crate::state::AppState;

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(crate) struct RunsParams {
    /// At most so many, 20 unless told, 200 at the most.
    #[serde(default, deserialize_with = "params::optional")]
    limit: Option<usize>,
}

/// The latest runs.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Runs {
    /// Newest first; each with `started_at`, `ended_at` (null while it runs, or when it was killed) and the `report` as `heurpipe run --json` prints it.
    #[schema(value_type = Vec<Object>)]
    items: Vec<RunRecord>,
}

/// The latest runs, newest first.
#[utoipa::path(
    get,
    path = "/v1/runs",
    tag = "runs",
    params(RunsParams),
    responses(
        (status = 200, description = "The runs", body = Runs),
        (status = 400, description = "A parameter is wrong", body = Problem, content_type = "application/problem+json")
    )
)]
pub(crate) async fn list(
    State(state): State<AppState>,
    Params(params): Params<RunsParams>,
) -> Result<Json<Runs>, Problem> {
    let limit = params::limit(params.limit, 20, 200)?;
    let items = state.documents().runs(limit).await?;
    Ok(Json(Runs { items }))
}
