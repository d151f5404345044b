//! Rows of an answer, which come as JSON, as Arrow.

use std::sync::Arc;

use arrow::array::{
    ArrayRef, BooleanArray, Date32Array, Float64Array, Int64Array, ListArray, RecordBatch,
    RecordBatchOptions, StringArray, StructArray, TimestampMicrosecondArray,
};
use arrow::buffer::{NullBuffer, OffsetBuffer};
use arrow::datatypes::{DataType, Field, Fields, Schema, SchemaRef, TimeUnit};
use arrow::error::ArrowError;
use heurpipe_core::{Error, ErrorKind, Result};
use jiff::civil::{Date, DateTime, date};
use jiff::tz::TimeZone;
use serde_json::Value;

use super::table::Column;

const OPERATION: &str = "warehouse.sql";

/// The columns of an answer. What Arrow has no plain type for (exact decimals, times of day, bytes in base64, JSON, places) is text.
pub(super) fn schema(columns: &[Column]) -> SchemaRef {
    Arc::new(Schema::new(fields(columns)))
}

/// Rows of an answer.
///
/// # Errors
/// `Corrupt` for a value that is not of its column's type.
pub(super) fn batch(schema: &SchemaRef, columns: &[Column], rows: &[Value]) -> Result<RecordBatch> {
    let arrays: Result<Vec<ArrayRef>> = columns
        .iter()
        .enumerate()
        .map(|(index, column)| {
            let cells: Vec<&Value> = rows.iter().map(|row| &row["f"][index]["v"]).collect();
            array(column, &cells)
        })
        .collect();
    let options = RecordBatchOptions::new().with_row_count(Some(rows.len()));
    RecordBatch::try_new_with_options(Arc::clone(schema), arrays?, &options).map_err(unfit)
}

fn fields(columns: &[Column]) -> Fields {
    columns.iter().map(field).collect()
}

fn field(column: &Column) -> Field {
    let kind = match column.is_repeated() {
        true => DataType::List(item(column)),
        false => scalar(column),
    };
    Field::new(&column.name, kind, true)
}

fn item(column: &Column) -> Arc<Field> {
    Arc::new(Field::new("item", scalar(column), true))
}

fn scalar(column: &Column) -> DataType {
    match column.kind() {
        "INT64" => DataType::Int64,
        "FLOAT64" => DataType::Float64,
        "BOOL" => DataType::Boolean,
        "TIMESTAMP" => DataType::Timestamp(TimeUnit::Microsecond, Some("UTC".into())),
        "DATETIME" => DataType::Timestamp(TimeUnit::Microsecond, None),
        "DATE" => DataType::Date32,
        "STRUCT" => DataType::Struct(fields(&column.fields)),
        _ => DataType::Utf8,
    }
}

fn array(column: &Column, cells: &[&Value]) -> Result<ArrayRef> {
    if !column.is_repeated() {
        return scalars(column, cells);
    }
    let lists: Vec<&[Value]> = cells
        .iter()
        .map(|cell| cell.as_array().map_or(&[][..], Vec::as_slice))
        .collect();
    let offsets = OffsetBuffer::from_lengths(lists.iter().map(|list| list.len()));
    let items: Vec<&Value> = lists.into_iter().flatten().map(|item| &item["v"]).collect();
    let items = scalars(column, &items)?;
    let lists = ListArray::try_new(item(column), offsets, items, None).map_err(unfit)?;
    Ok(Arc::new(lists))
}

fn scalars(column: &Column, cells: &[&Value]) -> Result<ArrayRef> {
    if column.kind() == "STRUCT" {
        return structs(column, cells);
    }
    let texts: Vec<Option<String>> = cells.iter().map(|cell| text(cell)).collect();
    let array: ArrayRef = match column.kind() {
        "INT64" => Arc::new(Int64Array::from(parsed(column, &texts, |t| {
            t.parse().ok()
        })?)),
        "FLOAT64" => Arc::new(Float64Array::from(parsed(column, &texts, |t| {
            t.parse().ok()
        })?)),
        "BOOL" => Arc::new(BooleanArray::from(parsed(column, &texts, |t| {
            t.parse().ok()
        })?)),
        "TIMESTAMP" => {
            let times = parsed(column, &texts, microseconds)?;
            Arc::new(TimestampMicrosecondArray::from(times).with_timezone("UTC"))
        }
        "DATETIME" => Arc::new(TimestampMicrosecondArray::from(parsed(
            column, &texts, civil,
        )?)),
        "DATE" => Arc::new(Date32Array::from(parsed(column, &texts, days)?)),
        _ => Arc::new(StringArray::from(texts)),
    };
    Ok(array)
}

