//! One host of the API, with what may be called there.

use std::sync::atomic::{AtomicU64, Ordering};

use heurpipe_core::{Clock, Error, ErrorKind, Result};
use tokio::sync::Mutex;
use url::Url;

use super::endpoints::{Endpoint, RATE_LIMIT_STATUS};
use super::errors::{self, Refused};
use super::limits::{Ledger, Scope, Standing};
use super::wire::RateLimitStatus;
use crate::http::{Http, Kept, Pace};

/// The pace is told no more than this: whether a call may be made at all is the ledger's to say.
const FULLEST_PERCENT: f64 = 99.0;

/// A host of the API: its address and its limits.
#[derive(Debug)]
pub(super) struct Host {
    /// Host and version.
    pub base: Url,
    pub ledger: Kept<Ledger>,
    /// Spaces calls when an allowance runs low.
    pub pace: Pace,
    /// Whether it can be asked how many calls are left.
    pub tells_limits: bool,
    pub clock: Clock,
    /// Held by whoever asks, so that one question is asked at a time.
    pub asking: Mutex<()>,
    /// Calls that have been counted and not answered yet.
    pub in_flight: AtomicU64,
}

impl Host {
    /// One call, if the limits allow it.
    ///
    /// # Errors
    /// `RateLimited`, with the time to wait, when none may be made now; what the API refuses and what goes wrong on the way.
    pub(super) async fn once(
        &self,
        http: &Http,
        endpoint: &Endpoint,
        url: &Url,
    ) -> Result<Vec<u8>> {
        let counted = self.admit(http, endpoint).await?;
        self.pace.turn(endpoint.operation).await?;
        let reply = http.get(endpoint.operation, url).await?;
        drop(counted);
        match errors::accepted(endpoint.operation, reply, self.clock.now()) {
            Ok(body) => Ok(body),
            Err(Refused { error, limit: None }) => Err(error),
            Err(Refused {
                error,
                limit: Some(scope),
            }) => Err(self.refused(http, endpoint, error, scope).await?),
        }
    }

    /// The address of a call.
    pub(super) fn url(&self, endpoint: &Endpoint) -> Result<Url> {
        self.base
            .join(&format!("{}.json", endpoint.path))
            .map_err(|error| {
                Error::new(ErrorKind::Internal, endpoint.operation)
                    .message("no path of the API")
                    .cause(error)
            })
    }

    /// Asks first where that is due, then counts the call.
    async fn admit(&self, http: &Http, endpoint: &Endpoint) -> Result<InFlight<'_>> {
        if self.standing(endpoint).await? == Standing::AskFirst && self.tells_limits {
            let _one_asks = self.asking.lock().await;
            // Who had to wait finds what the one before was told.
            if self.standing(endpoint).await? == Standing::AskFirst {
                self.ask(http).await?;
            }
        }
        let counted = InFlight::enter(&self.in_flight);
        let now = self.clock.now();
        let taken = self.ledger.with(|ledger| ledger.take(endpoint.path, now));
        match taken.await? {
            Ok(()) => Ok(counted),
            Err(wait) => Err(Error::new(ErrorKind::RateLimited, endpoint.operation)
                .message("the allowance of calls is used up")
                .after(wait)),
        }
    }

    async fn standing(&self, endpoint: &Endpoint) -> Result<Standing> {
        let now = self.clock.now();
        let standing = self
            .ledger
            .with(|ledger| ledger.standing(endpoint.path, now));
        standing.await
    }

    /// Notes a refusal for too many calls. The answer does not say when calls are allowed again; the other call does.
    async fn refused(
        &self,
        http: &Http,
        endpoint: &Endpoint,
        error: Error,
        scope: Scope,
    ) -> Result<Error> {
        if self.tells_limits {
            let _one_asks = self.asking.lock().await;
            self.ask(http).await?;
        }
        let now = self.clock.now();
        let (told, rest) = (error.retry_after(), self.pace.rest());
        let wait = self
            .ledger
            .with(|ledger| ledger.refused(endpoint.path, scope, now, told, rest))
            .await?;
        Ok(error.after(wait))
    }

    /// Asks how many calls are left, which is not counted. That there is no answer is no reason to stop.
    async fn ask(&self, http: &Http) -> Result<()> {
        let status = self.rate_limit_status(http).await;
        let now = self.clock.now();
        let in_flight = self.in_flight.load(Ordering::Relaxed);
        let rest = self.pace.rest();
        let percent = self.ledger.with(|ledger| {
            match &status {
                Ok(status) => ledger.answered(status, in_flight, now, rest),
                Err(_) => ledger.asked(now),
            }
            ledger.used_percent()
        });
        if let Some(percent) = percent.await? {
            self.pace.used(percent.min(FULLEST_PERCENT), None);
        }
        if let Err(error) = status {
            tracing::debug!(%error, "how many calls are left is not known");
        }
        Ok(())
    }

    async fn rate_limit_status(&self, http: &Http) -> Result<RateLimitStatus> {
        let endpoint = &RATE_LIMIT_STATUS;
        let reply = http.get(endpoint.operation, &self.url(endpoint)?).await?;
        let body = errors::accepted(endpoint.operation, reply, self.clock.now())
            .map_err(|refused| refused.error)?;
        errors::read(endpoint.operation, &body)
    }
}

/// One call in flight, until dropped.
struct InFlight<'a>(&'a AtomicU64);

impl<'a> InFlight<'a> {
    fn enter(count: &'a AtomicU64) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}
