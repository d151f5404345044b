//! The HTTP API and pages of heurpipe.
//!
//! [`router`] turns an [`AppState`] (documents, a search index, blobs) into an [`axum::Router`]; [`serve`] runs it on a listener. The API is
//! described by `/openapi.json`; the pages (`/`, `/explore`, `/trends` and one per post) are rendered on the server, need no script and
//! speak through the same calls.
//!
//! Every error of the API is `application/problem+json` (RFC 9457).
//!
//! ```no_run
//! # async fn example(
//! #     documents: std::sync::Arc<dyn heurpipe_core::Documents>,
//! #     search: std::sync::Arc<dyn heurpipe_core::SearchIndex>,
//! #     blobs: std::sync::Arc<dyn heurpipe_core::Blobs>,
//! # ) -> heurpipe_core::Result<()> {
//! use heurpipe_api::{AppState, bind, serve};
//!
//! let state = AppState::builder(documents, search, blobs).build();
//! let listener = bind("127.0.0.1:8080").await?;
//! serve(listener, state, std::future::pending()).await
//! # }
//! ```

mod access;
mod coverage;
mod pages;
mod params;
mod problem;
mod router;
mod routes;
mod serve;
mod state;
mod view;

pub use access::Access;
pub use problem::Problem;
pub use router::{openapi, router};
pub use serve::{bind, serve};
pub use state::{AppState, AppStateBuilder};
