//! The columns of a row.

use std::collections::HashMap;
use std::sync::{Arc, LazyLock};

use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};

/// The version of [`posts_schema`], kept in each segment's metadata and in the manifest. A column is added at a new version and
/// read as null from older segments; none is ever renamed or given another type.
pub const SCHEMA_VERSION: u32 = 1;

/// The key of the version in the schema's metadata.
pub(super) const VERSION_KEY: &str = "heurpipe.posts.version";

/// Attributes that have a column of their own. All of them are in `attributes`.
pub(super) const ATTRIBUTE_COLUMNS: &[&str] = &["garment", "colour", "pattern", "style", "brand"];

/// The schema of a row of `posts`.
///
/// Names, texts and counts are as the network gave them; a hidden count is null. Hashtags, mentions and attributes are the values that
/// filters see: effective ones, in keyword form. `record` is the whole record as JSON.
pub fn posts_schema() -> SchemaRef {
    static SCHEMA: LazyLock<SchemaRef> = LazyLock::new(|| Arc::new(build()));
    Arc::clone(&SCHEMA)
}

fn build() -> Schema {
    let time = DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into()));
    let labels = DataType::new_list(DataType::Utf8, true);
    let required = |name: &str, kind: &DataType| Field::new(name, kind.clone(), false);
    let optional = |name: &str, kind: &DataType| Field::new(name, kind.clone(), true);
    let mut fields = vec![
        required("id", &DataType::Utf8),
        required("platform", &DataType::Utf8),
        required("native_id", &DataType::Utf8),
        optional("author_id", &DataType::Utf8),
        optional("author_handle", &DataType::Utf8),
        optional("author_name", &DataType::Utf8),
        optional("followers", &DataType::Int64),
        optional("verified", &DataType::Boolean),
        required("text", &DataType::Utf8),
        optional("language", &DataType::Utf8),
        optional("published_at", &time),
        required("collected_at", &time),
        optional("likes", &DataType::Int64),
        optional("comments", &DataType::Int64),
        optional("reposts", &DataType::Int64),
        optional("views", &DataType::Int64),
        optional("country", &DataType::Utf8),
        required("hashtags", &labels),
        required("mentions", &labels),
        required("relevant_to", &labels),
    ];
    fields.extend(ATTRIBUTE_COLUMNS.iter().map(|a| required(a, &labels)));
    fields.extend([
        required("attributes", &attributes_type(&labels)),
        required("revision", &DataType::Int64),
        required("record", &DataType::Utf8),
    ]);
    let metadata = HashMap::from([(VERSION_KEY.to_owned(), SCHEMA_VERSION.to_string())]);
    Schema::new_with_metadata(fields, metadata)
}

/// Attribute -> labels.
fn attributes_type(labels: &DataType) -> DataType {
    let entry = Fields::from(vec![
        Field::new("keys", DataType::Utf8, false),
        Field::new("values", labels.clone(), true),
    ]);
    let entries = Field::new("entries", DataType::Struct(entry), false);
    DataType::Map(Arc::new(entries), false)
}
