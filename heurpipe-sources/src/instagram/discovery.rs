//! Posts of an account, by business discovery.

use heurpipe_core::Result;

use super::client::GraphClient;
use super::map;
use super::reader::Fetched;
use super::wire::Discovered;

const ACCOUNT: &[&str] = &["id", "username", "name", "followers_count"];
const MEDIA: &[&str] = &[
    "id",
    "caption",
    "media_type",
    "media_url",
    "thumbnail_url",
    "permalink",
    "timestamp",
    "like_count",
    "comments_count",
    "view_count",
];
const CHILDREN: &[&str] = &[
    "id",
    "media_type",
    "media_url",
    "permalink",
    "thumbnail_url",
    "timestamp",
];

/// One page of an account's posts, the newest first, with the account itself as their author.
pub(super) async fn page(
    client: &GraphClient,
    handle: &str,
    after: Option<&str>,
) -> Result<Fetched> {
    let found: Discovered = client
        .call("graph.business_discovery", &client.user_id, |client| {
            vec![("fields", fields(client, handle, after))]
        })
        .await
        .map_err(|error| error.with("account", handle))?;
    let author = map::author(&found.business_discovery, handle);
    let page = found.business_discovery.media;
    let after = page.after().map(str::to_owned);
    Ok(Fetched {
        // No address of a next page here, ever: the end is where there is no cursor or nothing to show.
        is_last: after.is_none() || page.data.is_empty(),
        after,
        items: page.data,
        author: Some(author),
    })
}

fn fields(client: &GraphClient, handle: &str, after: Option<&str>) -> String {
    let account = client.wanted(ACCOUNT);
    let media = client.wanted(MEDIA);
    let children = client.wanted(CHILDREN);
    let limit = client.page_size;
    let after = after.map_or_else(String::new, |after| format!(".after({after})"));
    format!(
        "business_discovery.username({handle}){{{account},media.limit({limit}){after}{{{media},children{{{children}}}}}}}"
    )
}
