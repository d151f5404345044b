//! The routes, and what all answers have in common.

use axum::Router;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::middleware;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tower_http::compression::CompressionLayer;
use tower_http::set_header::SetResponseHeaderLayer;
use tower_http::trace::TraceLayer;
use utoipa::OpenApi as _;
use utoipa::openapi::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::routes::{description, facets, health, media, posts, runs, similar, trends};
use crate::state::AppState;
use crate::{access, pages};

/// What browsers may load on our pages: our own files, and nothing that a post could smuggle in.
const POLICY: &str = "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'";

#[derive(utoipa::OpenApi)]
#[openapi(info(
    title = "heurpipe",
    description = "Fashion posts, the attributes read off them, and how these move over time."
))]
struct Description;

/// The API and the pages over this state.
pub fn router(state: AppState) -> Router {
    let (api, _) = api().split_for_parts();
    let document = description::Document::new(&openapi(state.version()));
    api.merge(pages::router())
        .method_not_allowed_fallback(method_not_allowed)
        .fallback(pages::not_found)
        .layer(axum::Extension(document))
        .layer(middleware::from_fn_with_state(state.clone(), access::guard))
        .layer(common(header::CONTENT_SECURITY_POLICY, POLICY))
        .layer(common(header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .layer(common(header::REFERRER_POLICY, "no-referrer"))
        .layer(common(header::X_FRAME_OPTIONS, "DENY"))
        .layer(common(
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ))
        .layer(CompressionLayer::new())
        .layer(TraceLayer::new_for_http())
        .with_state(state)
}

/// The OpenAPI description that `/openapi.json` serves.
pub fn openapi(version: &str) -> OpenApi {
    let mut description = api().into_openapi();
    description.info.version = version.to_owned();
    description
}

fn api() -> OpenApiRouter<AppState> {
    OpenApiRouter::with_openapi(Description::openapi())
        .routes(routes!(health::healthz))
        .routes(routes!(health::readyz))
        .routes(routes!(posts::list))
        .routes(routes!(posts::one))
        .routes(routes!(similar::similar))
        .routes(routes!(facets::facets))
        .routes(routes!(media::media))
        .routes(routes!(trends::trends))
        .routes(routes!(runs::list))
        .routes(routes!(description::openapi_json))
}

/// A header that an answer carries unless its handler set a stricter one.
fn common(name: HeaderName, value: &'static str) -> SetResponseHeaderLayer<HeaderValue> {
    SetResponseHeaderLayer::if_not_present(name, HeaderValue::from_static(value))
}

async fn method_not_allowed() -> Response {
    crate::Problem::new(StatusCode::METHOD_NOT_ALLOWED)
        .detail("this address does not take that method")
        .into_response()
}

/// Serves a file that is part of the program.
pub(crate) fn asset(
    content_type: &'static str,
    content: &'static str,
) -> axum::routing::MethodRouter<AppState> {
    get(move || async move {
        (
            [
                (header::CONTENT_TYPE, content_type),
                (header::CACHE_CONTROL, "public, max-age=3600"),
            ],
            content,
        )
    })
}
