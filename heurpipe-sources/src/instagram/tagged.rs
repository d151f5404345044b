//! Posts in whose pictures the user was tagged.

use heurpipe_core::Result;

use super::client::GraphClient;
use super::fields::{CHILDREN, PUBLIC};
use super::stream::Fetched;
use super::wire::MediaPage;

const OPERATION: &str = "graph.tags";

/// One page of them, in no order that the API promises.
pub(super) async fn page(client: &GraphClient, after: Option<&str>) -> Result<Fetched> {
    let path = format!("{}/tags", client.user_id);
    let page: MediaPage = client
        .call(OPERATION, &path, |client| {
            let mut parameters = vec![
                ("fields", client.wanted_media(OPERATION, PUBLIC, CHILDREN)),
                ("limit", client.page_size.to_string()),
            ];
            parameters.extend(after.map(|after| ("after", after.to_owned())));
            parameters
        })
        .await?;
    // This edge gives cursors and no address of a next page.
    Ok(Fetched::by_cursor_alone(page))
}
