//! How one post fares that is known already.

use std::collections::HashMap;

use heurpipe_core::{Error, ErrorKind, Incoming, KnownPost, Platform, Result, Sighting};
use serde_json::value::RawValue;

use super::client::WeiboClient;
use super::map::{self, Fate};
use super::{endpoints, errors};

/// Asks for a post by its number.
///
/// # Errors
/// Limits and credentials; `Unavailable` when the answer is about another post; `InvalidInput` when it is no post.
pub(super) async fn look_up(client: &WeiboClient, post: &KnownPost) -> Result<Sighting> {
    let Some(number) = number(post) else {
        return Ok(Sighting::CannotTell);
    };
    let parameters = [("id", number.to_owned()), ("isGetLongText", "1".to_owned())];
    let answer = client
        .call::<Box<RawValue>>(&endpoints::SHOW, &parameters)
        .await;
    match answer {
        Ok(status) => sighting(client, number, &status),
        Err(error) => match errors::code_of(&error) {
            Some(errors::NO_SUCH_STATUS) => Ok(Sighting::Gone),
            // Others may see it still.
            Some(code) if errors::NOT_FOR_THIS_USER.contains(&code) => Ok(Sighting::CannotTell),
            _ => Err(error.with("post", &post.id)),
        },
    }
}

/// The network's own number of a post, under whichever of its ids.
fn number(post: &KnownPost) -> Option<&str> {
    let is_number = |id: &str| !id.is_empty() && id.bytes().all(|c| c.is_ascii_digit());
    std::iter::once(&post.id)
        .chain(&post.aliases)
        .filter(|id| id.platform == Platform::weibo())
        .map(|id| id.native.as_ref())
        .find(|native| is_number(native))
}

fn sighting(client: &WeiboClient, number: &str, status: &RawValue) -> Result<Sighting> {
    let wrong = |kind, message: &str| {
        Error::new(kind, endpoints::SHOW.operation)
            .message(message)
            .with("post", number)
    };
    match map::fate(status) {
        Fate::There => {}
        Fate::Removed => return Ok(Sighting::Gone),
        Fate::Unclear => return Ok(Sighting::CannotTell),
    }
    let setting = map::Setting {
        call: map::SHOW_CALL,
        place: "show",
        collected_at: client.clock.now(),
        media_base: client.reading.media_base.as_ref(),
        crs: None,
        whole: &HashMap::new(),
    };
    // What it passes on comes before it.
    match map::status(status, &setting).items.pop() {
        Some(Incoming::Post(found)) if &*found.id.native == number => Ok(Sighting::There(found)),
        Some(Incoming::Unreadable(unreadable)) => Err(wrong(
            ErrorKind::InvalidInput,
            "the answer cannot be read as a post",
        )
        .with("reason", unreadable.reason)),
        _ => Err(wrong(
            ErrorKind::Unavailable,
            "the answer is about another post",
        )),
    }
}
