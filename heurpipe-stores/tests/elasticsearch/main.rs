//! The search index on Elasticsearch and OpenSearch: on real servers, where the environment names them, and on replies that a real server gives rarely.
#![allow(clippy::unwrap_used)]

mod replies;
mod servers;
