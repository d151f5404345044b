//! Posts of an account, by business discovery.

use heurpipe_core::{Error, ErrorKind, Result};
use serde_json::value::{RawValue, to_raw_value};

use super::client::GraphClient;
use super::fields::{ACCOUNT, CHILDREN, DISCOVERED};
use super::map::AccountSeen;
use super::stream::Fetched;
use super::wire::{Account, Discovered, Members};
use crate::lenient;

const OPERATION: &str = "graph.business_discovery";
/// Under which the account's own payload is kept.
const ACCOUNT_CALL: &str = "graph.business_discovery.account";

/// One page of an account's posts, the newest first, with the account itself as their author.
pub(super) async fn page(
    client: &GraphClient,
    handle: &str,
    after: Option<&str>,
) -> Result<Fetched> {
    let found: Discovered = client
        .call(OPERATION, &client.user_id, |client| {
            vec![("fields", fields(client, handle, after))]
        })
        .await
        .map_err(|error| error.with("account", handle))?;
    let (mut account, payload) = read(&found.business_discovery)
        .map_err(|why| Error::new(ErrorKind::Unavailable, OPERATION).message(why))?;
    account.username.get_or_insert_with(|| handle.to_owned());
    let account_seen = AccountSeen::new(&account, ACCOUNT_CALL, &payload);
    // No address of a next page here, ever: the end is where there is no cursor or nothing to show.
    Ok(Fetched::by_cursor_alone(account.media).of(account_seen))
}

/// The account, and its payload without the posts, which are kept each for itself.
fn read(discovered: &RawValue) -> Result<(Account, Box<RawValue>), String> {
    let account = lenient::object(discovered)?;
    let members: Members = lenient::object(discovered)?;
    let payload = to_raw_value(&members.without("media")).map_err(|error| error.to_string())?;
    Ok((account, payload))
}

fn fields(client: &GraphClient, handle: &str, after: Option<&str>) -> String {
    let account = client.wanted(OPERATION, ACCOUNT);
    let media = client.wanted_media(OPERATION, DISCOVERED, CHILDREN);
    let limit = client.page_size;
    let after = after.map_or_else(String::new, |after| format!(".after({after})"));
    format!(
        "business_discovery.username({handle}){{{account},media.limit({limit}){after}{{{media}}}}}"
    )
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn the_accounts_payload_is_kept_as_it_came_but_for_the_posts() {
        let answer = r#"{"username":"brand", "followers_count" : 4096,"media":{"data":[{"id":"1"}]},"biography":"caf\u00e9 \/ bar","id":"17841401441775531"}"#;
        let discovered: Box<RawValue> = serde_json::from_str(answer).unwrap();
        let (account, payload) = read(&discovered).unwrap();
        assert_eq!(account.media.data.len(), 1);
        assert_eq!(
            payload.get(),
            r#"{"username":"brand","followers_count":4096,"biography":"caf\u00e9 \/ bar","id":"17841401441775531"}"#
        );
    }
}
