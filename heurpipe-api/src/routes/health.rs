//! `/healthz` and `/readyz`.

use axum::Json;
use axum::extract::State;
use axum::http::StatusCode;
use futures::future;
use heurpipe_core::{Filter, SearchRequest};
use serde::Serialize;
use utoipa::ToSchema;

use crate::problem::Problem;
use crate::state::AppState;

/// That the process is up.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    /// `ok`.
    status: &'static str,
    /// The version that runs.
    version: String,
}

/// Whether the process is up.
#[utoipa::path(
    get,
    path = "/healthz",
    tag = "service",
    responses((status = 200, description = "It is", body = Health))
)]
pub(crate) async fn healthz(State(state): State<AppState>) -> Json<Health> {
    Json(ok(&state))
}

/// Whether the stores answer.
#[utoipa::path(
    get,
    path = "/readyz",
    tag = "service",
    responses(
        (status = 200, description = "They do", body = Health),
        (status = 503, description = "One does not", body = Problem, content_type = "application/problem+json")
    )
)]
pub(crate) async fn readyz(State(state): State<AppState>) -> Result<Json<Health>, Problem> {
    let request = SearchRequest::new(Filter::All).limit(1);
    future::try_join(state.documents().runs(1), state.search().search(&request))
        .await
        .map_err(|error| {
            tracing::warn!(error = ?error, "not ready");
            Problem::new(StatusCode::SERVICE_UNAVAILABLE).detail("a store does not answer")
        })?;
    Ok(Json(ok(&state)))
}

fn ok(state: &AppState) -> Health {
    Health {
        status: "ok",
        version: state.version().to_owned(),
    }
}
