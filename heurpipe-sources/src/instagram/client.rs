//! Calls of the Graph API.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use heurpipe_core::{Error, ErrorKind, Result, Retry};
use serde::de::DeserializeOwned;
use url::Url;

use super::errors;
use super::usage::usage;
use crate::http::{Http, Pace};

/// Fields that some versions and accounts do not know. Refused once, they are not asked for again.
const OPTIONAL_FIELDS: &[&str] = &["followers_count", "name", "thumbnail_url", "view_count"];

/// The API for one user and token.
#[derive(Debug)]
pub(super) struct GraphClient {
    pub http: Http,
    pub pace: Pace,
    /// Host and version.
    pub base: Url,
    /// The Instagram user on whose behalf the calls are made.
    pub user_id: String,
    /// Posts asked for in one call.
    pub page_size: u32,
    /// Ids of hashtags are the same for everybody and never change.
    pub hashtag_ids: Mutex<HashMap<String, String>>,
    pub refused_fields: Mutex<BTreeSet<&'static str>>,
}

impl GraphClient {
    /// Makes a call and reads its answer. `parameters` is asked again when the API refuses an optional field.
    pub(super) async fn call<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: &str,
        parameters: impl Fn(&Self) -> Vec<(&'static str, String)>,
    ) -> Result<T> {
        loop {
            let url = self.url(operation, path, &parameters(self))?;
            let answer = self.http.patiently(|| self.once(operation, &url)).await;
            match answer {
                Ok(body) => return parsed(operation, &body),
                Err(error) if self.refuses_field(&error, &url) => {}
                // Patience has not helped: it is gone indeed.
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    return Err(error.retryable(Retry::Permanent));
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn once(&self, operation: &'static str, url: &Url) -> Result<Vec<u8>> {
        self.pace.turn(operation).await?;
        let reply = self.http.get(operation, url).await?;
        let usage = usage(&reply.headers);
        if let Some(usage) = usage {
            self.pace.used(usage.percent, usage.regain);
        }
        let regain = usage.and_then(|usage| usage.regain);
        let answer = errors::accepted(operation, reply, regain, self.pace.rest());
        if let Err(error) = &answer
            && let Some(wait) = error.retry_after()
        {
            self.pace.refused_for(wait);
        }
        answer
    }

    fn url(
        &self,
        operation: &'static str,
        path: &str,
        parameters: &[(&'static str, String)],
    ) -> Result<Url> {
        let mut url = self.base.join(path).map_err(|error| {
            Error::new(ErrorKind::InvalidInput, operation)
                .message("no path of the API")
                .with("path", path)
                .cause(error)
        })?;
        url.query_pairs_mut().extend_pairs(parameters);
        Ok(url)
    }

    /// Whether the error names an optional field that this call asked for: then the call is worth making without it. Another partition's call
    /// may have learnt of the field in between.
    fn refuses_field(&self, error: &Error, asked: &Url) -> bool {
        if error.kind() != ErrorKind::InvalidInput {
            return false;
        }
        let Some((_, said)) = error.context().find(|(key, _)| *key == "said") else {
            return false;
        };
        let words: BTreeSet<&str> = said
            .split(|c: char| !(c.is_ascii_alphanumeric() || c == '_'))
            .collect();
        // Longest first: `name` is a word of many sentences, and is dropped only when nothing else is meant.
        let mut candidates: Vec<_> = OPTIONAL_FIELDS
            .iter()
            .filter(|field| words.contains(**field) && asked.as_str().contains(**field))
            .collect();
        candidates.sort_by_key(|field| std::cmp::Reverse(field.len()));
        let mut refused = self
            .refused_fields
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        match candidates.first() {
            Some(field) => {
                refused.insert(field);
                true
            }
            None => false,
        }
    }

    /// The fields that the API has not refused.
    pub(super) fn wanted(&self, fields: &[&str]) -> String {
        let refused = self
            .refused_fields
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        let wanted: Vec<&str> = fields
            .iter()
            .copied()
            .filter(|field| !refused.contains(field))
            .collect();
        wanted.join(",")
    }
}

fn parsed<T: DeserializeOwned>(operation: &'static str, body: &[u8]) -> Result<T> {
    serde_json::from_slice(body).map_err(|error| {
        // An answer cut short or of another form is no fault of the request: the next may be whole.
        Error::new(ErrorKind::Unavailable, operation)
            .message("the answer does not have the form it must have")
            .with("bytes", body.len())
            .cause(error)
    })
}
