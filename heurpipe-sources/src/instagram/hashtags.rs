//! Posts by hashtag.

use heurpipe_core::{Error, ErrorKind, Result, Retry};

use super::client::GraphClient;
use super::fields::{HASHTAG, HASHTAG_CHILDREN};
use super::stream::Fetched;
use super::wire::{HashtagFound, HashtagNamed, HashtagsSearched, MediaPage};

/// Which of a hashtag's two streams.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Edge {
    /// The most popular posts.
    Top,
    /// The posts of the last 24 hours, in no order.
    Recent,
}

/// The API tells of no more hashtags at once than the budget has.
const SEARCHED_AT_MOST: &str = "30";

/// One page of a hashtag's posts.
pub(super) async fn page(
    client: &GraphClient,
    tag: &str,
    edge: Edge,
    after: Option<&str>,
) -> Result<Fetched> {
    charge(client, tag).await?;
    let answer = charged_page(client, tag, edge, after).await;
    if let Err(error) = &answer
        && is_over_budget(error)
    {
        client.ledger.refund(tag).await?;
    }
    let page = answer.map_err(|error| error.with("hashtag", tag))?;
    // Here the cursor is there to the end; the address of the next page is not.
    Ok(Fetched::by_next_page(page))
}

async fn charged_page(
    client: &GraphClient,
    tag: &str,
    edge: Edge,
    after: Option<&str>,
) -> Result<MediaPage> {
    let hashtag = hashtag_id(client, tag).await?;
    let (operation, path) = match edge {
        Edge::Top => ("graph.top_media", format!("{hashtag}/top_media")),
        Edge::Recent => ("graph.recent_media", format!("{hashtag}/recent_media")),
    };
    client
        .call(operation, &path, |client| {
            let fields = client.wanted_media(operation, HASHTAG, HASHTAG_CHILDREN);
            let mut parameters = vec![
                ("user_id", client.user_id.clone()),
                ("fields", fields),
                ("limit", client.page_size.to_string()),
            ];
            parameters.extend(after.map(|after| ("after", after.to_owned())));
            parameters
        })
        .await
}

/// Counts the hashtag against the budget before the API does.
async fn charge(client: &GraphClient, tag: &str) -> Result<()> {
    client
        .once
        .hashtags_compared
        .get_or_try_init(|| compare(client))
        .await?;
    client.ledger.charge(tag).await
}

/// Where the ledger knows nothing, the API is asked what it has counted: another program may use the credential, or a ledger was lost.
async fn compare(client: &GraphClient) -> Result<()> {
    if !client.ledger.is_blank().await? {
        return Ok(());
    }
    match searched(client).await {
        Ok(hashtags) => client.ledger.adopt(hashtags).await,
        Err(error) if is_not_told(&error) => {
            tracing::warn!(%error, "which hashtags were asked for cannot be told, counting from none");
            Ok(())
        }
        Err(error) => Err(error),
    }
}

/// Whether the API does not tell this user which hashtags were asked for; all else that fails would fail the next call as well.
fn is_not_told(error: &Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::PermissionDenied | ErrorKind::NotFound | ErrorKind::InvalidInput
    )
}

/// The hashtags that count against the budget, by name and id.
async fn searched(client: &GraphClient) -> Result<Vec<(String, String)>> {
    let path = format!("{}/recently_searched_hashtags", client.user_id);
    let searched: HashtagsSearched = client
        .call("graph.recently_searched_hashtags", &path, |_| {
            vec![("limit", SEARCHED_AT_MOST.to_owned())]
        })
        .await?;
    let mut hashtags = Vec::new();
    for id in searched.data.into_iter().filter_map(|node| node.id) {
        let named: HashtagNamed = client
            .call("graph.ig_hashtag", &id, |_| {
                vec![("fields", "id,name".to_owned())]
            })
            .await?;
        // Without a name it counts all the same.
        let name = named
            .name
            .map_or_else(|| id.clone(), |name| name.to_lowercase());
        hashtags.push((name, id));
    }
    Ok(hashtags)
}

/// The hashtag's id, which never changes and is asked for once.
async fn hashtag_id(client: &GraphClient, tag: &str) -> Result<String> {
    if let Some(id) = client.ledger.hashtag_id(tag).await? {
        return Ok(id);
    }
    let operation = "graph.ig_hashtag_search";
    let found: HashtagFound = client
        .call(operation, "ig_hashtag_search", |client| {
            vec![("user_id", client.user_id.clone()), ("q", tag.to_owned())]
        })
        .await?;
    let id = found
        .into_id()
        .filter(|id| id.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'_'))
        .ok_or_else(|| {
            Error::new(ErrorKind::NotFound, operation).message("the hashtag has no id")
        })?;
    client.ledger.keep_hashtag_id(tag, &id).await?;
    Ok(id)
}

/// Whether the API itself says that the budget of hashtags is used up.
fn is_over_budget(error: &Error) -> bool {
    error.kind() == ErrorKind::RateLimited && error.retry() == Retry::NeedsOperator
}
