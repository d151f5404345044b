//! Tables: their columns by the rows' schema, made and compared.

use arrow::datatypes::{DataType, Field};
use heurpipe_core::{Error, ErrorKind, Result};
use jiff::{SignedDuration, Timestamp};
use serde::Deserialize;
use serde_json::{Value, json};

use super::OPERATION;
use super::service::Service;
use crate::Mode;
use crate::warehouse::schema::{SCHEMA_VERSION, posts_schema};

/// The column by whose day rows are divided. Rows without a time are in a partition of their own.
const PARTITIONED_BY: &str = "published_at";

/// The columns by which rows of a day are kept together.
const CLUSTERED_BY: [&str; 3] = ["platform", "author_id", "id"];

/// What is known of a table.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct Table {
    schema: Schema,
    time_partitioning: Option<Value>,
    clustering: Option<Value>,
    num_bytes: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Schema {
    fields: Vec<Column>,
}

/// A column, as the API describes it.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(default)]
pub(super) struct Column {
    pub(super) name: String,
    #[serde(rename = "type")]
    pub(super) kind: String,
    pub(super) mode: String,
    pub(super) fields: Vec<Column>,
}

impl Column {
    /// Whether it holds lists.
    pub(super) fn is_repeated(&self) -> bool {
        self.mode == "REPEATED"
    }

    /// The standard name of its type; the API knows two for some.
    pub(super) fn kind(&self) -> &str {
        match &*self.kind {
            "INTEGER" => "INT64",
            "FLOAT" => "FLOAT64",
            "BOOLEAN" => "BOOL",
            "RECORD" => "STRUCT",
            other => other,
        }
    }

    /// Whether rows fit in another column like this.
    fn is_like(&self, other: &Self) -> bool {
        self.name == other.name
            && self.kind() == other.kind()
            && self.is_repeated() == other.is_repeated()
            && self.fields.len() == other.fields.len()
            && self
                .fields
                .iter()
                .zip(&other.fields)
                .all(|(a, b)| a.is_like(b))
    }
}

/// The columns of a row of `posts`.
pub(super) fn columns() -> Value {
    let schema = posts_schema();
    let columns = schema.fields().iter().map(|field| column(field));
    Value::Array(columns.collect())
}

/// The names of these columns, by commas, each after a prefix.
pub(super) fn names(prefix: &str) -> String {
    let schema = posts_schema();
    let names = schema
        .fields()
        .iter()
        .map(|f| format!("{prefix}`{}`", f.name()));
    names.collect::<Vec<_>>().join(", ")
}

/// The names of the columns that change with a post's revision.
pub(super) fn columns_but_id() -> impl Iterator<Item = String> {
    let schema = posts_schema();
    let names: Vec<String> = schema.fields().iter().map(|f| f.name().clone()).collect();
    names.into_iter().filter(|name| name != "id")
}

fn column(field: &Field) -> Value {
    let mode = if field.is_nullable() {
        "NULLABLE"
    } else {
        "REQUIRED"
    };
    let scalar = |kind: &str| json!({"name": field.name(), "type": kind, "mode": mode});
    match field.data_type() {
        DataType::Int64 => scalar("INTEGER"),
        DataType::Boolean => scalar("BOOLEAN"),
        DataType::Timestamp(..) => scalar("TIMESTAMP"),
        DataType::List(_) => json!({"name": field.name(), "type": "STRING", "mode": "REPEATED"}),
        DataType::Map(..) => json!({
            "name": field.name(), "type": "RECORD", "mode": "REPEATED",
            "fields": [
                {"name": "keys", "type": "STRING", "mode": "REQUIRED"},
                {"name": "values", "type": "STRING", "mode": "REPEATED"},
            ],
        }),
        _ => scalar("STRING"),
    }
}

/// Makes sure that the table of rows is there and is ours.
///
/// # Errors
/// `NotFound` when it is to be read and is not there; `Config` when a table of this name has other columns, partitions or clusters.
pub(super) async fn ensure(service: &Service, mode: Mode) -> Result<()> {
    if let Some(found) = find(service, OPERATION).await? {
        return check(service, &found);
    }
    if mode == Mode::ReadOnly {
        return Err(Error::new(ErrorKind::NotFound, OPERATION)
            .message("there is no such table yet")
            .with("table", service.posts()));
    }
    let body = json!({
        "tableReference": service.table_reference(&service.address.table),
        "schema": {"fields": columns()},
        "timePartitioning": {"type": "DAY", "field": PARTITIONED_BY},
        "clustering": {"fields": CLUSTERED_BY},
        "labels": {"heurpipe_posts": SCHEMA_VERSION.to_string()},
        "description": "Posts, one row each, as heurpipe keeps them",
    });
    let made = create(service, OPERATION, &body).await?;
    if made {
        return Ok(());
    }
    // Somebody was faster.
    match find(service, OPERATION).await? {
        Some(found) => check(service, &found),
        None => Err(Error::new(ErrorKind::Conflict, OPERATION)
            .message("the table was made and removed in between")
            .with("table", service.posts())),
    }
}