fn structs(column: &Column, cells: &[&Value]) -> Result<ArrayRef> {
    let children: Result<Vec<ArrayRef>> = column
        .fields
        .iter()
        .enumerate()
        .map(|(index, child)| {
            let cells: Vec<&Value> = cells.iter().map(|cell| &cell["f"][index]["v"]).collect();
            array(child, &cells)
        })
        .collect();
    let valid: NullBuffer = cells
        .iter()
        .map(|cell| !cell.is_null())
        .collect::<Vec<_>>()
        .into();
    let structs =
        StructArray::try_new(fields(&column.fields), children?, Some(valid)).map_err(unfit)?;
    Ok(Arc::new(structs))
}

/// Numbers and truths come as texts, too.
fn text(cell: &Value) -> Option<String> {
    match cell {
        Value::Null => None,
        Value::String(text) => Some(text.clone()),
        other => Some(other.to_string()),
    }
}

fn parsed<T>(
    column: &Column,
    texts: &[Option<String>],
    parse: impl Fn(&str) -> Option<T>,
) -> Result<Vec<Option<T>>> {
    texts
        .iter()
        .map(|text| match text.as_deref() {
            None => Ok(None),
            Some(text) => parse(text).map(Some).ok_or_else(|| {
                Error::new(ErrorKind::Corrupt, OPERATION)
                    .message("a value of the answer is not of its column's type")
                    .with("column", &column.name)
                    .with("type", &column.kind)
                    .with("value", text)
            }),
        })
        .collect()
}

/// Whole microseconds, as we ask for; or seconds with a point, as servers answer that do not know the question.
fn microseconds(text: &str) -> Option<i64> {
    let whole = text.parse().ok();
    whole.or_else(|| Some((text.parse::<f64>().ok()? * 1e6).round() as i64))
}

fn civil(text: &str) -> Option<i64> {
    let time: DateTime = text.parse().ok()?;
    let zoned = time.to_zoned(TimeZone::UTC).ok()?;
    Some(zoned.timestamp().as_microsecond())
}

fn days(text: &str) -> Option<i32> {
    let day: Date = text.parse().ok()?;
    day.since(date(1970, 1, 1)).ok().map(|span| span.get_days())
}

fn unfit(error: ArrowError) -> Error {
    Error::new(ErrorKind::Corrupt, OPERATION)
        .message("the rows of the answer do not fit its columns")
        .cause(error)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use arrow::util::pretty::pretty_format_batches;
    use serde_json::json;

    use super::*;

    fn columns() -> Vec<Column> {
        serde_json::from_value(json!([
            {"name": "n", "type": "INTEGER"},
            {"name": "x", "type": "FLOAT64"},
            {"name": "b", "type": "BOOLEAN"},
            {"name": "at", "type": "TIMESTAMP"},
            {"name": "day", "type": "DATE"},
            {"name": "sum", "type": "NUMERIC"},
            {"name": "tags", "type": "STRING", "mode": "REPEATED"},
            {"name": "pairs", "type": "RECORD", "mode": "REPEATED", "fields": [
                {"name": "keys", "type": "STRING"},
                {"name": "values", "type": "STRING", "mode": "REPEATED"},
            ]},
        ]))
        .unwrap()
    }

    #[test]
    fn rows_become_columns_of_their_types() {
        let columns = columns();
        let schema = schema(&columns);
        let pair = json!({"v": {"f": [{"v": "colour"}, {"v": [{"v": "red"}, {"v": "blue"}]}]}});
        let full = json!({"f": [
            {"v": "3"}, {"v": "0.5"}, {"v": "true"}, {"v": "1772366400000001"}, {"v": "2026-03-01"}, {"v": "1.50"},
            {"v": [{"v": "a"}, {"v": "b"}]}, {"v": [pair]},
        ]});
        let empty = json!({"f": [
            {"v": null}, {"v": null}, {"v": null}, {"v": "1.5E0"}, {"v": null}, {"v": null}, {"v": []}, {"v": []},
        ]});
        let batch = batch(&schema, &columns, &[full, empty]).unwrap();
        let text = pretty_format_batches(&[batch]).unwrap().to_string();
        for cell in [
            "| 3 | 0.5 | true | 2026-03-01T12:00:00.000001Z | 2026-03-01 | 1.50 | [a, b] | [{keys: colour, values: [red, blue]}] |",
            "1970-01-01T00:00:01.500Z",
        ] {
            assert!(squeezed(&text).contains(cell), "{text}");
        }
    }

    fn squeezed(text: &str) -> String {
        text.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn rows_without_columns_are_counted_and_odd_values_are_told() {
        let none = schema(&[]);
        assert_eq!(
            batch(&none, &[], &[json!({"f": []})]).unwrap().num_rows(),
            1
        );
        let columns = &columns()[..1];
        let odd = json!({"f": [{"v": "many"}]});
        let error = batch(&schema(columns), columns, &[odd]).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Corrupt);
        assert!(error.to_string().contains("value=many"), "{error}");
    }
}
