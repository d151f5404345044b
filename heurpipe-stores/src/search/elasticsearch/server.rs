//! What is on the server: its product, our template, our indices.

use heurpipe_core::{Error, ErrorKind, Result};
use reqwest::{Method, StatusCode};
use serde_json::Value;

use super::OPERATION;
use super::client::{Body, Client};
use super::failure::{refused, unanswered};
use super::mapping::{FORMAT, Family, made, template};
use super::vectors::Vectors;

/// What answers.
#[derive(Debug)]
pub(super) struct Product {
    /// For people, with its version as far as it tells: `Elasticsearch 9.2.0`.
    pub(super) name: String,
    /// Elasticsearch compares vectors by itself. OpenSearch does so by a plugin, which has fields and queries of its own.
    pub(super) vectors: Vectors,
}

/// Which product answers.
///
/// # Errors
/// `Config` when it is neither Elasticsearch nor OpenSearch.
pub(super) async fn identify(client: &Client) -> Result<Product> {
    let response = client
        .answer(OPERATION, Method::GET, "", Body::Nothing)
        .await?;
    let status = response.status();
    let is_elastic = response
        .headers()
        .get("x-elastic-product")
        .is_some_and(|product| product == "Elasticsearch");
    let bytes = response
        .bytes()
        .await
        .map_err(|error| unanswered(OPERATION, client.server(), error))?;
    if matches!(
        status,
        StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN | StatusCode::TOO_MANY_REQUESTS
    ) || status.is_server_error()
    {
        return Err(refused(OPERATION, client.server(), status, None, &bytes));
    }
    let about: Value = serde_json::from_slice(&bytes).unwrap_or_default();
    let version = &about["version"];
    let (product, vectors) = if is_elastic || about["tagline"] == "You Know, for Search" {
        ("Elasticsearch", Vectors::Indexed)
    } else if version["distribution"] == "opensearch" {
        ("OpenSearch", Vectors::LeftOut)
    } else {
        return Err(Error::new(ErrorKind::Config, OPERATION)
            .message("the server is neither Elasticsearch nor OpenSearch")
            .with("server", client.server()));
    };
    let told = version["number"].as_str().map(str::to_owned);
    let version = match told {
        Some(number) => Some(number),
        None => version_of_node(client).await,
    };
    let name = match version {
        Some(number) => format!("{product} {number}"),
        None => product.to_owned(),
    };
    Ok(Product { name, vectors })
}

/// The version as the node tells it, for servers whose first page is closed. It is for people only, so that not knowing it is no failure.
async fn version_of_node(client: &Client) -> Option<String> {
    let path = "_nodes/_local?filter_path=nodes.*.version";
    let nodes: Value = client
        .once(OPERATION, Method::GET, path, Body::Nothing)
        .await
        .ok()?;
    let (_, node) = nodes["nodes"].as_object()?.iter().next()?;
    Some(node["version"].as_str()?.to_owned())
}

/// The indices of a name that are in use; none where there are no indices yet.
///
/// # Errors
/// `Config` when another version made one of them, `Corrupt` when something else did.
pub(super) async fn family_in_use(client: &Client, name: &str) -> Result<Option<Family>> {
    let first = Family::new(name, 0).prefix();
    let mut newest = None;
    for (index, meta) in metas(client, &format!("{name},{first}*")).await? {
        let generation = Family::generation_of(name, &index);
        check(client, &index, &meta, generation.is_some())?;
        newest = newest.max(generation);
    }
    Ok(newest.map(|generation| Family::new(name, generation)))
}

/// What each index of an expression says that made it.
pub(super) async fn metas(client: &Client, indices: &str) -> Result<Vec<(String, Value)>> {
    let path = format!("{indices}/_mapping?ignore_unavailable=true");
    let Some(Value::Object(found)) = client.get(OPERATION, &path).await? else {
        return Ok(Vec::new());
    };
    let metas = found
        .into_iter()
        .map(|(index, mut mapping)| (index, mapping["mappings"]["_meta"].take()));
    Ok(metas.collect())
}

/// Leaves the template from which the server makes indices.
///
/// # Errors
/// `Corrupt` when somebody else has a template of this name.
pub(super) async fn put_template(client: &Client, name: &str, vectors: Vectors) -> Result<()> {
    check_template(client, name).await?;
    let path = format!("_index_template/{name}");
    let _: Value = client
        .call(
            OPERATION,
            Method::PUT,
            &path,
            Body::Json(template(name, vectors)),
        )
        .await?;
    Ok(())
}

/// Looks whether the template of a name is ours, if there is one.
///
/// # Errors
/// `Corrupt` when it is somebody else's.
pub(super) async fn check_template(client: &Client, name: &str) -> Result<()> {
    let path = format!("_index_template/{name}");
    let Some(found) = client.get(OPERATION, &path).await? else {
        return Ok(());
    };
    let meta = &found["index_templates"][0]["index_template"]["_meta"];
    if meta["heurpipe"].is_null() {
        return Err(foreign(
            client,
            name,
            "the server has a template of this name that is not one of this program",
        ));
    }
    Ok(())
}

/// The error for indices that are to be read and are not there.
pub(super) fn absent(client: &Client, name: &str) -> Error {
    Error::new(ErrorKind::NotFound, OPERATION)
        .message("there is no index of this name")
        .with("index", name)
        .with("server", client.server())
}

fn check(client: &Client, index: &str, meta: &Value, is_ours_by_name: bool) -> Result<()> {
    let made = made();
    if is_ours_by_name && *meta == made {
        return Ok(());
    }
    if meta["heurpipe"].is_null() {
        return Err(foreign(
            client,
            index,
            "an index of this name is not one of this program",
        ));
    }
    let (found, known) = (&meta["heurpipe"], &made["heurpipe"]);
    Err(Error::new(ErrorKind::Config, OPERATION)
        .message(
            "another version of this program made the index; it must be rebuilt: heurpipe reindex",
        )
        .with("format", format!("{} (known: {FORMAT})", found["format"]))
        .with(
            "analyser",
            format!("{} (known: {})", found["analyser"], known["analyser"]),
        )
        .with("index", index)
        .with("server", client.server()))
}

pub(super) fn foreign(client: &Client, index: &str, message: &str) -> Error {
    Error::new(ErrorKind::Corrupt, OPERATION)
        .message(message)
        .with("index", index)
        .with("server", client.server())
}
