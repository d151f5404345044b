//! What hosts ask of robots, in their `robots.txt` (RFC 9309).

mod rules;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use heurpipe_core::{Clock, Error, Result};
use jiff::{SignedDuration, Timestamp};
use reqwest::Response;
use reqwest::header::HeaderMap;
use tokio::time::Instant;
use url::Url;

use super::attempts::Attempts;
use super::web::{Hop, MAX_REDIRECTS, OPERATION, Web, about, busy, is_busy};
use crate::http::failed;
use rules::Rules;

/// Rules are asked for again after so long.
const RULES_LAST: SignedDuration = SignedDuration::from_hours(24);
/// A host whose rules cannot be had is asked again after so long.
const SILENCE_LASTS: SignedDuration = SignedDuration::from_mins(1);
/// Of so many hosts the rules are kept; more than that are forgotten where nobody waits for them.
const MAX_SITES: usize = 1000;

/// The rules of every host that was called.
#[derive(Debug)]
pub(super) struct Robots {
    web: Arc<Web>,
    attempts: Attempts,
    clock: Clock,
    /// By scheme, host and port, each of which has rules of its own.
    sites: Mutex<HashMap<String, Arc<Site>>>,
}

#[derive(Debug)]
struct Site {
    /// Held while the rules are being fetched, so that they are fetched once.
    known: tokio::sync::Mutex<Option<Known>>,
    next_call: Mutex<Instant>,
}

#[derive(Debug)]
struct Known {
    rules: Result<Arc<Rules>>,
    until: Timestamp,
}

impl Robots {
    pub(super) fn new(web: Arc<Web>, attempts: Attempts, clock: Clock) -> Self {
        Self {
            web,
            attempts,
            clock,
            sites: Mutex::default(),
        }
    }

    /// Whether a place may be called. When it may, this returns when it is its turn.
    ///
    /// # Errors
    /// Temporary ones while the rules cannot be had: nothing is allowed then.
    pub(super) async fn allow(&self, url: &Url) -> Result<bool> {
        let site = self.site(url);
        let rules = self.rules(&site, url).await?;
        if !rules.allow(url) {
            return Ok(false);
        }
        site.turn(rules.delay()).await;
        Ok(true)
    }

    fn site(&self, url: &Url) -> Arc<Site> {
        let mut sites = self.sites.lock().unwrap_or_else(PoisonError::into_inner);
        if sites.len() > MAX_SITES {
            sites.retain(|_, site| Arc::strong_count(site) > 1);
        }
        let origin = url.origin().ascii_serialization();
        Arc::clone(sites.entry(origin).or_insert_with(|| Arc::new(Site::new())))
    }

    async fn rules(&self, site: &Site, url: &Url) -> Result<Arc<Rules>> {
        let mut known = site.known.lock().await;
        let now = self.clock.now();
        if let Some(known) = &*known
            && now < known.until
        {
            return known.told();
        }
        let (rules, lasts) = match self.fetch(url).await {
            Ok(rules) => (Ok(Arc::new(rules)), RULES_LAST),
            Err(error) => match known.take() {
                // What the host asked for last is what it asks for until it answers again.
                Some(Known {
                    rules: Ok(earlier), ..
                }) => (Ok(earlier), SILENCE_LASTS),
                _ => (Err(error), SILENCE_LASTS),
            },
        };
        let until = now.saturating_add(lasts).unwrap_or(Timestamp::MAX);
        known.insert(Known { rules, until }).told()
    }

    async fn fetch(&self, url: &Url) -> Result<Rules> {
        let mut pauses = self.attempts.pauses();
        loop {
            let error = match self.fetch_once(url).await {
                Ok(rules) => return Ok(rules),
                Err(error) => error,
            };
            let Some(pause) = pauses.after(&error) else {
                return Err(Error::new(error.kind(), OPERATION)
                    .message("the host does not say what it asks of robots")
                    .with("host", url.host_str().unwrap_or_default())
                    .retryable(error.retry())
                    .cause(error));
            };
            tokio::time::sleep(pause).await;
        }
    }

    async fn fetch_once(&self, url: &Url) -> Result<Rules> {
        let mut place = file_of(url);
        for _ in 0..=MAX_REDIRECTS {
            match self.web.call(&place, HeaderMap::new()).await? {
                Hop::Answer(response) => return self.read(response, &place).await,
                Hop::Redirect(to) => place = to,
                // What may not be called has no say; if it is the host itself, it is not called for a picture either.
                Hop::Refused(_) => return Ok(Rules::none()),
            }
        }
        Ok(Rules::none())
    }

    /// A host that has no such file, or does not show it, asks for nothing; one that is not able to answer may ask for anything.
    async fn read(&self, response: Response, place: &Url) -> Result<Rules> {
        match response.status().as_u16() {
            200..=299 => {
                let text = beginning(response).await.map_err(|e| about(e, place))?;
                Ok(Rules::parse(&text))
            }
            status if is_busy(status) => Err(busy(&response, place, self.clock.now())),
            _ => Ok(Rules::none()),
        }
    }
}

impl Site {
    fn new() -> Self {
        Self {
            known: tokio::sync::Mutex::default(),
            next_call: Mutex::new(Instant::now()),
        }
    }

    /// Waits until so long has passed since the call before.
    async fn turn(&self, delay: Duration) {
        if delay.is_zero() {
            return;
        }
        let at = {
            let mut next_call = self
                .next_call
                .lock()
                .unwrap_or_else(PoisonError::into_inner);
            let at = (*next_call).max(Instant::now());
            *next_call = at + delay;
            at
        };
        tokio::time::sleep_until(at).await;
    }
}

impl Known {
    fn told(&self) -> Result<Arc<Rules>> {
        match &self.rules {
            Ok(rules) => Ok(Arc::clone(rules)),
            Err(error) => Err(error.replica()),
        }
    }
}

fn file_of(url: &Url) -> Url {
    let mut file = url.clone();
    file.set_path("/robots.txt");
    file.set_query(None);
    file.set_fragment(None);
    file
}

/// As much of a file as is heeded, whole lines only: half a rule is another rule.
async fn beginning(response: Response) -> Result<Vec<u8>> {
    let mut text = Vec::new();
    let mut chunks = response.bytes_stream();
    while let Some(chunk) = chunks.next().await {
        let chunk = chunk.map_err(|error| failed(OPERATION, error))?;
        text.extend_from_slice(&chunk);
        if text.len() > rules::MAX_BYTES {
            text.truncate(rules::MAX_BYTES);
            let end = text.iter().rposition(|byte| *byte == b'\n');
            text.truncate(end.map_or(0, |line| line + 1));
            break;
        }
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn calls_are_as_far_apart_as_the_host_asks() {
        let site = Site::new();
        let began = Instant::now();
        for _ in 0..3 {
            site.turn(Duration::from_secs(2)).await;
        }
        assert_eq!(began.elapsed(), Duration::from_secs(4));
        site.turn(Duration::ZERO).await;
        assert_eq!(began.elapsed(), Duration::from_secs(4));
    }
}
