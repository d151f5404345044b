//! Questions, and their answers by pages.

use std::sync::Arc;

use futures::stream::{self, BoxStream, StreamExt, TryStreamExt};
use heurpipe_core::{Error, ErrorKind, Record, Result};
use reqwest::Method;
use serde::Deserialize;
use serde_json::{Value, json};

use super::parameter::Statement;
use super::service::Service;
use super::table::Column;

/// Rows of a page at most; the server ends a page at some 10 MB before.
const PAGE_ROWS: usize = 2_000;

/// For how long the server may hold a question open before it says that the answer is not there yet, in milliseconds.
const HOLD_MS: u64 = 30_000;

/// How often an answer is asked for that is not there yet: six hours, after which the service itself ends a query.
const MOST_ASKED: usize = 720;

/// One page of an answer.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Page {
    job_reference: Reference,
    job_complete: bool,
    schema: Option<Schema>,
    pub(super) rows: Vec<Value>,
    page_token: Option<String>,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Reference {
    job_id: String,
    location: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Schema {
    fields: Vec<Column>,
}

/// An answer: its columns, and its rows as they come. What it sees is one state, however long it is read.
pub(super) struct Answer {
    pub(super) columns: Vec<Column>,
    first: Page,
    service: Arc<Service>,
    operation: &'static str,
}

/// Asks. `max_bytes` is what the question may read.
///
/// # Errors
/// Those of the server; `Timeout` when the answer does not come.
pub(super) async fn ask(
    service: &Arc<Service>,
    operation: &'static str,
    statement: &Statement,
    max_bytes: Option<u64>,
) -> Result<Answer> {
    let first = first_page(service, operation, statement, max_bytes).await?;
    Ok(Answer {
        columns: first
            .schema
            .as_ref()
            .map(|s| s.fields.clone())
            .unwrap_or_default(),
        first,
        service: Arc::clone(service),
        operation,
    })
}

/// The one number of an answer.
///
/// # Errors
/// Those of [`ask`]; `Corrupt` when the answer is no number.
pub(super) async fn number(
    service: &Service,
    operation: &'static str,
    statement: &Statement,
) -> Result<u64> {
    let row = one_row(service, operation, statement).await?;
    cell(&row, 0)
        .and_then(|text| text.parse().ok())
        .ok_or_else(|| {
            Error::new(ErrorKind::Corrupt, operation).message("bigquery's answer is not a number")
        })
}

/// The one row of an answer.
///
/// # Errors
/// Those of [`ask`]; `Corrupt` when it has none.
pub(super) async fn one_row(
    service: &Service,
    operation: &'static str,
    statement: &Statement,
) -> Result<Value> {
    let mut page = first_page(service, operation, statement, None).await?;
    match page.rows.is_empty() {
        false => Ok(page.rows.swap_remove(0)),
        true => {
            Err(Error::new(ErrorKind::Corrupt, operation).message("bigquery's answer is empty"))
        }
    }
}

/// The text of a cell; none when it is null.
pub(super) fn cell(row: &Value, index: usize) -> Option<&str> {
    row["f"][index]["v"].as_str()
}

impl Answer {
    /// The pages of rows.
    pub(super) fn pages(self) -> BoxStream<'static, Result<Vec<Value>>> {
        let Self {
            first,
            service,
            operation,
            ..
        } = self;
        stream::try_unfold(Some(first), move |page| {
            let service = Arc::clone(&service);
            async move {
                let Some(mut page) = page else {
                    return Ok(None);
                };
                let rows = std::mem::take(&mut page.rows);
                let next = match page.page_token.take().filter(|token| !token.is_empty()) {
                    Some(token) => {
                        let reference = page.job_reference;
                        let mut next =
                            results(&service, operation, &reference, Some(&token)).await?;
                        next.job_reference = reference;
                        Some(next)
                    }
                    None => None,
                };
                Ok(Some((rows, next)))
            }
        })
        .boxed()
    }

    /// The records of an answer whose first column is `record`.
    pub(super) fn records(self) -> BoxStream<'static, Result<Vec<Record>>> {
        self.pages()
            .and_then(|rows| std::future::ready(rows.iter().map(record).collect()))
            .boxed()
    }
}

fn record(row: &Value) -> Result<Record> {
    let json = cell(row, 0).unwrap_or_default();
    serde_json::from_str(json).map_err(|error| {
        Error::new(ErrorKind::Corrupt, "warehouse.records")
            .message("a stored record cannot be read")
            .cause(error)
    })
}

async fn first_page(
    service: &Service,
    operation: &'static str,
    statement: &Statement,
    max_bytes: Option<u64>,
) -> Result<Page> {
    let mut body = statement.configuration();
    body["timeoutMs"] = json!(HOLD_MS);
    body["maxResults"] = json!(PAGE_ROWS);
    body["formatOptions"] = json!({"useInt64Timestamp": true});
    if let Some(location) = service.location() {
        body["location"] = json!(location);
    }
    if let Some(max_bytes) = max_bytes {
        body["maximumBytesBilled"] = json!(max_bytes.to_string());
    }
    let mut page: Page = service
        .client
        .call(operation, Method::POST, "queries", Some(&body))
        .await?;
    let reference = page.job_reference.clone();
    for _ in 0..MOST_ASKED {
        if page.job_complete {
            page.job_reference = reference;
            return Ok(page);
        }
        page = results(service, operation, &reference, None).await?;
    }
    Err(Error::new(ErrorKind::Timeout, operation)
        .message("bigquery does not come to an answer")
        .with("running_job", reference.job_id))
}

async fn results(
    service: &Service,
    operation: &'static str,
    reference: &Reference,
    token: Option<&str>,
) -> Result<Page> {
    let mut path = format!(
        "queries/{}?maxResults={PAGE_ROWS}&timeoutMs={HOLD_MS}&formatOptions.useInt64Timestamp=true",
        reference.job_id
    );
    let mut parameter = |key: &str, value: &str| {
        let encoded: String = url::form_urlencoded::byte_serialize(value.as_bytes()).collect();
        path.push_str(&format!("&{key}={encoded}"));
    };
    if let Some(location) = &reference.location {
        parameter("location", location);
    }
    if let Some(token) = token {
        parameter("pageToken", token);
    }
    service
        .client
        .call(operation, Method::GET, &path, None)
        .await
}
