//! Errors of the engine, as ours.

use arrow::error::ArrowError;
use datafusion::common::SchemaError;
use datafusion::error::DataFusionError;
use heurpipe_core::{Error, ErrorKind};

use super::OPERATION;

/// How alike a name must be to be suggested, 0 to 1.
const ALIKE: f64 = 0.75;

/// What the engine reports, in our kinds.
pub(super) fn from_datafusion(error: DataFusionError) -> Error {
    let mut root = innermost(&error);
    if let DataFusionError::Collection(errors) = root
        && let Some(first) = errors.first()
    {
        root = innermost(first);
    }
    let (kind, message) = match root {
        DataFusionError::SchemaError(schema, _) => {
            (ErrorKind::InvalidInput, schema_message(schema))
        }
        DataFusionError::SQL(parser, _) => (
            ErrorKind::InvalidInput,
            format!("the query is not valid: {parser}"),
        ),
        DataFusionError::Plan(message) => (
            ErrorKind::InvalidInput,
            format!("the query cannot be planned: {message}"),
        ),
        DataFusionError::NotImplemented(message) => (
            ErrorKind::Unsupported,
            format!("the query asks for something that is not supported: {message}"),
        ),
        DataFusionError::Execution(message) => (
            ErrorKind::InvalidInput,
            format!("the query cannot be answered: {message}"),
        ),
        DataFusionError::ArrowError(arrow, _) if !is_of_files(arrow) => (
            ErrorKind::InvalidInput,
            format!("the query cannot be answered: {arrow}"),
        ),
        DataFusionError::ResourcesExhausted(message) => (
            ErrorKind::TooLarge,
            format!("the query needs more memory than it may have: {message}"),
        ),
        DataFusionError::ArrowError(..) | DataFusionError::ParquetError(_) => {
            (ErrorKind::Corrupt, "stored rows cannot be read".to_owned())
        }
        DataFusionError::ObjectStore(_) | DataFusionError::IoError(_) => {
            (ErrorKind::Io, "stored rows cannot be read".to_owned())
        }
        _ => (ErrorKind::Internal, "the query failed".to_owned()),
    };
    Error::new(kind, OPERATION).message(message).cause(error)
}

/// Whether it may come from a damaged or missing file.
pub(super) fn is_of_storage(error: &DataFusionError) -> bool {
    match innermost(error) {
        DataFusionError::ParquetError(_)
        | DataFusionError::ObjectStore(_)
        | DataFusionError::IoError(_)
        | DataFusionError::External(_) => true,
        DataFusionError::ArrowError(arrow, _) => is_of_files(arrow),
        _ => false,
    }
}

/// The error without the contexts around it.
fn innermost(error: &DataFusionError) -> &DataFusionError {
    match error {
        DataFusionError::Context(_, inner) | DataFusionError::Diagnostic(_, inner) => {
            innermost(inner)
        }
        DataFusionError::Shared(inner) => innermost(inner),
        other => other,
    }
}

fn is_of_files(arrow: &ArrowError) -> bool {
    matches!(
        arrow,
        ArrowError::ParquetError(_) | ArrowError::IoError(..) | ArrowError::ExternalError(_)
    )
}

fn schema_message(error: &SchemaError) -> String {
    let SchemaError::FieldNotFound {
        field,
        valid_fields,
    } = error
    else {
        return error.to_string();
    };
    let mut known: Vec<&str> = valid_fields.iter().map(|column| column.name()).collect();
    known.sort_unstable();
    known.dedup();
    let closest = known
        .iter()
        .map(|name| (strsim::jaro_winkler(name, field.name()), *name))
        .filter(|(likeness, _)| *likeness >= ALIKE)
        .max_by(|a, b| a.0.total_cmp(&b.0));
    match closest {
        Some((_, name)) => format!(
            "there is no column {:?}; did you mean {name:?}?",
            field.name()
        ),
        None => format!(
            "there is no column {:?}; there are {}",
            field.name(),
            known.join(", ")
        ),
    }
}
