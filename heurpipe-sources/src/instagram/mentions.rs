//! Posts that mention the user. Which they are is not to be asked for: webhooks tell their ids.

use heurpipe_core::{ErrorKind, Result, Unreadable};

use super::client::GraphClient;
use super::fields::{CHILDREN, PUBLIC};
use super::stream::Fetched;
use super::wire::Mentioned;

const OPERATION: &str = "graph.mentioned_media";

/// The post after the one of this id, in the order in which they were configured; each is a page, since each is a call.
pub(super) async fn page(client: &GraphClient, after: Option<&str>) -> Result<Fetched> {
    let ids = &client.mentions;
    let read = after.and_then(|after| ids.iter().position(|id| id == after));
    let at = read.map_or(0, |read| read + 1);
    let Some(id) = ids.get(at) else {
        return Ok(Fetched::nothing());
    };
    let is_last = at + 1 == ids.len();
    let item = match mentioned(client, id).await {
        Ok(found) => Ok(found.mentioned_media),
        // One that is gone, or that a limit in disguise hides, does not take the others with it.
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let place = format!("instagram/mentions/{id}");
            Err(Unreadable::new(place, error.chain().join(": "), ""))
        }
        Err(error) => return Err(error),
    };
    Ok(Fetched {
        items: vec![item],
        after: Some(id.clone()),
        is_last,
        account: None,
    })
}

async fn mentioned(client: &GraphClient, id: &str) -> Result<Mentioned> {
    client
        .call(OPERATION, &client.user_id, |client| {
            let media = client.wanted_media(OPERATION, PUBLIC, CHILDREN);
            vec![(
                "fields",
                format!("mentioned_media.media_id({id}){{{media}}}"),
            )]
        })
        .await
        .map_err(|error| error.with("media", id))
}
