//! Calls of the Open API with one token.

use heurpipe_core::{Clock, Crs, Result};
use serde::de::DeserializeOwned;
use url::Url;

use super::endpoints::{Endpoint, HostName};
use super::errors;
use super::host::Host;
use crate::http::Http;

/// The API for one token.
#[derive(Debug)]
pub(super) struct WeiboClient {
    pub http: Http,
    pub open: Host,
    pub commercial: Host,
    pub clock: Clock,
    pub reading: Reading,
}

/// How posts are asked for and read.
#[derive(Debug)]
pub(super) struct Reading {
    /// Posts asked for in one call, where the call gives so many.
    pub page_size: u32,
    /// Where pictures are fetched from; none: where the answer says.
    pub media_base: Option<Url>,
    /// Whether to ask for the whole of texts that are cut.
    pub completes_texts: bool,
    /// The reference system of coordinates around which posts are asked for; none: unknown.
    pub nearby_crs: Option<Crs>,
}

impl WeiboClient {
    /// Makes a call and reads its answer.
    ///
    /// # Errors
    /// What the API refuses, when it does not answer, and when an answer cannot be read.
    pub(super) async fn call<T: DeserializeOwned>(
        &self,
        endpoint: &Endpoint,
        parameters: &[(&'static str, String)],
    ) -> Result<T> {
        let host = match endpoint.host {
            HostName::Open => &self.open,
            HostName::Commercial => &self.commercial,
        };
        let mut url = host.url(endpoint)?;
        url.query_pairs_mut().extend_pairs(parameters);
        let read = || async {
            let body = host.once(&self.http, endpoint, &url).await?;
            errors::read(endpoint.operation, &body)
        };
        self.http.patiently(read).await
    }
}
