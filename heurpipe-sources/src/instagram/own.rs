//! The user's own account and media.

use heurpipe_core::{Error, ErrorKind, Result};
use serde_json::value::RawValue;

use super::client::GraphClient;
use super::fields::{CHILDREN, OWN, OWN_ACCOUNT};
use super::map::AccountSeen;
use super::stream::Fetched;
use super::wire::MediaPage;
use crate::lenient;

const ACCOUNT: &str = "graph.user";
const MEDIA: &str = "graph.user_media";
const MEDIUM: &str = "graph.media";

/// The user's account as it is now.
pub(super) async fn account(client: &GraphClient) -> Result<AccountSeen> {
    let payload: Box<RawValue> = client
        .call(ACCOUNT, &client.user_id, |client| {
            vec![("fields", client.wanted(ACCOUNT, OWN_ACCOUNT))]
        })
        .await?;
    let account = lenient::object(&payload)
        .map_err(|why| Error::new(ErrorKind::Unavailable, ACCOUNT).message(why))?;
    Ok(AccountSeen::new(&account, ACCOUNT, &payload))
}

/// Whether this is the user's own handle, in lower case.
pub(super) async fn is_own_handle(client: &GraphClient, handle: &str) -> Result<bool> {
    let own = client
        .once
        .own_handle
        .get_or_try_init(|| async { Ok::<_, Error>(account(client).await?.author.handle) })
        .await?;
    Ok(own.as_deref() == Some(handle))
}

/// One page of the user's media, the newest first.
pub(super) async fn page(client: &GraphClient, after: Option<&str>) -> Result<Fetched> {
    let path = format!("{}/media", client.user_id);
    let page: MediaPage = client
        .call(MEDIA, &path, |client| {
            let mut parameters = vec![
                ("fields", client.wanted_media(MEDIA, OWN, CHILDREN)),
                ("limit", client.page_size.to_string()),
            ];
            parameters.extend(after.map(|after| ("after", after.to_owned())));
            parameters
        })
        .await?;
    Ok(Fetched::by_next_page(page))
}

/// One of the user's media, by its Graph id.
pub(super) async fn medium(client: &GraphClient, id: &str) -> Result<Box<RawValue>> {
    client
        .call(MEDIUM, id, |client| {
            vec![("fields", client.wanted_media(MEDIUM, OWN, CHILDREN))]
        })
        .await
        .map_err(|error| error.with("media", id))
}
