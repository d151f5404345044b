//! Building the indices anew.
//!
//! They are made beside those in use, under a name that tells the generation, behind no alias. To publish them is one call to the server, which puts them behind the
//! alias and deletes those that were there. Whoever has opened the old ones to write goes on writing to indices of their names, which the server makes again behind the
//! alias; a flush leaves the newest of each post.

use std::sync::Arc;

use async_trait::async_trait;
use heurpipe_core::{Error, ErrorKind, Result, SearchIndex, Sink};
use reqwest::Method;
use serde_json::{Value, json};

use super::address::Address;
use super::client::{Body, Client};
use super::mapping::Family;
use super::server;
use super::writer::Writer;
use super::{ElasticsearchIndex, OPERATION};
use crate::search::Rebuild;

/// Indices beside those in use; see [`ElasticsearchIndex::rebuild`].
#[derive(Debug)]
pub struct ElasticsearchRebuild {
    client: Arc<Client>,
    name: String,
    family: Family,
    index: Arc<ElasticsearchIndex>,
}

impl ElasticsearchIndex {
    /// Begins to build the indices of a URL anew, whichever version of this program made those in use. What an earlier rebuild has left that was not published goes:
    /// of two at a time the later one wins, and the earlier cannot be published.
    ///
    /// # Errors
    /// Those of [`open`](Self::open), but for indices of another version.
    pub async fn rebuild(url: &str) -> Result<ElasticsearchRebuild> {
        let address = Address::parse(url)?;
        let client = Arc::new(Client::new(&address)?);
        let product = server::identify(&client).await?;
        let used = in_use(&client, &address.name).await?;
        server::check_template(&client, &address.name).await?;
        let staged = staged(&client, &address.name, &used).await?;
        let generation = used
            .iter()
            .chain(&staged)
            .filter_map(|index| Family::generation_of(&address.name, index))
            .max();
        for index in &staged {
            delete(&client, index).await?;
        }
        let family = Family::new(&address.name, generation.unwrap_or_default() + 1);
        for earlier in 1..=generation.unwrap_or_default() {
            let name = Family::new(&address.name, earlier).staging_name();
            delete(&client, &format!("_index_template/{name}")).await?;
        }
        let path = format!("_index_template/{}", family.staging_name());
        let _: Value = client
            .call(
                OPERATION,
                Method::PUT,
                &path,
                Body::Json(family.staging_template(product.vectors)),
            )
            .await?;
        let within = format!("{}*", family.prefix());
        let writer = Writer::new(
            Arc::clone(&client),
            family.clone(),
            &within,
            product.vectors,
        );
        Ok(ElasticsearchRebuild {
            index: Arc::new(Self::over(
                Arc::clone(&client),
                product,
                within,
                Some(writer),
            )),
            client,
            name: address.name,
            family,
        })
    }
}

#[async_trait]
impl Rebuild for ElasticsearchRebuild {
    fn index(&self) -> Arc<dyn SearchIndex> {
        Arc::clone(&self.index) as _
    }

    async fn publish(&self) -> Result<()> {
        const OPERATION: &str = "elasticsearch.publish";
        self.index.flush().await?;
        let path = format!("_index_template/{}", self.family.staging_name());
        if self.client.get(OPERATION, &path).await?.is_none() {
            return Err(Error::new(ErrorKind::Conflict, OPERATION)
                .message("another rebuild of this index has begun since, or this one is published already")
                .with("index", &self.name)
                .with("server", self.client.server()));
        }
        server::put_template(&self.client, &self.name, self.index.product.vectors).await?;
        let pattern = format!("{}*", self.family.prefix());
        let built = server::metas(&self.client, &pattern).await?;
        let mut actions: Vec<Value> = built
            .iter()
            .map(|(index, _)| json!({"add": {"index": index, "alias": self.name}}))
            .collect();
        for index in in_use(&self.client, &self.name).await? {
            actions.push(json!({"remove_index": {"index": index}}));
        }
        if !actions.is_empty() {
            let body = Body::Json(json!({"actions": actions}));
            let _: Value = self
                .client
                .call(OPERATION, Method::POST, "_aliases", body)
                .await?;
        }
        complete(&self.client, &self.family).await
    }
}

/// Lets indices of later months be made behind the alias, where that is left to do of publishing this family.
pub(super) async fn complete(client: &Client, family: &Family) -> Result<()> {
    delete(
        client,
        &format!("_index_template/{}", family.staging_name()),
    )
    .await
}

/// The indices behind an alias.
///
/// # Errors
/// `Corrupt` when one of them is not of this program, or an index has that name.
async fn in_use(client: &Client, name: &str) -> Result<Vec<String>> {
    let first = Family::new(name, 0).prefix();
    let mut indices = Vec::new();
    for (index, meta) in server::metas(client, &format!("{name},{first}*")).await? {
        if meta["heurpipe"].is_null() || Family::generation_of(name, &index).is_none() {
            return Err(server::foreign(
                client,
                &index,
                "an index of this name is not one of this program",
            ));
        }
        indices.push(index);
    }
    Ok(indices)
}

/// The indices of rebuilds that were not published.
async fn staged(client: &Client, name: &str, used: &[String]) -> Result<Vec<String>> {
    let found = server::metas(client, &format!("{name}-v*")).await?;
    let ours = found.into_iter().filter(|(index, meta)| {
        !meta["heurpipe"].is_null()
            && Family::generation_of(name, index).is_some_and(|generation| generation > 0)
            && !used.contains(index)
    });
    Ok(ours.map(|(index, _)| index).collect())
}

/// Deletes what may be gone already.
async fn delete(client: &Client, path: &str) -> Result<()> {
    let deleted = client
        .call::<Value>(OPERATION, Method::DELETE, path, Body::Nothing)
        .await;
    match deleted {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}
