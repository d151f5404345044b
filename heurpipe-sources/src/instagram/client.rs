//! Calls of the Graph API.

use heurpipe_core::{Clock, Error, ErrorKind, Result, Retry};
use serde::de::DeserializeOwned;
use tokio::sync::OnceCell;
use url::Url;

use super::errors::{self, Waits};
use super::fields::Fields;
use super::ledger::Ledger;
use super::usage::usage;
use crate::http::{Http, Pace, scrubbed};

/// The host of the other way to log in, which knows what is the user's own and what shows the user.
const INSTAGRAM_LOGIN_HOST: &str = "graph.instagram.com";

/// The API for one user and token.
#[derive(Debug)]
pub(super) struct GraphClient {
    pub http: Http,
    pub pace: Pace,
    pub ledger: Ledger,
    pub clock: Clock,
    /// Host and version.
    pub base: Url,
    /// The Instagram user on whose behalf the calls are made.
    pub user_id: String,
    /// Posts asked for in one call.
    pub page_size: u32,
    /// Media that mention the user, as webhooks told.
    pub mentions: Vec<String>,
    pub fields: Fields,
    pub once: Once,
}

/// What is done or asked once in the life of a client.
#[derive(Debug, Default)]
pub(super) struct Once {
    /// The pace goes on from where an earlier process left it.
    pub pace_resumed: OnceCell<()>,
    /// The ledger knows which hashtags others asked for.
    pub hashtags_compared: OnceCell<()>,
    /// The user's own handle, in lower case.
    pub own_handle: OnceCell<Option<String>>,
}

impl GraphClient {
    /// Makes a call and reads its answer. `parameters` is asked again when the API refuses an optional field.
    pub(super) async fn call<T: DeserializeOwned>(
        &self,
        operation: &'static str,
        path: &str,
        parameters: impl Fn(&Self) -> Vec<(&'static str, String)>,
    ) -> Result<T> {
        self.once
            .pace_resumed
            .get_or_try_init(|| self.resume_pace())
            .await?;
        loop {
            let url = self.url(operation, path, &parameters(self))?;
            let answer = self.http.patiently(|| async {
                let body = self.once(operation, &url).await?;
                parsed(operation, &body)
            });
            match answer.await {
                Ok(answer) => return Ok(answer),
                Err(error) if self.fields.note_refusal(operation, &error, &url) => {
                    tracing::info!(%error, "a field is unknown here, asking without it");
                }
                // Patience has not helped: it is gone indeed.
                Err(error) if error.kind() == ErrorKind::NotFound => {
                    return Err(error.retryable(Retry::Permanent));
                }
                Err(error) => return Err(error),
            }
        }
    }

    async fn resume_pace(&self) -> Result<()> {
        self.pace.resume(self.ledger.usage().await?);
        Ok(())
    }

    async fn once(&self, operation: &'static str, url: &Url) -> Result<Vec<u8>> {
        self.pace.turn(operation).await?;
        let reply = self.http.get(operation, url).await?;
        let usage = usage(&reply.headers);
        if let Some(usage) = usage {
            self.pace.used(usage.percent, usage.regain);
        }
        let waits = Waits {
            regain: usage.and_then(|usage| usage.regain),
            rest: self.pace.rest(),
            now: self.clock.now(),
        };
        let answer = errors::accepted(operation, reply, waits);
        if let Err(error) = &answer
            && let Some(wait) = error.retry_after()
        {
            self.pace.refused_for(wait);
        }
        self.keep_usage().await;
        answer
    }

    /// The answer is there already: that its usage cannot be written down is no reason to lose it.
    async fn keep_usage(&self) {
        if let Err(error) = self.ledger.keep_usage(self.pace.standing()).await {
            tracing::warn!(%error, "the usage of the API cannot be kept, a restart will not know of it");
        }
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

    /// The fields of a call that are known to the API and wanted.
    pub(super) fn wanted(&self, operation: &'static str, fields: &[&'static str]) -> String {
        self.fields.wanted(operation, fields).join(",")
    }

    /// The same for media, whose albums are shown with their items.
    pub(super) fn wanted_media(
        &self,
        operation: &'static str,
        fields: &[&'static str],
        children: &[&'static str],
    ) -> String {
        let media = self.wanted(operation, fields);
        let children = self.wanted(operation, children);
        format!("{media},children{{{children}}}")
    }

    /// Whether the host can be asked for what others have posted.
    pub(super) fn sees_others(&self) -> bool {
        sees_others(&self.base)
    }
}

/// Whether a host can be asked for what others have posted: hashtags and accounts.
pub(super) fn sees_others(base: &Url) -> bool {
    base.host_str() != Some(INSTAGRAM_LOGIN_HOST)
}

fn parsed<T: DeserializeOwned>(operation: &'static str, body: &[u8]) -> Result<T> {
    serde_json::from_slice(body).map_err(|error| {
        // An answer cut short or of another form is no fault of the request: the next may be whole.
        Error::new(ErrorKind::Unavailable, operation)
            .message("the answer does not have the form it must have")
            .with("bytes", body.len())
            .cause(scrubbed(&error.to_string()).into_owned())
    })
}
