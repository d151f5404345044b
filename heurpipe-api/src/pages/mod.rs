//! The pages: rendered here, without a build step, complete without a script.

mod card;
mod chart;
mod colour;
mod conditions;
mod explore;
mod links;
mod overview;
mod post;
mod text;
mod trends;

use askama::Template;
use axum::Router;
use axum::http::{HeaderMap, StatusCode, Uri, header};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::get;
use heurpipe_core::Error;

use crate::problem::Problem;
use crate::router::asset;
use crate::state::AppState;

/// The pages and the three files that they need.
pub(crate) fn router() -> Router<AppState> {
    Router::new()
        .route("/", get(overview::page))
        .route("/explore", get(explore::page))
        .route("/posts/{platform}/{id}", get(post::page))
        .route("/trends", get(trends::page))
        .route(
            "/assets/style.css",
            asset(
                "text/css; charset=utf-8",
                include_str!("../../assets/style.css"),
            ),
        )
        .route(
            "/assets/keys.js",
            asset(
                "text/javascript; charset=utf-8",
                include_str!("../../assets/keys.js"),
            ),
        )
        .route(
            "/assets/icon.svg",
            asset("image/svg+xml", include_str!("../../assets/icon.svg")),
        )
}

/// What a page's handler gives.
type Page = Result<Response, PageProblem>;

/// A problem told as a page.
struct PageProblem(Problem);

impl From<Problem> for PageProblem {
    fn from(problem: Problem) -> Self {
        Self(problem)
    }
}

impl From<Error> for PageProblem {
    fn from(error: Error) -> Self {
        Self(error.into())
    }
}

#[derive(Template)]
#[template(path = "problem.html")]
struct ProblemPage<'a> {
    section: &'static str,
    status: u16,
    title: &'a str,
    explanation: &'a str,
}

impl IntoResponse for PageProblem {
    fn into_response(self) -> Response {
        let status = self.0.status();
        let page = ProblemPage {
            section: "",
            status: status.as_u16(),
            title: self.0.title(),
            explanation: self.0.explanation(),
        };
        match page.render() {
            Ok(html) => (status, Html(html)).into_response(),
            Err(_) => self.0.into_response(),
        }
    }
}

fn render(page: &impl Template) -> Page {
    page.render()
        .map(|html| Html(html).into_response())
        .map_err(|error| {
            tracing::error!(%error, "a page could not be rendered");
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR).into()
        })
}

/// For addresses that lead nowhere: a page for people, a problem for programs.
pub(crate) async fn not_found(uri: Uri, headers: HeaderMap) -> Response {
    let problem = Problem::not_found("there is nothing at this address");
    let accepts_pages = headers
        .get(header::ACCEPT)
        .and_then(|accept| accept.to_str().ok())
        .is_some_and(|accept| accept.contains("text/html"));
    if accepts_pages && !uri.path().starts_with("/v1/") {
        return PageProblem(problem).into_response();
    }
    problem.into_response()
}
