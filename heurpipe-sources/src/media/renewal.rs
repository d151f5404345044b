//! URLs that have expired, had again from the network that handed them out.

use std::collections::HashMap;
use std::sync::Arc;

use heurpipe_core::{LookUpPost, Media, MediaRequest, Platform, PostId, Result, Retry, Sighting};
use jiff::Timestamp;
use tokio::sync::OnceCell;
use url::Url;

pub(super) const EXPIRED: &str = "the URL has expired";

/// Who is asked for the posts of each platform.
pub(super) type LookUps = HashMap<Platform, Arc<dyn LookUpPost>>;

/// The posts that one call of the fetcher asks for again, each once, however many of its media are wanted.
pub(super) struct Renewals<'a> {
    look_ups: &'a LookUps,
    sightings: HashMap<&'a PostId, OnceCell<Result<Sighting>>>,
}

/// What came of asking for a URL again.
#[derive(Debug)]
pub(super) enum Renewed {
    Url(Url),
    Gone(&'static str),
}

/// Whether a medium's URL is known to work no more.
pub(super) fn is_expired(medium: &Media, now: Timestamp) -> bool {
    medium.url_expires_at.is_some_and(|at| at <= now)
}

impl<'a> Renewals<'a> {
    pub(super) fn of(requests: &'a [MediaRequest], look_ups: &'a LookUps) -> Self {
        let posts = requests.iter().map(|request| &request.post.id);
        Self {
            look_ups,
            sightings: posts.map(|id| (id, OnceCell::new())).collect(),
        }
    }

    /// The URL that the medium has now.
    ///
    /// # Errors
    /// When the network does not answer now, or wants a person's help first.
    pub(super) async fn renew(&self, request: &MediaRequest, now: Timestamp) -> Result<Renewed> {
        let post = &request.post;
        let (Some(look_up), Some(sighting)) = (
            self.look_ups.get(&post.id.platform),
            self.sightings.get(&post.id),
        ) else {
            return Ok(Renewed::Gone(EXPIRED));
        };
        let sighting = sighting.get_or_init(|| look_up.look_up(post)).await;
        match sighting {
            Ok(Sighting::There(post)) => {
                Ok(fresh_url(post.medium(&request.media.id), request, now))
            }
            Ok(Sighting::Gone) => Ok(Renewed::Gone("the post is gone")),
            Ok(Sighting::CannotTell) => Ok(Renewed::Gone(EXPIRED)),
            Err(error) if error.retry() == Retry::Permanent => {
                tracing::warn!(%error, post = %post.id, "the network cannot say how the post is now");
                Ok(Renewed::Gone(EXPIRED))
            }
            Err(error) => Err(error.replica()),
        }
    }
}

/// A network may go on handing out the URL that is dead.
fn fresh_url(medium: Option<&Media>, request: &MediaRequest, now: Timestamp) -> Renewed {
    let Some(medium) = medium else {
        return Renewed::Gone("the post no longer has this medium");
    };
    if is_expired(medium, now) || medium.url == request.media.url {
        return Renewed::Gone(EXPIRED);
    }
    match medium.url.as_deref().map(Url::parse) {
        Some(Ok(url)) => Renewed::Url(url),
        Some(Err(_)) => Renewed::Gone("the URL is none"),
        None => Renewed::Gone("there is no URL"),
    }
}
