//! Posts by hashtag.

use std::sync::PoisonError;

use heurpipe_core::{Error, ErrorKind, Result};

use super::client::GraphClient;
use super::reader::Fetched;
use super::wire::{HashtagFound, MediaPage};

/// Which of a hashtag's two streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edge {
    /// The most popular posts.
    Top,
    /// The posts of the last 24 hours, in no order.
    Recent,
}

const FIELDS: &[&str] = &[
    "id",
    "caption",
    "media_type",
    "media_url",
    "permalink",
    "timestamp",
    "like_count",
    "comments_count",
];
const CHILDREN: &[&str] = &["id", "media_type", "media_url"];

/// One page of a hashtag's posts.
pub(super) async fn page(
    client: &GraphClient,
    tag: &str,
    edge: Edge,
    after: Option<&str>,
) -> Result<Fetched> {
    let hashtag = hashtag_id(client, tag).await?;
    let (operation, path) = match edge {
        Edge::Top => ("graph.top_media", format!("{hashtag}/top_media")),
        Edge::Recent => ("graph.recent_media", format!("{hashtag}/recent_media")),
    };
    let page: MediaPage = client
        .call(operation, &path, |client| {
            let fields = client.wanted(FIELDS);
            let children = client.wanted(CHILDREN);
            let mut parameters = vec![
                ("user_id", client.user_id.clone()),
                ("fields", format!("{fields},children{{{children}}}")),
                ("limit", client.page_size.to_string()),
            ];
            parameters.extend(after.map(|after| ("after", after.to_owned())));
            parameters
        })
        .await
        .map_err(|error| error.with("hashtag", tag))?;
    Ok(Fetched {
        after: page.after().map(str::to_owned),
        // Here the cursor is there to the end; the address of the next page is not.
        is_last: !page.has_next(),
        items: page.data,
        author: None,
    })
}

/// The hashtag's id. Each different one counts against a budget of 30 in 7 days, so it is asked for once.
async fn hashtag_id(client: &GraphClient, tag: &str) -> Result<String> {
    let known = || {
        client
            .hashtag_ids
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    };
    if let Some(id) = known().get(tag) {
        return Ok(id.clone());
    }
    let operation = "graph.ig_hashtag_search";
    let found: HashtagFound = client
        .call(operation, "ig_hashtag_search", |client| {
            vec![("user_id", client.user_id.clone()), ("q", tag.to_owned())]
        })
        .await
        .map_err(|error| error.with("hashtag", tag))?;
    let id = found
        .into_id()
        .filter(|id| id.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_'))
        .ok_or_else(|| {
            Error::new(ErrorKind::NotFound, operation)
                .message("the hashtag has no id")
                .with("hashtag", tag)
        })?;
    known().insert(tag.to_owned(), id.clone());
    Ok(id)
}