/// What is known of the table of rows.
pub(super) async fn find(service: &Service, operation: &'static str) -> Result<Option<Table>> {
    let path = service.table_path(&service.address.table);
    service.client.get(operation, &path).await
}

impl Table {
    /// Its size.
    pub(super) fn bytes(&self) -> u64 {
        let bytes = self.num_bytes.as_deref();
        bytes.and_then(|bytes| bytes.parse().ok()).unwrap_or(0)
    }
}

/// Makes a table of rows on their way, which the server removes by itself after a while; nothing when it is there.
pub(super) async fn create_staging(
    service: &Service,
    operation: &'static str,
    name: &str,
    lives: SignedDuration,
) -> Result<()> {
    let expires = Timestamp::now()
        .checked_add(lives)
        .unwrap_or(Timestamp::MAX);
    let body = json!({
        "tableReference": service.table_reference(name),
        "schema": {"fields": columns()},
        "expirationTime": expires.as_millisecond().to_string(),
        "description": "Posts on their way into another table of heurpipe",
    });
    create(service, operation, &body).await?;
    Ok(())
}

async fn create(service: &Service, operation: &'static str, body: &Value) -> Result<bool> {
    let path = format!("datasets/{}/tables", service.address.dataset);
    let made: Option<Value> = service.client.create(operation, &path, body).await?;
    Ok(made.is_some())
}

fn check(service: &Service, found: &Table) -> Result<()> {
    let foreign = |message: &str| {
        Error::new(ErrorKind::Config, OPERATION)
            .message(message)
            .with("table", service.posts())
    };
    let expected: Vec<Column> = serde_json::from_value(columns())
        .map_err(|error| Error::new(ErrorKind::Internal, OPERATION).cause(error))?;
    for column in &expected {
        let known = found.schema.fields.iter().find(|c| c.name == column.name);
        if known.is_none_or(|known| !known.is_like(column)) {
            return Err(foreign(
                "a table of this name has not the columns of posts; name another table",
            )
            .with("column", &column.name));
        }
    }
    // A column that we do not know would be null in what we write, if it may be.
    let unknown = |c: &&Column| c.mode == "REQUIRED" && expected.iter().all(|e| e.name != c.name);
    if let Some(column) = found.schema.fields.iter().find(unknown) {
        return Err(
            foreign("a table of this name wants a column that posts do not have")
                .with("column", &column.name),
        );
    }
    let day = |p: &Value| p["type"] == "DAY" && p["field"] == PARTITIONED_BY;
    if !found.time_partitioning.as_ref().is_some_and(day) {
        return Err(foreign(
            "a table of this name is not divided by the day of published_at",
        ));
    }
    let clusters = |c: &Value| c["fields"] == json!(CLUSTERED_BY);
    if !found.clustering.as_ref().is_some_and(clusters) {
        return Err(foreign(
            "a table of this name is not clustered by platform, author_id and id",
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn every_column_of_a_row_has_one_of_the_table() {
        let columns: Vec<Column> = serde_json::from_value(columns()).unwrap();
        let schema = posts_schema();
        assert_eq!(columns.len(), schema.fields().len());
        let of = |name: &str| columns.iter().find(|c| c.name == name).unwrap();
        assert_eq!((of("id").kind(), &*of("id").mode), ("STRING", "REQUIRED"));
        assert_eq!(
            (of("likes").kind(), &*of("likes").mode),
            ("INT64", "NULLABLE")
        );
        assert_eq!(of("published_at").kind(), "TIMESTAMP");
        assert!(of("colour").is_repeated());
        let attributes = of("attributes");
        assert_eq!((attributes.kind(), attributes.fields.len()), ("STRUCT", 2));
        assert!(attributes.is_repeated() && attributes.fields[1].is_repeated());
        assert_eq!(names("T.").matches("T.`").count(), columns.len());
    }
}
