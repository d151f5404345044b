//! What there is.

use heurpipe_core::{Error, ErrorKind, Result};
use jiff::Timestamp;
use serde_json::Value;

use super::change::Change;
use super::parameter::Statement;
use super::service::Service;
use super::{query, table};
use crate::warehouse::Coverage;

const OPERATION: &str = "warehouse.coverage";

/// What the table holds. Its partitions count as segments; times are to the microsecond.
pub(super) async fn coverage(service: &Service) -> Result<Coverage> {
    let manifest = Change::latest(&service.bucket).await?.number;
    let statement = Statement::new(format!(
        "SELECT COUNT(*), COUNTIF(published_at IS NULL), COUNT(DISTINCT DATE(published_at)), \
         UNIX_MICROS(MIN(published_at)), UNIX_MICROS(MAX(published_at)) FROM {}",
        service.posts()
    ));
    let row = query::one_row(service, OPERATION, &statement).await?;
    let undated = whole(&row, 1)?;
    let table = table::find(service, OPERATION).await?.unwrap_or_default();
    Ok(Coverage {
        manifest,
        segments: whole(&row, 2)? + u64::from(undated > 0),
        posts: whole(&row, 0)?,
        undated,
        from: time(&row, 3)?,
        to: time(&row, 4)?,
        bytes: table.bytes(),
    })
}

fn whole(row: &Value, index: usize) -> Result<u64> {
    let number = query::cell(row, index).and_then(|text| text.parse().ok());
    number.ok_or_else(odd)
}

fn time(row: &Value, index: usize) -> Result<Option<Timestamp>> {
    let Some(text) = query::cell(row, index) else {
        return Ok(None);
    };
    let time = text
        .parse()
        .ok()
        .and_then(|us| Timestamp::from_microsecond(us).ok());
    time.map(Some).ok_or_else(odd)
}

fn odd() -> Error {
    Error::new(ErrorKind::Corrupt, OPERATION)
        .message("bigquery's answer is not a number where there must be one")
}
