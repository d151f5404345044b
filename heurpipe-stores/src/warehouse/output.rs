//! Results of queries as text and files.

use std::io::Write;
use std::str::FromStr;
use std::sync::Arc;

use arrow::array::{ArrayRef, RecordBatch, StringArray};
use arrow::datatypes::{DataType, Field, Schema, SchemaRef};
use arrow::error::ArrowError;
use arrow::ipc::writer::StreamWriter;
use arrow::json::writer::{JsonArray, LineDelimited, WriterBuilder};
use arrow::util::pretty::pretty_format_batches_with_schema;
use futures::TryStreamExt;
use futures::stream::BoxStream;
use heurpipe_core::{Error, ErrorKind, Result};
use parquet::arrow::ArrowWriter;
use parquet::basic::{Compression, ZstdLevel};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;

const OPERATION: &str = "warehouse.output";

/// In which form rows are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// A table to look at; keeps all rows in memory until the end.
    Table,
    /// Comma-separated values with a header; lists and maps as JSON.
    Csv,
    /// One JSON object a line.
    Ndjson,
    /// Arrow's IPC stream.
    Arrow,
    /// A Parquet file.
    Parquet,
}

impl Format {
    /// Every format by name.
    pub const NAMES: &[(&str, Self)] = &[
        ("table", Self::Table),
        ("csv", Self::Csv),
        ("ndjson", Self::Ndjson),
        ("arrow", Self::Arrow),
        ("parquet", Self::Parquet),
    ];
}

impl FromStr for Format {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        Self::NAMES
            .iter()
            .find(|(known, _)| *known == name)
            .map(|(_, format)| *format)
            .ok_or_else(|| {
                let names: Vec<&str> = Self::NAMES.iter().map(|(name, _)| *name).collect();
                Error::new(ErrorKind::InvalidInput, OPERATION)
                    .message(format!("a format is one of {}", names.join(", ")))
                    .with("format", name)
            })
    }
}

/// Writes all rows of a stream and gives their number.
///
/// # Errors
/// Those of the stream, and `Io` when `out` refuses.
pub async fn write<W: Write + Send>(
    format: Format,
    schema: SchemaRef,
    mut batches: BoxStream<'static, Result<RecordBatch>>,
    out: W,
) -> Result<u64> {
    let mut writer = RowWriter::new(format, schema, out)?;
    while let Some(batch) = batches.try_next().await? {
        writer.write(&batch)?;
    }
    writer.finish()
}

/// Writes rows as they come.
pub struct RowWriter<W: Write + Send> {
    form: Form<W>,
    schema: SchemaRef,
    rows: u64,
}

enum Form<W: Write + Send> {
    Table(Vec<RecordBatch>, W),
    Csv(Box<arrow::csv::Writer<W>>),
    Ndjson(arrow::json::Writer<W, LineDelimited>),
    Arrow(Box<StreamWriter<W>>),
    Parquet(Box<ArrowWriter<W>>),
}

impl<W: Write + Send> RowWriter<W> {
    /// A writer of rows with this schema.
    ///
    /// # Errors
    /// `Io` when `out` refuses; `Unsupported` when the format cannot hold a column.
    pub fn new(format: Format, schema: SchemaRef, out: W) -> Result<Self> {
        let form = match format {
            Format::Table => Form::Table(Vec::new(), out),
            Format::Csv => Form::Csv(Box::new(csv_writer(&schema, out)?)),
            Format::Ndjson => {
                Form::Ndjson(WriterBuilder::new().with_explicit_nulls(true).build(out))
            }
            Format::Arrow => {
                Form::Arrow(Box::new(StreamWriter::try_new(out, &schema).map_err(fail)?))
            }
            Format::Parquet => Form::Parquet(Box::new(
                parquet_writer(Arc::clone(&schema), out).map_err(fail_parquet)?,
            )),
        };
        Ok(Self {
            form,
            schema,
            rows: 0,
        })
    }

    /// Writes some rows.
    ///
    /// # Errors
    /// `Io` when the output refuses.
    pub fn write(&mut self, batch: &RecordBatch) -> Result<()> {
        self.rows += batch.num_rows() as u64;
        match &mut self.form {
            Form::Table(batches, _) => batches.push(batch.clone()),
            Form::Csv(writer) => writer.write(&flattened(batch)?).map_err(fail)?,
            Form::Ndjson(writer) => writer.write(batch).map_err(fail)?,
            Form::Arrow(writer) => writer.write(batch).map_err(fail)?,
            Form::Parquet(writer) => writer.write(batch).map_err(fail_parquet)?,
        }
        Ok(())
    }

    /// Writes what belongs at the end and gives the number of rows.
    ///
    /// # Errors
    /// `Io` when the output refuses.
    pub fn finish(self) -> Result<u64> {
        let mut out = match self.form {
            Form::Table(batches, mut out) => {
                let table =
                    pretty_format_batches_with_schema(self.schema, &batches).map_err(fail)?;
                writeln!(out, "{table}").map_err(fail_io)?;
                out
            }
            Form::Csv(writer) => writer.into_inner(),
            Form::Ndjson(mut writer) => {
                writer.finish().map_err(fail)?;
                writer.into_inner()
            }
            Form::Arrow(mut writer) => {
                writer.finish().map_err(fail)?;
                writer.into_inner().map_err(fail)?
            }
            Form::Parquet(writer) => writer.into_inner().map_err(fail_parquet)?,
        };
        out.flush().map_err(fail_io)?;
        Ok(self.rows)
    }
}

/// The header is written even if no row comes.
fn csv_writer<W: Write>(schema: &SchemaRef, out: W) -> Result<arrow::csv::Writer<W>> {
    let mut writer = arrow::csv::WriterBuilder::new()
        .with_header(true)
        .build(out);
    let none = flattened(&RecordBatch::new_empty(Arc::clone(schema)))?;
    writer.write(&none).map_err(fail)?;
    Ok(writer)
}

fn parquet_writer<W: Write + Send>(
    schema: SchemaRef,
    out: W,
) -> Result<ArrowWriter<W>, ParquetError> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::try_new(3)?))
        .build();
    ArrowWriter::try_new(out, schema, Some(properties))
}

/// Lists and maps as JSON text, for forms without nesting.
fn flattened(batch: &RecordBatch) -> Result<RecordBatch> {
    let schema = batch.schema();
    let mut fields = Vec::new();
    let mut columns: Vec<ArrayRef> = Vec::new();
    for (field, column) in schema.fields().iter().zip(batch.columns()) {
        if field.data_type().is_nested() {
            fields.push(Arc::new(Field::new(field.name(), DataType::Utf8, true)));
            columns.push(Arc::new(as_json(column)?));
        } else {
            fields.push(Arc::clone(field));
            columns.push(Arc::clone(column));
        }
    }
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).map_err(fail)
}

fn as_json(column: &ArrayRef) -> Result<StringArray> {
    let field = Field::new("value", column.data_type().clone(), true);
    let alone = RecordBatch::try_new(Arc::new(Schema::new(vec![field])), vec![Arc::clone(column)])
        .map_err(fail)?;
    let mut writer = WriterBuilder::new()
        .with_explicit_nulls(true)
        .build::<_, JsonArray>(Vec::new());
    writer.write(&alone).map_err(fail)?;
    writer.finish().map_err(fail)?;
    let objects: Vec<serde_json::Map<String, serde_json::Value>> =
        match writer.into_inner().as_slice() {
            [] => Vec::new(),
            json => serde_json::from_slice(json)
                .map_err(|error| Error::new(ErrorKind::Internal, OPERATION).cause(error))?,
        };
    Ok(objects
        .iter()
        .map(|object| match object.get("value") {
            None | Some(serde_json::Value::Null) => None,
            Some(value) => Some(value.to_string()),
        })
        .collect())
}

fn fail(error: ArrowError) -> Error {
    match error {
        ArrowError::IoError(_, error) => fail_io(error),
        other => Error::new(ErrorKind::Unsupported, OPERATION)
            .message("the rows cannot be written in this format")
            .cause(other),
    }
}

fn fail_parquet(error: ParquetError) -> Error {
    match error {
        ParquetError::External(error) => Error::new(ErrorKind::Io, OPERATION)
            .message("the rows cannot be written")
            .cause(error),
        other => Error::new(ErrorKind::Unsupported, OPERATION)
            .message("the rows cannot be written in this format")
            .cause(other),
    }
}

fn fail_io(error: std::io::Error) -> Error {
    Error::new(ErrorKind::Io, OPERATION)
        .message("the rows cannot be written")
        .cause(error)
}
